"""The machine behind the exercises, free of any topic.

==============  ====================================================================================
``checker``     :class:`Checker`: a topic's exercises; hints, solutions, progress
``trial``       :class:`Trial`: one attempt; a table of cases, judged together
``calling``     calling a student's function: copies, time limit, global state, own lines
``comparing``   comparing a result with the expected one, and showing both in few words
``mistakes``    :func:`given`, :func:`then`: known mistakes from a right answer
``answers``     reading numbers and letters, however they are written
``solutions``   the written solutions, as the build takes them from the sources
``outcome``     what is shown
``samples``     inputs that hide no mistake
``two_ways``    :func:`compare`: the same numbers computed in two ways (for the notebooks)
==============  ====================================================================================
"""

from course_utils.checking.checker import Checker
from course_utils.checking.trial import Trial
from course_utils.checking.two_ways import compare

__all__ = ["Checker", "Trial", "compare"]
