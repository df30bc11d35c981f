"""Sliders that redraw a picture: plain ipywidgets, so they work in JupyterLab, VS Code and Colab alike.

The picture is an ``<img>`` with a text alternative that follows the sliders. Where no widgets can be shown
(GitHub, a printed page) the output still holds the first picture as PNG.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from course_utils import figures

if TYPE_CHECKING:
    from course_utils.receptive_field import Layer


class SliderFigure(ipywidgets.VBox):
    """A picture under its sliders; the last expression of a cell displays it.

    Args:
        draw: called with one keyword argument for each slider; returns the figure and its text alternative,
            which says what is to be seen. The figure is closed afterwards.
        sliders: argument name -> any ipywidget with a ``value`` (sliders, drop-downs, check boxes).
    """

    def __init__(
        self, draw: Callable[..., tuple[Figure, str]], sliders: Mapping[str, ipywidgets.ValueWidget]
    ):
        self._draw = draw
        self.sliders = dict(sliders)
        self.picture = ipywidgets.HTML()
        self.alt = ""
        self._png = b""
        for slider in self.sliders.values():
            slider.observe(self.redraw, names="value")
        super().__init__([*self.sliders.values(), self.picture])
        self.redraw()

    def redraw(self, _change: object = None) -> None:
        """Draw the picture for the sliders' present values."""
        figure, self.alt = self._draw(**{name: slider.value for name, slider in self.sliders.items()})
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=100)
        plt.close(figure)
        self._png = buffer.getvalue()
        source = base64.b64encode(self._png).decode("ascii")
        self.picture.value = (
            f'<img src="data:image/png;base64,{source}" alt="{html.escape(self.alt)}"'
            ' style="max-width:100%">'
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        still = {"text/plain": self.alt, "image/png": base64.b64encode(self._png).decode("ascii")}
        return {**super()._repr_mimebundle_(**kwargs), **still}, {"image/png": {"alt": self.alt}}


def convolution_rows(
    convolution_matrix: Callable[..., Any], kernel: Sequence[float], signal: Sequence[float]
) -> SliderFigure:
    """Move a kernel over a signal and see which row of its matrix that is; change stride and padding.

    ``convolution_matrix(kernel, n, stride, padding)`` returns the matrix (outputs, n); the notebook gives it
    the student's own function. ``kernel`` (k,) and ``signal`` (n,) are arrays or tensors of one dimension.
    Raises ValueError where the kernel is longer than the signal.
    """
    size, length = len(kernel), len(signal)
    if size > length:
        raise ValueError(
            f"the kernel has {size} values, the signal only {length}: nowhere to put the kernel"
        )
    most = {"stride": 3, "padding": size - 1}
    look = {"style": {"description_width": "9em"}, "layout": {"width": "32em"}}
    position = ipywidgets.IntSlider(0, 0, 0, description="row of the output", **look)
    stride = ipywidgets.IntSlider(1, 1, most["stride"], description="stride", **look)
    padding = ipywidgets.IntSlider(min(1, size - 1), 0, most["padding"], description="padding", **look)

    def matrix() -> np.ndarray:
        return np.asarray(convolution_matrix(kernel, length, stride.value, padding.value))

    def limit_position(_change: object = None) -> None:
        position.max = len(matrix()) - 1  # clamps the position as well

    # Before SliderFigure listens: no picture is drawn for a row that a new stride has just taken away.
    for slider in (stride, padding):
        slider.observe(limit_position, names="value")
    limit_position()

    most_outputs = length + 2 * most["padding"] - size + 1

    def draw(row: int, stride: int, padding: int) -> tuple[Figure, str]:
        now = matrix()
        figure, ax = plt.subplots(figsize=(7.2, 5.4))
        figures.show_convolution_row(ax, now, signal, kernel, row, stride=stride, padding=padding)
        # The same frame for all settings, so that moving a slider moves the kernel and not the page.
        ax.set(
            xlim=(-most["padding"] - 3.2, length + most["padding"] + 1.8), ylim=(most_outputs - 0.3, -4.3)
        )
        figure.suptitle(f"matrix of {now.shape[0]} rows and {now.shape[1]} columns", fontsize=9)
        columns = ", ".join(str(column) for column in np.flatnonzero(now[row])) or "none"
        return (
            figure,
            (
                f"Row {row} of a convolution matrix of {now.shape[0]} rows and {now.shape[1]} columns is"
                f" lit, stride {stride}, padding {padding}: the kernel stands over its window, and its"
                f" values are in the columns {columns}."
            ),
        )

    return SliderFigure(draw, {"row": position, "stride": stride, "padding": padding})


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


def receptive_field_layers(touched_positions: Callable[[Sequence[Layer]], Sequence[int]]) -> SliderFigure:
    """Set kernel, stride and dilation of three layers, and see which input pixels one output depends on.

    ``touched_positions(layers)`` returns the input positions, ascending, on which output 0 depends; the notebook
    gives it the student's own function. On the left the chain of layers along one axis, on the right the pixels
    in two dimensions.
    """
    from course_utils.receptive_field import Layer

    number = 3
    look = {"style": {"description_width": "7.5em"}, "layout": {"width": "19em"}}
    limits = {"kernel": (3, 1, 5), "stride": (1, 1, 3), "dilation": (1, 1, 5)}
    sliders = {
        f"{option}_{layer}": ipywidgets.IntSlider(*limit, description=f"{layer}: {option}", **look)
        for layer in range(1, number + 1)
        for option, limit in limits.items()
    }

    def draw(**values: int) -> tuple[Figure, str]:
        layers = [
            Layer(*(values[f"{option}_{layer}"] for option in ("kernel", "stride", "dilation")))
            for layer in range(1, number + 1)
        ]
        positions = [np.asarray(touched_positions(layers[level:])) for level in range(number)]
        lit = positions[0]
        size = int(lit.max() - lit.min()) + 1
        pixels = np.zeros((size, size))
        pixels[np.ix_(lit - lit.min(), lit - lit.min())] = 1
        share = f"{len(lit) ** 2} of {size**2}"

        figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), width_ratios=(2, 1))
        figures.show_receptive_field(left, layers, [*positions, np.array([0])])
        left.set_title("what output 0 depends on, along one axis")
        right.imshow(pixels, cmap="cividis", vmin=0, vmax=1)
        right.set(title=f"{size} x {size}: {share} pixels", xlabel="x (pixels)", ylabel="y (pixels)")
        for axis in (left.xaxis, right.xaxis, right.yaxis):
            axis.set_major_locator(MaxNLocator(integer=True))
        holes = "without holes" if len(lit) == size else "with holes"
        return figure, (
            f"Three layers, {'; '.join(f'kernel {x.kernel}, stride {x.stride}, dilation {x.dilation}' for x in layers)}."
            f" One output sees {size} x {size} pixels, {holes}: it depends on {share} of them."
        )

    widget = SliderFigure(draw, sliders)
    rows = [
        ipywidgets.HBox([sliders[f"{option}_{layer}"] for option in limits]) for layer in range(number, 0, -1)
    ]
    widget.children = [*rows, widget.picture]
    return widget


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
        counts = figures.show_overlap(axes, overlap(inputs, inputs, kernel, stride), kernel, stride)
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
