"""Sums of losses."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from course_utils.losses.overlap import dice_from_sums
from course_utils.losses.sums import class_sums
from course_utils.losses.voxels import Voxels


def dice_cross_entropy_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Dice loss of the foreground plus cross-entropy, a scalar: the loss of nnU-Net (arXiv 1809.10486).

    Args and errors as in :func:`dice_loss`; other sums are a :class:`LossSum`.
    """
    voxels = Voxels(logits, target, ignore_index=None)
    *sums, cross_entropy = class_sums(voxels, entropy=True)  # one softmax for both
    return dice_from_sums(*sums, smooth=1.0) + cross_entropy / voxels.number()


class LossSum:
    """A weighted sum of losses, itself a loss: ``LossSum((dice_loss, 1), (focal_loss, 0.5))``.

    Settings are bound with ``functools.partial(dice_loss, squared=True)``. Such a sum can be pickled, and a
    checkpoint knows it again: the same losses, settings and weights are the same loss.

    Args:
        terms: pairs of a loss, a function of logits and target, and its weight, a finite number.

    Raises:
        ValueError: there is no term, or one is no such pair.
    """

    def __init__(self, *terms: tuple[Callable[[Tensor, Tensor], Tensor], float]):
        for term in terms:
            if not (isinstance(term, (tuple, list)) and len(term) == 2 and callable(term[0])):
                raise ValueError(f"{term!r} is no pair (loss, weight), such as (dice_loss, 0.5)")
            if not (isinstance(term[1], (int, float)) and math.isfinite(term[1])):
                raise ValueError(f"the weight {term[1]!r} is no finite number")
        if not terms:
            raise ValueError("a sum of no losses: give pairs (loss, weight)")
        self.terms = tuple((loss, float(weight)) for loss, weight in terms)

    def __call__(self, logits: Tensor, target: Tensor) -> Tensor:
        return sum(weight * loss(logits, target) for loss, weight in self.terms)
