"""Losses against closed forms, finite differences and each other."""

from __future__ import annotations

import functools
import math
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_utils.identity import function_identity
from course_utils.losses import (
    LossSum,
    cross_entropy,
    dice_cross_entropy_loss,
    dice_loss,
    focal_loss,
    generalised_dice_loss,
)

ALL = {
    "cross-entropy": cross_entropy,
    "Dice": dice_loss,
    "Dice, squared, per case": functools.partial(dice_loss, squared=True, per_case=True),
    "Dice without smoothing": functools.partial(dice_loss, smooth=0.0, include_background=True),
    "generalised Dice": generalised_dice_loss,
    "generalised Dice per case": functools.partial(generalised_dice_loss, per_case=True),
    "generalised Dice of the foreground": functools.partial(generalised_dice_loss, include_background=False),
    "focal": focal_loss,
    "focal, gamma 1/2": functools.partial(focal_loss, gamma=0.5),
    "Dice + cross-entropy": dice_cross_entropy_loss,
    "sum": LossSum((dice_loss, 0.5), (focal_loss, 2)),
}
every_loss = pytest.mark.parametrize("loss", ALL.values(), ids=ALL)
WITH_IGNORE = {name: loss for name, loss in ALL.items() if name not in ("Dice + cross-entropy", "sum")}


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


def test_squares_in_the_denominator_by_hand():
    """p = 3/4 of class 1 at both voxels, one of them is class 1: D = 2 (3/4) / (9/16 + 9/16 + 1) = 12/17."""
    logits = torch.tensor([[[0.0, 0.0], [math.log(3.0), math.log(3.0)]]], dtype=torch.float64)
    loss = dice_loss(logits, torch.tensor([[1, 0]]), smooth=0.0, squared=True)
    assert loss.item() == pytest.approx(1 - 12 / 17)


# ---- generalised Dice


def test_generalised_dice_by_hand():
    """Class 0 has 3 voxels and weight 1/9, class 1 has 1 voxel and weight 1; p = 1/2 everywhere.

    1 - 2 (3/2 / 9 + 1/2) / ((2 + 3) / 9 + (2 + 1)) = 1 - (4/3) / (32/9) = 5/8.
    """
    loss = generalised_dice_loss(torch.zeros(1, 2, 4, dtype=torch.float64), torch.tensor([[0, 0, 1, 0]]))
    assert loss.item() == pytest.approx(5 / 8, abs=1e-15)


def test_generalised_dice_per_case_is_the_mean_of_the_cases():
    logits, labels = example()
    cases = [generalised_dice_loss(logits[[n]], labels[[n]]) for n in range(2)]
    assert generalised_dice_loss(logits, labels, per_case=True).item() == pytest.approx(sum(cases).item() / 2)


def test_an_absent_class_weighs_as_much_as_the_rarest_present_one():
    """Two classes with 3 and 1 voxels, weights 1/9 and 1, and a third one of weight 1; p = 1/3 everywhere.

    1 - 2 (1/9 + 1/3) / ((4/3 + 3) / 9 + (4/3 + 1) + 4/3) = 1 - (8/9) / (112/27) = 11/14.
    """
    loss = generalised_dice_loss(torch.zeros(1, 3, 4, dtype=torch.float64), torch.tensor([[0, 0, 1, 0]]))
    assert loss.item() == pytest.approx(11 / 14, abs=1e-15)


