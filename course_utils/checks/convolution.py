"""Exercises of notebook 02: convolution, its matrix, and the transpose of that matrix.

The oracles are PyTorch's and SciPy's own operations, or autograd; sizes come from PyTorch run on "meta"
tensors, which have a shape and no memory. Functions with keywords after ``*`` are right by default and make a
known mistake when one of them is changed.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import partial

import scipy.signal
import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.checking import Checker, Trial
from course_utils.checking.mistakes import given, then
from course_utils.checking.samples import numbers, tensor

check = Checker("convolution")


def _conv1d(a: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    return F.conv1d(a[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


def _conv_transpose1d(b: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    return F.conv_transpose1d(b[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


def _flip(values: Tensor) -> Tensor:
    """Reversed along all axes."""
    return values.flip(tuple(range(values.ndim)))


def _first_zeroed(values: Tensor) -> Tensor:
    """Zero instead of the first entry (or row)."""
    return torch.cat([torch.zeros_like(values[:1]), values[1:]])


def _last_zeroed(values: Tensor) -> Tensor:
    """Zero instead of the last entry (or row)."""
    return torch.cat([values[:-1], torch.zeros_like(values[-1:])])


def _first_only(values: Tensor) -> Tensor:
    """Zero in all entries (or rows) but the first."""
    return torch.cat([values[:1], torch.zeros_like(values[1:])])


# ---- 1. A kernel slides over a signal


def _padded_first(a: Tensor, kernel: Tensor, *, left: float, right: float) -> Tensor:
    """Cross-correlation of a signal with zeros at its ends: shares of the k - 1 that "full" would take."""
    ends = (math.floor(left * (len(kernel) - 1)), math.ceil(right * (len(kernel) - 1)))
    return _conv1d(F.pad(a, ends), kernel)


def _averaged(a: Tensor, kernel: Tensor) -> Tensor:
    return _conv1d(a, kernel) / len(kernel)


def _as_long_as_the_signal(a: Tensor, kernel: Tensor) -> Tensor:
    return F.pad(_conv1d(a, kernel), (0, len(kernel) - 1))


def _last_product(a: Tensor, kernel: Tensor) -> Tensor:
    return kernel[-1] * a[len(kernel) - 1 :]


@check.exercise(
    oracle=_conv1d,
    hints=(
        "Entry i looks at the window a[i], a[i+1], ..., a[i+k-1]. How many windows fit into the signal?",
        "There are n - k + 1 windows, so as many outputs: make that many zeros and fill them in a loop over "
        "i. Each is a sum of k products.",
        "In the loop over i: y[i] is the sum over j of kernel[j] * a[i + j], which is "
        "(kernel * a[i : i + k]).sum().",
    ),
    why={
        given(_conv1d, kernel=_flip): (
            "Your kernel is flipped: kernel[0] has to meet the first value of each window, as in the formula."
        ),
        then(_conv1d, lambda y: y[:-1]): (
            "The last window is missing: n - k + 1 windows of length k fit into n values."
        ),
        _as_long_as_the_signal: (
            "Your result is as long as the signal, with zeros at its end: only n - k + 1 windows fit, so "
            "there are only so many outputs."
        ),
        then(_conv1d, _first_only): (
            "Only the first output is computed: does `return` stand inside the loop? It "
            "ends the function at once."
        ),
        then(_conv1d, _last_zeroed): "The last output is still 0: the loop over i has to reach n - k.",
        then(_conv1d, _first_zeroed): "The first output is still 0: the loop over i has to begin at 0.",
        given(_conv1d, kernel=_last_zeroed): (
            "The last kernel value never counts: j runs from 0 to k - 1, and k - 1 is included."
        ),
        given(_conv1d, kernel=_first_zeroed): "The first kernel value never counts: j begins at 0.",
        _last_product: (
            "Each output holds its window's last product only: the k products have to add "
            "up, `+=` and not `=`."
        ),
        _averaged: "You took the mean of the products: the formula has their sum.",
        partial(_padded_first, left=0.5, right=0.5): (
            "You padded the signal with zeros: here only windows that lie wholly inside the signal count."
        ),
        partial(_padded_first, left=0, right=1): (
            "Windows that stick out at the end are counted as well: only n - k + 1 windows lie wholly inside."
        ),
        partial(_padded_first, left=1, right=1): (
            "Windows that stick out at either end are counted as well: only n - k + 1 "
            "windows lie wholly inside."
        ),
    },
)
def cross_correlation_1d(trial: Trial) -> None:
    trial.signature("a", "kernel")
    trial.case(tensor(1, 2, 4, 8, 3), tensor(1, 10, 100), expected=tensor(421, 842, 384))
    trial.case(numbers(9, seed=1), numbers(4, seed=2))
    trial.case(numbers(5, seed=3), numbers(5, seed=4))
    trial.case(numbers(4, seed=41), numbers(1, seed=42))


def _scipy_convolve(a: Tensor, kernel: Tensor, *, mode: str = "valid") -> Tensor:
    return torch.from_numpy(scipy.signal.convolve(a.numpy(), kernel.numpy(), mode=mode))


def _index_minus_j(a: Tensor, kernel: Tensor) -> Tensor:
    return _conv1d(a, torch.stack([kernel[-j] for j in range(len(kernel))]))


@check.exercise(
    oracle=_scipy_convolve,
    hints=(
        "In the formula the kernel's index runs against the signal's. Which kernel, slid in the ordinary "
        "way, does the same?",
        "Convolution is cross-correlation with the kernel turned round: kernel[k-1], "
        "..., kernel[1], kernel[0].",
        "`tensor.flip(0)` reverses a tensor of one dimension; call your cross_correlation_1d with the "
        "flipped kernel.",
    ),
    why={
        _conv1d: "Nothing is flipped yet: this is cross-correlation.",
        given(_conv1d, a=_flip): (
            "The values come out in reverse order: flip the kernel, not the signal, and leave "
            "the result as it is."
        ),
        then(_conv1d, _flip): (
            "This is the cross-correlation, read backwards: flip the kernel alone, neither signal nor result."
        ),
        _index_minus_j: (
            "kernel[-0] is kernel[0], the first value: the flipped kernel begins with its "
            "last, kernel[k - 1 - j]."
        ),
        partial(_scipy_convolve, mode="full"): (
            "This is the 'full' convolution, which also counts windows that stick out at both ends "
            "(np.convolve's default)."
        ),
        partial(_scipy_convolve, mode="same"): (
            "This is the 'same' convolution, as long as the signal: windows that stick out "
            "are counted as well."
        ),
    },
)
def convolution_1d(trial: Trial) -> None:
    trial.signature("a", "kernel")
    trial.case(tensor(1, 2, 4, 8, 3), tensor(1, 10, 100), expected=tensor(124, 248, 483))
    trial.case(numbers(9, seed=5), numbers(4, seed=6))
    trial.case(numbers(5, seed=43), numbers(5, seed=44))


check.choice(
    "impulse_picture",
    answer="B",
    hints=(
        "The input is 0 everywhere except at one place. Which kernel value meets the 1 when the window has "
        "just reached it?",
        "The window arrives from the left, so its last value, kernel[2] = 4, is the "
        "first to touch the impulse.",
        "So a kernel slid without flipping writes 4, 2, 1. Now ask which of the two PyTorch does.",
    ),
    why={
        "A": "The order of the bars depends on the flip only. A kernel that slides unflipped meets the "
        "impulse with its last value first, so cross-correlation writes the kernel backwards.",
        "C": "The first two are right, but PyTorch doesn't flip: `conv1d` computes the cross-correlation, "
        "whatever its name.",
        "D": (
            "Padding adds zeros at the ends; it can't turn 4, 2, 1 into 1, 2, 4. Only "
            "reversing the kernel does."
        ),
    },
)


# ---- 2. How long is the output?


def _output_size(n: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    signal, weights = torch.empty(1, 1, n, device="meta"), torch.empty(1, 1, kernel, device="meta")
    return F.conv1d(signal, weights, stride=stride, padding=padding).shape[-1]


def _size_formula(
    n: int,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    *,
    sides: int = 2,
    divide: Callable[[int, int], float] = operator.floordiv,
    before: int = 0,
    after: int = 1,
) -> float:
    """``before`` and ``after`` are what is added before and after the division."""
    return divide(n + sides * padding - kernel + before, stride) + after


def _padding_added_last(n: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    return (n - kernel) // stride + 1 + 2 * padding


def _without_kernel(n: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    return (n + 2 * padding) // stride


def _only_divided(n: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    return n // stride


@check.exercise(
    oracle=_output_size,
    hints=(
        "The padded signal has n + 2 * padding values. How many steps can a window of the kernel's size "
        "take before it hits the end?",
        "It can move over n + 2 * padding - kernel places, `stride` at a time; a step that doesn't fit is "
        "left out. The first window counts too.",
        "(n + 2 * padding - kernel) // stride + 1",
    ),
    why={
        partial(_size_formula, divide=lambda places, stride: -(-places // stride)): (
            "You rounded up: a last window that doesn't fit is dropped, so the division rounds down."
        ),
        partial(_size_formula, divide=lambda places, stride: round(places / stride)): (
            "You rounded to the nearest: a last window that doesn't fit is dropped, so the "
            "division rounds down."
        ),
        partial(_size_formula, divide=operator.truediv): (
            "A size is a whole number: divide with //, which rounds down."
        ),
        partial(_size_formula, before=1, after=0): (
            "You divided too late: the + 1 for the first window is not divided by the stride."
        ),
        partial(_size_formula, after=0): (
            "That is the number of steps: the first window, before any step, counts too."
        ),
        partial(_size_formula, before=1): (
            "The window moves over n + 2 * padding - kernel places; you let it move over one more."
        ),
        partial(_size_formula, sides=1): "The padding is on both sides: it adds 2 * padding values.",
        partial(
            _size_formula, sides=-2
        ): "Padding makes the signal longer: add 2 * padding, don't subtract it.",
        given(_output_size, padding=0): "The padding doesn't count yet: it adds 2 * padding values.",
        _padding_added_last: (
            "The padding comes before the division: it makes the signal longer, and the "
            "stride runs over it as well."
        ),
        given(
            _output_size, stride=1
        ): "The stride doesn't count yet: the window moves `stride` places at a time.",
        given(_output_size, kernel=3): "Your formula holds for a kernel of size 3 only: use `kernel`.",
        _without_kernel: (
            "The kernel doesn't count yet: the window has to fit, so it can't begin at the "
            "last kernel - 1 places."
        ),
        _only_divided: (
            "n // stride is a rule of thumb: the kernel, which has to fit, and the padding count as well."
        ),
    },
)
def output_size(trial: Trial) -> None:
    trial.signature("n", "kernel", stride=1, padding=0)
    trial.case(5, 3, expected=3, whole=True)
    trial.case(9, 3, 1, 2, expected=11, whole=True)
    trial.case(4, 3, 2, 1, expected=2, whole=True)
    trial.cases(
        ((5, 3, 2, 1), (7, 3, 2, 0), (8, 3, 2, 1), (20, 5, 3, 2), (11, 4, 3, 0), (6, 6, 1, 0)), whole=True
    )
    trial.cases(((13, 4, 5, 0), (9, 5, 4, 1), (4, 1, 2, 0)), whole=True)


check.number(
    "slices_left",
    answer=10,
    hints=(
        "Use your output_size, one layer after the other: 155 becomes 78. And then?",
        "Each layer rounds by itself. 155, 78, 39, ...",
        "A loop does it: start with n = 155 and repeat four times n = "
        "output_size(n, 3, stride=2, padding=1).",
    ),
    why={
        155 / 16: "There is no fraction of a slice: each layer rounds, and not as 155 / 16 does.",
        9: (
            "Rounding down gives 9, once at the end or layer by layer. Each layer rounds by itself, and "
            "with padding 1 it rounds up: it keeps (n + 1) // 2."
        ),
        8: "That is without padding: 155, 77, 38, 18, 8. The layers here have padding 1.",
        20: "That is after three layers: there is one more.",
        5: "That is after five layers: there are four.",
        39: "That is after two layers: there are four.",
        78: "That is after one layer: there are four.",
        147: "That is with stride 1 and without padding: the layers here have stride 2 and padding 1.",
    },
)


# ---- 3. Convolution is a matrix


def _convolution_matrix(kernel: Tensor, n: int, stride: int = 1, padding: int = 0) -> Tensor:
    """The convolutions of the n unit vectors are the columns."""
    unit_vectors = torch.eye(n, dtype=kernel.dtype)[:, None]
    return F.conv1d(unit_vectors, kernel[None, None], stride=stride, padding=padding)[:, 0].T.contiguous()


def _with_padding_columns(kernel: Tensor, n: int, stride: int = 1, padding: int = 0) -> Tensor:
    return _convolution_matrix(kernel, n + 2 * padding, stride)


def _padded_on_the_left(kernel: Tensor, n: int, stride: int = 1, padding: int = 0) -> Tensor:
    return _convolution_matrix(kernel, n, stride, padding)[: _output_size(n + padding, len(kernel), stride)]


def _matrix_by_loops(
    kernel: Tensor,
    n: int,
    stride: int = 1,
    padding: int = 0,
    *,
    column: Callable[[int, int, int, int], int] = lambda i, j, stride, padding: i * stride + j - padding,
    first: int | None = 0,
    last: int = -1,
) -> Tensor:
    """Kernel value j of row i goes to ``column``, if it is from ``first`` (None: any) to n + ``last``."""
    matrix = kernel.new_zeros(_output_size(n, len(kernel), stride, padding), n)
    for i in range(len(matrix)):
        for j, weight in enumerate(kernel):
            place = column(i, j, stride, padding)
            if (first is None or first <= place) and place <= n + last:
                matrix[i, place] = weight
    return matrix


def _clipped_start(kernel: Tensor, n: int, stride: int = 1, padding: int = 0) -> Tensor:
    matrix = kernel.new_zeros(_output_size(n, len(kernel), stride, padding), n)
    for i, row in enumerate(matrix):
        start = max(i * stride - padding, 0)
        row[start : start + len(kernel)] = kernel[: n - start]
    return matrix


@check.exercise(
    oracle=_convolution_matrix,
    hints=(
        "One row for each output value, one column for each input value. In which column does row i start?",
        "Row i holds the kernel from column i * stride - padding on. What of it lies outside 0 ... n - 1 "
        "meets padding zeros, and is left out.",
        "Two loops, i over output_size(n, k, stride, padding) rows and j over the kernel; column = i * "
        "stride - padding + j; `if 0 <= column < n: X[i, column] = kernel[j]`.",
    ),
    why={
        given(_convolution_matrix, kernel=_flip): (
            "Your kernel is flipped: each row reads kernel[0], kernel[1], ... from left to right."
        ),
        _with_padding_columns: (
            "You kept the columns of the padding. Those inputs are zeros, so their columns go: the matrix "
            "acts on the n true inputs."
        ),
        given(_convolution_matrix, padding=0): (
            "The padding is missing: row 0 starts at column -padding, and what sticks out is left out."
        ),
        partial(_matrix_by_loops, column=lambda i, j, stride, padding: i * stride + j): (
            "The padding gives more rows, but doesn't move the kernel yet: row 0 starts at column -padding."
        ),
        partial(_matrix_by_loops, column=lambda i, j, stride, padding: i * stride + j + padding): (
            "You moved the kernel to the right by the padding: row 0 starts at column "
            "-padding, not at +padding."
        ),
        _padded_on_the_left: (
            "The padding is on the left side only: it also lets the last windows stick out on the right."
        ),
        given(_convolution_matrix, stride=1): (
            "The stride is missing: it makes fewer rows, and from one to the next the kernel moves on by "
            "`stride` columns."
        ),
        partial(_matrix_by_loops, column=lambda i, j, stride, padding: i + j - padding): (
            "The stride is missing in the columns: from one row to the next the kernel moves "
            "on by `stride` columns."
        ),
        partial(_matrix_by_loops, column=lambda i, j, stride, padding: i + j * stride - padding): (
            "The stride went into the kernel: it spreads the rows, not the kernel's own "
            "values (that is dilation)."
        ),
        partial(_matrix_by_loops, column=lambda i, j, stride, padding: (i + j) * stride - padding): (
            "You multiplied i + j by the stride: only the row's start moves by it, i * stride; the kernel's "
            "own values stay neighbours."
        ),
        partial(_matrix_by_loops, column=lambda i, j, stride, padding: (i - padding) * stride + j): (
            "You multiplied the padding by the stride, too: row i starts at column i * stride - padding."
        ),
        _clipped_start: (
            "Where the kernel sticks out on the left, its first values are cut off and the others stay in "
            "place; you moved the whole kernel to column 0."
        ),
        partial(_matrix_by_loops, first=None): (
            "A negative column index wraps round to the end of the row in Python: leave out columns below 0."
        ),
        partial(
            _matrix_by_loops, first=1
        ): "Column 0 is always empty: it is an input like the others, 0 <= column.",
        partial(_matrix_by_loops, last=-2): (
            "The last column is always empty: it is an input like the others, column < n."
        ),
        given(_convolution_matrix, kernel=_last_zeroed): (
            "The last kernel value never appears: j runs from 0 to k - 1, and k - 1 is included."
        ),
        then(_convolution_matrix, _first_only): (
            "Only the first row is filled: does `return` stand inside the loop? It ends the function at once."
        ),
        then(_convolution_matrix, _last_zeroed): "The last row is empty: the loop over i has to reach it.",
        then(_convolution_matrix, lambda matrix: matrix.T): (
            "Rows and columns are swapped: one row for each output, one column for each input."
        ),
    },
)
def convolution_matrix(trial: Trial) -> None:
    trial.signature("kernel", "n", stride=1, padding=0)
    trial.case(tensor(2, 3, 5), 5)
    slide = torch.tensor([[3, 5, 0, 0], [2, 3, 5, 0], [0, 2, 3, 5], [0, 0, 2, 3]], dtype=torch.float64)
    trial.case(tensor(2, 3, 5), 4, padding=1, expected=slide)
    trial.case(numbers(4, seed=7), 9, stride=2, padding=1)
    trial.case(numbers(3, seed=8), 7, stride=3, padding=2)
    trial.case(numbers(2, seed=9), 8, stride=3)
    trial.case(numbers(5, seed=45), 6, stride=2, padding=3)


check.choice(
    "which_matrix",
    answer="A",
    hints=(
        "Two things can be read off such a picture: by how much each row is shifted against the one above "
        "(the stride), and how much of the first row is cut off (the padding).",
        "Stride 2: each row starts two columns after the one above. That rules out one picture.",
        "Padding 1: the first row has lost its first value, and the rows still read 2, 3, "
        "5 from left to right.",
    ),
    why={
        "B": "There the first row shows all three kernel values: nothing sticks out, so the padding is 0.",
        "C": "There each row is shifted by one column: this is stride 1.",
        "D": "Shift and cut are right, but the full rows read 5, 3, 2: the kernel is flipped.",
    },
)

check.number(
    "wrong_entries",
    answer=4,
    hints=(
        "Which matrix multiplies the padded input of six values? Your convolution_matrix with n = 6 and no "
        "padding makes it.",
        "Compare entry by entry and count where the two differ. (The numbers for x, y, z are all different, "
        "so nothing can hide.)",
        "int((printed != X).sum()), with X = convolution_matrix(torch.tensor([x, y, z]), 6)",
    ),
    why={
        0: (
            "Look at the third value of a row, x in print: kernel values all different "
            "make the misprint visible."
        ),
        1: "One misprint, but it is repeated in each row: count all wrong entries.",
        2: "Compare all four rows, each by itself: the same misprint is in every one of them.",
        8: "The first value of each row is right: x, for the first value of the window.",
        12: "That is how many entries aren't zero. How many of them are wrong?",
        20: "That is how many entries are right. How many are wrong?",
        24: "That is the number of all entries. How many differ from the right matrix?",
    },
)


# ---- 4. In two dimensions


def _convolution_matrix_2d(
    kernel: Tensor, height: int, width: int, stride: int = 1, padding: int = 0
) -> Tensor:
    unit_images = torch.eye(height * width, dtype=kernel.dtype).reshape(-1, 1, height, width)
    convolved = F.conv2d(unit_images, kernel[None, None], stride=stride, padding=padding)
    return convolved.reshape(height * width, -1).T.contiguous()


def _matrix_2d_by_loops(
    kernel: Tensor,
    height: int,
    width: int,
    stride: int = 1,
    padding: int = 0,
    *,
    start: Callable[[int, int, int], int] = lambda i, stride, padding: i * stride - padding,
    output: Callable[..., int] = lambda i, j, **sizes: i * sizes["out_width"] + j,
    pixel: Callable[..., int] = lambda r, c, **sizes: r * sizes["width"] + c,
    inside: Callable[..., bool] = lambda r, c, flat, height, width: 0 <= r < height and 0 <= c < width,
    width_of_kernel: int = 1,
) -> Tensor:
    """The four loops of the exercise, with the parts that go wrong left open.

    ``start`` is where the window of an output row or column begins, ``output`` and ``pixel`` flatten,
    ``inside`` says what is written, and the kernel's axis ``width_of_kernel`` counts for the output's width.
    """
    out_height = _output_size(height, kernel.shape[0], stride, padding)
    out_width = _output_size(width, kernel.shape[width_of_kernel], stride, padding)
    matrix = kernel.new_zeros(out_height * out_width, height * width)
    for i in range(out_height):
        for j in range(out_width):
            row = output(i, j, out_width=out_width, out_height=out_height, width=width)
            for p, q in torch.cartesian_prod(*map(torch.arange, kernel.shape)).tolist():
                r, c = start(i, stride, padding) + p, start(j, stride, padding) + q
                flat = pixel(r, c, width=width, height=height)
                if inside(r, c, flat, height, width):
                    matrix[row, flat] = kernel[p, q]
    return matrix


def _column_by_column(kernel: Tensor, height: int, width: int, stride: int = 1, padding: int = 0) -> Tensor:
    """Both images flattened down their columns: equal to the matrix of the transposed image and kernel."""
    return _convolution_matrix_2d(kernel.T, width, height, stride, padding)


def _height_for_width(kernel: Tensor, height: int, width: int, stride: int = 1, padding: int = 0) -> Tensor:
    return _convolution_matrix_2d(kernel, width, height, stride, padding)


@check.exercise(
    oracle=_convolution_matrix_2d,
    hints=(
        "As in 1D: one row for each output pixel, one column for each input pixel. Pixel (r, c) of an image "
        "that is `width` wide becomes entry r * width + c.",
        "Four loops: output pixel (i, j), kernel entry (p, q). Which row r and which column c of the input "
        "does it lie on, with stride and padding? Both have to be inside the image.",
        "`r, c = i * stride - padding + p, j * stride - padding + q`, then `if 0 <= r < height and 0 <= c < "
        "width: X[i * out_width + j, r * width + c] = kernel[p, q]`, with out_height and "
        "out_width from output_size.",
    ),
    why={
        given(_convolution_matrix_2d, kernel=_flip): (
            "Your kernel is flipped: kernel[0, 0] meets the window's top left pixel."
        ),
        given(_convolution_matrix_2d, kernel=lambda kernel: kernel.T): (
            "The kernel's two axes are swapped: p runs down with the rows, q runs to the "
            "right with the columns."
        ),
        given(_convolution_matrix_2d, padding=0): (
            "The padding is missing: it lets the kernel stick out by `padding` rows and columns on each side."
        ),
        given(_convolution_matrix_2d, stride=1): (
            "The stride is missing: from one output pixel to the next the kernel moves on by `stride`, "
            "along rows and columns."
        ),
        partial(_matrix_2d_by_loops, start=lambda i, stride, padding: i * stride): (
            "The padding gives more rows, but doesn't move the kernel yet: its first window begins at row "
            "and column -padding."
        ),
        partial(_matrix_2d_by_loops, start=lambda i, stride, padding: i - padding): (
            "The stride gives fewer rows, but doesn't move the kernel yet: window i begins "
            "at i * stride - padding."
        ),
        given(_convolution_matrix_2d, kernel=_last_zeroed): (
            "The kernel's last row never appears: p runs from 0 to k1 - 1, and k1 - 1 is included."
        ),
        given(_convolution_matrix_2d, kernel=lambda kernel: _last_zeroed(kernel.T).T): (
            "The kernel's last column never appears: q runs from 0 to k2 - 1, and k2 - 1 is included."
        ),
        _column_by_column: (
            "You flattened column by column: `flatten()` goes along the rows, pixel (r, c) "
            "becomes entry r * width + c."
        ),
        _height_for_width: "Height and width of the image are swapped: the height counts its rows.",
        partial(_matrix_2d_by_loops, inside=lambda r, c, flat, height, width: 0 <= flat < height * width): (
            "What sticks out at the left or right leaks into the neighbouring image row: test r and c each, "
            "not the flat index."
        ),
        partial(_matrix_2d_by_loops, inside=lambda r, c, flat, height, width: r < height and c < width): (
            "A negative index wraps round in Python: leave out rows and columns below 0, too."
        ),
        partial(
            _matrix_2d_by_loops,
            pixel=lambda r, c, **sizes: r * sizes["height"] + c,
            inside=lambda r, c, flat, height, width: (
                0 <= r < height and 0 <= c < width and flat < height * width
            ),
        ): "You multiplied the row index by the height: an image row has `width` pixels.",
        partial(_matrix_2d_by_loops, pixel=lambda r, c, **sizes: c * sizes["height"] + r): (
            "The input is flattened column by column: along its rows, pixel (r, c) is entry r * width + c."
        ),
        partial(_matrix_2d_by_loops, output=lambda i, j, **sizes: i * sizes["width"] + j): (
            "The matrix's row is i * out_width + j: a row of the output has `out_width` pixels, not `width`."
        ),
        partial(_matrix_2d_by_loops, output=lambda i, j, **sizes: i * sizes["out_height"] + j): (
            "You multiplied i by the output's height: a row of the output has `out_width` pixels."
        ),
        partial(_matrix_2d_by_loops, output=lambda i, j, **sizes: j * sizes["out_height"] + i): (
            "The output is flattened column by column: along its rows, pixel (i, j) is entry "
            "i * out_width + j."
        ),
        partial(
            _matrix_2d_by_loops,
            width_of_kernel=0,
            inside=lambda r, c, flat, height, width: 0 <= r < height and 0 <= c < width,
        ): "The output's width follows from the kernel's own width, kernel.shape[1].",
        then(_convolution_matrix_2d, _last_zeroed): (
            "The last row of the matrix is empty: the loops over i and j have to reach the last output pixel."
        ),
        then(_convolution_matrix_2d, lambda matrix: matrix.T): (
            "Rows and columns are swapped: one row for each output pixel, one column for each input pixel."
        ),
    },
)
def convolution_matrix_2d(trial: Trial) -> None:
    trial.signature("kernel", "height", "width", stride=1, padding=0)
    tiny = torch.tensor([[1, 2, 0, 3, 4, 0], [0, 1, 2, 0, 3, 4]], dtype=torch.float64)
    trial.case(tensor(1, 2, 3, 4).reshape(2, 2), 2, 3, expected=tiny)
    # Outputs no smaller than the image: there a wrong place is a wrong value and not an IndexError.
    trial.case(numbers(3, 3, seed=48), 4, 5, padding=1)
    trial.case(numbers(2, 3, seed=46), 2, 4, padding=2)
    trial.case(numbers(3, 3, seed=10), 4, 5)
    trial.case(numbers(3, 3, seed=11), 5, 4, padding=1)
    trial.case(numbers(2, 3, seed=12), 6, 5, stride=2, padding=1)
    trial.case(numbers(2, 3, seed=25), 4, 5)
    trial.case(numbers(3, 2, seed=47), 7, 4, stride=3, padding=1)


check.choice(
    "block_picture",
    answer="C",
    hints=(
        "One block has 6 columns, as many as an image row has pixels. So a block says what one *input row* "
        "gives to one *output row*.",
        "Output row 1 is made from the input rows 1, 2 and 3: kernel row 0 lies on input row 1, kernel row "
        "1 on input row 2, kernel row 2 on input row 3.",
        "The framed block is in block row 1 (output row 1) and block column 2 (input row 2).",
    ),
    why={
        "A": "Rows of the kernel stay rows: within a block we move along one image row, so a block holds a "
        "row of the kernel, not a column.",
        "B": "Kernel row 0 lies on input row 1 when output row 1 is computed: that is the block to the "
        "left of the frame.",
        "D": "The whole kernel spans three image rows, so it is spread over three blocks; one block holds "
        "a single kernel row.",
    },
)


# ---- 5. The transpose


def _stamped(
    b: Tensor,
    kernel: Tensor,
    stride: int = 1,
    padding: int = 0,
    *,
    add: bool = True,
    scale: bool = True,
    spread: bool = True,
    cut: Callable[[Tensor, int], Tensor] = lambda full, padding: full[padding : len(full) - padding],
) -> Tensor:
    """Stamps ``add`` up, inputs ``scale`` them, the stride ``spread``s them; then ``cut``."""
    full = b.new_zeros((len(b) - 1) * stride + len(kernel))
    for i, value in enumerate(b):
        for j, weight in enumerate(kernel):
            place = i * (stride if spread else 1) + j
            stamp = value * weight if scale else weight
            full[place] = stamp + (full[place] if add else 0)
    return cut(full, padding)


@check.exercise(
    oracle=_conv_transpose1d,
    hints=(
        "Each b[i] puts a copy of the kernel, multiplied by b[i], into the output. Where "
        "does the copy of b[i] start?",
        "At i * stride. Copies that overlap add up. All of them together need (n - 1) * stride + k places; "
        "at the end, cut `padding` values off each end.",
        "`full[i * stride : i * stride + k] += b[i] * kernel` in a loop over i; then `return full[padding : "
        "len(full) - padding]`.",
    ),
    why={
        partial(_stamped, add=False): "Where stamps overlap they must add up: `+=`, not `=`.",
        partial(_stamped, scale=False): (
            "Each stamp has to be multiplied by its input value: b[i] * kernel, not the kernel alone."
        ),
        given(_conv_transpose1d, kernel=_flip): (
            "Your stamp is flipped: each input value writes kernel[0], kernel[1], ... from left to right."
        ),
        given(_conv_transpose1d, padding=0): (
            "The padding is missing: it cuts `padding` values off each end of the output."
        ),
        partial(_stamped, cut=lambda full, padding: F.pad(full, (padding, padding))): (
            "Padding makes the output of a transposed convolution shorter, not longer: it cuts off what the "
            "convolution's padding had added."
        ),
        partial(_stamped, cut=lambda full, padding: full[padding:]): (
            "The padding is cut off at the beginning only: it goes from both ends."
        ),
        partial(_stamped, cut=lambda full, padding: full[: len(full) - padding]): (
            "The padding is cut off at the end only: it goes from both ends."
        ),
        partial(_stamped, cut=lambda full, padding: full[2 * padding :]): (
            "You cut 2 * padding off the beginning: each end loses `padding` values."
        ),
        partial(_stamped, cut=lambda full, padding: full[: len(full) - 2 * padding]): (
            "You cut 2 * padding off the end: each end loses `padding` values."
        ),
        partial(_stamped, cut=lambda full, padding: full[padding:-padding]): (
            "Without padding nothing is cut, but the slice [0:-0] is empty: cut up to len(full) - padding."
        ),
        given(_conv_transpose1d, stride=1): "The stride is missing: it is the distance between two stamps.",
        partial(_stamped, spread=False): (
            "The output is long enough, but the stamps are only one place apart: stamp i "
            "starts at i * stride."
        ),
        given(_conv_transpose1d, b=_first_only): (
            "Only the first input stamps: does `return` stand inside the loop? It ends the function at once."
        ),
        given(_conv_transpose1d, b=_last_zeroed): (
            "The last input never stamps: the loop over i has to reach the last one."
        ),
        given(
            _conv_transpose1d, b=_first_zeroed
        ): "The first input never stamps: the loop over i begins at 0.",
        _conv1d: (
            "This is the ordinary convolution, which gathers: the transposed one scatters, each input value "
            "stamps the kernel."
        ),
    },
)
def transposed_convolution_1d(trial: Trial) -> None:
    trial.signature("b", "kernel", stride=1, padding=0)
    trial.case(tensor(1, 10, 100), tensor(2, 3, 5), expected=tensor(2, 23, 235, 350, 500))
    trial.case(tensor(1, 10, 100), tensor(2, 3, 5), stride=2, expected=tensor(2, 3, 25, 30, 250, 300, 500))
    trial.case(numbers(6, seed=13), numbers(3, seed=14), stride=2, padding=1)
    trial.case(numbers(5, seed=15), numbers(4, seed=16), padding=2)
    trial.case(numbers(4, seed=17), numbers(2, seed=18), stride=3)


def _slide_transposed(x: float, y: float, z: float, a: float, b: float, c: float, d: float) -> list[float]:
    return _conv_transpose1d(tensor(a, b, c, d), tensor(x, y, z)).tolist()


def _fifth_as_printed(x: float, y: float, z: float, a: float, b: float, c: float, d: float) -> list[float]:
    entries = _slide_transposed(x, y, z, a, b, c, d)
    return [*entries[:4], d * z + d * y, entries[5]]


def _sixth_as_printed(x: float, y: float, z: float, a: float, b: float, c: float, d: float) -> list[float]:
    return [*_slide_transposed(x, y, z, a, b, c, d)[:5], d * y]


def _as_printed(x: float, y: float, z: float, a: float, b: float, c: float, d: float) -> list[float]:
    return [*_fifth_as_printed(x, y, z, a, b, c, d)[:5], d * y]


def _of_the_misprinted_rows(
    x: float, y: float, z: float, a: float, b: float, c: float, d: float
) -> list[float]:
    return _slide_transposed(x, y, x, a, b, c, d)


def _flipped_stamps(x: float, y: float, z: float, a: float, b: float, c: float, d: float) -> list[float]:
    return _slide_transposed(z, y, x, a, b, c, d)


@check.exercise(
    oracle=_slide_transposed,
    hints=(
        "Put numbers in: compare X.T @ a with the six printed expressions. Primes let you "
        "factor what you find.",
        "The wrong ones are the last two. For kernel (2, 3, 5) and input (7, 11, 13, 17) "
        "they have to be 116 and 85.",
        "The fifth place is stamped by c (its last value, z) and by d (its middle value, y); "
        "the sixth by d alone.",
    ),
    why={
        _as_printed: "That is the slide as printed. Compare each entry with X.T @ a: two are wrong.",
        _fifth_as_printed: "The fifth entry is still as printed: d can't stamp the same place twice.",
        _sixth_as_printed: (
            "The sixth entry is still as printed: the last stamp ends with the last value of the kernel."
        ),
        _of_the_misprinted_rows: (
            "This comes from the misprinted matrix, rows x y x: correct its rows to x y z first."
        ),
        _flipped_stamps: "Your kernel is flipped: a stamps x, y, z from left to right.",
    },
)
def slide_transposed(trial: Trial) -> None:
    trial.signature("x", "y", "z", "a", "b", "c", "d")
    trial.case(2, 3, 5, 7, 11, 13, 17, expected=[14, 43, 94, 128, 116, 85])
    trial.case(0.5, -1.25, 3.0, 2.0, -0.75, 1.5, 4.0)


def _stride_1(b: Tensor, kernel: Tensor, padding: int = 0) -> Tensor:
    return _conv_transpose1d(b, kernel, padding=padding)


def _by_conv1d(
    b: Tensor,
    kernel: Tensor,
    padding: int = 0,
    *,
    pad: Callable[[int, int], int] = lambda k, padding: k - 1 - padding,
    flip: bool = True,
) -> Tensor:
    return _conv1d(b, _flip(kernel) if flip else kernel, padding=pad(len(kernel), padding))


@check.exercise(
    oracle=_stride_1,
    hints=(
        "Compare the pictures of X.T and of a convolution matrix: in which order do the "
        "rows of X.T hold the kernel?",
        "The kernel is flipped, and the input needs enough zeros for a window that touches b with one value "
        "only: k - 1 on each side when padding is 0.",
        "F.conv1d with kernel.flip(0) and padding = len(kernel) - 1 - padding.",
    ),
    why={
        partial(_by_conv1d, flip=False): (
            "The length is right, the kernel is not flipped: for stride 1 the transposed convolution is an "
            "ordinary one only with the kernel flipped."
        ),
        then(_stride_1, _flip): (
            "The result is read backwards: flip the kernel alone, neither the input nor the result."
        ),
        given(_stride_1, b=_flip): (
            "This is the answer for the input read backwards: flip the kernel alone."
        ),
        partial(_by_conv1d, pad=lambda k, padding: padding): (
            "You gave F.conv1d the transposed convolution's padding. It needs k - 1 - padding: the more the "
            "one cuts off, the less the other adds."
        ),
        partial(_by_conv1d, pad=lambda k, padding: k - 1): (
            "You pad by k - 1 always: the transposed convolution's own padding has to be "
            "taken away, k - 1 - padding."
        ),
        partial(_by_conv1d, pad=lambda k, padding: k - 1 + padding): (
            "You added the padding to k - 1. It has to be taken away: what the transposed convolution cuts "
            "off needs no zeros."
        ),
        partial(_by_conv1d, pad=lambda k, padding: k - 1 - 2 * padding): (
            "You took the padding away twice: F.conv1d adds its padding at each end, so it "
            "loses `padding` once."
        ),
        partial(_by_conv1d, pad=lambda k, padding: k - padding): (
            "One zero too many at each end: a window that touches b with one value sticks out "
            "by k - 1, not k."
        ),
        partial(_by_conv1d, pad=lambda k, padding: 2 - padding): (
            "That padding is right for a kernel of three values only: use len(kernel) - 1 instead of 2."
        ),
        partial(_by_conv1d, pad=lambda k, padding: padding, flip=False): (
            "Neither flip nor other padding: this is the ordinary convolution itself."
        ),
    },
)
def transpose_by_convolution(trial: Trial) -> None:
    trial.signature("b", "kernel", padding=0)
    trial.case(tensor(1, 10, 100), tensor(2, 3, 5), expected=tensor(2, 23, 235, 350, 500))
    trial.case(numbers(7, seed=19), numbers(4, seed=20), padding=1)
    trial.case(numbers(6, seed=21), numbers(5, seed=22), padding=3)
    trial.case(numbers(2, seed=26), numbers(6, seed=27), padding=2)
    trial.case(numbers(8, seed=49), numbers(6, seed=50), padding=1)


def _transposed_output_size(
    n: int, kernel: int, stride: int = 1, padding: int = 0, output_padding: int = 0
) -> int:
    signal, weights = torch.empty(1, 1, n, device="meta"), torch.empty(1, 1, kernel, device="meta")
    return F.conv_transpose1d(signal, weights, None, stride, padding, output_padding).shape[-1]


def _stamp_formula(
    n: int,
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    output_padding: int = 0,
    *,
    distances: int = -1,
    cut: int = 2,
    given_back: int = 1,
    extra: int = 0,
) -> int:
    """``distances`` more than n between the stamps; the paddings count ``cut`` and ``given_back`` times."""
    return (n + distances) * stride + kernel - cut * padding + given_back * output_padding + extra


def _precedence(n: int, kernel: int, stride: int = 1, padding: int = 0, output_padding: int = 0) -> int:
    return n - 1 * stride + kernel - 2 * padding + output_padding


def _stamps_without_length(
    n: int, kernel: int, stride: int = 1, padding: int = 0, output_padding: int = 0
) -> int:
    return (n - 1) * stride - 2 * padding + output_padding


def _times_stride(n: int, kernel: int, stride: int = 1, padding: int = 0, output_padding: int = 0) -> int:
    return n * stride


def _forward(n: int, kernel: int, stride: int = 1, padding: int = 0, output_padding: int = 0) -> int:
    return _output_size(n, kernel, stride, padding)


@check.exercise(
    oracle=_transposed_output_size,
    hints=(
        "Count the stamps: n of them, `stride` apart. Where does the last one end?",
        "The last stamp starts at (n - 1) * stride and is `kernel` long. `padding` is cut off at both ends, "
        "`output_padding` is given back at one.",
        "(n - 1) * stride + kernel - 2 * padding + output_padding",
    ),
    why={
        _times_stride: (
            "Multiplying by the stride is only a rule of thumb: the kernel and the padding count as well."
        ),
        partial(_stamp_formula, distances=0): (
            "n stamps have n - 1 distances between them: the last one starts at (n - 1) * stride."
        ),
        given(_transposed_output_size, stride=1): (
            "The stride is missing: the last stamp starts at (n - 1) * stride."
        ),
        _precedence: "n - 1 * stride is n minus one stride: write (n - 1) * stride, with brackets.",
        _stamps_without_length: "The last stamp has a length, too: it ends `kernel` places after its start.",
        given(
            _transposed_output_size, kernel=3
        ): "Your formula holds for a kernel of size 3 only: use `kernel`.",
        partial(_stamp_formula, cut=1): "The padding is cut off at both ends: it counts twice.",
        partial(_stamp_formula, cut=0, given_back=0): (
            "That is the length of all stamps together: `padding` is cut off at both ends, `output_padding` "
            "given back at one."
        ),
        partial(_stamp_formula, cut=0): "The padding is missing: it is cut off at both ends.",
        partial(_stamp_formula, cut=-2): (
            "The padding is cut off, not added: the transposed convolution undoes the size of "
            "a convolution that had it."
        ),
        partial(_stamp_formula, given_back=2): (
            "output_padding lengthens the output at one end only: it counts once."
        ),
        partial(_stamp_formula, given_back=-2): (
            "output_padding is not a second padding: padding cuts off at both ends, "
            "output_padding gives back at one."
        ),
        partial(_stamp_formula, given_back=-1): "output_padding is given back, not cut off: add it.",
        partial(
            _stamp_formula, given_back=0
        ): "output_padding is missing: it makes the output that much longer.",
        partial(_stamp_formula, extra=1): (
            "One too many: the last stamp starts at (n - 1) * stride and ends `kernel` "
            "places later, nothing more."
        ),
        partial(_stamp_formula, extra=-1): (
            "One too few: the last stamp starts at (n - 1) * stride and is `kernel` places "
            "long, not kernel - 1."
        ),
        _forward: "That is the size of the forward convolution: this one goes the other way and gets longer.",
    },
)
def transposed_output_size(trial: Trial) -> None:
    trial.signature("n", "kernel", stride=1, padding=0, output_padding=0)
    trial.case(5, 4, 2, 1, expected=10, whole=True)
    trial.case(2, 3, 2, 1, expected=3, whole=True)
    trial.case(2, 3, 2, 1, 1, expected=4, whole=True)
    trial.cases(
        ((7, 5, 3, 2, 2), (4, 3, 1, 0, 0), (6, 2, 3, 0, 1), (3, 7, 4, 1, 2), (9, 6, 1, 2, 0)), whole=True
    )


check.choice(
    "inverse_picture",
    answer="D",
    hints=(
        "How many numbers did the strided convolution keep of each 4 pixels? Could any map "
        "bring the others back?",
        "Compare sizes first (the titles say them), then the values: edges and fine structures, in the "
        "first picture and in the third.",
        "Only one option says something true about both the size and the values.",
    ),
    why={
        "A": "Look at the fine structures: they are gone. A quarter as many numbers can't hold the whole "
        "image, and the transpose makes no attempt to recover it.",
        "B": (
            "Rounding errors are about 1e-16 here; the number printed above the figure "
            "is the largest difference."
        ),
        "C": (
            "The size is right: read the titles of the first and the third picture. It is "
            "the values that differ."
        ),
    },
)


# ---- 6. The gradient


def _input_gradient(
    v: Tensor, kernel: Tensor, height: int, width: int, stride: int = 1, padding: int = 0
) -> Tensor:
    """d <conv(a), v> / da by autograd; any ``a`` will do, for the convolution is linear in it."""
    a = torch.ones(1, 1, height, width, dtype=v.dtype, requires_grad=True)
    convolved = F.conv2d(a, kernel[None, None], stride=stride, padding=padding)[0, 0]
    return torch.autograd.grad((convolved * v).sum(), a)[0][0, 0]


def _by_conv_transpose2d(
    v: Tensor,
    kernel: Tensor,
    height: int,
    width: int,
    stride: int = 1,
    padding: int = 0,
    *,
    extra: Callable[[int, int, int], tuple[int, int] | int] = lambda rows, columns, stride: (rows, columns),
    append_zeros: bool = False,
    strided: bool = True,
    padded: bool = True,
) -> Tensor:
    """``extra`` makes output_padding of the rows and columns missing without it, and of the stride."""
    size = [(n - 1) * stride + k - 2 * padding for n, k in zip(v.shape, kernel.shape)]
    options = {
        "output_padding": extra(height - size[0], width - size[1], stride),
        "stride": stride if strided else 1,
        "padding": padding if padded else 0,
    }
    result = F.conv_transpose2d(v[None, None], kernel[None, None], **options)[0, 0]
    if append_zeros:
        result = F.pad(result, (0, width - result.shape[1], 0, height - result.shape[0]))
    return result


def _convolved(
    v: Tensor, kernel: Tensor, height: int, width: int, stride: int = 1, padding: int = 0
) -> Tensor:
    return F.conv2d(v[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


@check.exercise(
    oracle=_input_gradient,
    hints=(
        "<Xa, v> = <a, X^T v>, and the gradient of <a, g> with respect to a is g. So "
        "which operation is asked for?",
        "F.conv_transpose2d with the same kernel, stride and padding. Its result may be too small: choose "
        "output_padding so that it gets back to (height, width).",
        "output_padding = (height - transposed_output_size(v.shape[0], kernel.shape[0], stride, padding), "
        "and the same for the width).",
    ),
    why={
        given(_input_gradient, kernel=_flip): (
            "Your kernel is flipped: conv_transpose2d takes the kernel as it is."
        ),
        partial(_by_conv_transpose2d, extra=lambda rows, columns, stride: 0): (
            "The size is ambiguous: several input sizes give the same output size. Use output_padding to "
            "get back to (height, width)."
        ),
        partial(_by_conv_transpose2d, extra=lambda rows, columns, stride: 0, append_zeros=True): (
            "The rows or columns that were missing are not always zeros: output_padding computes them, "
            "appended zeros don't."
        ),
        partial(_by_conv_transpose2d, extra=lambda rows, columns, stride: rows): (
            "Height and width need an output_padding each: you used that of the height for both."
        ),
        partial(_by_conv_transpose2d, extra=lambda rows, columns, stride: columns): (
            "Height and width need an output_padding each: you used that of the width for both."
        ),
        partial(_by_conv_transpose2d, extra=lambda rows, columns, stride: (columns, rows)): (
            "The pair of output_padding is (rows, columns): yours is the other way round."
        ),
        partial(_by_conv_transpose2d, extra=lambda rows, columns, stride: stride - 1): (
            "output_padding = stride - 1 gives the largest of the possible sizes: compute what is missing "
            "to (height, width)."
        ),
        partial(_by_conv_transpose2d, padded=False): (
            "The padding is missing: the convolution had it, so its gradient has it."
        ),
        partial(_by_conv_transpose2d, strided=False): (
            "The stride is missing: the convolution had it, so its gradient has it."
        ),
        _convolved: (
            "This is the ordinary convolution: the gradient goes the other way, from output to input, by "
            "the transpose."
        ),
    },
)
def input_gradient(trial: Trial) -> None:
    trial.signature("v", "kernel", "height", "width", stride=1, padding=0)
    for kernel_size, height, width, stride, padding in (
        ((2, 3), 5, 6, 1, 0),
        ((3, 3), 5, 7, 2, 1),
        ((3, 3), 6, 7, 2, 1),
        ((3, 2), 6, 5, 2, 1),
        ((4, 3), 9, 11, 3, 1),
        ((2, 3), 7, 8, 2, 0),
    ):
        out = [_output_size(n, k, stride, padding) for n, k in zip((height, width), kernel_size)]
        options = f"stride={stride}, padding={padding}"
        trial.case(
            numbers(*out, seed=23),
            numbers(*kernel_size, seed=24),
            height,
            width,
            stride,
            padding,
            label=f"input_gradient(v of {tuple(out)}, kernel of {kernel_size}, {height}, {width}, {options})",
        )


# ---- 7. What the matrix costs

_PIXELS = 240 * 240
_INNER = 238 * 238  # what a 3x3 kernel without padding leaves
_NOT_ZERO = (3 * 240 - 2) ** 2  # entries of the matrix

check.number(
    "matrix_memory",
    answer=_PIXELS**2 * 4 / 1e9,
    tolerance=0.0025,
    hints=(
        "How many rows has the matrix, how many columns? Padding 1 keeps the size of the image.",
        "240 * 240 = 57,600 rows and as many columns. A float32 number takes 4 bytes, a "
        "gigabyte (GB) is 10^9 bytes.",
        "57600 ** 2 * 4 / 1e9",
    ),
    why={
        _PIXELS**2
        / 1e9: "That is the number of entries, in thousands of millions: each of them takes 4 bytes.",
        _PIXELS**2 * 8 / 1e9: "That is float64, 8 bytes a number; float32 takes 4.",
        _PIXELS**2 * 32 / 1e9: "That is in gigabits: 32 bits are 4 bytes.",
        12.38: "That is in GiB (2^30 bytes); we ask for GB, 10^9 bytes.",  # 12.36, also rounded to 12.4
        _PIXELS**2 * 4 / 1e6: "That is in MB (10^6 bytes); we ask for GB, 10^9 bytes.",
        _PIXELS**2 * 4: "That is in bytes; we ask for GB, 10^9 bytes.",
        _PIXELS
        * _INNER
        * 4
        / 1e9: "That is without padding, 238 * 238 rows: with padding 1 there are 240 * 240.",
        _PIXELS * 4 / 1e9: "That is one row of the matrix, as large as one image: there are 57,600 rows.",
        _PIXELS * 9 * 4 / 1e9: (
            "That counts the nine kernel values of each row only; a dense matrix also stores all its zeros."
        ),
    },
)

check.number(
    "dense_overhead",
    answer=_PIXELS // 9,
    hints=(
        "Count for one output pixel: how many multiplications does the row of the matrix "
        "take, how many the kernel?",
        "The dense row has 57,600 entries, each multiplied once. The kernel has 3 * 3 entries.",
        "57600 / 9",
    ),
    why={
        _PIXELS // 3: "A kernel of 3x3 multiplies 9 times an output pixel, not 3 times.",
        _PIXELS: (
            "That is the work of the matrix for one pixel; the direct way needs 9 multiplications, so divide."
        ),
        _PIXELS**2: "That is how often the matrix multiplies in all; we ask for the ratio.",
        _PIXELS * 9: "That is how often the direct way multiplies in all; we ask for the ratio.",
        240 / 9: "A row of the matrix has as many entries as the image has pixels, 240 * 240, not 240.",
        9 / _PIXELS: "That is the other way round: how much cheaper is the direct way?",
        _PIXELS**2 / (_INNER * 9): "With padding 1 there are 240 * 240 output pixels, not 238 * 238.",
        _PIXELS**2 / _NOT_ZERO: (
            "That leaves out the multiplications with padding zeros: here they count, nine at every pixel."
        ),
        _INNER / 9: "A row of the matrix has an entry for each input pixel, 240 * 240 of them.",
    },
)
