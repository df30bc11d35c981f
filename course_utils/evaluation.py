"""Reporting how good predictions are: every subject, not only the mean.

A report is a pandas table, one row a case, so what one asks of a table is there: ``report.describe()`` for
the distribution, ``report.to_csv(path)`` for a file, ``report.mean(axis=1).idxmin()`` for the worst case.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from torch import nn
from tqdm.auto import tqdm

from course_utils import cohort
from course_utils.metrics import dice_score
from course_utils.prediction import predict_case, without_specks


def case_report(prediction: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """Dice scores of one case from BraTS labels (X, Y, Z): {"WT": ..., "TC": ..., "ET": ...}.

    A region that is empty in both scores 1, in one of them 0 (:func:`course_utils.metrics.dice_score`).
    """
    return {
        region: dice_score(cohort.region_mask(prediction, region), cohort.region_mask(reference, region))
        for region in cohort.REGIONS
    }


def evaluate(
    network: nn.Module,
    cases: Sequence[cohort.Case | str | Path],
    *,
    smallest_enhancing: float = 0.0,
    progress: bool = True,
) -> pd.DataFrame:
    """Predict and score all cases. Case folders are loaded one at a time.

    Args:
        network: as for :func:`course_utils.prediction.predict_case`.
        cases: case folders, or cases already loaded, all with labels.
        smallest_enhancing: that of :func:`course_utils.prediction.without_specks`, ml; 0 leaves the
            predictions as they are.
        progress: show a progress bar.

    Returns:
        Dice scores: one row a case, in their order, its name as the index "case"; one column for each of
        ``cohort.REGIONS``.

    Raises:
        cohort.CohortError: a case cannot be read or has no labels.
        ValueError: there is no case.
    """
    if not cases:
        raise ValueError("there are no cases to evaluate")
    names, scores = [], []
    for case in tqdm(cases, unit="case", desc="predicting", disable=not progress):
        case = case if isinstance(case, cohort.Case) else cohort.load_case(case)
        if case.labels is None:
            raise cohort.CohortError(f"{case.name}: no segmentation to compare with. Leave the case out.")
        prediction = without_specks(predict_case(network, case), case.spacing, smallest_enhancing)
        names.append(case.name)
        scores.append(case_report(prediction, case.labels))
    return pd.DataFrame(scores, index=pd.Index(names, name="case"))


def mean_dice(network: nn.Module, cases: Sequence[cohort.Case | str | Path]) -> dict[str, float]:
    """Mean Dice score of each region: a short check while training (``validation=`` of ``training.fit``)."""
    return evaluate(network, cases, progress=False).mean().to_dict()
