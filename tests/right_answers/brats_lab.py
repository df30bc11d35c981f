"""Right answers to the exercises of `course_utils.checks.brats_lab`."""

from __future__ import annotations

from tests.right_answers import RightAnswers

right = RightAnswers("brats_lab")
