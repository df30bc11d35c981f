"""What notebook 02 draws and moves: windows, stamps, blocks; the kernel over its signal as a matrix row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_utils.figures.curves import curves
from course_utils.figures.sliders import SliderFigure
from course_utils.figures.style import COLOURS


def show_windows(ax: Axes, n: int, kernel: int, *, stride: int = 1, padding: int = 0) -> None:
    """Draw which places each output of a convolution reads: one bar a window, over ``n`` places.

    The places are squares on top, padding in grey; ``kernel`` is the window's length in places. The title
    counts the outputs.
    """
    for place in range(-padding, n + padding):
        colour = "white" if 0 <= place < n else "#CCCCCC"
        ax.add_patch(Rectangle((place - 0.5, -1.3), 1, 0.8, facecolor=colour, edgecolor="black"))
    starts = range(-padding, n + padding - kernel + 1, stride)
    for i, start in enumerate(starts):
        ax.add_patch(Rectangle((start - 0.42, i - 0.3), kernel - 0.16, 0.6, color=COLOURS["orange"]))
    ax.set(title=f"stride {stride}, padding {padding}\n{len(starts)} outputs", xlabel="place")
    ax.set(xlim=(-2, n + 1), ylim=(n, -1.8), xticks=range(0, n, 2))


def show_stamps(
    axes: Sequence[Axes], b: Sequence[float], kernel: Sequence[float], *, stride: int = 1
) -> None:
    """Draw a transposed convolution as stamps: one of ``axes`` for each input, and one more for their sum.

    ``b`` (n,) are the inputs, ``kernel`` (k,) the stamp; there are n + 1 ``axes``.
    """
    places = np.arange((len(b) - 1) * stride + len(kernel))
    bottom, name = np.zeros(len(places)), ", ".join(f"{weight:g}" for weight in kernel)
    for i, (value, colour) in enumerate(zip(b, ("blue", "orange", "green", "red", "purple", "sky"))):
        stamp = np.zeros(len(places))
        stamp[i * stride : i * stride + len(kernel)] = value * np.asarray(kernel)
        axes[i].bar(places, stamp, color=COLOURS[colour])
        axes[i].set_title(f"input {i}: {value:g} · ({name})")
        axes[-1].bar(places, stamp, bottom=bottom, color=COLOURS[colour])
        bottom += stamp
    axes[-1].set_title("all stamps, added")
    axes[0].set_ylabel("value")
    for ax in axes:
        ax.set(xlabel="place in the output", xticks=places)


def draw_frame(ax: Axes, row: int, column: int, rows: int, columns: int) -> None:
    """Frame ``rows`` x ``columns`` cells of a matrix drawn by ``show_matrix``, from (row, column) on."""
    corner = (column - 0.5, row - 0.5)
    style = {"fill": False, "edgecolor": COLOURS["green"], "linewidth": 4, "clip_on": False, "zorder": 3}
    ax.add_patch(Rectangle(corner, columns, rows, **style))


def draw_blocks(ax: Axes, rows: int, columns: int, *, frame: tuple[int, int]) -> None:
    """Divide a drawn matrix into blocks of ``rows`` x ``columns``, and frame one: (block row, column)."""
    bottom, top = ax.get_ylim()
    left, right = ax.get_xlim()
    for edge in np.arange(top + rows, bottom, rows):
        ax.axhline(edge, color="black", linewidth=0.8)
    for edge in np.arange(left + columns, right, columns):
        ax.axvline(edge, color="black", linewidth=0.8)
    draw_frame(ax, frame[0] * rows, frame[1] * columns, rows, columns)


def memory(sides: Sequence[int]) -> Axes:
    """Draw the memory of a 3x3 convolution with padding 1, float32, against the side of a square image.

    A sparse entry takes 8 bytes, 4 for its value and 4 for its column. At most ten ``sides``.
    """
    sides = np.asarray(sides, dtype=float)
    lines = {
        "dense matrix": (sides, 4 * sides**4),
        "sparse matrix": (sides, 8 * (3 * sides - 2) ** 2),
        "the image itself": (sides, 4 * sides**2),
        "the kernel": (sides, np.full(len(sides), 36.0)),
    }
    labels = {"xlabel": "side of the image (pixels)", "ylabel": "memory (bytes), float32"}
    title = "3x3 convolution, one pair of channels"
    ax = curves(lines, **labels, title=title, logx=True, logy=True, marker="each")
    ax.axhline(16e9, color="black", linewidth=0.8, linestyle="--")
    ax.text(sides[0], 22e9, "16 GB, a laptop", fontsize=8)
    return ax


def show_convolution_row(
    ax: Axes,
    matrix: np.ndarray,
    signal: Sequence[float],
    kernel: Sequence[float],
    row: int,
    *,
    stride: int = 1,
    padding: int = 0,
) -> None:
    """Draw one step of ``matrix @ signal``: the kernel over its window, and the matrix row that holds it.

    Everything shares one horizontal scale: input value m stands above column m of the matrix, so the kernel,
    where it lies now, falls straight down into row ``row``. Padding zeros are grey; they have no column. The
    cells of that row carry the gid "lit".
    """
    matrix, signal, kernel = (np.asarray(values, dtype=float) for values in (matrix, signal, kernel))
    outputs, inputs = matrix.shape
    left, output_x, input_y, kernel_y = row * stride - padding, inputs + padding + 1, -3.6, -2.3
    window = range(left, left + len(kernel))
    result = matrix @ signal

    for m in range(-padding, inputs + padding):
        is_padding = not 0 <= m < inputs
        colour = "#E5E5E5" if is_padding else "#FCE6B8" if m in window else "white"
        _cell(ax, m, input_y, 0.0 if is_padding else signal[m], colour, faint=is_padding)
    for j, weight in enumerate(kernel):
        _cell(ax, left + j, kernel_y, weight, COLOURS["orange"])
        if 0 <= left + j < inputs:
            ax.plot([left + j] * 2, [kernel_y + 0.5, row - 0.5], color=COLOURS["orange"], lw=1, zorder=0)
    for (i, m), value in np.ndenumerate(matrix):
        colour = "#FCE6B8" if i == row else "white"
        if value:
            colour = COLOURS["orange"] if i == row else "#CFE3F2"
        _cell(ax, m, i, value, colour, faint=not value, gid="lit" if i == row else None)
    for i, value in enumerate(result):
        _cell(ax, output_x, i, value, COLOURS["orange"] if i == row else "white")

    for y, name in ((input_y, "input"), (kernel_y, "kernel")):
        ax.text(-padding - 0.8, y, name, ha="right", va="center", fontsize=9)
    ax.text(-padding - 0.8, (outputs - 1) / 2, "matrix", ha="right", va="center", fontsize=9)
    ax.text(inputs + padding / 2 + 0.25, (outputs - 1) / 2, "gives", ha="center", va="center", fontsize=8)
    ax.text(output_x, -0.8, "output", ha="center", va="bottom", fontsize=9)
    terms = [f"{weight:g}·{signal[m]:g}" for m, weight in zip(window, kernel) if 0 <= m < inputs]
    ax.set_title(f"row {row}:  {' + '.join(terms) or '0'} = {result[row]:g}")
    ax.set(xlim=(-padding - 3, output_x + 0.8), ylim=(outputs - 0.3, input_y - 0.7), aspect="equal")
    ax.axis("off")


def _cell(
    ax: Axes, x: float, y: float, value: float, colour: str, *, faint: bool = False, gid: str | None = None
) -> None:
    """One square of side 1 around (x, y) with a number in it."""
    ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=colour, edgecolor="#555555", lw=0.8, gid=gid))
    ax.text(x, y, f"{value:g}", ha="center", va="center", fontsize=8, color="#8A8A8A" if faint else "black")


def convolution_rows(
    convolution_matrix: Callable[..., Any], kernel: Sequence[float], signal: Sequence[float]
) -> SliderFigure:
    """Move a kernel over a signal and see which row of its matrix that is; change stride and padding.

    ``convolution_matrix(kernel, n, stride, padding)`` returns the matrix (outputs, n); the notebook gives it
    the student's own function. ``kernel`` (k,) and ``signal`` (n,) are arrays or tensors of one dimension.
    Raises ValueError where the kernel is longer than the signal.
    """
    size, length = len(kernel), len(signal)
    if size > length:
        raise ValueError(f"the kernel has {size} values, the signal only {length}: nowhere to put the kernel")
    most = {"stride": 3, "padding": size - 1}
    look = {"style": {"description_width": "9em"}, "layout": {"width": "32em"}}
    position = ipywidgets.IntSlider(0, 0, 0, description="row of the output", **look)
    stride = ipywidgets.IntSlider(1, 1, most["stride"], description="stride", **look)
    padding = ipywidgets.IntSlider(min(1, size - 1), 0, most["padding"], description="padding", **look)

    def matrix() -> np.ndarray:
        return np.asarray(convolution_matrix(kernel, length, stride.value, padding.value))

    def limit_position(_change: object = None) -> None:
        position.max = len(matrix()) - 1  # clamps the position as well

    # Before SliderFigure listens: no picture is drawn for a row that a new stride has just taken away.
    for slider in (stride, padding):
        slider.observe(limit_position, names="value")
    limit_position()

    most_outputs = length + 2 * most["padding"] - size + 1

    def draw(row: int, stride: int, padding: int) -> tuple[Figure, str]:
        now = matrix()
        figure, ax = plt.subplots(figsize=(7.2, 5.4))
        show_convolution_row(ax, now, signal, kernel, row, stride=stride, padding=padding)
        # The same frame for all settings, so that moving a slider moves the kernel and not the page.
        ax.set(xlim=(-most["padding"] - 3.2, length + most["padding"] + 1.8), ylim=(most_outputs - 0.3, -4.3))
        figure.suptitle(f"matrix of {now.shape[0]} rows and {now.shape[1]} columns", fontsize=9)
        columns = ", ".join(str(column) for column in np.flatnonzero(now[row])) or "none"
        return (
            figure,
            (
                f"Row {row} of a convolution matrix of {now.shape[0]} rows and {now.shape[1]} columns is"
                f" lit, stride {stride}, padding {padding}: the kernel stands over its window, and its"
                f" values are in the columns {columns}."
            ),
        )

    return SliderFigure(draw, {"row": position, "stride": stride, "padding": padding})
