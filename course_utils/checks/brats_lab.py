"""Exercises of notebook 11: class indices, splitting, the loss at the start, slice-wise prediction, Dice.

Oracles: a dictionary of labels, SciPy's Dice dissimilarity, a loop over slices.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch
from scipy.spatial.distance import dice as dice_dissimilarity
from torch import Tensor, nn

from course_utils.checking import Checker, Trial
from course_utils.checking.mistakes import then

check = Checker("brats_lab")


# ---- 1 · class_indices

_INDEX_OF_LABEL = {0: 0, 1: 1, 2: 2, 4: 3}


def _class_indices(labels: np.ndarray) -> np.ndarray:
    return np.vectorize(_INDEX_OF_LABEL.__getitem__, otypes=[np.int64])(labels)


def _by_table(*indices: int):
    """The mistake that gives the labels 0, 1, 2, 4 these indices."""
    table = np.array([*indices[:3], 0, indices[3]])
    return lambda labels: table[labels]


@check.exercise(
    oracle=_class_indices,
    hints=(
        "Which BraTS label is not its own index? Only one value has to change.",
        "`labels == 4` is a mask; assigning through a mask changes just those voxels. Work on a copy.",
        "`indices = labels.astype(np.int64)` is a copy of the right type; then `indices[indices == 4] = 3`.",
    ),
    why={
        _by_table(0, 1, 2, 4): (
            "Label 4 is still 4: the network has four outputs, numbered 0 to 3, and none is called 4."
        ),
        _by_table(0, 0, 1, 3): (
            "You moved every label down by one, so label 1 (necrosis) became background."
        ),
        _by_table(-1, 0, 1, 3): "You moved every label down by one: background became -1.",
        _by_table(0, 1, 1, 1): (
            "Everything became 0 or 1: tumour or not. The network is to tell the three tumour classes apart."
        ),
        _by_table(0, 1, 2, 2): (
            "You gave enhancing tumour (4) the index of oedema (2): a prediction could never be mapped back."
        ),
        _by_table(
            0, 1, 2, 0
        ): "Enhancing tumour (4) became background, index 0 (as `% 4` makes it): it needs one of its own.",
        _by_table(0, 2, 1, 3): (
            "Core (1) and oedema (2) are exchanged: that is the order of the Medical Segmentation Decathlon."
        ),
        (lambda labels: np.unique(labels, return_inverse=True)[1].reshape(labels.shape)): (
            "You numbered the labels that occur: where one of them is missing, all that follow get another "
            "index. Map each label by its own value."
        ),
    },
)
def class_indices(trial: Trial) -> None:
    trial.signature("labels")
    trial.case(np.array([0, 1, 2, 4], dtype=np.uint8), expected=np.array([0, 1, 2, 3]))
    trial.case(np.array([0, 2, 4], dtype=np.uint8), expected=np.array([0, 2, 3]))
    trial.case(np.random.default_rng(0).choice(np.array([0, 1, 2, 4], dtype=np.uint8), size=(4, 3, 5)))
    trial.case(np.zeros((2, 3), dtype=np.uint8))


# ---- 2 · how to split

check.choice(
    "split_by_subject",
    answer="C",
    hints=(
        "What do slices 40 and 41 of one head have in common?",
        "Imagine a network that has only memorised heads. On which kind of test slice would it look good?",
        "The question that we want answered: how well does it do on a patient it has never seen?",
    ),
    why={
        "A": (
            "More slices may make a better network, but a test has to be new to it: is each of her test "
            "slices?"
        ),
        "B": (
            "A random fifth of thousands of slices has nearly the same mixture of classes as the rest, and "
            "that is no reason for a better score."
        ),
        "D": "Speed does not change between the two splits: the number of slices is the same.",
    },
)


# ---- 3 · the loss before the first step

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
        math.log10(4): "That is the logarithm to base 10; PyTorch's cross-entropy uses the natural one.",
        math.log(2): "That is log(2), for two classes; here there are four.",
        math.log(3): "That is log(3): the background is a class, too, so there are four.",
        4 * math.log(4): (
            "That is the sum over four classes: the loss looks at the true class only, and takes the mean."
        ),
        math.log(4) / 4: (
            "That is the loss times the probability, one term of an entropy: the loss of a voxel is minus "
            "the logarithm alone."
        ),
        0.0: "Zero would be the loss of a network that is always sure and right.",
        -math.log(4): (
            "The sign: a probability is at most 1, so its logarithm is negative and the loss, minus that, "
            "positive."
        ),
    },
)


# ---- 4 · predict_volume


class _Edges(nn.Module):
    """A small fixed network whose answer shows how it was used: (N, 2, H, W) to logits (N, 4, H, W), float32.

    Its classes depend on direction, so that turned slices show. Where gradients are recorded it answers class
    1 everywhere, and where ``child`` is in training mode (as dropout or normalisation would be) class 0.
    """

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.weight = nn.Parameter(torch.randn(4, 2, 3, 3, generator=generator))
        self.child = nn.Dropout(0.0)

    def __repr__(self) -> str:
        return "network"

    def forward(self, slices: Tensor) -> Tensor:
        if slices.ndim != 4:  # conv2d would take a single slice, which most networks do not
            raise ValueError(
                f"the network takes (slices, channels, X, Y), not the shape {tuple(slices.shape)}"
            )
        logits = nn.functional.conv2d(slices, self.weight, padding=1)
        if self.child.training:
            return logits + 1e3 * (torch.arange(4) == 0).reshape(1, 4, 1, 1)
        if torch.is_grad_enabled():
            return logits + 1e3 * (torch.arange(4) == 1).reshape(1, 4, 1, 1)
        return logits


def _logits(network: nn.Module, image: Tensor, *, axis: int = -1, training: bool = False) -> Tensor:
    """Class scores (classes, X, Y, Z) of slices cut across ``axis`` of the image."""
    network.train(training)
    with torch.no_grad():
        return torch.movedim(network(torch.movedim(image, axis, 0)), 0, axis)


def _predict_volume(network: nn.Module, image: Tensor) -> Tensor:
    """By a loop over slices."""
    network.eval()
    with torch.no_grad():
        slices = [network(image[None, ..., k])[0].argmax(0) for k in range(image.shape[-1])]
    return torch.stack(slices, dim=-1)


def _with_gradients(network: nn.Module, image: Tensor) -> Tensor:
    network.eval()
    with torch.enable_grad():
        return network(image.movedim(-1, 0)).argmax(1).movedim(0, -1)


def _reshaped(network: nn.Module, image: Tensor, *, there: bool, back: bool) -> Tensor:
    """Axes moved by reshape, which moves none: on the way to the network, on the way back, or both."""
    channels, *size = image.shape
    slices = image.reshape(size[2], channels, *size[:2]) if there else image.movedim(-1, 0)
    network.eval()
    with torch.no_grad():
        indices = network(slices).argmax(1)
    return indices.reshape(size) if back else indices.movedim(0, -1)


def _turned_slices(network: nn.Module, image: Tensor) -> Tensor:
    """x and y exchanged inside every slice, and back."""
    return _predict_volume(network, image.transpose(1, 2)).transpose(0, 1)


@check.exercise(
    oracle=_predict_volume,
    hints=(
        "The network eats a batch of 2D slices, (slices, channels, X, Y). Which axis of the volume counts "
        "the slices?",
        "`movedim` (or `permute`) moves an axis: z goes to the front, where the network expects the batch, "
        "and afterwards back to the end.",
        "`network.eval()`, then inside `torch.no_grad()`: "
        "`network(image.movedim(-1, 0)).argmax(1).movedim(0, -1)`.",
    ),
    why={
        then(partial(_logits, training=True), lambda logits: logits.argmax(0)): (
            "The network was in training mode: call `network.eval()`, which tells all its layers. Otherwise "
            "normalisation and dropout behave as in training."
        ),
        _with_gradients: (
            "Gradients were recorded: predict inside `with torch.no_grad():`, or the graph of a whole volume "
            "fills the memory."
        ),
        then(partial(_logits, axis=1), lambda logits: logits.argmax(0)): (
            "You cut across the first axis: the network was trained on axial slices, those across the last "
            "one."
        ),
        then(_predict_volume, lambda labels: labels.movedim(-1, 0)): (
            "The slices are right, but their axis stayed in front: bring it back to the end, (X, Y, Z)."
        ),
        partial(_reshaped, there=True, back=False): (
            "`reshape` (or `view`) doesn't move an axis, it deals the same numbers out anew: your slices are"
            " no slices. Use `movedim` or `permute`."
        ),
        partial(_reshaped, there=False, back=True): (
            "The slices went in right, but `reshape` (or `view`) does not bring their axis back: it mixes "
            "voxels of different slices. Use `movedim` or `permute`."
        ),
        partial(_reshaped, there=True, back=True): (
            "`reshape` (or `view`) moves no axis, there or back: what the network saw were no slices. Use "
            "`movedim` or `permute` both times."
        ),
        _turned_slices: (
            "x and y are exchanged inside each slice: the network was trained on slices (X, Y), not (Y, X)."
        ),
        then(_logits, lambda logits: logits.amax(0)): (
            "These are the highest scores, not the classes that reached them: argmax instead of max."
        ),
        _logits: (
            "These are all the scores: for each voxel keep the class with the highest one (argmax over the "
            "classes)."
        ),
        then(_logits, lambda logits: logits.argmin(0)): "You took the class with the lowest score.",
        then(_predict_volume, lambda labels: torch.tensor([0, 1, 2, 4])[labels]): (
            "Those are BraTS labels (4 for enhancing tumour). Asked for is the class index, 0 to 3."
        ),
    },
)
def predict_volume(trial: Trial) -> None:
    trial.signature("network", "image")
    generator = torch.Generator().manual_seed(1)
    for shape in ((2, 4, 5, 3), (2, 6, 3, 7)):
        image = torch.randn(shape, generator=generator)
        network = _Edges().train()
        trial.case(network, image, any_dtype=True, label=f"predict_volume(network, image of shape {shape})")


# ---- 5 · dice_score


def _dice_score(prediction: np.ndarray, reference: np.ndarray) -> float:
    if not prediction.any() and not reference.any():
        return 1.0  # the BraTS convention: nothing to find, nothing found
    return 1.0 - float(dice_dissimilarity(prediction.ravel(), reference.ravel()))


def _ratio(
    prediction: np.ndarray,
    reference: np.ndarray,
    *,
    above=lambda both, p, r: 2 * both,
    below=lambda both, p, r: p + r,
    empty: float = 1.0,
) -> float:
    """Dice with its numerator and denominator left open, functions of |A and B|, |A| and |B|."""
    both, p, r = (float(mask.sum()) for mask in (prediction & reference, prediction, reference))
    return above(both, p, r) / below(both, p, r) if below(both, p, r) else empty


@check.exercise(
    oracle=_dice_score,
    hints=(
        "Count three things: voxels in both masks, voxels in the prediction, voxels in the reference.",
        "D = 2 |A and B| / (|A| + |B|). The denominator counts the overlap twice, which is why the numerator "
        "does, too.",
        "`(prediction & reference).sum()` is the overlap. If the denominator is 0, both are empty: return "
        "1.0.",
    ),
    why={
        partial(_ratio, above=lambda both, p, r: both, below=lambda both, p, r: p + r - both): (
            "That is the Jaccard index (intersection over union): Dice counts the overlap twice, above and "
            "below."
        ),
        partial(_ratio, below=lambda both, p, r: p + r - both): (
            "You divided by the union, |A or B|, which counts the overlap once (for bool arrays `+` is OR). "
            "The sum of both sizes counts it twice."
        ),
        partial(_ratio, above=lambda both, p, r: both): (
            "The factor 2 is missing: two identical masks would only score 0.5."
        ),
        (lambda prediction, reference: float((prediction == reference).mean())): (
            "That is the share of voxels that agree (accuracy): background, nearly everything, makes it high "
            "for any answer."
        ),
        partial(_ratio, empty=0.0): (
            "Both masks empty: nothing was there and nothing was found, which BraTS scores 1, not 0."
        ),
        partial(_ratio, empty=math.nan): "Both masks empty: you divided 0 by 0. Return 1.0 there.",
        partial(_ratio, above=lambda both, p, r: both, below=lambda both, p, r: r): (
            "That is the recall: it forgives every false alarm. Divide by the sizes of both masks."
        ),
        partial(_ratio, above=lambda both, p, r: both, below=lambda both, p, r: p): (
            "That is the precision: it forgives everything that was missed. Divide by the sizes of both "
            "masks."
        ),
        partial(_ratio, above=lambda both, p, r: 2 * both + 1, below=lambda both, p, r: p + r + 1): (
            "You added 1 above and below (smoothing, as losses do): a score must not move with it. Treat two "
            "empty masks on their own."
        ),
        then(_dice_score, lambda dice: 100 * dice): "That is in percent: a Dice of 1 is the best there is.",
        then(_dice_score, lambda dice: 1 - dice): "That is 1 - Dice, the loss: here 1 is the best score.",
        (
            lambda prediction, reference: (
                _dice_score(prediction, reference) if prediction.any() and reference.any() else 1.0
            )
        ): "One mask empty, the other not: all was missed, or made up. That scores 0; only both empty 1.",
        (
            lambda prediction, reference: _dice_score(prediction, reference) if reference.any() else 1.0
        ): "The reference is empty, your prediction is not: all of it was made up, which scores 0.",
        (
            lambda prediction, reference: _dice_score(prediction, reference) if prediction.any() else 1.0
        ): "The prediction is empty, the reference is not: all was missed, which scores 0.",
        (
            lambda prediction, reference: (
                _dice_score(prediction, reference) if (prediction & reference).any() else 1.0
            )
        ): "Masks that don't overlap score 0: only where both are empty is the score 1.",
    },
)
def dice_score(trial: Trial) -> None:
    trial.signature("prediction", "reference")
    # By hand, 2 voxels in both, 3 and 5 in all, of 10: Dice is 4/8. The Jaccard index is 2/6, precision and
    # recall are 2/3 and 2/5, the accuracy is 6/10, and smoothing would make 5/9 of it.
    first, second = np.zeros(10, dtype=bool), np.zeros(10, dtype=bool)
    first[:3], second[1:6] = True, True
    trial.case(first, second, expected=0.5, tolerance=1e-5)
    rng = np.random.default_rng(5)
    for shape in ((4, 5, 3), (7, 2), (25, 20, 4)):
        trial.case(rng.random(shape) < 0.4, rng.random(shape) < 0.3, tolerance=1e-5)
    empty, two = np.zeros((2, 3), dtype=bool), np.eye(2, 3, dtype=bool)
    pairs = ((two, two), (two, ~two), (two, empty), (empty, two), (empty, empty))
    for masks in pairs:
        trial.case(*masks, tolerance=1e-5)


# ---- 6 · what the mean hides

check.choice(
    "mean_or_distribution",
    answer="A",
    hints=(
        "In the second picture, where do the points lie that are far from the others?",
        "Read the horizontal axis: how much enhancing tumour do these subjects have?",
        "One point that moves from 1 to 0 moves the mean of ten by a tenth; the median hardly notices.",
    ),
    why={
        "B": "The training loss says nothing about single held-out subjects; look at the points.",
        "C": "Dice is not tied to the scanner's resolution here: all subjects share one grid.",
        "D": (
            "If the metric were noisy, a second run of the same weights would differ. It does not: the "
            "spread is between subjects."
        ),
    },
)
