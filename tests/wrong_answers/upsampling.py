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


@wrong("nearest_neighbour", says="flattens")
def nearest_neighbour_flattened(x, factor):
    return torch.repeat_interleave(x, factor)


@wrong("nearest_neighbour", says="repeated twice")
def nearest_neighbour_rows_twice(x, factor):
    return x.repeat_interleave(factor, dim=0).repeat_interleave(factor, dim=0)


@wrong("nearest_neighbour", says="tiled")
def nearest_neighbour_kron_turned(x, factor):
    block = np.ones((factor, factor))
    return torch.from_numpy(np.kron(block, x.numpy()))


# ---- bed_of_nails


@wrong("bed_of_nails", says="bottom right corner")
def bed_of_nails_bottom_right(x, factor):
    board = x.new_zeros(x.shape[0] * factor, x.shape[1] * factor)
    board[factor - 1 :: factor, factor - 1 :: factor] = x
    return board


@wrong("bed_of_nails", says="middle of the squares")
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


@wrong("bed_of_nails", says="only the rows")
def bed_of_nails_rows_only(x, factor):
    board = x.new_zeros(x.shape[0] * factor, x.shape[1])
    board[::factor] = x
    return board


@wrong("bed_of_nails", says="only the columns")
def bed_of_nails_columns_only(x, factor):
    board = x.new_zeros(x.shape[0], x.shape[1] * factor)
    board[:, ::factor] = x
    return board


@wrong("bed_of_nails", says="diagonal")
def bed_of_nails_on_the_diagonal(x, factor):
    board = x.new_zeros(x.shape[0] * factor, x.shape[1] * factor)
    for p in range(factor):
        board[p::factor, p::factor] = x
    return board


@wrong("bed_of_nails", says="as a whole")
def bed_of_nails_side_by_side(x, factor):
    board = x.new_zeros(x.shape[0] * factor, x.shape[1] * factor)
    board[: x.shape[0], : x.shape[1]] = x
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


@wrong("max_pool_with_indices", says="multiplied the row by the height")
def max_pool_times_height(x, size):
    return _pool(x, size, lambda i, j, p, q: (i * size + p) * x.shape[0] + j * size + q)


