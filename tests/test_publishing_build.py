"""Building notebooks from their sources: what comes out, and which mistakes of an author are found where."""

from __future__ import annotations

import ast
import glob
import hashlib
import json
import os
import re
import tomllib
from urllib.parse import urlsplit

import nbformat
import pytest

from course_utils import bootstrap, paths
from course_utils.publishing import (
    LENIENT,
    BuildError,
    build,
    plots,
    rules,
    solution_notebook,
    student_notebook,
    write_all,
)
from course_utils.publishing.readme import UNSET_ACCOUNT

ADD = "    result = second + first + 0 * (first - second)\n    return result\n"
TITLE = "# # 02 · Adding and doubling\n"


def sources_of(notebook) -> list[str]:
    return [cell.source for cell in notebook.cells]


def test_the_student_sees_stub_scaffold_and_no_solution(course):
    cells = sources_of(student_notebook(course.source))
    stub = '    raise NotImplementedError("add: your code here")'
    assert f'def add(first, second):\n    """The sum."""\n{stub}' in cells
    assert "half = ..." in cells
    text = "\n".join(cells)
    for secret in ("result", "36.5\nhalf", "seventy-three", "a demonstration", "SOLUTION", "# >"):
        assert secret not in text


def test_the_solution_notebook_has_the_solution_without_markers(course):
    cells = sources_of(solution_notebook(course.source))
    assert f'def add(first, second):\n    """The sum."""\n{ADD}'.rstrip() in cells
    assert "half = 36.5" in cells
    assert "**Solution.** Half of seventy-three lies between thirty-six and thirty-seven." in cells
    assert "SOLUTION" not in "\n".join(cells) and "# >" not in "\n".join(cells)


@pytest.mark.parametrize("mark", ["# >", "#>"])
def test_scaffold_takes_the_place_of_the_stub_with_its_own_indentation(course, mark):
    scaffold = "    # > if first:\n    # >     result = ...\n    # >\n    # > return result\n"
    scaffold = scaffold.replace("# >", mark)
    course.edit(ADD, ADD + scaffold)
    shown = "    if first:\n        result = ...\n\n    return result"
    cells = sources_of(student_notebook(course.source))
    assert f'def add(first, second):\n    """The sum."""\n{shown}' in cells


def test_two_regions_in_a_cell_keep_what_lies_between(course):
    between = "    ### END SOLUTION\n    # between\n    ### BEGIN SOLUTION\n"
    course.edit(ADD, f"    result = first + second\n{between}    return result\n")
    stub = '    raise NotImplementedError("add: your code here")'
    cells = sources_of(student_notebook(course.source))
    assert any(f"{stub}\n    # between\n{stub}" in cell for cell in cells)


def test_both_versions_start_with_the_generated_bootstrap_cell(course):
    expected = bootstrap.bootstrap_cell("02_adding").strip("\n")
    for notebook in (student_notebook(course.source), solution_notebook(course.source)):
        (cell,) = [cell for cell in notebook.cells if cell.metadata.get("tags") == ["bootstrap"]]
        assert cell.source == expected


def test_magics_are_live_and_metadata_is_fixed(course):
    notebook = student_notebook(course.source)
    assert any(cell.startswith("%matplotlib inline\n") for cell in sources_of(notebook))
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "course": {"source_sha256": hashlib.sha256(course.source.read_bytes()).hexdigest()},
    }
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None


def test_writing_is_deterministic_and_leaves_unchanged_files_alone(course):
    assert write_all(course.root) == [course.student, course.solutions, course.readme]
    first = course.student.read_bytes()
    os.utime(course.student, (1, 1))
    assert write_all(course.root) == []
    assert course.student.stat().st_mtime == 1
    course.student.unlink()
    assert write_all(course.root) == [course.student]
    assert course.student.read_bytes() == first
    assert first.endswith(b"}\n") and "·".encode() in first
    assert json.loads(first) == json.loads(json.dumps(json.loads(first), sort_keys=True))
    nbformat.validate(nbformat.read(course.student, as_version=4))
    assert sorted(path.name for path in course.student.parent.iterdir()) == ["02_adding.ipynb", "solutions"]


