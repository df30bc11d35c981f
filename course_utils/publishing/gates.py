"""Whether the committed notebooks agree with their sources, leak nothing, and run untouched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from course_utils import paths
from course_utils.checking.outcome import NOT_ATTEMPTED
from course_utils.publishing import leaks, readme
from course_utils.publishing.build import (
    Built,
    build,
    notebook_text,
    solutions_folder,
    solutions_path,
    student_notebook,
    student_path,
)
from course_utils.publishing.committed import DamagedNotebook, read_committed
from course_utils.publishing.rules import Breach
from course_utils.publishing.run import NotebookError, executed, outcomes
from course_utils.publishing.source import BuildError, short_path, source_paths

_REMEDY = "run 'make notebooks'"

_FEWEST_CHOICES = 8  # of fewer, the shares say nothing
_LEAST_SHARE, _LARGEST_SHARE = 0.15, 0.35  # of the choices, for each letter


def check_all(root: Path | None = None) -> list[str]:
    """All problems of what is committed: sync and leak gates, and the rules that are enforced."""
    enforced = [str(breach) for breach in rule_breaches(root) if breach.enforced]
    return sync_problems(root) + leak_problems(root) + enforced


def sync_problems(root: Path | None = None) -> list[str]:
    """Where notebooks, written solutions and the README's table differ from what the sources build."""
    root = root or paths.repository_root()
    problems: list[str] = []
    rows: list[readme.Row] = []
    for path in source_paths(root):
        try:
            built = build(path)
        except BuildError as error:
            problems.append(str(error))
            continue
        rows.append(built.row)
        problems += _difference(student_path(path), notebook_text(built.student), root)
        problems += _difference(solutions_path(path), built.solutions_text, root)
    sources = source_paths(root)
    expected = {student_path(path) for path in sources} | {solutions_path(path) for path in sources}
    present = {*(root / "notebooks").glob("*.ipynb"), *solutions_folder(root).glob("*")}
    for stale in sorted(present - expected):
        problems.append(f"{stale.relative_to(root).as_posix()} has no source: delete it")
    if not problems:  # the table is made from all sources, so it can only be judged when all can be read
        problems += _readme_problems(root / "README.md", rows)
    return problems


def rule_breaches(root: Path | None = None) -> list[Breach]:
    """Where a notebook or a checks module breaks one of the ``RULES``, enforced or not.

    Sources that can't be built are left out: :func:`sync_problems` reports them.
    """
    root = root or paths.repository_root()
    found: list[Breach] = []
    choices: list[str] = []
    for path in source_paths(root):
        try:
            built = build(path)
        except BuildError:
            continue
        found += built.breaches
        found += _telling_hints(built, root)
        choices += [one.oracle for one in built.registered.values() if one.kind == "choice"]
    return found + list(_uneven_letters(choices, root))


def leak_problems(root: Path | None = None) -> list[str]:
    """Solutions that a student could read, see :mod:`course_utils.publishing.leaks`.

    Two ways are looked for: a source that gives a solution away in a cell that students see, and a committed
    notebook that shows one which its source didn't put there.
    """
    root = root or paths.repository_root()
    problems: list[str] = []
    for path in source_paths(root):
        try:
            built = build(path)
            problems += _given_away(built)
            if student_path(path).exists():
                problems += _added(built, read_committed(student_path(path)))
        except (BuildError, DamagedNotebook) as error:
            problems.append(str(error))
    return problems


def inverse_run_problems(source_path: Path) -> list[str]:
    """Run the untouched student notebook: every check must answer "not attempted" and no cell may fail."""
    notebook = student_notebook(source_path)
    try:
        answers = outcomes(executed(source_path, "student"))
    except NotebookError as error:
        return [str(error)]
    problems = [
        f"{source_path.stem}: the check {answer.exercise!r} answered {answer.status!r} to an untouched stub"
        for answer in answers
        if answer.status != NOT_ATTEMPTED
    ]
    exercises = sum("exercise" in cell.metadata.get("tags", []) for cell in notebook.cells)
    if len(answers) != exercises:
        problems.append(f"{source_path.stem}: {exercises} exercises, but {len(answers)} answers of checks")
    return problems


