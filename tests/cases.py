"""Small case folders to load and to damage."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np

from course_utils import cohort
from course_utils.phantom.grids import brats_affine

SHAPE = (12, 10, 8)
AFFINE = brats_affine(2.0)
NAMES_2023 = {"t1": "t1n", "t1ce": "t1c", "t2": "t2w", "flair": "t2f", "seg": "seg"}


def save(path: Path, values: np.ndarray, affine: np.ndarray = AFFINE) -> None:
    nibabel.save(nibabel.Nifti1Image(values, affine), path)


def random_labels(values: tuple[int, ...] = (0, 1, 2, 4)) -> np.ndarray:
    """Labels with every value in them."""
    labels = np.zeros(SHAPE, np.uint8)
    for position, value in enumerate(values):
        labels[2 + position, 3:6, 2:5] = value
    return labels


def make_case(
    folder: Path,
    name: str = "BraTS20_Training_001",
    ending: str = ".nii.gz",
    labels: np.ndarray | None = None,
) -> Path:
    """A small good case: modality i has the values 100 i + 1..99 in a block of brain."""
    case = folder / name
    case.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number, modality in enumerate(cohort.MODALITIES):
        image = np.zeros(SHAPE, np.int16)
        image[2:9, 2:8, 1:7] = 100 * number + rng.integers(1, 100, (7, 6, 6))
        save(case / f"{name}_{modality}{ending}", image)
    save(case / f"{name}_seg{ending}", random_labels() if labels is None else labels)
    return case


def make_case_2023(folder: Path, labels: np.ndarray, name: str = "BraTS-GLI-00005-000") -> Path:
    case = make_case(folder, name, labels=labels)
    for modality, new in NAMES_2023.items():
        (case / f"{name}_{modality}.nii.gz").rename(case / f"{name}-{new}.nii.gz")
    return case


def file_of(case: Path, kind: str) -> Path:
    return case / f"{case.name}_{kind}.nii.gz"
