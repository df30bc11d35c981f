"""Slices and planes of volumes, with labels and masks over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from course_utils.figures.style import COLOURS, LABEL_COLOURS, LABEL_NAMES, WIDTH


def grey_window(image: np.ndarray) -> tuple[float, float]:
    """Limits of the grey scale: the 0.5 and 99.5 percentiles of the nonzero values."""
    inside = image[image != 0]
    return tuple(np.percentile(inside, [0.5, 99.5])) if inside.size else (0.0, 1.0)


def label_overlay(labels: np.ndarray, alpha: float = 0.6) -> np.ndarray:
    """RGBA picture (..., 4) of a BraTS label map (values 0, 1, 2, 4); background transparent."""
    overlay = np.zeros((*np.shape(labels), 4))
    for label, colour in LABEL_COLOURS.items():
        overlay[np.asarray(labels) == label] = (*ListedColormap([colour])(0)[:3], alpha)
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

    For BraTS arrays, whose first two axes point to the patient's left and back, an axial slice ``volume[:,
    :, k]`` then
    appears as radiologists view it: the front on top, the patient's left on the right-hand side.

    ``spacing`` in mm along (first, second) axis gives axes in mm and the right aspect ratio; without it the
    axes are in voxels. ``window`` is (low, high) of the grey scale; by default the 0.5 and 99.5 percentiles
    of the nonzero values.
    """
    image = np.asarray(image, dtype=float)
    window = window or grey_window(image)
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
_MARGIN = 0.09  # of the picture's size, black, around each plane: there the letters never lie on the brain


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
        _mark_sides(ax, letters, width, height)
        ax.set(title=title, xlabel=_TOWARDS[across], ylabel=_TOWARDS[along])
        ax.tick_params(labelsize=7)


def _mark_sides(ax: Axes, letters: dict[str, str], width: float, height: float) -> None:
    """Write the letters into a black margin around the picture, ``width`` by ``height`` in mm."""
    margin = _MARGIN * max(width, height)
    ax.set(facecolor="black", xlim=(-margin, width + margin))
    low, high = -margin, height + margin
    ax.set_ylim((low, high) if ax.images[0].origin == "lower" else (high, low))
    top, bottom = (height, 0) if ax.images[0].origin == "lower" else (0, height)
    away = margin / 2 if top else -margin / 2
    places = {
        "left": (-margin / 2, height / 2),
        "right": (width + margin / 2, height / 2),
        "top": (width / 2, top + away),
        "bottom": (width / 2, bottom - away),
    }
    halo = [withStroke(linewidth=2.5, foreground="black")]  # where the crosshair passes behind a letter
    for side, letter in letters.items():
        style = {
            "color": COLOURS["yellow"],
            "fontsize": 9,
            "fontweight": "bold",
            "ha": "center",
            "va": "center",
        }
        ax.text(*places[side], letter, path_effects=halo, **style)


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


