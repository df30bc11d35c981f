"""Exercises of notebook 01: tasks, clustering, the sliding window and the fully convolutional network.

The oracles are other algorithms than the solutions': SciPy's objects, all pairs of points, ``F.unfold`` and
``F.fold``, PyTorch's own counter of floating point operations, unit feature maps sent through a linear layer,
and pixel shuffling for shift-and-stitch, which is also compared with a convolution of stride 1.
"""

from __future__ import annotations

import numpy as np
import scipy.ndimage
import scipy.spatial
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from course_utils.checking import Checker, Trial
from course_utils.checking.samples import numbers

check = Checker("pixels_to_classes")


# ---- 1. Three questions about one slice


def _bounding_box(mask: Tensor) -> tuple[int, int, int, int]:
    (xs, ys) = scipy.ndimage.find_objects(mask.numpy().astype(int))[0]
    return xs.start, xs.stop - 1, ys.start, ys.stop - 1


def _reordered(*order: int):
    return lambda mask: tuple(_bounding_box(mask)[place] for place in order)


def _box_of_slices(mask: Tensor) -> tuple[int, int, int, int]:
    first_x, last_x, first_y, last_y = _bounding_box(mask)
    return first_x, last_x + 1, first_y, last_y + 1


def _box_with_sizes(mask: Tensor) -> tuple[int, int, int, int]:
    first_x, last_x, first_y, last_y = _bounding_box(mask)
    return first_x, last_x - first_x + 1, first_y, last_y - first_y + 1


def _box_with_differences(mask: Tensor) -> tuple[int, int, int, int]:
    first_x, last_x, first_y, last_y = _bounding_box(mask)
    return first_x, last_x - first_x, first_y, last_y - first_y


def _box_of_first_and_last(mask: Tensor) -> tuple[int, int, int, int]:
    places = mask.nonzero().tolist()
    return places[0][0], places[-1][0], places[0][1], places[-1][1]


def _box_counted_from_the_end(mask: Tensor) -> tuple[int, int, int, int]:
    first_x, last_x, first_y, last_y = _bounding_box(mask)
    return first_x, mask.shape[0] - 1 - last_x, first_y, mask.shape[1] - 1 - last_y


@check.exercise(
    oracle=_bounding_box,
    hints=(
        "Forget y for a moment: at which x is anything true?",
        "`mask.any(dim=1)` answers for each x, and its `.nonzero()` lists these x; its smallest and largest "
        "are the first two numbers. "
        "For y look along the other axis.",
        "xs, ys = mask.any(dim=1).nonzero(), mask.any(dim=0).nonzero(); then int(xs.min()), int(xs.max()), "
        "int(ys.min()), int(ys.max()).",
    ),
    why={
        _reordered(2, 3, 0, 1): "x and y are swapped: the first axis of the mask is x.",
        _reordered(
            0, 2, 1, 3
        ): "These are the right four numbers in another order: first x, last x, first y, last y.",
        _box_of_slices: "Your ends are one too far, as in a slice: the last x and y are themselves inside the mask.",
        _box_with_sizes: "These are widths. Asked for are the last x and the last y.",
        _box_with_differences: "These are differences. Asked for are the last x and the last y.",
        _reordered(
            2, 0, 3, 1
        ): "These are two corners, y before x. Asked for are first x, last x, first y, last y.",
        _box_of_first_and_last: "nonzero() sorts by x first: the first and last entry say nothing about y.",
        _box_counted_from_the_end: "That counts from the end: subtract it from the last place of the axis.",
    },
)
def bounding_box(trial: Trial) -> None:
    trial.signature("mask")
    tiny = torch.tensor([[0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 1, 1]], dtype=torch.bool)
    trial.case(tiny, expected=(1, 2, 1, 3))
    scattered = torch.zeros(9, 14, dtype=torch.bool)
    scattered[[3, 6, 4], [11, 5, 8]] = True
    trial.case(scattered)
    single = torch.zeros(5, 7, dtype=torch.bool)
    single[0, 6] = True
    trial.case(single)
    trial.case(torch.ones(4, 3, dtype=torch.bool))


# ---- 2. Regions without names


def _rename_clusters(clusters: np.ndarray, names: list[int]) -> np.ndarray:
    return np.vectorize(list(names).__getitem__, otypes=[np.int64])(clusters)


def _renamed_one_after_another(clusters: np.ndarray, names: list[int]) -> np.ndarray:
    result = clusters.copy()
    for cluster, name in enumerate(names):
        result[result == cluster] = name
    return result


