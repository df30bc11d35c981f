"""Notebook 03: its widget at every setting, the drawing under it, and what it claims about its trainings."""

from __future__ import annotations

import base64
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from course_utils import paths
from course_utils.figures import sliders
from course_utils.interactive import upsampling as interactive
from course_utils.publishing.run import stream_text
from experiments import record

SOURCE = paths.repository_root() / "notebooks" / "solutions" / "03_upsampling.py"
RESULTS = paths.repository_root() / "experiments" / "results" / "03_upsampling.json"


def overlap(height, width, kernel, stride):
    """The counts of stamps, one by one."""
    counts = np.zeros(((height - 1) * stride + kernel, (width - 1) * stride + kernel))
    for i in range(height):
        for j in range(width):
            counts[i * stride : i * stride + kernel, j * stride : j * stride + kernel] += 1
    return counts


def picture_of(widget: sliders.SliderFigure) -> bytes:
    return base64.b64decode(widget.picture.value.split("base64,")[1].split('"')[0])


# ---- the widget


@pytest.fixture
def overlap_widget():
    return interactive.overlap_map(overlap)


def test_sliders_and_their_ranges(overlap_widget):
    sliders = overlap_widget.sliders.values()
    ranges = [(slider.description, slider.min, slider.max) for slider in sliders]
    assert ranges == [("kernel", 1, 8), ("stride", 1, 4), ("layers", 1, 2)]


def test_every_setting_can_be_drawn_and_told(overlap_widget):
    for kernel in range(1, 9):
        for stride in range(1, 5):
            overlap_widget.sliders["kernel"].value = kernel
            overlap_widget.sliders["stride"].value = stride
            text = overlap_widget.alt
            assert f"Stamps of {kernel} x {kernel} pixels, {stride} apart." in text
            assert ("overlap is even" in text) == (kernel % stride == 0)
            assert ("overlap is uneven" in text) == (kernel % stride != 0)
            line = {len([j for j in range(kernel) if j % stride == phase]) for phase in range(stride)}
            counts = sorted({first * second for first in line for second in line})
            assert f"get{'s' if len(counts) == 1 else ''} {', '.join(map(str, counts))}," in text


def test_kernel_3_stride_2_gives_1_2_4(overlap_widget):
    assert "get 1, 2, 4, in a pattern that repeats every 2 pixels" in overlap_widget.alt


def test_a_second_layer_multiplies_counts_and_periods(overlap_widget):
    overlap_widget.sliders["layers"].value = 2
    assert "get 1, 2, 3, 4, 6, 9, in a pattern that repeats every 4 pixels" in overlap_widget.alt


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (4, 2), (6, 3), (5, 3), (2, 3), (4, 4), (5, 1)])
def test_two_layers_are_even_where_one_is(overlap_widget, kernel, stride):
    overlap_widget.sliders["layers"].value = 2
    overlap_widget.sliders["kernel"].value = kernel
    overlap_widget.sliders["stride"].value = stride
    assert ("overlap is even" in overlap_widget.alt) == (kernel % stride == 0)


def test_second_layer_is_a_transposed_convolution_of_the_first_map():
    counts = torch.from_numpy(overlap(4, 5, 3, 2))
    weights = torch.ones(1, 1, 3, 3, dtype=torch.float64)
    expected = torch.nn.functional.conv_transpose2d(counts[None, None], weights, stride=2)[0, 0]
    np.testing.assert_array_equal(interactive._stamped_again(counts.numpy(), 3, 2), expected.numpy())


def test_moving_a_slider_draws_a_new_picture(overlap_widget):
    before = picture_of(overlap_widget)
    overlap_widget.sliders["kernel"].value = 4
    assert picture_of(overlap_widget) != before


def test_widget_draws_the_function_that_it_is_given():
    asked = []

    def own_map(height, width, kernel, stride):
        asked.append((height, width, kernel, stride))
        return torch.from_numpy(overlap(height, width, kernel, stride)) * 10

    widget = interactive.overlap_map(own_map, inputs=12)
    widget.sliders["stride"].value = 3
    assert asked == [(12, 12, 3, 2), (12, 12, 3, 3)]
    assert "every pixel of the interior gets 10" in widget.alt


def peaks(kernel: int, stride: int, layers: int = 1) -> dict[float, float]:
    """Frequency -> amplitude of the drawn spectrum, where it isn't zero."""
    figure, axes = plt.subplots(1, 2)
    counts = overlap(16, 16, kernel, stride)
    if layers == 2:
        counts = interactive._stamped_again(counts, kernel, stride)
    interactive.show_overlap(axes, counts, kernel, stride, layers)
    (lines,) = axes[1].collections
    plt.close(figure)
    tops = {round(float(path[0, 0]), 6): float(path[1, 1]) for path in lines.get_segments()}
    return {frequency: height for frequency, height in tops.items() if height > 1e-9}


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (4, 2), (2, 3), (5, 3), (6, 4), (4, 4), (8, 1)])
def test_spectrum_has_peaks_only_at_multiples_of_the_sampling_frequency(kernel, stride):
    found = peaks(kernel, stride)
    assert found.pop(0.0) == pytest.approx(1)
    assert all(abs(frequency * stride - round(frequency * stride)) < 1e-4 for frequency in found)
    assert bool(found) == (kernel % stride != 0)


