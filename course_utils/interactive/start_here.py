"""What notebook 00 draws: an affine, intensities of several subjects, an augmentation that went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from course_utils.figures.style import COLOURS


def show_affine(axes: Sequence[Axes], matrix: np.ndarray, translation: np.ndarray) -> None:
    """Draw a small 2D voxel grid into ``axes[0]``, and in ``axes[1]`` where its voxels lie in millimetres.

    ``matrix`` (2, 2) and ``translation`` (2,) are the parts of the affine: position = matrix @ voxel +
    translation. The columns, one step along each array axis, are arrows; one voxel is circled in both.
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


def show_intensities(
    values: Mapping[str, np.ndarray], bins: np.ndarray, xlabel: str, ax: Axes | None = None
) -> Axes:
    """Draw the histograms of several groups of intensities, (n,) each, as densities over ``bins``.

    Without ``ax`` into a figure of its own; returns the axes.
    """
    ax = ax if ax is not None else plt.subplots(figsize=(7, 3))[1]
    for name, intensities in values.items():
        ax.hist(intensities, bins=bins, histtype="step", density=True, lw=2, label=name)
    ax.set(xlabel=xlabel, ylabel="density")
    ax.legend(fontsize=8)
    return ax


def augmented_carelessly(image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the augmentation of exercise 9 makes of a slice and its mask, (X, Y) each; wrong on purpose."""
    return image[::-1], mask
