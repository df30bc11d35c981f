"""The exercises of a source: cell, check, minutes, difficulty, written solution.

An exercise is the cell tagged ``exercise`` and the check that follows it. Its statement, in the text before,
holds ``*10 minutes · difficulty 2 of 3*``; its written solution follows the check, in markdown cells tagged
``solution``.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from course_utils.publishing.regions import Region, find_regions
from course_utils.publishing.rules import Breach
from course_utils.publishing.source import BuildError, Cell, Line, Source, parse

_EFFORT = re.compile(r"\*(\d+) minutes? · difficulty ([123]) of 3\*")
_LIKE_AN_EFFORT = re.compile(r"\d+ *min.*\bdifficulty\b|\bdifficulty\b.*\bof 3\b", re.IGNORECASE)
_HEADING = re.compile(r"#{1,6} ")
_FENCE = re.compile(r"(```|~~~)")
_SOLUTION = re.compile(r"\*\*Solution\.\*\*\s+")


@dataclass(frozen=True)
class Exercise:
    """One exercise of a notebook.

    ``name`` and ``variable`` are those of its check ``variable = check("name", variable)``, which stands in
    line ``check_line``; ``minutes`` and ``difficulty`` (1 to 3) are None where the statement doesn't say, and
    ``solution`` is the written solution in markdown, empty where there is none.
    """

    name: str
    variable: str
    cell: Cell
    regions: tuple[Region, ...]
    check_line: int
    minutes: int | None
    difficulty: int | None
    solution: str

    @property
    def code(self) -> str:
        """The solution's code, without markers, scaffold and common indentation."""
        texts = []
        for region in self.regions:
            text = "\n".join(line.text for line in region.solution)
            texts.append(textwrap.dedent(text).strip("\n"))
        return "\n\n".join(texts)


@dataclass(frozen=True)
class _Check:
    """A line ``variable = check("exercise", variable)`` of the source."""

    exercise: str
    variable: str
    line: int


def find_exercises(source: Source) -> list[Exercise]:
    """The exercises of a source, in order.

    Raises:
        BuildError: for an exercise without a check or a check without an exercise, markers that don't fit,
            and a line about minutes and difficulty that is misspelt, misplaced or not the only one.
    """
    pairs = _pair_with_checks(source)
    exercises, statement_from = [], 0
    for cell, (check, after) in pairs:
        before = source.cells[statement_from : source.cells.index(cell)]
        effort = _effort(source, before)
        statement_from = after
        exercises.append(
            Exercise(
                name=check.exercise,
                variable=check.variable,
                cell=cell,
                regions=tuple(find_regions(source.path, cell)),
                check_line=check.line,
                minutes=effort and effort[0],
                difficulty=effort and effort[1],
                solution=_written_solution(source.cells[after:]),
            )
        )
    for line in _lines_of_text(source.cells[statement_from:]):
        if _LIKE_AN_EFFORT.search(line.text) and line.text.strip().startswith("*"):
            raise BuildError(source.path, line.number, "minutes and difficulty, but no exercise follows")
    return exercises


def unfinished(source: Source, exercises: list[Exercise]) -> Iterator[Breach]:
    """Where an exercise lacks its minutes or its written solution."""
    for exercise in exercises:
        if exercise.minutes is None:
            yield Breach(
                "minutes",
                source.path,
                exercise.cell.line,
                f"the exercise {exercise.name!r} says nowhere how long it takes: below its heading, write a "
                "paragraph such as '*10 minutes · difficulty 2 of 3*'",
            )
    for exercise in exercises:
        if not exercise.solution:
            yield Breach(
                "solutions",
                source.path,
                exercise.check_line,
                f"the exercise {exercise.name!r} has no written solution: after its check, write a markdown "
                "cell with tags=[\"solution\"] that begins with '**Solution.** '",
            )
        elif not _SOLUTION.match(exercise.solution):
            yield Breach(
                "solutions",
                source.path,
                exercise.check_line,
                f"the written solution of {exercise.name!r} begins with '**Solution.** ', then the reason",
            )


def written_solutions(exercises: list[Exercise]) -> dict[str, dict[str, str]]:
    """What ``check.solution`` shows of each exercise: the written solution without its mark, and the code."""
    return {
        exercise.name: {"text": _SOLUTION.sub("", exercise.solution, count=1), "code": exercise.code}
        for exercise in exercises
    }


