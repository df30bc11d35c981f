"""The lab keeps its promise: the trained U-Net on held-out subjects, from what notebook 11 wrote."""

from __future__ import annotations

import nibabel
import numpy as np
import pandas as pd
import pytest

from course_utils import cohort, evaluation, paths
from tests.promises import DICE


@pytest.fixture(scope="module")
def lab(executed_solutions):
    """The folder of the lab's results."""
    (folder,) = executed_solutions.runs("11_brats_lab").glob("brats_lab_*")
    return folder


@pytest.fixture(scope="module")
def report(lab):
    return pd.read_csv(lab / "report.csv", index_col="case")


def test_the_picture_supports_its_exercise(executed_solutions, report):
    """The lowest scores belong to small regions: what exercise 6 asks about."""
    cases = [cohort.load_case(paths.data_dir() / "synthetic" / name) for name in report.index]
    volumes = pd.DataFrame(
        {name: [cohort.region_mask(case.labels, name).sum() for case in cases] for name in cohort.REGIONS},
        index=report.index,
    )
    empty, spread = volumes["ET"] == 0, report.max() - report.min()
    assert empty.sum() == 2 and (report.loc[empty, "ET"] == 1).all()  # the two open circles of the alt text
    assert spread["ET"] > 1.5 * max(spread["WT"], spread["TC"])
    lowest = report["ET"].idxmin()
    assert report.loc[lowest, "ET"] == report.min().min()
    assert volumes.loc[lowest, "ET"] == volumes.loc[~empty, "ET"].min()


def test_at_least_eight_held_out_subjects(report):
    assert report.index.is_unique and len(report) >= 8


@pytest.mark.parametrize("region", cohort.REGIONS)
def test_mean_dice_on_held_out_subjects(report, region):
    assert report[region].mean() >= DICE[region]


def test_saved_prediction_lies_over_its_scan_and_scores_as_reported(report, lab):
    best = report["WT"].idxmax()
    path = paths.data_dir() / "synthetic" / best
    saved = nibabel.load(lab / f"{best}_prediction.nii.gz")
    scan = nibabel.load(path / f"{path.name}_flair.nii.gz")
    np.testing.assert_array_equal(saved.affine, scan.affine)
    assert saved.get_data_dtype() == np.uint8 and saved.shape == scan.shape
    labels = cohort.load_case(path).labels
    assert evaluation.case_report(np.asarray(saved.dataobj), labels) == pytest.approx(dict(report.loc[best]))
