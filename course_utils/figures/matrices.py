"""Matrices as coloured cells with their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_utils.figures.style import COLOURS, WIDTH


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
            Rectangle(
                (-0.5, row - 0.5),
                columns,
                1,
                fill=False,
                linewidth=2.5,
                edgecolor=COLOURS["black"],
                clip_on=False,
            )
        )
    for column in highlight_columns:
        ax.add_patch(
            Rectangle(
                (column - 0.5, -0.5),
                1,
                rows,
                fill=False,
                linewidth=2.5,
                edgecolor=COLOURS["black"],
                clip_on=False,
            )
        )
    ax.set(title=title, xlabel=column_label, ylabel=row_label)
    if max(rows, columns) <= 16:
        ax.set_xticks(range(columns))
        ax.set_yticks(range(rows))
    if max(rows, columns) <= 32:  # lines between the cells, so that they can be counted
        ax.set_xticks(np.arange(1, columns) - 0.5, minor=True)
        ax.set_yticks(np.arange(1, rows) - 0.5, minor=True)
        ax.grid(which="minor", color="#b0b0b0", linewidth=0.5)
    ax.tick_params(which="both", length=0, labelsize=8)
    for spine in ax.spines.values():
        spine.set_visible(True)


def row_of_matrices(
    matrices: Mapping[str, np.ndarray],
    *,
    limit: float | None = None,
    row_label: str = "row",
    column_label: str = "column",
    columns: int | None = None,
    values: bool | None = None,
    size: tuple[float, float] | None = None,
) -> Figure:
    """Draw matrices side by side, all with cells of about one size, and return the figure.

    Args:
        matrices: title -> matrix (rows, columns), array or tensor.
        limit: colours run over [-limit, limit] in all panels; by default the largest magnitude of all
            matrices.
        columns: matrices in a row; by default all.
        values, row_label, column_label: as in :func:`show_matrix`.
        size: of the figure in inches; by default as wide as all figures, and as high as the cells need.
    """
    arrays = {title: np.atleast_2d(np.asarray(matrix, dtype=float)) for title, matrix in matrices.items()}
    limit = limit or max(float(np.abs(array).max()) for array in arrays.values()) or 1.0
    columns = columns or len(arrays)
    rows = -(-len(arrays) // columns)
    shapes = [array.shape for array in arrays.values()]
    widths = [max(shape[1] for shape in shapes[column::columns]) for column in range(columns)]
    heights = [max(shape[0] for shape in shapes[row * columns : (row + 1) * columns]) for row in range(rows)]
    cell = min((WIDTH - 0.6 * columns) / sum(widths), 0.45)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=size or (WIDTH, cell * sum(heights) + 0.9 * rows),
        width_ratios=widths,
        height_ratios=heights,
        squeeze=False,
    )
    for ax, (title, array) in zip(axes.flat, arrays.items(), strict=False):
        show_matrix(
            ax, array, title, values=values, limit=limit, row_label=row_label, column_label=column_label
        )
    for ax in list(axes.flat)[len(arrays) :]:
        ax.remove()
    return figure
