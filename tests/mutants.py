"""Mechanical mutants of the solutions: small changes, one at a time, that a check has to notice.

An operator, a comparison, a constant, an argument, a keyword, a name or a statement is changed. Most mutants
are mistakes that somebody will make one day. Some change nothing that the exercise asks about: those are
listed in ``tests/equivalent_mutants.py``, each with its reason, and every other one must be rejected.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from course_utils import paths

_OPERATORS = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add, ast.Div),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div, ast.Mult),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.BitAnd: (ast.BitOr, ast.BitXor),
    ast.BitOr: (ast.BitAnd, ast.BitXor),
}
_COMPARISONS = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_METHODS = {
    "max": "min",
    "min": "max",
    "argmax": "argmin",
    "amax": "amin",
    "sum": "mean",
    "mean": "sum",
    "any": "all",
    "all": "any",
    "floor": "ceil",
    "rows": "columns",
    "zeros": "ones",
    "new_zeros": "new_ones",
    "std": "var",
    "cumsum": "cumprod",
    "prod": "sum",
    "no_grad": "enable_grad",
    "eval": "train",
}


@dataclass(frozen=True)
class Mutant:
    """A changed solution: ``change`` says what, as one line of the code before and after."""

    change: str
    function: Any


def load_solution(stem: str, name: str) -> tuple[ast.FunctionDef, dict[str, Any]]:
    """The definition of an exercise's function in a solution notebook, and the names it needs.

    The namespace holds the notebook's imports and those earlier definitions that the function uses, directly
    or through each other.
    """
    source = paths.repository_root() / "notebooks" / "solutions" / f"{stem}.py"
    statements = ast.parse(source.read_text(encoding="utf-8")).body
    position = max(i for i, one in enumerate(statements) if name in _defines(one) and _is_definition(one))
    needed, chosen = _names(statements[position]), []
    for statement in reversed(statements[:position]):
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            chosen.append(statement)
        elif _defines(statement) & needed and not _is_check(statement):
            chosen.append(statement)
            needed |= _names(statement)
    namespace: dict[str, Any] = {"__name__": f"solution_{stem}"}
    exec(compile(ast.Module(chosen[::-1], type_ignores=[]), str(source), "exec"), namespace)
    return statements[position], namespace


def build(definition: ast.FunctionDef, namespace: dict[str, Any]) -> Any:
    """The function of a definition."""
    own = dict(namespace)
    module = ast.fix_missing_locations(ast.Module([definition], type_ignores=[]))
    exec(compile(module, "<mutant>", "exec"), own)
    return own[definition.name]


def mutants(definition: ast.FunctionDef, namespace: dict[str, Any]) -> Iterator[Mutant]:
    """All mutants of a function, as functions; each differs from the others and from the original."""
    seen = {ast.unparse(definition)}
    for position, node in enumerate(ast.walk(definition)):
        for change in _changes(node, definition):
            mutated = copy.deepcopy(definition)
            change(_at(mutated, position))
            text = ast.unparse(ast.fix_missing_locations(mutated))
            if text in seen:
                continue
            seen.add(text)
            try:
                again = ast.parse(text).body[0]
                yield Mutant(_difference(definition, mutated), build(again, namespace))
            except SyntaxError:
                continue  # such as a `return` that lost its function


def _changes(node: ast.AST, definition: ast.FunctionDef) -> Iterator[Any]:
    """Functions that change a node in place, each in one small way."""
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        for other in _OPERATORS.get(type(node.op), ()):
            yield lambda n, other=other: setattr(n, "op", other())
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Sub, ast.Div, ast.FloorDiv, ast.MatMult)):
        yield _swap_sides
    if isinstance(node, ast.Compare):
        for i, operator in enumerate(node.ops):
            for other in _COMPARISONS.get(type(operator), ()):
                yield lambda n, i=i, other=other: n.ops.__setitem__(i, other())
    if isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield lambda n, other=other: setattr(n, "op", other())
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for value in (node.value + 1, node.value - 1):
            yield lambda n, value=value: setattr(n, "value", value)
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        yield lambda n: setattr(n, "value", not n.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield lambda n: setattr(n, "op", ast.UAdd())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        yield lambda n: setattr(n, "op", ast.UAdd())
    if isinstance(node, ast.Call):
        for i in range(len(node.args) - 1):
            yield lambda n, i=i: n.args.__setitem__(slice(i, i + 2), n.args[i : i + 2][::-1])
        for i in range(len(node.args)):
            if len(node.args) > 1:
                yield lambda n, i=i: n.args.pop(i)
        for i in range(len(node.keywords)):
            yield lambda n, i=i: n.keywords.pop(i)
    if isinstance(node, ast.Attribute) and node.attr in _METHODS:
        yield lambda n: setattr(n, "attr", _METHODS[n.attr])
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        if node.id in _METHODS:
            yield lambda n: setattr(n, "id", _METHODS[n.id])
        others = _own_names(definition)
        for other in sorted(others - {node.id}) if node.id in others else ():
            yield lambda n, other=other: setattr(n, "id", other)
        if node.id in others and id(node) not in _without_arithmetic(definition):
            for change in ("+ 1", "- 1"):
                yield lambda n, change=change: _off_by_one(n, change)
    if isinstance(node, ast.Tuple) and len(node.elts) == 2 and isinstance(node.ctx, ast.Load):
        yield lambda n: n.elts.reverse()
    if isinstance(node, (ast.FunctionDef, ast.For, ast.While, ast.If, ast.With)):
        for i, statement in enumerate(node.body):
            is_text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not is_text and not isinstance(statement, ast.Return):
                yield lambda n, i=i: n.body.__setitem__(i, ast.Pass())
            if isinstance(statement, ast.AugAssign):
                yield lambda n, i=i: n.body.__setitem__(i, ast.Assign([n.body[i].target], n.body[i].value))
    if isinstance(node, ast.If):
        yield lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))


def _own_names(definition: ast.FunctionDef) -> set[str]:
    """Parameters and local variables."""
    nodes = list(ast.walk(definition))
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {n.arg for n in nodes if isinstance(n, ast.arg)}


def _without_arithmetic(definition: ast.FunctionDef) -> set[int]:
    """Names that are only asked for an attribute or their length, which one more or less doesn't change."""
    found = set()
    for node in ast.walk(definition):
        if isinstance(node, ast.Attribute):
            found.add(id(node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len":
            found |= {id(argument) for argument in node.args}
    return found


def _off_by_one(node: ast.Name, change: str) -> None:
    """Turn the name into a parenthesised sum, in place: the node becomes one that unparses so."""
    node.id = f"({node.id} {change})"


def _swap_sides(node: ast.BinOp) -> None:
    node.left, node.right = node.right, node.left


def _at(definition: ast.FunctionDef, position: int) -> ast.AST:
    for i, node in enumerate(ast.walk(definition)):
        if i == position:
            return node
    raise IndexError(position)


def _difference(before: ast.FunctionDef, after: ast.FunctionDef) -> str:
    """The changed lines, before and after."""
    old, new = ast.unparse(before).split("\n"), ast.unparse(after).split("\n")
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return " / ".join(line.strip() for line in old) + "  ->  " + " / ".join(line.strip() for line in new)


def _defines(statement: ast.stmt) -> set[str]:
    """The names that a top-level statement binds."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, ast.Assign):
        names = (name for target in statement.targets for name in ast.walk(target))
        return {name.id for name in names if isinstance(name, ast.Name)}
    return set()


def _is_definition(statement: ast.stmt) -> bool:
    return isinstance(statement, (ast.FunctionDef, ast.ClassDef))


def _is_check(statement: ast.stmt) -> bool:
    """Whether a statement is ``name = check("name", name)``."""
    value = getattr(statement, "value", None)
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "check"


def _names(statement: ast.stmt) -> set[str]:
    """The names that a statement takes from outside: parameters and local variables are its own."""
    names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    own = {node.arg for node in ast.walk(statement) if isinstance(node, ast.arg)}
    if _is_definition(statement):
        own |= {name.id for name in names if isinstance(name.ctx, ast.Store)}
    return {name.id for name in names} - own
