"""Predicting whole cases."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from course_utils import cohort
from course_utils.tiling import predicted_slabs


def predict_case(
    network: nn.Module,
    case: cohort.Case,
    *,
    multiple_of: int = cohort.MULTIPLE_OF,
    batch_size: int = 16,
    tile: int | Sequence[int] | None = None,
    overlap: float | None = None,
    halo: int | Sequence[int] = 0,
) -> np.ndarray:
    """Segment one case: slice by slice with a 2D network, as a whole or by tiles with a 3D network.

    The image is prepared as for training, by :func:`course_utils.cohort.prepare`: a crop whose edges don't
    fit the network grows into its surroundings, and by zeros where the volume ends. What lies outside of the
    crop is background.

    Args:
        network: with an attribute ``dims`` of 2 or 3, whose logits have the size of its input, like
            ``UNet(..., padding="same")``; by tiles also a valid one. Works on the device that holds its
            weights; its mode is left as it was.
        case: its labels are not looked at.
        multiple_of: edges of the crop are multiples of this, 2^(number of poolings).
        batch_size: for a 2D network: slices at once, or tiles of one slice. Tiles of a 3D network go through
            one by one.
        tile: predict by tiles of these edges, so that memory doesn't grow with the case: edges of what the
            network sees at once, one number or one for each of its axes. By default all at once.
        overlap, halo: of the tiles, see :func:`course_utils.tiling.sliding_window_inference`, and its module
            for when tiles give what the whole case gives.

    Returns:
        BraTS labels 0/1/2/4, uint8, (X, Y, Z), on the grid of the case.

    Raises:
        ValueError: the logits have another size than the input, or a tile doesn't fit the network.
        cohort.CohortError: the case has no brain.
    """
    prepared = cohort.prepare(case, multiple_of, network.dims)
    if tile is not None:
        indices = np.empty(prepared.image.shape[1:], np.uint8)
        options = {"overlap": overlap, "halo": halo, "batch_size": batch_size if network.dims == 2 else 1}
        if network.dims == 3:
            parts = [(prepared.image, indices)]
        else:
            parts = [(prepared.image[..., z], indices[..., z]) for z in range(indices.shape[-1])]
        for image, part in parts:
            for rows, logits in predicted_slabs(network, image, tile, progress=False, **options):
                part[rows] = logits.argmax(axis=0)
        return prepared.paste(cohort.brats_labels(indices))
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
            'output must have the size of the input; use padding="same", or predict by tiles (tile=)'
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
