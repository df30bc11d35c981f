"""Losses that are a mean over voxels: cross-entropy and focal loss."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from course_utils.losses.voxels import Voxels


def cross_entropy(
    logits: Tensor,
    target: Tensor,
    *,
    class_weights: Tensor | Sequence[float] | None = None,
    voxel_weights: Tensor | None = None,
    ignore_index: int | None = None,
) -> Tensor:
    """Weighted mean over the voxels of -log softmax(logits)[true class], a scalar.

    With p = softmax(logits), r the one-hot target, w a weight for each class and u one for each voxel i,

        loss = 1/M sum_i u_i sum_c -w_c r_ic log p_ic.

    M is the number of voxels counted: all N x V but those that are ignored and those of voxel weight 0. So
    weight 0 leaves unlabelled voxels out as ``ignore_index`` does, and doubling all weights doubles the loss.
    (torch's ``cross_entropy`` divides by the sum of the class weights instead.)

    Args:
        logits, target: see the module.
        class_weights: (C,), not negative; default 1 each.
        voxel_weights: floating, (N, *size), not negative, default 1 each: the weight map of the U-Net, or 0
            where an annotation is missing (3D U-Net).
        ignore_index: class index of voxels that don't count.

    Lecture, slide "dense predictions"; Ronneberger 2015 (arXiv 1505.04597), equation 1, and Çiçek 2016 (arXiv
    1606.06650). The sign that the printed energies lack is here.
    """
    voxels = Voxels(logits, target, ignore_index)
    weights = voxels.class_weights(class_weights)
    if voxel_weights is not None:
        importance = voxels.voxel_weights(voxel_weights)
        return (importance * voxels.cross_entropies(weights)).sum() / voxels.number(importance != 0)
    if weights is None and voxels.counted is None:
        return voxels.cross_entropies(reduction="mean")
    return voxels.cross_entropies(weights, reduction="sum") / voxels.number()


def focal_loss(
    logits: Tensor,
    target: Tensor,
    *,
    gamma: float = 2.0,
    class_weights: Tensor | Sequence[float] | None = None,
    ignore_index: int | None = None,
) -> Tensor:
    """Mean over the voxels of -w_t (1 - p_t)^gamma log p_t, a scalar; p_t = softmax(logits)[true class].

    A voxel that is classified well, p_t = 0.9, costs with gamma = 2 only 1/100 of its cross-entropy;
    gamma = 0 is the cross-entropy. Soft targets: the sum over the classes of share x term.

    Args:
        logits, target: see the module.
        gamma: not negative; how much less easy voxels cost.
        class_weights: (C,), not negative, default 1 each; the paper's alpha_t.
        ignore_index: class index of voxels that don't count.

    Lin 2017 (ICCV, arXiv 1708.02002), equation 5, for C classes: with logits (0, x) it is the paper's, for
    sigmoid(x). The paper divides by the number of anchors with an object, this one by the voxels counted.
    """
    if not 0 <= gamma < math.inf:
        raise ValueError(f"gamma is {gamma}: expected a finite number, 0 or more")
    voxels = Voxels(logits, target, ignore_index)
    weights = voxels.class_weights(class_weights)
    if voxels.labels is None:
        log_p = voxels.logits.log_softmax(dim=1)
        losses = voxels.reference() * _focal(-log_p, gamma)
        if weights is not None:
            losses = losses * weights.view(-1, *[1] * (losses.ndim - 2))
    else:
        losses = _focal(voxels.cross_entropies(), gamma)
        losses = losses if weights is None else weights[voxels.labels] * losses
    return losses.sum() / voxels.number()


def _focal(cross_entropies: Tensor, gamma: float) -> Tensor:
    """(1 - p)^gamma (-log p), from -log p."""
    # 1 - exp(-x) without cancellation; never 0, where the slope of a power below 1 is infinite
    missing = -torch.expm1(-cross_entropies)
    return missing.clamp(min=torch.finfo(missing.dtype).tiny) ** gamma * cross_entropies
