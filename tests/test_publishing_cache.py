"""Executed once per state of the repository: what a result depends on, and what it does not."""

from __future__ import annotations

import ast
import copy
import io
import json
import os
import re
import shutil

import nbformat
import pytest
from nbformat.v4 import new_output

from course_utils import paths
from course_utils.publishing import run, run_all
from course_utils.publishing.cache import VERSIONS, _matters, executions
from course_utils.publishing.progress import Progress
from course_utils.publishing.run import executed, stream_text

NEXT = "# %% [markdown]\n# ### Exercise 2"
NEW_CELL = f'# %%\nprint("hello")\n\n{NEXT}'


@pytest.fixture
def runs(monkeypatch) -> list[dict[str, str]]:
    """A kernel that only knows ``print("...")``; the environments in which it was started."""
    environments = []

    async def run_quickly(notebook, environment, cwd, name, report):
        environments.append(environment)
        result = copy.deepcopy(notebook)
        for cell in result.cells:
            for text in re.findall(r'^print\("(.*)"\)$', cell.source, re.MULTILINE):
                cell.outputs.append(new_output("stream", name="stdout", text=f"{text}\n"))
        if any("half = 35.5" in cell.source for cell in result.cells):
            raise run.NotebookError("wrong", result)
        return result

    monkeypatch.setattr(run, "_run", run_quickly)
    return environments


def said_by(notebook) -> list[str]:
    """The lines that a notebook printed."""
    return stream_text(notebook, "stdout").split("\n")


def key_of(course, settings=None) -> str:
    return executions_of(course, settings).key


def executions_of(course, settings=None):
    return executions(course.source, run._versions(course.source).values(), settings or {})


def test_whoever_asks_first_executes_and_the_others_find_it(course, runs, tmp_path, capsys):
    course.edit(NEXT, NEW_CELL)
    first = executed(course.source)
    assert run_all(output=tmp_path / "pages", root=course.root) and executed(course.source) == first
    assert len(runs) == 1
    assert "02_adding: nothing changed since it was executed" in capsys.readouterr().out
    assert "hello" in (tmp_path / "pages" / "02_adding.html").read_text(encoding="utf-8")

    run_all(output=tmp_path / "pages", root=course.root, again=True)
    executed(course.source, "student")
    executed(course.source, "student")
    assert len(runs) == 3


def test_prose_takes_its_outputs_over_and_code_does_not(course, runs):
    course.edit(NEXT, NEW_CELL)
    executed(course.source)
    course.edit("What is half of 73?", "What is one half of 73?")
    changed = executed(course.source)
    assert len(runs) == 1 and said_by(changed) == ["hello"]
    assert any("one half of 73" in cell.source for cell in changed.cells)

    course.edit('print("hello")', 'print("good morning")')
    assert said_by(executed(course.source)) == ["good morning"]
    assert len(runs) == 2
    folders = [path for path in (course.root / "build" / "executed").iterdir() if path.is_dir()]
    assert len(folders) == 1, "an old state is still there"


def test_a_failure_is_not_kept(course, runs):
    course.edit("half = 36.5", "half = 35.5")
    for count in (1, 2):
        with pytest.raises(run.NotebookError):
            executed(course.source)
        assert len(runs) == count


def test_both_versions_share_their_trainings(course, runs):
    for version in VERSIONS:
        executed(course.source, version)
    kept = executions_of(course, run._kernel_environment(True, {}))
    assert [environment["COURSE_RUNS"] for environment in runs] == [str(kept.runs)] * 2
    assert [environment["COURSE_STRICT"] for environment in runs] == ["1", "0"]


