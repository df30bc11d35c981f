"""A volume viewer for notebooks: three planes with a slider each, choice of modality, label overlay.

Built on :class:`course_utils.figures.sliders.SliderFigure`, so it works in JupyterLab, VS Code and Colab
alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ipywidgets
import matplotlib.pyplot as plt
import nibabel
import nibabel.orientations as orientations
import numpy as np
from matplotlib.figure import Figure

from course_utils import figures
from course_utils.cohort import MODALITIES, Case
from course_utils.figures.sliders import SliderFigure

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
    windows = [figures.grey_window(channel) for channel in case.image]

    def draw(i: int, j: int, k: int, modality: str, overlay: str) -> tuple[Figure, str]:
        channel, labels = MODALITIES.index(modality), overlays.get(overlay)
        position, spacing = _in_lps((i, j, k), shape, case.spacing, to_lps)
        figure, axes = plt.subplots(1, 3, figsize=(figures.WIDTH, 3.9))
        figures.show_planes(
            axes,
            orientations.apply_orientation(case.image[channel], to_lps),
            None if labels is None else orientations.apply_orientation(labels, to_lps),
            position=position,
            spacing=spacing,
            window=windows[channel],
            crosshair=True,
            alpha=0.45,
        )
        if labels is not None:
            figures.label_legend(figure, loc="outside lower center", ncols=3, fontsize=8)
        text = _describe(case, (i, j, k), modality, labels)
        figure.suptitle(text, fontsize=9)
        return figure, f"Axial, coronal and sagittal slice of {case.name} through {text}"

    start = _where_to_look(case.image[0], next(iter(overlays.values()), None))
    indices = {
        axis: ipywidgets.IntSlider(index, 0, size - 1, description=axis, continuous_update=False)
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
        ipywidgets.HBox(list(indices.values())),
        viewer.picture,
    )
    return viewer


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
