"""What notebook 04 draws and moves: a chain of layers and what one output depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from course_utils.figures.curves import curves
from course_utils.figures.sliders import SliderFigure
from course_utils.figures.style import COLOURS, WIDTH
from course_utils.receptive_field import Layer, growth


def show_receptive_field(ax: Axes, layers: Sequence[Layer], positions: Sequence[Sequence[int]]) -> None:
    """Draw a chain of layers, the input below and one output on top, and light what this output depends on.

    ``positions[level]`` are the positions of that level on which output 0 depends: level 0 is the input,
    level i what layer i puts out. Every position stands over the middle of its own receptive field, so that
    the horizontal axis is that of the input. Dots that are lit carry the gid "lit".
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


def show_touched_pixels(chains: Mapping[str, Sequence[int]]) -> Figure:
    """Draw which pixels of its square one output touches, for chains with equal layers on both axes.

    All panels have cells of one size, so that a smaller field is a smaller square. ``chains`` maps a title to
    the touched positions along one axis, ascending.
    """
    squares = {title: _square(positions) for title, positions in chains.items()}
    widths = [len(pixels) for pixels in squares.values()]
    figure, axes = plt.subplots(
        1, len(squares), figsize=(WIDTH, 3.6), width_ratios=widths, squeeze=False, layout="constrained"
    )
    for ax, (title, pixels) in zip(axes[0], squares.items(), strict=True):
        size = len(pixels)
        _draw_pixels(ax, pixels)
        ax.set(xticks=range(size), yticks=range(size))
        ax.set_title(f"{title}\n{size}x{size}: {int(pixels.sum())} of {pixels.size} touched")
        ax.set_anchor("N")  # upper edges on one line
    return figure


def show_schedules(rows: Mapping[str, tuple[Sequence[int], str]]) -> Figure:
    """Draw the touched positions of dilation schedules along one axis, the first one on top.

    ``rows`` maps the schedule, as it is to be shown, to its touched positions (ascending) and a remark.
    """
    figure, (ax, remarks) = plt.subplots(1, 2, figsize=(WIDTH, 3.2), width_ratios=(3, 2), sharey=True)
    for height, (positions, remark) in enumerate(rows.values()):
        places = np.asarray(positions) - (positions[0] + positions[-1]) / 2
        field = Rectangle(
            (places[0] - 0.5, height - 0.3), places[-1] - places[0] + 1, 0.6, facecolor="#DDDDDD"
        )
        ax.add_patch(field)
        bar = {"color": COLOURS["blue"], "edgecolor": "white", "linewidth": 0.5}
        ax.bar(places, 0.6, width=1, bottom=height - 0.3, **bar)
        remarks.text(0, height, remark, va="center", fontsize=8)
    ax.set(yticks=range(len(rows)), yticklabels=list(rows), ylim=(len(rows) - 0.4, -0.6))
    ax.set(xlabel="position, from the middle (pixels)", ylabel="dilations")
    remarks.set_axis_off()
    return figure


def show_fields(sizes: Sequence[int], fields: Mapping[str, tuple[int, int]], edge: int) -> Figure:
    """Draw the field's size at neighbouring outputs, and the fields of some outputs in the input.

    Args:
        sizes: in pixels, one for each of the neighbouring outputs.
        fields: name of an output -> the first and last pixel of its field, the same on both axes.
        edge: of the square input, pixels.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3), width_ratios=(2, 1))
    left.plot(range(len(sizes)), sizes, "o-", drawstyle="steps-mid", color=COLOURS["blue"])
    left.set(xlabel="position in the middle of the output (pixels)", ylabel="size of the field (pixels)")
    left.set(yticks=sorted(set(sizes)), xticks=range(len(sizes)))
    left.set_title(f"the field of {len(sizes)} neighbouring outputs")
    # The larger square first, and the smaller one dashed: where two sides coincide, both can be seen.
    largest_first = sorted(fields.items(), key=lambda item: item[1][0] - item[1][1])
    styles = zip(("orange", "blue"), ((3, "solid"), (1.5, "dashed")))
    for (name, (first, last)), (colour, (width, style)) in zip(largest_first, styles):
        size = last - first + 1
        label = f"{name}: {size} x {size}"
        square = {"fill": False, "edgecolor": COLOURS[colour], "linewidth": width, "linestyle": style}
        right.add_patch(Rectangle((first, first), size, size, label=label, **square))
    right.set(xlim=(0, edge), ylim=(edge, 0), aspect="equal", xlabel="x (pixels)", ylabel="y (pixels)")
    right.set_title(f"fields in the {edge} x {edge} input")
    right.legend(fontsize=8, loc="upper left")
    return figure


def show_context(
    fields: Sequence[float], dice: Mapping[str, Sequence[float]], widths: Mapping[str, Sequence[float]]
) -> Figure:
    """Draw Dice against the theoretical field, one line a seed, and the effective width against it.

    Args:
        fields: in mm, ascending; the first one is a single pixel, whose effective width is 0.
        dice: name of a seed -> mean Dice, one value a field.
        widths: when it was measured -> sigma in mm, one value a field.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(WIDTH, 3.4))
    axis = {"xlabel": "theoretical field (mm), logarithmic", "logx": True, "marker": "each"}
    curves(
        {seed: (fields, scores) for seed, scores in dice.items()},
        ylabel="mean Dice, held-out subjects (from 0.5)",
        title=f"equal weights, equal training, {len(dice)} seeds",
        ylim=(0.5, 0.95),
        legend="lower right",
        ax=left,
        **axis,
    )
    curves(
        {name: (fields[1:], sigmas[1:]) for name, sigmas in widths.items()},
        ylabel="effective width, sigma (mm)",
        title=f"what is used of it, mean of {len(dice)} seeds",
        ylim=(0, None),
        legend="upper left",
        ax=right,
        **axis,
    )
    return figure


