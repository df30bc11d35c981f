"""Losses against closed forms, finite differences and each other."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from course_utils.losses import cross_entropy, dice_cross_entropy_loss, dice_loss


def example(classes: int = 3, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(2, classes, 3, 5, generator=generator, dtype=dtype)
    return logits, torch.randint(classes, (2, 3, 5), generator=generator)


def certain(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Logits that are sure of ``labels``."""
    return 100.0 * nn.functional.one_hot(labels, classes).movedim(-1, 1).double()


# ---- cross-entropy


def test_cross_entropy_of_an_undecided_network_is_log_of_the_classes():
    _, labels = example(4)
    assert cross_entropy(torch.zeros(2, 4, 3, 5), labels).item() == pytest.approx(math.log(4))


def test_cross_entropy_by_hand():
    # two voxels: the true class has the logits' odds 3 : 1, then 1 : 3
    logits = torch.tensor([[[math.log(3.0), math.log(3.0)], [0.0, 0.0]]])
    assert cross_entropy(logits, torch.tensor([[0, 1]])).item() == pytest.approx(
        (math.log(4 / 3) + math.log(4)) / 2
    )


def test_cross_entropy_prefers_the_right_label():
    labels = torch.tensor([[[0, 1, 1]]])
    assert cross_entropy(certain(labels, 2), labels) < cross_entropy(certain(1 - labels, 2), labels)


# ---- Dice


def test_dice_loss_by_hand():
    """Probabilities 3/4 of class 1 at both voxels, one of them is class 1: D = 2 (3/4) / (3/2 + 1) = 0.6."""
    logits = torch.tensor([[[0.0, 0.0], [math.log(3.0), math.log(3.0)]]], dtype=torch.float64)
    labels = torch.tensor([[1, 0]])
    assert dice_loss(logits, labels, smooth=0.0).item() == pytest.approx(1 - 0.6)
    assert dice_loss(logits, labels, smooth=1.0).item() == pytest.approx(1 - 2.5 / 3.5)
    # the background: p = 1/4 at both, D = 2 (1/4) / (1/2 + 1) = 1/3
    with_background = dice_loss(logits, labels, smooth=0.0, include_background=True)
    assert with_background.item() == pytest.approx(1 - (0.6 + 1 / 3) / 2)


def test_dice_loss_over_the_batch_or_per_case():
    """Case 1 is all class 1 and predicted so, 4 voxels; case 2 has one voxel of it, which is missed."""
    labels = torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0]])
    logits = certain(torch.tensor([[1, 1, 1, 1], [0, 0, 0, 0]]), 2)
    assert dice_loss(logits, labels, smooth=0.0).item() == pytest.approx(1 - 8 / 9)
    assert dice_loss(logits, labels, smooth=0.0, per_case=True).item() == pytest.approx(1 - (1 + 0) / 2)


def test_dice_loss_is_0_for_a_perfect_and_nearly_1_for_a_wrong_prediction():
    _, labels = example(3)
    assert dice_loss(certain(labels, 3), labels).item() == pytest.approx(0, abs=1e-12)
    wrong = dice_loss(certain((labels + 1) % 3, 3), labels, smooth=0.0)
    assert wrong.item() == pytest.approx(1, abs=1e-12)


def test_a_class_that_is_absent_and_not_predicted_costs_nothing():
    labels = torch.zeros(1, 4, 6, dtype=torch.int64)
    assert dice_loss(certain(labels, 3), labels).item() == pytest.approx(0, abs=1e-12)


def test_half_precision_is_summed_in_float32():
    """70,000 voxels of class 1: float16 holds no number beyond 65,504."""
    labels = torch.ones(1, 70_000, dtype=torch.int64)
    logits = torch.zeros(1, 2, 70_000, dtype=torch.float16)
    loss = dice_loss(logits, labels)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(1 - 2 * 35_000 / 105_000, abs=1e-4)


# ---- both


def test_dice_cross_entropy_is_their_sum():
    logits, labels = example()
    total = dice_cross_entropy_loss(logits, labels)
    torch.testing.assert_close(
        total, dice_loss(logits, labels) + cross_entropy(logits, labels), rtol=1e-14, atol=0
    )


@pytest.mark.parametrize(
    "loss",
    [
        cross_entropy,
        dice_loss,
        lambda logits, labels: dice_loss(logits, labels, per_case=True, include_background=True),
        dice_cross_entropy_loss,
    ],
)
def test_gradients_are_those_of_finite_differences(loss):
    logits, labels = example()
    assert torch.autograd.gradcheck(lambda z: loss(z, labels), (logits.requires_grad_(),))


@pytest.mark.parametrize("loss", [cross_entropy, dice_loss, dice_cross_entropy_loss])
def test_volumes_work_like_images(loss):
    logits, labels = example()
    torch.testing.assert_close(
        loss(logits.unflatten(3, (5, 1)), labels.unflatten(2, (5, 1))), loss(logits, labels)
    )


@pytest.mark.parametrize("loss", [cross_entropy, dice_loss, dice_cross_entropy_loss])
def test_bad_input_is_named(loss):
    logits, labels = example(3)
    with pytest.raises(ValueError, match="don't fit"):
        loss(logits, labels[:, :2])
    with pytest.raises(ValueError, match="torch.float64: class indices"):
        loss(logits, labels.double())
    with pytest.raises(ValueError, match="0 to 4, the logits have classes 0 to 2.*class_indices"):
        loss(logits, torch.where(labels == 2, 4, labels * 0))


def test_dice_needs_a_foreground():
    with pytest.raises(ValueError, match="background"):
        dice_loss(torch.zeros(1, 1, 4), torch.zeros(1, 4, dtype=torch.int64))
