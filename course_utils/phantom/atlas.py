"""The anatomy shipped with the course: tissue probabilities of the MNI ICBM152 template at 1.5 mm.

``scripts/make_atlas.py`` derived the file from the template; its notice is in ``assets/NOTICE``.

Fonov VS, Evans AC, McKinstry RC, Almli CR, Collins DL. Unbiased nonlinear average age-appropriate brain
templates from birth to adulthood. NeuroImage 47, S102 (2009).
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy import ndimage

from course_utils.phantom.grids import bounding_box

ATLAS_FILE = Path(__file__).resolve().parent.parent / "assets" / "mni_icbm152_tissues.npz"

VENTRICLE_DEPTH_MM = 22.0
SMALLEST_VENTRICLE_MM3 = 150.0


@dataclass(frozen=True)
class Atlas:
    """Maps on one grid with axes R, A, S; float32, (X, Y, Z).

    Attributes:
        grey_matter, white_matter: probability of the tissue.
        brain: 1 inside the brain, cerebrospinal fluid included; 0 outside.
        depth: distance to the surface of the brain, mm.
        ventricles: 1 in the lateral and third ventricles, smoothed.
        ventricle_outwards: three components of a vector field that points away from the ventricles; the
            longest component is 1.
        centre: voxel index of the middle of the brain.
        spacing: edge of a voxel, mm.
    """

    grey_matter: np.ndarray
    white_matter: np.ndarray
    brain: np.ndarray
    depth: np.ndarray
    ventricles: np.ndarray
    ventricle_outwards: tuple[np.ndarray, np.ndarray, np.ndarray]
    centre: np.ndarray
    spacing: float


@lru_cache(maxsize=1)
def load_atlas() -> Atlas:
    """The atlas of the course; read once per process.

    Raises:
        RuntimeError: its file is missing or damaged.
    """
    try:
        with np.load(ATLAS_FILE) as stored:
            levels = np.float32(stored["levels"])
            grey_matter, white_matter, brain = (
                stored[name].astype(np.float32) / levels for name in ("grey_matter", "white_matter", "brain")
            )
            spacing = float(stored["spacing"])
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise RuntimeError(
            f"{ATLAS_FILE} is damaged ({type(error).__name__}: {error}). It is a part of the course: get it "
            "back with `git checkout -- course_utils/assets`, or get the course again."
        ) from error
    depth = ndimage.distance_transform_edt(brain > 0.5, sampling=spacing).astype(np.float32)
    ventricles = _find_ventricles(np.clip(brain - grey_matter - white_matter, 0, 1), depth, spacing)
    return Atlas(
        grey_matter,
        white_matter,
        brain,
        depth,
        ventricles,
        _outwards(ventricles),
        np.array([(side.start + side.stop - 1) / 2 for side in bounding_box(brain > 0.5)], np.float32),
        spacing,
    )


def _find_ventricles(fluid: np.ndarray, depth: np.ndarray, spacing: float) -> np.ndarray:
    """Fluid deep inside the brain, in pieces of some size."""
    pieces, _ = ndimage.label((fluid > 0.4) & (depth > VENTRICLE_DEPTH_MM))
    large = np.bincount(pieces.ravel()) * spacing**3 > SMALLEST_VENTRICLE_MM3
    large[0] = False  # the background
    return ndimage.gaussian_filter(large[pieces].astype(np.float32), 1.0)


def _outwards(ventricles: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Minus the gradient of the strongly smoothed ventricles, scaled to a largest component of 1."""
    downhill = -np.stack(np.gradient(ndimage.gaussian_filter(ventricles, 5.0)))
    x, y, z = downhill / np.abs(downhill).max()
    return x, y, z
