"""Exercises of notebook 03: the ways up, their artefacts, and skip connections.

The oracles are PyTorch's own operations, SciPy, or another way to the same number; parameter counts are those
of published networks.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from course_utils.checking import Checker, Trial
from course_utils.checking.samples import numbers

check = Checker("upsampling")


def _matrix(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


# ---- 1. Three ways without weights


def _kron(x: Tensor, block: Tensor) -> Tensor:
    """Every value of ``x`` (height, width) times ``block``, at its place."""
    return torch.kron(x, block.to(x.dtype))


@check.exercise(
    oracle=lambda x, factor: F.interpolate(x[None, None], scale_factor=factor, mode="nearest")[0, 0],
    hints=(
        "Every value fills a square of factor x factor pixels. Which value of x does output pixel (r, c) "
        "show?",
        "Output pixel (r, c) shows x[r // factor, c // factor]. Or: repeat each row, then each column.",
        "`x.repeat_interleave(factor, dim=0)` repeats each row `factor` times in place; the same with dim=1 "
        "for the columns.",
    ),
    why={
        (lambda x, factor: x.repeat(factor, factor)): (
            "You tiled the image: `repeat` puts whole copies side by side. Each *value* has to be repeated "
            "at its own place."
        ),
        (
            lambda x, factor: x.repeat_interleave(factor, dim=0)
        ): "Only the rows were repeated: the columns have to be, too.",
        (
            lambda x, factor: x.repeat_interleave(factor, dim=1)
        ): "Only the columns were repeated: the rows have to be, too.",
        (lambda x, factor: _nails(x, factor)): (
            "That is bed of nails: the other pixels of each square are zero. Nearest neighbour fills them "
            "with the same value."
        ),
        (lambda x, factor: _kron(x, torch.ones(factor, factor)) / factor**2): (
            "The values were shared out, each pixel got value / factor^2. Nearest neighbour copies the value"
            " itself."
        ),
        (lambda x, factor: F.interpolate(x[None, None], scale_factor=factor, mode="bilinear")[0, 0]): (
            "That is bilinear interpolation: it makes up values in between. Nearest neighbour only copies."
        ),
        (
            lambda x, factor: x[_rounded(x.shape[0], factor)][:, _rounded(x.shape[1], factor)]
        ): "You rounded r / factor: round *down*, r // factor, or the squares are shifted.",
    },
)
def nearest_neighbour(trial: Trial) -> None:
    trial.signature("x", "factor")
    slide = _matrix([1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4])
    trial.case(_matrix([1, 2], [3, 4]), 2, expected=slide)
    trial.case(numbers(2, 3, seed=1), 3)
    trial.case(numbers(4, 1, seed=2), 4)
    trial.case(numbers(3, 2, seed=3), 1)


def _rounded(size: int, factor: int) -> Tensor:
    return (torch.arange(size * factor) / factor).round().long().clamp(max=size - 1)


def _nails(x: Tensor, factor: int, offset: int = 0) -> Tensor:
    block = torch.zeros(factor, factor)
    block[offset, offset] = 1
    return _kron(x, block)


def _without_trailing_zeros(board: Tensor, factor: int) -> Tensor:
    return board[: board.shape[0] - factor + 1, : board.shape[1] - factor + 1]


@check.exercise(
    oracle=lambda x, factor: F.conv_transpose2d(
        x[None, None], x.new_ones(1, 1, 1, 1), stride=factor, output_padding=factor - 1
    )[0, 0],
    hints=(
        "The result is `factor` times as high and as wide, and nearly all zero. Where do the values stand?",
        "Value x[i, j] stands at row i * factor, column j * factor: in the top left corner of its square.",
        "`result = x.new_zeros(height * factor, width * factor)`, then `result[::factor, ::factor] = x`.",
    ),
    why={
        (lambda x, factor: _nails(x, factor, factor - 1)): (
            "The nails stand in the wrong corner: the value belongs to the top left pixel of each square."
        ),
        (
            lambda x, factor: _kron(x, torch.ones(factor, factor))
        ): "That is nearest neighbour: all pixels but the top left one of each square must be zero.",
        (lambda x, factor: _without_trailing_zeros(_nails(x, factor), factor)): (
            "After the last nail, zeros are missing: the result is `factor` times as large as the input."
        ),
        (lambda x, factor: _nails(x, factor + 1)): (
            "There are `factor` zeros between two nails: it must be factor - 1, so that nails are `factor` "
            "apart."
        ),
    },
)
def bed_of_nails(trial: Trial) -> None:
    trial.signature("x", "factor")
    slide = _matrix([1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0])
    trial.case(_matrix([1, 2], [3, 4]), 2, expected=slide)
    trial.case(numbers(2, 3, seed=4), 3)
    trial.case(numbers(4, 1, seed=5), 4)
    trial.case(numbers(3, 2, seed=6), 1)


def _max_pool(x: Tensor, size: int) -> tuple[Tensor, Tensor]:
    values, indices = F.max_pool2d(x[None, None], size, return_indices=True)
    return values[0, 0], indices[0, 0]


def _windows(x: Tensor, size: int) -> Tensor:
    """(rows, columns, size * size): the windows, each in reading order."""
    return x.unfold(0, size, size).unfold(1, size, size).flatten(2)


def _indices_in_window(x: Tensor, size: int) -> tuple[Tensor, Tensor]:
    values, places = _windows(x, size).max(dim=2)
    return values, places


def _indices_by(x: Tensor, size: int, row_length: int) -> tuple[Tensor, Tensor]:
    return _indices_as(x, size, lambda row, column: row * row_length + column)


def _indices_as(x: Tensor, size: int, index: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    values, indices = _max_pool(x, size)
    return values, index(indices // x.shape[1], indices % x.shape[1])


def _begun_with_zero(x: Tensor, size: int) -> tuple[Tensor, Tensor]:
    values, indices = _max_pool(x, size)
    return values.clamp(min=0), torch.where(values < 0, 0, indices)


def _searched_everywhere(x: Tensor, size: int) -> tuple[Tensor, Tensor]:
    values, _ = _max_pool(x, size)
    return values, (x.flatten() == values[..., None]).int().argmax(dim=2)


def _last_of_equals(x: Tensor, size: int) -> tuple[Tensor, Tensor]:
    values, indices = _max_pool(x.flip(0, 1), size)
    return values.flip(0, 1), x.numel() - 1 - indices.flip(0, 1)


@check.exercise(
    oracle=_max_pool,
    hints=(
        "Two things to return: the largest value of each window, and where *in the whole plane* it stood.",
        "Loop over the windows. `int(window.argmax())` is the place within the window, in reading order: "
        "`p, q = divmod(place, size)` are its row and column there.",
        "The window of output (i, j) begins at row i * size, column j * size. So the index is "
        "(i * size + p) * width + (j * size + q).",
    ),
    why={
        _indices_in_window: (
            "Those are places within each window, 0 to size^2 - 1. The indices count pixels of the whole "
            "plane: row * width + column."
        ),
        (
            lambda x, size: _indices_by(x, size, x.shape[0])
        ): "You multiplied the row by the height: a row of the plane has `width` pixels.",
        (
            lambda x, size: (
                _max_pool(x, size)[0],
                torch.arange(x.numel() // size**2).reshape(x.shape[0] // size, x.shape[1] // size),
            )
        ): (
            "You counted in the small image: the indices must say where the maximum stood in the *large* one."
        ),
        _last_of_equals: "Where a window has several equal maxima, take the first in reading order, as PyTorch does.",
        (
            lambda x, size: (x.flatten()[_max_pool(x.abs(), size)[1]], _max_pool(x.abs(), size)[1])
        ): "The largest *absolute* value is taken: max pooling takes the largest value, -1 before -2.",
        (
            lambda x, size: _max_pool(x, size)[::-1]
        ): "Values and indices are swapped: return the values first.",
        _begun_with_zero: (
            "A window may hold only negative values: begin with its first value or -infinity, not with 0."
        ),
        _searched_everywhere: "The same value can stand in two windows: look inside the window only.",
        (
            lambda x, size: _indices_as(x, size, lambda row, column: column * x.shape[0] + row)
        ): "You counted column by column: pixels are counted in reading order, row * width + column.",
        (
            lambda x, size: _indices_as(x, size, lambda row, column: row % size * x.shape[1] + column % size)
        ): "The window's own start is missing: its first row is i * size, its first column j * size.",
        (lambda x, size: _indices_by(x, size, x.shape[1] // size)): (
            "You multiplied the row by the width of the pooled plane: a row of the *large* one has `width` "
            "pixels."
        ),
        (
            lambda x, size: (_max_pool(x, size)[0], _max_pool(x, size)[1] + 1)
        ): "You counted from 1: the first pixel has the number 0.",
    },
)
def max_pool_with_indices(trial: Trial) -> None:
    trial.signature("x", "size")
    slide = _matrix([1, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8])
    trial.case(slide, 2, expected=(_matrix([5, 6], [7, 8]), torch.tensor([[5, 2], [12, 15]])))
    trial.case(numbers(4, 6, seed=7), 2)
    trial.case(numbers(9, 6, seed=8), 3)
    trial.case(_matrix([0, 0, 1, 1], [0, 0, 0, 1]), 2)
    trial.case(_matrix([-3, -1, 2, 1], [-2, -4, 0, 2], [2, 0, -5, -6], [1, 2, -7, 3]), 2)


def _max_unpool(values: Tensor, indices: Tensor, height: int, width: int) -> Tensor:
    """By scatter; PyTorch's own max_unpool2d serves in the notebook."""
    flat = values.new_zeros(height * width).scatter(0, indices.flatten(), values.flatten())
    return flat.reshape(height, width)


