"""From a notebook's source to what students open: build it, check it, run it.

``notebooks/solutions/NN_topic.py`` is the only file edited by hand. From it come the student's notebook
``notebooks/NN_topic.ipynb``, the written solutions ``course_utils/assets/solutions/<topic>.json`` and the
table in the README (:func:`write_all`), and the executed pages (:func:`run_all`). :func:`check_all` says
whether what is committed still agrees with the sources.

source       reads a source into cells            build      puts notebooks and solutions together
regions      markers, stubs and scaffold          readme     the table of notebooks
exercises    check, minutes, written solution     committed  reads the notebooks on disk
plots        cells that draw                      gates      in step? no solution shown? rules kept?
measures     minutes, words, lines                leaks      where a solution can be read
shapes       what code computes                   report     the measures as a table
rules        what is asked of every notebook      run        executes notebooks
formulas     TeX as drawings                      pages      executed notebooks as pages
"""

from course_utils.publishing.build import solution_notebook, student_notebook, write_all
from course_utils.publishing.committed import DamagedNotebook, worked_in
from course_utils.publishing.gates import (
    check_all,
    inverse_run_problems,
    leak_problems,
    rule_breaches,
    sync_problems,
)
from course_utils.publishing.report import measures_report
from course_utils.publishing.rules import LENIENT, RULES
from course_utils.publishing.run import NotebookError, Outcome, outcomes, run_all, run_notebook
from course_utils.publishing.source import BuildError, source_paths

__all__ = [
    "LENIENT",
    "RULES",
    "BuildError",
    "DamagedNotebook",
    "NotebookError",
    "Outcome",
    "check_all",
    "inverse_run_problems",
    "leak_problems",
    "measures_report",
    "outcomes",
    "rule_breaches",
    "run_all",
    "run_notebook",
    "solution_notebook",
    "source_paths",
    "student_notebook",
    "sync_problems",
    "worked_in",
    "write_all",
]
