"""Exercises of notebook 01: tasks, clustering, the sliding window and the fully convolutional network.

The oracles are other algorithms than the solutions': SciPy's objects, all pairs of points, ``F.unfold`` and
``F.fold``, PyTorch's own counter of floating point operations, unit feature maps sent through a linear layer,
and pixel shuffling for shift-and-stitch, which is also compared with a convolution of stride 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import scipy.ndimage
import scipy.spatial
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from course_utils.checking import Checker, Trial
from course_utils.checking.mistakes import given, then
from course_utils.checking.samples import numbers

check = Checker("pixels_to_classes")


# ---- 1. Three questions about one slice

_Box = tuple[int, int, int, int]


def _bounding_box(mask: Tensor) -> _Box:
    (xs, ys) = scipy.ndimage.find_objects(mask.numpy().astype(int))[0]
    return xs.start, xs.stop - 1, ys.start, ys.stop - 1


def _reordered(*order: int) -> Callable[[Tensor], _Box]:
    return then(_bounding_box, lambda box: tuple(box[place] for place in order))


def _moved(first: int, last: int) -> Callable[[Tensor], _Box]:
    return then(_bounding_box, lambda box: (box[0] + first, box[1] + last, box[2] + first, box[3] + last))


def _box_along_axes(mask: Tensor, *, last: Callable[[Tensor, Tensor], Any]) -> _Box:
    """The first places are right; ``last(places, occupied)`` of each axis instead of the last place."""
    box: list[int] = []
    for axis in (1, 0):
        occupied = mask.any(dim=axis)
        places = occupied.nonzero()[:, 0]
        box += int(places.min()), int(last(places, occupied))
    return tuple(box)


def _box_of_first_and_last(mask: Tensor) -> _Box:
    places = mask.nonzero().tolist()
    return places[0][0], places[-1][0], places[0][1], places[-1][1]


def _box_without_the_last_places(mask: Tensor) -> _Box:
    xs, ys = mask.any(dim=1)[:-1].nonzero(), mask.any(dim=0)[:-1].nonzero()
    return int(xs.min()), int(xs.max()), int(ys.min()), int(ys.max())


@check.exercise(
    oracle=_bounding_box,
    hints=(
        "Forget y for a moment: at which x is anything true?",
        "`mask.any(dim=1)` answers for each x, and `nonzero()` lists the places where a tensor is true; the "
        "smallest and the largest of them are the first two numbers. For y look along the other axis.",
        "xs, ys = mask.any(dim=1).nonzero(), mask.any(dim=0).nonzero(); then int(xs.min()), int(xs.max()), "
        "int(ys.min()), int(ys.max()).",
    ),
    why={
        _reordered(2, 3, 0, 1): "x and y are swapped: the first axis of the mask is x.",
        _reordered(
            0, 2, 1, 3
        ): "These are the right four numbers in another order: first x, last x, first y, last y.",
        _reordered(2, 0, 3, 1): (
            "These are two corners, y before x. Asked for are first x, last x, first y, last y."
        ),
        _reordered(1, 0, 3, 2): "The last place stands before the first: first x, last x, first y, last y.",
        _reordered(0, 0, 2, 2): (
            "You took the first place twice: the last one is the largest, not the smallest."
        ),
        _moved(0, 1): (
            "Your ends are one too far, as in a slice: the last x and y are themselves inside the mask."
        ),
        _moved(1, 1): "You count from 1: the first place along an axis is 0.",
        partial(_box_along_axes, last=lambda places, _: places.max() - places.min() + 1): (
            "These are widths. Asked for are the last x and the last y."
        ),
        partial(
            _box_along_axes, last=lambda places, _: places.max() - places.min()
        ): "These are differences. Asked for are the last x and the last y.",
        partial(_box_along_axes, last=lambda places, _: places.min() + len(places) - 1): (
            "You counted the occupied places, but a mask can have gaps: take the largest place."
        ),
        partial(_box_along_axes, last=lambda _, occupied: occupied.flip(0).int().argmax()): (
            "That counts from the end: subtract it from the last place of the axis."
        ),
        _box_of_first_and_last: "nonzero() sorts by x first: the first and last entry say nothing about y.",
        _box_without_the_last_places: (
            "The last place of each axis is never looked at: range(n) stops before n by itself."
        ),
    },
)
def bounding_box(trial: Trial) -> None:
    trial.signature("mask")
    tiny = torch.tensor([[0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 1, 1]], dtype=torch.bool)
    trial.case(tiny, expected=(1, 2, 1, 3), whole=True)
    scattered = torch.zeros(9, 14, dtype=torch.bool)
    scattered[[3, 6, 4], [11, 5, 8]] = True
    single = torch.zeros(5, 7, dtype=torch.bool)
    single[0, 6] = True
    trial.cases([(scattered,), (single,), (torch.ones(4, 3, dtype=torch.bool),)], whole=True)


# ---- 2. Regions without names


def _rename_clusters(clusters: np.ndarray, names: list[int]) -> np.ndarray:
    return np.vectorize(list(names).__getitem__, otypes=[np.int64])(clusters)


def _renamed_one_after_another(clusters: np.ndarray, names: list[int]) -> np.ndarray:
    result = clusters.copy()
    for cluster, name in enumerate(names):
        result[result == cluster] = name
    return result


def _renamed_backwards(clusters: np.ndarray, names: list[int]) -> np.ndarray:
    """The inverse renaming; there is none unless the names are the clusters' own numbers, reordered."""
    if sorted(names) != list(range(len(names))):
        raise ValueError("these names are no numbers of clusters")
    return np.argsort(names)[clusters]


def _renamed_by_rank(clusters: np.ndarray, names: list[int]) -> np.ndarray:
    return np.array(names)[np.unique(clusters, return_inverse=True)[1].reshape(clusters.shape)]


