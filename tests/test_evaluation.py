"""Reporting on cases: scores of each, in a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from course_utils import cohort, evaluation
from tests.heads import ThresholdNetwork, head


def test_evaluate_applies_the_rule_for_specks():
    case = head()
    without = evaluation.evaluate(ThresholdNetwork(), [case], progress=False)
    everything_is_a_speck = evaluation.evaluate(
        ThresholdNetwork(), [case], smallest_enhancing=1e6, progress=False
    )
    assert without.loc["head", "ET"] == 1.0 and everything_is_a_speck.loc["head", "ET"] == 0.0
    assert everything_is_a_speck.loc["head", "TC"] == 1.0


def test_a_case_report_scores_the_nested_regions():
    reference = np.array([[[0, 1, 2, 4]]], np.uint8)
    prediction = np.array([[[4, 1, 2, 2]]], np.uint8)
    # whole: 4 against 3, 3 in common; core: {0, 1} against {1, 3}; enhancing: {0} against {3}
    assert evaluation.case_report(prediction, reference) == {"WT": 6 / 7, "TC": 0.5, "ET": 0.0}
    healthy = np.zeros((1, 2, 3), np.uint8)
    assert evaluation.case_report(healthy, healthy) == {"WT": 1.0, "TC": 1.0, "ET": 1.0}


def test_evaluate_gives_one_row_a_case_in_order():
    wrong = head("b")
    wrong.labels[wrong.labels == 4] = 2
    report = evaluation.evaluate(ThresholdNetwork(), [head("aa"), wrong], progress=False)
    assert list(report.index) == ["aa", "b"] and report.index.name == "case"
    assert list(report.columns) == list(cohort.REGIONS)
    assert list(report.loc["aa"]) == [1.0, 1.0, 1.0]
    assert report.loc["b", "WT"] == 1.0
    assert report.loc["b", "ET"] == 0.0
    assert evaluation.mean_dice(ThresholdNetwork(), [head("aa"), wrong])["ET"] == 0.5


def test_cases_of_one_name_keep_a_row_each():
    wrong = head("a")
    wrong.labels[wrong.labels == 4] = 2
    report = evaluation.evaluate(ThresholdNetwork(), [head("a"), wrong], progress=False)
    assert list(report.index) == ["a", "a"] and list(report["ET"]) == [1.0, 0.0]


def test_evaluate_needs_a_reference():
    case = head()
    with pytest.raises(cohort.CohortError, match="head: no segmentation"):
        evaluation.evaluate(
            ThresholdNetwork(), [cohort.Case("head", case.image, None, case.affine)], progress=False
        )


def test_a_report_is_a_file_that_others_can_read(tmp_path):
    report = evaluation.evaluate(ThresholdNetwork(), [head("aa"), head("b")], progress=False)
    report.to_csv(tmp_path / "report.csv")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "report.csv", index_col="case"), report)


def test_no_cases_no_report():
    with pytest.raises(ValueError, match="no cases"):
        evaluation.evaluate(ThresholdNetwork(), [], progress=False)
