"""Takes out of a graded notebook whatever could run or load something in a page, before the notebook is written.

Kinds of output that are not known to be passive are dropped. HTML is cleaned by nh3; SVG is rebuilt from allowed
elements; markdown that could hold HTML or a link is replaced by its own rendering, cleaned. The text of the course's
cells and the outputs of the examiner's room are the course's own and stay. Everything else counts as the student's.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, tostring

import nh3
from defusedxml.ElementTree import fromstring
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.rooms.course_cells import Owner

DROPPED = "(Output of the kind {kinds} is not shown on this page.)"
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_KIND = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,80}")

_TEXT = (
    "a abbr b blockquote br cite code del details div em h1 h2 h3 h4 h5 h6 hr i ins kbd mark p pre q s samp small span"
)
_LISTS = "strong sub summary sup u dd dl dt li ol ul figcaption figure img"
_TABLES = "caption col colgroup table tbody td tfoot th thead tr"
_ALLOWED = frozenset(" ".join((_TEXT, _LISTS, _TABLES)).split())
_ATTRIBUTES = {
    "*": {"title", "align", "style", "dir", "lang"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "table": {"border"},
    "ol": {"start"},
    "details": {"open"},
}
# Nothing that fetches (background), covers the page (position, margins below zero) or hides what is below it.
_STYLES = {
    "background-color", "border", "border-collapse", "color", "font-family", "font-size", "font-style", "font-weight",
    "height", "margin", "max-width", "min-width", "padding", "text-align", "text-decoration", "vertical-align",
    "white-space", "width",
}  # fmt: skip
_ODD_STYLE = re.compile(r"-\s*\.?\d|(?<!rgb)(?<!rgba)(?<!hsl)(?<!hsla)\(|\\|\d{5}")
_DATA_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*")
_LINK = re.compile(r"(?:https?://|mailto:|#)", re.IGNORECASE)

_MACROS = "href url class cssId style require unicode html bbox data def let newcommand csname".replace(" ", "|")
_MACRO = re.compile(rf"\\(?=(?:{_MACROS})\b)")
# HTML needs a tag, a link needs "](" or "]:", a MathJax macro that opens an address needs its name, which an entity may
# hide. A block that is marked as mermaid is drawn by a program that the page would load.
_MAYBE_ACTIVE = re.compile(rf"<[a-zA-Z/!?]|\]\s*[(:\[]|\\(?:{_MACROS})|&(?:#|bsol)|mermaid", re.IGNORECASE)

# nbconvert and the browser take time that grows with the square of these lengths and depths.
MOST_HTML, MOST_MARKDOWN, MOST_OF_A_NOTEBOOK = 1_000_000, 20_000, 200_000
_MOST_DEPTH, _MOST_COLOURS = 400, 2_000
_TAG = re.compile(r"<(/?)([a-zA-Z][\w:-]*)")
# These close by themselves, or hold nothing.
_VOID = "br hr img input meta link wbr col"
_LOOSE = "p li td th tr dt dd option tbody thead tfoot"
_SHALLOW = frozenset(f"{_VOID} {_LOOSE}".split())
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]?")


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "src":
        return value if _DATA_PICTURE.fullmatch(value) else None
    if name == "href":
        return value if _LINK.match(value) else None
    if name == "style":
        return None if _ODD_STYLE.search(value) else value
    return value


def html(text: str) -> str:
    """HTML without anything that runs, fetches or leaves its place; ValueError if it is too long or too deep."""
    if len(text) > MOST_HTML or _depth(text) > _MOST_DEPTH:
        raise ValueError("too long, or too deep")
    return math(passive(text))


def passive(text: str, without: frozenset[str] = frozenset()) -> str:
    """HTML of what is allowed of elements, attributes, styles and addresses, `without` some attributes."""
    return nh3.clean(
        text,
        tags=set(_ALLOWED),
        clean_content_tags={"script", "style", "title", "noscript", "iframe", "template", "textarea", "xmp"},
        attributes={tag: names - without for tag, names in _ATTRIBUTES.items()},
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "data"},
        filter_style_properties=set(_STYLES),
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )


def _depth(text: str) -> int:
    """How deep the elements nest, or more."""
    opened: dict[str, int] = {}
    depth = most = 0
    for closes, name in _TAG.findall(text.lower()):
        if name in _SHALLOW or (closes and not opened.get(name)):
            continue
        step = -1 if closes else 1
        opened[name] = opened.get(name, 0) + step
        depth += step
        most = max(most, depth)
    return most


def as_text(text: str) -> str:
    """What markdown shows as it was written: every sign that could mean something to it is spelt out."""
    return "<pre>" + re.sub(r"[^\w\s]|_", lambda sign: f"&#{ord(sign[0])};", text).replace("\n", "&#10;") + "</pre>"


def plain(text: str) -> str:
    """Text for a terminal; one that is nearly all colours loses them."""
    return _COLOUR.sub("", text) if text.count("\x1b") > _MOST_COLOURS else text


def math(text: str) -> str:
    """LaTeX without the macros that reach beyond the formula: their names are shown instead."""
    return _MACRO.sub(r"\\backslash ", text)


def markdown(text: str, files: Any = None) -> str:
    """Markdown as it was if it is only that; else what it renders to, cleaned, on one line so that it stays HTML."""
    if len(text) > MOST_MARKDOWN:
        return as_text(text)
    if not _MAYBE_ACTIVE.search(text):
        return text
    try:
        renderer = IPythonRenderer(escape=False, attachments=files or {})
        cleaned = html(MarkdownWithMath(renderer=renderer).render(text))
    except Exception:  # a picture that is missing, for one; the feedback page would not be written either
        return as_text(text)
    return "<div>" + cleaned.strip().replace("\r", "").replace("\n", "&#10;") + "</div>"


_SVG = "{http://www.w3.org/2000/svg}"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_DRAWN = "svg g path rect circle ellipse line polyline polygon text tspan title desc defs use image"
_PAINT = "clipPath linearGradient radialGradient stop marker pattern symbol mask"
_SHAPES = frozenset(f"{_DRAWN} {_PAINT}".split())
_INSIDE = re.compile(r"#[\w.-]+")
_URL = re.compile(r"url\s*\(\s*['\"]?(?!#)", re.IGNORECASE)


def svg(text: str) -> str:
    """The picture, rebuilt from shapes and text; ValueError if it is none."""
    try:
        root = fromstring(text.encode(), forbid_dtd=False)
    except Exception as error:  # whatever the parser makes of it
        raise ValueError("not an SVG picture") from error
    if root.tag != f"{_SVG}svg":
        raise ValueError("not an SVG picture")
    try:
        made = _shape(root)
        made.set("xmlns", "http://www.w3.org/2000/svg")
        return tostring(made, encoding="unicode")
    except RecursionError:
        raise ValueError("too deep") from None


def _shape(of: Element) -> Element:
    made = Element(of.tag.removeprefix(_SVG))
    made.text, made.tail = of.text, of.tail
    for name, value in of.attrib.items():
        if name in (_XLINK, "href"):
            if _INSIDE.fullmatch(value) or (made.tag == "image" and _DATA_PICTURE.fullmatch(value)):
                made.set("href", value)
        elif re.fullmatch(r"[A-Za-z][\w-]*", name) and not name.lower().startswith("on") and not _URL.search(value):
            made.set(name, value)
    for child in of:
        if isinstance(child.tag, str) and child.tag.startswith(_SVG) and child.tag.removeprefix(_SVG) in _SHAPES:
            made.append(_shape(child))
    return made


def _picture(text: str) -> str:
    try:
        base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not a picture") from None
    return text


_KINDS: dict[str, Callable[[str], str]] = {
    "text/plain": plain,
    "text/html": html,
    "text/markdown": markdown,
    "text/latex": math,
    "image/svg+xml": svg,
    **dict.fromkeys(PICTURES, _picture),
}


def bundle(data: Any) -> dict[str, str]:
    """A display's data, each kind cleaned in its own way; a sentence if nothing of it can be shown."""
    kept: dict[str, str] = {}
    lost = []
    for kind, text in data.items():
        try:
            kept[kind] = _KINDS[kind]("".join(text) if isinstance(text, list) else text)
        except (KeyError, ValueError, TypeError, AttributeError):
            lost.append(kind if _KIND.fullmatch(kind) else "?")
    if not kept:
        kept["text/plain"] = DROPPED.format(kinds=", ".join(lost[:3]) or "?")
    return kept


