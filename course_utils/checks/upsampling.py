"""Exercises of notebook 03: the ways up, their artefacts, and skip connections.

The oracles are PyTorch's own operations, SciPy, or another way to the same number; parameter counts are those
of published networks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from course_utils.checking import Checker, Trial
from course_utils.checking.mistakes import given, then
from course_utils.checking.samples import numbers

check = Checker("upsampling")


def _matrix(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def _mask(picture: str) -> Tensor:
    """A mask from lines of ``#`` and ``.``."""
    return torch.tensor([[pixel == "#" for pixel in line] for line in picture.split()])


# ---- 1. Three ways without weights


def _kron(x: Tensor, block: Tensor) -> Tensor:
    """Every value of ``x`` (height, width) times ``block``, at its place."""
    return torch.kron(x, block.to(x.dtype))


def _copies(x: Tensor, factor: int) -> Tensor:
    return _kron(x, torch.ones(factor, factor))


def _nails(x: Tensor, factor: int, *, corner: Callable[[int], int] = lambda factor: 0) -> Tensor:
    block = torch.zeros(factor, factor)
    block[corner(factor), corner(factor)] = 1
    return _kron(x, block)


def _nearest_to_rounded(x: Tensor, factor: int) -> Tensor:
    rows, columns = ((torch.arange(n * factor) / factor).round().long().clamp(max=n - 1) for n in x.shape)
    return x[rows][:, columns]


