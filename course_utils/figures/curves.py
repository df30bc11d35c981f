"""Curves over a number, and one dot a subject beside the mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import ArrayLike

from course_utils.figures.style import COLOURS, WIDTH

_ORDER = ("blue", "orange", "green", "red", "purple", "sky", "black")
_MARKERS = "os^Dv*P"
_FEW = 10  # places on a logarithmic axis that each get a tick


def curves(
    lines: Mapping[str, ArrayLike | tuple[ArrayLike, ArrayLike]],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    ax: Axes | None = None,
    logx: bool = False,
    logy: bool = False,
    marker: str | None = None,
    colours: Sequence[str] = _ORDER,
    legend: str | None = "outside",
    **settings,
) -> Axes:
    """Draw one curve for each entry of ``lines`` and return the axes.

    ``figures.show(ax.figure, alt)`` then shows them.

    Args:
        lines: what the legend says -> (x, y), both of shape (n,), or y alone, which is drawn over 0 to n - 1.
        xlabel, ylabel: with their units.
        ax: where to draw; without it a new figure.
        logx, logy: logarithmic axes. With at most ten different x, a logarithmic x axis has its ticks
            exactly there.
        marker: one of matplotlib's markers for all curves, or "each" for a different one on each curve. No
            marker by default.
        colours: names of :data:`COLOURS`, one a curve.
        legend: "outside" (on the right of the axes), one of matplotlib's places ("lower right"), or None. A
            single curve has no legend.
        settings: anything that ``Axes.set`` takes, such as ``ylim=(0, 1)`` or ``xticks=range(9)``.

    Raises:
        ValueError: no curves, more curves than colours, or x and y of different lengths.
    """
    if not lines or len(lines) > len(colours):
        raise ValueError(f"{len(lines)} curves for {len(colours)} colours: draw 1 to {len(colours)} curves")
    ax = ax if ax is not None else plt.subplots(figsize=(WIDTH, 3.2))[1]
    places: list[float] = []
    for number, (name, line) in enumerate(lines.items()):
        x, y = line if isinstance(line, tuple) else (np.arange(len(line)), line)
        x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
        if x.shape != y.shape:
            raise ValueError(f"curve {name!r}: x has shape {x.shape}, y has shape {y.shape}")
        symbol = _MARKERS[number % len(_MARKERS)] if marker == "each" else marker
        ax.plot(x, y, marker=symbol, markersize=5, color=COLOURS[colours[number]], label=name)
        places += list(x)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if logy:
        ax.set_yscale("log")
    if logx:
        _logarithmic_x(ax, places)
    ax.set(**settings)
    if len(lines) > 1:
        _add_legend(ax, legend)
    return ax


def points_by_group(
    groups: Mapping[object, ArrayLike],
    *,
    ylabel: str,
    xlabel: str = "",
    title: str = "",
    ax: Axes | None = None,
    at: Sequence[float] | None = None,
    logx: bool = False,
    names: Sequence[str] | None = None,
    means: bool = True,
    medians: bool = False,
    open: Mapping[object, ArrayLike] | None = None,
    connect: bool = False,
    legend: str | None = None,
    **settings,
) -> Axes:
    """Draw one dot a subject for each group, with the group's mean as a bar, and return the axes.

    A subject has the same place within every group, so the groups can be compared subject by subject.

    Args:
        groups: name under the axis -> the subjects' values, shape (n,). Values that are NaN are left out.
        ylabel: with its unit.
        ax: where to draw; without it a new figure.
        at: where the groups lie on the x axis, for groups that are numbers (field sizes in mm); by default
            side by side at 0, 1, 2, ...
        logx: a logarithmic x axis; needs ``at``.
        names: the subjects' names, shape (n,): the lowest dot of each group is named.
        means, medians: the group's mean as a thick bar, its median as a dotted one.
        open: group -> mask of shape (n,): these dots are open circles (subjects of which the title or the
            text says what is special, such as an empty reference).
        connect: join each subject's dots by a thin grey line.
        legend: "outside" or one of matplotlib's places: says "one subject", "mean", "median".
        settings: anything that ``Axes.set`` takes, such as ``ylim=(0, 1)``.

    Raises:
        ValueError: ``logx`` without ``at``, or as many places as there are not groups, or ``connect`` with
            groups of different sizes.
    """
    values = [np.asarray(group, dtype=float) for group in groups.values()]
    if at is None and logx:
        raise ValueError("a logarithmic axis needs at=: where the groups lie")
    places = np.arange(len(values), dtype=float) if at is None else np.asarray(at, dtype=float)
    if len(places) != len(values):
        raise ValueError(f"at has {len(places)} places for {len(values)} groups")
    ax = ax if ax is not None else plt.subplots(figsize=(WIDTH, 3.2))[1]
    scale = np.log if logx else np.asarray
    unscale = np.exp if logx else np.asarray
    gap = np.diff(np.sort(scale(places))).min() if len(places) > 1 else 1.0
    where = [
        unscale(scale(place) + gap * _spread(len(group))) for place, group in zip(places, values, strict=True)
    ]
    if connect:
        if len({group.shape for group in values}) > 1:
            raise ValueError("connect=True needs groups of the same subjects")
        ax.plot(np.stack(where), np.stack(values), color="#999999", linewidth=0.7, zorder=1)
    dot, bar = COLOURS["blue"], COLOURS["black"]
    for number, (key, x, group) in enumerate(zip(groups, where, values, strict=True)):
        hollow = (
            np.zeros(len(group), bool) if open is None or key not in open else np.asarray(open[key], bool)
        )
        faces = [(0, 0, 0, 0) if empty else to_rgba(dot, 0.75) for empty in hollow]
        first = number == 0
        ax.scatter(x, group, s=26, c=faces, edgecolors=dot, zorder=3, label="one subject" if first else None)
        ends = unscale(scale(places[number]) + gap * np.array([-0.33, 0.33]))
        for wanted, statistic, style, name in (
            (means, np.nanmean, {"linewidth": 2.5}, "mean"),
            (medians, np.nanmedian, {"linewidth": 2, "linestyle": ":"}, "median"),
        ):
            if wanted and np.isfinite(group).any():
                ax.hlines(
                    statistic(group), *ends, color=bar, zorder=4, label=name if first else None, **style
                )
        if names is not None and np.isfinite(group).any():
            lowest = int(np.nanargmin(group))
            ax.annotate(
                names[lowest],
                (x[lowest], group[lowest]),
                (5, 0),
                textcoords="offset points",
                va="center",
                fontsize=7,
            )
    if logx:
        _logarithmic_x(ax, places)
    ax.set_xticks(places, [str(key) for key in groups])
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.set(**settings)
    if legend is not None:
        _add_legend(ax, legend)
    return ax


def _spread(count: int) -> np.ndarray:
    return np.linspace(-0.22, 0.22, count) if count > 1 else np.zeros(1)


def _logarithmic_x(ax: Axes, places: Sequence[float]) -> None:
    ax.set_xscale("log")
    different = sorted(set(map(float, places)))
    if len(different) <= _FEW:
        ax.xaxis.set_major_locator(FixedLocator(different))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.xaxis.set_minor_locator(NullLocator())


def _add_legend(ax: Axes, place: str | None) -> None:
    if place == "outside":
        ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    elif place is not None:
        ax.legend(fontsize=8, loc=place)
