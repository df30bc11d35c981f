"""BraTS-like cases: check and load them, save a segmentation.

What a case's folder looks like is said in :mod:`course_utils.cohort.folders`. In memory every case is alike:
the axes are those of BraTS, towards the left, the back and the top, and the labels are those of BraTS up to
2021: 0 background, 1 necrotic and non-enhancing core, 2 oedema, 4 enhancing tumour. BraTS 2023 calls the
enhancing tumour 3.

Menze BH et al. The Multimodal Brain Tumor Image Segmentation Benchmark (BRATS). IEEE Transactions on Medical
Imaging 34, 1993-2024 (2015).
"""

from __future__ import annotations

import gzip
import itertools
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from nibabel import orientations

from course_utils import files
from course_utils.cohort.errors import CohortError
from course_utils.cohort.folders import (
    MODALITIES,
    files_of,
    find_cases,
    has_misnamed_labels,
    how_to_get_again,
    is_named_as_in_2023,
    missing_file,
)
from course_utils.cohort.labels import LABELS
from course_utils.cohort.nifti import DamagedFileError, Volume, from_brats, read_image, read_volume, to_brats

AFFINE_TOLERANCE_MM = 1e-3

LARGEST_SHARE = 0.9
"""Of a volume's voxels, those inside the brain: even in a box that fits it tightly they are fewer."""


@dataclass(frozen=True)
class Case:
    """One subject at one time.

    Attributes:
        name: name of the case's folder.
        image: one channel a modality, float32, (C, X, Y, Z), as stored, but with the axes of BraTS (left,
            posterior, superior) whatever those of the files are.
        labels: uint8, (X, Y, Z), 0/1/2/4; None if the case has no segmentation.
        affine: voxel indices to world coordinates (R, A, S) in mm, (4, 4).
        modalities: what the channels are; those of BraTS, in the order of :data:`MODALITIES`, if not said
            otherwise.
    """

    name: str
    image: np.ndarray
    labels: np.ndarray | None
    affine: np.ndarray
    modalities: tuple[str, ...] = MODALITIES

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


