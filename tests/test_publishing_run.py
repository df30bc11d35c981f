"""Running notebooks: the kernel, what a failure says, and what is printed."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from course_utils import paths
from course_utils.publishing import (
    NotebookError,
    Outcome,
    outcomes,
    run,
    run_all,
    run_notebook,
)
from course_utils.publishing.run import stream_text


def notebook_of(*codes: str, tag: str | None = None):
    metadata = {"tags": [tag]} if tag else {}
    return new_notebook(cells=[new_code_cell(code, metadata=metadata) for code in codes])


def printed_by(code: str, tmp_path: Path, **arguments) -> str:
    executed = run_notebook(notebook_of(code), **{"strict": True, "cwd": tmp_path, **arguments})
    return stream_text(executed, "stdout")


def test_the_kernel_is_this_python_in_another_process(tmp_path, monkeypatch):
    # Another "python3" kernel on the machine must not be used.
    spec = tmp_path / "jupyter" / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    other = '{"argv": ["/no/such/python"], "display_name": "Other", "language": "python"}'
    spec.write_text(other, encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    code = "import os, sys\nprint(sys.executable)\nprint(os.getpid())\nprint(os.getcwd())"
    executable, process, folder = printed_by(code, tmp_path).split("\n")
    assert executable == sys.executable
    assert int(process) != os.getpid()
    assert Path(folder).resolve() == tmp_path.resolve()
    assert not psutil.pid_exists(int(process)), "the kernel is still there after the run"


@pytest.mark.parametrize("strict", [True, False])
def test_the_environment_reaches_the_kernel_and_not_the_caller(tmp_path, strict):
    before = dict(os.environ)
    names = ["COURSE_STRICT", "MPLBACKEND", "COURSE_RUNS", "PYTEST_CURRENT_TEST"]
    code = f"import os\nprint([os.environ.get(name) for name in {names}])"
    printed = printed_by(code, tmp_path, strict=strict, extra_env={"COURSE_RUNS": "elsewhere"})
    backend = "module://matplotlib_inline.backend_inline"
    assert printed == str(["1" if strict else "0", backend, "elsewhere", None])
    assert dict(os.environ) == before


def test_the_notebook_given_stays_as_it_is(tmp_path):
    notebook = notebook_of("1 + 1")
    executed = run_notebook(notebook, strict=True, cwd=tmp_path)
    assert notebook.cells[0].outputs == [] and "widgets" not in notebook.metadata
    assert executed.cells[0].outputs[0].data["text/plain"] == "2"


def test_a_failure_names_notebook_cell_source_and_reason(tmp_path):
    notebook = notebook_of("x = 1", "print('so far')\n1 / 0", "x = 3")
    with pytest.raises(NotebookError) as caught:
        run_notebook(notebook, strict=True, cwd=tmp_path, name="07_metrics")
    message = str(caught.value)
    assert message.startswith("07_metrics, cell 2:\n\n    print('so far')\n    1 / 0\n\n")
    assert "ZeroDivisionError: division by zero" in message and "\x1b" not in message
    assert stream_text(caught.value.notebook, "stdout") == "so far"


def test_a_cell_that_takes_too_long_is_named(tmp_path):
    with pytest.raises(NotebookError, match=r"(?s)notebook, cell 1:.*sleep.*took longer than 1 s"):
        run_notebook(notebook_of("import time\ntime.sleep(600)"), strict=True, cwd=tmp_path, timeout=1)


def test_a_kernel_that_dies_is_named(tmp_path):
    with pytest.raises(NotebookError, match=r"(?s)notebook, cell 2:.*_exit.*kernel died"):
        run_notebook(notebook_of("x = 1", "import os\nos._exit(1)"), strict=True, cwd=tmp_path)


def test_an_interrupt_ends_the_kernel_and_is_no_failure(tmp_path):
    marker = tmp_path / "process"
    code = f"import os, pathlib, time\npathlib.Path({str(marker)!r}).write_text(str(os.getpid()))\n"
    code += "time.sleep(600)"

    async def interrupted() -> None:
        environment = run._kernel_environment(True, {})
        task = asyncio.create_task(run._run(notebook_of(code), environment, tmp_path, "notebook"))
        while not (marker.exists() and marker.read_text()):
            await asyncio.sleep(0.05)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(interrupted())
    assert not psutil.pid_exists(int(marker.read_text())), "the kernel is still there"


def test_warnings_and_the_last_state_of_a_progress_line_are_kept(tmp_path):
    code = "import sys, warnings\nsys.stderr.write('1 of 2\\r2 of 2\\n')\nwarnings.warn('careful')"
    text = stream_text(run_notebook(notebook_of(code), strict=True, cwd=tmp_path), "stderr")
    assert text.split("\n")[0] == "2 of 2"
    assert "UserWarning: careful" in text


def test_outcomes_are_read_from_what_checks_display(tmp_path):
    code = (
        "from course_utils.checking.outcome import Outcome, show\n"
        "show(Outcome('add', 'pass'))\nshow(Outcome('half', 'not attempted'))"
    )
    path = {"PYTHONPATH": str(paths.repository_root())}
    executed = run_notebook(notebook_of("1 + 1", code), strict=False, extra_env=path)
    assert outcomes(executed) == [Outcome("add", "pass"), Outcome("half", "not attempted")]


def test_run_all_prints_a_line_each_then_the_report_and_links_the_pages(course, tmp_path, capsys):
    report = '# %% tags=["report"]\nprint("Dice 0.9")\n\n'
    course.edit('# %% tags=["instructor"]', report + '# %% tags=["instructor"]')
    output = tmp_path / "pages"
    assert run_all(output=output, root=course.root) == [output / "02_adding.html"]
    printed = capsys.readouterr().out
    assert re.match(r"02_adding: \d+ s\n", printed)
    assert printed.endswith(f"\nDice 0.9\n\nPages: {output / 'index.html'}\n")
    index = (output / "index.html").read_text(encoding="utf-8")
    assert '<a href="02_adding.html">02 · Adding and doubling</a>' in index
    assert sorted(path.name for path in output.iterdir()) == ["02_adding.html", "index.html"]


def test_run_all_stops_at_a_check_that_does_not_pass_and_keeps_the_page(course, tmp_path, capsys):
    course.edit("half = 36.5", "half = 35.5")
    expected = r'(?s)02_adding, cell \d+:.*half = check\("half", half\).*CheckFailed'
    with pytest.raises(NotebookError, match=expected):
        run_all(output=tmp_path / "pages", root=course.root)
    assert "failed; see" in capsys.readouterr().out
    assert "CheckFailed" in (tmp_path / "pages" / "02_adding.html").read_text(encoding="utf-8")


def test_run_all_knows_notebooks_by_number_or_name(course, tmp_path):
    for name in ("02", "02_adding"):
        assert len(run_all([name], output=tmp_path / "pages", root=course.root)) == 1
    with pytest.raises(ValueError, match="no notebook is called '03'; there are 02_adding"):
        run_all(["03"], output=tmp_path / "pages", root=course.root)
