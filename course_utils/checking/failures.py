"""How a check ends when the answer is not right."""

from __future__ import annotations


class NotYet(Exception):
    """The answer is wrong: what about it, the evidence as (name, value) pairs, and one next step."""

    def __init__(self, message: str, details: tuple[tuple[str, str], ...] = (), next_step: str = "") -> None:
        super().__init__(message)
        self.message, self.details, self.next_step = message, details, next_step


class NotAttempted(Exception):
    """The stub is still there."""


class StudentError(Exception):
    """The student's code raised: ``call`` is what was called, ``lines`` are the student's and the error."""

    def __init__(self, call: str, lines: str) -> None:
        super().__init__(lines)
        self.call, self.lines = call, lines


class Stopped(StudentError):
    """The student's code was stopped, by the time limit or by the student: nothing else is tried."""
