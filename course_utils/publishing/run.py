"""Running notebooks in a kernel process of their own, and the executed pages."""

from __future__ import annotations

import copy
import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbclient
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from course_utils import paths
from course_utils.checking.outcome import OUTCOME_MIMETYPE
from course_utils.publishing import pages
from course_utils.publishing.build import solution_notebook
from course_utils.publishing.source import read_source, source_paths

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_HOUR = 3600


class NotebookError(RuntimeError):
    """A notebook failed; the message names it and shows the cell and its traceback.

    ``notebook`` is the notebook as far as it ran.
    """

    def __init__(self, message: str, notebook: NotebookNode) -> None:
        super().__init__(message)
        self.notebook = notebook


@dataclass(frozen=True)
class Outcome:
    """What a check answered: ``status`` is one of the four of ``course_utils.checking.outcome``."""

    exercise: str
    status: str


class _OwnPython(AsyncKernelManager):
    """Starts a kernel with the Python that runs this code, whatever kernels are installed on the machine."""

    @property
    def kernel_spec(self) -> KernelSpec:
        # The kernel program's own remarks (not those of the cells) are left out.
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


def run_notebook(
    notebook: NotebookNode,
    *,
    strict: bool,
    cwd: Path | None = None,
    timeout: int = _HOUR,
    extra_env: Mapping[str, str] | None = None,
    name: str = "notebook",
) -> NotebookNode:
    """Run a notebook top to bottom and return it with its outputs and the state of its widgets.

    Args:
        notebook: stays as it is.
        strict: whether a check that doesn't pass fails the run (``COURSE_STRICT``).
        cwd: the kernel's working folder; by default ``notebooks/``.
        timeout: seconds that one cell may take.
        extra_env: environment variables for the kernel, on top of the caller's.
        name: what the error message calls the notebook.

    Raises:
        NotebookError: if a cell fails or takes too long, or the kernel dies.
    """
    executed = copy.deepcopy(notebook)
    started: list[int] = []
    with tempfile.TemporaryDirectory(prefix="course-kernel-", ignore_cleanup_errors=True) as profile:
        client = nbclient.NotebookClient(
            executed,
            kernel_manager_class=_OwnPython,
            timeout=timeout,
            store_widget_state=True,
            resources={"metadata": {"path": str(cwd or paths.repository_root() / "notebooks")}},
            on_cell_start=lambda cell, cell_index: started.append(cell_index),
        )
        try:
            client.execute(env=_kernel_environment(strict, profile, extra_env or {}))
        except CellExecutionError as error:
            raise _failure(name, executed, started, _traceback(executed.cells[started[-1]], error)) from None
        except CellTimeoutError:
            raise _failure(name, executed, started, f"The cell took longer than {timeout} s.") from None
        except DeadKernelError:
            reason = "The kernel died: it ran out of memory or was stopped."
            raise _failure(name, executed, started, reason) from None
    return executed


def outcomes(notebook: NotebookNode) -> list[Outcome]:
    """What the checks of an executed notebook answered, in order."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {}).get(OUTCOME_MIMETYPE)
            if data is not None:
                found.append(Outcome(data["exercise"], data["status"]))
    return found


def stream_text(notebook: NotebookNode, stream: str, tag: str | None = None) -> str:
    """What the cells (those with ``tag``) of an executed notebook wrote to "stdout" or "stderr"."""
    texts = [
        output.text
        for cell in notebook.cells
        if cell.cell_type == "code" and (tag is None or tag in cell.metadata.get("tags", []))
        for output in cell.outputs
        if output.output_type == "stream" and output.name == stream
    ]
    # A progress bar rewrites its line after a carriage return: keep the last version.
    lines = "".join(texts).split("\n")
    return "\n".join(line.rstrip("\r").split("\r")[-1] for line in lines).rstrip("\n")


def run_all(
    names: Sequence[str] | None = None, output: Path | None = None, root: Path | None = None
) -> list[Path]:
    """Run the solution notebooks in the course's order, every check strict, and write them as pages.

    Prints a line for each notebook, what its cells wrote to stderr, and at the end what cells tagged "report"
    printed.

    Args:
        names: numbers or names such as "02" or "02_convolution"; by default all.
        output: folder for the pages and their ``index.html``; by default ``build/``.
        root: the repository's folder.

    Returns:
        The pages.

    Raises:
        NotebookError: for the first notebook that fails, after its page was written as far as it ran.
        ValueError: for a name that no notebook has.
    """
    root = root or paths.repository_root()
    output = output or paths.build_dir()
    written, reports = [], []
    for path in _select(source_paths(root), names):
        print(f"{path.stem} ... ", end="", flush=True)
        start = time.perf_counter()
        try:
            notebook = solution_notebook(path)
            executed = run_notebook(notebook, strict=True, cwd=root / "notebooks", name=path.stem)
        except NotebookError as error:
            page = pages.write_page(read_source(path), error.notebook, output)
            pages.write_index(source_paths(root), output)
            print(f"failed; see {page}", flush=True)
            raise
        print(f"{time.perf_counter() - start:.0f} s", flush=True)
        _print_indented(stream_text(executed, "stderr"))
        reports.append(stream_text(executed, "stdout", tag="report"))
        written.append(pages.write_page(read_source(path), executed, output))
        pages.write_index(source_paths(root), output)
    for report in filter(None, reports):
        print(f"\n{report}", flush=True)
    print(f"\nPages: {output / 'index.html'}", flush=True)
    return written


def _select(sources: list[Path], names: Sequence[str] | None) -> list[Path]:
    if names is None:
        return sources
    for name in names:
        if not any(name in (path.stem, path.stem[:2]) for path in sources):
            known = ", ".join(path.stem for path in sources)
            raise ValueError(f"no notebook is called {name!r}; there are {known}")
    return [path for path in sources if path.stem in names or path.stem[:2] in names]


def _kernel_environment(strict: bool, profile: str, extra: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without what would make a run differ from one machine to the next."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return {
        **kept,
        "IPYTHONDIR": profile,  # no start-up files and no history of the user's
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # no warning about frozen modules: nobody debugs here
        **extra,
        "COURSE_STRICT": "1" if strict else "0",
    }


def _failure(name: str, notebook: NotebookNode, started: list[int], reason: str) -> NotebookError:
    if not started:
        return NotebookError(f"{name}: the kernel didn't start. {reason}", notebook)
    index = started[-1]
    source = "\n".join(f"    {line}" for line in notebook.cells[index].source.split("\n"))
    reason = _ANSI.sub("", reason).strip()
    return NotebookError(f"{name}, cell {index + 1}:\n\n{source}\n\n{reason}", notebook)


def _traceback(cell: NotebookNode, error: CellExecutionError) -> str:
    tracebacks = ["\n".join(output.traceback) for output in cell.outputs if output.output_type == "error"]
    return "\n".join(tracebacks) or f"{error.ename}: {error.evalue}"


def _print_indented(text: str) -> None:
    for line in text.split("\n"):
        if line.strip():
            print(f"    {line}", flush=True)
