"""Notebook 03: its widget at every setting, the drawing under it, what it claims about its trainings."""

from __future__ import annotations

import base64
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from course_utils.checking.outcome import PASS
from course_utils.checks import upsampling
from course_utils.figures import sliders
from course_utils.interactive import upsampling as interactive
from course_utils.publishing.run import stream_text

CHECK = upsampling.check


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
    assert ranges == [("kernel", 1, 8), ("stride", 1, 4)]


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


def peaks(kernel: int, stride: int) -> dict[float, float]:
    """Frequency -> amplitude of the drawn spectrum, where it isn't zero."""
    figure, axes = plt.subplots(1, 2)
    interactive.show_overlap(axes, overlap(16, 16, kernel, stride), kernel, stride)
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


@pytest.mark.parametrize("kernel", [4, 5, 7, 8])
def test_peak_of_stride_3_is_one_over_the_kernel(kernel):
    assert peaks(kernel, 3)[round(1 / 3, 6)] == pytest.approx(1 / kernel)


def test_map_without_an_interior_is_refused():
    figure, axes = plt.subplots(1, 2)
    with pytest.raises(ValueError, match="take more inputs"):
        interactive.show_overlap(axes, overlap(2, 2, 8, 2), 8, 2)
    plt.close(figure)


# ---- right answers in another style than the solution's


def nearest_by_indexing(x, factor):
    rows = torch.arange(x.shape[0] * factor) // factor
    return x[rows][:, torch.arange(x.shape[1] * factor) // factor]


def nearest_not_contiguous(x, factor):
    return torch.kron(x.T.contiguous(), torch.ones(factor, factor, dtype=x.dtype)).T


def nails_by_kron(x, factor):
    block = torch.zeros(factor, factor, dtype=x.dtype)
    block[0, 0] = 1
    return torch.kron(x, block)


def pool_by_unfold(x, size):
    windows = x.unfold(0, size, size).unfold(1, size, size).flatten(2)
    values, inside = windows.max(dim=2)
    rows = torch.arange(windows.shape[0])[:, None] * size + inside // size
    columns = torch.arange(windows.shape[1])[None, :] * size + inside % size
    return [values, (rows * x.shape[1] + columns).to(torch.int32)]


def unpool_by_loop(values, indices, height, width):
    plane = torch.zeros(height, width, dtype=values.dtype)
    for value, index in zip(values.flatten().tolist(), indices.flatten().tolist()):
        plane[index // width][index % width] = value
    return plane


def bilinear_by_loop(factor):
    size = 2 * factor - factor % 2
    centre = factor - 1 if size % 2 else factor - 0.5
    kernel = torch.zeros(size, size, dtype=torch.float64)
    for i in range(size):
        for j in range(size):
            kernel[i, j] = (1 - abs(i - centre) / factor) * (1 - abs(j - centre) / factor)
    return kernel


def zero_fill_by_stamps(x, kernel, stride=1, padding=0, output_padding=0):
    (height, width), (k1, k2) = x.shape, kernel.shape
    rows, columns = (height - 1) * stride + k1, (width - 1) * stride + k2
    full = x.new_zeros(rows + output_padding, columns + output_padding)
    for i in range(height):
        for j in range(width):
            full[i * stride : i * stride + k1, j * stride : j * stride + k2] += x[i, j] * kernel
    return full[padding : rows - padding + output_padding, padding : columns - padding + output_padding]


def overlap_by_outer_product(height, width, kernel, stride):
    def line(n):
        counts = torch.zeros((n - 1) * stride + kernel, dtype=torch.float64)
        for i in range(n):
            counts[i * stride : i * stride + kernel] += 1
        return counts

    return torch.outer(line(height), line(width))


def overlap_as_tensor(height, width, kernel, stride):
    return torch.from_numpy(overlap(height, width, kernel, stride))


def energy_by_phases(image, stride):
    means = torch.stack([image[r::stride, c::stride].mean() for r in range(stride) for c in range(stride)])
    return ((means - image.mean()) ** 2).mean() / ((image - image.mean()) ** 2).mean()


def band_by_brute_force(mask, width):
    places = torch.nonzero(torch.ones_like(mask)).double()
    near = torch.cdist(places, places) <= width
    flat = mask.flatten()
    return ((near & (flat[:, None] != flat[None, :])).any(dim=1)).reshape(mask.shape)


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        ("nearest_neighbour", nearest_by_indexing),
        ("nearest_neighbour", nearest_not_contiguous),
        ("bed_of_nails", nails_by_kron),
        ("max_pool_with_indices", pool_by_unfold),
        ("max_unpool", unpool_by_loop),
        ("bilinear_kernel", bilinear_by_loop),
        ("zero_fill_convolution", zero_fill_by_stamps),
        ("overlap_map", overlap_by_outer_product),
        ("overlap_map", overlap_as_tensor),
        ("is_clean", lambda kernel, stride: not kernel % stride),
        ("is_clean", lambda kernel, stride: np.bool_(kernel / stride == kernel // stride)),
        ("checkerboard_energy", energy_by_phases),
        ("boundary_band", band_by_brute_force),
        ("index_saving", 64.0),
        ("fcn_heads", 16_170.0),
        ("resize_cost", 8.0),
        ("boundary_picture", " a "),
    ],
)
def test_right_answer_in_another_style_passes(exercise, answer):
    outcome = CHECK.examine(exercise, answer)
    assert outcome.status == PASS, str(outcome)


# ---- what the notebook says about its trainings


@pytest.fixture(scope="module")
def printed(executed_solutions):
    return stream_text(executed_solutions["03_upsampling"], "stdout")


def numbers_of(text: str, start: str) -> list[float]:
    """The numbers of the line that starts with ``start`` and a blank, in order, percent signs left out."""
    (line,) = re.findall(rf"^{re.escape(start)} (.*)$", text, re.MULTILINE)
    return [float(number) for number in re.findall(r"\d+\.\d+", line)]


@pytest.mark.xdist_group("notebooks")
class TestClaims:
    KINDS = ("transposed, kernel 3", "transposed, kernel 4", "resize, kernel 3")
    WAYS_UP = ("plain", "indices", "skips")

    def test_before_training_only_the_transposed_convolutions_show_a_checkerboard(self, printed):
        table = printed.split("five random networks")[1].split("the slices themselves")[0]
        kernel_3, kernel_4, resize = (numbers_of(table, kind) for kind in self.KINDS)
        assert min(map(len, (kernel_3, kernel_4, resize))) == 5
        assert min(np.median(kernel_3), np.median(kernel_4)) > 0.2 and min(kernel_3 + kernel_4) > 0.05
        assert max(resize) < 0.02

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
        for band, far, dice, *each in rows.values():
            assert far < 0.5 and band > 30 * far
            assert len(each) >= 5 and min(each) > 0.3  # every tumour is found
        assert 1.4 < rows["plain"][0] / rows["skips"][0] < 2
        assert max(rows[way_up][1] for way_up in ("plain", "skips")) < 0.25  # per cent
        assert rows["indices"][0] > rows["skips"][0]
        assert rows["plain"][2] < rows["skips"][2]
