"""A volume viewer for notebooks: three planes with a slider each, choice of modality, label overlay.

Built on :class:`course_utils.figures.sliders.SliderFigure`, so it works in JupyterLab, VS Code and Colab
alike.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import ipywidgets
import nibabel
import nibabel.orientations as orientations
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from course_utils import figures
from course_utils.cohort import MODALITIES, Case
from course_utils.figures.sliders import LOOK, SliderFigure

NO_OVERLAY = "none"
MODALITY_NAMES = {"t1": "T1", "t1ce": "T1ce", "t2": "T2", "flair": "FLAIR"}


def volume_viewer(case: Case, overlays: Mapping[str, np.ndarray] | None = None) -> SliderFigure:
    """Three planes of a case under sliders; the last expression of a cell displays it.

    Args:
        case: as ``cohort.load_case`` returns it, in any orientation. It is shown as radiologists look at it:
            the patient's left on the right-hand side of the axial and coronal pictures.
        overlays: name -> labels (X, Y, Z) with values 0, 1, 2, 4, for example a prediction beside the
            reference; by default the case's own labels.

    Returns:
        A widget whose ``sliders`` are "i", "j", "k" (indices of the case's own array), "modality" and
        "overlay". The line above the picture says where the crosshair is, in voxels and in millimetres, and
        what is there.

    Raises:
        ValueError: an overlay has another shape than the image.
    """
    if overlays is None:
        overlays = {} if case.labels is None else {"labels": case.labels}
    shape = case.image.shape[1:]
    for name, labels in overlays.items():
        if np.shape(labels) != shape:
            raise ValueError(
                f"overlay {name!r} has shape {np.shape(labels)}, the image {shape}: "
                "an overlay has one label for each voxel"
            )
    to_lps = orientations.ornt_transform(
        orientations.io_orientation(case.affine), orientations.axcodes2ornt(("L", "P", "S"))
    )
    volumes = [orientations.apply_orientation(channel, to_lps) for channel in case.image]
    windows = [figures.grey_window(channel) for channel in case.image]
    overlays_lps = {name: orientations.apply_orientation(labels, to_lps) for name, labels in overlays.items()}
    planes = _Planes(volumes[0].shape, _in_lps((0, 0, 0), shape, case.spacing, to_lps)[1])

    def draw(i: int, j: int, k: int, modality: str, overlay: str) -> tuple[bytes, str]:
        channel = MODALITIES.index(modality)
        position, _ = _in_lps((i, j, k), shape, case.spacing, to_lps)
        text = _describe(case, (i, j, k), modality, overlays.get(overlay))
        png = planes.draw(volumes[channel], overlays_lps.get(overlay), position, windows[channel], text)
        return png, f"Axial, coronal and sagittal slice of {case.name} through {text}"

    start = _where_to_look(case.image[0], next(iter(overlays.values()), None))
    indices = {
        axis: ipywidgets.IntSlider(index, 0, size - 1, description=axis, **LOOK)
        for axis, index, size in zip("ijk", start, shape)
    }
    modality = ipywidgets.ToggleButtons(
        options=[(MODALITY_NAMES[name], name) for name in MODALITIES],
        value="flair",
        style={"button_width": "5em"},
    )
    overlay = ipywidgets.Dropdown(
        options=[*overlays, NO_OVERLAY], value=next(iter(overlays), NO_OVERLAY), description="overlay"
    )
    viewer = SliderFigure(draw, {**indices, "modality": modality, "overlay": overlay})
    viewer.children = (
        ipywidgets.HBox([modality, overlay]),
        ipywidgets.HBox(list(indices.values()), layout={"flex_flow": "row wrap"}),
        viewer.picture,
    )
    return viewer


class _Planes:
    """Three planes that are laid out once; for each further picture only what moves is drawn again.

    Axes, ticks and titles take most of the time of a drawing, and they stay the same.

    Args:
        shape: of the volumes, whose axes run to the patient's left, back and top.
        spacing: in mm along these axes.
    """

    def __init__(self, shape: Sequence[int], spacing: Sequence[float]) -> None:
        self._spacing = spacing
        self._figure = Figure(figsize=(figures.WIDTH, 3.9), dpi=100, layout="constrained")
        self._canvas = FigureCanvasAgg(self._figure)
        self._axes = self._figure.subplots(1, 3)
        empty = np.zeros(shape, np.uint8)
        figures.show_planes(
            self._axes, empty, empty, position=(0, 0, 0), spacing=spacing, crosshair=True, alpha=0.45
        )
        figures.label_legend(self._figure, loc="outside lower center", ncols=3, fontsize=8)
        self._legend = self._figure.legends[0]
        self._title = self._figure.suptitle("the line that says where we are", fontsize=9)
        self._canvas.draw()
        self._figure.set_layout_engine("none")  # it stays as it is now
        moving = [
            self._title,
            self._legend,
            *(a for ax in self._axes for a in (*ax.images, *ax.lines, *ax.texts)),
        ]
        for artist in moving:
            artist.set_visible(False)
        self._canvas.draw()
        self._background = self._canvas.copy_from_bbox(self._figure.bbox)
        for artist in moving:
            artist.set_visible(True)

    def draw(
        self,
        image: np.ndarray,
        labels: np.ndarray | None,
        position: Sequence[int],
        window: tuple[float, float],
        title: str,
    ) -> bytes:
        """The PNG of the planes through voxel ``position`` of ``image`` (X, Y, Z)."""
        renderer = self._canvas.get_renderer()
        self._canvas.restore_region(self._background)
        centre = [(index + 0.5) * step for index, step in zip(position, self._spacing)]
        for ax, (_, (across, along), *_) in zip(self._axes, figures.PLANES):
            normal = ({0, 1, 2} - {across, along}).pop()
            grey, overlay = ax.images
            grey.set_data(np.take(image, position[normal], axis=normal).T)
            grey.set_clim(*window)
            overlay.set_visible(labels is not None)
            if labels is not None:
                colours = figures.label_overlay(np.take(labels, position[normal], axis=normal), 0.45)
                overlay.set_data(np.moveaxis(colours, 0, 1))
            upright, level = ax.lines
            upright.set_xdata([centre[across]] * 2)
            level.set_ydata([centre[along]] * 2)
            for artist in (grey, overlay, upright, level, *ax.texts):
                artist.draw(renderer)
        self._title.set_text(title)
        self._title.draw(renderer)
        if labels is not None:
            self._legend.draw(renderer)
        buffer = io.BytesIO()
        Image.fromarray(np.asarray(self._canvas.buffer_rgba())).convert("RGB").save(
            buffer, "png", compress_level=4
        )
        return buffer.getvalue()


def _in_lps(
    position: Sequence[int], shape: Sequence[int], spacing: Sequence[float], to_lps: np.ndarray
) -> tuple[list[int], list[float]]:
    """Where a voxel is after the array's axes were reordered and flipped, and the spacing there."""
    new_position, new_spacing = [0, 0, 0], [0.0, 0.0, 0.0]
    for index, size, step, (target, direction) in zip(position, shape, spacing, to_lps):
        new_position[int(target)] = index if direction > 0 else size - 1 - index
        new_spacing[int(target)] = float(step)
    return new_position, new_spacing


def _describe(case: Case, position: tuple[int, int, int], modality: str, labels: np.ndarray | None) -> str:
    x, y, z = nibabel.affines.apply_affine(case.affine, position)
    text = (
        f"voxel {position}, world ({x:.1f}, {y:.1f}, {z:.1f}) mm, "
        f"{MODALITY_NAMES[modality]} {case.image[(MODALITIES.index(modality), *position)]:.4g}"
    )
    if labels is None:
        return text
    label = int(labels[position])
    return f"{text}, label {label} ({figures.LABEL_NAMES.get(label, 'no tumour')})"


def _where_to_look(image: np.ndarray, labels: np.ndarray | None) -> tuple[int, ...]:
    """A voxel in the middle of the tumour, or of the brain where there is none."""
    voxels = np.argwhere(labels) if labels is not None and np.any(labels) else np.argwhere(image)
    if len(voxels) == 0:
        return tuple(size // 2 for size in image.shape)
    centre = voxels.mean(axis=0)  # may lie outside a curved tumour: take the nearest voxel inside
    return tuple(int(index) for index in voxels[((voxels - centre) ** 2).sum(axis=1).argmin()])