def test_a_cell_keeps_its_id_when_another_is_inserted_and_ids_are_unique(course):
    before = {cell.source: cell.id for cell in student_notebook(course.source).cells}
    course.edit(
        "# %% [markdown]\n# ### Exercise 2", "# %%\nx = 1\n\n# %%\nx = 1\n\n# %% [markdown]\n# ### Exercise 2"
    )
    cells = student_notebook(course.source).cells
    assert {cell.source: cell.id for cell in cells if cell.source != "x = 1"} == before
    assert len({cell.id for cell in cells}) == len(cells)


def test_nothing_is_written_if_one_source_has_a_mistake(course):
    write_all(course.root)
    before = course.student.read_bytes()
    course.edit("half of 73", "half of 74")
    (course.source.parent / "03_broken.py").write_text("nothing\n", encoding="utf-8")
    with pytest.raises(BuildError, match="notebooks/solutions/03_broken.py:1: the header"):
        write_all(course.root)
    assert course.student.read_bytes() == before


def test_a_failed_write_leaves_no_file_behind(course, monkeypatch):
    def broken(source, target):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", broken)
    with pytest.raises(OSError, match="disk full"):
        write_all(course.root)
    assert [path.name for path in course.student.parent.iterdir()] == ["solutions"]


def test_the_readme_lists_number_title_content_time_and_badge(course, monkeypatch):
    monkeypatch.setattr(bootstrap, "repository_address", lambda: "https://github.com/a-university/course")
    write_all(course.root)
    lines = course.readme.read_text(encoding="utf-8").split("\n")
    start, end = lines.index("<!-- notebooks:begin -->"), lines.index("<!-- notebooks:end -->")
    assert lines[:2] == ["# Course", ""] and lines[end + 1 :] == ["", "More.", ""]
    (row,) = lines[start + 3 : end]
    expected = "| 02 | [Adding and doubling](notebooks/02_adding.ipynb) | a sum | about 10 minutes | [!["
    assert row.startswith(expected)
    assert bootstrap.colab_url("notebooks/02_adding.ipynb") in row


def test_with_the_address_as_delivered_the_table_has_no_dead_badge(course, monkeypatch):
    monkeypatch.setattr(bootstrap, "repository_address", lambda: "https://github.com/set_your_address/course")
    write_all(course.root)
    text = course.readme.read_text(encoding="utf-8")
    assert "| a sum | about 10 minutes |\n\nTo open the notebooks on Colab, state the address" in text
    assert "colab.research" not in text and "set_your_address" not in text


def test_the_address_as_delivered_is_one_that_nobody_can_register():
    account = urlsplit(bootstrap.repository_address()).path.split("/")[1]
    assert account == UNSET_ACCOUNT or re.fullmatch(r"[A-Za-z0-9-]+", account)


@pytest.mark.parametrize("text", ["no markers\n", "<!-- notebooks:end -->\n<!-- notebooks:begin -->\n"])
def test_a_readme_without_markers_is_named(course, text):
    course.readme.write_text(text, encoding="utf-8")
    with pytest.raises(BuildError, match=r"README\.md:1: the table of notebooks needs"):
        write_all(course.root)


# ---- minutes and difficulty, written solutions, plot cells


def test_the_time_is_that_of_the_exercises_and_of_reading(course):
    words = "word " * 1200
    course.edit("# Add two numbers.", f"# Add two numbers. {words}")
    notebook = student_notebook(course.source)
    expected = "**Time:** about 15 minutes: 7 minutes of exercises, the rest reading"
    assert expected in notebook.cells[0].source.split("\n")
    assert "*6 minutes · difficulty 2 of 3*" in notebook.cells[3].source.split("\n")  # each exercise's stays
    solved = solution_notebook(course.source)
    assert solved.cells[0] == notebook.cells[0]
    course.edit("*6 minutes", "*120 minutes")
    assert "about 2 hours 10 minutes: 121 minutes of" in student_notebook(course.source).cells[0].source
    write_all(course.root)
    assert "| a sum | about 2 hours 10 minutes |" in course.readme.read_text(encoding="utf-8")


def test_a_remark_after_the_computed_time_stays(course):
    course.edit("**Time:** computed", "**Time:** computed (the computer needs 3 of them)")
    title = student_notebook(course.source).cells[0].source
    assert "the rest reading (the computer needs 3 of them)" in title