@check.exercise(
    oracle=_rename_clusters,
    hints=(
        "`names` is a table: entry c says how cluster c is called from now on. Every pixel looks up its own.",
        "If you go through the clusters one after the other, write into a *new* array and compare with the "
        "old one, or a pixel is renamed twice.",
        "np.array(names)[clusters]: an array indexed by an array.",
    ),
    why={
        _renamed_one_after_another: (
            "Some pixels were renamed twice: after 0 became 2, your loop finds these again as cluster 2. "
            "Compare with the old numbers."
        ),
        (lambda clusters, names: _rename_clusters(clusters, np.argsort(names).tolist())): (
            "This is the opposite renaming: names[c] is the new name of cluster c, not the cluster whose new"
            " name is c."
        ),
        (lambda clusters, names: clusters.copy()): "Nothing has been renamed.",
        (
            lambda clusters, names: np.where(clusters < 4, _rename_clusters(clusters, names), clusters)
        ): "Not every cluster was renamed. Loop over range(len(names)).",
    },
)
def rename_clusters(trial: Trial) -> None:
    trial.signature("clusters", "names")
    trial.case(np.array([0, 1, 2, 3, 0]), [2, 0, 3, 1], expected=np.array([2, 0, 3, 1, 2]))
    random = np.random.default_rng(0)
    trial.case(random.integers(0, 5, 30), [3, 4, 1, 0, 2])
    trial.case(random.integers(0, 3, (4, 5)), [7, 5, 9])


def _sum_of_squares(points: np.ndarray, clusters: np.ndarray) -> float:
    """Without any mean: the sum over all pairs of a cluster, divided by twice its size."""
    total = 0.0
    for cluster in set(np.asarray(clusters).tolist()):
        members = points[clusters == cluster]
        total += scipy.spatial.distance.pdist(members, "sqeuclidean").sum() / len(members)
    return float(total)


def _spread(points: np.ndarray, clusters: np.ndarray, of_members) -> list[float]:
    """``of_members(deviations from the cluster's mean)`` for each cluster."""
    members = (points[clusters == cluster] for cluster in np.unique(clusters))
    return [of_members(own - own.mean(axis=0)) for own in members]


@check.exercise(
    oracle=_sum_of_squares,
    hints=(
        "Go through the clusters. For each: which points belong to it, and what is their mean?",
        "`members = points[clusters == cluster]`; their mean is `members.mean(axis=0)`, one value for each "
        "of the d intensities.",
        "Sum over the clusters of ((members - members.mean(axis=0)) ** 2).sum().",
    ),
    why={
        (
            lambda points, clusters: sum(
                _spread(points, clusters, lambda own: np.sqrt((own**2).sum(axis=1)).sum())
            )
        ): "The distances are to be squared before they are added up.",
        (
            lambda points, clusters: sum(
                _spread(points, clusters, lambda own: np.sqrt((own**2).sum(axis=1)).sum() ** 2)
            )
        ): "The square goes on each distance. You squared their sum.",
        (
            lambda points, clusters: float(((points - points.mean(axis=0)) ** 2).sum())
        ): "You measured the distances from the mean of all points: each cluster has its own mean.",
        (
            lambda points, clusters: sum(
                ((own - own.mean()) ** 2).sum()
                for own in (points[clusters == cluster] for cluster in np.unique(clusters))
            )
        ): "Your mean is a single number, over all intensities: average over the points only, axis=0.",
        (
            lambda points, clusters: sum(_spread(points, clusters, lambda own: (own**2).sum() / len(own)))
        ): "You averaged within each cluster: W is a sum, so a large cluster weighs more.",
        (
            lambda points, clusters: sum(
                _sum_of_squares(points[clusters == cluster], clusters[clusters == cluster])
                for cluster in range(len(np.unique(clusters)))
            )
        ): "A cluster was left out: its number can be any integer. np.unique(clusters) lists them all.",
        (
            lambda points, clusters: _sum_of_squares(points, clusters) / len(points)
        ): "You divided by the number of points: W is a sum, not a mean.",
        (
            lambda points, clusters: np.mean(_spread(points, clusters, lambda own: (own**2).sum()))
        ): "You averaged over the clusters: W adds them up.",
        (
            lambda points, clusters: _spread(points, clusters, lambda own: (own**2).sum())[0]
        ): "Only the first cluster is counted.",
        (
            lambda points, clusters: _spread(points, clusters, lambda own: (own**2).sum())[-1]
        ): "Only the last cluster is counted.",
        (
            lambda points, clusters: np.sqrt(_sum_of_squares(points, clusters))
        ): "That is the root of W: the squares are added up, and stay squares.",
    },
)
def sum_of_squares(trial: Trial) -> None:
    trial.signature("points", "clusters")
    tiny = np.array([[0.0, 0.0], [6.0, 8.0], [5.0, 1.0], [5.0, 5.0], [5.0, 6.0]])
    trial.case(tiny, np.array([0, 0, 1, 1, 1]), expected=64.0)
    points = numbers(30, 4, seed=1).numpy()
    clusters = np.random.default_rng(2).integers(0, 4, 30)
    trial.case(points, clusters)
    trial.case(
        points, np.array([7, 2, 5])[clusters % 3], label="sum_of_squares(points, clusters named 2, 5 and 7)"
    )
    trial.case(points[:5], np.arange(5), expected=0.0)


