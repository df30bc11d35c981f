"""Training batches of axial slices from BraTS-like cases."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor
from tqdm.auto import tqdm

from course_utils import cohort
from course_utils.augmentation import augment

SMALLEST_BRAIN, SMALLEST_TUMOUR = 100, 10
"""Voxels that a slice must show to be worth training on, or to count as one with tumour."""


class SliceBatches:
    """Draws augmented batches from the axial slices of some cases, which are held in memory.

    The volumes are normalised inside the brain and cropped to one box that holds every brain. Two thirds of a batch are
    slices with tumour, the others any slices with brain: drawn uniformly, most slices would show no tumour at all.

    Attributes:
        images: float32, (slices, modalities, X, Y).
        labels: class indices, int64, (slices, X, Y).

    Raises:
        CohortError: no cases, or one that cannot be used: no labels, or another shape than the first.
    """

    def __init__(
        self,
        cases: Sequence[str | Path],
        batch_size: int = 16,
        *,
        foreground: float = 2 / 3,
        multiple_of: int = 8,
        progress: bool = True,
    ) -> None:
        if not cases:
            raise cohort.CohortError("there are no training cases: was the split asked for 0?")
        images, labels = [], []
        for path in tqdm(cases, desc="loading", unit="case", disable=not progress):
            case = cohort.load_case(path)
            if case.labels is None:
                raise cohort.CohortError(f"{case.name}: it has no segmentation, so nothing can be learned from it.")
            if images and case.image.shape != images[0].shape:
                raise cohort.CohortError(
                    f"{case.name}: shape {case.image.shape}, but {Path(cases[0]).name} has {images[0].shape}. "
                    "Slices of one size are needed: resample the cases to one grid."
                )
            images.append(cohort.normalise(case.image))
            labels.append(cohort.class_indices(case.labels))
        brains = np.any([cohort.brain_mask(image) for image in images], axis=0)
        in_plane = cohort.brain_box(brains, (multiple_of, multiple_of, 1))[:2]
        self.images = torch.cat([_as_slices(image[(slice(None), *in_plane)]) for image in images])
        self.labels = torch.cat([_as_slices(label[in_plane]) for label in labels])
        self.batch_size = batch_size
        self.from_tumour = round(batch_size * foreground)
        self._with_brain = _slices_with(self.images[:, 0] != 0, SMALLEST_BRAIN)
        self._with_tumour = _slices_with(self.labels > 0, SMALLEST_TUMOUR)
        if self.from_tumour and len(self._with_tumour) == 0:
            raise cohort.CohortError("no slice of these cases shows a tumour: are the labels empty?")

    def draw(self, generator: Generator) -> tuple[Tensor, Tensor]:
        """A batch: images (batch_size, modalities, X, Y) and class indices (batch_size, X, Y)."""
        chosen = torch.cat(
            [
                _choose(self._with_tumour, self.from_tumour, generator),
                _choose(self._with_brain, self.batch_size - self.from_tumour, generator),
            ]
        )
        return augment(self.images[chosen], self.labels[chosen], generator)

    def fingerprint(self) -> str:
        """A hash of the data and of how it is drawn: two equal ones give the same batches from the same generator."""
        digest = hashlib.sha256(f"{self.batch_size} {self.from_tumour}".encode())
        for tensor in (self.images, self.labels):
            digest.update(str(tuple(tensor.shape)).encode())
            digest.update(tensor.contiguous().numpy())
        return digest.hexdigest()


def _as_slices(volume: np.ndarray) -> Tensor:
    """(..., X, Y, Z) -> (Z, ..., X, Y)."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(volume, -1, 0)))


def _slices_with(mask: Tensor, voxels: int) -> Tensor:
    return torch.nonzero(mask.sum(dim=(1, 2)) >= voxels)[:, 0]


def _choose(candidates: Tensor, number: int, generator: Generator) -> Tensor:
    return candidates[torch.randint(len(candidates), (number,), generator=generator)]