@pytest.mark.parametrize("damage", ["half", "other key", "other code", "not there"])
def test_a_damaged_or_foreign_file_is_no_result(course, damage):
    kept = executions_of(course)
    notebook = run._versions(course.source)["solution"]
    kept.store("solution", notebook, 1.0)
    assert kept.load("solution", notebook) is not None
    path = kept.folder / "solution.ipynb"
    text = path.read_text(encoding="utf-8")
    if damage == "half":
        path.write_text(text[: len(text) // 2], encoding="utf-8")
    elif damage == "other key":
        path.write_text(text.replace(kept.key, "0" * 64), encoding="utf-8")
    elif damage == "other code":
        saved = json.loads(text)
        next(cell for cell in saved["cells"] if cell["cell_type"] == "code")["source"] = ["1 + 1"]
        path.write_text(nbformat.writes(nbformat.from_dict(saved)), encoding="utf-8")
    else:
        path.unlink()
    assert kept.load("solution", notebook) is None


def test_the_key_follows_code_settings_and_the_package(course, monkeypatch):
    key = key_of(course)
    assert key_of(course) == key
    assert key_of(course, {"OMP_NUM_THREADS": "2"}) != key
    assert key_of(course, {"COURSE_DATA": "/elsewhere", "HOME": "/home/ada"}) == key, "where, not what"

    package = course.root / "course_utils"
    shutil.rmtree(package)  # links to the real one
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(paths.repository_root() / "course_utils", package, ignore=ignore)
    assert key_of(course) == key
    for name, matters in {
        "losses.py": True,
        "checks/adding.py": True,
        "checks/upsampling.py": False,
        "publishing/pages.py": False,
        "publishing/run.py": True,
        "assets/more.npz": True,
        "assets/solutions/adding.json": True,
        "assets/solutions/upsampling.json": False,
    }.items():
        path = package / name
        before = path.read_bytes() if path.exists() else None
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((before or b"") + b"\n")
        assert (key_of(course) != key) == matters, name
        path.unlink() if before is None else path.write_bytes(before)


def test_another_version_of_a_package_is_another_state(course, monkeypatch):
    from course_utils.publishing import cache

    key = key_of(course)
    monkeypatch.setattr(cache, "_machine", lambda: {"packages": [("torch", "3.0")]})
    assert key_of(course) != key


def _imported(path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse("".join(_without_magics(path)))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _without_magics(path):
    with open(path, encoding="utf-8") as file:
        return [line if not line.lstrip().startswith(("%", "!")) else "\n" for line in file]


def test_no_notebook_and_no_module_enters_another_topics_files():
    """So a change there need not execute this notebook again."""
    root = paths.repository_root()
    for source in (root / "notebooks" / "solutions").glob("*.py"):
        topic = source.stem.partition("_")[2]
        package = root / "course_utils"
        modules = [
            path for path in package.rglob("*.py") if _matters(path.relative_to(package).as_posix(), topic)
        ]
        for path in [source, *(path for path in modules if path.parent.name != "publishing")]:
            if path.name in ("__main__.py",):
                continue  # the command line enters every room; no notebook imports it
            for name in _imported(path):
                parts = name.split(".")
                if parts[0] == "course_utils" and len(parts) > 2:
                    as_file = "/".join(parts[1:3]) + ".py"
                    is_there = (package / as_file).exists()
                    assert not is_there or _matters(as_file, topic), f"{path} imports {name}"


# ------------------------------------------------------------------------------------------------- progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_says_where_how_long_and_how_long_still():
    now = [0.0]
    stream = io.StringIO()
    progress = Progress({"11_brats_lab": 200.0, "12_new": None}, stream, clock=lambda: now[0])
    progress.report("11_brats_lab", "cell 3 of 71")
    progress.report("12_new", "cell 1 of 9")
    progress.show()
    assert stream.getvalue() == ""
    now[0] = 62.0
    progress.report("11_brats_lab", "cell 40 of 71, epoch 3/20")
    progress.show()
    progress.show()
    assert stream.getvalue() == (
        "    11_brats_lab: cell 40 of 71, epoch 3/20, 1:02, about 2:18 left\n    12_new: cell 1 of 9, 1:02\n"
    )
    now[0] = 300.0
    assert "left" not in progress.lines()[0]
    progress.done("11_brats_lab", "300 s")
    assert stream.getvalue().endswith("11_brats_lab: 300 s\n") and len(progress.lines()) == 1


def test_progress_refreshes_one_line_of_a_terminal(monkeypatch):
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((30, 24)))
    stream = Terminal()
    progress = Progress({}, stream, clock=lambda: 0.0)
    progress.report("02_convolution", "cell 3 of 71, epoch 3/20")
    progress.show()
    line = stream.getvalue().rpartition("\x1b[K")[2]
    assert line == "02_convolution: cell 3 of 71,"
    progress.done("02_convolution", "9 s")
    assert stream.getvalue().endswith("\r\x1b[K02_convolution: 9 s\n")


def test_the_epoch_of_a_progress_bar_is_reported():
    import asyncio

    from nbformat.v4 import new_code_cell, new_notebook

    places = []
    code = "from tqdm.notebook import tqdm\nfor _ in tqdm(range(3), desc='epoch 2/20'): pass"
    notebook = new_notebook(cells=[new_code_cell(code)])
    environment = run._kernel_environment(True, {})
    asyncio.run(run._run(notebook, environment, paths.repository_root(), "x", places.append))
    assert places[0] == "cell 1 of 1" and "cell 1 of 1, epoch 2/20" in places


def test_what_importing_libraries_sets_is_not_part_of_the_state(course, monkeypatch):
    """scikit-learn sets two variables in the process that imports it, as the tests do and a run does not."""
    before = run.executions(course.source).key
    monkeypatch.setenv("KMP_INIT_AT_FORK", "FALSE")
    monkeypatch.setenv("KMP_DUPLICATE_LIB_OK", "True")
    assert run.executions(course.source).key == before
    monkeypatch.setenv("TORCH_SHOW_CPP_STACKTRACES", "1")
    assert run.executions(course.source).key != before
