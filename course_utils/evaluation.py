"""Predict cases that the network has never seen, and report how well: per subject first, then the distribution."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm.auto import tqdm

from course_utils import cohort
from course_utils.metrics import dice_score

SLICES_AT_ONCE = 16


def predict(network: nn.Module, image: np.ndarray) -> np.ndarray:
    """Labels of one case: normalise, crop to the brain, predict, and put the result back into the full volume.

    Args:
        network: 2D, then axial slices are predicted, or 3D, then the whole brain at once (its attribute ``dims``
            says which); padding "same", four classes.
        image: as loaded, (modalities, X, Y, Z).

    Returns:
        BraTS labels 0/1/2/4, uint8, (X, Y, Z). The network's mode and device are left as they were.
    """
    brain = cohort.brain_mask(image)
    multiple = 2 ** (network.depth - 1)
    box = cohort.brain_box(brain, multiple if network.dims == 3 else (multiple, multiple, 1))
    cropped = torch.from_numpy(cohort.normalise(image)[(slice(None), *box)])
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    with torch.inference_mode():
        if network.dims == 3:
            indices = network(cropped[None].to(device)).argmax(1)[0]
        else:
            slices = cropped.movedim(-1, 0)
            parts = [network(part.to(device)).argmax(1) for part in slices.split(SLICES_AT_ONCE)]
            indices = torch.cat(parts).movedim(0, -1)
    network.train(was_training)
    return cohort.paste(cohort.brats_labels(indices.cpu().numpy()), box, brain.shape)


def region_scores(prediction: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """Dice of the regions WT, TC and ET for two BraTS label maps of one shape."""
    return {
        region: dice_score(cohort.region_mask(prediction, region), cohort.region_mask(reference, region))
        for region in cohort.REGIONS
    }


@dataclass(frozen=True)
class Report:
    """Dice of each region (WT, TC, ET) for each subject; ``print`` it for the table.

    Attributes:
        scores: by case name, then by region.
    """

    scores: dict[str, dict[str, float]]

    def of_region(self, region: str) -> np.ndarray:
        """The Dice of all subjects in one region, (subjects,)."""
        return np.array([scores[region] for scores in self.scores.values()])

    def summary(self) -> dict[str, dict[str, float]]:
        """The distribution by region: mean, min, quartiles, median, max."""
        return {
            region: {
                "mean": float(values.mean()),
                "min": float(values.min()),
                "25 %": float(np.percentile(values, 25)),
                "median": float(np.median(values)),
                "75 %": float(np.percentile(values, 75)),
                "max": float(values.max()),
            }
            for region in cohort.REGIONS
            for values in [self.of_region(region)]
        }

    def ranked(self) -> list[str]:
        """Case names from the best to the worst mean Dice over the regions."""
        return sorted(self.scores, key=lambda name: -np.mean(list(self.scores[name].values())))

    def __str__(self) -> str:
        width = max(len(name) for name in (*self.scores, "median"))
        lines = [" " * width + "".join(f"{region:>8}" for region in cohort.REGIONS)]
        for name, scores in self.scores.items():
            lines.append(f"{name:<{width}}" + "".join(f"{scores[region]:8.3f}" for region in cohort.REGIONS))
        lines.append("-" * len(lines[0]))
        summary = self.summary()
        for statistic in next(iter(summary.values())):
            lines.append(f"{statistic:<{width}}" + "".join(f"{summary[r][statistic]:8.3f}" for r in cohort.REGIONS))
        return "\n".join(lines)

    def save(self, path: str | Path) -> Path:
        """Write scores and summary as JSON, atomically."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(path.name + ".part")
        unfinished.write_text(json.dumps({"scores": self.scores, "summary": self.summary()}, indent=2) + "\n")
        os.replace(unfinished, path)
        return path


def evaluate(network: nn.Module, cases: Sequence[str | Path], *, progress: bool = True) -> Report:
    """Predict cases and compare them with their labels.

    Raises:
        CohortError: there are no cases, or one has no labels.
    """
    if not cases:
        raise cohort.CohortError("there are no cases to evaluate: was the split asked for 0?")
    scores = {}
    for path in tqdm(cases, desc="predicting", unit="case", disable=not progress):
        case = cohort.load_case(path)
        if case.labels is None:
            raise cohort.CohortError(f"{case.name}: it has no segmentation to compare with.")
        scores[case.name] = region_scores(predict(network, case.image), case.labels)
    return Report(scores)
