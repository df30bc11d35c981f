"""Where a solution can be read: in what students see, and in a hint that comes too early.

Looked for are the expressions of an exercise's code by their shape, its lines as they are written, the
answers of its numbers, and the cells that students don't get.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from course_utils.publishing import shapes
from course_utils.publishing.exercises import Exercise
from course_utils.publishing.regions import solution_lines
from course_utils.publishing.source import Cell, Line, Source, parse

# An expression of this size hardly appears twice by chance: "(n - k) // s + 1" has seven names, numbers and
# operators, "kernel[j] * a" five.
_TELLING_SIZE = 6
_SMALLEST_SIZE = 3  # "n // 2": only where it is the largest of a solution, and only with the same names

# A line of this many words, numbers and signs hardly appears twice by chance: "return (n - k) // s + 1" has
# eleven, "total = 0" three.
_TELLING_TOKENS = 7
_TRIVIAL_TOKENS = 2  # "return total", "else:"

_TELLING_DIGITS = 3  # 36.5, but neither 64 nor 5000

_TOKEN = re.compile(r"\w+|[^\w\s]")
_BLOCK_HEADER = re.compile(r"(for|while|if|elif|else|with|try|except|finally|def|class|import|from)\b")
_NUMBER = re.compile(r"(?<![\w.,])(?:\d{1,3}(?:[,_\u202f]\d{3})+|\d+)(?:\.\d+)?(?!\w|\.\d)")


@dataclass(frozen=True)
class Secret:
    """One thing that a student must not read. ``line`` is its line in the source; ``text`` shows it.

    ``key`` is what is looked for: an expression's shape, a line without spaces, or a number.
    """

    kind: str  # "expression", "line", "part of a line" or "number"
    line: int
    text: str
    key: str | float


@dataclass(frozen=True)
class Secrets:
    """The secrets of an exercise or hidden cell, given away if one, or only if ``most`` of them are seen."""

    members: tuple[Secret, ...]
    most: bool = False

    def seen_in(self, texts: Sequence[Text]) -> tuple[Secret, int] | None:
        """The first secret that is given away, and which text shows it, counted from 1."""
        seen = {}
        for secret in self.members:
            for number, text in enumerate(texts, start=1):
                if secret not in seen and text.shows(secret):
                    seen[secret] = number
        enough = 2 * len(seen) > len(self.members) if self.most else bool(seen)
        return next(iter(seen.items())) if enough else None


class Text:
    """A cell or a hint, as somebody reads it who looks for a solution."""

    def __init__(self, text: str, kind: str, known: frozenset[str]) -> None:
        """``kind`` is "code" or "markdown"; ``known`` are the names that are no variables."""
        code = shapes.parsed(text) if kind == "code" else None
        prose = text if code is None else "\n".join(line for line in text.split("\n") if "#" in line)
        trees = [*shapes.in_prose(prose), *([code] if code else [])]
        self._shapes: set[str] = set()
        for tree in trees:
            for node in ast.walk(tree):
                if isinstance(node, ast.expr) and shapes.size(node) >= _TELLING_SIZE:
                    self._shapes |= {shapes.shape(node, known, rename=rename) for rename in (True, False)}
            self._shapes |= {shapes.shape(value, known, rename=False) for value in shapes.essential(tree)}
        lines = text.split("\n")
        comments = [line.partition(" # ")[2] for line in lines if " # " in line]
        self._lines = [normalised(line) for line in [*lines, *comments]]
        self._numbers = [_number(match[0]) for match in _NUMBER.finditer(text)]
        self._numbers += [(value, 0.0) for tree in trees for value in shapes.constants(tree)]

    def shows(self, secret: Secret) -> bool:
        """Whether the text shows this secret."""
        if secret.kind == "expression":
            return secret.key in self._shapes
        if secret.kind == "line":
            return secret.key in self._lines
        if secret.kind == "part of a line":
            return any(secret.key in line for line in self._lines)
        return any(
            abs(value - secret.key) <= tolerance + 1e-9 * abs(value)
            for value, tolerance in self._numbers
            if _is_telling(value)
        )


def known_names(source: Source) -> frozenset[str]:
    """The names in a notebook that are no variables: built-ins, and what its code imports and defines."""
    return shapes.known_names(
        parse(source.path, list(cell.lines)) for cell in source.cells if cell.kind == "code"
    )


def secrets_of(
    source: Source, exercise: Exercise, known: frozenset[str], answers: Mapping[str, float]
) -> Secrets:
    """What must not be read of an exercise; ``answers`` are those of the exercises that ask for a number.

    What the docstring of the exercise's function says is no secret, unless it is the largest part of the
    solution.
    """
    hidden = [line for region in exercise.regions for line in region.solution]
    numbers = {line.number for line in hidden}
    lines = solution_lines(exercise.cell, list(exercise.regions))
    tree = parse(source.path, lines)
    told = normalised(" ".join(shapes.docstrings(tree)))
    values = [value for value in shapes.essential(tree) if lines[value.lineno - 1].number in numbers]
    largest = max(map(shapes.size, values), default=0)
    members = []
    for value in values:
        size, line = shapes.size(value), lines[value.lineno - 1]
        if size < min(_TELLING_SIZE, largest):
            continue
        written = normalised(ast.unparse(value))
        if size < largest and written in told:
            continue
        for rename in (True, False):
            if size >= (_TELLING_SIZE if rename else _SMALLEST_SIZE):
                shape = shapes.shape(value, known, rename=rename)
                members.append(Secret("expression", line.number, line.text.strip(), shape))
        if size >= _TELLING_SIZE:  # in prose, without back quotes
            members.append(Secret("part of a line", line.number, line.text.strip(), written))
        elif _tokens(line.text) > _TRIVIAL_TOKENS:
            members.append(Secret("line", line.number, line.text.strip(), normalised(line.text)))
    answer = answers.get(exercise.name, 0.0)
    if _is_telling(answer):
        members.append(Secret("number", hidden[0].number, f"{answer:,.10g}", answer))
    return Secrets(tuple(members))


def secrets_of_hidden(cell: Cell) -> Secrets:
    """What must not be read of a cell that students don't get. Its code may repeat a line that they have."""
    return Secrets(tuple(_lines(list(cell.lines))), most=cell.kind == "code")


