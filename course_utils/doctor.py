"""What works on this machine and what does not, in lines to paste into a question or a bug report.

Every examination is a function of plain values, so that a test can ask "what if there were no torch?".
"""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import course_utils
from course_utils import bootstrap, paths

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from course_utils.cohort import CohortReport

OK, FAIL, HINT = "OK", "FAIL", "--"

NEEDED_MEMORY_GB = 3.5  # a machine sold with 4 GB reports a little less
FREE_MEMORY_GB = 2.0
NEEDED_DISK_GB = 1.0  # the synthetic cohort and the trainings; the packages are installed already

_REPAIR = "run `make setup`"


@dataclass(frozen=True)
class Finding:
    """One line of the report: ``status`` is OK, FAIL or, for what is optional or worth knowing, HINT."""

    status: str
    topic: str
    text: str

    def __str__(self) -> str:
        return f"{f'[{self.status}]':<7}{self.topic:<9} {self.text}"


def report() -> bool:
    """Print what was found on this machine; return whether nothing failed."""
    print(f"course {course_utils.__version__} in {paths.repository_root()} on {platform.platform()}")
    findings = examine()
    for finding in findings:
        print(finding)
    failures = sum(finding.status == FAIL for finding in findings)
    print("All is well." if not failures else f"{failures} of {len(findings)} failed.")
    return not failures


def examine() -> list[Finding]:
    """Everything that is examined, in the order of the report."""
    return [
        examine_python(sys.version_info),
        *examine_packages(bootstrap.requirements, bootstrap.installed_version),
        *examine_torch(importlib.import_module),
        examine_widgets(bootstrap.installed_version),
        *_memory(),
        *_folders(),
    ]


def examine_python(version: Sequence) -> Finding:
    """``version`` is like ``sys.version_info``."""
    text = f"{version[0]}.{version[1]}.{version[2]} ({sys.executable})"
    if (3, 11) <= tuple(version[:2]) <= (3, 14):
        return Finding(OK, "Python", text)
    return Finding(FAIL, "Python", f"{text}: install one of 3.11 to 3.14 and {_REPAIR}")


def examine_packages(
    requirements: Callable[[], Iterable[Requirement]], installed: Callable[[str], str | None]
) -> list[Finding]:
    """One line for each package that is missing or outside its range, or one line if none is.

    Args:
        requirements: gives what is needed; it may raise ModuleNotFoundError for want of a parser.
        installed: the version of a package, or None.
    """
    try:
        needed = list(requirements())
    except ModuleNotFoundError as error:
        return [Finding(FAIL, "packages", f"{error.name} is missing: {_REPAIR}")]
    problems = []
    for requirement in needed:
        version = installed(requirement.name)
        wanted = f"needed is {requirement.name}{requirement.specifier}: {_REPAIR}"
        if version is None:
            problems.append(Finding(FAIL, "packages", f"{requirement.name} is missing; {wanted}"))
        elif not requirement.specifier.contains(version, prereleases=True):
            problems.append(Finding(FAIL, "packages", f"{requirement.name} is {version}; {wanted}"))
    return problems or [Finding(OK, "packages", f"all {len(needed)} are there, in the accepted versions")]


def examine_torch(load: Callable[[str], ModuleType]) -> list[Finding]:
    """Whether torch can be imported and computes, and on which device. ``load`` imports a module."""
    try:
        torch = load("torch")
    except (ImportError, OSError) as error:  # OSError: a shared library of torch's can't be loaded
        return [Finding(FAIL, "torch", f"can't be imported ({_one_line(error)}): {_REPAIR}")]
    kernel, signal = torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[1.0, 3.0, 5.0]]])
    result = torch.nn.functional.conv1d(signal, kernel).flatten().tolist()
    if result != [7.0, 13.0]:
        text = f"{torch.__version__} computes a convolution wrongly: {result} instead of [7.0, 13.0]"
        return [Finding(FAIL, "torch", f"{text}: delete .venv and {_REPAIR}")]
    return [Finding(OK, "torch", torch.__version__), examine_device(torch)]


