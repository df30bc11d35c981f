"""From a case to what a network sees: brain mask, box, normalisation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from course_utils.cohort.errors import CohortError


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
