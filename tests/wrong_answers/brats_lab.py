"""Mistakes that students make in notebook 11."""

import math

import numpy as np
import torch

from tests.wrong_answers import WrongAnswers

wrong = WrongAnswers("brats_lab")


@wrong("class_indices", says="none is called 4")
def only_the_type(labels):
    return labels.astype(np.int64)


@wrong("class_indices", says="down by one")
def shifted(labels):
    indices = labels.astype(np.int64)
    indices[indices > 0] -= 1
    return np.where(indices == 3, 3, indices)


@wrong("class_indices", says="tumour or not")
def binary(labels):
    return np.where(labels > 0, 1, 0)


@wrong("class_indices", says="index of oedema")
def merged(labels):
    return np.where(labels == 4, 2, labels).astype(np.int64)


@wrong("class_indices", says="changes its input")
def in_place(labels):
    labels[labels == 4] = 3
    return labels.astype(np.int64)


wrong.value("split_by_subject", "A", says="memory test")
wrong.value("split_by_subject", "B", says="both sides")
wrong.value("split_by_subject", "D", says="speed does not change")

wrong.value("starting_loss", 0.25, says="minus its logarithm")
wrong.value("starting_loss", math.log2(4), says="base 2")
wrong.value("starting_loss", math.log(2), says="two classes")
wrong.value("starting_loss", 0, says="always sure")
wrong.value("starting_loss", math.log(0.25), says="the sign")


@wrong("predict_volume", says="training mode")
def forgot_eval(network, image):
    with torch.no_grad():
        return network(image.permute(3, 0, 1, 2)).argmax(dim=1).permute(1, 2, 0)


@wrong("predict_volume", says="across the first axis")
def sagittal(network, image):
    network.eval()
    with torch.no_grad():
        return network(image.permute(1, 0, 2, 3)).argmax(dim=1)


@wrong("predict_volume", says="stayed in front")
def never_moved_back(network, image):
    network.eval()
    with torch.no_grad():
        return network(image.permute(3, 0, 1, 2)).argmax(dim=1)


@wrong("predict_volume", says="argmax instead of max")
def maximum(network, image):
    network.eval()
    with torch.no_grad():
        return network(image.permute(3, 0, 1, 2)).max(dim=1).values.permute(1, 2, 0)


@wrong("predict_volume", says="all the scores")
def raw_scores(network, image):
    network.eval()
    with torch.no_grad():
        return network(image.permute(3, 0, 1, 2)).permute(1, 2, 3, 0)


@wrong("predict_volume", says="lowest score")
def minimum(network, image):
    network.eval()
    with torch.no_grad():
        return network(image.permute(3, 0, 1, 2)).argmin(dim=1).permute(1, 2, 0)


@wrong("dice_score", says="jaccard")
def jaccard(prediction, reference):
    union = np.logical_or(prediction, reference).sum()
    return 1.0 if union == 0 else float(np.logical_and(prediction, reference).sum() / union)


@wrong("dice_score", says="factor 2 is missing")
def half(prediction, reference):
    total = prediction.sum() + reference.sum()
    return 1.0 if total == 0 else float(np.logical_and(prediction, reference).sum() / total)


@wrong("dice_score", says="accuracy")
def accuracy(prediction, reference):
    return float(np.mean(prediction == reference))


@wrong("dice_score", says="both masks empty")
def smoothed(prediction, reference):
    overlap = float(np.logical_and(prediction, reference).sum())
    return 2 * overlap / max(1.0, float(prediction.sum() + reference.sum()))


@wrong("dice_score", says="recall")
def recall(prediction, reference):
    found = np.logical_and(prediction, reference).sum()
    return float(found / reference.sum()) if reference.any() else 1.0


wrong.value("mean_or_distribution", "A", says="training loss")
wrong.value("mean_or_distribution", "C", says="one grid")
wrong.value("mean_or_distribution", "D", says="between subjects")
