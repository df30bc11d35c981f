"""The look of the course: one style, slices and planes, matrices, sliders, the volume viewer.

==============  ========================================================================================
``style``       colours, sizes, and :func:`show`, which asks for a text alternative
``images``      slices, planes, labels and masks
``curves``      curves over a number, one dot a subject
``matrices``    matrices as coloured cells
``sliders``     a picture under sliders (ipywidgets: ask for it by name)
``viewer``      three planes of a volume under sliders (likewise)
==============  ========================================================================================
"""

from course_utils.figures.curves import curves, points_by_group
from course_utils.figures.images import (
    PLANES,
    grey_window,
    label_legend,
    label_overlay,
    row_of_maps,
    row_of_slices,
    show_mask,
    show_planes,
    show_slice,
)
from course_utils.figures.matrices import row_of_matrices, show_matrix
from course_utils.figures.style import COLOURS, LABEL_COLOURS, LABEL_NAMES, WIDTH, show, use_style

__all__ = [
    "COLOURS",
    "LABEL_COLOURS",
    "LABEL_NAMES",
    "PLANES",
    "WIDTH",
    "curves",
    "grey_window",
    "label_legend",
    "label_overlay",
    "points_by_group",
    "row_of_maps",
    "row_of_matrices",
    "row_of_slices",
    "show",
    "show_mask",
    "show_matrix",
    "show_planes",
    "show_slice",
    "use_style",
]
