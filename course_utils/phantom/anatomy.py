"""One subject's brain: the atlas, turned, scaled, bent, and with larger ventricles.

Everything smooth (deformation, tumour growth) is computed on a coarse grid of 2.5 mm and interpolated to the
voxels of the image; only the tissue maps are read from the atlas at full resolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from course_utils.phantom.atlas import Atlas
from course_utils.phantom.grids import Grid, sample
from course_utils.phantom.random_fields import gaussian_random_field, smooth_step

COARSE_SPACING_MM = 2.5
COARSE_HALF_SIZE_MM = np.array([85.0, 102.5, 77.5])
COARSE_GRID = Grid(
    COARSE_SPACING_MM,
    tuple(int(np.ceil(2 * half / COARSE_SPACING_MM)) for half in COARSE_HALF_SIZE_MM),
    tuple(-COARSE_HALF_SIZE_MM),
)

MEAN_SCALE = 0.91
"""The MNI template is larger than the average brain."""

ELASTIC_DEFORMATION_MM = ((20.0, 3.0), (9.0, 1.6))
"""Correlation length and standard deviation of the two random displacement fields that are added up."""

LARGEST_VENTRICULAR_SHIFT_MM = 5.0


@dataclass(frozen=True)
class Anatomy:
    """A subject's brain on the coarse grid.

    Attributes:
        atlas_indices: where each voxel lies in the atlas: three arrays of fractional voxel indices.
        grey_matter, white_matter, brain, depth, ventricles: the atlas's maps, deformed.
    """

    atlas_indices: tuple[np.ndarray, np.ndarray, np.ndarray]
    grey_matter: np.ndarray
    white_matter: np.ndarray
    brain: np.ndarray
    depth: np.ndarray
    ventricles: np.ndarray


@dataclass(frozen=True)
class Tissues:
    """Fractions (0..1) of the healthy tissues in each voxel of the image: they add up to 1 inside the brain.

    ``deep_grey_matter`` is the part of ``grey_matter`` that lies in the basal ganglia and thalamus. ``brain``
    is a mask, ``depth`` the distance to the surface of the brain in mm. ``ventricles`` is 1 inside them.
    """

    grey_matter: np.ndarray
    deep_grey_matter: np.ndarray
    white_matter: np.ndarray
    fluid: np.ndarray
    brain: np.ndarray
    depth: np.ndarray
    ventricles: np.ndarray


def make_anatomy(atlas: Atlas, rng: np.random.Generator) -> Anatomy:
    """Deform the atlas at random."""
    indices = _affine_to_atlas(_elastic_positions(rng), atlas, rng)
    indices = _enlarge_ventricles(indices, atlas, rng)
    maps = (atlas.grey_matter, atlas.white_matter, atlas.brain, atlas.depth, atlas.ventricles)
    return Anatomy(tuple(indices), *(sample(values, indices) for values in maps))


def _elastic_positions(rng: np.random.Generator) -> list[np.ndarray]:
    """Positions of the coarse grid's voxels, mm, each displaced by smooth random fields."""
    positions = []
    for axis_positions in COARSE_GRID.axes():
        displaced = axis_positions
        for correlation, strength in ELASTIC_DEFORMATION_MM:
            field = gaussian_random_field(COARSE_GRID.shape, correlation, COARSE_SPACING_MM, rng)
            displaced = displaced + np.float32(strength) * field
        positions.append(displaced)
    return positions


def _affine_to_atlas(positions: list[np.ndarray], atlas: Atlas, rng: np.random.Generator) -> list[np.ndarray]:
    """Undo a random rotation, scaling, shear and shift: from positions (mm) to voxel indices in the atlas."""
    angle_x, angle_y, angle_z = rng.normal(0, np.deg2rad(4), 3)
    scale = rng.normal(MEAN_SCALE, 0.03) * (1 + rng.normal(0, 0.025, 3))
    to_subject = _rotation(angle_x, 0) @ _rotation(angle_y, 1) @ _rotation(angle_z, 2) @ np.diag(scale)
    to_subject += rng.normal(0, 0.01, (3, 3))
    to_atlas = (np.linalg.inv(to_subject) / atlas.spacing).astype(np.float32)
    shift = (rng.normal(0, 1, 3) - _middle_of_brain(atlas, to_subject)).astype(np.float32)
    centred = [position - offset for position, offset in zip(positions, shift)]
    return [
        sum(coefficient * position for coefficient, position in zip(row, centred)) + middle
        for row, middle in zip(to_atlas, atlas.centre)
    ]


def _middle_of_brain(atlas: Atlas, to_subject: np.ndarray) -> np.ndarray:
    """Middle of the turned brain's bounding box, mm, (3,). It goes to the middle of the field of view."""
    every = 4  # voxels: enough to find the extent
    voxels = every * np.argwhere(atlas.brain[::every, ::every, ::every] > 0.5)
    positions = to_subject @ ((voxels - atlas.centre) * atlas.spacing).T
    return (positions.min(axis=1) + positions.max(axis=1)) / 2


def _rotation(angle: float, axis: int) -> np.ndarray:
    """Rotation by ``angle`` radians about a coordinate axis, (3, 3)."""
    first, second = [other for other in range(3) if other != axis]
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = np.cos(angle)
    matrix[first, second], matrix[second, first] = -np.sin(angle), np.sin(angle)
    return matrix


def _enlarge_ventricles(
    indices: list[np.ndarray], atlas: Atlas, rng: np.random.Generator
) -> list[np.ndarray]:
    """Ventricles grow with age. Reading the atlas closer to them than the voxel lies makes them wider."""
    shift_mm = min(rng.gamma(2.0, 1.0), LARGEST_VENTRICULAR_SHIFT_MM)
    outwards = [sample(component, indices) for component in atlas.ventricle_outwards]
    return [index - np.float32(shift_mm / atlas.spacing) * step for index, step in zip(indices, outwards)]


def make_tissues(
    atlas: Atlas,
    atlas_indices: list[np.ndarray],
    depth: np.ndarray,
    ventricles: np.ndarray,
    spacing: float,
    rng: np.random.Generator,
) -> Tissues:
    """The tissue fractions in the voxels of the image.

    The template is an average of 152 brains, so its cortex is a blur. Raising the probabilities to a power
    sharpens it, and random fields decide where a fold lies: every subject gets a cortex of its own.
    """
    grey_matter, white_matter, brain = (
        sample(values, atlas_indices) for values in (atlas.grey_matter, atlas.white_matter, atlas.brain)
    )
    shape = brain.shape
    fluid = np.clip(brain - grey_matter - white_matter, 0, 1)
    sharpness = 1.6
    folds = gaussian_random_field(shape, 2.2, spacing, rng)
    sulci = gaussian_random_field(shape, 2.2, spacing, rng)
    atrophy = rng.normal(0.15, 0.3)  # patients with gliomas are rarely young
    grey_matter = np.clip(grey_matter, 0, 1) ** sharpness * np.exp(0.45 * folds)
    white_matter = np.clip(white_matter, 0, 1) ** sharpness
    fluid = fluid**sharpness * np.exp(0.9 * sulci + np.float32(atrophy))
    total = grey_matter + white_matter + fluid + 1e-6
    grey_matter /= total
    is_deep = smooth_step(depth, 24.0, 3.0) * (1 - np.clip(3 * ventricles, 0, 1))
    return Tissues(
        grey_matter,
        grey_matter * is_deep,
        white_matter / total,
        fluid / total,
        brain > 0.5,
        depth,
        ventricles,
    )
