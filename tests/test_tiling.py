"""Tile by tile equals the whole image, where it must; streaming, small images, weights, errors."""

from __future__ import annotations

import functools
import itertools
import math
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from course_utils.networks.unet import UNet
from course_utils.tiling import (
    extract_tile,
    mirrored,
    plan_tiles,
    predicted_slabs,
    sliding_window_inference,
    tile_weights,
)


def unet(dims: int, padding: str, depth: int = 2, **options) -> UNet:
    """With weights that pass on what they get: PyTorch's own would hide most of what happens at a border."""
    torch.manual_seed(depth)
    network = UNet(2, 3, dims=dims, base_channels=2, depth=depth, padding=padding, **options).eval()
    for parameter in network.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=(1.5 / parameter[0].numel()) ** 0.5)
    return network


def picture(*size: int, channels: int = 2, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(channels, *size)).astype(np.float32)


def run(network: nn.Module, image: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return network(torch.from_numpy(np.ascontiguousarray(image))[None])[0].numpy()


def whole_valid(network: UNet, image: np.ndarray) -> np.ndarray:
    """The whole image at once, with mirrored borders as wide as the network needs (a multiple at the end)."""
    widths = [(0, 0)]
    for n in image.shape[1:]:
        edge = n
        while True:
            try:
                (leaving,) = network.output_size([edge])
            except ValueError:
                leaving = 0
            if leaving >= n:
                break
            edge += 1
        margin = (edge - leaving) // 2
        widths.append((margin, edge - n - margin))
    padded = np.pad(image, widths, mode="reflect")
    return run(network, padded)[(slice(None), *map(slice, image.shape[1:]))]


def compare(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.dtype == np.float32 and found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-5)


# ---- exactness

SETTINGS = settings(max_examples=40, deadline=None)
weighting = st.sampled_from(["gaussian", "uniform"])


@SETTINGS
@given(
    size=st.tuples(st.integers(1, 50), st.integers(1, 50)),
    tile=st.tuples(st.integers(10, 20), st.integers(10, 20)),
    overlap=st.floats(0, 0.95),
    weights=weighting,
    batch_size=st.integers(1, 5),
)
def test_a_valid_network_in_2d_is_exact(size, tile, overlap, weights, batch_size):
    network, image = unet(2, "valid"), picture(*size)
    tile = [2 * edge for edge in tile]  # 20 to 40: outputs of 4 to 24
    options = {"overlap": overlap, "weights": weights, "batch_size": batch_size, "progress": False}
    compare(sliding_window_inference(network, image, tile, **options), whole_valid(network, image))


@settings(max_examples=15, deadline=None)
@given(
    size=st.tuples(*[st.integers(1, 22)] * 3),
    tile=st.tuples(*[st.sampled_from([20, 22, 26])] * 3),
    overlap=st.floats(0, 0.6),
    weights=weighting,
    batch_size=st.integers(1, 3),
)
def test_a_valid_network_in_3d_is_exact(size, tile, overlap, weights, batch_size):
    network, image = unet(3, "valid"), picture(*size)
    options = {"overlap": overlap, "weights": weights, "batch_size": batch_size, "progress": False}
    compare(sliding_window_inference(network, image, tile, **options), whole_valid(network, image))


RADIUS = (
    10  # of unet(dims, "same", depth=2): 2 convolutions, 2 at half the resolution, 2 again: 2 + 4 + 2 + 2
)


@SETTINGS
@given(
    size=st.tuples(st.integers(1, 45), st.integers(1, 45)),
    tile=st.tuples(st.integers(11, 18), st.integers(11, 18)),
    overlap=st.floats(0, 0.9),
    weights=weighting,
    batch_size=st.integers(1, 4),
)
def test_a_padded_network_with_a_halo_is_exact(size, tile, overlap, weights, batch_size):
    """Also at the image's border, where tiles and the whole image see the same zeros."""
    network, image = unet(2, "same"), picture(*(2 * edge for edge in size))
    tile = [2 * edge for edge in tile]
    options = {"overlap": overlap, "weights": weights, "batch_size": batch_size, "progress": False}
    compare(sliding_window_inference(network, image, tile, halo=RADIUS, **options), run(network, image))


@settings(max_examples=8, deadline=None)
@given(size=st.tuples(*[st.integers(1, 15)] * 3), overlap=st.floats(0, 0.5), batch_size=st.integers(1, 3))
def test_a_padded_network_with_a_halo_is_exact_in_3d(size, overlap, batch_size):
    network, image = unet(3, "same"), picture(*(2 * edge for edge in size))
    found = sliding_window_inference(
        network, image, 24, halo=RADIUS, overlap=overlap, batch_size=batch_size, progress=False
    )
    compare(found, run(network, image))


@pytest.mark.parametrize("weights", ["gaussian", "uniform"])
def test_without_a_halo_a_padded_network_is_exact_where_its_field_lies_in_every_tile(weights):
    network, image = unet(2, "same"), picture(64, 64)
    found = sliding_window_inference(network, image, (64, 40), overlap=0.4, weights=weights, progress=False)
    expected = run(network, image)
    # Tiles begin in columns 0 and 24: before 24 and from 40 on there is one tile, RADIUS from its border.
    compare(found[:, :, :24], expected[:, :, :24])
    compare(found[:, :, 40:], expected[:, :, 40:])
    assert np.abs(found - expected)[:, :, 24:40].max() > 1e-3


def test_a_halo_smaller_than_the_receptive_radius_is_not_exact():
    network, image = unet(2, "same"), picture(64, 64)
    errors = []
    for halo in (2, 6, RADIUS):
        found = sliding_window_inference(network, image, 32, halo=halo, progress=False)
        errors.append(np.abs(found - run(network, image)).max())
    assert errors[0] > errors[1] > 1e-2 and errors[2] < 1e-5


def test_tiles_off_the_strides_grid_are_not_exact():
    network, image = unet(2, "valid", depth=3), picture(90, 90)
    expected = whole_valid(network, image)
    compare(sliding_window_inference(network, image, 60, overlap=0.1, progress=False), expected)
    shifted = sliding_window_inference(network, image, 60, overlap=0.1, stride=1, progress=False)
    assert np.abs(shifted - expected).max() > 1e-3


def test_instance_normalisation_makes_tiles_depend_on_their_size():
    network, image = unet(2, "valid", normalisation="instance"), picture(40, 40)
    found = sliding_window_inference(network, image, 36, progress=False)
    assert np.abs(found - whole_valid(network, image)).max() > 1e-3


def test_batch_normalisation_in_evaluation_mode_is_exact_and_the_mode_is_restored():
    network, image = unet(2, "valid", normalisation="batch"), picture(40, 40)
    with torch.no_grad():
        network.train()(torch.randn(4, 2, 40, 40))
    expected = whole_valid(network.eval(), image)
    compare(sliding_window_inference(network.train(), image, 36, progress=False), expected)
    assert network.training


def test_a_network_of_float64_answers_in_float64():
    network, image = unet(2, "valid").double(), picture(30, 30).astype(float)
    found = sliding_window_inference(network, image, 36, overlap=0.5, progress=False)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, whole_valid(network, image), atol=1e-12)


