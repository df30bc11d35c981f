"""What notebook 01 draws and moves: windows on a slice, shifted grids, a dilated kernel, a sliding patch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_utils import figures
from course_utils.figures.sliders import SliderFigure

_WINDOW_COLOURS = ("yellow", "sky", "orange", "green")


def show_windows(
    image: Any,
    centres: Sequence[tuple[int, int]],
    patches: Sequence[Any],
    *,
    titles: Sequence[str],
    window: tuple[float, float],
) -> Figure:
    """A slice (x, y) with a coloured window around each of up to four ``centres``, and the patches beside it.

    ``patches`` are what the windows show, each (size, size) with an odd size; ``titles`` stand above them.
    The slice is drawn with a margin of half a window, so that windows at the border are seen whole.
    ``window`` is (low, high) of the grey scale of all pictures.
    """
    size = len(patches[0])
    half = size // 2
    ratios = (1.5, *[1] * len(patches))
    figure, (whole, *others) = plt.subplots(1, 1 + len(patches), figsize=(10, 3), width_ratios=ratios)
    figures.show_slice(whole, image, title="FLAIR and four windows", window=window)
    for number, (ax, (x, y)) in enumerate(zip(others, centres)):
        frame = {"fill": False, "edgecolor": figures.COLOURS[_WINDOW_COLOURS[number]], "linewidth": 2}
        # Windows may overlap: the first one lies on top.
        corner = (x - half - 0.5, y - half - 0.5)
        whole.add_patch(Rectangle(corner, size, size, zorder=9 - number, **frame))
        figures.show_slice(ax, patches[number], title=titles[number], window=window)
        ax.add_patch(Rectangle((half - 0.5, half - 0.5), 1, 1, **frame))
        ax.set(xlabel="", ylabel="", xticks=[], yticks=[])
    width, height = np.shape(image)
    whole.set(xlim=(-half - 1, width + half), ylim=(height + half, -half - 1))
    return figure


def show_shifts() -> Figure:
    """The pixels of a 6 x 6 image that the four shifts of a network with stride 2 answer for."""
    figure, axes = plt.subplots(1, 5, figsize=(10, 2.5))
    colours = {(0, 0): "blue", (0, 1): "orange", (1, 0): "green", (1, 1): "yellow"}
    for ax, ((dx, dy), colour) in zip(axes, colours.items()):
        look = {"facecolor": figures.COLOURS[colour], "edgecolor": "black"}
        for x, y in itertools.product(range(dx, 6, 2), range(dy, 6, 2)):
            for target in (ax, axes[4]):
                target.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, **look))
        ax.set_title(f"shifted by ({dx}, {dy})")
    axes[4].set_title("stitched")
    for ax in axes:
        ax.set(xlim=(-0.5, 5.5), ylim=(5.5, -0.5), xticks=range(6), yticks=range(6), aspect="equal")
        ax.set_xlabel("x (pixels)")
    axes[0].set_ylabel("y (pixels)")
    return figure


def show_dilation() -> Figure:
    """One dimension: pooling with stride 2 and a kernel of 3, beside pooling with stride 1 and dilation 2."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 2.4), sharey=True)
    _draw_pooling(axes[0], stride=2, answers=(4,))
    axes[0].set_title("pooling with stride 2, then a kernel of 3")
    _draw_pooling(axes[1], stride=1, answers=range(9))
    axes[1].set_title("pooling with stride 1, then dilation 2")
    axes[0].set_yticks((1, 0, -1), ("before pooling", "pooled", "after the kernel"))
    return figure


def _draw_pooling(ax: Axes, *, stride: int, answers: Sequence[int]) -> None:
    """Rows of dots: 9 places, those that pooling keeps, and the ``answers`` of a kernel on places 2, 4, 6."""
    used, orange = (2, 4, 6), figures.COLOURS["orange"]
    dot = {"s": 50, "edgecolors": "black", "zorder": 3}
    ax.scatter(range(9), [1] * 9, facecolors="white", **dot)
    for x in range(0, 9, stride):
        ax.scatter(x, 0, facecolors=orange if x in used else "white", **dot)
        for neighbour in (x - 1, x, x + 1):
            ax.plot([neighbour, x], [1, 0], color="#BBBBBB", linewidth=0.8, zorder=0)
    for x in used:
        ax.plot([x, 4], [0, -1], color=orange, zorder=1)
    for x in answers:
        ax.scatter(x, -1, facecolors=orange if x == 4 else "white", **dot)
    ax.set(xlabel="place", xticks=range(9), xlim=(-0.4, 8.4), ylim=(-1.4, 1.4))


def sliding_patch(
    patches_around: Callable[..., Any], probability: Callable[[Any], Any], image: Any, size: int
) -> SliderFigure:
    """Move a patch over a slice: where it lies, what the classifier sees, how likely its centre is tumour.

    ``patches_around(image, size)`` returns the patches (pixels, channels, size, size) around all pixels of an
    ``image`` (channels, x, y), a tensor whose last channel is shown; the notebook gives it the student's own
    function. ``probability(patches)`` returns one number for each patch. ``size`` is odd.
    """
    patches = patches_around(image, size)
    width, height = image.shape[1:]
    half = size // 2
    look = {"style": {"description_width": "9em"}, "layout": {"width": "32em"}}
    x = ipywidgets.IntSlider(width // 2, 0, width - 1, description="x of the centre", **look)
    y = ipywidgets.IntSlider(height // 2, 0, height - 1, description="y of the centre", **look)
    window = figures.grey_window(np.asarray(image[-1]))

    def draw(x: int, y: int) -> tuple[Figure, str]:
        patch = patches[x * height + y]
        tumour = float(probability(patch[None])[0])
        figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.8), width_ratios=(1.4, 1))
        figures.show_slice(left, image[-1], title=f"patch around ({x}, {y})", window=window)
        frame = {"fill": False, "edgecolor": figures.COLOURS["yellow"], "linewidth": 2}
        left.add_patch(Rectangle((x - half - 0.5, y - half - 0.5), size, size, **frame))
        left.set(xlim=(-half - 1, width + half), ylim=(height + half, -half - 1))
        figures.show_slice(right, patch[-1], title=f"its centre: tumour {tumour:.0%}", window=window)
        right.add_patch(Rectangle((half - 0.5, half - 0.5), 1, 1, **frame))
        right.set(xlabel="", ylabel="", xticks=[], yticks=[])
        alt = (
            f"A slice with a frame of {size} x {size} pixels around the pixel ({x}, {y}), and the patch in "
            f"it: the probability that its centre is tumour is {tumour:.0%}."
        )
        return figure, alt

    return SliderFigure(draw, {"x": x, "y": y})
