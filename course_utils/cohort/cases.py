"""BraTS-like cases on disk: find, check and load them, split them by subject, draw slices and patches.

A case is a folder with four co-registered, skull-stripped modalities and, where there is one, a
segmentation::

    BraTS20_Training_001/BraTS20_Training_001_{t1,t1ce,t2,flair,seg}.nii.gz        up to BraTS 2021, synthetic
    cohort BraTS-GLI-00000-000/BraTS-GLI-00000-000-{t1n,t1c,t2w,t2f,seg}.nii.gz           BraTS 2023

Files may be ``.nii`` or ``.nii.gz``. In memory the labels are always those of BraTS up to 2021: 0 background,
1 necrotic and non-enhancing core, 2 oedema, 4 enhancing tumour. BraTS 2023 calls the enhancing tumour 3.

Menze BH et al. The Multimodal Brain Tumor Image Segmentation Benchmark (BRATS). IEEE Transactions on Medical
Imaging 34, 1993-2024 (2015).
"""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from course_utils import files, paths
from course_utils.cohort.errors import CohortError
from course_utils.cohort.labels import LABELS

MODALITIES = ("t1", "t1ce", "t2", "flair")


_FILE_NAMES = {
    "t1": ("t1", "t1n"),
    "t1ce": ("t1ce", "t1c"),
    "t2": ("t2", "t2w"),
    "flair": ("flair", "t2f"),
    "seg": ("seg",),
}


_KIND_OF_NAME = {name: kind for kind, names in _FILE_NAMES.items() for name in names}


_NAMES_OF_2023 = ("t1n", "t1c", "t2w", "t2f")


_NIFTI_NAME = re.compile(r"^(?P<case>.*)[_-](?P<kind>[a-z0-9]+)\.nii(\.gz)?$", re.IGNORECASE)


AFFINE_TOLERANCE_MM = 1e-3


_UNREADABLE = (OSError, EOFError, zlib.error, ImageFileError, HeaderDataError, WrapStructError, ValueError)


@dataclass(frozen=True)
class Case:
    """One subject at one time.

    Attributes:
        name: name of the case's folder.
        image: the modalities in the order of :data:`MODALITIES`, float32, (4, X, Y, Z), as stored.
        labels: uint8, (X, Y, Z), 0/1/2/4; None if the case has no segmentation.
        affine: voxel indices to world coordinates (R, A, S) in mm, (4, 4).
    """

    name: str
    image: np.ndarray
    labels: np.ndarray | None
    affine: np.ndarray

    @property
    def spacing(self) -> np.ndarray:
        """Edge lengths of a voxel, mm, (3,)."""
        return nibabel.affines.voxel_sizes(self.affine)


@dataclass(frozen=True)
class CohortReport:
    """What :func:`check_cohort` found; ``print`` it.

    Attributes:
        good: cases that can be used.
        bad: the others, each with its problems.
    """

    good: list[Path]
    bad: dict[Path, list[str]]

    def __str__(self) -> str:
        lines = [f"{len(self.good)} of {len(self.good) + len(self.bad)} cases are good."]
        for case, problems in self.bad.items():
            lines += [f"{case.name}:", *(f"  - {problem}" for problem in problems)]
        return "\n".join(lines)