# ---- any network, any image


class Plain(nn.Sequential):
    """No ``dims``, no ``output_size``: convolutions and a pooling in a row, and back up."""

    def __init__(self):
        torch.manual_seed(0)
        super().__init__(
            nn.Conv2d(2, 4, 3, padding=1),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 4, 3, padding=1, stride=2),
            nn.ReLU(),
            nn.ConvTranspose2d(4, 3, 4, stride=4),
        )


def test_a_network_that_says_nothing_of_itself_is_measured_on_zeros():
    network, image = Plain().train(), picture(48, 60)
    found = sliding_window_inference(network, image, 24, halo=7, progress=False)
    compare(found, run(network, image))
    assert network.training


@pytest.mark.parametrize("kind", [np.int16, ">f4", np.float64, np.uint8])
def test_images_of_any_type(kind):
    image = (20 * picture(30, 30)).clip(0, 255).astype(kind)
    network = unet(2, "valid")
    expected = whole_valid(network, image.astype(np.float32))
    found = sliding_window_inference(network, image, 36, progress=False)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


def test_tensors_are_images_and_results():
    network, image = unet(2, "valid"), torch.from_numpy(picture(30, 30))
    out = torch.full((3, 30, 30), np.nan)
    assert sliding_window_inference(network, image, 36, out=out, progress=False) is out
    compare(out.numpy(), whole_valid(network, image.numpy()))


