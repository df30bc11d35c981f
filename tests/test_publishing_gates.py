"""The gates: what is committed agrees with its source, shows no solution, and runs untouched."""

from __future__ import annotations

import dataclasses
import json

import pytest

from course_utils import paths
from course_utils.__main__ import main
from course_utils.publishing import (
    LENIENT,
    RULES,
    build,
    check_all,
    inverse_run_problems,
    leak_problems,
    rule_breaches,
    rules,
    source_paths,
    sync_problems,
    write_all,
)

ADD = "    result = second + first + 0 * (first - second)\n"
SOURCES = source_paths()


def paste(course, line: str) -> None:
    """Put a line at the end of the committed notebook's title cell."""
    notebook = json.loads(course.student.read_text(encoding="utf-8"))
    notebook["cells"][0]["source"] += ["\n", line]
    course.student.write_text(json.dumps(notebook, indent=1), encoding="utf-8")


# ---- the gates themselves, on a small course


def test_fresh_notebooks_have_no_problems(course):
    write_all(course.root)
    assert check_all(course.root) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# What is half of 73?", "# What is half of 74?"),
        (
            "result = second + first + 0 * (first - second)",
            "result = first + second",
        ),  # students never see it
        ("half = 36.5", "half = 73 / 2"),
    ],
)
def test_sync_finds_a_changed_source_and_solution(course, old, new):
    write_all(course.root)
    course.edit(old, new)
    problem, *others = sync_problems(course.root)
    assert len(others) == ("= " in old)  # the written solutions hold the code, too
    assert problem.startswith("notebooks/02_adding.ipynb is not what its source builds: run 'make notebooks'")


def test_sync_finds_a_changed_notebook_even_if_only_an_output(course):
    write_all(course.root)
    text = course.student.read_text(encoding="utf-8")
    text = text.replace('"execution_count": null', '"execution_count": 1', 1)
    course.student.write_text(text, encoding="utf-8")
    assert len(sync_problems(course.root)) == 1


def test_sync_finds_a_missing_notebook_and_one_without_a_source(course):
    write_all(course.root)
    course.student.rename(course.student.with_name("03_stale.ipynb"))
    assert sync_problems(course.root) == [
        "notebooks/02_adding.ipynb is missing: run 'make notebooks'",
        "notebooks/03_stale.ipynb has no source: delete it",
    ]


def test_sync_finds_an_old_table_in_the_readme(course):
    write_all(course.root)
    text = course.readme.read_text(encoding="utf-8")
    course.readme.write_text(text.replace("about 10 minutes", "about 6 minutes"), encoding="utf-8")
    (problem,) = sync_problems(course.root)
    assert problem.startswith("README.md: the table of notebooks")


def test_sync_reports_a_source_that_cannot_be_built(course):
    write_all(course.root)
    course.edit('tags=["instructor"]', 'tags=["teacher"]')
    (problem,) = sync_problems(course.root)
    assert "02_adding.py:" in problem and "unknown cell tag" in problem


@pytest.mark.parametrize(
    "line",
    [
        "result = second + first + 0 * (first - second)",
        "        result=second+first + 0*(first-second)   # a hint",
        "# result = second + first + 0 * (first - second)",
        "Hint: `result = second + first + 0 * (first - second)`.",
        "half = 36.5",
        "half=36.5  # right",
        "**Solution.** Half of seventy-three lies between thirty-six and thirty-seven.",
        'assert add(1, 1) == 2, "a demonstration for the instructor"',
    ],
)
def test_leak_finds_a_pasted_solution_line(course, line):
    write_all(course.root)
    paste(course, line)
    (problem,) = leak_problems(course.root)
    assert problem == f"notebooks/02_adding.ipynb, cell 1: the line {line.strip()!r} shows a solution"


@pytest.mark.parametrize("line", ["return result", "else:", "Half of the work is done.", "result = 0", ""])
def test_leak_ignores_lines_that_tell_nothing(course, line):
    write_all(course.root)
    paste(course, line)
    assert leak_problems(course.root) == []


