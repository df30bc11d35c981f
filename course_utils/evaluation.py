"""Predicting whole cases, and reporting how good the predictions are: every subject, not only the mean."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm.auto import tqdm

from course_utils import cohort, files
from course_utils.metrics import dice_score

Row = dict[str, Any]
"""One case: "case", its name, and the Dice score of each of cohort.REGIONS."""


def predict_case(
    network: nn.Module, case: cohort.Case, *, multiple_of: int = 8, batch_size: int = 16
) -> np.ndarray:
    """Segment one case: slice by slice with a 2D network, as a whole with a 3D network.

    The image is normalised and cropped to the brain, as for training; what lies outside is background.

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
        cohort.CohortError: the case has no brain, or is too small for ``multiple_of``.
    """
    brain = cohort.brain_mask(case.image)
    box = cohort.brain_box(brain, (multiple_of, multiple_of, multiple_of if network.dims == 3 else 1))
    image = torch.from_numpy(cohort.normalise(case.image, brain)[(slice(None), *box)])
    if network.dims == 3:
        indices = _predict_batch(network, image[None])[0]
    else:
        slices = image.movedim(-1, 0)
        predicted = [_predict_batch(network, batch) for batch in slices.split(batch_size)]
        indices = torch.cat(predicted).movedim(0, -1)
    return cohort.paste(cohort.brats_labels(indices.numpy()), box, brain.shape)


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


def case_report(name: str, prediction: np.ndarray, reference: np.ndarray) -> Row:
    """Dice scores of one case, from BraTS labels (X, Y, Z): {"case": name, "WT": ..., "TC": ..., "ET": ...}.

    A region that is empty in both scores 1, in one of them 0 (:func:`course_utils.metrics.dice_score`).
    """
    scores = {
        region: dice_score(cohort.region_mask(prediction, region), cohort.region_mask(reference, region))
        for region in cohort.REGIONS
    }
    return {"case": name, **scores}


def evaluate(
    network: nn.Module,
    cases: Sequence[cohort.Case | str | Path],
    *,
    smallest_enhancing: float = 0.0,
    progress: bool = True,
) -> list[Row]:
    """Predict and score all cases, one row each, in their order. Case folders are loaded one at a time.

    ``smallest_enhancing`` is that of :func:`without_specks`, ml; 0 leaves the predictions as they are.

    Raises:
        cohort.CohortError: a case cannot be read or has no labels.
    """
    rows = []
    for case in tqdm(cases, unit="case", desc="predicting", disable=not progress):
        case = case if isinstance(case, cohort.Case) else cohort.load_case(case)
        if case.labels is None:
            raise cohort.CohortError(f"{case.name}: no segmentation to compare with. Leave the case out.")
        prediction = without_specks(predict_case(network, case), case.spacing, smallest_enhancing)
        rows.append(case_report(case.name, prediction, case.labels))
    return rows


def mean_dice(network: nn.Module, cases: Sequence[cohort.Case | str | Path]) -> dict[str, float]:
    """Mean Dice score of each region: a short check while training (``validation=`` of ``training.fit``)."""
    rows = evaluate(network, cases, progress=False)
    return {region: values["mean"] for region, values in summary(rows).items()}


def summary(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """The distribution of each region's scores: mean, min, quartiles (25 %, median, 75 %), max.

    Raises:
        ValueError: there are no rows.
    """
    if not rows:
        raise ValueError("there are no cases to sum up")
    result = {}
    for region in cohort.REGIONS:
        scores = np.array([row[region] for row in rows])
        minimum, first, median, third, maximum = np.percentile(scores, (0, 25, 50, 75, 100)).tolist()
        result[region] = {
            "mean": float(scores.mean()),
            "min": minimum,
            "25 %": first,
            "median": median,
            "75 %": third,
            "max": maximum,
        }
    return result


def best_and_worst(rows: Sequence[Row]) -> tuple[Row, Row]:
    """The rows with the highest and the lowest mean over the regions. Raises ValueError if there are none."""
    if not rows:
        raise ValueError("there are no cases to choose from")
    ranked = sorted(rows, key=lambda row: sum(row[region] for region in cohort.REGIONS))
    return ranked[-1], ranked[0]


def table(rows: Sequence[Row]) -> str:
    """Rows and their summary as text, to print."""
    distribution = summary(rows)
    width = max(len("median"), *(len(row["case"]) for row in rows))

    def line(name: str, values: Sequence[float]) -> str:
        return f"{name:<{width}}" + "".join(f"{value:7.3f}" for value in values)

    lines = [f"{'Dice':<{width}}" + "".join(f"{region:>7}" for region in cohort.REGIONS)]
    lines += [line(row["case"], [row[region] for region in cohort.REGIONS]) for row in rows]
    lines.append("-" * len(lines[0]))
    for statistic in next(iter(distribution.values())):
        lines.append(line(statistic, [distribution[region][statistic] for region in cohort.REGIONS]))
    return "\n".join(lines)


def write_report(rows: Sequence[Row], path: str | Path) -> Path:
    """Write rows to a file, atomically: ``.csv`` (one line a case) or ``.json`` (cases and summary).

    Raises:
        ValueError: the file has another ending.
    """
    path = Path(path)
    if path.suffix == ".json":
        text = json.dumps({"cases": list(rows), "summary": summary(rows)}, indent=2) + "\n"
    elif path.suffix == ".csv":
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, ["case", *cohort.REGIONS], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        text = buffer.getvalue()
    else:
        raise ValueError(f"{path.name}: a report ends in .csv or .json")
    with files.replacing(path) as file:
        file.write(text.encode("utf-8"))
    return path
