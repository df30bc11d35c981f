"""Receptive fields of real networks, measured by what their operations do."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_utils import receptive_field
from course_utils.networks.unet import UNet
from course_utils.receptive_field import Layer, Measured, measure, touched, touched_by_network


def test_unet_of_the_paper_has_two_fields():
    measured = measure(UNet(1, 2, base_channels=1), (572, 572))
    assert {frozenset(axis) for axis in measured.sizes} == {frozenset({188, 204})}
    assert [measured.sizes[0].count(size) for size in (188, 204)] == [4, 12]
    assert str(measured) == "188 or 204, depending on the output's position (on each axis)"
    two = [Layer(3), Layer(3)]
    path = [*two, Layer(2, stride=2)] * 4 + two + [Layer(2, stride=2, transposed=True), *two] * 4
    assert sorted(len(touched(path, position)) for position in range(16)) == sorted(measured.sizes[0])


def test_channels_and_training_mode_change_nothing():
    small, large = (UNet(1, 2, base_channels=channels, depth=2, normalisation="batch") for channels in (1, 8))
    small.eval()
    assert measure(small, (60, 60)) == measure(large, (60, 60))
    assert large.training


def test_weights_are_left_as_they_are():
    network = UNet(1, 2, base_channels=2, depth=2)
    before = {name: weights.clone() for name, weights in network.state_dict().items()}
    measure(network, (60, 60))
    assert all(torch.equal(weights, before[name]) for name, weights in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_three_dimensions_and_different_axes():
    network = nn.Sequential(
        nn.Conv3d(2, 3, (3, 1, 5), padding=(1, 0, 2)), nn.ReLU(), nn.MaxPool3d((1, 2, 2)), nn.Conv3d(3, 1, 3)
    )
    measured = measure(network, (15, 30, 31), in_channels=2)
    assert [set(axis) for axis in measured.sizes] == [{5}, {6}, {10}]
    assert str(measured) == "axis 0: 5; axis 1: 6; axis 2: 10"


CONVOLUTION = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}


class Branches(nn.Module):
    """Sum, product and concatenation of paths of different width, with functions instead of modules."""

    def __init__(self, dims: int = 2) -> None:
        super().__init__()
        self.near = CONVOLUTION[dims](1, 4, 3, padding=1)
        self.far = CONVOLUTION[dims](1, 4, 3, padding=6, dilation=6)
        self.last = CONVOLUTION[dims](8, 1, 1)

    def forward(self, image):
        near = F.relu(self.near(image))
        far = torch.sigmoid(self.far(image))
        total = near + far
        total += near
        return self.last(torch.cat([total, near * far], dim=1))


def test_branches_are_united():
    positions = touched_by_network(Branches(dims=1), (31,)).nonzero()[:, 0] - 15
    assert positions.tolist() == [-6, -1, 0, 1, 6]
    expected = {(y, x) for y, x in itertools.product((-6, 0, 6), repeat=2)}
    expected |= set(itertools.product((-1, 0, 1), repeat=2))
    touched_pixels = touched_by_network(Branches(), (31, 31)).nonzero() - 15
    assert {tuple(pixel) for pixel in touched_pixels.tolist()} == expected


@pytest.mark.parametrize(
    ("network", "size"),
    [
        (nn.MaxPool2d(3, stride=1, dilation=2), 5),
        (nn.MaxPool2d(3, stride=2, ceil_mode=True), 3),
        (nn.AvgPool2d(4), 4),
        (nn.Sequential(nn.Conv2d(1, 4, 1), nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 2, 1)), 3),
        (nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.InstanceNorm2d(2), nn.LeakyReLU(inplace=True)), 3),
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Dropout(), nn.PReLU(), nn.Softmax(dim=1)), 3),
    ],
)
def test_layers_one_by_one(network, size):
    assert set(measure(network, (24, 24)).sizes) == {(size,) * len(measure(network, (24, 24)).sizes[0])}


@pytest.mark.parametrize(
    ("network", "sizes"),
    [
        (nn.Sequential(nn.Conv2d(1, 1, 3), nn.ConvTranspose2d(1, 1, 3, stride=2)), {3, 4}),
        (nn.ConvTranspose2d(1, 1, 1, stride=3), {0, 1}),
        (nn.Upsample(scale_factor=2, mode="bilinear"), {2}),
        (
            nn.Sequential(
                nn.MaxPool2d(4), nn.Conv2d(1, 1, 3), nn.Upsample(scale_factor=4), nn.Conv2d(1, 1, 3)
            ),
            {12, 16},
        ),
    ],
)
def test_all_positions_of_a_period_are_looked_at(network, sizes):
    assert [set(axis) for axis in measure(network, (40, 44)).sizes] == [sizes, sizes]


def changed_in_place(near, far):
    near.add_(far)  # a statement: what it returns is dropped
    near -= 1
    near /= 2
    return torch.cat([near, near], dim=1)


class Residual(nn.Module):
    """Two strided 3x3 layers and a strided shortcut, added in place, as in a ResNet."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 1, 3, stride=2, padding=1),
            nn.BatchNorm2d(1),
            nn.ReLU(inplace=True),
            nn.Conv2d(1, 1, 3, padding=1),
        )
        self.shortcut = nn.Conv2d(1, 1, 1, stride=2)

    def forward(self, image):
        result = self.layers(image)
        result += self.shortcut(image)
        return result


