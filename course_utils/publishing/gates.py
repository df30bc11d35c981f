"""Whether the committed notebooks agree with their sources, leak nothing, and run untouched."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from course_utils import paths
from course_utils.checking.outcome import NOT_ATTEMPTED
from course_utils.publishing import readme
from course_utils.publishing.build import (
    build,
    notebook_text,
    solutions_folder,
    solutions_path,
    student_notebook,
    student_path,
)
from course_utils.publishing.committed import DamagedNotebook, read_committed
from course_utils.publishing.regions import find_regions
from course_utils.publishing.rules import Breach
from course_utils.publishing.run import NotebookError, outcomes, run_notebook
from course_utils.publishing.source import BuildError, Line, Source, read_source, short_path, source_paths

_REMEDY = "run 'make notebooks'"

# A line of this many words, numbers and signs hardly appears twice by chance: "return (n - k) // s + 1" has
# eleven, "total = 0" three.
_DISTINCTIVE = 7
_TRIVIAL = 2  # "return total", "else:"
_TOKEN = re.compile(r"\w+|[^\w\s]")
_BLOCK_HEADER = re.compile(r"(for|while|if|elif|else|with|try|except|finally|def|class|import|from)\b")


def check_all(root: Path | None = None) -> list[str]:
    """All problems of what is committed: sync and leak gates, and the rules that are enforced."""
    enforced = [str(breach) for breach in rule_breaches(root) if breach.enforced]
    return sync_problems(root) + leak_problems(root) + enforced


def sync_problems(root: Path | None = None) -> list[str]:
    """Where committed notebooks, written solutions and the README's table differ from what the sources build."""
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
    found: list[Breach] = []
    for path in source_paths(root or paths.repository_root()):
        try:
            found += build(path).breaches
        except BuildError:
            continue
    return found


def leak_problems(root: Path | None = None) -> list[str]:
    """Solution lines that a student could see.

    Two ways are looked for: a solution line in a committed notebook that its source didn't put there, and a
    source that gives a solution away in a cell that students see. Lines are compared without white space and
    comments.
    """
    root = root or paths.repository_root()
    problems = []
    for path in source_paths(root):
        try:
            source = read_source(path)
            secrets = list(_secrets(source))
            generated = student_notebook(path)
        except BuildError as error:
            problems.append(str(error))
            continue
        problems += _given_away(source, secrets, generated)
        committed = student_path(path)
        try:
            if committed.exists():
                problems += _pasted(
                    f"notebooks/{committed.name}", secrets, generated, read_committed(committed)
                )
        except DamagedNotebook as error:
            problems.append(str(error))
    return problems


def inverse_run_problems(source_path: Path, extra_env: Mapping[str, str] | None = None) -> list[str]:
    """Run the untouched student notebook: every check must answer "not attempted" and no cell may fail."""
    notebook = student_notebook(source_path)
    try:
        executed = run_notebook(notebook, strict=False, extra_env=extra_env, name=source_path.stem)
    except NotebookError as error:
        return [str(error)]
    answers = outcomes(executed)
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


@dataclass(frozen=True)
class _Secret:
    """Lines that belong together and that students must not see: a region, or a whole cell."""

    line: int
    lines: tuple[Line, ...]

    @property
    def telling(self) -> list[Line]:
        """The lines that would give it away: the distinctive ones, or else all that aren't trivial."""
        statements = [line for line in self.lines if not _BLOCK_HEADER.match(line.text.strip())]
        distinctive = [line for line in statements if _tokens(line.text) >= _DISTINCTIVE]
        return distinctive or [line for line in statements if _tokens(line.text) > _TRIVIAL]


def _secrets(source: Source) -> Iterator[_Secret]:
    for cell in source.cells:
        if cell.hidden:
            yield _Secret(cell.line, cell.lines)
        elif cell.tag == "exercise":
            for region in find_regions(source.path, cell):
                yield _Secret(region.begin.number, tuple(region.solution))


def _given_away(source: Source, secrets: Iterable[_Secret], generated: NotebookNode) -> Iterator[str]:
    """Solutions of which the source shows more than half elsewhere."""
    given = [
        (number, line)
        for number, cell in enumerate(generated.cells, start=1)
        for line in cell.source.split("\n")
    ]
    for secret in secrets:
        seen = {}
        for line in secret.telling:
            for number, text in given:
                if _shows(text, line.text):
                    seen[line] = number
                    break
        if len(seen) * 2 > len(secret.telling):
            line, number = next(iter(seen.items()))
            yield (
                f"{short_path(source.path)}:{line.number}: the solution {line.text.strip()!r} can be read "
                f"in cell {number} of the student's notebook"
            )


def _pasted(
    name: str, secrets: Iterable[_Secret], generated: NotebookNode, committed: NotebookNode
) -> Iterator[str]:
    """Solution lines in the committed notebook beyond the lines that were generated."""
    solution = [line.text for secret in secrets for line in secret.lines if _tokens(line.text) > _TRIVIAL]
    expected = Counter(_normalised(line) for cell in generated.cells for line in cell.source.split("\n"))
    for number, cell in enumerate(committed.cells, start=1):
        for text in cell.source.split("\n"):
            if expected[_normalised(text)] > 0:
                expected[_normalised(text)] -= 1
            elif any(_shows(text, line) for line in solution):
                yield f"{name}, cell {number}: the line {text.strip()!r} shows a solution"


def _shows(text: str, solution: str) -> bool:
    """Whether ``text`` is this line of a solution, or contains it where it is too long for chance."""
    if _tokens(solution) >= _DISTINCTIVE:
        return _normalised(solution) in _normalised(text)
    return _normalised(solution) == _normalised(text)


def _code(text: str) -> str:
    """The line without a comment's sign in front and without a comment behind."""
    return re.sub(r"\s#\s.*", "", text.strip().lstrip("#> ")).strip()


def _normalised(text: str) -> str:
    return re.sub(r"\s", "", _code(text))


def _tokens(text: str) -> int:
    return len(_TOKEN.findall(_code(text)))
