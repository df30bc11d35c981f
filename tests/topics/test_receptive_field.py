"""What notebook 04 shows and says: its slider and drawings, its measurements, its experiment."""

from __future__ import annotations

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_utils import paths
from course_utils.interactive import receptive_field as interactive
from course_utils.publishing.run import stream_text
from course_utils.receptive_field import Layer, touched
from experiments import record

# ---- the widget


@pytest.fixture
def layers_widget():
    return interactive.receptive_field_layers(lambda layers: touched(layers).tolist())


def test_sliders_say_what_they_move(layers_widget):
    assert [slider.description for slider in layers_widget.sliders.values()][:4] == [
        "1: kernel", "1: stride", "1: dilation", "2: kernel",
    ]  # fmt: skip
    assert "7 x 7 pixels, without holes: it depends on 49 of 49" in layers_widget.alt


def test_dilation_makes_holes_that_the_text_counts(layers_widget):
    before = layers_widget.picture.value
    for layer in (1, 2, 3):
        layers_widget.sliders[f"dilation_{layer}"].value = 2
    assert "13 x 13 pixels, with holes: it depends on 49 of 169" in layers_widget.alt
    assert layers_widget.picture.value != before


def test_a_stride_counts_for_the_layers_above(layers_widget):
    layers_widget.sliders["stride_3"].value = 3
    assert "7 x 7 pixels" in layers_widget.alt
    layers_widget.sliders["stride_1"].value = 2
    assert "11 x 11 pixels" in layers_widget.alt


@pytest.mark.parametrize("option", ["kernel", "stride", "dilation"])
def test_both_ends_of_every_slider_can_be_drawn(layers_widget, option):
    for layer in (1, 2, 3):
        slider = layers_widget.sliders[f"{option}_{layer}"]
        for end in (slider.min, slider.max):
            slider.value = end
            assert f"{option} {slider.value}" in layers_widget.alt


def test_the_given_function_is_drawn():
    widget = interactive.receptive_field_layers(lambda layers: [0, 4])
    assert "5 x 5 pixels, with holes: it depends on 4 of 25" in widget.alt


def test_sliders_share_the_width_and_wrap_on_narrow_screens(layers_widget):
    box, picture = layers_widget.children
    assert picture is layers_widget.picture and box.layout.flex_flow == "row wrap"
    columns = [[slider.description[0] for slider in column.children] for column in box.children]
    assert columns == [["1"] * 3, ["2"] * 3, ["3"] * 3]


# ---- the drawings


def test_touched_pixels_have_cells_of_one_size():
    figure = interactive.show_touched_pixels(
        {"2, 2": [0, 2, 4, 6, 8], "1, 3": range(9), "1, 2": [3, 4, 5, 6, 7, 8, 9]}
    )
    figure.canvas.draw()
    cells = [ax.get_window_extent().width / np.diff(ax.get_xlim())[0] for ax in figure.axes]
    assert cells == pytest.approx([cells[0]] * 3, rel=0.02)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[::2] == ["2, 2\n9x9: 25 of 81 touched", "1, 2\n7x7: 49 of 49 touched"]
    plt.close(figure)


def test_schedules_are_read_from_top_to_bottom():
    figure = interactive.show_schedules({"first": ([0, 2, 4], "with holes"), "second": ([0, 1, 2], "whole")})
    ax, remarks = figure.axes
    bottom, top = ax.get_ylim()
    assert bottom > top and [label.get_text() for label in ax.get_yticklabels()] == ["first", "second"]
    assert [text.get_text() for text in remarks.texts] == ["with holes", "whole"]
    plt.close(figure)


def test_the_smaller_field_is_drawn_over_the_larger_one():
    figure = interactive.show_fields([188, 204], {"a": (192, 379), "b": (192, 395)}, 572)
    squares = figure.axes[1].patches
    assert [square.get_width() for square in squares] == [204, 188]
    assert [square.get_label() for square in squares] == ["b: 204 x 204", "a: 188 x 188"]
    plt.close(figure)


def test_drawing_lights_what_is_touched():
    layers = [Layer(3, dilation=2), Layer(2, stride=2), Layer(3)]
    positions = [touched(layers[level:]) for level in range(4)]
    figure, ax = plt.subplots()
    interactive.show_receptive_field(ax, layers, positions)
    plt.close(figure)
    lit = [dots.get_offsets() for dots in ax.collections if dots.get_gid() == "lit"]
    assert [len(dots) for dots in lit] == [len(level) for level in positions] == [10, 6, 3, 1]
    np.testing.assert_array_equal(lit[0][:, 0], positions[0])
    assert lit[3][0, 0] == (positions[0][0] + positions[0][-1]) / 2  # the output stands over the middle


