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


def overlap_map(overlap: Callable[[int, int, int, int], Any], inputs: int = 16) -> SliderFigure:
    """Change kernel and stride of a transposed convolution: how its stamps overlap, and the pattern's spectrum.

    ``overlap(height, width, kernel, stride)`` returns how many stamps of height x width inputs cover each
    output pixel; the notebook gives it the student's own function. ``inputs`` is the height and the width.
    """
    look = {"style": {"description_width": "9em"}, "layout": {"width": "32em"}}
    sliders = {
        "kernel": ipywidgets.IntSlider(3, 1, 8, description="kernel", **look),
        "stride": ipywidgets.IntSlider(2, 1, 4, description="stride", **look),
    }

    def draw(kernel: int, stride: int) -> tuple[Figure, str]:
        figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.6))
        counts = show_overlap(axes, overlap(inputs, inputs, kernel, stride), kernel, stride)
        names = ", ".join(f"{count:g}" for count in counts)
        if len(counts) == 1:
            pattern = (
                f"The overlap is even: every pixel of the interior gets {names}, and the spectrum shows only the"
                " mean."
            )
        else:
            pattern = (
                f"The overlap is uneven: pixels of the interior get {names}, in a pattern that repeats every"
                f" {stride} pixels. The spectrum has peaks only at multiples of 1/{stride} cycles per pixel."
            )
        return figure, f"Stamps of {kernel} x {kernel} pixels, {stride} apart. {pattern}"

    return SliderFigure(draw, sliders)
