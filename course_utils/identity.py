"""Whether two functions (losses, networks, validations) are the same, also from one process to the next.

A name does not tell: every lambda is called ``<lambda>``, and a function that was edited keeps its name. What
counts here is the compiled code of a function, its default arguments, and the same of all functions that it
calls in its own module. Functions of other modules count by name, unless they are a value that it uses. With
``values=True`` these count, too: arguments bound by ``functools.partial``, variables of the enclosing
function, globals of its module, attributes of a callable object (weights, ``label_smoothing``). Compiled code
belongs to one version of Python: another version's is another function.
"""

from __future__ import annotations

import functools
import hashlib
import sys
import types
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

_SIMPLE = (type(None), bool, int, float, complex, str, bytes, np.generic, torch.dtype, torch.device)


def function_identity(function: Any, values: bool = True) -> str:
    """The same text for the same function, 64 characters of hexadecimal; see the module for what counts."""
    return _digest(_describe(function, values, set()))


def network_identity(network: nn.Module) -> str:
    """The same text for the same code: of all classes in the network that are not torch's own."""
    classes = {cls for module in network.modules() for cls in type(module).__mro__}
    return _digest([[_name(cls), _methods(cls, False, set())] for cls in sorted(classes, key=_name)])


def weights_identity(network: nn.Module) -> str:
    """The same text for the same values of all parameters."""
    return _digest(_describe(dict(network.named_parameters()), True, set()))


def _digest(description: Any) -> str:
    return hashlib.sha256(repr(description).encode()).hexdigest()


def _describe(value: Any, values: bool, seen: set[int]) -> Any:
    """Nested lists, texts and numbers that stand for a value; ``seen`` ends cycles."""
    if isinstance(value, _SIMPLE):
        return repr(value)
    if isinstance(value, (torch.Tensor, np.ndarray)):
        array = value.detach().cpu().contiguous() if isinstance(value, torch.Tensor) else value
        if isinstance(array, torch.Tensor):
            array = array.reshape(-1).view(torch.uint8).numpy() if array.numel() else np.empty(0)
        return [str(value.dtype), list(value.shape), hashlib.sha256(np.ascontiguousarray(array)).hexdigest()]
    if isinstance(value, types.CodeType):
        return _code(value, values, seen)
    if isinstance(value, (types.ModuleType, type)):
        return _name(value)
    if id(value) in seen:
        return "seen above"
    seen.add(id(value))
    if isinstance(value, functools.partial):
        return [_describe(part, values, seen) for part in (value.func, value.args, value.keywords)]
    if isinstance(value, types.MethodType):
        return [_describe(value.__func__, values, seen), _describe(value.__self__, values, seen)]
    if isinstance(value, types.FunctionType):
        return _function(value, values, seen)
    if isinstance(value, Mapping):
        return [[_describe(key, values, seen), _describe(item, values, seen)] for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [_describe(item, values, seen) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(repr(_describe(item, values, seen)) for item in value)
    state = getattr(value, "__dict__", {}) if values and not _is_of_python(type(value)) else {}
    return [
        _name(type(value)),
        getattr(value, "__name__", ""),
        _methods(type(value), values, seen),
        _describe(dict(state), values, seen),
    ]


def _function(function: types.FunctionType, values: bool, seen: set[int]) -> list[Any]:
    described = [
        _name(function),
        _code(function.__code__, values, seen, function.__doc__),
        _describe([function.__defaults__, function.__kwdefaults__], True, seen),
        _describe(getattr(function, "__wrapped__", None), values, seen),
    ]
    if _is_of_torch(function) or _is_of_python(function):
        return described
    enclosing = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            enclosing[name] = cell.cell_contents
        except ValueError:  # a name that gets its value later
            continue
    used = {
        name: function.__globals__[name]
        for name in sorted(_names(function.__code__))
        if name in function.__globals__
    }
    for name, value in {**used, **enclosing}.items():
        own_function = isinstance(value, types.FunctionType) and value.__globals__ is function.__globals__
        if own_function or values:
            described.append([name, _describe(value, values, seen)])
    return described


def _code(code: types.CodeType, values: bool, seen: set[int], docstring: str | None = None) -> list[Any]:
    """Instructions, names and constants; neither file and line nor the docstring."""
    constants = [None if constant is docstring else constant for constant in code.co_consts]
    return [
        code.co_code.hex(),
        code.co_names,
        code.co_varnames,
        [_describe(constant, values, seen) for constant in constants],
    ]


def _names(code: types.CodeType) -> set[str]:
    """Global names in a function and in those defined inside of it."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names(constant)
    return names


def _methods(cls: type, values: bool, seen: set[int]) -> list[Any]:
    """The functions of a class that somebody wrote; none of torch's and Python's own classes."""
    if _is_of_torch(cls) or _is_of_python(cls):
        return []
    functions = (cls.__dict__[name] for name in sorted(cls.__dict__))
    return [_describe(item, values, seen) for item in functions if isinstance(item, types.FunctionType)]


def _is_of_torch(thing: Any) -> bool:
    return _package(thing) in ("torch", "numpy")


def _is_of_python(thing: Any) -> bool:
    package = _package(thing)
    return package in sys.stdlib_module_names and package != "__main__"


def _package(thing: Any) -> str:
    return str(getattr(thing, "__module__", "")).partition(".")[0]


def _name(thing: Any) -> str:
    module = getattr(thing, "__module__", "")
    return f"{module}.{getattr(thing, '__qualname__', getattr(thing, '__name__', ''))}"
