"""Exercises: compare with an oracle, name the mistake, give the hint.

Each topic has a module here with one ``Checker``::

    check = Checker("convolution")

    @check.exercise(oracle=..., hints=(...), why={rounded_up: "You rounded up: ..."})
    def output_size(trial):
        trial.signature("n", "kernel", "stride", "padding")
        trial.case(5, 3, 1, 0, expected=3)

    check.number("matrix_memory", answer=13.3, tolerance=0.01, hints=(...), why={1.3e10: "Bytes, not GB: ..."})
    check.choice("block_picture", answer="B", why={"A": ..., "C": ...}, hints=(...))

and the notebook calls ``output_size = check("output_size", output_size)``: the student's own object comes back when it
is right and the oracle otherwise, so that the rest of the notebook always runs.
"""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils.checking.failures import NotAttempted, NotYet, StudentError
from course_utils.checking.outcome import NOT_ATTEMPTED, NOT_YET, PASS, RAISED, CheckFailed, Outcome, show
from course_utils.checking.trial import Trial

__all__ = ["CheckFailed", "Checker", "Exercise", "NotYet", "Outcome", "Trial"]


@dataclass(frozen=True)
class Exercise:
    """One exercise: ``examine`` raises ``NotYet``, ``NotAttempted`` or ``StudentError``, or returns when all is right."""

    name: str
    kind: str  # "code", "number" or "choice"
    oracle: Any  # a function, or the right number or letter
    hints: tuple[str, ...]
    why: Mapping[Any, str]  # a wrong function, number or letter -> why it is wrong
    examine: Callable[[Any], None]


class Checker:
    """The exercises of one topic, and how far the student has come with them."""

    def __init__(self, topic: str):
        self.topic = topic
        self.exercises: dict[str, Exercise] = {}
        self._status: dict[str, str] = {}
        self._hints_shown: dict[str, int] = {}

    # ---- what a topic module declares

    def exercise(
        self, *, oracle: Any, hints: tuple[str, ...], why: Mapping[Any, str] | None = None
    ) -> Callable[[Callable[[Trial], None]], Callable[[Trial], None]]:
        """Register a code exercise; decorates the function that climbs the ladder of one ``Trial``."""

        def register(ladder: Callable[[Trial], None]) -> Callable[[Trial], None]:
            name = ladder.__name__

            def examine(answer: Any) -> None:
                ladder(Trial(name, answer, oracle, why or {}))

            self._register(Exercise(name, "code", oracle, tuple(hints), why or {}, examine))
            return ladder

        return register

    def number(
        self,
        name: str,
        *,
        answer: float,
        hints: tuple[str, ...],
        tolerance: float = 1e-6,
        why: Mapping[float, str] | None = None,
    ) -> None:
        """Register a "predict the number" exercise; ``tolerance`` is relative to the answer (absolute for zero)."""

        def close(value: float, target: float) -> bool:
            return abs(value - target) <= tolerance * (abs(target) or 1.0)

        def examine(value: Any) -> None:
            if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
                raise NotYet(
                    f"A number is asked for; this is {value!r}.",
                    next_step="Write it as 12 or 3.5 or 2 * 240; x.item() gives the number in an array or tensor.",
                )
            if close(float(value), answer):
                return
            shown = f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"
            for wrong, message in (why or {}).items():
                if close(float(value), wrong):
                    raise NotYet(message, (("yours", shown),))
            direction = "small" if value < answer else "large" if value > answer else "uncertain"
            raise NotYet(f"{shown} is too {direction}.")

        self._register(Exercise(name, "number", answer, tuple(hints), why or {}, examine))

    def choice(self, name: str, *, answer: str, why: Mapping[str, str], hints: tuple[str, ...]) -> None:
        """Register an "explain the picture" exercise; ``why`` says of each wrong letter what it overlooks."""
        letters = sorted([answer, *why])

        def examine(value: Any) -> None:
            letter = value.strip().upper() if isinstance(value, str) else value
            if letter not in letters:
                raise NotYet(
                    f"{value!r} is none of the letters {', '.join(letters)}.",
                    next_step='For example: answer = "A".',
                )
            if letter != answer:
                raise NotYet(why[letter], (("yours", letter),))

        self._register(Exercise(name, "choice", answer, tuple(hints), why, examine))

    def _register(self, exercise: Exercise) -> None:
        if exercise.name in self.exercises:
            raise ValueError(f"exercise {exercise.name!r} is declared twice in topic {self.topic!r}")
        self.exercises[exercise.name] = exercise

    # ---- what a notebook calls

    def examine(self, name: str, answer: Any) -> Outcome:
        """The outcome of one attempt, without showing it."""
        exercise = self._find(name)
        hint = f'check.hint("{name}") gives a nudge.' if exercise.hints else ""
        try:
            if answer is None or answer is Ellipsis:
                raise NotAttempted
            exercise.examine(answer)
        except NotAttempted:
            return Outcome(
                name, NOT_ATTEMPTED, "Write your answer in the cell above, run it, then run this cell again."
            )
        except StudentError as error:
            return Outcome(name, RAISED, "", (("called", error.call), ("your lines", error.lines)), hint)
        except NotYet as problem:
            return Outcome(name, NOT_YET, problem.message, problem.details, problem.next_step or hint)
        return Outcome(name, PASS)

    def __call__(self, name: str, answer: Any) -> Any:
        """Check an answer, show the outcome, and return the answer if it is right, else the oracle.

        Raises ``CheckFailed`` unless the answer is right where a wrong one must stop the run: in solution notebooks
        (``COURSE_STRICT=1``) and under pytest.
        """
        exercise = self._find(name)
        if isinstance(answer, _FilledIn) or (exercise.kind == "code" and answer is exercise.oracle):
            outcome = Outcome(name, NOT_ATTEMPTED, _FILLED_IN)
        else:
            outcome = self.examine(name, answer)
        self._status[name] = outcome.status
        if outcome.status != PASS and _strict():
            raise CheckFailed(str(outcome))
        show(outcome)
        return answer if outcome.status == PASS else _filled_in(exercise.oracle)

    def hint(self, name: str) -> None:
        """Show the hints of an exercise, one more with each call."""
        hints = self._find(name).hints
        count = min(self._hints_shown.get(name, 0) + 1, len(hints))
        self._hints_shown[name] = count
        show(_Hints(name, hints[:count], len(hints)))

    def progress(self) -> None:
        """Show how far the student has come with this notebook's exercises."""
        show(_Progress({name: self._status.get(name, NOT_ATTEMPTED) for name in self.exercises}))

    def _find(self, name: str) -> Exercise:
        if name not in self.exercises:
            raise ValueError(
                f"no exercise is called {name!r} here; there are: {', '.join(self.exercises) or 'none'}"
            )
        return self.exercises[name]


