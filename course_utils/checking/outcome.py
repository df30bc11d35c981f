"""What a check answers: one of four, as short HTML for the notebook and as plain text everywhere else."""

from __future__ import annotations

import html
from dataclasses import dataclass, field

PASS = "pass"
NOT_YET = "not yet"
NOT_ATTEMPTED = "not attempted"
RAISED = "your code raised"

OUTCOME_MIMETYPE = "application/vnd.course.outcome+json"

# Okabe-Ito colours, and a word beside each colour: nothing is said by colour alone.
_COLOUR = {PASS: "#009E73", NOT_YET: "#D55E00", NOT_ATTEMPTED: "#767676", RAISED: "#CC79A7"}


class CheckFailed(AssertionError):
    """Raised instead of a friendly answer where a wrong result must stop the run (tests, solution notebooks)."""


@dataclass(frozen=True)
class Outcome:
    """The answer to one attempt.

    ``message`` is a sentence, ``details`` are (name, value) pairs such as what was called, what came and what was
    expected, ``next_step`` is the one thing to do now.
    """

    exercise: str
    status: str
    message: str = ""
    details: tuple[tuple[str, str], ...] = field(default=())
    next_step: str = ""

    def __str__(self) -> str:
        lines = [f"{self.exercise}: {self.status}"]
        if self.message:
            lines.append(f"  {self.message}")
        for name, value in self.details:
            lines.append(f"  {name + ':':<15} " + value.replace("\n", "\n" + " " * 18))
        if self.next_step:
            lines.append(f"  -> {self.next_step}")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            "<tr style='background:transparent'>"
            f"<td style='text-align:left;vertical-align:top;padding:0 1em 0 0'>{html.escape(name)}</td>"
            "<td style='text-align:left;padding:0'><pre style='margin:0;white-space:pre-wrap'>"
            f"{html.escape(value)}</pre></td></tr>"
            for name, value in self.details
        )
        parts = [f"<b style='color:{_COLOUR[self.status]}'>{html.escape(self.exercise)}: {self.status}</b>"]
        if self.message:
            parts.append(f"<div>{html.escape(self.message)}</div>")
        if rows:
            parts.append(f"<table style='margin:0.3em 0;border:none'>{rows}</table>")
        if self.next_step:
            parts.append(f"<div>&rarr; {html.escape(self.next_step)}</div>")
        return (
            f"<div role='status' style='border-left:4px solid {_COLOUR[self.status]};padding:0.3em 0.8em'>"
            + "".join(parts)
            + "</div>"
        )

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {
            "text/plain": str(self),
            "text/html": self._repr_html_(),
            OUTCOME_MIMETYPE: {"exercise": self.exercise, "status": self.status},
        }


def show(something) -> None:
    """Display an object in a notebook; print it elsewhere."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        print(something)
        return
    if get_ipython() is None:
        print(something)
    else:
        display(something)
