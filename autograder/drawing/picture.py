"""A picture for notebooks: as an output with an alternative text, and as one `<img>` line for a markdown cell.

JupyterLab refuses SVG attachments ("unknown image mime type"), and markdown-it (VS Code) refuses SVG data in `![]()`.
JupyterLab, VS Code, Notebook, Colab and nbconvert all show an `<img>` with a data URI, in which no script can run.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from html import escape, unescape


@dataclass(frozen=True)
class Picture:
    """A computation graph as SVG text; `str` gives its description."""

    svg: str

    def __str__(self) -> str:
        found = re.search(r"<desc[^>]*>(.*?)</desc>", self.svg, flags=re.DOTALL)
        return unescape(found[1]) if found else ""

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        """IPython's display data. As HTML, the picture scales with the column and screen readers read its text."""
        return {"text/html": self.img(str(self)), "image/svg+xml": self.svg, "text/plain": str(self)}

    def img(self, alt: str) -> str:
        """`<img alt="…" … src="data:…">` on one line, in the picture's own width but never wider than its column."""
        box = re.search(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+)', self.svg)
        wide = f' width="{float(box[1]):.0f}"' if box else ""
        data = base64.b64encode(self.svg.encode()).decode()
        shown = escape(" ".join(alt.split()))
        return f'<img alt="{shown}"{wide} style="max-width:100%;height:auto" src="data:image/svg+xml;base64,{data}">'
