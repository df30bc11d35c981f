"""Right answers to the exercises of `course_utils.checks.convolution`."""

from __future__ import annotations

import math

import numpy as np
import scipy.linalg
import scipy.signal
import torch
import torch.nn.functional as F

from tests.right_answers import RightAnswers

right = RightAnswers("convolution")


# ---- cross_correlation_1d


@right("cross_correlation_1d", "two loops that add up")
def cross_correlation_1d_two_loops(a, kernel):
    y = torch.zeros(len(a) - len(kernel) + 1, dtype=a.dtype)
    for i in range(len(y)):
        for j in range(len(kernel)):
            y[i] = y[i] + a[i + j] * kernel[j]
    return y


@right("cross_correlation_1d", "a list, stacked")
def cross_correlation_1d_stacked(a, kernel):
    k = kernel.numel()
    return torch.stack([torch.dot(kernel, a[i : i + k]) for i in range(a.shape[0] - k + 1)])


@right("cross_correlation_1d", "windows by unfold")
def cross_correlation_1d_unfold(a, kernel):
    return (a.unfold(0, len(kernel), 1) * kernel).sum(dim=1)


@right("cross_correlation_1d", "whole signals, shifted and added")
def cross_correlation_1d_shifted(a, kernel):
    n = len(a) - len(kernel) + 1
    return sum(weight * a[j : j + n] for j, weight in enumerate(kernel))


@right("cross_correlation_1d", "NumPy's correlate")
def cross_correlation_1d_numpy(a, kernel):
    return torch.from_numpy(np.correlate(a.numpy(), kernel.numpy(), mode="valid"))


# ---- convolution_1d


@right("convolution_1d", "NumPy's convolve")
def convolution_1d_numpy(a, kernel):
    return torch.tensor(np.convolve(a, kernel, "valid"))


@right("convolution_1d", "index runs backwards")
def convolution_1d_loops(a, kernel):
    k = len(kernel)
    y = a.new_zeros(len(a) - k + 1)
    for i in range(len(y)):
        for j in range(k):
            y[i] += kernel[k - 1 - j] * a[i + j]
    return y


@right("convolution_1d", "signal and result both reversed")
def convolution_1d_signal_reversed_and_back(a, kernel):
    return (a.flip(0).unfold(0, len(kernel), 1) @ kernel).flip(0)


@right("convolution_1d", "F.conv1d with the kernel reversed by indices")
def convolution_1d_indices(a, kernel):
    reversed_kernel = kernel[torch.arange(len(kernel) - 1, -1, -1)]
    return F.conv1d(a.reshape(1, 1, -1), reversed_kernel.reshape(1, 1, -1)).flatten()


# ---- output_size


@right("output_size", "math.floor of a fraction")
def output_size_math_floor(n, kernel, stride=1, padding=0):
    return math.floor((n + 2 * padding - kernel) / stride) + 1


@right("output_size", "a NumPy integer")
def output_size_numpy(n, kernel, stride=1, padding=0):
    return np.floor((n + 2 * padding - kernel) / stride).astype(int) + 1


@right("output_size", "the + 1 inside, as a stride")
def output_size_stride_added(n, kernel, stride=1, padding=0):
    return (n + 2 * padding - kernel + stride) // stride


@right("output_size", "windows counted")
def output_size_counted(n, kernel, stride=1, padding=0):
    return len(range(-padding, n + padding - kernel + 1, stride))


@right("output_size", "a tensor of one whole number")
def output_size_tensor(n, kernel, stride=1, padding=0):
    return torch.tensor(n + 2 * padding - kernel) // stride + 1


@right("output_size", "a step at a time")
def output_size_while(n, kernel, stride=1, padding=0):
    end, count = kernel, 0
    while end <= n + 2 * padding:
        end, count = end + stride, count + 1
    return count


# ---- convolution_matrix