def find_cases(folder: str | Path) -> list[Path]:
    """The case folders in ``folder``, sorted by name. Hidden folders are left out.

    Folders without images are listed too, so that :func:`check_cohort` can report them.

    Raises:
        CohortError: the folder is missing or holds no case.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CohortError(f"There is no folder {folder}. {_how_to_make_one(folder)}")
    folders = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not any(_has_images(case) for case in folders):
        hint = _how_to_make_one(folder)
        if _has_images(folder):
            hint = f"It looks like a single case: use the folder above it, {folder.resolve().parent}."
        elif deeper := [
            inner for inner in folders if any(_has_images(e) for e in inner.iterdir() if e.is_dir())
        ]:
            hint = f"The cases seem to be one level further down: use {deeper[0]}."
        raise CohortError(f"{folder} holds no case: no folder in it has NIfTI files. {hint}")
    return folders


def check_case(case: str | Path, need_labels: bool = True) -> list[str]:
    """What is wrong with a case, in words; an empty list if nothing is.

    Args:
        case: the case's folder.
        need_labels: whether a missing segmentation is a problem.
    """
    case = Path(case)
    try:
        files = _files_of(case)
    except CohortError as error:
        return [_without_name(case, error)]
    problems = []
    reference = None
    for kind in (*MODALITIES, "seg"):
        if kind not in files:
            if kind != "seg" or need_labels:
                problems.append(_missing_file(case, kind))
            continue
        try:
            read = _read(case, files[kind])
            reference = reference or read
            _check_geometry(case, read, reference)
            if kind == "seg":
                _convert_labels(case, read, _is_named_as_in_2023(files))
            else:
                _check_image(case, read)
        except CohortError as error:
            problems.append(_without_name(case, error))
    return problems


def check_cohort(folder: str | Path, need_labels: bool = True) -> CohortReport:
    """Check every case in ``folder``: the good ones can be used, the bad ones are listed with the reasons.

    Raises:
        CohortError: the folder is missing or holds no case at all.
    """
    good, bad = [], {}
    for case in find_cases(folder):
        problems = check_case(case, need_labels)
        if problems:
            bad[case] = problems
        else:
            good.append(case)
    return CohortReport(good, bad)


def load_case(case: str | Path) -> Case:
    """Load all modalities and, if there is one, the segmentation.

    Raises:
        CohortError: a file is missing, unreadable or does not fit the others. The message names case and
            file.
    """
    case = Path(case)
    image, affine, files = _load_modalities(case)
    labels = None
    if "seg" in files:
        segmentation = _read(case, files["seg"])
        _check_geometry(case, segmentation, _Read(files[MODALITIES[0]], image[0], affine))
        labels = _convert_labels(case, segmentation, _is_named_as_in_2023(files))
    return Case(case.name, image, labels, affine)


def save_labels(labels: np.ndarray, path: str | Path, scan: str | Path) -> Path:
    """Save a segmentation as NIfTI that opens over its scan: same affine and header, uint8; atomically.

    Args:
        labels: (X, Y, Z), values 0/1/2/4; bring class indices back with your own mapping first.
        path: file to write, ``.nii`` or ``.nii.gz``.
        scan: the case's folder, or one NIfTI file with the scan's geometry.

    Raises:
        CohortError: the labels' shape or values do not fit, or ``path`` has another ending.
    """
    path, scan = Path(path), Path(scan)
    if not path.name.endswith((".nii", ".nii.gz")):
        raise CohortError(f"{path} does not end in .nii or .nii.gz.")
    scan_file = _file(scan, _files_of(scan), MODALITIES[0]) if scan.is_dir() else scan
    scan_image = nibabel.load(scan_file)
    labels = np.asarray(labels)
    if labels.shape != scan_image.shape:
        raise CohortError(
            f"{path.name}: the labels have shape {labels.shape}, but the scan {scan_file.name} has "
            f"{scan_image.shape}. If you cropped the scan, put the labels back with paste()."
        )
    unknown = sorted(set(np.unique(labels).tolist()) - set(LABELS))
    if unknown:
        raise CohortError(f"{path.name}: unknown label values {unknown}; BraTS labels are {sorted(LABELS)}.")
    header = scan_image.header.copy()
    header.set_data_dtype(np.uint8)
    header.set_slope_inter(1, 0)
    header["cal_min"], header["cal_max"] = 0, 0  # the display range of the scan would hide the labels
    contents = nibabel.Nifti1Image(labels.astype(np.uint8), scan_image.affine, header).to_bytes()
    with files.replacing(path) as file:
        file.write(gzip.compress(contents, mtime=0) if path.name.endswith(".gz") else contents)
    return path


class _Read(NamedTuple):
    """A file that was read: where it came from, its voxels, its affine."""

    path: Path
    values: np.ndarray
    affine: np.ndarray


def _has_images(folder: Path) -> bool:
    return any(_kind(file) for file in folder.iterdir() if file.is_file())


def _kind(file: Path) -> str | None:
    """t1, t1ce, t2, flair or seg by the file's name; None for any other file."""
    match = _NIFTI_NAME.match(file.name)
    return _KIND_OF_NAME.get(match["kind"].lower()) if match else None


def _files_of(case: Path) -> dict[str, Path]:
    """The files of a case by kind."""
    if not case.is_dir():
        raise CohortError(f"{case.name}: there is no folder {case}.")
    files: dict[str, Path] = {}
    for file in sorted(case.iterdir()):
        kind = _kind(file) if file.is_file() and not file.name.startswith(".") else None
        if kind is None:
            continue
        if kind in files:
            raise CohortError(
                f"{case.name}: two files for {kind}: {files[kind].name} and {file.name}. Remove one."
            )
        files[kind] = file
    return files


def _file(case: Path, files: dict[str, Path], kind: str) -> Path:
    if kind not in files:
        raise CohortError(f"{case.name}: {_missing_file(case, kind)}")
    return files[kind]


def _missing_file(case: Path, kind: str) -> str:
    expected = " or ".join(f"{case.name}_{name}.nii.gz" for name in _FILE_NAMES[kind])
    present = (
        ", ".join(sorted(file.name for file in case.iterdir() if not file.name.startswith("."))) or "nothing"
    )
    return (
        f"{kind} is missing. Expected {expected}; the folder holds {present}. "
        "Get the case again, or rename the file if it is there under another name."
    )


def _is_named_as_in_2023(files: dict[str, Path]) -> bool:
    return any(_NIFTI_NAME.match(file.name)["kind"].lower() in _NAMES_OF_2023 for file in files.values())