def row_of_slices(
    images: np.ndarray | Sequence[np.ndarray],
    titles: Sequence[str],
    *,
    labels: np.ndarray | Sequence[np.ndarray | None] | None = None,
    masks: Sequence[np.ndarray | Mapping[str, np.ndarray] | None] | None = None,
    mask_names: Mapping[str, str] | None = None,
    spacing: Sequence[float] | None = None,
    window: tuple[float, float] | str | None = None,
    alpha: float = 0.6,
    columns: int | None = None,
    suptitle: str = "",
    size: tuple[float, float] | None = None,
) -> Figure:
    """Draw slices side by side, one a title, and return the figure.

    Its ``axes`` take anything drawn on top.
    Each panel is drawn by :func:`show_slice`: first axis to the right, second down. NumPy arrays and tensors
    do.

    Args:
        images: one slice (X, Y) for each title; a single array (X, Y) is shown under every title.
        titles: what the panels are called, from left to right. The number of titles is the number of panels.
        labels: BraTS labels (X, Y) over each panel, None for a panel without; a single array lies over all
            panels. Their legend stands below the figure.
        masks: for each panel None, a mask (X, Y, bool) in orange, or colour -> mask for several or other
            colours.
        mask_names: colour -> what a mask of this colour is; gives a legend below the figure.
        spacing: mm along (first, second) axis; without it the axes are in voxels.
        window: None: each panel its own grey scale; "shared": one for all, from all their values; (low,
            high).
        alpha: how strongly labels and masks cover the image, 0 to 1.
        columns: panels in a row; by default all.
        size: of the figure in inches; by default as wide as all figures, and as high as the panels need.

    Raises:
        ValueError: images, labels or masks are not as many as the titles.
    """
    count = len(titles)
    images = [np.asarray(image, dtype=float) for image in _one_each(images, count, "images")]
    labels = _one_each(labels, count, "labels")
    masks = _one_each(masks, count, "masks")
    if isinstance(window, str):
        if window != "shared":
            raise ValueError(f"window is None, 'shared' or (low, high), not {window!r}")
        window = grey_window(np.concatenate([image.ravel() for image in images]))
    columns = columns or count
    rows = -(-count // columns)
    legend = any(each is not None for each in labels) or bool(mask_names)
    step = (1.0, 1.0) if spacing is None else spacing
    tallest = max(image.shape[1] * step[1] / (image.shape[0] * step[0]) for image in images)
    lines = 1 + max(title.count("\n") for title in titles)
    height = (
        rows * ((WIDTH / columns - 0.4) * tallest + 0.7 + 0.2 * lines) + 0.3 * legend + 0.3 * bool(suptitle)
    )
    figure, axes = plt.subplots(rows, columns, figsize=size or (WIDTH, min(height, 9.0)), squeeze=False)
    same = len({image.shape for image in images}) == 1
    for ax, image, label, mask, title in zip(axes.flat, images, labels, masks, titles, strict=False):
        label = None if label is None else np.asarray(label)
        show_slice(ax, image, label, title=title, spacing=spacing, window=window, alpha=alpha)
        for colour, one in (mask if isinstance(mask, Mapping) else {"orange": mask}).items():
            if one is not None:
                show_mask(ax, np.asarray(one, dtype=bool), spacing=spacing, colour=colour, alpha=alpha)
        if same:
            ax.label_outer()
    for ax in list(axes.flat)[count:]:
        ax.remove()
    if any(each is not None for each in labels):
        label_legend(figure, loc="outside lower center", ncols=3, fontsize=8)
    if mask_names:
        handles = [Patch(color=COLOURS[colour], label=name) for colour, name in mask_names.items()]
        figure.legend(handles=handles, loc="outside lower right", ncols=len(handles), fontsize=8)
    if suptitle:
        figure.suptitle(suptitle, fontsize=10)
    return figure


def row_of_maps(
    maps: Sequence[np.ndarray],
    titles: Sequence[str],
    *,
    label: str,
    limits: tuple[float, float] | None = None,
    signed: bool = False,
    columns: int | None = None,
    size: tuple[float, float] | None = None,
) -> Figure:
    """Draw maps of a quantity side by side beside one colour bar, and return the figure.

    Args:
        maps: arrays or tensors (H, W), one a title.
        label: what the colours mean, with the unit: the colour bar's label.
        limits: (low, high) of the colours, by default from 0 (or the lowest negative value) to the highest
            value of all maps. Values beyond are shown as the limits, and the colour bar has arrows there.
        signed: blue for negative, red for positive, white for the middle of the limits.
        columns: maps in a row; by default all.

    Raises:
        ValueError: maps and titles are not equally many.
    """
    maps = [np.asarray(each, dtype=float) for each in _one_each(maps, len(titles), "maps")]
    low, high = min(each.min() for each in maps), max(each.max() for each in maps)
    if limits is None:
        limits = (-max(-low, high), max(-low, high)) if signed else (min(low, 0.0), high)
    beyond = {(True, True): "both", (True, False): "min", (False, True): "max", (False, False): "neither"}
    columns = columns or len(maps)
    rows = -(-len(maps) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=size or (WIDTH, 3.1 * rows), squeeze=False)
    for ax, each, title in zip(axes.flat, maps, titles, strict=False):
        drawn = ax.imshow(each, cmap="RdBu_r" if signed else "viridis", vmin=limits[0], vmax=limits[1])
        ax.set(title=title, xlabel="x (pixels)", ylabel="y (pixels)")
        ax.tick_params(labelsize=7)
    for ax in list(axes.flat)[len(maps) :]:
        ax.remove()
    figure.colorbar(
        drawn,
        ax=figure.axes,
        label=label,
        shrink=0.8,
        extend=beyond[bool(low < limits[0]), bool(high > limits[1])],
    )
    return figure


def _one_each(values: object, count: int, name: str) -> list:
    """A list of ``count`` values: one array is repeated, None becomes so many None."""
    if values is None or getattr(values, "ndim", None) == 2:
        return [values] * count
    if len(values) != count:
        raise ValueError(f"{len(values)} {name} for {count} titles")
    return list(values)
