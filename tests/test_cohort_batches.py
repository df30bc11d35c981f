"""Batches of slices: what they show, how they are drawn, how they are changed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from course_utils import cohort
from course_utils.cohort import augmentation
from course_utils.cohort.batches import TrainingSlices, axial_slices


def head(edges: tuple[int, int], tumour_slices: int, name: str = "head") -> cohort.Case:
    """A brain of ``edges`` in all of 10 slices but the first, in 40 x 48 x 10; tumour in the last ones."""
    random = np.random.default_rng(sum(edges))
    image = np.zeros((4, 40, 48, 10), np.float32)
    labels = np.zeros((40, 48, 10), np.uint8)
    brain = (slice(5, 5 + edges[0]), slice(7, 7 + edges[1]), slice(1, None))
    image[(slice(None), *brain)] = random.uniform(100, 200, image[(slice(None), *brain)].shape)
    labels[10:14, 12:15, 10 - tumour_slices :] = 4
    labels[14:16, 12:15, 10 - tumour_slices :] = 2
    return cohort.Case(name, image, labels, np.diag([2.0, 2.0, 2.0, 1.0]))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_slices_of_unequal_heads_get_one_size_and_lose_no_tumour():
    data = TrainingSlices([head((20, 30), 3), head((27, 22), 2)])
    assert data.images.shape == (9 + 9, 4, 32, 32)
    assert data.labels.shape == (18, 32, 32)
    assert torch.bincount(data.labels.flatten()).tolist()[1:] == [0, 6 * 5, 12 * 5]
    inside = data.images[:9] != 0
    assert inside.sum() == 4 * 20 * 30 * 9
    assert data.images[:9, 0][inside[:, 0]].mean().item() == pytest.approx(0, abs=1e-4)
    # labels still lie on the same voxels: tumour begins 5 voxels into the brain, on both axes
    first = inside[8, 0].nonzero()[0]
    assert (data.labels[8] > 0).nonzero()[0].tolist() == (first + 5).tolist()


def test_a_share_of_each_batch_shows_tumour():
    data = TrainingSlices([head((20, 30), 1)], batches=20, batch_size=6, foreground=0.5, augmented=False)
    batches = list(data.epoch(generator()))
    assert len(batches) == len(data) == 20
    shown = [(labels > 0).any(dim=(1, 2)).sum().item() for _, labels in batches]
    assert min(shown) >= 3
    assert 3 <= np.mean(shown) < 4  # of the other three, drawn among 9 slices, 1 in 9 shows tumour, too


def test_slices_are_kept_small_and_batches_are_what_a_loss_takes():
    data = TrainingSlices([head((20, 30), 3)], batches=1)
    assert data.labels.dtype == torch.uint8
    assert data.images is data.slices.images and data.labels is data.slices.labels
    ((images, labels),) = data.epoch(generator())
    assert images.dtype == torch.float32 and labels.dtype == torch.int64


def test_slices_say_what_they_show():
    slices = axial_slices([head((20, 30), 3), head((27, 22), 2)])
    assert slices.showing().tolist() == slices.showing(2).tolist() == slices.showing(1, 3).tolist()
    assert slices.showing().tolist() == [6, 7, 8, 16, 17]
    assert slices.showing(1).tolist() == []
    assert slices.brain.sum().item() == 9 * (20 * 30 + 27 * 22)


def test_one_modality_to_look_at():
    slices = axial_slices([head((20, 30), 3), head((27, 22), 2)])
    flair = slices.modality("flair")
    assert flair.shape == (18, 1, 32, 32)
    assert torch.equal(flair[:, 0] != 0, slices.brain)
    torch.testing.assert_close(flair[slices.brain[:, None]] * 6 - 3, slices.images[:, 3][slices.brain])
    assert len(slices.modality("t1", at_least=27 * 22 / 32**2 + 1e-3)) == 9  # the larger head's only


def test_slices_of_healthy_heads_can_be_cut_but_not_drawn_from():
    assert len(axial_slices([head((20, 30), 0)]).images) == 9
    with pytest.raises(ValueError, match="no cases"):
        axial_slices([])


def test_an_epoch_is_a_function_of_its_generator():
    data = TrainingSlices([head((20, 30), 3)], batches=2, batch_size=5)
    one, same, other = (list(data.epoch(generator(seed))) for seed in (1, 1, 2))
    for (images, labels), (same_images, same_labels) in zip(one, same):
        assert torch.equal(images, same_images)
        assert torch.equal(labels, same_labels)
    assert not torch.equal(one[0][0], other[0][0])
    assert not torch.equal(one[0][0], one[1][0])


def test_the_fingerprint_tells_data_and_drawing_apart():
    prints = {
        TrainingSlices([head((20, 30), 3)]).fingerprint(),
        TrainingSlices([head((20, 30), 2)]).fingerprint(),
        TrainingSlices([head((20, 30), 3)], batch_size=8).fingerprint(),
        TrainingSlices([head((20, 30), 3)], batches=49).fingerprint(),
        TrainingSlices([head((20, 30), 3)], foreground=0.5).fingerprint(),
        TrainingSlices([head((20, 30), 3)], augmented=False).fingerprint(),
    }
    assert len(prints) == 6
    assert TrainingSlices([head((20, 30), 3)]).fingerprint() in prints


def test_what_cannot_be_trained_on_is_named():
    without = cohort.Case("unlabelled", head((20, 30), 1).image, None, np.eye(4))
    with pytest.raises(cohort.CohortError, match="unlabelled: there is no segmentation"):
        TrainingSlices([head((20, 30), 1), without])
    with pytest.raises(ValueError, match="no cases"):
        TrainingSlices([])
    with pytest.raises(ValueError, match="no slice shows a tumour"):
        TrainingSlices([head((20, 30), 0)])
    with pytest.raises(ValueError, match="foreground 1.5"):
        TrainingSlices([head((20, 30), 1)], foreground=1.5)


# ---- augmentation


def batch(number: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    """An off-centre rectangle, longer than wide, in images and labels alike."""
    labels = torch.zeros(number, 40, 56, dtype=torch.int64)
    labels[:, 10:18, 12:32] = 3
    return (labels[:, None] == 3).float().expand(-1, 4, -1, -1).contiguous(), labels


def test_images_and_labels_move_together_and_labels_stay_classes():
    images, labels = augmentation.move(*batch(), generator())
    assert images.shape == (64, 4, 40, 56)
    assert labels.shape == (64, 40, 56)
    assert labels.dtype == torch.int64
    assert set(labels.unique().tolist()) == {0, 3}
    agreement = ((images[:, 0] > 0.5) == (labels == 3)).float().mean()
    assert agreement > 0.995
    assert len({tuple(row.flatten().tolist()) for row in labels}) > 32


def test_rotation_keeps_lengths_though_the_edges_differ(monkeypatch):
    """Turned by up to 0.4 rad, the rectangle's two directions keep their spread: 20 and 8 voxels, uniform."""
    monkeypatch.setattr(augmentation, "LARGEST_SCALING", 0.0)
    _, labels = augmentation.move(*batch(), generator())
    tilted = 0
    for mask in labels == 3:
        points = mask.nonzero().double()
        covariance = torch.cov(points.T)
        spread = torch.linalg.eigvalsh(covariance).sqrt() * 12**0.5
        torch.testing.assert_close(spread, torch.tensor([8.0, 20.0], dtype=torch.float64), atol=0.6, rtol=0)
        tilted += abs(covariance[0, 1]) > 1
    assert 10 < tilted < 54  # every other slice is rotated


