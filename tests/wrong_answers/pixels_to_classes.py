"""Wrong answers to the exercises of notebook 01, as students would write them."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from tests.wrong_answers import WrongAnswers

wrong = WrongAnswers("pixels_to_classes")


# ---- bounding_box


@wrong("bounding_box", says="x and y are swapped")
def bounding_box_swapped(mask):
    xs, ys = mask.any(dim=0).nonzero(), mask.any(dim=1).nonzero()
    return int(xs.min()), int(xs.max()), int(ys.min()), int(ys.max())


@wrong("bounding_box", says="another order")
def bounding_box_two_corners(mask):
    where = mask.nonzero()
    return (*where.min(dim=0).values.tolist(), *where.max(dim=0).values.tolist())


@wrong("bounding_box", says="one too far")
def bounding_box_as_slices(mask):
    xs, ys = mask.nonzero().T
    return int(xs.min()), int(xs.max()) + 1, int(ys.min()), int(ys.max()) + 1


@wrong("bounding_box", says="widths")
def bounding_box_with_widths(mask):
    xs, ys = mask.nonzero().T
    return int(xs.min()), int(xs.max() - xs.min()) + 1, int(ys.min()), int(ys.max() - ys.min()) + 1


@wrong("bounding_box", says="4 items")
def bounding_box_two_pairs(mask):
    xs, ys = mask.nonzero().T
    return (int(xs.min()), int(xs.max())), (int(ys.min()), int(ys.max()))


@wrong("bounding_box", says="differences")
def bounding_box_with_differences(mask):
    xs, ys = mask.nonzero().T
    return int(xs.min()), int(xs.max() - xs.min()), int(ys.min()), int(ys.max() - ys.min())


@wrong("bounding_box", says="y before x")
def bounding_box_corners_of_y_and_x(mask):
    xs, ys = mask.nonzero().T
    return int(ys.min()), int(xs.min()), int(ys.max()), int(xs.max())


@wrong("bounding_box", says="sorts by x first")
def bounding_box_first_and_last_entry(mask):
    p = mask.nonzero()
    return int(p[0][0]), int(p[-1][0]), int(p[0][1]), int(p[-1][1])


@wrong("bounding_box", says="counts from the end")
def bounding_box_flipped(mask):
    xs, ys = mask.any(dim=1).int(), mask.any(dim=0).int()
    return int(xs.argmax()), int(xs.flip(0).argmax()), int(ys.argmax()), int(ys.flip(0).argmax())


# ---- rename_clusters


@wrong("rename_clusters", says="renamed twice")
def rename_clusters_in_a_row(clusters, names):
    clusters = clusters.copy()
    for old, new in enumerate(names):
        clusters[clusters == old] = new
    return clusters


@wrong("rename_clusters", says="opposite renaming")
def rename_clusters_backwards(clusters, names):
    old_of_new = {new: old for old, new in enumerate(names)}
    return np.vectorize(lambda cluster: old_of_new.get(cluster, cluster))(clusters)


@wrong("rename_clusters", says="nothing has been renamed")
def rename_clusters_forgotten(clusters, names):
    renamed = clusters.copy()
    for old, new in enumerate(names):
        renamed[renamed == old] = old
    return renamed


@wrong("rename_clusters", says="changes its input")
def rename_clusters_in_place(clusters, names):
    old = clusters.copy()
    for number, name in enumerate(names):
        clusters[old == number] = name
    return clusters


@wrong("rename_clusters", says="range(len(names))")
def rename_clusters_four_only(clusters, names):
    renamed = clusters.copy()
    for c in range(4):
        renamed[clusters == c] = names[c]
    return renamed


# ---- sum_of_squares


@wrong("sum_of_squares", says="squared before they are added")
def sum_of_distances(points, clusters):
    total = 0
    for c in np.unique(clusters):
        own = points[clusters == c]
        total += np.linalg.norm(own - own.mean(axis=0), axis=1).sum()
    return total


@wrong("sum_of_squares", says="squared their sum")
def sum_of_squares_squared_too_late(points, clusters):
    total = 0
    for c in np.unique(clusters):
        own = points[clusters == c]
        total += np.linalg.norm(own - own.mean(axis=0), axis=1).sum() ** 2
    return total


@wrong("sum_of_squares", says="mean of all points")
def sum_of_squares_one_mean(points, clusters):
    total = 0
    for c in np.unique(clusters):
        total += ((points[clusters == c] - points.mean(axis=0)) ** 2).sum()
    return total


@wrong("sum_of_squares", says="axis=0")
def sum_of_squares_scalar_mean(points, clusters):
    total = 0
    for c in np.unique(clusters):
        own = points[clusters == c]
        total += np.sum((own - own.mean()) ** 2)
    return total


@wrong("sum_of_squares", says="within each cluster")
def sum_of_variances(points, clusters):
    return sum(points[clusters == c].var(axis=0).sum() for c in np.unique(clusters))


@wrong("sum_of_squares", says="left out")
def sum_of_squares_from_0_to_3(points, clusters):
    total = 0
    for c in range(4):
        own = points[clusters == c]
        if len(own):
            total += ((own - own.mean(axis=0)) ** 2).sum()
    return total


@wrong("sum_of_squares", says="not a mean")
def mean_of_squares(points, clusters):
    squares = [((p - points[clusters == c].mean(axis=0)) ** 2).sum() for p, c in zip(points, clusters)]
    return np.mean(squares)


@wrong("sum_of_squares", says="averaged over the clusters")
def mean_over_clusters(points, clusters):
    sums = []
    for c in np.unique(clusters):
        own = points[clusters == c]
        sums.append(((own - own.mean(axis=0)) ** 2).sum())
    return np.mean(sums)


@wrong("sum_of_squares", says="only the first cluster")
def sum_of_squares_return_too_early(points, clusters):
    total = 0
    for c in np.unique(clusters):
        own = points[clusters == c]
        total += ((own - own.mean(axis=0)) ** 2).sum()
        return total


@wrong("sum_of_squares", says="only the last cluster")
def sum_of_squares_overwritten(points, clusters):
    for c in np.unique(clusters):
        own = points[clusters == c]
        total = ((own - own.mean(axis=0)) ** 2).sum()
    return total


@wrong("sum_of_squares", says="root of W")
def root_of_sum_of_squares(points, clusters):
    total = 0
    for c in np.unique(clusters):
        own = points[clusters == c]
        total += np.linalg.norm(own - own.mean(axis=0)) ** 2
    return np.sqrt(total)


for letter, words in {"A": "far from 1", "C": "same W", "D": "which region is the tumour"}.items():
    wrong.value("relabelling", letter, says=words)


# ---- patches_around


def padded_windows(image, size, **options):
    half = size // 2
    return F.pad(image, (half, half, half, half), **options).unfold(1, size, 1).unfold(2, size, 1)


@wrong("patches_around", says="mix channels")
def patches_without_permute(image, size):
    return padded_windows(image, size).reshape(-1, image.shape[0], size, size)


@wrong("patches_around", says="y runs fastest")
def patches_y_outside(image, size):
    half = size // 2
    padded = F.pad(image, (half, half, half, half))
    _, nx, ny = image.shape
    return torch.stack([padded[:, x : x + size, y : y + size] for y in range(ny) for x in range(nx)])


@wrong("patches_around", says="x and y are swapped")
def patches_transposed(image, size):
    half = size // 2
    padded = F.pad(image, (half, half, half, half))
    _, nx, ny = image.shape
    return torch.stack([padded[:, x : x + size, y : y + size].mT for x in range(nx) for y in range(ny)])


@wrong("patches_around", says="begin at their pixel")
def patches_from_the_corner(image, size):
    padded = F.pad(image, (0, size - 1, 0, size - 1))
    _, nx, ny = image.shape
    return torch.stack([padded[:, x : x + size, y : y + size] for x in range(nx) for y in range(ny)])


@wrong("patches_around", says="padding is missing")
def patches_inside_only(image, size):
    windows = image.unfold(1, size, 1).unfold(2, size, 1)
    return windows.permute(1, 2, 0, 3, 4).reshape(-1, image.shape[0], size, size)


@wrong("patches_around", says="zeros")
def patches_with_repeated_edge(image, size):
    windows = padded_windows(image, size, mode="replicate")
    return windows.permute(1, 2, 0, 3, 4).reshape(-1, image.shape[0], size, size)


@wrong("patches_around", says="mirrored")
def patches_with_mirrored_edge(image, size):
    windows = padded_windows(image, size, mode="reflect")
    return windows.permute(1, 2, 0, 3, 4).reshape(-1, image.shape[0], size, size)


@wrong("patches_around", says="channels come second")
def patches_channels_last(image, size):
    windows = padded_windows(image, size)
    return windows.permute(1, 2, 3, 4, 0).reshape(-1, image.shape[0], size, size)


@wrong("patches_around", says="transpose before the reshape")
def patches_from_columns(image, size):
    columns = F.unfold(image[None], size, padding=size // 2)
    return columns.reshape(-1, image.shape[0], size, size)


@wrong("patches_around", says="shape")
def patches_as_an_image(image, size):
    return padded_windows(image, size).permute(1, 2, 0, 3, 4)


# ---- convolution_macs


@wrong("convolution_macs", says="input channels are missing")
def macs_of_one_input(in_channels, out_channels, kernel, width, height):
    return out_channels * width * height * kernel * kernel


@wrong("convolution_macs", says="output channels are missing")
def macs_of_one_output(in_channels, out_channels, kernel, width, height):
    return in_channels * width * height * kernel * kernel


@wrong("convolution_macs", says="two sides")
def macs_of_a_1d_kernel(in_channels, out_channels, kernel, width, height):
    return in_channels * out_channels * kernel * width * height


@wrong("convolution_macs", says="number of weights")
def macs_as_weights(in_channels, out_channels, kernel, width, height):
    return in_channels * out_channels * kernel * kernel


@wrong("convolution_macs", says="one of each")
def macs_as_operations(in_channels, out_channels, kernel, width, height):
    return 2 * in_channels * out_channels * kernel * kernel * width * height


@wrong("convolution_macs", says="already those of the output")
def macs_of_a_smaller_output(in_channels, out_channels, kernel, width, height):
    out = (width - kernel + 1) * (height - kernel + 1)
    return in_channels * out_channels * kernel**2 * out


@wrong("convolution_macs", says="biases")
def macs_with_biases(in_channels, out_channels, kernel, width, height):
    return out_channels * width * height * (in_channels * kernel**2 + 1)


# ---- reads_per_pixel


@wrong("reads_per_pixel", says="fewer centres")
def reads_everywhere_the_same(width, height, size):
    return np.ones((width, height), dtype=int) * size**2


@wrong("reads_per_pixel", says="multiply")
def reads_added(width, height, size):
    half = size // 2
    counts = [[min(p + half, n - 1) - max(p - half, 0) + 1 for p in range(n)] for n in (width, height)]
    return np.array(counts[0])[:, None] + np.array(counts[1])[None, :]


@wrong("reads_per_pixel", says="both ends")
def reads_at_one_end(width, height, size):
    return np.array([[min(x + 1, size) * min(y + 1, size) for y in range(height)] for x in range(width)])


@wrong("reads_per_pixel", says="wholly inside")
def reads_without_padding(width, height, size):
    reads = np.zeros((width, height), dtype=int)
    for x in range(width - size + 1):
        for y in range(height - size + 1):
            reads[x : x + size, y : y + size] += 1
    return reads


@wrong("reads_per_pixel", says="swapped")
def reads_as_rows_and_columns(width, height, size):
    half = size // 2
    reads = np.zeros((height, width), dtype=int)
    for y in range(height):
        for x in range(width):
            reads[max(y - half, 0) : y + half + 1, max(x - half, 0) : x + half + 1] += 1
    return reads


@wrong("reads_per_pixel", says="negative number")
def reads_with_negative_begins(width, height, size):
    half = size // 2
    r = np.zeros((width, height))
    for x in range(width):
        for y in range(height):
            r[x - half : x + half + 1, y - half : y + half + 1] += 1
    return r


@wrong("reads_per_pixel", says="b - a + 1")
def reads_one_too_few(width, height, size):
    half = size // 2
    counts = [[min(p + half, n - 1) - max(p - half, 0) for p in range(n)] for n in (width, height)]
    return np.outer(*counts)


@wrong("reads_per_pixel", says="leaves its end out")
def reads_without_the_last(width, height, size):
    half = size // 2
    r = np.zeros((width, height), dtype=int)
    for x in range(width):
        for y in range(height):
            r[max(x - half, 0) : x + half, max(y - half, 0) : y + half] += 1
    return r


for letter, words in {"A": "only what they see", "B": "own line", "D": "more than triples"}.items():
    wrong.value("context_picture", letter, says=words)


# ---- linear_to_convolution


@wrong("linear_to_convolution", says="channels as the last axis")
def channels_last(weight, channels, width, height):
    return weight.view(weight.shape[0], width, height, channels).permute(0, 3, 1, 2)


@wrong("linear_to_convolution", says="x and y are swapped")
def height_first(weight, channels, width, height):
    return weight.view(weight.shape[0], channels, height, width).mT


@wrong("linear_to_convolution", says="flipped")
def kernel_flipped(weight, channels, width, height):
    return weight.reshape(len(weight), channels, width, height).flip(-1, -2)


@wrong("linear_to_convolution", says="transposed the weight")
def weight_transposed(weight, channels, width, height):
    return weight.T.reshape(len(weight), channels, width, height)


@wrong("linear_to_convolution", says="shape")
def one_by_one_kernel(weight, channels, width, height):
    return weight[:, :, None, None]


# ---- shift_and_stitch


def empty_result(strided, padded, size):
    classes = strided(padded).shape[1]
    return padded.new_zeros(1, classes, padded.shape[2] - size + 1, padded.shape[3] - size + 1)


@wrong("shift_and_stitch", says="unshifted scores")
def stitch_without_shift(strided, padded, size, stride):
    result = empty_result(strided, padded, size)
    for dx in range(stride):
        for dy in range(stride):
            target = result[:, :, dx::stride, dy::stride]
            target[...] = strided(padded)[:, :, : target.shape[2], : target.shape[3]]
    return result


@wrong("shift_and_stitch", says="leave out the first places")
def stitch_cut_at_the_end(strided, padded, size, stride):
    result = empty_result(strided, padded, size)
    nx, ny = padded.shape[2:]
    for dx in range(stride):
        for dy in range(stride):
            result[:, :, dx::stride, dy::stride] = strided(padded[:, :, : nx - dx, : ny - dy])
    return result


@wrong("shift_and_stitch", says="wrong places")
def stitch_into_swapped_places(strided, padded, size, stride):
    result = empty_result(strided, padded, size)
    for dx in range(stride):
        for dy in range(stride):
            part = strided(padded[:, :, dx:, dy:])
            target = result[:, :, dy::stride, dx::stride]
            target[...] = part[:, :, : target.shape[2], : target.shape[3]]
    return result


@wrong("shift_and_stitch", says="other direction")
def stitch_shifted_backwards(strided, padded, size, stride):
    result = empty_result(strided, padded, size)
    for dx in range(stride):
        for dy in range(stride):
            moved = torch.cat([padded.new_zeros(*padded.shape[:2], dx, padded.shape[3]), padded], dim=2)
            moved = torch.cat([padded.new_zeros(*moved.shape[:3], dy), moved], dim=3)
            target = result[:, :, dx::stride, dy::stride]
            target[...] = strided(moved)[:, :, : target.shape[2], : target.shape[3]]
    return result


@wrong("shift_and_stitch", says="side by side")
def stitch_side_by_side(strided, padded, size, stride):
    columns = []
    for dy in range(stride):
        columns.append(torch.cat([strided(padded[:, :, dx:, dy:]) for dx in range(stride)], dim=2))
    return torch.cat(columns, dim=3)


@wrong("shift_and_stitch", says="all stride * stride pairs")
def stitch_diagonal_shifts(strided, padded, size, stride):
    result = empty_result(strided, padded, size)
    for d in range(stride):
        result[:, :, d::stride, d::stride] = strided(padded[:, :, d:, d:])
    return result


@wrong("shift_and_stitch", says="every stride-th pixel")
def stitch_nothing(strided, padded, size, stride):
    return strided(padded)


# ---- numbers and letters

wrong.value("vgg_dilation", 2 * 5, says="multiply")
wrong.value("vgg_dilation", 5, says="number of poolings")
wrong.value("vgg_dilation", 16, says="one pooling too few")
wrong.value("vgg_dilation", 64, says="one pooling too many")
wrong.value("vgg_dilation", 2, says="single pooling")

dense = 288 * 254**2 + 1152 * 248**2 + 6400 * 240**2 + 32 * 240**2
patch = 288 * 15**2 + 1152 * 5**2 + 6400 + 32
wrong.value("speed_up", 17**2, says="linear layers are never repeated")
wrong.value("speed_up", 15**2, says="first layer saves")
wrong.value("speed_up", 240**2 * patch / (dense - 32 * 240**2), says="16 -> 2, is missing")
wrong.value("speed_up", 633_802_752 / dense, says="our small slice")
wrong.value("speed_up", dense / (240**2 * patch), says="inverse")
wrong.value("speed_up", patch / dense, says="one patch")
wrong.value("speed_up", 240**2 * patch / (288 * 254**2 + 1152 * 248**2), says="cost at every pixel")
wrong.value("speed_up", 240**2 * patch / (dense - 6400 * 240**2 + 256 * 240**2), says="5 x 5 kernel")

wrong.value("border_picture", "A", says="rounding is about")
wrong.value("border_picture", "C", says="no approximation")
wrong.value("border_picture", "D", says="the weights are the same")

wrong.value("fcn_weights", 134_346_581 - 4096 - 4096 - 21, says="biases")
wrong.value("fcn_weights", 138_357_544, says="1,000 classes")
wrong.value("fcn_weights", 134_346_581 - 48 * 512 * 4096, says="7 x 7 map")
wrong.value("fcn_weights", 117_565_269, says="fc7 is missing")
wrong.value("fcn_weights", 134_346_581 - 14_714_688, says="thirteen convolutions are missing")
wrong.value("fcn_weights", 134_346_581 - 4096 * 21 - 21, says="21 classes are missing")

scan = 240 * 240 * 155
wrong.value("activation_memory", 64 * scan * 4 / 1e9, says="single layer")
wrong.value("activation_memory", 31 * scan * 4 / 1e9, says="channels are missing")
wrong.value("activation_memory", 31 * 64 * 240 * 240 * 4 / 1e9, says="one slice")
wrong.value("activation_memory", 31 * 64 * scan / 1e9, says="4 bytes")
wrong.value("activation_memory", 31 * 64 * scan * 4, says="1e9 of them")
wrong.value("activation_memory", 31 * 64 * scan * 4 / 1024**3, says="GiB")
wrong.value("activation_memory", 31 * 64 * scan * 8 / 1e9, says="float64")
