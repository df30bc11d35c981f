"""Wrong answers to the exercises of notebook 03, as students would write them."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import binary_erosion, distance_transform_cdt, distance_transform_edt

from tests.wrong_answers import WrongAnswers

wrong = WrongAnswers("upsampling")


# ---- nearest_neighbour


@wrong("nearest_neighbour", says="tiled")
def nearest_neighbour_tiled(x, factor):
    return x.repeat(factor, factor)


@wrong("nearest_neighbour", says="only the rows")
def nearest_neighbour_rows_only(x, factor):
    return torch.stack([x[r // factor] for r in range(len(x) * factor)])


@wrong("nearest_neighbour", says="only the columns")
def nearest_neighbour_columns_only(x, factor):
    return torch.repeat_interleave(x, factor, dim=1)


@wrong("nearest_neighbour", says="bed of nails")
def nearest_neighbour_nails(x, factor):
    result = x.new_zeros(len(x) * factor, x.shape[1] * factor)
    for i in range(len(x)):
        for j in range(x.shape[1]):
            result[i * factor, j * factor] = x[i, j]
    return result


@wrong("nearest_neighbour", says="shared out")
def nearest_neighbour_mean_preserved(x, factor):
    return torch.repeat_interleave(torch.repeat_interleave(x, factor, 0), factor, 1) / factor**2


@wrong("nearest_neighbour", says="data type")
def nearest_neighbour_float32(x, factor):
    result = torch.zeros(len(x) * factor, x.shape[1] * factor, dtype=torch.float32)
    for r in range(len(result)):
        for c in range(result.shape[1]):
            result[r, c] = x[r // factor, c // factor]
    return result


@wrong("nearest_neighbour", says="bilinear interpolation")
def nearest_neighbour_bilinear(x, factor):
    return F.interpolate(x[None, None], scale_factor=factor, mode="bilinear", align_corners=False)[0, 0]


@wrong("nearest_neighbour", says="round *down*")
def nearest_neighbour_rounded(x, factor):
    height, width = x.shape
    result = x.new_zeros(height * factor, width * factor)
    for r in range(height * factor):
        for c in range(width * factor):
            result[r, c] = x[min(round(r / factor), height - 1), min(round(c / factor), width - 1)]
    return result


# ---- bed_of_nails


@wrong("bed_of_nails", says="wrong corner")
def bed_of_nails_bottom_right(x, factor):
    board = x.new_zeros(x.shape[0] * factor, x.shape[1] * factor)
    board[factor - 1 :: factor, factor - 1 :: factor] = x
    return board


@wrong("bed_of_nails", says="top left pixel")
def bed_of_nails_centred(x, factor):
    board = x.new_zeros(x.shape[0] * factor, x.shape[1] * factor)
    board[factor // 2 :: factor, factor // 2 :: factor] = x
    return board


@wrong("bed_of_nails", says="is nearest neighbour")
def bed_of_nails_filled(x, factor):
    return x.repeat_interleave(factor, 0).repeat_interleave(factor, 1)


@wrong("bed_of_nails", says="zeros are missing")
def bed_of_nails_without_trailing_zeros(x, factor):
    board = x.new_zeros((x.shape[0] - 1) * factor + 1, (x.shape[1] - 1) * factor + 1)
    board[::factor, ::factor] = x
    return board


@wrong("bed_of_nails", says="must be factor - 1")
def bed_of_nails_too_far_apart(x, factor):
    step = factor + 1
    board = x.new_zeros(x.shape[0] * step, x.shape[1] * step)
    board[::step, ::step] = x
    return board


# ---- max_pool_with_indices


def _pool(x, size, index, largest=torch.argmax):
    """The loop of the exercise, with the index left open."""
    height, width = x.shape
    values = x.new_zeros(height // size, width // size)
    indices = torch.zeros(height // size, width // size, dtype=torch.int64)
    for i in range(height // size):
        for j in range(width // size):
            window = x[i * size : (i + 1) * size, j * size : (j + 1) * size]
            p, q = divmod(int(largest(window)), size)
            values[i, j] = window[p, q]
            indices[i, j] = index(i, j, p, q)
    return values, indices


@wrong("max_pool_with_indices", says="within each window")
def max_pool_index_in_window(x, size):
    return _pool(x, size, lambda i, j, p, q: p * size + q)


@wrong("max_pool_with_indices", says="by the height")
def max_pool_times_height(x, size):
    return _pool(x, size, lambda i, j, p, q: (i * size + p) * x.shape[0] + j * size + q)


@wrong("max_pool_with_indices", says="small image")
def max_pool_index_of_the_window(x, size):
    return _pool(x, size, lambda i, j, p, q: i * (x.shape[1] // size) + j)


@wrong("max_pool_with_indices", says="several equal maxima")
def max_pool_last_maximum(x, size):
    def last(window):
        return int(torch.nonzero(window.flatten() == window.max())[-1])

    return _pool(x, size, lambda i, j, p, q: (i * size + p) * x.shape[1] + j * size + q, last)


@wrong("max_pool_with_indices", says="absolute")
def max_pool_of_magnitudes(x, size):
    def strongest(window):
        return window.abs().argmax()

    return _pool(x, size, lambda i, j, p, q: (i * size + p) * x.shape[1] + j * size + q, strongest)


@wrong("max_pool_with_indices", says="swapped")
def max_pool_indices_first(x, size):
    values, indices = _pool(x, size, lambda i, j, p, q: (i * size + p) * x.shape[1] + j * size + q)
    return indices, values


@wrong("max_pool_with_indices", says="2 items")
def max_pool_values_only(x, size):
    return F.max_pool2d(x[None, None], size)[0, 0]


@wrong("max_pool_with_indices", says="only negative values")
def max_pool_begun_with_zero(x, size):
    height, width = x.shape
    values = torch.zeros(height // size, width // size, dtype=x.dtype)
    indices = torch.zeros(height // size, width // size, dtype=torch.int64)
    for i in range(height // size):
        for j in range(width // size):
            best, place = 0.0, 0
            for row in range(i * size, (i + 1) * size):
                for column in range(j * size, (j + 1) * size):
                    if x[row, column] > best:
                        best, place = x[row, column], row * width + column
            values[i, j], indices[i, j] = best, place
    return values, indices


@wrong("max_pool_with_indices", says="inside the window only")
def max_pool_searched_in_the_whole_plane(x, size):
    values = F.max_pool2d(x[None, None], size)[0, 0]
    flat = x.flatten().tolist()
    places = [flat.index(value) for value in values.flatten().tolist()]
    return values, torch.tensor(places).reshape(values.shape)


@wrong("max_pool_with_indices", says="column by column")
def max_pool_column_by_column(x, size):
    return _pool(x, size, lambda i, j, p, q: (j * size + q) * x.shape[0] + i * size + p)


@wrong("max_pool_with_indices", says="own start is missing")
def max_pool_without_the_windows_start(x, size):
    return _pool(x, size, lambda i, j, p, q: p * x.shape[1] + q)


@wrong("max_pool_with_indices", says="pooled plane")
def max_pool_times_pooled_width(x, size):
    return _pool(x, size, lambda i, j, p, q: (i * size + p) * (x.shape[1] // size) + j * size + q)


@wrong("max_pool_with_indices", says="counted from 1")
def max_pool_counted_from_one(x, size):
    return _pool(x, size, lambda i, j, p, q: (i * size + p) * x.shape[1] + j * size + q + 1)


# ---- max_unpool


@wrong("max_unpool", says="top left corners")
def max_unpool_nails(values, indices, height, width):
    plane = values.new_zeros(height, width)
    plane[:: height // values.shape[0], :: width // values.shape[1]] = values
    return plane


@wrong("max_unpool", says="whole square")
def max_unpool_copies(values, indices, height, width):
    return F.interpolate(values[None, None], size=(height, width))[0, 0]


@wrong("max_unpool", says="rows and columns are swapped")
def max_unpool_transposed(values, indices, height, width):
    flat = values.new_zeros(height * width)
    flat[indices.flatten()] = values.flatten()
    return flat.reshape(width, height).T


@wrong("max_unpool", says="rows of `height` pixels")
def max_unpool_by_height(values, indices, height, width):
    plane = values.new_zeros(height, width)
    for value, index in zip(values.flatten(), indices.flatten().tolist()):
        row, column = divmod(index, height)
        plane[row % height, column % width] = value
    return plane


@wrong("max_unpool", says="is flat")
def max_unpool_flat(values, indices, height, width):
    flat = values.new_zeros(height * width)
    flat[indices.flatten()] = values.flatten()
    return flat


@wrong("max_unpool", says="indices themselves")
def max_unpool_writes_indices(values, indices, height, width):
    flat = values.new_zeros(height * width)
    flat[indices.flatten()] = indices.flatten().to(flat.dtype)
    return flat.reshape(height, width)


@wrong("max_unpool", says="within the windows")
def max_unpool_within_windows(values, indices, height, width):
    plane = values.new_zeros(height, width)
    size = height // values.shape[0]
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            p, q = divmod(int(indices[i, j]), size)
            plane[i * size + p, j * size + q] = values[i, j]
    return plane


wrong.value("index_saving", 32 / 2, says="four numbers")
wrong.value("index_saving", 4 * 32 / 4, says="2 bits, not 4")
wrong.value("index_saving", 4 * 32, says="what *factor*")
wrong.value("index_saving", 4 * 4 / 2, says="bytes by bits")
wrong.value("index_saving", 4 * 32 / 64, says="how few")
wrong.value("index_saving", 2 / (4 * 32), says="wrong way round")

wrong.value("unpooling_matrices", "A", says="four ones")
wrong.value("unpooling_matrices", "B", says="line of input pixel 0")
wrong.value("unpooling_matrices", "C", says="third picture")


# ---- bilinear_kernel


def _square(line):
    return line[:, None] * line[None, :]


@wrong("bilinear_kernel", says="half a pixel off")
def bilinear_kernel_centred_on_a_pixel(factor):
    j = torch.arange(2 * factor - factor % 2).double()
    return _square(torch.clamp(1 - torch.abs(j - factor) / factor, min=0))


@wrong("bilinear_kernel", says="sum up to factor^2")
def bilinear_kernel_normalised(factor):
    k = 2 * factor - factor % 2
    line = 1 - (torch.arange(k).double() - (k - 1) / 2).abs() / factor
    square = _square(line)
    return square / square.sum()


@wrong("bilinear_kernel", says="odd factor")
def bilinear_kernel_always_twice_the_factor(factor):
    k = 2 * factor
    return _square(1 - (torch.arange(k).double() - (k - 1) / 2).abs() / factor)


@wrong("bilinear_kernel", says="slope")
def bilinear_kernel_too_flat(factor):
    k = 2 * factor - factor % 2
    return _square(1 - (torch.arange(k).double() - (k - 1) / 2).abs() / (factor + 1))


@wrong("bilinear_kernel", says="one line")
def bilinear_kernel_one_line(factor):
    k = 2 * factor - factor % 2
    return 1 - (torch.arange(k).double() - (k - 1) / 2).abs() / factor


@wrong("bilinear_kernel", says="added")
def bilinear_kernel_sum(factor):
    k = 2 * factor - factor % 2
    line = 1 - (torch.arange(k).double() - (k - 1) / 2).abs() / factor
    return (line[:, None] + line) / 2


@wrong("bilinear_kernel", says="data type")
def bilinear_kernel_float32(factor):
    k = 2 * factor - factor % 2
    line = 1 - (torch.arange(k, dtype=torch.float32) - (k - 1) / 2).abs() / factor
    return _square(line)


@wrong("bilinear_kernel", says="rounded down")
def bilinear_kernel_centre_rounded_down(factor):
    k = 2 * factor - factor % 2
    return _square(1 - (torch.arange(k).double() - (k - 1) // 2).abs() / factor)


@wrong("bilinear_kernel", says="rounded down")
def bilinear_kernel_centre_before_the_middle(factor):
    k = 2 * factor - factor % 2
    line = torch.tensor([1 - abs(j - (factor - 1)) / factor for j in range(k)], dtype=torch.float64)
    return torch.outer(line, line)


@wrong("bilinear_kernel", says="by the centre")
def bilinear_kernel_divided_by_the_centre(factor):
    k = 2 * factor - factor % 2
    c = (k - 1) / 2
    return _square(1 - (torch.arange(k).double() - c).abs() / c)


@wrong("bilinear_kernel", says="number of weights")
def bilinear_kernel_divided_by_its_size(factor):
    k = 2 * factor - factor % 2
    return _square(1 - (torch.arange(k).double() - (k - 1) / 2).abs() / k)


@wrong("bilinear_kernel", says="scaled to 1")
def bilinear_kernel_peak_of_one(factor):
    k = 2 * factor - factor % 2
    line = 1 - (torch.arange(k).double() - (k - 1) / 2).abs() / factor
    return _square(line / line.max())


wrong.value("fcn_heads", (512 + 256) * 21, says="biases are missing")
wrong.value("fcn_heads", 512 * 21 + 21, says="pool4 alone")
wrong.value("fcn_heads", 256 * 21 + 21, says="pool3 alone")
wrong.value("fcn_heads", (512 * 9 + 1 + 256 * 9 + 1) * 21, says="not 3x3")
wrong.value("fcn_heads", (512 + 256 + 1) * 21, says="only once")
wrong.value("fcn_heads", 134_362_751, says="how many *more*")


# ---- zero_fill_convolution


def _fill(x, stride):
    filled = x.new_zeros((x.shape[0] - 1) * stride + 1, (x.shape[1] - 1) * stride + 1)
    filled[::stride, ::stride] = x
    return filled


def _slide(filled, kernel, top, left, extra=0):
    padded = F.pad(filled, (left, left + extra, top, top + extra))
    return F.conv2d(padded[None, None], kernel[None, None])[0, 0]


@wrong("zero_fill_convolution", says="not flipped")
def zero_fill_not_flipped(x, kernel, stride=1, padding=0, output_padding=0):
    k1, k2 = kernel.shape
    return _slide(_fill(x, stride), kernel, k1 - 1 - padding, k2 - 1 - padding, output_padding)


@wrong("zero_fill_convolution", says="zeros after the last value")
def zero_fill_trailing_zeros(x, kernel, stride=1, padding=0, output_padding=0):
    k1, k2 = kernel.shape
    board = x.new_zeros(x.shape[0] * stride, x.shape[1] * stride)
    board[::stride, ::stride] = x
    return _slide(board, kernel.flip(0, 1), k1 - 1 - padding, k2 - 1 - padding, output_padding)


@wrong("zero_fill_convolution", says="it must be k - 1 - padding")
def zero_fill_padded_by_padding(x, kernel, stride=1, padding=0, output_padding=0):
    return _slide(_fill(x, stride), kernel.flip(0, 1), padding, padding, output_padding)


@wrong("zero_fill_convolution", says="always pad by k - 1")
def zero_fill_padding_ignored(x, kernel, stride=1, padding=0, output_padding=0):
    k1, k2 = kernel.shape
    return _slide(_fill(x, stride), kernel.flip(0, 1), k1 - 1, k2 - 1, output_padding)


@wrong("zero_fill_convolution", says="output_padding is missing")
def zero_fill_without_output_padding(x, kernel, stride=1, padding=0, output_padding=0):
    k1, k2 = kernel.shape
    return _slide(_fill(x, stride), kernel.flip(0, 1), k1 - 1 - padding, k2 - 1 - padding)


@wrong("zero_fill_convolution", says="appends no zeros")
def zero_fill_zeros_appended(x, kernel, stride=1, padding=0, output_padding=0):
    k1, k2 = kernel.shape
    result = _slide(_fill(x, stride), kernel.flip(0, 1), k1 - 1 - padding, k2 - 1 - padding)
    larger = result.new_zeros(result.shape[0] + output_padding, result.shape[1] + output_padding)
    larger[: result.shape[0], : result.shape[1]] = result
    return larger


@wrong("zero_fill_convolution", says="needn't be square")
def zero_fill_square_kernels_only(x, kernel, stride=1, padding=0, output_padding=0):
    k = kernel.shape[0]
    return _slide(_fill(x, stride), kernel.flip(0, 1), k - 1 - padding, k - 1 - padding, output_padding)


@wrong("zero_fill_convolution", says="`stride` zeros between")
def zero_fill_one_zero_too_many(x, kernel, stride=1, padding=0, output_padding=0):
    k1, k2 = kernel.shape
    return _slide(_fill(x, stride + 1), kernel.flip(0, 1), k1 - 1 - padding, k2 - 1 - padding, output_padding)


@wrong("zero_fill_convolution", says="filled with copies")
def zero_fill_with_copies(x, kernel, stride=1, padding=0, output_padding=0):
    k1, k2 = kernel.shape
    copies = x.repeat_interleave(stride, 0).repeat_interleave(stride, 1)
    copies = copies[: (x.shape[0] - 1) * stride + 1, : (x.shape[1] - 1) * stride + 1]
    return _slide(copies, kernel.flip(0, 1), k1 - 1 - padding, k2 - 1 - padding, output_padding)


@wrong("zero_fill_convolution", says="or not at all")
def zero_fill_not_padded(x, kernel, stride=1, padding=0, output_padding=0):
    filled = F.pad(_fill(x, stride), (0, output_padding, 0, output_padding))
    return F.conv2d(filled[None, None], kernel.flip(0, 1)[None, None])[0, 0]


@wrong("zero_fill_convolution", says="only the rows")
def zero_fill_rows_flipped(x, kernel, stride=1, padding=0, output_padding=0):
    k1, k2 = kernel.shape
    return _slide(_fill(x, stride), kernel.flip(0), k1 - 1 - padding, k2 - 1 - padding, output_padding)


@wrong("zero_fill_convolution", says="only the columns")
def zero_fill_columns_flipped(x, kernel, stride=1, padding=0, output_padding=0):
    k1, k2 = kernel.shape
    return _slide(_fill(x, stride), kernel.flip(1), k1 - 1 - padding, k2 - 1 - padding, output_padding)


@wrong("zero_fill_convolution", says="belongs at the end")
def zero_fill_output_padding_first(x, kernel, stride=1, padding=0, output_padding=0):
    top, left = kernel.shape[0] - 1 - padding, kernel.shape[1] - 1 - padding
    padded = F.pad(_fill(x, stride), (left + output_padding, left, top + output_padding, top))
    return F.conv2d(padded[None, None], kernel.flip(0, 1)[None, None])[0, 0]


@wrong("zero_fill_convolution", says="top and bottom first")
def zero_fill_pad_top_first(x, kernel, stride=1, padding=0, output_padding=0):
    top, left = kernel.shape[0] - 1 - padding, kernel.shape[1] - 1 - padding
    padded = F.pad(_fill(x, stride), (top, top + output_padding, left, left + output_padding))
    return F.conv2d(padded[None, None], kernel.flip(0, 1)[None, None])[0, 0]


wrong.value("resize_cost", 2**2, says="two dimensions")
wrong.value("resize_cost", 2, says="three directions")
wrong.value("resize_cost", 3**3, says="how *often*")
wrong.value("resize_cost", 1, says="small volume")
wrong.value("resize_cost", 1 / 8, says="wrong way round")
wrong.value("resize_cost", 4**3, says="smeared kernel")


# ---- overlap_map


def _count(height, width, kernel, step, rows, columns, add=True):
    counts = torch.zeros(rows, columns, dtype=torch.float64)
    for i in range(height):
        for j in range(width):
            square = counts[i * step : i * step + kernel, j * step : j * step + kernel]
            square += 1 if add else 1 - square
    return counts


def _length(n, kernel, stride):
    return (n - 1) * stride + kernel


@wrong("overlap_map", says="only one stamp")
def overlap_map_covered_or_not(height, width, kernel, stride):
    size = _length(height, kernel, stride), _length(width, kernel, stride)
    return _count(height, width, kernel, stride, *size, add=False)


@wrong("overlap_map", says="one pixel apart")
def overlap_map_without_stride(height, width, kernel, stride):
    return _count(height, width, kernel, 1, _length(height, kernel, 1), _length(width, kernel, 1))


@wrong("overlap_map", says="sticks out at the end")
def overlap_map_cut(height, width, kernel, stride):
    return _count(height, width, kernel, stride, height * stride, width * stride)


@wrong("overlap_map", says="kernel and stride are swapped")
def overlap_map_swapped(height, width, kernel, stride):
    size = _length(height, stride, kernel), _length(width, stride, kernel)
    return _count(height, width, stride, kernel, *size)


@wrong("overlap_map", says="height and width")
def overlap_map_width_first(height, width, kernel, stride):
    size = _length(width, kernel, stride), _length(height, kernel, stride)
    return _count(width, height, kernel, stride, *size)


@wrong("overlap_map", says="their product")
def overlap_map_sum(height, width, kernel, stride):
    rows = _count(height, 1, kernel, stride, _length(height, kernel, stride), kernel)[:, 0]
    columns = _count(1, width, kernel, stride, kernel, _length(width, kernel, stride))[0]
    return rows[:, None] + columns[None, :]


@wrong("overlap_map", says="skip inputs")
def overlap_map_range_by_stride(height, width, kernel, stride):
    rows, columns = _length(height, kernel, stride), _length(width, kernel, stride)
    counts = torch.zeros(rows, columns, dtype=torch.float64)
    for i in range(0, height, stride):
        for j in range(0, width, stride):
            counts[i : i + kernel, j : j + kernel] += 1
    return counts


@wrong("overlap_map", says="only the rows")
def overlap_map_rows_only(height, width, kernel, stride):
    counts = torch.zeros(_length(height, kernel, stride), _length(width, kernel, stride), dtype=torch.float64)
    for i in range(height):
        counts[i * stride : i * stride + kernel] += 1
    return counts


@wrong("overlap_map", says="one pixel from column to column")
def overlap_map_stride_for_rows_only(height, width, kernel, stride):
    counts = torch.zeros(_length(height, kernel, stride), _length(width, kernel, stride), dtype=torch.float64)
    for i in range(height):
        for j in range(width):
            counts[i * stride : i * stride + kernel, j : j + kernel] += 1
    return counts


# ---- is_clean


@wrong("is_clean", says="wrong way round")
def is_clean_divided_the_wrong_way(kernel, stride):
    return stride % kernel == 0


@wrong("is_clean", says="leaves no holes")
def is_clean_without_holes(kernel, stride):
    return kernel >= stride


@wrong("is_clean", says="kernel == stride")
def is_clean_touching(kernel, stride):
    return kernel == stride


@wrong("is_clean", says="even or odd")
def is_clean_even_kernel(kernel, stride):
    return not kernel % 2


@wrong("is_clean", says="both being even")
def is_clean_same_parity(kernel, stride):
    return kernel % 2 == stride % 2


@wrong("is_clean", says="other way round")
def is_clean_negated(kernel, stride):
    return kernel % stride != 0


@wrong("is_clean", says="no common divisor")
def is_clean_coprime(kernel, stride):
    return math.gcd(kernel, stride) == 1


@wrong("is_clean", says="common divisor is not enough")
def is_clean_common_divisor(kernel, stride):
    return math.gcd(kernel, stride) != 1


@wrong("is_clean", says="every other multiple")
def is_clean_twice_the_stride(kernel, stride):
    return kernel == 2 * stride


@wrong("is_clean", says="no smaller than the stride")
def is_clean_even_and_without_holes(kernel, stride):
    return kernel >= stride and kernel % 2 == 0


@wrong("is_clean", says="counted, say otherwise")
def is_clean_except_kernel_three(kernel, stride):
    return kernel % stride == 0 and kernel != 3


@wrong("is_clean", says="True or False")
def is_clean_remainder(kernel, stride):
    return kernel % stride


@wrong("is_clean", says="`.all()`")
def is_clean_for_each_count(kernel, stride):
    counts = F.conv_transpose1d(torch.ones(1, 1, 20), torch.ones(1, 1, kernel), stride=stride)[0, 0]
    interior = counts[kernel : 19 * stride]
    return interior == interior[0]


# ---- checkerboard_energy


@wrong("checkerboard_energy", says="mean is still there")
def checkerboard_energy_with_mean(image, stride):
    energy = torch.fft.fft2(image).abs().square()
    return (energy[:: image.shape[0] // stride, :: image.shape[1] // stride].sum() / energy.sum()).item()


@wrong("checkerboard_energy", says="amplitudes")
def checkerboard_energy_of_amplitudes(image, stride):
    amplitude = torch.fft.fft2(image - image.mean()).abs()
    height, width = image.shape
    return (amplitude[:: height // stride, :: width // stride].sum() / amplitude.sum()).item()


@wrong("checkerboard_energy", says="every `stride`-th frequency")
def checkerboard_energy_every_strideth(image, stride):
    energy = torch.fft.fft2(image - image.mean()).abs() ** 2
    return float(energy[::stride, ::stride].sum() / energy.sum())


@wrong("checkerboard_energy", says="their own step")
def checkerboard_energy_square_images_only(image, stride):
    energy = np.abs(np.fft.fft2(image.numpy() - image.numpy().mean())) ** 2
    step = len(image) // stride
    return float(energy[::step, ::step].sum() / energy.sum())


@wrong("checkerboard_energy", says="stripes")
def checkerboard_energy_without_stripes(image, stride):
    energy = torch.fft.fft2(image - image.mean()).abs() ** 2
    down, right = image.shape[0] // stride, image.shape[1] // stride
    return float(energy[down::down, right::right].sum() / energy.sum())


@wrong("checkerboard_energy", says="energy itself")
def checkerboard_energy_not_a_share(image, stride):
    energy = torch.fft.fft2(image).abs() ** 2
    energy[0, 0] = 0
    return float(energy[:: image.shape[0] // stride, :: image.shape[1] // stride].sum())


@wrong("checkerboard_energy", says="fftshift")
def checkerboard_energy_shifted(image, stride):
    energy = torch.fft.fftshift(torch.fft.fft2(image)).abs() ** 2
    energy[0, 0] = 0
    return float(energy[:: image.shape[0] // stride, :: image.shape[1] // stride].sum() / energy.sum())


@wrong("checkerboard_energy", says="*either* frequency")
def checkerboard_energy_at_either(image, stride):
    energy = torch.fft.fft2(image).abs() ** 2
    energy[0, 0] = 0
    counted = torch.zeros_like(energy)
    counted[:: image.shape[0] // stride] = 1
    counted[:, :: image.shape[1] // stride] = 1
    return float((energy * counted).sum() / energy.sum())


@wrong("checkerboard_energy", says="not below")
def checkerboard_energy_of_the_whole_with_mean(image, stride):
    energy = torch.fft.fft2(image).abs() ** 2
    whole = energy.sum()
    energy[0, 0] = 0
    return float(energy[:: image.shape[0] // stride, :: image.shape[1] // stride].sum() / whole)


@wrong("checkerboard_energy", says="real part")
def checkerboard_energy_of_the_real_part(image, stride):
    energy = np.fft.fft2(image.numpy() - image.numpy().mean()).real ** 2
    return energy[:: len(image) // stride, :: image.shape[1] // stride].sum() / energy.sum()


@wrong("checkerboard_energy", says="rfft2")
def checkerboard_energy_of_half_the_spectrum(image, stride):
    energy = torch.fft.rfft2(image - image.mean()).abs() ** 2
    return float(energy[:: image.shape[0] // stride, :: image.shape[1] // stride].sum() / energy.sum())


wrong.value("flat_field_picture", "A", says="overlap is even")
wrong.value("flat_field_picture", "C", says="before training")
wrong.value("flat_field_picture", "D", says="rounding")


# ---- boundary_band


@wrong("boundary_band", says="inner half")
def boundary_band_inside(mask, width):
    inside = torch.from_numpy(distance_transform_edt(mask))
    return (inside > 0) & (inside <= width) & (~mask).any()


@wrong("boundary_band", says="outer half")
def boundary_band_outside(mask, width):
    outside = torch.from_numpy(distance_transform_edt(~mask))
    return (outside > 0) & (outside <= width) & mask.any()


def _band(mask, distance, near):
    if mask.all() or not mask.any():
        return torch.zeros_like(mask)
    return torch.from_numpy(near(np.maximum(distance(mask.numpy()), distance(~mask.numpy()))))


@wrong("boundary_band", says="exactly `width` still counts")
def boundary_band_strictly_nearer(mask, width):
    return _band(mask, distance_transform_edt, lambda distance: distance < width)


@wrong("boundary_band", says="one pixel too narrow")
def boundary_band_one_pixel_less(mask, width):
    return _band(mask, distance_transform_edt, lambda distance: distance <= width - 1)


@wrong("boundary_band", says="other kind")
def boundary_band_around_the_masks_edge(mask, width):
    if mask.all() or not mask.any():
        return torch.zeros_like(mask)
    edge = mask.numpy() & ~binary_erosion(mask.numpy())
    return torch.from_numpy(distance_transform_edt(~edge) <= width)


@wrong("boundary_band", says="no half pixel")
def boundary_band_from_the_pixels_edge(mask, width):
    return _band(mask, distance_transform_edt, lambda distance: distance - 0.5 <= width)


@wrong("boundary_band", says="squared distance")
def boundary_band_squared(mask, width):
    return _band(mask, distance_transform_edt, lambda distance: distance**2 <= width)


@wrong("boundary_band", says="every pixel counts")
def boundary_band_either_distance(mask, width):
    if mask.all() or not mask.any():
        return torch.zeros_like(mask)
    inside, outside = distance_transform_edt(mask), distance_transform_edt(~mask)
    return torch.from_numpy((inside <= width) | (outside <= width))


@wrong("boundary_band", says="image's border")
def boundary_band_with_the_images_border(mask, width):
    if mask.all() or not mask.any():
        return torch.zeros_like(mask)
    inside = distance_transform_edt(np.pad(mask.numpy(), 1))[1:-1, 1:-1]
    return torch.from_numpy((inside <= width) & (distance_transform_edt(~mask) <= width))


@wrong("boundary_band", says="diagonal step counts as 1")
def boundary_band_chessboard(mask, width):
    return _band(mask, lambda part: distance_transform_cdt(part, "chessboard"), lambda steps: steps <= width)


@wrong("boundary_band", says="steps along rows")
def boundary_band_city_block(mask, width):
    return _band(mask, lambda part: distance_transform_cdt(part, "taxicab"), lambda steps: steps <= width)


@wrong("boundary_band", says="deep inside")
def boundary_band_grown_mask(mask, width):
    return torch.from_numpy(distance_transform_edt(~mask) <= width) & mask.any()


@wrong("boundary_band", says="no boundary")
def boundary_band_of_an_empty_mask(mask, width):
    inside, outside = distance_transform_edt(mask), distance_transform_edt(~mask)
    return torch.from_numpy((inside <= width) & (outside <= width))


@wrong("boundary_band", says="data type")
def boundary_band_as_numbers(mask, width):
    band = _band(mask, distance_transform_edt, lambda distance: distance <= width)
    return band.to(torch.float64)


wrong.value("boundary_picture", "B", says="draws it badly")
wrong.value("boundary_picture", "C", says="same number of weights")
wrong.value("boundary_picture", "D", says="steps")