def test_leak_finds_a_short_line_pasted_where_a_given_cell_already_has_it(course):
    course.edit("    return result\n", "    total = 0\n    return result\n")
    course.edit("# %% [markdown]\n# ### Exercise 2", "# %%\ntotal = 0\n\n# %% [markdown]\n# ### Exercise 2")
    write_all(course.root)
    assert leak_problems(course.root) == []
    paste(course, "total = 0")
    (problem,) = leak_problems(course.root)
    assert "the line 'total = 0' shows a solution" in problem


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("# %%\nhalf = 36.5\n", "half = 36.5"),
        (f"# %%\ndef again(first, second):\n{ADD}    return 0\n", ADD.strip()),
        (f"# %% [markdown]\n# The trick is `{ADD.strip()}`, as you see.\n", ADD.strip()),
    ],
)
def test_leak_finds_a_source_that_gives_a_solution_away(course, given, shown):
    course.edit("# %% [markdown]\n# ### Exercise 2", f"{given}\n# %% [markdown]\n# ### Exercise 2")
    write_all(course.root)
    (problem,) = leak_problems(course.root)
    place = f"notebooks/solutions/02_adding.py:{line_in_region(course, shown)}"
    assert problem.startswith(f"{place}: the solution {shown!r} can be read")


def line_in_region(course, text: str) -> int:
    """The number of the line that is this text, at the start of a solution region."""
    lines = course.source.read_text(encoding="utf-8").split("\n")
    starts = [i for i, line in enumerate(lines) if line.strip() == "### BEGIN SOLUTION"]
    (number,) = {i + 1 for start in starts for i in range(start, start + 3) if lines[i].strip() == text}
    return number


def test_sync_finds_written_solutions_that_are_old_missing_or_without_a_source(course):
    write_all(course.root)
    name = "course_utils/assets/solutions/adding.json"
    course.solutions.write_text(
        course.solutions.read_text(encoding="utf-8").replace("36.5", "36"), encoding="utf-8"
    )
    (problem,) = sync_problems(course.root)
    assert problem.startswith(f"{name} is not what its source builds: run 'make notebooks'")
    course.solutions.rename(course.solutions.with_name("stale.json"))
    assert sync_problems(course.root) == [
        f"{name} is missing: run 'make notebooks'",
        "course_utils/assets/solutions/stale.json has no source: delete it",
    ]


