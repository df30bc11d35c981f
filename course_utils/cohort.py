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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from course_utils import files, paths

MODALITIES = ("t1", "t1ce", "t2", "flair")
LABELS = {0: "background", 1: "necrotic and non-enhancing core", 2: "oedema", 4: "enhancing tumour"}
REGIONS = {"WT": (1, 2, 4), "TC": (1, 4), "ET": (4,)}
"""The nested regions that BraTS evaluates: whole tumour, tumour core, enhancing tumour."""

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
_SUBJECT_AND_TIME = re.compile(r"^(?P<subject>BraTS-[A-Za-z]+-\d+)-\d+$")

AFFINE_TOLERANCE_MM = 1e-3
_UNREADABLE = (OSError, EOFError, zlib.error, ImageFileError, HeaderDataError, WrapStructError, ValueError)


class CohortError(ValueError):
    """Something is wrong with a case or a cohort. The message names it and says what to do."""


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


class Split(NamedTuple):
    """Cases for three purposes; no subject is in two of them."""

    train: list[Path]
    validation: list[Path]
    test: list[Path]


# ---------------------------------------------------------------------- find and check


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


def synthetic_cases(subjects: int = 40) -> list[Path]:
    """The first ``subjects`` cases of the synthetic cohort in ``data/synthetic``; missing ones are made.

    Raises:
        CohortError: the folder holds something else.
    """
    from course_utils.phantom import CohortMismatchError, write_cohort

    try:
        return write_cohort(paths.data_dir() / "synthetic", subjects)
    except CohortMismatchError as error:
        raise CohortError(str(error)) from error


# ---------------------------------------------------------------------- load and save


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


def load_image(case: str | Path) -> Case:
    """Load the modalities only: ``labels`` is None, whether or not there is a segmentation. For prediction.

    Raises:
        CohortError: as for :func:`load_case`.
    """
    case = Path(case)
    image, affine, _ = _load_modalities(case)
    return Case(case.name, image, None, affine)


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


# ---------------------------------------------------------------------- prepare


def brain_mask(image: np.ndarray) -> np.ndarray:
    """Where any modality is not 0: the brain, as BraTS images are skull-stripped.

    (C, X, Y, Z) to bool (X, Y, Z).
    """
    return (image != 0).any(axis=0)


def normalise(image: np.ndarray, brain: np.ndarray | None = None) -> np.ndarray:
    """Bring every modality to mean 0 and standard deviation 1 inside the brain; 0 outside.

    MR intensities have no unit: they depend on scanner and protocol. Values beyond the 0.5th and 99.5th
    percentile are clipped first, so that a few bright vessels do not set the scale (as nnU-Net does for CT).

    Args:
        image: (C, X, Y, Z), any real dtype.
        brain: mask, (X, Y, Z); by default :func:`brain_mask`.

    Returns:
        float32, (C, X, Y, Z).

    Raises:
        CohortError: the mask is empty or has another shape.
    """
    brain = brain_mask(image) if brain is None else np.asarray(brain, bool)
    if brain.shape != image.shape[1:]:
        raise CohortError(
            f"the brain mask has shape {brain.shape}, the image {image.shape[1:]}: they must agree."
        )
    if not brain.any():
        raise CohortError("the brain mask is empty: nothing to normalise. Is the image all zero?")
    result = np.zeros(image.shape, np.float32)
    for source, target in zip(image, result):
        values = source[brain].astype(np.float32)
        values = np.clip(values, *np.percentile(values, (0.5, 99.5)))
        deviation = values.std()
        target[brain] = (values - values.mean()) / (deviation if deviation > 0 else 1)
    return result


