"""Slices and planes of volumes, with labels and masks over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from course_utils.figures.style import COLOURS, LABEL_COLOURS, LABEL_NAMES


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
