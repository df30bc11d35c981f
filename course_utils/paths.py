"""Where the course keeps its files.

The three folders lie beside the package, in the repository's root, and are left out of version control. Each can be
moved by an environment variable, for example to a mounted drive on Colab: ``COURSE_DATA``, ``COURSE_RUNS``,
``COURSE_BUILD``.
"""

from __future__ import annotations

import os
from pathlib import Path


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


def _folder(variable: str, name: str) -> Path:
    folder = Path(os.environ.get(variable) or repository_root() / name)
    try:
        return folder.expanduser().resolve()
    except RuntimeError as error:  # "~somebody", and there is no such user
        raise ValueError(f"{variable} is {str(folder)!r}: {error} Choose another folder.") from error
