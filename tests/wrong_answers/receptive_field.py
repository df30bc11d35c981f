"""Wrong answers to the exercises of notebook 04, as students would write them."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import torch
import torch.nn.functional as F

from tests.wrong_answers import WrongAnswers

wrong = WrongAnswers("receptive_field")


# ---- receptive_field_of: the loop that everybody writes, with one line that is wrong


def _loop(size=None, start=None, jump=None, *, order=("size", "start", "jump")):
    """A student's loop; each line is a function of the layer and of the three numbers as they stand then."""
    lines = {
        "size": size or (lambda x, s, j, a: s + (x.kernel - 1) * x.dilation * j),
        "jump": jump or (lambda x, s, j, a: j * x.stride),
        "start": start or (lambda x, s, j, a: a - x.padding * j),
    }

    def receptive_field(layers):
        now = {"size": 1, "jump": 1, "start": 0}
        for layer in layers:
            for name in order:
                now[name] = lines[name](layer, now["size"], now["jump"], now["start"])
        return now["size"], now["jump"], now["start"]

    return receptive_field


for says, answer in {
    "multiply by the jump": _loop(size=lambda x, s, j, a: s + (x.kernel - 1) * x.dilation),
    "too early": _loop(order=("jump", "size", "start")),
    "size is right, but the start": _loop(order=("size", "jump", "start")),
    "start is right, but the size": _loop(order=("start", "jump", "size")),
    "dilation is missing": _loop(size=lambda x, s, j, a: s + (x.kernel - 1) * j),
    "k - 1 steps": _loop(size=lambda x, s, j, a: s + x.kernel * x.dilation * j),
    "only the gaps": _loop(size=lambda x, s, j, a: s + (x.kernel * x.dilation - 1) * j),
    "forgets what the layers before": _loop(size=lambda x, s, j, a: (x.kernel - 1) * x.dilation * j),
    "from the output down": _loop(size=lambda x, s, j, a: s * x.stride + (x.kernel - 1) * x.dilation),
    "subtract it": _loop(start=lambda x, s, j, a: a + x.padding * j),
    "`jump` pixels wide": _loop(start=lambda x, s, j, a: a - x.padding),
    "padding is missing": _loop(start=lambda x, s, j, a: 0),
    "the kernel's steps and the padding": _loop(
        size=lambda x, s, j, a: s + (x.kernel - 1) * x.dilation, start=lambda x, s, j, a: a - x.padding
    ),
    "jump stays 1": _loop(jump=lambda x, s, j, a: j),
    "doesn't make it smaller": _loop(
        size=lambda x, s, j, a: s + ((x.kernel - 1) * x.dilation - 2 * x.padding) * j
    ),
    "not the padding": _loop(start=lambda x, s, j, a: a - x.padding * x.dilation * j),
    "product of all strides": _loop(jump=lambda x, s, j, a: x.stride),
    "strides multiply": _loop(jump=lambda x, s, j, a: j + x.stride),
}.items():
    wrong("receptive_field_of", says=says)(answer)


@wrong("receptive_field_of", says="starts at 1")
def receptive_field_from_zero(layers):
    size, jump, start = 0, 1, 0
    for layer in layers:
        size += (layer.kernel - 1) * layer.dilation * jump
        start -= layer.padding * jump
        jump *= layer.stride
    return size, jump, start


@wrong("receptive_field_of", says="from the input on")
def receptive_field_backwards(layers):
    return _loop()(list(reversed(layers)))


@wrong("receptive_field_of", says="returns inside the loop")
def receptive_field_returned_early(layers):
    size, jump, start = 1, 1, 0
    for layer in layers:
        size += (layer.kernel - 1) * layer.dilation * jump
        start -= layer.padding * jump
        jump *= layer.stride
        return size, jump, start


for order in list(permutations(range(3)))[1:]:

    @wrong("receptive_field_of", says=f"yours is {', '.join(('size', 'jump', 'start')[i] for i in order)}")
    def receptive_field_in_another_order(layers, order=order):
        found = _loop()(layers)
        return tuple(found[i] for i in order)


@wrong("receptive_field_of", says="not a NumPy array")
def receptive_field_as_array(layers):
    return np.array([8, 2, 0])


@wrong("receptive_field_of", says="3 items")
def receptive_field_size_only(layers):
    return [_loop()(layers)[0]]


