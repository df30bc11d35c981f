"""Imports run downward only: the table in the package's docstring, held against every import statement."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import course_utils

PACKAGE = Path(course_utils.__file__).parent
ROOMS = [
    room
    for line in course_utils.__doc__.splitlines()
    if line.startswith("``")
    for room in re.findall(r"``(\w+)``", line.split("  ")[0])
]
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def room_of(path: Path) -> str:
    """The first part of a module's path in the package."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(text: str, path: Path) -> set[str]:
    """The rooms that a module imports, anywhere in it: also late and for type checkers only."""
    rooms = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            rooms |= {name.name.split(".")[1] for name in node.names if name.name.startswith("course_utils.")}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute, so that they can be searched"
            parts = (node.module or "").split(".")
            if parts == ["course_utils"]:
                rooms |= {name.name for name in node.names if name.name != "__version__"}
            elif parts[0] == "course_utils":
                rooms.add(parts[1])
    return rooms


def upward(text: str, path: Path) -> list[str]:
    """The imported rooms that lie above the module's own."""
    own = ROOMS.index(room_of(path))
    return sorted(room for room in imported_rooms(text, path) if ROOMS.index(room) > own)


def test_the_table_names_every_room_and_no_other():
    assert sorted(ROOMS) == sorted({room_of(path) for path in MODULES})


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downward(path):
    assert upward(path.read_text(encoding="utf-8"), path) == []


@pytest.mark.parametrize(
    "statement",
    [
        "from course_utils import figures",
        "import course_utils.checks.convolution",
        "def f():\n    from course_utils.checks import x",
    ],
)
def test_an_upward_import_is_found(statement):
    assert upward(statement, PACKAGE / "cohort" / "cases.py")


def test_nothing_below_the_figures_knows_pictures_widgets_or_notebooks():
    shown = {"matplotlib", "ipywidgets", "IPython", "nbformat", "jupytext", "nbclient", "nbconvert"}
    for path in MODULES:
        if ROOMS.index(room_of(path)) < ROOMS.index("figures"):
            names = re.findall(r"^\s*(?:import|from) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert not shown & set(names), path