def test_memory_mapped_image_and_result(tmp_path):
    """A Fortran-ordered image on disk, as NIfTI files are; the result goes to disk in half precision."""
    image = picture(50, 44)
    source = np.memmap(tmp_path / "image", np.float32, "w+", shape=image.shape, order="F")
    source[:] = image
    source = np.memmap(tmp_path / "image", np.float32, "r", shape=image.shape, order="F")
    out = np.lib.format.open_memmap(tmp_path / "out.npy", "w+", np.float16, (3, 50, 44))
    network = unet(2, "valid")
    assert sliding_window_inference(network, source, 36, overlap=0.3, out=out, progress=False) is out
    expected = whole_valid(network, image)
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, rtol=1e-3, atol=1e-3)


# ---- streaming


class Accessed:
    """An image that notes which part of it is read."""

    def __init__(self, image):
        self.image, self.shape, self.read = image, image.shape, []

    def __getitem__(self, box):
        piece = self.image[box]
        self.read.append(piece.shape[1:])
        return piece


def test_only_tiles_of_the_image_are_read():
    image = Accessed(picture(200, 30))
    sliding_window_inference(unet(2, "valid"), image, 36, progress=False)
    assert len(image.read) == 10 * 2 and max(edge for shape in image.read for edge in shape) <= 36


@pytest.mark.parametrize("overlap", [0.0, 0.5, 0.7])
def test_slabs_come_in_order_and_once(overlap):
    network, image = unet(2, "valid"), picture(75, 30)
    rows, logits = zip(
        *[
            (rows, slab.copy())
            for rows, slab in predicted_slabs(network, image, 36, overlap=overlap, progress=False)
        ]
    )
    assert [piece.start for piece in rows] == [0, *(piece.stop for piece in rows[:-1])]
    assert rows[-1].stop == 75 and len(rows) > 3
    compare(np.concatenate(logits, axis=1), whole_valid(network, image))


class Constant(nn.Module):
    """Three logits of 1 everywhere, without memory of its own: what is left is the tiling's."""

    dims = 3

    def forward(self, image):
        return torch.ones(1).expand(len(image), 3, *image.shape[2:])


class Endless:
    """An image of zeros of any depth that needs no memory."""

    def __init__(self, *shape):
        self.shape = shape

    def __getitem__(self, box):
        edges = [side.stop - side.start for side in box[1:]]
        return np.broadcast_to(np.float32(0), (self.shape[0], *edges))


class Sink:
    """A result that keeps its sum only."""

    def __init__(self, *shape):
        self.shape, self.sum = shape, 0.0

    def __setitem__(self, box, values):
        self.sum += float(values.sum())


