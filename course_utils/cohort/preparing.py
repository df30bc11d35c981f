"""From a case to what a network sees: brain mask, box, normalisation. Training and prediction share it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from course_utils.cohort.cases import Case
from course_utils.cohort.errors import CohortError
from course_utils.cohort.labels import class_indices

MULTIPLE_OF = 8
"""Edges of what a network sees are multiples of this: three poolings halve them three times."""


class Prepared(NamedTuple):
    """A case as a network sees it.

    Attributes:
        image: normalised and cropped to the brain, float32, (4, X, Y, Z).
        indices: class indices 0 to 3, uint8, (X, Y, Z); None if the case has no labels.
        box: where the crop lies in the case. It may reach beyond the last voxel: there are zeros.
        shape: of the whole case, (3,).
    """

    image: np.ndarray
    indices: np.ndarray | None
    box: tuple[slice, ...]
    shape: tuple[int, ...]

    def paste(self, cropped: np.ndarray) -> np.ndarray:
        """Put a volume (X, Y, Z) of the crop's size back: zeros around it, (the case's shape)."""
        large = [max(side.stop, size) for side, size in zip(self.box, self.shape)]
        return paste(cropped, self.box, large)[tuple(slice(size) for size in self.shape)]


def prepare(case: Case, multiple_of: int = MULTIPLE_OF, dims: int = 2) -> Prepared:
    """Normalise a case inside the brain and crop it to the brain: what training and prediction do alike.

    Args:
        case: its labels, if any, are cropped with the image.
        multiple_of: edges of the crop are multiples of this, 2^(number of poolings).
        dims: of the network. One of 2 dimensions sees axial slices, so only X and Y need be multiples; one of
            3 sees all three axes.

    Raises:
        CohortError: the brain mask is empty.
    """
    brain = brain_mask(case.image)
    multiples = [multiple_of] * dims + [1] * (brain.ndim - dims)
    image, labels = normalise(case.image, brain), case.labels
    # A flat volume may have fewer voxels than the next multiple: zeros behind its last ones make room.
    missing = [
        (0, max(0, _rounded_up(side.stop - side.start, multiple) - size))
        for side, multiple, size in zip(brain_box(brain), multiples, brain.shape)
    ]
    if np.any(missing):
        brain, image = np.pad(brain, missing), np.pad(image, [(0, 0), *missing])
        labels = None if labels is None else np.pad(labels, missing)
    box = brain_box(brain, multiples)
    return Prepared(
        np.ascontiguousarray(image[(slice(None), *box)]),  # a copy: the whole volume need not stay in memory
        None if labels is None else class_indices(labels[box]).astype(np.uint8),
        box,
        case.image.shape[1:],
    )


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
    boxes = ndimage.find_objects(np.asarray(brain, bool).view(np.uint8))
    if not boxes:
        raise CohortError("the brain mask is empty: it has no bounding box. Is the image all zero?")
    box = []
    for axis, (side, multiple) in enumerate(zip(boxes[0], multiples)):
        size = _rounded_up(side.stop - side.start, multiple)
        if size > brain.shape[axis]:
            raise CohortError(
                f"axis {axis}: the brain needs {size} voxels as a multiple of {multiple}, the volume has "
                f"{brain.shape[axis]}. Pad the volume first, or ask for a smaller multiple."
            )
        first = side.start - (size - (side.stop - side.start)) // 2
        start = min(max(0, first), brain.shape[axis] - size)
        box.append(slice(start, start + size))
    return tuple(box)


def paste(cropped: np.ndarray, box: tuple[slice, ...], shape: Sequence[int]) -> np.ndarray:
    """Put a volume that was cropped with ``box`` back into zeros of the original ``shape``."""
    full = np.zeros(tuple(shape), cropped.dtype)
    full[tuple(box)] = cropped
    return full


def _rounded_up(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple
