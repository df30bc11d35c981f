"""What every test runs with: folders apart, so that none touches the student's trainings; groups, order."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from course_utils import paths, threads

threads.wait_passively()
if "PYTEST_XDIST_WORKER" in os.environ:  # a core for each worker
    os.environ.update(threads.ONE_THREAD)
os.environ["MPLBACKEND"] = "agg"  # before anything imports matplotlib: no test needs a display

# Executed notebooks are shared with `make run`, whichever comes first. So are the data: every notebook
# and test that reads the cohort asks for the same one, and makes what is missing of it.
EXECUTED = paths.executed_dir()
os.environ["COURSE_EXECUTED"] = str(EXECUTED)
os.environ["COURSE_DATA"] = str(paths.data_dir())

from tests.publishing_fixtures import course, executed_solutions  # noqa: E402, F401

SLOW_FIXTURE = "executed_solutions"
_STARTED = time.time()


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory):
    """Trainings and pages that a test makes do not outlive the session."""
    folder = tmp_path_factory.mktemp("course")
    with pytest.MonkeyPatch.context() as patch:
        for variable, name in (("COURSE_RUNS", "runs"), ("COURSE_BUILD", "build")):
            patch.setenv(variable, str(folder / name))
        yield


def pytest_itemcollected(item: pytest.Item) -> None:
    """Tests that execute a notebook are slow, and all of one notebook go to one worker of pytest-xdist."""
    stem = _notebook_of(item)
    if stem is not None:
        item.add_marker("slow")
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(stem))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The last notebooks first: the lab, which trains longest, is then not what all wait for in the end."""
    items.sort(key=lambda item: _notebook_of(item) or "", reverse=True)


def _notebook_of(item: pytest.Item) -> str | None:
    """The stem of the notebook that a test executes: from its mark, its parameter, or its module's name."""
    if SLOW_FIXTURE not in getattr(item, "fixturenames", ()):
        return None
    mark = item.get_closest_marker("xdist_group")
    if mark is not None:
        return mark.args[0]
    path = getattr(item, "callspec", None) and item.callspec.params.get("path")
    if isinstance(path, Path):
        return path.stem
    topic = item.path.stem.removeprefix("test_")
    stems = [source.stem for source in (paths.repository_root() / "notebooks" / "solutions").glob("*.py")]
    return next((stem for stem in stems if stem.partition("_")[2] == topic), "notebooks")


def pytest_terminal_summary(terminalreporter) -> None:
    """How long each notebook took that was executed in this session."""
    from course_utils.publishing.cache import Executions

    for path in sorted(EXECUTED.glob("[0-9][0-9]_*.json")):
        times = Executions(path.stem, "", EXECUTED).times()
        now = {version: entry for version, entry in times.items() if entry["when"] >= _STARTED}
        if now:
            texts = [f"{version} {entry['seconds']:.0f} s" for version, entry in sorted(now.items())]
            terminalreporter.write_line(f"executed {path.stem}: {', '.join(texts)}")
