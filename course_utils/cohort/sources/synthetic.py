"""The synthetic cohort in ``data/synthetic``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from course_utils import paths
from course_utils.cohort.errors import CohortError

RECORD = "cohort.json"
"""The file in a synthetic cohort's folder that says how it was made."""


def synthetic_cases(subjects: int = 40) -> list[Path]:
    """The first ``subjects`` cases of the synthetic cohort in ``data/synthetic``; missing ones are made.

    Damaged ones, too: every file is compared with the checksum that was written with it.

    Raises:
        CohortError: the folder holds something else.
    """
    from course_utils.phantom import CohortMismatchError, write_cohort

    try:
        return write_cohort(paths.data_dir() / "synthetic", subjects)
    except CohortMismatchError as error:
        raise CohortError(str(error)) from error


def command(folder: Path) -> str:
    """The command that makes the cohort in ``folder`` whole again, as its record says that it was made."""
    words = ["python", "data/download.py", "synthetic"]
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        words += ["--seed", f"{record['seed']}", "--spacing", f"{record['spacing']:g}"]
    except (OSError, ValueError, TypeError, KeyError):
        pass  # the command itself will say what is wrong with the record
    present = sorted(case.name for case in folder.glob("SynthBraTS_*"))
    if present and present[-1].rpartition("_")[2].isdigit():
        words += ["--subjects", f"{int(present[-1].rpartition('_')[2]) + 1}"]
    if folder.resolve() != paths.data_dir() / "synthetic":
        words += ["--out", str(folder)]
    return shlex.join(words)
