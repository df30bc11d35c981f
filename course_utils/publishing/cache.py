"""Every notebook is executed once per state of the repository, whoever asks first.

``build/executed/<stem>-<key>/`` holds what running one notebook gave: ``solution.ipynb`` and
``student.ipynb``, with outputs, and ``runs/``, the trainings, which both share. The key is a hash of
everything that can change a result: the code cells of both versions, the package, the results of experiments,
the versions of Python and of all installed packages, and the settings of the environment. Prose is not part
of it: outputs are laid into the notebook as it is now. A key that no longer holds is never found again, and
its folder is deleted when the notebook is next executed.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from filelock import FileLock
from nbformat import NotebookNode

from course_utils import files, paths

VERSIONS = ("solution", "student")

_LAYOUT = 1  # raised when the files in a folder change their meaning
_OWN_FOLDERS = ("checks", "interactive")  # one file a topic; that of another topic changes nothing here
_SUFFIXES = (".py", ".npz", ".json")
# Rooms that no notebook enters: what they do to a notebook shows in its code cells.
_OTHER_ROOMS = ("publishing", "grading")
_KERNEL = "publishing/run.py"  # but this starts the kernels
_SETTINGS = (
    "COURSE_",
    "CUDA_",
    "OMP_",
    "KMP_BLOCKTIME",  # not all of KMP_: importing scikit-learn sets two of them
    "GOMP_",
    "MKL_",
    "OPENBLAS_",
    "VECLIB_",
    "TORCH_",
    "PYTHONHASHSEED",
)
_FOLDERS = ("COURSE_DATA", "COURSE_RUNS", "COURSE_BUILD", "COURSE_EXECUTED")  # where, not what
_FIRST_CELL = ("COURSE_REPO", "COURSE_REF", "COURSE_STRICT")  # Colab's; the version's


@dataclass(frozen=True)
class Executions:
    """The executions of one notebook in one state of the repository."""

    stem: str
    key: str
    home: Path  # build/executed

    @property
    def folder(self) -> Path:
        """Where this state's files are."""
        return self.home / f"{self.stem}-{self.key[:16]}"

    @property
    def runs(self) -> Path:
        """The trainings of both versions (``COURSE_RUNS`` of their kernels)."""
        return self.folder / "runs"

    def lock(self) -> FileLock:
        """One process at a time executes this notebook; the others wait, and find the result."""
        self.home.mkdir(parents=True, exist_ok=True)
        return FileLock(self.home / f"{self.stem}.lock")

    def load(self, version: str, notebook: NotebookNode) -> NotebookNode | None:
        """``notebook`` with its outputs, or None if it was not executed in this state (or is damaged)."""
        try:
            saved = nbformat.read(self.folder / f"{version}.ipynb", as_version=4)
            if saved.metadata["course"]["execution"] != self.key:
                return None
        except (OSError, ValueError, KeyError, nbformat.reader.NotJSONError):
            return None
        result = copy.deepcopy(notebook)
        new, old = _code_cells(result), _code_cells(saved)
        if [cell.source for cell in new] != [cell.source for cell in old]:
            return None
        for cell, kept in zip(new, old):
            cell.outputs, cell.execution_count = kept.outputs, kept.execution_count
        for name in ("widgets", "language_info"):  # what the kernel added
            if name in saved.metadata:
                result.metadata[name] = saved.metadata[name]
        return result

    def store(self, version: str, executed: NotebookNode, seconds: float) -> None:
        """Keep an executed notebook, and how long it took."""
        saved = copy.deepcopy(executed)
        saved.metadata.setdefault("course", {})["execution"] = self.key
        _write(self.folder / f"{version}.ipynb", nbformat.writes(saved))
        times = {**self.times(), version: {"seconds": round(seconds, 1), "when": time.time()}}
        _write(self.home / f"{self.stem}.json", json.dumps(times, indent=1))

    def times(self) -> dict[str, dict[str, float]]:
        """For each version the ``seconds`` of its last execution, in any state, and ``when`` it ended."""
        try:
            return json.loads((self.home / f"{self.stem}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def seconds(self, version: str) -> float | None:
        """How long the last execution took, in any state of the repository."""
        return self.times().get(version, {}).get("seconds")

    def remove_others(self) -> None:
        """Delete the executions of this notebook in other states. Only for who holds the lock."""
        for folder in self.home.glob(f"{self.stem}-" + "[0-9a-f]" * 16):
            if folder != self.folder:
                shutil.rmtree(folder, ignore_errors=True)

    def remove(self) -> None:
        """Delete what this state's executions gave, trainings included."""
        shutil.rmtree(self.folder, ignore_errors=True)


def executions(source: Path, notebooks: Iterable[NotebookNode], environment: Mapping[str, str]) -> Executions:
    """The executions of a notebook in the state that the repository has now.

    Args:
        source: ``notebooks/solutions/NN_topic.py``.
        notebooks: both versions, as they are to run.
        environment: of their kernels; only settings that can change a result are looked at.
    """
    root = source.resolve().parent.parent.parent
    state = {
        "layout": _LAYOUT,
        "cells": [
            [(cell.source, cell.metadata.get("tags", [])) for cell in _code_cells(notebook)]
            for notebook in notebooks
        ],
        "files": _file_hashes(root, source.stem),
        "machine": _machine(),
        "settings": sorted(
            (name, value)
            for name, value in environment.items()
            if name.startswith(_SETTINGS) and name not in _FOLDERS + _FIRST_CELL
        ),
    }
    key = hashlib.sha256(json.dumps(state, sort_keys=True).encode("utf-8")).hexdigest()
    # A course elsewhere (a test's) keeps its executions to itself.
    home = paths.executed_dir() if root == paths.repository_root() else root / "build" / "executed"
    return Executions(source.stem, key, home)


def _file_hashes(root: Path, stem: str) -> list[tuple[str, str]]:
    """What the notebook may read: the package but for other topics, and its experiments' results."""
    topic = stem.partition("_")[2]
    package = (root / "course_utils").resolve()
    found = {}
    for folder, _, names in os.walk(package, followlinks=True):
        for path in (Path(folder, name) for name in names):
            name = path.relative_to(package).as_posix()
            if path.suffix in _SUFFIXES and _matters(name, topic):
                found[name] = path
    for path in (root / "experiments" / "results").glob(f"{stem}*"):
        found[f"experiments/{path.name}"] = path
    return [(name, hashlib.sha256(found[name].read_bytes()).hexdigest()) for name in sorted(found)]


def _matters(name: str, topic: str) -> bool:
    """Whether a file of the package, such as ``checks/losses.py``, can change this topic's results."""
    room, _, rest = name.partition("/")
    if name.startswith("assets/solutions/"):
        return Path(name).stem == topic
    if room in _OWN_FOLDERS and rest != "__init__.py":
        return Path(rest).parts[0].removesuffix(".py") == topic
    return room not in _OTHER_ROOMS or name == _KERNEL


@functools.cache
def _machine() -> dict[str, Any]:
    packages = {
        (distribution.metadata["Name"] or "").lower(): distribution.version
        for distribution in importlib.metadata.distributions()
    }
    return {
        "python": sys.version,
        "system": [platform.system(), platform.machine()],
        "gpu": shutil.which("nvidia-smi") is not None,
        "packages": sorted(packages.items()),
    }


def _code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _write(path: Path, text: str) -> None:
    with files.replacing(path) as file:
        file.write(text.encode("utf-8"))
