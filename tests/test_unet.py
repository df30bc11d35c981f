"""The U-Net against the numbers of its papers."""

from __future__ import annotations

import pytest
import torch

from course_utils.networks.unet import UNet, centre_crop


def parameters(network: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


def lab_network() -> UNet:
    return UNet(4, 4, base_channels=16, depth=4, padding="same", normalisation="instance")


# ---- the 2D paper (arXiv 1505.04597)


def test_the_paper_s_network_has_its_parameters_and_layers():
    network = UNet(1, 2)
    assert parameters(network) == 31_030_658
    convolutions = [
        part for part in network.modules() if isinstance(part, (torch.nn.Conv2d, torch.nn.ConvTranspose2d))
    ]
    assert len(convolutions) == 23


def test_572_becomes_388_as_in_figure_1():
    assert UNet(1, 2).output_size((572, 572)) == (388, 388)
    # the real thing, with fewer channels so that it is quick; the two edges differ
    network = UNet(1, 2, base_channels=2)
    with torch.no_grad():
        assert network(torch.zeros(1, 1, 572, 252)).shape == (1, 2, 388, 68)


def test_valid_inputs_of_the_paper_are_12_mod_16():
    network = UNet(1, 2, base_channels=1)
    for edge in range(185, 260):
        if edge % 16 == 12 and edge >= 188:
            assert network.output_size((edge,)) == (edge - 184,)
        else:
            with pytest.raises(ValueError, match="does not fit"):
                network.output_size((edge,))


def test_a_wrong_size_names_the_nearest_right_ones():
    with pytest.raises(ValueError, match="edge of 570 .* 556 or 572"):
        UNet(1, 2, base_channels=1)(torch.zeros(1, 1, 572, 570))
    with pytest.raises(ValueError, match="edge of 20 .* 188$"):
        UNet(1, 2, base_channels=1).output_size((20, 20))
    with pytest.raises(ValueError, match="edge of 90 .* 88 or 96"):
        lab_network()(torch.zeros(1, 4, 96, 90))


def test_valid_padding_predicts_only_what_it_has_seen_whole():
    """Shifting the input by the total stride shifts the output: no zero was ever put around a feature map."""
    torch.manual_seed(0)
    network = UNet(1, 2, base_channels=2, depth=3).double()
    image = torch.randn(1, 1, 92, 60, dtype=torch.float64)
    whole, part = network(image), network(image[:, :, 4:-4, 8:])
    torch.testing.assert_close(part, whole[:, :, 4:-4, 8:])


# ---- the 3D paper (arXiv 1606.06650)


def test_the_3d_paper_s_network():
    network = UNet(3, 3, dims=3, base_channels=32, depth=4, normalisation="batch", double_before_pooling=True)
    normalisation = sum(
        parameters(part) for part in network.modules() if isinstance(part, torch.nn.BatchNorm3d)
    )
    assert parameters(network) - normalisation == 19_069_955
    assert network.output_size((132, 132, 116)) == (44, 44, 28)


def test_3d_forward_on_unequal_edges():
    network = UNet(3, 3, dims=3, base_channels=1, depth=4, normalisation="batch", double_before_pooling=True)
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 108, 92, 100)).shape == (1, 3, 20, 4, 12)


# ---- the lab's network


def test_the_lab_s_network_is_small_and_keeps_the_size():
    network = lab_network()
    assert parameters(network) == 483_636
    assert network(torch.zeros(2, 4, 40, 24)).shape == (2, 4, 40, 24)
    assert not any(isinstance(part, torch.nn.ReLU) for part in network.modules())


def test_gradients_reach_every_weight_but_the_biases_that_normalisation_cancels():
    torch.manual_seed(0)
    network = lab_network().double()
    network(torch.randn(2, 4, 16, 24, dtype=torch.float64)).square().sum().backward()
    for name, weight in network.named_parameters():
        if name.endswith("weight"):
            assert weight.grad.abs().max() > 1e-6, name


@pytest.mark.parametrize("dims", [2, 3])
def test_the_skip_connections_alone_tell_two_images_apart(dims):
    torch.manual_seed(0)
    network = UNet(1, 2, dims=dims, base_channels=8, depth=2, padding="same")
    images = torch.randn(2, 1, *(8, 12, 4)[:dims])
    with torch.no_grad():
        network.upsamplers[0].weight.zero_()  # nothing comes from below any more
        one, other = network(images)
    assert (one - other).abs().max() > 1e-3


def test_a_single_level_is_two_convolutions_and_a_head():
    assert UNet(1, 2, depth=1, base_channels=3).output_size((7, 9)) == (3, 5)


def test_centre_crop_takes_the_middle():
    features = torch.arange(30.0).reshape(1, 1, 5, 6)
    assert centre_crop(features, (3, 2)).tolist() == [[[[8.0, 9.0], [14.0, 15.0], [20.0, 21.0]]]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dims": 4}, "dims is 4"),
        ({"padding": "reflect"}, "padding is 'reflect'"),
        ({"normalisation": "group"}, "normalisation is 'group'"),
        ({"depth": 0}, "depth 0"),
        ({"base_channels": 0}, "base_channels 0"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        UNet(1, 2, **arguments)


def test_wrong_channels_and_dimensions_are_named():
    with pytest.raises(ValueError, match=r"\(1, 3, 16, 16\): expected \(N, 4, X, Y\)"):
        lab_network()(torch.zeros(1, 3, 16, 16))
    with pytest.raises(ValueError, match=r"expected \(N, 4, X, Y\)"):
        lab_network()(torch.zeros(4, 16, 16))
