"""What notebook 03 draws and moves: the stamps of a transposed convolution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from course_utils.figures.sliders import SliderFigure
from course_utils.figures.style import COLOURS


def show_overlap(
    axes: Sequence[Axes], counts: ArrayLike, kernel: int, stride: int, layers: int = 1
) -> np.ndarray:
    """Draw how many stamps cover each pixel, and the spectrum of that pattern along x.

    ``counts`` (rows, columns) is the whole overlap map of ``layers`` layers, each of which stamps squares of
    ``kernel`` x ``kernel`` pixels that lie ``stride`` apart. The spectrum is that of the interior, where no
    stamp is missing, relative to its mean; dashed lines mark the multiples of the sampling frequency,
    1 / ``stride`` ** ``layers``.

    Returns the different counts of the interior, in ascending order. Raises ValueError where the map has no
    interior.
    """
    counts = np.asarray(counts, dtype=float)
    period = stride**layers
    reach = sum((kernel - 1) * stride**layer for layer in range(layers))  # of one input's outermost stamps
    inner = [(size - 2 * reach) // period * period for size in counts.shape]
    if min(inner) < period:
        raise ValueError(f"a map of {counts.shape} has no interior for kernel {kernel}: take more inputs")
    interior = counts[reach : reach + inner[0], reach : reach + inner[1]]
    found = np.unique(interior.round(6))

    _draw_map(axes[0], counts, f"kernel {kernel}, stride {stride}{' twice' if layers == 2 else ''}", found)
    _draw_spectrum(axes[1], interior.mean(axis=0), period)
    return found


def _draw_map(ax: Axes, counts: np.ndarray, name: str, found: np.ndarray) -> None:
    picture = ax.imshow(counts, cmap="viridis", vmin=0, vmax=max(1.0, counts.max()))
    bar = ax.figure.colorbar(picture, ax=ax, label="stamps on a pixel")
    bar.ax.yaxis.get_major_locator().set_params(integer=True)
    for axis in (ax.xaxis, ax.yaxis):
        axis.get_major_locator().set_params(integer=True)
    verdict = "even" if len(found) == 1 else "uneven"
    title = f"{name}: {verdict}\ninterior: {_listed(found)}"
    ax.set(title=title, xlabel="x (pixels)", ylabel="y (pixels)")


def _draw_spectrum(ax: Axes, line: np.ndarray, period: int) -> None:
    spectrum = np.abs(np.fft.rfft(line))
    ax.vlines(
        np.arange(len(spectrum)) / len(line), 0, spectrum / spectrum[0], color=COLOURS["blue"], linewidth=2.5
    )
    for multiple in range(1, period // 2 + 1):
        label = f"multiples of 1/{period}" if multiple == 1 else None
        style = {"color": COLOURS["red"], "linestyle": "--", "linewidth": 1, "zorder": 0}
        ax.axvline(multiple / period, label=label, **style)
    if period > 1:
        ax.legend(loc="upper center", fontsize=8, frameon=True, framealpha=1, edgecolor="none")
    ax.set(title="spectrum of the interior along x", xlabel="frequency (cycles per pixel)")
    ax.set(ylabel="amplitude (the mean = 1)", xlim=(-0.02, 0.52), ylim=(0, 1.25))


def _listed(counts: np.ndarray) -> str:
    """The counts as text; only the ends of a long row."""
    names = [f"{count:g}" for count in counts]
    return ", ".join(names if len(names) <= 9 else [*names[:4], "...", *names[-2:]])


def overlap_map(overlap: Callable[[int, int, int, int], Any], inputs: int = 16) -> SliderFigure:
    """Change kernel, stride and number of transposed convolutions: how stamps overlap, and the spectrum.

    ``overlap(height, width, kernel, stride)`` returns how many stamps of height x width inputs cover each
    output pixel; the notebook gives it the student's own function. A second layer of the same kind stamps
    what the first one drew. ``inputs`` is the height and the width.
    """
    look = {"style": {"description_width": "9em"}, "layout": {"width": "32em"}}
    sliders = {
        "kernel": ipywidgets.IntSlider(3, 1, 8, description="kernel", **look),
        "stride": ipywidgets.IntSlider(2, 1, 4, description="stride", **look),
        "layers": ipywidgets.IntSlider(1, 1, 2, description="layers", **look),
    }

    def draw(kernel: int, stride: int, layers: int) -> tuple[Figure, str]:
        figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.6))
        counts = np.asarray(overlap(inputs, inputs, kernel, stride), dtype=float)
        if layers == 2:
            counts = _stamped_again(counts, kernel, stride)
        found = show_overlap(axes, counts, kernel, stride, layers)
        period = stride**layers
        if len(found) == 1:
            pattern = (
                f"The overlap is even: every pixel of the interior gets {_listed(found)}, and the spectrum "
                "shows only the mean."
            )
        else:
            pattern = (
                f"The overlap is uneven: pixels of the interior get {_listed(found)}, in a pattern that "
                f"repeats every {period} pixels. The spectrum has peaks only at multiples of 1/{period} "
                "cycles per pixel."
            )
        twice = " Two such layers follow each other." if layers == 2 else ""
        return figure, f"Stamps of {kernel} x {kernel} pixels, {stride} apart.{twice} {pattern}"

    return SliderFigure(draw, sliders)


def _stamped_again(counts: np.ndarray, kernel: int, stride: int) -> np.ndarray:
    """Each value of ``counts`` stamped on a square: what a second layer makes of the first one's map."""
    shape = [(size - 1) * stride + kernel for size in counts.shape]
    result = np.zeros(shape)
    for i in range(kernel):
        for j in range(kernel):
            rows = slice(i, i + (counts.shape[0] - 1) * stride + 1, stride)
            columns = slice(j, j + (counts.shape[1] - 1) * stride + 1, stride)
            result[rows, columns] += counts
    return result