CONFLICT = "<<<<<<< HEAD\n{}=======\n{}>>>>>>> other\n"
DAMAGES = {
    "merge conflict": (lambda text: CONFLICT.format(text, text), "a merge conflict is marked in line 1"),
    "half a file": (lambda text: text[: len(text) // 2], "it breaks off or is damaged in line"),
    "nothing": (lambda text: "", "it is empty"),
    "a list": (lambda text: "[]", "it has no cells"),
    "another format": (lambda text: '{"worksheets": []}', "it has no cells"),
    "cells without source": (lambda text: '{"cells": [{"cell_type": "code"}]}', "it has no cells"),
}


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_a_file_that_is_no_notebook_is_named_with_the_remedy(course, damage, reason, monkeypatch, capsys):
    write_all(course.root)
    whole = course.student.read_bytes()
    course.student.write_text(damage(whole.decode()), encoding="utf-8")
    named = f"notebooks/02_adding.ipynb is no notebook: {reason}"
    for problems in (sync_problems(course.root), leak_problems(course.root)):
        (problem,) = problems
        assert problem.startswith(named) and "notebooks --force" in problem

    monkeypatch.setattr(paths, "repository_root", lambda: course.root)
    assert main(["notebooks", "--check"]) == 1
    assert named in capsys.readouterr().out
    assert main(["notebooks"]) == 1  # somebody's work may be in it
    assert capsys.readouterr().err.startswith(named)
    assert main(["notebooks", "--force"]) == 0
    assert course.student.read_bytes() == whole


def test_a_notebook_in_another_encoding_is_named(course):
    write_all(course.root)
    course.student.write_bytes(course.student.read_text(encoding="utf-8").encode("latin-1"))
    (problem,) = sync_problems(course.root)
    assert "notebooks/02_adding.ipynb is no notebook: it is not UTF-8" in problem


def test_sync_reports_a_missing_readme(course):
    write_all(course.root)
    course.readme.unlink()
    (problem,) = sync_problems(course.root)
    assert "README.md:1: the README is missing" in problem


BETWEEN = "# %% [markdown]\n# ### Exercise 2"


def give(course, text: str) -> None:
    """Put cells in front of the second exercise."""
    course.edit(BETWEEN, f"{text}\n{BETWEEN}")


# Other ways to write the solution `result = second + first + 0 * (first - second)` of `add`.
SAME = {
    "another result": "total = second + first + 0 * (first - second)",
    "returned": "def again(first, second):\n    return second + first + 0 * (first - second)",
    "more brackets": "total = ((second + first) + (0 * (first - second)))",
    "split lines": "total = (\n    second\n    + first\n    + 0 * (first - second)\n)",
    "annotated": "total: float = second + first + 0 * (first - second)",
    "other names": "a, b = 1, 2\ntotal = b + a + 0 * (a - b)",
    "operands swapped": "total = first + second + (first - second) * 0",
    "a condition": "if second + first + 0 * (first - second):\n    print(1)",
    "part of a call": "print(round(second + first + 0 * (first - second)))",
    "in a comment": "total = 0  # or: total = second + first + 0 * (first - second)",
    "commented out": "# return second + first + 0 * (first - second)\ntotal = 0",
    "in a string": 'print("try second + first + 0 * (first - second)")',
}


@pytest.mark.parametrize("code", SAME.values(), ids=SAME)
def test_leak_finds_what_computes_the_same(course, code):
    give(course, f"# %%\nfirst, second, total = 1, 2, 0\n\n# %%\n{code}\n")
    place = f"notebooks/solutions/02_adding.py:{line_in_region(course, ADD.strip())}"
    (problem,) = leak_problems(course.root)
    assert problem == f"{place}: the solution {ADD.strip()!r} can be read in cell 8 of the student's notebook"


@pytest.mark.parametrize(
    "code",
    [
        "total = second + first + 1 * (first - second)",
        "total = second + first + 0 * (second - second)",
        "total = max(second + first, 0 * (first - second))",
        "total = first + second",
    ],
)
def test_leak_allows_what_computes_something_else(course, code):
    give(course, f"# %%\nfirst, second = 1, 2\n{code}\n")
    assert leak_problems(course.root) == []


def test_leak_compares_quotes_and_fenced_code(course):
    course.edit(ADD, "    result = dict(first=first, kind='sum')[\"first\"] + second\n")
    fenced = "# ```python\n# return dict(first=first,\n#             kind=\"sum\")['first'] + second\n# ```\n"
    give(course, f"# %% [markdown]\n# Look:\n#\n{fenced}")
    (problem,) = leak_problems(course.root)
    assert "can be read in cell 7" in problem


def test_leak_finds_the_one_essential_line_of_several(course):
    others = "".join(f"    step{i} = max(first, second, {i}, first, second)\n" for i in range(5))
    course.edit(ADD, others + ADD)
    give(course, f"# %%\nfirst, second = 1, 2\n{ADD.strip()}\n")
    (problem,) = leak_problems(course.root)
    assert repr(ADD.strip()) in problem


def test_leak_allows_a_given_cell_to_repeat_what_only_prepares(course):
    room = "result = np.zeros((len(first) + len(second) - 1, 3))\n"
    loop = "for _ in range(3 - first % 2 + 1):\n"
    part = "part = first[0] + 1\n"
    course.edit(ADD, f"    {room}    {part}    {loop}        result = result + part + 0 * (first - second)\n")
    give(course, f"# %%\nimport numpy as np\nfirst = second = [1]\n{room}{part}{loop}    print()\n")
    assert leak_problems(course.root) == []


@pytest.mark.parametrize(("extra", "given"), [("* (first + 1)", True), ("", False)])
def test_leak_takes_what_the_docstring_says_for_given_but_not_the_largest_part(course, extra, given):
    whole = "result = max(first, second, 7, first)"
    course.edit(ADD, f"    {whole}\n    result = max(first, second, 7, first){extra}\n")
    course.edit('"""The sum."""', '"""The sum, result = max(first, second, 7, first)."""')
    give(course, f"# %%\nfirst = second = 1\n{whole}\n")
    assert (leak_problems(course.root) == []) == given


def test_leak_finds_a_short_solution_only_with_the_same_names(course):
    course.edit(ADD, "    result = first + second\n")
    give(course, "# %%\na, b = 1, 2\nprint(a + b)\n")
    assert leak_problems(course.root) == []
    course.edit("print(a + b)", "first, second = a, b\n\n\ndef again():\n    return (first + second)")
    (problem,) = leak_problems(course.root)
    assert "the solution 'result = first + second' can be read in cell 7" in problem


@pytest.mark.parametrize(
    "text",
    [
        "# %% [markdown]\n# The answer is 36.5.\n",
        "# %% [markdown]\n# About **36.5** %.\n",
        "# %%\nprint(36.5)\n",
        "# %%\nprint(73 / 2)\n",
        '# %%\nprint("36.50")\n',
    ],
)
def test_leak_finds_the_answer_of_a_number(course, text):
    give(course, text)
    (problem,) = leak_problems(course.root)
    assert problem.endswith(": the solution '36.5' can be read in cell 7 of the student's notebook") or (
        "'half = 36.5' can be read in cell 7" in problem
    )


@pytest.mark.parametrize("text", ["36", "37", "136.5", "36.51", "1,036.5", "x36.5", "36.5.1"])
def test_leak_allows_other_numbers(course, text):
    give(course, f"# %% [markdown]\n# Not {text} at all.\n")
    assert leak_problems(course.root) == []


@pytest.mark.parametrize(
    ("answer", "shown", "seen"),
    [
        (134346581.0, "134,346,581", True),
        (134346581.0, "134_346_581", True),
        (13.27104, "13.3 GB", True),
        (13.27104, "13.4 GB", False),
        (13.27104, "13 GB", False),  # two digits are met anywhere
        (64.0, "64", False),
        (5000.0, "5,000", False),
        (1024.0, "1024", False),
    ],
)
def test_leak_reads_numbers_as_a_text_writes_them(course, answer, shown, seen):
    course.exercises["half"] = dataclasses.replace(course.exercises["half"], oracle=answer)
    give(course, f"# %% [markdown]\n# It is {shown}, you see.\n")
    assert bool(leak_problems(course.root)) == seen


def test_leak_finds_a_pasted_solution_that_is_written_otherwise(course):
    write_all(course.root)
    paste(course, "Hint: `return first + second + 0 * (first - second)`, or 73/2 = 36.50.")
    assert leak_problems(course.root) == [
        f"notebooks/02_adding.ipynb, cell 1: shows the solution {ADD.strip()!r}",
        "notebooks/02_adding.ipynb, cell 1: shows the solution '36.5'",
    ]


def test_only_the_last_hint_may_hold_the_solution(course, monkeypatch):
    line, number = f"Write `{ADD.strip()}`.", "It is 36.5."
    add, half = course.exercises["add"], course.exercises["half"]
    course.exercises["add"] = dataclasses.replace(add, hints=("Add.", "Is 3 + 5 the same as 5 + 3?", line))
    course.exercises["half"] = dataclasses.replace(half, hints=("Divide.", number))
    assert rule_breaches(course.root) == []
    course.exercises["add"] = dataclasses.replace(add, hints=("Add.", line, line))
    course.exercises["half"] = dataclasses.replace(half, hints=(number, "Divide."))
    place = "course_utils/checks/adding.py"
    assert [str(breach) for breach in rule_breaches(course.root)] == [
        f"{place}: hint 2 of 3 of 'add' gives {ADD.strip()!r} away, as only the last may",
        f"{place}: hint 1 of 2 of 'half' gives '36.5' away, as only the last may",
    ]


@pytest.mark.parametrize(
    ("letters", "uneven"),
    [
        ("ABCDABCD", []),
        ("AABBCCDDAB", []),
        ("ABCDABB", []),  # too few to judge
        ("ABCBBCBDCB", ["A is right in 1 of 10", "B is right in 5 of 10", "D is right in 1 of 10"]),
        ("ABCABCABC", ["D is right in 0 of 9"]),
    ],
)
def test_the_right_letters_are_even(course, monkeypatch, letters, uneven):
    half = course.exercises["half"]
    for i, letter in enumerate(letters):  # more exercises than the notebook has: the build is not asked
        course.exercises[f"choice{i}"] = dataclasses.replace(
            half, name=f"choice{i}", kind="choice", oracle=letter
        )
    monkeypatch.setattr(build, "_compare", lambda *arguments: None)
    breaches = [str(breach).removeprefix("course_utils/checks: ") for breach in rule_breaches(course.root)]
    assert [breach.partition(" choices")[0] for breach in breaches] == uneven


def test_the_untouched_small_course_runs_and_answers_not_attempted(course):
    assert inverse_run_problems(course.source) == []


def test_the_inverse_run_finds_an_exercise_that_is_already_solved(course):
    course.edit("# > half = ...", "# > half = 36.5 + 0")
    assert inverse_run_problems(course.source) == [
        "02_adding: the check 'half' answered 'pass' to an untouched stub"
    ]


def test_the_inverse_run_finds_a_cell_that_fails_and_a_check_that_says_nothing(course):
    course.edit(
        "# %% [markdown]\n# ### Exercise 2",
        "# %%\nprint(solved_elsewhere)\n\n# %% [markdown]\n# ### Exercise 2",
    )
    (problem,) = inverse_run_problems(course.source)
    assert "print(solved_elsewhere)" in problem and "NameError" in problem

    course.edit("print(solved_elsewhere)", "check = lambda name, answer: answer")
    assert inverse_run_problems(course.source) == ["02_adding: 2 exercises, but 1 answers of checks"]


def test_breaches_of_every_rule_are_found_and_printed(course, monkeypatch, capsys):
    monkeypatch.setattr(paths, "repository_root", lambda: course.root)
    assert rule_breaches() == []
    long = "".join(f"x{number} = {number}\n" for number in range(21))
    drawn = "fig, ax = 1, 2\nax\nfig\n" * 6
    course.edit(
        "# %% [markdown]\n# ### Exercise 2", f"# %%\n{long}\n# %%\n{drawn}\n# %% [markdown]\n# ### Exercise 2"
    )
    line = course.line("x0 = 0") - 1
    place = "notebooks/solutions/02_adding.py"
    expected = [
        f"{place}:{line}: a cell of 21 lines: at most 20, so that one cell does one thing",
        f"{place}: 18 of 52 lines of code in view draw (35 %, at most 25 %): call a helper of "
        'course_utils.figures, or put what only draws into a cell with tags=["plot"]',
    ]
    monkeypatch.setattr(rules, "LENIENT", frozenset(RULES))
    assert [str(breach) for breach in rule_breaches()] == expected
    assert main(["notebooks", "--measure"]) == 0
    printed = capsys.readouterr().out
    assert all(f"  {breach}\n" in printed for breach in expected)
    assert "02_adding" in printed and "35 %" in printed and "1 breaches, only reported" in printed
    monkeypatch.setattr(rules, "LENIENT", frozenset())
    assert main(["notebooks", "--check"]) == 1
    assert expected[0] in capsys.readouterr().out


# ---- the gates on the notebooks of this repository


def test_there_are_notebooks():
    assert SOURCES


def test_committed_notebooks_agree_with_their_sources():
    assert sync_problems() == []


def test_committed_notebooks_show_no_solution():
    assert leak_problems() == []


_ONLY_REPORTED = pytest.mark.xfail(
    reason="only reported for now: take it from LENIENT when it passes", strict=True
)


@pytest.mark.parametrize(
    "rule", [pytest.param(rule, marks=_ONLY_REPORTED if rule in LENIENT else ()) for rule in RULES]
)
def test_the_notebooks_keep_the_rule(rule, all_breaches):
    assert [str(breach) for breach in all_breaches if breach.rule == rule] == []


@pytest.fixture(scope="module")
def all_breaches():
    return rule_breaches()


# The solution runs first: a notebook that trains then finds its finished training in the inverse run.


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_solutions_run_and_pass_every_check(path, executed_solutions):
    executed_solutions[path.stem]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_the_untouched_student_notebook_answers_only_not_attempted(path, executed_solutions):
    executed_solutions[path.stem]
    assert inverse_run_problems(path) == []