def test_code_counts_as_reading_but_a_plot_cell_and_the_first_cell_do_not(course):
    before = build.build(course.source).measures
    assert before.exercises == 2 and before.exercise_minutes == 7
    code = "".join(f"x{i} = {i}\n\n" for i in range(18))
    course.edit("# %% [markdown]\n# ### Exercise 2", f"# %%\n{code}\n# %% [markdown]\n# ### Exercise 2")
    assert build.build(course.source).measures.lines == before.lines + 18
    course.edit("# %%\nx0 = 0", '# %% tags=["plot"]\nx0 = 0')
    assert build.build(course.source).measures.lines == before.lines


def test_formulas_and_addresses_are_read_as_one_word_each(course):
    before = build.build(course.source).measures.words
    course.edit("# Add two numbers.", "# Add two numbers. $a + b + c$ [link](https://example.org/a/b) word")
    assert build.build(course.source).measures.words == before + 3


def test_written_solutions_are_stored_with_their_code(course):
    between = "    ### END SOLUTION\n    # between\n    ### BEGIN SOLUTION\n"
    course.edit(
        ADD, f"    result = first + second\n{between}    if first:\n        return result\n    return 0\n"
    )
    write_all(course.root)
    text = course.solutions.read_text(encoding="utf-8")
    assert json.loads(text) == {
        "add": {
            "text": "The plus sign $+$ adds.\n\nIn *any* order.",
            "code": "result = first + second\n\nif first:\n    return result\nreturn 0",
        },
        "half": {
            "text": "Half of seventy-three lies between thirty-six and thirty-seven.",
            "code": "half = 36.5",
        },
    }
    assert list(json.loads(text)) == ["add", "half"] and text.endswith("}\n")


def test_a_written_solution_has_several_cells_but_ends_at_a_heading_and_at_the_next_exercise(course):
    more = '# %% [markdown] tags=["solution"]\n# And more.\n\n'
    aside = '# %% [markdown]\n# {}Aside\n\n# %% [markdown] tags=["solution"]\n# What you found.\n\n'
    course.edit("# %% [markdown]\n# ### Exercise 2", f"{more}# %% [markdown]\n# ### Exercise 2")
    course.edit('# %% tags=["instructor"]', aside.format("## ") + '# %% tags=["instructor"]')
    add, half = build.build(course.source).exercises
    assert add.solution == "**Solution.** The plus sign $+$ adds.\n\nIn *any* order.\n\nAnd more."
    assert half.solution.endswith("thirty-seven.")
    course.edit("# ## Aside", "# Aside")
    add, half = build.build(course.source).exercises
    assert half.solution.endswith("thirty-seven.\n\nWhat you found.")


def test_an_installed_package_has_the_written_solutions():
    root = paths.repository_root()
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    (pattern,) = project["tool"]["setuptools"]["package-data"]["course_utils"]
    packed = glob.glob(pattern, root_dir=root / "course_utils", recursive=True)
    solutions = build.solutions_path(root / "notebooks" / "solutions" / "02_convolution.py")
    assert solutions.relative_to(root / "course_utils").as_posix() in packed


PLOT = """\
# %% tags=["plot"]
# Two sums, drawn
fig, ax = 1, 2
for value in (1, 2):
    print(value, ax)

"""


def add_plot(course, text: str = PLOT) -> None:
    course.edit("# %% [markdown]\n# ### Exercise 2", f"{text}# %% [markdown]\n# ### Exercise 2")


@pytest.mark.parametrize("make", [student_notebook, solution_notebook])
def test_a_plot_cell_is_folded_under_its_title(course, make):
    add_plot(course)
    (cell,) = [cell for cell in make(course.source).cells if cell.metadata.get("tags") == ["plot"]]
    assert cell.metadata == {"tags": ["plot"], "jupyter": {"source_hidden": True}, "cellView": "form"}
    assert cell.source.startswith("# @title Two sums, drawn\nfig, ax = 1, 2\n")


@pytest.mark.parametrize(
    ("comment", "title"), [("", "Figure"), ("# @title Sums.\n", "Sums"), ("#  A sum: \n", "A sum")]
)
def test_the_title_of_a_plot_cell(course, comment, title):
    add_plot(course, PLOT.replace("# Two sums, drawn\n", comment))
    cells = [source for source in sources_of(student_notebook(course.source)) if "@title" in source]
    assert cells == [f"# @title {title}\nfig, ax = 1, 2\nfor value in (1, 2):\n    print(value, ax)"]


