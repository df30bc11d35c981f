"""Fixtures for tests about notebooks: a small course in a temporary folder; the real notebooks, executed."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbformat import NotebookNode

from course_utils import paths
from course_utils.checking import Checker
from course_utils.checking.checker import Exercise
from course_utils.publishing import NotebookError, build
from course_utils.publishing.run import executed, executions

SOURCE = '''\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 · Adding and doubling
#
# **You build:** a sum. Then
# more.
#
# **Time:** computed

# %% tags=["bootstrap"]
# generated

# %%
# %matplotlib inline
from course_utils.checking import Checker

check = Checker("adding")


@check.exercise(oracle=lambda first, second: sum([first, second]), hints=("Think.",))
def add(trial):
    trial.case(3.0, 5.0)


check.number("half", answer=sum((30, 6.5)), hints=("Divide.",))

# %% [markdown]
# ### Exercise 1: a sum
#
# *6 minutes · difficulty 2 of 3*
#
# Add two numbers.

# %% tags=["exercise"]
def add(first, second):
    """The sum."""
    ### BEGIN SOLUTION
    result = second + first + 0 * (first - second)
    return result
    ### END SOLUTION


# %%
add = check("add", add)

# %% [markdown] tags=["solution"]
# **Solution.** The plus sign $+$ adds.
#
# In *any* order.

# %% [markdown]
# ### Exercise 2: a half
#
# *1 minute · difficulty 1 of 3*
#
# What is half of 73?

# %% tags=["exercise"]
### BEGIN SOLUTION
half = 36.5
# > half = ...
### END SOLUTION

# %%
half = check("half", half)

# %% [markdown] tags=["solution"]
# **Solution.** Half of seventy-three lies between thirty-six and thirty-seven.

# %% tags=["instructor"]
assert add(1, 1) == 2, "a demonstration for the instructor"
'''


class Course:
    """A repository with one notebook, ``02_adding``, and a README; ``edit`` changes the source.

    Its package is this repository's, but for the written solutions, which are made here. ``exercises`` is
    what its checks register.
    """

    def __init__(self, root: Path, exercises: dict[str, Exercise]) -> None:
        self.root = root
        self.exercises = exercises
        self.source = root / "notebooks" / "solutions" / "02_adding.py"
        self.student = root / "notebooks" / "02_adding.ipynb"
        self.readme = root / "README.md"
        self.solutions = root / "course_utils" / "assets" / "solutions" / "adding.json"
        self.source.parent.mkdir(parents=True)
        package = paths.repository_root() / "course_utils"  # the bootstrap cell looks for it
        (root / "course_utils" / "assets").mkdir(parents=True)
        for entry in [*package.iterdir(), *(package / "assets").iterdir()]:
            if entry.name not in ("assets", "solutions", "__pycache__"):
                (root / entry.relative_to(package.parent)).symlink_to(entry)
        self.source.write_text(SOURCE, encoding="utf-8")
        self.readme.write_text(
            "# Course\n\n<!-- notebooks:begin -->\n<!-- notebooks:end -->\n\nMore.\n", encoding="utf-8"
        )

    def edit(self, old: str, new: str) -> None:
        """Replace a text that occurs once in the source."""
        text = self.source.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
        self.source.write_text(text.replace(old, new), encoding="utf-8")

    def line(self, text: str) -> int:
        """The number of the only line of the source that is this text, white space aside."""
        lines = self.source.read_text(encoding="utf-8").split("\n")
        (number,) = [i for i, line in enumerate(lines, start=1) if line.strip() == text]
        return number


@pytest.fixture
def course(tmp_path, monkeypatch) -> Course:
    """A small course of its own, with exercises "add" and "half"."""
    check = Checker("adding")

    @check.exercise(oracle=lambda first, second: first + second, hints=())
    def add(trial):
        trial.case(3.0, 5.0)

    check.number("half", answer=36.5, hints=())
    monkeypatch.setattr(build, "registered_exercises", lambda topic: check.exercises)
    return Course(tmp_path, check.exercises)


class ExecutedSolutions:
    """The solution notebooks, executed once per state of the repository (``publishing.cache``)."""

    def __init__(self) -> None:
        self._results: dict[str, NotebookNode | NotebookError] = {}

    def __getitem__(self, stem: str) -> NotebookNode:
        """The executed notebook; raises NotebookError, each time, if it fails."""
        if stem not in self._results:
            try:
                self._results[stem] = executed(_source(stem))
            except NotebookError as error:
                self._results[stem] = error
        result = self._results[stem]
        if isinstance(result, NotebookError):
            raise result
        return result

    def runs(self, stem: str) -> Path:
        """The folder of the trainings and reports that running this notebook left."""
        self[stem]
        return executions(_source(stem)).runs


def _source(stem: str) -> Path:
    return paths.repository_root() / "notebooks" / "solutions" / f"{stem}.py"


@pytest.fixture(scope="session")
def executed_solutions() -> ExecutedSolutions:
    """``executed_solutions["02_convolution"]`` is that solution notebook, executed, with its outputs."""
    return ExecutedSolutions()
