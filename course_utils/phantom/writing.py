"""A synthetic cohort on disk, in the folder layout of BraTS."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import secrets
import shutil
import threading
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from pathlib import Path

import nibabel
import numpy as np
from tqdm.auto import tqdm

from course_utils import files
from course_utils.phantom.mr_signal import MODALITIES
from course_utils.phantom.subject import Subject, check_arguments, make_subject, subject_name

FILE_SUFFIXES = (*MODALITIES, "seg")
PARAMETERS_FILE = "cohort.json"
CHECKSUMS_FILE = ".SHA256SUMS"
"""In each case's folder: what its files were when they were written, in the format of sha256sum."""

GENERATOR_VERSION = 1
"""Raised whenever the same seed starts to give other voxels."""

COMPRESSION_LEVEL = 5
ABANDONED_AFTER_SECONDS = 3600


class CohortMismatchError(ValueError):
    """The folder holds something else than the cohort that was asked for."""


def write_cohort(
    folder: str | Path,
    subjects: int = 40,
    spacing: float = 2.0,
    seed: int = 0,
    workers: int | None = None,
    progress: bool = True,
) -> list[Path]:
    """Make the subjects that ``folder`` does not have yet, and return the folders of all ``subjects``.

    A case is a folder ``SynthBraTS_000`` with ``SynthBraTS_000_{t1,t1ce,t2,flair,seg}.nii.gz``. It appears
    when all its files are written, so an interrupted call leaves nothing half-made, and the next one goes on
    from there. A case that is not as it was written (a file is missing, damaged or another one) is made
    again. The number of workers makes no difference to the files.

    Args:
        folder: where to write; made if missing.
        subjects: how many subjects to have, 1 or more. A folder with more keeps them.
        spacing: edge of a voxel, 1 to 4 mm.
        seed: which cohort, 0 or larger.
        workers: processes; all available cores by default.
        progress: show a progress bar.

    Raises:
        ValueError: an argument is out of range.
        CohortMismatchError: the folder was made with other parameters, or holds other data.
        RuntimeError: a worker process died, or the course's atlas is damaged.
    """
    check_arguments(seed, spacing)
    if subjects < 1:
        raise ValueError(f"subjects is {subjects}: ask for at least one")
    if workers is not None and workers < 1:
        raise ValueError(f"workers is {workers}: at least one process is needed")
    folder = Path(folder)
    _claim(folder, {"generator": GENERATOR_VERSION, "seed": seed, "spacing": float(spacing)})
    _remove_abandoned(folder)

    cases = [folder / subject_name(index) for index in range(subjects)]
    missing = [index for index, case in enumerate(cases) if not is_complete(case)]
    jobs = [(folder, seed, index, spacing) for index in missing]
    processes = min(workers or available_cores(), len(missing))
    with tqdm(
        total=len(missing), desc="Making subjects", unit="subject", disable=not (progress and missing)
    ) as bar:
        if processes <= 1:
            for job in jobs:
                _make_and_write(*job)
                bar.update()
        else:
            # "spawn": a forked copy of a process that already runs threads (a notebook with torch) can hang.
            with ProcessPoolExecutor(
                processes, mp_context=get_context("spawn"), initializer=_end_with_parent
            ) as pool:
                try:
                    for done in as_completed([pool.submit(_make_and_write, *job) for job in jobs]):
                        done.result()
                        bar.update()
                except BrokenProcessPool as error:
                    raise RuntimeError(
                        "A worker process died. Is the memory full? Or does your script call write_cohort "
                        "outside of `if __name__ == '__main__':`? With workers=1 neither matters."
                    ) from error
                except BaseException:
                    pool.shutdown(cancel_futures=True)
                    raise
    return cases


