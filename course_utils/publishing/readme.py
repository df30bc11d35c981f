"""The README's table of notebooks, generated between two marker lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from course_utils import bootstrap
from course_utils.publishing.source import BuildError, Source, read_text

BEGIN = "<!-- notebooks:begin -->"
END = "<!-- notebooks:end -->"

# The account in the address that pyproject.toml is delivered with. Nobody can register it: GitHub's names
# have no underscore. Whoever publishes the course puts theirs in its place.
UNSET_ACCOUNT = "set_your_address"

_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"


@dataclass(frozen=True)
class Row:
    """A notebook in the table, and how long it takes."""

    source: Source
    time: str


def with_table(path: Path, rows: Sequence[Row]) -> str:
    """The text of the README at ``path`` with the table of these notebooks between its markers.

    Raises:
        BuildError: if the README or one of its markers is missing.
    """
    if not path.exists():
        raise BuildError(path, 1, f"the README is missing; it needs the lines '{BEGIN}' and '{END}'")
    lines = read_text(path).split("\n")
    if lines.count(BEGIN) != 1 or lines.count(END) != 1 or lines.index(BEGIN) > lines.index(END):
        raise BuildError(path, 1, f"the table of notebooks needs one line '{BEGIN}', then one line '{END}'")
    return "\n".join([*lines[: lines.index(BEGIN) + 1], *_table(rows), *lines[lines.index(END) :]])


def _table(rows: Sequence[Row]) -> list[str]:
    if urlsplit(bootstrap.repository_address()).path.split("/")[1:2] == [UNSET_ACCOUNT]:
        lines = ["| | Notebook | You build | Time |", "|---|---|---|---|"]
        lines += [_line(*_cells(row)) for row in rows]
        return [
            *lines,
            "",
            "To open the notebooks on Colab, state the address of your copy in `pyproject.toml` under "
            "`[project.urls]` and run `make notebooks`: this table then has a badge for each.",
        ]
    lines = ["| | Notebook | You build | Time | |", "|---|---|---|---|---|"]
    for row in rows:
        url = bootstrap.colab_url(_path(row))
        lines.append(_line(*_cells(row), f"[![Open {row.source.number} in Colab]({_BADGE})]({url})"))
    return lines


def _cells(row: Row) -> tuple[str, str, str, str]:
    source = row.source
    return source.number, f"[{source.title}]({_path(row)})", source.builds, row.time


def _path(row: Row) -> str:
    return f"notebooks/{row.source.stem}.ipynb"


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