@wrong("receptive_field_of", says="whole number is asked for")
def receptive_field_as_floats(layers):
    size, jump, start = _loop()(layers)
    return float(size), jump, start


@wrong("receptive_field_of", says="changes its input")
def receptive_field_that_empties_its_input(layers):
    size, jump, start = 1, 1, 0
    while layers:
        layer = layers.pop(0)
        size += (layer.kernel - 1) * layer.dilation * jump
        start -= layer.padding * jump
        jump *= layer.stride
    return size, jump, start


# ---- depth_needed


@wrong("depth_needed", says="divide `size` and round down")
def depth_needed_floor_of_size(size, kernel):
    return size // (kernel - 1)


@wrong("depth_needed", says="one layer too many")
def depth_needed_from_zero(size, kernel):
    return math.ceil(size / (kernel - 1))


@wrong("depth_needed", says="only size - 1 pixels")
def depth_needed_floor_and_one_more(size, kernel):
    return (size - 1) // (kernel - 1) + 1


@wrong("depth_needed", says="rounded down")
def depth_needed_rounded_down(size, kernel):
    return int((size - 1) / (kernel - 1))


@wrong("depth_needed", says="nearest whole number")
def depth_needed_rounded(size, kernel):
    return round((size - 1) / (kernel - 1))


@wrong("depth_needed", says="not kernel")
def depth_needed_whole_kernels(size, kernel):
    return math.ceil((size - 1) / kernel)


@wrong("depth_needed", says="side by side")
def depth_needed_tiles(size, kernel):
    return math.ceil(size / kernel)


@wrong("depth_needed", says="one layer too few")
def depth_needed_after_the_first(size, kernel):
    return math.ceil((size - kernel) / (kernel - 1))


@wrong("depth_needed", says="one layer too many, always")
def depth_needed_and_one_to_begin_with(size, kernel):
    depth = 1
    while 1 + (depth - 1) * (kernel - 1) < size:
        depth += 1
    return depth