@check.exercise(
    oracle=lambda x, factor: F.interpolate(x[None, None], scale_factor=factor, mode="nearest")[0, 0],
    hints=(
        "Every value fills a square of factor x factor pixels. Which value of x does output pixel (r, c) "
        "show?",
        "Divide r and c by the factor, and round down. Or, without a loop: repeat each row, then each "
        "column.",
        "`x.repeat_interleave(factor, dim=0)` repeats each row `factor` times in place; the same with dim=1 "
        "for the columns.",
    ),
    why={
        (lambda x, factor: x.repeat(factor, factor)): (
            "You tiled the image: whole copies lie side by side. Each *value* has to be repeated at its own "
            "place."
        ),
        (lambda x, factor: x.repeat_interleave(factor, dim=0)): (
            "Only the rows were repeated: the columns have to be, too."
        ),
        (lambda x, factor: x.repeat_interleave(factor, dim=1)): (
            "Only the columns were repeated: the rows have to be, too."
        ),
        (lambda x, factor: x.repeat_interleave(factor)): (
            "Without `dim`, `repeat_interleave` flattens the image: give it dim=0 for the rows, then dim=1."
        ),
        (lambda x, factor: x.repeat_interleave(factor**2, dim=0)): (
            "The rows were repeated twice: dim=0 repeats rows, dim=1 columns."
        ),
        _nails: (
            "That is bed of nails: the other pixels of each square are zero. Nearest neighbour fills them "
            "with the same value."
        ),
        (lambda x, factor: _copies(x, factor) / factor**2): (
            "The values were shared out, each pixel got value / factor^2. Nearest neighbour copies the value "
            "itself."
        ),
        (lambda x, factor: F.interpolate(x[None, None], scale_factor=factor, mode="bilinear")[0, 0]): (
            "That is bilinear interpolation: it makes up values in between. Nearest neighbour only copies."
        ),
        _nearest_to_rounded: "You rounded r / factor: round *down*, r // factor, or the squares are shifted.",
    },
)
def nearest_neighbour(trial: Trial) -> None:
    trial.signature("x", "factor")
    slide = _matrix([1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4])
    trial.case(_matrix([1, 2], [3, 4]), 2, expected=slide)
    trial.case(numbers(2, 3, seed=1), 3)
    trial.case(numbers(4, 1, seed=2), 4)
    trial.case(numbers(3, 2, seed=3), 1)


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
        partial(_nails, corner=lambda factor: factor - 1): (
            "The nails stand in the bottom right corner: the value belongs to the top left pixel of each "
            "square."
        ),
        partial(_nails, corner=lambda factor: factor // 2): (
            "The nails stand in the middle of the squares: the value belongs to the top left pixel."
        ),
        _copies: "That is nearest neighbour: all pixels but the top left one of each square must be zero.",
        (lambda x, factor: _without_trailing_zeros(_nails(x, factor), factor)): (
            "After the last nail, zeros are missing: the result is `factor` times as large as the input."
        ),
        given(_nails, factor=lambda factor: factor + 1): (
            "There are `factor` zeros between two nails: it must be factor - 1, so that nails are `factor` "
            "apart."
        ),
        (lambda x, factor: _kron(x, torch.eye(factor)[:, :1])): (
            "Only the rows were spread: put zeros between the columns, too."
        ),
        (lambda x, factor: _kron(x, torch.eye(factor)[:1])): (
            "Only the columns were spread: put zeros between the rows, too."
        ),
        (lambda x, factor: _kron(x, torch.eye(factor))): (
            "Each value stands on the whole diagonal of its square: it belongs to the top left pixel only."
        ),
        (lambda x, factor: F.pad(x, (0, x.shape[1] * (factor - 1), 0, x.shape[0] * (factor - 1)))): (
            "The image stands in the top left corner as a whole: its values have to be `factor` apart."
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


def _pooled(
    x: Tensor,
    size: int,
    *,
    pick: Callable = lambda windows, size: windows.argmax(dim=2),
    index: Callable = lambda row, column, x, size: row * x.shape[1] + column,
    step: int = 0,
) -> tuple[Tensor, Tensor]:
    """Max pooling with its parts left open: which place of a window, which number for a pixel, which step."""
    step = step or size
    windows = x.unfold(0, size, step).unfold(1, size, step).flatten(2)  # each in reading order
    windows = windows[: x.shape[0] // size, : x.shape[1] // size]
    place = pick(windows, size)
    rows = torch.arange(windows.shape[0])[:, None] * step + place // size
    columns = torch.arange(windows.shape[1])[None] * step + place % size
    return windows.gather(2, place[..., None])[..., 0], index(rows, columns, x, size)


def _column_after_column(windows: Tensor, size: int) -> Tensor:
    place = windows.unflatten(2, (size, size)).transpose(2, 3).flatten(2).argmax(dim=2)
    return place % size * size + place // size


def _place_turned(windows: Tensor, size: int) -> Tensor:
    place = windows.argmax(dim=2)
    return place % size * size + place // size


def _begun_with_zero(x: Tensor, size: int) -> tuple[Tensor, Tensor]:
    values, indices = _max_pool(x, size)
    return values.clamp(min=0), torch.where(values < 0, 0, indices)


def _searched_everywhere(x: Tensor, size: int) -> tuple[Tensor, Tensor]:
    values, _ = _max_pool(x, size)
    return values, (x.flatten() == values[..., None]).int().argmax(dim=2)


def _counted_beyond(x: Tensor, size: int) -> tuple[Tensor, Tensor]:
    values, indices = F.max_pool2d(x[None, None], size, return_indices=True, ceil_mode=True)
    return values[0, 0], indices[0, 0]


@check.exercise(
    oracle=_max_pool,
    hints=(
        "Two things to return: the largest value of each window, and where *in the whole plane* it stood.",
        "Loop over the windows. `window.argmax()` is the place within the window, counted in reading order; "
        "`divmod` by `size` gives its row and column there.",
        "The window of output (i, j) begins at row i * size, column j * size. So the index is "
        "(i * size + p) * width + (j * size + q), with p, q = divmod(int(window.argmax()), size).",
    ),
    why={
        partial(_pooled, index=lambda row, column, x, size: row % size * size + column % size): (
            "Those are places within each window, 0 to size^2 - 1. The indices count pixels of the whole "
            "plane: row * width + column."
        ),
        partial(_pooled, index=lambda row, column, x, size: row * x.shape[0] + column): (
            "You multiplied the row by the height: a row of the plane has `width` pixels."
        ),
        partial(
            _pooled,
            index=lambda row, column, x, size: row // size * (x.shape[1] // size) + column // size,
        ): (
            "You counted in the small image: the indices must say where the maximum stood in the *large* one."
        ),
        partial(_pooled, pick=lambda windows, size: size**2 - 1 - windows.flip(2).argmax(dim=2)): (
            "Where a window has several equal maxima, take the first in reading order: you took the last."
        ),
        partial(_pooled, pick=_column_after_column): (
            "Where a window has several equal maxima, take the first in *reading* order: you looked through "
            "the columns first."
        ),
        partial(_pooled, pick=_place_turned): (
            "Row and column within the window are exchanged: place = row * size + column, so `divmod(place, "
            "size)` gives the row first."
        ),
        (lambda x, size: (_max_pool(x, size)[0], _pooled(x, size, pick=_place_turned)[1])): (
            "The values are right, but in the index row and column within the window are exchanged: "
            "`divmod(place, size)` gives the row first."
        ),
        partial(_pooled, pick=lambda windows, size: windows.abs().argmax(dim=2)): (
            "The largest *absolute* value is taken: max pooling takes the largest value, -1 before -2."
        ),
        partial(_pooled, pick=lambda windows, size: windows.argmin(dim=2)): (
            "You took the smallest value of each window."
        ),
        partial(_pooled, step=1): (
            "Your windows are one pixel apart and overlap: window (i, j) begins at row i * size, column "
            "j * size."
        ),
        _counted_beyond: (
            "You pooled the rows and columns that are left over, too: there are height // size rows of "
            "windows, rounded down."
        ),
        then(_max_pool, lambda both: both[::-1]): (
            "Values and indices are swapped: return the values first."
        ),
        _begun_with_zero: (
            "A window may hold only negative values: begin with its first value or -infinity, not with 0."
        ),
        _searched_everywhere: "The same value can stand in two windows: look inside the window only.",
        partial(_pooled, index=lambda row, column, x, size: column * x.shape[0] + row): (
            "You counted column by column: pixels are counted in reading order, row * width + column."
        ),
        partial(
            _pooled, index=lambda row, column, x, size: row % size * x.shape[1] + column % size
        ): "The window's own start is missing: its first row is i * size, its first column j * size.",
        partial(_pooled, index=lambda row, column, x, size: row * (x.shape[1] // size) + column): (
            "You multiplied the row by the width of the pooled plane: a row of the *large* one has `width` "
            "pixels."
        ),
        partial(_pooled, index=lambda row, column, x, size: row * (x.shape[1] // size * size) + column): (
            "You multiplied the row by the width that the windows cover: a row of the plane has `width` "
            "pixels, those left over included."
        ),
        then(_max_pool, lambda both: (both[0], both[1] + 1)): (
            "You counted from 1: the first pixel has the number 0."
        ),
    },
)
def max_pool_with_indices(trial: Trial) -> None:
    trial.signature("x", "size")
    slide = _matrix([1, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8])
    trial.case(slide, 2, expected=(_matrix([5, 6], [7, 8]), torch.tensor([[5, 2], [12, 15]])))
    trial.case(numbers(4, 6, seed=7), 2)
    trial.case(numbers(9, 6, seed=8), 3)
    # Equal maxima, where (0, 1) comes before (1, 0); and a column is left over.
    trial.case(_matrix([0, 1, 1, 1, 0], [1, 0, 0, 1, 1], [2, 0, 0, 2, 3], [2, 0, 2, 2, 3]), 2)
    trial.case(_matrix([-3, -1, 2, 1], [-2, -4, 0, 2], [2, 0, -5, -6], [1, 2, -7, 3]), 2)
    trial.case(numbers(5, 7, seed=28), 2)


def _max_unpool(values: Tensor, indices: Tensor, height: int, width: int) -> Tensor:
    """By scatter; PyTorch's own max_unpool2d serves in the notebook."""
    flat = values.new_zeros(height * width).scatter(0, indices.flatten(), values.flatten())
    return flat.reshape(height, width)


def _by_height(values: Tensor, indices: Tensor, height: int, width: int) -> Tensor:
    plane = values.new_zeros(height, width)
    for value, index in zip(values.flatten(), indices.flatten().tolist()):
        plane[index // height % height, index % height % width] = value
    return plane


def _in_turn(values: Tensor, height: int, width: int) -> Tensor:
    return F.pad(values.flatten(), (0, height * width - values.numel())).reshape(height, width)


def _within_windows(values: Tensor, indices: Tensor, height: int, width: int) -> Tensor:
    plane = values.new_zeros(height, width)
    size = width // values.shape[1]
    for (i, j), index in np.ndenumerate(indices.numpy()):
        plane[i * size + index // size, j * size + index % size] = values[i, j]
    return plane


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
        (lambda values, indices, height, width: _copies(values, height // values.shape[0])): (
            "Each value fills its whole square: all places but the remembered one stay zero."
        ),
        (lambda values, indices, height, width: _max_unpool(values, indices, width, height).T): (
            "Rows and columns are swapped: index m is row m // width, column m % width."
        ),
        (lambda values, indices, height, width: _max_unpool(values, indices, width, height)): (
            "The shape is the wrong way round: (height, width), rows first."
        ),
        _by_height: "You took rows of `height` pixels: index m is row m // width, column m % width.",
        then(_max_unpool, Tensor.flatten): "The result is flat: give it the shape (height, width).",
        (lambda values, indices, height, width: _max_unpool(indices.double(), indices, height, width)): (
            "The indices themselves were written: the *values* go to the places that the indices name."
        ),
        then(_max_unpool, lambda plane: (plane != 0).double()): (
            "There is a 1 at each place: write the value itself."
        ),
        given(_max_unpool, indices=lambda indices: indices + 1): (
            "Your values stand one place too far: the first pixel has the number 0."
        ),
        (lambda values, indices, height, width: _in_turn(values, height, width)): (
            "The values stand one after another from the first pixel on: each belongs to the place that its "
            "index names."
        ),
        _within_windows: (
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
        16: (
            "Either one number was counted for the window (it holds four), or a whole byte for the place (2 "
            "bits do)."
        ),
        32: "One of four places needs 2 bits, not 4: with 2 bits you count from 0 to 3.",
        128: "That is how many bits the feature map takes. By what *factor* is it more than the place?",
        8: "You divided bytes by bits: a float32 number has 4 bytes, which are 32 bits.",
        4: "That counts numbers, four against one. Count bits: a place needs fewer of them than a number.",
        2: (
            "Either that is the place's own number of bits, or an index was counted with 64 bits, as PyTorch "
            "stores it: as few as possible are 2."
        ),
        1 / 64: "That is the wrong way round: how many times as many bits does the feature map take?",
    },
)


# ---- 2. All of them are matrices

check.choice(
    "unpooling_matrices",
    answer="A",
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
        "B": "The second is right. But which of the others always uses the top left corner of its square? "
        "Look where the line of input pixel 0 has its one.",
        "C": "Count the ones in a line of the third picture: it writes one pixel for each value, and "
        "nearest neighbour writes four.",
        "D": "Nearest neighbour copies each value to four pixels: each of its *lines* (as drawn) holds four "
        "ones. In the first picture each line has one.",
    },
)


# ---- 3. Bilinear, with a fixed kernel


def _bilinear_kernel(factor: int) -> Tensor:
    """A box filter passed over itself: the triangle, for an even factor sampled between its corners."""
    # the triangle, two samples a pixel
    fine = np.convolve(np.ones(2 * factor), np.ones(2 * factor)) / (2 * factor)
    samples = fine[2 * factor - 1 - (2 * factor - factor % 2 - 1) :: 2][: 2 * factor - factor % 2]
    return torch.from_numpy(np.outer(samples, samples))


def _triangles(
    factor: int,
    *,
    size: Callable[[int], int] = lambda factor: 2 * factor - factor % 2,
    centre: Callable[[int, int], float] = lambda factor, k: (k - 1) / 2,
    fall: Callable[[int, int], float] = lambda factor, k: 1 / factor,
    join: Callable[[Tensor], Tensor] = lambda line: line.outer(line),
) -> Tensor:
    """The bilinear kernel with its parts left open: weights, middle, slope, and how two lines are joined."""
    k = size(factor)
    steps = torch.arange(k, dtype=torch.float64) - centre(factor, k)
    return join((1 - steps.abs() * fall(factor, k)).clamp(min=0))


def _cone(factor: int) -> Tensor:
    k = 2 * factor - factor % 2
    steps = torch.arange(k, dtype=torch.float64) - (k - 1) / 2
    return (1 - torch.hypot(steps[:, None], steps) / factor).clamp(min=0)


@check.exercise(
    oracle=_bilinear_kernel,
    hints=(
        "First one dimension: a triangle of k = 2 * factor - factor % 2 weights. Where is its peak? Not "
        "always on a pixel.",
        "The middle of k pixels, counted from 0, is c = (k - 1) / 2. Weight j is 1 minus its distance from "
        "c, divided by the factor.",
        "`j = torch.arange(k, dtype=torch.float64)`, `line = 1 - (j - c).abs() / factor`; the square kernel "
        "is `line.outer(line)`.",
    ),
    why={
        partial(_triangles, centre=lambda factor, k: factor): (
            "Your peak lies at `factor`: the middle of k weights, counted from 0, is (k - 1) / 2."
        ),
        partial(_triangles, centre=lambda factor, k: k / 2): (
            "Your peak lies at k / 2, half a pixel too late: the middle of k weights, counted from 0, is (k "
            "- 1) / 2."
        ),
        partial(_triangles, centre=lambda factor, k: k // 2): (
            "Your peak lies at k // 2: the middle of an even number of weights lies between two of them, at "
            "(k - 1) / 2."
        ),
        partial(_triangles, centre=lambda factor, k: (k - 1) // 2): (
            "The middle is rounded down: for an even number of weights it lies between two of them, at (k - "
            "1) / 2."
        ),
        (lambda factor: _bilinear_kernel(factor) / factor**2): (
            "The weights are scaled to sum up to 1. The kernel is used with a stride: its weights have to "
            "sum up to factor^2, so that a constant image keeps its value."
        ),
        partial(_triangles, size=lambda factor: 2 * factor): (
            "For an odd factor the kernel has 2 * factor - 1 weights."
        ),
        partial(_triangles, size=lambda factor: 2 * factor - 1): (
            "For an even factor the kernel has 2 * factor weights."
        ),
        partial(_triangles, fall=lambda factor, k: 1 / (factor + 1)): (
            "The slope is wrong: you divided by factor + 1, but the weights fall by 1 / factor from pixel to "
            "pixel."
        ),
        partial(_triangles, fall=lambda factor, k: 2 / (k - 1) if k > 1 else math.nan): (
            "You divided by the middle c: the weights fall by 1 / factor from pixel to pixel."
        ),
        partial(_triangles, fall=lambda factor, k: 2 / (k + 1)): (
            "You divided by c + 1, so that the triangle ends one pixel after its last weight: the weights "
            "fall by 1 / factor from pixel to pixel."
        ),
        partial(_triangles, fall=lambda factor, k: 1 / k): (
            "You divided by the number of weights k: the weights fall by 1 / factor from pixel to pixel."
        ),
        partial(_triangles, fall=lambda factor, k: 2 / k): (
            "You divided by k / 2: the weights fall by 1 / factor from pixel to pixel."
        ),
        partial(_triangles, join=lambda line: line): (
            "This is one line of the kernel. The kernel is a square: the line times the line, "
            "`line.outer(line)`."
        ),
        partial(_triangles, join=lambda line: line * line): (
            "`line * line` multiplies each weight by itself. Every weight has to meet every other: "
            "`line.outer(line)`."
        ),
        partial(_triangles, join=lambda line: line[:, None] + line): (
            "The two triangles are added: bilinear means their product."
        ),
        partial(_triangles, join=lambda line: (line[:, None] + line) / 2): (
            "This is the mean of two triangles: bilinear means their product."
        ),
        partial(_triangles, join=lambda line: torch.minimum(line[:, None], line)): (
            "You took the smaller of two triangles, a pyramid: bilinear means their product."
        ),
        _cone: "This is a cone, with distances in the plane: bilinear means the product of two triangles.",
        (lambda factor: _bilinear_kernel(factor) * factor**2): (
            "Your triangle has its peak at `factor` and falls by 1: divide it by the factor."
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
    trial.cases([(1,), (4,), (5,), (8,)])


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
        (512 + 256) * 21 + 2: "There is one bias for each *class* in each layer: 21, not one.",
        513 + 257: "That is for one class: there are 21.",
        134_362_751: "That is all of FCN-8s: how many *more* than FCN-32s?",
    },
)


# ---- 4. Transposed convolution: fill with zeros, then convolve


def _conv_transpose2d(
    x: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0, output_padding: int = 0
) -> Tensor:
    return F.conv_transpose2d(x[None, None], kernel[None, None], None, stride, padding, output_padding)[0, 0]


def _zero_filled(
    x: Tensor,
    kernel: Tensor,
    stride: int = 1,
    padding: int = 0,
    output_padding: int = 0,
    *,
    fill: Callable[[Tensor, int], Tensor] = lambda x, stride: _without_trailing_zeros(
        _nails(x, stride), stride
    ),
    flip: Callable[[Tensor], Tensor] = lambda kernel: kernel.flip(0, 1),
    before: Callable[[int, int], int] = lambda k, padding: k - 1 - padding,
    sides: Callable[[int, int, int], tuple] = lambda top, left, more: (left, left + more, top, top + more),
) -> Tensor:
    """The description of the exercise with its three steps left open: fill, pad, slide."""
    top, left = (before(k, padding) for k in kernel.shape)
    padded = F.pad(fill(x, stride), sides(top, left, output_padding))
    return F.conv2d(padded[None, None], flip(kernel)[None, None])[0, 0]


def _zeros_appended(
    x: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0, output_padding: int = 0
) -> Tensor:
    result = _conv_transpose2d(x, kernel, stride, padding)
    return F.pad(result, (0, output_padding, 0, output_padding))


def _slid_with_stride(
    x: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0, output_padding: int = 0
) -> Tensor:
    return _conv_transpose2d(x, kernel, stride, padding, output_padding)[::stride, ::stride]


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
        partial(_zero_filled, flip=lambda kernel: kernel): (
            "The kernel is not flipped: a kernel that slides writes itself backwards, a stamp forwards."
        ),
        partial(_zero_filled, fill=_nails): (
            "Zeros after the last value: fill *between* the values only, (n - 1) * stride + 1 rows. What "
            "comes after, padding and output_padding decide."
        ),
        partial(_zero_filled, before=lambda k, padding: padding): (
            "You padded by `padding`. It must be k - 1 - padding: a transposed convolution's padding cuts."
        ),
        partial(_zero_filled, before=lambda k, padding: 0): (
            "You didn't pad: k - 1 - padding zeros belong on every side, so that the first and the last "
            "stamp stick out."
        ),
        given(_zero_filled, padding=0): (
            "You always pad by k - 1: the transposed convolution's own padding has to be taken away from it."
        ),
        partial(_zero_filled, before=lambda k, padding: k - padding): (
            "You padded by one zero too many on every side: k - 1 - padding, not k - padding."
        ),
        given(_zero_filled, output_padding=0): (
            "output_padding is missing: pad that much more at the bottom and at the right."
        ),
        partial(
            _zero_filled,
            sides=lambda top, left, more: (left + more, left + more, top + more, top + more),
        ): "output_padding belongs at the bottom and at the right only: you added it on all sides.",
        partial(_zero_filled, sides=lambda top, left, more: (left + more, left, top + more, top)): (
            "output_padding belongs at the end, at the bottom and at the right: you put it at the top and at "
            "the left."
        ),
        _zeros_appended: (
            "output_padding appends no zeros to the *result*: pad more before the kernel slides, so that it "
            "is computed."
        ),
        partial(_zero_filled, sides=lambda top, left, more: (top, top + more, top, top + more)): (
            "The kernel needn't be square: its height decides the padding of the rows, its width that of the "
            "columns."
        ),
        partial(_zero_filled, sides=lambda top, left, more: (top, top + more, left, left + more)): (
            "F.pad takes (left, right, top, bottom): you gave it top and bottom first."
        ),
        partial(_zero_filled, sides=lambda top, left, more: (left, left + more, top, top)): (
            "output_padding is missing at the bottom: it belongs at the bottom and at the right."
        ),
        partial(_zero_filled, sides=lambda top, left, more: (left, left, top, top + more)): (
            "output_padding is missing at the right: it belongs at the bottom and at the right."
        ),
        _slid_with_stride: (
            "Your kernel slides with the stride: it slides with stride 1. The stride is in the zeros between "
            "the values."
        ),
        given(_zero_filled, stride=lambda stride: stride + 1): (
            "There are `stride` zeros between two values: it must be stride - 1."
        ),
        given(_zero_filled, stride=1): (
            "The values lie side by side: stride - 1 zeros belong between two of them."
        ),
        partial(
            _zero_filled,
            fill=lambda x, stride: _without_trailing_zeros(_copies(x, stride), stride),
        ): "You filled with copies of the values: that is nearest-neighbour fill, the lecture's other way.",
        partial(_zero_filled, flip=lambda kernel: kernel.flip(0)): (
            "Only the rows of the kernel are flipped: its columns have to be, too."
        ),
        partial(_zero_filled, flip=lambda kernel: kernel.flip(1)): (
            "Only the columns of the kernel are flipped: its rows have to be, too."
        ),
        partial(_zero_filled, flip=lambda kernel: kernel.T): (
            "The kernel is transposed, rows for columns. Flipping turns it upside down and left to right: "
            "kernel.flip(0, 1)."
        ),
    },
)
def zero_fill_convolution(trial: Trial) -> None:
    trial.signature("x", "kernel", stride=1, padding=0, output_padding=0)
    kernel = _matrix([1, 2, 3], [4, 5, 6])
    stamped = _matrix([1, 2, 5, 4, 6], [4, 5, 14, 10, 12], [3, 6, 13, 8, 12], [12, 15, 34, 20, 24])
    trial.case(_matrix([1, 2], [3, 4]), kernel, 2, expected=stamped)
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
        6: "The three directions multiply, 2 * 2 * 2; you added them.",
        27: "27 is the number of weights. Both ways use all of them; how *often* does each use them?",
        1: "The kernels are equal, but one slides over the small volume and the other over the large one.",
        1 / 8: "You divided the wrong way round: how many times as much does the resize-convolution cost?",
        64: (
            "That is the smeared kernel, 4 * 4 * 4 weights for each input voxel. Here the given kernel "
            "slides over the enlarged volume."
        ),
        64 / 27: (
            "That compares the smeared kernel with the given one. Here the given kernel slides over the "
            "enlarged volume."
        ),
        216: (
            "That is the number of multiplications for each input voxel. By what *factor* is it more than "
            "that of the transposed convolution?"
        ),
    },
)


# ---- 5. Checkerboards


def _overlap_map(height: int, width: int, kernel: int, stride: int) -> Tensor:
    ones, weights = torch.ones(1, 1, height, width), torch.ones(1, 1, kernel, kernel)
    return F.conv_transpose2d(ones.double(), weights.double(), stride=stride)[0, 0]


def _stamps(
    height: int,
    width: int,
    kernel: int,
    stride: int,
    *,
    starts: Callable[[int, int], tuple] = lambda n, stride: tuple(i * stride for i in range(n)),
    column_starts: Callable[[int, int], tuple] | None = None,
    length: Callable[[int, int, int], int] = lambda n, kernel, stride: (n - 1) * stride + kernel,
    join: Callable[[Tensor, Tensor], Tensor] = torch.outer,
) -> Tensor:
    """Counts with their parts left open: where stamps begin, how long an axis is, how two axes are joined."""

    def line(n: int, starts: Callable[[int, int], tuple]) -> Tensor:
        counts = torch.zeros(length(n, kernel, stride), dtype=torch.float64)
        for start in starts(n, stride):
            counts[start : start + kernel] += 1
        return counts

    return join(line(height, starts), line(width, column_starts or starts))


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
        then(_overlap_map, lambda counts: counts.clamp(max=1)): (
            "Only one stamp is counted where several overlap: add 1 for each, `+= 1`."
        ),
        given(_overlap_map, stride=1): "The stamps are one pixel apart: they must be `stride` apart.",
        partial(_stamps, starts=lambda n, stride: tuple(range(n))): (
            "The map has the right size, but the stamps are one pixel apart: number i begins at i * stride."
        ),
        then(_overlap_map, lambda counts: (counts - 1).clamp(min=0)): (
            "You counted what lies on top of a first stamp: count the first one, too."
        ),
        partial(_stamps, length=lambda n, kernel, stride: n * stride): (
            "What sticks out at the end is missing: the last stamp ends at (n - 1) * stride + kernel."
        ),
        partial(_stamps, length=lambda n, kernel, stride: n * stride + kernel): (
            "Your map is too large: the last stamp begins at (n - 1) * stride, not at n * stride."
        ),
        (lambda height, width, kernel, stride: _overlap_map(height, width, stride, kernel)): (
            "Kernel and stride are swapped: stamps are `kernel` wide and `stride` apart."
        ),
        (lambda height, width, kernel, stride: _overlap_map(width, height, kernel, stride)): (
            "Height and width are swapped."
        ),
        partial(_stamps, join=lambda rows, columns: rows[:, None] + columns): (
            "The counts of rows and columns are added: a pixel's count is their product."
        ),
        partial(_stamps, starts=lambda n, stride: tuple(range(0, n, stride))): (
            "Stamps are missing: with range(0, n, stride) you skip inputs. There are n stamps along an axis, "
            "and number i begins at i * stride."
        ),
        partial(_stamps, starts=lambda n, stride: tuple(i * stride for i in range(n - 1))): (
            "The last stamp of each row and column is missing: `range(n)`, not `range(n - 1)`."
        ),
        partial(_stamps, join=lambda rows, columns: rows[:, None] * torch.ones_like(columns)): (
            "Only the rows are counted: stamps overlap along the columns as well."
        ),
        partial(_stamps, join=lambda rows, columns: torch.ones_like(rows)[:, None] * columns): (
            "Only the columns are counted: stamps overlap along the rows as well."
        ),
        partial(_stamps, column_starts=lambda n, stride: tuple(range(n))): (
            "The stamps are `stride` apart from row to row, but only one pixel from column to column."
        ),
    },
)
def overlap_map(trial: Trial) -> None:
    trial.signature("height", "width", "kernel", "stride")
    trial.case(2, 1, 3, 2, expected=_matrix([1, 1, 1], [1, 1, 1], [2, 2, 2], [1, 1, 1], [1, 1, 1]))
    hand = _matrix([1, 1, 2, 1, 1], [1, 1, 2, 1, 1], [2, 2, 4, 2, 2], [1, 1, 2, 1, 1], [1, 1, 2, 1, 1])
    trial.case(2, 2, 3, 2, expected=hand)
    trial.cases([(3, 4, 3, 2), (4, 3, 4, 2), (2, 5, 5, 3), (3, 2, 2, 3), (4, 5, 3, 1), (3, 3, 1, 2)])


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
            "The division is the wrong way round: the *kernel* has to be a multiple of the stride. Kernel 2, "
            "stride 4 leaves holes."
        ),
        (lambda kernel, stride: kernel >= stride): (
            "A kernel at least as large as the stride leaves no holes, but the overlap can still be uneven: "
            "kernel 3, stride 2."
        ),
        (lambda kernel, stride: kernel <= stride): (
            "A kernel no larger than the stride never overlaps, but it can leave holes: kernel 2, stride 3. "
            "And kernel 4, stride 2 overlaps evenly."
        ),
        (lambda kernel, stride: kernel == stride): (
            "kernel == stride is clean, for then stamps touch and never overlap. But stamps that overlap "
            "evenly are clean, too: kernel 4, stride 2."
        ),
        (lambda kernel, stride: kernel % 2 == 0): (
            "It isn't the kernel being even or odd: kernel 3 with stride 3 is clean, kernel 4 with stride 3 "
            "is not."
        ),
        (lambda kernel, stride: kernel % 2 == stride % 2): (
            "It isn't kernel and stride both being even or both odd: kernel 5 with stride 3 is uneven."
        ),
        then(_is_clean, lambda clean: not clean): (
            "This is the other way round: True means clean, equally many stamps everywhere."
        ),
        (lambda kernel, stride: kernel % stride): (
            "This is the remainder. Asked for is True or False: what has to hold for the remainder?"
        ),
        (lambda kernel, stride: math.gcd(kernel, stride) == 1): (
            "Having no common divisor makes a pair uneven rather than clean: kernel 3, stride 2."
        ),
        (lambda kernel, stride: math.gcd(kernel, stride) > 1): (
            "A common divisor is not enough: kernel 6 and stride 4 share 2, and are uneven. And with stride "
            "1 every kernel is clean."
        ),
        (lambda kernel, stride: kernel < stride or kernel % stride == 0): (
            "Stamps that don't meet leave pixels without any stamp, and their neighbours have one: kernel 2, "
            "stride 3 is uneven."
        ),
        (lambda kernel, stride: kernel > stride and kernel % stride == 0): (
            "Stamps that touch and don't overlap are even as well, one for each pixel: kernel 2, stride 2 is "
            "clean."
        ),
        (lambda kernel, stride: stride > 1 and kernel % stride == 0): (
            "Stride 1 is no exception: every kernel is a multiple of 1, and clean."
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
    answer = trial.call(3, 2)
    message = "The answer should be one True or False. (Comparing many counts? End with `.all()`.)"
    single = np.ndim(answer) == 0 and not isinstance(answer, str)
    trial.require(single, message, **{"is_clean(3, 2) gave": answer})
    trial.cases([(kernel, stride) for kernel in range(1, 9) for stride in range(1, 5)])


def _spectral_energy(image: Tensor, stride: int) -> float:
    """By Parseval: the share of the spectrum's energy, mean left out, at the multiples of 1 / stride."""
    height, width = image.shape
    energy = torch.fft.fft2(image).abs() ** 2
    energy[0, 0] = 0
    return float(energy[:: height // stride, :: width // stride].sum() / energy.sum())


def _phases(image: Tensor, stride: int) -> Tensor:
    """The mean of each phase, (stride, stride)."""
    means = [[image[r::stride, c::stride].mean() for c in range(stride)] for r in range(stride)]
    return torch.tensor(means, dtype=image.dtype)


def _share(
    image: Tensor,
    stride: int,
    *,
    means: Callable[[Tensor, int], Tensor] = _phases,
    spread: Callable[[Tensor], Tensor] = lambda values: values.var(correction=0),
    whole: Callable[[Tensor], Tensor] | None = None,
    join: Callable[[Tensor, Tensor], Tensor] = lambda part, all_: part / all_,
) -> float:
    """The energy with its parts left open: which means, which measure of spread, and what is divided."""
    return float(join(spread(means(image, stride)), (whole or spread)(image)))


def _blocks(image: Tensor, stride: int, axes: tuple[int, int]) -> Tensor:
    """Means over two of four axes of the image cut into squares of ``stride`` pixels."""
    height, width = image.shape
    return image.reshape(height // stride, stride, width // stride, stride).mean(dim=axes)


def _quarters(image: Tensor, stride: int) -> Tensor:
    """Means of stride x stride large pieces of the image."""
    height, width = image.shape
    return image.reshape(stride, height // stride, stride, width // stride).mean(dim=(1, 3))


def _colours(image: Tensor, stride: int) -> Tensor:
    """Mean of all pixels whose row and column add up to the same remainder, (stride,)."""
    colour = (torch.arange(image.shape[0])[:, None] + torch.arange(image.shape[1])) % stride
    return torch.stack([image[colour == remainder].mean() for remainder in range(stride)])


@check.exercise(
    oracle=_spectral_energy,
    hints=(
        "Phase (r, c) holds the pixels whose row leaves the remainder r and whose column leaves c. Which "
        "slice of the image is that?",
        "A slice with a step, from r and from c on. Collect the stride^2 means of these slices in one "
        "tensor; then take two variances.",
        "`means = torch.stack([image[r::stride, c::stride].mean() for r in range(stride) for c in "
        "range(stride)])`, then `means.var(correction=0) / image.var(correction=0)`.",
    ),
    why={
        partial(_share, spread=lambda values: values.var(correction=1)): (
            "Your variances divide by the number of values minus one: `correction=0` divides by the number "
            "of values."
        ),
        partial(
            _share,
            spread=lambda values: values.var(correction=1),
            whole=lambda values: values.var(correction=0),
        ): "The variance of the means divides by their number minus one: `correction=0`, there as well.",
        partial(_share, whole=lambda values: values.var(correction=1)): (
            "The variance of the pixels divides by their number minus one: `correction=0`, there as well."
        ),
        partial(_share, spread=lambda values: values.std(correction=0)): (
            "That is the ratio of the standard deviations: energy is the ratio of the *variances*."
        ),
        partial(_share, spread=lambda values: ((values - values.mean()) ** 2).sum()): (
            "You added up the squared deviations. A variance is their mean, and there are fewer phases than "
            "pixels."
        ),
        partial(_share, join=lambda part, all_: part): (
            "That is the variance of the phase means itself. Divide it by the variance of the image."
        ),
        partial(_share, join=lambda part, all_: all_ / part): (
            "You divided the wrong way round: the variance of the phase means is the part, that of the image "
            "the whole."
        ),
        partial(_share, join=lambda part, all_: 1 - part / all_): (
            "That is the rest, the variance *within* the phases. Asked for is that of their means."
        ),
        partial(_share, join=lambda part, all_: 100 * part / all_): (
            "That is the share in per cent: asked for is a number between 0 and 1."
        ),
        partial(_share, spread=lambda values: (values**2).mean()): (
            "The mean is left in, so this compares means of squares. A variance is about the mean: subtract "
            "it first, or use `.var`."
        ),
        partial(_share, means=partial(_blocks, axes=(1, 3))): (
            "You averaged each little square of stride x stride pixels. A phase holds pixels that are "
            "`stride` apart: one of each square."
        ),
        partial(_share, means=_quarters): (
            "You averaged large pieces of the image. A phase holds pixels that are `stride` apart, from all "
            "over the image."
        ),
        partial(_share, means=lambda image, stride: _phases(image, stride).mean(dim=1)): (
            "You sorted by rows only: a phase has a remainder of the row and one of the column."
        ),
        partial(_share, means=lambda image, stride: _phases(image, stride).mean(dim=0)): (
            "You sorted by columns only: a phase has a remainder of the row and one of the column."
        ),
        partial(_share, means=lambda image, stride: _phases(image, stride).diagonal()): (
            "Your slices have the same remainder for row and column, so there are only `stride` of them: "
            "each of the stride^2 pairs is a phase."
        ),
        partial(_share, means=_colours): (
            "You sorted by row + column, the colours of a chessboard: a phase has a remainder of the row and "
            "one of the column."
        ),
        partial(_share, means=lambda image, stride: _phases(image, stride) * image.numel() / stride**2): (
            "You added up the pixels of each phase: take their mean."
        ),
        given(_share, stride=2): "Your phases are those of stride 2, whatever the stride.",
    },
)
def checkerboard_energy(trial: Trial) -> None:
    trial.signature("image", "stride")
    checkerboard = _matrix([5, 3, 5, 3], [3, 5, 3, 5], [5, 3, 5, 3], [3, 5, 3, 5])
    rounded = {"tolerance": 1e-6}  # a share computed in float32 will do
    trial.case(checkerboard, 2, expected=1.0, **rounded)
    trial.case(_matrix([5, 3, 7, 3], [1, 3, 1, 3]), 2, expected=51 / 55, **rounded)  # the exercise's example
    trial.case(_matrix([2, 2, 0, 0], [2, 2, 0, 0], [1, 1, 3, 3], [1, 1, 3, 3]), 2, expected=0.0, **rounded)
    for height, width, stride, seed in ((6, 8, 2, 20), (12, 6, 3, 21), (8, 12, 4, 22)):
        pattern = numbers(stride, stride, seed=seed).repeat(height // stride, width // stride)
        image = 2 + numbers(height, width, seed=seed + 50) + pattern
        label = f"checkerboard_energy(image of ({height}, {width}), {stride})"
        trial.case(image, stride, label=label, **rounded)


check.choice(
    "flat_field_picture",
    answer="D",
    hints=(
        "The input is constant. After nearest-neighbour fill, what does the kernel see at each place? And "
        "after zero fill?",
        "In the zero-filled image a pixel sees only the weights of its own remainder. How many such groups "
        "of weights are there, and what does a constant input make of each?",
        "Overlap counts say how *many* weights each pixel gets; the pattern depends on what they sum up to.",
    ),
    why={
        "A": "Its overlap is even: four stamps at each pixel. But the four weights that one pixel gets "
        "need not sum up to the same as those of its neighbour.",
        "B": "Before training it was exactly flat as well, with random weights. So it isn't the training "
        "that makes it flat.",
        "C": "All networks are float32. Rounding leaves about one part in ten million; look at the numbers "
        "over the pictures.",
    },
)


# ---- 6. Skip connections


def _disc(width: float) -> np.ndarray:
    """All steps of at most ``width`` pixels, as a structuring element."""
    reach = np.arange(-int(width), int(width) + 1)
    return reach[:, None] ** 2 + reach**2 <= width**2


def _dilated(mask: Tensor, steps: np.ndarray) -> Tensor:
    """All pixels that one of ``steps`` leads to from the mask."""
    return torch.from_numpy(ndimage.binary_dilation(mask.numpy(), steps))


def _band(
    mask: Tensor,
    width: int,
    *,
    steps: Callable[[int], np.ndarray] = _disc,
    join: Callable[[Tensor, Tensor], Tensor] = torch.logical_and,
) -> Tensor:
    """Pixels with a pixel of the mask and one of the background within ``width``; both left open."""
    return join(_dilated(mask, steps(width)), _dilated(~mask, steps(width)))


def _by_distance(mask: Tensor, width: int, *, near: Callable[[np.ndarray, int], np.ndarray]) -> Tensor:
    """The pixels whose distance to the nearest pixel of the other kind is ``near``."""
    inside, outside = (ndimage.distance_transform_edt(part.numpy()) for part in (mask, ~mask))
    return torch.from_numpy(near(np.maximum(inside, outside), width))


def _with_the_images_border(mask: Tensor, width: int) -> Tensor:
    return _band(F.pad(mask, (1, 1, 1, 1)), width)[1:-1, 1:-1]


def _around_the_masks_edge(mask: Tensor, width: int) -> Tensor:
    edge = mask & ~torch.from_numpy(ndimage.binary_erosion(mask.numpy()))
    return _dilated(edge, _disc(width))


def _city_blocks(width: int) -> np.ndarray:
    return np.abs(np.arange(-width, width + 1))[:, None] + np.abs(np.arange(-width, width + 1)) <= width


@check.exercise(
    oracle=_band,
    hints=(
        "For a pixel inside the mask, the distance to the nearest pixel outside matters; for one outside, "
        "that to the nearest pixel inside.",
        "`distance_transform_edt(mask)` gives each pixel of the mask its distance to the background, and 0 "
        "to all others. So you need it twice, for the mask and for `~mask`.",
        "`(distance_transform_edt(mask) <= width) & (distance_transform_edt(~mask) <= width)`: a pixel "
        "outside has 0 in the first, so both have to hold. A mask that is all True or all False has no "
        "boundary: answer it before. And `torch.from_numpy` makes a tensor of it.",
    ),
    why={
        (lambda mask, width: _by_distance(mask, width, near=np.less_equal)): (
            "A mask that is all True or all False has no boundary, so no band: the distance to nothing means "
            "nothing."
        ),
        (
            lambda mask, width: (
                _band(mask, width) | (mask.all() & _by_distance(mask, width, near=np.less_equal))
            )
        ): ("A mask that is all True has no boundary either, so no band."),
        (
            lambda mask, width: (
                _band(mask, width) | (~mask.any() & _by_distance(mask, width, near=np.less_equal))
            )
        ): ("A mask that is all False has no boundary either, so no band."),
        partial(_band, join=lambda near_mask, near_rest: near_rest): (
            "The whole background counts: `distance_transform_edt(mask)` is 0 there. Outside the "
            "mask the distance *to the mask* decides, that of `~mask`."
        ),
        partial(_band, join=lambda near_mask, near_rest: near_mask): (
            "This is the whole neighbourhood, mask included: what lies deep inside the mask is far from its "
            "boundary."
        ),
        (lambda mask, width: _band(mask, width) & mask): (
            "That is the inner half: pixels outside the mask, but near to it, belong to the band, too."
        ),
        (lambda mask, width: _band(mask, width) & ~mask): (
            "That is the outer half: pixels inside the mask, but near to its border, belong to the band, too."
        ),
        partial(_by_distance, near=np.less): (
            "The band is too narrow: a distance of exactly `width` still counts."
        ),
        partial(_by_distance, near=lambda distance, width: distance <= width - 1): (
            "The band is one pixel too narrow: distances up to `width` count, not up to `width` - 1."
        ),
        partial(_by_distance, near=lambda distance, width: distance <= width + 1): (
            "The band is one pixel too wide: distances up to `width` count, not up to `width` + 1."
        ),
        partial(_by_distance, near=lambda distance, width: distance <= width / 2): (
            "You took half of `width` to each side: the band reaches `width` pixels inwards and `width` "
            "pixels outwards."
        ),
        given(_band, width=2): "You wrote 2: the band depends on `width`.",
        _around_the_masks_edge: (
            "Measure to the nearest pixel of the *other kind*, not to the mask's outermost pixels."
        ),
        partial(_by_distance, near=lambda distance, width: distance - 0.5 <= width): (
            "Your band is half a pixel too wide: distances are measured from centre to centre, with nothing "
            "subtracted and nothing rounded."
        ),
        partial(_by_distance, near=lambda distance, width: np.floor(distance) <= width): (
            "Your band is too wide: a distance between `width` and `width` + 1 is more than `width`."
        ),
        partial(_by_distance, near=lambda distance, width: distance**2 <= width): (
            "You compared the squared distance with `width`."
        ),
        partial(_by_distance, near=np.equal): (
            "Only pixels at exactly `width` count here: asked for are all up to `width`."
        ),
        partial(_band, join=torch.logical_or): (
            "With `|` every pixel counts: outside the mask one of the two distances is 0, inside it the "
            "other. Both have to be small, `&`."
        ),
        then(_band, torch.logical_not): "This is the other way round: True means in the band.",
        _with_the_images_border: (
            "The image's border is no boundary: you counted what lies beyond it as background."
        ),
        partial(_band, steps=lambda width: np.ones((2 * width + 1, 2 * width + 1), dtype=bool)): (
            "Your distance is that of squares: a diagonal step counts as 1. It should be Euclidean, so a "
            "diagonal step is 1.41."
        ),
        partial(_band, steps=_city_blocks): (
            "Your distances go by steps along rows and columns: a diagonal neighbour is 2 steps away, but "
            "only 1.41 pixels."
        ),
    },
)
def boundary_band(trial: Trial) -> None:
    trial.signature("mask", "width")
    block, band = _mask("...... ...### ...### ...### ......"), _mask("...### ..#### ..##.. ..#### ...###")
    trial.case(block, 1, expected=band, label="boundary_band(a block of 3 x 3 at the right border, 1)")
    block = torch.zeros(13, 14, dtype=torch.bool)
    block[3:12, 3:13] = True
    label = "boundary_band(a block of 9 x 10 in 13 x 14 pixels, 3)"
    trial.case(block, 3, expected=_mask(_BAND_OF_3), label=label)
    disc = (torch.arange(17)[:, None] - 8) ** 2 + (torch.arange(20)[None] - 9) ** 2 <= 30
    for width in (2, 3):
        trial.case(disc, width, label=f"boundary_band(a disc, {width})")
    pixel = torch.zeros(7, 8, dtype=torch.bool)
    pixel[3, 4] = True
    trial.case(pixel, 2, label="boundary_band(one pixel, 2)")
    trial.judge()  # whoever also forgot the masks without a boundary should first hear of this
    trial.case(torch.zeros(4, 5, dtype=torch.bool), 2, label="boundary_band(all False, 2)")
    trial.case(torch.ones(4, 5, dtype=torch.bool), 2, label="boundary_band(all True, 2)")


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


check.choice(
    "boundary_picture",
    answer="C",
    hints=(
        "Read the curves from left to right: where do they differ most, and what is left of the difference "
        "five pixels away from the boundary?",
        "Then ask what a feature map at an eighth of the resolution can know: *that* something is there, or "
        "*where exactly* it ends?",
        "Look at `indices`. It was told the *places* of the maxima, yet not what stood at the others.",
    ),
    why={
        "A": "Far from the boundary all three are nearly always right: without skip connections the "
        "network does find the tumour. It draws it badly.",
        "B": "All three have the same number of weights; a cell printed it. The skip connections add none.",
        "D": "The numbers of steps and the slices are equal, and so are the subjects: it saw what the "
        "others saw, for as long. What differs is what reaches the way up.",
    },
)