def _square(positions: Sequence[int]) -> np.ndarray:
    """1 where a row and a column of the field are touched, else 0; (size, size)."""
    places = np.asarray(positions) - positions[0]
    pixels = np.zeros((places[-1] + 1, places[-1] + 1))
    pixels[np.ix_(places, places)] = 1
    return pixels


def _draw_pixels(ax: Axes, pixels: np.ndarray) -> None:
    """Touched pixels orange, others white, with lines between them where they can be told apart."""
    size = len(pixels)
    ax.imshow(pixels, cmap=ListedColormap(["white", COLOURS["orange"]]), vmin=0, vmax=1)
    if size <= 30:
        edges = np.arange(-0.5, size)
        ax.set_xticks(edges, minor=True)
        ax.set_yticks(edges, minor=True)
        ax.grid(which="minor", color="#999999", linewidth=0.8)
    ax.tick_params(which="both", length=0)
    ax.set(xlabel="x (pixels)", ylabel="y (pixels)")
    ax.spines[:].set(visible=True, color="#999999")


def receptive_field_layers(touched_positions: Callable[[Sequence[Layer]], Sequence[int]]) -> SliderFigure:
    """Set kernel, stride and dilation of three layers, and see which input pixels one output depends on.

    ``touched_positions(layers)`` returns the input positions, ascending, on which output 0 depends; the
    notebook gives it the student's own function. On the left the chain of layers along one axis, on the right
    the pixels in two dimensions.
    """
    number = 3
    limits = {"kernel": (3, 1, 5), "stride": (1, 1, 3), "dilation": (1, 1, 5)}
    look = {"style": {"description_width": "5.5em"}, "layout": {"width": "100%"}}
    sliders = {
        f"{option}_{layer}": ipywidgets.IntSlider(*limit, description=f"{layer}: {option}", **look)
        for layer in range(1, number + 1)
        for option, limit in limits.items()
    }

    def draw(**values: int) -> tuple[Figure, str]:
        layers = [
            Layer(*(values[f"{option}_{layer}"] for option in limits)) for layer in range(1, number + 1)
        ]
        positions = [np.asarray(touched_positions(layers[level:])) for level in range(number)]
        pixels = _square(positions[0])
        size, share = len(pixels), f"{int(pixels.sum())} of {pixels.size}"

        figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), width_ratios=(2, 1))
        show_receptive_field(left, layers, [*positions, np.array([0])])
        left.set_title("what output 0 depends on, along one axis")
        _draw_pixels(right, pixels)
        right.set_title(f"{size} x {size}: {share} pixels")
        for axis in (left.xaxis, right.xaxis, right.yaxis):
            axis.set_major_locator(MaxNLocator(integer=True))
        chain = "; ".join(f"kernel {x.kernel}, stride {x.stride}, dilation {x.dilation}" for x in layers)
        holes = "without holes" if pixels.all() else "with holes"
        seen = f"One output sees {size} x {size} pixels, {holes}"
        return figure, f"Three layers, {chain}. {seen}: it depends on {share} of them."

    widget = SliderFigure(draw, sliders)
    columns = [
        ipywidgets.VBox(
            [sliders[f"{option}_{layer}"] for option in limits],
            layout={"flex": "1 1 17em"},  # side by side where there is room, else one below the other
        )
        for layer in range(1, number + 1)
    ]
    box = ipywidgets.Box(columns, layout={"display": "flex", "flex_flow": "row wrap", "width": "100%"})
    widget.children = [box, widget.picture]
    return widget
