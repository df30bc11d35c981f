"""Random changes of training images that leave their meaning, so that a network learns to mind none.

Functions of a batch of slices: images, float32, (N, C, X, Y), 0 outside the brain; labels, int64, (N, X, Y).
All randomness comes from the generator that is passed, so the same generator state gives the same batch.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

LARGEST_ANGLE = 0.4
"""Radians, about 23 degrees: heads lie straight in the scanner, more or less."""

LARGEST_SCALING = 0.2


def augment(images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Flip, rotate and scale images and labels alike, then change the intensities of the images."""
    images, labels = move(images, labels, generator)
    return change_intensities(images, generator), labels


def move(images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Flip every other slice along X and one in four along Y; rotate and scale every other one.

    Images are interpolated linearly, labels take the nearest neighbour's: there is no class between 1 and 3.
    """
    number, _, height, width = images.shape
    moved = (_uniform(number, generator) < 0.5).float()
    angle = moved * LARGEST_ANGLE * (2 * _uniform(number, generator) - 1)
    scaling = 1 + moved * LARGEST_SCALING * (2 * _uniform(number, generator) - 1)
    flip_x = torch.where(_uniform(number, generator) < 0.5, -1.0, 1.0)
    flip_y = torch.where(_uniform(number, generator) < 0.25, -1.0, 1.0)

    # affine_grid counts from -1 to 1 along each axis, the last axis first: angles need the ratio of the edges
    ratio = height / width
    cosine, sine, zero = scaling * angle.cos(), scaling * angle.sin(), torch.zeros(number)
    to_y = torch.stack([flip_y * cosine, -flip_y * sine * ratio, zero], dim=1)
    to_x = torch.stack([flip_x * sine / ratio, flip_x * cosine, zero], dim=1)
    matrices = torch.stack([to_y, to_x], dim=1)
    grid = nn.functional.affine_grid(matrices, list(images.shape), align_corners=False)
    images = nn.functional.grid_sample(images, grid, mode="bilinear", align_corners=False)
    labels = nn.functional.grid_sample(labels[:, None].float(), grid, mode="nearest", align_corners=False)
    return images, labels[:, 0].long()


def change_intensities(images: Tensor, generator: Generator) -> Tensor:
    """Another contrast and brightness for every modality of every slice, and noise in some; 0 stays 0."""
    shape = (*images.shape[:2], 1, 1)
    inside = (images != 0).any(dim=1, keepdim=True)
    contrast = 1 + 0.2 * torch.randn(shape, generator=generator)
    brightness = 0.25 * torch.randn(shape, generator=generator)
    curvature = 0.05 * torch.randn(shape, generator=generator)
    noisy = (_uniform(len(images), generator) < 0.4)[:, None, None, None]
    level = 0.2 * _uniform(len(images), generator)[:, None, None, None] * noisy
    noise = level * torch.randn(images.shape, generator=generator)
    return (contrast * images + curvature * images.abs() * images + brightness + noise) * inside


def _uniform(number: int, generator: Generator) -> Tensor:
    return torch.rand(number, generator=generator)
