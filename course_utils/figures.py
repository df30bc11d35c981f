"""The course's plots: one look everywhere, colour-blind-safe, and a text alternative for each picture.

Colours are those of Okabe & Ito ("Color Universal Design", 2008). Images use grey levels, signed quantities a blue-red
map centred on zero, other quantities "viridis".
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from numpy.typing import ArrayLike

if TYPE_CHECKING:  # it brings torch, which takes a second; most figures don't need it
    from course_utils.receptive_field import Layer

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
            "figure.constrained_layout.h_pad": 0.08,  # inches; with less, titles touch the edge
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
    spacing: Sequence[float] | None = None,
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
    step = (1.0, 1.0) if spacing is None else spacing
    width, height = image.shape[0] * step[0], image.shape[1] * step[1]
    extent = None if spacing is None else (0, width, height, 0)
    ax.imshow(image.T, cmap="gray", vmin=window[0], vmax=window[1], extent=extent, aspect="equal")
    if labels is not None:
        ax.imshow(np.moveaxis(label_overlay(labels, alpha), 0, 1), extent=extent, aspect="equal")
    unit = "voxels" if spacing is None else "mm"
    ax.set(title=title, xlabel=f"x ({unit})", ylabel=f"y ({unit})")
    ax.tick_params(labelsize=7)


def label_legend(figure_or_axes: Figure | Axes, labels: Sequence[int] = (1, 2, 4), **kwargs) -> None:
    """Add the legend of the BraTS label colours."""
    handles = [Patch(color=LABEL_COLOURS[label], label=f"{label}: {LABEL_NAMES[label]}") for label in labels]
    figure_or_axes.legend(handles=handles, **kwargs)


# The three planes of a volume whose axes run to the patient's left, back and top (LPS), as radiologists look
# at them: title, array axes (right, down or up), whether the second axis points up, and the letters on the
# picture's four sides.
PLANES = (
    ("axial", (0, 1), False, {"left": "R", "right": "L", "top": "A", "bottom": "P"}),
    ("coronal", (0, 2), True, {"left": "R", "right": "L", "top": "S", "bottom": "I"}),
    ("sagittal", (1, 2), True, {"left": "A", "right": "P", "top": "S", "bottom": "I"}),
)
_TOWARDS = ("to the patient's left (mm)", "to the back (mm)", "to the top (mm)")


def grey_window(image: np.ndarray) -> tuple[float, float]:
    """Limits of the grey scale: the 0.5 and 99.5 percentiles of the nonzero values."""
    inside = image[image != 0]
    return tuple(np.percentile(inside, [0.5, 99.5])) if inside.size else (0.0, 1.0)


def show_planes(
    axes: Sequence[Axes],
    image: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    position: Sequence[int],
    spacing: Sequence[float],
    window: tuple[float, float] | None = None,
    crosshair: bool = False,
    alpha: float = 0.6,
) -> None:
    """Draw the axial, coronal and sagittal slice through voxel ``position`` into three axes, in millimetres.

    ``image`` and ``labels`` are (X, Y, Z) with axes towards the patient's left, back and top, as in BraTS;
    ``spacing`` in mm. Letters mark right, left, anterior, posterior, superior and inferior. ``window`` is
    (low, high) of the grey scale, by default the 0.5 and 99.5 percentiles of the volume's nonzero values.
    """
    window = window or grey_window(image)
    for ax, (title, (across, along), upwards, letters) in zip(axes, PLANES):
        normal = ({0, 1, 2} - {across, along}).pop()
        width, height = image.shape[across] * spacing[across], image.shape[along] * spacing[along]
        style = {
            "extent": (0, width, 0, height) if upwards else (0, width, height, 0),
            "origin": "lower" if upwards else "upper",
            "aspect": "equal",
        }
        slice_ = np.take(image, position[normal], axis=normal)
        ax.imshow(slice_.T, cmap="gray", vmin=window[0], vmax=window[1], **style)
        if labels is not None:
            overlay = label_overlay(np.take(labels, position[normal], axis=normal), alpha)
            ax.imshow(np.moveaxis(overlay, 0, 1), **style)
        if crosshair:
            centre = [(index + 0.5) * step for index, step in zip(position, spacing)]
            ax.axvline(centre[across], color=COLOURS["green"], linewidth=0.8)
            ax.axhline(centre[along], color=COLOURS["green"], linewidth=0.8)
        _mark_sides(ax, letters)
        ax.set(title=title, xlabel=_TOWARDS[across], ylabel=_TOWARDS[along])
        ax.tick_params(labelsize=7)


def _mark_sides(ax: Axes, letters: dict[str, str]) -> None:
    places = {"left": (0.02, 0.5), "right": (0.98, 0.5), "top": (0.5, 0.98), "bottom": (0.5, 0.02)}
    for side, letter in letters.items():
        x, y = places[side]
        across = side if side in ("left", "right") else "center"
        along = side if side in ("top", "bottom") else "center"
        style = {"color": COLOURS["yellow"], "fontsize": 9, "fontweight": "bold", "ha": across, "va": along}
        ax.text(x, y, letter, transform=ax.transAxes, **style)


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
    """Draw one step of ``matrix @ signal``: the kernel over its window, and the row of the matrix that holds it.

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


def show_mask(
    ax: Axes,
    mask: np.ndarray,
    *,
    spacing: Sequence[float] | None = None,
    colour: str = "orange",
    alpha: float = 0.6,
) -> None:
    """Colour a slice's mask (bool) over what :func:`show_slice` drew there, with the same ``spacing``."""
    overlay = np.zeros((*mask.shape, 4))
    overlay[mask] = (*to_rgb(COLOURS[colour]), alpha)
    step = (1.0, 1.0) if spacing is None else spacing
    extent = None if spacing is None else (0, mask.shape[0] * step[0], mask.shape[1] * step[1], 0)
    ax.imshow(np.moveaxis(overlay, 0, 1), extent=extent, aspect="equal")


