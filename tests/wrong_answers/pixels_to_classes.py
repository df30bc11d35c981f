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


@wrong("bounding_box", says="last place stands before the first")
def bounding_box_last_before_first(mask):
    xs, ys = mask.nonzero().T
    return int(xs.max()), int(xs.min()), int(ys.max()), int(ys.min())


@wrong("bounding_box", says="first place twice")
def bounding_box_min_twice(mask):
    xs, ys = mask.any(dim=1).nonzero(), mask.any(dim=0).nonzero()
    return int(xs.min()), int(xs.min()), int(ys.min()), int(ys.min())


@wrong("bounding_box", says="count from 1")
def bounding_box_from_one(mask):
    xs = [x for x, occupied in enumerate(mask.any(dim=1), start=1) if occupied]
    ys = [y for y, occupied in enumerate(mask.any(dim=0), start=1) if occupied]
    return xs[0], xs[-1], ys[0], ys[-1]


@wrong("bounding_box", says="occupied places")
def bounding_box_of_occupied_places(mask):
    xs, ys = mask.any(dim=1), mask.any(dim=0)
    first_x, first_y = int(xs.nonzero()[0]), int(ys.nonzero()[0])
    return first_x, first_x + int(xs.sum()) - 1, first_y, first_y + int(ys.sum()) - 1


@wrong("bounding_box", says="never looked at")
def bounding_box_loop_too_short(mask):
    xs = [x for x in range(mask.shape[0] - 1) if mask[x].any()]
    ys = [y for y in range(mask.shape[1] - 1) if mask[:, y].any()]
    return min(xs), max(xs), min(ys), max(ys)


@wrong("bounding_box", says="whole number")
def bounding_box_in_floats(mask):
    xs, ys = np.nonzero(mask.numpy())
    return tuple(np.array([xs.min(), xs.max(), ys.min(), ys.max()], dtype=float).tolist())


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
    for old in range(len(names)):
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


@wrong("rename_clusters", says="opposite renaming")
def rename_clusters_by_index(clusters, names):
    return np.array([names.index(cluster) for cluster in clusters])


@wrong("rename_clusters", says="occur anew")
def rename_clusters_by_rank(clusters, names):
    return np.array(names)[np.unique(clusters, return_inverse=True)[1]]


@wrong("rename_clusters", says="last cluster keeps")
def rename_clusters_loop_too_short(clusters, names):
    renamed = clusters.copy()
    for c in range(len(names) - 1):
        renamed[clusters == c] = names[c]
    return renamed


@wrong("rename_clusters", says="begin at 0")
def rename_clusters_loop_from_one(clusters, names):
    renamed = clusters.copy()
    for c in range(1, len(names)):
        renamed[clusters == c] = names[c]
    return renamed


@wrong("rename_clusters", says="not an int")
def rename_clusters_returns_in_the_loop(clusters, names):
    for cluster in clusters:
        return names[cluster]


@wrong("rename_clusters", says="data type is not")
def rename_clusters_in_floats(clusters, names):
    renamed = np.zeros(len(clusters))
    for c, name in enumerate(names):
        renamed[clusters == c] = name
    return renamed


@wrong("rename_clusters", says="values differ")
def rename_clusters_in_bytes(clusters, names):
    renamed = np.zeros(len(clusters), dtype=np.uint8)
    for c, name in enumerate(names):
        renamed[clusters == c] = np.array(name).astype(np.uint8)
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


@wrong("sum_of_squares", says="was not subtracted")
def sum_of_squares_from_the_origin(points, clusters):
    total = 0
    for c in np.unique(clusters):
        total += (points[clusters == c] ** 2).sum()
    return total


@wrong("sum_of_squares", says="left out")
def sum_of_squares_over_the_number_of_clusters(points, clusters):
    total = 0
    for c in range(len(set(clusters))):
        own = points[clusters == c]
        if own.size:
            total += own.var(axis=0).sum() * len(own)
    return total


@wrong("sum_of_squares", says="negative number")
def sum_of_squares_up_to_the_largest_number(points, clusters):
    total = 0
    for c in range(clusters.max() + 1):
        if c in clusters:
            own = points[clusters == c]
            total += ((own - own.mean(axis=0)) ** 2).sum()
    return total


@wrong("sum_of_squares", says="roots of the clusters")
def sum_of_norms(points, clusters):
    return sum(
        np.linalg.norm(points[clusters == c] - points[clusters == c].mean(axis=0))
        for c in np.unique(clusters)
    )


