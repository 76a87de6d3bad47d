"""Converts LaTeX to MathML when the page is written, so that formulas need neither a network nor a script.

What cannot be converted stays LaTeX. The converter's MathML is rebuilt from a list of allowed elements and attributes,
because a student's formula is hostile input: no colour, no link, no negative space, nothing wider than the page.
"""

from __future__ import annotations

import re
from html import escape
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml.ElementTree import fromstring
from math_core import LatexError, LatexToMathML

MOST_CHARACTERS, MOST_DEPTH = 2_000, 40
_WIDEST = 12.0  # em
_LONG = 60  # characters

_ROWS = "math mrow mi mn mo mtext mspace ms mfrac msqrt mroot mtable mtr mtd mphantom mpadded menclose mstyle"
_SCRIPTS = "msup msub msubsup mover munder munderover mmultiscripts mprescripts none"
_TAGS = frozenset(f"{_ROWS} {_SCRIPTS}".split())
_OPERATORS = "stretchy symmetric fence separator form accent accentunder mathvariant largeop movablelimits notation"
_LAYOUT = "display displaystyle scriptlevel columnspan rowspan columnalign rowalign"
_WORDS = frozenset(f"{_OPERATORS} {_LAYOUT}".split())
_LENGTHS = ("lspace", "rspace", "minsize", "maxsize", "linethickness", "width", "height", "depth")
_WORD = re.compile(r"[a-z0-9 -]{1,40}")
_LENGTH = re.compile(r"(\d*\.?\d+)(?:em|ex|px|%)?")
# Only the styles that align the columns of `aligned` and `cases` are allowed.
_STYLE = re.compile(r"(?:text-align|justify-items):\s*[a-z]+|padding-(?:left|right):\s*[01](?:em)?")

_CONVERTER = LatexToMathML()
_GAP = re.compile(r"\\q?quad(?![a-zA-Z])\s*")
_OPENS = re.compile(r"\\[{}]|\\(?:begin|left)\b|\\(?:end|right)\b|[{}]|\\q?quad(?![a-zA-Z])\s*")


def inline(latex: str) -> str:
    """The HTML of a formula within a line of text; one that may be wider than a phone gets its own scroll bar."""
    made = _mathml(latex, display=False)
    if made and len(latex) > _LONG:
        return f'<span class="long formula" tabindex="0" role="group" aria-label="Formula">{made}</span>'
    return made or _as_source(f"${latex}$")


def display(latex: str) -> str:
    """The HTML of a formula on its own line; on a narrow screen, formulas separated by `\\qquad` are stacked."""
    made = [_mathml(part, display=True) for part in _side_by_side(latex)]
    if not all(made):
        return f'<span class="formula">{_as_source(f"$${latex.strip()}$$")}</span>'
    parts = "".join(f"<span>{part}</span>" for part in made)
    return f'<span class="formula" tabindex="0" role="group" aria-label="Formula">{parts}</span>'


def _as_source(text: str) -> str:
    return f'<code class="latex">{escape(text)}</code>'


def _side_by_side(latex: str) -> list[str]:
    """The formula cut at each wide space (`\\quad`, `\\qquad`) that is outside all brackets and environments."""
    parts, depth, start = [], 0, 0
    for found in _OPENS.finditer(latex):
        sign = found[0]
        if sign in ("{", r"\begin", r"\left"):
            depth += 1
        elif sign in ("}", r"\end", r"\right"):
            depth -= 1
        elif depth == 0 and _GAP.fullmatch(sign):
            parts.append(latex[start : found.start()])
            start = found.end()
    return [part for part in (*parts, latex[start:]) if part.strip()] or [latex]


def _mathml(latex: str, display: bool) -> str | None:
    if len(latex) > MOST_CHARACTERS or not latex.strip():
        return None
    try:
        made = _CONVERTER.convert_with_local_state(latex, displaystyle=display)
        root = fromstring(made.replace("&ApplyFunction;", "\u2061").replace("&InvisibleTimes;", "\u2062"))
        return tostring(_rebuilt(root, MOST_DEPTH), encoding="unicode", short_empty_elements=False)
    except (LatexError, ParseError, ValueError):
        return None


def _rebuilt(of: Element, depth: int) -> Element:
    if of.tag not in _TAGS or depth == 0:
        raise ValueError("not a formula for a page")
    made = Element(of.tag)
    made.text, made.tail = of.text, of.tail
    for name, value in of.attrib.items():
        if name == "style":
            kept = [p.strip() for p in value.split(";") if _STYLE.fullmatch(p.strip())]
            if kept:
                made.set("style", ";".join(kept))
        elif (name in _WORDS and _WORD.fullmatch(value)) or (name in _LENGTHS and _fits(value)):
            made.set(name, value)
    made.extend(_rebuilt(child, depth - 1) for child in of)
    return made


def _fits(length: str) -> bool:
    found = _LENGTH.fullmatch(length)
    return found is not None and float(found[1]) <= _WIDEST