def show_affine(axes: Sequence[Axes], matrix: np.ndarray, translation: np.ndarray) -> None:
    """Draw a small 2D voxel grid into ``axes[0]``, and in ``axes[1]`` where its voxels lie in millimetres.

    ``matrix`` (2, 2) and ``translation`` (2,) are the parts of the affine: position = matrix @ voxel +
    translation. The matrix's columns, one step along each array axis, are arrows; one voxel is circled in both.
    """
    voxels = np.stack(np.meshgrid(np.arange(5), np.arange(4), indexing="ij"), axis=-1).reshape(-1, 2)
    circled = np.array([2, 3])

    def arrow(ax: Axes, start: np.ndarray, step: np.ndarray, colour: str, name: str) -> None:
        style = {"arrowstyle": "-|>", "color": COLOURS[colour], "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", np.add(start, step), start, arrowprops=style)
        ax.plot([], [], color=COLOURS[colour], linewidth=2, label=name)

    for ax, linear, shift in ((axes[0], np.eye(2), np.zeros(2)), (axes[1], matrix, translation)):
        ax.scatter(*(voxels @ linear.T + shift).T, s=18, color=COLOURS["black"])
        ring = {"facecolors": "none", "edgecolors": COLOURS["green"], "linewidths": 2}
        ax.scatter(*(linear @ circled + shift), s=120, **ring)
        arrow(ax, shift, linear[:, 0], "blue", "one step of i")
        arrow(ax, shift, linear[:, 1], "red", "one step of j")
        ax.set_aspect("equal")
        ax.margins(0.12)
    arrow(axes[1], np.zeros(2), translation, "purple", "translation t")
    axes[0].set(title="in the file: voxel (2, 3) is circled", xlabel="i (voxels)", ylabel="j (voxels)")
    axes[0].set(xticks=range(5), yticks=range(4))
    axes[1].set(title="in the patient: the same voxel", xlabel="x (mm)", ylabel="y (mm)")
    axes[1].update_datalim([(0, 0)])
    axes[1].autoscale_view()
    axes[1].legend(loc="upper left", fontsize=8)


def show_receptive_field(ax: Axes, layers: Sequence[Layer], positions: Sequence[Sequence[int]]) -> None:
    """Draw a chain of layers, the input below and one output on top, and light what this output depends on.

    ``positions[level]`` are the positions of that level on which output 0 depends: level 0 is the input, level
    i what layer i puts out. Every position stands over the middle of its own receptive field, so that the
    horizontal axis is that of the input. Dots that are lit carry the gid "lit".
    """
    from course_utils.receptive_field import growth

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


def show_overlap(axes: Sequence[Axes], counts: ArrayLike, kernel: int, stride: int) -> np.ndarray:
    """Draw how many stamps cover each pixel, and the spectrum of that pattern along x.

    ``counts`` (rows, columns) is the whole overlap map of stamps of ``kernel`` x ``kernel`` pixels that lie
    ``stride`` apart. The spectrum is that of the interior, where no stamp is missing, relative to its mean;
    dashed lines mark the multiples of the sampling frequency 1 / ``stride``.

    Returns the different counts of the interior, in ascending order. Raises ValueError where the map has no
    interior.
    """
    counts = np.asarray(counts, dtype=float)
    inner = [(size - 2 * kernel + 2) // stride * stride for size in counts.shape]
    if min(inner) < stride:
        raise ValueError(f"a map of {counts.shape} has no interior for kernel {kernel}: take more inputs")
    interior = counts[kernel - 1 : kernel - 1 + inner[0], kernel - 1 : kernel - 1 + inner[1]]
    found = np.unique(interior.round(6))

    picture = axes[0].imshow(counts, cmap="viridis", vmin=0, vmax=max(1.0, counts.max()))
    bar = axes[0].figure.colorbar(picture, ax=axes[0], label="stamps on a pixel")
    bar.ax.yaxis.get_major_locator().set_params(integer=True)
    names = ", ".join(f"{count:g}" for count in found)
    verdict = "even" if len(found) == 1 else "uneven"
    for axis in (axes[0].xaxis, axes[0].yaxis):
        axis.get_major_locator().set_params(integer=True)
    title = f"kernel {kernel}, stride {stride}: {verdict}\ninterior: {names}"
    axes[0].set(title=title, xlabel="x (pixels)", ylabel="y (pixels)")

    spectrum = np.abs(np.fft.rfft(interior.mean(axis=0)))
    frequencies = np.arange(len(spectrum)) / inner[1]
    axes[1].vlines(frequencies, 0, spectrum / spectrum[0], color=COLOURS["blue"], linewidth=2.5)
    for multiple in range(1, stride // 2 + 1):
        style = {"color": COLOURS["red"], "linestyle": "--", "linewidth": 1, "zorder": 0}
        label = f"multiples of 1/{stride}" if multiple == 1 else None
        axes[1].axvline(multiple / stride, label=label, **style)
    if stride > 1:
        axes[1].legend(loc="upper center", fontsize=8, frameon=True, framealpha=1, edgecolor="none")
    axes[1].set(title="spectrum of the interior along x", xlabel="frequency (cycles per pixel)")
    axes[1].set(ylabel="amplitude (the mean = 1)", xlim=(-0.02, 0.52), ylim=(0, 1.25))
    return found
