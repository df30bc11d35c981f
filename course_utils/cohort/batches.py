"""Batches of axial slices for training a 2D network."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Generator, Tensor

from course_utils import cohort
from course_utils.cohort.augmentation import augment

MULTIPLE_OF = 8
"""Edges of the slices are multiples of this: three poolings halve them three times."""


class TrainingSlices:
    """All axial slices of some cases, normalised and cropped to the brain, drawn in random batches.

    They are kept in memory. Most of a brain is healthy: a share of each batch is drawn among the slices that
    show tumour (lecture, slide on sampling).

    Args:
        cases: case folders, or cases already loaded, all with labels.
        batches: number of batches in an epoch.
        batch_size: slices in a batch.
        foreground: share of a batch that is drawn among the slices with tumour.
        augmented: change the slices at random, see :mod:`course_utils.cohort.augmentation`.

    Attributes:
        images: float32, (slices, 4, X, Y).
        labels: class indices, int64, (slices, X, Y).

    Raises:
        cohort.CohortError: a case has no labels or cannot be read.
        ValueError: there is no case, or no slice with tumour, or a number is out of range.
    """

    def __init__(
        self,
        cases: Sequence[cohort.Case | str | Path],
        *,
        batches: int = 50,
        batch_size: int = 16,
        foreground: float = 2 / 3,
        augmented: bool = True,
    ) -> None:
        if not cases:
            raise ValueError("there are no cases to train on")
        if batches < 1 or batch_size < 1 or not 0 <= foreground <= 1:
            raise ValueError(
                f"batches {batches}, batch_size {batch_size}, foreground {foreground}: at least one batch of "
                "one slice, and a share between 0 and 1"
            )
        self.batches, self.batch_size = batches, batch_size
        self.foreground, self.augmented = foreground, augmented
        volumes = [_cropped(case) for case in cases]
        size = np.max([labels.shape[1:] for _, labels in volumes], axis=0)
        self.images = torch.from_numpy(np.concatenate([_padded(images, size) for images, _ in volumes]))
        self.labels = torch.from_numpy(np.concatenate([_padded(labels, size) for _, labels in volumes]))
        self._with_tumour = (self.labels > 0).any(dim=(1, 2)).nonzero()[:, 0]
        if len(self._with_tumour) == 0:
            raise ValueError("no slice shows a tumour: are these the right labels?")

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.batches

    def epoch(self, generator: Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of one epoch: images (N, 4, X, Y) and class indices (N, X, Y)."""
        from_tumour = round(self.batch_size * self.foreground)
        for _ in range(self.batches):
            shows_tumour = torch.randint(len(self._with_tumour), (from_tumour,), generator=generator)
            anywhere = torch.randint(len(self.images), (self.batch_size - from_tumour,), generator=generator)
            chosen = torch.cat([self._with_tumour[shows_tumour], anywhere])
            images, labels = self.images[chosen], self.labels[chosen]
            yield augment(images, labels, generator) if self.augmented else (images, labels)

    def fingerprint(self) -> str:
        """A hash of the slices and of how they are drawn: two equal ones give the same batches."""
        digest = hashlib.sha256()
        for values in (self.images, self.labels):
            digest.update(repr(tuple(values.shape)).encode())
            digest.update(values.numpy())
        digest.update(repr((self.batches, self.batch_size, self.foreground, self.augmented)).encode())
        return digest.hexdigest()


def _cropped(case: cohort.Case | str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Normalised slices (Z, 4, X, Y) and class indices (Z, X, Y) of the box around the brain."""
    case = case if isinstance(case, cohort.Case) else cohort.load_case(case)
    if case.labels is None:
        raise cohort.CohortError(f"{case.name}: there is no segmentation to learn from. Leave the case out.")
    brain = cohort.brain_mask(case.image)
    box = cohort.brain_box(brain, (MULTIPLE_OF, MULTIPLE_OF, 1))
    image = cohort.normalise(case.image, brain)[(slice(None), *box)]
    return np.moveaxis(image, -1, 0), np.moveaxis(cohort.class_indices(case.labels[box]), -1, 0)


def _padded(slices: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Zeros around slices (..., X, Y), so that they have ``size`` and stay in the middle."""
    missing = [int(wanted - present) for wanted, present in zip(size, slices.shape[-2:])]
    around = [(gap // 2, gap - gap // 2) for gap in missing]
    return np.pad(slices, [(0, 0)] * (slices.ndim - 2) + around)