check.choice(
    "relabelling",
    answer="B",
    hints=(
        "Which of the two quantities is computed with the reference, and which without?",
        "Look into your sum_of_squares: where does it use the *value* of a cluster's number, and where only "
        "whether two pixels have the same one?",
        "If all 24 namings have the same W, can minimising W prefer one of them?",
    ),
    why={
        "A": "Look at the right picture: even the best naming is far from 1. None of the 24 is the "
        "reference.",
        "C": "More starts can lower W, but never tell two namings of one partition apart: they have the "
        "same W.",
        "D": "A doctor needs to know which region is the tumour. A measure that ignores names can't tell "
        "whether the map says so.",
    },
)


# ---- 3. The sliding window


def _patches_around(image: Tensor, size: int) -> Tensor:
    columns = F.unfold(image[None], size, padding=size // 2)[0]  # (channels * size * size, pixels)
    return columns.T.reshape(-1, image.shape[0], size, size).contiguous()


def _windows(image: Tensor, size: int, mode: str = "constant", before: int | None = None) -> Tensor:
    """(channels, x, y, size, size), padded by ``before`` in front and by the rest behind."""
    before = size // 2 if before is None else before
    around = (before, size - 1 - before) * 2
    return F.pad(image[None], around, mode=mode)[0].unfold(1, size, 1).unfold(2, size, 1)


def _as_patches(windows: Tensor, order: tuple[int, ...] = (1, 2, 0, 3, 4)) -> Tensor:
    channels, size = windows.shape[0], windows.shape[-1]
    return windows.permute(order).reshape(-1, channels, size, size)


@check.exercise(
    oracle=_patches_around,
    hints=(
        "First put zeros around the image, size // 2 on each of the four sides: F.pad(image, (half, half, "
        "half, half)). Then the patch around pixel (x, y) begins at (x, y) of the padded image.",
        "padded.unfold(1, size, 1).unfold(2, size, 1) has the axes (channels, x, y, patch x, patch y). The "
        "patches come first in the answer.",
        "windows.permute(1, 2, 0, 3, 4).reshape(-1, channels, size, size). With loops: a list of "
        "padded[:, x : x + size, y : y + size], x outside, y inside, then torch.stack.",
    ),
    why={
        (lambda image, size: _windows(image, size).reshape(-1, image.shape[0], size, size)): (
            "The channels must move behind the pixels *before* the reshape: as it is, the patches mix "
            "channels and places."
        ),
        (
            lambda image, size: _as_patches(_windows(image, size), (2, 1, 0, 3, 4))
        ): "Your patches are in another order: pixel (x, y) is patch x * n_y + y, so y runs fastest.",
        (
            lambda image, size: _as_patches(_windows(image, size), (1, 2, 0, 4, 3))
        ): "Inside each patch x and y are swapped.",
        (lambda image, size: _as_patches(_windows(image, size, before=0))): (
            "Your patches begin at their pixel. It has to be the centre: pad all four sides by size // 2."
        ),
        (
            lambda image, size: _as_patches(image.unfold(1, size, 1).unfold(2, size, 1))
        ): "The padding is missing: pixels near the border have patches, too.",
        (
            lambda image, size: _as_patches(_windows(image, size, mode="replicate"))
        ): "Beyond the border you repeated the image's edge: here it is padded with zeros.",
        (
            lambda image, size: _as_patches(_windows(image, size, mode="reflect"))
        ): "Beyond the border you mirrored the image: here it is padded with zeros.",
        (
            lambda image, size: (
                _windows(image, size).permute(1, 2, 3, 4, 0).reshape(-1, image.shape[0], size, size)
            )
        ): "The channels come second: (pixels, channels, size, size), not last.",
        (
            lambda image, size: F.unfold(image[None], size, padding=size // 2)[0].reshape(
                -1, image.shape[0], size, size
            )
        ): "F.unfold gives one *column* for each pixel: transpose before the reshape.",
    },
)
def patches_around(trial: Trial) -> None:
    trial.signature("image", "size")
    tiny = torch.tensor([[[1, 2, 3], [4, 5, 6], [7, 8, 9]]], dtype=torch.float64)
    by_hand = torch.tensor(
        [
            [[0, 0, 0], [0, 1, 2], [0, 4, 5]],
            [[0, 0, 0], [1, 2, 3], [4, 5, 6]],
            [[0, 0, 0], [2, 3, 0], [5, 6, 0]],
            [[0, 1, 2], [0, 4, 5], [0, 7, 8]],
            [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
            [[2, 3, 0], [5, 6, 0], [8, 9, 0]],
            [[0, 4, 5], [0, 7, 8], [0, 0, 0]],
            [[4, 5, 6], [7, 8, 9], [0, 0, 0]],
            [[5, 6, 0], [8, 9, 0], [0, 0, 0]],
        ],
        dtype=torch.float64,
    )[:, None]
    trial.case(tiny, 3, expected=by_hand)
    trial.case(numbers(3, 4, 6, seed=3), 3)
    trial.case(numbers(2, 7, 5, seed=4), 5)
    trial.case(numbers(2, 3, 4, seed=5), 1)
    trial.case(numbers(4, 6, 3, seed=6).float(), 7)


def _convolution_macs(in_channels: int, out_channels: int, kernel: int, width: int, height: int) -> int:
    image = torch.empty(1, in_channels, width + kernel - 1, height + kernel - 1, device="meta")
    weight = torch.empty(out_channels, in_channels, kernel, kernel, device="meta")
    with FlopCounterMode(display=False) as counter:
        F.conv2d(image, weight)
    return counter.get_total_flops() // 2


@check.exercise(
    oracle=_convolution_macs,
    hints=(
        "How many products make one output value? The kernel covers k * k places, in each of the input "
        "channels.",
        "That is in_channels * kernel * kernel for one value. How many output values are there?",
        "in_channels * kernel**2 * out_channels * width * height",
    ),
    why={
        (
            lambda in_channels, out_channels, kernel, width, height: out_channels * kernel**2 * width * height
        ): "The input channels are missing: each output value sums over all of them.",
        (
            lambda in_channels, out_channels, kernel, width, height: in_channels * kernel**2 * width * height
        ): "The output channels are missing: each has a kernel of its own.",
        (
            lambda in_channels, out_channels, kernel, width, height: (
                in_channels * out_channels * kernel * width * height
            )
        ): "The kernel has two sides: kernel * kernel places.",
        (
            lambda in_channels, out_channels, kernel, width, height: in_channels * out_channels * kernel**2
        ): "This is the number of weights. Each of them is used at every place of the output.",
        (
            lambda in_channels, out_channels, kernel, width, height: (
                2 * in_channels * out_channels * kernel**2 * width * height
            )
        ): "You counted multiplications and additions apart: a multiply-accumulate is one of each.",
        (
            lambda in_channels, out_channels, kernel, width, height: (
                in_channels * out_channels * kernel**2 * (width - kernel + 1) * (height - kernel + 1)
            )
        ): ("Width and height are already those of the output: nothing has to be taken off for the kernel."),
        (
            lambda in_channels, out_channels, kernel, width, height: (
                (in_channels * kernel**2 + 1) * out_channels * width * height
            )
        ): "Biases are not counted as multiply-accumulates.",
    },
)
def convolution_macs(trial: Trial) -> None:
    trial.signature("in_channels", "out_channels", "kernel", "width", "height")
    trial.case(2, 4, 3, 5, 4, expected=1440)
    trial.case(2, 3, 1, 1, 1, expected=6)
    trial.case(1, 1, 3, 4, 5, expected=180)
    for setting in ((4, 8, 3, 15, 15), (3, 2, 5, 7, 4), (16, 5, 2, 6, 9)):
        trial.case(*setting)


def _reads_per_pixel(width: int, height: int, size: int) -> np.ndarray:
    """Each patch adds 1 to what it covers."""
    half = size // 2
    ones = torch.ones(1, size * size, width * height, dtype=torch.float64)
    reads = F.fold(ones, (width, height), size, padding=half)[0, 0]
    return reads.round().long().numpy()


def _reads_with(along_one_axis, combine=np.multiply.outer):
    """Wrong counts: ``along_one_axis(length, size)``, combined for the two axes."""
    return lambda width, height, size: combine(along_one_axis(width, size), along_one_axis(height, size))


def _begins_at_negative_numbers(width: int, height: int, size: int) -> np.ndarray:
    half, reads = size // 2, np.zeros((width, height), dtype=int)
    for x, y in np.ndindex(width, height):
        reads[x - half : x + half + 1, y - half : y + half + 1] += 1
    return reads


def _without_the_last(length: int, size: int) -> np.ndarray:
    """Patches from x - half to x + half, the end left out."""
    centres, places = np.arange(length)[:, None], np.arange(length)
    return ((places >= centres - size // 2) & (places < centres + size // 2)).sum(axis=0)


def _right_along_one_axis(length: int, size: int) -> np.ndarray:
    return _reads_per_pixel(length, 1, size)[:, 0]


def _one_sided(length: int, size: int) -> np.ndarray:
    return np.minimum(np.arange(length) + 1, size)


def _without_padding(length: int, size: int) -> np.ndarray:
    """Only windows that lie wholly inside."""
    starts = np.arange(max(length - size + 1, 0))[:, None]
    places = np.arange(length)
    return ((places >= starts) & (places < starts + size)).sum(axis=0)


@check.exercise(
    oracle=_reads_per_pixel,
    hints=(
        "In one dimension: pixel x lies in the windows of the centres x - size // 2, ..., x + size // 2. "
        "Which of these are pixels of the image?",
        "Those from max(x - half, 0) to min(x + half, width - 1). How many integers are that? In two "
        "dimensions the two counts multiply.",
        "Along one axis: np.minimum(np.arange(n) + half, n - 1) - np.maximum(np.arange(n) - half, 0) + 1; "
        "then np.outer of the two. Or loop over all centres and add 1 to the part of the image that the "
        "patch covers.",
    ),
    why={
        (lambda width, height, size: np.full((width, height), size * size)): (
            "Near the border there are fewer centres: some of the size * size that would see the pixel lie "
            "outside the image."
        ),
        _reads_with(
            _right_along_one_axis, np.add.outer
        ): "The counts along the two axes multiply: every x fits with every y.",
        _reads_with(
            _one_sided
        ): "You looked at the border on one side only: there are fewer centres at both ends.",
        _reads_with(_without_padding): (
            "You counted only patches that lie wholly inside the image. With the padding there is one around"
            " each pixel."
        ),
        (
            lambda width, height, size: np.ascontiguousarray(_reads_per_pixel(width, height, size).T)
        ): "Width and height are swapped: x is the first axis.",
        _begins_at_negative_numbers: "A slice that begins at a negative number counts from the end: begin at max(x - half, 0).",
        _reads_with(
            lambda length, size: _right_along_one_axis(length, size) - 1
        ): "One too few: from a to b, both included, there are b - a + 1 integers.",
        _reads_with(
            _without_the_last
        ): "A slice leaves its end out: a patch from x - half to x + half ends before x + half + 1.",
    },
)
def reads_per_pixel(trial: Trial) -> None:
    trial.signature("width", "height", "size")
    students = trial.answer

    def whole_numbers(width, height, size):
        """Counts kept as floats, as np.zeros makes them, are right as well."""
        reads = students(width, height, size)
        is_float = isinstance(reads, np.ndarray) and reads.dtype.kind == "f"
        return reads.astype(np.int64) if is_float and (reads == reads.round()).all() else reads

    trial.answer = whole_numbers
    trial.case(4, 3, 3, expected=np.array([[4, 6, 4], [6, 9, 6], [6, 9, 6], [4, 6, 4]]))
    trial.case(9, 6, 5)
    trial.case(3, 8, 7, label="reads_per_pixel(3, 8, 7): an image narrower than the patch")
    trial.case(2, 5, 1)


check.choice(
    "context_picture",
    answer="C",
    hints=(
        "Read the text above the experiment again: what is different between the four networks, and what "
        "is the same?",
        "Follow single grey lines. And compare the distance of the two seeds with the rise of the mean.",
        "From 1 to 9 pixels, from 17 to 33: does the curve look as if each step gained as much as the one "
        "before?",
    ),
    why={
        "A": "All networks have the same input of 17 x 17, with zeros where nothing is to be seen, and the "
        "same number of weights. Only what they see differs.",
        "B": "Subjects differ, but look at each one's own line: the sizes are compared within the same "
        "subjects, and the two seeds agree.",
        "D": "From 9 to 17 the number of visible pixels more than triples. Does the Dice rise as much as "
        "from 1 to 3?",
    },
)


# ---- 4. The fully convolutional network


def _linear_to_convolution(weight: Tensor, channels: int, width: int, height: int) -> Tensor:
    """The answers of the linear layer to all unit feature maps."""
    unit_maps = torch.eye(channels * width * height, dtype=weight.dtype).reshape(-1, channels, width, height)
    answers = F.linear(unit_maps.flatten(1), weight)  # (unit maps, outputs)
    return answers.T.reshape(-1, channels, width, height).contiguous()


@check.exercise(
    oracle=_linear_to_convolution,
    hints=(
        "Row o of the weight belongs to output o. In which order do its numbers meet the channels, x and y "
        "of the feature map? `Flatten` decides it.",
        "`Flatten` leaves the numbers as they lie: channel by channel, in each the lines of x. So the "
        "weights lie in this order, too.",
        "weight.reshape(-1, channels, width, height)",
    ),
    why={
        (
            lambda weight, channels, width, height: weight.reshape(-1, width, height, channels).permute(
                0, 3, 1, 2
            )
        ): "You took the channels as the last axis: `Flatten` writes channel 0 first, then channel 1.",
        (
            lambda weight, channels, width, height: weight.reshape(-1, channels, height, width).transpose(
                2, 3
            )
        ): "Within a channel x and y are swapped: reshape to (..., width, height).",
        (
            lambda weight, channels, width, height: weight.reshape(-1, channels, width, height).flip(2, 3)
        ): "You flipped the kernel. PyTorch's convolution doesn't flip, so there is nothing to undo.",
        (
            lambda weight, channels, width, height: weight.T.reshape(-1, channels, width, height)
        ): "You transposed the weight: PyTorch keeps one row for each output.",
    },
)
def linear_to_convolution(trial: Trial) -> None:
    trial.signature("weight", "channels", "width", "height")
    tiny = torch.arange(1.0, 13.0, dtype=torch.float64).reshape(1, 12)
    by_hand = torch.tensor([[[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]], dtype=torch.float64)
    trial.case(tiny, 2, 2, 3, expected=by_hand)
    weight = numbers(3, 40, seed=7)
    kernel = trial.case(weight, 2, 5, 4)
    features = numbers(1, 2, 5, 4, seed=8)
    trial.require(
        torch.allclose(F.conv2d(features, kernel)[:, :, 0, 0], F.linear(features.flatten(1), weight)),
        "The convolution does not give what the linear layer gives.",
    )
    trial.case(numbers(4, 6, seed=9), 6, 1, 1)


class _Strided:
    """A strided convolution, as a function of the padded image."""

    def __init__(self, size: int, stride: int, seed: int):
        self.weight, self.stride = numbers(3, 2, size, size, seed=seed), stride

    def __repr__(self) -> str:
        return "strided"

    def __call__(self, padded: Tensor) -> Tensor:
        return F.conv2d(padded, self.weight, stride=self.stride)


def _shift_and_stitch(strided, padded: Tensor, size: int, stride: int) -> Tensor:
    """All shifts as channels, then shuffled into pixels."""
    width, height = padded.shape[2] - size + 1, padded.shape[3] - size + 1
    # Every shift gets the same number of pixels; those beyond the image are cut off at the end.
    last_x = (-(-width // stride) - 1) * stride + size
    last_y = (-(-height // stride) - 1) * stride + size
    longer = F.pad(padded, (0, stride, 0, stride))
    parts = [
        strided(longer[:, :, dx : dx + last_x, dy : dy + last_y])
        for dx in range(stride)
        for dy in range(stride)
    ]
    channels = torch.stack(parts, dim=2).flatten(1, 2)  # (1, classes * stride * stride, ..., ...)
    return F.pixel_shuffle(channels, stride)[:, :, :width, :height].contiguous()


def _stitched(part, swapped: bool = False):
    """Stitching with wrong parts: ``part(strided, padded, dx, dy)``, or into swapped places."""

    def stitch(strided, padded, size, stride):
        width, height = padded.shape[2] - size + 1, padded.shape[3] - size + 1
        result = padded.new_zeros(1, strided(padded).shape[1], width, height)
        for dx in range(stride):
            for dy in range(stride):
                first, second = (dy, dx) if swapped else (dx, dy)
                target = result[:, :, first::stride, second::stride]
                found = part(strided, padded, dx, dy)
                target[...] = found[:, :, : target.shape[2], : target.shape[3]]
        return result

    return stitch


def _side_by_side(strided: _Strided, padded: Tensor, size: int, stride: int) -> Tensor:
    """Whole parts beside each other instead of interleaved."""
    lines = [
        torch.cat([strided(padded[:, :, dx:, dy:]) for dy in range(stride)], dim=3) for dx in range(stride)
    ]
    return torch.cat(lines, dim=2)


def _stretched(strided: _Strided, padded: Tensor, size: int, stride: int) -> Tensor:
    wide = strided(padded).repeat_interleave(stride, 2).repeat_interleave(stride, 3)
    return wide[:, :, : padded.shape[2] - size + 1, : padded.shape[3] - size + 1]


def _only_the_diagonal(strided: _Strided, padded: Tensor, size: int, stride: int) -> Tensor:
    classes = strided(padded).shape[1]
    result = padded.new_zeros(1, classes, padded.shape[2] - size + 1, padded.shape[3] - size + 1)
    for shift in range(stride):
        result[:, :, shift::stride, shift::stride] = strided(padded[:, :, shift:, shift:])
    return result


@check.exercise(
    oracle=_shift_and_stitch,
    hints=(
        "`strided(padded)` has the scores of the pixels (0, 0), (0, s), (s, 0), ... Which pixels does it "
        "give when you leave out the first dx lines and dy columns of the padded image?",
        "The pixels (dx, dy), (dx, dy + s), (dx + s, dy), ... They belong into result[:, :, dx::stride, "
        "dy::stride]. There are stride * stride such shifts.",
        "Two loops, dx and dy over range(stride), and in them result[:, :, dx::stride, dy::stride] = "
        "strided(padded[:, :, dx:, dy:]), where result has padded.shape[2] - size + 1 by padded.shape[3] - "
        "size + 1 pixels.",
    ),
    why={
        _stretched: (
            "Every shift has been filled with the unshifted scores: shift the padded image (leave out the "
            "first places, not the last) before you call `strided`."
        ),
        _stitched(lambda strided, padded, dx, dy: strided(padded[:, :, dx:, dy:]), swapped=True): (
            "The parts go into the wrong places: a shift by dx along the first axis belongs into dx::stride "
            "of the first axis."
        ),
        _stitched(lambda strided, padded, dx, dy: strided(F.pad(padded, (dy, 0, dx, 0)))): (
            "You shifted in the other direction: leaving out the first dx lines makes the grid start at "
            "pixel dx."
        ),
        _side_by_side: "You laid the parts side by side. They have to be interleaved, each pixel at its own place.",
        _only_the_diagonal: "Only equal shifts in x and y are done: all stride * stride pairs (dx, dy) are needed.",
        (
            lambda strided, padded, size, stride: strided(padded)
        ): "These are still the scores at every stride-th pixel only.",
    },
)
def shift_and_stitch(trial: Trial) -> None:
    trial.signature("strided", "padded", "size", "stride")
    settings = ((3, 2, 8, 10), (3, 2, 9, 8), (5, 3, 12, 9), (3, 1, 6, 5))
    for seed, (size, stride, width, height) in enumerate(settings):
        strided, padded = _Strided(size, stride, 10 + seed), numbers(1, 2, width, height, seed=20 + seed)
        trial.case(strided, padded, size, stride, expected=F.conv2d(padded, strided.weight))


check.number(
    "vgg_dilation",
    answer=32,
    hints=(
        "After one pooling made dense, neighbours on the coarse map are 2 places apart. And after a second "
        "one?",
        "On a map behind two poolings neighbours are 2 * 2 = 4 pixels apart: each pooling doubles the "
        "distance.",
        "2 ** 5",
    ),
    why={
        10: (
            "The distances multiply, they don't add up: after two poolings neighbours are 4 apart, after "
            "three 8."
        ),
        5: "That is the number of poolings. By how much does each spread the places?",
        64: "One pooling too many: there are five.",
        16: "One pooling too few: the fifth comes before that layer as well.",
        2: "That is for a single pooling: behind five of them neighbours are further apart.",
    },
)

_PATCH_MACS = 4 * 8 * 9 * 15**2 + 8 * 16 * 9 * 5**2 + 400 * 16 + 16 * 2
_DENSE_MACS = 4 * 8 * 9 * 254**2 + 8 * 16 * 9 * 248**2 + 400 * 16 * 240**2 + 16 * 2 * 240**2

check.number(
    "speed_up",
    answer=240**2 * _PATCH_MACS / _DENSE_MACS,
    tolerance=0.003,
    hints=(
        "Sliding window: `patch_macs` for each of the 240 * 240 pixels. Fully convolutional: one line of "
        "the table after the other, with your convolution_macs. Pooling costs no MACs.",
        "The former linear layer is convolution_macs(16, 16, 5, 240, 240), the last one "
        "convolution_macs(16, 2, 1, 240, 240).",
        "240 * 240 * patch_macs / (convolution_macs(4, 8, 3, 254, 254) + convolution_macs(8, 16, 3, 248, "
        "248) + convolution_macs(16, 16, 5, 240, 240) + convolution_macs(16, 2, 1, 240, 240))",
    ),
    why={
        289: (
            "Each pixel is read 289 times, but the work is not read alone: the linear layers are never "
            "repeated."
        ),
        225: "That is about what the first layer saves. The other layers save less.",
        _DENSE_MACS
        / (240**2 * _PATCH_MACS): "This is the inverse: how many times *more* does the sliding window need?",
        _PATCH_MACS
        / _DENSE_MACS: "You compared with the MACs of one patch: the sliding window classifies 240 * 240 of them.",
        240**2 * _PATCH_MACS / (4 * 8 * 9 * 254**2 + 8 * 16 * 9 * 248**2): (
            "The linear layers are missing in the dense network: as convolutions they cost at every pixel."
        ),
        240**2
        * _PATCH_MACS
        / (_DENSE_MACS - 16 * 2 * 240**2): "The last layer, 16 -> 2, is missing in the dense network.",
        72
        * 88
        * _PATCH_MACS
        / _DENSE_MACS: "`sliding_macs` is for our small slice: here the slice has 240 x 240 pixels.",
        240**2
        * _PATCH_MACS
        / (
            4 * 8 * 9 * 254**2 + 8 * 16 * 9 * 248**2 + 16 * 16 * 240**2 + 16 * 2 * 240**2
        ): "The former linear layer has a 5 x 5 kernel in the dense network.",
    },
)


check.choice(
    "border_picture",
    answer="B",
    hints=(
        "What does the first layer of the sliding window give for a window that lies wholly in the "
        "padding? Not 0: it has a bias.",
        'Where would those values be looked for in the "same" network, and what is there instead?',
        "The first feature map of a 17 x 17 patch is 15 x 15: how far does it reach from the centre?",
    ),
    why={
        "A": "Rounding is about 1e-15 here (see the right picture, from distance 7 on). The differences in "
        "the band are far larger.",
        "C": "Both networks use the same values of the same places, as long as these lie inside: the "
        "dilation is no approximation. What differs is what lies outside.",
        "D": "The weights are the same, and on the same input they give the same scores, trained for it or "
        "not. The inputs of the later layers differ.",
    },
)

_VGG_CONVOLUTIONS = 14_714_688
_FC6, _FC7, _SCORE = 512 * 49 * 4096, 4096 * 4096, 4096 * 21

check.number(
    "fcn_weights",
    answer=134_346_581,
    tolerance=1e-9,
    hints=(
        "A convolution with a 7 x 7 kernel, 512 inputs and 4,096 outputs has 7 * 7 * 512 * 4096 weights "
        "and 4,096 biases. How many did the linear layer have?",
        "Add four parts: vgg_convolutions, fc6, fc7 (a 1 x 1 convolution from 4,096 to 4,096), and the "
        "scores of 21 classes.",
        "vgg_convolutions + (512 * 7 * 7 * 4096 + 4096) + (4096 * 4096 + 4096) + (4096 * 21 + 21)",
    ),
    why={
        _VGG_CONVOLUTIONS
        + _FC6
        + _FC7
        + _SCORE: "The biases of fc6, fc7 and the scores are missing: one for each output.",
        138_357_544: "That is VGG16 itself, with 1,000 classes. The segmenter has 21.",
        _VGG_CONVOLUTIONS
        + 512 * 4096
        + 4096
        + _FC7
        + 4096
        + _SCORE
        + 21: "fc6 doesn't look at one place only: its kernel is as large as the 7 x 7 map.",
        _FC6 + 4096 + _FC7 + 4096 + _SCORE + 21: "The thirteen convolutions are missing.",
        _VGG_CONVOLUTIONS
        + _FC6
        + 4096
        + _SCORE
        + 21: "fc7 is missing: from 4,096 to 4,096, with 4,096 biases.",
        _VGG_CONVOLUTIONS + _FC6 + 4096 + _FC7 + 4096: "The scores of the 21 classes are missing.",
    },
)


# ---- 5. Full resolution

_VOXELS = 240 * 240 * 155

check.number(
    "activation_memory",
    answer=31 * 64 * _VOXELS * 4 / 1e9,
    tolerance=0.005,
    hints=(
        "The output of one layer has one number for each voxel and each channel.",
        "240 * 240 * 155 voxels, 64 channels, 31 layers, 4 bytes each; 1 GB is 1e9 bytes.",
        "31 * 64 * 240 * 240 * 155 * 4 / 1e9",
    ),
    why={
        64 * _VOXELS * 4 / 1e9: "That is for a single layer: backpropagation needs the outputs of all 31.",
        31 * _VOXELS * 4 / 1e9: "The channels are missing: each layer has 64 of them at every voxel.",
        31 * 64 * 240**2 * 4 / 1e9: "That is one slice. A scan has 155 of them.",
        31 * 64 * _VOXELS / 1e9: "Those are numbers: each takes 4 bytes.",
        31 * 64 * _VOXELS * 4: "Those are bytes: 1 GB is 1e9 of them.",
        31 * 64 * _VOXELS * 4 / 2**30: "That is in GiB (2**30 bytes): 1 GB is 1e9 bytes.",
        31 * 64 * _VOXELS * 8 / 1e9: "That is in float64, 8 bytes a number: asked for is float32.",
    },
)
