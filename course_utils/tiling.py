"""Predicting an image tile by tile: for images that are too large for a network to see at once.

The output of a valid convolution needs no border, so the tiles of a valid U-Net fit together without a seam:
the overlap-tile strategy, with mirrored values beyond the image's border (Ronneberger et al. 2015, arXiv
1505.04597, figure 2). A padded network puts zeros around every tile, which spoils what it says near the
tile's border; there tiles overlap and are averaged, with more weight in the middle of a tile (Isensee et al.,
nnU-Net, arXiv 1809.10486), or a ``halo`` of every tile is thrown away.

Along each axis, the weights of all tiles at a voxel are made to sum to 1. Tiles lie on a grid, so the weight
of a tile is a product, one factor an axis, and these products sum to 1 as well: no map of counts is needed,
and no division at the end. Rows of the first axis are finished when no later tile reaches them, so they can
leave memory (:func:`predicted_slabs`).

Exact, up to rounding, are

- a valid network, with any overlap and any weights: equal to the whole image, mirrored by the same margin;
- a padded network with a ``halo`` of at least its receptive radius, where the image's edges fit the network:
  equal to the whole image. With a smaller halo, or none, the difference is small and not zero.

Neither holds with instance normalisation: its mean and deviation are those of the tile, so every tile size
makes another network of it.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

SIGMA = 1 / 8
"""Standard deviation of the Gaussian weights, as a share of a tile's edge (that of nnU-Net)."""


class Tiling(NamedTuple):
    """A grid of tiles that covers an image.

    Attributes:
        size: edges of the image, pixels (voxels).
        tile: edges of what the network sees at once.
        margin: pixels that the network loses on each side of a tile, one number an axis; 0 if padded.
        starts: for each axis, where the outputs of the tiles begin in the image, ascending. Tile ``start``
            answers for the pixels from ``start`` on and sees those from ``start - margin`` on.
    """

    size: tuple[int, ...]
    tile: tuple[int, ...]
    margin: tuple[int, ...]
    starts: tuple[tuple[int, ...], ...]

    @property
    def output(self) -> tuple[int, ...]:
        """Edges of what the network says about one tile."""
        return tuple(edge - 2 * lost for edge, lost in zip(self.tile, self.margin))

    @property
    def number(self) -> int:
        """How many tiles there are."""
        return math.prod(map(len, self.starts))

    @property
    def redundancy(self) -> float:
        """Pixels that pass through the network, all tiles together, for each pixel of the image."""
        return self.number * math.prod(self.tile) / math.prod(self.size)

    @property
    def slab(self) -> tuple[int, ...]:
        """Edges of the part of the result that is still being added to: all that stays in memory."""
        return (min(self.output[0], self.size[0]), *self.size[1:])