def _renamed_in_part(clusters: np.ndarray, names: list[int], *, which: Callable) -> np.ndarray:
    """Only the clusters in ``which(number of names)`` get their new names."""
    return np.where(np.isin(clusters, which(len(names))), _rename_clusters(clusters, names), clusters)


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
        _renamed_backwards: (
            "This is the opposite renaming: names[c] is the new name of cluster c, not the cluster whose "
            "new name is c."
        ),
        _renamed_by_rank: (
            "You numbered the clusters that occur anew. If no pixel has number 1, cluster 2 is still called "
            "names[2]."
        ),
        then(lambda clusters, names: clusters, np.copy): "Nothing has been renamed.",
        partial(_renamed_in_part, which=lambda n: range(4)): (
            "Only the clusters 0 to 3 were renamed. There may be more: loop over range(len(names))."
        ),
        partial(_renamed_in_part, which=lambda n: range(n - 1)): (
            "The last cluster keeps its old name: range(n) stops before n by itself."
        ),
        partial(_renamed_in_part, which=lambda n: range(1, n)): "Cluster 0 keeps its old name: begin at 0.",
    },
)
def rename_clusters(trial: Trial) -> None:
    trial.signature("clusters", "names")
    by_hand = np.array([2, 0, 3, 1, 2])
    trial.case(np.array([0, 1, 2, 3, 0]), [2, 0, 3, 1], expected=by_hand, any_dtype=True)
    some = np.random.default_rng(0).integers(0, 5, 30)
    table = [(some, [3, 4, 1, 0, 2]), (some[some != 1], [4, 0, 3, 2, 1]), (some % 3, [700, -5, 9])]
    trial.cases(table, any_dtype=True)


def _sum_of_squares(points: np.ndarray, clusters: np.ndarray) -> float:
    """Without any mean: the sum over all pairs of a cluster, divided by twice its size."""
    total = 0.0
    for cluster in set(np.asarray(clusters).tolist()):
        members = points[clusters == cluster]
        total += scipy.spatial.distance.pdist(members, "sqeuclidean").sum() / len(members)
    return float(total)


def _distances(members: np.ndarray) -> np.ndarray:
    return np.sqrt(((members - members.mean(axis=0)) ** 2).sum(axis=1))


def _sum_over_clusters(
    points: np.ndarray,
    clusters: np.ndarray,
    *,
    of_cluster: Callable[[np.ndarray], Any] = lambda members: (_distances(members) ** 2).sum(),
    total: Callable[[list[float]], float] = sum,
    names: Callable[[np.ndarray], Iterable[int]] = np.unique,
) -> Any:
    """W with its parts left open, for the mistakes. Clusters without members count nothing."""
    members = [points[clusters == name] for name in names(clusters)]
    return total([of_cluster(own) for own in members if len(own)])


@check.exercise(
    oracle=_sum_of_squares,
    hints=(
        "Go through the clusters. For each: which points belong to it, and what is their mean?",
        "`clusters == cluster` is a mask over the points, and a mask as an index picks them. Their mean over "
        "axis 0 has one value for each of the d intensities. Square the differences, and add all up.",
        "For each cluster of np.unique(clusters), with members = points[clusters == cluster], add "
        "((members - members.mean(axis=0)) ** 2).sum().",
    ),
    why={
        partial(_sum_over_clusters, of_cluster=lambda own: _distances(own).sum()): (
            "The distances are to be squared before they are added up."
        ),
        partial(_sum_over_clusters, of_cluster=lambda own: _distances(own).sum() ** 2): (
            "The square goes on each distance. You squared their sum."
        ),
        partial(_sum_over_clusters, of_cluster=lambda own: np.linalg.norm(_distances(own))): (
            "You added up the roots of the clusters' sums of squares: the squares stay squares."
        ),
        partial(_sum_over_clusters, of_cluster=lambda own: np.abs(own - own.mean(axis=0)).sum()): (
            "You added up absolute differences: each of them is to be squared."
        ),
        partial(_sum_over_clusters, of_cluster=lambda own: ((own - own.mean(axis=0)) ** 2).sum(axis=0)): (
            "W is a single number: add up over the intensities, too."
        ),
        partial(_sum_over_clusters, names=lambda clusters: range(clusters.max())): (
            "The cluster with the largest number was left out: range(n) stops before n."
        ),
        partial(_sum_over_clusters, of_cluster=lambda own: (own**2).sum()): (
            "The mean of the cluster was not subtracted: these are squared distances from the origin."
        ),
        given(_sum_of_squares, clusters=np.zeros_like): (
            "You measured the distances from the mean of all points: each cluster has its own mean."
        ),
        partial(_sum_over_clusters, of_cluster=lambda own: ((own - own.mean()) ** 2).sum()): (
            "Your mean is a single number, over all intensities: average over the points only, axis=0."
        ),
        partial(_sum_over_clusters, of_cluster=lambda own: (_distances(own) ** 2).mean()): (
            "You averaged within each cluster: W is a sum, so a large cluster weighs more."
        ),
        partial(_sum_over_clusters, of_cluster=lambda own: ((own - own.mean(axis=0)) ** 2).mean()): (
            "You averaged the squares of each cluster: W adds them up, over the points and the intensities."
        ),
        partial(_sum_over_clusters, of_cluster=lambda own: ((own.T - own.mean(axis=1)) ** 2).sum()): (
            "You averaged the intensities of each point: the mean of a cluster is over its points, axis=0."
        ),
        partial(
            _sum_over_clusters,
            of_cluster=lambda own: own.var(axis=0).sum() * (len(own) ** 2 / (len(own) - 1)),
        ): "Your variance divides by n - 1 (PyTorch's does so unless told otherwise): here it has to be n.",
        partial(_sum_over_clusters, names=lambda clusters: clusters): (
            "Each cluster is counted once for every point in it: loop over np.unique(clusters)."
        ),
        partial(_sum_over_clusters, names=lambda clusters: range(len(np.unique(clusters)))): (
            "A cluster was left out: its number can be any integer. np.unique(clusters) lists them all."
        ),
        partial(_sum_over_clusters, names=lambda clusters: range(clusters.max() + 1)): (
            "A cluster with a negative number was left out. np.unique(clusters) lists them all."
        ),
        partial(_sum_over_clusters, total=np.mean): "You averaged over the clusters: W adds them up.",
        partial(_sum_over_clusters, total=lambda sums: sums[0]): "Only the first cluster is counted.",
        partial(_sum_over_clusters, total=lambda sums: sums[-1]): "Only the last cluster is counted.",
        lambda points, clusters: _sum_of_squares(points, clusters) / len(points): (
            "You divided by the number of points: W is a sum, not a mean."
        ),
        then(_sum_of_squares, np.sqrt): "That is the root of W: the squares are added up, and stay squares.",
    },
)
def sum_of_squares(trial: Trial) -> None:
    trial.signature("points", "clusters")
    tiny = np.array([[0.0, 0.0], [6.0, 8.0], [5.0, 1.0], [5.0, 5.0], [5.0, 6.0]])
    trial.case(tiny, np.array([0, 0, 1, 1, 1]), expected=64.0)
    points = numbers(30, 4, seed=1).numpy()
    clusters = np.random.default_rng(2).integers(0, 4, 30)
    trial.case(points, clusters)
    for names in ([7, 2, 5], [0, -1, 9]):
        listed = ", ".join(map(str, sorted(names)))
        renamed = np.array(names)[clusters % 3]
        trial.case(points, renamed, label=f"sum_of_squares(points, clusters named {listed})")
    trial.case(points[:5], np.arange(5), expected=0.0)


