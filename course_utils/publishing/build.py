"""Building the student's notebook, and all that comes with it, from its source.

The conversion is jupytext's; here the solutions are stripped and mistakes of the author are found. The result
is a pure function of the source and the bootstrap cell, so regenerating it gives the same bytes.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_utils import bootstrap, files, paths
from course_utils.checking.checker import Exercise as RegisteredExercise
from course_utils.publishing import plots, readme
from course_utils.publishing.exercises import Exercise, find_exercises, unfinished, written_solutions
from course_utils.publishing.measures import Measures, excesses, measure, short_time, time_text
from course_utils.publishing.regions import find_regions, solution_lines, student_lines
from course_utils.publishing.rules import Breach
from course_utils.publishing.source import (
    COMPUTED,
    BuildError,
    Cell,
    Line,
    Source,
    parse,
    read_source,
    read_text,
    source_paths,
)

_Cells = list[tuple[Cell, list[Line]]]
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


@dataclass(frozen=True)
class Built:
    """What comes out of one source."""

    source: Source
    exercises: list[Exercise]
    registered: Mapping[str, RegisteredExercise]  # by name
    student: NotebookNode
    solution: NotebookNode
    measures: Measures
    breaches: list[Breach]

    @property
    def solutions_text(self) -> str:
        """The text of ``course_utils/assets/solutions/<topic>.json``: what ``check.solution`` shows."""
        solutions = written_solutions(self.exercises)
        return json.dumps(solutions, indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @property
    def row(self) -> readme.Row:
        return readme.Row(self.source, short_time(self.source, self.measures))


def build(source_path: Path) -> Built:
    """Read a source and build everything that comes from it.

    Raises:
        BuildError: naming file and line, for every mistake in the source that is known to hurt a student.
    """
    source = read_source(Path(source_path))
    exercises = find_exercises(source)
    registered = registered_exercises(source.topic)
    _compare(source, exercises, registered)
    _refuse_stray_markers(source)

    student, solution = _versions(source, exercises)
    for cells in (student, solution):
        plots.check_plot_cells(source, cells)
    measured = measure(source, exercises, student)
    breaches = [*unfinished(source, exercises), *excesses(source, measured, (student, solution))]
    for breach in breaches:
        if breach.enforced:
            raise BuildError(breach.path, breach.line or 1, breach.message)
    time = time_text(source, measured)
    return Built(
        source=source,
        exercises=exercises,
        registered=registered,
        student=_as_notebook(source, _with_time(student, time)),
        solution=_as_notebook(source, _with_time(solution, time)),
        measures=measured,
        breaches=breaches,
    )


def student_notebook(source_path: Path) -> NotebookNode:
    """The notebook that students open: stubs instead of solutions, no hidden cells, no outputs.

    Raises:
        BuildError: see :func:`build`.
    """
    return build(source_path).student


def solution_notebook(source_path: Path) -> NotebookNode:
    """The notebook with all solutions, as ``python -m course_utils run`` executes it."""
    return build(source_path).solution


def notebook_text(notebook: NotebookNode) -> str:
    """The notebook as the text of an ``.ipynb`` file: sorted keys, indented, ending in a newline."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT).rstrip("\n") + "\n"


def write_all(root: Path | None = None) -> list[Path]:
    """Write every student notebook, the written solutions and the README's table; returns what changed.

    Nothing is written if one of the sources has a mistake.
    """
    root = root or paths.repository_root()
    built = [build(path) for path in source_paths(root)]
    texts = {}
    for one in built:
        texts[student_path(one.source.path)] = notebook_text(one.student)
        texts[solutions_path(one.source.path)] = one.solutions_text
    texts[root / "README.md"] = readme.with_table(root / "README.md", [one.row for one in built])
    return [path for path, text in texts.items() if write_if_changed(path, text)]


def student_path(source_path: Path) -> Path:
    """``notebooks/02_convolution.ipynb`` for ``notebooks/solutions/02_convolution.py``."""
    return source_path.parent.parent / f"{source_path.stem}.ipynb"


def solutions_path(source_path: Path) -> Path:
    """``course_utils/assets/solutions/convolution.json`` for ``notebooks/solutions/02_convolution.py``."""
    return solutions_folder(source_path.parent.parent.parent) / f"{source_path.stem[3:]}.json"


def solutions_folder(root: Path) -> Path:
    """Where the written solutions lie, in the repository at ``root``."""
    return root / "course_utils" / "assets" / "solutions"


