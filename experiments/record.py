"""Results of an experiment as JSON, and what it takes to go on after an interruption."""

from __future__ import annotations

import datetime
import json
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from course_utils.files import replacing


def write(path: str | Path, results: Mapping[str, Any], started: float) -> None:
    """Write ``results`` and how they came about: date, seconds, versions of Python, PyTorch and NumPy.

    The file holds ``{"run": {...}, "results": {...}}`` and is replaced at once or not at all.

    Args:
        path: the JSON file.
        results: whatever JSON can hold.
        started: ``time.perf_counter()`` when the experiment began; seconds of a former, interrupted run (see
            :func:`once`) are subtracted from it by the caller.
    """
    run = {
        "date": datetime.date.today().isoformat(),
        "seconds": round(time.perf_counter() - started),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
    _save(path, {"run": run, "results": dict(results)})


def read(path: str | Path) -> dict[str, Any]:
    """The results that :func:`write` wrote."""
    return json.loads(Path(path).read_text(encoding="utf-8"))["results"]


def once(folder: str | Path, name: str, compute: Callable[[], Any]) -> tuple[Any, float]:
    """One piece of an experiment, computed now or read from ``folder``, where a former run left it.

    Whoever calls it names the folder after all that the piece depends on (see ``definitions.fingerprint``).

    Returns:
        What ``compute()`` returned (numbers, texts, lists and dictionaries), and the seconds that a former
        run spent on it: 0 if it was computed now.
    """
    path = Path(folder) / f"{name}.json"
    if path.exists():
        piece = json.loads(path.read_text(encoding="utf-8"))
        return piece["value"], piece["seconds"]
    started = time.perf_counter()
    value = compute()
    _save(path, {"seconds": time.perf_counter() - started, "value": value})
    return json.loads(path.read_text(encoding="utf-8"))["value"], 0.0


def _save(path: str | Path, content: Any) -> None:
    with replacing(path) as file:
        file.write(json.dumps(content, indent=1).encode() + b"\n")
