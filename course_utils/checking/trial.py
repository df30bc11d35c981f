"""Run a student's answer safely and compare it with an oracle.

A check is a ladder of calls of one ``Trial``: signature, a tiny case done by hand, cases against the oracle,
properties. The first rung that fails ends the check with one message. ``Mistake``s are wrong answers that we
know: when the student's result equals one of them, the message names the misconception.
"""

from __future__ import annotations

import copy
import inspect
import linecache
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from course_utils.checking.comparing import (
    _describe_type,
    _same,
    agrees,
    brief,
    compare,
    describe_call,
    evidence,
)
from course_utils.checking.failures import NotAttempted, NotYet, StudentError

_PACKAGE = str(Path(__file__).resolve().parent.parent)


_MISSING = object()


class Trial:
    """One attempt at one exercise.

    ``answer`` is the student's function (or class), ``oracle`` the independent one, ``why`` maps a
    function that makes a mistake to the message that explains it.
    """

    def __init__(self, name: str, answer: Any, oracle: Any, why: Mapping[Any, str]):
        self.name, self.answer, self.oracle, self.why = name, answer, oracle, dict(why)

    def signature(self, *names: str) -> None:
        """Require these parameters, in this order; any further parameter needs a default."""
        if not callable(self.answer):
            raise NotYet(
                f"`{self.name}` is not a function but {_describe_type(self.answer)}.",
                next_step=f"Define it with `def {self.name}({', '.join(names)}):`.",
            )
        parameters = list(inspect.signature(self.answer).parameters.values())
        found = [parameter.name for parameter in parameters]
        extra = [
            p.name
            for p in parameters[len(names) :]
            if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
        if tuple(found[: len(names)]) != names or extra:
            raise NotYet(
                "The parameters are not the ones that the exercise asks for.",
                (("yours", ", ".join(found) or "(none)"), ("expected", ", ".join(names))),
                "Keep the first line of the function as the exercise gives it.",
            )

    def call(self, *args: Any, label: str | None = None, **kwargs: Any) -> Any:
        """Call the student's function on copies of the arguments; changing them in place is an error."""
        call = label or describe_call(self.name, args, kwargs)
        given_args, given_kwargs = copy.deepcopy(args), copy.deepcopy(kwargs)
        try:
            result = self.answer(*given_args, **given_kwargs)
        except NotImplementedError as error:
            if _own_frames(error) and _last_frame_is_own(error):
                raise NotAttempted from None
            raise StudentError(call, _own_lines(error)) from None
        except (
            Exception
        ) as error:  # any failure of the student's code becomes an answer, never a crash of the check
            raise StudentError(call, _own_lines(error)) from None
        if result is Ellipsis:
            raise NotAttempted
        if not (_same(given_args, args) and _same(given_kwargs, kwargs)):
            raise NotYet(
                "Your function changes its input. Whoever calls it still needs that array.",
                (("called", call),),
                "Work on a copy: `x = x.copy()` (NumPy) or `x = x.clone()` (PyTorch).",
            )
        return result

    def case(
        self,
        *args: Any,
        expected: Any = _MISSING,
        why: Mapping[Any, str] | None = None,
        tolerance: float = 1e-10,
        label: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Compare one call with the oracle, or with ``expected``; return the student's result.

        ``tolerance`` bounds max |difference| relative to max(1, max |expected|). ``why`` adds to those of the
        exercise: message -> function with the same parameters, or the wrong value itself.
        """
        call = label or describe_call(self.name, args, kwargs)
        if expected is _MISSING:
            expected = self.oracle(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        got = self.call(*args, label=call, **kwargs)
        try:
            compare(got, expected, tolerance, call)
        except NotYet:
            for wrong, message in {**self.why, **(why or {})}.items():
                value = _value_of(wrong, args, kwargs)
                if agrees(got, value, tolerance) and not agrees(value, expected, tolerance):
                    raise NotYet(message, evidence(got, expected, call)) from None
            raise
        return got

    def require(self, condition: bool, message: str, next_step: str = "", **details: Any) -> None:
        """A property that must hold; ``details`` are shown when it does not."""
        if not condition:
            raise NotYet(message, tuple((key, brief(value)) for key, value in details.items()), next_step)


def _value_of(wrong: Any, args: tuple, kwargs: Mapping[str, Any]) -> Any:
    """What a known mistake gives for this call; a mistake that can't run here can't explain the result either."""
    if not callable(wrong):
        return wrong
    try:
        return wrong(*copy.deepcopy(args), **copy.deepcopy(kwargs))
    except (ValueError, IndexError, TypeError, RuntimeError, ZeroDivisionError):
        return _MISSING


def _is_own(filename: str) -> bool:
    """Whether a frame is the student's: neither ours nor a library's."""
    library = ("site-packages", "dist-packages", "<frozen", "<__array_function__")
    standard = Path(traceback.__file__).resolve().parent
    path = filename.replace("\\", "/")
    return not (
        filename.startswith(_PACKAGE)
        or any(part in path for part in library)
        or filename.startswith(str(standard))
    )


def _own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    return [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame.filename)]


def _last_frame_is_own(error: BaseException) -> bool:
    return _is_own(traceback.extract_tb(error.__traceback__)[-1].filename)


def _own_lines(error: BaseException) -> str:
    lines = [
        f"line {frame.lineno}, in {frame.name}:  {(frame.line or linecache.getline(frame.filename, frame.lineno)).strip()}"
        for frame in _own_frames(error)
    ]
    return "\n".join([*lines[-4:], f"{type(error).__name__}: {error}"])
