"""Which input positions an output depends on: the receptive field, for chains of layers and for real networks.

For a chain of convolutions and poolings the answer is a recursion (:func:`receptive_field`). Where something makes
the image larger again, or where holes matter, it is a set of positions (:func:`touched`). For any network,
with its skip connections, it is measured (:func:`touched_by_network`, :func:`measure`).

Araujo A, Norris W, Sim J. Computing receptive fields of convolutional neural networks. Distill (2019).
"""

from course_utils.receptive_field.chains import Layer, ReceptiveField, growth, receptive_field, touched
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