# ---- what notebook 04 says about its measurements


@pytest.fixture(scope="module")
def printed(executed_solutions):
    return stream_text(executed_solutions["04_receptive_field"], "stdout")


@pytest.fixture(scope="module")
def prose():
    """The notebook's text, without the marks of comments and lines."""
    source = paths.repository_root() / "notebooks" / "solutions" / "04_receptive_field.py"
    return " ".join(re.sub(r"(?m)^# ?", "", source.read_text(encoding="utf-8")).split())


@pytest.fixture(scope="module")
def results():
    return record.read(paths.repository_root() / "experiments" / "results" / "04_receptive_field.json")


def test_random_networks_follow_the_formula_and_skip_connections_narrow_the_field(printed):
    shares = [
        float(share) for share in re.findall(r"skip connections: sigma .*, ([\d.]+) of the formula", printed)
    ]
    assert shares[0] == pytest.approx(1, abs=0.12)
    assert shares[1] == pytest.approx(2**-0.5, abs=0.12)


def test_the_training_in_view_is_the_first_one_of_the_experiment(printed, results):
    dice = float(re.search(r"mean Dice of ten held-out subjects: ([\d.]+)", printed)[1])
    before, after = map(
        float, re.search(r"sigma: ([\d.]+) mm before training, ([\d.]+) mm", printed).groups()
    )
    (run,) = (run for run in results["runs"] if (run["steps"], run["seed"], run["field"]) == (480, 0, 15))
    assert dice == pytest.approx(np.mean(run["dice"]), abs=0.03)  # another processor rounds differently
    assert before == pytest.approx(4 * run["sigma_before"], abs=0.2)
    assert after < before


def test_the_five_networks_have_about_as_many_weights_and_no_holes(printed):
    rows = re.findall(r"(\d+) mm: +(\d+) of +(\d+) positions touched, ([\d,]+) weights", printed)
    assert [int(field) for field, *_ in rows] == [4, 20, 60, 124, 180]
    assert all(touched == size for _, touched, size, _ in rows)
    weights = [int(number.replace(",", "")) for *_, number in rows]
    assert max(weights) < 1.06 * min(weights)


FIELDS = [1, 5, 15, 31, 45]


def table(results, key, steps):
    """One row a seed, one column a field; the mean over subjects."""
    rows = [
        [
            np.mean(run[key])
            for field in FIELDS
            for run in results["runs"]
            if (run["steps"], run["seed"], run["field"]) == (steps, seed, field)
        ]
        for seed in results["seeds"]
    ]
    table = np.array(rows)
    assert table.shape == (5, 5)
    return table


def test_what_all_seeds_say_of_dice(results, prose):
    dice = table(results, "dice", 480)
    assert "in every seed Dice rises steeply from 4 to 20 mm" in prose
    assert (dice[:, 1] - dice[:, 0]).min() > 0.15
    assert "it lies 0.04 to 0.12 below 60 mm, which wins each time" in prose
    assert (dice.argmax(axis=1) == FIELDS.index(15)).all()
    gap = dice[:, FIELDS.index(15)] - dice[:, FIELDS.index(45)]
    assert (round(gap.min(), 2), round(gap.max(), 2)) == (0.04, 0.12)


def test_what_a_quarter_of_the_training_says(results, prose):
    dice = table(results, "dice", 120)
    assert "120 steps, the best field is 20, 60 or 124 mm, depending on the seed" in prose
    assert {4 * FIELDS[place] for place in dice.argmax(axis=1)} == {20, 60, 124}
    assert "180 mm is only 0.02 to 0.07 behind it" in prose
    gap = dice.max(axis=1) - dice[:, FIELDS.index(45)]
    assert (round(gap.min(), 2), round(gap.max(), 2)) == (0.02, 0.07)
    assert (dice.argmin(axis=1) == 0).all()


def test_training_narrows_the_effective_field_in_every_seed(results, prose):
    assert "in every seed, by 13 to 44 percent" in prose
    narrowing = 1 - table(results, "sigma_after", 480)[:, 1:] / table(results, "sigma_before", 480)[:, 1:]
    assert (round(100 * narrowing.min()), round(100 * narrowing.max())) == (13, 44)
