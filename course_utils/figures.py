"""The course's plots: one look everywhere, colour-blind-safe, and a text alternative for each picture.

Colours are those of Okabe & Ito ("Color Universal Design", 2008). Images use grey levels, signed quantities a blue-red
map centred on zero, other quantities "viridis".
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

COLOURS = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "red": "#D55E00",
    "purple": "#CC79A7",
}

# BraTS labels: necrotic / non-enhancing core, oedema, enhancing tumour. Different in lightness, too.
LABEL_COLOURS = {1: COLOURS["red"], 2: COLOURS["sky"], 4: COLOURS["yellow"]}
LABEL_NAMES = {1: "necrotic / non-enhancing core", 2: "oedema", 4: "enhancing tumour"}

WIDTH = 9.0  # inches: every figure of the course is this wide unless its content asks for less


def use_style() -> None:
    """Apply the course's look to all figures made afterwards."""
    plt.rcParams.update(
        {
            "figure.dpi": 100,
            "figure.figsize": (WIDTH, 3.2),
            "figure.constrained_layout.use": True,
            "font.size": 10,
            "axes.titlesize": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": plt.cycler(
                color=[COLOURS[name] for name in ("blue", "orange", "green", "red", "purple", "sky", "black")]
            ),
            "image.cmap": "gray",
            "image.interpolation": "nearest",
            "legend.frameon": False,
        }
    )


def show(figure: Figure, alt: str) -> None:
    """Display a figure as PNG with a text alternative, and close it.

    ``alt`` says what is to be seen, for those who can't see it. Outside a notebook the figure is only rendered and
    closed. Raises ValueError where ``alt`` is empty.
    """
    if not alt.strip():
        raise ValueError("every figure needs a text alternative: show(figure, alt='what is to be seen')")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    plt.close(figure)
    try:
        from IPython import get_ipython
        from IPython.display import Image, display
    except ImportError:
        return
    if get_ipython() is not None:
        display(Image(data=buffer.getvalue(), format="png", alt=alt))


def show_matrix(
    ax: Axes,
    matrix: np.ndarray,
    title: str = "",
    *,
    values: bool | None = None,
    highlight_rows: Sequence[int] = (),
    highlight_columns: Sequence[int] = (),
    row_label: str = "row",
    column_label: str = "column",
    limit: float | None = None,
) -> None:
    """Draw a matrix (rows, columns) as coloured cells, zeros white, with its numbers where they fit.

    ``limit`` fixes the colour range to [-limit, limit]; ``values`` forces the numbers on or off.
    """
    matrix = np.atleast_2d(np.asarray(matrix, dtype=float))
    rows, columns = matrix.shape
    limit = limit or float(np.abs(matrix).max()) or 1.0
    ax.imshow(matrix, cmap="RdBu_r", vmin=-1.6 * limit, vmax=1.6 * limit, aspect="equal")
    if values if values is not None else matrix.size <= 150:
        for (row, column), value in np.ndenumerate(matrix):
            ax.text(column, row, f"{value:g}" if abs(value - round(value, 2)) < 1e-9 else f"{value:.2f}",
                    ha="center", va="center", fontsize=8, color="#999999" if value == 0 else "black")
    for row in highlight_rows:
        ax.add_patch(Rectangle((-0.5, row - 0.5), columns, 1, fill=False, linewidth=2.5, edgecolor=COLOURS["black"]))
    for column in highlight_columns:
        ax.add_patch(Rectangle((column - 0.5, -0.5), 1, rows, fill=False, linewidth=2.5, edgecolor=COLOURS["black"]))
    ax.set(title=title, xlabel=column_label, ylabel=row_label)
    if max(rows, columns) <= 16:
        ax.set_xticks(range(columns))
        ax.set_yticks(range(rows))
    ax.tick_params(length=0, labelsize=8)
    for spine in ax.spines.values():
        spine.set_visible(True)


def label_overlay(labels: np.ndarray, alpha: float = 0.6) -> np.ndarray:
    """RGBA picture (..., 4) of a BraTS label map (values 0, 1, 2, 4); background transparent."""
    overlay = np.zeros((*np.shape(labels), 4))
    for label, colour in LABEL_COLOURS.items():
        overlay[np.asarray(labels) == label] = ListedColormap([colour])(0)[:3] + (alpha,)
    return overlay


def show_slice(
    ax: Axes,
    image: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    title: str = "",
    spacing: tuple[float, float] | None = None,
    window: tuple[float, float] | None = None,
    alpha: float = 0.6,
) -> None:
    """Draw one slice with its first axis running right and its second running down.

    For BraTS arrays, whose first two axes point to the patient's left and back, an axial slice ``volume[:, :, k]`` then
    appears as radiologists view it: the front on top, the patient's left on the right-hand side.

    ``spacing`` in mm along (first, second) axis gives axes in mm and the right aspect ratio; without it the axes are in
    voxels. ``window`` is (low, high) of the grey scale; by default the 0.5 and 99.5 percentiles of the nonzero values.
    """
    image = np.asarray(image, dtype=float)
    if window is None:
        inside = image[image != 0]
        window = tuple(np.percentile(inside, [0.5, 99.5])) if inside.size else (0.0, 1.0)
    step = spacing or (1.0, 1.0)
    width, height = image.shape[0] * step[0], image.shape[1] * step[1]
    extent = (0, width, height, 0) if spacing else None
    ax.imshow(image.T, cmap="gray", vmin=window[0], vmax=window[1], extent=extent, aspect="equal")
    if labels is not None:
        ax.imshow(np.moveaxis(label_overlay(labels, alpha), 0, 1), extent=extent, aspect="equal")
    unit = "mm" if spacing else "voxels"
    ax.set(title=title, xlabel=f"x ({unit})", ylabel=f"y ({unit})")
    ax.tick_params(labelsize=7)


def label_legend(figure_or_axes: Figure | Axes, labels: Sequence[int] = (1, 2, 4), **kwargs) -> None:
    """Add the legend of the BraTS label colours."""
    handles = [Patch(color=LABEL_COLOURS[label], label=f"{label}: {LABEL_NAMES[label]}") for label in labels]
    figure_or_axes.legend(handles=handles, **kwargs)
