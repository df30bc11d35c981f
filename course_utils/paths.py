"""Where the course keeps its files.

The three folders lie beside the package, in the repository's root, and are left out of version control. Each
can be moved by an environment variable, for example to a mounted drive on Colab: ``COURSE_DATA``,
``COURSE_RUNS``, ``COURSE_BUILD``, and ``COURSE_EXECUTED`` for the executed notebooks in it.
"""

from __future__ import annotations

import os
from pathlib import Path


class PathError(ValueError):
    """A setting names no folder; the message says which."""


def repository_root() -> Path:
    """The folder that holds ``course_utils``."""
    return Path(__file__).resolve().parent.parent


def data_dir() -> Path:
    """Data sets: ``data/`` or ``$COURSE_DATA``. Raises ValueError where it begins with an unknown ~user."""
    return _folder("COURSE_DATA", "data")


def runs_dir() -> Path:
    """Checkpoints and predictions of trainings: ``runs/`` or ``$COURSE_RUNS``. Raises as :func:`data_dir`."""
    return _folder("COURSE_RUNS", "runs")


def build_dir() -> Path:
    """Executed notebooks as HTML pages: ``build/`` or ``$COURSE_BUILD``."""
    return _folder("COURSE_BUILD", "build")


def executed_dir() -> Path:
    """Executed notebooks, kept until something changes: ``build/executed/`` or ``$COURSE_EXECUTED``."""
    setting = os.environ.get("COURSE_EXECUTED")
    return _place("COURSE_EXECUTED", setting) if setting else build_dir() / "executed"


def work_dir() -> Path:
    """The student's own copies of the notebooks: ``work/``."""
    return repository_root() / "work"


def _folder(variable: str, name: str) -> Path:
    setting = os.environ.get(variable)
    return _place(variable, setting) if setting else repository_root() / name


def _place(variable: str, setting: str) -> Path:
    try:
        return Path(setting).expanduser().resolve()
    except RuntimeError:
        user = Path(setting).parts[0]
        raise PathError(f"{variable} is {setting}, but this machine has no user {user[1:]!r}") from None
