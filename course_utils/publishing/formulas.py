"""Formulas set as drawings while a page is built, so that a reader needs no network, no script and no font.

ziamath turns TeX into outlines of the STIX Two Math font. Each glyph's outline is kept once for a page; a
formula only refers to it.
"""

from __future__ import annotations

import re
import warnings
import xml.etree.ElementTree as ET

import ziamath

_SIZE = 16  # ziamath's unit is 1/16 of the font size of the text around the formula
_MARGIN = 1.0

# What latex2mathml or ziamath understand less well than TeX does, in words that they do understand.
_SPELLINGS = (
    # A group of its own: otherwise all brackets of a line are as tall as its tallest matrix.
    (re.compile(r"\\begin\{([pbvBV]?matrix)\}.*?\\end\{\1\}"), r"{\g<0>}"),
    (re.compile(r"(^|[(\[{,=])\s*-"), r"\1{-}"),  # a sign, not a difference: no space after it
    (re.compile(r"\\bmod\b"), r"\\;\\text{mod}\\;"),
    (re.compile(r"\\(times|cap|cup|longrightarrow)\b"), r"\\,\g<0>\\,"),
)


class FormulaError(ValueError):
    """A formula that can't be set; the message shows it and says why."""


class Formulas:
    """Sets the formulas of one page; :meth:`glyphs` is to stand on the page, too."""

    def __init__(self) -> None:
        self._symbols: dict[str, str] = {}

    def svg(self, tex: str, *, display: bool) -> str:
        """TeX as inline SVG in the colour and size of the text around it, standing on its baseline.

        ``tex`` comes without dollar signs and is the drawing's text alternative. ``display`` is for a formula
        on a line of its own.

        Raises:
            FormulaError: for a command that is not known, a character that the font lacks, or broken TeX.
        """
        tex = " ".join(tex.split())
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # ziamath's word for "left out"
                formula = ziamath.Latex(
                    _respelt(tex), size=_SIZE, inline=not display, color="currentColor", margin=_MARGIN
                )
                drawing = formula.svgxml()
        except Exception as error:  # ziamath and latex2mathml raise whatever the fault leads to
            raise FormulaError(f"the formula {tex!r} can't be set: {type(error).__name__} {error}") from error
        _refuse_what_would_be_lost(tex, formula)
        for parent in list(drawing.iter()):
            for symbol in parent.findall("symbol"):
                self._symbols[symbol.get("id")] = ET.tostring(symbol, encoding="unicode")
                parent.remove(symbol)
        width, height = (float(drawing.get(side)) / _SIZE for side in ("width", "height"))
        below = (formula.getyofst() - _MARGIN) / _SIZE
        drawing.attrib = {
            "class": "formula",
            "role": "img",
            "aria-label": tex,
            "viewBox": drawing.get("viewBox"),
            "style": f"width:{width:.3f}em;height:{height:.3f}em;vertical-align:{below:.3f}em",
        }
        return ET.tostring(drawing, encoding="unicode")

    def glyphs(self) -> str:
        """The outlines that this page's formulas refer to, as an SVG that takes no place."""
        if not self._symbols:
            return ""
        symbols = "".join(self._symbols[name] for name in sorted(self._symbols))
        return f'<svg aria-hidden="true" width="0" height="0" style="position:absolute">{symbols}</svg>'


def _respelt(tex: str) -> str:
    for pattern, replacement in _SPELLINGS:
        tex = pattern.sub(replacement, tex)
    return tex


def _refuse_what_would_be_lost(tex: str, formula: ziamath.Latex) -> None:
    """latex2mathml passes unknown commands on as text, and the font draws a box for what it lacks."""
    text = "".join(ET.fromstring(formula.mathmlstr()).itertext())
    unknown = re.findall(r"\\\w*", text)
    if unknown:
        raise FormulaError(f"the formula {tex!r} can't be set: {unknown[0]} is not known")
    missing = [sign for sign in text if not sign.isspace() and formula.font.glyphindex(sign) == 0]
    if missing:
        raise FormulaError(f"the formula {tex!r} can't be set: the font has no {missing[0]!r}")
