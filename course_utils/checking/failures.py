"""How a check ends when the answer is not right."""

from __future__ import annotations


class NotYet(Exception):
    """The answer is wrong: what about it, the evidence, and one next step."""

    def __init__(self, message: str, details: tuple[tuple[str, str], ...] = (), next_step: str = ""):
        super().__init__(message)
        self.message, self.details, self.next_step = message, details, next_step


class NotAttempted(Exception):
    """The stub is still there."""


class StudentError(Exception):
    """The student's code raised: the message is trimmed to the student's own lines."""

    def __init__(self, call: str, lines: str):
        super().__init__(lines)
        self.call, self.lines = call, lines