def brain_box(brain: np.ndarray, multiple_of: int | Sequence[int] = 1) -> tuple[slice, ...]:
    """The box around the brain, for cropping: ``image[(..., *brain_box(brain_mask(image), 8))]``.

    Args:
        brain: mask, (X, Y, Z).
        multiple_of: sizes are rounded up to multiples of this, one for all axes or one each: a U-Net of depth
            d needs multiples of 2^(d-1).

    Raises:
        CohortError: the mask is empty, or the volume is too small for the rounded size.
    """
    multiples = (multiple_of,) * brain.ndim if isinstance(multiple_of, int) else tuple(multiple_of)
    box = []
    for axis, multiple in enumerate(multiples):
        occupied = np.flatnonzero(
            brain.any(axis=tuple(other for other in range(brain.ndim) if other != axis))
        )
        if occupied.size == 0:
            raise CohortError("the brain mask is empty: it has no bounding box. Is the image all zero?")
        first, last = int(occupied[0]), int(occupied[-1]) + 1
        size = -(-(last - first) // multiple) * multiple
        if size > brain.shape[axis]:
            raise CohortError(
                f"axis {axis}: the brain needs {size} voxels as a multiple of {multiple}, the volume has "
                f"{brain.shape[axis]}. Pad the volume first, or ask for a smaller multiple."
            )
        start = min(max(0, first - (size - (last - first)) // 2), brain.shape[axis] - size)
        box.append(slice(start, start + size))
    return tuple(box)


def paste(cropped: np.ndarray, box: tuple[slice, ...], shape: Sequence[int]) -> np.ndarray:
    """Put a volume that was cropped with ``box`` back into zeros of the original ``shape``."""
    full = np.zeros(tuple(shape), cropped.dtype)
    full[tuple(box)] = cropped
    return full


def class_indices(labels: np.ndarray) -> np.ndarray:
    """BraTS labels 0, 1, 2, 4 (any shape) as the class indices 0, 1, 2, 3 of a network, int64. A copy."""
    indices = labels.astype(np.int64)
    indices[indices == 4] = 3
    return indices


def brats_labels(indices: np.ndarray) -> np.ndarray:
    """Class indices 0, 1, 2, 3 (any shape) as BraTS labels 0, 1, 2, 4, uint8."""
    return np.array([0, 1, 2, 4], dtype=np.uint8)[indices]


def region_mask(labels: np.ndarray, region: str) -> np.ndarray:
    """Where BraTS labels (any shape) belong to ``region``, one of :data:`REGIONS`: bool, same shape."""
    return np.isin(labels, REGIONS[region])


# ---------------------------------------------------------------------- split and sample


def subject_of(case: str | Path) -> str:
    """The subject that a case belongs to.

    BraTS 2023 numbers the scans of a subject: BraTS-GLI-00005-000, ...-001.
    """
    name = Path(case).name
    match = _SUBJECT_AND_TIME.match(name)
    return match["subject"] if match else name


def split(cases: Sequence[str | Path], seed: int, train: int, validation: int, test: int) -> Split:
    """Divide cases at random. A subject's scans stay together, else the test would be on a known brain.

    Args:
        cases: case folders, in any order: the result depends on the names only.
        seed: which of the possible divisions.
        train, validation, test: number of *subjects* in each part.

    Raises:
        CohortError: there are fewer subjects than asked for, or a number is negative.
    """
    by_subject: dict[str, list[Path]] = {}
    for case in sorted(Path(case) for case in cases):
        by_subject.setdefault(subject_of(case), []).append(case)
    if min(train, validation, test) < 0:
        raise CohortError(f"train {train}, validation {validation}, test {test}: no number may be negative.")
    if train + validation + test > len(by_subject):
        raise CohortError(
            f"{train} + {validation} + {test} subjects were asked for, but there are {len(by_subject)}. "
            "Ask for fewer, or get more cases."
        )
    order = [
        sorted(by_subject)[position] for position in np.random.default_rng(seed).permutation(len(by_subject))
    ]
    bounds = np.cumsum([0, train, validation, test])
    return Split(
        *(
            sorted(case for subject in order[first:last] for case in by_subject[subject])
            for first, last in zip(bounds, bounds[1:])
        )
    )


def sample_slices(
    image: np.ndarray, labels: np.ndarray, number: int, rng: np.random.Generator, foreground: float = 2 / 3
) -> tuple[np.ndarray, np.ndarray]:
    """Draw axial slices at random, a share of them among those that show tumour, as most do not.

    Args:
        image: (C, X, Y, Z).
        labels: (X, Y, Z).
        number: how many slices, drawn with replacement.
        rng: source of randomness.
        foreground: share of the slices (rounded) that are drawn among those with labels.

    Returns:
        Slices (number, C, X, Y) and their labels (number, X, Y).
    """
    with_brain = np.flatnonzero(brain_mask(image).any(axis=(0, 1)))
    with_labels = np.flatnonzero((labels > 0).any(axis=(0, 1)))
    if with_brain.size == 0:
        raise CohortError("the image is all zero: there is no slice to draw.")
    from_labels = round(number * foreground) if with_labels.size else 0
    chosen = [rng.choice(with_labels, from_labels)] if from_labels else []
    chosen = np.concatenate([*chosen, rng.choice(with_brain, number - from_labels)])
    return np.moveaxis(image[..., chosen], -1, 0), np.moveaxis(labels[..., chosen], -1, 0)


def sample_patch(
    image: np.ndarray,
    labels: np.ndarray,
    size: Sequence[int],
    rng: np.random.Generator,
    foreground: float = 0.5,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a patch at random around a labelled voxel or, otherwise, around any voxel of the brain.

    Args:
        image: (C, X, Y, Z).
        labels: (X, Y, Z).
        size: of the patch, voxels, three numbers.
        rng: source of randomness.
        foreground: probability of a labelled voxel. It is in the patch's middle, as far as the border allows.

    Returns:
        Patch (C, *size) and its labels (*size): copies.

    Raises:
        CohortError: the patch is larger than the volume, or the image is all zero.
    """
    if len(size) != 3 or any(length > available for length, available in zip(size, labels.shape)):
        raise CohortError(f"a patch of {tuple(size)} does not fit into a volume of {labels.shape}.")
    centres = np.argwhere(labels > 0) if rng.random() < foreground else np.empty((0, 3), int)
    if len(centres) == 0:
        centres = np.argwhere(brain_mask(image))
    if len(centres) == 0:
        raise CohortError("the image is all zero: there is no patch to draw.")
    centre = centres[rng.integers(len(centres))]
    start = np.clip(centre - np.array(size) // 2, 0, np.array(labels.shape) - size)
    box = tuple(slice(int(first), int(first) + length) for first, length in zip(start, size))
    return image[(slice(None), *box)].copy(), labels[box].copy()


# ---------------------------------------------------------------------- reading files


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