def _difference(path: Path, text: str, root: Path) -> Iterator[str]:
    """Why the file isn't ``text``, if it isn't."""
    name = path.relative_to(root).as_posix()
    if not path.exists():
        yield f"{name} is missing: {_REMEDY}"
    elif path.read_bytes() != text.encode("utf-8"):
        try:
            if path.suffix == ".ipynb":
                read_committed(path)
        except DamagedNotebook as error:
            yield str(error)
            return
        yield f"{name} is not what its source builds: {_REMEDY}, and edit only the source"


def _readme_problems(path: Path, rows: list[readme.Row]) -> Iterator[str]:
    try:
        expected = readme.with_table(path, rows)
    except BuildError as error:
        yield str(error)
        return
    if path.read_bytes() != expected.encode("utf-8"):
        yield f"{path.name}: the table of notebooks is not what the sources build: {_REMEDY}"


def _telling_hints(built: Built, root: Path) -> Iterator[Breach]:
    known = leaks.known_names(built.source)
    answers = _numbers(built)
    for exercise in built.exercises:
        secrets = leaks.secrets_of(built.source, exercise, known, answers)
        hints = built.registered[exercise.name].hints
        for number, hint in enumerate(hints[:-1], start=1):
            found = secrets.seen_in([leaks.Text(hint, "markdown", known)])
            if found:
                yield Breach(
                    "hints",
                    root / "course_utils" / "checks" / f"{built.source.topic}.py",
                    None,
                    f"hint {number} of {len(hints)} of {exercise.name!r} gives {found[0].text!r} away, "
                    "as only the last may",
                )


def _uneven_letters(right: list[str], root: Path) -> Iterator[Breach]:
    if len(right) < _FEWEST_CHOICES:
        return
    for letter in "ABCD":
        share = right.count(letter) / len(right)
        if not _LEAST_SHARE <= share <= _LARGEST_SHARE:
            yield Breach(
                "letters",
                root / "course_utils" / "checks",
                None,
                f"{letter} is right in {right.count(letter)} of {len(right)} choices ({100 * share:.0f} %): "
                f"between {100 * _LEAST_SHARE:.0f} and {100 * _LARGEST_SHARE:.0f} %, so that "
                "guessing doesn't pay",
            )


def _given_away(built: Built) -> Iterator[str]:
    """Solutions that the source itself shows."""
    known = leaks.known_names(built.source)
    texts = [leaks.Text(cell.source, cell.cell_type, known) for cell in built.student.cells]
    for secrets in _secrets(built, known):
        found = secrets.seen_in(texts)
        if found:
            secret, number = found
            yield (
                f"{short_path(built.source.path)}:{secret.line}: the solution {secret.text!r} can be read in "
                f"cell {number} of the student's notebook"
            )


def _added(built: Built, committed: NotebookNode) -> Iterator[str]:
    """Solutions in the committed notebook that were not generated."""
    name = f"notebooks/{student_path(built.source.path).name}"
    regions = [region for exercise in built.exercises for region in exercise.regions]
    lines = [line for region in regions for line in region.solution]
    lines += [line for cell in built.source.cells if cell.hidden for line in cell.lines]
    added = list(leaks.pasted(lines, built.student, committed))
    for number, text in added:
        yield f"{name}, cell {number}: the line {text!r} shows a solution"
    if added:
        return
    known = leaks.known_names(built.source)
    generated = {cell.source for cell in built.student.cells}
    for number, cell in enumerate(committed.cells, start=1):
        if cell.source not in generated:
            text = leaks.Text(cell.source, cell.cell_type, known)
            for secrets in _secrets(built, known):
                found = secrets.seen_in([text])
                if found:
                    yield f"{name}, cell {number}: shows the solution {found[0].text!r}"


def _secrets(built: Built, known: frozenset[str]) -> Iterator[leaks.Secrets]:
    answers = _numbers(built)
    for exercise in built.exercises:
        yield leaks.secrets_of(built.source, exercise, known, answers)
    for cell in built.source.cells:
        if cell.hidden:
            yield leaks.secrets_of_hidden(cell)


def _numbers(built: Built) -> dict[str, float]:
    """The answers of the exercises that ask for a number."""
    return {name: one.oracle for name, one in built.registered.items() if one.kind == "number"}