@pytest.mark.parametrize(
    "later",
    [
        "print(fig)",
        "def draw():\n    return ax",
        "fig = fig + 1",
        "shown = [ax for value in (1, 2)]",
        "class Figure:\n    ax = ax",
    ],
)
def test_nothing_later_uses_what_a_plot_cell_binds(course, later):
    add_plot(course, f"{PLOT}# %%\n{later}\n\n")
    name = "fig" if "fig" in later else "ax"
    place = f"02_adding.py:{course.line(later.splitlines()[0]) - 1}: "
    plot = course.line('# %% tags=["plot"]')
    with pytest.raises(
        BuildError, match=f"{place}this cell uses '{name}', which the plot cell in line {plot} binds"
    ):
        student_notebook(course.source)


@pytest.mark.parametrize(
    "later",
    [
        "fig, ax = 3, 4\nprint(fig, ax)",
        "for value, ax in ((1, 2),):\n    print(value, ax)",
        "fig = 1\n\n# %%\nprint(fig)",
        "def draw(ax):\n    fig = ax\n    return [value for value in fig]",
        "[value for value in (1, 2)]",
        "import ax",
    ],
)
def test_a_later_cell_may_bind_the_same_names_anew(course, later):
    add_plot(course, f"{PLOT}# %%\n{later}\n\n")
    student_notebook(course.source)


def test_what_counts_as_drawing():
    cell = """\
import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle
from course_utils import cohort, figures
images = [1, 2]
fig, axes = plt.subplots(
    1, 2
)
for ax, image in zip(axes, images):
    ax.imshow(image)
for count, (axis, image) in enumerate(zip(axes, images)):
    size = image + count

    axis.add_patch(Rectangle((0, 0), 1, 1))
print(image, size)
def draw(ax, x):
    \"\"\"Draw.\"\"\"
    ax.plot(x)
if size:
    figures.show(fig, alt="A.")
else:
    print(axis)
"""
    names: set[str] = set()
    assert sorted(plots.drawing_lines(ast.parse(cell), names)) == [5, 6, 7, 8, 9, 13, 15, 16, 17, 18, 19, 21]
    assert names == {"plt", "Rectangle", "fig", "axes", "ax", "axis"}
    later = ast.parse("axis.plot(1)\nimage = 3\nlegend = fig.legend()\nlegend.remove()")
    assert plots.drawing_lines(later, names) == {1, 3, 4}


# ---- mistakes of an author

