"""A picture as notebooks take it: an SVG with a text for those who cannot see it; and as one line for a statement.

JupyterLab refuses SVG attachments ("unknown image mime type"), and markdown-it (VS Code) refuses SVG data in `![]()`.
An `<img>` with a data URI is shown by both, by Notebook, Colab and nbconvert, as an image in which no script can run.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from html import escape, unescape


@dataclass(frozen=True)
class Picture:
    """One computation graph as SVG; `print` shows its description."""

    svg: str

    def __str__(self) -> str:
        found = re.search(r"<desc[^>]*>(.*?)</desc>", self.svg, flags=re.DOTALL)
        return unescape(found[1]) if found else ""

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """HTML first: front ends scale an `<img>` with its column, and read its text to those who cannot see it."""
        return {"text/html": self.img(str(self)), "image/svg+xml": self.svg, "text/plain": str(self)}

    def img(self, alt: str) -> str:
        """`<img alt="…" … src="data:…">` on one line: as wide as the picture is, never wider than its column."""
        box = re.search(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+)', self.svg)
        wide = f' width="{float(box[1]):.0f}"' if box else ""
        data = base64.b64encode(self.svg.encode()).decode()
        shown = escape(" ".join(alt.split()))
        return f'<img alt="{shown}"{wide} style="max-width:100%;height:auto" src="data:image/svg+xml;base64,{data}">'
