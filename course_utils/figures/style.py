"""The course's plots: one look everywhere, colour-blind-safe, and a text alternative for each picture.

Colours are those of Okabe & Ito ("Color Universal Design", 2008). Images use grey levels, signed quantities
a blue-red map centred on zero, other quantities "viridis".
"""

from __future__ import annotations

import io

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from course_utils.cohort.labels import LABELS

COLOURS = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "red": "#D55E00",
    "purple": "#CC79A7",
}


# BraTS labels: necrotic / non-enhancing core, oedema, enhancing tumour. Different in lightness, too.
LABEL_COLOURS = {1: COLOURS["red"], 2: COLOURS["sky"], 4: COLOURS["yellow"]}


LABEL_NAMES = {label: name for label, name in LABELS.items() if label}


WIDTH = 9.0  # inches: every figure of the course is this wide unless its content asks for less


def use_style() -> None:
    """Apply the course's look to all figures made afterwards."""
    plt.rcParams.update(
        {
            "figure.dpi": 100,
            "figure.figsize": (WIDTH, 3.2),
            "figure.constrained_layout.use": True,
            "figure.constrained_layout.h_pad": 0.08,  # inches; with less, titles touch the edge
            "font.size": 10,
            "axes.titlesize": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.prop_cycle": plt.cycler(
                color=[COLOURS[name] for name in ("blue", "orange", "green", "red", "purple", "sky", "black")]
            ),
            "image.cmap": "gray",
            "image.interpolation": "nearest",
            "legend.frameon": False,
        }
    )


def show(figure: Figure, alt: str) -> None:
    """Display a figure as PNG with a text alternative, and close it.

    ``alt`` says what is to be seen, for those who can't see it. Outside a notebook the figure is only
    rendered and closed. Raises ValueError where ``alt`` is empty.
    """
    if not alt.strip():
        raise ValueError("every figure needs a text alternative: show(figure, alt='what is to be seen')")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    plt.close(figure)
    try:
        from IPython import get_ipython
        from IPython.display import Image, display
    except ImportError:
        return
    if get_ipython() is not None:
        display(Image(data=buffer.getvalue(), format="png", alt=alt))
