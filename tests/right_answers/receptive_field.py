"""Right answers to the exercises of `course_utils.checks.receptive_field`."""

from __future__ import annotations

from tests.right_answers import RightAnswers

right = RightAnswers("receptive_field")
