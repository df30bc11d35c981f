"""The course's plots: text alternatives, axes in the right unit, labels in their colours."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from course_utils import figures


@pytest.fixture
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_a_figure_without_a_text_alternative_is_refused():
    figure = plt.figure()
    with pytest.raises(ValueError, match="text alternative"):
        figures.show(figure, alt=" ")
    plt.close(figure)


def test_a_shown_figure_is_closed():
    figure = plt.figure()
    figures.show(figure, alt="an empty figure")
    assert not plt.fignum_exists(figure.number)


@pytest.mark.parametrize("spacing", [(2.0, 3.0), np.array([2.0, 3.0])])
def test_spacing_gives_millimetres(axes, spacing):
    image = np.ones((4, 5))
    figures.show_slice(axes, image, spacing=spacing)
    figures.show_mask(axes, image > 0, spacing=spacing)
    assert axes.get_xlabel() == "x (mm)"
    assert {tuple(picture.get_extent()) for picture in axes.images} == {(0, 8, 15, 0)}


def test_without_spacing_the_unit_is_voxels(axes):
    figures.show_slice(axes, np.eye(4, 5))
    assert axes.get_ylabel() == "y (voxels)"
    assert axes.images[0].get_array().shape == (5, 4)  # the first axis runs right, the second down


def test_labels_have_their_colours_and_background_is_transparent():
    overlay = figures.label_overlay(np.array([[0, 1], [2, 4]]), alpha=0.5)
    assert overlay[0, 0, 3] == 0
    for position, label in (((0, 1), 1), ((1, 0), 2), ((1, 1), 4)):
        np.testing.assert_allclose(overlay[position], (*to_rgb(figures.LABEL_COLOURS[label]), 0.5))


def test_the_cells_of_a_matrix_can_be_counted(axes):
    figures.show_matrix(axes, np.ones((7, 9)), values=False, highlight_rows=[6])
    assert len(axes.xaxis.get_minorticklocs()) == 8 and len(axes.yaxis.get_minorticklocs()) == 6
    (frame,) = axes.patches
    assert not frame.get_clip_on()  # a frame at the edge is as thick as the others


def test_a_matrix_shows_its_numbers(axes):
    figures.show_matrix(axes, np.array([[1, 0.25], [0, -3]]))
    assert [text.get_text() for text in axes.texts] == ["1", "0.25", "0", "-3"]


IMAGE = np.arange(20.0).reshape(4, 5)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_a_row_of_slices_has_one_panel_a_title():
    figure = figures.row_of_slices([IMAGE, 2 * IMAGE, 3 * IMAGE], ("a", "b", "c"), columns=2, spacing=(2, 3))
    assert [ax.get_title() for ax in figure.axes] == ["a", "b", "c"]
    assert figure.axes[2].get_xlabel() == "x (mm)"
    assert np.array_equal(figure.axes[1].images[0].get_array(), 2 * IMAGE.T)


@pytest.mark.parametrize(
    ("window", "expected"), [("shared", (38.0, 38.0)), ((-1, 7), (7, 7)), (None, (19.0, 38.0))]
)
def test_the_grey_scale_of_a_row_is_each_panels_own_shared_or_given(window, expected):
    figure = figures.row_of_slices([IMAGE, 2 * IMAGE], ("a", "b"), window=window)
    assert [ax.images[0].get_clim()[1] for ax in figure.axes] == pytest.approx(expected, rel=0.05)


def test_labels_and_masks_lie_over_their_own_panel():
    mask, labels = IMAGE > 10, np.where(IMAGE > 10, 4, 0)
    figure = figures.row_of_slices(
        IMAGE,
        ("none", "labels", "mask", "two"),
        labels=[None, labels, None, None],
        masks=[None, None, mask, {"sky": mask, "red": ~mask}],
    )
    plain, with_labels, with_mask, with_two = figure.axes
    assert [len(ax.images) for ax in figure.axes] == [1, 2, 2, 3]
    assert len(plain.images) == 1 and len(figure.legends) == 1
    yellow, orange, sky = (to_rgb(figures.COLOURS[name]) for name in ("yellow", "orange", "sky"))
    for ax, colour in ((with_labels, yellow), (with_mask, orange), (with_two, sky)):
        np.testing.assert_allclose(ax.images[1].get_array()[4, 3, :3], colour)


def test_a_row_refuses_what_does_not_fit_its_titles():
    with pytest.raises(ValueError, match="2 images for 3 titles"):
        figures.row_of_slices([IMAGE, IMAGE], ("a", "b", "c"))
    with pytest.raises(ValueError, match="'shard'"):
        figures.row_of_slices(IMAGE, ("a",), window="shard")


@pytest.mark.parametrize(
    ("limits", "extend"), [(None, "neither"), ((0, 5), "max"), ((5, 30), "min"), ((5, 6), "both")]
)
def test_maps_share_one_colour_bar_that_says_where_values_lie_beyond(limits, extend):
    figure = figures.row_of_maps([IMAGE, IMAGE / 2], ("a", "b"), label="reads", limits=limits)
    assert {ax.images[0].get_clim() for ax in figure.axes[:2]} == {limits or (0, 19)}
    assert len(figure.axes) == 3 and figure.axes[2].get_ylabel() == "reads"
    assert figure.axes[1].images[0].colorbar.extend == extend


def test_matrices_in_a_row_share_their_colours():
    figure = figures.row_of_matrices({"a": np.eye(2), "b": -8 * np.eye(3)})
    assert [ax.get_title() for ax in figure.axes] == ["a", "b"]
    assert len({ax.images[0].get_clim() for ax in figure.axes}) == 1


def test_curves_have_their_names_labels_and_ticks():
    ax = figures.curves(
        {"plain": ([1, 3, 9], [0.1, 0.2, 0.3]), "skip": ([1, 3, 9], [0.2, 0.3, 0.4])},
        xlabel="field (mm)",
        ylabel="Dice",
        logx=True,
        marker="each",
        ylim=(0, 1),
    )
    assert [line.get_label() for line in ax.lines] == ["plain", "skip"]
    assert len({line.get_marker() for line in ax.lines}) == len({line.get_color() for line in ax.lines}) == 2
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_ylim()) == ("field (mm)", "Dice", (0, 1))
    assert list(ax.get_xticks()) == [1, 3, 9]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["plain", "skip"]


def test_a_curve_without_x_is_drawn_over_its_index():
    ax = figures.curves({"loss": [3.0, 2.0, 1.5]}, xlabel="epoch", ylabel="loss")
    assert list(ax.lines[0].get_xdata()) == [0, 1, 2]
    assert ax.get_legend() is None


def test_curves_that_cannot_be_told_apart_or_drawn_are_refused():
    with pytest.raises(ValueError, match="8 curves for 7 colours"):
        figures.curves({str(i): [1, 2] for i in range(8)}, xlabel="x", ylabel="y")
    with pytest.raises(ValueError, match=r"curve 'a': x has shape \(2,\)"):
        figures.curves({"a": ([1, 2], [1, 2, 3])}, xlabel="x", ylabel="y")


def test_points_show_each_subject_and_the_mean_of_each_group():
    groups = {"WT": [0.9, 0.7, np.nan], "ET": [0.2, 0.6, 1.0]}
    ax = figures.points_by_group(groups, ylabel="Dice", names=("p", "q", "r"), open={"ET": [0, 0, 1]})
    dots = [points for points in ax.collections if len(points.get_offsets()) == 3]
    assert np.ma.getdata(dots[1].get_offsets())[:, 1] == pytest.approx([0.2, 0.6, 1.0])
    assert list(dots[1].get_facecolors()[:, 3] > 0) == [True, True, False]
    bars = [lines.get_segments()[0][0, 1] for lines in ax.collections if hasattr(lines, "get_segments")]
    assert bars == pytest.approx([0.8, 0.6])
    assert [text.get_text() for text in ax.texts] == ["q", "p"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["WT", "ET"]


def test_groups_that_are_numbers_lie_at_their_true_distances():
    ax = figures.points_by_group(
        {4: [0.1, 0.2], 60: [0.3, 0.4]}, at=(4, 60), logx=True, connect=True, ylabel="Dice"
    )
    assert list(ax.get_xticks()) == [4, 60]
    assert len(ax.lines) == 2  # one a subject
    with pytest.raises(ValueError, match="needs at="):
        figures.points_by_group({"a": [1]}, logx=True, ylabel="Dice")
    with pytest.raises(ValueError, match="same subjects"):
        figures.points_by_group({"a": [1], "b": [1, 2]}, connect=True, ylabel="Dice")


def test_the_letters_at_a_plane_lie_outside_the_picture():
    _, axes = plt.subplots(1, 3)
    figures.show_planes(axes, np.ones((6, 7, 8)), position=(3, 3, 3), spacing=(2, 2, 3))
    for ax in axes:
        left, right, bottom, top = ax.images[0].get_extent()
        low, high = sorted((bottom, top))
        assert len(ax.texts) == 4
        for letter in ax.texts:
            x, y = letter.get_position()
            assert not (left <= x <= right and low <= y <= high)
            assert min(ax.get_xlim()) < x < max(ax.get_xlim()) and min(ax.get_ylim()) < y < max(ax.get_ylim())
