"""Measured from surface to surface, in mm: Hausdorff and mean distances, normalised surface Dice.

All of them are summaries of two lists (:func:`surface_distances`): how far each surface voxel of the
prediction lies from the reference's surface, and the other way round. Two lists can be summed up in two ways,
one list after the other or both thrown together; authors and libraries differ, so here the call says which:

=============================  ==========================================  ================================
measure                        one list after the other                    both together
=============================  ==========================================  ================================
HD95 and other percentiles     "max_of_directed": MONAI, DeepMind          "pooled": MedPy
average surface distance       "mean_of_means": the definition of          "pooled": MONAI, MedPy
                               average surface distance, both ways
=============================  ==========================================  ================================

A surface is a set of voxels: those of the object that share a face with the background. Distances are
measured between the centres of voxels. DeepMind's library triangulates instead and weighs each piece of
surface by its area: similar numbers, another quantity.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.spatial import KDTree

from course_utils.metrics.masks import Mask, as_mask, as_masks, as_spacing, crop_to_content


def surface(mask: Mask) -> np.ndarray:
    """The voxels of an object that share a face with the background (in 2D: pixels and an edge).

    Outside of the image is background: an object that is cut off by the image's border has a surface there.

    Args:
        mask: 1D to 3D; bool or integers 0 and 1.

    Returns:
        bool, of the same shape.

    Raises:
        ValueError: it is not a mask.
    """
    return _surface(as_mask(mask))


def _surface(mask: np.ndarray) -> np.ndarray:
    inside = mask.copy()
    for axis in range(mask.ndim):
        along, kept = np.moveaxis(mask, axis, 0), np.moveaxis(inside, axis, 0)  # views
        kept[1:] &= along[:-1]
        kept[:-1] &= along[1:]
        kept[0] = kept[-1] = False
    return mask & ~inside


def surface_distances(
    prediction: Mask, reference: Mask, *, spacing: Sequence[float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Distances in mm from each mask's surface voxels to the nearest surface voxel of the other mask.

    Args:
        prediction, reference: of one shape, 1D to 3D; bool or integers 0 and 1.
        spacing: edges of a voxel in mm, one an axis; None is 1 mm each.

    Returns:
        (from the prediction's surface, from the reference's surface), float64, one number a surface voxel, in
        the order of ``np.nonzero(surface(mask))``. An empty mask has no surface, so its list is empty, and
        from the other mask it is infinitely far away.

    Raises:
        ValueError: the masks are none, have different shapes, or the spacing does not fit them.
    """
    prediction, reference = as_masks(prediction, reference)
    spacing = as_spacing(spacing, prediction.ndim)
    prediction, reference = map(_surface, crop_to_content(prediction, reference))
    return _distances(prediction, reference, spacing), _distances(reference, prediction, spacing)


