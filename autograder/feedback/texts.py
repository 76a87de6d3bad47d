"""Turns a notebook's markdown and HTML into a part of the page: cleaned, with formulas, with the page's heading levels.

No text, not even the course's, can run code, fetch anything or cover the page. A student's text loses headings, styles
and identifiers, so that it cannot look like a verdict. The course's headings get levels below the page's own.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from html import escape, unescape
from pathlib import Path
from typing import Any

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from autograder.feedback import formulas
from autograder.rooms import sanitise

_NOT_KEPT = frozenset({"style", "lang"})
"""Attributes that could make a text look like a part of the page."""
_TAG = re.compile(r'<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:"[^"]*"|[^">])*)>')
_ATTRIBUTE = re.compile(r'([a-zA-Z-]+)="([^"]*)"')
_SOURCE = re.compile(r"""(<img\b[^>]*?\bsrc=["'])((?!data:)[^"'>]{1,500})""", re.IGNORECASE)
_VOID = ("br", "hr", "img", "col")
_VERBATIM = ("code", "pre", "kbd", "samp")
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_PARENTS = {"li": ("ul", "ol"), "summary": ("details",)}
_ITEMS = {"dt": "p", "dd": "div", "dl": "div"}
_MATH = re.compile(r"\\\\|\\\$|\\\(|\\\)|\\\[|\\\]|\$\$|\$|\\begin\{([a-z]{1,20}\*?)\}")
_REMEMBERED = 100_000  # characters, those of pictures included
_CLOSES = {r"\(": r"\)", r"\[": r"\]", "$$": "$$", "$": "$"}


@dataclass(frozen=True)
class Place:
    """Where on the page a text stands, which decides how its headings and pictures are written."""

    level: int = 0
    """The level of its first heading (1 to 6); 0 if headings become paragraphs, as in a student's text."""
    title: bool = False
    """Whether its first heading is removed from the text and kept in `Text.title`."""
    pictures: str = "Picture"
    """The alternative text of pictures that have none."""
    folder: Path | None = None
    """The folder of the picture files that it refers to; None if it must not use any."""


ANYWHERE = Place()


class Text:
    """A cleaned text: its `html`, and its first heading as `title` if `Place.title` asks for it."""

    def __init__(self, html: str, place: Place = ANYWHERE) -> None:
        self.title = ""
        self._place, self._first = place, 0
        self._out: list[str] = []
        self._last_content = -1  # index in `_out` of the last words or picture; tells whether an element is empty
        # Open elements: name, closing tag, index in `_out` where the content starts, and `_last_content` at that place.
        self._open: list[tuple[str, str, int, int]] = []
        self._within: Counter[str] = Counter()  # open elements by name; a search in `_open` would be quadratic
        at = 0
        text = sanitise.passive(html, _NOT_KEPT)
        for tag in _TAG.finditer(text):
            self._add_text(text[at : tag.start()])
            at = tag.end()
            if tag[1]:
                self._close_tag()
            else:
                self._open_tag(tag[2].lower(), tag[3])
        self._add_text(text[at:])
        while self._open:
            self._close_tag()
        self.html = "".join(self._out)

    def _inside(self, names: tuple[str, ...]) -> bool:
        return any(self._within[name] for name in names)

    def _parent(self) -> str:
        return self._open[-1][0] if self._open else ""

    def _add_text(self, text: str) -> None:
        if not text:
            return
        if text.strip():
            self._last_content = len(self._out)
        if self._parent() in ("ul", "ol") and text.strip():
            text = f"<li>{text}</li>"
        self._out.append(text if self._inside(_VERBATIM) else with_formulas(text))

    def _open_tag(self, name: str, attributes: str) -> None:
        if name == "img":
            self._last_content = len(self._out)
        if name in _VOID:
            self._out.append(self._image(attributes) if name == "img" else f"<{name}>")
            return
        as_tag, opened, after = name, f"<{name}{attributes}>", ""
        if name in _HEADINGS:
            as_tag = self._heading(int(name[1]))
            opened = f"<{as_tag}>" if as_tag != "p" else '<p class="heading">'
        elif self._parent() in ("ul", "ol") and name != "li":
            name = as_tag = "li"
            opened = "<li>"
        elif self._parent() not in _PARENTS.get(name, (self._parent(),)):
            name = as_tag = "div"
            opened = "<div>"
        elif name in _ITEMS and not self._place.level:
            name = as_tag = _ITEMS[name]
            opened = f"<{name}>"
        elif name == "a" and self._inside(("summary", "a", *_HEADINGS)):
            as_tag, opened = "span", "<span>"
        elif name == "table":
            opened = f'<div class="wide" tabindex="0" role="group" aria-label="Table"><table{attributes}>'
            after = "</div>"
        self._out.append(opened)
        self._open.append((name, f"</{as_tag}>{after}", len(self._out), self._last_content))
        self._within[name] += 1

    def _close_tag(self) -> None:
        if not self._open:
            return
        name, closing, start, content_before = self._open.pop()
        self._within[name] -= 1
        if name in ("a", "summary") and self._last_content < start:
            self._last_content = len(self._out)
            self._out.append("(link)" if name == "a" else "Details")
        if name in _HEADINGS and self._place.title and not self.title:
            inside = "".join(self._out[start:])
            if plain(inside):
                self.title, self._last_content = inside, content_before
                del self._out[start - 1 :]
                return
        self._out.append(closing)

    def _heading(self, level: int) -> str:
        if not self._place.level:
            return "p"
        self._first = self._first or level
        return f"h{min(6, self._place.level + min(1, max(0, level - self._first)))}"

    def _image(self, attributes: str) -> str:
        found = dict(_ATTRIBUTE.findall(attributes))
        words = found.get("alt") or found.get("title") or self._place.pictures
        if "src" not in found:
            return f"[{words}]"
        return f'<span class="picture"><img src="{found["src"]}" alt="{words}"></span>'


def with_formulas(text: str) -> str:
    """HTML text without tags, with its LaTeX formulas converted; a dollar sign without a partner stays."""
    if "$" not in text and "\\" not in text:
        return text
    out, at = [], 0
    marks = list(_MATH.finditer(text))
    for i, mark in enumerate(marks):
        if mark.start() < at:
            continue
        end = _formula_end(text, marks, i)
        if end:
            stop, body = end
            latex = unescape(text[body[0] : body[1]])
            wide = mark[0] != "$" and mark[0] != r"\("
            out += [text[at : mark.start()], formulas.display(latex) if wide else formulas.inline(latex)]
            at = stop
    return "".join([*out, text[at:]])


def _formula_end(text: str, marks: list[re.Match[str]], i: int) -> tuple[int, tuple[int, int]] | None:
    """Where the formula that begins at mark `i` ends, and the start and end of its body; None if it is no formula."""
    mark = marks[i]
    if mark[1]:  # an environment, which is a part of its formula
        closing = rf"\end{{{mark[1]}}}"
        stop = text.find(closing, mark.end(), mark.end() + formulas.MOST_CHARACTERS)
        return (stop + len(closing), (mark.start(), stop + len(closing))) if stop >= 0 else None
    if mark[0] not in _CLOSES:
        return None
    for other in marks[i + 1 : i + 200]:
        if other[0] == _CLOSES[mark[0]]:
            body = text[mark.end() : other.start()]
            money = mark[0] == "$" and (body != body.strip() or text[other.end() : other.end() + 1].isdigit())
            return None if money or not body.strip() else (other.end(), (mark.end(), other.start()))
        if mark[0] == "$" and other[0] == "$$":
            return None
    return None


class _Renderer(IPythonRenderer):  # type: ignore[misc]  # nbconvert ships no types
    """nbconvert's renderer without anchors at headings, without colours in code, and with raw HTML left as it is."""

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        return f"<h{level}>{text}</h{level}>\n"

    def block_html(self, html: str) -> str:
        return self._with_pictures(html)

    def inline_html(self, html: str) -> str:
        return self._with_pictures(html)

    def _with_pictures(self, html: str) -> str:
        """Embeds pictures. nbconvert's own method would close every element that this piece of HTML leaves open."""
        return _SOURCE.sub(lambda of: of[1] + escape(self._embed_image_or_attachment(unescape(of[2]))), html)

    def block_code(self, code: str, info: str | None = None) -> str:
        return f"<pre><code>{escape(code)}</code></pre>\n"


def markdown(source: str, files: Any = None, place: Place = ANYWHERE) -> Text:
    """Markdown as a part of the page; `files` are the attachments of its cell. Never raises."""
    once = files or len(source) > _REMEMBERED
    return _rendered(source, files, place) if once else _remembered(source, place)


@lru_cache(maxsize=500)
def _remembered(source: str, place: Place) -> Text:
    """The course's texts are the same on each student's page. `forget` is called where a picture may have changed."""
    return _rendered(source, None, place)


forget = _remembered.cache_clear


def _rendered(source: str, files: Any, place: Place) -> Text:
    if len(source) > sanitise.MOST_OF_A_NOTEBOOK * 40:
        return Text(f"<pre>{escape(source)}</pre>")
    known = {"embed_images": True, "path": str(place.folder)} if place.folder else {}
    try:
        renderer = _Renderer(escape=False, attachments=files or {}, **known)
        html = MarkdownWithMath(renderer=renderer).render(source)
    except Exception:  # such as a picture that is missing
        html = f"<pre>{escape(source)}</pre>"
    return Text(html, place)


def plain(html: str) -> str:
    """The text of a piece of HTML, without tags, on one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())
