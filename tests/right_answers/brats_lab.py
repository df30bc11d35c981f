"""Right answers to the exercises of notebook 11, in other styles."""

from __future__ import annotations

import numpy as np
import torch

from tests.right_answers import RightAnswers

right = RightAnswers("brats_lab")


@right("class_indices", "subtraction of a mask")
def class_indices_subtracted(labels):
    return labels.astype(np.int64) - (labels == 4)


@right("class_indices", "a table of five entries")
def class_indices_looked_up(labels):
    return np.array([0, 1, 2, 0, 3])[labels]


@right("class_indices", "a loop over voxels")
def class_indices_by_loop(labels):
    flat = [3 if label == 4 else int(label) for label in labels.ravel()]
    return np.array(flat, dtype=np.int64).reshape(labels.shape)


@right("predict_volume", "a loop over slices, filled in")
def predict_volume_by_loop(network, image):
    network.train(False)
    result = torch.zeros(image.shape[1:], dtype=torch.long)
    with torch.no_grad():
        for k in range(image.shape[3]):
            result[:, :, k] = network(image[:, :, :, k].unsqueeze(0)).argmax(dim=1).squeeze(0)
    return result


@right("predict_volume", "permute, softmax, inference mode")
def predict_volume_softmax(network, image):
    network = network.eval()
    with torch.inference_mode():
        probabilities = network(image.permute(3, 0, 1, 2)).softmax(dim=1)
        return probabilities.max(dim=1).indices.permute(1, 2, 0)


@right("predict_volume", "converted to float first")
def predict_volume_float(network, image):
    network.eval()
    with torch.no_grad():
        return torch.argmax(network(image.float().movedim(3, 0)), 1).movedim(0, 2).contiguous()


@right("dice_score", "counted with Python's own numbers")
def dice_score_by_loop(prediction, reference):
    pairs = list(zip(prediction.ravel().tolist(), reference.ravel().tolist()))
    both = sum(p and r for p, r in pairs)
    sizes = sum(p for p, _ in pairs) + sum(r for _, r in pairs)
    return 2 * both / sizes if sizes else 1.0


@right("dice_score", "true and false positives")
def dice_score_f1(prediction, reference):
    hits = np.count_nonzero(prediction & reference)
    wrong = np.count_nonzero(prediction ^ reference)
    return 1.0 if hits + wrong == 0 else 2 * hits / (2 * hits + wrong)


@right("dice_score", "torch, in single precision")
def dice_score_torch(prediction, reference):
    p, r = torch.from_numpy(prediction).float(), torch.from_numpy(reference).float()
    if p.sum() + r.sum() == 0:
        return 1.0
    return 2 * (p * r).sum() / (p.sum() + r.sum())


@right("dice_score", "a tiny number below and above")
def dice_score_epsilon(prediction, reference):
    both = (prediction & reference).sum()
    return (2 * both + 1e-9) / (prediction.sum() + reference.sum() + 1e-9)
