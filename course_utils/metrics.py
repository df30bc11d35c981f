"""How well a segmentation agrees with its reference."""

from __future__ import annotations

import numpy as np


def dice_score(prediction: np.ndarray, reference: np.ndarray) -> float:
    """Dice coefficient of two masks, 2 |A and B| / (|A| + |B|), between 0 and 1.

    Two empty masks score 1, one empty mask 0: the convention of BraTS up to 2022.

    Args:
        prediction, reference: bool, of one shape.

    Raises:
        ValueError: the shapes differ, or a mask is not bool (labels are not masks: compare with a label
            first).

    Dice LR. Measures of the amount of ecologic association between species. Ecology 26, 297-302 (1945).
    """
    prediction, reference = np.asarray(prediction), np.asarray(reference)
    if prediction.dtype != bool or reference.dtype != bool:
        raise ValueError(
            f"masks are bool, these are {prediction.dtype} and {reference.dtype}: write labels == 2"
        )
    if prediction.shape != reference.shape:
        raise ValueError(f"the masks have different shapes, {prediction.shape} and {reference.shape}")
    sizes = np.count_nonzero(prediction) + np.count_nonzero(reference)
    if sizes == 0:
        return 1.0
    return 2 * np.count_nonzero(prediction & reference) / sizes