def peak(function) -> int:
    """Bytes that NumPy had allocated at once, at most."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_depth_of_the_volume():
    def stream(depth):
        sink = Sink(3, depth, 48, 48)
        sliding_window_inference(Constant(), Endless(1, depth, 48, 48), 16, out=sink, progress=False)
        assert sink.sum == pytest.approx(3 * depth * 48 * 48, rel=1e-5)

    stream(16)
    shallow, deep = peak(lambda: stream(64)), peak(lambda: stream(512))
    slab = 3 * 16 * 48 * 48 * 4
    assert deep < 1.1 * shallow and shallow < 2.5 * slab


def test_without_out_the_result_is_all_that_grows():
    """No map of counts, no padded copy, no second result."""

    def compute(depth):
        sliding_window_inference(Constant(), Endless(1, depth, 48, 48), 16, progress=False)

    compute(16)
    shallow, deep = peak(lambda: compute(64)), peak(lambda: compute(256))
    result = 3 * (256 - 64) * 48 * 48 * 4
    assert result <= deep - shallow < 1.05 * result


# ---- weights


def test_gaussian_weights_have_no_floor():
    weights = tile_weights(64, "gaussian")
    np.testing.assert_allclose(weights, weights[::-1])
    assert weights[0] == pytest.approx(math.exp(-0.5 * (31.5 / 8) ** 2)) and weights[0] < 1e-3
    assert (np.diff(weights[:32]) > 0).all()
    corner = math.prod([weights[0]] * 3)
    assert 0 < np.float32(corner) < 1e-9


class Told(nn.Module):
    """Each tile answers with its own value in its outermost pixels and 0 elsewhere."""

    dims = 2

    def forward(self, image):
        answer = torch.ones_like(image)
        answer[..., 1:-1, 1:-1] = 0
        return answer


def test_uniform_weights_are_the_mean_and_gaussian_ones_trust_the_middle_of_a_tile():
    """Two tiles of 16 share 8 pixels; where one ends, at its border, the other one is in its middle."""
    image = np.ones((1, 16, 24), np.float32)
    uniform = sliding_window_inference(Told(), image, 16, overlap=0.5, weights="uniform", progress=False)
    gaussian = sliding_window_inference(Told(), image, 16, overlap=0.5, weights="gaussian", progress=False)
    assert uniform[0, 8, 8] == pytest.approx(0.5) and uniform[0, 8, 15] == pytest.approx(0.5)
    weights = tile_weights(16, "gaussian")
    expected = weights[0] / (weights[0] + weights[8])
    assert gaussian[0, 8, 8] == pytest.approx(expected, rel=1e-5) and expected < 0.01
    assert uniform[0, 8, 0] == gaussian[0, 8, 0] == 1 and uniform[0, 8, 12] == 0


# ---- the plan


@SETTINGS
@given(
    n=st.integers(1, 200),
    output=st.integers(1, 60),
    margin=st.integers(0, 20),
    overlap=st.floats(0, 0.99),
    halo=st.integers(0, 10),
    stride=st.sampled_from([1, 2, 4, 8]),
)
def test_tiles_begin_on_the_grid_and_leave_no_pixel_out(n, output, margin, overlap, halo, stride):
    try:
        tiling = plan_tiles(
            [n], output + 2 * margin, margin=margin, overlap=overlap, halo=halo, stride=stride
        )
    except ValueError:
        assert output - 2 * halo < stride and n > output - stride
        return
    (starts,), (edge,) = tiling.starts, tiling.output
    assert starts[0] == 0 and all(start % stride == 0 for start in starts)
    assert edge <= output and (output - edge) % stride == 0 and edge >= min(n, output)
    assert n <= starts[-1] + edge < n + stride or len(starts) == 1
    for first, second in itertools.pairwise(starts):
        assert first + edge - halo >= second + halo  # no gap between what is used of them
        assert second - first <= max(stride, edge * (1 - overlap))


def test_what_a_tiling_costs_by_hand():
    """The 3D U-Net on 240 x 240 x 155: tiles of 132 x 132 x 116 answer for 44 x 44 x 28."""
    plan = functools.partial(plan_tiles, (240, 240, 155), (132, 132, 116), margin=44)
    tiling = plan()
    assert tiling.output == (44, 44, 28) and tiling.number == 6 * 6 * 6
    assert tiling.redundancy == pytest.approx(216 * 132 * 132 * 116 / (240 * 240 * 155))
    assert tiling.slab == (44, 240, 155)
    # On the grid of three poolings they advance by 40, 40, 24 instead of 44, 44, 28.
    aligned = plan(stride=8)
    assert aligned.starts[0] == (0, 40, 80, 120, 160, 200) and aligned.number == 6 * 6 * 7


def test_a_plan_is_what_is_run():
    network = unet(2, "valid")
    shapes = []
    network.register_forward_hook(lambda module, args, result: shapes.append(tuple(args[0].shape[2:])))
    sliding_window_inference(network, picture(50, 23), (36, 40), overlap=0.2, progress=False)
    tiling = plan_tiles((50, 23), (36, 40), margin=8, overlap=0.2, stride=2)
    assert shapes == [tiling.tile] * tiling.number and tiling.tile == (36, 40)


def test_tiles_of_a_batch_go_through_together():
    network = unet(2, "valid")
    sizes = []
    network.register_forward_hook(lambda module, args, result: sizes.append(len(args[0])))
    sliding_window_inference(network, picture(40, 100), 36, batch_size=4, progress=False)
    assert sizes == [4, 1] * 2


# ---- reading tiles


@SETTINGS
@given(n=st.integers(1, 9), before=st.integers(0, 30), after=st.integers(0, 30))
def test_mirrored_positions_are_numpys_reflection(n, before, after):
    expected = np.pad(np.arange(n), (before, after), mode="reflect")
    np.testing.assert_array_equal(mirrored(np.arange(-before, n + after), n), expected)


def test_a_tile_outside_of_the_image_is_mirrored_and_one_inside_is_no_copy():
    image = picture(7, 9, 5)
    padded = np.pad(image, [(0, 0), (4, 4), (4, 4), (4, 4)], mode="reflect")
    np.testing.assert_array_equal(extract_tile(image, (-4, 2, -1), (15, 8, 6)), padded[:, :15, 6:14, 3:9])
    assert np.shares_memory(extract_tile(image, (1, 2, 0), (3, 3, 5)), image)


# ---- errors


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tile": 37}, "an edge of 37 does not fit .* the nearest that fits is 36 or 38"),
        ({"tile": (36, 36, 36)}, "tile is .*2 of them, one an axis"),
        ({"tile": 0}, "tile is 0: expected a whole number of at least 1"),
        ({"tile": 36.5}, "tile is 36.5"),
        ({"image": picture(30, 30)[0]}, r"shape \(30, 30\): expected \(C, X, Y\)"),
        ({"image": picture(30, 30)[None]}, r"shape \(1, 2, 30, 30\): expected \(C, X, Y\), without a batch"),
        ({"image": picture(30, 30, channels=3)}, r"shape \(1, 3, 36, 36\): expected \(N, 2, X, Y\)"),
        ({"image": np.full((2, 30, 30), np.nan)}, r"NaN or infinity in the tile of \(36, 36\) at \(-8, -8\)"),
        ({"overlap": 1.0}, "overlap is 1.0: it is a share"),
        ({"overlap": -0.1}, "overlap is -0.1"),
        ({"weights": "triangle"}, 'weights is \'triangle\': choose "gaussian" or "uniform"'),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"halo": 10}, "a halo of 10 on each side leaves 0 of 20 pixels"),
        ({"halo": -1}, "halo is -1"),
        ({"stride": 0}, "stride is 0"),
        ({"out": np.zeros((3, 30, 31))}, r"out has shape \(3, 30, 31\): expected \(3, 30, 30\)"),
    ],
)
def test_what_does_not_fit_is_named(changes, message):
    arguments = {"image": picture(30, 30), "tile": 36, "progress": False, **changes}
    with pytest.raises(ValueError, match=message):
        sliding_window_inference(unet(2, "valid"), **arguments)


class Answers(nn.Module):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, image):
        return self.answer(image)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda image: image * torch.nan, "the network's logits hold NaN"),
        (lambda image: (image, image), "answer is tuple: expected one tensor"),
        (lambda image: image.mean(dim=(2, 3)), r"answer is \(1, 2\): expected one tensor"),
        (lambda image: image[..., 1:], r"turns a tile of \(8, 8\) into \(8, 7\): .* an even number"),
        (lambda image: image.repeat(1, 1, 2, 2), r"turns a tile of \(8, 8\) into \(16, 16\)"),
    ],
)
def test_a_network_whose_answer_is_no_use_is_named(answer, message):
    with pytest.raises(ValueError, match=message):
        sliding_window_inference(Answers(answer), picture(20, 20), 8, progress=False)


def test_the_mode_is_restored_after_an_error():
    network = unet(2, "valid").train()
    with pytest.raises(ValueError, match="NaN"):
        sliding_window_inference(network, np.full((2, 30, 30), np.nan), 36, progress=False)
    assert network.training


def test_the_progress_bar_counts_tiles(capsys):
    sliding_window_inference(unet(2, "valid"), picture(50, 50), 36, progress=True)
    assert "9/9" in capsys.readouterr().err
    sliding_window_inference(unet(2, "valid"), picture(50, 50), 36, progress=False)
    assert capsys.readouterr().err == ""
