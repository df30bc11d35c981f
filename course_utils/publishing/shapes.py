"""Code compared by what it computes, not by how it is written.

Two expressions have the same shape if they differ only in quotes, brackets, line breaks and spaces, in the
order of the operands of ``+`` and ``*``, and, if asked for, in the names of variables. (Where both differ,
they may be taken for different ones.) The names of functions, classes, modules and built-ins always count.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator

from IPython.core.inputtransformer2 import TransformerManager

_COUNTED = (
    ast.Name, ast.Constant, ast.Attribute, ast.Call, ast.Subscript, ast.Slice,
    ast.operator, ast.unaryop, ast.cmpop, ast.boolop,
)  # fmt: skip
_COMMUTES = (ast.Add, ast.Mult, ast.BitAnd, ast.BitOr)
_LEFT_OUT = ("ctx", "kind", "type_comment", "annotation", "returns")
_ROOM = frozenset(
    {"zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like", "arange", "pad"}
)
_FENCED = re.compile(r"^(```|~~~)[^\n]*\n(.*?)^\1", re.MULTILINE | re.DOTALL)
_OPERATION = re.compile(r"[=(\[+*/%<>-]")
_SPAN = re.compile(r"(`+)(.+?)\1", re.DOTALL)


def parsed(code: str) -> ast.Module | None:
    """The syntax tree of code, IPython's magics included; None for what is no code."""
    try:
        return ast.parse(TransformerManager().transform_cell(code))
    except (SyntaxError, ValueError):
        return None


def in_prose(text: str) -> Iterator[ast.Module]:
    """The pieces of code in a text: fenced, between back quotes, or alone on a line, also behind a ``#``."""
    pieces = [match[2] for match in _FENCED.finditer(text)] + [match[2] for match in _SPAN.finditer(text)]
    pieces += [line.strip().lstrip("#>-* ") for line in text.split("\n")]
    for piece in pieces:
        if _OPERATION.search(piece):
            try:
                yield ast.parse(piece.strip())
            except (SyntaxError, ValueError):  # prose
                continue


def size(node: ast.AST) -> int:
    """How much an expression says: its names, numbers, calls, indices and operators."""
    return sum(isinstance(inner, _COUNTED) for inner in ast.walk(node))


def essential(tree: ast.AST) -> Iterator[ast.expr]:
    """What the statements of a tree compute: right-hand sides, returned values, conditions and calls.

    Left out is what prepares the ground and may be met anywhere: loops' ranges, new arrays and padding.
    """
    for node in ast.walk(tree):
        value = (
            node.test if isinstance(node, (ast.If, ast.While, ast.Assert)) else getattr(node, "value", None)
        )
        is_statement = isinstance(
            node,
            (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr, ast.If, ast.While, ast.Assert),
        )
        if isinstance(node, ast.Lambda):
            yield node.body
        elif is_statement and value is not None and not _makes_room(value):
            yield value


def docstrings(tree: ast.AST) -> Iterator[str]:
    """What the functions and classes of a tree say about themselves."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield ast.get_docstring(node) or ""


def known_names(trees: Iterable[ast.AST]) -> frozenset[str]:
    """The names that are not variables: built-ins, and what the code imports, defines or calls."""
    names = set(dir(builtins))
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names.add(node.name)
    return frozenset(names)


def shape(node: ast.AST, known: frozenset[str], *, rename: bool = True) -> str:
    """The expression as text that doesn't depend on how it is written; see the module.

    Args:
        node: an expression.
        known: names that are no variables.
        rename: whether the names of variables don't matter.
    """
    return _shape(node, known, {} if rename else None)


def _shape(node: object, known: frozenset[str], names: dict[str, str] | None) -> str:
    if isinstance(node, list):
        return "[" + ",".join(_shape(item, known, names) for item in node) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    if isinstance(node, (ast.Name, ast.arg)):
        name = node.id if isinstance(node, ast.Name) else node.arg
        return name if names is None or name in known else names.setdefault(name, f"${len(names)}")
    if isinstance(node, ast.BinOp):
        left, right = node.left, node.right
        if isinstance(node.op, _COMMUTES):
            left, right = sorted((left, right), key=lambda one: _order(one, known, names is None))
        operands = _shape(left, known, names) + "," + _shape(right, known, names)
        return f"{type(node.op).__name__}({operands})"
    fields = [_shape(value, known, names) for name, value in ast.iter_fields(node) if name not in _LEFT_OUT]
    return f"{type(node).__name__}({','.join(fields)})"


def _order(operand: ast.AST, known: frozenset[str], by_name: bool) -> tuple[str, str]:
    """What operands that may be exchanged are sorted by: their form, and where names count, the names."""
    form = re.sub(r"\$\d+", "$", _shape(operand, known, {}))
    return form, _shape(operand, known, None) if by_name else ""


def constants(tree: ast.AST) -> Iterator[float]:
    """The numbers that code writes down, and what it computes of nothing but numbers (``73 / 2``)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield float(node.value)
        elif isinstance(node, ast.BinOp) and all(_is_arithmetic(inner) for inner in ast.walk(node)):
            try:
                yield float(eval(compile(ast.Expression(node), "constant", "eval"), {"__builtins__": {}}))
            except ArithmeticError:
                continue


def _is_arithmetic(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return type(node.value) in (int, float)
    return isinstance(node, (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop))


def _makes_room(value: ast.expr) -> bool:
    if not isinstance(value, ast.Call):
        return False
    called = value.func
    name = (
        called.attr
        if isinstance(called, ast.Attribute)
        else called.id
        if isinstance(called, ast.Name)
        else ""
    )
    return name.removeprefix("new_") in _ROOM
