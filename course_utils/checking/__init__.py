"""The machine behind the exercises: run an answer, compare it with an oracle, name the mistake, give the hint."""

from course_utils.checking.checker import Checker
from course_utils.checking.trial import Trial
from course_utils.checking.two_ways import compare

__all__ = ["Checker", "Trial", "compare"]
