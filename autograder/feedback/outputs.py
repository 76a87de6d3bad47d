"""HTML of a cell's code and outputs. Every text is escaped, and every picture is an image with its data in the page.

In an `<img>` no script of an SVG runs, nothing is fetched, and its identifiers cannot clash with the page's.
"""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from html import escape, unescape
from textwrap import dedent
from typing import Any

from markupsafe import Markup
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from autograder.feedback import texts
from autograder.rooms import sanitise

LONG = 40
"""An output with more lines is folded, so that the page stays short."""
_COLOURED = 30_000  # longer code (in characters) is shown without colours, which would take long
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x00-\x08\x0b-\x1f\x7f]")
OURS = ("CheckFailed", "QuestionError", "")
"""Errors of the grader, of which only the message is shown. `HideHiddenTests` sets the name of an error to ""."""
_MAGIC = frozenset("%!?")
_CODE = re.compile(r"`([^`\n]+)`")
_NAMED = re.compile(r"<(title|desc)\b[^>]*>([^<]{1,4000})</\1>")
_FORMATTER = HtmlFormatter(nowrap=True)
_SPAN = re.compile(r'<span class="([a-z0-9]+)">')


def _colour_class(found: re.Match[str]) -> str:
    """Maps Pygments' classes to the four that page.css colours.

    On --page and --box, light and dark, their contrast is at least 5.5:1 (WCAG 2.2, 1.4.3, asks for 4.5:1).
    """
    kind = found[1][0]
    return f'<span class="{kind}">' if kind in "ksmc" else "<span>"


def code(source: str, language: str = "ipython3") -> Markup:
    """Code in a few colours; each line is an element, so that a wrapped line can be told from the next one."""
    source = _ANSI.sub("", source).rstrip("\n")
    made = _coloured(source, str(language)) if len(source) <= _COLOURED else escape(source, quote=False)
    return Markup('<pre class="code"><code>' + _lines(made) + "</code></pre>")


@lru_cache(maxsize=500)
def _coloured(source: str, language: str) -> str:
    """The course's code is the same on each student's page."""
    if language == "ipython3" and not _MAGIC.intersection(source):
        language = "python3"  # each rule that IPython's lexer has more needs one of these; it takes twice as long
    return _SPAN.sub(_colour_class, highlight(source, _lexer(language), _FORMATTER)).rstrip("\n")


@cache
def _lexer(language: str) -> Any:
    """Pygments' lexer; cached, because the search for one looks through every installed package."""
    try:
        return get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return get_lexer_by_name("python", stripnl=False)


def _lines(html: str) -> str:
    return "".join(f'<span class="line">{line}\n</span>' for line in html.split("\n"))


def printed(text: str) -> Markup:
    """Printed text as HTML, line by line."""
    return Markup('<pre class="text">' + _lines(escape(clean(text), quote=False)) + "</pre>")


def clean(text: str) -> str:
    """The text without a terminal's control sequences, and without blank lines at both ends."""
    return _ANSI.sub("", text).strip("\n")


def shown(outputs: list[NotebookNode], hide_number: bool = False) -> list[Markup]:
    """The HTML of a cell's outputs; with `hide_number`, without a test's result, which the page shows as points."""
    made = []
    for output in outputs:
        if hide_number and is_number(output):
            continue
        made += [_folded(html, lines) for html, lines in _rendered(output)]
    return made


def message(text: str) -> Markup:
    """The HTML of a grader's message: paragraphs, and as code the lines that quote a notebook."""
    groups = itertools.groupby(text.split("\n"), lambda line: line.startswith(" "))
    return Markup().join(
        printed(dedent("\n".join(lines))) if code else Markup().join(map(_paragraph, filter(None, lines)))
        for code, lines in groups
    )


def _paragraph(line: str) -> Markup:
    return Markup('<p class="said">{}</p>').format(with_code(line))


def with_code(text: str) -> Markup:
    """The HTML of a line of text, with the parts between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", escape(text, quote=False)))


def is_number(output: NotebookNode) -> bool:
    """Whether an output is a bare number: nbgrader takes it as the points of the cell (utils.py, determine_grade)."""
    data = output.get("data", {})
    if output.output_type != "execute_result" or list(data) != ["text/plain"]:
        return False
    try:
        float("".join(data["text/plain"]))
    except ValueError:
        return False
    return True


def _folded(html: Markup, lines: int) -> Markup:
    if lines <= LONG:
        return html
    return Markup('<details class="long"><summary>Output of {} lines</summary>{}</details>').format(lines, html)


def _rendered(output: NotebookNode) -> Iterator[tuple[Markup, int]]:
    if output.output_type == "stream":
        text = clean("".join(output.text))
        if text.strip():
            yield printed(text), text.count("\n") + 1
    elif output.output_type == "error":
        text = error(output)
        ours = output.ename in OURS
        yield message(text) if ours else printed(text), text.count("\n") + 1
    elif "data" in output:
        yield from _display(output.data)


def error(output: NotebookNode) -> str:
    """The text of an error: the message alone if the grader raised it, else the traceback."""
    if output.ename in OURS:
        return clean(output.evalue)
    text = clean("\n".join(output.get("traceback") or []))
    return text or clean(f"{output.ename}: {output.evalue}")


def _display(data: Any) -> Iterator[tuple[Markup, int]]:
    """The best form of a displayed output; an SVG is preferred to HTML, because it has a description."""
    texts_of = {kind: "".join(text) if isinstance(text, list) else text for kind, text in data.items()}
    if "image/svg+xml" in texts_of:
        yield svg(texts_of["image/svg+xml"]), 1
        return
    if "text/html" in texts_of:
        try:
            html = sanitise.html(texts_of["text/html"])
        except ValueError:
            html = ""
        if html:
            made = texts.Text(html, texts.Place(pictures="Picture, an output of this cell")).html
            yield Markup('<div class="prose card">' + made + "</div>"), 1
            return
    for kind in sanitise.PICTURES:
        if kind in texts_of:
            coded = re.sub(r"[^A-Za-z0-9+/=]", "", str(texts_of[kind]))
            yield _picture(f"data:{kind};base64,{coded}", "Picture, an output of this cell"), 1
            return
    if "text/markdown" in texts_of:
        text = sanitise.markdown(texts_of["text/markdown"])
        yield Markup('<div class="prose">' + texts.markdown(text).html + "</div>"), 1
    elif "text/latex" in texts_of:
        text = texts.with_formulas(escape(sanitise.math(texts_of["text/latex"]), quote=False))
        yield Markup('<div class="prose">' + text + "</div>"), 1
    elif "text/plain" in texts_of:
        text = clean(texts_of["text/plain"])
        yield printed(text), text.count("\n") + 1


def svg(text: str) -> Markup:
    """The HTML of an SVG drawing, with its title and description as alternative text."""
    return _picture("data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode(), described(text))


def described(drawing: str) -> str:
    """The text of an SVG's `<title>` and `<desc>`."""
    named = [" ".join(unescape(words).split()) for _, words in _NAMED.findall(drawing[:20_000])]
    return ". ".join(words.rstrip(".") for words in dict.fromkeys(named)) or "Drawing, an output of this cell"


def _picture(source: str, words: str) -> Markup:
    return Markup('<div class="picture"><img src="{}" alt="{}"></div>').format(source, words)