@wrong("depth_needed", says="added on one side")
def depth_needed_on_one_side(size, kernel):
    return math.ceil((size - 1) / (kernel // 2))


@wrong("depth_needed", says="don't multiply the field")
def depth_needed_multiplied(size, kernel):
    return math.ceil(np.log(size) / np.log(kernel))


@wrong("depth_needed", says="a whole number: round up")
def depth_needed_fraction(size, kernel):
    return (size - 1) / (kernel - 1)


@wrong("depth_needed", says="for size 1 the answer is 0")
def depth_needed_at_least_one(size, kernel):
    depth = 1
    while 1 + depth * (kernel - 1) < size:
        depth += 1
    return depth


@wrong("depth_needed", says="whole number is asked for")
def depth_needed_as_float(size, kernel):
    return float(math.ceil((size - 1) / (kernel - 1)))


@wrong("depth_needed", says="values differ")
def depth_needed_with_a_trick(size, kernel):
    return int((size - 1) / (kernel - 1) + 0.9999)


# ---- causal_convolution


def _convolved(signal, kernel, left, right, dilation):
    return F.conv1d(F.pad(signal, (left, right))[None, None], kernel[None, None], dilation=dilation)[0, 0]


@wrong("causal_convolution", says="both sides alike")
def causal_convolution_same(signal, kernel, dilation=1):
    missing = (len(kernel) - 1) * dilation
    return _convolved(signal, kernel, missing // 2, missing - missing // 2, dilation)


@wrong("causal_convolution", says="half of the zeros")
def causal_convolution_half_on_each_side(signal, kernel, dilation=1):
    padding = (len(kernel) - 1) * dilation // 2
    return F.conv1d(signal[None, None], kernel[None, None], padding=padding, dilation=dilation)[0, 0]


@wrong("causal_convolution", says="doesn't see signal[t] itself")
def causal_convolution_of_the_past_only(signal, kernel, dilation=1):
    return _convolved(signal, kernel, len(kernel) * dilation, 0, dilation)[: len(signal)]


@wrong("causal_convolution", says="a kernel of three entries")
def causal_convolution_for_three_entries(signal, kernel, dilation=1):
    return _convolved(signal, kernel, 2 * dilation, 0, dilation)


@wrong("causal_convolution", says="give it dilation=dilation")
def causal_convolution_dilation_not_passed(signal, kernel, dilation=1):
    return _convolved(signal, kernel, (len(kernel) - 1) * dilation, 0, 1)


@wrong("causal_convolution", says="both ends")
def causal_convolution_padding_argument(signal, kernel, dilation=1):
    padding = (len(kernel) - 1) * dilation
    return F.conv1d(signal[None, None], kernel[None, None], padding=padding, dilation=dilation)[0, 0]


@wrong("causal_convolution", says="python's last value")
def causal_convolution_wrapping(signal, kernel, dilation=1):
    y = torch.zeros_like(signal)
    n = len(signal)
    for t in range(n):
        for j in range(len(kernel)):
            y[t] += kernel[j] * signal[(t - (len(kernel) - 1 - j) * dilation) % n]
    return y


@wrong("causal_convolution", says="never the past")
def causal_convolution_padded_on_the_right(signal, kernel, dilation=1):
    return _convolved(signal, kernel, 0, (len(kernel) - 1) * dilation, dilation)


@wrong("causal_convolution", says="grow with the dilation")
def causal_convolution_padding_without_dilation(signal, kernel, dilation=1):
    return _convolved(signal, kernel, len(kernel) - 1, 0, dilation)


@wrong("causal_convolution", says="dilation is missing")
def causal_convolution_without_dilation(signal, kernel, dilation=1):
    return _convolved(signal, kernel, len(kernel) - 1, 0, 1)


@wrong("causal_convolution", says="one zero too many")
def causal_convolution_one_late(signal, kernel, dilation=1):
    return _convolved(signal, kernel, (len(kernel) - 1) * dilation + 1, 0, dilation)[:-1]


@wrong("causal_convolution", says="k * dilation zeros are too many")
def causal_convolution_k_dilation_zeros(signal, kernel, dilation=1):
    return _convolved(signal, kernel, len(kernel) * dilation, 0, dilation)


@wrong("causal_convolution", says="too short")
def causal_convolution_without_padding(signal, kernel, dilation=1):
    return F.conv1d(signal[None, None], kernel[None, None], dilation=dilation)[0, 0]


@wrong("causal_convolution", says="in front of the result")
def causal_convolution_zeros_before_the_result(signal, kernel, dilation=1):
    y = torch.zeros_like(signal)
    begin = (len(kernel) - 1) * dilation
    for t in range(begin, len(signal)):
        y[t] = sum(kernel[j] * signal[t - begin + j * dilation] for j in range(len(kernel)))
    return y


@wrong("causal_convolution", says="flipped")
def causal_convolution_flipped(signal, kernel, dilation=1):
    y = torch.zeros_like(signal)
    for t in range(len(signal)):
        for j in range(len(kernel)):
            if t - j * dilation >= 0:
                y[t] += kernel[j] * signal[t - j * dilation]
    return y


# ---- dilated_convolution


def _summed(image, kernel, dy, dx, rows=None, columns=None, flip=False):
    """The student's loop over the kernel's entries."""
    k1, k2 = kernel.shape
    height, width = image.shape[0] - (k1 - 1) * dy, image.shape[1] - (k2 - 1) * dx
    y = torch.zeros(height, width, dtype=image.dtype)
    for p in range(k1 if rows is None else rows):
        for q in range(k2 if columns is None else columns):
            top, left = ((k1 - 1 - p) * dy, (k2 - 1 - q) * dx) if flip else (p * dy, q * dx)
            y += kernel[p, q] * image[top : top + height, left : left + width]
    return y


@wrong("dilated_convolution", says="dilation is missing")
def dilated_convolution_plain(image, kernel, dilation):
    return F.conv2d(image[None, None], kernel[None, None])[0, 0]


@wrong("dilated_convolution", says="dilation - 1 apart")
def dilated_convolution_one_too_near(image, kernel, dilation):
    return _summed(image, kernel, dilation - 1, dilation - 1)


@wrong("dilated_convolution", says="dilation + 1 apart")
def dilated_convolution_one_too_far(image, kernel, dilation):
    return _summed(image, kernel, dilation + 1, dilation + 1)


@wrong("dilated_convolution", says="from left to right only")
def dilated_convolution_along_x(image, kernel, dilation):
    return _summed(image, kernel, 1, dilation)


@wrong("dilated_convolution", says="from top to bottom only")
def dilated_convolution_along_y(image, kernel, dilation):
    return _summed(image, kernel, dilation, 1)


@wrong("dilated_convolution", says="don't overwrite")
def dilated_convolution_overwriting(image, kernel, dilation):
    k1, k2 = kernel.shape
    height, width = image.shape[0] - (k1 - 1) * dilation, image.shape[1] - (k2 - 1) * dilation
    for p in range(k1):
        for q in range(k2):
            top, left = p * dilation, q * dilation
            y = kernel[p, q] * image[top : top + height, left : left + width]
    return y


@wrong("dilated_convolution", says="last row is left out")
def dilated_convolution_one_row_less(image, kernel, dilation):
    return _summed(image, kernel, dilation, dilation, rows=len(kernel) - 1)


@wrong("dilated_convolution", says="last column is left out")
def dilated_convolution_one_column_less(image, kernel, dilation):
    return _summed(image, kernel, dilation, dilation, columns=kernel.shape[1] - 1)


@wrong("dilated_convolution", says="last row and column")
def dilated_convolution_one_less_of_both(image, kernel, dilation):
    rows, columns = kernel.shape[0] - 1, kernel.shape[1] - 1
    return _summed(image, kernel, dilation, dilation, rows=rows, columns=columns)


@wrong("dilated_convolution", says="not k * dilation")
def dilated_convolution_with_wide_windows(image, kernel, dilation):
    k1, k2 = kernel.shape
    y = torch.zeros(image.shape[0] - k1 * dilation + 1, image.shape[1] - k2 * dilation + 1)
    y = y.to(image.dtype)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            window = image[i : i + k1 * dilation : dilation, j : j + k2 * dilation : dilation]
            y[i, j] = (window * kernel).sum()
    return y


@wrong("dilated_convolution", says="stride")
def dilated_convolution_strided(image, kernel, dilation):
    return F.conv2d(image[None, None], kernel[None, None], stride=dilation)[0, 0]


@wrong("dilated_convolution", says="flipped")
def dilated_convolution_flipped(image, kernel, dilation):
    return _summed(image, kernel, dilation, dilation, flip=True)


def _stamped(image, kernel, dilation, add=True, rows=None, columns=None, room=0):
    (h, w), (k1, k2) = image.shape, kernel.shape
    output = torch.zeros((h - 1) * dilation + k1 + room, (w - 1) * dilation + k2 + room, dtype=image.dtype)
    for m in range(h if rows is None else rows):
        for n in range(w if columns is None else columns):
            window = (slice(dilation * m, dilation * m + k1), slice(dilation * n, dilation * n + k2))
            output[window] = (output[window] if add else 0) + image[m, n] * kernel
    return output


@wrong("dilated_convolution", says="kernel's entries move apart")
def dilated_convolution_as_on_the_slide(image, kernel, dilation):
    return _stamped(image, kernel, dilation)


@wrong("dilated_convolution", says="rows and columns are exchanged")
def dilated_convolution_transposed(image, kernel, dilation):
    k1, k2 = kernel.shape
    y = torch.zeros(image.shape[1] - (k2 - 1) * dilation, image.shape[0] - (k1 - 1) * dilation)
    y = y.to(image.dtype)
    for j in range(y.shape[0]):
        for i in range(y.shape[1]):
            for p in range(k1):
                for q in range(k2):
                    y[j, i] += kernel[p, q] * image[i + p * dilation, j + q * dilation]
    return y


@wrong("dilated_convolution", says="needn't be square")
def dilated_convolution_square(image, kernel, dilation):
    k = len(kernel)
    height, width = image.shape[0] - (k - 1) * dilation, image.shape[1] - (k - 1) * dilation
    y = torch.zeros(height, width, dtype=image.dtype)
    for p in range(k):
        for q in range(k):
            top, left = p * dilation, q * dilation
            y += kernel[p, q] * image[top : top + height, left : left + width]
    return y


@wrong("dilated_convolution", says="threw away pixels")
def dilated_convolution_of_every_second_pixel(image, kernel, dilation):
    return _summed(image[::dilation, ::dilation], kernel, 1, 1)


@wrong("dilated_convolution", says="kernel's sum")
def dilated_convolution_as_a_mean(image, kernel, dilation):
    return _summed(image, kernel, dilation, dilation) / kernel.sum()


@wrong("dilated_convolution", says="as large as it is")
def dilated_convolution_same(image, kernel, dilation):
    (top, left) = ((edge - 1) * dilation // 2 for edge in kernel.shape)
    bottom, right = (kernel.shape[0] - 1) * dilation - top, (kernel.shape[1] - 1) * dilation - left
    padded = F.pad(image, (left, right, top, bottom))
    return _summed(padded, kernel, dilation, dilation)


@wrong("dilated_convolution", says="larger than it is")
def dilated_convolution_full(image, kernel, dilation):
    padding = [(edge - 1) * dilation for edge in kernel.shape]
    return F.conv2d(image[None, None], kernel[None, None], padding=padding, dilation=dilation)[0, 0]


@wrong("dilated_convolution", says="wholly inside")
def dilated_convolution_as_large_as_the_image(image, kernel, dilation):
    y = torch.zeros_like(image)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            for p in range(kernel.shape[0]):
                for q in range(kernel.shape[1]):
                    r, c = i + p * dilation, j + q * dilation
                    if r < image.shape[0] and c < image.shape[1]:
                        y[i, j] += kernel[p, q] * image[r, c]
    return y


# ---- printed_formula


@wrong("printed_formula", says="letter by letter")
def printed_formula_dilated(image, kernel, dilation):
    return F.conv2d(image[None, None], kernel[None, None], dilation=dilation)[0, 0]


@wrong("printed_formula", says="larger than the image")
def printed_formula_as_large_as_the_image(image, kernel, dilation):
    output = torch.zeros_like(image)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            for m in range(image.shape[0]):
                for n in range(image.shape[1]):
                    p, q = i - dilation * m, j - dilation * n
                    if 0 <= p < kernel.shape[0] and 0 <= q < kernel.shape[1]:
                        output[i, j] += image[m, n] * kernel[p, q]
    return output


@wrong("printed_formula", says="no pixel writes to the last rows")
def printed_formula_with_room(image, kernel, dilation):
    return _stamped(image, kernel, dilation, room=dilation - 1)


@wrong("printed_formula", says="a window is as large as the kernel")
def printed_formula_with_room_for_a_spread_kernel(image, kernel, dilation):
    (h, w), (k1, k2) = image.shape, kernel.shape
    output = image.new_zeros((h + k1 - 2) * dilation + 1, (w + k2 - 2) * dilation + 1)
    for m in range(h):
        for n in range(w):
            window = slice(dilation * m, dilation * m + k1), slice(dilation * n, dilation * n + k2)
            output[window] += image[m, n] * kernel
    return output


@wrong("printed_formula", says="python's last entry")
def printed_formula_with_negative_indices(image, kernel, dilation):
    (h, w), (k1, k2) = image.shape, kernel.shape
    output = image.new_zeros((h - 1) * dilation + k1, (w - 1) * dilation + k2)
    for i in range(output.shape[0]):
        for j in range(output.shape[1]):
            for m in range(h):
                for n in range(w):
                    try:
                        output[i, j] += image[m, n] * kernel[i - dilation * m, j - dilation * n]
                    except IndexError:
                        continue
    return output


@wrong("printed_formula", says="needn't be square")
def printed_formula_square(image, kernel, dilation):
    k, (h, w) = len(kernel), image.shape
    output = image.new_zeros((h - 1) * dilation + k, (w - 1) * dilation + k)
    for m in range(h):
        for n in range(w):
            for p in range(k):
                for q in range(k):
                    output[dilation * m + p, dilation * n + q] += image[m, n] * kernel[p, q]
    return output


@wrong("printed_formula", says="convolution with a stride")
def printed_formula_strided(image, kernel, dilation):
    return F.conv2d(image[None, None], kernel[None, None], stride=dilation)[0, 0]


@wrong("printed_formula", says="inside them, too")
def printed_formula_spread_twice(image, kernel, dilation):
    spread = image.new_zeros([(edge - 1) * dilation + 1 for edge in kernel.shape])
    spread[::dilation, ::dilation] = kernel
    return _stamped(image, spread, dilation)


@wrong("printed_formula", says="h * dilation rows")
def printed_formula_in_blocks(image, kernel, dilation):
    output = image.new_zeros(image.shape[0] * dilation, image.shape[1] * dilation)
    for (m, n), value in np.ndenumerate(image.numpy()):
        for (p, q), weight in np.ndenumerate(kernel.numpy()):
            i, j = dilation * m + p, dilation * n + q
            if i < output.shape[0] and j < output.shape[1]:
                output[i, j] += value * weight
    return output


@wrong("printed_formula", says="spread the kernel inside")
def printed_formula_with_l_at_the_kernel(image, kernel, dilation):
    (h, w), (k1, k2) = image.shape, kernel.shape
    output = image.new_zeros(h + (k1 - 1) * dilation, w + (k2 - 1) * dilation)
    for p in range(k1):
        for q in range(k2):
            output[p * dilation : p * dilation + h, q * dilation : q * dilation + w] += kernel[p, q] * image
    return output


@wrong("printed_formula", says="don't overwrite")
def printed_formula_overwriting(image, kernel, dilation):
    return _stamped(image, kernel, dilation, add=False)


@wrong("printed_formula", says="last row is left out")
def printed_formula_one_row_less(image, kernel, dilation):
    return _stamped(image, kernel, dilation, rows=len(image) - 1)


@wrong("printed_formula", says="last column is left out")
def printed_formula_one_column_less(image, kernel, dilation):
    return _stamped(image, kernel, dilation, columns=image.shape[1] - 1)


@wrong("printed_formula", says="flipped")
def printed_formula_flipped(image, kernel, dilation):
    return _stamped(image, kernel.flip(0, 1), dilation)


@wrong("printed_formula", says="dilation is missing")
def printed_formula_without_dilation(image, kernel, dilation):
    return _stamped(image, kernel, 1)


# ---- touched_positions: the loop that everybody writes, with another window


def _visited(window, layers):
    positions = {0}
    for layer in layers[::-1]:
        positions = {place for o in positions for place in window(layer, o)}
    return sorted(positions)


def _window(x, o):
    return {o * x.stride - x.padding + j * x.dilation for j in range(x.kernel)}


for says, window in {
    "stride is missing": lambda x, o: {o - x.padding + j * x.dilation for j in range(x.kernel)},
    "padding is missing": lambda x, o: {o * x.stride + j * x.dilation for j in range(x.kernel)},
    "dilation is missing": lambda x, o: {o * x.stride - x.padding + j for j in range(x.kernel)},
    "last entry is left out": lambda x, o: {
        o * x.stride - x.padding + j * x.dilation for j in range(x.kernel - 1)
    },
    "subtract it": lambda x, o: {o * x.stride + x.padding + j * x.dilation for j in range(x.kernel)},
    "isn't multiplied by the stride": lambda x, o: {
        (o - x.padding) * x.stride + j * x.dilation for j in range(x.kernel)
    },
    "o * stride in its middle": lambda x, o: {
        o * x.stride - x.padding + (j - x.kernel // 2) * x.dilation for j in range(x.kernel)
    },
    "kernel's middle entry": lambda x, o: {
        o * x.stride - x.padding + (j - (x.kernel - 1) // 2) * x.dilation for j in range(x.kernel)
    },
    "begins at 1": lambda x, o: {o * x.stride - x.padding + j * x.dilation for j in range(1, x.kernel + 1)},
    "output's position only": lambda x, o: {
        (o - x.padding + j * x.dilation) * x.stride for j in range(x.kernel)
    },
}.items():

    @wrong("touched_positions", says=says)
    def touched_positions_by_another_window(layers, window=window):
        return _visited(window, layers)


@wrong("touched_positions", says="returns inside the loop")
def touched_positions_returned_early(layers):
    positions = {0}
    for layer in reversed(layers):
        positions = {place for o in positions for place in _window(layer, o)}
        return sorted(positions)


@wrong("touched_positions", says="begin with the last")
def touched_positions_forwards(layers):
    return _visited(_window, layers[::-1])


@wrong("touched_positions", says="holes included")
def touched_positions_whole_field(layers):
    size, _, start = _loop()(layers)
    return list(range(start, start + size))


@wrong("touched_positions", says="what lies between")
def touched_positions_ends(layers):
    size, _, start = _loop()(layers)
    return [start, start + size - 1]


@wrong("touched_positions", says="ascending is asked for")
def touched_positions_descending(layers):
    return sorted(_visited(_window, layers), reverse=True)


@wrong("touched_positions", says="a set has no order")
def touched_positions_in_the_order_of_a_set(layers):
    positions = {0}
    for layer in layers[::-1]:
        positions = {place for o in positions for place in _window(layer, o)}
    return list(positions)


@wrong("touched_positions", says="order of the paths")
def touched_positions_in_the_order_of_paths(layers):
    positions = [0]
    for x in layers[::-1]:
        below = []
        for o in positions:
            for j in range(x.kernel):
                place = o * x.stride - x.padding + j * x.dilation
                if place not in below:
                    below.append(place)
        positions = below
    return positions


@wrong("touched_positions", says="counts once")
def touched_positions_with_repetitions(layers):
    positions = [0]
    for layer in layers[::-1]:
        below = []
        for o in positions:
            for j in range(layer.kernel):
                below.append(o * layer.stride - layer.padding + j * layer.dilation)
        positions = below
    return sorted(positions)


@wrong("touched_positions", says="replaces the positions")
def touched_positions_collected(layers):
    positions = {0}
    for layer in layers[::-1]:
        for o in list(positions):
            positions |= _window(layer, o)
    return sorted(positions)


@wrong("touched_positions", says="keep them")
def touched_positions_inside_only(layers):
    return [position for position in _visited(_window, layers) if position >= 0]


@wrong("touched_positions", says="whole number is asked for")
def touched_positions_as_floats(layers):
    positions = {0.0}
    for x in layers[::-1]:
        positions = {o * x.stride - x.padding + j * x.dilation for o in positions for j in range(x.kernel)}
    return sorted(positions)


@wrong("touched_positions", says="not a set")
def touched_positions_as_set(layers):
    return set(_visited(_window, layers))


@wrong("touched_positions", says="changes its input")
def touched_positions_that_turns_its_input_around(layers):
    layers.reverse()
    positions = {0}
    for layer in layers:
        positions = {place for o in positions for place in _window(layer, o)}
    return sorted(positions)


# ---- widest_without_holes


@wrong("widest_without_holes", says="all dilations are 2")
def widest_without_holes_twos(layers):
    return [2] * layers


@wrong("widest_without_holes", says="powers of two")
def widest_without_holes_doubling(layers):
    return [2**i for i in range(layers)]


@wrong("widest_without_holes", says="narrowest field")
def widest_without_holes_plain(layers):
    return [1] * layers


@wrong("widest_without_holes", says="powers of four leave holes")
def widest_without_holes_powers_of_four(layers):
    return tuple(4**i for i in range(layers))


@wrong("widest_without_holes", says="1, 2, 3, ... leaves no holes")
def widest_without_holes_counting(layers):
    return list(range(1, layers + 1))


@wrong("widest_without_holes", says="right for two layers")
def widest_without_holes_odd(layers):
    return list(range(1, 2 * layers, 2))


@wrong("widest_without_holes", says="multiples of 3")
def widest_without_holes_from_three(layers):
    return [3 ** (i + 1) for i in range(layers)]


@wrong("widest_without_holes", says="there are holes")
def widest_without_holes_squares(layers):
    return [(i + 1) ** 2 for i in range(layers)]


@wrong("widest_without_holes", says="there is a wider field")
def widest_without_holes_sixes(layers):
    return [1, *(3 * (i + 1) for i in range(layers - 1))]


@wrong("widest_without_holes", says="list of 6 dilations")
def widest_without_holes_up_to_four(layers):
    return [1, 3, 9, 27][:layers]


@wrong("widest_without_holes", says="list of 3 dilations, not a NumPy array")
def widest_without_holes_as_array(layers):
    return 3 ** np.arange(layers)


@wrong("widest_without_holes", says="list of 3 dilations")
def widest_without_holes_one_too_many(layers):
    return [3**i for i in range(layers + 1)]


@wrong("widest_without_holes", says="whole number")
def widest_without_holes_from_zero(layers):
    return [3**i - 1 for i in range(layers)]


# ---- effective_sigma


def _moments(weights):
    positions = torch.arange(len(weights))
    return positions, (weights * positions).sum() / weights.sum()


@wrong("effective_sigma", says="variance: take")
def effective_sigma_variance(weights):
    positions, mean = _moments(weights)
    return ((weights * (positions - mean) ** 2).sum() / weights.sum()).item()


@wrong("effective_sigma", says="mean position")
def effective_sigma_mean(weights):
    return _moments(weights)[1].item()


@wrong("effective_sigma", says="minus one")
def effective_sigma_of_a_sample(weights):
    positions, mean = _moments(weights)
    return ((weights * (positions - mean) ** 2).sum() / (weights.sum() - 1)).sqrt().item()


@wrong("effective_sigma", says="weights themselves")
def effective_sigma_of_the_weights(weights):
    return weights.std().item()


@wrong("effective_sigma", says="asked for is that of the positions")
def effective_sigma_of_the_weights_in_numpy(weights):
    return float(np.std(weights.numpy()))


@wrong("effective_sigma", says="mean of the squares minus the *square*")
def effective_sigma_mean_not_squared(weights):
    positions, mean = _moments(weights)
    return ((weights * positions**2).sum() / weights.sum() - mean).sqrt().item()


@wrong("effective_sigma", says="squared the share as well")
def effective_sigma_of_squared_products(weights):
    positions, mean = _moments(weights)
    share = weights / weights.sum()
    return ((share * (positions - mean)) ** 2).sum().sqrt().item()


@wrong("effective_sigma", says="doesn't depend on the weights")
def effective_sigma_of_the_positions(weights):
    return torch.arange(len(weights), dtype=torch.float64).std().item()


@wrong("effective_sigma", says="weights are missing")
def effective_sigma_of_the_positions_in_numpy(weights):
    return float(np.std(np.arange(len(weights))))


@wrong("effective_sigma", says="in the variance, too")
def effective_sigma_not_normalised(weights):
    positions, mean = _moments(weights)
    return (weights * (positions - mean) ** 2).sum().sqrt().item()


@wrong("effective_sigma", says="before you take mean and variance")
def effective_sigma_nowhere_normalised(weights):
    positions = torch.arange(len(weights))
    mean = (weights * positions).sum()
    return (weights * (positions - mean) ** 2).sum().sqrt().item()


@wrong("effective_sigma", says="not by how many there are")
def effective_sigma_with_mean(weights):
    positions, mean = _moments(weights)
    return (weights * (positions - mean) ** 2).mean().sqrt().item()


@wrong("effective_sigma", says="not by the largest")
def effective_sigma_of_heights(weights):
    weights = weights / weights.max()
    positions, mean = _moments(weights)
    return (weights * (positions - mean) ** 2).sum().sqrt().item()


@wrong("effective_sigma", says="products of weight and position")
def effective_sigma_of_products(weights):
    return (weights * torch.arange(len(weights))).std().item()


@wrong("effective_sigma", says="don't average again")
def effective_sigma_with_mean_of_shares(weights):
    positions, mean = _moments(weights)
    return (weights / weights.sum() * (positions - mean) ** 2).mean().sqrt().item()


@wrong("effective_sigma", says="middle of the array")
def effective_sigma_around_the_middle(weights):
    positions = torch.arange(len(weights)) - (len(weights) - 1) / 2
    return ((weights * positions**2).sum() / weights.sum()).sqrt().item()


@wrong("effective_sigma", says="len(weights) // 2")
def effective_sigma_around_the_middle_pixel(weights):
    positions = torch.arange(len(weights)) - len(weights) // 2
    return ((weights * positions**2).sum() / weights.sum()).sqrt().item()


@wrong("effective_sigma", says="largest weight")
def effective_sigma_around_the_peak(weights):
    positions = torch.arange(len(weights)) - weights.argmax()
    return ((weights * positions**2).sum() / weights.sum()).sqrt().item()


@wrong("effective_sigma", says="position 0")
def effective_sigma_around_zero(weights):
    positions = torch.arange(len(weights))
    return ((weights * positions**2).sum() / weights.sum()).sqrt().item()


@wrong("effective_sigma", says="mean distance")
def effective_sigma_absolute(weights):
    positions, mean = _moments(weights)
    return ((weights * (positions - mean).abs()).sum() / weights.sum()).item()


@wrong("effective_sigma", says="squared the weights")
def effective_sigma_of_squares(weights):
    weights = weights**2
    positions, mean = _moments(weights)
    return ((weights * (positions - mean) ** 2).sum() / weights.sum()).sqrt().item()


@wrong("effective_sigma", says="twice")
def effective_sigma_doubled(weights):
    positions, mean = _moments(weights)
    return 2 * ((weights * (positions - mean) ** 2).sum() / weights.sum()).sqrt().item()


@wrong("effective_sigma", says="half of the peak's height")
def effective_sigma_half_width(weights):
    return int((weights >= weights.max() / 2).sum()) / 2
