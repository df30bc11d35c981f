"""Checks of notebook 11: class indices, splitting, the loss at the start, slice-wise prediction, Dice, failures."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.spatial.distance import dice as dice_dissimilarity
from torch import nn

from course_utils.checking import Checker, Trial

check = Checker("brats_lab")


# ---- class_indices

_INDEX_OF_LABEL = {0: 0, 1: 1, 2: 2, 4: 3}


def _class_indices(labels):
    return np.vectorize(_INDEX_OF_LABEL.__getitem__, otypes=[np.int64])(labels)


@check.exercise(
    oracle=_class_indices,
    hints=(
        "Which BraTS label is not its own index? Only one value has to change.",
        "`labels == 4` is a mask; assigning through a mask changes just those voxels. Work on a copy.",
        "`indices = labels.astype(np.int64)` is a copy of the right type; then `indices[indices == 4] = 3`.",
    ),
    why={
        (
            lambda labels: labels.astype(np.int64)
        ): "Label 4 is still 4: the network has four outputs, numbered 0 to 3, and none is called 4.",
        (
            lambda labels: np.maximum(labels.astype(np.int64) - 1, 0)
        ): "You moved every label down by one, so label 1 (necrosis) became background.",
        (lambda labels: (labels > 0).astype(np.int64)): (
            "Everything became 0 or 1: tumour or not. The network is to tell the three tumour classes apart."
        ),
        (lambda labels: np.minimum(labels, 2).astype(np.int64)): (
            "You gave enhancing tumour (4) the index of oedema (2): a prediction could never be mapped back."
        ),
    },
)
def class_indices(trial: Trial) -> None:
    trial.signature("labels")
    trial.case(np.array([0, 1, 2, 4], dtype=np.uint8), expected=np.array([0, 1, 2, 3]))
    labels = np.random.default_rng(0).choice(np.array([0, 1, 2, 4], dtype=np.uint8), size=(4, 3, 5))
    trial.case(labels)
    trial.case(np.zeros((2, 3), dtype=np.uint8))


# ---- how to split

check.choice(
    "split_by_subject",
    answer="C",
    hints=(
        "What do slices 40 and 41 of one head have in common?",
        "Imagine a network that has only memorised heads. On which kind of test slice would it look good?",
        "The question that we want answered: how well does it do on a patient it has never seen?",
    ),
    why={
        "A": "More slices do not help: neighbouring slices are nearly copies, and a copy of a test slice in the training "
        "set turns the test into a memory test.",
        "B": "Equal class shares are pleasant, but they don't cure the fault: slices of one head still lie on both sides.",
        "D": "Speed does not change between the two splits: the number of slices is the same.",
    },
)


# ---- the loss before the first step

check.number(
    "starting_loss",
    answer=math.log(4),
    tolerance=0.01,
    hints=(
        "Cross-entropy of one voxel is -log(probability of its true class).",
        "Four classes, and the network prefers none of them: what probability does the true class get?",
        "-log(1/4), with the natural logarithm.",
    ),
    why={
        0.25: "That is the probability of the true class; the loss is minus its logarithm.",
        2.0: "That is the logarithm to base 2; PyTorch's cross-entropy uses the natural one.",
        math.log(2): "That is log(2), for two classes; here there are four.",
        0.0: "Zero would be the loss of a network that is always sure and right.",
        -math.log(4): (
            "The sign: a probability is at most 1, so its logarithm is negative and the loss, minus that, "
            "positive."
        ),
    },
)


# ---- predict_volume


class _Edges(nn.Module):
    """A small fixed network whose answer depends on direction and, unlike a real one, plainly on its mode.

    (N, 2, H, W) -> (N, 3, H, W). In training mode it always answers class 0, so that a forgotten ``eval()`` shows.
    """

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.weight = nn.Parameter(torch.randn(3, 2, 3, 3, generator=generator, dtype=torch.float64))

    def __repr__(self) -> str:
        return "network"

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        scores = nn.functional.conv2d(slices, self.weight, padding=1)
        if self.training:
            scores = scores + torch.tensor([1e3, 0.0, 0.0], dtype=scores.dtype).reshape(1, 3, 1, 1)
        return scores


def _scores(network, image, *, axis=-1):
    """Class scores (classes, X, Y, Z) of slices cut across ``axis``, in the network's present mode."""
    slices = torch.movedim(image, axis, 0)
    with torch.no_grad():
        return torch.movedim(network(slices), 0, axis)


def _predict_volume(network, image):
    network.eval()
    return torch.stack(
        [network(image[None, ..., k])[0].argmax(0) for k in range(image.shape[-1])], dim=-1
    ).detach()


def _in_training_mode(network, image):
    return _scores(network.train(), image).argmax(0)


def _across_first_axis(network, image):
    return _scores(network.eval(), image, axis=1).argmax(0)


def _slices_in_front(network, image):
    return torch.movedim(_predict_volume(network, image), -1, 0)


def _best_score(network, image):
    return _scores(network.eval(), image).amax(0)


def _all_scores(network, image):
    return _scores(network.eval(), image)


def _worst_class(network, image):
    return _scores(network.eval(), image).argmin(0)