def pasted(
    secrets: Iterable[Line], generated: NotebookNode, committed: NotebookNode
) -> Iterator[tuple[int, str]]:
    """Lines of a solution in the committed notebook beyond those that were generated: cell and line."""
    solution = [
        secret for line in secrets if _tokens(line.text) > _TRIVIAL_TOKENS for secret in [_line(line)]
    ]
    expected = Counter(normalised(line) for cell in generated.cells for line in cell.source.split("\n"))
    for number, cell in enumerate(committed.cells, start=1):
        for text in cell.source.split("\n"):
            if expected[normalised(text)] > 0:
                expected[normalised(text)] -= 1
            elif any(Text(text, "markdown", frozenset()).shows(secret) for secret in solution):
                yield number, text.strip()


def normalised(text: str) -> str:
    """A line without spaces and comment, with one kind of quotes, and without a comment's sign in front."""
    return re.sub(r"\s", "", _code(text)).replace('"', "'")


def _lines(lines: Sequence[Line]) -> list[Secret]:
    """The lines that would give a solution away: the telling ones, or else all that aren't trivial."""
    statements = [line for line in lines if not _BLOCK_HEADER.match(line.text.strip())]
    telling = [line for line in statements if _tokens(line.text) >= _TELLING_TOKENS]
    return [_line(line) for line in telling or statements if _tokens(line.text) > _TRIVIAL_TOKENS]


def _line(line: Line) -> Secret:
    kind = "part of a line" if _tokens(line.text) >= _TELLING_TOKENS else "line"
    return Secret(kind, line.number, line.text.strip(), normalised(line.text))


def _code(text: str) -> str:
    return re.sub(r"\s#\s.*", "", text.strip().lstrip("#> ")).strip()


def _tokens(text: str) -> int:
    return len(_TOKEN.findall(_code(text)))


def _number(text: str) -> tuple[float, float]:
    """The value of a number in a text, and what its rounding may hide."""
    digits = re.sub(r"[^\d.]", "", text)
    decimals = len(digits.partition(".")[2])
    return float(digits), 0.5 * 10.0**-decimals if decimals else 0.0


def _is_telling(number: float) -> bool:
    """Whether a number is recognised as an answer: three digits, and no power of two, as sizes are."""
    digits = f"{abs(number):.12g}".partition("e")[0].replace(".", "").strip("0")
    is_power = number > 0 and number == int(number) and int(number).bit_count() == 1
    return len(digits) >= _TELLING_DIGITS and not is_power
