"""The sums over voxels that Dice losses are made of, with a gradient in as few passes as possible."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from course_utils.losses.voxels import Voxels, sum_over_classes


def class_sums(
    voxels: Voxels,
    *,
    include_background: bool = False,
    per_case: bool = False,
    squared: bool = False,
    entropy: bool = False,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """sum p r, sum p, sum r and -sum r log p over the voxels that count; p = softmax(logits), r the target.

    Args:
        voxels: logits and target.
        include_background: whether the first three contain class 0.
        per_case: they are (N, C) instead of (C,), sums over the batch.
        squared: sum p^2 and sum r^2 instead of sum p and sum r.
        entropy: whether the last, a scalar, is wanted; else it is 0.

    Raises:
        ValueError: only a background is left.
    """
    first = 0 if include_background else 1
    if voxels.logits.shape[1] <= first:
        raise ValueError("the logits have one class, the background: nothing is left to score")
    r = voxels.reference().flatten(2)
    counted = None if voxels.counted is None else voxels.counted.flatten(1).unsqueeze(1).to(r.dtype)
    overlap, predicted, cross_entropy = _SoftmaxSums.apply(
        voxels.logits.flatten(2), r, counted, squared, entropy
    )
    present = (r * r if squared and voxels.labels is None else r).sum(dim=2)
    sums = [part if per_case else part.sum(dim=0) for part in (overlap, predicted, present)]
    return *(part[..., first:] for part in sums), cross_entropy


class _SoftmaxSums(torch.autograd.Function):
    """sum p r and sum p (or p^2) over the voxels, (N, C), and -sum r log p, from z and r, (N, C, V).

    Autograd writes each term of the gradient as an array of its own and takes longer. By hand: slopes a and
    b of the first two sums give G = dloss/dp = a r + b (or a r + 2 b p); with e, the slope of the last,

        dloss/dz = p (G - sum_c p G) + e (p sum_c r - r).

    First derivatives only, and none for r. Where ``counted``, (N, 1, V), is 0, so must be r.
    """

    @staticmethod
    def forward(
        ctx: Any, z: Tensor, r: Tensor, counted: Tensor | None, squared: bool, entropy: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        if entropy:
            log_p = z.log_softmax(dim=1)
            cross_entropy = -(r * log_p).sum()
            p = log_p.exp_()
        else:
            p = z.softmax(dim=1)
            cross_entropy = p.new_zeros(())
        ctx.save_for_backward(p, r, counted)
        ctx.squared, ctx.entropy = squared, entropy
        product = p * r
        overlap = product.sum(dim=2)
        sizes = torch.mul(p, p, out=product) if squared else p  # fresh memory costs as much as the product
        sizes = sizes if counted is None else sizes * counted
        return overlap, sizes.sum(dim=2), cross_entropy

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, a: Tensor, b: Tensor, e: Tensor) -> tuple[Tensor, None, None, None, None]:
        p, r, counted = ctx.saved_tensors
        a, b = a.unsqueeze(2), b.unsqueeze(2)
        slope = (2 * b * p).addcmul_(a, r) if ctx.squared else torch.addcmul(b, a, r)
        slope *= p if counted is None else p * counted
        common = sum_over_classes(slope)
        if ctx.entropy:
            common -= e * sum_over_classes(r)
            slope.addcmul_(r, e, value=-1)
        return slope.addcmul_(p, common, value=-1), None, None, None, None