# Each mistake: what is replaced in the source by what, the text of the line that the error must name (@2: its
# second occurrence), and a part of the message.
MISTAKES = {
    "end missing": (
        "    return result\n    ### END SOLUTION\n",
        "    return result\n",
        "### BEGIN SOLUTION@1",
        "without '### END SOLUTION'",
    ),
    "begin missing": ("    ### BEGIN SOLUTION\n", "", "### END SOLUTION@1", "without '### BEGIN SOLUTION'"),
    "nested": (ADD, "    ### BEGIN SOLUTION\n" + ADD, "### BEGIN SOLUTION@2", "don't nest"),
    "end indented differently": (
        "    return result\n    ###",
        "    return result\n  ###",
        "### END SOLUTION@1",
        "indented differently",
    ),
    "code indented less": (ADD, ADD + "  # less\n", "# less", "indented less"),
    "empty region": (ADD, "", "### BEGIN SOLUTION@1", "no solution"),
    "lower case": (ADD, ADD + "    ### Begin solution\n", "### Begin solution", "misspelt"),
    "no spaces": (ADD, ADD + "    #END SOLUTION\n", "#END SOLUTION", "misspelt"),
    "hyphen": ("half = check", "# end-solution\nhalf = check", "# end-solution", "misspelt"),
    "after code": (
        "return result\n",
        "return result  # BEGIN  SOLUTION\n",
        "return result  # BEGIN  SOLUTION",
        "misspelt",
    ),
    "in markdown": (
        "# What is half",
        "# ### BEGIN SOLUTION\n# What is half",
        "# ### BEGIN SOLUTION",
        "misspelt",
    ),
    "alone in markdown": ("# What is half", "# End solution\n# What is half", "# End solution", "misspelt"),
    "in a hidden cell": ("# In *any*", "# ### END SOLUTION\n# In *any*", "# ### END SOLUTION", "misspelt"),
    "scaffold outside": (
        "half = check",
        "# > half = 1\nhalf = check",
        "# > half = 1",
        "stands only in a solution region",
    ),
    "a quoting comment": (
        "half = check",
        "# > all of them are large\nhalf = check",
        "# > all of them are large",
        "is scaffold, and stands only in a solution region",
    ),
    "a quoting comment in a region": (
        "# > half = ...",
        "# > all of them are large\n# > half = ...",
        "# > all of them are large",
        "doesn't parse",
    ),
    "a quoting comment that is Python": (
        "# > half = ...",
        "# > 3 > 2\n# > half = ...",
        "# > 3 > 2",
        "code that does nothing",
    ),
    "scaffold without space": ("# > half = ...", "# >half = ...", "# >half = ...", "with the space"),
    "stub doesn't parse": ("# > half = ...", "# > half = (", "# > half = (", "doesn't parse"),
    "solution doesn't parse": ("half = 36.5", "half = 36.5)", "half = 36.5)", "doesn't parse"),
    "given cell doesn't parse": ("half = check", "x = = 1\nhalf = check", "x = = 1", "doesn't parse"),
    "stub outside a function": ("# > half = ...\n", "", "### BEGIN SOLUTION@2", "outside any function"),
    "exercise without check": (
        'half = check("half", half)',
        "pass",
        '# %% tags=["exercise"]@2',
        "without a check",
    ),
    "exercise before the check": (
        'add = check("add", add)',
        "pass",
        '# %% tags=["exercise"]@1',
        "before the next exercise",
    ),
    "check without exercise": (
        "add = check(",
        'half = check("half", half)\nadd = check(',
        'add = check("add", add)',
        "check without an exercise",
    ),
    "checked twice": ('half = check("half"', 'half = check("add"', 'half = check("add", half)', "twice"),
    "check inside the exercise": (
        "# > half = ...\n### END SOLUTION",
        '# > half = ...\n### END SOLUTION\nhalf = check("half", half)  #',
        'half = check("half", half)  #',
        "cell of its own",
    ),
    "check without assignment": ("half = check(", "check(", 'check("half", half)', "on a line of its own"),
    "check of another name": (
        "half = check(",
        "halves = check(",
        'halves = check("half", half)',
        "on a line of its own",
    ),
    "checked name not defined": (
        "def add(first",
        "def plus(first",
        'add = check("add", add)',
        "doesn't define 'add'",
    ),
    "not defined by the stub": (
        "# > half = ...",
        "# > pass",
        'half = check("half", half)',
        "student's version .* doesn't define 'half'",
    ),
    "region in a given cell": (
        "half = check",
        "### BEGIN SOLUTION\nx = 1\n### END SOLUTION\nhalf = check",
        "### BEGIN SOLUTION@3",
        "outside a cell tagged",
    ),
    "exercise without region": (
        "### BEGIN SOLUTION\nhalf = 36.5\n# > half = ...\n### END SOLUTION",
        "half = 0",
        '# %% tags=["exercise"]@2',
        "without a solution region",
    ),
    "not registered": (
        'half = check("half"',
        'half = check("quarter"',
        'half = check("quarter", half)',
        "'quarter' is not registered in course_utils/checks/adding.py",
    ),
    "bootstrap missing": ('# %% tags=["bootstrap"]\n# generated\n', "", "# ---@1", "no cell tagged"),
    "second bootstrap": (
        '# %% tags=["instructor"]',
        '# %% tags=["bootstrap"]\n# generated\n\n# %%',
        '# %% tags=["bootstrap"]@2',
        "second bootstrap",
    ),
    "bootstrap by hand": ("# generated\n", "import os\n", "import os", "is generated"),
    "bootstrap too late": (
        '# %% tags=["bootstrap"]',
        '# %%\nx = 1\n\n# %% tags=["bootstrap"]',
        '# %% tags=["bootstrap"]',
        "first code cell",
    ),
    "unknown tag": (
        'tags=["instructor"]',
        'tags=["teacher"]',
        '# %% tags=["teacher"]',
        "unknown cell tag 'teacher'",
    ),
    "misspelt tags": (
        'tags=["instructor"]',
        'tag=["instructor"]',
        '# %% tag=["instructor"]',
        "unknown cell option",
    ),
    "two tags": (
        'tags=["instructor"]',
        'tags=["instructor", "report"]',
        '# %% tags=["instructor", "report"]',
        "at most one tag",
    ),
    "exercise in markdown": (
        "# %% [markdown]\n# ### Exercise 2",
        '# %% [markdown] tags=["exercise"]\n# ### Exercise 2',
        '# %% [markdown] tags=["exercise"]',
        "for code cells",
    ),
    "raw cell": (
        "# %% [markdown]\n# ### Exercise 2",
        "# %% [raw]\n# ### Exercise 2",
        "# %% [raw]",
        "a raw cell",
    ),
    "more in the header": (
        "#     name: python3\n",
        "#     name: python3\n#   jupytext: {}\n",
        "#   jupytext: {}",
        "the kernelspec and nothing else",
    ),
    "text before the cells": (
        "# ---\n\n# %%",
        "# ---\n\nimport os\n\n# %%",
        "import os",
        "belongs to no cell",
    ),
    "minutes misspelt": (
        "*6 minutes · difficulty 2 of 3*",
        "*6 min, difficulty 2 of 3*",
        "# *6 min, difficulty 2 of 3*",
        "are written",
    ),
    "difficulty out of range": (
        "*6 minutes · difficulty 2 of 3*",
        "*6 minutes · difficulty 4 of 3*",
        "# *6 minutes · difficulty 4 of 3*",
        "are written",
    ),
    "minutes twice": (
        "# Add two numbers.",
        "# #### Again\n#\n# *7 minutes · difficulty 2 of 3*",
        "# *7 minutes · difficulty 2 of 3*",
        "for a second time",
    ),
    "minutes within a paragraph": (
        "# *6 minutes · difficulty 2 of 3*\n#\n",
        "# *6 minutes · difficulty 2 of 3*\n",
        "# *6 minutes · difficulty 2 of 3*",
        "paragraph of their own",
    ),
    "minutes far from the heading": (
        "# *6 minutes · difficulty 2 of 3*\n#\n# Add two numbers.",
        "# Add two numbers.\n#\n# *6 minutes · difficulty 2 of 3*",
        "# *6 minutes · difficulty 2 of 3*",
        "the first below the exercise's heading",
    ),
    "minutes without an exercise": (
        '# %% tags=["instructor"]',
        '# %% [markdown]\n# ## End\n#\n# *6 minutes · difficulty 3 of 3*\n\n# %% tags=["instructor"]',
        "# *6 minutes · difficulty 3 of 3*",
        "no exercise follows",
    ),
    "minutes missing": (
        "# *1 minute · difficulty 1 of 3*\n#\n",
        "",
        '# %% tags=["exercise"]@2',
        "the exercise 'half' says nowhere how long it takes",
    ),
    "time by hand": (
        "**Time:** computed",
        "**Time:** about 9 minutes",
        "# %% [markdown]@1",
        r"write '\*\*Time:\*\* computed'",
    ),
    "written solution missing": (
        '# %% [markdown] tags=["solution"]\n# **Solution.** Half',
        "# %% [markdown]\n# Half",
        'half = check("half", half)',
        "'half' has no written solution",
    ),
    "written solution without its mark": (
        "**Solution.** Half",
        "Half",
        'half = check("half", half)',
        "begins with",
    ),
    "written solution with a letter in its mark": (
        "**Solution.** Half",
        "**Solution: A.** Half",
        'half = check("half", half)',
        "begins with",
    ),
    "cell without a space": (
        '# %% [markdown] tags=["solution"]\n# **Solution.** The',
        '# %%[markdown] tags=["solution"]\n# **Solution.** The',
        '# %%[markdown] tags=["solution"]',
        "is no cell",
    ),
    "tag without a space": (
        '# %% tags=["instructor"]',
        '# %%tags=["instructor"]',
        '# %%tags=["instructor"]',
        "is no cell",
    ),
    "cell without the first space": ("# %%\nadd =", "#%%\nadd =", "#%%", "is no cell"),
    "indented cell": ("# %%\nadd =", "  # %%\nadd =", "# %%@2", "is no cell"),
    "cell of three percent signs": ("# %%\nadd =", "# %%%\nadd =", "# %%%", "is no cell"),
    "tags as a string": (
        'tags=["instructor"]',
        'tags="instructor"',
        '# %% tags="instructor"',
        r'written tags=\["solution"\]',
    ),
    "tags without quotes": (
        'tags=["instructor"]',
        "tags=[instructor]",
        "# %% tags=[instructor]",
        r'written tags=\["solution"\]',
    ),
    "merge conflict": (
        "# What is half",
        "<<<<<<< HEAD\n# What is half",
        "<<<<<<< HEAD",
        "a merge conflict is marked here",
    ),
    "empty plot cell": (
        '# %% tags=["instructor"]',
        '# %% tags=["plot"]\n\n# %% tags=["instructor"]',
        '# %% tags=["plot"]',
        "draws nothing",
    ),
    "no title": (TITLE, "# Adding\n", "# Adding", "starts with its title"),
    "number of another": (
        TITLE,
        TITLE.replace("02", "03"),
        "# # 03 · Adding and doubling",
        "starts with its title",
    ),
    "no time": ("# **Time:** computed\n", "", "# %% [markdown]@1", r"\*\*Time:\*\*"),
    "no content": ("# **You build:** a sum. Then\n# more.\n", "", "# %% [markdown]@1", r"\*\*You build:\*\*"),
}


