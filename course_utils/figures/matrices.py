"""Matrices as coloured cells with their numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_utils.figures.style import COLOURS


def show_matrix(
    ax: Axes,
    matrix: np.ndarray,
    title: str = "",
    *,
    values: bool | None = None,
    highlight_rows: Sequence[int] = (),
    highlight_columns: Sequence[int] = (),
    row_label: str = "row",
    column_label: str = "column",
    limit: float | None = None,
) -> None:
    """Draw a matrix (rows, columns) as coloured cells, zeros white, with its numbers where they fit.

    ``limit`` fixes the colour range to [-limit, limit]; ``values`` forces the numbers on or off.
    """
    matrix = np.atleast_2d(np.asarray(matrix, dtype=float))
    rows, columns = matrix.shape
    limit = limit or float(np.abs(matrix).max()) or 1.0
    ax.imshow(matrix, cmap="RdBu_r", vmin=-1.6 * limit, vmax=1.6 * limit, aspect="equal")
    if values if values is not None else matrix.size <= 150:
        for (row, column), value in np.ndenumerate(matrix):
            ax.text(
                column,
                row,
                f"{value:g}" if abs(value - round(value, 2)) < 1e-9 else f"{value:.2f}",
                ha="center",
                va="center",
                fontsize=8,
                color="#999999" if value == 0 else "black",
            )
    for row in highlight_rows:
        ax.add_patch(
            Rectangle((-0.5, row - 0.5), columns, 1, fill=False, linewidth=2.5, edgecolor=COLOURS["black"])
        )
    for column in highlight_columns:
        ax.add_patch(
            Rectangle((column - 0.5, -0.5), 1, rows, fill=False, linewidth=2.5, edgecolor=COLOURS["black"])
        )
    ax.set(title=title, xlabel=column_label, ylabel=row_label)
    if max(rows, columns) <= 16:
        ax.set_xticks(range(columns))
        ax.set_yticks(range(rows))
    ax.tick_params(length=0, labelsize=8)
    for spine in ax.spines.values():
        spine.set_visible(True)