@pytest.mark.parametrize("side", [16, 128])
def test_a_wrong_prediction_costs_1_in_a_volume_of_any_size(side):
    """With 1e-5 added to both halves of the ratio, weights 1 / V^2 would make it 0.28 at 128^3 voxels."""
    labels = torch.zeros(1, side, side, side, dtype=torch.int64)
    labels[:, : side // 2] = 1
    wrong = 100.0 * torch.stack([labels == 1, labels == 0], dim=1).float()
    assert generalised_dice_loss(wrong, labels).item() == pytest.approx(1, abs=1e-6)
    assert generalised_dice_loss(-wrong, labels).item() == pytest.approx(0, abs=1e-6)


def test_the_gradient_of_generalised_dice_is_the_printed_one_with_the_other_sign():
    """For two classes, p of the first: S = sum(p + r), A = sum(p r), N voxels."""
    generator = torch.Generator().manual_seed(0)
    p = torch.rand(50, generator=generator, dtype=torch.float64, requires_grad=True)
    r = (torch.rand(50, generator=generator) < 0.3).double()
    logits = torch.stack([p.log(), (1 - p).log()]).unsqueeze(0)  # whose softmax is p and 1 - p
    generalised_dice_loss(logits, (1 - r).long().unsqueeze(0)).backward()
    with torch.no_grad():
        n, w1, w2 = 50, 1 / r.sum() ** 2, 1 / (1 - r).sum() ** 2
        total, overlap = (p + r).sum(), (p * r).sum()
        above = (w1**2 - w2**2) * (overlap - r * total) + n * w2 * (w1 + w2) * (1 - 2 * r)
        expected = 2 * above / ((w1 - w2) * total + 2 * n * w2) ** 2
    torch.testing.assert_close(p.grad, expected, rtol=1e-10, atol=1e-15)


# ---- focal loss


@pytest.mark.parametrize(("p", "factor"), [(0.9, 100), (0.968, 976.5625), (0.5, 4)])
def test_how_much_less_easy_voxels_cost(p, factor):
    """Lin 2017, section 3.2: 100 times less at .9, about 1000 times at .968, at most 4 times below .5."""
    logits = torch.tensor([[[0.0], [math.log(p / (1 - p))]]], dtype=torch.float64)
    labels = torch.tensor([[1]])
    assert (cross_entropy(logits, labels) / focal_loss(logits, labels)).item() == pytest.approx(factor)


def test_a_confident_mistake_is_hard_whichever_class_is_true():
    """p = 0.9 of class 1 where class 0 is true: p_t = 0.1, factor 0.9^2."""
    logits = torch.tensor([[[0.0], [math.log(9.0)]]], dtype=torch.float64)
    assert focal_loss(logits, torch.tensor([[0]])).item() == pytest.approx(0.81 * math.log(10))


def test_focal_loss_with_gamma_0_is_cross_entropy():
    logits, labels = example()
    weights = [1.0, 2.0, 0.5]
    torch.testing.assert_close(
        focal_loss(logits, labels, gamma=0, class_weights=weights),
        cross_entropy(logits, labels, class_weights=weights),
    )


def test_class_weights_of_the_focal_loss_by_hand():
    logits = torch.zeros(1, 2, 4, dtype=torch.float64)
    loss = focal_loss(logits, torch.tensor([[0, 1, 1, 1]]), class_weights=[0.25, 0.75])
    assert loss.item() == pytest.approx((0.25 + 3 * 0.75) / 4 * math.log(2) / 4)


# ---- weights and ignored voxels


def test_weights_are_absolute_and_the_mean_is_over_the_voxels_counted():
    """log 2 at each of 4 voxels; class weights 1 and 3; voxel weights 2, 0, 1, 1: three voxels count."""
    logits, labels = torch.zeros(1, 2, 4, dtype=torch.float64), torch.tensor([[0, 1, 1, 1]])
    importance = torch.tensor([[2.0, 0.0, 1.0, 1.0]])
    loss = functools.partial(cross_entropy, logits, labels)
    assert loss(class_weights=[1, 3]).item() == pytest.approx(math.log(2) * (1 + 3 * 3) / 4)
    assert loss(voxel_weights=importance).item() == pytest.approx(math.log(2) * 4 / 3)
    both = loss(class_weights=torch.tensor([1, 3]), voxel_weights=importance)
    assert both.item() == pytest.approx(math.log(2) * (2 + 0 + 3 + 3) / 3)


def test_weight_0_leaves_a_voxel_out_as_ignoring_it_does():
    logits, labels = example()
    unlabelled = torch.rand(labels.shape, generator=torch.Generator().manual_seed(2)) < 0.5
    torch.testing.assert_close(
        cross_entropy(logits, labels, voxel_weights=(~unlabelled).float()),
        cross_entropy(logits, labels.masked_fill(unlabelled, 255), ignore_index=255),
    )


@pytest.mark.parametrize("loss", WITH_IGNORE.values(), ids=WITH_IGNORE)
@pytest.mark.parametrize("ignore_index", [255, -1, 0])
def test_ignored_voxels_are_as_good_as_cut_away(loss, ignore_index):
    """The voxels that are ignored are the last two columns, with any logits."""
    logits, labels = example()
    labels = labels.clamp(min=1)  # so that index 0 is used for nothing else
    labels[..., 3:] = ignore_index
    logits[..., 3:] *= 50
    logits.requires_grad_()
    value = loss(logits, labels, ignore_index=ignore_index)
    torch.testing.assert_close(value, loss(logits[..., :3], labels[..., :3]))
    value.backward()
    assert (logits.grad[..., 3:] == 0).all()
    assert (logits.grad[..., :3] != 0).any()


@pytest.mark.parametrize("loss", WITH_IGNORE.values(), ids=WITH_IGNORE)
def test_ignored_voxels_have_the_gradients_of_finite_differences(loss):
    logits, labels = example()
    labels[:, 0] = 9
    loss = functools.partial(loss, target=labels, ignore_index=9)
    assert torch.autograd.gradcheck(loss, (logits.requires_grad_(),))


@pytest.mark.parametrize("loss", WITH_IGNORE.values(), ids=WITH_IGNORE)
def test_a_batch_without_labels_teaches_nothing(loss):
    logits = torch.randn(2, 3, 4, requires_grad=True)
    value = loss(logits, torch.full((2, 4), 255), ignore_index=255)
    value.backward()
    assert math.isfinite(value.item())
    assert (logits.grad == 0).all()


# ---- all of them


def test_dice_cross_entropy_is_their_sum():
    logits, labels = example()
    total = dice_loss(logits, labels) + cross_entropy(logits, labels)
    torch.testing.assert_close(dice_cross_entropy_loss(logits, labels), total, rtol=1e-14, atol=0)
    torch.testing.assert_close(LossSum((dice_loss, 1), (cross_entropy, 1))(logits, labels), total)
    torch.testing.assert_close(
        LossSum((dice_loss, 0.25), (cross_entropy, -3))(logits, labels),
        0.25 * dice_loss(logits, labels) - 3 * cross_entropy(logits, labels),
    )


def test_a_sum_can_be_pickled_and_is_known_again():
    def identity(weight, **settings):
        return function_identity(LossSum((functools.partial(dice_loss, **settings), weight), (focal_loss, 1)))

    assert identity(0.5, squared=True) == identity(0.5, squared=True)
    others = {identity(0.5, squared=True), identity(0.5, squared=False), identity(0.6, squared=True)}
    assert len(others) == 3
    loss = LossSum((functools.partial(dice_loss, squared=True), 0.5), (focal_loss, 1))
    copy = pickle.loads(pickle.dumps(loss))
    logits, labels = example()
    assert copy(logits, labels) == loss(logits, labels)
    assert function_identity(copy) == function_identity(loss)


@every_loss
@pytest.mark.parametrize("target", ["labels", "soft"])
def test_gradients_are_those_of_finite_differences(loss, target):
    logits, labels = example()
    generator = torch.Generator().manual_seed(3)
    soft = torch.rand(logits.shape, generator=generator, dtype=torch.float64).softmax(dim=1)
    soft *= 1.005  # rounded shares need not sum to 1 exactly
    chosen = labels if target == "labels" else soft
    assert torch.autograd.gradcheck(lambda z: loss(z, chosen), (logits.requires_grad_(),))


@every_loss
def test_volumes_and_lines_work_like_images(loss):
    logits, labels = example()
    value = loss(logits, labels)
    torch.testing.assert_close(loss(logits.unflatten(3, (5, 1)), labels.unflatten(2, (5, 1))), value)
    torch.testing.assert_close(loss(logits.flatten(2), labels.flatten(1)), value)


@pytest.mark.parametrize("name", ALL)
@settings(deadline=None)  # the first call takes longer
@given(seed=st.integers(0, 2**31), scale=st.floats(0, 30), classes=st.integers(2, 5))
def test_what_holds_for_any_logits_and_labels(name, seed, scale, classes):
    """Bounds; one-hot targets; the order of voxels, cases, axes and foreground classes."""
    loss = ALL[name]
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(2, classes, 3, 4, generator=generator, dtype=torch.float64)
    labels = torch.randint(classes, (2, 3, 4), generator=generator)
    value = loss(logits, labels)
    assert value.ndim == 0
    assert value >= -1e-12
    if "Dice" in name and "+" not in name:
        assert value <= 1 + 1e-12
    close = functools.partial(torch.testing.assert_close, rtol=1e-9, atol=1e-12)
    one_hot = nn.functional.one_hot(labels, classes).movedim(-1, 1)
    close(loss(logits, one_hot.float()), value)
    order = torch.randperm(12, generator=generator)
    close(loss(logits.flatten(2)[..., order], labels.flatten(1)[..., order]), value)
    close(loss(logits.transpose(2, 3), labels.transpose(1, 2)), value)
    close(loss(logits.flip(0), labels.flip(0)), value)
    renamed = torch.cat(
        [torch.zeros(1, dtype=torch.int64), 1 + torch.randperm(classes - 1, generator=generator)]
    )
    close(loss(logits[:, renamed], renamed.argsort()[labels]), value)


@every_loss
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("scale", [0.0, 1.0, 1e4])
@pytest.mark.parametrize("classes", ["all", "background only", "one absent"])
def test_values_and_gradients_are_finite(loss, dtype, scale, classes):
    """Absent classes, nothing but background, logits of +-10,000, right and wrong ones."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(4, (2, 6, 7), generator=generator)
    if classes != "all":
        labels = labels.clamp(max=2) if classes == "one absent" else torch.zeros_like(labels)
    signs = torch.randn(2, 4, 6, 7, generator=generator).sign()
    perfect = 2.0 * nn.functional.one_hot(labels, 4).movedim(-1, 1) - 1
    for guess in (signs, perfect, -perfect):
        logits = (scale * guess).to(dtype).requires_grad_()
        value = loss(logits, labels)
        value.backward()
        assert value.dtype == torch.float32
        assert value.isfinite()
        assert logits.grad.dtype == dtype
        assert logits.grad.isfinite().all()


@every_loss
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_of_a_large_volume_is_that_of_float32(loss, dtype):
    """96^3 voxels: 884,736 of them, more than 65,504."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(1, 2, 96, 96, 96, generator=generator).to(dtype)
    labels = torch.randint(2, (1, 96, 96, 96), generator=generator)
    torch.testing.assert_close(loss(logits, labels), loss(logits.double(), labels).float(), rtol=1e-5, atol=0)


@every_loss
def test_autocast_changes_nothing(loss):
    logits, labels = example(dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        inside = loss(logits, labels)
    torch.testing.assert_close(inside, loss(logits, labels), rtol=1e-6, atol=1e-7)


# ---- bad input


@every_loss
def test_bad_input_is_named(loss):
    logits, labels = example(3)
    one_hot = nn.functional.one_hot(labels, 3).movedim(-1, 1)
    with pytest.raises(ValueError, match=r"\(2, 3, 3, 5\).*torch.int64 target \(2, 2, 5\) don't fit"):
        loss(logits, labels[:, :2])
    with pytest.raises(ValueError, match="torch.float64: class indices"):
        loss(logits, labels.double())
    with pytest.raises(ValueError, match="0 to 4, the logits have classes 0 to 2.*class_indices"):
        loss(logits, torch.where(labels == 2, 4, labels * 0))
    with pytest.raises(ValueError, match="don't fit"):
        loss(logits, one_hot)  # integers
    with pytest.raises(ValueError, match="don't fit"):
        loss(logits, one_hot[:, :2].double())
    with pytest.raises(ValueError, match="Overlapping regions"):
        loss(logits, torch.ones_like(logits))
    with pytest.raises(ValueError, match="from nan to nan"):
        loss(logits, one_hot * math.nan)
    with pytest.raises(ValueError, match="from -1 to 2"):
        loss(logits, torch.tensor([-1.0, 0.0, 2.0]).view(3, 1, 1).expand(2, 3, 3, 5))
    with pytest.raises(ValueError, match="logits are torch.int64"):
        loss(logits.long(), labels)


@pytest.mark.parametrize("loss", WITH_IGNORE.values(), ids=WITH_IGNORE)
def test_one_hot_targets_have_no_index_to_ignore(loss):
    logits, labels = example(3)
    with pytest.raises(ValueError, match="ignore_index needs class indices"):
        loss(logits, nn.functional.one_hot(labels, 3).movedim(-1, 1).double(), ignore_index=0)


@pytest.mark.parametrize(
    "loss", [dice_loss, functools.partial(generalised_dice_loss, include_background=False)]
)
def test_dice_needs_a_foreground(loss):
    with pytest.raises(ValueError, match="background"):
        loss(torch.zeros(1, 1, 4), torch.zeros(1, 4, dtype=torch.int64))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (functools.partial(cross_entropy, class_weights=[1.0, 2.0]), r"class_weights \(2,\) don't fit"),
        (
            functools.partial(focal_loss, class_weights=[1.0, -2.0, 1.0]),
            "class_weights has a weight that is neg",
        ),
        (
            functools.partial(cross_entropy, voxel_weights=torch.ones(2, 3)),
            r"voxel_weights \(2, 3\) don't fit",
        ),
        (
            functools.partial(cross_entropy, voxel_weights=torch.full((2, 3, 5), math.nan)),
            "voxel_weights has a weight that is negative or not finite",
        ),
        (functools.partial(focal_loss, gamma=-1), "gamma is -1"),
        (functools.partial(dice_loss, smooth=-1), "smooth is -1"),
        (functools.partial(dice_loss, smooth=math.nan), "smooth is nan"),
    ],
)
def test_bad_settings_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(*example(3))


def test_bad_sums_are_named():
    with pytest.raises(ValueError, match="no losses"):
        LossSum()
    with pytest.raises(ValueError, match="no pair"):
        LossSum(dice_loss, focal_loss)
    with pytest.raises(ValueError, match="weight nan"):
        LossSum((dice_loss, math.nan))
