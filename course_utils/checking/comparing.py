"""Comparing results: of a student with the expected ones, and of the same numbers computed in two ways."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from course_utils.checking.failures import NotYet

_SINGLE_PRECISION = 1e-5  # relative: what a calculation in float32 leaves right


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
        raise NotYet(
            f"The answer should be a number or an array of numbers, not {what}.", (("called", call),)
        )
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