@wrong("sum_of_squares", says="absolute differences")
def sum_of_absolute_differences(points, clusters):
    total = 0
    for c in np.unique(clusters):
        own = points[clusters == c]
        total += abs(own - np.mean(own, axis=0)).sum()
    return total


@wrong("sum_of_squares", says="single number")
def sum_of_squares_of_each_intensity(points, clusters):
    total = 0
    for c in np.unique(clusters):
        own = points[clusters == c]
        total += ((own - own.mean(axis=0)) ** 2).sum(axis=0)
    return total


@wrong("sum_of_squares", says="largest number was left out")
def sum_of_squares_below_the_largest_number(points, clusters):
    total = 0
    for c in range(max(clusters)):
        if (clusters == c).any():
            own = points[clusters == c]
            total += ((own - own.mean(axis=0)) ** 2).sum()
    return total


@wrong("sum_of_squares", says="squares of each cluster")
def sum_of_mean_squares(points, clusters):
    return sum(
        ((points[clusters == c] - points[clusters == c].mean(axis=0)) ** 2).mean() for c in set(clusters)
    )


@wrong("sum_of_squares", says="intensities of each point")
def sum_of_squares_along_the_other_axis(points, clusters):
    total = 0
    for c in np.unique(clusters):
        members = points[clusters == c]
        total += ((members - members.mean(axis=1, keepdims=True)) ** 2).sum()
    return total


@wrong("sum_of_squares", says="n - 1")
def sum_of_squares_by_torch_variance(points, clusters):
    total = 0
    for c in np.unique(clusters):
        members = torch.from_numpy(points[clusters == c])
        if len(members) > 1:
            total += float(members.var(dim=0).sum() * len(members))
    return total


@wrong("sum_of_squares", says="once for every point")
def sum_of_squares_loop_over_points(points, clusters):
    total = 0
    for cluster in clusters:
        members = points[clusters == cluster]
        total += ((members - members.mean(axis=0)) ** 2).sum()
    return total


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


@wrong("patches_around", says="end at their pixel")
def patches_before(image, size):
    padded = F.pad(image, (size - 1, 0, size - 1, 0))
    width, height = image.shape[1:]
    return torch.stack([padded[:, x : x + size, y : y + size] for x in range(width) for y in range(height)])


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


@wrong("patches_around", says="cut them up")
def patches_channels_cut_up(image, size):
    windows = padded_windows(image, size)
    return windows.permute(1, 2, 3, 4, 0).reshape(-1, image.shape[0], size, size)