@wrong("max_pool_with_indices", says="small image")
def max_pool_index_of_the_window(x, size):
    return _pool(x, size, lambda i, j, p, q: i * (x.shape[1] // size) + j)


@wrong("max_pool_with_indices", says="you took the last")
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


@wrong("max_pool_with_indices", says="columns first")
def max_pool_first_in_column_order(x, size):
    height, width = x.shape
    values = x.new_zeros(height // size, width // size)
    indices = torch.zeros(height // size, width // size, dtype=torch.int64)
    for i in range(height // size):
        for j in range(width // size):
            best = -math.inf
            for column in range(j * size, (j + 1) * size):
                for row in range(i * size, (i + 1) * size):
                    if x[row, column] > best:
                        best = values[i, j] = x[row, column]
                        indices[i, j] = row * width + column
    return values, indices


@wrong("max_pool_with_indices", says="exchanged")
def max_pool_row_and_column_exchanged(x, size):
    height, width = x.shape
    values = x.new_zeros(height // size, width // size)
    indices = torch.zeros(height // size, width // size, dtype=torch.int64)
    for i in range(height // size):
        for j in range(width // size):
            window = x[i * size : (i + 1) * size, j * size : (j + 1) * size]
            q, p = divmod(int(window.argmax()), size)
            values[i, j] = window[p, q]
            indices[i, j] = (i * size + p) * width + j * size + q
    return values, indices


@wrong("max_pool_with_indices", says="values are right, but in the index")
def max_pool_exchanged_in_the_index_only(x, size):
    values, _ = F.max_pool2d(x[None, None], size, return_indices=True)
    _, indices = _pool(x, size, lambda i, j, p, q: (i * size + q) * x.shape[1] + j * size + p)
    return values[0, 0], indices


@wrong("max_pool_with_indices", says="smallest value")
def max_pool_of_the_smallest(x, size):
    return _pool(x, size, lambda i, j, p, q: (i * size + p) * x.shape[1] + j * size + q, torch.argmin)


@wrong("max_pool_with_indices", says="one pixel apart")
def max_pool_of_overlapping_windows(x, size):
    height, width = x.shape
    values = x.new_zeros(height // size, width // size)
    indices = torch.zeros(height // size, width // size, dtype=torch.int64)
    for i in range(height // size):
        for j in range(width // size):
            window = x[i : i + size, j : j + size]
            p, q = divmod(int(window.argmax()), size)
            values[i, j] = window[p, q]
            indices[i, j] = (i + p) * width + j + q
    return values, indices


@wrong("max_pool_with_indices", says="left over")
def max_pool_rounded_up(x, size):
    values, indices = F.max_pool2d(x[None, None], size, return_indices=True, ceil_mode=True)
    return values[0, 0], indices[0, 0]


@wrong("max_pool_with_indices", says="data type is not: int32")
def max_pool_int32(x, size):
    values, indices = F.max_pool2d(x[None, None], size, return_indices=True)
    return values[0, 0], indices[0, 0].to(torch.int32)


@wrong("max_pool_with_indices", says="whole numbers")
def max_pool_indices_as_floats(x, size):
    values, indices = _pool(x, size, lambda i, j, p, q: (i * size + p) * x.shape[1] + j * size + q)
    return values, indices.double()


@wrong("max_pool_with_indices", says="width that the windows cover")
def max_pool_of_the_cut_plane(x, size):
    x = x[: x.shape[0] // size * size, : x.shape[1] // size * size]
    values, indices = F.max_pool2d(x[None, None], size, return_indices=True)
    return values[0, 0], indices[0, 0]


# ---- max_unpool


@wrong("max_unpool", says="one after another")
def max_unpool_in_turn(values, indices, height, width):
    plane = torch.zeros(height * width, dtype=values.dtype)
    plane[: values.numel()] = values.flatten()
    return plane.reshape(height, width)


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


@wrong("max_unpool", says="wrong way round")
def max_unpool_width_first(values, indices, height, width):
    flat = torch.zeros(height * width, dtype=values.dtype)
    flat[indices.reshape(-1)] = values.reshape(-1)
    return flat.reshape(width, height)


@wrong("max_unpool", says="a 1 at each place")
def max_unpool_of_ones(values, indices, height, width):
    flat = values.new_zeros(height * width)
    flat[indices.flatten()] = 1
    return flat.reshape(height, width)


@wrong("max_unpool", says="one place too far")
def max_unpool_counted_from_one(values, indices, height, width):
    flat = values.new_zeros(height * width + 1)
    flat[indices.flatten() + 1] = values.flatten()
    return flat[: height * width].reshape(height, width)


# ---- bilinear_kernel


def _line(factor, slope):
    k = 2 * factor - factor % 2
    return 1 - (torch.arange(k, dtype=torch.float64) - (k - 1) / 2).abs() / slope


@wrong("bilinear_kernel", says="multiplies each weight by itself")
def bilinear_kernel_weight_by_weight(factor):
    return _line(factor, factor) * _line(factor, factor)


@wrong("bilinear_kernel", says="divided by c + 1")
def bilinear_kernel_ends_after_its_last_weight(factor):
    line = _line(factor, (2 * factor - factor % 2 + 1) / 2)
    return line.outer(line)


@wrong("bilinear_kernel", says="a cone")
def bilinear_kernel_cone(factor):
    k = 2 * factor - factor % 2
    steps = torch.arange(k, dtype=torch.float64) - (k - 1) / 2
    distance = (steps[:, None] ** 2 + steps**2).sqrt()
    return (1 - distance / factor).clamp(min=0)


@wrong("bilinear_kernel", says="peak at `factor`")
def bilinear_kernel_not_divided(factor):
    line = _line(factor, factor) * factor
    return line.outer(line)


def _square(line):
    return line[:, None] * line[None, :]


@wrong("bilinear_kernel", says="lies at `factor`")
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


@wrong("bilinear_kernel", says="divided by factor + 1")
def bilinear_kernel_too_flat(factor):
    k = 2 * factor - factor % 2
    return _square(1 - (torch.arange(k).double() - (k - 1) / 2).abs() / (factor + 1))


@wrong("bilinear_kernel", says="one line")
def bilinear_kernel_one_line(factor):
    k = 2 * factor - factor % 2
    return 1 - (torch.arange(k).double() - (k - 1) / 2).abs() / factor


@wrong("bilinear_kernel", says="mean of two triangles")
def bilinear_kernel_mean(factor):
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


@wrong("bilinear_kernel", says="by the middle c")
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


def _distances(factor, k, centre):
    return (torch.arange(k).double() - centre).abs() / factor


@wrong("bilinear_kernel", says="half a pixel too late")
def bilinear_kernel_centred_at_half_of_k(factor):
    k = 2 * factor - factor % 2
    return _square(torch.clamp(1 - _distances(factor, k, k / 2), min=0))


@wrong("bilinear_kernel", says="at k // 2")
def bilinear_kernel_centred_at_k_halved(factor):
    k = 2 * factor - factor % 2
    return _square(1 - _distances(factor, k, k // 2))


@wrong("bilinear_kernel", says="even factor")
def bilinear_kernel_always_odd(factor):
    k = 2 * factor - 1
    return _square(1 - _distances(factor, k, (k - 1) / 2))


@wrong("bilinear_kernel", says="by k / 2")
def bilinear_kernel_divided_by_half_its_size(factor):
    k = 2 * factor - factor % 2
    return _square(1 - _distances(k / 2, k, (k - 1) / 2))


@wrong("bilinear_kernel", says="are added")
def bilinear_kernel_sum(factor):
    k = 2 * factor - factor % 2
    line = 1 - _distances(factor, k, (k - 1) / 2)
    return line[:, None] + line[None, :]


@wrong("bilinear_kernel", says="pyramid")
def bilinear_kernel_pyramid(factor):
    k = 2 * factor - factor % 2
    away = _distances(factor, k, (k - 1) / 2)
    return 1 - torch.maximum(away[:, None], away[None, :])


# ---- zero_fill_convolution


def _filled(x, stride):
    filled = torch.zeros((x.shape[0] - 1) * stride + 1, (x.shape[1] - 1) * stride + 1, dtype=x.dtype)
    filled[::stride, ::stride] = x
    return filled


@wrong("zero_fill_convolution", says="missing at the bottom")
def zero_fill_more_at_the_right_only(x, kernel, stride=1, padding=0, output_padding=0):
    top, left = (k - 1 - padding for k in kernel.shape)
    padded = F.pad(_filled(x, stride), (left, left + output_padding, top, top))
    return F.conv2d(padded[None, None], kernel.flip(0, 1)[None, None])[0, 0]


@wrong("zero_fill_convolution", says="missing at the right")
def zero_fill_more_at_the_bottom_only(x, kernel, stride=1, padding=0, output_padding=0):
    top, left = (k - 1 - padding for k in kernel.shape)
    padded = F.pad(_filled(x, stride), (left, left, top, top + output_padding))
    return F.conv2d(padded[None, None], kernel.flip(0, 1)[None, None])[0, 0]


@wrong("zero_fill_convolution", says="slides with the stride")
def zero_fill_slides_with_the_stride(x, kernel, stride=1, padding=0, output_padding=0):
    top, left = (k - 1 - padding for k in kernel.shape)
    padded = F.pad(_filled(x, stride), (left, left + output_padding, top, top + output_padding))
    return F.conv2d(padded[None, None], kernel.flip(0, 1)[None, None], stride=stride)[0, 0]


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


@wrong("zero_fill_convolution", says="you padded by `padding`")
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


@wrong("zero_fill_convolution", says="didn't pad")
def zero_fill_not_padded(x, kernel, stride=1, padding=0, output_padding=0):
    return _slide(_fill(x, stride), kernel.flip(0, 1), 0, 0, output_padding)


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


@wrong("zero_fill_convolution", says="one zero too many")
def zero_fill_padded_by_k_minus_padding(x, kernel, stride=1, padding=0, output_padding=0):
    k1, k2 = kernel.shape
    return _slide(_fill(x, stride), kernel.flip(0, 1), k1 - padding, k2 - padding, output_padding)


@wrong("zero_fill_convolution", says="on all sides")
def zero_fill_output_padding_everywhere(x, kernel, stride=1, padding=0, output_padding=0):
    k1, k2 = kernel.shape
    top, left = k1 - 1 - padding + output_padding, k2 - 1 - padding + output_padding
    return _slide(_fill(x, stride), kernel.flip(0, 1), top, left)


@wrong("zero_fill_convolution", says="side by side")
def zero_fill_not_filled(x, kernel, stride=1, padding=0, output_padding=0):
    k1, k2 = kernel.shape
    return _slide(x, kernel.flip(0, 1), k1 - 1 - padding, k2 - 1 - padding, output_padding)


@wrong("zero_fill_convolution", says="rows for columns")
def zero_fill_kernel_transposed(x, kernel, stride=1, padding=0, output_padding=0):
    k1, k2 = kernel.shape
    return _slide(_fill(x, stride), kernel.T, k1 - 1 - padding, k2 - 1 - padding, output_padding)


@wrong("zero_fill_convolution", says="default of `stride`")
def zero_fill_other_default(x, kernel, stride=2, padding=0, output_padding=0):
    return F.conv_transpose2d(x[None, None], kernel[None, None], None, stride, padding, output_padding)[0, 0]


# ---- overlap_map


@wrong("overlap_map", says="right size")
def overlap_map_stride_for_the_size_only(height, width, kernel, stride):
    counts = torch.zeros((height - 1) * stride + kernel, (width - 1) * stride + kernel, dtype=torch.float64)
    for i in range(height):
        for j in range(width):
            counts[i : i + kernel, j : j + kernel] += 1
    return counts


@wrong("overlap_map", says="count the first one")
def overlap_map_of_overlaps(height, width, kernel, stride):
    counts = torch.zeros((height - 1) * stride + kernel, (width - 1) * stride + kernel, dtype=torch.float64)
    for i in range(height):
        for j in range(width):
            counts[i * stride : i * stride + kernel, j * stride : j * stride + kernel] += 1
    return torch.where(counts > 0, counts - 1, counts)


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


@wrong("overlap_map", says="too large")
def overlap_map_one_stride_too_large(height, width, kernel, stride):
    return _count(height, width, kernel, stride, height * stride + kernel, width * stride + kernel)


@wrong("overlap_map", says="last stamp of each row")
def overlap_map_last_stamp_missing(height, width, kernel, stride):
    size = _length(height, kernel, stride), _length(width, kernel, stride)
    return _count(height - 1, width - 1, kernel, stride, *size)


@wrong("overlap_map", says="only the columns")
def overlap_map_columns_only(height, width, kernel, stride):
    counts = torch.zeros(_length(height, kernel, stride), _length(width, kernel, stride), dtype=torch.float64)
    for j in range(width):
        counts[:, j * stride : j * stride + kernel] += 1
    return counts


@wrong("overlap_map", says="not a NumPy array")
def overlap_map_in_numpy(height, width, kernel, stride):
    line = [np.zeros(_length(n, kernel, stride)) for n in (height, width)]
    for counts, n in zip(line, (height, width)):
        for i in range(n):
            counts[i * stride : i * stride + kernel] += 1
    return np.outer(*line)


# ---- is_clean


@wrong("is_clean", says="don't meet")
def is_clean_with_holes(kernel, stride):
    return True if kernel < stride else kernel % stride == 0


@wrong("is_clean", says="touch and don't overlap")
def is_clean_only_with_overlap(kernel, stride):
    return kernel != stride and kernel % stride == 0


@wrong("is_clean", says="no exception")
def is_clean_only_with_a_stride(kernel, stride):
    return stride != 1 and kernel % stride == 0


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


@wrong("is_clean", says="differ")
def is_clean_except_kernel_three(kernel, stride):
    return kernel % stride == 0 and kernel != 3


@wrong("is_clean", says="This is the remainder")
def is_clean_remainder(kernel, stride):
    return kernel % stride


@wrong("is_clean", says="one True or False")
def is_clean_in_words(kernel, stride):
    return "clean" if kernel % stride == 0 else "uneven"


@wrong("is_clean", says="`.all()`")
def is_clean_for_each_count(kernel, stride):
    counts = F.conv_transpose1d(torch.ones(1, 1, 20), torch.ones(1, 1, kernel), stride=stride)[0, 0]
    interior = counts[kernel : 19 * stride]
    return interior == interior[0]


@wrong("is_clean", says="can leave holes")
def is_clean_without_overlap(kernel, stride):
    return kernel <= stride


# ---- checkerboard_energy


@wrong("checkerboard_energy", says="colours of a chessboard")
def checkerboard_energy_of_two_colours(image, stride):
    rows, columns = torch.meshgrid(*(torch.arange(n) for n in image.shape), indexing="ij")
    means = torch.stack([image[(rows + columns) % stride == colour].mean() for colour in range(stride)])
    return float(means.var(correction=0) / image.var(correction=0))


@wrong("checkerboard_energy", says="added up the pixels")
def checkerboard_energy_of_summed_phases(image, stride):
    sums = torch.stack([image[r::stride, c::stride].sum() for r in range(stride) for c in range(stride)])
    return float(sums.var(correction=0) / image.var(correction=0))


@wrong("checkerboard_energy", says="mean is left in")
def checkerboard_energy_with_the_mean_in_the_spectrum(image, stride):
    height, width = image.shape
    energy = torch.fft.fft2(image).abs() ** 2
    return float(energy[:: height // stride, :: width // stride].sum() / energy.sum())


def _phase_means(image, stride):
    return torch.stack([image[r::stride, c::stride].mean() for r in range(stride) for c in range(stride)])


@wrong("checkerboard_energy", says="Your variances divide by the number of values minus one")
def checkerboard_energy_by_default_variances(image, stride):
    return float(_phase_means(image, stride).var() / image.var())


@wrong("checkerboard_energy", says="variance of the means divides by their number minus one")
def checkerboard_energy_default_variance_of_means(image, stride):
    return float(_phase_means(image, stride).var() / torch.var(image, correction=0))


@wrong("checkerboard_energy", says="variance of the pixels divides by their number minus one")
def checkerboard_energy_default_variance_of_pixels(image, stride):
    return float(_phase_means(image, stride).var(unbiased=False) / image.var())


@wrong("checkerboard_energy", says="standard deviations")
def checkerboard_energy_of_deviations(image, stride):
    return np.std(_phase_means(image, stride).numpy()) / np.std(image.numpy())


@wrong("checkerboard_energy", says="added up the squared deviations")
def checkerboard_energy_of_sums(image, stride):
    mean = image.mean()
    part, whole = (_phase_means(image, stride) - mean) ** 2, (image - mean) ** 2
    return (part.sum() / whole.sum()).item()


@wrong("checkerboard_energy", says="Divide it by the variance of the image")
def checkerboard_energy_not_a_share(image, stride):
    return np.var([float(image[r::stride, c::stride].mean()) for r in range(stride) for c in range(stride)])


@wrong("checkerboard_energy", says="wrong way round")
def checkerboard_energy_inverted(image, stride):
    return image.var(correction=0) / _phase_means(image, stride).var(correction=0)


@wrong("checkerboard_energy", says="*within* the phases")
def checkerboard_energy_within_the_phases(image, stride):
    within = [image[r::stride, c::stride].var(correction=0) for r in range(stride) for c in range(stride)]
    return float(sum(within) / len(within) / image.var(correction=0))


@wrong("checkerboard_energy", says="per cent")
def checkerboard_energy_in_per_cent(image, stride):
    return float(_phase_means(image, stride).var(correction=0) / image.var(correction=0)) * 100


@wrong("checkerboard_energy", says="means of squares")
def checkerboard_energy_of_squares(image, stride):
    return float(_phase_means(image, stride).square().mean() / image.square().mean())


@wrong("checkerboard_energy", says="each little square")
def checkerboard_energy_of_squares_of_pixels(image, stride):
    means = F.avg_pool2d(image[None, None], stride)
    return float(means.var(correction=0) / image.var(correction=0))


@wrong("checkerboard_energy", says="large pieces")
def checkerboard_energy_of_large_pieces(image, stride):
    height, width = image.shape[0] // stride, image.shape[1] // stride
    pieces = [
        image[r * height : (r + 1) * height, c * width : (c + 1) * width].mean()
        for r in range(stride)
        for c in range(stride)
    ]
    return float(torch.stack(pieces).var(correction=0) / image.var(correction=0))


@wrong("checkerboard_energy", says="by rows only")
def checkerboard_energy_by_rows(image, stride):
    means = torch.stack([image[r::stride].mean() for r in range(stride)])
    return float(means.var(correction=0) / image.var(correction=0))


@wrong("checkerboard_energy", says="by columns only")
def checkerboard_energy_by_columns(image, stride):
    means = torch.stack([image[:, c::stride].mean() for c in range(stride)])
    return float(means.var(correction=0) / image.var(correction=0))


@wrong("checkerboard_energy", says="same remainder")
def checkerboard_energy_of_equal_remainders(image, stride):
    means = torch.stack([image[r::stride, r::stride].mean() for r in range(stride)])
    return float(means.var(correction=0) / image.var(correction=0))


@wrong("checkerboard_energy", says="stride 2, whatever the stride")
def checkerboard_energy_of_stride_two(image, stride):
    means = [image[r::2, c::2].mean() for r in (0, 1) for c in (0, 1)]
    return float(torch.stack(means).var(correction=0) / image.var(correction=0))


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


@wrong("boundary_band", says="half a pixel too wide")
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


@wrong("boundary_band", says="the whole background counts")
def boundary_band_of_one_distance_map(mask, width):
    return torch.from_numpy(distance_transform_edt(mask) <= width)


@wrong("boundary_band", says="half of `width`")
def boundary_band_half_to_each_side(mask, width):
    return _band(mask, distance_transform_edt, lambda distance: distance <= width / 2)


@wrong("boundary_band", says="you wrote 2")
def boundary_band_of_two_pixels(mask, width):
    return _band(mask, distance_transform_edt, lambda distance: distance <= 2)


@wrong("boundary_band", says="one pixel too wide")
def boundary_band_one_pixel_more(mask, width):
    return _band(mask, distance_transform_edt, lambda distance: distance < width + 1.01)


@wrong("boundary_band", says="at exactly `width`")
def boundary_band_at_exactly_width(mask, width):
    return _band(mask, distance_transform_edt, lambda distance: distance == width)


@wrong("boundary_band", says="other way round")
def boundary_band_turned_round(mask, width):
    return _band(mask, distance_transform_edt, lambda distance: distance > width)


@wrong("boundary_band", says="not a NumPy array")
def boundary_band_as_an_array(mask, width):
    return _band(mask, distance_transform_edt, lambda distance: distance <= width).numpy()


def _near_both(mask, width):
    return torch.from_numpy(
        (distance_transform_edt(mask) <= width) & (distance_transform_edt(~mask) <= width)
    )


@wrong("boundary_band", says="all True has no boundary either")
def boundary_band_of_a_full_mask(mask, width):
    return _near_both(mask, width) if mask.any() else torch.zeros_like(mask)


@wrong("boundary_band", says="all False has no boundary either")
def boundary_band_of_no_mask(mask, width):
    return torch.zeros_like(mask) if mask.all() else _near_both(mask, width)


@wrong("boundary_band", says="half a pixel too wide")
def boundary_band_rounded(mask, width):
    return _band(mask, distance_transform_edt, lambda distance: np.round(distance) <= width)


@wrong("boundary_band", says="between `width` and `width` + 1")
def boundary_band_less_than_one_more(mask, width):
    return _band(mask, distance_transform_edt, lambda distance: distance < width + 1)