def test_a_network_that_only_gets_smaller_has_one_field():
    network = nn.Sequential(*[nn.Conv2d(1, 1, 3, stride=2) for _ in range(6)])
    assert measure(network, (400, 420)) == Measured(((127,), (127,)))
    assert measure(nn.Sequential(Residual(), Residual(), Residual()), (200, 200)) == Measured(((43,), (43,)))


@pytest.mark.parametrize(
    ("combine", "size"),
    [
        (lambda near, far: near - far, 5),
        (lambda near, far: torch.maximum(near, far), 5),
        (lambda near, far: (near - near.mean(dim=1, keepdim=True)) / 2, 3),
        (lambda near, far: F.conv2d(input=near, weight=torch.zeros(1, 4, 3, 3)), 5),
        (lambda near, far: F.threshold(near, 100.0, 0.0) + torch.clamp(near, 5, 6), 3),
        (lambda near, far: 1 - near, 3),
        (changed_in_place, 5),
    ],
)
def test_nothing_cancels(combine, size):
    class Combined(nn.Module):
        def __init__(self):
            super().__init__()
            self.near, self.far = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(1, 4, 5, padding=2)

        def forward(self, image):
            return combine(self.near(image), self.far(image))

    assert measure(Combined(), (20, 20)) == Measured(((size,), (size,)))


def test_adaptive_max_pooling_reads_its_whole_window():
    network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.AdaptiveMaxPool2d(10))
    assert set(measure(network, (42, 42)).sizes[0]) == {6}


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (
            lambda image: F.max_unpool2d(*F.max_pool2d(image, 2, return_indices=True), 2),
            "depends on the image",
        ),
        (lambda image: image.amax(dim=1, keepdim=True), "depends on the image"),
    ],
)
def test_what_cannot_be_followed_is_refused(forward, message):
    class Network(nn.Module):
        def forward(self, image):
            return forward(image)

    with pytest.raises(NotImplementedError, match=message):
        touched_by_network(Network(), (8, 8))


def test_an_output_without_positions_is_refused():
    with pytest.raises(ValueError, match=r"shape \(1, 2\): expected"):
        measure(nn.Sequential(nn.Flatten(), nn.Linear(64, 2)), (8, 8))


def test_outputs_that_depend_on_nothing_are_refused():
    class Constant(nn.Module):
        def forward(self, image):
            return image * 0

    with pytest.raises(ValueError, match="no output depends on the image"):
        measure(Constant(), (8, 8))


def test_zero_weights_and_dead_rectifiers_hide_nothing():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 1, 3))
    for parameter in network.parameters():
        nn.init.constant_(parameter, -1.0)
    nn.init.zeros_(network[2].weight)
    assert touched_by_network(network, (9, 9)).sum() == 25


def test_interpolation_is_followed():
    network = nn.Sequential(
        nn.AvgPool2d(2), nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(1, 1, 3, padding=1)
    )
    assert measure(network, (32, 32)) == Measured(((4, 4), (4, 4)))


def test_a_field_that_reaches_the_border_is_refused():
    for network in (
        nn.Conv2d(1, 1, 7, padding=3),
        nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(1, 1, 1)),
    ):
        with pytest.raises(ValueError, match="make it larger.*global pooling"):
            measure(network, (7, 7))


def test_a_position_outside_the_output_is_refused():
    with pytest.raises(ValueError, match=r"\(9, 0\) is not in an output of \(7, 7\)"):
        touched_by_network(nn.Conv2d(1, 1, 3), (9, 9), position=(9, 0))


def test_a_name_that_the_package_lacks():
    with pytest.raises(AttributeError, match="no attribute 'measured_by_eye'"):
        _ = receptive_field.measured_by_eye