def examine_device(torch: ModuleType) -> Finding:
    """Where networks are trained: CUDA or the CPU."""
    if torch.cuda.is_available():
        return Finding(OK, "device", f"CUDA: {torch.cuda.get_device_name(0)}")
    text = f"CPU, {torch.get_num_threads()} threads"
    if torch.backends.mps.is_available():
        text += " (the Apple GPU, mps, is used only on request: some losses come out wrong on it)"
    return Finding(OK, "device", text)


def examine_widgets(installed: Callable[[str], str | None]) -> Finding:
    """Whether sliders can be shown: ipywidgets, and its other half in JupyterLab."""
    versions = {name: installed(name) for name in ("ipywidgets", "jupyterlab-widgets")}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        return Finding(FAIL, "widgets", f"{' and '.join(missing)} missing, so no slider is shown: {_REPAIR}")
    return Finding(OK, "widgets", ", ".join(f"{name} {version}" for name, version in versions.items()))


def examine_memory(total: float, available: float) -> Finding:
    """``total`` and ``available`` memory in bytes."""
    text = f"{available / 1e9:.1f} of {total / 1e9:.1f} GB are free"
    if total < NEEDED_MEMORY_GB * 1e9:
        return Finding(FAIL, "memory", f"{text}; training needs a machine with 4 GB: use Colab")
    if available < FREE_MEMORY_GB * 1e9:
        return Finding(HINT, "memory", f"{text}: close other programs before you train")
    return Finding(OK, "memory", text)


def examine_disk(free: float, folder: Path) -> Finding:
    """``free`` bytes where the data is kept."""
    text = f"{free / 1e9:.1f} GB are free for {folder}"
    if free < NEEDED_DISK_GB * 1e9:
        advice = "make room, or set COURSE_DATA to a folder on another disk"
        return Finding(FAIL, "disk", f"{text}, {NEEDED_DISK_GB:g} GB are needed: {advice}")
    return Finding(OK, "disk", text)


def examine_data(folder: Path, check: Callable[[Path], CohortReport]) -> Finding:
    """The synthetic cohort, every byte of it; ``check`` is ``cohort.check_cohort``."""
    try:
        found = check(folder)
    except ImportError as error:
        return Finding(HINT, "data", f"not examined: {error.name} is missing")
    except ValueError as error:
        return Finding(HINT, "data", f"{_one_line(error)} (The notebooks make it when they need it.)")
    if not found.bad:
        return Finding(OK, "data", f"{len(found.good)} cases in {folder}")
    case, (problem, *_) = next(iter(found.bad.items()))
    number = len(found.good) + len(found.bad)
    text = f"{len(found.bad)} of {number} cases in {folder} can't be used, first {case.name}: {problem}"
    return Finding(FAIL, "data", " ".join(text.split()))


def examine_runs(folder: Path) -> Finding:
    """Whether trainings can be kept in ``folder``, which need not be there yet."""
    place = _existing(folder)
    if os.access(place, os.W_OK) and place.is_dir():
        return Finding(OK, "runs", f"trainings are kept in {folder}")
    return Finding(
        FAIL, "runs", f"nothing can be written in {place}: set COURSE_RUNS to a folder that you may write in"
    )


def _memory() -> list[Finding]:
    try:
        import psutil
    except ModuleNotFoundError:
        return []  # reported among the packages
    memory = psutil.virtual_memory()
    return [examine_memory(memory.total, memory.available)]


def _folders() -> list[Finding]:
    findings = []
    try:
        data = paths.data_dir()
        findings.append(_disk(data))
        findings.append(examine_data(data / "synthetic", _check_cohort))
    except ValueError as error:
        findings.append(Finding(FAIL, "data", _one_line(error)))
    try:
        findings.append(examine_runs(paths.runs_dir()))
    except ValueError as error:
        findings.append(Finding(FAIL, "runs", _one_line(error)))
    return findings


def _disk(folder: Path) -> Finding:
    return examine_disk(shutil.disk_usage(_existing(folder)).free, folder)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    return next(place for place in (folder, *folder.parents) if place.exists())


def _check_cohort(folder: Path) -> CohortReport:
    from course_utils import cohort  # late: it imports nibabel and numpy

    return cohort.check_cohort(folder)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
