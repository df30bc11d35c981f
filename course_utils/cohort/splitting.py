"""Dividing a cohort by subject."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_utils.cohort.errors import CohortError


class Split(NamedTuple):
    """Cases for three purposes; no subject is in two of them."""

    train: list[Path]
    validation: list[Path]
    test: list[Path]


_SUBJECT_AND_TIME = re.compile(r"^(?P<subject>BraTS-[A-Za-z]+-\d+)-\d+$")


def subject_of(case: str | Path) -> str:
    """The subject that a case belongs to.

    BraTS 2023 numbers the scans of a subject: BraTS-GLI-00005-000, ...-001.
    """
    name = Path(case).name
    match = _SUBJECT_AND_TIME.match(name)
    return match["subject"] if match else name


def split(cases: Sequence[str | Path], seed: int, train: int, validation: int, test: int) -> Split:
    """Divide cases at random. A subject's scans stay together, else the test would be on a known brain.

    Args:
        cases: case folders, in any order: the result depends on the names only.
        seed: which of the possible divisions.
        train, validation, test: number of *subjects* in each part.

    Raises:
        CohortError: there are fewer subjects than asked for, or a number is negative.
    """
    by_subject: dict[str, list[Path]] = {}
    for case in sorted(Path(case) for case in cases):
        by_subject.setdefault(subject_of(case), []).append(case)
    if min(train, validation, test) < 0:
        raise CohortError(f"train {train}, validation {validation}, test {test}: no number may be negative.")
    if train + validation + test > len(by_subject):
        raise CohortError(
            f"{train} + {validation} + {test} subjects were asked for, but there are {len(by_subject)}. "
            "Ask for fewer, or get more cases."
        )
    subjects = sorted(by_subject)
    shuffled = [subjects[position] for position in np.random.default_rng(seed).permutation(len(subjects))]

    def cases_of(first: int, number: int) -> list[Path]:
        return sorted(case for subject in shuffled[first : first + number] for case in by_subject[subject])

    return Split(
        train=cases_of(0, train),
        validation=cases_of(train, validation),
        test=cases_of(train + validation, test),
    )
