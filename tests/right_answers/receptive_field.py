"""Right answers to the exercises of `course_utils.checks.receptive_field`."""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F

from course_utils.receptive_field import receptive_field, touched
from tests.right_answers import RightAnswers

right = RightAnswers("receptive_field")


@right("receptive_field_of", "tuple, one line a layer, start first")
def receptive_field_in_tuples(layers):
    start, size, jump = 0, 1, 1
    for k, s, d, p in ((x.kernel, x.stride, x.dilation, x.padding) for x in layers):
        start, size, jump = start - p * jump, size + (k - 1) * d * jump, jump * s
    return size, jump, start


@right("receptive_field_of", "from the last layer down to the first and last input")
def receptive_field_from_the_output(layers):
    first, last = 0, 0
    for x in reversed(layers):
        first, last = first * x.stride - x.padding, last * x.stride - x.padding + (x.kernel - 1) * x.dilation
    return last - first + 1, math.prod(x.stride for x in layers), first


@right("receptive_field_of", "NumPy integers, a list")
def receptive_field_in_numpy(layers):
    strides = np.array([1, *(x.stride for x in layers)])
    jumps = np.cumprod(strides)
    size = 1 + sum((x.kernel - 1) * x.dilation * jump for x, jump in zip(layers, jumps))
    return [size, jumps[-1], 0 - sum(x.padding * jump for x, jump in zip(layers, jumps))]


@right("receptive_field_of", "the package's")
def receptive_field_of_the_package(layers):
    return receptive_field(layers)


@right("depth_needed", "counting up")
def depth_by_counting(size, kernel):
    depth, field = 0, 1
    while field < size:
        field += kernel - 1
        depth += 1
    return depth


@right("depth_needed", "math.ceil")
def depth_by_ceil(size, kernel):
    return math.ceil((size - 1) / (kernel - 1))


@right("depth_needed", "NumPy")
def depth_by_numpy(size, kernel):
    return int(np.ceil((size - 1) / (kernel - 1)))


@right("depth_needed", "divmod")
def depth_by_divmod(size, kernel):
    layers, rest = divmod(size - 1, kernel - 1)
    return layers + (rest > 0)


@right("causal_convolution", "two loops")
def causal_by_loops(signal, kernel, dilation=1):
    y = torch.zeros_like(signal)
    for t in range(len(signal)):
        for j in range(len(kernel)):
            past = t - (len(kernel) - 1 - j) * dilation
            if past >= 0:
                y[t] += kernel[j] * signal[past]
    return y


@right("causal_convolution", "padding on both sides, the future cut off")
def causal_by_cutting(signal, kernel, dilation=1):
    padding = (len(kernel) - 1) * dilation
    y = F.conv1d(signal[None, None], kernel[None, None], padding=padding, dilation=dilation)
    return y[0, 0, : len(signal)]


@right("causal_convolution", "zeros by torch.cat, moved copies")
def causal_by_copies(signal, kernel, dilation=1):
    n, zeros = len(signal), (len(kernel) - 1) * dilation
    padded = torch.cat([signal.new_zeros(zeros), signal])
    return sum(kernel[j] * padded[j * dilation : j * dilation + n] for j in range(len(kernel)))


@right("causal_convolution", "np.convolve with a spread kernel")
def causal_by_numpy(signal, kernel, dilation=1):
    spread = np.zeros((len(kernel) - 1) * dilation + 1)
    spread[::dilation] = kernel.numpy()
    return torch.from_numpy(np.convolve(signal.numpy(), spread[::-1])[: len(signal)].copy())


@right("dilated_convolution", "pixel by pixel")
def dilated_by_pixels(image, kernel, dilation):
    (k1, k2), (h, w) = kernel.shape, image.shape
    y = torch.empty(h - (k1 - 1) * dilation, w - (k2 - 1) * dilation, dtype=image.dtype)
    for i, j in itertools.product(range(y.shape[0]), range(y.shape[1])):
        window = image[i : i + (k1 - 1) * dilation + 1 : dilation, j : j + (k2 - 1) * dilation + 1 : dilation]
        y[i, j] = (window * kernel).sum()
    return y


@right("dilated_convolution", "a kernel with zeros, unfolded")
def dilated_by_unfold(image, kernel, dilation):
    k1, k2 = kernel.shape
    windows = F.unfold(image[None, None], (k1, k2), dilation=dilation)[0]
    height = image.shape[0] - (k1 - 1) * dilation
    return (kernel.flatten() @ windows).reshape(height, -1)


