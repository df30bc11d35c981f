"""Distances between surfaces, against brute force, hand-made pairs and what has to hold for any masks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from course_utils import metrics


def brute_force_surface(mask: np.ndarray) -> list[tuple[int, ...]]:
    """Voxels of the object that have a face-neighbour in the background or outside of the image."""
    found = []
    for place in zip(*(index.tolist() for index in np.nonzero(mask))):
        for axis, step in itertools.product(range(mask.ndim), (-1, 1)):
            neighbour = list(place)
            neighbour[axis] += step
            outside = not 0 <= neighbour[axis] < mask.shape[axis]
            if outside or not mask[tuple(neighbour)]:
                found.append(place)
                break
    return found


def brute_force_distances(start: np.ndarray, target: np.ndarray, spacing: tuple[float, ...]) -> list[float]:
    """From each surface voxel of ``start`` to the nearest of ``target``: all pairs, the smallest of each."""
    targets = brute_force_surface(target)
    return [
        min((np.sum((np.subtract(a, b) * spacing) ** 2) ** 0.5 for b in targets), default=np.inf)
        for a in brute_force_surface(start)
    ]


@pytest.mark.parametrize("spacing", [(1, 1, 1), (0.8, 0.8, 6.5), (3.0, 0.7, 1.1)])
@pytest.mark.parametrize("shape", [(9, 7, 5), (6, 11), (1, 4, 6), (17,)])
@pytest.mark.parametrize("part", [0.02, 0.2, 0.7])
def test_distances_are_those_of_brute_force_in_order(shape, part, spacing):
    random = np.random.default_rng(len(shape) * 100 + int(100 * part))
    spacing = spacing[: len(shape)]
    a, b = random.random(shape) < part, random.random(shape) < part
    a.flat[0] = b.flat[-1] = True
    from_a, from_b = metrics.surface_distances(a, b, spacing=spacing)
    np.testing.assert_allclose(from_a, brute_force_distances(a, b, spacing), rtol=1e-12)
    np.testing.assert_allclose(from_b, brute_force_distances(b, a, spacing), rtol=1e-12)
