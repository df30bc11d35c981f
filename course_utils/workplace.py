"""Where a student works: copies of the notebooks in ``work/``, opened in JupyterLab.

JupyterLab saves a notebook all by itself. The generated ones in ``notebooks/`` are under version control, so
opening them would change them, and pulling a new version of the course would fail; a copy in ``work/``
belongs to the student alone.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from course_utils import paths

# The dialog "Would you like to get notified about official Jupyter news?" would cover the first cell.
_NO_NEWS = "--LabApp.disabled_extensions=@jupyterlab/apputils-extension:announcements"


def copy_notebooks(source: Path, work: Path) -> tuple[list[Path], list[Path]]:
    """Copy the notebooks of ``source`` that ``work`` lacks; none is ever overwritten.

    Returns:
        The new copies, and the copies of which the course has another version by now (``.course-version``
        keeps what was copied).
    """
    versions = work / ".course-version"
    versions.mkdir(parents=True, exist_ok=True)
    new, outdated = [], []
    for original in sorted(source.glob("*.ipynb")):
        copy, version = work / original.name, versions / original.name
        if not copy.exists():
            shutil.copyfile(original, version)
            shutil.copyfile(original, copy)
            new.append(copy)
        elif not version.exists() or version.read_bytes() != original.read_bytes():
            outdated.append(copy)
    return new, outdated


def open_lab() -> int:
    """Copy the notebooks that ``work/`` lacks and start JupyterLab there; returns its exit status."""
    work = paths.work_dir()
    new, outdated = copy_notebooks(paths.repository_root() / "notebooks", work)
    if new:
        print(f"Copied {', '.join(path.name for path in new)} into {work}: work there.")
    if outdated:
        print(
            f"The course has newer versions of {', '.join(path.name for path in outdated)}. Yours stay as "
            "they are; to get a new one, give yours another name and call `make lab` again."
        )
    print(f"Your notebooks are in {work}.", flush=True)
    command = [sys.executable, "-m", "jupyterlab", _NO_NEWS, f"--ServerApp.root_dir={work}"]
    try:
        return subprocess.run(command, cwd=work).returncode
    except KeyboardInterrupt:
        return 0
