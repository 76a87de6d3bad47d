"""How a check is shown: on a notebook's page as HTML that folds to its column, everywhere else as text.

JupyterLab breaks long lines of text in the middle of words, and VS Code does not break them at all; both fold HTML. A
terminal does neither, so text for it is folded here. Feedback pages get whole paragraphs. Student's words are escaped.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from autograder import messages as m
from autograder.student.cells import shell

_MARKS = {"right": "✓ ", "wrong": "✗ "}
_LEFT = 'style="text-align:left"'
_ROW = 'scope="row" style="text-align:left;overflow-wrap:anywhere"'
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Shown:
    """The same thing as HTML and as text."""

    html: str
    text: str

    def __str__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}


def on_a_page() -> bool:
    """Whether a person sees the cell's outputs in a notebook; when nbgrader runs it, they are carried on as text."""
    return hasattr(shell(), "kernel") and not os.environ.get("NBGRADER_EXECUTION")


def display(thing: object, **options: object) -> None:
    """Displays where there is a notebook to display in; a terminal has the lines printed above."""
    if shell():
        from IPython.display import display as display_

        display_(thing, **options)


def tell(text: str) -> None:
    """A message, printed or displayed."""
    if on_a_page():
        display(message(text))
    else:
        print(m.laid_out(text))


def message(text: str) -> Shown:
    """Paragraphs, with lines of the student's own code as code."""
    parts = []
    for line in text.split("\n"):
        if line.startswith(" "):
            parts.append(f"<pre>{escape(line)}</pre>")
        else:
            parts.append("<p>" + _CODE.sub(r"<code>\1</code>", escape(line)) + "</p>")
    return Shown("".join(parts), m.wrapped(text))


def links(rows: Sequence[tuple[str, str, str]]) -> Shown:
    """One line per link: the derivative, the student's number, and the key of its word."""
    names, numbers = (max(len(row[i]) for row in rows) for i in (0, 1))
    text, html = [], []
    for name, number, key in rows:
        word = m.LINK_WORDS[key]
        text.append(m.LINK.format(adjoint=name.ljust(max(names, 8)), number=number.rjust(max(numbers, 12)), word=word))
        verdict = f"{_MARKS.get(key, '')}{word}"
        head = f"<th {_ROW}>{escape(name)}</th>"
        html.append(f"<tr>{head}<td>{escape(number)}</td><td {_LEFT}>{verdict}</td></tr>")
    head = "".join(f'<th scope="col" {_LEFT}>{word}</th>' for word in m.LINK_HEAD)
    return Shown(f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(html)}</tbody></table>", "\n".join(text))