def plan_tiles(
    size: Sequence[int],
    tile: int | Sequence[int],
    *,
    margin: int | Sequence[int] = 0,
    overlap: float = 0.0,
    halo: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tiling:
    """Lay tiles over an image, without running anything: their number and what they cost.

    Args:
        size: edges of the image, pixels.
        tile: edges of what the network sees at once; one number for all axes or one each, as below. Along an
            axis where the image is smaller, the tile is made smaller, too, by multiples of ``stride``.
        margin: pixels that the network loses on each side.
        overlap: share of a tile's output that the next one computes again, from 0 to less than 1.
        halo: pixels of the output on each side that are not used, except at the image's own border.
        stride: tiles begin at multiples of this. With the network's total stride (2^poolings), its poolings
            meet the same pixels in every tile as in the whole image.

    Raises:
        ValueError: an argument is out of its range, or margin and halo leave nothing of the tile.
    """
    dims = len(size)
    edges = _per_axis(tile, dims, "tile", 1), _per_axis(margin, dims, "margin", 0)
    others = _per_axis(halo, dims, "halo", 0), _per_axis(stride, dims, "stride", 1)
    _per_axis(size, dims, "size", 1)
    if not 0 <= overlap < 1:
        raise ValueError(f"overlap is {overlap}: it is a share of the tile, from 0 to less than 1")
    tiles, starts = [], []
    for n, edge, lost, unused, step in zip(size, *edges, *others):
        output = edge - 2 * lost
        if output < 1:
            raise ValueError(f"a tile of {edge} with a margin of {lost} on each side has no output")
        if output > n:
            edge -= (output - n) // step * step
            output = edge - 2 * lost
        last = max(0, -(-(n - output) // step) * step)
        advance = min(int(output * (1 - overlap)), output - 2 * unused) // step * step
        if last and output - 2 * unused < step:
            raise ValueError(
                f"a halo of {unused} on each side leaves {max(0, output - 2 * unused)} of {output} pixels, "
                f"and tiles advance by multiples of {step}: take a larger tile"
            )
        tiles.append(edge)
        starts.append((*range(0, last, max(advance, step)), last))
    return Tiling(tuple(map(int, size)), tuple(tiles), edges[1], tuple(starts))


def sliding_window_inference(
    network: nn.Module,
    image: Any,
    tile: int | Sequence[int],
    *,
    overlap: float | None = None,
    halo: int | Sequence[int] = 0,
    weights: str = "gaussian",
    batch_size: int = 1,
    stride: int | Sequence[int] | None = None,
    out: Any = None,
    progress: bool = True,
) -> Any:
    """What a network says of an image, computed tile by tile; see this module for when it is exact.

    Args:
        network: takes (N, C, *tile), padded or valid: with a valid one (whose output is smaller than its
            input) the image is mirrored at its borders. Runs in evaluation mode on the device that holds its
            weights; its mode is left as it was.
        image: (C, *size), 2D or 3D, of any real dtype: an array, a tensor, or whatever has a ``shape`` and
            can be sliced, for example a memory-mapped file, of which only tiles are read.
        tile: edges of what the network sees at once, pixels; one number for all axes or one each.
        overlap: share of a tile's output that the next one computes again, from 0 to less than 1. By default
            0.5 for a padded network without halo, otherwise 0: no more is needed.
        halo: pixels on each side of a tile that are not used, except at the image's own border.
        weights: "gaussian" (sigma: an eighth of a tile's output) or "uniform", of the outputs that overlap.
        batch_size: tiles that go through the network at once; those of a batch begin at the same row.
        stride: tiles begin at multiples of this; by default the network's total stride: read from which sizes
            its method ``output_size`` accepts, otherwise the product of the strides of the convolutions and
            poolings (modules) that a tile of zeros meets.
        out: what the result is written to, (C', *size), for example a memory-mapped file. Every voxel is
            written once, and memory for a slab as deep as one tile is enough. By default a new array.
        progress: show a progress bar.

    Returns:
        Logits, (C', *size): ``out``, or a NumPy array, float32 (float64 for a network of float64).

    Raises:
        ValueError: shapes don't agree, the tile doesn't fit the network (the network says how it would), an
            argument is out of its range, or the image or the logits hold NaN.
    """
    run = _Run(network, image, tile, overlap, halo, weights, batch_size, stride, progress)
    if out is None:
        ((_, whole),) = run.slabs(whole=True)
        return whole
    for rows, logits in run.slabs():
        if tuple(out.shape) != (len(logits), *run.tiling.size):
            raise ValueError(
                f"out has shape {tuple(out.shape)}: expected {(len(logits), *run.tiling.size)}, one channel "
                "for each of the network's classes"
            )
        out[:, rows] = torch.from_numpy(logits) if isinstance(out, Tensor) else logits
    return out


def predicted_slabs(
    network: nn.Module,
    image: Any,
    tile: int | Sequence[int],
    *,
    overlap: float | None = None,
    halo: int | Sequence[int] = 0,
    weights: str = "gaussian",
    batch_size: int = 1,
    stride: int | Sequence[int] | None = None,
    progress: bool = True,
) -> Iterator[tuple[slice, np.ndarray]]:
    """The result of :func:`sliding_window_inference` piece by piece: it is never in memory as a whole.

    Yields:
        Rows of the first axis that are finished, in order, and their logits, (C', rows, ...): a view, which
        is overwritten afterwards. For labels: ``labels[rows] = logits.argmax(axis=0)``.
    """
    run = _Run(network, image, tile, overlap, halo, weights, batch_size, stride, progress)
    return run.slabs()


def extract_tile(image: Any, start: Sequence[int], tile: Sequence[int]) -> np.ndarray:
    """A tile of an image (C, *size) that may reach beyond its borders: there the image is mirrored.

    The outermost pixels are not repeated: beyond the first pixel lies the second (NumPy's padding mode
    "reflect"), however far the tile reaches. Only the part that is needed is read.

    Args:
        image: an array, a tensor, or whatever can be sliced.
        start: first pixel of the tile, one number an axis; may be negative.
        tile: edges of the tile.

    Returns:
        (C, *tile), the image's dtype.
    """
    picks, box = [], []
    for first, edge, n in zip(start, tile, image.shape[1:]):
        inside = mirrored(np.arange(first, first + edge), n)
        low = int(inside.min())
        picks.append(None if 0 <= first <= n - edge else inside - low)
        box.append(slice(low, int(inside.max()) + 1))
    piece = image[(slice(None), *box)]
    piece = piece.detach().cpu().numpy() if isinstance(piece, Tensor) else np.asarray(piece)
    for axis, pick in enumerate(picks, start=1):
        piece = piece if pick is None else piece.take(pick, axis=axis)
    return piece


def mirrored(positions: np.ndarray, size: int) -> np.ndarray:
    """Where positions lie that may be outside of an axis of ``size`` pixels, mirrored at its ends."""
    if size == 1:
        return np.zeros_like(positions)
    period = 2 * (size - 1)
    positions = np.abs(positions) % period
    return np.minimum(positions, period - positions)


def tile_weights(edge: int, kind: str) -> np.ndarray:
    """Weights along one axis of a tile's output, float64, (edge,), positive.

    "uniform" or "gaussian", the latter around the middle with a standard deviation of ``SIGMA * edge``. The
    Gaussian is not clamped from below: with a floor, the border of a tile would count as much as pixels
    much further inside, and its seam would show.

    Raises:
        ValueError: another kind.
    """
    if kind == "uniform":
        return np.ones(edge)
    if kind != "gaussian":
        raise ValueError(f'weights is {kind!r}: choose "gaussian" or "uniform"')
    distance = np.arange(edge) - (edge - 1) / 2
    return np.exp(-0.5 * (distance / (SIGMA * edge)) ** 2)


class _Share(NamedTuple):
    """What one tile contributes along one axis: its first pixel in the image, and weights from there on."""

    first: int
    weights: np.ndarray


def _shares(tiling: Tiling, axis: int, halo: int, kind: str) -> list[_Share]:
    """For each tile along an axis what it contributes; at each pixel the weights of all sum to 1."""
    n, output, starts = tiling.size[axis], tiling.output[axis], tiling.starts[axis]
    profile, total, kept = tile_weights(output, kind), np.zeros(n), []
    for start in starts:
        first = start if start == 0 else start + halo
        last = n if start == starts[-1] else start + output - halo
        values = profile[first - start : last - start]
        total[first:last] += values
        kept.append((first, values))
    return [_Share(first, values / total[first : first + len(values)]) for first, values in kept]


class _Run:
    """One network on one image: the grid of tiles and how their outputs are added up."""

    def __init__(
        self,
        network: nn.Module,
        image: Any,
        tile: int | Sequence[int],
        overlap: float | None,
        halo: int | Sequence[int],
        weights: str,
        batch_size: int,
        stride: int | Sequence[int] | None,
        progress: bool,
    ) -> None:
        image = image if hasattr(image, "shape") else np.asarray(image)
        dims = getattr(network, "dims", len(image.shape) - 1)
        if dims not in (2, 3) or len(image.shape) != dims + 1 or 0 in image.shape:
            expected = {2: "(C, X, Y)", 3: "(C, X, Y, Z)"}.get(dims, "(C, X, Y) or (C, X, Y, Z)")
            raise ValueError(
                f"the image has shape {tuple(image.shape)}: expected {expected}, without a batch"
            )
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}: it must be 1 or larger")
        self.network, self.image, self.batch_size, self.progress = network, image, batch_size, progress
        edges = _per_axis(tile, dims, "tile", 1)
        output, found = self._geometry(edges, known=stride)
        margin = _margin(edges, output)
        halo = _per_axis(halo, dims, "halo", 0)
        if overlap is None:
            overlap = 0.0 if any(margin) or any(halo) else 0.5
        self.tiling = plan_tiles(
            image.shape[1:], edges, margin=margin, overlap=overlap, halo=halo, stride=found
        )
        self.shares = [_shares(self.tiling, axis, halo[axis], weights) for axis in range(dims)]

    def slabs(self, whole: bool = False) -> Iterator[tuple[slice, np.ndarray]]:
        """Finished rows and their logits; all rows at once, at the end, if ``whole``."""
        tiling, buffer = self.tiling, None
        rows, others = tiling.starts[0], list(itertools.product(*map(range, map(len, tiling.starts[1:]))))
        bar = tqdm(total=tiling.number, unit="tile", desc="predicting", disable=not self.progress)
        was_training = self.network.training
        self.network.eval()
        try:
            for row, start in enumerate(rows):
                origin = 0 if whole else start
                for first in range(0, len(others), self.batch_size):
                    tiles = [(row, *place) for place in others[first : first + self.batch_size]]
                    for at, logits in zip(tiles, self._logits(tiles)):
                        if buffer is None:
                            edges = tiling.size if whole else tiling.slab
                            buffer = np.zeros((len(logits), *edges), logits.dtype)
                        self._add(buffer, origin, at, logits)
                    bar.update(len(tiles))
                stop = rows[row + 1] if row + 1 < len(rows) else tiling.size[0]
                if not whole:
                    yield slice(start, stop), buffer[:, : stop - start]
                    _shift_rows(buffer, stop - start)
            if whole:
                yield slice(0, tiling.size[0]), buffer
        finally:
            self.network.train(was_training)
            bar.close()

    def _logits(self, tiles: list[tuple[int, ...]]) -> np.ndarray:
        """The network's answers for tiles of the grid, (N, C', *output)."""
        tiling = self.tiling
        starts = [
            tuple(axis[i] - lost for axis, i, lost in zip(tiling.starts, at, tiling.margin)) for at in tiles
        ]
        images = np.stack([extract_tile(self.image, start, tiling.tile) for start in starts])
        for start, values in zip(starts, images):
            if not np.isfinite(values).all():
                raise ValueError(f"the image holds NaN or infinity in the tile of {tiling.tile} at {start}")
        logits = self._call(images)
        if tuple(logits.shape[2:]) != tiling.output:
            raise ValueError(
                f"the network turned a tile of {tiling.tile} into {tuple(logits.shape[2:])}, expected "
                f"{tiling.output}: it must lose as much of every tile"
            )
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32)).cpu().numpy()
        if np.isnan(logits).any():
            raise ValueError(f"the network's logits hold NaN, in one of the tiles at {starts}")
        return logits

    def _call(self, images: np.ndarray) -> Tensor:
        weight = next(self.network.parameters(), torch.zeros(()))
        exact = np.float64 if weight.dtype == torch.float64 else np.float32
        batch = torch.from_numpy(np.ascontiguousarray(images, exact))
        with torch.no_grad():
            logits = self.network(batch.to(weight.device, weight.dtype))
        if not isinstance(logits, Tensor) or logits.ndim != batch.ndim:
            found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            raise ValueError(f"the network's answer is {found}: expected one tensor, (N, classes, *size)")
        return logits

    def _add(self, buffer: np.ndarray, origin: int, at: tuple[int, ...], logits: np.ndarray) -> None:
        """Add one tile's weighted logits (C', *output); ``origin`` is the buffer's first row."""
        shares = [axis[i] for axis, i in zip(self.shares, at)]
        starts = [axis[i] for axis, i in zip(self.tiling.starts, at)]
        inner = [
            slice(share.first - start, share.first - start + len(share.weights))
            for share, start in zip(shares, starts)
        ]
        target = [
            slice(share.first - shift, share.first - shift + len(share.weights))
            for share, shift in zip(shares, (origin, 0, 0))
        ]
        values = logits[(slice(None), *inner)]
        if any((share.weights != 1).any() for share in shares):
            vectors = [share.weights.astype(logits.dtype) for share in shares]
            values = values * functools.reduce(np.multiply.outer, vectors)  # the network may keep its output
        buffer[(slice(None), *target)] += values

    def _geometry(
        self, tile: tuple[int, ...], known: int | Sequence[int] | None
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The output's edges for a tile, and the total stride along each axis."""
        dims = len(tile)
        if hasattr(self.network, "output_size"):
            output = tuple(self.network.output_size(tile))
            stride = known
            if stride is None:
                stride = [_period(self.network.output_size, tile, axis) for axis in range(dims)]
        else:
            with _Strides(self.network, dims) as strides:
                zeros = np.zeros((1, self.image.shape[0], *tile), np.float32)
                was_training = self.network.training
                self.network.eval()
                try:
                    output = tuple(self._call(zeros).shape[2:])
                finally:
                    self.network.train(was_training)
            stride = strides.product if known is None else known
        return output, _per_axis(stride, dims, "stride", 1)


def _shift_rows(buffer: np.ndarray, number: int) -> None:
    """Move rows (axis 1) to the front by ``number`` and put zeros behind them, without a copy of them all."""
    rows = buffer.shape[1]
    for first in range(0, rows - number, number):  # pieces that don't overlap with where they go
        last = min(first + number, rows - number)
        buffer[:, first:last] = buffer[:, first + number : last + number]
    buffer[:, max(0, rows - number) :] = 0


class _Strides:
    """While active: the product of the strides of all convolutions and poolings that are called."""

    REDUCING = (nn.Conv2d, nn.Conv3d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool2d, nn.AvgPool3d)

    def __init__(self, network: nn.Module, dims: int) -> None:
        self.network, self.product, self.hooks = network, [1] * dims, []

    def __enter__(self) -> _Strides:
        modules = (module for module in self.network.modules() if isinstance(module, self.REDUCING))
        self.hooks = [module.register_forward_hook(self._count) for module in modules]
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self.hooks:
            hook.remove()

    def _count(self, module: nn.Module, *_: object) -> None:
        factors = _per_axis(module.stride, len(self.product), "stride", 1)
        self.product = [product * factor for product, factor in zip(self.product, factors)]


def _period(output_size: Callable, tile: tuple[int, ...], axis: int) -> int:
    """The total stride along an axis: the sizes that a network accepts are as far apart."""
    for step in range(1, tile[axis] + 1025):
        longer = (*tile[:axis], tile[axis] + step, *tile[axis + 1 :])
        try:
            output_size(longer)
        except ValueError:
            continue
        return step
    raise ValueError(f"no edge larger than {tile[axis]} fits the network along axis {axis}: give stride=")


def _margin(tile: tuple[int, ...], output: tuple[int, ...]) -> tuple[int, ...]:
    """Pixels that the network loses on each side."""
    lost = [edge - leaving for edge, leaving in zip(tile, output)]
    if len(output) != len(tile) or any(pixels < 0 or pixels % 2 for pixels in lost):
        raise ValueError(
            f"the network turns a tile of {tile} into {output}: tiles need an output of the same size, or "
            "one smaller by an even number, as many pixels on each side"
        )
    return tuple(pixels // 2 for pixels in lost)


def _per_axis(value: int | Sequence[int], dims: int, name: str, smallest: int) -> tuple[int, ...]:
    """One whole number an axis."""
    values = (value,) * dims if np.isscalar(value) else tuple(value)
    if len(values) != dims or any(int(number) != number or number < smallest for number in values):
        raise ValueError(
            f"{name} is {value}: expected a whole number of at least {smallest}, or {dims} of them, one an "
            "axis"
        )
    return tuple(map(int, values))
