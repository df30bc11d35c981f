"""Reading a notebook's source, ``notebooks/solutions/NN_topic.py``, with line numbers.

jupytext does the conversion from py:percent; it drops the line numbers, so they are found again here, for the
error messages.
"""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
from IPython.core.inputtransformer2 import TransformerManager

from course_utils import paths

HEADER = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---
""".splitlines()

TAGS = ("exercise", "solution", "instructor", "bootstrap", "report", "plot")
HIDDEN_TAGS = ("solution", "instructor")  # cells that the student's notebook lacks
COMPUTED = "computed"  # a source's "**Time:** computed": the build counts the minutes

_STEM = re.compile(r"\d\d_[a-z][a-z0-9_]*")
_CELL = re.compile(r"# %%(\s|$)")
_LIKE_A_CELL = re.compile(r"\s*#\s?%%")  # "# %%[markdown]" would join the cell before it, hidden text and all
_TAGS_OPTION = re.compile(r"""\stags=\["[^"]*"(, ?"[^"]*")*\](\s|$)""")
_CONFLICT = re.compile(r"(<{7}|>{7}|\|{7})( |$)")
_PERCENT = re.compile(r"\s*#\s*%%(\s|%|$)")  # jupytext takes these for cells, "#%%" and indented ones too
_TITLE = re.compile(r"# (\d\d) · (\S.*)")


class BuildError(ValueError):
    """A source from which no notebook can be built; the message starts with file and line."""

    def __init__(self, path: Path, line: int, message: str) -> None:
        super().__init__(f"{short_path(path)}:{line}: {message}")


@dataclass(frozen=True)
class Line:
    """One line of a cell: its number in the source file, its text in the notebook."""

    number: int
    text: str


@dataclass(frozen=True)
class Cell:
    """A cell of the source. ``line`` is the number of its ``# %%`` line."""

    kind: str  # "code" or "markdown"
    tag: str | None
    line: int
    lines: tuple[Line, ...]

    @property
    def hidden(self) -> bool:
        """Whether students do not see this cell."""
        return self.tag in HIDDEN_TAGS


@dataclass(frozen=True)
class Source:
    """A notebook's source, read and checked for its form."""

    path: Path
    cells: tuple[Cell, ...]
    title: str
    time: str  # as written: "computed", perhaps with a remark behind it
    builds: str  # first sentence of "You build"

    @property
    def stem(self) -> str:
        """For example ``02_convolution``."""
        return self.path.stem

    @property
    def number(self) -> str:
        """For example ``02``."""
        return self.stem[:2]

    @property
    def topic(self) -> str:
        """For example ``convolution``, the name of the checks' module."""
        return self.stem[3:]


def short_path(path: Path) -> str:
    """The path from the repository's folder on: ``notebooks/solutions/02_convolution.py``."""
    starts = [i for i, part in enumerate(path.parts[:-1]) if part in ("notebooks", "course_utils")]
    return "/".join(path.parts[starts[-1] if starts else -1 :])


def source_paths(root: Path | None = None) -> list[Path]:
    """All sources, in the order of the course. ``root`` is the repository's folder."""
    return sorted(((root or paths.repository_root()) / "notebooks" / "solutions").glob("*.py"))


def read_source(path: Path) -> Source:
    """Read ``path`` into cells and check its name, header, tags and title cell.

    Raises:
        BuildError: naming file and line.
    """
    if not _STEM.fullmatch(path.stem):
        raise BuildError(path, 1, "a source is named like 02_convolution.py: two digits, then the topic")
    text = read_text(path)
    for number, line in enumerate(text.split("\n"), start=1):
        if _CONFLICT.match(line):
            raise BuildError(path, number, f"a merge conflict is marked here: {line!r}")
    _check_header(path, text.splitlines())
    cells = tuple(_read_cells(path, text))
    title, time, builds = _read_title_cell(path, cells[0])
    return Source(path, cells, title, time, builds)


