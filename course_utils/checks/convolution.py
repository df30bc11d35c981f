"""Exercises of notebook 02: convolution, its matrix, and the transpose of that matrix.

The oracles are PyTorch's and SciPy's own operations, or autograd; sizes come from PyTorch run on "meta"
tensors, which have a shape and no memory.
"""

from __future__ import annotations

import scipy.signal
import torch
import torch.nn.functional as F
from torch import Tensor

from course_utils.checking import Checker, Trial
from course_utils.checking.samples import numbers, tensor

check = Checker("convolution")


def _conv1d(a: Tensor, kernel: Tensor, **options: int) -> Tensor:
    return F.conv1d(a[None, None], kernel[None, None], **options)[0, 0]


def _conv_transpose1d(b: Tensor, kernel: Tensor, **options: int) -> Tensor:
    return F.conv_transpose1d(b[None, None], kernel[None, None], **options)[0, 0]


# ---- 1. A kernel slides over a signal


@check.exercise(
    oracle=lambda a, kernel: _conv1d(a, kernel),
    hints=(
        "Entry i looks at the window a[i], a[i+1], ..., a[i+k-1]. How many windows fit into the signal?",
        "There are n - k + 1 windows. Make `y = a.new_zeros(n - k + 1)` and fill it in a loop over i.",
        "In the loop over i: y[i] is the sum over j of kernel[j] * a[i + j], which is (kernel * a[i : i + "
        "k]).sum().",
    ),
    why={
        (lambda a, kernel: _conv1d(a, kernel.flip(0))): (
            "Your kernel is flipped: kernel[0] has to meet the first value of each window, as in the formula."
        ),
        (
            lambda a, kernel: _conv1d(a, kernel)[:-1]
        ): "The last window is missing: n - k + 1 windows of length k fit into n values.",
        (lambda a, kernel: _conv1d(F.pad(a, ((len(kernel) - 1) // 2, len(kernel) // 2)), kernel)): (
            "You padded the signal with zeros: here only windows that lie wholly inside the signal count."
        ),
        (lambda a, kernel: _conv1d(F.pad(a, (0, len(kernel) - 1)), kernel)): (
            "Windows that stick out at the end are counted as well: only n - k + 1 windows lie wholly inside."
        ),
    },
)
def cross_correlation_1d(trial: Trial) -> None:
    trial.signature("a", "kernel")
    trial.case(tensor(1, 2, 4, 8, 3), tensor(1, 10, 100), expected=tensor(421, 842, 384))
    trial.case(numbers(9, seed=1), numbers(4, seed=2))
    trial.case(numbers(5, seed=3), numbers(5, seed=4))


@check.exercise(
    oracle=lambda a, kernel: torch.from_numpy(scipy.signal.convolve(a.numpy(), kernel.numpy(), mode="valid")),
    hints=(
        "In the formula the kernel's index runs against the signal's. Which kernel, slid in the ordinary "
        "way, does the same?",
        "Convolution is cross-correlation with the kernel turned round: kernel[k-1], ..., kernel[1], "
        "kernel[0].",
        "`tensor.flip(0)` reverses a tensor of one dimension; call your cross_correlation_1d with the "
        "flipped kernel.",
    ),
    why={
        (lambda a, kernel: _conv1d(a, kernel)): "Nothing is flipped yet: this is cross-correlation.",
        (
            lambda a, kernel: _conv1d(a.flip(0), kernel)
        ): "You flipped the signal, not the kernel: the values come out in reverse order.",
        (lambda a, kernel: torch.from_numpy(scipy.signal.convolve(a.numpy(), kernel.numpy(), mode="full"))): (
            "This is the 'full' convolution, which also counts windows that stick out at both ends "
            "(np.convolve's default)."
        ),
    },
)
def convolution_1d(trial: Trial) -> None:
    trial.signature("a", "kernel")
    trial.case(tensor(1, 2, 4, 8, 3), tensor(1, 10, 100), expected=tensor(124, 248, 483))
    trial.case(numbers(9, seed=5), numbers(4, seed=6))


check.choice(
    "impulse_picture",
    answer="C",
    hints=(
        "The input is 0 everywhere except at one place. Which kernel value meets the 1 when the window has "
        "just reached it?",
        "The window arrives from the left, so its last value, kernel[2] = 4, is the first to touch the "
        "impulse.",
        "So a kernel slid without flipping writes 4, 2, 1. Now ask which of the two PyTorch does.",
    ),
    why={
        "A": "The order of the bars depends on the flip only. A kernel that slides unflipped meets the "
        "impulse with its last value first, so cross-correlation writes the kernel backwards.",
        "B": "The first two are right, but PyTorch doesn't flip: `conv1d` computes the cross-correlation, "
        "whatever its name.",
        "D": "Padding adds zeros at the ends; it can't turn 4, 2, 1 into 1, 2, 4. Only reversing the "
        "kernel does.",
    },
)


# ---- 2. How long is the output?


def _output_size(n: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    signal, weights = torch.empty(1, 1, n, device="meta"), torch.empty(1, 1, kernel, device="meta")
    return F.conv1d(signal, weights, stride=stride, padding=padding).shape[-1]


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
        (
            lambda n, kernel, stride=1, padding=0: -(-(n + 2 * padding - kernel) // stride) + 1
        ): "You rounded up: a last window that doesn't fit is dropped, so the division rounds down.",
        (
            lambda n, kernel, stride=1, padding=0: (n + 2 * padding - kernel + 1) // stride
        ): "You divided too late: the + 1 for the first window is not divided by the stride.",
        (
            lambda n, kernel, stride=1, padding=0: (n + 2 * padding - kernel) // stride
        ): "That is the number of steps: the first window, before any step, counts too.",
        (
            lambda n, kernel, stride=1, padding=0: (n + padding - kernel) // stride + 1
        ): "The padding is on both sides: it adds 2 * padding values.",
        (
            lambda n, kernel, stride=1, padding=0: (n + 2 * padding - kernel) / stride + 1
        ): "A size is a whole number: divide with //, which rounds down.",
    },
)
def output_size(trial: Trial) -> None:
    trial.signature("n", "kernel", "stride", "padding")
    trial.case(5, 3, 1, 0, expected=3)
    trial.case(9, 3, 1, 2, expected=11)
    trial.case(4, 3, 2, 1, expected=2)
    trial.case(5, 3, 2, 1, expected=3)
    for setting in ((7, 3, 2, 0), (8, 3, 2, 1), (20, 5, 3, 2), (11, 4, 3, 0), (6, 6, 1, 0)):
        trial.case(*setting)
    size = trial.call(7, 3)
    message = "A size is a whole number: divide with //, which rounds down."
    trial.require(isinstance(size, int), message, came=size, expected=5)


check.number(
    "slices_left",
    answer=10,
    hints=(
        "Use your output_size, one layer after the other: 155 becomes 78. And then?",
        "Each layer rounds by itself. 155, 78, 39, ...",
        "A loop does it: start with n = 155 and repeat four times n = output_size(n, 3, stride=2, "
        "padding=1).",
    ),
    why={
        155 / 16: "There is no fraction of a slice: each layer rounds, and not as 155 / 16 does.",
        9: (
            "You divided once by 16 and rounded down. Each layer rounds by itself: with padding 1 it keeps "
            "(n + 1) // 2."
        ),
        8: "That is without padding: 155, 77, 38, 18, 8. The layers here have padding 1.",
        20: "That is after three layers: there is one more.",
    },
)


# ---- 3. Convolution is a matrix


def _convolution_matrix(kernel: Tensor, n: int, stride: int = 1, padding: int = 0) -> Tensor:
    """The convolutions of the n unit vectors are the columns."""
    unit_vectors = torch.eye(n, dtype=kernel.dtype)[:, None]
    return F.conv1d(unit_vectors, kernel[None, None], stride=stride, padding=padding)[:, 0].T.contiguous()


def _wrapped_matrix(kernel: Tensor, n: int, stride: int = 1, padding: int = 0) -> Tensor:
    matrix = kernel.new_zeros(_output_size(n, len(kernel), stride, padding), n)
    for row in range(len(matrix)):
        for j, weight in enumerate(kernel):
            column = row * stride - padding + j
            if column < n:
                matrix[row, column] = weight
    return matrix


def _dilated_matrix(kernel: Tensor, n: int, stride: int = 1, padding: int = 0) -> Tensor:
    matrix = kernel.new_zeros(_output_size(n, len(kernel), stride, padding), n)
    for row in range(len(matrix)):
        for j, weight in enumerate(kernel):
            column = row + j * stride - padding
            if 0 <= column < n:
                matrix[row, column] = weight
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
        (
            lambda kernel, n, stride=1, padding=0: _convolution_matrix(kernel.flip(0), n, stride, padding)
        ): "Your kernel is flipped: each row reads kernel[0], kernel[1], ... from left to right.",
        (lambda kernel, n, stride=1, padding=0: _convolution_matrix(kernel, n + 2 * padding, stride)): (
            "You kept the columns of the padding. Those inputs are zeros, so their columns go: the matrix "
            "acts on the n true inputs."
        ),
        (
            lambda kernel, n, stride=1, padding=0: _convolution_matrix(kernel, n, stride)
        ): "The padding is missing: row 0 starts at column -padding, and what sticks out is left out.",
        (
            lambda kernel, n, stride=1, padding=0: _convolution_matrix(kernel, n, stride, padding)[
                : _output_size(n + padding, len(kernel), stride)
            ]
        ): ("The padding is on the left side only: it also lets the last windows stick out on the right."),
        (
            lambda kernel, n, stride=1, padding=0: _convolution_matrix(kernel, n, 1, padding)[
                : _output_size(n, len(kernel), stride, padding)
            ]
        ): (
            "The stride is missing in the columns: from one row to the next the kernel moves on by `stride` "
            "columns."
        ),
        _dilated_matrix: (
            "The stride went into the kernel: it spreads the rows, not the kernel's own values (that is "
            "dilation)."
        ),
        _wrapped_matrix: (
            "A negative column index wraps round to the end of the row in Python: leave out columns below 0."
        ),
        (
            lambda kernel, n, stride=1, padding=0: _convolution_matrix(kernel, n, stride, padding).T
        ): "Rows and columns are swapped: one row for each output, one column for each input.",
    },
)
def convolution_matrix(trial: Trial) -> None:
    trial.signature("kernel", "n", "stride", "padding")
    trial.case(tensor(2, 3, 5), 5)
    slide = torch.tensor([[3, 5, 0, 0], [2, 3, 5, 0], [0, 2, 3, 5], [0, 0, 2, 3]], dtype=torch.float64)
    trial.case(tensor(2, 3, 5), 4, padding=1, expected=slide)
    trial.case(numbers(4, seed=7), 9, stride=2, padding=1)
    trial.case(numbers(3, seed=8), 7, stride=3, padding=2)
    trial.case(numbers(2, seed=9), 8, stride=3)


check.choice(
    "which_matrix",
    answer="C",
    hints=(
        "Two things can be read off such a picture: by how much each row is shifted against the one above "
        "(the stride), and how much of the first row is cut off (the padding).",
        "Stride 2: each row starts two columns after the one above. That rules out one picture.",
        "Padding 1: the first row has lost its first value, and the rows still read 2, 3, 5 from left to "
        "right.",
    ),
    why={
        "A": "There each row is shifted by one column: this is stride 1.",
        "B": "There the first row shows all three kernel values: nothing sticks out, so the padding is 0.",
        "D": "Shift and cut are right, but the full rows read 5, 3, 2: the kernel is flipped.",
    },
)

check.number(
    "wrong_entries",
    answer=4,
    hints=(
        "Which matrix multiplies the padded input of six values? Your convolution_matrix with n = 6 and no "
        "padding makes it.",
        "Compare entry by entry: `printed != X`. (The numbers for x, y, z are all different, so nothing "
        "can hide.)",
        "int((printed != X).sum())",
    ),
    why={
        0: (
            "Look at the third value of a row, x in print: kernel values all different make the misprint "
            "visible."
        ),
        1: "One misprint, but it is repeated in each row: count all wrong entries.",
        12: "That is how many entries aren't zero. How many of them are wrong?",
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


def _column_by_column(kernel: Tensor, height: int, width: int, stride: int = 1, padding: int = 0) -> Tensor:
    """Both images flattened down their columns: equal to the matrix of the transposed image and kernel."""
    return _convolution_matrix_2d(kernel.T, width, height, stride, padding)


def _leaking_matrix_2d(
    kernel: Tensor, height: int, width: int, stride: int = 1, padding: int = 0, row_length: int | None = None
) -> Tensor:
    """Only the flat index is tested: what sticks out on one side comes back in the neighbouring image row."""
    row_length = row_length or width
    out_height = _output_size(height, kernel.shape[0], stride, padding)
    out_width = _output_size(width, kernel.shape[1], stride, padding)
    matrix = kernel.new_zeros(out_height * out_width, height * width)
    for i in range(out_height):
        for j in range(out_width):
            for p in range(kernel.shape[0]):
                for q in range(kernel.shape[1]):
                    column = (i * stride - padding + p) * row_length + j * stride - padding + q
                    if 0 <= column < height * width:
                        matrix[i * out_width + j, column] += kernel[p, q]
    return matrix


@check.exercise(
    oracle=_convolution_matrix_2d,
    hints=(
        "As in 1D: one row for each output pixel, one column for each input pixel. Pixel (r, c) of an "
        "image that is `width` wide becomes entry r * width + c.",
        "Four loops: output pixel (i, j), kernel entry (p, q). It meets input pixel r = i * stride - "
        "padding + p, c = j * stride - padding + q.",
        "`if 0 <= r < height and 0 <= c < width: X[i * out_width + j, r * width + c] = kernel[p, q]`, with "
        "out_height and out_width from output_size.",
    ),
    why={
        (
            lambda kernel, height, width, stride=1, padding=0: _convolution_matrix_2d(
                kernel.flip(0, 1), height, width, stride, padding
            )
        ): "Your kernel is flipped: kernel[0, 0] meets the window's top left pixel.",
        _column_by_column: (
            "You flattened column by column: `flatten()` goes along the rows, pixel (r, c) becomes entry r *"
            " width + c."
        ),
        _leaking_matrix_2d: (
            "What sticks out at the left or right leaks into the neighbouring image row: test r and c each, "
            "not the flat index."
        ),
        (
            lambda kernel, height, width, stride=1, padding=0: _leaking_matrix_2d(
                kernel, height, width, stride, padding, row_length=height
            )
        ): "You multiplied the row index by the height: an image row has `width` pixels.",
        (
            lambda kernel, height, width, stride=1, padding=0: _convolution_matrix_2d(
                kernel.T, height, width, stride, padding
            )
        ): (
            "The kernel's two axes are swapped: p runs down with the rows, q runs to the right with the "
            "columns."
        ),
        (
            lambda kernel, height, width, stride=1, padding=0: (
                _convolution_matrix_2d(kernel, height, width, stride, padding).T
            )
        ): ("Rows and columns are swapped: one row for each output pixel, one column for each input pixel."),
    },
)
def convolution_matrix_2d(trial: Trial) -> None:
    trial.signature("kernel", "height", "width", "stride", "padding")
    tiny = torch.tensor([[1, 2, 0, 3, 4, 0], [0, 1, 2, 0, 3, 4]], dtype=torch.float64)
    trial.case(tensor(1, 2, 3, 4).reshape(2, 2), 2, 3, expected=tiny)
    trial.case(numbers(3, 3, seed=10), 4, 5)
    trial.case(numbers(3, 3, seed=11), 5, 4, padding=1)
    trial.case(numbers(2, 3, seed=12), 6, 5, stride=2, padding=1)


check.choice(
    "block_picture",
    answer="B",
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
        "C": "The whole kernel spans three image rows, so it is spread over three blocks; one block holds "
        "a single kernel row.",
        "D": "Kernel row 0 lies on input row 1 when output row 1 is computed: that is the block to the "
        "left of the frame.",
    },
)


# ---- 5. The transpose


def _stamped(b: Tensor, kernel: Tensor, stride: int = 1, padding: int = 0, *, add: bool = True) -> Tensor:
    """Stamping by loops, overlaps overwritten unless ``add``; then ``padding`` values cut off each end."""
    full = b.new_zeros((len(b) - 1) * stride + len(kernel))
    for i, value in enumerate(b):
        for j, weight in enumerate(kernel):
            full[i * stride + j] = value * weight + (full[i * stride + j] if add else 0)
    return full[padding : len(full) - padding]


@check.exercise(
    oracle=lambda b, kernel, stride=1, padding=0: _conv_transpose1d(
        b, kernel, stride=stride, padding=padding
    ),
    hints=(
        "Each b[i] puts a copy of the kernel, multiplied by b[i], into the output. Where does the copy of "
        "b[i] start?",
        "At i * stride. Copies that overlap add up. All of them together need (n - 1) * stride + k places; "
        "at the end, cut `padding` values off each end.",
        "`full[i * stride : i * stride + k] += b[i] * kernel` in a loop over i; then "
        "`return full[padding : len(full) - padding]`.",
    ),
    why={
        (
            lambda b, kernel, stride=1, padding=0: _stamped(b, kernel, stride, padding, add=False)
        ): "Where stamps overlap they must add up: `+=`, not `=`.",
        (lambda b, kernel, stride=1, padding=0: _stamped(b, kernel.flip(0), stride, padding)): (
            "Your stamp is flipped: each input value writes kernel[0], kernel[1], ... from left to right."
        ),
        (
            lambda b, kernel, stride=1, padding=0: _stamped(b, kernel, stride)
        ): "The padding is missing: it cuts `padding` values off each end of the output.",
        (lambda b, kernel, stride=1, padding=0: F.pad(_stamped(b, kernel, stride), (padding, padding))): (
            "Padding makes the output of a transposed convolution shorter, not longer: it cuts off what the "
            "convolution's padding had added."
        ),
        (
            lambda b, kernel, stride=1, padding=0: _stamped(b, kernel, stride)[padding:]
        ): "The padding is cut off on one side only: it goes from both ends.",
        (lambda b, kernel, stride=1, padding=0: _stamped(b, kernel, stride)[padding:-padding]): (
            "Without padding nothing is cut, but the slice [0:-0] is empty: cut up to len(full) - padding."
        ),
        (
            lambda b, kernel, stride=1, padding=0: _stamped(b, kernel, 1, padding)
        ): "The stride is missing: it is the distance between two stamps.",
        (lambda b, kernel, stride=1, padding=0: _conv1d(b, kernel, stride=stride, padding=padding)): (
            "This is the ordinary convolution, which gathers: the transposed one scatters, each input value "
            "stamps the kernel."
        ),
    },
)
def transposed_convolution_1d(trial: Trial) -> None:
    trial.signature("b", "kernel", "stride", "padding")
    trial.case(tensor(1, 10, 100), tensor(2, 3, 5), expected=tensor(2, 23, 235, 350, 500))
    trial.case(tensor(1, 10, 100), tensor(2, 3, 5), stride=2, expected=tensor(2, 3, 25, 30, 250, 300, 500))
    trial.case(numbers(6, seed=13), numbers(3, seed=14), stride=2, padding=1)
    trial.case(numbers(5, seed=15), numbers(4, seed=16), padding=2)
    trial.case(numbers(4, seed=17), numbers(2, seed=18), stride=3)


def _slide_transposed(x: float, y: float, z: float, a: float, b: float, c: float, d: float) -> list[float]:
    return _conv_transpose1d(tensor(a, b, c, d), tensor(x, y, z)).tolist()


@check.exercise(
    oracle=_slide_transposed,
    hints=(
        "Put numbers in: compare X.T @ a with the six printed expressions. Primes let you factor what you "
        "find.",
        "The wrong ones are the last two. For kernel (2, 3, 5) and input (7, 11, 13, 17) they are 116 and "
        "85.",
        "The fifth place is stamped by c (its last value, z) and by d (its middle value, y); the sixth by "
        "d alone.",
    ),
    why={
        (
            lambda x, y, z, a, b, c, d: [*_slide_transposed(x, y, z, a, b, c, d)[:4], d * z + d * y, d * y]
        ): "That is the slide as printed. Compare each entry with X.T @ a: two are wrong.",
        (
            lambda x, y, z, a, b, c, d: [*_slide_transposed(x, y, z, a, b, c, d)[:4], d * z + d * y, d * z]
        ): "The fifth entry is still as printed: d can't stamp the same place twice.",
        (lambda x, y, z, a, b, c, d: [*_slide_transposed(x, y, z, a, b, c, d)[:4], c * z + d * y, d * y]): (
            "The sixth entry is still as printed: the last stamp ends with the last value of the kernel."
        ),
        (
            lambda x, y, z, a, b, c, d: _slide_transposed(x, y, x, a, b, c, d)
        ): "This comes from the misprinted matrix, rows x y x: correct its rows to x y z first.",
        (
            lambda x, y, z, a, b, c, d: _slide_transposed(z, y, x, a, b, c, d)
        ): "Your kernel is flipped: a stamps x, y, z from left to right.",
    },
)
def slide_transposed(trial: Trial) -> None:
    trial.signature("x", "y", "z", "a", "b", "c", "d")
    trial.case(2, 3, 5, 7, 11, 13, 17, expected=[14, 43, 94, 128, 116, 85])
    trial.case(0.5, -1.25, 3.0, 2.0, -0.75, 1.5, 4.0)


@check.exercise(
    oracle=lambda b, kernel, padding=0: _conv_transpose1d(b, kernel, padding=padding),
    hints=(
        "Compare the pictures of X.T and of a convolution matrix: in which order do the rows of X.T hold "
        "the kernel?",
        "The kernel is flipped, and the input needs enough zeros for a window that touches b with one "
        "value only: k - 1 on each side when padding is 0.",
        "F.conv1d with kernel.flip(0) and padding = len(kernel) - 1 - padding.",
    ),
    why={
        (lambda b, kernel, padding=0: _conv1d(b, kernel, padding=len(kernel) - 1 - padding)): (
            "The length is right, the kernel is not flipped: for stride 1 the transposed convolution is an "
            "ordinary one only with the kernel flipped."
        ),
        (lambda b, kernel, padding=0: _conv1d(b, kernel.flip(0), padding=padding)): (
            "You gave F.conv1d the transposed convolution's padding. It needs k - 1 - padding: the more the "
            "one cuts off, the less the other adds."
        ),
        (lambda b, kernel, padding=0: _conv1d(b, kernel.flip(0), padding=len(kernel) - 1)): (
            "You pad by k - 1 always: the transposed convolution's own padding has to be taken away, k - 1 -"
            " padding."
        ),
        (
            lambda b, kernel, padding=0: _conv1d(b, kernel, padding=padding)
        ): "Neither flip nor other padding: this is the ordinary convolution itself.",
    },
)
def transpose_by_convolution(trial: Trial) -> None:
    trial.signature("b", "kernel", "padding")
    trial.case(tensor(1, 10, 100), tensor(2, 3, 5), expected=tensor(2, 23, 235, 350, 500))
    trial.case(numbers(7, seed=19), numbers(4, seed=20), padding=1)
    trial.case(numbers(6, seed=21), numbers(5, seed=22), padding=3)


def _transposed_output_size(
    n: int, kernel: int, stride: int = 1, padding: int = 0, output_padding: int = 0
) -> int:
    signal, weights = torch.empty(1, 1, n, device="meta"), torch.empty(1, 1, kernel, device="meta")
    return F.conv_transpose1d(signal, weights, None, stride, padding, output_padding).shape[-1]


@check.exercise(
    oracle=_transposed_output_size,
    hints=(
        "Count the stamps: n of them, `stride` apart. Where does the last one end?",
        "The last stamp starts at (n - 1) * stride and is `kernel` long. `padding` is cut off at both ends, "
        "`output_padding` is given back at one.",
        "(n - 1) * stride + kernel - 2 * padding + output_padding",
    ),
    why={
        (lambda n, kernel, stride=1, padding=0, output_padding=0: n * stride): (
            "Multiplying by the stride is only a rule of thumb: the kernel and the padding count as well."
        ),
        (
            lambda n, kernel, stride=1, padding=0, output_padding=0: (
                n * stride + kernel - 2 * padding + output_padding
            )
        ): "n stamps have n - 1 distances between them: the last one starts at (n - 1) * stride.",
        (
            lambda n, kernel, stride=1, padding=0, output_padding=0: (
                (n - 1) * stride + kernel + 2 * padding + output_padding
            )
        ): (
            "The padding is cut off, not added: the transposed convolution undoes the size of a convolution "
            "that had it."
        ),
        (
            lambda n, kernel, stride=1, padding=0, output_padding=0: (
                (n - 1) * stride + kernel - 2 * padding + 2 * output_padding
            )
        ): "output_padding lengthens the output at one end only: it counts once.",
        (
            lambda n, kernel, stride=1, padding=0, output_padding=0: (
                (n - 1) * stride + kernel - 2 * padding - 2 * output_padding
            )
        ): (
            "output_padding is not a second padding: padding cuts off at both ends, output_padding gives "
            "back at one."
        ),
        (
            lambda n, kernel, stride=1, padding=0, output_padding=0: (n - 1) * stride + kernel - 2 * padding
        ): "output_padding is missing: it makes the output that much longer.",
        (
            lambda n, kernel, stride=1, padding=0, output_padding=0: _output_size(n, kernel, stride, padding)
        ): "That is the size of the forward convolution.",
    },
)
def transposed_output_size(trial: Trial) -> None:
    trial.signature("n", "kernel", "stride", "padding", "output_padding")
    trial.case(2, 3, 2, 1, expected=3)
    trial.case(2, 3, 2, 1, 1, expected=4)
    for setting in ((5, 4, 2, 1, 0), (7, 5, 3, 2, 2), (4, 3, 1, 0, 0), (6, 2, 3, 0, 1)):
        trial.case(*setting)


check.choice(
    "inverse_picture",
    answer="D",
    hints=(
        "How many numbers did the strided convolution keep of each 4 pixels? Could any linear map bring "
        "the others back?",
        "Compare sizes first (the titles say them), then the values: the colour bars, the edges, the fine "
        "structures.",
        "Only one option says something true about both the size and the values.",
    ),
    why={
        "A": "Look at the fine structures: they are gone. A quarter as many numbers can't hold the whole "
        "image, and the transpose makes no attempt to recover it.",
        "B": "Rounding errors are about 1e-16 here; the fourth picture's title says how large the "
        "differences are.",
        "C": "The size is right: 4x4 forward to 2x2 and, with output_padding = 1, back to 4x4. It is the "
        "values that differ.",
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


def _without_output_padding(
    v: Tensor, kernel: Tensor, height: int, width: int, stride: int = 1, padding: int = 0
) -> Tensor:
    return F.conv_transpose2d(v[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


def _zeros_appended(
    v: Tensor, kernel: Tensor, height: int, width: int, stride: int = 1, padding: int = 0
) -> Tensor:
    smaller = _without_output_padding(v, kernel, height, width, stride, padding)
    return F.pad(smaller, (0, width - smaller.shape[1], 0, height - smaller.shape[0]))


def _same_output_padding(
    v: Tensor, kernel: Tensor, height: int, width: int, stride: int = 1, padding: int = 0
) -> Tensor:
    rest = height - _without_output_padding(v, kernel, height, width, stride, padding).shape[0]
    return F.conv_transpose2d(v[None, None], kernel[None, None], None, stride, padding, rest)[0, 0]


@check.exercise(
    oracle=_input_gradient,
    hints=(
        "<Xa, v> = <a, X^T v>, and the gradient of <a, g> with respect to a is g. So which operation is "
        "asked for?",
        "F.conv_transpose2d with the same kernel, stride and padding. Its result may be too small: choose "
        "output_padding so that it gets back to (height, width).",
        "output_padding = (height - transposed_output_size(v.shape[0], kernel.shape[0], stride, padding), "
        "and the same for the width).",
    ),
    why={
        (
            lambda v, kernel, height, width, stride=1, padding=0: _input_gradient(
                v, kernel.flip(0, 1), height, width, stride, padding
            )
        ): "Your kernel is flipped: conv_transpose2d takes the kernel as it is.",
        _without_output_padding: (
            "The size is ambiguous: several input sizes give the same output size. Use output_padding to get"
            " back to (height, width)."
        ),
        _zeros_appended: (
            "The rows or columns that were missing are not zeros: output_padding computes them, appended "
            "zeros don't."
        ),
        _same_output_padding: "Height and width need an output_padding each: they don't always lack the same.",
        (
            lambda v, kernel, height, width, stride=1, padding=0: F.conv2d(
                v[None, None], kernel[None, None], stride=stride, padding=padding
            )[0, 0]
        ): (
            "This is the ordinary convolution: the gradient goes the other way, from output to input, by the"
            " transpose."
        ),
    },
)
def input_gradient(trial: Trial) -> None:
    trial.signature("v", "kernel", "height", "width", "stride", "padding")
    for kernel_size, height, width, stride, padding in (
        ((2, 3), 5, 6, 1, 0),
        ((3, 3), 5, 7, 2, 1),
        ((3, 3), 6, 7, 2, 1),
        ((3, 2), 6, 5, 2, 1),
        ((4, 3), 9, 11, 3, 1),
    ):
        out = [_output_size(n, k, stride, padding) for n, k in zip((height, width), kernel_size)]
        v, kernel = numbers(*out, seed=23), numbers(*kernel_size, seed=24)
        options = f"stride={stride}, padding={padding}"
        trial.case(
            v,
            kernel,
            height,
            width,
            stride,
            padding,
            label=f"input_gradient(v of {tuple(out)}, kernel of {kernel_size}, {height}, {width}, {options})",
        )


# ---- 7. What the matrix costs

_PIXELS = 240 * 240

check.number(
    "matrix_memory",
    answer=_PIXELS**2 * 4 / 1e9,
    tolerance=0.02,
    hints=(
        "How many rows has the matrix, how many columns? Padding 1 keeps the size of the image.",
        "240 * 240 = 57,600 rows and as many columns. A float32 number takes 4 bytes, a gigabyte (GB) is "
        "10^9 bytes.",
        "57600 ** 2 * 4 / 1e9",
    ),
    why={
        _PIXELS**2
        / 1e9: "That is the number of entries, in thousands of millions: each of them takes 4 bytes.",
        _PIXELS**2 * 8 / 1e9: "That is float64, 8 bytes a number; float32 takes 4.",
        _PIXELS**2 * 4 / 2**30: "That is in GiB (2^30 bytes); we ask for GB, 10^9 bytes.",
        float(_PIXELS**2 * 4): "That is in bytes; we ask for GB, 10^9 bytes.",
        _PIXELS * 4 / 1e9: "That is one row of the matrix, as large as one image: there are 57,600 rows.",
        _PIXELS * 9 * 4 / 1e9: (
            "That counts the nine kernel values of each row only; a dense matrix also stores all its zeros."
        ),
    },
)

check.number(
    "dense_overhead",
    answer=_PIXELS / 9,
    tolerance=0.01,
    hints=(
        "Count for one output pixel: how many multiplications does the row of the matrix take, how many "
        "the kernel?",
        "The dense row has 57,600 entries, each multiplied once. The kernel has 3 * 3 entries.",
        "57600 / 9",
    ),
    why={
        _PIXELS / 3: "A kernel of 3x3 multiplies 9 times an output pixel, not 3 times.",
        float(_PIXELS): (
            "That is the work of the matrix for one pixel; the direct way needs 9 multiplications, so divide."
        ),
        _PIXELS * 9.0: "That is how often the direct way multiplies in all; we ask for the ratio.",
        240 / 9: "A row of the matrix has as many entries as the image has pixels, 240 * 240, not 240.",
    },
)