def test_height_of_the_peak():
    assert peaks(3, 2)[0.5] == pytest.approx(1 / 3)  # 1, 2, 1, 2: mean 1.5, deviation 0.5


def test_peaks_of_two_layers_are_those_that_the_solution_tells():
    found = peaks(3, 2, layers=2)
    assert found == pytest.approx({0.0: 1, 0.25: 1 / 9, 0.5: 1 / 3})


@pytest.mark.parametrize("kernel", [4, 5, 7, 8])
def test_peak_of_stride_3_is_one_over_the_kernel(kernel):
    assert peaks(kernel, 3)[round(1 / 3, 6)] == pytest.approx(1 / kernel)


def test_map_without_an_interior_is_refused():
    figure, axes = plt.subplots(1, 2)
    with pytest.raises(ValueError, match="take more inputs"):
        interactive.show_overlap(axes, overlap(2, 2, 8, 2), 8, 2)
    plt.close(figure)


# ---- what the notebook says about the recorded trainings


@pytest.fixture(scope="module")
def recorded():
    return record.read(RESULTS)


@pytest.fixture(scope="module")
def prose():
    """The source's Markdown as one line, so that a quotation may run over the end of a line."""
    lines = [line for line in SOURCE.read_text(encoding="utf-8").split("\n") if line.startswith("# ")]
    return " ".join(" ".join(line[2:] for line in lines).split())


def of(runs, *keys):
    """One number of each run."""
    for key in keys:
        runs = [run[key] for run in runs]
    return runs


def span(values, form):
    return f"{min(values):{form}} to {max(values):{form}}"


class TestRecordedTrainings:
    KERNEL_3, KERNEL_4, RESIZE = KINDS = (
        "transposed, kernel 3",
        "transposed, kernel 4",
        "resize, kernel 3",
    )

    def test_six_seeds_of_each(self, recorded):
        assert recorded["seeds"] == list(range(6))
        for part in ("doubling", "segmenting"):
            assert all(len(runs) == 6 for runs in recorded[part].values())

    def test_fall_of_the_energy(self, recorded, prose):
        runs = [run for kind in (self.KERNEL_3, self.KERNEL_4) for run in recorded["doubling"][kind]]
        falls = [
            before / after for before, after in zip(of(runs, "before", "energy"), of(runs, "after", "energy"))
        ]
        assert "by a factor of more than 2,000" in prose
        assert "twelve trainings" in prose and len(falls) == 12
        assert 2000 < min(falls) < 3000

    def test_errors_are_quoted_as_measured(self, recorded, prose):
        errors = {kind: of(recorded["doubling"][kind], "after", "error") for kind in self.KINDS}
        spans = [span(errors[kind], ".2f") for kind in self.KINDS]
        assert f"were {spans[0]} with kernel 3, {spans[1]} with kernel 4, and {spans[2]} with the" in prose
        assert all(min(values) < 1 < max(values) for values in errors.values())  # none reliably beats 1

    def test_ripples_are_quoted_as_measured(self, recorded, prose):
        ripples = {kind: of(recorded["doubling"][kind], "after", "ripple") for kind in self.KINDS}
        quoted = [
            f"{min(ripples[kind]) * 100:.2f} % to {max(ripples[kind]) * 100:.2f} %"
            for kind in (self.KERNEL_3, self.KERNEL_4)
        ]
        assert f"its ripple was {quoted[0]}, that of kernel 4 {quoted[1]}" in prose
        assert max(ripples[self.RESIZE]) == 0
        assert max(of(recorded["doubling"][self.RESIZE], "before", "ripple")) == 0
        # Neither kernel is flatter: each has a training that is flatter than most of the other's.
        assert min(ripples[self.KERNEL_3]) < np.median(ripples[self.KERNEL_4])
        assert min(ripples[self.KERNEL_4]) < np.median(ripples[self.KERNEL_3])

    def test_errors_in_the_band_are_quoted_as_measured(self, recorded, prose):
        plain, indices, skips = (of(runs, "band") for runs in recorded["segmenting"].values())
        assert all(one > two > three for one, two, three in zip(plain, indices, skips))
        with_skips = [one / three for one, three in zip(plain, skips)]
        with_places = [one / two for one, two in zip(plain, indices)]
        assert f"wrong {span(with_skips, '.1f')} times as often in the band as the one with skip" in prose
        assert f"wrong {span(with_places, '.2f')} times as often as the one with places" in prose

    def test_errors_by_distance(self, recorded):
        plain, indices, skips = (
            np.mean(of(runs, "by_distance"), axis=0) for runs in recorded["segmenting"].values()
        )
        assert (plain[:3] > indices[:3]).all() and (indices > skips).all()
        assert (plain[3:] < indices[3:]).all()  # "from the fourth pixel on places are no help"
        assert plain[3] > skips[3] and (plain[4:] < skips[4:]).all()  # "from the fifth on ..."
        assert max(plain[3:].max(), indices[3:].max()) < 0.04


