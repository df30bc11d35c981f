"""Right answers to the exercises of notebook 01 in other styles: loops, NumPy, torch, another order."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import torch
import torch.nn.functional as F

from tests.right_answers import RightAnswers

right = RightAnswers("pixels_to_classes")


# ---- bounding_box


@right("bounding_box", "loops")
def bounding_box_by_loops(mask):
    xs, ys = [], []
    for x in range(mask.shape[0]):
        for y in range(mask.shape[1]):
            if mask[x, y]:
                xs.append(x)
                ys.append(y)
    return min(xs), max(xs), min(ys), max(ys)


@right("bounding_box", "NumPy, and its integers")
def bounding_box_in_numpy(mask):
    xs, ys = np.where(mask.numpy())
    return [xs.min(), xs.max(), ys.min(), ys.max()]


@right("bounding_box", "argmax from both ends")
def bounding_box_by_argmax(mask):
    box = []
    for line in (mask.any(dim=1).int(), mask.any(dim=0).int()):
        box += [line.argmax().item(), len(line) - 1 - line.flip(0).argmax().item()]
    return tuple(box)


@right("bounding_box", "tensors of one integer")
def bounding_box_of_tensors(mask):
    xs, ys = mask.nonzero().T
    return xs.min(), xs.max(), ys.min(), ys.max()


# ---- rename_clusters


@right("rename_clusters", "a list of looked-up names")
def rename_by_comprehension(clusters, names):
    return np.array([names[cluster] for cluster in clusters])


@right("rename_clusters", "masks into a new array")
def rename_by_masks(clusters, names):
    renamed = np.zeros_like(clusters)
    for old, new in enumerate(names):
        renamed[clusters == old] = new
    return renamed


@right("rename_clusters", "np.take, in 32 bits")
def rename_by_take(clusters, names):
    return np.take(np.array(names, dtype=np.int32), clusters)


@right("rename_clusters", "np.select")
def rename_by_select(clusters, names):
    return np.select([clusters == old for old in range(len(names))], names)


# ---- sum_of_squares


@right("sum_of_squares", "loops over points")
def squares_by_loops(points, clusters):
    total = 0.0
    for cluster in set(clusters.tolist()):
        own = [point for point, number in zip(points, clusters) if number == cluster]
        mean = sum(own) / len(own)
        for point in own:
            total += sum((point - mean) ** 2)
    return total


@right("sum_of_squares", "variance times number")
def squares_by_variance(points, clusters):
    return sum(
        points[clusters == c].var(axis=0).sum() * np.count_nonzero(clusters == c) for c in np.unique(clusters)
    )


@right("sum_of_squares", "a mean for each point, in torch")
def squares_in_torch(points, clusters):
    numbers, place = np.unique(clusters, return_inverse=True)
    members = F.one_hot(torch.from_numpy(place), len(numbers)).double()
    means = members.T @ torch.from_numpy(points) / members.sum(dim=0)[:, None]
    return ((torch.from_numpy(points) - means[place]) ** 2).sum()


# ---- patches_around


@right("patches_around", "loops and stack")
def patches_by_loops(image, size):
    padded = F.pad(image, (size // 2,) * 4)
    pixels = itertools.product(range(image.shape[1]), range(image.shape[2]))
    return torch.stack([padded[:, x : x + size, y : y + size] for x, y in pixels])


@right("patches_around", "zeros filled in")
def patches_filled_in(image, size):
    channels, width, height = image.shape
    half = size // 2
    padded = image.new_zeros(channels, width + 2 * half, height + 2 * half)
    padded[:, half : half + width, half : half + height] = image
    patches = image.new_empty(width * height, channels, size, size)
    for dx in range(size):
        for dy in range(size):
            patches[:, :, dx, dy] = padded[:, dx : dx + width, dy : dy + height].flatten(1).T
    return patches


@right("patches_around", "y unfolded first")
def patches_y_first(image, size):
    padded = F.pad(image, (size // 2,) * 4)
    windows = padded.unfold(2, size, 1).unfold(1, size, 1)  # (channels, x, y, patch y, patch x)
    return windows.permute(1, 2, 0, 4, 3).flatten(0, 1)


@right("patches_around", "NumPy's windows")
def patches_in_numpy(image, size):
    half = size // 2
    padded = np.pad(image.numpy(), ((0, 0), (half, half), (half, half)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    return torch.from_numpy(np.moveaxis(windows, 0, 2).reshape(-1, len(image), size, size).copy())


# ---- convolution_macs


@right("convolution_macs", "loops over the output")
def macs_by_counting(in_channels, out_channels, kernel, width, height):
    count = 0
    for _ in range(out_channels):
        for _ in range(width):
            count += height * in_channels * kernel * kernel
    return count


@right("convolution_macs", "np.prod")
def macs_by_product(in_channels, out_channels, kernel, width, height):
    return np.prod([width, height, kernel, kernel, in_channels, out_channels])


@right("convolution_macs", "weights times places")
def macs_as_weights_times_places(in_channels, out_channels, kernel, width, height):
    weights = torch.empty(out_channels, in_channels, kernel, kernel, device="meta").numel()
    return weights * (width * height)


# ---- reads_per_pixel


@right("reads_per_pixel", "every patch adds one, in floats")
def reads_by_adding(width, height, size):
    half = size // 2
    reads = np.zeros((width, height))
    for x in range(width):
        for y in range(height):
            reads[max(x - half, 0) : x + half + 1, max(y - half, 0) : y + half + 1] += 1
    return reads


@right("reads_per_pixel", "counting the pairs of places")
def reads_by_comparing(width, height, size):
    def near(n):
        return (np.abs(np.arange(n)[:, None] - np.arange(n)) <= size // 2).sum(axis=1)

    return near(width)[:, None] * near(height)


@right("reads_per_pixel", "a convolution of ones")
def reads_by_convolution(width, height, size):
    ones = torch.ones(1, 1, width, height)
    return F.conv2d(ones, torch.ones(1, 1, size, size), padding=size // 2)[0, 0].numpy().round().astype(int)


@right("reads_per_pixel", "a counter of pixels, in 32 bits")
def reads_by_counter(width, height, size):
    half, seen = size // 2, Counter()
    for x, y in np.ndindex(width, height):
        seen.update((x + dx, y + dy) for dx in range(-half, half + 1) for dy in range(-half, half + 1))
    return np.array([[seen[x, y] for y in range(height)] for x in range(width)], dtype=np.int32)


# ---- linear_to_convolution


@right("linear_to_convolution", "view, as a parameter")
def kernel_as_a_parameter(weight, channels, width, height):
    return torch.nn.Parameter(weight.view(len(weight), channels, width, height))


@right("linear_to_convolution", "loops")
def kernel_by_loops(weight, channels, width, height):
    kernel = torch.zeros(len(weight), channels, width, height, dtype=weight.dtype)
    place = 0
    for c in range(channels):
        for x in range(width):
            for y in range(height):
                kernel[:, c, x, y] = weight[:, place]
                place += 1
    return kernel


@right("linear_to_convolution", "unflatten")
def kernel_by_unflatten(weight, channels, width, height):
    return weight.unflatten(1, (channels, width, height))


# ---- shift_and_stitch


@right("shift_and_stitch", "once more for the shape")
def stitch_after_a_first_look(strided, padded, size, stride):
    classes = strided(padded).shape[1]
    result = torch.zeros(
        1, classes, padded.shape[2] - size + 1, padded.shape[3] - size + 1, dtype=padded.dtype
    )
    for dy in range(stride):
        for dx in range(stride):
            result[0, :, dx::stride, dy::stride] = strided(padded[..., dx:, dy:])[0]
    return result


@right("shift_and_stitch", "pixel by pixel")
def stitch_pixel_by_pixel(strided, padded, size, stride):
    parts = [[strided(padded[:, :, dx:, dy:]) for dy in range(stride)] for dx in range(stride)]
    width, height = padded.shape[2] - size + 1, padded.shape[3] - size + 1
    lines = [
        torch.stack(
            [parts[x % stride][y % stride][:, :, x // stride, y // stride] for y in range(height)], dim=-1
        )
        for x in range(width)
    ]
    return torch.stack(lines, dim=2)


@right("shift_and_stitch", "rolled images, the rest cut off")
def stitch_by_rolling(strided, padded, size, stride):
    width, height = padded.shape[2] - size + 1, padded.shape[3] - size + 1
    result = None
    for dx, dy in itertools.product(range(stride), repeat=2):
        part = strided(padded.roll((-dx, -dy), (2, 3)))
        if result is None:
            result = part.new_full((1, part.shape[1], width, height), torch.nan)
        places = result[:, :, dx::stride, dy::stride]
        places.copy_(part[:, :, : places.shape[2], : places.shape[3]])
    return result
