"""Building known mistakes from a right answer: most are the right function with another argument or result.

    why={
        given(right, kernel=lambda kernel: kernel.flip(0)): "Your kernel is flipped.",
        given(right, padding=0): "The padding is missing.",
        then(right, lambda y: y.T): "Rows and columns are exchanged.",
    }

Where a mistake sits inside the calculation, write the right function with a switch and use
``functools.partial``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any


def given(right: Callable, /, **changes: Any) -> Callable:
    """``right`` with other arguments: each change is a value, or a function of the argument that was given.

    Raises TypeError where ``right`` has no parameter of that name.
    """
    signature = inspect.signature(right)
    unknown = set(changes) - set(signature.parameters)
    if unknown:
        raise TypeError(f"{right} has no parameter {', '.join(sorted(unknown))}")

    @functools.wraps(right)
    def wrong(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        for name, change in changes.items():
            bound.arguments[name] = change(bound.arguments[name]) if callable(change) else change
        return right(*bound.args, **bound.kwargs)

    return wrong


def then(right: Callable, change: Callable[[Any], Any]) -> Callable:
    """``right`` whose result is changed afterwards."""

    @functools.wraps(right)
    def wrong(*args: Any, **kwargs: Any) -> Any:
        return change(right(*args, **kwargs))

    return wrong
