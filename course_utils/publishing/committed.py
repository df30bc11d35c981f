"""Reading the committed notebooks, which a merge, an editor or a student may have changed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

CONFLICT = re.compile(r"(<{7}|>{7}|\|{7}) ", re.MULTILINE)  # at the start of a line


class DamagedNotebook(ValueError):
    """A file that is no notebook; the message names it and says what to do."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"notebooks/{path.name} is no notebook: {reason}. Unless somebody's work is in it, let "
            "`python -m course_utils notebooks --force` write it anew"
        )


def read_committed(path: Path) -> NotebookNode:
    """The notebook in a file, version 4 of the format.

    Raises:
        DamagedNotebook: if it holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
    except UnicodeDecodeError:
        raise DamagedNotebook(path, "it is not UTF-8") from None
    except json.JSONDecodeError as error:
        conflict = CONFLICT.search(text)
        if conflict:
            number = text.count("\n", 0, conflict.start()) + 1
            raise DamagedNotebook(path, f"a merge conflict is marked in line {number}") from None
        reason = "it is empty" if not text.strip() else f"it breaks off or is damaged in line {error.lineno}"
        raise DamagedNotebook(path, reason) from None
    if not _is_notebook(content):
        raise DamagedNotebook(path, "it has no cells as the format 4 has them")
    return nbformat.from_dict({**content, "cells": [_joined(cell) for cell in content["cells"]]})


def worked_in(folder: Path) -> list[str]:
    """The notebooks in a folder that were run: those that are generated have no outputs and no counts.

    Raises:
        DamagedNotebook: if a file holds something else.
    """
    names = []
    for path in sorted(folder.glob("*.ipynb")):
        cells = read_committed(path).cells
        if any(
            cell.cell_type == "code" and (cell.get("outputs") or cell.get("execution_count"))
            for cell in cells
        ):
            names.append(f"notebooks/{path.name}")
    return names


def _is_notebook(content: object) -> bool:
    cells = content.get("cells") if isinstance(content, dict) else None
    return isinstance(cells, list) and all(
        isinstance(cell, dict) and "cell_type" in cell and _is_text(cell.get("source")) for cell in cells
    )


def _is_text(source: object) -> bool:
    return isinstance(source, str) or (
        isinstance(source, list) and all(isinstance(line, str) for line in source)
    )


def _joined(cell: dict) -> dict:
    return {**cell, "source": "".join(cell["source"])}