def check_case(case: str | Path, need_labels: bool = True) -> list[str]:
    """What is wrong with a case, in words; an empty list if nothing is. Every byte of its files is read.

    Args:
        case: the case's folder.
        need_labels: whether a missing segmentation is a problem.
    """
    case = Path(case)
    try:
        found = files_of(case)
    except CohortError as error:
        return [_without_name(case, error)]
    problems = []
    images: list[Volume] = []
    for kind in (*MODALITIES, "seg"):
        if kind not in found:
            if kind != "seg" or need_labels or has_misnamed_labels(case):
                problems.append(missing_file(case, kind))
            continue
        try:
            volume = _read(case, found[kind])
            _check_geometry(case, volume, images[0] if images else volume)
            if kind == "seg":
                _convert_labels(case, volume, is_named_as_in_2023(found))
            else:
                images.append(volume)
                _check_image(case, volume)
        except CohortError as error:
            problems.append(_without_name(case, error))
    try:
        _check_different(case, images)
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
        CohortError: a file is missing, unreadable or does not fit the others; two modalities are one image; a
            background is not 0, so the images are not skull-stripped; a file seems to be the segmentation but
            has another name. The message names case and file.
    """
    case = Path(case)
    found = files_of(case)
    images: list[Volume] = []
    for modality in MODALITIES:
        if modality not in found:
            raise CohortError(f"{case.name}: {missing_file(case, modality)}")
        images.append(_read(case, found[modality]))
        _check_geometry(case, images[-1], images[0])
        _check_image(case, images[-1])
    _check_different(case, images)
    labels = None
    if "seg" in found:
        segmentation = _read(case, found["seg"])
        _check_geometry(case, segmentation, images[0])
        labels = _convert_labels(case, segmentation, is_named_as_in_2023(found))
    elif has_misnamed_labels(case):
        raise CohortError(f"{case.name}: {missing_file(case, 'seg')}")
    return Case(case.name, np.stack([volume.values for volume in images]), labels, images[0].affine)


def save_labels(labels: np.ndarray, path: str | Path, scan: str | Path) -> Path:
    """Save a segmentation as NIfTI that opens over its scan: same affine and header, uint8; atomically.

    Args:
        labels: (X, Y, Z), values 0/1/2/4, with the axes of BraTS, as :func:`load_case` gives them: where the
            scan is stored with other axes, the labels are turned to those. Bring class indices back first.
        path: file to write, ``.nii`` or ``.nii.gz``.
        scan: the case's folder, or one NIfTI file with the scan's geometry.

    Raises:
        CohortError: the labels' shape or values do not fit, ``path`` has another ending, or the scan cannot
            be read.
    """
    path, scan = Path(path), Path(scan)
    if not path.name.endswith((".nii", ".nii.gz")):
        raise CohortError(f"{path} does not end in .nii or .nii.gz.")
    if scan.is_dir():
        found = files_of(scan)
        if MODALITIES[0] not in found:
            raise CohortError(f"{scan.name}: {missing_file(scan, MODALITIES[0])}")
        scan = found[MODALITIES[0]]
    image = read_image(scan)
    labels = np.asarray(labels)
    shape = orientations.apply_orientation(np.broadcast_to(0, image.shape), to_brats(image, scan.name)).shape
    if labels.shape != shape:
        raise CohortError(
            f"{path.name}: the labels have shape {labels.shape}, but the scan {scan.name} has {shape}. "
            "If you cropped the scan, put the labels back with paste()."
        )
    unknown = sorted(set(np.unique(labels).tolist()) - set(LABELS))
    if unknown:
        raise CohortError(f"{path.name}: unknown label values {unknown}; BraTS labels are {sorted(LABELS)}.")
    header = image.header.copy()
    header.set_data_dtype(np.uint8)
    header.set_slope_inter(1, 0)
    header["cal_min"], header["cal_max"] = 0, 0  # the display range of the scan would hide the labels
    stored = orientations.apply_orientation(labels.astype(np.uint8), from_brats(image, scan.name))
    contents = type(image)(stored, image.affine, header).to_bytes()
    with files.replacing(path) as file:
        file.write(gzip.compress(contents, mtime=0) if path.name.endswith(".gz") else contents)
    return path


def _read(case: Path, file: Path) -> Volume:
    try:
        return read_volume(file)
    except DamagedFileError as error:
        raise CohortError(f"{case.name}: {error}: {how_to_get_again(case)}") from error
    except CohortError as error:
        raise CohortError(f"{case.name}: {error}") from error


def _check_geometry(case: Path, volume: Volume, reference: Volume) -> None:
    """The file must lie on the grid of the first modality."""
    if volume.values.shape != reference.values.shape:
        raise CohortError(
            f"{case.name}: {volume.path.name} has shape {volume.values.shape}, but {reference.path.name} has "
            f"{reference.values.shape}. All files of a case must be on one grid: {how_to_get_again(case)}"
        )
    difference = float(np.abs(volume.affine - reference.affine).max())
    if not difference <= AFFINE_TOLERANCE_MM:
        raise CohortError(
            f"{case.name}: {volume.path.name} has another affine than {reference.path.name} (difference "
            f"{difference:g}): voxels with the same index lie at different places. "
            f"{_sentence(how_to_get_again(case))}"
        )


def _check_image(case: Path, volume: Volume) -> None:
    """A modality must be finite, not empty, and 0 around the brain."""
    name, values = volume.path.name, volume.values
    finite = np.isfinite(values)
    if not finite.all():
        raise CohortError(
            f"{case.name}: {name} has {np.count_nonzero(~finite):,} voxels that are NaN or "
            f"infinite. {_sentence(how_to_get_again(case))}"
        )
    share = np.count_nonzero(values) / values.size
    if share == 0:
        raise CohortError(f"{case.name}: {name} is 0 everywhere. {_sentence(how_to_get_again(case))}")
    if share > LARGEST_SHARE:
        raise CohortError(
            f"{case.name}: {name} is not 0 in {100 * share:.0f} % of its voxels, as if the brain filled the "
            f"volume (smallest value {values.min():g}). BraTS images are skull-stripped: everything outside "
            "the brain is 0. Strip the skull, or remove the offset (scl_inter) that the header adds."
        )


def _check_different(case: Path, images: list[Volume]) -> None:
    """No two modalities may be one and the same image."""
    for one, other in itertools.combinations(images, 2):
        if np.array_equal(one.values, other.values):
            raise CohortError(
                f"{case.name}: {one.path.name} and {other.path.name} are the same image, so one of them was "
                f"copied over the other. {_sentence(how_to_get_again(case))}"
            )


def _convert_labels(case: Path, volume: Volume, named_as_in_2023: bool) -> np.ndarray:
    """Labels as uint8 0/1/2/4, from either convention of BraTS.

    The values 0, 1 and 2 mean the same in both. 3 without 4 is the enhancing tumour of BraTS 2023. 4 without
    3 is that of the years before, unless the files are named as in 2023: there 4 is the resection cavity of
    BraTS 2024, which this course does not treat. 3 and 4 together are BraTS 2024 or, before 2016,
    non-enhancing and enhancing tumour: refused.
    """
    values = volume.values
    found = np.unique(values)
    in_words = ", ".join(f"{value:g}" for value in found[:8]) + (", ..." if len(found) > 8 else "")
    problem = f"{case.name}: {volume.path.name} has the values {in_words}; "
    if not set(found.tolist()) <= {0, 1, 2, 3, 4}:  # also false for NaN
        raise CohortError(
            f"{problem}labels are 0, 1, 2, 4 (BraTS up to 2021) or 0, 1, 2, 3 (BraTS 2023). "
            f"Is this the segmentation? {_sentence(how_to_get_again(case))}"
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


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
