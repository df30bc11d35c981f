"""Wrong answers to the exercises of notebook 02, as students would write them."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F

from tests.wrong_answers import WrongAnswers

wrong = WrongAnswers("convolution")


# ---- cross_correlation_1d


def _windows(a, kernel, starts, weights=None):
    """The weighted sums of the windows that begin at ``starts``."""
    weights = kernel if weights is None else weights
    return torch.stack([(weights * a[i : i + len(kernel)]).sum() for i in starts])


@wrong("cross_correlation_1d", says="flipped")
def cross_correlation_1d_flipped(a, kernel):
    k = len(kernel)
    y = a.new_zeros(len(a) - k + 1)
    for i in range(len(y)):
        for j in range(k):
            y[i] += kernel[k - 1 - j] * a[i + j]
    return y


@wrong("cross_correlation_1d", says="last window is missing")
def cross_correlation_1d_short(a, kernel):
    return _windows(a, kernel, range(len(a) - len(kernel))) if len(a) > len(kernel) else a[:0]


@wrong("cross_correlation_1d", says="last output is still 0")
def cross_correlation_1d_loop_too_short(a, kernel):
    y = a.new_zeros(len(a) - len(kernel) + 1)
    for i in range(len(y) - 1):
        y[i] = (kernel * a[i : i + len(kernel)]).sum()
    return y


@wrong("cross_correlation_1d", says="first output is still 0")
def cross_correlation_1d_loop_from_one(a, kernel):
    y = a.new_zeros(len(a) - len(kernel) + 1)
    for i in range(1, len(y)):
        y[i] = (kernel * a[i : i + len(kernel)]).sum()
    return y


@wrong("cross_correlation_1d", says="last kernel value never counts")
def cross_correlation_1d_inner_loop_too_short(a, kernel):
    y = a.new_zeros(len(a) - len(kernel) + 1)
    for i in range(len(y)):
        for j in range(len(kernel) - 1):
            y[i] += kernel[j] * a[i + j]
    return y


@wrong("cross_correlation_1d", says="first kernel value never counts")
def cross_correlation_1d_inner_loop_from_one(a, kernel):
    y = a.new_zeros(len(a) - len(kernel) + 1)
    for i in range(len(y)):
        for j in range(1, len(kernel)):
            y[i] += kernel[j] * a[i + j]
    return y


@wrong("cross_correlation_1d", says="last product only")
def cross_correlation_1d_assigned(a, kernel):
    y = a.new_zeros(len(a) - len(kernel) + 1)
    for i in range(len(y)):
        for j in range(len(kernel)):
            y[i] = kernel[j] * a[i + j]
    return y


@wrong("cross_correlation_1d", says="mean of the products")
def cross_correlation_1d_mean(a, kernel):
    return torch.stack([(kernel * a[i : i + len(kernel)]).mean() for i in range(len(a) - len(kernel) + 1)])


@wrong("cross_correlation_1d", says="You padded")
def cross_correlation_1d_same_length(a, kernel):
    k = len(kernel)
    padded = torch.cat([a.new_zeros((k - 1) // 2), a, a.new_zeros(k // 2)])
    return _windows(padded, kernel, range(len(a)))


@wrong("cross_correlation_1d", says="stick out at the end")
def cross_correlation_1d_one_window_each_value(a, kernel):
    y = torch.zeros_like(a)
    for i in range(len(a)):
        for j in range(len(kernel)):
            if i + j < len(a):
                y[i] += kernel[j] * a[i + j]
    return y


@wrong("cross_correlation_1d", says="stick out at either end")
def cross_correlation_1d_full(a, kernel):
    padded = F.pad(a, (len(kernel) - 1, len(kernel) - 1))
    return _windows(padded, kernel, range(len(a) + len(kernel) - 1))


@wrong("cross_correlation_1d", says="as long as the signal")
def cross_correlation_1d_zeros_like(a, kernel):
    y = torch.zeros_like(a)
    for i in range(len(a) - len(kernel) + 1):
        y[i] = (kernel * a[i : i + len(kernel)]).sum()
    return y


@wrong("cross_correlation_1d", says="does `return` stand inside")
def cross_correlation_1d_return_in_the_loop(a, kernel):
    y = a.new_zeros(len(a) - len(kernel) + 1)
    for i in range(len(y)):
        y[i] = (kernel * a[i : i + len(kernel)]).sum()
        return y


@wrong("cross_correlation_1d", says="not a list")
def cross_correlation_1d_as_list(a, kernel):
    k = len(kernel)
    return [float((kernel * a[i : i + k]).sum()) for i in range(len(a) - k + 1)]


@wrong("cross_correlation_1d", says="changes its input")
def cross_correlation_1d_in_place(a, kernel):
    k = len(kernel)
    for i in range(len(a) - k + 1):
        a[i] = (kernel * a[i : i + k]).sum()
    return a[: len(a) - k + 1]


@wrong("cross_correlation_1d", says="data type")
def cross_correlation_1d_float32(a, kernel):
    y = torch.zeros(len(a) - len(kernel) + 1, dtype=torch.float32)
    for i in range(len(y)):
        y[i] = (kernel * a[i : i + len(kernel)]).sum()
    return y


# ---- convolution_1d


@wrong("convolution_1d", says="Nothing is flipped")
def convolution_1d_not_flipped(a, kernel):
    return a.unfold(0, len(kernel), 1) @ kernel


@wrong("convolution_1d", says="in reverse order")
def convolution_1d_signal_flipped(a, kernel):
    return a.flip(0).unfold(0, len(kernel), 1) @ kernel


@wrong("convolution_1d", says="read backwards")
def convolution_1d_result_flipped(a, kernel):
    return (a.unfold(0, len(kernel), 1) @ kernel).flip(0)


@wrong("convolution_1d", says="read backwards")
def convolution_1d_both_flipped(a, kernel):
    return a.flip(0).unfold(0, len(kernel), 1) @ kernel.flip(0)


@wrong("convolution_1d", says="kernel[-0]")
def convolution_1d_index_minus_j(a, kernel):
    y = a.new_zeros(len(a) - len(kernel) + 1)
    for i in range(len(y)):
        for j in range(len(kernel)):
            y[i] += kernel[-j] * a[i + j]
    return y


@wrong("convolution_1d", says="'full'")
def convolution_1d_numpy_default(a, kernel):
    return torch.from_numpy(np.convolve(a.numpy(), kernel.numpy()))


@wrong("convolution_1d", says="'same'")
def convolution_1d_as_long_as_the_signal(a, kernel):
    return torch.from_numpy(np.convolve(a.numpy(), kernel.numpy(), mode="same"))


# ---- output_size


@wrong("output_size", says="rounded up")
def output_size_rounded_up(n, kernel, stride=1, padding=0):
    return math.ceil((n + 2 * padding - kernel) / stride) + 1


@wrong("output_size", says="to the nearest")
def output_size_rounded(n, kernel, stride=1, padding=0):
    return round((n + 2 * padding - kernel) / stride) + 1


@wrong("output_size", says="the first window, before any step")
def output_size_without_first_window(n, kernel, stride=1, padding=0):
    return (n + 2 * padding - kernel) // stride


@wrong("output_size", says="one more")
def output_size_counts_the_first_place_twice(n, kernel, stride=1, padding=0):
    return (n + 2 * padding - kernel + 1) // stride + 1


@wrong("output_size", says="both sides")
def output_size_padding_once(n, kernel, stride=1, padding=0):
    return (n + padding - kernel) // stride + 1


@wrong("output_size", says="don't subtract it")
def output_size_padding_subtracted(n, kernel, stride=1, padding=0):
    return (n - 2 * padding - kernel) // stride + 1


@wrong("output_size", says="padding doesn't count yet")
def output_size_without_padding(n, kernel, stride=1, padding=0):
    return (n - kernel) // stride + 1


@wrong("output_size", says="before the division")
def output_size_padding_last(n, kernel, stride=1, padding=0):
    return (n - kernel) // stride + 1 + 2 * padding


@wrong("output_size", says="stride doesn't count yet")
def output_size_without_stride(n, kernel, stride=1, padding=0):
    return n + 2 * padding - kernel + 1


@wrong("output_size", says="kernel of size 3 only")
def output_size_kernel_3(n, kernel, stride=1, padding=0):
    return (n + 2 * padding - 3) // stride + 1


@wrong("output_size", says="kernel doesn't count yet")
def output_size_without_kernel(n, kernel, stride=1, padding=0):
    return (n + 2 * padding) // stride


@wrong("output_size", says="rule of thumb")
def output_size_only_divided(n, kernel, stride=1, padding=0):
    return n // stride


@wrong("output_size", says="divided too late")
def output_size_divided_too_late(n, kernel, stride=1, padding=0):
    return (n + 2 * padding - kernel + 1) // stride


@wrong("output_size", says="divide with //")
def output_size_fraction(n, kernel, stride=1, padding=0):
    return (n + 2 * padding - kernel) / stride + 1


@wrong("output_size", says="whole number")
def output_size_floor_of_a_float(n, kernel, stride=1, padding=0):
    return np.floor((n + 2 * padding - kernel) / stride) + 1


@wrong("output_size", says="default of `stride`")
def output_size_other_default(n, kernel, stride=2, padding=0):
    return (n + 2 * padding - kernel) // stride + 1


# ---- convolution_matrix


def _outputs(n, k, stride, padding):
    return (n + 2 * padding - k) // stride + 1


def _two_loops(kernel, n, stride, padding, column, inside=lambda column, n: 0 <= column < n, weights=None):
    """The two loops of the exercise, with the parts that go wrong left open."""
    X = kernel.new_zeros(_outputs(n, len(kernel), stride, padding), n)
    for i in range(len(X)):
        for j in range(len(kernel)):
            if inside(column(i, j), n):
                X[i, column(i, j)] = kernel[j] if weights is None else weights[j]
    return X


@wrong("convolution_matrix", says="flipped")
def convolution_matrix_flipped(kernel, n, stride=1, padding=0):
    X = kernel.new_zeros(_outputs(n, len(kernel), stride, padding), n)
    for i in range(len(X)):
        for j in range(len(kernel)):
            column = i * stride - padding + j
            if 0 <= column < n:
                X[i, column] = kernel[len(kernel) - 1 - j]
    return X


@wrong("convolution_matrix", says="columns of the padding")
def convolution_matrix_padding_columns_kept(kernel, n, stride=1, padding=0):
    X = kernel.new_zeros(_outputs(n, len(kernel), stride, padding), n + 2 * padding)
    for i in range(len(X)):
        X[i, i * stride : i * stride + len(kernel)] = kernel
    return X


@wrong("convolution_matrix", says="padding is missing")
def convolution_matrix_without_padding(kernel, n, stride=1, padding=0):
    X = kernel.new_zeros(_outputs(n, len(kernel), stride, 0), n)
    for i in range(len(X)):
        X[i, i * stride : i * stride + len(kernel)] = kernel
    return X


@wrong("convolution_matrix", says="doesn't move the kernel yet")
def convolution_matrix_padding_in_the_rows_only(kernel, n, stride=1, padding=0):
    return _two_loops(kernel, n, stride, padding, lambda i, j: i * stride + j)


@wrong("convolution_matrix", says="not at +padding")
def convolution_matrix_padding_added(kernel, n, stride=1, padding=0):
    return _two_loops(kernel, n, stride, padding, lambda i, j: i * stride + j + padding)


@wrong("convolution_matrix", says="left side only")
def convolution_matrix_padded_on_the_left(kernel, n, stride=1, padding=0):
    X = kernel.new_zeros((n + padding - len(kernel)) // stride + 1, n)
    for i in range(len(X)):
        for j in range(len(kernel)):
            if i * stride + j - padding >= 0:
                X[i, i * stride + j - padding] = kernel[j]
    return X


@wrong("convolution_matrix", says="makes fewer rows")
def convolution_matrix_of_stride_1(kernel, n, stride=1, padding=0):
    return _two_loops(kernel, n, 1, padding, lambda i, j: i + j - padding)


@wrong("convolution_matrix", says="stride is missing in the columns")
def convolution_matrix_without_stride(kernel, n, stride=1, padding=0):
    return _two_loops(kernel, n, stride, padding, lambda i, j: i + j - padding)


@wrong("convolution_matrix", says="dilation")
def convolution_matrix_dilated(kernel, n, stride=1, padding=0):
    return _two_loops(kernel, n, stride, padding, lambda i, j: i + stride * j - padding)


@wrong("convolution_matrix", says="You multiplied i + j")
def convolution_matrix_sum_times_stride(kernel, n, stride=1, padding=0):
    return _two_loops(kernel, n, stride, padding, lambda i, j: (i + j) * stride - padding)


@wrong("convolution_matrix", says="multiplied the padding by the stride")
def convolution_matrix_padding_times_stride(kernel, n, stride=1, padding=0):
    return _two_loops(kernel, n, stride, padding, lambda i, j: (i - padding) * stride + j)


@wrong("convolution_matrix", says="whole kernel to column 0")
def convolution_matrix_start_clipped(kernel, n, stride=1, padding=0):
    X = kernel.new_zeros(_outputs(n, len(kernel), stride, padding), n)
    for i in range(len(X)):
        start = max(0, i * stride - padding)
        length = min(len(kernel), n - start)
        X[i, start : start + length] = kernel[:length]
    return X


@wrong("convolution_matrix", says="Only the first row is filled")
def convolution_matrix_return_in_the_loop(kernel, n, stride=1, padding=0):
    X = kernel.new_zeros(_outputs(n, len(kernel), stride, padding), n)
    for i in range(len(X)):
        for j in range(len(kernel)):
            if 0 <= i * stride - padding + j < n:
                X[i, i * stride - padding + j] = kernel[j]
        return X


@wrong("convolution_matrix", says="last column is always empty")
def convolution_matrix_without_the_last_column(kernel, n, stride=1, padding=0):
    column, inside = (lambda i, j: i * stride - padding + j), (lambda column, n: 0 <= column < n - 1)
    return _two_loops(kernel, n, stride, padding, column, inside)


@wrong("convolution_matrix", says="wraps round")
def convolution_matrix_wrapped(kernel, n, stride=1, padding=0):
    column, inside = (lambda i, j: i * stride - padding + j), (lambda column, n: column < n)
    return _two_loops(kernel, n, stride, padding, column, inside)


@wrong("convolution_matrix", says="Column 0 is always empty")
def convolution_matrix_without_column_0(kernel, n, stride=1, padding=0):
    column, inside = (lambda i, j: i * stride - padding + j), (lambda column, n: 0 < column < n)
    return _two_loops(kernel, n, stride, padding, column, inside)


@wrong("convolution_matrix", says="last kernel value never appears")
def convolution_matrix_inner_loop_too_short(kernel, n, stride=1, padding=0):
    X = kernel.new_zeros(_outputs(n, len(kernel), stride, padding), n)
    for i in range(len(X)):
        for j in range(len(kernel) - 1):
            if 0 <= i * stride - padding + j < n:
                X[i, i * stride - padding + j] = kernel[j]
    return X


@wrong("convolution_matrix", says="last row is empty")
def convolution_matrix_outer_loop_too_short(kernel, n, stride=1, padding=0):
    X = kernel.new_zeros(_outputs(n, len(kernel), stride, padding), n)
    for i in range(len(X) - 1):
        for j in range(len(kernel)):
            if 0 <= i * stride - padding + j < n:
                X[i, i * stride - padding + j] = kernel[j]
    return X


@wrong("convolution_matrix", says="rows and columns are swapped")
def convolution_matrix_transposed(kernel, n, stride=1, padding=0):
    X = kernel.new_zeros(n, _outputs(n, len(kernel), stride, padding))
    for i in range(X.shape[1]):
        for j in range(len(kernel)):
            if 0 <= i * stride - padding + j < n:
                X[i * stride - padding + j, i] = kernel[j]
    return X


@wrong("convolution_matrix", says="to_dense")
def convolution_matrix_sparse(kernel, n, stride=1, padding=0):
    return _two_loops(kernel, n, stride, padding, lambda i, j: i * stride + j - padding).to_sparse()


# ---- convolution_matrix_2d


def _four_loops(
    kernel, height, width, stride, padding, *, entry=None, row=None, column=None, inside=None, out=None
):
    """The four loops of the exercise, with the parts that go wrong left open."""
    k1, k2 = kernel.shape
    out_height, out_width = out or (
        _outputs(height, k1, stride, padding),
        _outputs(width, k2, stride, padding),
    )
    X = kernel.new_zeros(out_height * out_width, height * width)
    for i in range(out_height):
        for j in range(out_width):
            for p in range(k1):
                for q in range(k2):
                    r, c = i * stride - padding + p, j * stride - padding + q
                    if inside(r, c) if inside else (0 <= r < height and 0 <= c < width):
                        place = row(i, j, out_height, out_width) if row else i * out_width + j
                        X[place, column(r, c) if column else r * width + c] = (
                            entry(p, q) if entry else kernel[p, q]
                        )
    return X


@wrong("convolution_matrix_2d", says="flipped")
def convolution_matrix_2d_flipped(kernel, height, width, stride=1, padding=0):
    flipped = kernel.flip(0, 1)
    return _four_loops(kernel, height, width, stride, padding, entry=lambda p, q: flipped[p, q])


@wrong("convolution_matrix_2d", says="two axes are swapped")
def convolution_matrix_2d_kernel_transposed(kernel, height, width, stride=1, padding=0):
    return _four_loops(kernel.T, height, width, stride, padding)


@wrong("convolution_matrix_2d", says="padding is missing")
def convolution_matrix_2d_without_padding(kernel, height, width, stride=1, padding=0):
    return _four_loops(kernel, height, width, stride, 0)


@wrong("convolution_matrix_2d", says="stride is missing")
def convolution_matrix_2d_without_stride(kernel, height, width, stride=1, padding=0):
    return _four_loops(kernel, height, width, 1, padding)


def _moved(kernel, height, width, stride, padding, start):
    """The matrix whose window for output row or column i begins at ``start(i)``."""
    k1, k2 = kernel.shape
    rows, columns = _outputs(height, k1, stride, padding), _outputs(width, k2, stride, padding)
    X = kernel.new_zeros(rows * columns, height * width)
    for i in range(rows):
        for j in range(columns):
            for p in range(k1):
                for q in range(k2):
                    if 0 <= start(i) + p < height and 0 <= start(j) + q < width:
                        X[i * columns + j, (start(i) + p) * width + start(j) + q] = kernel[p, q]
    return X


@wrong("convolution_matrix_2d", says="padding gives more rows")
def convolution_matrix_2d_padding_in_the_size_only(kernel, height, width, stride=1, padding=0):
    return _moved(kernel, height, width, stride, padding, lambda i: i * stride)


@wrong("convolution_matrix_2d", says="stride gives fewer rows")
def convolution_matrix_2d_stride_in_the_size_only(kernel, height, width, stride=1, padding=0):
    return _moved(kernel, height, width, stride, padding, lambda i: i - padding)


@wrong("convolution_matrix_2d", says="last row never appears")
def convolution_matrix_2d_p_too_short(kernel, height, width, stride=1, padding=0):
    last = len(kernel) - 1
    return _four_loops(
        kernel, height, width, stride, padding, entry=lambda p, q: kernel[p, q] if p < last else 0.0
    )


@wrong("convolution_matrix_2d", says="last column never appears")
def convolution_matrix_2d_q_too_short(kernel, height, width, stride=1, padding=0):
    last = kernel.shape[1] - 1
    return _four_loops(
        kernel, height, width, stride, padding, entry=lambda p, q: kernel[p, q] if q < last else 0.0
    )


@wrong("convolution_matrix_2d", says="input is flattened column by column")
def convolution_matrix_2d_input_column_major(kernel, height, width, stride=1, padding=0):
    return _four_loops(kernel, height, width, stride, padding, column=lambda r, c: c * height + r)


@wrong("convolution_matrix_2d", says="You flattened column by column")
def convolution_matrix_2d_column_major(kernel, height, width, stride=1, padding=0):
    return _four_loops(
        kernel, height, width, stride, padding,
        row=lambda i, j, out_height, out_width: j * out_height + i,
        column=lambda r, c: c * height + r,
    )  # fmt: skip


@wrong("convolution_matrix_2d", says="Height and width of the image are swapped")
def convolution_matrix_2d_height_for_width(kernel, height, width, stride=1, padding=0):
    return _four_loops(kernel, width, height, stride, padding)


@wrong("convolution_matrix_2d", says="leaks")
def convolution_matrix_2d_leaking(kernel, height, width, stride=1, padding=0):
    return _four_loops(
        kernel, height, width, stride, padding, inside=lambda r, c: 0 <= r * width + c < height * width
    )


@wrong("convolution_matrix_2d", says="negative index wraps round")
def convolution_matrix_2d_wrapped(kernel, height, width, stride=1, padding=0):
    return _four_loops(kernel, height, width, stride, padding, inside=lambda r, c: r < height and c < width)


@wrong("convolution_matrix_2d", says="by the height")
def convolution_matrix_2d_times_height(kernel, height, width, stride=1, padding=0):
    return _four_loops(
        kernel, height, width, stride, padding,
        column=lambda r, c: r * height + c,
        inside=lambda r, c: 0 <= r < height and 0 <= c < width and r * height + c < height * width,
    )  # fmt: skip


@wrong("convolution_matrix_2d", says="`out_width` pixels, not `width`")
def convolution_matrix_2d_output_row_times_width(kernel, height, width, stride=1, padding=0):
    return _four_loops(
        kernel, height, width, stride, padding, row=lambda i, j, out_height, out_width: i * width + j
    )


@wrong("convolution_matrix_2d", says="by the output's height")
def convolution_matrix_2d_output_row_times_out_height(kernel, height, width, stride=1, padding=0):
    return _four_loops(
        kernel, height, width, stride, padding, row=lambda i, j, out_height, out_width: i * out_height + j
    )


@wrong("convolution_matrix_2d", says="output is flattened column by column")
def convolution_matrix_2d_output_column_major(kernel, height, width, stride=1, padding=0):
    return _four_loops(
        kernel, height, width, stride, padding, row=lambda i, j, out_height, out_width: j * out_height + i
    )


@wrong("convolution_matrix_2d", says="kernel.shape[1]")
def convolution_matrix_2d_square_kernel(kernel, height, width, stride=1, padding=0):
    k = len(kernel)
    out = _outputs(height, k, stride, padding), _outputs(width, k, stride, padding)
    return _four_loops(kernel, height, width, stride, padding, out=out)


@wrong("convolution_matrix_2d", says="last row of the matrix is empty")
def convolution_matrix_2d_without_last_pixel(kernel, height, width, stride=1, padding=0):
    X = _four_loops(kernel, height, width, stride, padding)
    X[len(X) - 1 :] = 0
    return X


@wrong("convolution_matrix_2d", says="rows and columns are swapped")
def convolution_matrix_2d_transposed(kernel, height, width, stride=1, padding=0):
    return _four_loops(kernel, height, width, stride, padding).T


# ---- transposed_convolution_1d


def _stamp(b, kernel, stride):
    full = b.new_zeros((len(b) - 1) * stride + len(kernel))
    for i in range(len(b)):
        full[i * stride : i * stride + len(kernel)] += b[i] * kernel
    return full


def _cut(full, padding):
    return full[padding : len(full) - padding]


@wrong("transposed_convolution_1d", says="add up")
def transposed_convolution_1d_overwriting(b, kernel, stride=1, padding=0):
    full = b.new_zeros((len(b) - 1) * stride + len(kernel))
    for i in range(len(b)):
        full[i * stride : i * stride + len(kernel)] = b[i] * kernel
    return _cut(full, padding)


@wrong("transposed_convolution_1d", says="not the kernel alone")
def transposed_convolution_1d_not_multiplied(b, kernel, stride=1, padding=0):
    return _cut(_stamp(torch.ones_like(b), kernel, stride), padding)


@wrong("transposed_convolution_1d", says="flipped")
def transposed_convolution_1d_flipped(b, kernel, stride=1, padding=0):
    return _cut(_stamp(b, kernel.flip(0), stride), padding)


@wrong("transposed_convolution_1d", says="padding is missing")
def transposed_convolution_1d_uncut(b, kernel, stride=1, padding=0):
    return _stamp(b, kernel, stride)


@wrong("transposed_convolution_1d", says="shorter, not longer")
def transposed_convolution_1d_padded(b, kernel, stride=1, padding=0):
    zeros = b.new_zeros(padding)
    return torch.cat([zeros, _stamp(b, kernel, stride), zeros])


@wrong("transposed_convolution_1d", says="at the beginning only")
def transposed_convolution_1d_cut_at_the_beginning(b, kernel, stride=1, padding=0):
    return _stamp(b, kernel, stride)[padding:]


@wrong("transposed_convolution_1d", says="at the end only")
def transposed_convolution_1d_cut_at_the_end(b, kernel, stride=1, padding=0):
    return _stamp(b, kernel, stride)[: (len(b) - 1) * stride + len(kernel) - padding]


@wrong("transposed_convolution_1d", says="2 * padding off the beginning")
def transposed_convolution_1d_cut_twice_at_the_beginning(b, kernel, stride=1, padding=0):
    return _stamp(b, kernel, stride)[2 * padding :]


@wrong("transposed_convolution_1d", says="2 * padding off the end")
def transposed_convolution_1d_cut_twice_at_the_end(b, kernel, stride=1, padding=0):
    return _stamp(b, kernel, stride)[: (len(b) - 1) * stride + len(kernel) - 2 * padding]


@wrong("transposed_convolution_1d", says="is empty")
def transposed_convolution_1d_empty_slice(b, kernel, stride=1, padding=0):
    return _stamp(b, kernel, stride)[padding:-padding]


@wrong("transposed_convolution_1d", says="stride is missing")
def transposed_convolution_1d_without_stride(b, kernel, stride=1, padding=0):
    return _cut(_stamp(b, kernel, 1), padding)


@wrong("transposed_convolution_1d", says="only one place apart")
def transposed_convolution_1d_stamps_one_apart(b, kernel, stride=1, padding=0):
    full = b.new_zeros((len(b) - 1) * stride + len(kernel))
    for i in range(len(b)):
        full[i : i + len(kernel)] += b[i] * kernel
    return _cut(full, padding)


@wrong("transposed_convolution_1d", says="Only the first input stamps")
def transposed_convolution_1d_return_in_the_loop(b, kernel, stride=1, padding=0):
    full = b.new_zeros((len(b) - 1) * stride + len(kernel))
    for i in range(len(b)):
        full[i * stride : i * stride + len(kernel)] += b[i] * kernel
        return _cut(full, padding)


@wrong("transposed_convolution_1d", says="last input never stamps")
def transposed_convolution_1d_without_last(b, kernel, stride=1, padding=0):
    full = b.new_zeros((len(b) - 1) * stride + len(kernel))
    for i in range(len(b) - 1):
        full[i * stride : i * stride + len(kernel)] += b[i] * kernel
    return _cut(full, padding)


@wrong("transposed_convolution_1d", says="first input never stamps")
def transposed_convolution_1d_without_first(b, kernel, stride=1, padding=0):
    full = b.new_zeros((len(b) - 1) * stride + len(kernel))
    for i in range(1, len(b)):
        full[i * stride : i * stride + len(kernel)] += b[i] * kernel
    return _cut(full, padding)


@wrong("transposed_convolution_1d", says="ordinary convolution")
def transposed_convolution_1d_forward(b, kernel, stride=1, padding=0):
    return F.conv1d(b[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


# ---- slide_transposed


@wrong("slide_transposed", says="slide as printed")
def slide_transposed_as_printed(x, y, z, a, b, c, d):
    return [a * x, a * y + b * x, a * z + b * y + c * x, b * z + c * y + d * x, d * z + d * y, d * y]


@wrong("slide_transposed", says="fifth entry")
def slide_transposed_fifth_left(x, y, z, a, b, c, d):
    return [a * x, a * y + b * x, a * z + b * y + c * x, b * z + c * y + d * x, d * z + d * y, d * z]


@wrong("slide_transposed", says="sixth entry")
def slide_transposed_sixth_left(x, y, z, a, b, c, d):
    return [a * x, a * y + b * x, a * z + b * y + c * x, b * z + c * y + d * x, c * z + d * y, d * y]


@wrong("slide_transposed", says="misprinted matrix")
def slide_transposed_of_the_misprint(x, y, z, a, b, c, d):
    return [a * x, a * y + b * x, a * x + b * y + c * x, b * x + c * y + d * x, c * x + d * y, d * x]


@wrong("slide_transposed", says="flipped")
def slide_transposed_flipped(x, y, z, a, b, c, d):
    return [a * z, a * y + b * z, a * x + b * y + c * z, b * x + c * y + d * z, c * x + d * y, d * x]


# ---- transpose_by_convolution


@wrong("transpose_by_convolution", says="the kernel is not flipped")
def transpose_by_convolution_as_the_slide_says(b, kernel, padding=0):
    return F.conv1d(b[None, None], kernel[None, None], padding=len(kernel) - 1 - padding)[0, 0]


def _flipped_conv1d(b, kernel, zeros):
    return F.conv1d(b[None, None], kernel.flip(0)[None, None], padding=zeros)[0, 0]


@wrong("transpose_by_convolution", says="result is read backwards")
def transpose_by_convolution_result_flipped(b, kernel, padding=0):
    return _flipped_conv1d(b, kernel, len(kernel) - 1 - padding).flip(0)


@wrong("transpose_by_convolution", says="input read backwards")
def transpose_by_convolution_input_flipped_too(b, kernel, padding=0):
    return _flipped_conv1d(b.flip(0), kernel, len(kernel) - 1 - padding)


@wrong("transpose_by_convolution", says="You gave F.conv1d")
def transpose_by_convolution_same_padding(b, kernel, padding=0):
    return _flipped_conv1d(b, kernel, padding)


@wrong("transpose_by_convolution", says="k - 1 always")
def transpose_by_convolution_full(b, kernel, padding=0):
    return _flipped_conv1d(b, kernel, len(kernel) - 1)


@wrong("transpose_by_convolution", says="You added the padding")
def transpose_by_convolution_padding_added(b, kernel, padding=0):
    return _flipped_conv1d(b, kernel, len(kernel) - 1 + padding)


@wrong("transpose_by_convolution", says="twice")
def transpose_by_convolution_padding_twice(b, kernel, padding=0):
    return _flipped_conv1d(b, kernel, len(kernel) - 1 - 2 * padding)


@wrong("transpose_by_convolution", says="One zero too many")
def transpose_by_convolution_one_zero_too_many(b, kernel, padding=0):
    return _flipped_conv1d(b, kernel, len(kernel) - padding)


@wrong("transpose_by_convolution", says="three values only")
def transpose_by_convolution_kernel_3(b, kernel, padding=0):
    return _flipped_conv1d(b, kernel, 2 - padding)


@wrong("transpose_by_convolution", says="neither flip")
def transpose_by_convolution_forward(b, kernel, padding=0):
    return F.conv1d(b[None, None], kernel[None, None], padding=padding)[0, 0]


# ---- transposed_output_size


@wrong("transposed_output_size", says="rule of thumb")
def transposed_output_size_times_stride(n, kernel, stride=1, padding=0, output_padding=0):
    return n * stride


@wrong("transposed_output_size", says="n - 1 distances")
def transposed_output_size_n_distances(n, kernel, stride=1, padding=0, output_padding=0):
    return n * stride + kernel - 2 * padding + output_padding


@wrong("transposed_output_size", says="stride is missing")
def transposed_output_size_without_stride(n, kernel, stride=1, padding=0, output_padding=0):
    return n - 1 + kernel - 2 * padding + output_padding


@wrong("transposed_output_size", says="with brackets")
def transposed_output_size_without_brackets(n, kernel, stride=1, padding=0, output_padding=0):
    return n - 1 * stride + kernel - 2 * padding + output_padding


@wrong("transposed_output_size", says="has a length, too")
def transposed_output_size_without_kernel(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride - 2 * padding + output_padding


@wrong("transposed_output_size", says="kernel of size 3 only")
def transposed_output_size_kernel_3(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + 3 - 2 * padding + output_padding


@wrong("transposed_output_size", says="counts twice")
def transposed_output_size_padding_once(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel - padding + output_padding


@wrong("transposed_output_size", says="all stamps together")
def transposed_output_size_of_all_stamps(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel


@wrong("transposed_output_size", says="padding is missing: it is cut off")
def transposed_output_size_without_padding(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel + output_padding


@wrong("transposed_output_size", says="cut off, not added")
def transposed_output_size_padding_added(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel + 2 * padding + output_padding


@wrong("transposed_output_size", says="one end only")
def transposed_output_size_output_padding_twice(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel - 2 * padding + 2 * output_padding


@wrong("transposed_output_size", says="not a second padding")
def transposed_output_size_output_padding_cut_twice(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel - 2 * (padding + output_padding)


@wrong("transposed_output_size", says="given back, not cut off")
def transposed_output_size_output_padding_cut(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel - 2 * padding - output_padding


@wrong("transposed_output_size", says="output_padding is missing")
def transposed_output_size_without_output_padding(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel - 2 * padding


@wrong("transposed_output_size", says="One too many")
def transposed_output_size_plus_one(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel - 2 * padding + output_padding + 1


@wrong("transposed_output_size", says="One too few")
def transposed_output_size_minus_one(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel - 1 - 2 * padding + output_padding


@wrong("transposed_output_size", says="forward convolution")
def transposed_output_size_forward(n, kernel, stride=1, padding=0, output_padding=0):
    return (n + 2 * padding - kernel) // stride + 1


@wrong("transposed_output_size", says="whole number")
def transposed_output_size_float(n, kernel, stride=1, padding=0, output_padding=0):
    return float((n - 1) * stride + kernel - 2 * padding + output_padding)


@wrong("transposed_output_size", says="default of `output_padding`")
def transposed_output_size_other_default(n, kernel, stride=1, padding=0, output_padding=1):
    return (n - 1) * stride + kernel - 2 * padding + output_padding


# ---- input_gradient


def _missing(v, kernel, height, width, stride, padding):
    """The output_padding for rows and columns."""
    rows, columns = ((n - 1) * stride + k - 2 * padding for n, k in zip(v.shape, kernel.shape))
    return height - rows, width - columns


def _transposed(v, kernel, stride, padding, extra=0):
    return F.conv_transpose2d(v[None, None], kernel[None, None], None, stride, padding, extra)[0, 0]


@wrong("input_gradient", says="flipped")
def input_gradient_flipped(v, kernel, height, width, stride=1, padding=0):
    extra = _missing(v, kernel, height, width, stride, padding)
    return _transposed(v, kernel.flip(0, 1), stride, padding, extra)


@wrong("input_gradient", says="ambiguous")
def input_gradient_smallest_size(v, kernel, height, width, stride=1, padding=0):
    return _transposed(v, kernel, stride, padding)


@wrong("input_gradient", says="appended zeros")
def input_gradient_zeros_appended(v, kernel, height, width, stride=1, padding=0):
    gradient = v.new_zeros(height, width)
    smaller = _transposed(v, kernel, stride, padding)
    gradient[: smaller.shape[0], : smaller.shape[1]] = smaller
    return gradient


@wrong("input_gradient", says="that of the height for both")
def input_gradient_output_padding_of_the_height(v, kernel, height, width, stride=1, padding=0):
    return _transposed(v, kernel, stride, padding, _missing(v, kernel, height, width, stride, padding)[0])


@wrong("input_gradient", says="that of the width for both")
def input_gradient_output_padding_of_the_width(v, kernel, height, width, stride=1, padding=0):
    return _transposed(v, kernel, stride, padding, _missing(v, kernel, height, width, stride, padding)[1])


@wrong("input_gradient", says="the other way round")
def input_gradient_output_padding_swapped(v, kernel, height, width, stride=1, padding=0):
    rows, columns = _missing(v, kernel, height, width, stride, padding)
    return _transposed(v, kernel, stride, padding, (columns, rows))


@wrong("input_gradient", says="largest of the possible sizes")
def input_gradient_largest_size(v, kernel, height, width, stride=1, padding=0):
    return _transposed(v, kernel, stride, padding, stride - 1)


@wrong("input_gradient", says="padding is missing")
def input_gradient_without_padding(v, kernel, height, width, stride=1, padding=0):
    return _transposed(v, kernel, stride, 0, _missing(v, kernel, height, width, stride, padding))


@wrong("input_gradient", says="stride is missing")
def input_gradient_without_stride(v, kernel, height, width, stride=1, padding=0):
    return _transposed(v, kernel, 1, padding, _missing(v, kernel, height, width, stride, padding))


@wrong("input_gradient", says="ordinary convolution")
def input_gradient_forward(v, kernel, height, width, stride=1, padding=0):
    return F.conv2d(v[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


@wrong("input_gradient", says="default of `padding`")
def input_gradient_other_default(v, kernel, height, width, stride=1, padding=1):
    return _transposed(v, kernel, stride, padding, _missing(v, kernel, height, width, stride, padding))
