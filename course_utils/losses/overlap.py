"""Losses that are a ratio of sums over voxels: Dice and generalised Dice."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from course_utils.losses.sums import class_sums
from course_utils.losses.voxels import Voxels


def dice_loss(
    logits: Tensor,
    target: Tensor,
    *,
    include_background: bool = False,
    per_case: bool = False,
    squared: bool = False,
    smooth: float = 1.0,
    ignore_index: int | None = None,
) -> Tensor:
    """1 - mean over classes of the soft Dice coefficient, a scalar between 0 and 1.

    With p = softmax(logits) and r the one-hot target, for each class

        D = (2 sum p r + smooth) / (sum p + sum r + smooth), or with sum p^2 + sum r^2 if ``squared``.

    The sums run over all voxels of the batch, so that a class that one slice lacks is judged on the others;
    with ``per_case`` they run over each case of the batch, and the mean over cases, too.

    Args:
        logits, target: see the module.
        include_background: whether class 0 counts.
        per_case: one Dice a case instead of one for the batch.
        squared: squares in the denominator, as Milletari 2016 (arXiv 1606.04797) has them; without, it is the
            form of nnU-Net (arXiv 1809.10486).
        smooth: in voxels, not negative; makes a class that is absent and hardly predicted nearly a success.
            With 0, a class that is absent and not predicted at all, 0 / 0, is one (D = 1).
        ignore_index: class index of voxels that don't count.

    Raises:
        ValueError: as in the module, or only a background is left to score, or ``smooth`` is negative.
    """
    if not 0 <= smooth < math.inf:
        raise ValueError(f"smooth is {smooth}: expected a finite number of voxels, 0 or more")
    *sums, _ = class_sums(
        Voxels(logits, target, ignore_index),
        include_background=include_background,
        per_case=per_case,
        squared=squared,
    )
    return dice_from_sums(*sums, smooth)


def generalised_dice_loss(
    logits: Tensor,
    target: Tensor,
    *,
    include_background: bool = True,
    per_case: bool = False,
    ignore_index: int | None = None,
) -> Tensor:
    """1 - the soft Dice coefficient of all classes together, rare ones weighted up, a scalar from 0 to 1.

    With p = softmax(logits) and r the one-hot target, each class c weighted by w_c = 1 / (sum r)^2,

        loss = 1 - 2 (sum_c w_c sum p r) / (sum_c w_c (sum p + sum r)).

    Only ratios of weights matter, so they are divided by the largest: w_c = (fewest voxels / voxels of c)^2.
    An absent class weighs as much as the rarest one that is present. Where nothing at all is present (only
    without the background) the loss is 1, or 0 if nothing is predicted either.

    Args:
        logits, target: see the module.
        include_background: whether class 0 counts.
        per_case: weights and sums for each case, then the mean over cases, instead of both for the batch.
        ignore_index: class index of voxels that don't count.

    Raises:
        ValueError: as in the module, or only a background is left to score.

    Sudre 2017 (arXiv 1707.03237), section 2.1. The lecture prints the weights as 1 / sum(r)^2, without the
    parentheses that matter, and the gradient with the wrong sign.
    """
    overlap, predicted, present, _ = class_sums(
        Voxels(logits, target, ignore_index), include_background=include_background, per_case=per_case
    )
    fewest = torch.where(present > 0, present, math.inf).amin(dim=-1, keepdim=True)
    weights = torch.where(present > 0, fewest / present, 1) ** 2
    dice = _ratio(2 * (weights * overlap).sum(dim=-1), (weights * (predicted + present)).sum(dim=-1))
    return 1 - dice.mean()


def dice_from_sums(overlap: Tensor, predicted: Tensor, present: Tensor, smooth: float) -> Tensor:
    """The formula of :func:`dice_loss`, from its sums."""
    return 1 - _ratio(2 * overlap + smooth, predicted + present + smooth).mean()


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """numerator / denominator; 1, without slope, where both are 0 (or the inverse overflows)."""
    nothing = denominator < torch.finfo(denominator.dtype).tiny
    return torch.where(nothing, 1, numerator / torch.where(nothing, 1, denominator))