@wrong("patches_around", says="transpose before the reshape")
def patches_from_columns(image, size):
    columns = F.unfold(image[None], size, padding=size // 2)
    return columns.reshape(-1, image.shape[0], size, size)


@wrong("patches_around", says="one axis for all pixels")
def patches_as_an_image(image, size):
    return padded_windows(image, size).permute(1, 2, 0, 3, 4)


@wrong("patches_around", says="pixels come first")
def patches_channels_first(image, size):
    return padded_windows(image, size).reshape(image.shape[0], -1, size, size)


@wrong("patches_around", says="along y only")
def patches_padded_along_y(image, size):
    half = size // 2
    windows = F.pad(image, (half, half)).unfold(1, size, 1).unfold(2, size, 1)
    return windows.permute(1, 2, 0, 3, 4).reshape(-1, image.shape[0], size, size)


@wrong("patches_around", says="padded by size")
def patches_padded_by_size(image, size):
    windows = F.pad(image, (size, size, size, size)).unfold(1, size, 1).unfold(2, size, 1)
    return windows.permute(1, 2, 0, 3, 4).flatten(0, 1)


@wrong("patches_around", says="not a list")
def patches_as_a_list(image, size):
    half = size // 2
    padded = F.pad(image, (half, half, half, half))
    _, nx, ny = image.shape
    return [padded[:, x : x + size, y : y + size] for x in range(nx) for y in range(ny)]


@wrong("patches_around", says="channels come second")
def patches_channels_last(image, size):
    return padded_windows(image, size).permute(1, 2, 3, 4, 0).reshape(-1, size, size, len(image))


@wrong("patches_around", says="along x only")
def patches_padded_along_x(image, size):
    half = size // 2
    windows = F.pad(image, (0, 0, half, half)).unfold(1, size, 1).unfold(2, size, 1)
    return windows.permute(1, 2, 0, 3, 4).reshape(-1, image.shape[0], size, size)


@wrong("patches_around", says="side by side")
def patches_side_by_side(image, size):
    half = size // 2
    windows = F.pad(image, (half, half, half, half)).unfold(1, size, size).unfold(2, size, size)
    return windows.permute(1, 2, 0, 3, 4).reshape(-1, image.shape[0], size, size)


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


@wrong("convolution_macs", says="one bias for each output channel")
def macs_with_a_bias_for_each_channel(in_channels, out_channels, kernel, width, height):
    return in_channels * out_channels * kernel**2 * width * height + out_channels


@wrong("convolution_macs", says="kernel is missing")
def macs_without_a_kernel(in_channels, out_channels, kernel, width, height):
    return in_channels * out_channels * width * height


@wrong("convolution_macs", says="height is missing")
def macs_of_one_line(in_channels, out_channels, kernel, width, height):
    return in_channels * out_channels * kernel**2 * width


@wrong("convolution_macs", says="larger input")
def macs_of_a_larger_output(in_channels, out_channels, kernel, width, height):
    out = (width + kernel - 1) * (height + kernel - 1)
    return in_channels * out_channels * kernel**2 * out


@wrong("convolution_macs", says="whole number")
def macs_in_floats(in_channels, out_channels, kernel, width, height):
    return 1.0 * in_channels * out_channels * kernel**2 * width * height


@wrong("convolution_macs", says="values differ")
def macs_in_32_bits(in_channels, out_channels, kernel, width, height):
    return int(np.prod([in_channels, out_channels, kernel, kernel, width, height], dtype=np.int32))


@wrong("convolution_macs", says="both numbers of channels")
def macs_of_one_channel(in_channels, out_channels, kernel, width, height):
    return kernel**2 * width * height


@wrong("convolution_macs", says="not always 3 x 3")
def macs_of_a_fixed_kernel(in_channels, out_channels, kernel, width, height):
    return in_channels * out_channels * 3 * 3 * width * height


@wrong("convolution_macs", says="kernel * 2")
def macs_of_a_doubled_kernel(in_channels, out_channels, kernel, width, height):
    return in_channels * (kernel * 2) * out_channels * width * height


@wrong("convolution_macs", says="compares bits")
def macs_with_a_caret(in_channels, out_channels, kernel, width, height):
    return in_channels * out_channels * kernel ^ 2 * width * height


@wrong("convolution_macs", says="need not be square")
def macs_of_a_square_output(in_channels, out_channels, kernel, width, height):
    return in_channels * out_channels * kernel**2 * width**2


# ---- reads_per_pixel


@wrong("reads_per_pixel", says="fewer centres")
def reads_everywhere_the_same(width, height, size):
    return np.ones((width, height), dtype=int) * size**2


@wrong("reads_per_pixel", says="multiply")
def reads_added(width, height, size):
    half = size // 2
    counts = [[min(p + half, n - 1) - max(p - half, 0) + 1 for p in range(n)] for n in (width, height)]
    return np.array(counts[0])[:, None] + np.array(counts[1])[None, :]


@wrong("reads_per_pixel", says="only x is counted")
def reads_along_x(width, height, size):
    half, reads = size // 2, np.zeros((width, height))
    for x in range(width):
        reads[max(x - half, 0) : x + half + 1] += 1
    return reads


@wrong("reads_per_pixel", says="begin at their pixel")
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


@wrong("reads_per_pixel", says="first border only")
def reads_with_one_border(width, height, size):
    half = size // 2
    reads = np.zeros((width, height), dtype=int)
    for x in range(width):
        for y in range(height):
            reads[x, y] = (x - max(x - half, 0) + half + 1) * (y - max(y - half, 0) + half + 1)
    return reads


@wrong("reads_per_pixel", says="nearer border")
def reads_by_the_nearer_border(width, height, size):
    half = size // 2
    xs, ys = (half + 1 + np.minimum(half, [min(p, n - 1 - p) for p in range(n)]) for n in (width, height))
    return np.outer(xs, ys)


@wrong("reads_per_pixel", says="n - 1, not n")
def reads_up_to_n(width, height, size):
    half = size // 2
    counts = [[min(p + half, n) - max(p - half, 0) for p in range(n)] for n in (width, height)]
    return np.outer(*counts)


@wrong("reads_per_pixel", says="values differ")
def reads_in_eight_bits(width, height, size):
    half = size // 2
    reads = np.zeros((width, height), dtype=np.uint8)
    for x in range(width):
        for y in range(height):
            reads[max(x - half, 0) : x + half + 1, max(y - half, 0) : y + half + 1] += 1
    return reads


@wrong("reads_per_pixel", says="far border only")
def reads_with_the_far_border(width, height, size):
    half = size // 2
    xs, ys = (np.minimum(np.arange(n) + half, n - 1) - (np.arange(n) - half) + 1 for n in (width, height))
    return xs[:, None] * ys[None, :]


@wrong("reads_per_pixel", says="one too many")
def reads_up_to_and_with_n(width, height, size):
    half = size // 2
    counts = [[min(p + half, n) - max(p - half, 0) + 1 for p in range(n)] for n in (width, height)]
    return np.outer(*counts)


@wrong("reads_per_pixel", says="size // 2 places to each side")
def reads_of_windows_twice_as_wide(width, height, size):
    reads = np.zeros((width, height))
    for x in range(width):
        for y in range(height):
            reads[max(x - size, 0) : x + size + 1, max(y - size, 0) : y + size + 1] += 1
    return reads


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


@wrong("linear_to_convolution", says="width comes before height")
def height_before_width(weight, channels, width, height):
    return weight.reshape(-1, channels, height, width)


@wrong("linear_to_convolution", says="outputs come first")
def channels_before_outputs(weight, channels, width, height):
    return weight.reshape(channels, -1, width, height)


@wrong("linear_to_convolution", says="not a Conv2d")
def a_layer_instead_of_its_weights(weight, channels, width, height):
    layer = torch.nn.Conv2d(channels, len(weight), (width, height))
    layer.weight.data = weight.reshape(-1, channels, width, height)
    return layer


@wrong("linear_to_convolution", says="channels come second")
def channels_at_the_end(weight, channels, width, height):
    return weight.reshape(len(weight), width, height, channels)


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


@wrong("shift_and_stitch", says="by 0 and 1")
def stitch_with_stride_two(strided, padded, size, stride):
    result = empty_result(strided, padded, size)
    for dx in (0, 1):
        for dy in (0, 1):
            result[:, :, dx::stride, dy::stride] = strided(padded[:, :, dx:, dy:])
    return result


@wrong("shift_and_stitch", says="runs too often")
def stitch_with_a_shift_too_many(strided, padded, size, stride):
    result = empty_result(strided, padded, size)
    for dx in range(stride + 1):
        for dy in range(stride + 1):
            result[:, :, dx::stride, dy::stride] = strided(padded[:, :, dx:, dy:])
    return result


@wrong("shift_and_stitch", says="runs too often")
def stitch_with_as_many_shifts_as_places(strided, padded, size, stride):
    result = empty_result(strided, padded, size)
    for dx in range(size):
        for dy in range(size):
            target = result[:, :, dx::stride, dy::stride]
            if target.numel():
                target[...] = strided(padded[:, :, dx:, dy:])
    return result


@wrong("shift_and_stitch", says="zeros between them")
def stitch_a_single_shift(strided, padded, size, stride):
    result = empty_result(strided, padded, size)
    result[:, :, ::stride, ::stride] = strided(padded)
    return result


@wrong("shift_and_stitch", says="along x")
def stitch_shifts_along_x(strided, padded, size, stride):
    result = empty_result(strided, padded, size)
    for dx in range(stride):
        result[:, :, dx::stride, ::stride] = strided(padded[:, :, dx:])
    return result


@wrong("shift_and_stitch", says="stretched the coarse scores")
def stitch_by_stretching(strided, padded, size, stride):
    return torch.nn.Upsample(scale_factor=stride)(strided(padded))


@wrong("shift_and_stitch", says="stacked the parts")
def stitch_as_channels(strided, padded, size, stride):
    parts = [strided(padded[:, :, dx:, dy:]) for dx in range(stride) for dy in range(stride)]
    return torch.cat(parts, dim=1)


@wrong("shift_and_stitch", says="runs too often")
def stitch_window_by_window(strided, padded, size, stride):
    result = empty_result(strided, padded, size)
    for x in range(result.shape[2]):
        for y in range(result.shape[3]):
            result[:, :, x, y] = strided(padded[:, :, x : x + size, y : y + size])[:, :, 0, 0]
    return result
