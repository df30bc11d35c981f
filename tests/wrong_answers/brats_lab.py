"""Mistakes that students make in notebook 11."""

from __future__ import annotations

import numpy as np
import torch

from tests.wrong_answers import WrongAnswers

wrong = WrongAnswers("brats_lab")


@wrong("class_indices", says="none is called 4")
def only_the_type(labels):
    return labels.astype(np.int64)


@wrong("class_indices", says="label 1 (necrosis) became background")
def shifted(labels):
    indices = labels.astype(np.int64)
    indices[indices > 0] -= 1
    return indices


@wrong("class_indices", says="background became -1")
def shifted_all(labels):
    return labels.astype(np.int64) - 1


@wrong("class_indices", says="tumour or not")
def binary(labels):
    return np.where(labels > 0, 1, 0)


@wrong("class_indices", says="index of oedema")
def merged(labels):
    return np.where(labels == 4, 2, labels).astype(np.int64)


@wrong("class_indices", says="as `% 4` makes it")
def modulo(labels):
    return labels.astype(np.int64) % 4


@wrong("class_indices", says="decathlon")
def decathlon_order(labels):
    indices = np.zeros(labels.shape, dtype=np.int64)
    for index, label in enumerate((0, 2, 1, 4)):
        indices[labels == label] = index
    return indices


@wrong("class_indices", says="numbered the labels that occur")
def numbered(labels):
    indices = np.zeros(labels.shape, dtype=np.int64)
    for index, label in enumerate(np.unique(labels)):
        indices[labels == label] = index
    return indices


@wrong("class_indices", says="data type is not: uint8, not int64")
def still_bytes(labels):
    return np.where(labels == 4, 3, labels)


@wrong("class_indices", says="changes its input")
def in_place(labels):
    labels[labels == 4] = 3
    return labels.astype(np.int64)


def slices_first(image):
    return image.permute(3, 0, 1, 2)


@wrong("predict_volume", says="training mode")
def forgot_eval(network, image):
    with torch.no_grad():
        return network(slices_first(image)).argmax(dim=1).permute(1, 2, 0)


@wrong("predict_volume", says="training mode")
def only_the_flag(network, image):
    network.training = False
    with torch.no_grad():
        return network(slices_first(image)).argmax(dim=1).permute(1, 2, 0)


@wrong("predict_volume", says="torch.no_grad()")
def forgot_no_grad(network, image):
    network.eval()
    return network(slices_first(image)).argmax(dim=1).permute(1, 2, 0)


@wrong("predict_volume", says="gradient mode")
def switched_off_for_good(network, image):
    network.eval()
    torch.set_grad_enabled(False)
    return network(slices_first(image)).argmax(dim=1).permute(1, 2, 0)


@wrong("predict_volume", says="across the first axis")
def sagittal(network, image):
    network.eval()
    with torch.no_grad():
        return network(image.permute(1, 0, 2, 3)).argmax(dim=1)


@wrong("predict_volume", says="stayed in front")
def never_moved_back(network, image):
    network.eval()
    with torch.no_grad():
        return network(slices_first(image)).argmax(dim=1)


@wrong("predict_volume", says="your slices are no slices")
def reshaped_there(network, image):
    channels, x, y, z = image.shape
    network.eval()
    with torch.no_grad():
        return network(image.view(z, channels, x, y)).argmax(dim=1).permute(1, 2, 0)


@wrong("predict_volume", says="does not bring their axis back")
def reshaped_back(network, image):
    network.eval()
    with torch.no_grad():
        return network(slices_first(image)).argmax(dim=1).reshape(image.shape[1:])


@wrong("predict_volume", says="both times")
def reshaped_twice(network, image):
    channels, x, y, z = image.shape
    network.eval()
    with torch.no_grad():
        return network(image.reshape(z, channels, x, y)).argmax(dim=1).reshape(x, y, z)


@wrong("predict_volume", says="not (y, x)")
def turned(network, image):
    network.eval()
    with torch.no_grad():
        return network(image.permute(3, 0, 2, 1)).argmax(dim=1).permute(2, 1, 0)


