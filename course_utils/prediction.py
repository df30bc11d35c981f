"""Predicting whole cases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from course_utils import cohort


def predict_case(
    network: nn.Module,
    case: cohort.Case,
    *,
    multiple_of: int = cohort.MULTIPLE_OF,
    batch_size: int = 16,
) -> np.ndarray:
    """Segment one case: slice by slice with a 2D network, as a whole with a 3D network.

    The image is prepared as for training, by :func:`course_utils.cohort.prepare`; what lies outside of the
    crop is background.

    Args:
        network: with an attribute ``dims`` of 2 or 3, whose logits have the size of its input, like
            ``UNet(..., padding="same")``. Works on the device that holds its weights; its mode is left as it
            was.
        case: its labels are not looked at.
        multiple_of: edges of the crop are multiples of this, 2^(number of poolings).
        batch_size: slices at once, for a 2D network.

    Returns:
        BraTS labels 0/1/2/4, uint8, (X, Y, Z), on the grid of the case.

    Raises:
        ValueError: the logits have another size than the input.
        cohort.CohortError: the case has no brain.
    """
    prepared = cohort.prepare(case, multiple_of, network.dims)
    image = torch.from_numpy(prepared.image)
    if network.dims == 3:
        indices = _predict_batch(network, image[None])[0]
    else:
        slices = image.movedim(-1, 0)
        predicted = [_predict_batch(network, batch) for batch in slices.split(batch_size)]
        indices = torch.cat(predicted).movedim(0, -1)
    return prepared.paste(cohort.brats_labels(indices.numpy()))


def _predict_batch(network: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Class indices (N, *size) of images (N, C, *size), on the CPU."""
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    with torch.no_grad():
        logits = network(images.contiguous().to(device))
    network.train(was_training)
    if logits.shape[2:] != images.shape[2:]:
        raise ValueError(
            f"the network turned size {tuple(images.shape[2:])} into {tuple(logits.shape[2:])}: here the "
            'output must have the size of the input; use padding="same"'
        )
    return logits.argmax(dim=1).cpu()


def without_specks(labels: np.ndarray, spacing: Sequence[float], smallest_enhancing: float) -> np.ndarray:
    """Call the enhancing tumour of a case core (label 1) where all of it together is too small to believe.

    A few enhancing voxels in a tumour that has none cost the whole Dice score of that region. This is the
    rule of nnU-Net for BraTS 2020 (arXiv 2011.00848).

    Args:
        labels: BraTS labels, (X, Y, Z).
        spacing: edges of a voxel, mm, (3,).
        smallest_enhancing: volume in ml; from there on the enhancing tumour is kept. Choose it on training
            cases.

    Returns:
        Labels of the same shape and type; a copy.
    """
    enhancing = cohort.region_mask(labels, "ET")
    volume = np.count_nonzero(enhancing) * float(np.prod(spacing)) / 1000
    return np.where(enhancing & (volume < smallest_enhancing), np.uint8(1), labels)
