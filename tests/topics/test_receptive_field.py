"""Receptive fields: published numbers, chains against gradients, real networks, the widget, notebook 04's claims."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_utils import figures
from course_utils.interactive import receptive_field as interactive
from course_utils.networks.unet import UNet
from course_utils.publishing.run import stream_text
from course_utils.receptive_field import (
    Layer,
    Measured,
    ReceptiveField,
    growth,
    measure,
    receptive_field,
    touched,
    touched_by_network,
)

# ---- published numbers


def dilated(*dilations: int, kernel: int = 3) -> list[Layer]:
    return [Layer(kernel, dilation=d) for d in dilations]


def sizes(layers: list[Layer]) -> list[int]:
    return [field.size for field in growth(layers)[1:]]


def test_the_lectures_5x5_and_9x9():
    assert receptive_field(dilated(2)).size == 5
    assert receptive_field(dilated(2, 2)).size == 9
    assert len(touched(dilated(2, 2))) ** 2 == 25
    assert len(touched(dilated(1, 3))) ** 2 == 81
    assert receptive_field(dilated(1, 2)).size == len(touched(dilated(1, 2))) == 7


def test_context_module_of_yu_and_koltun():
    assert sizes([*dilated(1, 1, 2, 4, 8, 16, 1), Layer(1)]) == [3, 5, 9, 17, 33, 65, 67, 67]
    assert sizes(dilated(1, 2, 4)) == [3, 7, 15]


def test_wavenet():
    layers = dilated(*(2**i for i in range(10)), kernel=2)
    assert receptive_field(layers).size == len(touched(layers)) == 1024


def test_highres3dnet():
    assert receptive_field([*dilated(*[1] * 7, *[2] * 6, *[4] * 6), Layer(1)]).size == 87


def test_deepmedic():
    assert receptive_field([Layer(3)] * 8).size == 17
    assert receptive_field([Layer(3, stride=3), *[Layer(3)] * 8]).size == 51


def test_fcn():
    layers = []
    for convolutions in (2, 2, 3, 3, 3):
        layers += [Layer(3, padding=1)] * convolutions + [Layer(2, stride=2)]
    assert receptive_field([*layers, Layer(7)])[:2] == (404, 32)


@pytest.mark.parametrize(
    ("dilations", "number", "size"), [((1, 2, 5), 17, 17), ((1, 2, 9), 21, 25), ((2, 2, 2), 7, 13)]
)
def test_gridding(dilations, number, size):
    layers = dilated(*dilations)
    assert (len(touched(layers)), receptive_field(layers).size) == (number, size)


# ---- chains


def test_without_layers_an_output_is_an_input():
    assert receptive_field([]) == ReceptiveField(size=1, jump=1, start=0)
    assert touched([], position=7).tolist() == [7]


CHAINS = [
    [Layer(5, stride=2, padding=2), Layer(3, dilation=2, padding=1), Layer(4, stride=3)],
    [Layer(2, stride=3), Layer(3, dilation=3, padding=4), Layer(1, stride=2), Layer(3)],
    [
        Layer(3, padding=1),
        Layer(2, stride=2),
        Layer(3, padding=1),
        Layer(2, stride=2, transposed=True),
        Layer(3),
    ],
    [Layer(4, stride=2, padding=1, transposed=True), Layer(3, stride=2), Layer(3, stride=3, transposed=True)],
    [Layer(3, stride=2, dilation=2, transposed=True), Layer(2, dilation=3)],
    [Layer(2, stride=4, transposed=True), Layer(3)],  # gaps that no stamp covers
]


def as_network(layers: list[Layer]) -> nn.Sequential:
    network = nn.Sequential()
    for x in layers:
        kind = nn.ConvTranspose1d if x.transposed else nn.Conv1d
        network.append(
            kind(1, 1, x.kernel, stride=x.stride, dilation=x.dilation, padding=x.padding, bias=False)
        )
    for parameter in network.parameters():
        nn.init.uniform_(parameter, 0.5, 1.5)  # positive: nothing cancels
    return network.double()


@pytest.mark.parametrize("layers", CHAINS)
def test_touched_is_where_the_gradient_of_a_real_network_is(layers):
    signal = torch.randn(41, dtype=torch.float64, requires_grad=True)
    outputs = as_network(layers)(signal[None, None])[0, 0]
    for position, output in enumerate(outputs):
        (gradient,) = torch.autograd.grad(output, signal, retain_graph=True)
        inside = [place for place in touched(layers, position).tolist() if 0 <= place < len(signal)]
        assert gradient.nonzero()[:, 0].tolist() == inside


@pytest.mark.parametrize("layers", CHAINS[:2])
@pytest.mark.parametrize("position", [0, 1, 5])
def test_recursion_and_set_agree(layers, position):
    size, jump, start = receptive_field(layers)
    positions = touched(layers, position)
    assert positions[0] == start + position * jump
    assert positions[-1] - positions[0] + 1 == size


def test_a_recursion_through_a_transposed_convolution_is_refused():
    with pytest.raises(ValueError, match="touched"):
        receptive_field([Layer(2, stride=2, transposed=True)])


def test_a_layer_is_shown_as_one_writes_it():
    assert repr(Layer(3)) == "Layer(3)"
    layer = Layer(2, stride=3, padding=1, transposed=True)
    assert repr(layer) == "Layer(2, stride=3, padding=1, transposed=True)" and eval(repr(layer)) == layer


@pytest.mark.parametrize("wrong", [{"kernel": 0}, {"kernel": 3, "stride": 0}, {"kernel": 3, "padding": -1}])
def test_impossible_layers_are_refused(wrong):
    with pytest.raises(ValueError, match="start at 1"):
        Layer(**wrong)


# ---- real networks


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
        for slider.value in (slider.min, slider.max):
            assert f"{option} {slider.value}" in layers_widget.alt


def test_the_given_function_is_drawn():
    widget = interactive.receptive_field_layers(lambda layers: [0, 4])
    assert "5 x 5 pixels, with holes: it depends on 4 of 25" in widget.alt


def test_drawing_lights_what_is_touched():
    layers = [Layer(3, dilation=2), Layer(2, stride=2), Layer(3)]
    positions = [touched(layers[level:]) for level in range(4)]
    figure, ax = figures.plt.subplots()
    interactive.show_receptive_field(ax, layers, positions)
    figures.plt.close(figure)
    lit = [dots.get_offsets() for dots in ax.collections if dots.get_gid() == "lit"]
    assert [len(dots) for dots in lit] == [len(level) for level in positions] == [10, 6, 3, 1]
    np.testing.assert_array_equal(lit[0][:, 0], positions[0])
    assert lit[3][0, 0] == (positions[0][0] + positions[0][-1]) / 2  # the output stands over the middle


# ---- what notebook 04 says about its measurements


@pytest.fixture(scope="module")
def printed(executed_solutions):
    return stream_text(executed_solutions["04_receptive_field"], "stdout")


@pytest.mark.xdist_group("notebooks")
def test_random_networks_follow_the_formula_and_skip_connections_narrow_the_field(printed):
    shares = [
        float(share) for share in re.findall(r"skip connections: sigma .*, ([\d.]+) of the formula", printed)
    ]
    assert shares[0] == pytest.approx(1, abs=0.12)
    assert shares[1] == pytest.approx(2**-0.5, abs=0.12)


@pytest.mark.xdist_group("notebooks")
def test_context_helps_and_is_not_free(printed):
    rows = re.findall(
        r"field +(\d+) pixels.*?([\d,]+) weights: mean Dice ([\d.]+), sigma ([\d.]+) before.*, ([\d.]+) "
        r"after",
        printed,
    )
    dice = {int(size): float(score) for size, _, score, _, _ in rows}
    assert set(dice) == {1, 5, 15, 31, 45}
    assert dice[1] < min(dice[size] for size in (5, 15, 31, 45)) - 0.05
    assert dice[45] < max(dice[5], dice[15]) - 0.01
    weights = [int(number.replace(",", "")) for _, number, *_ in rows]
    assert max(weights) < 1.06 * min(weights)
    for size, _, _, before, after in rows:
        if size != "1":
            assert float(after) < 0.95 * float(before)
