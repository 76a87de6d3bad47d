"""Makes texts and pictures passive: nothing is left that could run, load something or leave its place in a page.

Kinds of output that are not known to be passive are dropped. HTML is cleaned by nh3; SVG is rebuilt from allowed
elements; markdown that could hold HTML or a link is replaced by its own rendering, cleaned. `clean_notebook` does
this to what is the student's.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, tostring

import nh3
from defusedxml.ElementTree import fromstring
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

LEFT_OUT = "\n({number} characters more are in the file that was handed in.)"
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

_REACHING = "href url class cssId style require unicode html bbox data def let newcommand csname"
# These put a formula over what stands above, below or beside it.
_MOVING = "raise lower moveleft moveright raisebox smash rlap llap clap mathrlap mathllap mathclap rule Rule Space"
_MACROS = f"{_REACHING} {_MOVING}".replace(" ", "|")
_BACK = r"(?:[hm]skip|[hm]?kern|[hm]space\*?)\s*\{?\s*-|\\\s*\[\s*-"
_MACRO = re.compile(rf"\\(?=(?:{_MACROS})\b|{_BACK})")
_CLOSER = re.compile(r"(?:\\(?:!|neg(?:thin|med|thick)space(?![a-zA-Z]))\s*){5,}")
# HTML needs a tag, a link needs "](" or "]:", a MathJax macro that opens an address needs its name, which an entity may
# hide. A block that is marked as mermaid is drawn by a program that the page would load.
_MAYBE_ACTIVE = re.compile(
    rf"<[a-zA-Z/!?]|\]\s*[(:\[]|\\(?:{_MACROS}|{_BACK})|{_CLOSER.pattern}|&(?:#|bsol)|mermaid", re.IGNORECASE
)

# nbconvert and the browser take time that grows with the square of these lengths and depths.
MOST_HTML, MOST_MARKDOWN, MOST_OF_A_NOTEBOOK = 1_000_000, 20_000, 200_000
_MOST_DEPTH, _MOST_COLOURS, _MOST_FORMULAS = 400, 2_000, 200
_FORMULA = re.compile(r"\\\\[\[(]|\\begin\b|\$\$")
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
    if _length(text) > MOST_HTML or _depth(text) > _MOST_DEPTH:
        raise ValueError("too long, or too deep")
    cleaned = math(passive(text))
    if _length(cleaned) > 2 * MOST_HTML:  # an element that is left open is opened again in every paragraph
        raise ValueError("too long")
    return cleaned


def _length(text: str) -> int:
    """Characters without those of pictures, which cost little."""
    return len(text) - sum(len(found[0]) for found in _DATA_PICTURE.finditer(text))


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


def as_text(text: str, most: int = 5 * MOST_MARKDOWN) -> str:
    """What markdown shows as it was written: every sign that could mean something to it is spelt out.

    Of more than `most` characters the rest is left out.
    """
    if len(text) > most:
        text = text[:most] + LEFT_OUT.format(number=len(text) - most)
    return "<pre>" + re.sub(r"[^\w\s]|_", lambda sign: f"&#{ord(sign[0])};", text).replace("\n", "&#10;") + "</pre>"


def plain(text: str) -> str:
    """Text for a terminal; one that is nearly all colours loses them."""
    return _COLOUR.sub("", text) if text.count("\x1b") > _MOST_COLOURS else text


def math(text: str) -> str:
    """LaTeX without the macros that reach beyond the formula: their names are shown instead."""
    return _CLOSER.sub(" ", _MACRO.sub(r"\\backslash ", text))


def markdown(text: str, files: Any = None) -> str:
    """Markdown as it was if it is only that; else what it renders to, cleaned, on one line so that it stays HTML."""
    if len(text) > MOST_MARKDOWN or len(_FORMULA.findall(text)) > _MOST_FORMULAS:
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
_REFERENCE = re.compile(r"url\s*\(\s*['\"]?#([\w.-]+)", re.IGNORECASE)
_GRADIENTS = ("linearGradient", "radialGradient")
_MOST_DRAWN = 20_000_000
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
        _without_nesting(made)
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


def _without_nesting(root: Element) -> None:
    """Parts of a picture that are used elsewhere in it use no parts themselves: drawing would take time without end."""
    used = {name for element in root.iter() for name in _uses(element)}
    sizes = {}
    for part in [element for element in root.iter() if element.get("id") in used]:
        sizes[part.get("id")] = sum(len(str(element.attrib)) for element in part.iter())
        for element in part.iter():
            if element.tag in _GRADIENTS:
                continue
            for name in [name for name, value in element.attrib.items() if _refers(name, value)]:
                del element.attrib[name]
    if sum(sizes.get(name, 0) for element in root.iter() for name in _uses(element)) > _MOST_DRAWN:
        raise ValueError("too much to draw")


def _uses(element: Element) -> list[str]:
    """The ids of the parts that an element refers to, as `#id` or `url(#id)`."""
    return [part for name, value in element.attrib.items() for part in _refers(name, value)]


def _refers(name: str, value: str) -> list[str]:
    return [value[1:]] if name == "href" and _INSIDE.fullmatch(value) else _REFERENCE.findall(value)


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
