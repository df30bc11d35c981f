"""The lab keeps its promise: the trained U-Net on held-out subjects, read from the report that notebook 11 wrote."""

from __future__ import annotations

import json

import nibabel
import numpy as np
import pytest

from course_utils import cohort, evaluation, paths
from tests.test_phantom import PROMISED_DICE


@pytest.fixture(scope="module")
def lab(executed_solutions):
    """The folder of the lab's results."""
    (folder,) = executed_solutions.runs("11_brats_lab").glob("brats_lab_*")
    return folder


@pytest.fixture(scope="module")
def report(lab):
    return json.loads((lab / "report.json").read_text(encoding="utf-8"))


def test_at_least_eight_held_out_subjects(report):
    assert len({row["case"] for row in report["cases"]}) == len(report["cases"]) >= 8


@pytest.mark.parametrize("region", cohort.REGIONS)
def test_mean_dice_on_held_out_subjects(report, region):
    mean = np.mean([row[region] for row in report["cases"]])
    assert mean >= PROMISED_DICE[region]
    assert report["summary"][region]["mean"] == pytest.approx(mean)


def test_saved_prediction_lies_over_its_scan_and_scores_as_reported(report, lab):
    best, _ = evaluation.best_and_worst(report["cases"])
    (path,) = (
        case for case in cohort.find_cases(paths.data_dir() / "synthetic") if case.name == best["case"]
    )
    saved = nibabel.load(lab / f"{best['case']}_prediction.nii.gz")
    scan = nibabel.load(path / f"{path.name}_flair.nii.gz")
    np.testing.assert_array_equal(saved.affine, scan.affine)
    assert saved.get_data_dtype() == np.uint8 and saved.shape == scan.shape
    labels = cohort.load_case(path).labels
    assert evaluation.case_report(path.name, np.asarray(saved.dataobj), labels) == pytest.approx(best)
