"""The sliders, without a browser: set their values, look at the picture and at what it is made of."""

from __future__ import annotations

import base64

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

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