def attachments(files: Any) -> NotebookNode:
    """Pictures pasted into a text cell; nothing else."""
    kept = NotebookNode()
    for name, data in files.items() if isinstance(files, dict) else ():
        pictures = {}
        for kind, text in data.items() if isinstance(data, dict) else ():
            with contextlib.suppress(ValueError, TypeError, AttributeError):
                if kind in PICTURES:
                    pictures[kind] = _picture(text)
                elif kind == "image/svg+xml":
                    drawn = svg(base64.b64decode(text).decode())
                    pictures[kind] = base64.b64encode(drawn.encode()).decode()
        if pictures and re.fullmatch(r"[\w. -]{1,100}", name):
            kept[name] = NotebookNode(pictures)
    return kept


class Sanitise(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """Cleans what is the student's; comes last in `Autograde.autograde_preprocessors`."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        where = resources["nbgrader"]
        course = self.parent.run.course_cells(where["assignment"], where["notebook"])
        left = MOST_OF_A_NOTEBOOK
        for cell in nb.cells:
            of = course.of(cell)
            if "attachments" in cell and not (of and of.attachments):
                cell.attachments = attachments(cell.attachments)
            if cell.cell_type == "markdown" and not (of and of.locked):
                left -= len(cell.source)
                cell.source = markdown(cell.source, cell.get("attachments")) if left > 0 else as_text(cell.source)
            if cell.cell_type == "code" and not (of and of.owner is Owner.EXAMINER):
                for output in cell.outputs:
                    _clean(output)
        return nb, resources


def _clean(output: NotebookNode) -> None:
    if "data" in output:
        output.data = NotebookNode(bundle(output.data))
    if "text" in output:
        output.text = plain(output.text)
    if "traceback" in output:
        output.traceback = [plain(line) for line in output.traceback]