def test_scaling_changes_areas_by_at_most_its_square():
    _, labels = augmentation.move(*batch(), generator())
    areas = (labels == 3).sum(dim=(1, 2)) / 160
    assert areas.min() > 1 / 1.2**2 - 0.1
    assert areas.max() < 1 / 0.8**2 + 0.1
    assert areas.std() > 0.05


def test_slices_are_flipped_along_both_axes(monkeypatch):
    monkeypatch.setattr(augmentation, "LARGEST_SCALING", 0.0)
    monkeypatch.setattr(augmentation, "LARGEST_ANGLE", 0.0)
    images, labels = batch()
    _, moved = augmentation.move(images, labels, generator())
    flips = {(): 0, (1,): 0, (2,): 0, (1, 2): 0}
    for slice_ in moved:
        flips[next(axes for axes in flips if torch.equal(labels[:1].flip(axes)[0], slice_))] += 1
    assert all(count > 2 for count in flips.values())
    assert flips[()] + flips[(1,)] > flips[(2,)] + flips[(1, 2)]  # along Y only one in four


def test_intensities_change_inside_the_head_only():
    images, _ = batch()
    changed = augmentation.change_intensities(images, generator())
    assert (changed[images == 0] == 0).all()
    inside = changed[images != 0].reshape(64, 4, -1)
    assert inside.mean(dim=-1).std() > 0.2  # every modality of every slice in its own way
    noisy = (inside.std(dim=-1)[:, 0] > 1e-6).float().mean()
    assert 0.2 < noisy < 0.6