@pytest.mark.parametrize(("old", "new", "where", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_file_and_line(course, old, new, where, message):
    student_notebook(course.source)  # without the mistake all is well
    course.edit(old, new)
    text, _, occurrence = where.partition("@")
    lines = course.source.read_text(encoding="utf-8").split("\n")
    numbers = [number for number, line in enumerate(lines, start=1) if line.strip() == text]
    expected = numbers[int(occurrence or 1) - 1]
    with pytest.raises(BuildError, match=message) as caught:
        student_notebook(course.source)
    assert str(caught.value).startswith(f"notebooks/solutions/02_adding.py:{expected}: ")


def test_a_registered_exercise_that_the_notebook_lacks_is_named(course, monkeypatch):
    monkeypatch.setattr(build, "registered_exercises", lambda topic: dict.fromkeys(["add", "half", "thirds"]))
    with pytest.raises(BuildError, match="02_adding.py:1: course_utils/checks/adding.py registers 'thirds'"):
        student_notebook(course.source)


def test_a_file_name_without_number_is_refused(course):
    renamed = course.source.with_name("adding.py")
    course.source.rename(renamed)
    with pytest.raises(BuildError, match="notebooks/solutions/adding.py:1: a source is named like"):
        student_notebook(renamed)


def test_line_numbers_are_right_after_blank_lines_and_magics(course):
    course.edit('# %% tags=["instructor"]\n', '# %% tags=["instructor"]\n\n\n# %time 1\n!ls\n\nx = = 1\n')
    with pytest.raises(BuildError, match=f"02_adding.py:{course.line('x = = 1')}: the cell doesn't parse"):
        student_notebook(course.source)


def test_registered_exercises_are_those_of_the_checks_module():
    assert "output_size" in build.registered_exercises("convolution")
    assert build.registered_exercises("no_such_topic") == {}


def test_a_source_in_another_encoding_is_named(course):
    course.edit("# Add two numbers.", "# Add two numbers, s'il vous plaît.")
    course.source.write_bytes(course.source.read_text(encoding="utf-8").encode("latin-1", errors="replace"))
    number = course.source.read_bytes().split(b"\xb7")[0].count(b"\n") + 1
    with pytest.raises(BuildError, match=f"02_adding.py:{number}: the byte 0xb7 is not UTF-8"):
        student_notebook(course.source)


def test_a_source_with_the_line_ends_of_windows_builds_the_same(course):
    before = student_notebook(course.source)
    course.source.write_bytes(course.source.read_bytes().replace(b"\n", b"\r\n"))
    assert student_notebook(course.source) == before


def test_a_readme_that_is_missing_is_named(course):
    course.readme.unlink()
    with pytest.raises(BuildError, match=r"README\.md:1: the README is missing"):
        write_all(course.root)


def test_lenient_rules_are_rules():
    assert set(rules.RULES) >= LENIENT
