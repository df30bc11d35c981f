"""Notebook 00 says only what holds: its claims, read from the executed solution."""

from __future__ import annotations

import re

import numpy as np
import pytest

from course_utils import cohort
from course_utils.interactive import start_here as interactive
from course_utils.publishing.run import stream_text


@pytest.fixture(scope="module")
def printed(executed_solutions) -> str:
    return stream_text(executed_solutions["00_start_here"], "stdout")


def test_six_thresholds_do_something_and_two_fail(printed):
    found = re.findall(r"(\w+): best threshold.*Dice (\d\.\d+)", printed)
    dice = {name: float(value) for name, value in found}
    assert len(dice) == 8
    outside = {name for name, value in dice.items() if not 0.4 <= value <= 0.75}
    assert outside == {"SynthBraTS_003", "SynthBraTS_005"}


def test_more_than_ten_healthy_voxels_for_each_of_the_tumour(printed):
    words = r"([\d,]+) voxels of tumour, ([\d,]+) voxels of healthy brain"
    tumour, healthy = (int(text.replace(",", "")) for text in re.search(words, printed).groups())
    assert 10 < healthy / tumour < 13


def test_fine_and_thick_scan_differ_in_voxels_and_agree_in_millilitres(printed):
    (fine, fine_ml), (thick, thick_ml) = re.findall(r"(?:fine |thick) +(\d+) voxels +([\d.]+) ml", printed)
    assert int(fine) / int(thick) == pytest.approx(3, rel=0.05)
    assert float(fine_ml) == pytest.approx(float(thick_ml), rel=0.05)


def test_the_careless_augmentation_mirrors_the_image_and_forgets_the_mask():
    image, mask = np.arange(6).reshape(2, 3), np.eye(2, 3, dtype=bool)
    changed, kept = interactive.augmented_carelessly(image, mask)
    assert (changed == image[::-1]).all() and kept is mask


def test_the_real_scan_is_as_the_text_says(printed):
    assert "4,137 voxels, in 7 slices" in printed and "('L', 'P', 'S')" in printed
    edges, volume = re.search(r"RealScan_1 +([\d. ×]+) mm, tumour +([\d.]+) ml", printed).groups()
    assert edges == "0.78 × 0.78 × 6.50" and float(volume) == 16.4
    assert "SynthBraTS_006  2.00 × 2.00 × 2.00 mm" in printed


def test_the_brain_mask_would_call_the_head_brain():
    scan = cohort.real_scans()[0]
    litres = np.count_nonzero(cohort.brain_mask(scan.image)) * np.prod(scan.spacing) / 1e6
    assert litres > 2  # a brain has less than 1.8
