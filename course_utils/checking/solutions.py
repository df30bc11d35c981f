"""The written solutions of the exercises, as the build takes them from the notebooks' sources.

``course_utils/assets/solutions/<topic>.json`` maps an exercise to its ``text`` (Markdown) and its ``code``.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass

from course_utils import paths

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`*\"(])")
_ENOUGH = 90  # characters: a single short sentence, such as "It is C.", explains nothing
_MOST_SENTENCES = 3


@dataclass(frozen=True)
class Solution:
    """What the course says about an exercise: ``text`` is Markdown, ``code`` is Python."""

    text: str
    code: str

    @property
    def first_sentences(self) -> str:
        """The first one to three sentences, enough to say why the answer is right."""
        words = " ".join(self.text.split("\n\n", 1)[0].split())
        sentences = _SENTENCE_END.split(words)
        said = ""
        for sentence in sentences[:_MOST_SENTENCES]:
            said = f"{said} {sentence}".strip()
            if len(said) >= _ENOUGH:
                break
        return said

    @property
    def markdown(self) -> str:
        """Code and text as one Markdown document."""
        return f"```python\n{self.code}\n```\n\n{self.text}"


@functools.cache
def solutions(topic: str) -> dict[str, Solution]:
    """The written solutions of a topic by exercise; empty for a topic that has none."""
    path = paths.repository_root() / "course_utils" / "assets" / "solutions" / f"{topic}.json"
    if not path.is_file():
        return {}
    read = json.loads(path.read_text(encoding="utf-8"))
    return {name: Solution(entry["text"], entry["code"]) for name, entry in read.items()}
