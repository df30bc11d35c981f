"""Building the student's notebook from its source.

The conversion is jupytext's; here the solutions are stripped and mistakes of the author are found. The result
is a pure function of the source and the bootstrap cell, so regenerating it gives the same bytes.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_utils import bootstrap, files, paths
from course_utils.publishing import readme
from course_utils.publishing.regions import Region, find_regions, solution_lines, student_lines
from course_utils.publishing.source import BuildError, Cell, Line, Source, parse, read_source, source_paths

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


@dataclass(frozen=True)
class _Check:
    """A line ``variable = check("exercise", variable)`` of the source."""

    exercise: str
    variable: str
    line: int


def student_notebook(source_path: Path) -> NotebookNode:
    """The notebook that students open: stubs instead of solutions, no hidden cells, no outputs.

    Raises:
        BuildError: naming file and line, for every mistake in the source that is known to hurt a student.
    """
    return _notebooks(read_source(Path(source_path)))[0]


def solution_notebook(source_path: Path) -> NotebookNode:
    """The notebook with all solutions, as ``python -m course_utils run`` executes it."""
    return _notebooks(read_source(Path(source_path)))[1]


def notebook_text(notebook: NotebookNode) -> str:
    """The notebook as the text of an ``.ipynb`` file: sorted keys, indented, ending in a newline."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def write_all(root: Path | None = None) -> list[Path]:
    """Write every student notebook and the README's table of notebooks; returns the files that changed.

    Nothing is written if one of the sources has a mistake.
    """
    root = root or paths.repository_root()
    sources = [read_source(path) for path in source_paths(root)]
    texts = {student_path(source.path): notebook_text(_notebooks(source)[0]) for source in sources}
    texts[root / "README.md"] = readme.with_table(root / "README.md", sources)
    return [path for path, text in texts.items() if write_if_changed(path, text)]


def student_path(source_path: Path) -> Path:
    """``notebooks/02_convolution.ipynb`` for ``notebooks/solutions/02_convolution.py``."""
    return source_path.parent.parent / f"{source_path.stem}.ipynb"


def write_if_changed(path: Path, text: str) -> bool:
    """Write ``text`` atomically, unless the file already holds it. Returns whether it was written."""
    content = text.encode("utf-8")
    if path.exists() and path.read_bytes() == content:
        return False
    with files.replacing(path) as file:
        file.write(content)
    return True


def registered_exercises(topic: str) -> Collection[str]:
    """Names of the exercises in ``course_utils.checks.<topic>``; empty if there is no such module."""
    module = f"course_utils.checks.{topic}"
    try:
        return importlib.import_module(module).check.exercises
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return ()


def _notebooks(source: Source) -> tuple[NotebookNode, NotebookNode]:
    """The student's notebook and the one with solutions."""
    regions = [find_regions(source.path, cell) for cell in source.cells]
    exercises = _pair_exercises_with_checks(source)
    _compare_with_registered(source, exercises)
    bootstrap = _bootstrap_lines(source)

    student: list[tuple[Cell, list[Line]]] = []
    solution: list[tuple[Cell, list[Line]]] = []
    for cell, found in zip(source.cells, regions):
        if cell.tag == "bootstrap":
            student.append((cell, bootstrap))
            solution.append((cell, bootstrap))
        elif cell.tag == "exercise":
            student.append((cell, _exercise_cell(source, cell, found, exercises[cell.line])))
            solution.append((cell, solution_lines(cell, found)))
        else:
            if not cell.hidden:
                student.append((cell, list(cell.lines)))
            solution.append((cell, list(cell.lines)))
    for cell, lines in student + solution:
        if cell.kind == "code":
            parse(source.path, lines)
    return _as_notebook(source, student), _as_notebook(source, solution)


