"""The labels of BraTS: names, regions, and the class indices of a network."""

from __future__ import annotations

import numpy as np

LABELS = {0: "background", 1: "necrotic and non-enhancing core", 2: "oedema", 4: "enhancing tumour"}


REGIONS = {"WT": (1, 2, 4), "TC": (1, 4), "ET": (4,)}
"""The nested regions that BraTS evaluates: whole tumour, tumour core, enhancing tumour."""


def class_indices(labels: np.ndarray) -> np.ndarray:
    """BraTS labels 0, 1, 2, 4 (any shape) as the class indices 0, 1, 2, 3 of a network, int64. A copy."""
    indices = labels.astype(np.int64)
    indices[indices == 4] = 3
    return indices


def brats_labels(indices: np.ndarray) -> np.ndarray:
    """Class indices 0, 1, 2, 3 (any shape) as BraTS labels 0, 1, 2, 4, uint8."""
    return np.array([0, 1, 2, 4], dtype=np.uint8)[indices]


def region_mask(labels: np.ndarray, region: str) -> np.ndarray:
    """Where BraTS labels (any shape) belong to ``region``, one of :data:`REGIONS`: bool, same shape."""
    return np.isin(labels, REGIONS[region])
