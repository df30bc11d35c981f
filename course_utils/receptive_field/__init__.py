"""Which input positions an output depends on: the receptive field, of chains of layers and of networks.

==============  ========================================================================================
``chains``      chains of convolutions and poolings: a recursion (:func:`receptive_field`), and where
                something makes the image larger again or holes matter, a set of positions
                (:func:`touched`). Needs NumPy only
``measured``    any network with its skip connections, by running it (:func:`touched_by_network`,
                :func:`measure`). Needs PyTorch, which is imported when one of these is asked for
==============  ========================================================================================

Araujo A, Norris W, Sim J. Computing receptive fields of convolutional neural networks. Distill (2019).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from course_utils.receptive_field.chains import Layer, ReceptiveField, growth, receptive_field, touched

if TYPE_CHECKING:
    from course_utils.receptive_field.measured import Measured, measure, touched_by_network

__all__ = [
    "Layer",
    "Measured",
    "ReceptiveField",
    "growth",
    "measure",
    "receptive_field",
    "touched",
    "touched_by_network",
]


def __getattr__(name: str) -> Any:
    """What stands in ``measured``, without importing PyTorch before it is needed."""
    if name in ("Measured", "measure", "touched_by_network"):
        from course_utils.receptive_field import measured

        return getattr(measured, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
