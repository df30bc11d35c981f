"""Wrong answers to the exercises of notebook 02, as students would write them."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F

from tests.wrong_answers import WrongAnswers

wrong = WrongAnswers("convolution")


# ---- cross_correlation_1d


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
    k = len(kernel)
    return torch.stack([(kernel * a[i : i + k]).sum() for i in range(len(a) - k)]) if len(a) > k else a[:0]


@wrong("cross_correlation_1d", says="padded")
def cross_correlation_1d_same_length(a, kernel):
    k = len(kernel)
    padded = torch.cat([a.new_zeros((k - 1) // 2), a, a.new_zeros(k // 2)])
    return torch.stack([(kernel * padded[i : i + k]).sum() for i in range(len(a))])


@wrong("cross_correlation_1d", says="stick out at the end")
def cross_correlation_1d_one_window_each_value(a, kernel):
    y = torch.zeros_like(a)
    for i in range(len(a)):
        for j in range(len(kernel)):
            if i + j < len(a):
                y[i] += kernel[j] * a[i + j]
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


@wrong("convolution_1d", says="cross-correlation")
def convolution_1d_not_flipped(a, kernel):
    return a.unfold(0, len(kernel), 1) @ kernel


@wrong("convolution_1d", says="flipped the signal")
def convolution_1d_signal_flipped(a, kernel):
    return a.flip(0).unfold(0, len(kernel), 1) @ kernel


@wrong("convolution_1d", says="full")
def convolution_1d_numpy_default(a, kernel):
    return torch.from_numpy(np.convolve(a.numpy(), kernel.numpy()))


wrong.value("impulse_picture", "A", says="backwards")
wrong.value("impulse_picture", "B", says="doesn't flip")
wrong.value("impulse_picture", "D", says="padding")


# ---- output_size


@wrong("output_size", says="rounded up")
def output_size_rounded_up(n, kernel, stride=1, padding=0):
    return math.ceil((n + 2 * padding - kernel) / stride) + 1


@wrong("output_size", says="the first window")
def output_size_without_first_window(n, kernel, stride=1, padding=0):
    return (n + 2 * padding - kernel) // stride


@wrong("output_size", says="both sides")
def output_size_padding_once(n, kernel, stride=1, padding=0):
    return (n + padding - kernel) // stride + 1


@wrong("output_size", says="whole number")
def output_size_fraction(n, kernel, stride=1, padding=0):
    return (n + 2 * padding - kernel) / stride + 1


@wrong("output_size", says="whole number")
def output_size_floor_of_a_float(n, kernel, stride=1, padding=0):
    return np.floor((n + 2 * padding - kernel) / stride) + 1


@wrong("output_size", says="divided too late")
def output_size_divided_too_late(n, kernel, stride=1, padding=0):
    return (n + 2 * padding - kernel + 1) // stride


wrong.value("slices_left", 155 / 16, says="no fraction")
wrong.value("slices_left", 155 // 16, says="divided once")
wrong.value("slices_left", 8, says="without padding")
wrong.value("slices_left", 20, says="three layers")
wrong.value("slices_left", 155, says="too large")


# ---- convolution_matrix


def _outputs(n, k, stride, padding):
    return (n + 2 * padding - k) // stride + 1


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


@wrong("convolution_matrix", says="left side only")
def convolution_matrix_padded_on_the_left(kernel, n, stride=1, padding=0):
    X = kernel.new_zeros((n + padding - len(kernel)) // stride + 1, n)
    for i in range(len(X)):
        for j in range(len(kernel)):
            if i * stride + j - padding >= 0:
                X[i, i * stride + j - padding] = kernel[j]
    return X


@wrong("convolution_matrix", says="stride is missing")
def convolution_matrix_without_stride(kernel, n, stride=1, padding=0):
    X = kernel.new_zeros(_outputs(n, len(kernel), stride, padding), n)
    for i in range(len(X)):
        for j in range(len(kernel)):
            if 0 <= i + j - padding < n:
                X[i, i + j - padding] = kernel[j]
    return X


@wrong("convolution_matrix", says="dilation")
def convolution_matrix_dilated(kernel, n, stride=1, padding=0):
    X = kernel.new_zeros(_outputs(n, len(kernel), stride, padding), n)
    for i in range(len(X)):
        for j in range(len(kernel)):
            if 0 <= i + stride * j - padding < n:
                X[i, i + stride * j - padding] = kernel[j]
    return X


@wrong("convolution_matrix", says="wraps round")
def convolution_matrix_wrapped(kernel, n, stride=1, padding=0):
    X = kernel.new_zeros(_outputs(n, len(kernel), stride, padding), n)
    for i in range(len(X)):
        for j in range(len(kernel)):
            if i * stride - padding + j < n:
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


wrong.value("which_matrix", "A", says="stride 1")
wrong.value("which_matrix", "B", says="padding is 0")
wrong.value("which_matrix", "D", says="flipped")

wrong.value("slide_rows", 0, says="third value")
wrong.value("slide_rows", 1, says="each row")
wrong.value("slide_rows", 12, says="aren't zero")
wrong.value("slide_rows", 24, says="all entries")


# ---- convolution_matrix_2d


def _matrix_2d(kernel, height, width, stride, padding, column, inside, entry=None):
    """The four loops of the exercise, with the parts that go wrong left open."""
    k1, k2 = kernel.shape
    out_height, out_width = _outputs(height, k1, stride, padding), _outputs(width, k2, stride, padding)
    X = kernel.new_zeros(out_height * out_width, height * width)
    for i in range(out_height):
        for j in range(out_width):
            for p in range(k1):
                for q in range(k2):
                    r, c = i * stride - padding + p, j * stride - padding + q
                    if inside(r, c):
                        X[i * out_width + j, column(r, c)] = entry(p, q) if entry else kernel[p, q]
    return X


@wrong("convolution_matrix_2d", says="flipped")
def convolution_matrix_2d_flipped(kernel, height, width, stride=1, padding=0):
    return _matrix_2d(
        kernel, height, width, stride, padding,
        column=lambda r, c: r * width + c,
        inside=lambda r, c: 0 <= r < height and 0 <= c < width,
        entry=lambda p, q: kernel.flip(0, 1)[p, q],
    )  # fmt: skip


@wrong("convolution_matrix_2d", says="column by column")
def convolution_matrix_2d_column_major(kernel, height, width, stride=1, padding=0):
    k1, k2 = kernel.shape
    out_height, out_width = _outputs(height, k1, stride, padding), _outputs(width, k2, stride, padding)
    X = kernel.new_zeros(out_height * out_width, height * width)
    for i in range(out_height):
        for j in range(out_width):
            for p in range(k1):
                for q in range(k2):
                    r, c = i * stride - padding + p, j * stride - padding + q
                    if 0 <= r < height and 0 <= c < width:
                        X[j * out_height + i, c * height + r] = kernel[p, q]
    return X


@wrong("convolution_matrix_2d", says="leaks")
def convolution_matrix_2d_leaking(kernel, height, width, stride=1, padding=0):
    k1, k2 = kernel.shape
    out_height, out_width = _outputs(height, k1, stride, padding), _outputs(width, k2, stride, padding)
    X = kernel.new_zeros(out_height * out_width, height * width)
    for i in range(out_height):
        for j in range(out_width):
            for p in range(k1):
                for q in range(k2):
                    column = (i * stride - padding + p) * width + j * stride - padding + q
                    if 0 <= column < height * width:
                        X[i * out_width + j, column] = kernel[p, q]
    return X


@wrong("convolution_matrix_2d", says="by the height")
def convolution_matrix_2d_times_height(kernel, height, width, stride=1, padding=0):
    return _matrix_2d(
        kernel, height, width, stride, padding,
        column=lambda r, c: r * height + c,
        inside=lambda r, c: 0 <= r < height and 0 <= c < width and r * height + c < height * width,
    )  # fmt: skip


@wrong("convolution_matrix_2d", says="two axes are swapped")
def convolution_matrix_2d_kernel_transposed(kernel, height, width, stride=1, padding=0):
    return _matrix_2d(
        kernel.T.contiguous(), height, width, stride, padding,
        column=lambda r, c: r * width + c,
        inside=lambda r, c: 0 <= r < height and 0 <= c < width,
    )  # fmt: skip


@wrong("convolution_matrix_2d", says="rows and columns are swapped")
def convolution_matrix_2d_transposed(kernel, height, width, stride=1, padding=0):
    return _matrix_2d(
        kernel, height, width, stride, padding,
        column=lambda r, c: r * width + c,
        inside=lambda r, c: 0 <= r < height and 0 <= c < width,
    ).T  # fmt: skip


wrong.value("block_picture", "A", says="row of the kernel")
wrong.value("block_picture", "C", says="three blocks")
wrong.value("block_picture", "D", says="left of the frame")


# ---- transposed_convolution_1d


@wrong("transposed_convolution_1d", says="add up")
def transposed_convolution_1d_overwriting(b, kernel, stride=1, padding=0):
    full = b.new_zeros((len(b) - 1) * stride + len(kernel))
    for i in range(len(b)):
        full[i * stride : i * stride + len(kernel)] = b[i] * kernel
    return full[padding : len(full) - padding]


def _stamp(b, kernel, stride):
    full = b.new_zeros((len(b) - 1) * stride + len(kernel))
    for i in range(len(b)):
        full[i * stride : i * stride + len(kernel)] += b[i] * kernel
    return full


@wrong("transposed_convolution_1d", says="flipped")
def transposed_convolution_1d_flipped(b, kernel, stride=1, padding=0):
    full = _stamp(b, kernel.flip(0), stride)
    return full[padding : len(full) - padding]


@wrong("transposed_convolution_1d", says="padding is missing")
def transposed_convolution_1d_uncut(b, kernel, stride=1, padding=0):
    return _stamp(b, kernel, stride)


@wrong("transposed_convolution_1d", says="shorter, not longer")
def transposed_convolution_1d_padded(b, kernel, stride=1, padding=0):
    zeros = b.new_zeros(padding)
    return torch.cat([zeros, _stamp(b, kernel, stride), zeros])


@wrong("transposed_convolution_1d", says="one side only")
def transposed_convolution_1d_cut_once(b, kernel, stride=1, padding=0):
    return _stamp(b, kernel, stride)[padding:]


@wrong("transposed_convolution_1d", says="stride is missing")
def transposed_convolution_1d_without_stride(b, kernel, stride=1, padding=0):
    full = _stamp(b, kernel, 1)
    return full[padding : len(full) - padding]


@wrong("transposed_convolution_1d", says="ordinary convolution")
def transposed_convolution_1d_forward(b, kernel, stride=1, padding=0):
    return F.conv1d(b[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


@wrong("transposed_convolution_1d", says="is empty")
def transposed_convolution_1d_empty_slice(b, kernel, stride=1, padding=0):
    return _stamp(b, kernel, stride)[padding:-padding]


# ---- slide_transposed


@wrong("slide_transposed", says="as printed")
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


@wrong("transpose_by_convolution", says="not flipped")
def transpose_by_convolution_as_the_slide_says(b, kernel, padding=0):
    return F.conv1d(b[None, None], kernel[None, None], padding=len(kernel) - 1 - padding)[0, 0]


@wrong("transpose_by_convolution", says="You gave F.conv1d")
def transpose_by_convolution_same_padding(b, kernel, padding=0):
    return F.conv1d(b[None, None], kernel.flip(0)[None, None], padding=padding)[0, 0]


@wrong("transpose_by_convolution", says="k - 1 always")
def transpose_by_convolution_full(b, kernel, padding=0):
    return F.conv1d(b[None, None], kernel.flip(0)[None, None], padding=len(kernel) - 1)[0, 0]


@wrong("transpose_by_convolution", says="neither flip")
def transpose_by_convolution_forward(b, kernel, padding=0):
    return F.conv1d(b[None, None], kernel[None, None], padding=padding)[0, 0]


# ---- transposed_output_size


@wrong("transposed_output_size", says="forward convolution")
def transposed_output_size_forward(n, kernel, stride=1, padding=0, output_padding=0):
    return (n + 2 * padding - kernel) // stride + 1


@wrong("transposed_output_size", says="rule of thumb")
def transposed_output_size_times_stride(n, kernel, stride=1, padding=0, output_padding=0):
    return n * stride


@wrong("transposed_output_size", says="n - 1 distances")
def transposed_output_size_n_distances(n, kernel, stride=1, padding=0, output_padding=0):
    return n * stride + kernel - 2 * padding + output_padding


@wrong("transposed_output_size", says="cut off, not added")
def transposed_output_size_padding_added(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel + 2 * padding + output_padding


@wrong("transposed_output_size", says="one end only")
def transposed_output_size_output_padding_twice(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel - 2 * padding + 2 * output_padding


@wrong("transposed_output_size", says="not a second padding")
def transposed_output_size_output_padding_cut(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel - 2 * (padding + output_padding)


@wrong("transposed_output_size", says="output_padding is missing")
def transposed_output_size_without_output_padding(n, kernel, stride=1, padding=0, output_padding=0):
    return (n - 1) * stride + kernel - 2 * padding


wrong.value("inverse_picture", "A", says="fine structures")
wrong.value("inverse_picture", "B", says="rounding")
wrong.value("inverse_picture", "C", says="size is right")


# ---- input_gradient


@wrong("input_gradient", says="flipped")
def input_gradient_flipped(v, kernel, height, width, stride=1, padding=0):
    size = [(n - 1) * stride + k - 2 * padding for n, k in zip(v.shape, kernel.shape)]
    rest = (height - size[0], width - size[1])
    flipped = kernel.flip(0, 1)
    return F.conv_transpose2d(v[None, None], flipped[None, None], None, stride, padding, rest)[0, 0]


@wrong("input_gradient", says="ambiguous")
def input_gradient_smallest_size(v, kernel, height, width, stride=1, padding=0):
    return F.conv_transpose2d(v[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


@wrong("input_gradient", says="appended zeros")
def input_gradient_zeros_appended(v, kernel, height, width, stride=1, padding=0):
    gradient = v.new_zeros(height, width)
    smaller = F.conv_transpose2d(v[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]
    gradient[: smaller.shape[0], : smaller.shape[1]] = smaller
    return gradient


@wrong("input_gradient", says="output_padding each")
def input_gradient_one_output_padding(v, kernel, height, width, stride=1, padding=0):
    rest = height - ((v.shape[0] - 1) * stride + kernel.shape[0] - 2 * padding)
    return F.conv_transpose2d(v[None, None], kernel[None, None], None, stride, padding, rest)[0, 0]


@wrong("input_gradient", says="ordinary convolution")
def input_gradient_forward(v, kernel, height, width, stride=1, padding=0):
    return F.conv2d(v[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


# ---- what the matrix costs

wrong.value("matrix_memory", 57600**2 / 1e9, says="entries")
wrong.value("matrix_memory", 57600**2 * 8 / 1e9, says="float64")
wrong.value("matrix_memory", 57600**2 * 4 / 2**30, says="GiB")
wrong.value("matrix_memory", 57600**2 * 4, says="in bytes")
wrong.value("matrix_memory", 57600 * 4 / 1e9, says="one row")
wrong.value("matrix_memory", 57600 * 9 * 4 / 1e9, says="nine kernel values")

wrong.value("dense_overhead", 57600 / 3, says="9 times")
wrong.value("dense_overhead", 57600, says="divide")
wrong.value("dense_overhead", 57600 * 9, says="ratio")
wrong.value("dense_overhead", 240 / 9, says="240 * 240")
