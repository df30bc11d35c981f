"""Notebook 01 says only what holds: its claims, read from the executed solution; its pictures and widget."""

from __future__ import annotations

import base64
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from matplotlib.colors import to_rgba

from course_utils import figures
from course_utils.checks.pixels_to_classes import check
from course_utils.interactive import pixels_to_classes as interactive
from course_utils.publishing.run import stream_text

STEM = "01_pixels_to_classes"
NUMBER = r"(-?[\d,]+(?:\.\d+)?(?:e[+-]\d+)?)"


@pytest.fixture(scope="module")
def printed(executed_solutions):
    return stream_text(executed_solutions[STEM], "stdout")


def numbers(printed: str, pattern: str) -> list[float]:
    """The numbers in the only line of the output that matches; each ``#`` of the pattern stands for one."""
    (found,) = re.finditer(pattern.replace("#", NUMBER), printed)
    return [float(text.replace(",", "")) for text in found.groups()]


# ---- the claims of the notebook


def test_tumour_fills_the_box_only_in_part(printed):
    _, share = numbers(printed, "the box holds # pixels, the tumour fills #%")
    assert 20 < share < 90


def test_renaming_changes_nothing_for_k_means_and_everything_for_semantics(printed):
    least, most = numbers(printed, "sum of squares: # to #")
    assert most - least <= 1e-6 * most
    worst, best = numbers(printed, "accuracy: +# to #")
    assert worst < 0.2 and 0.4 < best < 0.8


def test_reference_is_a_bad_clustering(printed):
    k_means, reference = numbers(printed, "sum of squares: k-means #, reference #")
    assert reference > 1.5 * k_means


def test_classifier_beats_the_clusters_chosen_with_the_reference(printed):
    dice, clusters = numbers(
        printed, "Dice #; +best choice of k-means clusters, with the reference in hand: #"
    )
    assert dice > clusters + 0.2
    assert clusters < 0.5


@pytest.mark.parametrize("of", ["one patch", "the slice"])
def test_formula_and_counter_agree(printed, of):
    (formula,) = numbers(printed, f"{of}, formula +#")
    (counter,) = numbers(printed, f"{of}, counter +#")
    assert formula == counter


def test_context_helps_beyond_chance_and_less_and_less(printed):
    means, spreads = {}, {}
    for size in (1, 3, 9, 17):
        mean, first, second = numbers(printed, f"sees +{size} x +{size}: mean Dice # +\\(seeds: # +#\\)")
        means[size], spreads[size] = mean, abs(first - second)
    assert means[3] > means[1] + 0.05 and means[9] > means[3] + 0.05
    assert means[9] - means[1] > 2 * max(spreads.values())
    least, _ = numbers(printed, "gain of a subject from 1 x 1 to 9 x 9: # to #")
    assert least > 0.02
    assert means[17] - means[9] < (means[9] - means[3]) / 2  # and 17 sees 3.6 times as many pixels as 9


def test_the_lowest_curve_belongs_to_the_smallest_tumour(printed):
    pattern = "tumour pixels judged: # to # in a subject; # in the subject with the lowest Dice"
    smallest, largest, of_the_lowest = numbers(printed, pattern)
    assert of_the_lowest == smallest < largest
    pattern = "lowest Dice: # of # tumour pixels found, # false alarms in # pixels"
    hits, tumour, false_alarms, pixels = numbers(printed, pattern)
    assert tumour == smallest and false_alarms > hits and false_alarms < pixels / 10


@pytest.mark.parametrize(
    "pair",
    [
        "linear and convolution, on feature maps",
        "whole image, and every second patch",
        "shift and stitch, and sliding window",
        "fully convolutional, and sliding window",
        "padded once, and sliding window",
    ],
)
def test_same_answers_to_1e_10_in_float64(printed, pair):
    (difference,) = numbers(printed, f"{pair} .*max diff #")
    assert difference < 1e-10


def test_fully_convolutional_network_is_faster(printed):
    measured, on_this_slice, large = numbers(
        printed, "speed-up: measured #; by MACs # on this slice, # for 240 x 240"
    )
    assert measured > 2
    assert on_this_slice == pytest.approx(large, rel=0.1) and large == pytest.approx(12.5, abs=0.05)


def test_savings_of_the_convolutions(printed):
    assert numbers(printed, "first layer: saved # times") == [200.9]
    assert numbers(printed, "second layer: saved # times") == [23.4]


def test_shift_and_stitch_runs_the_network_once_for_each_shift(printed):
    (macs,) = numbers(printed, r"shift and stitch +[\d.]+ ms +# million MACs")
    assert macs < 60


def test_border_differs_in_a_band_of_seven_pixels(printed):
    (line,) = re.findall("largest difference at the distances 0 to 11: (.*)", printed)
    largest = [float(value) for value in line.split()]
    assert min(largest[:7]) > 1e-6 and max(largest[7:]) < 1e-10


def test_costs_of_full_resolution_and_pyramid(printed):
    dense_macs, dense_memory = numbers(printed, "full resolution +31 layers: +# GMACs, outputs +# MB")
    macs, memory = numbers(printed, "pyramid +5 layers: +# GMACs, outputs +# MB")
    assert dense_macs / macs == pytest.approx(31 / 5, rel=0.01)  # "about a sixth"
    assert dense_memory / memory == pytest.approx(16, rel=0.01)
    assert numbers(printed, "3D: full resolution, 31 layers # GB; pyramid, 5 layers # GB") == [70.9, 3.0]


# ---- facts that the checks rest on


