"""Voxel grids in millimetres, and the two ways in which the phantom interpolates between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

BRATS_SIZE_MM = (240, 240, 155)
"""Size of a BraTS image: 240 x 240 x 155 voxels of 1 mm."""


@dataclass(frozen=True)
class Grid:
    """A regular grid of cubic voxels. Its axes point right, anterior, superior (R, A, S).

    Positions are in millimetres from the middle of the BraTS field of view, so grids of any spacing
    share one world.

    Attributes:
        spacing: edge of a voxel, mm.
        shape: number of voxels along R, A, S.
        start: position of the centre of voxel (0, 0, 0), mm.
    """

    spacing: float
    shape: tuple[int, int, int]
    start: tuple[float, float, float]

    def axes(self) -> list[np.ndarray]:
        """Positions along each axis, shaped to broadcast: (X, 1, 1), (1, Y, 1), (1, 1, Z)."""
        positions = [
            (first + self.spacing * np.arange(size)).astype(np.float32)
            for first, size in zip(self.start, self.shape)
        ]
        return list(np.meshgrid(*positions, indexing="ij", sparse=True))

    def part(self, box: tuple[slice, slice, slice]) -> Grid:
        """The grid of the voxels inside ``box``."""
        return Grid(
            self.spacing,
            tuple(side.stop - side.start for side in box),
            tuple(first + self.spacing * side.start for first, side in zip(self.start, box)),
        )


def brats_grid(spacing: float) -> Grid:
    """The field of view of BraTS at another spacing. Its voxels start at the same corner for every spacing.

    BraTS stores its arrays with the axes left, posterior, superior. The phantom computes with R, A, S and
    turns the first two axes round at the very end, so here the shared corner is at the *last* voxel along
    R and A.
    """
    shape = tuple(int(np.ceil(size / spacing)) for size in BRATS_SIZE_MM)
    half_x, half_y, half_z = (size / 2 for size in BRATS_SIZE_MM)
    return Grid(
        spacing,
        shape,
        (
            half_x - spacing / 2 - spacing * (shape[0] - 1),
            half_y - spacing / 2 - spacing * (shape[1] - 1),
            spacing / 2 - half_z,
        ),
    )


def brats_affine(spacing: float) -> np.ndarray:
    """Voxel indices (L, P, S axes) to world coordinates (R, A, S), mm: the affine of BraTS files, (4, 4).

    At 1 mm it is BraTS's own: diag(-1, -1, 1) with the origin (0, 239, 0). A larger voxel covers several of
    those, and its centre lies in their middle.
    """
    affine = np.diag([-spacing, -spacing, spacing, 1.0])
    offset = (spacing - 1) / 2
    affine[:3, 3] = (-offset, 239 - offset, offset)
    return affine


def bounding_box(mask: np.ndarray, margin: int = 0) -> tuple[slice, ...]:
    """The smallest box around the true voxels of ``mask``, widened by ``margin`` voxels inside the array."""
    boxes = ndimage.find_objects(np.asarray(mask, bool).view(np.uint8))
    if not boxes:
        raise ValueError("the mask is empty, so it has no bounding box")
    return tuple(
        slice(max(0, side.start - margin), min(size, side.stop + margin))
        for side, size in zip(boxes[0], mask.shape)
    )


def sample(volume: np.ndarray, indices: Sequence[np.ndarray], outside: str = "constant") -> np.ndarray:
    """Trilinear interpolation of ``volume`` at fractional voxel ``indices`` (one array an axis).

    Outside: 0 or nearest.
    """
    return ndimage.map_coordinates(volume, np.stack(np.broadcast_arrays(*indices)), order=1, mode=outside)


def interpolate(volume: np.ndarray, start: Sequence[float], step: float, shape: Sequence[int]) -> np.ndarray:
    """Trilinear interpolation at ``start + step * (0, 1, 2, ...)`` along each axis.

    On a grid, interpolation separates by axis, which is much faster than :func:`sample`.

    Args:
        volume: values on the coarse grid, float32.
        start: index in ``volume`` of the first result, one an axis.
        step: distance of the results, in voxels of ``volume``.
        shape: number of results along each axis.
    """
    for axis, (first, size) in enumerate(zip(start, shape)):
        position = np.float32(first) + np.float32(step) * np.arange(size, dtype=np.float32)
        lower = np.clip(position.astype(int), 0, volume.shape[axis] - 2)
        weight = np.clip(position - lower, 0, 1).reshape([-1 if other == axis else 1 for other in range(3)])
        volume = np.take(volume, lower, axis) * (1 - weight) + np.take(volume, lower + 1, axis) * weight
    return volume


def resample(volume: np.ndarray, source: Grid, target: Grid) -> np.ndarray:
    """Values given on ``source``, interpolated on ``target``."""
    start = [(there - here) / source.spacing for here, there in zip(source.start, target.start)]
    return interpolate(volume, start, target.spacing / source.spacing, target.shape)