@check.exercise(
    oracle=_max_unpool,
    hints=(
        "Begin with a plane of zeros of the full size. Every value goes to the place that its index names.",
        "An index counts pixels in reading order, so it is easiest to write into a *flat* plane of height * "
        "width zeros, and to give it its shape at the end.",
        "`flat = values.new_zeros(height * width)`, `flat[indices.flatten()] = values.flatten()`, then "
        "reshape to (height, width).",
    ),
    why={
        (lambda values, indices, height, width: _nails(values, height // values.shape[0])): (
            "The values stand in the top left corners of their squares, as on a bed of nails: use the "
            "indices."
        ),
        (
            lambda values, indices, height, width: _kron(
                values, torch.ones(height // values.shape[0], width // values.shape[1])
            )
        ): "Each value fills its whole square: all places but the remembered one stay zero.",
        (
            lambda values, indices, height, width: _max_unpool(values, indices, width, height).T
        ): "Rows and columns are swapped: index m is row m // width, column m % width.",
        (
            lambda values, indices, height, width: _by_height(values, indices, height, width)
        ): "You took rows of `height` pixels: index m is row m // width, column m % width.",
        (
            lambda values, indices, height, width: _max_unpool(values, indices, height, width).flatten()
        ): "The result is flat: give it the shape (height, width).",
        (
            lambda values, indices, height, width: _max_unpool(indices.double(), indices, height, width)
        ): "The indices themselves were written: the *values* go to the places that the indices name.",
        (lambda values, indices, height, width: _within_windows(values, indices, height, width)): (
            "You read the indices as places within the windows. They count the pixels of the whole plane: "
            "index m is row m // width, column m % width."
        ),
    },
)
def max_unpool(trial: Trial) -> None:
    trial.signature("values", "indices", "height", "width")
    top_row = _matrix([0, 1, 0, 2], [0, 0, 0, 0])
    trial.case(_matrix([1, 2]), torch.tensor([[1, 3]]), 2, 4, expected=top_row)
    slide = _matrix([0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4])
    trial.case(_matrix([1, 2], [3, 4]), torch.tensor([[5, 2], [12, 15]]), 4, 4, expected=slide)
    for height, width, size, seed in ((4, 6, 2, 9), (9, 6, 3, 10)):
        _, indices = _max_pool(numbers(height, width, seed=seed), size)
        trial.case(numbers(*indices.shape, seed=seed + 50), indices, height, width)


def _by_height(values: Tensor, indices: Tensor, height: int, width: int) -> Tensor:
    plane = values.new_zeros(height, width)
    for value, index in zip(values.flatten(), indices.flatten().tolist()):
        plane[index // height % height, index % height % width] = value
    return plane


def _within_windows(values: Tensor, indices: Tensor, height: int, width: int) -> Tensor:
    plane = values.new_zeros(height, width)
    size = width // values.shape[1]
    for (i, j), index in np.ndenumerate(indices.numpy()):
        plane[i * size + index // size, j * size + index % size] = values[i, j]
    return plane


check.number(
    "index_saving",
    answer=64,
    hints=(
        "Take one 2x2 window of one channel. What does a skip connection have to keep of it, what max "
        "unpooling?",
        "The feature map before the pooling has four float32 numbers there, 32 bits each. The remembered "
        "place is one of four.",
        "One of four places takes 2 bits. So: 4 * 32 bits against 2 bits.",
    ),
    why={
        16: "A window holds four numbers before the pooling, not one: 4 * 32 bits.",
        32: "One of four places needs 2 bits, not 4: with 2 bits you count from 0 to 3.",
        128: "That is how many bits the feature map takes. By what *factor* is it more than the place?",
        8: "You divided bytes by bits: a float32 number has 4 bytes, which are 32 bits.",
        2: "PyTorch stores an index in 64 bits, but how few would do?",
        1 / 64: "That is the wrong way round: how many times *more* does the feature map take?",
    },
)


# ---- 2. All of them are matrices

check.choice(
    "unpooling_matrices",
    answer="D",
    hints=(
        "Column m of a matrix is what becomes of an image that is 1 at pixel m and 0 elsewhere. How many "
        "pixels does each of the three ways write for one value? (Drawn lying: a column of the matrix is a "
        "line of the picture.)",
        "Nearest neighbour writes four pixels for each value, the two others one. So which picture is "
        "nearest neighbour's?",
        "A bed of nails always uses the top left corner of the square. Pixel 0 of the small image then goes "
        "to pixel 0 of the large one, and pixel 1 to pixel 2.",
    ),
    why={
        "A": "Nearest neighbour copies each value to four pixels: each of its *lines* (as drawn) holds four "
        "ones. In the first picture each line has one.",
        "B": "The second is right. But which of the others always uses the top left corner of its square? "
        "Look where the line of input pixel 0 has its one.",
        "C": "Count the ones in a line of the third picture: it writes one pixel for each value, and "
        "nearest neighbour writes four.",
    },
)


# ---- 3. Bilinear, with a fixed kernel


def _bilinear_kernel(factor: int) -> Tensor:
    """A box filter passed over itself: the triangle, for an even factor sampled between its corners."""
    # the triangle, two samples a pixel
    fine = np.convolve(np.ones(2 * factor), np.ones(2 * factor)) / (2 * factor)
    samples = fine[2 * factor - 1 - (2 * factor - factor % 2 - 1) :: 2][: 2 * factor - factor % 2]
    return torch.from_numpy(np.outer(samples, samples))


def _triangle(size: int, centre: float, width: float) -> Tensor:
    steps = torch.arange(size, dtype=torch.float64)
    line = (1 - (steps - centre).abs() / width).clamp(min=0)
    return line.outer(line)


@check.exercise(
    oracle=_bilinear_kernel,
    hints=(
        "First one dimension: a triangle of k = 2 * factor - factor % 2 weights. Where is its peak? Not "
        "always on a pixel.",
        "The middle of k pixels is c = (k - 1) / 2. Weight j is 1 - |j - c| / factor.",
        "`j = torch.arange(k, dtype=torch.float64)`, `line = 1 - (j - c).abs() / factor`; the square kernel "
        "is `line.outer(line)`.",
    ),
    why={
        (
            lambda factor: _triangle(2 * factor - factor % 2, factor, factor)
        ): "The centre is half a pixel off: the middle of k pixels, counted from 0, is (k - 1) / 2.",
        (lambda factor: _bilinear_kernel(factor) / factor**2): (
            "The weights are scaled to sum up to 1. The kernel is used with a stride: its weights have to "
            "sum up to factor^2, so that a constant image keeps its value."
        ),
        (
            lambda factor: _triangle(2 * factor, factor - 0.5, factor)
        ): "For an odd factor the kernel has 2 * factor - 1 weights.",
        (
            lambda factor: _triangle(2 * factor - factor % 2, factor - 0.5 - factor % 2 / 2, factor + 1)
        ): "The slope is wrong: the weights fall by 1 / factor from pixel to pixel.",
        (lambda factor: torch.sqrt(torch.diagonal(_bilinear_kernel(factor)))): (
            "This is one line of the kernel. The kernel is a square: the line times the line, "
            "`line.outer(line)`."
        ),
        (lambda factor: _sum_of_lines(factor)): "The two triangles are added: bilinear means their product.",
        (lambda factor: _triangle(2 * factor - factor % 2, factor - 1, factor)): (
            "The centre is rounded down: the middle of an even number of weights lies between two of them, "
            "at (k - 1) / 2."
        ),
        (
            lambda factor: _centred(factor, (2 * factor - factor % 2 - 1) / 2)
        ): "You divided by the centre c: the weights fall by 1 / factor from pixel to pixel.",
        (lambda factor: _centred(factor, 2 * factor - factor % 2)): (
            "You divided by the number of weights k: the weights fall by 1 / factor from pixel to pixel."
        ),
        (lambda factor: _bilinear_kernel(factor) / _bilinear_kernel(factor).max()): (
            "The peak is scaled to 1. With an even factor no weight is 1: the centre lies between two pixels."
        ),
    },
)
def bilinear_kernel(trial: Trial) -> None:
    trial.signature("factor")
    line = _matrix([1, 3, 3, 1])[0] / 4
    trial.case(2, expected=line.outer(line))
    line = _matrix([1, 2, 3, 2, 1])[0] / 3
    trial.case(3, expected=line.outer(line))
    for factor in (1, 4, 5, 8):
        trial.case(factor)


def _centred(factor: int, width: float) -> Tensor:
    size = 2 * factor - factor % 2
    return _triangle(size, (size - 1) / 2, width)


def _sum_of_lines(factor: int) -> Tensor:
    line = torch.sqrt(torch.diagonal(_bilinear_kernel(factor)))
    return (line[:, None] + line[None, :]) / 2


check.number(
    "fcn_heads",
    answer=134_362_751 - 134_346_581,  # FCN-8s and FCN-32s
    hints=(
        "A 1x1 convolution from c channels to 21 classes: how many weights for each class, and what besides?",
        "For each class c weights and a bias: (c + 1) * 21. There is one such layer on pool4 (512 channels) "
        "and one on pool3 (256 channels).",
        "(512 + 1) * 21 + (256 + 1) * 21",
    ),
    why={
        (512 + 256) * 21: "The biases are missing: each layer has 21 more numbers.",
        513 * 21: "That is the layer on pool4 alone, the step from 32s to 16s. 8s also has the one on pool3.",
        257 * 21: "That is the layer on pool3 alone, the step from 16s to 8s. The one on pool4 comes first.",
        (512 * 9 + 1 + 256 * 9 + 1) * 21: "These layers are 1x1, not 3x3: they only look at one pixel.",
        (512 + 256 + 1) * 21: "There is one bias for each class in *each* layer: you counted 21 only once.",
        134_362_751: "That is all of FCN-8s: how many *more* than FCN-32s?",
    },
)


# ---- 4. Transposed convolution: fill with zeros, then convolve


def _conv_transpose2d(
    x: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0, output_padding: int = 0
) -> Tensor:
    return F.conv_transpose2d(x[None, None], kernel[None, None], None, stride, padding, output_padding)[0, 0]


def _copies(x: Tensor, factor: int) -> Tensor:
    return _kron(x, torch.ones(factor, factor))


def _zero_filled(
    x: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0, output_padding: int = 0, **variant
) -> Tensor:
    """The description of the exercise, with the parts that go wrong left open."""
    spread = variant.get("spread", stride)
    filled = variant.get("fill", _nails)(x, spread)
    if not variant.get("trailing"):
        filled = _without_trailing_zeros(filled, spread)
    before = variant.get("before", lambda k: k - 1 - padding)
    extra = variant.get("extra", output_padding)
    first = variant.get("first", 0)
    top, left = before(kernel.shape[0]), before(variant.get("k2", kernel.shape[1]))
    if variant.get("swapped"):
        top, left = left, top
    padded = F.pad(filled, (left + first, left + extra, top + first, top + extra))
    weights = kernel if variant.get("unflipped") else kernel.flip(0, 1)
    return F.conv2d(padded[None, None], weights[None, None])[0, 0]


@check.exercise(
    oracle=_conv_transpose2d,
    hints=(
        "Three steps: fill, pad, slide. How many zeros come between two inputs? And in which direction does "
        "a sliding kernel write itself?",
        "Fill: values `stride` apart, ending with the last value. Pad: k - 1 - padding on every side, k for "
        "rows and columns apart, and output_padding more at the end. Slide: F.conv2d with the kernel "
        "flipped in both axes.",
        "bed_of_nails(x, stride) without its last stride - 1 rows and columns; F.pad(filled, (left, right, "
        "top, bottom)), with left = k2 - 1 - padding, right = left + output_padding, and top, bottom from "
        "k1; then F.conv2d with kernel.flip(0, 1).",
    ),
    why={
        (
            lambda x, kernel, stride=1, padding=0, output_padding=0: _zero_filled(
                x, kernel, stride, padding, output_padding, unflipped=True
            )
        ): "The kernel is not flipped: a kernel that slides writes itself backwards, a stamp forwards.",
        (
            lambda x, kernel, stride=1, padding=0, output_padding=0: _zero_filled(
                x, kernel, stride, padding, output_padding, trailing=True
            )
        ): (
            "Zeros after the last value: fill *between* the values only, (n - 1) * stride + 1 rows. What "
            "comes after, padding and output_padding decide."
        ),
        (
            lambda x, kernel, stride=1, padding=0, output_padding=0: _zero_filled(
                x, kernel, stride, padding, output_padding, before=lambda k: padding
            )
        ): (
            "You padded by `padding`, or not at all. It must be k - 1 - padding: a transposed convolution's "
            "padding cuts."
        ),
        (
            lambda x, kernel, stride=1, padding=0, output_padding=0: _zero_filled(
                x, kernel, stride, padding, output_padding, before=lambda k: k - 1
            )
        ): (
            "You always pad by k - 1: the transposed convolution's own padding has to be taken away from it."
        ),
        (
            lambda x, kernel, stride=1, padding=0, output_padding=0: _zero_filled(
                x, kernel, stride, padding, output_padding, extra=0
            )
        ): "output_padding is missing: pad that much more at the bottom and at the right.",
        (
            lambda x, kernel, stride=1, padding=0, output_padding=0: F.pad(
                _zero_filled(x, kernel, stride, padding, output_padding, extra=0),
                (0, output_padding, 0, output_padding),
            )
        ): (
            "output_padding appends no zeros to the *result*: pad more before the kernel slides, so that it "
            "is computed."
        ),
        (
            lambda x, kernel, stride=1, padding=0, output_padding=0: _zero_filled(
                x, kernel, stride, padding, output_padding, k2=kernel.shape[0]
            )
        ): (
            "The kernel needn't be square: its height decides the padding of the rows, its width that of the"
            " columns."
        ),
        (
            lambda x, kernel, stride=1, padding=0, output_padding=0: _zero_filled(
                x, kernel, stride, padding, output_padding, spread=stride + 1
            )
        ): "There are `stride` zeros between two values: it must be stride - 1.",
        (
            lambda x, kernel, stride=1, padding=0, output_padding=0: _zero_filled(
                x, kernel, stride, padding, output_padding, fill=_copies
            )
        ): ("You filled with copies of the values: that is nearest-neighbour fill, the lecture's other way."),
        (
            lambda x, kernel, stride=1, padding=0, output_padding=0: _zero_filled(
                x, kernel.flip(1), stride, padding, output_padding
            )
        ): "Only the rows of the kernel are flipped: its columns have to be, too.",
        (
            lambda x, kernel, stride=1, padding=0, output_padding=0: _zero_filled(
                x, kernel.flip(0), stride, padding, output_padding
            )
        ): "Only the columns of the kernel are flipped: its rows have to be, too.",
        (
            lambda x, kernel, stride=1, padding=0, output_padding=0: _zero_filled(
                x, kernel, stride, padding, output_padding, extra=0, first=output_padding
            )
        ): (
            "output_padding belongs at the end, at the bottom and at the right: you put it at the top and at"
            " the left."
        ),
        (
            lambda x, kernel, stride=1, padding=0, output_padding=0: _zero_filled(
                x, kernel, stride, padding, output_padding, swapped=True
            )
        ): "F.pad takes (left, right, top, bottom): you gave it top and bottom first.",
    },
)
def zero_fill_convolution(trial: Trial) -> None:
    trial.signature("x", "kernel", "stride", "padding", "output_padding")
    ones = _matrix([1, 1, 1], [1, 1, 1], [1, 1, 1])
    stamped = _matrix([1, 1, 3, 2, 2], [1, 1, 3, 2, 2], [4, 4, 10, 6, 6], [3, 3, 7, 4, 4], [3, 3, 7, 4, 4])
    trial.case(_matrix([1, 2], [3, 4]), ones, 2, expected=stamped)
    trial.case(numbers(2, 3, seed=11), numbers(2, 3, seed=12))
    trial.case(numbers(2, 3, seed=13), numbers(3, 3, seed=14), 2, 1)
    for (k1, k2), stride, padding, extra, seed in (
        ((3, 3), 2, 1, 1, 15), ((3, 5), 3, 1, 0, 16), ((4, 2), 2, 1, 0, 17), ((2, 3), 3, 0, 2, 18),
        ((5, 4), 1, 2, 0, 19),
    ):  # fmt: skip
        x, kernel = numbers(3, 4, seed=seed), numbers(k1, k2, seed=seed + 50)
        options = f"stride={stride}, padding={padding}, output_padding={extra}"
        label = f"zero_fill_convolution(x of (3, 4), kernel of ({k1}, {k2}), {options})"
        trial.case(x, kernel, stride, padding, extra, label=label)


check.number(
    "resize_cost",
    answer=8,
    hints=(
        "Where does the kernel slide: over the small volume, or over the enlarged one?",
        "The transposed convolution stamps the kernel once for each *input* voxel. The resize-convolution "
        "moves it to each *output* voxel.",
        "With stride 2 in three directions there are 2 * 2 * 2 output voxels for each input voxel.",
    ),
    why={
        4: "That is the factor in two dimensions: a volume doubles in three.",
        2: "A volume doubles in three directions, not one.",
        27: "27 is the number of weights. Both ways use all of them; how *often* does each use them?",
        1: ("The kernels are equal, but one slides over the small volume and the other over the large one."),
        1 / 8: "You divided the wrong way round: how many times *more* does the resize-convolution cost?",
        64: (
            "That is the smeared kernel, 4 * 4 * 4 weights for each input voxel. Here the given kernel "
            "slides over the enlarged volume."
        ),
    },
)


# ---- 5. Checkerboards


def _overlap_map(height: int, width: int, kernel: int, stride: int) -> Tensor:
    ones, weights = torch.ones(1, 1, height, width), torch.ones(1, 1, kernel, kernel)
    return F.conv_transpose2d(ones.double(), weights.double(), stride=stride)[0, 0]


def _padded_to(counts: Tensor, whole: Tensor) -> Tensor:
    return F.pad(counts, (0, whole.shape[1] - counts.shape[1], 0, whole.shape[0] - counts.shape[0]))


def _grown(counts: Tensor, height: int, width: int, stride: int) -> Tensor:
    """Cut or extended by zeros to stride * height, stride * width."""
    return F.pad(counts, (0, stride * width - counts.shape[1], 0, stride * height - counts.shape[0]))


@check.exercise(
    oracle=_overlap_map,
    hints=(
        "Each input stamps a square of kernel x kernel pixels; stamps are `stride` apart. Count, for each "
        "output pixel, how many stamps cover it.",
        "The map has (n - 1) * stride + kernel pixels along each axis. Loop over the inputs and add 1 "
        "wherever a stamp lies. Or think which transposed convolution counts.",
        "A transposed convolution of an image of ones with a kernel of ones, "
        "`F.conv_transpose2d(ones, kernel_of_ones, stride=stride)`, adds up a 1 for each stamp.",
    ),
    why={
        (
            lambda height, width, kernel, stride: _overlap_map(height, width, kernel, stride).clamp(max=1)
        ): "Only one stamp is counted where several overlap: add 1 for each, `+= 1`.",
        (
            lambda height, width, kernel, stride: _overlap_map(height, width, kernel, 1)
        ): "The stamps are one pixel apart: they must be `stride` apart.",
        (
            lambda height, width, kernel, stride: _grown(
                _overlap_map(height, width, kernel, stride), height, width, stride
            )
        ): "What sticks out at the end is missing: the last stamp ends at (n - 1) * stride + kernel.",
        (
            lambda height, width, kernel, stride: _overlap_map(height, width, stride, kernel)
        ): "Kernel and stride are swapped: stamps are `kernel` wide and `stride` apart.",
        (
            lambda height, width, kernel, stride: _overlap_map(width, height, kernel, stride)
        ): "Height and width are swapped.",
        (
            lambda height, width, kernel, stride: (
                _overlap_map(height, 1, kernel, stride)[:, :1] + _overlap_map(1, width, kernel, stride)[:1]
            )
        ): "The counts of rows and columns are added: a pixel's count is their product.",
        (
            lambda height, width, kernel, stride: _padded_to(
                _overlap_map(-(-height // stride), -(-width // stride), kernel, stride),
                _overlap_map(height, width, kernel, stride),
            )
        ): (
            "Stamps are missing: with range(0, height, stride) you skip inputs. There are `height` stamps in"
            " a column, and number i begins at i * stride."
        ),
        (
            lambda height, width, kernel, stride: (
                _overlap_map(height, 1, kernel, stride)[:, :1]
                * torch.ones_like(_overlap_map(1, width, kernel, stride)[:1])
            )
        ): "Only the rows are counted: stamps overlap along the columns as well.",
        (
            lambda height, width, kernel, stride: _padded_to(
                _overlap_map(height, 1, kernel, stride)[:, :1] * _overlap_map(1, width, kernel, 1)[:1],
                _overlap_map(height, width, kernel, stride),
            )
        ): "The stamps are `stride` apart from row to row, but only one pixel from column to column.",
    },
)
def overlap_map(trial: Trial) -> None:
    trial.signature("height", "width", "kernel", "stride")
    hand = _matrix([1, 1, 2, 1, 1], [1, 1, 2, 1, 1], [2, 2, 4, 2, 2], [1, 1, 2, 1, 1], [1, 1, 2, 1, 1])
    trial.case(2, 2, 3, 2, expected=hand)
    for setting in ((3, 4, 3, 2), (4, 3, 4, 2), (2, 5, 5, 3), (3, 2, 2, 3), (4, 5, 3, 1), (3, 3, 1, 2)):
        trial.case(*setting)


def _is_clean(kernel: int, stride: int) -> bool:
    """By counting: whether all pixels that lie far enough from the border get equally many stamps."""
    counts = _overlap_map(20, 1, kernel, stride)[:, 0]
    return len(set(counts[kernel : 19 * stride].tolist())) == 1


@check.exercise(
    oracle=_is_clean,
    hints=(
        "In one dimension pixel m is covered by the inputs i with 0 <= m - i * stride < kernel. Does the "
        "number of such i depend on m?",
        "Pixel m uses the kernel's weights m % stride, m % stride + stride, ... : those of one remainder. "
        "So the question is whether each remainder occurs equally often among 0, ..., kernel - 1.",
        "It does exactly when the kernel's size is a multiple of the stride: `kernel % stride == 0`.",
    ),
    why={
        (lambda kernel, stride: stride % kernel == 0): (
            "The division is the wrong way round: the *kernel* has to be a multiple of the stride. Kernel 2,"
            " stride 4 leaves holes."
        ),
        (lambda kernel, stride: kernel >= stride): (
            "A kernel at least as large as the stride leaves no holes, but the overlap can still be uneven: "
            "kernel 3, stride 2."
        ),
        (lambda kernel, stride: kernel == stride): (
            "kernel == stride is clean, for then stamps touch and never overlap. But stamps that overlap "
            "evenly are clean, too: kernel 4, stride 2."
        ),
        (lambda kernel, stride: kernel % 2 == 0): (
            "It isn't the kernel being even or odd: kernel 3 with stride 3 is clean, kernel 4 with stride 3 "
            "is not."
        ),
        (
            lambda kernel, stride: (kernel - stride) % 2 == 0
        ): "It isn't kernel and stride both being even or both odd: kernel 5 with stride 3 is uneven.",
        (
            lambda kernel, stride: not _is_clean(kernel, stride)
        ): "This is the other way round: True means clean, equally many stamps everywhere.",
        (
            lambda kernel, stride: math.gcd(kernel, stride) == 1
        ): "Having no common divisor makes a pair uneven rather than clean: kernel 3, stride 2.",
        (lambda kernel, stride: math.gcd(kernel, stride) > 1): (
            "A common divisor is not enough: kernel 6 and stride 4 share 2, and are uneven. And with stride "
            "1 every kernel is clean."
        ),
        (lambda kernel, stride: kernel == 2 * stride): (
            "A kernel of twice the stride is clean, but so is every other multiple: kernel 3 with stride 3."
        ),
        (lambda kernel, stride: kernel >= stride and kernel % 2 == 0): (
            "An even kernel, no smaller than the stride, is not enough: kernel 4 with stride 3 is uneven. "
            "And kernel 3 with stride 3 is clean."
        ),
    },
)
def is_clean(trial: Trial) -> None:
    trial.signature("kernel", "stride")
    pairs = [(kernel, stride) for kernel in range(1, 9) for stride in range(1, 5)]
    answers = [trial.call(*pair) for pair in pairs]
    trial.require(answers[0] is not None, "Your function returned None.", "Does it end with `return ...`?")
    for pair, answer in zip(pairs, answers):
        one = getattr(answer, "ndim", 0) == 0 and answer in (True, False)
        message = "The answer should be one True or False. (Comparing many counts? End with `.all()`.)"
        trial.require(one, message, called=f"is_clean{pair}", came=answer)
    # One pair alone fits several wrong rules, all pairs together only one.
    for message, wrong in trial.mistakes.items():
        trial.require(any(answer != wrong(*pair) for answer, pair in zip(answers, pairs)), message)
    for pair, answer in zip(pairs, answers):
        right = _is_clean(*pair)
        message = "The stamps of this pair, counted, say otherwise."
        trial.require(answer == right, message, called=f"is_clean{pair}", came=answer, expected=right)


def _checkerboard_energy(image: Tensor, stride: int) -> float:
    """By Parseval: the variance of the means of the phases, as a share of the whole variance."""
    height, width = image.shape
    phases = image.reshape(height // stride, stride, width // stride, stride).mean(dim=(0, 2))
    return float(phases.var(correction=0) / image.var(correction=0))


def _spectrum_share(
    image: Tensor, rows: Tensor, columns: Tensor, *, power: int = 2, mean: bool = False
) -> float:
    """Share of |spectrum|^power at some rows and columns (boolean masks); without the mean unless asked."""
    energy = torch.fft.fft2(image).abs() ** power
    if not mean:
        energy[0, 0] = 0
    return float(energy[rows][:, columns].sum() / energy.sum())


def _at_either(image: Tensor, stride: int) -> float:
    rows, columns = (_multiples(size, size // stride) for size in image.shape)
    energy = torch.fft.fft2(image - image.mean()).abs() ** 2
    return float(energy[rows[:, None] | columns].sum() / energy.sum())


def _share_of(energy: Tensor, height: int, width: int, stride: int) -> float:
    energy[0, 0] = 0
    return float(energy[:: height // stride, :: width // stride].sum() / energy.sum())


def _multiples(size: int, step: int) -> Tensor:
    return torch.arange(size) % step == 0


@check.exercise(
    oracle=_checkerboard_energy,
    hints=(
        "`torch.fft.fft2(image)` has the mean at [0, 0] and frequency u / height in row u. Energy is "
        "|value|^2. Which rows are the multiples of 1 / stride?",
        "Rows 0, height / stride, 2 * height / stride, ...: `[:: height // stride]`; for the columns the "
        "same with the width. Set the energy at [0, 0] to zero before you add anything up.",
        "`energy = torch.fft.fft2(image).abs() ** 2`; `energy[0, 0] = 0`; divide "
        "`energy[:: height // stride, :: width // stride].sum()` by `energy.sum()`.",
    ),
    why={
        (
            lambda image, stride: _spectrum_share(
                image,
                _multiples(image.shape[0], image.shape[0] // stride),
                _multiples(image.shape[1], image.shape[1] // stride),
                mean=True,
            )
        ): (
            "The mean is still there: it is no checkerboard. Set the energy at [0, 0] to zero. (After "
            "`fftshift` the mean is no longer at [0, 0].)"
        ),
        (
            lambda image, stride: _spectrum_share(
                image,
                _multiples(image.shape[0], image.shape[0] // stride),
                _multiples(image.shape[1], image.shape[1] // stride),
                power=1,
            )
        ): "That is the share of the amplitudes: energy is the square, |value|^2.",
        (
            lambda image, stride: _spectrum_share(
                image, _multiples(image.shape[0], stride), _multiples(image.shape[1], stride)
            )
        ): (
            "You took every `stride`-th frequency. The multiples of 1 / stride are height / stride rows "
            "apart."
        ),
        (
            lambda image, stride: _spectrum_share(
                image,
                _multiples(image.shape[0], image.shape[0] // stride),
                _multiples(image.shape[1], image.shape[0] // stride),
            )
        ): "Rows and columns need their own step: height // stride and width // stride.",
        (
            lambda image, stride: _spectrum_share(
                image,
                _multiples(image.shape[0], image.shape[0] // stride) & (torch.arange(image.shape[0]) > 0),
                _multiples(image.shape[1], image.shape[1] // stride) & (torch.arange(image.shape[1]) > 0),
            )
        ): (
            "That is only the corner where both frequencies are multiples but neither is zero. Stripes are "
            "artefacts, too: keep row 0 and column 0, all but [0, 0]."
        ),
        (
            lambda image, stride: (
                _checkerboard_energy(image, stride) * image.var(correction=0) * image.numel() ** 2
            )
        ): ("That is the energy itself. Divide it by the energy of the whole spectrum, without the mean."),
        (
            lambda image, stride: _at_either(image, stride)
        ): "That is where *either* frequency is a multiple of 1 / stride: both have to be.",
        (
            lambda image, stride: (
                _checkerboard_energy(image, stride) * image.var(correction=0) / (image**2).mean()
            )
        ): ("The mean is left out above the line, but not below it: leave it out of the whole energy, too."),
        (
            lambda image, stride: _share_of(torch.fft.fft2(image).real ** 2, *image.shape, stride)
        ): "You squared the real part only: the energy is the squared absolute value, `.abs() ** 2`.",
        (
            lambda image, stride: _share_of(torch.fft.rfft2(image).abs() ** 2, *image.shape, stride)
        ): "`rfft2` returns half of the columns only; the other half has energy, too. Take `fft2`.",
    },
)
def checkerboard_energy(trial: Trial) -> None:
    trial.signature("image", "stride")
    checkerboard = _matrix([5, 3, 5, 3], [3, 5, 3, 5], [5, 3, 5, 3], [3, 5, 3, 5])
    trial.case(checkerboard, 2, expected=1.0)
    hand = _matrix([2, 1, 0, 1], [2, 1, 0, 1], [2, 1, 0, 1], [2, 1, 0, 1])
    trial.case(hand, 2, expected=0.0)
    for height, width, stride, seed in ((6, 8, 2, 20), (12, 6, 3, 21), (8, 12, 4, 22)):
        pattern = numbers(stride, stride, seed=seed).repeat(height // stride, width // stride)
        image = 2 + numbers(height, width, seed=seed + 50) + pattern
        trial.case(image, stride, label=f"checkerboard_energy(image of ({height}, {width}), {stride})")


check.choice(
    "flat_field_picture",
    answer="B",
    hints=(
        "The input is constant. After nearest-neighbour fill, what does the kernel see at each place? And "
        "after zero fill?",
        "In the zero-filled image a pixel sees only the weights of its own remainder. The pattern is flat "
        "if the weights of each remainder have the same *sum*.",
        "Overlap counts say how *many* weights each pixel gets; the pattern depends on what they sum up to.",
    ),
    why={
        "A": "Its overlap is even: four stamps at each pixel. But the four weights that one pixel gets "
        "need not sum up to the same as those of its neighbour.",
        "C": "Before training it was exactly flat as well, with random weights. So it isn't the training "
        "that makes it flat.",
        "D": "All networks are float32. Rounding leaves about one part in ten million; look at the numbers "
        "over the pictures.",
    },
)


# ---- 6. Skip connections


def _dilated(mask: Tensor, width: int, square: bool = False) -> Tensor:
    """All pixels within ``width`` of the mask: the mask, shifted by every step of a disc (or square)."""
    padded = F.pad(mask, (width, width, width, width))
    result = torch.zeros_like(mask)
    if not mask.any():
        return result
    for down in range(-width, width + 1):
        for right in range(-width, width + 1):
            if square or down**2 + right**2 <= width**2:
                rows, columns = width + down, width + right
                result |= padded[rows : rows + mask.shape[0], columns : columns + mask.shape[1]]
    return result


def _boundary_band(mask: Tensor, width: int) -> Tensor:
    """Pixels with a pixel of the mask and one of the background within ``width``, by dilation with a disc."""
    if not mask.any():
        return torch.zeros_like(mask)
    return _dilated(mask, width) & _dilated(~mask, width)


@check.exercise(
    oracle=_boundary_band,
    hints=(
        "For a pixel inside the mask, the distance to the nearest pixel outside matters; for one outside, "
        "that to the nearest pixel inside.",
        "`distance_transform_edt(mask)` gives each pixel of the mask its distance to the background, and 0 "
        "to all others. So you need it twice, for the mask and for `~mask`.",
        "Inside: distance_transform_edt(mask) <= width, outside: distance_transform_edt(~mask) <= width; a "
        "pixel outside has 0 in the first, so both have to hold. And a mask that is all True or all False "
        "has no boundary.",
    ),
    why={
        (
            lambda mask, width: _boundary_band(mask, width) & mask
        ): "That is the inner half: pixels outside the mask, but near to it, belong to the band, too.",
        (lambda mask, width: _boundary_band(mask, width) & ~mask): (
            "That is the outer half: pixels inside the mask, but near to its border, belong to the band, too."
        ),
        (
            lambda mask, width: _band_by(mask, lambda distance: distance < width)
        ): "The band is too narrow: a distance of exactly `width` still counts.",
        (
            lambda mask, width: _band_by(mask, lambda distance: distance <= width - 1)
        ): "The band is one pixel too narrow: distances up to `width` count, not up to `width` - 1.",
        (
            lambda mask, width: _dilated(_outermost(mask), width)
        ): "Measure to the nearest pixel of the *other kind*, not to the mask's outermost pixels.",
        (
            lambda mask, width: _band_by(mask, lambda distance: distance - 0.5 <= width)
        ): "From centre to centre: subtract no half pixel.",
        (
            lambda mask, width: _band_by(mask, lambda distance: distance**2 <= width)
        ): "You compared the squared distance with `width`.",
        (lambda mask, width: torch.ones_like(mask)): (
            "With `|` every pixel counts: outside the mask one of the two distances is 0, inside it the "
            "other. Both have to be small, `&`."
        ),
        (
            lambda mask, width: _band_by(F.pad(mask, (1, 1, 1, 1)), lambda distance: distance <= width)[
                1:-1, 1:-1
            ]
        ): "The image's border is no boundary: you counted what lies beyond it as background.",
        (lambda mask, width: _dilated(mask, width, square=True) & _dilated(~mask, width, square=True)): (
            "Your distance is that of squares: a diagonal step counts as 1. It should be Euclidean, so a "
            "diagonal step is 1.41."
        ),
        (lambda mask, width: _city_block(mask, width)): (
            "Your distances go by steps along rows and columns: a diagonal neighbour is 2 steps away, but "
            "only 1.41 pixels."
        ),
        (lambda mask, width: _dilated(mask, width)): (
            "This is the whole neighbourhood, mask included: what lies deep inside the mask is far from its "
            "boundary."
        ),
    },
)
def boundary_band(trial: Trial) -> None:
    trial.signature("mask", "width")
    mask = torch.zeros(13, 14, dtype=torch.bool)
    mask[3:12, 3:13] = True
    label = "boundary_band(a block of 9 x 10 in 13 x 14 pixels, 3)"
    trial.case(mask, 3, expected=_drawn(_BAND_OF_3), label=label)
    mask = torch.zeros(5, 6, dtype=torch.bool)
    mask[1:4, 3:] = True
    near = torch.tensor([[0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0],
                         [0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1]], dtype=torch.bool)  # fmt: skip
    trial.case(mask, 1, expected=near, label="boundary_band(a block of 3 x 3 at the right border, 1)")
    round_mask = (torch.arange(15)[:, None] - 7) ** 2 + (torch.arange(18)[None] - 8) ** 2 <= 30
    for width in (2, 3):
        trial.case(round_mask, width, label=f"boundary_band(a disc, {width})")
    single = torch.zeros(7, 8, dtype=torch.bool)
    single[3, 4] = True
    trial.case(single, 2, label="boundary_band(one pixel, 2)")
    for empty in (torch.zeros(4, 5, dtype=torch.bool), torch.ones(4, 5, dtype=torch.bool)):
        name = "True" if empty.any() else "False"
        label = f"boundary_band(all {name}, 2)"
        trial.case(
            empty,
            2,
            label=label,
            why={
                _without_a_boundary(empty): _NO_BOUNDARY,
            },
        )


_BAND_OF_3 = """
...##########.
.#############
.#############
##############
##############
##############
######....####
######....####
######....####
##############
##############
##############
.#############
"""


def _drawn(picture: str) -> Tensor:
    return torch.tensor([[pixel == "#" for pixel in line] for line in picture.split()])


def _band_by(mask: Tensor, near: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    """The pixels whose distance to the nearest pixel of the other kind is ``near``."""
    if mask.all() or not mask.any():
        return torch.zeros_like(mask)
    inside, outside = (ndimage.distance_transform_edt(part.numpy()) for part in (mask, ~mask))
    return torch.from_numpy(near(np.maximum(inside, outside)))


def _outermost(mask: Tensor) -> Tensor:
    return mask & ~torch.from_numpy(ndimage.binary_erosion(mask.numpy()))


_NO_BOUNDARY = (
    "A mask that is all True or all False has no boundary, so no band: the distance to nothing means nothing."
)


def _without_a_boundary(mask: Tensor) -> Tensor:
    inside, outside = (ndimage.distance_transform_edt(part.numpy()) for part in (mask, ~mask))
    return torch.from_numpy((inside <= 2) & (outside <= 2))


def _city_block(mask: Tensor, width: int) -> Tensor:
    cross = ndimage.generate_binary_structure(2, 1)
    near = [ndimage.binary_dilation(part.numpy(), cross, iterations=width) for part in (mask, ~mask)]
    return torch.from_numpy(near[0] & near[1])


check.choice(
    "boundary_picture",
    answer="A",
    hints=(
        "Read the curves from left to right: where do they differ most, and what is left of the difference "
        "five pixels away from the boundary?",
        "Then ask what a feature map at an eighth of the resolution can know: *that* something is there, or "
        "*where exactly* it ends?",
        "Look at `indices`. It was told the *places* of the maxima, yet not what stood at the others.",
    ),
    why={
        "B": "Far from the boundary all three are nearly always right: without skip connections the "
        "network does find the tumour. It draws it badly.",
        "C": "All three have the same number of weights; the cell printed it. The skip connections add none.",
        "D": "The numbers of steps and the slices are equal, and so are the subjects. Nor would training "
        "longer bring back the pixels that three poolings left out.",
    },
)
