"""Right answers to the exercises of `course_utils.checks.convolution`."""

from __future__ import annotations

from tests.right_answers import RightAnswers

right = RightAnswers("convolution")
