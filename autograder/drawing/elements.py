"""The SVG elements of a picture, boxes and lines of text, and an upper bound for the width of a text.

The width is estimated, not measured, so that no font library is needed and a picture is the same on every machine.
"""

from __future__ import annotations

from html import escape

MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"
SANS = "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif"


def width(text: str, size: float, *, sans: bool = False) -> float:
    """An upper bound for the width of `text` in px, in MONO or (if `sans`) SANS at font size `size` px."""
    return size * sum(_width_in_em(character, sans) for character in text)


def _width_in_em(character: str, sans: bool) -> float:
    if ord(character) > 0x58F and character not in "…−✓✗":
        return 1.1
    if sans:
        return 1.0 if character.isupper() or character in "mw@%—…✓✗" else 0.5 if character in " fijlrt.,:·" else 0.7
    return 0.62 if character not in "✓✗" else 0.95


def clean(text: str) -> str:
    """`text` on one line; characters that are not printable, which XML may forbid, become U+FFFD."""
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(str(text).split()))


def shortened(text: str, longest: int) -> str:
    """`text`, cut to at most `longest` characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def box(x: float, y: float, size: tuple[float, float], radius: float, look: tuple[str, str, str]) -> str:
    """A rectangle with centre (x, y) and rounded corners; `look` is stroke, fill and further attributes."""
    (wide, high), (stroke, fill, line) = size, look
    at = f'x="{x - wide / 2:.1f}" y="{y - high / 2:.1f}" width="{wide:.1f}" height="{high:.1f}" rx="{radius:.1f}"'
    return f'<rect {at} fill="{fill}" stroke="{stroke}" {line}/>'


def text_line(text: str, at: tuple[float, float], size: int, colour: str, bold: bool = False) -> str:
    """A line of monospaced text; `at` is the middle of its baseline."""
    weight = ' font-weight="700"' if bold else ""
    # Characters of other scripts come from an unknown font: textLength makes them fit the estimated width.
    foreign = any(_width_in_em(c, sans=False) > 1 for c in text)
    fit = f' textLength="{width(text, size):.1f}" lengthAdjust="spacingAndGlyphs"' if foreign else ""
    return (
        f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" font-family="{MONO}" font-size="{size}"{weight} fill="{colour}" '
        f'text-anchor="middle"{fit}>{escape(text)}</text>'
    )
