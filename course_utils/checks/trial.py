"""Run a student's answer safely and compare it with an oracle.

A check is a ladder of calls of one ``Trial``: signature, a tiny case done by hand, cases against the oracle,
properties. The first rung that fails ends the check with one message. ``Mistake``s are wrong answers that we
know: when the student's result equals one of them, the message names the misconception.
"""

from __future__ import annotations

import copy
import inspect
import linecache
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_PACKAGE = str(Path(__file__).resolve().parent.parent)
_MISSING = object()
_SINGLE_PRECISION = 1e-5  # relative: what a calculation in float32 leaves right


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


class Trial:
    """One attempt at one exercise.

    ``answer`` is the student's function (or class), ``oracle`` the independent one, ``mistakes`` maps a message to
    a function that makes this mistake.
    """

    def __init__(self, name: str, answer: Any, oracle: Any, mistakes: Mapping[str, Any]):
        self.name, self.answer, self.oracle, self.mistakes = name, answer, oracle, dict(mistakes)

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
        mistakes: Mapping[str, Any] | None = None,
        tolerance: float = 1e-10,
        label: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Compare one call with the oracle, or with ``expected``; return the student's result.

        ``tolerance`` bounds max |difference| relative to max(1, max |expected|). ``mistakes`` adds to those of the
        exercise: message -> function with the same parameters, or the wrong value itself.
        """
        call = label or describe_call(self.name, args, kwargs)
        if expected is _MISSING:
            expected = self.oracle(*copy.deepcopy(args), **copy.deepcopy(kwargs))
        got = self.call(*args, label=call, **kwargs)
        try:
            compare(got, expected, tolerance, call)
        except NotYet:
            for message, wrong in {**self.mistakes, **(mistakes or {})}.items():
                value = _value_of(wrong, args, kwargs)
                if agrees(got, value, tolerance) and not agrees(value, expected, tolerance):
                    raise NotYet(message, evidence(got, expected, call)) from None
            raise
        return got

    def require(self, condition: bool, message: str, next_step: str = "", **details: Any) -> None:
        """A property that must hold; ``details`` are shown when it does not."""
        if not condition:
            raise NotYet(message, tuple((key, brief(value)) for key, value in details.items()), next_step)


def compare(got: Any, expected: Any, tolerance: float, call: str) -> None:
    """Raise ``NotYet`` unless ``got`` has the kind, shape, data type and values of ``expected``."""
    if got is None:
        raise NotYet("Your function returned None.", (("called", call),), "Does it end with `return ...`?")
    if isinstance(expected, (tuple, list)):
        if not isinstance(got, (tuple, list)) or len(got) != len(expected):
            other = "" if isinstance(got, (tuple, list)) else f", not {_describe_type(got)}"
            raise NotYet(
                f"The answer should be a {type(expected).__name__} of {len(expected)} items{other}.",
                evidence(got, expected, call),
            )
        for index, (one, other) in enumerate(zip(got, expected)):
            compare(one, other, tolerance, f"{call}[{index}]")
        return
    if isinstance(expected, (str, dict)):
        if got != expected:
            raise NotYet("The answer differs.", evidence(got, expected, call))
        return
    if np.ndim(expected) > 0 and (_is_array(got), _is_tensor(got)) != (
        _is_array(expected),
        _is_tensor(expected),
    ):
        turned = "torch.from_numpy(...) turns an array into a tensor, x.numpy() a tensor into an array."
        raise NotYet(
            f"The answer should be {_describe_type(expected)}, not {_describe_type(got)}.",
            (("called", call),),
            turned if _is_array(got) else "",
        )
    mine, theirs = _as_numpy(got), _as_numpy(expected)
    if mine is None:
        what = f"an array of {got.dtype}" if _is_array(got) else _describe_type(got)
        raise NotYet(f"The answer should be a number or an array of numbers, not {what}.", (("called", call),))
    if mine.shape != theirs.shape:
        raise NotYet(
            f"The shape is {mine.shape}, expected {theirs.shape}.",
            evidence(got, expected, call),
        )
    other_type = theirs.ndim > 0 and not _same_kind(mine.dtype, theirs.dtype)
    if not agrees(got, expected, tolerance):
        if other_type and mine.dtype.kind == "f" and agrees(got, expected, _SINGLE_PRECISION):
            raise NotYet(
                f"The values are right to 7 digits only: they are {mine.dtype}, expected {theirs.dtype}.",
                evidence(got, expected, call),
                "Make the result in the type of the input, for example with x.new_zeros(...) (PyTorch) or "
                "np.zeros(..., x.dtype) (NumPy).",
            )
        raise NotYet("The values differ.", evidence(got, expected, call))
    if other_type:
        if theirs.dtype.kind in "iu":
            advice = "These are whole numbers: make the array with an integer type."
        else:
            advice = f"Another type may lose digits silently: make the array in {theirs.dtype}."
        raise NotYet(
            f"The values are right, the data type is not: {mine.dtype}, expected {theirs.dtype}.",
            (("called", call),),
            advice,
        )


def agrees(got: Any, expected: Any, tolerance: float) -> bool:
    """Whether two results have the same structure, shape and values (up to ``tolerance``)."""
    if isinstance(expected, (tuple, list)) or isinstance(got, (tuple, list)):
        if not (isinstance(expected, (tuple, list)) and isinstance(got, (tuple, list))):
            return False
        return len(got) == len(expected) and all(agrees(a, b, tolerance) for a, b in zip(got, expected))
    mine, theirs = _as_numpy(got), _as_numpy(expected)
    if mine is None or theirs is None:
        return type(got) is type(expected) and not _is_array(got) and got == expected
    if mine.shape != theirs.shape:
        return False
    if mine.size == 0:
        return True
    if mine.dtype == bool and theirs.dtype == bool:
        return bool((mine == theirs).all())
    difference = max_difference(mine, theirs)
    finite = np.abs(theirs[np.isfinite(theirs)])
    return difference <= tolerance * max(1.0, float(finite.max()) if finite.size else 1.0)


def max_difference(got: np.ndarray, expected: np.ndarray) -> float:
    """max |got - expected|; infinite where one is NaN or infinite and the other is not the same."""
    got, expected = np.asarray(got, dtype=complex), np.asarray(expected, dtype=complex)
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    with np.errstate(invalid="ignore"):
        difference = np.where(same, 0.0, np.abs(got - expected))
    return float(np.where(np.isnan(difference), np.inf, difference).max())


def evidence(got: Any, expected: Any, call: str) -> tuple[tuple[str, str], ...]:
    """The rows of a "not yet": what was called, what came, what was expected, how far apart."""
    rows = [("called", call), ("came", brief(got)), ("expected", brief(expected))]
    mine, theirs = _as_numpy(got), _as_numpy(expected)
    if mine is not None and theirs is not None and mine.shape == theirs.shape and mine.size:
        rows.append(("max |difference|", f"{max_difference(mine, theirs):.3g}"))
    return tuple(rows)


def describe_call(name: str, args: tuple, kwargs: Mapping[str, Any]) -> str:
    """``name(...)`` with its arguments as short as a reader can use."""
    parts = [brief(value) for value in args] + [f"{key}={brief(value)}" for key, value in kwargs.items()]
    return f"{name}({', '.join(parts)})"


def brief(value: Any, limit: int = 24) -> str:
    """A value in one or few lines: small arrays whole, large ones by shape, type and range."""
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    if not _is_array(value):
        text = repr(value.item() if isinstance(value, np.generic) else value)
        return text if len(text) <= 300 else text[:297] + "..."
    array = _as_numpy(value)
    kind = "tensor" if _is_tensor(value) else "array"
    if array.size <= limit:
        return np.array2string(array, precision=5, separator=", ", suppress_small=True)
    values = f", {array.min():.4g} to {array.max():.4g}" if array.dtype.kind in "fiub" else ""
    return f"<{kind} {tuple(array.shape)} {array.dtype}{values}>"


def _value_of(wrong: Any, args: tuple, kwargs: Mapping[str, Any]) -> Any:
    """What a known mistake gives for this call; a mistake that can't run here can't explain the result either."""
    if not callable(wrong):
        return wrong
    try:
        return wrong(*copy.deepcopy(args), **copy.deepcopy(kwargs))
    except (ValueError, IndexError, TypeError, RuntimeError, ZeroDivisionError):
        return _MISSING


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or _is_tensor(value)


def _as_numpy(value: Any) -> np.ndarray | None:
    if _is_tensor(value):
        return value.detach().cpu().numpy()
    if isinstance(value, (bool, int, float, complex, np.ndarray, np.generic)):
        array = np.asarray(value)
        return array if array.dtype.kind in "biufc" else None
    return None


def _same(one: Any, other: Any) -> bool:
    if _is_array(one) and _is_array(other):
        return agrees(one, other, 0.0)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, (str, bytes, int, float, complex, bool, type(None))):
        return one == other or (one != one and other != other)
    return True  # objects without a value to compare, such as modules and generators


def _same_kind(got: np.dtype, expected: np.dtype) -> bool:
    if expected.kind == "b" or expected.kind == "f":
        return got == expected
    return got.kind in "iu" if expected.kind in "iu" else got.kind == expected.kind


def _describe_type(value: Any) -> str:
    if _is_tensor(value):
        return "a torch tensor"
    if isinstance(value, np.ndarray):
        return "a NumPy array"
    return f"{'an' if type(value).__name__[0] in 'aeio' else 'a'} {type(value).__name__}"


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
