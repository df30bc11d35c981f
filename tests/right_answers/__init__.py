"""Right answers in styles other than the course's own: loops, NumPy, torch, another order of operations.

One module a topic, with one ``right = RightAnswers(topic)``; ``tests/test_checks.py`` runs them all. A right
answer that is refused hurts a student as much as a wrong one that passes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RightAnswer:
    """An answer that must pass; ``style`` says in a few words what is special about it."""

    exercise: str
    style: str
    answer: Any


class RightAnswers:
    """The right answers of one topic."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.answers: list[RightAnswer] = []

    def __call__(self, exercise: str, style: str) -> Callable[[Callable], Callable]:
        """Decorate a right function."""

        def register(function: Callable) -> Callable:
            self.answers.append(RightAnswer(exercise, style, function))
            return function

        return register
