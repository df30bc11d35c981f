"""The volume viewer: what it shows follows its sliders, and left stays left in every orientation."""

from __future__ import annotations

import base64
import io
import re

import matplotlib.pyplot as plt
import nibabel
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from course_utils import figures
from course_utils.cohort import Case
from course_utils.figures.viewer import volume_viewer

LPS = np.array([[-2.0, 0, 0, 10], [0, -3.0, 0, 20], [0, 0, 4.0, -8], [0, 0, 0, 1]])


@pytest.fixture
def case() -> Case:
    rng = np.random.default_rng(0)
    image = rng.uniform(100, 900, (4, 12, 10, 8)).astype(np.float32)
    labels = np.zeros((12, 10, 8), np.uint8)
    labels[2:5, 3:6, 4:6] = 2
    labels[3, 4, 4] = 4
    return Case("case", image, labels, LPS)


def reoriented(case: Case, codes: str) -> Case:
    """The same brain in another array order; the affine changes with it, the patient does not."""
    change = nibabel.orientations.ornt_transform(
        nibabel.io_orientation(case.affine), nibabel.orientations.axcodes2ornt(tuple(codes))
    )
    turn = lambda volume: nibabel.orientations.apply_orientation(volume, change)  # noqa: E731
    affine = case.affine @ nibabel.orientations.inv_ornt_aff(change, case.labels.shape)
    return Case(case.name, np.stack([turn(channel) for channel in case.image]), turn(case.labels), affine)


def test_begins_inside_the_tumour(case):
    viewer = volume_viewer(case)
    position = tuple(viewer.sliders[axis].value for axis in "ijk")
    assert case.labels[position] > 0


@pytest.mark.parametrize(
    ("control", "value"), [("i", 0), ("j", 9), ("k", 7), ("modality", "t1"), ("overlay", "none")]
)
def test_picture_and_text_follow_the_controls(case, control, value):
    viewer = volume_viewer(case)
    picture, alt = viewer.picture.value, viewer.alt
    viewer.sliders[control].value = value
    assert viewer.picture.value != picture
    assert viewer.alt != alt


def test_text_names_the_place_and_what_is_there(case):
    viewer = volume_viewer(case)
    for axis, index in zip("ijk", (3, 4, 4)):
        viewer.sliders[axis].value = index
    viewer.sliders["modality"].value = "t2"
    x, y, z = nibabel.affines.apply_affine(LPS, (3, 4, 4))
    assert f"voxel (3, 4, 4), world ({x:.1f}, {y:.1f}, {z:.1f}) mm" in viewer.alt
    assert f"T2 {case.image[2, 3, 4, 4]:.4g}, label 4 (enhancing tumour)" in viewer.alt


@pytest.mark.parametrize("codes", ["RAS", "SLP", "PIR"])
def test_every_orientation_gives_the_same_picture_of_the_same_place(case, codes):
    other = reoriented(case, codes)
    expected, viewer = volume_viewer(case), volume_viewer(other)
    for axis, index in zip("ijk", (3, 7, 5)):
        expected.sliders[axis].value = index
    world = nibabel.affines.apply_affine(case.affine, (3, 7, 5))
    for axis, index in zip("ijk", nibabel.affines.apply_affine(np.linalg.inv(other.affine), world)):
        viewer.sliders[axis].value = round(index)
    # The line above the picture differs (another voxel index), the world coordinates and the panels do not.
    assert viewer.alt.split("world")[1] == expected.alt.split("world")[1]
    assert np.array_equal(panels(viewer), panels(expected))


def panels(viewer) -> np.ndarray:
    """The picture without the line above it."""
    return shown(viewer)[40:]


def shown(viewer) -> np.ndarray:
    """The pixels of the picture that the viewer shows now, (height, width, 3), from 0 to 1."""
    source = re.search('base64,([^"]+)', viewer.picture.value)[1]
    return plt.imread(io.BytesIO(base64.b64decode(source)))


