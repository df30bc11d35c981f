"""Axial slices of cases, and batches of them for training a 2D network."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor

from course_utils import cohort
from course_utils.cohort.augmentation import augment


class Slices(NamedTuple):
    """Axial slices as a 2D network sees them: normalised, cropped to the brain, all of one size.

    Attributes:
        images: float32, (slices, 4, X, Y); 0 outside the brain.
        labels: class indices 0 to 3, uint8, (slices, X, Y); ``.long()`` makes of them what a loss needs.
    """

    images: Tensor
    labels: Tensor

    @property
    def brain(self) -> Tensor:
        """Where there is brain: bool, (slices, X, Y)."""
        return (self.images != 0).any(dim=1)

    def showing(self, *classes: int) -> Tensor:
        """Positions of the slices that show one of the classes (by default any tumour): int64, (n,)."""
        wanted = torch.tensor(classes or (1, 2, 3), dtype=torch.uint8)
        return torch.isin(self.labels, wanted).any(dim=(1, 2)).nonzero()[:, 0]

    def modality(self, name: str, at_least: float = 0.0) -> Tensor:
        """One modality alone, to look at or to learn from: float32, (n, 1, X, Y), about 0 to 1.

        Normalised values from -3 to 3 become 0 to 1; the background is 0.

        Args:
            name: one of ``cohort.MODALITIES``.
            at_least: leave out the slices of which less than this share is brain.
        """
        channel = cohort.MODALITIES.index(name)
        images = self.images[:, channel : channel + 1]
        images = images[(images != 0).float().mean(dim=(1, 2, 3)) >= at_least]
        return torch.where(images == 0, 0.0, (images + 3) / 6)


def axial_slices(cases: Sequence[cohort.Case | str | Path]) -> Slices:
    """All axial slices of some cases, in their order; smaller heads get a border of zeros.

    Args:
        cases: case folders, or cases already loaded, all with labels.

    Raises:
        cohort.CohortError: a case has no labels or cannot be read.
        ValueError: there is no case.
    """
    if not cases:
        raise ValueError("there are no cases to cut into slices")
    prepared = [_prepared(case) for case in cases]
    size = np.max([volume.image.shape[1:3] for volume in prepared], axis=0)
    number = sum(volume.image.shape[3] for volume in prepared)
    images = np.zeros((number, len(cohort.MODALITIES), *size), np.float32)
    labels = np.zeros((number, *size), np.uint8)
    first = 0
    for position, (image, indices, *_) in enumerate(prepared):
        here = slice(first, first + image.shape[3])
        middle = tuple(
            slice((wanted - edge) // 2, (wanted - edge) // 2 + edge)
            for wanted, edge in zip(size, image.shape[1:3])
        )
        images[(here, slice(None), *middle)] = np.moveaxis(image, -1, 0)
        labels[(here, *middle)] = np.moveaxis(indices, -1, 0)
        first = here.stop
        prepared[position] = None  # not two copies of all cases at once
    return Slices(torch.from_numpy(images), torch.from_numpy(labels))


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
        slices: all of them, :class:`Slices`.
        images, labels: those of ``slices``: float32, (slices, 4, X, Y); class indices, uint8, (slices, X, Y).

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
        if batches < 1 or batch_size < 1 or not 0 <= foreground <= 1:
            raise ValueError(
                f"batches {batches}, batch_size {batch_size}, foreground {foreground}: at least one batch of "
                "one slice, and a share between 0 and 1"
            )
        self.batches, self.batch_size = batches, batch_size
        self.foreground, self.augmented = foreground, augmented
        self.slices = axial_slices(cases)
        self.images, self.labels = self.slices
        self._with_tumour = self.slices.showing()
        if len(self._with_tumour) == 0:
            raise ValueError("no slice shows a tumour: are these the right labels?")

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.batches

    def epoch(self, generator: Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of one epoch: images (N, 4, X, Y) and class indices, int64, (N, X, Y)."""
        from_tumour = round(self.batch_size * self.foreground)
        for _ in range(self.batches):
            shows_tumour = torch.randint(len(self._with_tumour), (from_tumour,), generator=generator)
            anywhere = torch.randint(len(self.images), (self.batch_size - from_tumour,), generator=generator)
            chosen = torch.cat([self._with_tumour[shows_tumour], anywhere])
            images, labels = self.images[chosen], self.labels[chosen].long()
            yield augment(images, labels, generator) if self.augmented else (images, labels)

    def fingerprint(self) -> str:
        """A hash of the slices and of how they are drawn: two equal ones give the same batches."""
        digest = hashlib.sha256()
        for values in self.slices:
            digest.update(repr(tuple(values.shape)).encode())
            digest.update(values.numpy())
        digest.update(repr((self.batches, self.batch_size, self.foreground, self.augmented)).encode())
        return digest.hexdigest()


def _prepared(case: cohort.Case | str | Path) -> cohort.Prepared:
    case = case if isinstance(case, cohort.Case) else cohort.load_case(case)
    if case.labels is None:
        raise cohort.CohortError(f"{case.name}: there is no segmentation to learn from. Leave the case out.")
    return cohort.prepare(case)