@right("dilated_convolution", "PyTorch's own")
def dilated_by_pytorch(image, kernel, dilation):
    return F.conv2d(image[None, None], kernel[None, None], dilation=dilation)[0, 0]


@right("printed_formula", "letter by letter, four loops")
def printed_letter_by_letter(image, kernel, dilation):
    (h, w), (k1, k2) = image.shape, kernel.shape
    output = torch.zeros((h - 1) * dilation + k1, (w - 1) * dilation + k2, dtype=image.dtype)
    for i, j in itertools.product(range(output.shape[0]), range(output.shape[1])):
        for m, n in itertools.product(range(h), range(w)):
            p, q = i - dilation * m, j - dilation * n
            if 0 <= p < k1 and 0 <= q < k2:
                output[i, j] += image[m, n] * kernel[p, q]
    return output


@right("printed_formula", "by the kernel's entries, strided slices")
def printed_by_kernel_entries(image, kernel, dilation):
    (h, w), (k1, k2) = image.shape, kernel.shape
    output = image.new_zeros((h - 1) * dilation + k1, (w - 1) * dilation + k2)
    for p, q in itertools.product(range(k1), range(k2)):
        rows = slice(p, p + (h - 1) * dilation + 1, dilation)
        columns = slice(q, q + (w - 1) * dilation + 1, dilation)
        output[rows, columns] += kernel[p, q] * image
    return output


@right("printed_formula", "zeros between pixels, then a full convolution")
def printed_by_zeros(image, kernel, dilation):
    (h, w), (k1, k2) = image.shape, kernel.shape
    spread = image.new_zeros((h - 1) * dilation + 1, (w - 1) * dilation + 1)
    spread[::dilation, ::dilation] = image
    flipped = kernel.flip(0, 1)[None, None]
    return F.conv2d(spread[None, None], flipped, padding=(k1 - 1, k2 - 1))[0, 0]


@right("touched_positions", "lists and a recursion")
def touched_by_recursion(layers):
    if not layers:
        return [0]
    found = []
    for o in touched_by_recursion(layers[1:]):
        for j in range(layers[0].kernel):
            place = o * layers[0].stride - layers[0].padding + j * layers[0].dilation
            if place not in found:
                found.append(place)
    found.sort()
    return found


@right("touched_positions", "np.unique, NumPy integers")
def touched_by_numpy(layers):
    positions = np.zeros(1, dtype=int)
    for x in layers[::-1]:
        offsets = x.dilation * np.arange(x.kernel) - x.padding
        positions = np.unique(np.add.outer(x.stride * positions, offsets))
    return list(positions)


@right("touched_positions", "the package's")
def touched_by_the_package(layers):
    return touched(layers).tolist()


@right("widest_without_holes", "a loop that triples")
def widest_by_tripling(layers):
    dilations, d = [], 1
    for _ in range(layers):
        dilations.append(d)
        d *= 3
    return dilations


@right("widest_without_holes", "each layer as wide as the field before it")
def widest_by_the_field(layers):
    dilations, size = [], 1
    for _ in range(layers):
        dilations.append(size)
        size += 2 * size
    return dilations


@right("widest_without_holes", "the other way round, NumPy integers in a tuple")
def widest_descending(layers):
    return tuple(3 ** np.arange(layers)[::-1])


@right("effective_sigma", "mean of squares minus squared mean")
def sigma_by_two_moments(weights):
    positions = torch.arange(len(weights), dtype=weights.dtype)
    share = weights / weights.sum()
    return ((share * positions**2).sum() - (share * positions).sum() ** 2).sqrt().item()


@right("effective_sigma", "NumPy's weighted average")
def sigma_by_numpy(weights):
    positions = np.arange(len(weights))
    mean = np.average(positions, weights=weights.numpy())
    return float(np.sqrt(np.average((positions - mean) ** 2, weights=weights.numpy())))


@right("effective_sigma", "a loop in plain Python")
def sigma_by_loop(weights):
    total = sum(w.item() for w in weights)
    mean = sum(i * w.item() for i, w in enumerate(weights)) / total
    return math.sqrt(sum(w.item() * (i - mean) ** 2 for i, w in enumerate(weights)) / total)