def test_chooses_among_several_overlays(case):
    prediction = np.zeros_like(case.labels)
    viewer = volume_viewer(case, {"reference": case.labels, "prediction": prediction})
    assert viewer.sliders["overlay"].options == ("reference", "prediction", "none")
    assert "label 0" not in viewer.alt
    viewer.sliders["overlay"].value = "prediction"
    assert "label 0 (no tumour)" in viewer.alt


def test_refuses_an_overlay_of_another_shape(case):
    with pytest.raises(ValueError, match="overlay 'prediction' has shape"):
        volume_viewer(case, {"prediction": case.labels[1:]})


def test_shows_a_case_without_labels_and_one_without_tumour(case):
    unlabelled = volume_viewer(Case("case", case.image, None, LPS))
    assert "label" not in unlabelled.alt
    healthy = volume_viewer(Case("case", case.image, np.zeros_like(case.labels), LPS))
    assert "label 0 (no tumour)" in healthy.alt


def test_a_step_there_and_back_leaves_no_trace(case):
    # The axes are drawn once and what moves is drawn on top of them: nothing of the last picture may remain.
    viewer = volume_viewer(case)
    before = viewer.picture.value
    for control, value in (("k", 0), ("overlay", "none"), ("i", 11), ("modality", "t2"), ("j", 0)):
        old = viewer.sliders[control].value
        viewer.sliders[control].value = value
        assert viewer.picture.value != before
        viewer.sliders[control].value = old
        assert viewer.picture.value == before


def test_the_picture_shows_the_slices_and_the_labels_of_its_place(case):
    viewer = volume_viewer(Case("case", 0 * case.image, np.zeros_like(case.labels), LPS))
    black = shown(viewer)
    for value, colour in ((4, figures.COLOURS["yellow"]), (2, figures.COLOURS["sky"])):
        coloured = shown(volume_viewer(Case("case", 0 * case.image, np.full_like(case.labels, value), LPS)))
        changed = np.abs(coloured - black)[60:300].max(axis=-1) > 0.1
        assert changed.mean() > 0.2  # most of the three panels
        seen = np.median(coloured[60:300][changed], axis=0)
        np.testing.assert_allclose(seen, 0.45 * np.array(to_rgb(colour)), atol=0.02)
    bright = case.image.copy()
    bright[3, :, :, 4] = 0  # one axial slice of FLAIR
    viewer = volume_viewer(Case("case", bright, None, LPS))
    viewer.sliders["k"].value = 4
    in_it = shown(viewer)[60:300, :290]
    viewer.sliders["k"].value = 3
    assert shown(viewer)[60:300, :290].mean() > in_it.mean() + 0.05


def test_leaves_no_figure_open(case):
    plt.close("all")
    viewer = volume_viewer(case)
    viewer.sliders["k"].value = 0
    assert plt.get_fignums() == []


def test_planes_have_the_patients_left_on_the_right_and_the_front_on_top(case):
    image = np.zeros((12, 10, 8))
    image[0, 0, 7] = 1.0  # the patient's rightmost, foremost, topmost voxel
    figure, axes = plt.subplots(1, 3)
    figures.show_planes(axes, image, position=(0, 0, 7), spacing=(2, 3, 4), window=(0, 1))
    # Where the left and the upper edge of each panel are, in mm.
    corners = {"axial": (0.0, 0.0), "coronal": (0.0, 32.0), "sagittal": (0.0, 32.0)}
    for ax in axes:
        left, _, _, top = ax.images[0].get_extent()
        pixels = np.asarray(ax.images[0].get_array())
        row, column = np.argwhere(pixels == 1.0)[0]
        from_top = row if ax.images[0].origin == "upper" else pixels.shape[0] - 1 - row
        assert (column, from_top) == (0, 0)
        assert (left, top) == corners[ax.get_title()]
    plt.close(figure)
