"""Reporting how good predictions are: every subject, not only the mean."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn
from tqdm.auto import tqdm

from course_utils import cohort, files
from course_utils.metrics import dice_score
from course_utils.prediction import predict_case, without_specks

Row = dict[str, Any]
"""One case: "case", its name, and the Dice score of each of cohort.REGIONS."""


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