def write_if_changed(path: Path, text: str) -> bool:
    """Write ``text`` atomically, unless the file already holds it. Returns whether it was written."""
    content = text.encode("utf-8")
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(exist_ok=True)
    with files.replacing(path) as file:
        file.write(content)
    return True


def registered_exercises(topic: str) -> Mapping[str, RegisteredExercise]:
    """The exercises in ``course_utils.checks.<topic>`` by name; empty if there is no such module."""
    module = f"course_utils.checks.{topic}"
    try:
        return importlib.import_module(module).check.exercises
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return {}


def _versions(source: Source, exercises: list[Exercise]) -> tuple[_Cells, _Cells]:
    """The cells of the student's notebook and of the one with solutions."""
    by_line = {exercise.cell.line: exercise for exercise in exercises}
    first_lines = _bootstrap_lines(source)
    student: _Cells = []
    solution: _Cells = []
    for cell in source.cells:
        if cell.tag == "bootstrap":
            student.append((cell, first_lines))
            solution.append((cell, first_lines))
        elif cell.tag == "exercise":
            shown, solved = _exercise_cell(source, by_line[cell.line])
            student.append((cell, shown))
            solution.append((cell, solved))
        else:
            lines = plots.folded(source, cell) if cell.tag == "plot" else list(cell.lines)
            if not cell.hidden:
                student.append((cell, lines))
            solution.append((cell, lines))
    for cell, lines in student + solution:
        if cell.kind == "code":
            parse(source.path, lines)
    return student, solution


def _exercise_cell(source: Source, exercise: Exercise) -> tuple[list[Line], list[Line]]:
    """An exercise cell for the student and solved; both versions must define what the check is given."""
    cell, regions = exercise.cell, list(exercise.regions)
    shown = student_lines(source.path, cell, regions, exercise.name)
    solved = solution_lines(cell, regions)
    for version, lines in (("solution", solved), ("student's version", shown)):
        if exercise.variable not in _defined_names(parse(source.path, lines)):
            raise BuildError(
                source.path,
                exercise.check_line,
                f"the {version} of the exercise cell in line {cell.line} doesn't define "
                f"{exercise.variable!r}, which is checked here",
            )
    return shown, solved


def _refuse_stray_markers(source: Source) -> None:
    """Look for markers of solutions outside exercise cells, where nothing would strip them."""
    for cell in source.cells:
        find_regions(source.path, cell)


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


def _compare(source: Source, exercises: list[Exercise], registered: Mapping[str, RegisteredExercise]) -> None:
    """Make sure that notebook and checks have the same exercises."""
    module = f"course_utils/checks/{source.topic}.py"
    for exercise in exercises:
        if exercise.name not in registered:
            raise BuildError(
                source.path,
                exercise.check_line,
                f"the exercise {exercise.name!r} is not registered in {module}",
            )
    unused = sorted(set(registered) - {exercise.name for exercise in exercises})
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


def _with_time(cells: _Cells, time: str) -> _Cells:
    """The cells, with the notebook's time in the title cell in the place of "computed"."""
    (title, lines), *others = cells
    shown = [
        Line(line.number, f"**Time:** {time}") if line.text.startswith(f"**Time:** {COMPUTED}") else line
        for line in lines
    ]
    return [(title, shown), *others]


def _as_notebook(source: Source, cells: _Cells) -> NotebookNode:
    # The source's hash is part of the notebook, so that a change to a solution, too, asks for regenerating.
    digest = hashlib.sha256(read_text(source.path).encode()).hexdigest()
    notebook = nbformat.v4.new_notebook(
        metadata={**_METADATA, "course": {"source_sha256": digest}}, nbformat=4, nbformat_minor=5
    )
    seen: Counter[str] = Counter()
    for cell, lines in cells:
        text = "\n".join(line.text for line in lines).strip("\n")
        # A cell keeps its id when others come or go: the id is a hash of what the cell says.
        seen[cell.kind + text] += 1
        identity = hashlib.sha256(f"{cell.kind}\n{text}\n{seen[cell.kind + text]}".encode()).hexdigest()[:12]
        new_cell = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
        cell_metadata = {"tags": [cell.tag]} if cell.tag else {}
        if cell.tag == "plot":
            cell_metadata |= plots.METADATA
        notebook.cells.append(new_cell(text, id=identity, metadata=cell_metadata))
    return notebook