def _load_modalities(case: Path) -> tuple[np.ndarray, np.ndarray, dict[str, Path]]:
    """The modalities as float32 (4, X, Y, Z), their affine, and the files of the case."""
    files = _files_of(case)
    reads: list[_Read] = []
    for modality in MODALITIES:
        read = _read(case, _file(case, files, modality))
        reads.append(read)
        _check_geometry(case, read, reads[0])
        _check_image(case, read)
    return np.stack([read.values for read in reads]), reads[0].affine, files


def _read(case: Path, file: Path) -> _Read:
    """Voxels as float32 and affine of a NIfTI file."""
    try:
        image = nibabel.load(file)
        values = np.asarray(image.dataobj, dtype=np.float32)
    except _UNREADABLE as error:
        size = file.stat().st_size
        raise CohortError(
            f"{case.name}: {file.name} cannot be read ({size:,} bytes; {type(error).__name__}: {error}). "
            f"The file is damaged or was not copied completely: {_get_again(case)}"
        ) from error
    if values.ndim != 3:
        raise CohortError(
            f"{case.name}: {file.name} has {values.ndim} dimensions, shape {values.shape}; a volume has 3. "
            "Save one volume a file."
        )
    return _Read(file, values, image.affine)


def _check_geometry(case: Path, read: _Read, reference: _Read) -> None:
    """The file must lie on the grid of the first modality."""
    if read.values.shape != reference.values.shape:
        raise CohortError(
            f"{case.name}: {read.path.name} has shape {read.values.shape}, but {reference.path.name} has "
            f"{reference.values.shape}. All files of a case must be on one grid: {_get_again(case)}"
        )
    difference = float(np.abs(read.affine - reference.affine).max())
    if not difference <= AFFINE_TOLERANCE_MM:
        raise CohortError(
            f"{case.name}: {read.path.name} has another affine than {reference.path.name} (difference "
            f"{difference:g}): voxels with the same index lie at different places. "
            f"{_get_again(case).capitalize()}"
        )


def _check_image(case: Path, read: _Read) -> None:
    """A modality must be finite and not empty."""
    finite = np.isfinite(read.values)
    if not finite.all():
        raise CohortError(
            f"{case.name}: {read.path.name} has {np.count_nonzero(~finite):,} voxels that are NaN or "
            f"infinite. {_get_again(case).capitalize()}"
        )
    if not read.values.any():
        raise CohortError(f"{case.name}: {read.path.name} is 0 everywhere. {_get_again(case).capitalize()}")


def _convert_labels(case: Path, read: _Read, named_as_in_2023: bool) -> np.ndarray:
    """Labels as uint8 0/1/2/4, from either convention of BraTS.

    The values 0, 1 and 2 mean the same in both. 3 without 4 is the enhancing tumour of BraTS 2023. 4 without
    3 is that of the years before, unless the files are named as in 2023: there 4 is the resection cavity of
    BraTS 2024, which this course does not treat. 3 and 4 together are BraTS 2024 or, before 2016,
    non-enhancing and enhancing tumour: refused.
    """
    values = read.values
    found = np.unique(values)
    in_words = ", ".join(f"{value:g}" for value in found[:8]) + (", ..." if len(found) > 8 else "")
    problem = f"{case.name}: {read.path.name} has the values {in_words}; "
    if not set(found.tolist()) <= {0, 1, 2, 3, 4}:  # also false for NaN
        raise CohortError(
            f"{problem}labels are 0, 1, 2, 4 (BraTS up to 2021) or 0, 1, 2, 3 (BraTS 2023). "
            f"Is this the segmentation? {_get_again(case).capitalize()}"
        )
    if 3 in found and 4 in found:
        raise CohortError(
            f"{problem}3 and 4 together are ambiguous: in BraTS 2024 label 4 is the resection cavity, "
            "before 2016 label 3 was non-enhancing tumour. Convert the file to 0, 1, 2, 4 first."
        )
    if 4 in found and named_as_in_2023:
        raise CohortError(
            f"{problem}in files named as in BraTS 2023, 4 is not the enhancing tumour (it is 3) but the "
            "resection cavity of BraTS 2024. Leave the case out, or convert the labels to 0, 1, 2, 4 and the "
            "file names to t1, t1ce, t2, flair."
        )
    labels = values.astype(np.uint8)
    labels[labels == 3] = 4
    return labels


def _without_name(case: Path, error: CohortError) -> str:
    """The message of an error, without the name of the case in front."""
    message = str(error)
    return message[len(case.name) + 2 :] if message.startswith(f"{case.name}: ") else message


def _get_again(case: Path) -> str:
    """What to do about a damaged case."""
    if case.name.startswith("SynthBraTS_"):
        return f"delete the folder {case} and run `python data/download.py synthetic` again."
    return "get the case again from where it came from, or leave it out."


def _how_to_make_one(folder: Path) -> str:
    default = paths.data_dir() / "synthetic"
    out = "" if folder.resolve() == default else f" --out {folder}"
    return f"Make a synthetic cohort with `python data/download.py synthetic{out}`."
