"""The README's table of notebooks, generated between two marker lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from course_utils import bootstrap
from course_utils.publishing.source import BuildError, Source

BEGIN = "<!-- notebooks:begin -->"
END = "<!-- notebooks:end -->"

_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"


def with_table(path: Path, sources: Sequence[Source]) -> str:
    """The text of the README at ``path`` with the table of these notebooks between its markers.

    Raises:
        BuildError: if the README or one of its markers is missing.
    """
    if not path.exists():
        raise BuildError(path, 1, f"the README is missing; it needs the lines '{BEGIN}' and '{END}'")
    lines = path.read_text(encoding="utf-8").split("\n")
    if lines.count(BEGIN) != 1 or lines.count(END) != 1 or lines.index(BEGIN) > lines.index(END):
        raise BuildError(path, 1, f"the table of notebooks needs one line '{BEGIN}', then one line '{END}'")
    return "\n".join([*lines[: lines.index(BEGIN) + 1], *_table(sources), *lines[lines.index(END) :]])


def _table(sources: Sequence[Source]) -> list[str]:
    rows = ["| | Notebook | You build | Time | |", "|---|---|---|---|---|"]
    for source in sources:
        notebook = f"notebooks/{source.stem}.ipynb"
        badge = f"[![Open {source.number} in Colab]({_BADGE})]({bootstrap.colab_url(notebook)})"
        cells = (source.number, f"[{source.title}]({notebook})", source.builds, source.time, badge)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return rows
