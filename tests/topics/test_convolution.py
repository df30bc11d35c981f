"""Notebook 02: its slider and its drawings, without a browser; what it claims, by letters and by numbers."""

from __future__ import annotations

import ast
import base64

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from matplotlib.colors import to_hex

from course_utils import figures, paths
from course_utils.checks.convolution import check
from course_utils.figures import sliders
from course_utils.interactive import convolution as interactive

KERNEL, SIGNAL = torch.tensor([2.0, 3.0, 5.0]), torch.tensor([7.0, 11.0, 13.0, 17.0, 19.0, 23.0])
PNG = b"\x89PNG"


def convolution_matrix(kernel, n, stride=1, padding=0):
    return check.exercises["convolution_matrix"].oracle(kernel, n, stride, padding)


@pytest.fixture
def rows():
    return interactive.convolution_rows(convolution_matrix, KERNEL, SIGNAL)


def line_figure(height, title="a line"):
    figure, ax = plt.subplots(figsize=(2, 2))
    ax.plot([0, height])
    ax.set(ylim=(0, 10))
    return figure, f'{title}: it rises to {height} & "ends"'


def picture_of(widget: sliders.SliderFigure) -> bytes:
    source = widget.picture.value.split("base64,")[1].split('"')[0]
    return base64.b64decode(source)


# ---- SliderFigure


def test_moving_a_slider_draws_a_new_picture_and_its_text():
    widget = sliders.SliderFigure(line_figure, {"height": ipywidgets.IntSlider(1, 0, 9)})
    before, text = picture_of(widget), widget.alt
    widget.sliders["height"].value = 7
    assert picture_of(widget) != before
    assert "rises to 1" in text and "rises to 7" in widget.alt
    assert before.startswith(PNG) and picture_of(widget).startswith(PNG)


def test_every_slider_reaches_the_drawing_function():
    titles = ipywidgets.Dropdown(options=["a line", "an edge"])
    widget = sliders.SliderFigure(line_figure, {"height": ipywidgets.IntSlider(1, 0, 9), "title": titles})
    widget.sliders["title"].value = "an edge"
    assert widget.alt.startswith("an edge: it rises to 1")


def test_text_alternative_is_escaped_in_the_html():
    widget = sliders.SliderFigure(line_figure, {"height": ipywidgets.IntSlider(1, 0, 9)})
    assert 'alt="a line: it rises to 1 &amp; &quot;ends&quot;"' in widget.picture.value


def test_no_figure_stays_open():
    open_before = plt.get_fignums()
    widget = sliders.SliderFigure(line_figure, {"height": ipywidgets.IntSlider(1, 0, 9)})
    widget.sliders["height"].value = 3
    assert plt.get_fignums() == open_before


def test_output_holds_the_picture_for_readers_without_widgets(rows):
    bundle, metadata = rows._repr_mimebundle_()
    assert base64.b64decode(bundle["image/png"]) == picture_of(rows)
    assert bundle["text/plain"] == metadata["image/png"]["alt"] == rows.alt
    assert "application/vnd.jupyter.widget-view+json" in bundle


# ---- the kernel and its row


def test_sliders_say_what_they_move(rows):
    descriptions = [slider.description for slider in rows.sliders.values()]
    assert descriptions == ["row of the output", "stride", "padding"]


def test_moving_the_kernel_lights_another_row(rows):
    assert "Row 0" in rows.alt and "columns 0, 1." in rows.alt
    before = picture_of(rows)
    rows.sliders["row"].value = 3
    assert "Row 3" in rows.alt and "columns 2, 3, 4." in rows.alt
    assert picture_of(rows) != before


def test_stride_and_padding_reshape_the_matrix(rows):
    assert "6 rows and 6 columns" in rows.alt
    rows.sliders["stride"].value = 2
    assert "3 rows and 6 columns" in rows.alt
    rows.sliders["padding"].value = 2
    assert "4 rows and 6 columns" in rows.alt
    rows.sliders["padding"].value = 0
    assert "2 rows and 6 columns" in rows.alt


def test_every_setting_of_the_sliders_can_be_drawn(rows):
    for stride in range(1, rows.sliders["stride"].max + 1):
        for padding in range(rows.sliders["padding"].max + 1):
            rows.sliders["stride"].value, rows.sliders["padding"].value = stride, padding
            outputs = (len(SIGNAL) + 2 * padding - len(KERNEL)) // stride + 1
            assert rows.sliders["row"].max == outputs - 1
            for row in range(outputs):
                rows.sliders["row"].value = row
                assert f"Row {row} " in rows.alt and f"{outputs} rows" in rows.alt


