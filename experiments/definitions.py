"""Functions, classes and constants of a solution notebook, so that an experiment runs what students see."""

from __future__ import annotations

import ast
import hashlib
from typing import Any

from course_utils import paths


def load(notebook: str, *names: str) -> dict[str, Any]:
    """The notebook's imports and, in its own order, the top-level statements that define ``names``.

    Args:
        notebook: such as "03_upsampling".
        names: functions, classes, or variables that a single assignment gives their value.

    Returns:
        The namespace, in which the functions also look for their data.

    Raises:
        ValueError: the notebook doesn't define one of the names.
    """
    namespace: dict[str, Any] = {"__name__": f"notebook_{notebook}"}
    statements = _statements(notebook, names)
    exec(compile(ast.Module(statements, type_ignores=[]), notebook, "exec"), namespace)
    return namespace


def fingerprint(notebook: str, *names: str) -> str:
    """A short hash of those statements: changes of their comments or of other cells leave it as it is."""
    text = "\n".join(ast.unparse(statement) for statement in _statements(notebook, names))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _statements(notebook: str, names: tuple[str, ...]) -> list[ast.stmt]:
    source = paths.repository_root() / "notebooks" / "solutions" / f"{notebook}.py"
    chosen, found = [], set()
    for statement in ast.parse(source.read_text(encoding="utf-8")).body:
        defined = _defines(statement) & set(names)
        found |= defined
        if defined or isinstance(statement, (ast.Import, ast.ImportFrom)):
            chosen.append(statement)
    if found != set(names):
        raise ValueError(f"{notebook} doesn't define {', '.join(sorted(set(names) - found))}")
    return chosen


def _defines(statement: ast.stmt) -> set[str]:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, ast.Assign) and not _is_check(statement.value):
        return {
            name.id for target in statement.targets for name in ast.walk(target) if isinstance(name, ast.Name)
        }
    return set()


def _is_check(value: ast.expr) -> bool:
    """Whether this is the right side of ``f = check("f", f)``."""
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "check"
