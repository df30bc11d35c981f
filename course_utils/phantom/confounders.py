"""What a careless method mistakes for tumour, here as in every real cohort.

White matter lesions of age are as bright as oedema on T2 and FLAIR; vessels, dura and choroid plexus take up
contrast agent like the enhancing rim; pulsating fluid is not nulled on FLAIR.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from course_utils.phantom.anatomy import Tissues
from course_utils.phantom.grids import Grid
from course_utils.phantom.random_fields import gaussian_random_field, smooth_step


@dataclass(frozen=True)
class Confounders:
    """Fractions (0..1) in each voxel.

    Attributes:
        white_matter_lesion: share of the white matter that is diseased without being tumour.
        vessels: vessels, dura and choroid plexus: what enhances in a healthy head.
        flow: share of the fluid's signal that escapes the nulling of FLAIR.
    """

    white_matter_lesion: np.ndarray
    vessels: np.ndarray
    flow: np.ndarray


def make_confounders(tissues: Tissues, grid: Grid, rng: np.random.Generator) -> Confounders:
    """Draw the confounders of one subject."""
    return Confounders(
        _white_matter_lesions(tissues, grid.spacing, rng),
        _vessels(tissues, grid, rng),
        _fluid_flow(tissues, grid.spacing, rng),
    )


def _white_matter_lesions(tissues: Tissues, spacing: float, rng: np.random.Generator) -> np.ndarray:
    """Caps and bands around the ventricles, and small spots further away; from hardly any to many."""
    shape = tissues.brain.shape
    load = rng.beta(1.3, 1.4)
    near_ventricles = ndimage.gaussian_filter(tissues.ventricles, 5 / spacing)
    irregular = gaussian_random_field(shape, 3.5, spacing, rng)
    caps = smooth_step(6 * near_ventricles + 0.55 * irregular, 2.6 - 2.0 * load, 0.12)
    caps *= 1 - np.clip(2 * tissues.ventricles, 0, 1)
    spots = smooth_step(gaussian_random_field(shape, 2.2, spacing, rng), 4.0 - 1.4 * load, 0.08)
    return 0.8 * np.maximum(caps, spots) * tissues.white_matter


def _vessels(tissues: Tissues, grid: Grid, rng: np.random.Generator) -> np.ndarray:
    """Vessels in the sulci, the sagittal sinus and falx, patches of dura, and the choroid plexus."""
    shape, spacing = grid.shape, grid.spacing
    # Two random surfaces cross in a curve: a tube around it is a vessel.
    first_surface = gaussian_random_field(shape, 5, spacing, rng)
    second_surface = gaussian_random_field(shape, 5, spacing, rng)
    tubes = np.exp(-((first_surface / 0.16) ** 2) - (second_surface / 0.45) ** 2)
    tubes *= np.clip(1.8 * tissues.fluid + 0.25 * tissues.grey_matter, 0, 1)
    tubes *= (tissues.depth < 30) & (tissues.ventricles < 0.1)

    patches = smooth_step(gaussian_random_field(shape, 14, spacing, rng), rng.uniform(0.3, 1.8), 0.2)
    dura = 0.7 * patches * np.exp(-(((tissues.depth - 1.5) / 2.0) ** 2))

    x, _, z = grid.axes()
    falx = 0.9 * np.exp(-((x / 2.0) ** 2)) * np.exp(-(((tissues.depth - 3) / 3) ** 2)) * (z > -10)

    plexus = smooth_step(gaussian_random_field(shape, 2.5, spacing, rng), 1.3, 0.25)
    plexus *= np.clip(tissues.ventricles, 0, 1) * tissues.fluid
    return np.clip(np.maximum.reduce([tubes, dura, falx]) + 0.6 * plexus, 0, 0.85)


def _fluid_flow(tissues: Tissues, spacing: float, rng: np.random.Generator) -> np.ndarray:
    """Fluid that moved between inversion and readout keeps its signal."""
    moving = gaussian_random_field(tissues.brain.shape, 8, spacing, rng)
    return tissues.fluid * smooth_step(moving, rng.uniform(0.2, 1.9), 0.25)
