"""What can be said by counting voxels: the confusion matrix and its ratios, Dice, Jaccard, volumes.

None of these numbers knows where a wrong voxel lies: ten at the border count as much as ten at the other side
of the brain. ``surfaces`` measures that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from course_utils.metrics.masks import Mask, as_mask, as_masks, as_spacing, crop_to_content


@dataclass(frozen=True)
class ConfusionCounts:
    """The confusion matrix of two masks, in voxels, and the ratios made of it.

    Each ratio lies between 0 and 1 and has several names; the docstrings give them. A ratio 0/0 is nan: it
    has no answer, for example the precision of a prediction that marks nothing.
    """

    true_positives: int
    """Voxels in both masks."""
    false_positives: int
    """Voxels in the prediction only."""
    false_negatives: int
    """Voxels in the reference only."""
    true_negatives: int
    """Voxels in neither."""

    @property
    def accuracy(self) -> float:
        """(TP + TN) / all voxels. A small object is hardly seen by it: true negatives make up nearly all."""
        right, wrong = self.true_positives + self.true_negatives, self.false_positives + self.false_negatives
        return _ratio(right, right + wrong)

    @property
    def precision(self) -> float:
        """TP / (TP + FP), the part of the prediction that is right; positive predictive value."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        """TP / (TP + FN), the part of the reference that was found; sensitivity, true positive rate."""
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def specificity(self) -> float:
        """TN / (TN + FP), the part of the background that was left alone; true negative rate."""
        return _ratio(self.true_negatives, self.true_negatives + self.false_positives)

    @property
    def negative_predictive_value(self) -> float:
        """TN / (TN + FN), the part of what was left out that is background."""
        return _ratio(self.true_negatives, self.true_negatives + self.false_negatives)

    @property
    def false_positive_rate(self) -> float:
        """FP / (FP + TN) = 1 - specificity; fall-out."""
        return _ratio(self.false_positives, self.false_positives + self.true_negatives)

    @property
    def false_negative_rate(self) -> float:
        """FN / (FN + TP) = 1 - recall; miss rate."""
        return _ratio(self.false_negatives, self.false_negatives + self.true_positives)

    @property
    def false_discovery_rate(self) -> float:
        """FP / (FP + TP) = 1 - precision."""
        return _ratio(self.false_positives, self.false_positives + self.true_positives)

    @property
    def balanced_accuracy(self) -> float:
        """(recall + specificity) / 2: object and background count the same, however large they are."""
        return (self.recall + self.specificity) / 2

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall: the Dice coefficient."""
        errors = self.false_positives + self.false_negatives
        return _ratio(2 * self.true_positives, 2 * self.true_positives + errors)

    @property
    def jaccard(self) -> float:
        """TP / (TP + FP + FN), intersection over union: f1 / (2 - f1)."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives + self.false_negatives)

    @property
    def volume_similarity(self) -> float:
        """1 - |FN - FP| / (2 TP + FP + FN): 1 when both masks have the same number of voxels, anywhere."""
        errors = self.false_positives + self.false_negatives
        difference = abs(self.false_negatives - self.false_positives)
        return 1 - _ratio(difference, 2 * self.true_positives + errors)


def confusion_counts(prediction: Mask, reference: Mask) -> ConfusionCounts:
    """Count the voxels that two masks agree and disagree on.

    Args:
        prediction, reference: of one shape, 1D to 3D; bool or integers 0 and 1.

    Raises:
        ValueError: the masks are none, or have different shapes.
    """
    prediction, reference = as_masks(prediction, reference)
    voxels = prediction.size
    prediction, reference = crop_to_content(prediction, reference)
    predicted, true = np.count_nonzero(prediction), np.count_nonzero(reference)
    both = np.count_nonzero(prediction & reference)
    return ConfusionCounts(both, predicted - both, true - both, voxels - predicted - true + both)


def dice_score(prediction: Mask, reference: Mask, *, both_empty: float = 1.0) -> float:
    """Dice coefficient 2 |A and B| / (|A| + |B|), between 0 and 1: the F1 score of the voxels.

    Args:
        prediction, reference: of one shape, 1D to 3D; bool or integers 0 and 1.
        both_empty: what two empty masks score, where the formula says 0/0: 1 as in BraTS up to 2022, or nan
            to leave them out of a mean. If only one is empty, the formula says 0.

    Raises:
        ValueError: the masks are none, or have different shapes.

    Dice LR. Measures of the amount of ecologic association between species. Ecology 26, 297-302 (1945).
    """
    return _or_if_both_empty(confusion_counts(prediction, reference).f1, both_empty)


def jaccard_index(prediction: Mask, reference: Mask, *, both_empty: float = 1.0) -> float:
    """Intersection over union, |A and B| / |A or B|, between 0 and 1: Dice / (2 - Dice).

    Arguments and errors are those of :func:`dice_score`.

    Jaccard P. The distribution of the flora in the alpine zone. New Phytologist 11, 37-50 (1912).
    """
    return _or_if_both_empty(confusion_counts(prediction, reference).jaccard, both_empty)


def volume_similarity(prediction: Mask, reference: Mask, *, both_empty: float = 1.0) -> float:
    """1 - ||A| - |B|| / (|A| + |B|), between 0 and 1: how close the volumes are, wherever they lie.

    Two tumours of the same size in different hemispheres score 1. Arguments and errors are those of
    :func:`dice_score`.

    Taha and Hanbury (2015), section "Volume based metrics".
    """
    return _or_if_both_empty(confusion_counts(prediction, reference).volume_similarity, both_empty)


def volume(mask: Mask, spacing: Sequence[float]) -> float:
    """Volume of a 3D mask in ml: the number of its voxels times the volume of one.

    Args:
        mask: (X, Y, Z); bool or integers 0 and 1.
        spacing: edges of a voxel in mm, (3,).

    Raises:
        ValueError: it is not a mask, not 3D, or the spacing is not three positive lengths.
    """
    mask = as_mask(mask)
    if mask.ndim != 3:
        raise ValueError(f"a volume needs a 3D mask, this one has the shape {mask.shape}")
    return np.count_nonzero(mask) * float(np.prod(as_spacing(spacing, 3))) / 1000


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _or_if_both_empty(score: float, both_empty: float) -> float:
    return float(both_empty) if np.isnan(score) else score
