"""How long a notebook is: minutes, words, lines of code, and how much of the code draws."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from course_utils.publishing.exercises import Exercise
from course_utils.publishing.plots import drawing_lines
from course_utils.publishing.rules import Breach
from course_utils.publishing.source import COMPUTED, Cell, Line, Source, parse

WORDS_A_MINUTE = 200
LINES_A_MINUTE = 20  # of code, read
LONGEST_CELL = 20  # lines
MOST_DRAWING = 0.25  # of the code that is in view

_FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$", re.DOTALL)
_ADDRESS = re.compile(r"\]\([^)]*\)|<[^>\n]*>|https?://\S+")
_WORD = re.compile(r"\w[\w.,'’-]*")


@dataclass(frozen=True)
class Measures:
    """What the student's notebook asks for. Lines are those of code in view (no plot cell, no first cell)."""

    exercises: int
    exercise_minutes: int
    words: int
    lines: int
    drawing: int  # of these lines, those that draw
    longest: int  # lines of the longest cell

    @property
    def minutes(self) -> int:
        """Exercises, and reading text and code; rounded to 5 minutes."""
        exact = self.exercise_minutes + self.words / WORDS_A_MINUTE + self.lines / LINES_A_MINUTE
        return max(5 * math.floor(exact / 5 + 0.5), 5)

    @property
    def share_of_drawing(self) -> float:
        return self.drawing / self.lines if self.lines else 0.0

    @property
    def duration(self) -> str:
        """For example "about 2 hours 10 minutes"."""
        hours, minutes = divmod(self.minutes, 60)
        parts = [f"{hours} hour{'s' * (hours > 1)}"] * bool(hours) + [f"{minutes} minutes"] * bool(minutes)
        return "about " + " ".join(parts)


Cells = Sequence[tuple[Cell, Sequence[Line]]]


def measure(source: Source, exercises: Sequence[Exercise], student: Cells) -> Measures:
    """Measure the notebook whose cells the student sees as ``student``."""
    text = "\n\n".join(
        "\n".join(line.text for line in lines) for cell, lines in student if cell.kind == "markdown"
    )
    drawing_names: set[str] = set()
    lines_in_view = drawing = 0
    for cell, lines in _code(student):
        if cell.tag == "bootstrap":
            continue
        drawn = drawing_lines(parse(source.path, list(lines)), drawing_names)
        if cell.tag != "plot":
            filled = {number for number, line in enumerate(lines, start=1) if line.text.strip()}
            lines_in_view += len(filled)
            drawing += len(filled & drawn)
    return Measures(
        exercises=len(exercises),
        exercise_minutes=sum(exercise.minutes or 0 for exercise in exercises),
        words=len(_WORD.findall(_ADDRESS.sub(" ", _FORMULA.sub(" formula ", text)))),
        lines=lines_in_view,
        drawing=drawing,
        longest=max(_filled(lines) for _, lines in _code(student)),
    )


def excesses(source: Source, measures: Measures, versions: Sequence[Cells]) -> Iterator[Breach]:
    """Cells that are too long, in either version, too much drawing, and a time that is not computed."""
    found: dict[int, int] = {}
    for cells in versions:
        for cell, lines in _code(cells):
            found[cell.line] = max(_filled(lines), found.get(cell.line, 0))
    for number, length in sorted(found.items()):
        if length > LONGEST_CELL:
            message = f"a cell of {length} lines: at most {LONGEST_CELL}, so that one cell does one thing"
            yield Breach("cells", source.path, number, message)
    if measures.share_of_drawing > MOST_DRAWING:
        yield Breach(
            "plotting",
            source.path,
            None,
            f"{measures.drawing} of {measures.lines} lines of code in view draw "
            f"({100 * measures.share_of_drawing:.0f} %, at most {100 * MOST_DRAWING:.0f} %): call a helper "
            'of course_utils.figures, or put what only draws into a cell with tags=["plot"]',
        )
    if not source.time.startswith(COMPUTED):
        yield Breach(
            "minutes",
            source.path,
            source.cells[0].line,
            f"write '**Time:** {COMPUTED}', so that it stays true",
        )


def time_text(source: Source, measures: Measures) -> str:
    """What the title cell says after "Time:", in the place of "computed"; a remark behind it stays."""
    if not measures.exercises:
        return short_time(source, measures)
    exercises = f"{measures.exercise_minutes} minutes of exercises, the rest reading"
    return f"{measures.duration}: {exercises}{source.time.removeprefix(COMPUTED)}"


def short_time(source: Source, measures: Measures) -> str:
    """The notebook's time as the README's table shows it."""
    return measures.duration + source.time.removeprefix(COMPUTED)


def _code(cells: Cells) -> Iterator[tuple[Cell, Sequence[Line]]]:
    return ((cell, lines) for cell, lines in cells if cell.kind == "code")


def _filled(lines: Sequence[Line]) -> int:
    """Lines that are not empty, but for the title that a plot cell is given."""
    return sum(bool(line.text.strip()) and not line.text.startswith("# @title") for line in lines)
