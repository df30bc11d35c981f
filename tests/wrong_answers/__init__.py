"""The mistakes that each check must catch, and words that its answer must contain.

One module a topic, with one ``wrong = WrongAnswers(topic)``; ``tests/test_checks.py`` runs them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class WrongAnswer:
    """An answer that must be rejected with a message containing ``says`` (case does not matter)."""

    exercise: str
    answer: Any
    says: str


class WrongAnswers:
    """The wrong answers of one topic."""

    def __init__(self, topic: str):
        self.topic = topic
        self.answers: list[WrongAnswer] = []

    def __call__(self, exercise: str, *, says: str) -> Callable[[Callable], Callable]:
        """Decorate a wrong function."""

        def register(function: Callable) -> Callable:
            self.answers.append(WrongAnswer(exercise, function, says))
            return function

        return register
