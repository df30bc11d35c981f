"""Running notebooks, each in a kernel of its own and once per state of the repository; the executed pages."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbclient
import psutil
import zmq
from filelock import Timeout
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from course_utils import paths, threads
from course_utils.checking.outcome import OUTCOME_MIMETYPE
from course_utils.publishing import cache, pages
from course_utils.publishing.build import solution_notebook, student_notebook
from course_utils.publishing.progress import Progress
from course_utils.publishing.source import read_source, source_paths

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_EPOCH = re.compile(r"epoch \d+/\d+")
_HOUR = 3600
_MEMORY_PER_NOTEBOOK = 2.5e9  # bytes; the lab needs 1.3 GB

Report = Callable[[str], None]
"""Is told where a run is, in a few words such as "cell 12 of 66, epoch 3/20"."""


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
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=CRITICAL"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


class _Client(nbclient.NotebookClient):
    """Tells ``report`` the cell that runs, and the epoch that a progress bar shows."""

    def __init__(self, notebook: NotebookNode, report: Report, **options) -> None:
        super().__init__(notebook, on_cell_start=self._start_cell, **options)
        self.started: list[int] = []
        self._report = report

    def _start_cell(self, cell: NotebookNode, cell_index: int) -> None:
        if not self.started:
            # nbclient ends one kernel at an interrupt; here each of several has to end, by cancellation.
            with contextlib.suppress(RuntimeError, NotImplementedError, ValueError):
                for number in (signal.SIGINT, signal.SIGTERM):
                    asyncio.get_running_loop().remove_signal_handler(number)
        self.started.append(cell_index)
        self._report(self._place())

    def process_message(self, msg: dict, cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        try:
            return super().process_message(msg, cell, cell_index)
        finally:
            # nbclient answers output widgets past the asynchronous socket, which then may miss that the
            # kernel has replied, and wait for ever. Asking for its events makes it look.
            self.kc.shell_channel.socket.get(zmq.EVENTS)

    def handle_comm_msg(self, outs: list, msg: dict, cell_index: int) -> None:
        super().handle_comm_msg(outs, msg, cell_index)
        value = msg["content"]["data"].get("state", {}).get("value")
        epoch = _EPOCH.search(value) if isinstance(value, str) else None
        if epoch:
            self._report(f"{self._place()}, {epoch[0]}")

    def _place(self) -> str:
        return f"cell {self.started[-1] + 1} of {len(self.nb.cells)}"


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

    The kernel computes with one thread, so that notebooks can run side by side with the same results.

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
    environment = _kernel_environment(strict, extra_env or {})
    cwd = cwd or paths.repository_root() / "notebooks"
    return asyncio.run(_run(notebook, environment, cwd, name, timeout=timeout))


async def _run(
    notebook: NotebookNode,
    environment: Mapping[str, str],
    cwd: Path,
    name: str,
    report: Report = lambda place: None,
    timeout: int = _HOUR,
) -> NotebookNode:
    executed = copy.deepcopy(notebook)
    with tempfile.TemporaryDirectory(prefix="course-kernel-", ignore_cleanup_errors=True) as profile:
        client = _Client(
            executed,
            report,
            kernel_manager_class=_OwnPython,
            timeout=timeout,
            store_widget_state=True,
            resources={"metadata": {"path": str(cwd)}},
        )
        try:
            # An IPython folder of its own: no start-up files and no history of the user's.
            await client.async_execute(env={**environment, "IPYTHONDIR": profile})
        except CellExecutionError as error:
            reason = _traceback(executed.cells[client.started[-1]], error)
        except CellTimeoutError:
            reason = f"The cell took longer than {timeout} s."
        except DeadKernelError:
            if asyncio.current_task().cancelling():  # an interrupt: nbclient takes it for a death
                raise asyncio.CancelledError from None
            reason = "The kernel died: it ran out of memory or was stopped."
        else:
            return executed
    raise _failure(name, executed, client.started, reason)


def executed(source: Path, version: str = "solution") -> NotebookNode:
    """A notebook with its outputs: executed now, or found as it was executed in this state of the repository.

    Args:
        source: ``notebooks/solutions/NN_topic.py``.
        version: "solution", whose checks must pass, or "student", whose checks only answer.

    Raises:
        NotebookError: if it fails. A failure is not kept.
        ValueError: for another version.
    """
    return asyncio.run(_executed(source, version))[0]


def executions(source: Path) -> cache.Executions:
    """Where a notebook's executions in the present state are kept, with the trainings of their kernels."""
    return cache.executions(source, _versions(source).values(), _kernel_environment(True, {}))


def _versions(source: Path) -> dict[str, NotebookNode]:
    return {"solution": solution_notebook(source), "student": student_notebook(source)}


