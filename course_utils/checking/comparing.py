"""Comparing a student's result with the expected one, and showing both in few words."""

from __future__ import annotations

import numbers
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from course_utils.checking.failures import NotYet

_SINGLE_PRECISION = 1e-5  # relative: what a calculation in float32 leaves right
_WHOLE = "A whole number is asked for: convert with `int(...)`; `//` rounds down, `math.ceil` up."
_NAMED_ARRAY_TYPES = {"i": "integers", "u": "integers", "f": "floating-point numbers"}


def require_equal(
    got: Any, expected: Any, tolerance: float, call: str, *, whole: bool = False, any_dtype: bool = False
) -> None:
    """Raise ``NotYet`` unless ``got`` has the kind, shape, data type and values of ``expected``.

    Args:
        got: the student's result.
        expected: a number, string, array or tensor, or a tuple, list or dictionary of them.
        tolerance: bounds max |difference| relative to max(1, max |expected|).
        call: what was called, for the message.
        whole: single numbers must be integers (int, NumPy's, or arrays of one).
        any_dtype: accept integers or floats of any width where integers or floats are expected.
    """
    if got is None:
        raise NotYet("Your function returned None.", (("called", call),), "Does it end with `return ...`?")
    if isinstance(expected, (tuple, list)):
        _require_sequence(got, expected, tolerance, call, whole=whole, any_dtype=any_dtype)
        return
    if isinstance(expected, (str, Mapping)):
        if got != expected:
            raise NotYet("The answer differs.", evidence(got, expected, call))
        return
    _require_kind(got, expected, call)
    mine, theirs = as_numpy(got), as_numpy(expected)
    if mine.shape != theirs.shape:
        raise NotYet(f"The shape is {mine.shape}, expected {theirs.shape}.", evidence(got, expected, call))
    if whole and theirs.ndim == 0 and not _is_integer(got) and float(mine) == round(float(mine)):
        raise NotYet(_WHOLE, evidence(got, expected, call))
    other_type = theirs.ndim > 0 and not _same_dtype(got, expected, any_dtype)
    if not agrees(got, expected, tolerance):
        if _is_single(got) and agrees(got, expected, _SINGLE_PRECISION):
            raise NotYet(
                f"The values are right to 7 digits only: they are {dtype_name(got)}, wanted in float64.",
                evidence(got, expected, call),
                "Make the result in the type of the input, for example with x.new_zeros(...) (PyTorch) or "
                "np.zeros(..., x.dtype) (NumPy).",
            )
        raise NotYet("The values differ.", evidence(got, expected, call))
    if other_type:
        raise NotYet(
            f"The values are right, the data type is not: {dtype_name(got)}, not {dtype_name(expected)}.",
            (("called", call),),
            _advice_on_dtype(got, expected),
        )


def _require_sequence(
    got: Any, expected: tuple | list, tolerance: float, call: str, *, whole: bool, any_dtype: bool
) -> None:
    if not isinstance(got, (tuple, list)) or len(got) != len(expected):
        other = "" if isinstance(got, (tuple, list)) else f", not {describe_type(got)}"
        raise NotYet(
            f"The answer should be a {type(expected).__name__} of {len(expected)} items{other}.",
            evidence(got, expected, call),
        )
    for index, (one, other) in enumerate(zip(got, expected)):
        require_equal(one, other, tolerance, f"{call}[{index}]", whole=whole, any_dtype=any_dtype)