def _effort(source: Source, statement: tuple[Cell, ...]) -> tuple[int, int] | None:
    """Minutes and difficulty, as the statement of an exercise gives them."""
    lines = list(_lines_of_text(statement))
    found: tuple[int, int] | None = None
    for i, line in enumerate(lines):
        text = line.text.strip()
        match = _EFFORT.fullmatch(text)
        if match is None:
            if text.startswith("*") and _LIKE_AN_EFFORT.search(text):
                raise BuildError(
                    source.path,
                    line.number,
                    f"{text!r}: minutes and difficulty are written '*10 minutes · difficulty 2 of 3*'",
                )
            continue
        if found:
            raise BuildError(
                source.path, line.number, "minutes and difficulty of one exercise, for a second time"
            )
        neighbours = [lines[j].text.strip() for j in (i - 1, i + 1) if 0 <= j < len(lines)]
        above = next((other.text for other in reversed(lines[:i]) if other.text.strip()), "")
        if any(neighbours) or not _HEADING.match(above):
            raise BuildError(
                source.path,
                line.number,
                "minutes and difficulty are a paragraph of their own, the first below the exercise's heading",
            )
        found = int(match[1]), int(match[2])
    if found and found[0] == 0:
        raise BuildError(source.path, statement[-1].line, "an exercise takes at least a minute")
    return found


def _lines_of_text(cells: tuple[Cell, ...]) -> Iterator[Line]:
    """The lines of the markdown cells that students see; cells are separated by an empty line."""
    for cell in cells:
        if cell.kind == "markdown" and not cell.hidden:
            yield from cell.lines
            yield Line(cell.lines[-1].number, "")


def _written_solution(following: tuple[Cell, ...]) -> str:
    """The solution's markdown, from the cells after a check up to the next exercise or heading."""
    texts = []
    for cell in following:
        if cell.tag == "exercise":
            break
        if cell.kind == "markdown" and not cell.hidden and _has_heading(cell):
            break
        if cell.kind == "markdown" and cell.tag == "solution":
            texts.append("\n".join(line.text for line in cell.lines).strip())
    return "\n\n".join(texts)


def _has_heading(cell: Cell) -> bool:
    fenced = False
    for line in cell.lines:
        if _FENCE.match(line.text.lstrip()):
            fenced = not fenced
        elif not fenced and _HEADING.match(line.text):
            return True
    return False


def _pair_with_checks(source: Source) -> list[tuple[Cell, tuple[_Check, int]]]:
    """Every exercise cell with its check and the number of cells up to the check's, that one included."""
    pairs: list[tuple[Cell, tuple[_Check, int]]] = []
    waiting: Cell | None = None
    for position, cell in enumerate(source.cells, start=1):
        if cell.hidden or cell.kind != "code":
            continue
        checks = _find_checks(source, cell)
        if cell.tag == "exercise":
            if checks:
                raise BuildError(
                    source.path,
                    checks[0].line,
                    "the check goes into a cell of its own, after the exercise cell",
                )
            if waiting:
                raise BuildError(
                    source.path, waiting.line, "an exercise without a check before the next exercise"
                )
            waiting = cell
        for check in checks:
            if waiting is None:
                raise BuildError(
                    source.path,
                    check.line,
                    f"a check without an exercise: {check.exercise!r} has no exercise cell of "
                    "its own before it",
                )
            if any(check.exercise == other.exercise for _, (other, _) in pairs):
                raise BuildError(source.path, check.line, f"{check.exercise!r} is checked twice")
            pairs.append((waiting, (check, position)))
            waiting = None
    if waiting:
        raise BuildError(source.path, waiting.line, "an exercise without a check")
    return pairs


def _find_checks(source: Source, cell: Cell) -> list[_Check]:
    tree = parse(source.path, list(cell.lines))
    checks = []
    well_formed = set()
    for statement in tree.body:
        if _is_check_assignment(statement):
            well_formed.add(statement.value)
            name, variable = statement.value.args
            checks.append(_Check(name.value, variable.id, cell.lines[statement.lineno - 1].number))
    for node in ast.walk(tree):
        is_check = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check"
        if is_check and node not in well_formed:
            raise BuildError(
                source.path,
                cell.lines[node.lineno - 1].number,
                'a check is written f = check("exercise", f), on a line of its own',
            )
    return checks


def _is_check_assignment(statement: ast.stmt) -> bool:
    """Whether it is ``x = check("name", x)``."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
        return False
    call, targets = statement.value, statement.targets
    return (
        isinstance(call.func, ast.Name)
        and call.func.id == "check"
        and not call.keywords
        and len(call.args) == 2
        and len(targets) == 1
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
        and isinstance(call.args[1], ast.Name)
        and isinstance(targets[0], ast.Name)
        and call.args[1].id == targets[0].id
    )
