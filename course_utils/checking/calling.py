"""Calling a student's function so that nothing it does can hurt the notebook.

It gets copies of its arguments and a time limit, and global state is set back afterwards. Whatever it raises
becomes a message with the student's own lines.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import ctypes
import inspect
import linecache
import random
import sys
import textwrap
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from course_utils.checking.comparing import unchanged
from course_utils.checking.failures import NotAttempted, NotYet, Stopped, StudentError

TIME_LIMIT = 20.0
"""Seconds that one call of a student's function may take; a right answer needs a fraction of one."""

_PACKAGE = str(Path(__file__).resolve().parent.parent)
_ASK_AGAIN = 0.5  # seconds; a bare `except:` inside an endless loop swallows the first request to stop
_DELETE_THE_RAISE = "The stub's `raise NotImplementedError` is still there: what you wrote has no effect."


class _TooLong(BaseException):
    """Raised inside a student's function when its time is over. No ``except Exception`` catches it."""


def call_safely(
    function: Callable, call: str, args: tuple, kwargs: Mapping[str, Any], *, time_limit: float | None = None
) -> Any:
    """The result of ``function(*args, **kwargs)``, called on copies of the arguments.

    ``call`` describes the call in messages; ``time_limit`` is in seconds, by default ``TIME_LIMIT``.

    Raises:
        NotAttempted: the stub is still there, or the function returned ``...``.
        StudentError: the function raised. Its subclass Stopped: it took too long, or was interrupted.
        NotYet: it changed its input or global state, or it still has the stub's ``raise`` beside other code.
    """
    time_limit = TIME_LIMIT if time_limit is None else time_limit
    given_args, given_kwargs = copy.deepcopy(args), copy.deepcopy(dict(kwargs))
    state = _GlobalState()
    try:
        with _limited(time_limit):
            result = function(*given_args, **given_kwargs)
    except _TooLong as error:
        reason = f"Stopped after {time_limit:g} seconds: does this loop ever end?"
        raise Stopped(call, _own_lines(error, reason)) from None
    except KeyboardInterrupt as error:
        raise Stopped(call, _own_lines(error, "Interrupted by you, here.")) from None
    except NotImplementedError as error:
        if _own_frames(error) and _last_frame_is_own(error):
            if _has_more_than_the_stub(function):
                step = "Delete the line `raise NotImplementedError(...)`."
                raise NotYet(_DELETE_THE_RAISE, (("called", call),), step) from None
            raise NotAttempted from None
        raise StudentError(call, _own_lines(error)) from None
    except BaseException as error:  # also SystemExit: whatever an answer raises is a message, not a crash
        raise StudentError(call, _own_lines(error)) from None
    finally:
        changed = state.restore()
    if result is Ellipsis:
        raise NotAttempted
    if changed:
        raise NotYet(
            f"Your function leaves {' and '.join(changed)} changed, which every later cell would feel.",
            (("called", call),),
            "Change it for a while only (`with torch.no_grad():`), or not at all. Here it was set back.",
        )
    if not (unchanged(given_args, args) and unchanged(given_kwargs, dict(kwargs))):
        raise NotYet(
            "Your function changes its input. Whoever calls it still needs that input.",
            (("called", call),),
            "Work on a copy: `x = x.copy()` (NumPy), `x = x.clone()` (PyTorch), `x = list(x)` (a list).",
        )
    return result


class _GlobalState:
    """What a function can leave changed behind it; torch's part only where torch is in use."""

    def __init__(self) -> None:
        self._random, self._numpy = random.getstate(), np.random.get_state()
        torch = self._torch = sys.modules.get("torch")
        if torch is not None:
            self._named = self._read_named()
            self._generator = torch.get_rng_state()

    def _read_named(self) -> dict[str, Any]:
        torch = self._torch
        return {
            "the gradient mode (torch.set_grad_enabled)": torch.is_grad_enabled(),
            "the default data type (torch.set_default_dtype)": torch.get_default_dtype(),
            "the number of threads (torch.set_num_threads)": torch.get_num_threads(),
            "the random seed (torch.manual_seed)": torch.initial_seed(),
        }

    def restore(self) -> list[str]:
        """Set everything back; the names of what the function had set. Random numbers drawn are not named."""
        random.setstate(self._random)
        np.random.set_state(self._numpy)
        if self._torch is None:
            return []
        changed = [name for name, value in self._read_named().items() if value != self._named[name]]
        mode, dtype, threads, seed = self._named.values()
        self._torch.set_grad_enabled(mode)
        self._torch.set_default_dtype(dtype)
        if self._torch.get_num_threads() != threads:
            self._torch.set_num_threads(threads)
        if self._torch.initial_seed() != seed:
            self._torch.manual_seed(seed)
        self._torch.set_rng_state(self._generator)
        return changed


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise ``_TooLong`` in this thread if the block takes longer. Works in any thread, on any system."""
    thread = ctypes.c_ulong(threading.get_ident())
    lock, over = threading.Lock(), threading.Event()

    def watch() -> None:
        wait = seconds
        while not over.wait(wait):
            with lock:
                if not over.is_set():
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_TooLong))
            wait = _ASK_AGAIN

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        with lock:
            over.set()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)  # asked for, but not delivered yet


def _has_more_than_the_stub(function: Callable) -> bool:
    """Whether the function has statements beside its docstring and the stub's ``raise``."""
    try:
        (definition,) = ast.parse(
            textwrap.dedent(inspect.getsource(getattr(function, "__code__", function)))
        ).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return False  # no source to read, as for a function made by exec
    if not isinstance(definition, ast.FunctionDef):
        return False
    body = definition.body[1:] if ast.get_docstring(definition) is not None else definition.body
    return len(body) > 1


def _is_own(filename: str) -> bool:
    """Whether a frame is the student's: neither ours nor a library's."""
    library = ("site-packages", "dist-packages", "<frozen", "<__array_function__")
    standard = str(Path(traceback.__file__).resolve().parent)
    path = filename.replace("\\", "/")
    return not (filename.startswith((_PACKAGE, standard)) or any(part in path for part in library))


def _own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    return [frame for frame in traceback.extract_tb(error.__traceback__) if _is_own(frame.filename)]


def _last_frame_is_own(error: BaseException) -> bool:
    return _is_own(traceback.extract_tb(error.__traceback__)[-1].filename)


def _own_lines(error: BaseException, reason: str = "") -> str:
    """The student's last lines that the error came through, then ``reason`` or the error's own text."""
    lines = []
    for frame in _own_frames(error)[-4:]:
        text = frame.line or linecache.getline(frame.filename, frame.lineno or 0)
        lines.append(f"line {frame.lineno}, in {frame.name}:  {text.strip()}")
    return "\n".join([*lines, reason or _described(error)])


def _described(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "SystemExit: this would end Python itself; use `return` to leave a function."
    try:
        return f"{type(error).__name__}: {error}"
    except Exception as another:
        return f"{type(error).__name__} (whose own text raises {type(another).__name__})"
