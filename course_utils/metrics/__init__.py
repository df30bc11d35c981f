"""What an evaluation measures: how well a segmentation agrees with its reference.

=============  =========================================================================================
``masks``      what counts as a mask and as a spacing; the box that two masks share
``counts``     counting voxels: the confusion matrix and its ratios, Dice, Jaccard, volumes
``surfaces``   measuring distances in mm: Hausdorff, HD95, mean surface distance, normalised surface Dice
=============  =========================================================================================

All take two masks of one shape, 1D to 3D: bool, or integers 0 and 1, NumPy arrays or PyTorch tensors in main
memory. A label map is compared label by label (``prediction == 2, reference == 2``) or region by region
(:func:`course_utils.evaluation.case_report`). Two choices are the caller's, because they change the numbers:
which convention a distance follows, and what an empty mask scores.

Taha AA, Hanbury A. Metrics for evaluating 3D medical image segmentation: analysis, selection, and tool. BMC
Medical Imaging 15:29 (2015).
Maier-Hein L, Reinke A, et al. Metrics reloaded: recommendations for image analysis validation. Nature Methods
21, 195-212 (2024).
"""

from __future__ import annotations

from course_utils.metrics.counts import (
    ConfusionCounts,
    confusion_counts,
    dice_score,
    jaccard_index,
    volume,
    volume_similarity,
)
from course_utils.metrics.surfaces import (
    average_symmetric_surface_distance,
    hausdorff_distance,
    normalised_surface_dice,
    surface,
    surface_distances,
)

__all__ = [
    "ConfusionCounts",
    "average_symmetric_surface_distance",
    "confusion_counts",
    "dice_score",
    "hausdorff_distance",
    "jaccard_index",
    "normalised_surface_dice",
    "surface",
    "surface_distances",
    "volume",
    "volume_similarity",
]
