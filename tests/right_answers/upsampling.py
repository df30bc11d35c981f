"""Right answers to the exercises of `course_utils.checks.upsampling`."""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

from tests.right_answers import RightAnswers

right = RightAnswers("upsampling")


# ---- nearest_neighbour


@right("nearest_neighbour", "indexing by divided coordinates")
def nearest_by_indexing(x, factor):
    rows = torch.arange(x.shape[0] * factor) // factor
    return x[rows][:, torch.arange(x.shape[1] * factor) // factor]


@right("nearest_neighbour", "kron, not contiguous")
def nearest_not_contiguous(x, factor):
    return torch.kron(x.T.contiguous(), torch.ones(factor, factor, dtype=x.dtype)).T


@right("nearest_neighbour", "two loops")
def nearest_by_loops(x, factor):
    result = torch.zeros(x.shape[0] * factor, x.shape[1] * factor, dtype=x.dtype)
    for r in range(result.shape[0]):
        for c in range(result.shape[1]):
            result[r, c] = x[int(r / factor), int(c / factor)]
    return result


@right("nearest_neighbour", "expand and reshape")
def nearest_by_expanding(x, factor):
    height, width = x.shape
    wide = x[:, None, :, None].expand(height, factor, width, factor)
    return wide.reshape(height * factor, width * factor)


# ---- bed_of_nails


@right("bed_of_nails", "kron")
def nails_by_kron(x, factor):
    block = torch.zeros(factor, factor, dtype=x.dtype)
    block[0, 0] = 1
    return torch.kron(x, block)


@right("bed_of_nails", "two loops, torch.zeros_like of repeats")
def nails_by_loops(x, factor):
    board = torch.zeros_like(x.repeat(factor, factor))
    for i, row in enumerate(x):
        for j, value in enumerate(row):
            board[i * factor, j * factor] = value
    return board


@right("bed_of_nails", "stack with zeros, then reshape")
def nails_by_padding(x, factor):
    height, width = x.shape
    return F.pad(x[:, None, :, None], (0, factor - 1, 0, 0, 0, factor - 1)).reshape(
        height * factor, width * factor
    )


# ---- max_pool_with_indices


@right("max_pool_with_indices", "unfold, a list of two")
def pool_by_unfold(x, size):
    windows = x.unfold(0, size, size).unfold(1, size, size).flatten(2)
    values, inside = windows.max(dim=2)
    rows = torch.arange(windows.shape[0])[:, None] * size + inside // size
    columns = torch.arange(windows.shape[1])[None, :] * size + inside % size
    return [values, rows * x.shape[1] + columns]


@right("max_pool_with_indices", "four loops")
def pool_by_four_loops(x, size):
    height, width = x.shape
    values = torch.full((height // size, width // size), -math.inf, dtype=x.dtype)
    indices = torch.zeros(values.shape, dtype=torch.long)
    for i, j in itertools.product(range(height // size), range(width // size)):
        for r, c in itertools.product(range(size), range(size)):
            row, column = i * size + r, j * size + c
            if x[row, column] > values[i, j]:
                values[i, j], indices[i, j] = x[row, column], row * width + column
    return values, indices


@right("max_pool_with_indices", "NumPy, lists of rows")
def pool_by_numpy(x, size):
    plane, numbers = x.numpy(), np.arange(x.numel()).reshape(x.shape)
    values, indices = [], []
    for top in range(0, x.shape[0] - size + 1, size):
        lefts = range(0, x.shape[1] - size + 1, size)
        windows = [(slice(top, top + size), slice(left, left + size)) for left in lefts]
        values.append([plane[window].max() for window in windows])
        indices.append([numbers[window].flat[plane[window].argmax()] for window in windows])
    return torch.tensor(np.array(values)), torch.tensor(np.array(indices))


# ---- max_unpool


@right("max_unpool", "a loop, row and column")
def unpool_by_loop(values, indices, height, width):
    plane = torch.zeros(height, width, dtype=values.dtype)
    for value, index in zip(values.flatten().tolist(), indices.flatten().tolist()):
        plane[index // width][index % width] = value
    return plane


@right("max_unpool", "PyTorch's own")
def unpool_by_torch(values, indices, height, width):
    size = height // values.shape[0], width // values.shape[1]
    return F.max_unpool2d(values[None, None], indices[None, None], size, output_size=(height, width))[0, 0]


@right("max_unpool", "divided indices at once")
def unpool_by_two_indices(values, indices, height, width):
    plane = values.new_zeros((height, width))
    plane[torch.div(indices, width, rounding_mode="floor"), indices % width] = values
    return plane


# ---- bilinear_kernel


@right("bilinear_kernel", "two loops")
def bilinear_by_loop(factor):
    size = 2 * factor - factor % 2
    centre = factor - 1 if size % 2 else factor - 0.5
    kernel = torch.zeros(size, size, dtype=torch.float64)
    for i in range(size):
        for j in range(size):
            kernel[i, j] = (1 - abs(i - centre) / factor) * (1 - abs(j - centre) / factor)
    return kernel


@right("bilinear_kernel", "one half and its mirror image")
def bilinear_by_mirroring(factor):
    k = 2 * factor - factor % 2
    rising = (np.arange((k + 1) // 2) + (0.5 if k % 2 == 0 else 1)) / factor
    line = np.concatenate([rising, rising[::-1][k % 2 :]])
    return torch.from_numpy(np.outer(line, line))


@right("bilinear_kernel", "the minimum of two ramps")
def bilinear_by_two_ramps(factor):
    k = 2 * factor - factor % 2
    up = (torch.arange(k, dtype=torch.float64) + (1 if k % 2 else 0.5)) / factor
    line = torch.minimum(up, up.flip(0))
    return line.unsqueeze(1) @ line.unsqueeze(0)


# ---- zero_fill_convolution


@right("zero_fill_convolution", "stamps, then cut")
def zero_fill_by_stamps(x, kernel, stride=1, padding=0, output_padding=0):
    (height, width), (k1, k2) = x.shape, kernel.shape
    rows, columns = (height - 1) * stride + k1, (width - 1) * stride + k2
    full = x.new_zeros(rows + output_padding, columns + output_padding)
    for i in range(height):
        for j in range(width):
            full[i * stride : i * stride + k1, j * stride : j * stride + k2] += x[i, j] * kernel
    return full[padding : rows - padding + output_padding, padding : columns - padding + output_padding]


@right("zero_fill_convolution", "padded by k - 1, cut afterwards")
def zero_fill_cut_afterwards(x, kernel, stride=1, padding=0, output_padding=0):
    (height, width), (k1, k2) = x.shape, kernel.shape
    filled = torch.zeros((height - 1) * stride + 1, (width - 1) * stride + 1, dtype=x.dtype)
    filled[::stride, ::stride] = x
    filled = F.pad(filled, (k2 - 1, k2 - 1 + output_padding, k1 - 1, k1 - 1 + output_padding))
    y = F.conv2d(filled[None, None], torch.flip(kernel, (0, 1))[None, None]).squeeze()
    return y[padding : y.shape[0] - padding, padding : y.shape[1] - padding]


@right("zero_fill_convolution", "one array made at once, rotated kernel")
def zero_fill_made_at_once(x, kernel, stride=1, padding=0, output_padding=0):
    (height, width), (k1, k2) = x.shape, kernel.shape
    top, left = k1 - 1 - padding, k2 - 1 - padding
    rows = (height - 1) * stride + 1 + 2 * top + output_padding
    columns = (width - 1) * stride + 1 + 2 * left + output_padding
    board = x.new_zeros(rows, columns)
    board[top : top + height * stride : stride, left : left + width * stride : stride][:height, :width] = x
    return F.conv2d(board[None, None], torch.rot90(kernel, 2)[None, None])[0, 0]


# ---- overlap_map


@right("overlap_map", "outer product of two lines")
def overlap_by_outer_product(height, width, kernel, stride):
    def line(n):
        counts = torch.zeros((n - 1) * stride + kernel, dtype=torch.float64)
        for i in range(n):
            counts[i * stride : i * stride + kernel] += 1
        return counts

    return torch.outer(line(height), line(width))


@right("overlap_map", "transposed convolution of ones")
def overlap_by_torch(height, width, kernel, stride):
    ones = torch.ones(1, 1, height, width, dtype=torch.float64)
    return F.conv_transpose2d(ones, torch.ones(1, 1, kernel, kernel, dtype=torch.float64), stride=stride)[
        0, 0
    ]


@right("overlap_map", "counted from the pixel's side")
def overlap_from_the_pixels_side(height, width, kernel, stride):
    def covering(m, n):
        return sum(0 <= m - i * stride < kernel for i in range(n))

    rows = [covering(m, height) for m in range((height - 1) * stride + kernel)]
    columns = [covering(m, width) for m in range((width - 1) * stride + kernel)]
    return torch.tensor([[float(a * b) for b in columns] for a in rows], dtype=torch.float64)


# ---- is_clean

right("is_clean", "not of a remainder")(lambda kernel, stride: not kernel % stride)
right("is_clean", "NumPy's bool")(lambda kernel, stride: np.bool_(kernel / stride == kernel // stride))
right("is_clean", "torch's bool")(lambda kernel, stride: torch.tensor(kernel) % stride == 0)


@right("is_clean", "counting stamps")
def is_clean_by_counting(kernel, stride):
    counts = [sum(0 <= m - i * stride < kernel for i in range(40)) for m in range(40, 40 + stride)]
    return min(counts) == max(counts)


# ---- checkerboard_energy


@right("checkerboard_energy", "slices, a tensor of no axes")
def energy_by_slices(image, stride):
    means = torch.stack([image[r::stride, c::stride].mean() for r in range(stride) for c in range(stride)])
    return ((means - image.mean()) ** 2).mean() / ((image - image.mean()) ** 2).mean()


@right("checkerboard_energy", "NumPy")
def energy_in_numpy(image, stride):
    pixels = image.numpy()
    means = [np.mean(pixels[r::stride, c::stride]) for r in range(stride) for c in range(stride)]
    return np.var(means) / np.var(pixels)


@right("checkerboard_energy", "spectrum")
def energy_by_spectrum(image, stride):
    energy = np.abs(np.fft.fft2(image.numpy() - image.numpy().mean())) ** 2
    return float(energy[:: len(image) // stride, :: image.shape[1] // stride].sum() / energy.sum())


@right("checkerboard_energy", "sums and counts by bincount")
def energy_by_bincount(image, stride):
    rows, columns = (np.arange(size) % stride for size in image.shape)
    phase = (rows[:, None] * stride + columns).ravel()
    means = np.bincount(phase, image.numpy().ravel()) / np.bincount(phase)
    return torch.tensor(means).var(correction=0).item() / torch.var(image, unbiased=False).item()


# ---- boundary_band


@right("boundary_band", "all pairs of pixels")
def band_by_brute_force(mask, width):
    places = torch.nonzero(torch.ones_like(mask)).double()
    near = torch.cdist(places, places) <= width
    flat = mask.flatten()
    return ((near & (flat[:, None] != flat[None, :])).any(dim=1)).reshape(mask.shape)


@right("boundary_band", "the sum of both distance maps")
def band_by_the_sum(mask, width):
    if mask.sum() in (0, mask.numel()):
        return torch.zeros(mask.shape, dtype=torch.bool)
    distance = ndimage.distance_transform_edt(mask.numpy()) + ndimage.distance_transform_edt(~mask.numpy())
    return torch.tensor(distance <= width)


@right("boundary_band", "torch.where, early return of two kinds")
def band_by_where(mask, width):
    if not mask.any():
        return mask.clone()
    if mask.all():
        return ~mask
    inside = torch.as_tensor(ndimage.distance_transform_edt(mask))
    outside = torch.as_tensor(ndimage.distance_transform_edt(~mask))
    return torch.where(mask, inside, outside) <= width
