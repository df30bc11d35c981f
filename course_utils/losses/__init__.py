"""Losses of segmentation, as functions of logits and a target.

In all of them ``logits`` is floating, (N, C, *size), with one or more axes of size, and ``target`` is one of

- class indices, int64, (N, *size), as :func:`course_utils.cohort.class_indices` makes them;
- one-hot or soft classes, floating, (N, C, *size), from 0 to 1, with sum 1 over the classes.

The result is a scalar. Softmax, logarithm and sums are computed in float32 at least: in half precision a sum
over voxels overflows beyond 65,504. Gradients go to the logits, never to the target. Voxels whose class index
is ``ignore_index`` (inside or outside 0 to C - 1) count nowhere; a batch without any other voxel costs 0.

All raise ValueError where the shapes don't fit, a label is no class, a one-hot target is none,
``ignore_index`` meets a one-hot target, or a weight is negative or not finite.
"""

from course_utils.losses.combined import LossSum, dice_cross_entropy_loss
from course_utils.losses.overlap import dice_loss, generalised_dice_loss
from course_utils.losses.voxelwise import cross_entropy, focal_loss

__all__ = [
    "LossSum",
    "cross_entropy",
    "dice_cross_entropy_loss",
    "dice_loss",
    "focal_loss",
    "generalised_dice_loss",
]
