"""What all losses begin with: logits and target, checked, and which voxels count."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Voxels:
    """Logits and target, checked: the logits in float32 at least, and which voxels count.

    Attributes:
        logits: (N, C, *size).
        labels: class indices, (N, *size), 0 at ignored voxels; None if the target is one-hot.
        soft: the one-hot or soft target, (N, C, *size); None if the target is class indices.
        counted: bool, (N, *size); None if all voxels count.
    """

    def __init__(self, logits: Tensor, target: Tensor, ignore_index: int | None):
        _check_shapes(logits, target)
        self.logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        self.labels = self.soft = self.counted = None
        if target.ndim == logits.ndim:
            if ignore_index is not None:
                raise ValueError(
                    "ignore_index needs class indices: a one-hot target has none, see voxel_weights"
                )
            self.soft = target.detach().to(self.logits.dtype)
            _check_shares(self.soft)
            return
        self.labels = target
        if ignore_index is not None:
            self.counted = target != ignore_index
            self.labels = torch.where(self.counted, target, 0)
        _check_labels(self.labels, classes=logits.shape[1])

    def reference(self) -> Tensor:
        """The one-hot or soft target, floating, (N, C, *size); 0 at ignored voxels."""
        if self.soft is not None:
            return self.soft
        classes = torch.arange(self.logits.shape[1], dtype=torch.int32, device=self.labels.device)
        # written as numbers at once: products and sums of bool are many times slower than those of float32
        one_hot = torch.empty_like(self.logits, memory_format=torch.contiguous_format, requires_grad=False)
        labels = self.labels.int().unsqueeze(1)
        torch.eq(labels, classes.view(-1, *[1] * (self.labels.ndim - 1)), out=one_hot)
        return one_hot if self.counted is None else one_hot.mul_(self.counted.unsqueeze(1))

    def cross_entropies(self, class_weights: Tensor | None = None, reduction: str = "none") -> Tensor:
        """w_t (-log p_t) of each voxel, (N, *size), t its true class; 0 if ignored; or their sum or mean."""
        target = self.soft if self.labels is None else self.labels
        if self.counted is not None:
            target = target.masked_fill(~self.counted, -100)  # what torch ignores
        return nn.functional.cross_entropy(self.logits, target, class_weights, reduction=reduction)

    def number(self, also: Tensor | None = None) -> Tensor | int:
        """How many voxels count, at least 1, so that none of them is a mean of 0."""
        masks = [mask for mask in (self.counted, also) if mask is not None]
        if not masks:
            return self.logits[:, 0].numel()
        return (masks[0] & masks[-1]).sum().clamp(min=1)

    def class_weights(self, weights: Tensor | Sequence[float] | None) -> Tensor | None:
        """Checked, as a tensor beside the logits."""
        if weights is None:
            return None
        weights = torch.as_tensor(weights, dtype=self.logits.dtype, device=self.logits.device)
        if weights.shape != (self.logits.shape[1],):
            raise ValueError(
                f"class_weights {tuple(weights.shape)} don't fit logits {tuple(self.logits.shape)}: expected "
                "one weight a class"
            )
        return _check_weights("class_weights", weights)

    def voxel_weights(self, weights: Tensor) -> Tensor:
        """Checked, in the precision of the logits."""
        if weights.shape != (self.logits.shape[0], *self.logits.shape[2:]):
            raise ValueError(
                f"voxel_weights {tuple(weights.shape)} don't fit logits {tuple(self.logits.shape)}: expected "
                "(N, *size)"
            )
        return _check_weights("voxel_weights", weights.to(self.logits.dtype))


def sum_over_classes(values: Tensor) -> Tensor:
    """(N, C, ...) to (N, 1, ...); for a few classes several times as fast as ``values.sum(dim=1)``."""
    return sum(values.split(1, dim=1))


def _check_shapes(logits: Tensor, target: Tensor) -> None:
    if not logits.is_floating_point():
        raise ValueError(f"logits are {logits.dtype}: expected floating numbers")
    if target.ndim == logits.ndim and target.is_floating_point():
        expected = logits.shape
    else:
        expected = torch.Size([*logits.shape[:1], *logits.shape[2:]])
        if target.ndim == logits.ndim - 1 and target.dtype != torch.int64:
            raise ValueError(
                f"labels are {target.dtype}: class indices are torch.int64; convert with .long()"
            )
    if logits.ndim < 3 or target.shape != expected:
        raise ValueError(
            f"logits {tuple(logits.shape)} and {target.dtype} target {tuple(target.shape)} don't fit: "
            "expected (N, C, *size), and (N, *size) of int64 or (N, C, *size) of floating numbers"
        )


def _check_labels(labels: Tensor, classes: int) -> None:
    if not labels.numel():
        return
    lowest, highest = (int(bound) for bound in labels.aminmax())
    if not 0 <= lowest <= highest < classes:
        raise ValueError(
            f"labels run from {lowest} to {highest}, the logits have classes 0 to "
            f"{classes - 1}: BraTS label 4 is class 3, see cohort.class_indices; voxels without a label need "
            "ignore_index"
        )


def _check_shares(target: Tensor) -> None:
    if not target.numel():
        return
    lowest, highest = target.aminmax()
    least, most = sum_over_classes(target).aminmax()
    if not (lowest >= 0 and highest <= 1 and least > 0.99 and most < 1.01):
        raise ValueError(
            f"one-hot targets are from 0 to 1 and sum to 1 over the classes; here the values run from "
            f"{float(lowest):g} to {float(highest):g} and the sums from {float(least):g} to {float(most):g}. "
            "Overlapping regions (WT, TC, ET) are no classes: see cohort.class_indices"
        )


def _check_weights(name: str, weights: Tensor) -> Tensor:
    if weights.numel() and not 0 <= float(weights.min()) <= float(weights.max()) < math.inf:
        raise ValueError(f"{name} has a weight that is negative or not finite")
    return weights
