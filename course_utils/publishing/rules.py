"""What the build asks of a notebook beyond being well formed, and which of it is only reported.

A breach of an enforced rule fails the build or the tests. A rule in ``LENIENT`` is reported by
``python -m course_utils notebooks --measure`` and otherwise without effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from course_utils.publishing.source import short_path

RULES = {
    "minutes": "every exercise says how long it takes and how hard it is; the notebook's time is computed",
    "solutions": "every exercise has a written solution",
    "cells": "a cell of code has at most 20 lines",
    "plotting": "at most a quarter of the code that students see draws",
    "hints": "no hint but the last gives the solution's code or number away",
    "letters": "the right answers of the choices are spread over A to D",
}

LENIENT: frozenset[str] = frozenset()  # a new rule that the notebooks do not keep yet


@dataclass(frozen=True)
class Breach:
    """A place that breaks a rule: ``line`` of the file ``path``; None for the whole of it."""

    rule: str
    path: Path
    line: int | None
    message: str

    def __str__(self) -> str:
        place = short_path(self.path) if self.line is None else f"{short_path(self.path)}:{self.line}"
        return f"{place}: {self.message}"

    @property
    def enforced(self) -> bool:
        """Whether it is more than a remark."""
        return self.rule not in LENIENT
