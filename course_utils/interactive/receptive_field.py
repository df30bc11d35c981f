"""What notebook 04 draws and moves: a chain of layers and what one output depends on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from course_utils.figures.sliders import SliderFigure
from course_utils.figures.style import COLOURS
from course_utils.receptive_field import Layer, growth


def show_receptive_field(ax: Axes, layers: Sequence[Layer], positions: Sequence[Sequence[int]]) -> None:
    """Draw a chain of layers, the input below and one output on top, and light what this output depends on.

    ``positions[level]`` are the positions of that level on which output 0 depends: level 0 is the input, level
    i what layer i puts out. Every position stands over the middle of its own receptive field, so that the
    horizontal axis is that of the input. Dots that are lit carry the gid "lit".
    """

    def middles(level: int, there: Sequence[int]) -> np.ndarray:
        """The middle of the receptive field of each position of a level, in input pixels."""
        size, jump, start = fields[level]
        return start + jump * np.asarray(there) + (size - 1) / 2

    fields = growth(layers)
    places = [middles(level, positions[level]) for level in range(len(layers) + 1)]
    left, right = min(places[0]), max(places[0])
    for level, (lit, field) in enumerate(zip(places, fields)):
        first = lit[0] - field.jump * np.floor((lit[0] - left) / field.jump)
        everywhere = np.arange(first, right + 0.5, field.jump)
        ax.scatter(everywhere, np.full(len(everywhere), level), s=16, color="#D5D5D5", zorder=1)
        colour = COLOURS["orange"] if level == 0 else COLOURS["blue"]
        ax.scatter(lit, np.full(len(lit), level), s=26, color=colour, zorder=3, gid="lit")
    for level, layer in enumerate(layers):
        for above, x_above in zip(positions[level + 1], places[level + 1]):
            taps = above * layer.stride - layer.padding + np.arange(layer.kernel) * layer.dilation
            for x_below in middles(level, taps):
                ax.plot([x_below, x_above], [level, level + 1], color=COLOURS["sky"], lw=0.7, zorder=0)
    names = ["input", *(f"layer {number}" for number in range(1, len(layers) + 1))]
    ax.set(yticks=range(len(names)), yticklabels=names, xlabel="position in the input (pixels)")
    ax.set(xlim=(left - 1, right + 1), ylim=(-0.4, len(layers) + 0.4))
    ax.tick_params(axis="y", length=0)


def receptive_field_layers(touched_positions: Callable[[Sequence[Layer]], Sequence[int]]) -> SliderFigure:
    """Set kernel, stride and dilation of three layers, and see which input pixels one output depends on.

    ``touched_positions(layers)`` returns the input positions, ascending, on which output 0 depends; the notebook
    gives it the student's own function. On the left the chain of layers along one axis, on the right the pixels
    in two dimensions.
    """
    number = 3
    look = {"style": {"description_width": "7.5em"}, "layout": {"width": "19em"}}
    limits = {"kernel": (3, 1, 5), "stride": (1, 1, 3), "dilation": (1, 1, 5)}
    sliders = {
        f"{option}_{layer}": ipywidgets.IntSlider(*limit, description=f"{layer}: {option}", **look)
        for layer in range(1, number + 1)
        for option, limit in limits.items()
    }

    def draw(**values: int) -> tuple[Figure, str]:
        layers = [
            Layer(*(values[f"{option}_{layer}"] for option in ("kernel", "stride", "dilation")))
            for layer in range(1, number + 1)
        ]
        positions = [np.asarray(touched_positions(layers[level:])) for level in range(number)]
        lit = positions[0]
        size = int(lit.max() - lit.min()) + 1
        pixels = np.zeros((size, size))
        pixels[np.ix_(lit - lit.min(), lit - lit.min())] = 1
        share = f"{len(lit) ** 2} of {size**2}"

        figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), width_ratios=(2, 1))
        show_receptive_field(left, layers, [*positions, np.array([0])])
        left.set_title("what output 0 depends on, along one axis")
        right.imshow(pixels, cmap="cividis", vmin=0, vmax=1)
        right.set(title=f"{size} x {size}: {share} pixels", xlabel="x (pixels)", ylabel="y (pixels)")
        for axis in (left.xaxis, right.xaxis, right.yaxis):
            axis.set_major_locator(MaxNLocator(integer=True))
        holes = "without holes" if len(lit) == size else "with holes"
        return figure, (
            f"Three layers, {'; '.join(f'kernel {x.kernel}, stride {x.stride}, dilation {x.dilation}' for x in layers)}."
            f" One output sees {size} x {size} pixels, {holes}: it depends on {share} of them."
        )

    widget = SliderFigure(draw, sliders)
    rows = [
        ipywidgets.HBox([sliders[f"{option}_{layer}"] for option in limits]) for layer in range(number, 0, -1)
    ]
    widget.children = [*rows, widget.picture]
    return widget