async def _executed(
    source: Path, version: str, report: Report = lambda place: None, again: bool = False
) -> tuple[NotebookNode, float | None]:
    """The executed notebook, and the seconds that it took, None if it was found."""
    if version not in cache.VERSIONS:
        raise ValueError(f"version is {version!r}: choose one of {', '.join(cache.VERSIONS)}")
    notebook = _versions(source)[version]
    kept = executions(source)
    lock = kept.lock()
    while True:
        try:
            lock.acquire(blocking=False)
            break
        except Timeout:
            report("waiting: another process runs it")
            await asyncio.sleep(0.2)
    try:
        if again:
            kept.remove()
        else:
            found = kept.load(version, notebook)
            if found is not None:
                return found, None
        kept.remove_others()
        environment = _kernel_environment(version == "solution", {"COURSE_RUNS": str(kept.runs)})
        start = time.perf_counter()
        result = await _run(notebook, environment, source.parent.parent, source.stem, report)
        seconds = time.perf_counter() - start
        kept.store(version, result, seconds)
        return kept.load(version, notebook), seconds  # the same as all who come later get
    finally:
        lock.release()


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
    names: Sequence[str] | None = None,
    output: Path | None = None,
    root: Path | None = None,
    again: bool = False,
) -> list[Path]:
    """Run the solution notebooks, every check strict, and write them as pages.

    What was executed in this state of the repository is not executed again. The others run side by side, as
    many as there are cores and memory for, those first that took longest the last time. Prints where they
    are, a line for each when it is done, what its cells wrote to stderr, and at the end what cells tagged
    "report" printed.

    Args:
        names: numbers or names such as "02" or "02_convolution"; by default all.
        output: folder for the pages and their ``index.html``; by default ``build/``.
        root: the repository's folder.
        again: execute all of them, whatever was executed before.

    Returns:
        The pages, in the course's order.

    Raises:
        NotebookError: for the first notebook that fails, after its page was written as far as it ran.
        ValueError: for a name that no notebook has.
    """
    root = root or paths.repository_root()
    output = output or paths.build_dir()
    selected = _select(source_paths(root), names)
    reports = asyncio.run(_run_all(selected, output, root, again))
    for path in selected:
        if reports[path]:
            print(f"\n{reports[path]}", flush=True)
    print(f"\nPages: {output / 'index.html'}", flush=True)
    return [output / f"{path.stem}.html" for path in selected]


async def _run_all(selected: list[Path], output: Path, root: Path, again: bool) -> dict[Path, str]:
    """What the cells tagged "report" printed, for each notebook."""
    expected = {path: executions(path).seconds("solution") for path in selected}
    reports = {}
    progress = Progress({path.stem: seconds for path, seconds in expected.items()})
    places = asyncio.Semaphore(_side_by_side())

    async def run_one(path: Path) -> None:
        async with places:
            try:
                notebook, seconds = await _executed(
                    path, "solution", lambda place: progress.report(path.stem, place), again
                )
            except NotebookError as error:
                page = pages.write_page(read_source(path), error.notebook, output)
                pages.write_index(source_paths(root), output)
                progress.done(path.stem, f"failed; see {page}")
                raise
        done = f"{seconds:.0f} s" if seconds is not None else "nothing changed since it was executed"
        progress.done(path.stem, done)
        _print_indented(stream_text(notebook, "stderr"))
        reports[path] = stream_text(notebook, "stdout", tag="report")
        pages.write_page(read_source(path), notebook, output)
        pages.write_index(source_paths(root), output)

    # A notebook without a time comes first; of those the last, because the lab trains longest.
    order = sorted(selected, key=lambda path: (expected[path] or float("inf"), path.stem), reverse=True)
    showing = asyncio.create_task(progress.keep_showing())
    try:
        async with asyncio.TaskGroup() as group:
            for path in order:
                group.create_task(run_one(path))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
    return reports


def _side_by_side() -> int:
    """How many notebooks run at once: one a core, as far as there is memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, int(psutil.virtual_memory().available / _MEMORY_PER_NOTEBOOK)))


def _select(sources: list[Path], names: Sequence[str] | None) -> list[Path]:
    if names is None:
        return sources
    for name in names:
        if not any(name in (path.stem, path.stem[:2]) for path in sources):
            known = ", ".join(path.stem for path in sources)
            raise ValueError(f"no notebook is called {name!r}; there are {known}")
    return [path for path in sources if path.stem in names or path.stem[:2] in names]


def _kernel_environment(strict: bool, extra: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without what would make a run differ from one machine to the next."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return {
        **kept,
        **threads.PASSIVE,
        **threads.ONE_THREAD,
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