@check.exercise(
    oracle=_predict_volume,
    hints=(
        "The network eats a batch of 2D slices, (slices, channels, X, Y). Which axis of the volume counts the slices?",
        "`image.movedim(-1, 0)` puts z first; afterwards the answer's slice axis has to go back to the end.",
        "`network.eval()`, then inside `torch.no_grad()`: `network(image.movedim(-1, 0)).argmax(1).movedim(0, -1)`.",
    ),
    why={
        _in_training_mode: (
            "The network was in training mode: call `network.eval()` first, or normalisation and dropout "
            "behave as in training."
        ),
        _across_first_axis: (
            "You cut across the first axis: the network was trained on axial slices, those across the last "
            "one."
        ),
        _slices_in_front: "The slices are right, but their axis stayed in front: bring it back to the end, (X, Y, Z).",
        _best_score: "These are the highest scores, not the classes that reached them: argmax instead of max.",
        _all_scores: (
            "These are all the scores: for each voxel keep the class with the highest one (argmax over the "
            "classes)."
        ),
        _worst_class: "You took the class with the lowest score.",
    },
)
def predict_volume(trial: Trial) -> None:
    trial.signature("network", "image")
    generator = torch.Generator().manual_seed(1)
    for shape in ((2, 4, 5, 3), (2, 6, 3, 7)):
        image = torch.randn(shape, generator=generator, dtype=torch.float64)
        trial.case(_Edges().train(), image, label=f"predict_volume(network, image of shape {shape})")
    image = torch.randn((2, 3, 4, 2), generator=generator, dtype=torch.float64)
    labels = trial.call(_Edges(), image, label="predict_volume(network, image of shape (2, 3, 4, 2))")
    trial.require(
        not labels.requires_grad,
        "The result still carries the graph for gradients, which for a whole volume fills the memory.",
        "Predict inside `with torch.no_grad():`.",
    )


# ---- dice_score


def _dice_score(prediction, reference):
    if not prediction.any() and not reference.any():
        return 1.0  # the BraTS convention: nothing to find, nothing found
    return 1.0 - float(dice_dissimilarity(prediction.ravel(), reference.ravel()))


def _both(prediction, reference):
    return float((prediction & reference).sum()), float((prediction | reference).sum())


def _sum_of_sizes(prediction, reference):
    return float(prediction.sum()) + float(reference.sum())


@check.exercise(
    oracle=_dice_score,
    hints=(
        "Count three things: voxels in both masks, voxels in the prediction, voxels in the reference.",
        "D = 2 |A and B| / (|A| + |B|). The denominator counts the overlap twice, which is why the numerator does, too.",
        "`(prediction & reference).sum()` is the overlap. If the denominator is 0, both are empty: return 1.0.",
    ),
    why={
        (lambda p, r: _both(p, r)[0] / _both(p, r)[1] if r.any() or p.any() else 1.0): (
            "That is the Jaccard index (intersection over union): Dice counts the overlap twice, above and "
            "below."
        ),
        (
            lambda p, r: _both(p, r)[0] / _sum_of_sizes(p, r) if r.any() or p.any() else 1.0
        ): "The factor 2 is missing: two identical masks would only score 0.5.",
        (lambda p, r: float((p == r).mean())): (
            "That is the share of voxels that agree (accuracy): background, nearly everything, makes it high"
            " for any answer."
        ),
        (
            lambda p, r: 2 * _both(p, r)[0] / _sum_of_sizes(p, r) if r.any() or p.any() else 0.0
        ): "Both masks empty: nothing was there and nothing was found, which BraTS scores 1, not 0.",
        (
            lambda p, r: _both(p, r)[0] / float(r.sum()) if r.any() else 1.0
        ): "That is the recall: it forgives every false alarm. Divide by the sizes of both masks.",
    },
)
def dice_score(trial: Trial) -> None:
    trial.signature("prediction", "reference")
    # by hand: 1 voxel in both, 2 + 3 in all; Jaccard 1/4, recall 1/3 and accuracy 1/2 all differ from 2/5
    trial.case(
        np.array([1, 1, 0, 0, 0, 0], dtype=bool), np.array([1, 0, 1, 1, 0, 0], dtype=bool), expected=0.4
    )
    rng = np.random.default_rng(5)
    for shape in ((4, 5, 3), (7, 2)):
        trial.case(rng.random(shape) < 0.4, rng.random(shape) < 0.3)
    empty, one_voxel = np.zeros((2, 3), dtype=bool), np.eye(2, 3, dtype=bool)
    trial.case(one_voxel, one_voxel, expected=1.0)
    trial.case(one_voxel, empty, expected=0.0)
    trial.case(empty, one_voxel, expected=0.0)
    trial.case(empty, empty, expected=1.0)


# ---- what the mean hides

check.choice(
    "mean_or_distribution",
    answer="B",
    hints=(
        "In each column, look for single points far from the others, below or above.",
        "Which subjects are these? The next cell prints how many voxels their region has.",
        "One point that moves from 1 to 0 moves the mean of ten by a tenth; the median hardly notices.",
    ),
    why={
        "A": "The training loss says nothing about single held-out subjects; look at the points in the figure.",
        "C": "Dice is not tied to the scanner's resolution here: all subjects share one grid.",
        "D": "If the metric were noisy, a second run of the same weights would differ. It does not: the spread is between "
        "subjects.",
    },
)
