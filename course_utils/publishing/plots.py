"""Code that draws: cells tagged ``plot``, which are folded, and the share of drawing in the other cells.

A plot cell shows its figure; its code is one click away. It leaves nothing behind that a later cell needs, so
that a reader who never opens it understands the rest.
"""

from __future__ import annotations

import ast
import dis
from collections.abc import Iterator, Sequence
from types import CodeType

from course_utils.publishing.source import BuildError, Cell, Line, Source, parse

METADATA = {
    "jupyter": {"source_hidden": True},
    "cellView": "form",
}  # JupyterLab folds by one, Colab by the other

_TITLE = "# @title "
_DRAWS = frozenset({"plt", "figures", "fig", "ax", "axes"})  # the last three: parameters are called so


def folded(source: Source, cell: Cell) -> list[Line]:
    """A plot cell as students get it: first its title, which Colab shows in the place of the code.

    The title is the comment that the cell begins with, else "Figure".

    Raises:
        BuildError: if the cell is empty.
    """
    lines = cell.lines
    first = next((i for i, line in enumerate(lines) if line.text.strip()), None)
    if first is None:
        raise BuildError(source.path, cell.line, "a plot cell that draws nothing")
    comment = lines[first].text
    if comment.startswith("#"):
        title = comment.removeprefix("# @title").lstrip("# ").rstrip(" .:")
        return [Line(lines[first].number, _TITLE + title), *lines[first + 1 :]]
    return [Line(lines[first].number, _TITLE + "Figure"), *lines[first:]]


def check_plot_cells(source: Source, cells: Sequence[tuple[Cell, Sequence[Line]]]) -> None:
    """Make sure that no cell uses a name that a plot cell before it binds.

    Raises:
        BuildError: naming the line where the name is used.
    """
    from_plots: dict[str, Cell] = {}
    for cell, lines in cells:
        if cell.kind != "code":
            continue
        used, bound = _names(source, lines)
        for name in sorted(used & set(from_plots)):
            raise BuildError(
                source.path,
                cell.line,
                f"this cell uses {name!r}, which the plot cell in line {from_plots[name].line} binds: a plot "
                "cell only draws; compute in a cell before it",
            )
        for name in bound:
            from_plots.pop(name, None)
        if cell.tag == "plot":
            from_plots |= dict.fromkeys(bound, cell)


def drawing_lines(tree: ast.Module, drawing_names: set[str]) -> set[int]:
    """The numbers of the lines (from 1) of a cell's statements that draw.

    A statement draws if it touches pyplot, ``figures``, something imported from matplotlib, or what one of
    these returned (a figure, axes). The head of a loop, a condition or a function counts if all that is in it
    draws.

    Args:
        tree: the cell.
        drawing_names: what the cells before have bound to such things; what this cell binds to them is added.
    """
    lines: set[int] = set()
    for statement in tree.body:
        _drawing(statement, drawing_names, lines)
    return lines


def _names(source: Source, lines: Sequence[Line]) -> tuple[set[str], set[str]]:
    """The names that a cell takes from cells before it, and those that it binds."""
    used: set[str] = set()
    bound: set[str] = set()
    _follow(compile(parse(source.path, list(lines)), "cell", "exec"), used, bound)
    return used, bound


def _follow(code: CodeType, used: set[str], bound: set[str]) -> None:
    # Bytecode stands in the order of evaluation: `for ax in axes: ax.plot()` binds ax before it uses it.
    inner = {constant for constant in code.co_consts if isinstance(constant, CodeType)}
    for instruction in dis.get_instructions(code):
        name = instruction.argval
        if instruction.opname in ("STORE_NAME", "STORE_GLOBAL"):
            bound.add(name)
        elif instruction.opname in ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"):
            if name not in bound:
                used.add(name)
        elif instruction.opname == "LOAD_CONST" and name in inner:
            _follow(name, used, set(bound))


def _drawing(statement: ast.stmt, names: set[str], lines: set[int]) -> bool:
    """Whether the statement draws; its lines are added to ``lines``, and what it binds to ``names``."""
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        names |= {alias for module, alias in _imported(statement) if module.split(".")[0] == "matplotlib"}
        return False
    if isinstance(statement, (ast.For, ast.AsyncFor)):
        _bind(statement.target, statement.iter, names)
    blocks = [block for block in _blocks(statement) if block]
    if blocks:
        inner = [inner for block in blocks for inner in block if not _is_docstring(inner)]
        drawing = [_drawing(one, names, lines) for one in inner]
        if not drawing or not all(drawing):
            return False
        lines |= set(range(statement.lineno, inner[0].lineno))
        return True
    if not _touches(statement, names):
        return False
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            _bind(target, statement.value, names)
    lines |= set(range(statement.lineno, statement.end_lineno + 1))
    return True


def _bind(target: ast.expr, value: ast.expr, names: set[str]) -> None:
    """Add the names of ``target`` that ``value`` makes figures or axes; zip and enumerate are looked into."""
    if isinstance(target, ast.Tuple):
        called = value.func.id if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) else ""
        parts = value.elts if isinstance(value, ast.Tuple) else value.args if called == "zip" else []
        if called == "enumerate" and len(target.elts) == 2:
            return _bind(target.elts[1], value.args[0], names)
        if len(parts) == len(target.elts):
            for one, part in zip(target.elts, parts):
                _bind(one, part, names)
            return None
    if _touches(value, names):
        names |= {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
    return None


def _touches(node: ast.AST, names: set[str]) -> bool:
    known = _DRAWS | names
    return any(isinstance(inner, ast.Name) and inner.id in known for inner in ast.walk(node))


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        yield getattr(statement, field, [])
    for part in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
        yield part.body


def _imported(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    for alias in statement.names:
        module = alias.name if isinstance(statement, ast.Import) else statement.module or ""
        yield module, alias.asname or alias.name.partition(".")[0]


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