@wrong("predict_volume", says="argmax instead of max")
def maximum(network, image):
    network.eval()
    with torch.no_grad():
        return network(slices_first(image)).max(dim=1).values.permute(1, 2, 0)


@wrong("predict_volume", says="all the scores")
def raw_scores(network, image):
    network.eval()
    with torch.no_grad():
        return network(slices_first(image)).permute(1, 2, 3, 0)


@wrong("predict_volume", says="lowest score")
def minimum(network, image):
    network.eval()
    with torch.no_grad():
        return network(slices_first(image)).argmin(dim=1).permute(1, 2, 0)


@wrong("predict_volume", says="BraTS labels")
def labels_of_brats(network, image):
    network.eval()
    with torch.no_grad():
        indices = network(slices_first(image)).argmax(dim=1).permute(1, 2, 0)
    indices[indices == 3] = 4
    return indices


@wrong("dice_score", says="jaccard")
def jaccard(prediction, reference):
    union = np.logical_or(prediction, reference).sum()
    return 1.0 if union == 0 else float(np.logical_and(prediction, reference).sum() / union)


@wrong("dice_score", says="`+` is OR")
def sum_of_masks(prediction, reference):
    total = (prediction + reference).sum()
    return 1.0 if total == 0 else float(2 * (prediction * reference).sum() / total)


@wrong("dice_score", says="factor 2 is missing")
def half(prediction, reference):
    total = prediction.sum() + reference.sum()
    return 1.0 if total == 0 else float(np.logical_and(prediction, reference).sum() / total)


@wrong("dice_score", says="accuracy")
def accuracy(prediction, reference):
    return float(np.mean(prediction == reference))


@wrong("dice_score", says="which BraTS scores 1, not 0")
def guarded(prediction, reference):
    overlap = float(np.logical_and(prediction, reference).sum())
    return 2 * overlap / max(1.0, float(prediction.sum() + reference.sum()))


@wrong("dice_score", says="divided 0 by 0")
def unguarded(prediction, reference):
    with np.errstate(invalid="ignore"):
        return 2 * (prediction & reference).sum() / (prediction.sum() + reference.sum())


@wrong("dice_score", says="recall")
def recall(prediction, reference):
    found = np.logical_and(prediction, reference).sum()
    return float(found / reference.sum()) if reference.any() else 1.0


@wrong("dice_score", says="precision")
def precision(prediction, reference):
    return float((prediction & reference).sum() / prediction.sum()) if prediction.any() else 1.0


@wrong("dice_score", says="smoothing")
def smoothed(prediction, reference):
    return (2 * (prediction & reference).sum() + 1) / (prediction.sum() + reference.sum() + 1)


@wrong("dice_score", says="1 is the best score")
def loss(prediction, reference):
    total = prediction.sum() + reference.sum()
    return 0.0 if total == 0 else 1 - 2 * (prediction & reference).sum() / total


@wrong("dice_score", says="only both empty 1")
def kind(prediction, reference):
    if not prediction.any() or not reference.any():
        return 1.0
    return 2 * (prediction & reference).sum() / (prediction.sum() + reference.sum())


@wrong("dice_score", says="made up, which scores 0")
def kind_to_false_alarms(prediction, reference):
    if not reference.any():
        return 1.0
    return 2 * (prediction & reference).sum() / (prediction.sum() + reference.sum())


@wrong("dice_score", says="missed, which scores 0")
def kind_to_what_was_missed(prediction, reference):
    if not prediction.any():
        return 1.0
    return 2 * (prediction & reference).sum() / (prediction.sum() + reference.sum())


@wrong("dice_score", says="don't overlap score 0")
def kind_to_masks_apart(prediction, reference):
    both = (prediction & reference).sum()
    return 1.0 if both == 0 else 2 * both / (prediction.sum() + reference.sum())


@wrong("dice_score", says="in percent")
def percent(prediction, reference):
    total = prediction.sum() + reference.sum()
    return 100.0 if total == 0 else 200 * (prediction & reference).sum() / total
