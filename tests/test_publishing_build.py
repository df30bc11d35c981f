"""Building notebooks from their sources: what comes out, and which mistakes of an author are found where."""

from __future__ import annotations

import hashlib
import json
import os

import nbformat
import pytest

from course_utils import bootstrap
from course_utils.publishing import BuildError, build, solution_notebook, student_notebook, write_all

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
    for secret in ("result", "36.5\nhalf", "seventy-three", "a demonstration", "SOLUTION", "#>"):
        assert secret not in text


def test_the_solution_notebook_has_the_solution_without_markers(course):
    cells = sources_of(solution_notebook(course.source))
    assert f'def add(first, second):\n    """The sum."""\n{ADD}'.rstrip() in cells
    assert "half = 36.5" in cells
    assert "Half of seventy-three lies between thirty-six and thirty-seven." in cells
    assert "SOLUTION" not in "\n".join(cells) and "#>" not in "\n".join(cells)


def test_scaffold_takes_the_place_of_the_stub_with_its_own_indentation(course):
    scaffold = "    #> if first:\n    #>     result = ...\n    #>\n    #> return result\n"
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
    assert write_all(course.root) == [course.student, course.readme]
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
    course.edit("# %% [markdown]\n# What is", "# %%\nx = 1\n\n# %%\nx = 1\n\n# %% [markdown]\n# What is")
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


def test_the_readme_lists_number_title_content_time_and_badge(course):
    write_all(course.root)
    lines = course.readme.read_text(encoding="utf-8").split("\n")
    start, end = lines.index("<!-- notebooks:begin -->"), lines.index("<!-- notebooks:end -->")
    assert lines[:2] == ["# Course", ""] and lines[end + 1 :] == ["", "More.", ""]
    (row,) = lines[start + 3 : end]
    expected = "| 02 | [Adding and doubling](notebooks/02_adding.ipynb) | a sum | about 5 minutes | [!["
    assert row.startswith(expected)
    assert bootstrap.colab_url("notebooks/02_adding.ipynb") in row


@pytest.mark.parametrize("text", ["no markers\n", "<!-- notebooks:end -->\n<!-- notebooks:begin -->\n"])
def test_a_readme_without_markers_is_named(course, text):
    course.readme.write_text(text, encoding="utf-8")
    with pytest.raises(BuildError, match=r"README\.md:1: the table of notebooks needs"):
        write_all(course.root)


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
    "in a hidden cell": ("# Half of", "# ### END SOLUTION\n# Half of", "# ### END SOLUTION", "misspelt"),
    "scaffold outside": (
        "half = check",
        "#> half = 1\nhalf = check",
        "#> half = 1",
        "outside a solution region",
    ),
    "scaffold without space": ("#> half = ...", "#>half = ...", "#>half = ...", "with the space"),
    "stub doesn't parse": ("#> half = ...", "#> half = (", "#> half = (", "doesn't parse"),
    "solution doesn't parse": ("half = 36.5", "half = 36.5)", "half = 36.5)", "doesn't parse"),
    "given cell doesn't parse": ("half = check", "x = = 1\nhalf = check", "x = = 1", "doesn't parse"),
    "stub outside a function": ("#> half = ...\n", "", "### BEGIN SOLUTION@2", "outside any function"),
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
        "#> half = ...\n### END SOLUTION",
        '#> half = ...\n### END SOLUTION\nhalf = check("half", half)  #',
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
    "checked name not defined": ("def add(", "def plus(", 'add = check("add", add)', "doesn't define 'add'"),
    "not defined by the stub": (
        "#> half = ...",
        "#> pass",
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
        "### BEGIN SOLUTION\nhalf = 36.5\n#> half = ...\n### END SOLUTION",
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
        "# %% [markdown]\n# What",
        '# %% [markdown] tags=["exercise"]\n# What',
        '# %% [markdown] tags=["exercise"]',
        "for code cells",
    ),
    "raw cell": ("# %% [markdown]\n# What", "# %% [raw]\n# What", "# %% [raw]", "a raw cell"),
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
    "no title": (TITLE, "# Adding\n", "# Adding", "starts with its title"),
    "number of another": (
        TITLE,
        TITLE.replace("02", "03"),
        "# # 03 · Adding and doubling",
        "starts with its title",
    ),
    "no time": ("# **Time:** about 5 minutes\n", "", "# %% [markdown]@1", r"\*\*Time:\*\*"),
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
    monkeypatch.setattr(build, "registered_exercises", lambda topic: ["add", "half", "thirds"])
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
    assert list(build.registered_exercises("no_such_topic")) == []
