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


def test_a_matrix_shows_its_numbers(axes):
    figures.show_matrix(axes, np.array([[1, 0.25], [0, -3]]))
    assert [text.get_text() for text in axes.texts] == ["1", "0.25", "0", "-3"]
