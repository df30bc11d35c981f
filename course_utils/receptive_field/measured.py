"""The receptive field of any network: its own forward pass, with every operation replaced by a plain mean.

``_Equal`` is a mode in which PyTorch hands every operation to us before it runs. There convolutions get
equal weights, maxima become means, activations pass their input on: what is left says only what depends on
what, and its gradient is nonzero exactly where there is a path. Nothing here is needed to understand chains
of layers, see :mod:`course_utils.receptive_field.chains`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


def touched_by_network(
    network: nn.Module, size: Sequence[int], *, in_channels: int = 1, position: Sequence[int] | None = None
) -> Tensor:
    """On which pixels of its input one output pixel of ``network`` can depend; bool, of shape ``size``.

    It is found by a gradient, with everything removed that could hide a dependence: convolutions get equal
    positive weights, maximum becomes mean, differences become sums, activations pass their input on. So
    nothing cancels, and a gradient is zero only where there is no path. Softmax and normalisation layers
    pass their input on, too: that a statistic may depend on the whole image is left out. The network itself
    is not changed.

    Works for networks made of convolutions, poolings, interpolation, sums, products and concatenations, in
    one, two or three dimensions.

    Args:
        network: images (N, in_channels, *size) to outputs (N, channels, *output size).
        size: of the input, pixels.
        in_channels: of the input.
        position: of the output pixel; by default the middle.

    Raises:
        ValueError: the position is not in the output, or the output has no positions.
        NotImplementedError: the network uses max unpooling or picks values by ``max`` or ``sort``: what it
            touches depends on the image.
    """
    image, output, _ = _run(network, size, in_channels)
    if position is None:
        position = [edge // 2 for edge in output.shape[2:]]
    inside = len(position) == output.ndim - 2 and all(
        0 <= index < edge for index, edge in zip(position, output.shape[2:])
    )
    if not inside:
        raise ValueError(
            f"position {tuple(position)} is not in an output of {tuple(output.shape[2:])} pixels"
        )
    (gradient,) = torch.autograd.grad(output[(0, slice(None), *position)].sum(), image)
    return gradient[0].sum(dim=0) != 0


@dataclass(frozen=True)
class Measured:
    """What :func:`measure` found.

    Attributes:
        sizes: for each axis the receptive field's size in pixels at neighbouring output positions, over one
            whole period.
    """

    sizes: tuple[tuple[int, ...], ...]

    def __str__(self) -> str:
        def text(sizes: tuple[int, ...]) -> str:
            different = sorted(set(sizes))
            if len(different) == 1:
                return str(different[0])
            return f"{' or '.join(map(str, different))}, depending on the output's position"

        texts = [text(sizes) for sizes in self.sizes]
        if len(set(texts)) == 1:
            return f"{texts[0]} (on each axis)"
        return "; ".join(f"axis {axis}: {line}" for axis, line in enumerate(texts))


def measure(network: nn.Module, size: Sequence[int], *, in_channels: int = 1) -> Measured:
    """The receptive field of ``network`` in pixels, along each axis, as :func:`touched_by_network` finds it.

    Where a network makes its image larger again, outputs differ: so all positions of one period (the
    product of these factors) in the middle of the output are looked at, as far as it has so many.

    Args:
        network: images (N, in_channels, *size) to outputs (N, channels, *output size).
        size: of the input, pixels: so large that the field of a middle pixel is not cut off.
        in_channels: of the input.

    Raises:
        ValueError: a field reaches the input's border, so that it may be larger than what was seen (with
        global
            pooling it always does), or no output depends on the image.
        NotImplementedError: as in :func:`touched_by_network`.
    """
    image, output, period = _run(network, size, in_channels)
    sizes = []
    for axis, edge in enumerate(output.shape[2:], start=2):
        number = min(period, edge)
        first = (edge - number) // 2
        sizes.append(
            tuple(
                _extent(image, output.select(axis, index).sum(), axis)
                for index in range(first, first + number)
            )
        )
    if not any(map(any, sizes)):
        raise ValueError("no output depends on the image: is there a layer that lets nothing through?")
    return Measured(tuple(sizes))


def _run(network: nn.Module, size: Sequence[int], in_channels: int) -> tuple[Tensor, Tensor, int]:
    """An image of ones that asks for gradients, what the network makes of it, and its period in outputs."""
    image = torch.ones(1, in_channels, *size, dtype=torch.float64, requires_grad=True)
    with _Equal() as equal:
        output = _present(network(image))
    if output.ndim < 3:
        raise ValueError(f"the output has shape {tuple(output.shape)}: expected (N, channels, *size)")
    return image, output, equal.up


def _extent(image: Tensor, output: Tensor, axis: int) -> int:
    """From the first to the last pixel along ``axis`` on which ``output``, a scalar, depends; 0 for none."""
    (gradient,) = torch.autograd.grad(output, image, retain_graph=True)
    others = [other for other in range(gradient.ndim) if other != axis]
    positions = gradient.sum(dim=others).nonzero()[:, 0]
    if len(positions) == 0:  # an output that no stamp of a transposed convolution covers
        return 0
    first, last = int(positions[0]), int(positions[-1])
    if first == 0 or last == image.shape[axis] - 1:
        raise ValueError(
            f"a field reaches the border of the input, which has {image.shape[axis]} pixels along axis "
            f"{axis - 2}: make it larger, for what lies beyond can't be seen (global pooling sees all, "
            "however large)"
        )
    return last - first + 1


# What a call is, by the name of its function: many exist as a function, a method and an operator.

_CONVOLUTIONS = {"conv1d", "conv2d", "conv3d"}
_TRANSPOSED_CONVOLUTIONS = {"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"}
_MAX_POOLINGS = {f"max_pool{dims}d{suffix}" for dims in (1, 2, 3) for suffix in ("", "_with_indices")}
_ADAPTIVE_POOLINGS = {  # replaced by the mean over the same windows
    f"adaptive_max_pool{dims}d{suffix}": mean
    for dims, mean in ((1, F.adaptive_avg_pool1d), (2, F.adaptive_avg_pool2d), (3, F.adaptive_avg_pool3d))
    for suffix in ("", "_with_indices")
}
_PICKING = {  # refused: what they touch depends on the image
    "max_unpool1d", "max_unpool2d", "max_unpool3d", "max", "min", "amax", "amin", "median", "sort", "topk",
}  # fmt: skip
_PASSED_ON = {  # activations, normalisations and dropout
    "relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "prelu", "rrelu", "elu", "elu_", "celu", "selu",
    "gelu", "silu", "mish", "softplus", "hardtanh", "hardswish", "hardsigmoid", "hardshrink", "softshrink",
    "threshold", "clamp", "clamp_", "sigmoid", "sigmoid_", "tanh", "tanh_", "softmax", "log_softmax",
    "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "batch_norm",
    "instance_norm", "group_norm", "layer_norm",
}  # fmt: skip
_UNITED = {"sub", "__sub__", "rsub", "__rsub__", "maximum", "minimum"}  # become a sum: nothing cancels
_IN_PLACE = {"add_": torch.add, "sub_": torch.add, "mul_": torch.mul, "div_": torch.div}


class _Equal(TorchFunctionMode):
    """While active, operations only say what depends on what: see :func:`touched_by_network`.

    Attributes:
        up: the product of the factors by which the image was made larger again. After so many neighbouring
            outputs everything repeats, for the image's coarsest grid lies in them once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.up = 1

    def __torch_function__(
        self, function: Callable, types: Any, args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name, kwargs = function.__name__, dict(kwargs or {})
        if "input" in kwargs:
            args = (kwargs.pop("input"), *args)
        args = _present(args)
        if name in _PASSED_ON:
            return args[0]
        if name in _CONVOLUTIONS:
            return self._convolution(function, *args, **kwargs)
        if name in _TRANSPOSED_CONVOLUTIONS:
            return self._transposed_convolution(function, *args, **kwargs)
        if name in _MAX_POOLINGS:
            return self._max_pooling(function, *args, **kwargs)
        if name in _ADAPTIVE_POOLINGS:
            return _ADAPTIVE_POOLINGS[name](args[0], args[1])
        if name == "interpolate":
            result = function(*args, **kwargs)
            self.up *= max(1, *(round(m / n) for n, m in zip(args[0].shape[2:], result.shape[2:])))
            return result
        if name in _PICKING and args[0].requires_grad:
            raise NotImplementedError(
                f"{name} picks values by their size: what it touches depends on the image"
            )
        if name == "linear":
            image, weight = args[0], args[1]
            return image.mean(dim=-1, keepdim=True).expand(*image.shape[:-1], weight.shape[0])
        if name in _UNITED and isinstance(args[1], Tensor):
            return torch.add(args[0], args[1])
        if name in _IN_PLACE:
            if args[0].requires_grad:  # otherwise a counter of the network's: left as it is
                setattr(args[0], _CHANGED, _IN_PLACE[name](args[0], args[1]))
            return _present(args[0])
        return function(*args, **kwargs)

    def _convolution(
        self, function, image, weight, bias=None, stride=1, padding=0, dilation=1, groups=1
    ) -> Tensor:
        kernel = _mean_kernel(weight.shape[2:])
        means = _channel_means(image, groups)
        result = [function(mean, kernel, None, stride, padding, dilation) for mean in means]
        return _as_channels(result, weight.shape[0])

    def _transposed_convolution(
        self, function, image, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
    ) -> Tensor:
        self.up *= stride if isinstance(stride, int) else max(stride)
        kernel = _mean_kernel(weight.shape[2:])
        means = _channel_means(image, groups)
        result = [
            function(mean, kernel, None, stride, padding, output_padding, 1, dilation) for mean in means
        ]
        return _as_channels(result, weight.shape[1] * groups)

    def _max_pooling(
        self, function, image, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False,
        return_indices=False,
    ) -> Tensor:  # fmt: skip
        """The mean over each window, channel by channel, by a convolution: only that has a dilation."""
        dims = image.ndim - 2
        kernel, step, margin, spread = (
            (value,) * dims if isinstance(value, int) else tuple(value)
            for value in (kernel_size, stride or kernel_size, padding, dilation)
        )
        convolution = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[dims]
        with torch.no_grad():  # only for its size, which ceil_mode may have rounded up
            pooled = function(image[:, :1], kernel_size, stride, padding, dilation, ceil_mode)
        pooled = pooled[0] if isinstance(pooled, tuple) else pooled
        padded = []
        for edge, wanted, k, s, p, d in zip(image.shape[2:], pooled.shape[2:], kernel, step, margin, spread):
            padded = [p, max(p, (wanted - 1) * s + d * (k - 1) + 1 - edge - p), *padded]  # last axis first
        one = getattr(image, _ONE, image)  # equal channels: one stands for all
        channels = F.pad(one, padded).flatten(0, 1)[:, None]
        result = convolution(channels, _mean_kernel(kernel), None, step, 0, spread)
        result = result.view(*one.shape[:2], *result.shape[2:])[(..., *(slice(n) for n in pooled.shape[2:]))]
        if one is not image:
            result = _as_channels([result], image.shape[1])
        return (result, torch.zeros_like(result, dtype=torch.int64)) if return_indices else result


# Channels share their memory here, so a tensor can't be changed in place: an attribute holds what it became.
_CHANGED = "_changed_into"


def _present(value: Any) -> Any:
    """A tensor, or a list or tuple of tensors, after the changes that were made in place."""
    if isinstance(value, (list, tuple)):
        return type(value)([_present(item) for item in value]) if type(value) in (list, tuple) else value
    while hasattr(value, _CHANGED):
        value = getattr(value, _CHANGED)
    return value


_ONE = "_one_of_equal_channels"  # an attribute of tensors whose channels are all equal: one of them


def _mean_kernel(size: Sequence[int]) -> Tensor:
    return torch.full((1, 1, *size), 1 / float(np.prod(size)), dtype=torch.float64)


def _channel_means(image: Tensor, groups: int) -> list[Tensor]:
    """For each group of channels their mean, (N, 1, *size)."""
    if hasattr(image, _ONE):
        return [getattr(image, _ONE)] * groups
    # A sum, then a quotient, for the gradient of this order takes no memory for the channels.
    return [part.sum(dim=1, keepdim=True) / part.shape[1] for part in image.chunk(groups, dim=1)]


def _as_channels(groups: list[Tensor], channels: int) -> Tensor:
    """Each group's result as its share of ``channels`` equal channels, without memory of their own."""
    parts = [group.expand(-1, channels // len(groups), *group.shape[2:]) for group in groups]
    if len(groups) > 1:
        return torch.cat(parts, dim=1)
    setattr(parts[0], _ONE, groups[0])
    return parts[0]