def _exercise_cell(source: Source, cell: Cell, regions: list[Region], check: _Check) -> list[Line]:
    """The student's version of an exercise cell; both versions must define what the check is given."""
    shown = student_lines(source.path, cell, regions, check.exercise)
    versions = {"solution": solution_lines(cell, regions), "student's version": shown}
    for version, lines in versions.items():
        if check.variable not in _defined_names(parse(source.path, lines)):
            raise BuildError(
                source.path,
                check.line,
                f"the {version} of the exercise cell in line {cell.line} doesn't define "
                f"{check.variable!r}, which is checked here",
            )
    return shown


def _pair_exercises_with_checks(source: Source) -> dict[int, _Check]:
    """The check of every exercise cell, by the line of the cell."""
    pairs: dict[int, _Check] = {}
    waiting: Cell | None = None
    for cell in source.cells:
        if cell.hidden or cell.kind != "code":
            continue
        checks = _find_checks(source.path, cell)
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
            if any(check.exercise == other.exercise for other in pairs.values()):
                raise BuildError(source.path, check.line, f"{check.exercise!r} is checked twice")
            pairs[waiting.line] = check
            waiting = None
    if waiting:
        raise BuildError(source.path, waiting.line, "an exercise without a check")
    return pairs


def _find_checks(path: Path, cell: Cell) -> list[_Check]:
    tree = parse(path, list(cell.lines))
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
                path,
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


def _defined_names(tree: ast.Module) -> set[str]:
    """Names that running the cell binds: functions, classes, imports and assigned variables."""
    names = set()
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(statement.name)
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            names |= {alias.asname or alias.name for alias in statement.names}
        else:
            names |= {
                node.id
                for node in ast.walk(statement)
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
    return names


def _compare_with_registered(source: Source, exercises: dict[int, _Check]) -> None:
    registered = registered_exercises(source.topic)
    module = f"course_utils/checks/{source.topic}.py"
    for check in exercises.values():
        if check.exercise not in registered:
            raise BuildError(
                source.path, check.line, f"the exercise {check.exercise!r} is not registered in {module}"
            )
    unused = sorted(set(registered) - {check.exercise for check in exercises.values()})
    if unused:
        raise BuildError(
            source.path, 1, f"{module} registers {unused[0]!r}, but the notebook has no such exercise"
        )


def _bootstrap_lines(source: Source) -> list[Line]:
    cells = [cell for cell in source.cells if cell.tag == "bootstrap"]
    if not cells:
        raise BuildError(source.path, 1, 'there is no cell tagged "bootstrap"')
    if len(cells) > 1:
        raise BuildError(
            source.path, cells[1].line, f"a second bootstrap cell; the first is in line {cells[0].line}"
        )
    cell = cells[0]
    if [line.text.strip() for line in cell.lines] != ["# generated"]:
        raise BuildError(
            source.path,
            cell.lines[0].number,
            "the bootstrap cell is generated: its only line here is '# generated'",
        )
    if cell is not next(cell for cell in source.cells if cell.kind == "code"):
        raise BuildError(source.path, cell.line, "the bootstrap cell is the first code cell")
    text = bootstrap.bootstrap_cell(source.stem)
    return [Line(cell.lines[0].number, line) for line in text.strip("\n").split("\n")]


def _as_notebook(source: Source, cells: list[tuple[Cell, list[Line]]]) -> NotebookNode:
    # The source's hash is part of the notebook, so that a change to a solution, too, asks for regenerating.
    digest = hashlib.sha256(source.path.read_text(encoding="utf-8").encode()).hexdigest()
    metadata = {**_METADATA, "course": {"source_sha256": digest}}
    notebook = nbformat.v4.new_notebook(metadata=metadata, nbformat=4, nbformat_minor=5)
    seen: Counter[str] = Counter()
    for cell, lines in cells:
        text = "\n".join(line.text for line in lines).strip("\n")
        # A cell keeps its id when others come or go: the id is a hash of what the cell says.
        seen[cell.kind + text] += 1
        identity = hashlib.sha256(f"{cell.kind}\n{text}\n{seen[cell.kind + text]}".encode()).hexdigest()[:12]
        new_cell = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
        metadata = {"tags": [cell.tag]} if cell.tag else {}
        notebook.cells.append(new_cell(text, id=identity, metadata=metadata))
    return notebook