check.choice(
    "relabelling",
    answer="D",
    hints=(
        "Which of the two quantities is computed with the reference, and which without?",
        "Look into your sum_of_squares: where does it use the *value* of a cluster's number, and where only "
        "whether two pixels have the same one?",
        "If all 24 namings have the same W, can minimising W prefer one of them?",
    ),
    why={
        "A": (
            "Look at the right picture: even the best naming is far from 1. None of the 24 is the reference."
        ),
        "B": (
            "More starts can lower W, but never tell two namings of one partition apart: they have the same "
            "W."
        ),
        "C": (
            "A doctor needs to know which region is the tumour. A measure that ignores names can't tell "
            "whether the map says so."
        ),
    },
)


# ---- 3. The sliding window


def _patches_around(image: Tensor, size: int) -> Tensor:
    columns = F.unfold(image[None], size, padding=size // 2)[0]  # (channels * size * size, pixels)
    return columns.T.reshape(-1, image.shape[0], size, size).contiguous()


def _patches(
    image: Tensor,
    size: int,
    *,
    around: Callable[[int], tuple[int, ...]] = lambda size: (size // 2,) * 4,
    mode: str = "constant",
    step: Callable[[int], int] = lambda size: 1,
    order: tuple[int, ...] | None = (1, 2, 0, 3, 4),
    shape: Callable[[int, int], tuple[int, ...]] = lambda channels, size: (-1, channels, size, size),
) -> Tensor:
    """Patches with the padding, the step, the order of the axes and the shape left open, for the mistakes."""
    padded = F.pad(image[None], around(size), mode=mode)[0]
    windows = padded.unfold(1, size, step(size)).unfold(2, size, step(size))  # (channels, x, y, size, size)
    ordered = windows if order is None else windows.permute(order)
    return ordered.reshape(shape(image.shape[0], size))


def _patches_as_an_image(image: Tensor, size: int) -> Tensor:
    return _patches_around(image, size).unflatten(0, image.shape[1:])


@check.exercise(
    oracle=_patches_around,
    hints=(
        "First put zeros around the image, size // 2 places on each of the four sides. Then the patch around "
        "pixel (x, y) begins at (x, y) of the padded image.",
        "Unfold axis 1, then 2: the windows have the axes (channels, x, y, patch x, patch y). The pixels "
        "come first in the answer, so two axes have to move to the front before you reshape.",
        "windows.permute(1, 2, 0, 3, 4).reshape(-1, channels, size, size). With loops: a list of "
        "padded[:, x : x + size, y : y + size], x outside, y inside, then torch.stack.",
    ),
    why={
        partial(_patches, order=None): (
            "The channels must move behind the pixels *before* the reshape: as it is, the patches mix "
            "channels and places."
        ),
        partial(_patches, order=None, shape=lambda channels, size: (channels, -1, size, size)): (
            "The pixels come first: (pixels, channels, size, size)."
        ),
        partial(_patches, order=(2, 1, 0, 3, 4)): (
            "Your patches are in another order: pixel (x, y) is patch x * n_y + y, so y runs fastest."
        ),
        partial(_patches, order=(1, 2, 0, 4, 3)): "Inside each patch x and y are swapped.",
        partial(_patches, around=lambda size: (0, size - 1) * 2): (
            "Your patches begin at their pixel. It has to be the centre: pad all four sides by size // 2."
        ),
        partial(_patches, around=lambda size: (size - 1, 0) * 2): (
            "Your patches end at their pixel. It has to be the centre: pad all four sides by size // 2."
        ),
        partial(_patches, around=lambda size: (0, 0)): (
            "The padding is missing: pixels near the border have patches, too."
        ),
        partial(_patches, around=lambda size: (size // 2,) * 2): (
            "You padded along y only: F.pad takes two numbers for each axis, the last axis first."
        ),
        partial(_patches, around=lambda size: (0, 0, size // 2, size // 2)): (
            "You padded along x only: the first two numbers that F.pad takes are for the last axis, y."
        ),
        partial(_patches, step=lambda size: size): (
            "Your windows lie side by side: the last argument of unfold is the step, and it is 1."
        ),
        partial(_patches, around=lambda size: (size,) * 4): (
            "You padded by size: size // 2 on each side is enough, and gives one patch for each pixel."
        ),
        partial(_patches, mode="replicate"): (
            "Beyond the border you repeated the image's edge: here it is padded with zeros."
        ),
        partial(_patches, mode="reflect"): (
            "Beyond the border you mirrored the image: here it is padded with zeros."
        ),
        partial(_patches, order=(1, 2, 3, 4, 0)): (
            "The channels were moved behind the patch, and the reshape has cut them up: they come second, "
            "in front of the places in the patch."
        ),
        partial(
            _patches, order=(1, 2, 3, 4, 0), shape=lambda channels, size: (-1, size, size, channels)
        ): "The channels come second: (pixels, channels, size, size), not last.",
        lambda image, size: F.unfold(image[None], size, padding=size // 2)[0].reshape(
            -1, image.shape[0], size, size
        ): "F.unfold gives one *column* for each pixel: transpose before the reshape.",
        _patches_as_an_image: "One axis for all pixels, please: join the first two axes, x and y.",
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
    several = numbers(4, 6, 3, seed=6).float()
    images = numbers(3, 4, 6, seed=3), numbers(2, 7, 5, seed=4), numbers(2, 3, 4, seed=5), several
    trial.cases(zip(images, (3, 5, 1, 7)))


def _convolution_macs(in_channels: int, out_channels: int, kernel: int, width: int, height: int) -> int:
    image = torch.empty(1, in_channels, width + kernel - 1, height + kernel - 1, device="meta")
    weight = torch.empty(out_channels, in_channels, kernel, kernel, device="meta")
    with FlopCounterMode(display=False) as counter:
        F.conv2d(image, weight)
    return counter.get_total_flops() // 2


def _macs(
    in_channels: int,
    out_channels: int,
    kernel: int,
    width: int,
    height: int,
    *,
    sides: int = 2,
    taken_off: int = 0,
    biases: int = 0,
) -> int:
    """The formula with its parts left open, for the mistakes."""
    places = (width - taken_off * (kernel - 1)) * (height - taken_off * (kernel - 1))
    return (in_channels * kernel**sides + biases) * out_channels * places


@check.exercise(
    oracle=_convolution_macs,
    hints=(
        "How many products make one output value? The kernel covers k * k places, in each of the input "
        "channels.",
        "That is in_channels * kernel * kernel for one value. How many output values are there?",
        "in_channels * kernel**2 * out_channels * width * height",
    ),
    why={
        given(_macs, in_channels=1): (
            "The input channels are missing: each output value sums over all of them."
        ),
        given(_macs, out_channels=1): "The output channels are missing: each has a kernel of its own.",
        partial(_macs, sides=1): "The kernel has two sides: kernel * kernel places.",
        partial(_macs, sides=0): "The kernel is missing: each output value sums over kernel * kernel places.",
        given(_macs, width=1, height=1): (
            "This is the number of weights. Each of them is used at every place of the output."
        ),
        given(_macs, in_channels=1, out_channels=1): (
            "Both numbers of channels are missing: each output channel sums over all input channels."
        ),
        given(_macs, kernel=3): "The kernel is not always 3 x 3: use `kernel`.",
        lambda in_channels, out_channels, kernel, width, height: (
            in_channels * out_channels * kernel * 2 * width * height
        ): "kernel * 2 is not kernel**2: the kernel has kernel * kernel places.",
        lambda in_channels, out_channels, kernel, width, height: (
            (in_channels * out_channels * kernel) ^ (2 * width * height)
        ): "In Python ^ is no power (it compares bits): write kernel**2.",
        lambda in_channels, out_channels, kernel, width, height: _macs(
            in_channels, out_channels, kernel, width, width
        ): "The output need not be square: width * height places, not width**2.",
        given(_macs, height=1): "The height is missing: the output has width * height places.",
        then(_macs, lambda count: 2 * count): (
            "You counted multiplications and additions apart: a multiply-accumulate is one of each."
        ),
        partial(_macs, taken_off=1): (
            "Width and height are already those of the output: nothing has to be taken off for the kernel."
        ),
        partial(_macs, taken_off=-1): (
            "Width and height are those of the output: the larger input does not count, only the values "
            "that come out."
        ),
        partial(_macs, biases=1): "Biases are not counted as multiply-accumulates.",
        lambda in_channels, out_channels, kernel, width, height: (
            _macs(in_channels, out_channels, kernel, width, height) + out_channels
        ): "You added one bias for each output channel: biases are not counted as multiply-accumulates.",
    },
)
def convolution_macs(trial: Trial) -> None:
    trial.signature("in_channels", "out_channels", "kernel", "width", "height")
    trial.case(2, 4, 3, 5, 4, expected=1440, whole=True)
    trial.case(2, 3, 1, 1, 1, expected=6, whole=True)
    trial.case(1, 1, 3, 4, 5, expected=180, whole=True)
    # The last one is a layer as large as VGG's, whose count needs more than 32 bits.
    settings = (4, 8, 3, 15, 15), (3, 2, 5, 7, 4), (16, 5, 2, 6, 9), (256, 256, 3, 224, 240)
    trial.cases(settings, whole=True)


def _reads_per_pixel(width: int, height: int, size: int) -> np.ndarray:
    """Each patch adds 1 to what it covers."""
    half = size // 2
    ones = torch.ones(1, size * size, width * height, dtype=torch.float64)
    reads = F.fold(ones, (width, height), size, padding=half)[0, 0]
    return reads.round().long().numpy()


def _right_along_one_axis(length: int, size: int) -> np.ndarray:
    return _reads_per_pixel(length, 1, size)[:, 0]


def _reads(
    width: int,
    height: int,
    size: int,
    *,
    along_one_axis: Callable[[int, int], np.ndarray] = _right_along_one_axis,
    combine: Callable[[np.ndarray, np.ndarray], np.ndarray] = np.multiply.outer,
) -> np.ndarray:
    """Reads from those along each axis, with the parts left open, for the mistakes."""
    return combine(along_one_axis(width, size), along_one_axis(height, size))


def _reads_between(
    length: int, size: int, *, centres: Callable[[int, int], Iterable[int]], before: int = 0, after: int = 1
) -> np.ndarray:
    """How many windows from centre - half + before to centre + half + after (left out) hold each place."""
    middles, places, half = (
        np.array([*centres(length, size)], dtype=int)[:, None],
        np.arange(length),
        size // 2,
    )
    return ((places >= middles - half + before) & (places < middles + half + after)).sum(axis=0)


def _begins_at_negative_numbers(width: int, height: int, size: int) -> np.ndarray:
    half, reads = size // 2, np.zeros((width, height), dtype=int)
    for x, y in np.ndindex(width, height):
        reads[x - half : x + half + 1, y - half : y + half + 1] += 1
    return reads


def _between_limits(length: int, size: int) -> np.ndarray:
    """Up to n instead of n - 1, and the last one not counted."""
    places, half = np.arange(length), size // 2
    return np.minimum(places + half, length) - np.maximum(places - half, 0)


def _at_the_first_border(length: int, size: int) -> np.ndarray:
    return np.minimum(np.arange(length), size // 2) + 1 + size // 2


def _by_the_nearer_border(length: int, size: int) -> np.ndarray:
    places, half = np.arange(length), size // 2
    return half + 1 + np.minimum(half, np.minimum(places, length - 1 - places))


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
        partial(_reads, along_one_axis=lambda length, size: np.full(length, size)): (
            "Near the border there are fewer centres: some of the size * size that would see the pixel lie "
            "outside the image."
        ),
        partial(_reads, combine=np.add.outer): (
            "The counts along the two axes multiply: every x fits with every y."
        ),
        partial(_reads, combine=lambda along_x, along_y: np.repeat(along_x[:, None], len(along_y), axis=1)): (
            "Only x is counted: every x fits with every y, so the counts along y multiply these."
        ),
        partial(_reads, along_one_axis=lambda length, size: np.minimum(np.arange(length) + 1, size)): (
            "These are patches that begin at their pixel. A pixel in the middle of its patch has fewer "
            "reads at both borders."
        ),
        partial(_reads, along_one_axis=_at_the_first_border): (
            "You looked at the first border only: there are fewer centres at the other end, too."
        ),
        partial(_reads, along_one_axis=then(_at_the_first_border, np.flip)): (
            "You looked at the far border only: there are fewer centres at the first one, too."
        ),
        partial(_reads, along_one_axis=_by_the_nearer_border): (
            "You looked at the nearer border only. In a narrow image a window sticks out on both sides."
        ),
        partial(
            _reads,
            along_one_axis=partial(
                _reads_between, centres=lambda length, size: range(size // 2, length - size // 2)
            ),
        ): (
            "You counted only patches that lie wholly inside the image. With the padding there is one "
            "around each pixel."
        ),
        then(_reads_per_pixel, np.transpose): "Width and height are swapped: x is the first axis.",
        _begins_at_negative_numbers: (
            "A slice that begins at a negative number counts from the end: begin at max(x - half, 0)."
        ),
        partial(_reads, along_one_axis=then(_right_along_one_axis, lambda reads: reads - 1)): (
            "One too few: from a to b, both included, there are b - a + 1 integers."
        ),
        partial(
            _reads, along_one_axis=lambda length, size: _between_limits(length, size) + 1
        ): "The last centre is n - 1, not n: near the far border you count one too many.",
        given(_reads_per_pixel, size=lambda size: 2 * size + 1): (
            "A window reaches size // 2 places to each side, not size."
        ),
        partial(_reads, along_one_axis=_between_limits): (
            "The last centre is n - 1, not n; and from a to b, both included, there are b - a + 1 integers."
        ),
        partial(
            _reads, along_one_axis=partial(_reads_between, centres=lambda length, _: range(length), after=0)
        ): "A slice leaves its end out: a patch from x - half to x + half ends before x + half + 1.",
    },
)
def reads_per_pixel(trial: Trial) -> None:
    trial.signature("width", "height", "size")
    counts = trial.call(4, 3, 3)
    # Counts kept as floats, as np.zeros makes them, are right as well.
    are_floats = isinstance(counts, np.ndarray) and counts.dtype.kind == "f"
    kind = np.float64 if are_floats else np.int64
    by_hand = np.array([[4, 6, 4], [6, 9, 6], [6, 9, 6], [4, 6, 4]])
    trial.case(4, 3, 3, expected=by_hand.astype(kind), any_dtype=True)
    narrow = "reads_per_pixel(3, 8, 7): an image narrower than the patch"
    for setting in ((9, 6, 5), (3, 8, 7), (2, 5, 1), (20, 18, 17)):
        label = narrow if setting == (3, 8, 7) else None
        expected = _reads_per_pixel(*setting).astype(kind)
        trial.case(*setting, expected=expected, any_dtype=True, label=label)


check.choice(
    "context_picture",
    answer="A",
    hints=(
        "Read the text above the experiment again: what is different between the four networks, and what "
        "is the same?",
        "Follow single grey lines. And compare the distance of the two seeds with the rise of the mean.",
        "From 3 to 9 and from 9 to 17: which step shows more pixels that were hidden before, and which one "
        "raises the mean more?",
    ),
    why={
        "B": (
            "Subjects differ, but look at each one's own line: the sizes are compared within the same "
            "subjects, and the two seeds agree."
        ),
        "C": (
            "All networks have the same input of 17 x 17, with zeros where nothing is to be seen, and the "
            "same number of weights. Only what they see differs."
        ),
        "D": (
            "The step from 1 x 1 to 3 x 3 shows 8 pixels more, the one from 9 x 9 to 17 x 17 shows 208 more. "
            "Which of them raises the mean more?"
        ),
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
        "weights lie in this order, too, and only their shape is another.",
        "weight.reshape(-1, channels, width, height)",
    ),
    why={
        lambda weight, channels, width, height: weight.reshape(-1, width, height, channels).permute(
            0, 3, 1, 2
        ): "You took the channels as the last axis: `Flatten` writes channel 0 first, then channel 1.",
        lambda weight, channels, width, height: weight.reshape(-1, channels, height, width).mT: (
            "Within a channel x and y are swapped: reshape to (..., width, height)."
        ),
        lambda weight, channels, width, height: weight.reshape(-1, channels, height, width): (
            "Width comes before height: (outputs, channels, width, height)."
        ),
        lambda weight, channels, width, height: weight.reshape(-1, width, height, channels): (
            "The channels come second: (outputs, channels, width, height), not last."
        ),
        lambda weight, channels, width, height: weight.reshape(channels, -1, width, height): (
            "The outputs come first: (outputs, channels, width, height)."
        ),
        then(_linear_to_convolution, lambda kernel: kernel.flip(2, 3)): (
            "You flipped the kernel. PyTorch's convolution doesn't flip, so there is nothing to undo."
        ),
        lambda weight, channels, width, height: weight.T.reshape(-1, channels, width, height): (
            "You transposed the weight: PyTorch keeps one row for each output."
        ),
    },
)
def linear_to_convolution(trial: Trial) -> None:
    trial.signature("weight", "channels", "width", "height")
    tiny = torch.arange(1.0, 13.0, dtype=torch.float64).reshape(1, 12)
    by_hand = torch.tensor([[[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]], dtype=torch.float64)
    trial.case(tiny, 2, 2, 3, expected=by_hand)
    weight, features = numbers(3, 40, seed=7), numbers(1, 2, 5, 4, seed=8)
    kernel = trial.case(weight, 2, 5, 4)
    trial.case(numbers(4, 6, seed=9), 6, 1, 1)
    trial.require(
        torch.allclose(F.conv2d(features, kernel)[:, :, 0, 0], F.linear(features.flatten(1), weight)),
        "The convolution does not give what the linear layer gives.",
    )


class _Strided:
    """A strided convolution, as a function of the padded image, that counts its calls."""

    def __init__(self, size: int, stride: int, seed: int) -> None:
        self.weight, self.stride, self.calls = numbers(3, 2, size, size, seed=seed), stride, 0

    def __repr__(self) -> str:
        return "strided"

    def __deepcopy__(self, memo: dict) -> _Strided:
        return self  # the copy that a student's function gets counts for the same account

    def __call__(self, padded: Tensor) -> Tensor:
        self.calls += 1
        return F.conv2d(padded, self.weight, stride=self.stride)


def _pixels(padded: Tensor, size: int) -> tuple[int, int]:
    return padded.shape[2] - size + 1, padded.shape[3] - size + 1


def _shift_and_stitch(strided: Callable[[Tensor], Tensor], padded: Tensor, size: int, stride: int) -> Tensor:
    """All shifts as channels, then shuffled into pixels."""
    width, height = _pixels(padded, size)
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


def _stitched(
    strided: Callable[[Tensor], Tensor],
    padded: Tensor,
    size: int,
    stride: int,
    *,
    shifted: Callable[[Tensor, int, int], Tensor] = lambda padded, dx, dy: padded[:, :, dx:, dy:],
    place: Callable[[int, int], tuple[int, int]] = lambda dx, dy: (dx, dy),
    shifts: Callable[[int], Iterable[tuple[int, int]]] = lambda stride: np.ndindex(stride, stride),
) -> Tensor:
    """Stitching with its parts left open, for the mistakes; a part that is too large is cut off."""
    result = padded.new_zeros(1, strided(padded).shape[1], *_pixels(padded, size))
    for dx, dy in shifts(stride):
        first, second = place(dx, dy)
        target = result[:, :, first::stride, second::stride]
        target[...] = strided(shifted(padded, dx, dy))[:, :, : target.shape[2], : target.shape[3]]
    return result


def _as_channels(strided: Callable[[Tensor], Tensor], padded: Tensor, size: int, stride: int) -> Tensor:
    return torch.cat([strided(padded[:, :, dx:, dy:]) for dx, dy in np.ndindex(stride, stride)], dim=1)


def _side_by_side(strided: Callable[[Tensor], Tensor], padded: Tensor, size: int, stride: int) -> Tensor:
    """Whole parts beside each other instead of interleaved."""
    lines = [
        torch.cat([strided(padded[:, :, dx:, dy:]) for dy in range(stride)], dim=3) for dx in range(stride)
    ]
    return torch.cat(lines, dim=2)


@check.exercise(
    oracle=_shift_and_stitch,
    hints=(
        "`strided(padded)` has the scores of the pixels (0, 0), (0, s), (s, 0), ... Which pixels does it "
        "give when you leave out the first dx lines and dy columns of the padded image?",
        "The pixels (dx, dy), (dx, dy + s), (dx + s, dy), ... A slice with a step, `start::step` on both "
        "axes, is where they belong in the result. There are stride * stride such shifts.",
        "Two loops, dx and dy over range(stride), and in them result[:, :, dx::stride, dy::stride] = "
        "strided(padded[:, :, dx:, dy:]), where result has padded.shape[2] - size + 1 by padded.shape[3] - "
        "size + 1 pixels.",
    ),
    why={
        partial(_stitched, shifted=lambda padded, dx, dy: padded): (
            "Every shift has been filled with the unshifted scores: shift the padded image (leave out the "
            "first places, not the last) before you call `strided`."
        ),
        partial(_stitched, place=lambda dx, dy: (dy, dx)): (
            "The parts go into the wrong places: a shift by dx along x belongs into dx::stride along x."
        ),
        partial(_stitched, shifted=lambda padded, dx, dy: F.pad(padded, (dy, 0, dx, 0))): (
            "You shifted in the other direction: leaving out the first dx lines makes the grid start at "
            "pixel dx."
        ),
        partial(_stitched, shifts=lambda stride: [(d, d) for d in range(stride)]): (
            "Only equal shifts in x and y are done: all stride * stride pairs (dx, dy) are needed."
        ),
        partial(_stitched, shifts=lambda stride: np.ndindex(2, 2)): (
            "Only the shifts by 0 and 1 are done: with stride s there are those from 0 to s - 1."
        ),
        partial(_stitched, shifts=lambda stride: [(0, 0)]): (
            "Only the unshifted scores are there, and zeros between them: the other shifts are missing."
        ),
        partial(_stitched, shifts=lambda stride: [(d, 0) for d in range(stride)]): (
            "Only shifts along x are done: all stride * stride pairs (dx, dy) are needed."
        ),
        lambda strided, padded, size, stride: F.interpolate(strided(padded), scale_factor=stride): (
            "You stretched the coarse scores: the pixels in between have scores of their own, which shifted "
            "images give."
        ),
        _as_channels: "You stacked the parts as channels: each has pixels of its own to go to.",
        _side_by_side: (
            "You laid the parts side by side. They have to be interleaved, each pixel at its own place."
        ),
        lambda strided, padded, size, stride: strided(padded): (
            "These are still the scores at every stride-th pixel only."
        ),
    },
)
def shift_and_stitch(trial: Trial) -> None:
    trial.signature("strided", "padded", "size", "stride")
    settings = ((3, 2, 8, 10), (3, 2, 9, 8), (5, 3, 12, 9), (3, 1, 6, 5))
    used = []
    for seed, (size, stride, width, height) in enumerate(settings):
        strided, padded = _Strided(size, stride, 10 + seed), numbers(1, 2, width, height, seed=20 + seed)
        trial.case(strided, padded, size, stride, expected=F.conv2d(padded, strided.weight, stride=1))
        used.append((stride, strided.calls))
    trial.judge()
    for stride, calls in used:
        trial.require(
            calls <= stride**2 + 1,  # one more than needed, to see how many classes there are
            "The values are right, but `strided` runs too often: there are only stride * stride shifts, by 0 "
            "to stride - 1 along each axis. To save runs is the point of it.",
            "Loop dx and dy over range(stride).",
            stride=stride,
            runs=calls,
        )


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
        25: "Each of five poolings doubles the distance: that is 2 to the power of 5, not 5 squared.",
        5: "That is the number of poolings. By how much does each spread the places?",
        64: "One pooling too many: there are five.",
        16: "One pooling too few: the fifth comes before that layer as well.",
        193: "That is what the dilated kernel spans: 6 gaps of 32 places and one more. Asked for is the gap.",
        2: "That is for a single pooling: behind five of them neighbours are further apart.",
    },
)

_FIRST, _SECOND, _HEAD, _LAST = 4 * 8 * 9, 8 * 16 * 9, 400 * 16, 16 * 2  # MACs for one place of the output
_PATCH_MACS = _FIRST * 15**2 + _SECOND * 5**2 + _HEAD + _LAST
_DENSE_MACS = _FIRST * 254**2 + _SECOND * 248**2 + (_HEAD + _LAST) * 240**2
_SLIDING_MACS = 240**2 * _PATCH_MACS
_SLICE = 72 * 88  # pixels of the notebook's own slice
_SLICE_MACS = _FIRST * 86 * 102 + _SECOND * 80 * 96 + (_HEAD + _LAST) * _SLICE

check.number(
    "speed_up",
    answer=_SLIDING_MACS / _DENSE_MACS,
    tolerance=0.003,
    hints=(
        "Sliding window: `patch_macs` for each of the 240 * 240 pixels. Fully convolutional: one line of "
        "the table after the other, with your convolution_macs. Pooling costs no MACs.",
        "The former linear layers are convolutions now, with the kernels 5 x 5 and 1 x 1 of the table, and "
        "their outputs have 240 x 240 places.",
        "240 * 240 * patch_macs / (convolution_macs(4, 8, 3, 254, 254) + convolution_macs(8, 16, 3, 248, "
        "248) + convolution_macs(16, 16, 5, 240, 240) + convolution_macs(16, 2, 1, 240, 240))",
    ),
    why={
        12: "The integer part may be right, but one decimal is asked for: / divides, // rounds down.",
        13: "One decimal is asked for: don't round to a whole number.",
        289: (
            "Each inner pixel is read 289 times, but reading is not the work: the linear layers are never "
            "repeated."
        ),
        225: "That is about what the first layer saves. The other layers save less.",
        _FIRST * 15**2 * 240**2 / (_FIRST * 254**2): (
            "That is what the first layer alone saves. Add up the MACs of all layers on each side, then "
            "divide."
        ),
        _SECOND * 5**2 * 240**2 / (_SECOND * 248**2): (
            "That is what the second layer alone saves. Add up the MACs of all layers on each side, then "
            "divide."
        ),
        _DENSE_MACS / _SLIDING_MACS: (
            "This is the inverse: how many times *more* does the sliding window need?"
        ),
        _PATCH_MACS / _DENSE_MACS: (
            "You compared with the MACs of one patch: the sliding window classifies 240 * 240 of them."
        ),
        2 * _SLIDING_MACS / _DENSE_MACS: (
            "You counted two operations for each MAC of the sliding window, but one for the other network."
        ),
        _SLIDING_MACS / (_FIRST * 254**2 + _SECOND * 248**2): (
            "The linear layers are missing in the dense network: as convolutions they cost at every pixel."
        ),
        _SLIDING_MACS / (_DENSE_MACS - _LAST * 240**2): (
            "The last layer, 16 -> 2, is missing in the dense network."
        ),
        _SLIDING_MACS / (240**2 * (_FIRST + _SECOND + _HEAD + _LAST)): (
            "You counted all layers at 240 x 240 places: the table has their own sizes."
        ),
        _SLIDING_MACS / (256**2 * (_FIRST + _SECOND + _HEAD + _LAST)): (
            "You counted all layers at 256 x 256 places: that is the padded image. The table has the sizes "
            "of the outputs."
        ),
        _SLICE * _PATCH_MACS / _DENSE_MACS: (
            "`sliding_macs` is for our small slice: here the slice has 240 x 240 pixels."
        ),
        _SLICE * _PATCH_MACS / _SLICE_MACS: (
            "That is the ratio for our own small slice: here the slice has 240 x 240 pixels."
        ),
        256**2 * _PATCH_MACS / _DENSE_MACS: (
            "Only the 240 x 240 pixels of the slice are classified: the padding has no patches of its own."
        ),
        _SLIDING_MACS / (_DENSE_MACS - (_HEAD - 256) * 240**2): (
            "The former linear layer has a 5 x 5 kernel in the dense network."
        ),
    },
)


check.choice(
    "border_picture",
    answer="C",
    hints=(
        "What does the first layer of the sliding window give for a window that lies wholly in the "
        "padding? Not 0: it has a bias.",
        'Where would those values be looked for in the "same" network, and what is there instead?',
        "The first feature map of a 17 x 17 patch is 15 x 15: how far does it reach from the centre?",
    ),
    why={
        "A": (
            "Rounding is about 1e-15 here: see the first of the two comparisons above. The differences in "
            "the band are far larger."
        ),
        "B": (
            "Both networks use the same values of the same places, as long as these lie inside: the "
            "dilation is no approximation. What differs is what lies outside."
        ),
        "D": (
            "The weights are the same, and on the same input they give the same scores, trained for it or "
            "not. The inputs of the later layers differ."
        ),
    },
)

_VGG_CONVOLUTIONS, _VGG_BIASES = 14_714_688, 4_224
_FC6, _FC7, _SCORE = 512 * 49 * 4096, 4096 * 4096, 4096 * 21
_FCN = _VGG_CONVOLUTIONS + _FC6 + 4096 + _FC7 + 4096 + _SCORE + 21

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
        _FCN - 4096 - 4096 - 21: "The biases of fc6, fc7 and the scores are missing: one for each output.",
        _FCN - 4096 - 4096 - 21 - _VGG_BIASES: (
            "No layer has its biases here: there is one for each output channel."
        ),
        _FCN - 21: "The 21 biases of the scores are missing.",
        _FCN - 4096: "4,096 biases are missing: fc6 and fc7 have as many each.",
        _FCN - 42 * 512 * 4096: "The kernel of fc6 has 7 * 7 places, not 7.",
        138_357_544: "That is VGG16 itself, with 1,000 classes. The segmenter has 21.",
        _FCN - 48 * 512 * 4096: (
            "fc6 doesn't look at one place only: its kernel is as large as the 7 x 7 map."
        ),
        _VGG_CONVOLUTIONS: (
            "Those are the thirteen convolutions alone, the number printed above. Asked for is the whole "
            "network."
        ),
        _FCN - _VGG_CONVOLUTIONS: "The thirteen convolutions are missing.",
        _FCN - _FC6 - 4096: "fc6 is missing: a 7 x 7 kernel from 512 to 4,096, with 4,096 biases.",
        _FCN - _FC7 - 4096: "fc7 is missing: from 4,096 to 4,096, with 4,096 biases.",
        _FCN - _SCORE - 21: "The scores of the 21 classes are missing.",
        _FCN / 1e6: "That is in millions: give all digits.",
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
        30 * 64 * _VOXELS * 4 / 1e9: "That is for 30 layers: there are 31.",
        32 * 64 * _VOXELS * 4 / 1e9: "That is for 32 layers: the image itself is no layer's output.",
        31 * _VOXELS * 4 / 1e9: "The channels are missing: each layer has 64 of them at every voxel.",
        31 * 64 * 240**2 * 4 / 1e9: "That is one slice. A scan has 155 of them.",
        31 * 64 * 240**2 * 4 / 1e6: "That is one slice, in megabytes, the number printed above.",
        31 * 64 * _VOXELS / 1e9: "Those are numbers: each takes 4 bytes.",
        31 * 64 * _VOXELS * 4: "Those are bytes: 1 GB is 1e9 of them.",
        31 * 64 * _VOXELS * 4 / 1e6: "That is in megabytes: 1 GB is 1,000 of them.",
        31 * 64 * _VOXELS * 4 / 2**30: "That is in GiB (2**30 bytes): 1 GB is 1e9 bytes.",
        31 * 64 * _VOXELS * 2 / 1e9: "That is in half precision, 2 bytes a number: asked for is float32.",
        31 * 64 * _VOXELS * 8 / 1e9: "That is in float64, 8 bytes a number: asked for is float32.",
        31 * 64 * _VOXELS * 32 / 1e9: "Those are bits: a byte has 8 of them, and float32 takes 4 bytes.",
    },
)
