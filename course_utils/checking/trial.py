"""One attempt at one exercise: run the answer on a table of cases, then judge.

A check is a ladder of calls of one ``Trial``: signature, a tiny case done by hand, cases against the oracle,
properties. Cases are recorded first and judged at the end, all together: a mistake is named only if it
explains what the student's function gave in every case on which both can run. A name that one other case
contradicts would be untrue.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from course_utils.checking.calling import call_safely
from course_utils.checking.comparing import (
    agrees,
    brief,
    describe_call,
    describe_type,
    evidence,
    require_equal,
)
from course_utils.checking.failures import NotYet, Stopped, StudentError

_MISSING = object()


@dataclass(frozen=True)
class _Case:
    """One recorded call: what came (or how it failed), and what was expected."""

    call: str
    args: tuple
    kwargs: Mapping[str, Any]
    expected: Any
    tolerance: float
    options: Mapping[str, bool]
    got: Any = _MISSING
    failure: Exception | None = field(default=None)

    def problem(self) -> Exception | None:
        """Why this case fails; None if it doesn't."""
        if self.failure is not None:
            return self.failure
        try:
            require_equal(self.got, self.expected, self.tolerance, self.call, **self.options)
        except NotYet as problem:
            return problem
        return None


class Trial:
    """One attempt at one exercise.

    ``answer`` is the student's function (or class), ``oracle`` the independent one, ``why`` maps a function
    that makes a mistake to the message that explains it.
    """

    def __init__(self, name: str, answer: Any, oracle: Any, why: Mapping[Any, str]) -> None:
        self.name, self.answer, self.oracle, self.why = name, answer, oracle, dict(why)
        self._cases: list[_Case] = []

    def signature(self, *names: str, **defaults: Any) -> None:
        """Require these parameters, in this order, with these defaults; any further one needs a default."""
        wanted = (*names, *defaults)
        first_line = f"Define it with `def {self.name}({', '.join(wanted)}):`."
        if not callable(self.answer):
            raise NotYet(f"`{self.name}` is not a function but {describe_type(self.answer)}.", (), first_line)
        try:
            parameters = list(inspect.signature(self.answer).parameters.values())
        except ValueError:
            message = f"`{self.name}` is a function that comes with Python or a library: write your own."
            raise NotYet(message, (), first_line) from None
        found = tuple(parameter.name for parameter in parameters)
        further = [p for p in parameters[len(wanted) :] if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
        if found[: len(wanted)] != wanted or any(p.default is p.empty for p in further):
            raise NotYet(
                "The parameters are not the ones that the exercise asks for.",
                (("yours", ", ".join(found) or "(none)"), ("expected", ", ".join(wanted))),
                "Keep the first line of the function as the exercise gives it.",
            )
        for parameter in parameters:
            default = defaults.get(parameter.name, parameter.default)
            if parameter.name in defaults and parameter.default != default:
                yours = "none" if parameter.default is parameter.empty else brief(parameter.default)
                raise NotYet(
                    f"The default of `{parameter.name}` is not the one that the exercise asks for.",
                    (("yours", yours), ("expected", brief(default))),
                    "Keep the first line of the function as the exercise gives it.",
                )

    def call(self, *args: Any, label: str | None = None, **kwargs: Any) -> Any:
        """The result of the student's function, for a property; raises what :func:`call_safely` raises."""
        return call_safely(self.answer, label or describe_call(self.name, args, kwargs), args, kwargs)

    def case(
        self,
        *args: Any,
        expected: Any = _MISSING,
        tolerance: float = 1e-10,
        whole: bool = False,
        any_dtype: bool = False,
        label: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Record one call, to be compared with the oracle or with ``expected``; return the student's result.

        Args:
            args, kwargs: for the student's function and the oracle, which get copies.
            expected: instead of the oracle's result.
            tolerance: bounds max |difference| relative to max(1, max |expected|).
            whole: single numbers must be integers.
            any_dtype: any width of integers or floats will do.
            label: how the call is shown, where its arguments would say too much or too little.

        Returns:
            The result, or None where the call failed; whether it is right is judged later.
        """
        call = label or describe_call(self.name, args, kwargs)
        if expected is _MISSING:
            expected = self.oracle(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        options = {"whole": whole, "any_dtype": any_dtype}
        got, failure = _MISSING, None
        try:
            got = call_safely(self.answer, call, args, kwargs)
        except Stopped:
            raise
        except (NotYet, StudentError) as problem:
            failure = problem
        self._cases.append(_Case(call, args, kwargs, expected, tolerance, options, got, failure))
        return None if got is _MISSING else got

    def cases(self, table: Iterable[tuple], **options: Any) -> None:
        """Record one case for each tuple of arguments; ``options`` are those of :meth:`case`."""
        for args in table:
            self.case(*args, **options)

    def require(self, condition: bool, message: str, next_step: str = "", **details: Any) -> None:
        """A property that must hold; ``details`` are shown when it does not."""
        if not condition:
            raise NotYet(message, tuple((key, brief(value)) for key, value in details.items()), next_step)

    def judge(self) -> None:
        """Raise the problem of the first case that fails, or name the mistake if one explains all cases.

        Raises:
            NotYet, StudentError: as found; nothing is raised if all cases so far are right.
        """
        problems = [(case, problem) for case in self._cases if (problem := case.problem())]
        if not problems:
            return
        _, first = problems[0]
        if isinstance(first, NotYet):
            for wrong, message in self.why.items():
                case = self._shown_by(wrong)
                if case is not None:
                    raise NotYet(message, evidence(case.got, case.expected, case.call))
        raise first

    def _shown_by(self, wrong: Any) -> _Case | None:
        """The first case in which ``wrong`` differs from what is expected, if it explains every case."""
        shown = None
        for case in self._cases:
            value = _value_of(wrong, case)
            if case.got is _MISSING or value is _MISSING:
                continue
            if not agrees(case.got, value, case.tolerance):
                return None
            if shown is None and not agrees(value, case.expected, case.tolerance):
                shown = case
        return shown


def _value_of(wrong: Any, case: _Case) -> Any:
    """What a known mistake gives in this case; where it can't run, it can't explain the result either."""
    try:
        return wrong(*copy.deepcopy(case.args), **copy.deepcopy(case.kwargs))
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
        return _MISSING