def read_text(path: Path) -> str:
    """The text of a file in UTF-8.

    Raises:
        BuildError: naming file and line, if it is in another encoding.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        found = content[error.start]
        raise BuildError(
            path, line, f"the byte 0x{found:02x} is not UTF-8: save the file with the encoding UTF-8"
        ) from None
    return text.replace("\r\n", "\n")


def parse(path: Path, lines: list[Line]) -> ast.Module:
    """The syntax tree of a code cell, IPython's magics (``%matplotlib inline``, ``!ls``) included.

    Raises:
        BuildError: if the code doesn't parse, naming the line of the source.
    """
    code = "\n".join(line.text for line in lines) + "\n"
    blank = next((i for i, line in enumerate(lines) if line.text.strip()), 0)  # IPython drops these lines
    try:
        return _tree(blank, code)
    except SyntaxError as error:
        position = min(max(error.lineno or 1, 1), len(lines)) - 1 if lines else 0
        number = lines[position].number if lines else 1
        raise BuildError(path, number, f"the cell doesn't parse: {error.msg}") from error


@functools.cache  # each cell is read by several parts of the build
def _tree(blank_lines: int, code: str) -> ast.Module:
    return ast.parse("\n" * blank_lines + TransformerManager().transform_cell(code))


def _check_header(path: Path, lines: list[str]) -> None:
    for number, expected in enumerate(HEADER, start=1):
        found = lines[number - 1] if number <= len(lines) else ""
        if found.rstrip() != expected:
            raise BuildError(
                path,
                number,
                f"the header holds the kernelspec and nothing else: expected {expected!r}, found {found!r}",
            )


def _read_cells(path: Path, text: str) -> list[Cell]:
    lines = text.splitlines()  # as jupytext does
    starts = []
    for number, line in enumerate(lines, start=1):
        if _CELL.match(line):
            starts.append(number)
        elif _LIKE_A_CELL.match(line) or _PERCENT.match(line):
            raise BuildError(
                path,
                number,
                f"{line.strip()!r} is no cell: at the line's start, write '# %%', then nothing, or a space "
                "and the options, as in '# %% [markdown] tags=[\"solution\"]'",
            )
    if not starts:
        raise BuildError(path, len(lines), "there is no cell: a cell starts with '# %%'")
    for number in range(len(HEADER) + 1, starts[0]):
        if lines[number - 1].strip():
            raise BuildError(path, number, "text before the first '# %%' belongs to no cell")
    for number in starts:  # jupytext fails on other lists, without a word about where
        if re.search(r"\btags\b", lines[number - 1], re.IGNORECASE) and not _TAGS_OPTION.search(
            lines[number - 1]
        ):
            raise BuildError(
                path, number, 'a cell\'s tag is written tags=["solution"], in brackets and quotes'
            )
    found = jupytext.reads(text, fmt="py:percent").cells
    if len(found) != len(starts):
        raise BuildError(
            path,
            starts[0],
            f"{len(starts)} lines start with '# %%', but jupytext sees {len(found)} cells: one "
            "of them is inside a string or a fenced block",
        )
    return [_read_cell(path, lines, start, cell) for start, cell in zip(starts, found)]


def _read_cell(path: Path, lines: list[str], start: int, cell) -> Cell:
    if cell.cell_type not in ("code", "markdown"):
        raise BuildError(path, start, f"a {cell.cell_type} cell: use code or [markdown]")
    # lines_to_next_cell is jupytext's own note about blank lines. Anything else is most likely a misspelt
    # tag, which would show a solution to the students.
    unknown = sorted(set(cell.metadata) - {"tags", "lines_to_next_cell"})
    if unknown:
        raise BuildError(path, start, f"unknown cell option {unknown[0]!r}: only tags=[...] is used here")
    tags = cell.metadata.get("tags", [])
    for tag in tags:
        if tag not in TAGS:
            raise BuildError(path, start, f"unknown cell tag {tag!r}: use one of {', '.join(TAGS)}")
    if len(tags) > 1:
        raise BuildError(path, start, f"a cell has at most one tag, found {', '.join(tags)}")
    tag = tags[0] if tags else None
    if cell.cell_type != "code" and tag not in (None, *HIDDEN_TAGS):
        raise BuildError(path, start, f"the tag {tag!r} is for code cells")

    # jupytext may drop blank lines at the cell's start, so the first lines with text are matched.
    texts = cell.source.split("\n")
    blank = ("", "#") if cell.cell_type == "markdown" else ("",)
    following = enumerate(lines[start:], start=start + 1)
    first = next((number for number, line in following if line.strip() not in blank), start + 1)
    first -= next((i for i, text in enumerate(texts) if text.strip()), 0)
    return Cell(cell.cell_type, tag, start, tuple(Line(first + i, text) for i, text in enumerate(texts)))


def _read_title_cell(path: Path, cell: Cell) -> tuple[str, str, str]:
    title = _TITLE.fullmatch(cell.lines[0].text.strip()) if cell.kind == "markdown" else None
    number = path.stem[:2]
    if title is None or title[1] != number:
        raise BuildError(
            path, cell.lines[0].number, f"the notebook starts with its title: '# {number} · Title'"
        )
    time = _labelled(path, cell, "Time", COMPUTED)
    builds = _labelled(path, cell, "You build", "what the student builds; the README shows this sentence.")
    return title[2].strip(), time, re.split(r"(?<=[.!?])\s", builds)[0].rstrip(".")


def _labelled(path: Path, cell: Cell, label: str, example: str) -> str:
    """The text after ``**label:**``, to the end of its paragraph or to the next label."""
    texts = [line.text.strip().rstrip("\\").strip() for line in cell.lines]
    mark = f"**{label}:**"
    for i, text in enumerate(texts):
        if text.startswith(mark):
            words = [text[len(mark) :].strip()]
            for further in texts[i + 1 :]:
                if not further or further.startswith("**"):
                    break
                words.append(further)
            if " ".join(words).strip():
                return " ".join(words).strip()
    raise BuildError(path, cell.line, f"the title cell needs a line '{mark} {example}'")
