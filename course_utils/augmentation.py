"""Random changes of training slices that leave the meaning of their labels alone.

Another position of the head, another scanner: what a network should not care about. All randomness comes from the
generator that is passed in, so that the same generator gives the same batch.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional

ROTATION_STD = 0.15  # radians, about 9 degrees
SCALE_RANGE = (0.85, 1.15)
CONTRAST_STD, BRIGHTNESS_STD = 0.2, 0.25  # in standard deviations of the normalised brain
CURVE_STD = 0.075
LARGEST_NOISE = 0.2


def augment(images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Augment a batch of normalised slices.

    Args:
        images: float32, (N, C, X, Y), 0 outside the brain.
        labels: class indices, int64, (N, X, Y).
        generator: on the CPU.

    Returns:
        New images and labels of the same shapes and types; the arguments are not changed.
    """
    if _happens(0.5, generator):
        images, labels = images.flip(-2), labels.flip(-2)  # left and right
    if _happens(0.3, generator):
        images, labels = images.flip(-1), labels.flip(-1)
    if _happens(0.5, generator):
        images, labels = rotate_and_scale(images, labels, generator)
    return change_intensities(images, generator), labels


def rotate_and_scale(images: Tensor, labels: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Turn and scale each slice about its centre by its own random amount; nearest neighbour for the labels."""
    number, _, height, width = images.shape
    angle = ROTATION_STD * torch.randn(number, generator=generator)
    scale = SCALE_RANGE[0] + (SCALE_RANGE[1] - SCALE_RANGE[0]) * torch.rand(number, generator=generator)
    cosine, sine, zero = scale * angle.cos(), scale * angle.sin(), torch.zeros(number)
    # affine_grid measures both axes from -1 to 1: the aspect ratio keeps the rotation rigid
    aspect = height / width
    first_row = torch.stack([cosine, -sine * aspect, zero], dim=1)
    second_row = torch.stack([sine / aspect, cosine, zero], dim=1)
    grid = functional.affine_grid(torch.stack([first_row, second_row], dim=1), images.shape, align_corners=False)
    moved = functional.grid_sample(images, grid, mode="bilinear", align_corners=False)
    moved_labels = functional.grid_sample(labels[:, None].float(), grid, mode="nearest", align_corners=False)
    return moved, moved_labels[:, 0].long()


def change_intensities(images: Tensor, generator: Generator) -> Tensor:
    """Another scanner: contrast and brightness of each channel, its grey-value curve, noise, blur; background stays 0."""
    number, channels = images.shape[:2]
    brain = (images != 0).to(images.dtype)

    def per_channel(std: float) -> Tensor:
        return std * torch.randn(number, channels, 1, 1, generator=generator)

    images = images * (1 + per_channel(CONTRAST_STD)) + per_channel(BRIGHTNESS_STD) * brain
    if _happens(0.4, generator):
        images = images + per_channel(CURVE_STD) * images.abs() * images
    if _happens(0.4, generator):
        strength = LARGEST_NOISE * torch.rand(1, generator=generator)
        images = images + strength * torch.randn(images.shape, generator=generator) * brain
    if _happens(0.2, generator):
        images = functional.avg_pool2d(images, kernel_size=3, stride=1, padding=1)
    return images


def _happens(probability: float, generator: Generator) -> bool:
    return torch.rand(1, generator=generator).item() < probability