# ---- what the notebook prints


@pytest.fixture(scope="module")
def printed(executed_solutions):
    return stream_text(executed_solutions["03_upsampling"], "stdout")


def numbers_of(text: str, start: str) -> list[float]:
    """The numbers of the line that starts with ``start`` and a blank, in order, percent signs left out."""
    (line,) = re.findall(rf"^{re.escape(start)} (.*)$", text, re.MULTILINE)
    return [float(number) for number in re.findall(r"\d+\.\d+", line)]


class TestClaims:
    KINDS = ("transposed, kernel 3", "transposed, kernel 4", "resize, kernel 3")
    WAYS_UP = ("plain", "indices", "skips")

    def test_before_training_only_the_transposed_convolutions_show_a_checkerboard(self, printed):
        table = printed.split("five random networks")[1].split("the slices themselves")[0]
        kernel_3, kernel_4, resize = (numbers_of(table, kind) for kind in self.KINDS)
        assert min(map(len, (kernel_3, kernel_4, resize))) == 5
        assert min(np.median(kernel_3), np.median(kernel_4)) > 0.2 and min(kernel_3 + kernel_4) > 0.05
        assert max(resize) < 0.02

    def test_even_overlap_matters_where_weights_are_nearly_equal(self, printed):
        rows = {spread: numbers_of(printed, f"spread {spread:<4}") for spread in (0, 0.1, 0.3, 1)}
        assert rows[0][0] > 40 and rows[0][1] == 0
        assert 8 < rows[0.1][0] / rows[0.1][1] < 14  # "ten times as flat"
        assert rows[1][0] < 2 * rows[1][1]  # "helps little"

    def test_phases_and_spectrum_give_the_same_number(self, printed):
        lines = re.findall(r"phases (\S+)  spectrum (\S+)  difference (\S+)", printed)
        assert len(lines) == 6
        assert all(float(difference) < 1e-10 and phases == spectrum for phases, spectrum, difference in lines)

    def test_its_own_trainings_are_the_first_of_the_recorded(self, printed):
        """The experiment runs the notebook's own code: seed 0 must come out alike."""
        recorded = record.read(RESULTS)
        for kind, runs in recorded["doubling"].items():
            before, after = numbers_of(printed, f"ripple of {kind}")
            assert before == pytest.approx(100 * runs[0]["before"]["ripple"], abs=0.01)
            assert after == pytest.approx(100 * runs[0]["after"]["ripple"], rel=0.3, abs=0.01)
        table = printed.split("Dice of each held-out subject")[1]
        for way_up, runs in recorded["segmenting"].items():
            assert numbers_of(table, way_up)[0] == pytest.approx(100 * runs[0]["band"], rel=0.1)

    def test_training_removes_nearly_all_of_it(self, printed):
        table = printed.split("error (bilinear = 1)")[1].split("the slices themselves")[0]
        for kind in self.KINDS:
            before, after, error = numbers_of(table, kind)
            assert after < 0.001
            assert error < 2
            if kind != "resize, kernel 3":
                assert before > 500 * after

    def test_flat_field_is_flat_for_nearest_fill_only(self, printed):
        for kind in self.KINDS:
            before, after = numbers_of(printed, f"ripple of {kind}")
            if kind == "resize, kernel 3":
                assert before == after == 0
            else:
                assert before > 5 and 0.02 < after < 5
        assert numbers_of(printed, "ripple of transposed, kernel 4")[1] > 0.1  # a grid that can be seen

    def test_published_numbers(self, printed):
        for number in ("14,714,688", "134,346,581", "134,357,354", "134,362,751", "10,773", "5,397"):
            assert number in printed
        assert "rule and counts agree in 16 of 16" in printed

    def test_same_number_of_weights(self, printed):
        weights = re.findall(r"^(?:plain|indices|skips) +([\d,]+) weights$", printed, re.MULTILINE)
        assert len(weights) == 3 and len(set(weights)) == 1

    def test_skip_connections_help_at_the_boundary(self, printed):
        table = printed.split("Dice of each held-out subject")[1]
        rows = {way_up: numbers_of(table, way_up) for way_up in self.WAYS_UP}
        for band, far, _, *each in rows.values():
            assert far < 0.5 and band > 30 * far
            assert len(each) >= 5 and min(each) > 0.3  # every tumour is found
        assert 1.4 < rows["plain"][0] / rows["skips"][0] < 2
        assert max(rows[way_up][1] for way_up in ("plain", "skips")) < 0.25  # per cent
        assert rows["indices"][0] > rows["skips"][0]
        assert rows["plain"][2] < rows["skips"][2]
