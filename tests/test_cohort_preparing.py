"""From a case to what a network sees, and back; labels and class indices."""

from __future__ import annotations

import numpy as np
import pytest

from course_utils import cohort
from course_utils.cohort import CohortError
from tests.cases import SHAPE, make_case, random_labels


def test_normalise_uses_the_brain_only(tmp_path):
    image = cohort.load_case(make_case(tmp_path)).image
    before = image.copy()
    brain = cohort.brain_mask(image)
    result = cohort.normalise(image)
    assert result.dtype == np.float32 and result.shape == image.shape
    np.testing.assert_allclose(result[:, brain].mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(result[:, brain].std(axis=1), 1, atol=1e-5)
    assert not result[:, ~brain].any()
    np.testing.assert_array_equal(image, before)
    # The scanner's gain and offset do not matter.
    np.testing.assert_allclose(cohort.normalise(image * 7 + 3 * brain), result, atol=1e-4)


def test_normalise_clips_outliers_and_survives_a_constant():
    rng = np.random.default_rng(0)
    image = rng.normal(100, 10, (1, 20, 20, 20))
    with_outlier = image.copy()
    with_outlier[0, 3, 3, 3] = 1e6
    np.testing.assert_allclose(cohort.normalise(with_outlier)[0, 5], cohort.normalise(image)[0, 5], atol=0.02)
    assert not cohort.normalise(np.full((1, 4, 4, 4), 5.0)).any()


def test_normalise_refuses_what_it_cannot_do():
    with pytest.raises(CohortError, match="mask is empty"):
        cohort.normalise(np.zeros((4, *SHAPE)))
    with pytest.raises(CohortError, match=r"\(2, 2, 2\)"):
        cohort.normalise(np.ones((4, *SHAPE)), np.ones((2, 2, 2), bool))


def test_class_indices_regions_and_labels_agree():
    labels = random_labels()
    indices = cohort.class_indices(labels)
    assert indices.dtype == np.int64 and set(np.unique(indices)) == {0, 1, 2, 3}
    np.testing.assert_array_equal(cohort.brats_labels(indices), labels)
    np.testing.assert_array_equal(labels, random_labels(), err_msg="the labels were changed")
    np.testing.assert_array_equal(cohort.region_mask(labels, "WT"), indices > 0)
    np.testing.assert_array_equal(cohort.region_mask(labels, "TC"), (indices == 1) | (indices == 3))
    np.testing.assert_array_equal(cohort.region_mask(labels, "ET"), labels == 4)


def test_brain_box_and_paste_undo_each_other():
    brain = np.zeros((12, 10, 8), bool)
    brain[1:6, 4:10, 3] = True
    assert cohort.brain_box(brain) == (slice(1, 6), slice(4, 10), slice(3, 4))
    box = cohort.brain_box(brain, (8, 4, 2))
    assert [side.stop - side.start for side in box] == [8, 8, 2]
    assert all(0 <= side.start and side.stop <= size for side, size in zip(box, brain.shape))
    np.testing.assert_array_equal(cohort.paste(brain[box], box, brain.shape), brain)
    with pytest.raises(CohortError, match="axis 1.*16.*Pad"):
        cohort.brain_box(brain, (1, 16, 1))
    with pytest.raises(CohortError, match="empty"):
        cohort.brain_box(np.zeros(SHAPE, bool))


@pytest.mark.parametrize("size", [(1, 1, 1), (3, 24, 5), (17, 8, 30), (40, 9, 33)])
@pytest.mark.parametrize("dims", [2, 3])
def test_a_brain_of_any_size_is_prepared_for_any_number_of_poolings(size, dims):
    """A brain that fills its volume: the crop has to be larger than the volume, and nothing is refused."""
    random = np.random.default_rng(0)
    image = random.uniform(1, 2, (4, *size)).astype(np.float32)
    labels = random.choice(np.array([0, 1, 2, 4], np.uint8), size)
    prepared = cohort.prepare(cohort.Case("full", image, labels, np.eye(4)), 16, dims)
    expected = [-(-edge // 16) * 16 if axis < dims else edge for axis, edge in enumerate(size)]
    assert prepared.image.shape == (4, *expected) and prepared.indices.shape == tuple(expected)
    inside = tuple(map(slice, size))
    np.testing.assert_allclose(prepared.image[(slice(None), *inside)], cohort.normalise(image), atol=1e-6)
    assert np.count_nonzero(prepared.image[0]) == np.count_nonzero(prepared.image[(0, *inside)])
    np.testing.assert_array_equal(prepared.paste(cohort.brats_labels(prepared.indices)), labels)
