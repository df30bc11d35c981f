"""Receptive fields of chains of layers: published numbers, and gradients of real networks."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from course_utils.receptive_field import Layer, ReceptiveField, growth, receptive_field, touched

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


def test_chains_need_no_torch():
    code = (
        "import sys; from course_utils.receptive_field import Layer, touched; print('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