_FILLED_IN = "This is the course's own answer, which stood in for yours. Run the cell with your answer again, then this one."


class _FilledIn:
    """Marks a number or letter that a check handed out, so that checking it again is no pass."""


class _FilledInInt(_FilledIn, int):
    pass


class _FilledInFloat(_FilledIn, float):
    pass


class _FilledInText(_FilledIn, str):
    pass


def _filled_in(oracle: Any) -> Any:
    """The oracle, recognisable when it comes back; functions are recognised by identity."""
    for kind, marked in ((int, _FilledInInt), (float, _FilledInFloat), (str, _FilledInText)):
        if isinstance(oracle, kind):
            return marked(oracle)
    return oracle


@dataclass(frozen=True)
class _Hints:
    name: str
    hints: tuple[str, ...]
    total: int

    def _lines(self) -> list[str]:
        lines = [f"hint {number} of {self.total}: {text}" for number, text in enumerate(self.hints, 1)]
        if len(self.hints) == self.total:
            lines.append("That was the last hint; the solution notebook shows one way to write it.")
        return lines

    def __str__(self) -> str:
        return "\n".join([self.name, *("  " + line for line in self._lines())])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        items = "".join(f"<div>{html.escape(line)}</div>" for line in self._lines())
        return f"<div style='border-left:4px solid #0072B2;padding:0.3em 0.8em'><b>{html.escape(self.name)}</b>{items}</div>"


@dataclass(frozen=True)
class _Progress:
    status: dict[str, str]

    def _done(self) -> int:
        return sum(status == PASS for status in self.status.values())

    def __str__(self) -> str:
        width = max(map(len, self.status), default=0)
        rows = [f"  {name:<{width}}  {status}" for name, status in self.status.items()]
        return "\n".join([f"{self._done()} of {len(self.status)} exercises pass", *rows])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:left'>{html.escape(name)}</td><td style='text-align:left'>{status}</td></tr>"
            for name, status in self.status.items()
        )
        return (
            f"<b>{self._done()} of {len(self.status)} exercises pass</b> "
            f"<progress value='{self._done()}' max='{len(self.status)}'></progress><table>{rows}</table>"
        )


def _strict() -> bool:
    setting = os.environ.get("COURSE_STRICT")
    return setting == "1" if setting in ("0", "1") else "PYTEST_CURRENT_TEST" in os.environ
