"""Reading answers of "predict the number" and "explain the picture" exercises, however they are written."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np

from course_utils.checking.comparing import as_numpy
from course_utils.checking.failures import NotYet


def read_number(value: Any) -> float:
    """A number as float: int, float, Fraction, NumPy's, or an array or tensor with one element.

    Raises:
        NotYet: it is no real number, or none that can be compared (nan).
    """
    if isinstance(value, str):
        step = "Leave out the quotes." if _is_written_number(value) else "Write it as 12 or 3.5 or 2 * 240."
        raise NotYet(f"A number is asked for; this is the text {value!r}.", (), step)
    array = None if isinstance(value, (bool, np.bool_)) else as_numpy(value)
    if array is None or array.size != 1 or array.dtype.kind not in "iuf":
        raise NotYet(
            f"A number is asked for; this is {_short(value)}.", (), "Write it as 12 or 3.5 or 2 * 240."
        )
    number = float(array.item())
    if math.isnan(number):
        raise NotYet("This is nan, not a number: did something divide 0 by 0?")
    return number


def read_letter(value: Any, letters: list[str]) -> str:
    """One of ``letters`` from "b", "B.", "(B)", "**B**", or an array of one such text.

    Raises:
        NotYet: it is none of them.
    """
    if isinstance(value, (list, tuple, np.ndarray)) and np.size(value) == 1:
        value = np.asarray(value).item()
    letter = value.strip(" \t\n.,:;()[]*`'\"").upper() if isinstance(value, str) else None
    if letter not in letters:
        raise NotYet(
            f"{_short(value)} is none of the letters {', '.join(letters)}.", (), 'For example: answer = "A".'
        )
    return letter


def shown(number: float) -> str:
    """A number as a reader likes it: 134,346,581 or 0.0625."""
    return f"{number:,.0f}" if number.is_integer() and abs(number) < 1e15 else f"{number:.6g}"


def direction(number: float, answer: float, tolerance: float) -> str:
    """In which direction a wrong number is off, and how precisely it is wanted."""
    if number < 0 <= answer:
        return f"{shown(number)} is negative; what is asked for can't be."
    side = "small" if number < answer else "large"
    precision = "the exact number" if tolerance <= 1e-6 else f"a number within {tolerance * 100:g} %"
    return f"{shown(number)} is too {side}. Asked for is {precision}."


def close(number: float, target: numbers.Real, tolerance: float) -> bool:
    """Whether ``number`` lies within ``tolerance`` of ``target``, relative to it (absolute for zero)."""
    return abs(number - float(target)) <= tolerance * (abs(float(target)) or 1.0)


def _is_written_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
