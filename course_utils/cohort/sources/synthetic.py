"""The synthetic cohort in ``data/synthetic``."""

from __future__ import annotations

from pathlib import Path

from course_utils import paths
from course_utils.cohort.errors import CohortError


def synthetic_cases(subjects: int = 40) -> list[Path]:
    """The first ``subjects`` cases of the synthetic cohort in ``data/synthetic``; missing ones are made.

    Raises:
        CohortError: the folder holds something else.
    """
    from course_utils.phantom import CohortMismatchError, write_cohort

    try:
        return write_cohort(paths.data_dir() / "synthetic", subjects)
    except CohortMismatchError as error:
        raise CohortError(str(error)) from error
