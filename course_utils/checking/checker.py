"""The exercises of one topic: compare with an oracle, name the mistake, give the hint, show the solution.

Each topic has a module in ``course_utils.checks`` with one ``Checker``::

    check = Checker("convolution")

    @check.exercise(oracle=..., hints=(...), why={rounded_up: "You rounded up: ..."})
    def output_size(trial):
        trial.signature("n", "kernel", stride=1, padding=0)
        trial.case(5, 3, 1, 0, expected=3, whole=True)

    check.number("matrix_memory", answer=13.3, tolerance=0.01, hints=(...), why={1.3e10: "Bytes, not GB."})
    check.choice("block_picture", answer="B", why={"A": ..., "C": ...}, hints=(...))

and the notebook calls ``output_size = check("output_size", output_size)``: the student's own object comes
back when it is right and the oracle otherwise, so that the rest of the notebook always runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from course_utils.checking import answers
from course_utils.checking.failures import NotAttempted, NotYet, Stopped, StudentError
from course_utils.checking.outcome import (
    NOT_ATTEMPTED,
    NOT_YET,
    PASS,
    RAISED,
    CheckFailed,
    Hints,
    Outcome,
    Progress,
    SolutionShown,
    show,
)
from course_utils.checking.solutions import solutions
from course_utils.checking.trial import Trial

_WRITE_IT = "Write your answer in the cell above, run it, then run this cell again."
_FILLED_IN = (
    "This is the course's own answer, which stood in for yours. Run the cell with your answer again, then "
    "this one."
)


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        name: of the exercise and of what is checked.
        kind: "code", "number" or "choice".
        oracle: a function, or the right number or letter.
        hints: from idea to code; none but the last shows a whole line of the solution.
        why: a wrong function, number or letter -> why it is wrong.
        examine: takes the answer; raises one of :mod:`course_utils.checking.failures`, or all is right.
    """

    name: str
    kind: str
    oracle: Any
    hints: tuple[str, ...]
    why: Mapping[Any, str]
    examine: Callable[[Any], None]


class Checker:
    """The exercises of one topic, and how far the student has come with them."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.exercises: dict[str, Exercise] = {}
        self._status: dict[str, str] = {}
        self._hints_shown: dict[str, int] = {}

    # ---- what a topic module declares

    def exercise(
        self, *, oracle: Any, hints: tuple[str, ...], why: Mapping[Any, str] | None = None
    ) -> Callable[[Callable[[Trial], None]], Callable[[Trial], None]]:
        """Register a code exercise; decorates the ladder of one ``Trial``, whose name is the exercise's."""

        def register(ladder: Callable[[Trial], None]) -> Callable[[Trial], None]:
            def examine(answer: Any) -> None:
                _climb(ladder, Trial(ladder.__name__, answer, oracle, why or {}))

            self._register(Exercise(ladder.__name__, "code", oracle, tuple(hints), why or {}, examine))
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
        """Register a "predict the number" exercise; ``tolerance`` is relative to it (absolute for 0)."""

        def examine(value: Any) -> None:
            number = answers.read_number(value)
            if answers.close(number, answer, tolerance):
                return
            for wrong, message in (why or {}).items():
                if answers.close(number, wrong, tolerance):
                    raise NotYet(message, (("yours", answers.shown(number)),))
            raise NotYet(answers.direction(number, answer, tolerance))

        self._register(Exercise(name, "number", answer, tuple(hints), why or {}, examine))

    def choice(self, name: str, *, answer: str, why: Mapping[str, str], hints: tuple[str, ...]) -> None:
        """Register an "explain the picture" exercise; ``why`` says of each wrong letter what it overlooks."""
        letters = sorted([answer, *why])

        def examine(value: Any) -> None:
            letter = answers.read_letter(value, letters)
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
            return Outcome(name, NOT_ATTEMPTED, _WRITE_IT)
        except StudentError as error:
            where = "stopped in" if isinstance(error, Stopped) else "your lines"
            return Outcome(name, RAISED, "", (("called", error.call), (where, error.lines)), hint)
        except NotYet as problem:
            return Outcome(name, NOT_YET, problem.message, problem.details, problem.next_step or hint)
        return self._passed(name)

    def _passed(self, name: str) -> Outcome:
        """A pass that teaches: why the answer is right, in the written solution's own words."""
        solution = solutions(self.topic).get(name)
        if solution is None:
            return Outcome(name, PASS)
        return Outcome(name, PASS, solution.first_sentences, (), f'More: check.solution("{name}").')

    def __call__(self, name: str, answer: Any) -> Any:
        """Check an answer, show the outcome, and return the answer if it is right, else the oracle.

        Raises ``CheckFailed`` unless the answer is right where a wrong one must stop the run: in solution
        notebooks (``COURSE_STRICT=1``) and under pytest.
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
        show(Hints(name, hints[:count], len(hints)))

    def solution(self, name: str) -> None:
        """Show the written solution of an exercise, after a pass or after its last hint."""
        exercise = self._find(name)
        left = len(exercise.hints) - self._hints_shown.get(name, 0)
        if self._status.get(name) != PASS and left > 0:
            hints = "one more hint" if left == 1 else f"{left} more hints"
            message = f"The solution is shown after a pass, or after the last hint. There is {hints}."
            if left > 1:
                message = message.replace("There is", "There are")
            show(Outcome(name, self._status.get(name, NOT_ATTEMPTED), message, (), f'check.hint("{name}")'))
            return
        solution = solutions(self.topic).get(name)
        if solution is None:
            raise ValueError(f"there is no written solution of {name!r}: run `make notebooks` to make it")
        show(SolutionShown(name, solution.markdown))

    def progress(self) -> None:
        """Show how far the student has come with this notebook's exercises."""
        show(Progress({name: self._status.get(name, NOT_ATTEMPTED) for name in self.exercises}))

    def _find(self, name: str) -> Exercise:
        if name not in self.exercises:
            known = ", ".join(self.exercises) or "none"
            raise ValueError(f"no exercise is called {name!r} here; there are: {known}")
        return self.exercises[name]


def _climb(ladder: Callable[[Trial], None], trial: Trial) -> None:
    """Run a ladder to its end, then judge its cases, all together.

    A ladder that fails after a wrong case, in a property or because it can't work with a wrong result, was
    brought there by that case: the case is what the student is told about.
    """
    try:
        ladder(trial)
    except (NotAttempted, Stopped):
        raise
    except (NotYet, StudentError):
        trial.judge()
        raise
    except Exception as error:
        trial.judge()
        if _strict():
            raise
        problem = f"Your results can't be examined further ({type(error).__name__}: {error})."
        raise NotYet(problem, (), "Compare their type and shape with what the exercise asks for.") from None
    trial.judge()


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


def _strict() -> bool:
    """Whether a wrong answer must stop the run."""
    setting = os.environ.get("COURSE_STRICT")
    return setting == "1" if setting in ("0", "1") else "PYTEST_CURRENT_TEST" in os.environ
