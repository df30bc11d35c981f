"""Predicting cases: on their grid, in BraTS labels, prepared as for training."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from course_utils import cohort
from course_utils.cohort.batches import axial_slices
from course_utils.networks.unet import UNet
from course_utils.prediction import predict_case, without_specks
from course_utils.tiling import sliding_window_inference
from tests.heads import ThresholdNetwork, head


@pytest.mark.parametrize("dims", [2, 3])
def test_a_prediction_lies_on_the_grid_of_its_case_in_brats_labels(dims):
    case, network = head(), ThresholdNetwork(dims).train()
    prediction = predict_case(network, case)
    assert prediction.dtype == np.uint8
    np.testing.assert_array_equal(prediction, case.labels)
    assert network.training
    expected = [(6, 4, 24, 16)] if dims == 2 else [(1, 4, 24, 16, 8)]
    assert network.sizes == expected


def test_slices_go_through_in_batches():
    case, network = head(), ThresholdNetwork().eval()
    prediction = predict_case(network, case, batch_size=4)
    np.testing.assert_array_equal(prediction, case.labels)
    assert [size[0] for size in network.sizes] == [4, 2]
    assert not network.training


def test_a_u_net_predicts_a_whole_case_without_its_labels():
    torch.manual_seed(0)
    case = head()
    network = UNet(4, 4, dims=3, base_channels=2, depth=2, padding="same", normalisation="instance")
    prediction = predict_case(network, cohort.Case(case.name, case.image, None, case.affine))
    assert prediction.shape == case.labels.shape
    assert set(np.unique(prediction)) <= {0, 1, 2, 4}


def test_a_network_with_valid_padding_is_refused():
    with pytest.raises(ValueError, match='into .* use padding="same"'):
        predict_case(UNet(4, 4, base_channels=2, depth=1), head())


@pytest.fixture(scope="module")
def subject():
    """Of the synthetic cohort; its crop of 80 x 88 x 72 voxels reaches beyond the 78 slices of the volume."""
    return cohort.load_case(cohort.synthetic_cases(1)[0])


HALO = 10  # the receptive radius of the network below


def network_3d(padding: str, dims: int = 3) -> UNet:
    torch.manual_seed(0)
    network = UNet(4, 4, dims=dims, base_channels=2, depth=2, padding=padding)
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=(1 / parameter[0].numel()) ** 0.5)
    return network


def test_a_3d_prediction_by_tiles_is_that_of_the_whole_case(subject):
    network = network_3d("same")
    image = cohort.prepare(subject, dims=3).image
    with torch.no_grad():
        logits = network(torch.from_numpy(image)[None])[0]
        network.head.bias -= logits[:, image[0] != 0].mean(dim=1)  # no class wins everywhere in the brain
        expected = network(torch.from_numpy(image)[None])[0].numpy()
    found = sliding_window_inference(network, image, 64, halo=HALO, progress=False)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    whole = predict_case(network, subject)
    tiled = predict_case(network, subject, tile=64, halo=HALO)
    assert tiled.dtype == np.uint8 and tiled.shape == subject.image.shape[1:]
    assert len(np.unique(whole)) == 4 and (tiled != whole).mean() < 1e-5  # two logits may be as good as equal


def test_a_valid_3d_network_predicts_by_tiles():
    """As one pass over the whole crop, mirrored at its borders."""
    case, network = head(), network_3d("valid")
    image = cohort.prepare(case, dims=3).image
    with torch.no_grad():
        widths = [(0, 0), (8, 8), (8, 8), (8, 8)]
        expected = network(torch.from_numpy(np.pad(image, widths, mode="reflect"))[None])[0].argmax(dim=0)
    found = predict_case(network, case, tile=20)
    box = cohort.prepare(case, dims=3).box
    np.testing.assert_array_equal(found[box], cohort.brats_labels(expected.numpy()))


@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_2d_network_predicts_by_tiles_of_slices(batch_size):
    case, network = head(), ThresholdNetwork()
    prediction = predict_case(network, case, tile=(16, 8), overlap=0.5, batch_size=batch_size)
    np.testing.assert_array_equal(prediction, case.labels)
    assert network.training and max(size[0] for size in network.sizes) == batch_size
    assert {size[1:] for size in network.sizes} == {(4, 16, 8)}


def test_tiles_that_do_not_fit_the_network_are_refused():
    with pytest.raises(ValueError, match="an edge of 21 does not fit .* 20 or 22"):
        predict_case(network_3d("valid"), head(), tile=21)


class Recorder(nn.Module):
    """Answers background and keeps what it saw."""

    def __init__(self, dims):
        super().__init__()
        self.dims, self.seen = dims, []
        self.one = nn.Parameter(torch.ones(()))

    def forward(self, image):
        self.seen.append(image)
        return self.one * torch.zeros(len(image), 4, *image.shape[2:])


def test_a_network_sees_in_prediction_what_it_saw_in_training():
    network = Recorder(dims=2)
    predict_case(network, head())
    assert torch.equal(torch.cat(network.seen), axial_slices([head()]).images)


def test_a_volume_that_is_too_flat_for_a_3d_network_is_padded():
    """39 slices of brain in 39 do not make 40: BraTS has 155 slices, the synthetic cohort 78."""
    random = np.random.default_rng(0)
    image = np.zeros((4, 24, 24, 39), np.float32)
    image[:, 4:20, 4:20] = random.uniform(100, 200, (4, 16, 16, 39))
    case = cohort.Case("flat", image, None, np.diag([2.0, 2.0, 2.0, 1.0]))
    network = Recorder(dims=3)
    assert predict_case(network, case).shape == (24, 24, 39)
    (seen,) = network.seen
    assert seen.shape == (1, 4, 16, 16, 40)
    np.testing.assert_array_equal(seen[0, ..., :39], cohort.normalise(image)[:, 4:20, 4:20])
    assert not seen[..., 39].any()
    labels = np.where(image[0] > 150, 4, 0).astype(np.uint8)
    np.testing.assert_array_equal(predict_case(ThresholdNetwork(3), case) > 0, _above_the_mean(case))
    prepared = cohort.prepare(cohort.Case("flat", image, labels, case.affine), dims=3)
    np.testing.assert_array_equal(prepared.paste(cohort.brats_labels(prepared.indices)), labels)


def _above_the_mean(case: cohort.Case) -> np.ndarray:
    return cohort.normalise(case.image)[0] > 1e-6


@pytest.mark.parametrize(("smallest", "kept"), [(0.0, True), (0.039, True), (0.041, False)])
def test_enhancing_specks_become_core_below_the_volume_only(smallest, kept):
    labels = np.zeros((6, 5, 4), np.uint8)
    labels[:2, 0, 0], labels[4, 1:4, 2], labels[0, 4, 3] = 1, 4, 2
    labels[5, 0, 0] = labels[5, 4, 0] = 4  # five enhancing voxels of 8 mm^3: 0.04 ml
    result = without_specks(labels, (2.0, 2.0, 2.0), smallest)
    expected = labels if kept else np.where(labels == 4, 1, labels)
    np.testing.assert_array_equal(result, expected)
    assert result.dtype == np.uint8 and np.count_nonzero(labels == 4) == 5
