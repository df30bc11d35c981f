"""Wrong answers to the exercises of notebook 04, as students would write them."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F

from tests.wrong_answers import WrongAnswers

wrong = WrongAnswers("receptive_field")


# ---- receptive_field_of


@wrong("receptive_field_of", says="multiply by the jump")
def receptive_field_without_jump(layers):
    size, jump, start = 1, 1, 0
    for layer in layers:
        size += (layer.kernel - 1) * layer.dilation
        start -= layer.padding * jump
        jump *= layer.stride
    return size, jump, start


@wrong("receptive_field_of", says="too early")
def receptive_field_jump_first(layers):
    size, jump, start = 1, 1, 0
    for layer in layers:
        jump *= layer.stride
        size += (layer.kernel - 1) * layer.dilation * jump
        start -= layer.padding * jump
    return size, jump, start


@wrong("receptive_field_of", says="dilation is missing")
def receptive_field_without_dilation(layers):
    size, jump, start = 1, 1, 0
    for layer in layers:
        size += (layer.kernel - 1) * jump
        start -= layer.padding * jump
        jump *= layer.stride
    return size, jump, start


@wrong("receptive_field_of", says="k - 1 steps")
def receptive_field_whole_kernels(layers):
    size, jump, start = 1, 1, 0
    for layer in layers:
        size += layer.kernel * layer.dilation * jump
        start -= layer.padding * jump
        jump *= layer.stride
    return size, jump, start


@wrong("receptive_field_of", says="subtract it")
def receptive_field_padding_added(layers):
    size, jump, start = 1, 1, 0
    for layer in layers:
        size += (layer.kernel - 1) * layer.dilation * jump
        start += layer.padding * jump
        jump *= layer.stride
    return size, jump, start


@wrong("receptive_field_of", says="`jump` pixels wide")
def receptive_field_padding_in_pixels(layers):
    size, jump, start = 1, 1, 0
    for layer in layers:
        size += (layer.kernel - 1) * layer.dilation * jump
        start -= layer.padding
        jump *= layer.stride
    return size, jump, start


@wrong("receptive_field_of", says="order is size, jump, start")
def receptive_field_in_another_order(layers):
    size, jump, start = 1, 1, 0
    for layer in layers:
        size += (layer.kernel - 1) * layer.dilation * jump
        start -= layer.padding * jump
        jump *= layer.stride
    return size, start, jump


@wrong("receptive_field_of", says="product of all strides")
def receptive_field_last_stride(layers):
    size, jump, start = 1, 1, 0
    for layer in layers:
        size += (layer.kernel - 1) * layer.dilation * jump
        start -= layer.padding * jump
        jump = layer.stride
    return size, jump, start


@wrong("receptive_field_of", says="padding is missing")
def receptive_field_without_padding(layers):
    size, jump, start = 1, 1, 0
    for layer in layers:
        size += (layer.kernel - 1) * layer.dilation * jump
        jump *= layer.stride
    return size, jump, start


@wrong("receptive_field_of", says="starts at 1")
def receptive_field_from_zero(layers):
    size, jump, start = 0, 1, 0
    for layer in layers:
        size += (layer.kernel - 1) * layer.dilation * jump
        start -= layer.padding * jump
        jump *= layer.stride
    return size, jump, start


@wrong("receptive_field_of", says="update the jump last")
def receptive_field_jump_between(layers):
    size, jump, start = 1, 1, 0
    for layer in layers:
        size += (layer.kernel - 1) * layer.dilation * jump
        jump *= layer.stride
        start -= layer.padding * jump
    return size, jump, start


@wrong("receptive_field_of", says="from the input on")
def receptive_field_backwards(layers):
    size, jump, start = 1, 1, 0
    for layer in reversed(layers):
        size += (layer.kernel - 1) * layer.dilation * jump
        start -= layer.padding * jump
        jump *= layer.stride
    return size, jump, start


@wrong("receptive_field_of", says="not a NumPy array")
def receptive_field_as_array(layers):
    return np.array([8, 2, 0])


@wrong("receptive_field_of", says="3 items")
def receptive_field_size_only(layers):
    size, jump = 1, 1
    for layer in layers:
        size += (layer.kernel - 1) * layer.dilation * jump
        jump *= layer.stride
    return [size]


wrong.value("early_stride", "A", says="order matters")
wrong.value("early_stride", "C", says="one pixel, no more")
wrong.value("early_stride", "D", says="same jump")


# ---- depth_needed


@wrong("depth_needed", says="still too small")
def depth_needed_floor_of_size(size, kernel):
    return size // (kernel - 1)


@wrong("depth_needed", says="one layer too many")
def depth_needed_from_zero(size, kernel):
    return math.ceil(size / (kernel - 1))


@wrong("depth_needed", says="rounded down")
def depth_needed_rounded_down(size, kernel):
    return (size - 1) // (kernel - 1)


@wrong("depth_needed", says="not kernel")
def depth_needed_whole_kernels(size, kernel):
    return math.ceil((size - 1) / kernel)


@wrong("depth_needed", says="whole number")
def depth_needed_fraction(size, kernel):
    return (size - 1) / (kernel - 1)


wrong.value("doubling_depth", 120, says="without dilation")
wrong.value("doubling_depth", 6, says="127 pixels")
wrong.value("doubling_depth", 8, says="511 pixels")
wrong.value("doubling_depth", 255, says="too large")


# ---- causal_convolution


@wrong("causal_convolution", says="both sides alike")
def causal_convolution_same(signal, kernel, dilation=1):
    missing = (len(kernel) - 1) * dilation
    padded = F.pad(signal, (missing // 2, missing - missing // 2))
    return F.conv1d(padded[None, None], kernel[None, None], dilation=dilation)[0, 0]


@wrong("causal_convolution", says="both ends")
def causal_convolution_padding_argument(signal, kernel, dilation=1):
    padding = (len(kernel) - 1) * dilation
    return F.conv1d(signal[None, None], kernel[None, None], padding=padding, dilation=dilation)[0, 0]


@wrong("causal_convolution", says="python's last value")
def causal_convolution_wrapping(signal, kernel, dilation=1):
    y = torch.zeros_like(signal)
    for t in range(len(signal)):
        for j in range(len(kernel)):
            y[t] += kernel[j] * signal[t - (len(kernel) - 1 - j) * dilation]
    return y


@wrong("causal_convolution", says="never the past")
def causal_convolution_padded_on_the_right(signal, kernel, dilation=1):
    padded = F.pad(signal, (0, (len(kernel) - 1) * dilation))
    return F.conv1d(padded[None, None], kernel[None, None], dilation=dilation)[0, 0]


@wrong("causal_convolution", says="grow with the dilation")
def causal_convolution_padding_without_dilation(signal, kernel, dilation=1):
    padded = F.pad(signal, (len(kernel) - 1, 0))
    return F.conv1d(padded[None, None], kernel[None, None], dilation=dilation)[0, 0]


@wrong("causal_convolution", says="dilation is missing")
def causal_convolution_without_dilation(signal, kernel, dilation=1):
    padded = F.pad(signal, (len(kernel) - 1, 0))
    return F.conv1d(padded[None, None], kernel[None, None])[0, 0]


@wrong("causal_convolution", says="one zero too many")
def causal_convolution_one_late(signal, kernel, dilation=1):
    padded = F.pad(signal, ((len(kernel) - 1) * dilation + 1, 0))
    return F.conv1d(padded[None, None], kernel[None, None], dilation=dilation)[0, 0][:-1]


@wrong("causal_convolution", says="flipped")
def causal_convolution_flipped(signal, kernel, dilation=1):
    y = torch.zeros_like(signal)
    for t in range(len(signal)):
        for j in range(len(kernel)):
            if t - j * dilation >= 0:
                y[t] += kernel[j] * signal[t - j * dilation]
    return y


wrong.value("wavenet_field", 1023, says="present sample")
wrong.value("wavenet_field", 513, says="last layer only")
wrong.value("wavenet_field", 2047, says="not twice")
wrong.value("wavenet_field", 11, says="without dilation")


# ---- dilated_convolution


@wrong("dilated_convolution", says="dilation is missing")
def dilated_convolution_plain(image, kernel, dilation):
    return F.conv2d(image[None, None], kernel[None, None])[0, 0]


@wrong("dilated_convolution", says="stride")
def dilated_convolution_strided(image, kernel, dilation):
    return F.conv2d(image[None, None], kernel[None, None], stride=dilation)[0, 0]


@wrong("dilated_convolution", says="flipped")
def dilated_convolution_flipped(image, kernel, dilation):
    k1, k2 = kernel.shape
    height, width = image.shape[0] - (k1 - 1) * dilation, image.shape[1] - (k2 - 1) * dilation
    y = torch.zeros(height, width, dtype=image.dtype)
    for p in range(k1):
        for q in range(k2):
            top, left = (k1 - 1 - p) * dilation, (k2 - 1 - q) * dilation
            y += kernel[p, q] * image[top : top + height, left : left + width]
    return y


def _stamped(image, kernel, dilation, add=True):
    (h, w), (k1, k2) = image.shape, kernel.shape
    output = torch.zeros((h - 1) * dilation + k1, (w - 1) * dilation + k2, dtype=image.dtype)
    for m in range(h):
        for n in range(w):
            window = (slice(dilation * m, dilation * m + k1), slice(dilation * n, dilation * n + k2))
            output[window] = (output[window] if add else 0) + image[m, n] * kernel
    return output


@wrong("dilated_convolution", says="kernel's entries move apart")
def dilated_convolution_as_on_the_slide(image, kernel, dilation):
    return _stamped(image, kernel, dilation)


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


@wrong("printed_formula", says="don't overwrite")
def printed_formula_overwriting(image, kernel, dilation):
    return _stamped(image, kernel, dilation, add=False)


@wrong("printed_formula", says="flipped")
def printed_formula_flipped(image, kernel, dilation):
    return _stamped(image, kernel.flip(0, 1), dilation)


@wrong("printed_formula", says="dilation is missing")
def printed_formula_without_dilation(image, kernel, dilation):
    return _stamped(image, kernel, 1)


wrong.value("slide_formula", "A", says="compare the sizes")
wrong.value("slide_formula", "B", says="makes the image smaller")
wrong.value("slide_formula", "D", says="never the size")

wrong.value("context_weights", 72, says="not 9 C^2")
wrong.value("context_weights", 63, says="1x1, has weights")
wrong.value("context_weights", 8, says="nine weights each")


# ---- touched_positions


@wrong("touched_positions", says="begin with the last")
def touched_positions_forwards(layers):
    positions = {0}
    for layer in layers:
        positions = {
            o * layer.stride - layer.padding + j * layer.dilation
            for o in positions
            for j in range(layer.kernel)
        }
    return sorted(positions)


@wrong("touched_positions", says="holes included")
def touched_positions_whole_field(layers):
    size, jump, start = 1, 1, 0
    for layer in layers:
        size += (layer.kernel - 1) * layer.dilation * jump
        start -= layer.padding * jump
        jump *= layer.stride
    return list(range(start, start + size))


@wrong("touched_positions", says="stride is missing")
def touched_positions_without_stride(layers):
    positions = {0}
    for layer in layers[::-1]:
        positions = {o - layer.padding + j * layer.dilation for o in positions for j in range(layer.kernel)}
    return sorted(positions)


@wrong("touched_positions", says="padding is missing")
def touched_positions_without_padding(layers):
    positions = {0}
    for layer in layers[::-1]:
        positions = {o * layer.stride + j * layer.dilation for o in positions for j in range(layer.kernel)}
    return sorted(positions)


@wrong("touched_positions", says="dilation is missing")
def touched_positions_without_dilation(layers):
    positions = {0}
    for layer in layers[::-1]:
        positions = {o * layer.stride - layer.padding + j for o in positions for j in range(layer.kernel)}
    return sorted(positions)


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


@wrong("touched_positions", says="subtract it")
def touched_positions_padding_added(layers):
    positions = {0}
    for x in layers[::-1]:
        positions = {o * x.stride + x.padding + j * x.dilation for o in positions for j in range(x.kernel)}
    return sorted(positions)


@wrong("touched_positions", says="output's position only")
def touched_positions_stride_outside(layers):
    positions = {0}
    for x in layers[::-1]:
        positions = {(o - x.padding + j * x.dilation) * x.stride for o in positions for j in range(x.kernel)}
    return sorted(positions)


@wrong("touched_positions", says="keep them")
def touched_positions_inside_only(layers):
    positions = {0}
    for x in layers[::-1]:
        positions = {o * x.stride - x.padding + j * x.dilation for o in positions for j in range(x.kernel)}
    return sorted(position for position in positions if position >= 0)


@wrong("touched_positions", says="whole numbers")
def touched_positions_as_floats(layers):
    positions = {0.0}
    for x in layers[::-1]:
        positions = {o * x.stride - x.padding + j * x.dilation for o in positions for j in range(x.kernel)}
    return sorted(positions)


wrong.value("touched_pixels", 5, says="one axis")
wrong.value("touched_pixels", 81, says="the square they span")
wrong.value("touched_pixels", 9, says="one layer")
wrong.value("touched_pixels", 18, says="paths")


# ---- widest_without_holes


@wrong("widest_without_holes", says="multiples of 2")
def widest_without_holes_twos(layers):
    return [2] * layers


@wrong("widest_without_holes", says="powers of two")
def widest_without_holes_doubling(layers):
    return [2**i for i in range(layers)]


@wrong("widest_without_holes", says="wider field")
def widest_without_holes_plain(layers):
    return [1] * layers


@wrong("widest_without_holes", says="there are holes")
def widest_without_holes_powers_of_four(layers):
    return [4**i for i in range(layers)]


@wrong("widest_without_holes", says="list of")
def widest_without_holes_one_too_many(layers):
    return [3**i for i in range(layers + 1)]


@wrong("widest_without_holes", says="whole number")
def widest_without_holes_from_zero(layers):
    return [3**i - 1 for i in range(layers)]


wrong.value("gridding_picture", "A", says="noise")
wrong.value("gridding_picture", "C", says="stays even")
wrong.value("gridding_picture", "D", says="nothing was subsampled")

wrong.value("unet_phase", "A", says="no zeros")
wrong.value("unet_phase", "B", says="equal and positive")
wrong.value("unet_phase", "C", says="all four pixels")


# ---- effective_sigma


@wrong("effective_sigma", says="variance")
def effective_sigma_variance(weights):
    positions = torch.arange(len(weights))
    mean = (weights * positions).sum() / weights.sum()
    return ((weights * (positions - mean) ** 2).sum() / weights.sum()).item()


@wrong("effective_sigma", says="mean position")
def effective_sigma_mean(weights):
    return ((weights * torch.arange(len(weights))).sum() / weights.sum()).item()


@wrong("effective_sigma", says="minus one")
def effective_sigma_of_a_sample(weights):
    positions = torch.arange(len(weights))
    mean = (weights * positions).sum() / weights.sum()
    return ((weights * (positions - mean) ** 2).sum() / (weights.sum() - 1)).sqrt().item()


@wrong("effective_sigma", says="weights themselves")
def effective_sigma_of_the_weights(weights):
    return weights.std().item()


@wrong("effective_sigma", says="divide by their sum")
def effective_sigma_not_normalised(weights):
    positions = torch.arange(len(weights))
    mean = (weights * positions).sum() / weights.sum()
    return (weights * (positions - mean) ** 2).sum().sqrt().item()


@wrong("effective_sigma", says="middle of the array")
def effective_sigma_around_the_middle(weights):
    positions = torch.arange(len(weights)) - (len(weights) - 1) / 2
    return ((weights * positions**2).sum() / weights.sum()).sqrt().item()


@wrong("effective_sigma", says="position 0")
def effective_sigma_around_zero(weights):
    positions = torch.arange(len(weights))
    return ((weights * positions**2).sum() / weights.sum()).sqrt().item()


wrong.value("doubling_sigma", 2, says="square root")
wrong.value("doubling_sigma", math.sqrt(2), says="opposite")
wrong.value("doubling_sigma", 8, says="logarithm")

wrong.value("context_picture", "A", says="right end")
wrong.value("context_picture", "B", says="far below")
wrong.value("context_picture", "D", says="opposite")