def test_a_row_that_a_larger_stride_takes_away_is_left(rows):
    rows.sliders["row"].value = 5
    rows.sliders["stride"].value = 3
    assert rows.sliders["row"].value == 1
    assert "Row 1" in rows.alt


def test_widget_draws_the_function_that_it_is_given():
    asked = []

    def own_matrix(kernel, n, stride, padding):
        asked.append((n, stride, padding))
        return convolution_matrix(kernel, n, stride, padding)

    widget = interactive.convolution_rows(own_matrix, KERNEL, SIGNAL)
    widget.sliders["stride"].value = 3
    assert (6, 1, 1) in asked and (6, 3, 1) in asked


def test_kernel_longer_than_the_signal_is_refused():
    with pytest.raises(ValueError, match="7 values.*only 6"):
        interactive.convolution_rows(convolution_matrix, torch.ones(7), SIGNAL)


def lit_cells(row: int, stride: int, padding: int) -> list[tuple[int, int]]:
    """(row, column) of the cells that the drawing lights."""
    matrix = convolution_matrix(KERNEL, len(SIGNAL), stride, padding)
    figure, ax = plt.subplots()
    interactive.show_convolution_row(ax, matrix, SIGNAL, KERNEL, row, stride=stride, padding=padding)
    cells = [patch for patch in ax.patches if patch.get_gid() == "lit"]
    plt.close(figure)
    return [(round(cell.get_y() + 0.5), round(cell.get_x() + 0.5)) for cell in cells]


@pytest.mark.parametrize(("row", "stride", "padding"), [(0, 1, 0), (3, 1, 1), (1, 2, 2), (2, 2, 1)])
def test_drawing_lights_exactly_one_row_of_the_matrix(row, stride, padding):
    assert lit_cells(row, stride, padding) == [(row, column) for column in range(len(SIGNAL))]


def test_drawing_shows_the_sum_that_gives_the_output():
    matrix = convolution_matrix(KERNEL, len(SIGNAL), 1, 1)
    figure, ax = plt.subplots()
    interactive.show_convolution_row(ax, matrix, SIGNAL, KERNEL, 0, padding=1)
    plt.close(figure)
    assert ax.get_title() == "row 0:  3·7 + 5·11 = 76"
    expected = float(np.dot([3, 5], [7, 11]))
    assert f"{expected:g}" in {text.get_text() for text in ax.texts}


# ---- the other drawings


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0)])
def test_windows_are_as_many_as_outputs_and_lie_where_the_kernel_does(ax, kernel, stride, padding):
    interactive.show_windows(ax, 7, kernel, stride=stride, padding=padding)
    colours = [to_hex(patch.get_facecolor()).upper() for patch in ax.patches]
    windows = [patch for patch, colour in zip(ax.patches, colours) if colour == figures.COLOURS["orange"]]
    outputs = check.exercises["output_size"].oracle(7, kernel, stride, padding)
    assert len(windows) == outputs and f"{outputs} outputs" in ax.get_title()
    assert colours.count("#CCCCCC") == 2 * padding and colours.count("#FFFFFF") == 7
    for i, window in enumerate(windows):
        first, last = window.get_x() + 0.42, window.get_x() + window.get_width() - 0.42
        assert (first, last) == pytest.approx((i * stride - padding, i * stride - padding + kernel - 1))


def test_stamps_add_up_to_the_transposed_convolution():
    figure, axes = plt.subplots(1, 4)
    interactive.show_stamps(axes, [1, 3, 2], [2, 3, 5], stride=2)
    plt.close(figure)
    expected = check.exercises["transposed_convolution_1d"].oracle(
        torch.tensor([1.0, 3.0, 2.0]), torch.tensor([2.0, 3.0, 5.0]), 2
    )
    tops = np.zeros(len(expected))
    for bar in axes[3].patches:
        place = round(bar.get_x() + bar.get_width() / 2)
        tops[place] = max(tops[place], bar.get_y() + bar.get_height())
    assert tops.tolist() == expected.tolist()
    assert [bar.get_height() for bar in axes[1].patches] == [0, 0, 6, 9, 15, 0, 0]
    assert axes[1].get_title() == "input 1: 3 · (2, 3, 5)"


def test_frame_and_lines_of_blocks_lie_between_cells(ax):
    figures.show_matrix(ax, np.ones((16, 36)), values=False)
    interactive.draw_blocks(ax, 4, 6, frame=(1, 2))
    (frame,) = ax.patches
    assert (frame.get_xy(), frame.get_width(), frame.get_height()) == ((11.5, 3.5), 6, 4)
    horizontal = {y[0] for y in (line.get_ydata() for line in ax.lines) if y[0] == y[1]}
    vertical = {x[0] for x in (line.get_xdata() for line in ax.lines) if x[0] == x[1]}
    assert horizontal == {3.5, 7.5, 11.5}
    assert vertical == {5.5, 11.5, 17.5, 23.5, 29.5}


