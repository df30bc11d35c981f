"""Solution regions: what a student's exercise cell shows instead of the solution.

The markers are nbgrader's. Inside a region, lines starting with ``# > `` are the scaffold that the student
sees live; a region without any becomes ``raise NotImplementedError``. (``#> `` is read, too; the formatter
makes it ``# > ``.) An ordinary comment can't begin like that: it would be taken for scaffold. Outside a
region it is refused, and inside one if it only names or compares something.
"""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from course_utils.publishing.source import BuildError, Cell, Line

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"

_SCAFFOLD = re.compile(r"(\s*)# ?>(?: (.*))?")
# Everything that looks like a marker, so that a misspelt one never reaches a student: "### Begin solution",
# "#BEGIN SOLUTION", "# end-solution", also at the end of a code line or alone in a markdown cell.
_RESIDUE = re.compile(
    r"#\s*(?:begin|end)[\s_:.-]*solutions?\b"
    r"|^\W*(?:begin|end)[\s_:.-]*solutions?\W*$"
    r"|(?-i:\b(?:BEGIN|END)[\s_:.-]*SOLUTIONS?\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Region:
    """One solution region. ``begin`` and ``end`` are its marker lines, ``lines`` what lies between."""

    begin: Line
    end: Line
    lines: tuple[Line, ...]

    @property
    def indent(self) -> str:
        return _indent(self.begin.text)

    @property
    def solution(self) -> list[Line]:
        """The lines that the student must not see."""
        return [line for line in self.lines if not _SCAFFOLD.fullmatch(line.text)]

    @property
    def scaffold(self) -> list[Line]:
        """The ``# > `` lines, live."""
        matches = [(line, _SCAFFOLD.fullmatch(line.text)) for line in self.lines]
        return [Line(line.number, (match[1] + (match[2] or "")).rstrip()) for line, match in matches if match]


def find_regions(path: Path, cell: Cell) -> list[Region]:
    """The solution regions of a cell, in order.

    Raises:
        BuildError: for unbalanced, nested, mis-indented or misspelt markers, scaffold outside a region, and a
            region where none may be.
    """
    regions: list[Region] = []
    begin: Line | None = None
    for line in cell.lines:
        text = line.text.strip()
        if cell.kind == "code" and text == BEGIN:
            if begin is not None:
                raise BuildError(
                    path, line.number, f"regions don't nest: the one of line {begin.number} is open"
                )
            begin = line
        elif cell.kind == "code" and text == END:
            if begin is None:
                raise BuildError(path, line.number, f"'{END}' without '{BEGIN}' in this cell")
            regions.append(_region(path, cell, begin, line))
            begin = None
        elif _RESIDUE.search(line.text):
            raise BuildError(
                path,
                line.number,
                f"misspelt or misplaced marker {text!r}: alone on a line of a code cell, write "
                f"'{BEGIN}' or '{END}'",
            )
        elif cell.kind == "code" and text.startswith(("#>", "# >")):
            if begin is None:
                raise BuildError(
                    path, line.number, "a line '# > ...' is scaffold, and stands only in a solution region"
                )
            if not _SCAFFOLD.fullmatch(line.text):
                raise BuildError(path, line.number, "a scaffold line starts with '# > ', with the space")
    if begin is not None:
        raise BuildError(path, begin.number, f"'{BEGIN}' without '{END}' in this cell")
    if regions and cell.tag != "exercise":
        raise BuildError(path, regions[0].begin.number, 'a solution region outside a cell tagged "exercise"')
    if cell.tag == "exercise" and not regions:
        raise BuildError(path, cell.line, "an exercise cell without a solution region")
    return regions


def student_lines(path: Path, cell: Cell, regions: list[Region], exercise: str) -> list[Line]:
    """The cell as the student sees it: scaffold or stub in the place of each region."""
    shown: list[Line] = []
    number = cell.lines[0].number - 1
    for region in regions:
        shown += [line for line in cell.lines if number < line.number < region.begin.number]
        if region.scaffold:
            _refuse_remarks(path, region.scaffold)
            shown += region.scaffold
        elif region.indent:
            stub = f'{region.indent}raise NotImplementedError("{exercise}: your code here")'
            shown.append(Line(region.begin.number, stub))
        else:
            raise BuildError(
                path,
                region.begin.number,
                "the stub of a region outside any function would stop the notebook: give the "
                "student a line such as '# > x = ...'",
            )
        number = region.end.number
    return shown + [line for line in cell.lines if line.number > number]


def solution_lines(cell: Cell, regions: list[Region]) -> list[Line]:
    """The cell with its solution, without markers and scaffold."""
    dropped = {line.number for region in regions for line in (region.begin, region.end)}
    dropped |= {line.number for region in regions for line in region.scaffold}
    return [line for line in cell.lines if line.number not in dropped]


def _refuse_remarks(path: Path, scaffold: list[Line]) -> None:
    """Look for a comment among the scaffold, such as ``# > 3 is large``, that happens to be Python."""
    try:
        tree = ast.parse(textwrap.dedent("\n".join(line.text for line in scaffold)))
    except SyntaxError:
        return  # the cell as a whole is parsed later
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call):
            if not (isinstance(node.value, ast.Constant) and node.value.value is ...):
                raise BuildError(
                    path,
                    scaffold[node.lineno - 1].number,
                    "students would see this line as code that does nothing: no comment begins with '# > '",
                )


def _region(path: Path, cell: Cell, begin: Line, end: Line) -> Region:
    if _indent(begin.text) != _indent(end.text):
        raise BuildError(
            path, end.number, f"'{END}' is indented differently from its '{BEGIN}' in line {begin.number}"
        )
    lines = tuple(line for line in cell.lines if begin.number < line.number < end.number)
    for line in lines:
        if line.text.strip() and not line.text.startswith(_indent(begin.text)):
            raise BuildError(
                path,
                line.number,
                f"this line is indented less than its region's '{BEGIN}' in line {begin.number}",
            )
    region = Region(begin, end, lines)
    if not any(line.text.strip() for line in region.solution):
        raise BuildError(path, begin.number, "the region holds no solution")
    return region


def _indent(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]
