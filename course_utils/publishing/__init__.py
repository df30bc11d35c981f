"""From a notebook's source to what students open: build it, check it, run it.

``notebooks/solutions/NN_topic.py`` is the only file edited by hand. From it come the student's notebook
``notebooks/NN_topic.ipynb`` and the table in the README (:func:`write_all`), and the executed pages
(:func:`run_all`). :func:`check_all` says whether the committed notebooks still agree with their sources.
"""

from course_utils.publishing.build import solution_notebook, student_notebook, write_all
from course_utils.publishing.gates import check_all, inverse_run_problems, leak_problems, sync_problems
from course_utils.publishing.run import NotebookError, Outcome, outcomes, run_all, run_notebook
from course_utils.publishing.source import BuildError, source_paths

__all__ = [
    "BuildError",
    "NotebookError",
    "Outcome",
    "check_all",
    "inverse_run_problems",
    "leak_problems",
    "outcomes",
    "run_all",
    "run_notebook",
    "solution_notebook",
    "source_paths",
    "student_notebook",
    "sync_problems",
    "write_all",
]