def _distances(start: np.ndarray, target: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """From each true voxel of ``start`` to the nearest true voxel of ``target``, both of one shape; mm."""
    if not target.any():
        return np.full(np.count_nonzero(start), np.inf)
    return KDTree(np.argwhere(target) * spacing, balanced_tree=False).query(np.argwhere(start) * spacing)[0]


def hausdorff_distance(
    prediction: Mask,
    reference: Mask,
    *,
    spacing: Sequence[float] | None = None,
    percentile: float = 100,
    convention: Literal["max_of_directed", "pooled"] | None = None,
    both_empty: float = 0.0,
    one_empty: float = np.inf,
) -> float:
    """The largest distance between two surfaces in mm, or a percentile of the distances, such as HD95.

    At percentile 100 it is the Hausdorff distance: no point of either surface lies further from the other
    one. One wrong voxel decides it, hence the percentile. There are two, and on the same masks they may be
    far apart:

    - "max_of_directed": the percentile of each list of :func:`surface_distances`, and the larger of the two.
      If one direction is bad in more than 5 % of its voxels, HD95 shows it (MONAI, DeepMind's surface-
      distance).
    - "pooled": the percentile of both lists together. A small surface beside a large one is outvoted (MedPy).

    Between two values the percentile is interpolated linearly, as ``np.percentile`` does.

    Args:
        prediction, reference: of one shape, 1D to 3D; bool or integers 0 and 1.
        spacing: edges of a voxel in mm, one an axis; None is 1 mm each.
        percentile: 0 to 100.
        convention: has to be named below 100, where the two differ.
        both_empty: what two empty masks score: 0 as in BraTS, or nan to leave them out of a mean.
        one_empty: what one empty mask scores: infinite, or a penalty in mm. BraTS took 373.13, the diagonal
            of its 240 x 240 x 155 mm. Never nan: left out of a mean, a missed tumour would improve it.

    Raises:
        ValueError: the masks are none, have different shapes, or another argument is not as described.

    Huttenlocher DP, Klanderman GA, Rucklidge WJ. Comparing images using the Hausdorff distance. IEEE TPAMI
    15, 850-863 (1993).
    """
    if not 0 <= percentile <= 100:
        raise ValueError(f"a percentile lies between 0 and 100, {percentile} does not")
    if convention is None and percentile == 100:
        convention = "max_of_directed"  # the largest of all is the larger of the two largest
    if convention not in ("max_of_directed", "pooled"):
        raise ValueError(
            f"name the convention of the percentile, 'max_of_directed' or 'pooled', not {convention!r}: they "
            "are different numbers"
        )
    distances = surface_distances(prediction, reference, spacing=spacing)
    score = _score_of_empty(distances, both_empty, one_empty)
    if score is not None:
        return score
    if convention == "pooled":
        return float(np.percentile(np.concatenate(distances), percentile))
    return float(max(np.percentile(directed, percentile) for directed in distances))


def average_symmetric_surface_distance(
    prediction: Mask,
    reference: Mask,
    *,
    convention: Literal["pooled", "mean_of_means"],
    spacing: Sequence[float] | None = None,
    both_empty: float = 0.0,
    one_empty: float = np.inf,
) -> float:
    """The mean distance between two surfaces in mm.

    - "pooled": the mean of both lists of :func:`surface_distances` together, (sum + sum) / (|A| + |B|): every
      surface voxel counts the same, so the larger surface counts more (MONAI, MedPy; Heimann et al. 2009).
    - "mean_of_means": the mean of the two directed means: each surface counts half (panoptica).

    The other arguments and the errors are those of :func:`hausdorff_distance`.

    Heimann T, et al. Comparison and evaluation of methods for liver segmentation from CT datasets. IEEE TMI
    28, 1251-1265 (2009).
    """
    if convention not in ("pooled", "mean_of_means"):
        raise ValueError(
            f"name the convention, 'pooled' or 'mean_of_means', not {convention!r}: they are different "
            "numbers"
        )
    distances = surface_distances(prediction, reference, spacing=spacing)
    score = _score_of_empty(distances, both_empty, one_empty)
    if score is not None:
        return score
    if convention == "pooled":
        return float(np.concatenate(distances).mean())
    return float(np.mean([directed.mean() for directed in distances]))


def normalised_surface_dice(
    prediction: Mask,
    reference: Mask,
    *,
    tolerance: float,
    spacing: Sequence[float] | None = None,
    both_empty: float = 1.0,
) -> float:
    """The part of both surfaces that lies within a tolerance of the other one, between 0 and 1.

    (|{a in A: d(a, B) <= tolerance}| + |{b in B: d(b, A) <= tolerance}|) / (|A| + |B|), where A and B are
    surface voxels, each of which counts the same (as in MONAI without subvoxels; Nikolov et al. weigh each
    piece of surface by its area). Choose as tolerance what two experts differ by: what is closer than that is
    no error.

    Args:
        prediction, reference: of one shape, 1D to 3D; bool or integers 0 and 1.
        tolerance: in mm, 0 or more.
        spacing: edges of a voxel in mm, one an axis; None is 1 mm each.
        both_empty: what two empty masks score. If only one is empty, nothing lies near it: 0.

    Raises:
        ValueError: the masks are none, have different shapes, or another argument is not as described.

    Nikolov S, et al. Deep learning to achieve clinically applicable segmentation of head and neck anatomy for
    radiotherapy. arXiv 1809.04430 (2018).
    """
    if not tolerance >= 0:
        raise ValueError(f"the tolerance is a distance in mm, 0 or more, not {tolerance}")
    distances = np.concatenate(surface_distances(prediction, reference, spacing=spacing))
    if distances.size == 0:
        return float(both_empty)
    return float(np.mean(distances <= tolerance * (1 + 1e-9)))  # 3 * 0.1 mm is within 0.3 mm


def _score_of_empty(
    distances: tuple[np.ndarray, np.ndarray], both_empty: float, one_empty: float
) -> float | None:
    """What the caller says that empty masks score; None if neither is."""
    empty = sum(directed.size == 0 for directed in distances)
    return (None, float(one_empty), float(both_empty))[empty]
