"""What counts as a mask and as a spacing, and the box that two masks share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Mask = Any
"""A NumPy array or a PyTorch tensor in main memory, 1D to 3D: bool, or integers 0 and 1."""


def as_mask(mask: Mask, name: str = "mask") -> np.ndarray:
    """``mask`` as a bool array of the same shape; bool and 8-bit masks are not copied.

    Raises:
        ValueError: it holds something else than truth values or the integers 0 and 1, is not 1D to 3D, has a
            dimension of length 0, or does not lie in main memory. The message calls it ``name``.
    """
    if str(getattr(mask, "device", "cpu")) != "cpu":
        raise ValueError(f"the {name} lies on {mask.device}: pass {name}.cpu()")
    mask = np.asarray(mask)
    if not 1 <= mask.ndim <= 3 or mask.size == 0:
        raise ValueError(
            f"the {name} has the shape {mask.shape}: a mask is one image of one to three dimensions, each at "
            "least 1 long. Of a batch, measure one case and one class at a time"
        )
    if mask.dtype == bool:
        return mask
    if not np.issubdtype(mask.dtype, np.integer):
        raise ValueError(
            f"the {name} is {mask.dtype}, a mask is bool or holds the integers 0 and 1: compare "
            "probabilities with a threshold (probability > 0.5), labels with a label (labels == 2)"
        )
    lowest, highest = mask.min(), mask.max()
    if lowest < 0 or highest > 1:
        raise ValueError(
            f"the {name} ({mask.dtype}) has values from {lowest} to {highest}: labels are not a mask, "
            "measure them one by one (labels == 2)"
        )
    return mask.view(bool) if mask.itemsize == 1 else mask != 0


def as_masks(prediction: Mask, reference: Mask) -> tuple[np.ndarray, np.ndarray]:
    """Both as bool arrays (:func:`as_mask`). Raises ValueError also if the shapes differ."""
    prediction, reference = as_mask(prediction, "prediction"), as_mask(reference, "reference")
    if prediction.shape != reference.shape:
        raise ValueError(
            f"the masks have different shapes: prediction {prediction.shape}, reference {reference.shape}"
        )
    return prediction, reference


def as_spacing(spacing: Sequence[float] | None, dimensions: int) -> np.ndarray:
    """The edges of a voxel in mm, one an axis, float64; None is 1 mm each.

    Raises:
        ValueError: there are not ``dimensions`` of them, or one is not a positive, finite number.
    """
    if spacing is None:
        return np.ones(dimensions)
    edges = np.asarray(spacing, dtype=np.float64)
    if edges.shape != (dimensions,):
        raise ValueError(f"spacing is one length in mm for each of the {dimensions} axes, not {spacing}")
    if not (np.isfinite(edges) & (edges > 0)).all():
        raise ValueError(f"spacing is in mm, positive and finite, not {spacing}")
    return edges


def bounding_box(mask: np.ndarray) -> tuple[slice, ...] | None:
    """The smallest box that holds a mask's true voxels, one slice an axis; None if there are none."""
    if mask.flags.f_contiguous and not mask.flags.c_contiguous:  # as NIfTI files are: read it as it lies in
        box = bounding_box(mask.T)  # memory, last axis first
        return box and box[::-1]
    box = []
    for axis in range(mask.ndim):
        occupied = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        if occupied.size == 0:
            return None
        box.append(slice(int(occupied[0]), int(occupied[-1]) + 1))
        mask = mask[(slice(None),) * axis + (box[-1],)]  # the other axes need look no further than this
    return tuple(box)


def crop_to_content(prediction: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two masks of one shape, cut to the smallest box that holds both: views. Two empty masks keep one voxel.

    Outside that box both are background, so whatever is measured on their content is the same inside: of a
    head of nine million voxels, two tumours need one or two hundred thousand.
    """
    boxes = [box for box in map(bounding_box, (prediction, reference)) if box is not None]
    if not boxes:
        boxes = [(slice(0, 1),) * prediction.ndim]
    joint = tuple(
        slice(min(side.start for side in sides), max(side.stop for side in sides)) for sides in zip(*boxes)
    )
    return prediction[joint], reference[joint]
