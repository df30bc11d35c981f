"""The measures of all notebooks as a table, and where a rule is broken."""

from __future__ import annotations

from pathlib import Path

from course_utils import paths
from course_utils.publishing.build import build
from course_utils.publishing.gates import rule_breaches
from course_utils.publishing.rules import RULES
from course_utils.publishing.source import source_paths

_COLUMNS = "{:24} {:>9} {:>9} {:>8} {:>6} {:>6} {:>8} {:>8}"


def measures_report(root: Path | None = None) -> str:
    """What ``python -m course_utils notebooks --measure`` prints.

    Raises:
        BuildError: if a source can't be built.
    """
    root = root or paths.repository_root()
    lines = [
        _COLUMNS.format(
            "notebook", "exercises", "their min", "minutes", "words", "lines", "drawing", "longest"
        )
    ]
    for path in source_paths(root):
        built = build(path)
        measures = built.measures
        lines.append(
            _COLUMNS.format(
                built.source.stem,
                measures.exercises,
                measures.exercise_minutes,
                measures.minutes,
                measures.words,
                measures.lines,
                f"{100 * measures.share_of_drawing:.0f} %",
                measures.longest,
            )
        )
    found = rule_breaches(root)
    for rule, text in RULES.items():
        broken = [breach for breach in found if breach.rule == rule]
        enforced = "" if not broken or broken[0].enforced else ", only reported"
        lines += ["", f"{rule}: {text} ({len(broken)} breaches{enforced})"]
        lines += [f"  {breach}" for breach in broken]
    return "\n".join(lines)
