"""Predicting cases and reporting on them."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import torch
from torch import nn

from course_utils import cohort, evaluation
from course_utils.networks.unet import UNet
from course_utils.prediction import predict_case, without_specks


class ThresholdNetwork(nn.Module):
    """Class 3 where the first modality is above its mean, 1 where the second is, too: no training needed."""

    def __init__(self, dims: int = 2):
        super().__init__()
        self.dims, self.sizes = dims, []
        self.dropout = nn.Dropout(0.9)  # in training mode, everything would be random
        self.one = nn.Parameter(torch.ones(()))

    def forward(self, image):
        assert not torch.is_grad_enabled()
        self.sizes.append(tuple(image.shape))
        bright, also = image[:, 0] > 1e-6, image[:, 1] > 1e-6
        indices = torch.where(bright & also, 1, torch.where(bright, 3, 0))
        return self.dropout(self.one * nn.functional.one_hot(indices, 4).movedim(-1, 1).float())


def head(name: str = "head") -> cohort.Case:
    """A brain of 19 x 13 x 6 voxels off the centre of 40 x 32 x 11; labels follow from the intensities."""
    random = np.random.default_rng(len(name))
    image = np.zeros((4, 40, 32, 11), np.float32)
    labels = np.zeros((40, 32, 11), np.uint8)
    brain = (slice(3, 22), slice(17, 30), slice(4, 10))
    bright, also = (random.random((19, 13, 6)) < 0.3 for _ in range(2))
    image[(slice(None), *brain)] = 100
    image[0][brain] += 50 * bright
    image[1][brain] += 50 * also
    labels[brain] = np.where(bright & also, 1, np.where(bright, 4, 0))
    return cohort.Case(name, image, labels, np.diag([2.0, 2.0, 2.0, 1.0]))


# ---- predicting


@pytest.mark.parametrize("dims", [2, 3])
def test_a_prediction_lies_on_the_grid_of_its_case_in_brats_labels(dims):
    case, network = head(), ThresholdNetwork(dims).train()
    prediction = predict_case(network, case)
    assert prediction.dtype == np.uint8
    np.testing.assert_array_equal(prediction, case.labels)
    assert network.training
    expected = [(6, 4, 24, 16)] if dims == 2 else [(1, 4, 24, 16, 8)]
    assert network.sizes == expected


def test_slices_go_through_in_batches():
    case, network = head(), ThresholdNetwork().eval()
    prediction = predict_case(network, case, batch_size=4)
    np.testing.assert_array_equal(prediction, case.labels)
    assert [size[0] for size in network.sizes] == [4, 2]
    assert not network.training


def test_a_u_net_predicts_a_whole_case_without_its_labels():
    torch.manual_seed(0)
    case = head()
    network = UNet(4, 4, dims=3, base_channels=2, depth=2, padding="same", normalisation="instance")
    prediction = predict_case(network, cohort.Case(case.name, case.image, None, case.affine))
    assert prediction.shape == case.labels.shape
    assert set(np.unique(prediction)) <= {0, 1, 2, 4}


def test_a_network_with_valid_padding_is_refused():
    with pytest.raises(ValueError, match='into .* use padding="same"'):
        predict_case(UNet(4, 4, base_channels=2, depth=1), head())


# ---- scoring


@pytest.mark.parametrize(("smallest", "kept"), [(0.0, True), (0.039, True), (0.041, False)])
def test_enhancing_specks_become_core_below_the_volume_only(smallest, kept):
    labels = np.zeros((6, 5, 4), np.uint8)
    labels[:2, 0, 0], labels[4, 1:4, 2], labels[0, 4, 3] = 1, 4, 2
    labels[5, 0, 0] = labels[5, 4, 0] = 4  # five enhancing voxels of 8 mm^3: 0.04 ml
    result = without_specks(labels, (2.0, 2.0, 2.0), smallest)
    expected = labels if kept else np.where(labels == 4, 1, labels)
    np.testing.assert_array_equal(result, expected)
    assert result.dtype == np.uint8 and np.count_nonzero(labels == 4) == 5


def test_evaluate_applies_the_rule_for_specks():
    case = head()
    without = evaluation.evaluate(ThresholdNetwork(), [case], progress=False)
    everything_is_a_speck = evaluation.evaluate(
        ThresholdNetwork(), [case], smallest_enhancing=1e6, progress=False
    )
    assert without[0]["ET"] == 1.0 and everything_is_a_speck[0]["ET"] == 0.0
    assert everything_is_a_speck[0]["TC"] == 1.0


def test_a_case_report_scores_the_nested_regions():
    reference = np.array([[[0, 1, 2, 4]]], np.uint8)
    prediction = np.array([[[4, 1, 2, 2]]], np.uint8)
    # whole: 4 against 3, 3 in common; core: {0, 1} against {1, 3}; enhancing: {0} against {3}
    assert evaluation.case_report("a", prediction, reference) == {
        "case": "a",
        "WT": 6 / 7,
        "TC": 0.5,
        "ET": 0.0,
    }
    healthy = np.zeros((1, 2, 3), np.uint8)
    assert evaluation.case_report("b", healthy, healthy) == {"case": "b", "WT": 1.0, "TC": 1.0, "ET": 1.0}


def test_evaluate_gives_one_row_a_case_in_order():
    wrong = head("b")
    wrong.labels[wrong.labels == 4] = 2
    rows = evaluation.evaluate(ThresholdNetwork(), [head("aa"), wrong], progress=False)
    assert [row["case"] for row in rows] == ["aa", "b"]
    assert [rows[0][region] for region in cohort.REGIONS] == [1.0, 1.0, 1.0]
    assert rows[1]["WT"] == 1.0
    assert rows[1]["ET"] == 0.0
    assert evaluation.mean_dice(ThresholdNetwork(), [head("aa"), wrong])["ET"] == 0.5


def test_evaluate_needs_a_reference():
    case = head()
    with pytest.raises(cohort.CohortError, match="head: no segmentation"):
        evaluation.evaluate(
            ThresholdNetwork(), [cohort.Case("head", case.image, None, case.affine)], progress=False
        )


# ---- reporting

ROWS = [
    {"case": "first", "WT": 0.9, "TC": 0.8, "ET": 0.7},
    {"case": "second", "WT": 0.5, "TC": 0.0, "ET": 1.0},
    {"case": "third", "WT": 1.0, "TC": 0.4, "ET": 0.4},
]


def test_the_summary_is_the_distribution():
    summary = evaluation.summary(ROWS)
    assert list(summary) == ["WT", "TC", "ET"]
    expected = {"mean": 0.8, "min": 0.5, "25 %": 0.7, "median": 0.9, "75 %": 0.95, "max": 1.0}
    assert summary["WT"] == pytest.approx(expected)
    assert summary["TC"]["median"] == pytest.approx(0.4)


def test_best_and_worst_by_the_mean_over_regions():
    best, worst = evaluation.best_and_worst(ROWS)
    assert (best["case"], worst["case"]) == ("first", "second")


def test_the_table_shows_every_case_and_the_distribution():
    lines = evaluation.table(ROWS).splitlines()
    assert lines[0].split() == ["Dice", "WT", "TC", "ET"]
    assert lines[2].split() == ["second", "0.500", "0.000", "1.000"]
    assert next(line for line in lines if line.startswith("mean")).split() == [
        "mean",
        "0.800",
        "0.400",
        "0.700",
    ]
    assert len({len(line) for line in lines}) == 1


def test_no_cases_no_report():
    for function in (evaluation.summary, evaluation.best_and_worst, evaluation.table):
        with pytest.raises(ValueError, match="no cases"):
            function([])


def test_reports_are_files_that_others_can_read(tmp_path):
    with open(evaluation.write_report(ROWS, tmp_path / "new" / "dice.csv"), newline="") as file:
        read = list(csv.DictReader(file))
    assert [
        {key: value if key == "case" else float(value) for key, value in row.items()} for row in read
    ] == ROWS
    report = json.loads(evaluation.write_report(ROWS, tmp_path / "new" / "dice.json").read_text())
    assert report == {"cases": ROWS, "summary": evaluation.summary(ROWS)}
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["dice.csv", "dice.json"]


def test_a_report_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match="dice.xlsx: a report ends in"):
        evaluation.write_report(ROWS, tmp_path / "dice.xlsx")


def test_a_report_that_fails_keeps_the_old_one(tmp_path, monkeypatch):
    path = evaluation.write_report(ROWS, tmp_path / "dice.csv")
    before = path.read_bytes()

    def full_disk(*names):
        raise OSError("No space left on device")

    monkeypatch.setattr("os.replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        evaluation.write_report(ROWS[:1], path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
