"""Right answers to the exercises of `course_utils.checks.pixels_to_classes`."""

from __future__ import annotations

from tests.right_answers import RightAnswers

right = RightAnswers("pixels_to_classes")
