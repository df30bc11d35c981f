"""Losses of segmentation, as functions of logits and class indices."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean over all N x V voxels of -log softmax(logits)[true class], a scalar.

    Args:
        logits: floating, (N, classes, *size).
        labels: class indices, int64, (N, *size).

    Raises:
        ValueError: the shapes don't fit, or a label is no class.

    Lecture, slide "dense predictions"; Ronneberger 2015, equation 1 (whose printed sign is missing).
    """
    _check(logits, labels)
    return nn.functional.cross_entropy(_at_least_float32(logits), labels)


def dice_loss(
    logits: Tensor,
    labels: Tensor,
    *,
    include_background: bool = False,
    per_case: bool = False,
    smooth: float = 1.0,
) -> Tensor:
    """1 - mean over classes of the soft Dice coefficient, a scalar between 0 and 1.

    With p = softmax(logits) and r the one-hot labels, for each class

        D = (2 sum p r + smooth) / (sum p + sum r + smooth).

    The sums run over all voxels of the batch, so that a class that one slice lacks is judged on the others;
    with ``per_case`` they run over each case of the batch, and the mean over cases, too. They are accumulated
    in float32 at least: in half precision they overflow beyond 65,504 voxels.

    Args:
        logits: floating, (N, classes, *size).
        labels: class indices, int64, (N, *size).
        include_background: whether class 0 counts.
        per_case: one Dice a case instead of one for the batch.
        smooth: in voxels; makes a class that is absent and not predicted a success (D = 1) instead of 0 / 0.

    Raises:
        ValueError: the shapes don't fit, a label is no class, or there is only a background.

    Milletari 2016 (arXiv 1606.04797) has squares in the denominator; this is the form of nnU-Net (arXiv
    1809.10486).
    """
    _check(logits, labels)
    classes = logits.shape[1]
    first = 0 if include_background else 1
    if classes <= first:
        raise ValueError("the logits have one class, the background: nothing is left to score")
    probabilities = _at_least_float32(logits).softmax(dim=1)
    reference = nn.functional.one_hot(labels, classes).movedim(-1, 1).to(probabilities.dtype)
    voxels = tuple(range(2, logits.ndim)) if per_case else (0, *range(2, logits.ndim))
    overlap = (probabilities * reference).sum(voxels)
    sizes = probabilities.sum(voxels) + reference.sum(voxels)
    dice = (2 * overlap + smooth) / (sizes + smooth)
    return 1 - dice[..., first:].mean()


def dice_cross_entropy_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Dice loss of the foreground plus cross-entropy, a scalar: the loss of nnU-Net (arXiv 1809.10486).

    Args and errors as in :func:`dice_loss`.
    """
    return dice_loss(logits, labels) + cross_entropy(logits, labels)


def _at_least_float32(logits: Tensor) -> Tensor:
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def _check(logits: Tensor, labels: Tensor) -> None:
    if labels.dtype != torch.int64:
        raise ValueError(f"labels are {labels.dtype}: class indices are torch.int64; convert with .long()")
    if logits.ndim < 3 or labels.shape != (logits.shape[0], *logits.shape[2:]):
        raise ValueError(
            f"logits {tuple(logits.shape)} and labels {tuple(labels.shape)} don't fit: expected "
            "(N, classes, *size) and (N, *size)"
        )
    if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < logits.shape[1]:
        raise ValueError(
            f"labels run from {int(labels.min())} to {int(labels.max())}, the logits have classes 0 to "
            f"{logits.shape[1] - 1}: BraTS label 4 is class 3, see cohort.class_indices"
        )