@right("convolution_matrix", "columns of the padding cut off")
def convolution_matrix_cut(kernel, n, stride=1, padding=0):
    k, wide = len(kernel), n + 2 * padding
    X = torch.zeros((wide - k) // stride + 1, wide, dtype=kernel.dtype)
    for i in range(len(X)):
        X[i, i * stride : i * stride + k] = kernel
    return X[:, padding : padding + n]


@right("convolution_matrix", "entry by entry, from the formula")
def convolution_matrix_formula(kernel, n, stride=1, padding=0):
    rows = (n + 2 * padding - len(kernel)) // stride + 1
    return torch.tensor(
        [
            [
                float(kernel[m - i * stride + padding])
                if 0 <= m - i * stride + padding < len(kernel)
                else 0.0
                for m in range(n)
            ]
            for i in range(rows)
        ],
        dtype=torch.float64,
    )


@right("convolution_matrix", "SciPy's Toeplitz matrix, every stride-th row")
def convolution_matrix_toeplitz(kernel, n, stride=1, padding=0):
    wide = n + 2 * padding
    row = np.r_[kernel.numpy(), np.zeros(wide - len(kernel))]
    column = np.r_[kernel[:1].numpy(), np.zeros(wide - len(kernel))]
    full = scipy.linalg.toeplitz(column, row)
    return torch.from_numpy(full[::stride, padding : padding + n].copy())


@right("convolution_matrix", "convolving unit vectors")
def convolution_matrix_unit_vectors(kernel, n, stride=1, padding=0):
    columns = [
        F.conv1d(unit[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]
        for unit in torch.eye(n).to(kernel)
    ]
    return torch.stack(columns, dim=1)


@right("convolution_matrix", "slices cut by max and min")
def convolution_matrix_slices(kernel, n, stride=1, padding=0):
    X = kernel.new_zeros((n + 2 * padding - len(kernel)) // stride + 1, n)
    for i, row in enumerate(X):
        start = i * stride - padding
        first, last = max(start, 0), min(start + len(kernel), n)
        if first < last:
            row[first:last] = kernel[first - start : last - start]
    return X


# ---- convolution_matrix_2d


@right("convolution_matrix_2d", "Kronecker products of 1D matrices")
def convolution_matrix_2d_kronecker(kernel, height, width, stride=1, padding=0):
    units = torch.eye(len(kernel), dtype=kernel.dtype)
    return sum(
        torch.kron(
            convolution_matrix_cut(unit, height, stride, padding),
            convolution_matrix_cut(row, width, stride, padding),
        )
        for unit, row in zip(units, kernel)
    )


@right("convolution_matrix_2d", "an array of four axes, reshaped")
def convolution_matrix_2d_four_axes(kernel, height, width, stride=1, padding=0):
    (k1, k2), padded = kernel.shape, (height + 2 * padding, width + 2 * padding)
    rows, columns = (padded[0] - k1) // stride + 1, (padded[1] - k2) // stride + 1
    X = np.zeros((rows, columns, *padded))
    for i in range(rows):
        for j in range(columns):
            X[i, j, i * stride : i * stride + k1, j * stride : j * stride + k2] = kernel.numpy()
    X = X[:, :, padding : padding + height, padding : padding + width]
    return torch.tensor(X.reshape(rows * columns, height * width))


@right("convolution_matrix_2d", "input pixels first")
def convolution_matrix_2d_by_pixels(kernel, height, width, stride=1, padding=0):
    k1, k2 = kernel.shape
    rows, columns = (height + 2 * padding - k1) // stride + 1, (width + 2 * padding - k2) // stride + 1
    X = kernel.new_zeros(rows * columns, height * width)
    for pixel in range(height * width):
        r, c = divmod(pixel, width)
        for output in range(rows * columns):
            i, j = divmod(output, columns)
            p, q = r - i * stride + padding, c - j * stride + padding
            if p in range(k1) and q in range(k2):
                X[output, pixel] += kernel[p, q]
    return X


@right("convolution_matrix_2d", "the gradient of each output pixel")
def convolution_matrix_2d_jacobian(kernel, height, width, stride=1, padding=0):
    def convolved(image):
        image = image.reshape(1, 1, height, width)
        return F.conv2d(image, kernel[None, None], stride=stride, padding=padding).flatten()

    return torch.autograd.functional.jacobian(convolved, kernel.new_zeros(height * width))


# ---- transposed_convolution_1d


@right("transposed_convolution_1d", "two loops, each place tested")
def transposed_convolution_1d_indices(b, kernel, stride=1, padding=0):
    length = (len(b) - 1) * stride + len(kernel) - 2 * padding
    y = b.new_zeros(length)
    for i in range(len(b)):
        for j in range(len(kernel)):
            if 0 <= i * stride + j - padding < length:
                y[i * stride + j - padding] += b[i] * kernel[j]
    return y


@right("transposed_convolution_1d", "the transposed matrix")
def transposed_convolution_1d_matrix(b, kernel, stride=1, padding=0):
    n = (len(b) - 1) * stride + len(kernel) - 2 * padding
    return convolution_matrix_cut(kernel, n, stride, padding).T @ b


@right("transposed_convolution_1d", "zeros between the inputs, then a full convolution")
def transposed_convolution_1d_zeros(b, kernel, stride=1, padding=0):
    spread = np.zeros((len(b) - 1) * stride + 1)
    spread[::stride] = b.numpy()
    full = np.convolve(spread, kernel.numpy())
    return torch.from_numpy(full[padding : full.size - padding])


@right("transposed_convolution_1d", "PyTorch's own")
def transposed_convolution_1d_torch(b, kernel, stride=1, padding=0):
    return F.conv_transpose1d(b[None, None], kernel[None, None], stride=stride, padding=padding).squeeze()


@right("transposed_convolution_1d", "negative end unless padding is 0")
def transposed_convolution_1d_negative_end(b, kernel, stride=1, padding=0):
    full = torch.zeros((len(b) - 1) * stride + len(kernel), dtype=b.dtype)
    for i, value in enumerate(b):
        full[i * stride : i * stride + len(kernel)] += value * kernel
    return full[padding:-padding] if padding else full


# ---- slide_transposed


@right("slide_transposed", "a tuple, input first in each product")
def slide_transposed_tuple(x, y, z, a, b, c, d):
    return (a * x, b * x + a * y, c * x + b * y + a * z, d * x + c * y + b * z, d * y + c * z, d * z)


@right("slide_transposed", "NumPy's full convolution")
def slide_transposed_numpy(x, y, z, a, b, c, d):
    return list(np.convolve([a, b, c, d], [x, y, z]))


@right("slide_transposed", "stamps in a loop")
def slide_transposed_loop(x, y, z, a, b, c, d):
    result = [0] * 6
    for i, value in enumerate((a, b, c, d)):
        for j, weight in enumerate((x, y, z)):
            result[i + j] += value * weight
    return result


@right("slide_transposed", "the matrix, as a list of tensors")
def slide_transposed_matrix(x, y, z, a, b, c, d):
    X = convolution_matrix_cut(torch.tensor([x, y, z]).double(), 6)
    return list(X.T @ torch.tensor([a, b, c, d]).double())


# ---- transpose_by_convolution


@right("transpose_by_convolution", "padded by hand")
def transpose_by_convolution_padded(b, kernel, padding=0):
    zeros = len(kernel) - 1 - padding
    padded = torch.cat([torch.zeros(zeros), b, torch.zeros(zeros)])
    return F.conv1d(padded.view(1, 1, -1), torch.flip(kernel, [0]).view(1, 1, -1)).view(-1)


@right("transpose_by_convolution", "full, then cut")
def transpose_by_convolution_cut(b, kernel, padding=0):
    full = F.conv1d(b[None, None], kernel.flip(0)[None, None], padding=len(kernel) - 1)[0, 0]
    return full[padding : len(full) - padding]


@right("transpose_by_convolution", "NumPy's full convolution")
def transpose_by_convolution_numpy(b, kernel, padding=0):
    full = np.convolve(b, kernel)
    return torch.from_numpy(full[padding : len(full) - padding])


@right("transpose_by_convolution", "SciPy's full convolution by Fourier transforms")
def transpose_by_convolution_fourier(b, kernel, padding=0):
    full = torch.from_numpy(scipy.signal.fftconvolve(b.numpy(), kernel.numpy()))
    return full.narrow(0, padding, len(full) - 2 * padding)


# ---- transposed_output_size


@right("transposed_output_size", "counted backwards from the convolution")
def transposed_output_size_search(n, kernel, stride=1, padding=0, output_padding=0):
    size = 0
    while (size + 2 * padding - kernel) // stride + 1 < n:
        size += 1
    return size + output_padding


@right("transposed_output_size", "another order")
def transposed_output_size_other_order(n, kernel, stride=1, padding=0, output_padding=0):
    return output_padding + n * stride - stride + (kernel - 1) + 1 - padding - padding


@right("transposed_output_size", "a NumPy integer")
def transposed_output_size_numpy(n, kernel, stride=1, padding=0, output_padding=0):
    return np.int64((n - 1) * stride + kernel - 2 * padding + output_padding)


# ---- input_gradient


@right("input_gradient", "autograd")
def input_gradient_autograd(v, kernel, height, width, stride=1, padding=0):
    a = torch.zeros(height, width, dtype=v.dtype, requires_grad=True)
    y = F.conv2d(a[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]
    y.backward(v)
    return a.grad


@right("input_gradient", "the transposed matrix")
def input_gradient_matrix(v, kernel, height, width, stride=1, padding=0):
    X = convolution_matrix_2d_four_axes(kernel, height, width, stride, padding)
    return (X.T @ v.flatten()).reshape(height, width)


@right("input_gradient", "stamps in loops, then cut")
def input_gradient_stamps(v, kernel, height, width, stride=1, padding=0):
    k1, k2 = kernel.shape
    full = v.new_zeros(height + 2 * padding, width + 2 * padding)
    for i in range(v.shape[0]):
        for j in range(v.shape[1]):
            full[i * stride : i * stride + k1, j * stride : j * stride + k2] += v[i, j] * kernel
    return full[padding : padding + height, padding : padding + width]


@right("input_gradient", "torch.nn.grad")
def input_gradient_library(v, kernel, height, width, stride=1, padding=0):
    size = (1, 1, height, width)
    return torch.nn.grad.conv2d_input(size, kernel[None, None], v[None, None], stride, padding)[0, 0]


@right("input_gradient", "torch.nn.ConvTranspose2d with output_size")
def input_gradient_module(v, kernel, height, width, stride=1, padding=0):
    layer = torch.nn.ConvTranspose2d(1, 1, tuple(kernel.shape), stride, padding, bias=False)
    layer.weight = torch.nn.Parameter(kernel[None, None])
    return layer(v[None, None], output_size=(height, width))[0, 0].detach()