def is_complete(case: Path) -> bool:
    """Whether all five files of a case are there, as they were written, by their checksums."""
    try:
        lines = (case / CHECKSUMS_FILE).read_text(encoding="utf-8").splitlines()
        expected = dict(reversed(line.split("  ", 1)) for line in lines)
        return set(expected) == {f"{case.name}_{suffix}.nii.gz" for suffix in FILE_SUFFIXES} and all(
            hashlib.sha256((case / name).read_bytes()).hexdigest() == digest
            for name, digest in expected.items()
        )
    except (OSError, ValueError):
        return False


def available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def write_subject(subject: Subject, folder: Path) -> Path:
    """Write one subject's five files into a new folder under ``folder``; complete or not at all."""
    case = folder / subject.name
    temporary = folder / f".{subject.name}.{secrets.token_hex(8)}.part"
    temporary.mkdir()
    try:
        checksums = ""
        for suffix in FILE_SUFFIXES:
            values = subject.labels if suffix == "seg" else subject.images[suffix]
            contents = nifti_bytes(values, subject.affine)
            name = f"{subject.name}_{suffix}.nii.gz"
            (temporary / name).write_bytes(contents)
            checksums += f"{hashlib.sha256(contents).hexdigest()}  {name}\n"
        (temporary / CHECKSUMS_FILE).write_text(checksums, encoding="utf-8")
        if case.exists() and not is_complete(case):
            damaged = folder / f".{subject.name}.{secrets.token_hex(8)}.part"
            os.replace(case, damaged)  # at once, so that nobody finds half a case
            shutil.rmtree(damaged, ignore_errors=True)
        if not case.exists():  # else another process was faster, with the same voxels
            os.replace(temporary, case)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return case


def nifti_bytes(values: np.ndarray, affine: np.ndarray) -> bytes:
    """A compressed NIfTI file in mm. No time stamp, so the same voxels give the same bytes."""
    image = nibabel.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm")
    return gzip.compress(image.to_bytes(), compresslevel=COMPRESSION_LEVEL, mtime=0)


def _end_with_parent() -> None:
    """In a worker: end when the process that started it does, even if that was killed."""

    def wait() -> None:
        parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _make_and_write(folder: Path, seed: int, index: int, spacing: float) -> None:
    write_subject(make_subject(seed, index, spacing), folder)


def _claim(folder: Path, parameters: dict[str, float]) -> None:
    """Make sure that ``folder`` is, or becomes, the cohort with these parameters."""
    record = folder / PARAMETERS_FILE
    if record.is_file():
        found = _read_record(record)
        if found != parameters:
            raise CohortMismatchError(
                f"{folder} was made with {_in_words(found)}, but {_in_words(parameters)} was asked for. "
                "Choose another folder, or delete this one to make it anew."
            )
        return
    if folder.exists() and not folder.is_dir():
        raise CohortMismatchError(f"{folder} is a file: choose a folder.")
    if folder.is_dir() and any(not entry.name.startswith(".") for entry in folder.iterdir()):
        raise CohortMismatchError(
            f"{folder} holds other files and no {PARAMETERS_FILE}: it is not a synthetic cohort. "
            "Choose an empty folder."
        )
    with files.replacing(record) as file:
        file.write((json.dumps(parameters, indent=2) + "\n").encode("utf-8"))


def _read_record(record: Path) -> dict[str, float]:
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or not all(
            isinstance(value, (int, float)) for value in found.values()
        ):
            raise ValueError("it should be names with numbers")
        return found
    except ValueError as error:
        raise CohortMismatchError(
            f"{record} is damaged ({error}), so nobody knows how the cohort was made. "
            f"Delete the folder {record.parent} to make it anew."
        ) from error


def _in_words(parameters: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in parameters.items())


def _remove_abandoned(folder: Path) -> None:
    """Delete what killed calls left behind.

    Recent folders may belong to a call that still runs: they stay.
    """
    for leftover in folder.glob(".*.part"):
        if leftover.is_dir() and time.time() - leftover.stat().st_mtime > ABANDONED_AFTER_SECONDS:
            shutil.rmtree(leftover, ignore_errors=True)
