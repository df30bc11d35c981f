"""The two real scans that come with the course."""

from __future__ import annotations

from importlib import resources

import numpy as np

from course_utils.cohort.cases import Case
from course_utils.cohort.nifti import read_volume

NAMES = ("RealScan_1", "RealScan_2")


def real_scans() -> list[Case]:
    """Two real contrast-enhanced T1 scans of the head, each with a tumour outlined by hand.

    They are those of PyRadiomics 3.0.1 (BSD-3-Clause; course_utils/assets/real_scans/NOTICE), where nothing
    more is said of patients, tumours or who drew the outlines. What lies further than 15 mm from the brain is
    blank, and with it the face below the eyes. Slices are thick (0.78 x 0.78 x 6.5 mm), the skull is there,
    and there is one sequence only: a network that was trained on BraTS has never seen the like.

    Returns:
        Cases whose ``modalities`` are ("t1ce",): image float32, (1, X, Y, Z), and labels uint8, (X, Y, Z),
        where 1 is the whole outlined tumour, not the tumour core of BraTS.
    """
    return [_read(name) for name in NAMES]


def _read(name: str) -> Case:
    files = resources.files("course_utils") / "assets" / "real_scans" / name
    with resources.as_file(files) as folder:
        image = read_volume(folder / f"{name}_t1ce.nii.gz")
        tumour = read_volume(folder / f"{name}_seg.nii.gz")
    return Case(name, image.values[None], tumour.values.astype(np.uint8), image.affine, modalities=("t1ce",))
