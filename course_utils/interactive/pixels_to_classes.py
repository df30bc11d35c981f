"""What notebook 01 moves: a patch over a slice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_utils import figures
from course_utils.figures.sliders import SliderFigure


def sliding_patch(
    patches_around: Callable[..., Any], probability: Callable[[Any], Any], image: Any, size: int
) -> SliderFigure:
    """Move a patch over a slice: where it lies, what the classifier sees, how likely its centre is tumour.

    ``patches_around(image, size)`` returns the patches (pixels, channels, size, size) around all pixels of an
    ``image`` (channels, x, y), a tensor whose last channel is shown; the notebook gives it the student's own
    function. ``probability(patches)`` returns one number for each patch. ``size`` is odd.
    """
    patches = patches_around(image, size)
    width, height = image.shape[1:]
    half = size // 2
    look = {"style": {"description_width": "9em"}, "layout": {"width": "32em"}}
    x = ipywidgets.IntSlider(width // 2, 0, width - 1, description="x of the centre", **look)
    y = ipywidgets.IntSlider(height // 2, 0, height - 1, description="y of the centre", **look)
    window = figures.grey_window(np.asarray(image[-1]))

    def draw(x: int, y: int) -> tuple[Figure, str]:
        patch = patches[x * height + y]
        tumour = float(probability(patch[None])[0])
        figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.8), width_ratios=(1.4, 1))
        figures.show_slice(left, image[-1], title=f"patch around ({x}, {y})", window=window)
        frame = {"fill": False, "edgecolor": figures.COLOURS["yellow"], "linewidth": 2}
        left.add_patch(Rectangle((x - half - 0.5, y - half - 0.5), size, size, **frame))
        left.set(xlim=(-half - 1, width + half), ylim=(height + half, -half - 1))
        figures.show_slice(right, patch[-1], title=f"its centre: tumour {tumour:.0%}", window=window)
        right.add_patch(Rectangle((half - 0.5, half - 0.5), 1, 1, **frame))
        right.set(xlabel="", ylabel="", xticks=[], yticks=[])
        return (
            figure,
            (
                f"A slice with a frame of {size} x {size} pixels around the pixel ({x}, {y}), and the patch in"
                f" it: the probability that its centre is tumour is {tumour:.0%}."
            ),
        )

    return SliderFigure(draw, {"x": x, "y": y})
