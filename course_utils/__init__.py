"""Teaching package of the course on medical image segmentation.

Importing it is instant: nothing heavy is loaded until a submodule is asked for by name, for example
``from course_utils import cohort``.
"""

__version__ = "0.1.0"
