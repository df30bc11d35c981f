"""What a check shows, as short HTML for the notebook and as plain text everywhere else."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

PASS = "pass"
NOT_YET = "not yet"
NOT_ATTEMPTED = "not attempted"
RAISED = "your code raised"

OUTCOME_MIMETYPE = "application/vnd.course.outcome+json"

# Okabe-Ito colours for the bar at the left; the words keep the page's own colour, so they can be read on a
# light and on a dark page, and nothing is said by colour alone.
_COLOUR = {PASS: "#009E73", NOT_YET: "#D55E00", NOT_ATTEMPTED: "#767676", RAISED: "#CC79A7"}
_SIGN = {PASS: "✓", NOT_YET: "✗", NOT_ATTEMPTED: "○", RAISED: "!"}
_HINT_COLOUR = "#0072B2"


class CheckFailed(AssertionError):
    """Raised instead of a friendly answer where a wrong result must stop the run."""


@dataclass(frozen=True)
class Outcome:
    """The answer to one attempt.

    Attributes:
        exercise: its name.
        status: one of the four above.
        message: a sentence or two, with `code` in back-ticks.
        details: (name, value) pairs, such as what was called, what came and what was expected.
        next_step: the one thing to do now.
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
            lines.append(f"  {name + ':':<17} " + value.replace("\n", "\n" + " " * 20))
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
        parts = [f"<b>{_SIGN[self.status]} {html.escape(self.exercise)}: {self.status}</b>"]
        if self.message:
            parts.append(f"<div>{_inline(self.message)}</div>")
        if rows:
            parts.append(f"<table style='margin:0.3em 0;border:none'>{rows}</table>")
        if self.next_step:
            parts.append(f"<div>&rarr; {_inline(self.next_step)}</div>")
        return _barred("".join(parts), _COLOUR[self.status])

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        return {
            "text/plain": str(self),
            "text/html": self._repr_html_(),
            OUTCOME_MIMETYPE: {"exercise": self.exercise, "status": self.status},
        }


@dataclass(frozen=True)
class Hints:
    """The hints of one exercise that were asked for so far, of ``total``."""

    name: str
    hints: tuple[str, ...]
    total: int

    def _lines(self) -> list[str]:
        lines = [f"hint {number} of {self.total}: {text}" for number, text in enumerate(self.hints, 1)]
        if len(self.hints) == self.total:
            lines.append(f'That was the last hint; `check.solution("{self.name}")` shows one way to do it.')
        return lines

    def __str__(self) -> str:
        return "\n".join([self.name, *("  " + line for line in self._lines())])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        items = "".join(f"<div>{_inline(line)}</div>" for line in self._lines())
        return _barred(f"<b>{html.escape(self.name)}</b>{items}", _HINT_COLOUR)


@dataclass(frozen=True)
class SolutionShown:
    """The written solution of one exercise, Markdown: the notebook typesets it, formulas included."""

    name: str
    markdown: str

    def __str__(self) -> str:
        return f"{self.name}: solution\n\n{self.markdown}"

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        return f"**{self.name}: solution**\n\n{self.markdown}"


@dataclass(frozen=True)
class Progress:
    """The status of each exercise of a notebook."""

    status: dict[str, str]

    def _done(self) -> int:
        return sum(status == PASS for status in self.status.values())

    def __str__(self) -> str:
        width = max(map(len, self.status), default=0)
        rows = [f"  {name:<{width}}  {status}" for name, status in self.status.items()]
        return "\n".join([f"{self._done()} of {len(self.status)} exercises pass", *rows])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        cell = "<td style='text-align:left'>"
        rows = "".join(
            f"<tr>{cell}{html.escape(name)}</td>{cell}{_SIGN[status]} {status}</td></tr>"
            for name, status in self.status.items()
        )
        done, total = self._done(), len(self.status)
        bar = f"<progress value='{done}' max='{total}' aria-label='exercises that pass'></progress>"
        return f"<b>{done} of {total} exercises pass</b> {bar}<table>{rows}</table>"


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


def _barred(content: str, colour: str) -> str:
    """HTML with a coloured bar at its left, announced by screen readers when it appears."""
    return f"<div role='status' style='border-left:6px solid {colour};padding:0.3em 0.8em'>{content}</div>"


def _inline(text: str) -> str:
    """Text as HTML, with `code`, **bold** and *emphasis* as in Markdown."""
    parts = re.split(r"`([^`]+)`", html.escape(text, quote=False))
    for i, part in enumerate(parts):
        if i % 2:
            parts[i] = f"<code>{part}</code>"
        else:
            part = re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", part)
            parts[i] = re.sub(r"(?<![\w*])\*([^*\s][^*]*)\*(?![\w*])", r"<i>\1</i>", part)
    return "".join(parts)