def _require_kind(got: Any, expected: Any, call: str) -> None:
    """An array where an array is expected, a tensor where a tensor is, and numbers in it."""
    if is_tensor(got) and (got.layout is not sys.modules["torch"].strided or got.device.type == "meta"):
        kind = "has no values (it is on the device `meta`)" if got.device.type == "meta" else "is sparse"
        raise NotYet(
            f"Your tensor {kind}: return an ordinary one.", (("called", call),), "x.to_dense() makes one."
        )
    kinds_differ = (_is_ndarray(got), is_tensor(got)) != (_is_ndarray(expected), is_tensor(expected))
    if np.ndim(expected) > 0 and kinds_differ:
        turned = "torch.from_numpy(...) turns an array into a tensor, x.numpy() a tensor into an array."
        raise NotYet(
            f"The answer should be {describe_type(expected)}, not {describe_type(got)}.",
            (("called", call),),
            turned if _is_ndarray(got) or is_tensor(got) else "",
        )
    if as_numpy(got) is None:
        what = f"an array of {got.dtype}" if _is_ndarray(got) else describe_type(got)
        message = f"The answer should be a number or an array of numbers, not {what}."
        raise NotYet(message, (("called", call),))


def agrees(got: Any, expected: Any, tolerance: float) -> bool:
    """Whether two results have the same structure, shape and values (up to ``tolerance``)."""
    if isinstance(expected, (tuple, list)) or isinstance(got, (tuple, list)):
        if not (isinstance(expected, (tuple, list)) and isinstance(got, (tuple, list))):
            return False
        return len(got) == len(expected) and all(agrees(a, b, tolerance) for a, b in zip(got, expected))
    mine, theirs = as_numpy(got), as_numpy(expected)
    if mine is None or theirs is None:
        return type(got) is type(expected) and not _is_ndarray(got) and not is_tensor(got) and got == expected
    if mine.shape != theirs.shape:
        return False
    if mine.size == 0:
        return True
    if mine.dtype == bool and theirs.dtype == bool:
        return bool((mine == theirs).all())
    finite = np.abs(theirs[np.isfinite(theirs)])
    return max_difference(mine, theirs) <= tolerance * max(1.0, float(finite.max()) if finite.size else 1.0)


def max_difference(got: np.ndarray, expected: np.ndarray) -> float:
    """max |got - expected|; infinite where one is NaN or infinite and the other is not the same."""
    got, expected = np.asarray(got, dtype=complex), np.asarray(expected, dtype=complex)
    same = (got == expected) | (np.isnan(got) & np.isnan(expected))
    with np.errstate(invalid="ignore"):
        difference = np.where(same, 0.0, np.abs(got - expected))
    return float(np.where(np.isnan(difference), np.inf, difference).max())


