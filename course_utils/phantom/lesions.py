"""From cell density and oedema to tissue fractions and the annotator's labels.

A high-grade glioma has a necrotic core, an enhancing rim where the contrast agent leaks out of its vessels,
some solid tumour that does not enhance, and oedema around it. A low-grade one has no enhancing part. Labels
are BraTS's:
1 necrotic and non-enhancing core, 2 oedema, 4 enhancing tumour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from course_utils.phantom.anatomy import Tissues
from course_utils.phantom.grids import bounding_box
from course_utils.phantom.random_fields import gaussian_random_field, smooth_step
from course_utils.phantom.tumour_growth import TumourParameters

CORE_LABEL, OEDEMA_LABEL, ENHANCING_LABEL = 1, 2, 4

SMALLEST_LESION_MM3 = 300.0
SMALLEST_ENHANCING_MM3 = 100.0
"""An annotator does not draw specks: smaller pieces become part of what surrounds them."""


@dataclass(frozen=True)
class Lesions:
    """Fractions (0..1) in each voxel, the labels, and the random field that textures the tumour.

    ``core`` is necrosis + solid + enhancing. ``oedema_extent`` ignores the core: oedema also lies beneath it.
    ``may_bleed``: a low-grade tumour hardly ever does.
    """

    core: np.ndarray
    necrosis: np.ndarray
    solid: np.ndarray
    enhancing: np.ndarray
    oedema: np.ndarray
    oedema_extent: np.ndarray
    labels: np.ndarray
    coarse_texture: np.ndarray
    may_bleed: bool


def make_lesions(
    tissues: Tissues,
    density: np.ndarray,
    oedema_density: np.ndarray,
    parameters: TumourParameters,
    spacing: float,
    rng: np.random.Generator,
) -> Lesions:
    """Divide the tumour into its compartments, with irregular borders, and label it."""
    shape = density.shape
    fine = gaussian_random_field(shape, 3.0, spacing, rng)
    coarse = gaussian_random_field(shape, 7.0, spacing, rng)
    parenchyma = np.clip(1 - 1.2 * tissues.fluid, 0, 1)

    core = smooth_step(density + 0.05 * fine, 0.5, 0.06) * np.clip(parenchyma + 0.15, 0, 1)
    is_core = core > 0.5

    rim_thickness = parameters.rim_thickness * np.exp(0.35 * coarse + 0.2 * fine)
    necrosis = smooth_step(_depth_inside(is_core, spacing), rim_thickness + spacing / 2, 0.35 * spacing + 0.3)
    if parameters.low_grade:
        necrosis *= 0.35
    solid = _solid_share(coarse, fine, is_core, parameters.solid_share)

    oedema_extent = smooth_step(oedema_density + 0.07 * fine + 0.05 * coarse, 0.5, 0.09)
    oedema_extent *= np.clip(tissues.white_matter + 0.3 * tissues.grey_matter, 0, 1) * parenchyma

    necrosis_fraction = core * necrosis
    solid_fraction = core * (1 - necrosis) * solid
    enhancing_fraction = core * (1 - necrosis) * (1 - solid)
    oedema_fraction = (1 - core) * oedema_extent

    labels = np.zeros(shape, np.uint8)
    labels[(oedema_fraction + core > 0.42) & (oedema_extent + core > 0.42)] = OEDEMA_LABEL
    labels[is_core] = CORE_LABEL
    labels[is_core & (enhancing_fraction > necrosis_fraction + solid_fraction)] = ENHANCING_LABEL
    labels[~tissues.brain] = 0
    labels = drop_specks(labels, spacing)
    return Lesions(
        core,
        necrosis_fraction,
        solid_fraction,
        enhancing_fraction,
        oedema_fraction,
        oedema_extent,
        labels,
        coarse,
        may_bleed=not parameters.low_grade,
    )


def _solid_share(coarse: np.ndarray, fine: np.ndarray, is_core: np.ndarray, share: float) -> np.ndarray:
    """Where living tumour takes up no contrast agent: patches that fill about ``share`` of the core."""
    if share in (0, 1):
        return np.full(coarse.shape, share, np.float32)
    threshold = -0.8 * np.quantile(coarse[is_core], share)
    return smooth_step(-(0.8 * coarse + 0.3 * fine), threshold, 0.25)


def _depth_inside(mask: np.ndarray, spacing: float) -> np.ndarray:
    """Distance of the voxels of ``mask`` to its outside, mm; computed in its bounding box only, for speed."""
    depth = np.zeros(mask.shape, np.float32)
    box = bounding_box(mask, margin=1)
    depth[box] = ndimage.distance_transform_edt(mask[box], sampling=spacing)
    return depth


def drop_specks(labels: np.ndarray, spacing: float) -> np.ndarray:
    """What a human annotator would draw: threads of oedema and islands left out, specks merged.

    Args:
        labels: uint8 labels 0/1/2/4, (X, Y, Z).
        spacing: edge of a voxel, mm.
    """
    box = bounding_box(labels > 0)
    drawn = labels[box].copy()
    whole = ndimage.binary_opening(np.pad(drawn > 0, 1))
    whole = ndimage.binary_dilation(_large_pieces(whole, SMALLEST_LESION_MM3 / spacing**3))[1:-1, 1:-1, 1:-1]
    drawn[(drawn == OEDEMA_LABEL) & ~whole] = 0
    drawn[~_large_pieces(drawn > 0, SMALLEST_LESION_MM3 / spacing**3)] = 0
    enhancing = drawn == ENHANCING_LABEL
    drawn[enhancing & ~_large_pieces(enhancing, SMALLEST_ENHANCING_MM3 / spacing**3)] = CORE_LABEL
    result = np.zeros_like(labels)
    result[box] = drawn
    return result


def _large_pieces(mask: np.ndarray, voxels: float) -> np.ndarray:
    """The connected pieces of ``mask`` with more than ``voxels`` voxels."""
    pieces, _ = ndimage.label(mask)
    large = np.bincount(pieces.ravel()) > voxels
    large[0] = False  # the background
    return large[pieces]
