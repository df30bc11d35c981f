"""The receptive field of a chain of layers, by recursion and as a set of positions.

All functions look along one axis. These are the general versions of what notebook 04 builds: they know
transposed convolutions, too, and outputs at any position.

Araujo A, Norris W, Sim J. Computing receptive fields of convolutional neural networks. Distill (2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True, repr=False)
class Layer:
    """A convolution or pooling, or a transposed convolution, along one axis.

    Output o of a convolution reads the inputs ``o * stride - padding + j * dilation``, j = 0, ...,
    ``kernel - 1``; a transposed convolution has the two sides exchanged. Nearest-neighbour upsampling by s is
    ``Layer(kernel=s, stride=s, transposed=True)``.

    Raises:
        ValueError: a number is out of range.
    """

    kernel: int
    stride: int = 1
    dilation: int = 1
    padding: int = 0
    transposed: bool = False

    def __post_init__(self) -> None:
        if min(self.kernel, self.stride, self.dilation) < 1 or self.padding < 0:
            raise ValueError(f"{self}: kernel, stride and dilation start at 1, padding at 0")

    def __repr__(self) -> str:
        """As one writes it, such as ``Layer(3, stride=2)``."""
        options = [
            f"{field.name}={getattr(self, field.name)}"
            for field in fields(self)[1:]
            if getattr(self, field.name) != field.default
        ]
        return f"Layer({', '.join([str(self.kernel), *options])})"


class ReceptiveField(NamedTuple):
    """Output o depends on ``size`` inputs from ``start + o * jump`` on, or on some: see :func:`touched`."""

    size: int
    jump: int
    start: int


def growth(layers: Sequence[Layer]) -> list[ReceptiveField]:
    """The receptive field before the first layer, after the first, after the second, and so on.

    Each layer adds ``(kernel - 1) * dilation`` of its own steps, and a step is worth the product of the
    strides before it:

        size += (kernel - 1) * dilation * jump,    start -= padding * jump,    jump *= stride

    Raises:
        ValueError: for a transposed convolution, after which outputs differ in their fields.
    """
    field = ReceptiveField(size=1, jump=1, start=0)
    fields = [field]
    for layer in layers:
        if layer.transposed:
            raise ValueError(
                "after a transposed convolution the size depends on the output's position: "
                "use touched(layers, position)"
            )
        field = ReceptiveField(
            size=field.size + (layer.kernel - 1) * layer.dilation * field.jump,
            jump=field.jump * layer.stride,
            start=field.start - layer.padding * field.jump,
        )
        fields.append(field)
    return fields


def receptive_field(layers: Sequence[Layer]) -> ReceptiveField:
    """Size, jump and start after all layers; see :func:`growth`."""
    return growth(layers)[-1]


def touched(layers: Sequence[Layer], position: int = 0) -> np.ndarray:
    """The inputs on which the output at ``position`` depends, ascending, int64 (number,).

    Exact for every chain, holes and transposed convolutions included. Positions beyond the image's ends are
    padding: they are listed, too.
    """
    positions = np.array([position])
    for layer in reversed(layers):
        taps = np.arange(layer.kernel) * layer.dilation
        if layer.transposed:  # input i writes to i * stride - padding + tap
            candidates = np.unique(positions[:, None] + layer.padding - taps)
            positions = candidates[candidates % layer.stride == 0] // layer.stride
        else:
            positions = np.unique(positions[:, None] * layer.stride - layer.padding + taps)
    return positions
