"""Smooth random fields: they deform the anatomy, roughen borders and texture the images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from course_utils.phantom.grids import interpolate


def gaussian_random_field(
    shape: Sequence[int], correlation: float, spacing: float, rng: np.random.Generator
) -> np.ndarray:
    """White Gaussian noise, smoothed: mean 0, standard deviation 1, float32.

    A smooth field needs few samples: it is made on a coarser grid, with at least two samples to each
    ``correlation`` length, and interpolated. This is what makes a full-size subject affordable.

    Args:
        shape: size of the field, voxels.
        correlation: standard deviation of the smoothing Gaussian, mm.
        spacing: edge of a voxel, mm.
        rng: source of randomness.
    """
    coarsening = max(1, int(correlation / spacing / 2))
    coarse_shape = tuple(int(np.ceil(size / coarsening)) + 3 for size in shape)
    noise = rng.standard_normal(coarse_shape, dtype=np.float32)
    field = ndimage.gaussian_filter(noise, correlation / spacing / coarsening, mode="wrap")
    if coarsening > 1:
        field = interpolate(field, (0, 0, 0), 1 / coarsening, shape)
    else:
        field = field[tuple(slice(0, size) for size in shape)]
    field = field - field.mean()
    return field / field.std()


def smooth_step(values: np.ndarray, threshold: float | np.ndarray, width: float) -> np.ndarray:
    """A soft threshold: the logistic function, 0 well below ``threshold``, 1/2 at it, 1 well above."""
    return 1 / (1 + np.exp(-np.clip((values - threshold) / width, -30, 30)))