def test_slice_for_which_the_speed_up_is_recognised(printed):
    assert numbers(printed, r"our slice: \(4, #, #\)") == [72, 88]
    (on_this_slice,) = numbers(printed, "by MACs # on this slice")
    (message,) = (
        text
        for wrong, text in check.exercises["speed_up"].why.items()
        if wrong == pytest.approx(on_this_slice, abs=0.05) and not isinstance(wrong, int)
    )
    assert "our own small slice" in message


def test_vgg16_convolutions_of_the_notebook(printed):
    assert numbers(printed, "weights of the 13 convolutions, with biases: #") == [14_714_688]


@pytest.mark.parametrize(
    ("network", "weights"), [("FCN-32s", 134_346_581), ("FCN-16s", 134_357_354), ("FCN-8s", 134_362_751)]
)
def test_published_counts_of_the_fully_convolutional_networks(printed, network, weights):
    assert numbers(printed, f"{network} +# weights") == [weights]


def test_answers_by_other_ways():
    exercises = check.exercises
    rng = np.random.default_rng(0)
    points, clusters = rng.normal(size=(40, 3)), rng.integers(0, 3, 40)
    by_means = sum(
        ((points[clusters == c] - points[clusters == c].mean(axis=0)) ** 2).sum() for c in range(3)
    )
    assert exercises["sum_of_squares"].oracle(points, clusters) == pytest.approx(by_means, rel=1e-12)
    reads = exercises["reads_per_pixel"].oracle(20, 18, 17)
    assert reads.sum() == sum(
        (min(x + 8, 19) - max(x - 8, 0) + 1) * (min(y + 8, 17) - max(y - 8, 0) + 1)
        for x in range(20)
        for y in range(18)
    )


def test_stitching_oracle_takes_any_strided_network():
    """Where an exercise is skipped, the notebook hands the oracle a whole network."""
    network = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(3, 2), torch.nn.Conv2d(3, 2, 2)
    ).double()
    padded = torch.randn(1, 2, 15, 18, dtype=torch.float64)
    with torch.no_grad():
        stitched = check.exercises["shift_and_stitch"].oracle(network, padded, 7, 2)
        windows = padded.unfold(2, 7, 1).unfold(3, 7, 1)  # (1, 2, 9, 12, 7, 7)
        by_window = network(windows[0].permute(1, 2, 0, 3, 4).reshape(-1, 2, 7, 7))
    torch.testing.assert_close(stitched[0], by_window[:, :, 0, 0].T.reshape(2, 9, 12))


# ---- the pictures and the widget


def test_windows_are_framed_where_their_patches_come_from():
    image = np.arange(20 * 15, dtype=float).reshape(20, 15)
    centres = [(5, 4), (19, 0)]
    figure = interactive.show_windows(
        image, centres, [np.zeros((5, 5))] * 2, titles=("inside", "corner"), window=(0, 300)
    )
    whole, *others = figure.axes
    assert [(frame.get_x(), frame.get_y(), frame.get_width()) for frame in whole.patches] == [
        (2.5, 1.5, 5),
        (16.5, -2.5, 5),
    ]
    assert [ax.get_title() for ax in others] == ["inside", "corner"]
    assert whole.get_xlim()[1] >= 21.5 and whole.get_ylim()[1] <= -2.5  # windows beyond the border are seen
    plt.close(figure)


def test_four_shifts_fill_the_grid_once():
    figure = interactive.show_shifts()
    *shifts, stitched = figure.axes
    cells = [(cell.get_x(), cell.get_y()) for ax in shifts for cell in ax.patches]
    together = [(cell.get_x(), cell.get_y()) for cell in stitched.patches]
    assert sorted(cells) == sorted(together)
    assert len(set(together)) == len(together) == 36
    plt.close(figure)


def test_both_diagrams_of_pooling_use_the_same_places():
    figure = interactive.show_dilation()
    orange = to_rgba(figures.COLOURS["orange"])
    used = []
    for ax in figure.axes:
        dots = [(dot.get_offsets()[0].tolist(), dot.get_facecolors()[0]) for dot in ax.collections[1:]]
        used.append(sorted(place for place, colour in dots if tuple(colour) == orange))
    assert used[0] == used[1] == [[2, 0], [4, -1], [4, 0], [6, 0]]
    plt.close(figure)


@pytest.fixture
def patch_widget():
    image = torch.randn(2, 9, 7, generator=torch.Generator().manual_seed(0))

    def patches_around(image, size):
        columns = F.unfold(image[None], size, padding=size // 2)[0]
        return columns.T.reshape(-1, image.shape[0], size, size)

    seen = []

    def probability(patches):
        seen.append(patches)
        return torch.sigmoid(patches[:, -1, 1, 1])

    widget = interactive.sliding_patch(patches_around, probability, image, 3)
    return widget, image, seen


def test_widget_asks_about_the_patch_under_its_frame(patch_widget):
    widget, image, seen = patch_widget
    widget.sliders["x"].value = 5
    widget.sliders["y"].value = 2
    assert torch.equal(seen[-1][0], image[:, 4:7, 1:4])
    assert f"{float(torch.sigmoid(image[-1, 5, 2])):.0%}" in widget.alt and "(5, 2)" in widget.alt


def test_widget_reaches_every_corner_and_redraws(patch_widget):
    widget, _, _ = patch_widget
    before = widget.picture.value
    for x, y in ((0, 0), (8, 0), (0, 6), (8, 6)):
        widget.sliders["x"].value, widget.sliders["y"].value = x, y
        assert f"({x}, {y})" in widget.alt
    assert (widget.sliders["x"].max, widget.sliders["y"].max) == (8, 6)
    assert widget.picture.value != before
    assert base64.b64decode(widget.picture.value.split("base64,")[1].split('"')[0]).startswith(b"\x89PNG")