def unchanged(one: Any, other: Any) -> bool:
    """Whether two arguments are the same in every value; what has no values to compare counts as the same."""
    if _has_values(one) and _has_values(other):
        return agrees(one, other, 0.0)
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(unchanged(a, b) for a, b in zip(one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return list(one) == list(other) and all(unchanged(one[key], other[key]) for key in one)
    if type(one) is not type(other):
        return False
    if type(one).__eq__ is object.__eq__:
        return True  # a module or a generator
    return bool(one == other) or (one != one and other != other)


# ---- in few words


def evidence(got: Any, expected: Any, call: str) -> tuple[tuple[str, str], ...]:
    """The rows of a "not yet": what was called, what came, what was expected, how far apart."""
    came, wanted = brief(got), brief(expected)
    if came == wanted:  # they differ in digits that are usually left out
        came, wanted = brief(got, digits=17), brief(expected, digits=17)
    rows = [("called", call), ("came", came), ("expected", wanted)]
    mine, theirs = as_numpy(got), as_numpy(expected)
    if mine is not None and theirs is not None and mine.shape == theirs.shape and mine.size:
        if mine.dtype == bool and theirs.dtype == bool:
            if mine.size == 1:
                return tuple(rows)
            rows.append(("differ in", f"{int((mine != theirs).sum())} of {mine.size} places"))
        else:
            rows.append(("max |difference|", f"{max_difference(mine, theirs):.3g}"))
    return tuple(rows)


def describe_call(name: str, args: tuple, kwargs: Mapping[str, Any]) -> str:
    """``name(...)`` with its arguments as short as a reader can use."""
    parts = [brief(value) for value in args] + [f"{key}={brief(value)}" for key, value in kwargs.items()]
    return f"{name}({', '.join(parts)})"


def brief(value: Any, limit: int = 25, digits: int = 5) -> str:
    """A value in one or few lines: small arrays whole, masks as a picture, the rest by shape, type, range."""
    if callable(value) and hasattr(value, "__name__"):
        return value.__name__
    if not (_is_ndarray(value) or is_tensor(value)):
        return _shortened(repr(value.item() if isinstance(value, np.generic) else value))
    array = as_numpy(value)
    if array is None:
        return _shortened(repr(value))
    if array.dtype == bool and array.ndim == 2 and array.size <= 400 and array.shape[1] <= 40:
        return "\n".join("".join("#" if cell else "." for cell in row) for row in array)
    if array.size <= limit:
        return np.array2string(array, precision=digits, separator=", ", suppress_small=digits < 17)
    kind = "tensor" if is_tensor(value) else "array"
    values = f", {array.min():.4g} to {array.max():.4g}" if array.dtype.kind in "fiu" else ""
    return f"<{kind} {tuple(array.shape)} {dtype_name(value)}{values}>"


def describe_type(value: Any) -> str:
    """``a NumPy array``, ``an int`` and so on."""
    if is_tensor(value):
        return "a torch tensor"
    if isinstance(value, np.ndarray):
        return "a NumPy array"
    return f"{'an' if type(value).__name__[0] in 'aeio' else 'a'} {type(value).__name__}"


def dtype_name(value: Any) -> str:
    """``float64`` for arrays and tensors alike; the type's name for anything else."""
    return str(getattr(value, "dtype", type(value).__name__)).removeprefix("torch.")


def _shortened(text: str) -> str:
    return text if len(text) <= 300 else text[:297] + "..."


# ---- what kind of thing a result is


def is_tensor(value: Any) -> bool:
    """Whether ``value`` is a torch tensor, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def as_numpy(value: Any) -> np.ndarray | None:
    """Numbers as a NumPy array; None for what holds none (text, objects, sparse and meta tensors)."""
    if is_tensor(value):
        torch = sys.modules["torch"]
        if value.layout is not torch.strided or value.device.type == "meta":
            return None
        value = value.detach().cpu().resolve_conj().resolve_neg()
        return (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    if isinstance(value, (numbers.Complex, np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype == object and array.ndim == 0 and isinstance(value, numbers.Real):
            array = np.asarray(_as_float(value))
        return array if array.dtype.kind in "biufc" else None
    return None


def _as_float(value: numbers.Real) -> float:
    """A Fraction or a huge int as a float; what is beyond float's range becomes infinite."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _is_ndarray(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _has_values(value: Any) -> bool:
    return (_is_ndarray(value) or is_tensor(value)) and as_numpy(value) is not None


def _is_integer(value: Any) -> bool:
    array = as_numpy(value)
    return array is not None and array.dtype.kind in "iu"


def _is_single(value: Any) -> bool:
    """Whether a result was computed in single or half precision."""
    return dtype_name(value) in ("float32", "float16", "bfloat16")


def _same_dtype(got: Any, expected: Any, any_dtype: bool) -> bool:
    if not any_dtype:
        return dtype_name(got) == dtype_name(expected)
    kinds = [as_numpy(value).dtype.kind.replace("u", "i") for value in (got, expected)]
    return kinds[0] == kinds[1]


def _advice_on_dtype(got: Any, expected: Any) -> str:
    wanted, kind = dtype_name(expected), as_numpy(expected).dtype.kind
    convert = f"x.to(torch.{wanted})" if is_tensor(got) else f'x.astype("{wanted}")'
    if kind == "b":
        return f"Wanted are True and False: {convert}, or a comparison."
    if kind in "iu" and as_numpy(got).dtype.kind == "f":
        return f"These are whole numbers: make the array with an integer type, for example {convert}."
    if kind == "f" and as_numpy(got).dtype.kind == "f":
        return f"Another type may lose digits silently: keep that of the input, here {wanted}."
    return f"Wanted are {_NAMED_ARRAY_TYPES.get(kind, 'numbers')} of type {wanted}: {convert}."