def test_memory_that_is_drawn():
    ax = interactive.memory([16, 240])
    plt.close(ax.figure)
    drawn = {line.get_label(): list(line.get_ydata()) for line in ax.lines}
    assert drawn["dense matrix"][1] == 57_600**2 * 4
    assert drawn["sparse matrix"][1] == 515_524 * 8
    assert drawn["the image itself"] == [16 * 16 * 4, 57_600 * 4]
    assert drawn["the kernel"] == [36, 36]


# ---- what the notebook claims


@pytest.fixture(scope="module")
def assigned():
    """Names that the notebook's source assigns literals to: name -> value."""
    source = (paths.repository_root() / "notebooks" / "solutions" / "02_convolution.py").read_text("utf-8")
    found = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign):
            pairs = [(node.targets[0], node.value)]
            if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(node.targets[0].elts, node.value.elts)
            for target, value in pairs:
                try:
                    found[ast.unparse(target)] = ast.literal_eval(value)
                except ValueError:
                    continue
    return found


def test_letters_of_the_solution_are_those_of_the_checks(assigned):
    for name, exercise in check.exercises.items():
        if exercise.kind == "choice":
            assert assigned[name] == exercise.oracle


def test_first_picture_of_the_impulse_is_what_conv1d_gives(assigned):
    impulse, kernel = torch.tensor(assigned["impulse"]).double(), torch.tensor([1.0, 2.0, 4.0]).double()
    assert F.conv1d(impulse[None, None], kernel[None, None])[0, 0].tolist() == assigned["first"]
    assert F.conv1d(impulse[None, None], kernel.flip(0)[None, None])[0, 0].tolist() == assigned["second"]


def test_only_one_of_the_four_matrices_is_asked_for(assigned):
    right = convolution_matrix(KERNEL, 7, 2, 1).tolist()
    letters = [letter for letter, matrix in assigned["candidates"].items() if matrix == right]
    assert letters == [check.exercises["which_matrix"].oracle]


def test_framed_block_is_the_matrix_of_the_middle_row():
    kernel = torch.arange(1.0, 10.0).reshape(3, 3)
    matrix = check.exercises["convolution_matrix_2d"].oracle(kernel, 6, 6)
    assert torch.equal(matrix[4:8, 12:18], convolution_matrix(kernel[1], 6))


def test_rows_drawn_beside_the_formula_are_the_matrix(assigned):
    assert assigned["rows"] == convolution_matrix(KERNEL, 4, 1, 1).tolist()


def test_sizes_from_145_to_160_end_as_10():
    def after_four_layers(n):
        for _ in range(4):
            n = check.exercises["output_size"].oracle(n, 3, 2, 1)
        return n

    assert [n for n in range(100, 200) if after_four_layers(n) == 10] == list(range(145, 161))


@pytest.mark.parametrize(("stride", "padding", "rows"), [(1, 0, 49), (1, 1, 81), (2, 1, 25)])
def test_patterns_on_a_9x9_image(stride, padding, rows):
    matrix = check.exercises["convolution_matrix_2d"].oracle(torch.ones(3, 3), 9, 9, stride, padding)
    assert matrix.shape == (rows, 81)


def test_output_padding_gives_back_what_was_cut():
    small, weights = torch.rand(1, 1, 2, 2) + 0.5, torch.rand(1, 1, 3, 3) + 0.5
    full = F.conv_transpose2d(small, weights, stride=2)
    back = F.conv_transpose2d(small, weights, stride=2, padding=1, output_padding=1)
    assert torch.equal(back, full[:, :, 1:5, 1:5]) and (back > 0).all()


def test_numbers_of_what_the_matrix_costs():
    entries = (240 * 240) ** 2
    assert round(entries / 1e9, 1) == 3.3 and round(entries * 4 / 1e9, 1) == 13.3
    assert round(entries * 4 * 64 * 64 / 1e12) == 54
    assert round((240 * 240 * 155) ** 2 * 4 / 1e12) == 319
    nonzero = sum(
        (240 - abs(row)) * (240 - abs(column)) for row in (-1, 0, 1) for column in (-1, 0, 1)
    )  # where both shifted rows and shifted columns still lie inside
    assert nonzero == 718**2 == 515_524
    assert round(nonzero * 8 / 1e6) == 4  # float32: four bytes for the number, four for its column
    assert 57_000 < 239 * 239 and 240 * 240 < 58_000  # how often the corners and the middle are stored
    assert 240 < (16e9 / 4) ** 0.25 < 260  # the side at which the dense matrix passes 16 GB
