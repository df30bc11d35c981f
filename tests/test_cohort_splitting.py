"""A subject is in one part only."""

from __future__ import annotations

from pathlib import Path

import pytest

from course_utils import cohort
from course_utils.cohort import CohortError


def test_split_is_disjoint_reproducible_and_independent_of_order():
    cases = [Path(f"SynthBraTS_{number:03d}") for number in range(20)]
    parts = cohort.split(cases, seed=3, train=12, validation=3, test=5)
    assert [len(part) for part in parts] == [12, 3, 5]
    assert sorted([*parts.train, *parts.validation, *parts.test]) == cases
    assert cohort.split(cases[::-1], 3, 12, 3, 5) == parts
    assert cohort.split(cases, 4, 12, 3, 5) != parts


def test_scans_of_a_subject_stay_together():
    cases = [Path(f"BraTS-GLI-{subject:05d}-{time:03d}") for subject in range(10) for time in range(3)]
    parts = cohort.split(cases, seed=0, train=6, validation=2, test=2)
    assert [len(part) for part in parts] == [18, 6, 6]
    subjects = [{cohort.subject_of(case) for case in part} for part in parts]
    assert not (subjects[0] & subjects[1] or subjects[0] & subjects[2] or subjects[1] & subjects[2])
    assert cohort.subject_of("BraTS20_Training_001") == "BraTS20_Training_001"


def test_split_that_asks_for_too_much_is_refused():
    with pytest.raises(CohortError, match=r"5 \+ 2 \+ 2 subjects were asked for, but there are 8"):
        cohort.split([f"case_{number}" for number in range(8)], 0, 5, 2, 2)
    with pytest.raises(CohortError, match="negative"):
        cohort.split(["a", "b"], 0, 2, -1, 1)
