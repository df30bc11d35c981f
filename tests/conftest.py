"""What every test runs with: folders apart, so that no test touches the student's data and trainings."""

from __future__ import annotations

import os

import pytest

from tests.publishing_fixtures import course, executed_solutions  # noqa: F401

os.environ["MPLBACKEND"] = "agg"  # before anything imports matplotlib: no test needs a display


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory):
    """Data made by one test, such as a cohort, is there for the next; nothing outlives the session."""
    folder = tmp_path_factory.mktemp("course")
    with pytest.MonkeyPatch.context() as patch:
        for variable, name in (("COURSE_DATA", "data"), ("COURSE_RUNS", "runs"), ("COURSE_BUILD", "build")):
            patch.setenv(variable, str(folder / name))
        yield
