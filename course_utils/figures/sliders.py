"""Sliders that redraw a picture: plain ipywidgets, so they work in JupyterLab, VS Code and Colab alike.

The picture is an ``<img>`` with a text alternative that follows the sliders. Where no widgets can be shown
(GitHub, a printed page) the output still holds the first picture as PNG.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

# What every slider of the course looks like: ipywidgets.IntSlider(3, 1, 7, description="kernel", **LOOK). Two
# or three stand side by side on a laptop, one on a phone (HBox with flex_flow "row wrap"); a picture is drawn
# when the slider is let go, not on the way.
LOOK = {
    "continuous_update": False,
    "layout": {"width": "20em", "min_width": "15em"},
    "style": {"description_width": "initial"},
}


class SliderFigure(ipywidgets.VBox):
    """A picture under its sliders; the last expression of a cell displays it.

    Args:
        draw: called with one keyword argument for each slider; returns the figure, or the bytes of a PNG, and
            its text alternative, which says what is to be seen. The figure is closed afterwards.
        sliders: argument name -> any ipywidget with a ``value`` (sliders, drop-downs, check boxes).
    """

    def __init__(
        self, draw: Callable[..., tuple[Figure | bytes, str]], sliders: Mapping[str, ipywidgets.ValueWidget]
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
        drawn, self.alt = self._draw(**{name: slider.value for name, slider in self.sliders.items()})
        self._png = drawn if isinstance(drawn, bytes) else _png(drawn)
        source = base64.b64encode(self._png).decode("ascii")
        self.picture.value = (
            f'<img src="data:image/png;base64,{source}" alt="{html.escape(self.alt)}" style="max-width:100%">'
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        still = {"text/plain": self.alt, "image/png": base64.b64encode(self._png).decode("ascii")}
        return {**super()._repr_mimebundle_(**kwargs), **still}, {"image/png": {"alt": self.alt}}


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    plt.close(figure)
    return buffer.getvalue()
