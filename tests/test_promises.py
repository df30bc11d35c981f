"""The README promises what the tests hold the course to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.promises import DICE

README = Path(__file__).resolve().parent.parent / "README.md"


@pytest.mark.parametrize(
    ("region", "name"), [("WT", "whole tumour"), ("TC", "tumour core"), ("ET", "enhancing tumour")]
)
def test_the_readme_names_the_dice_that_is_tested(region, name):
    text = " ".join(README.read_text(encoding="utf-8").split())
    assert re.search(rf"\b{DICE[region]:.2f} \({name}\)", text), f"{DICE[region]:.2f} ({name})"
