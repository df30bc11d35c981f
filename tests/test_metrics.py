"""The Dice score and its conventions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import dice as dice_dissimilarity

from course_utils.metrics import dice_score


def masks(*rows: str) -> list[np.ndarray]:
    return [np.array([character == "x" for character in row]) for row in rows]


def test_dice_score_by_hand():
    prediction, reference = masks("xx....", "x.xx..")
    assert dice_score(prediction, reference) == 2 * 1 / (2 + 3)


def test_dice_score_agrees_with_scipy_and_is_symmetric():
    random = np.random.default_rng(0)
    for shape in ((3, 4, 5), (7, 2)):
        prediction, reference = random.random(shape) < 0.4, random.random(shape) < 0.3
        expected = 1 - dice_dissimilarity(prediction.ravel(), reference.ravel())
        assert dice_score(prediction, reference) == pytest.approx(expected, abs=1e-15)
        assert dice_score(reference, prediction) == dice_score(prediction, reference)


def test_empty_masks_follow_brats():
    empty, one = masks("....", ".x..")
    assert dice_score(empty, empty) == 1.0
    assert dice_score(one, empty) == 0.0
    assert dice_score(empty, one) == 0.0
    assert dice_score(one, one) == 1.0


def test_label_maps_and_other_shapes_are_refused():
    with pytest.raises(ValueError, match="uint8.*labels == 2"):
        dice_score(np.array([0, 2], np.uint8), np.array([0, 2], np.uint8))
    with pytest.raises(ValueError, match=r"prediction \(4,\), reference \(1,\)"):
        dice_score(*masks("x..x", "x"))
