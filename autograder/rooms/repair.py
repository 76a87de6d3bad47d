"""Reads the bytes of a file that was handed in as a notebook; what is certain is repaired, and said.

Certain is what can be meant in one way only: the encoding, a comma that is missing or too many between two lines, the
parts of nbformat 4 that have one value or none, a merge conflict of which both sides have the same cells, what follows
the notebook's end and is not another. Of anything else UnreadableNotebook says what was seen. Outputs are left out,
because grading makes its own.
"""

from __future__ import annotations

import codecs
import json
import re
import secrets
from typing import Any

import nbformat

from autograder.at_home.notebook import UnreadableNotebook

ENCODING = "it was saved as {encoding}"
OLD_BYTES = "Latin-1"
COMMAS = "{number} of its commas were missing or too many"
OLDER = "it is of notebook format {major}"
NEWER = "it is of notebook format {major}, which is newer than this grader knows"
CONFLICTS = "it had merge conflicts, of which both sides have the same cells"
MORE = "something followed its end and was left out"
PARTS = "parts of its format were missing or odd"
CELLS = "{number} of its cells were of an odd kind"
EMPTY_FILE = "it is empty"
TWO_SIDES = "it has merge conflicts, and the sides have different cells"
NOT_JSON = "line {line} is not JSON: {why}"
NO_NOTEBOOK = "it holds no list of cells"
MANY_CELLS = "it has more than {most} cells"
MUCH_TEXT = "its cells hold more than {most} million characters"

MOST_CELLS, MOST_TEXT = 2_000, 80
"""Cells of a notebook; millions of characters in them, most of which will be pictures."""
_MOST_COMMAS = 20
_KINDS = ("code", "markdown", "raw")
_TOO_DEEP = "it is nested too deep"
_LONGEST_NUMBER = 4000
"""Digits of an integer; Python reads none of more than 4300."""


def read(data: bytes) -> tuple[dict[str, Any], list[str]]:
    """A notebook of nbformat 4.5 without outputs, and what had to be repaired, in words.

    UnreadableNotebook says why it is none.
    """
    repairs: list[str] = []
    cells = _bounded(_agreed(_text(data, repairs), repairs))
    used: set[str] = set()
    for cell in cells:
        if cell.get("id") in used or "id" not in cell:  # nbformat would warn of each that is there twice
            cell["id"] = secrets.token_hex(4)
        used.add(cell["id"])
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, repairs


def _agreed(text: str, repairs: list[str]) -> list[dict[str, Any]]:
    """The cells of the notebook in a text; of a merge conflict, what both sides say, or the one that is readable."""
    sides = _sides(text)
    read, wrong = [], []
    for side in sides:
        found: list[str] = []
        try:
            read.append((_cells(_of_format_4(_parsed(side, found), found), found), found))
        except UnreadableNotebook as error:
            wrong.append(error)
    if not read:
        raise wrong[0]
    texts = [[(cell["cell_type"], cell["source"], cell["metadata"]) for cell in cells] for cells, _ in read]
    if texts[0] != texts[-1]:
        raise UnreadableNotebook(TWO_SIDES)
    cells, found = read[0]
    repairs += [*([CONFLICTS] if len(sides) > 1 else []), *found]
    return cells


def _sides(text: str) -> list[str]:
    """The two texts of which git has made this one; the text itself if it has no conflict, or half of one."""
    ours, theirs, into = [], [], "both"
    marks = {"both": ("<<<<<<<", "ours"), "ours": ("=======", "theirs"), "theirs": (">>>>>>>", "both")}
    found = False
    for line in text.splitlines(keepends=True) if "\n=======" in text else ():
        mark, then = marks[into if into != "base" else "ours"]
        if line.startswith(mark):
            into, found = then, True
        elif into == "ours" and line.startswith("|||||||"):
            into = "base"
        else:
            ours += [line] if into in ("both", "ours") else []
            theirs += [line] if into in ("both", "theirs") else []
    return ["".join(ours), "".join(theirs)] if found and into == "both" else [text]


def _cells(notebook: dict[str, Any], repairs: list[str]) -> list[dict[str, Any]]:
    cells = [_cell(cell) for cell in notebook["cells"]]
    if odd := sum(not _is_plain(cell) for cell in notebook["cells"]):
        repairs.append(CELLS.format(number=odd))
    return cells


def _text(data: bytes, repairs: list[str]) -> str:
    if not data.strip():
        raise UnreadableNotebook(EMPTY_FILE)
    encoding: str = json.detect_encoding(data)
    try:
        text = data.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        # Such bytes are of an encoding with one byte a letter; what JSON and Python need is the same in all of them.
        text, encoding = data.decode(encoding, "autograder-latin-1"), OLD_BYTES
    if encoding not in ("utf-8", "utf-8-sig"):
        repairs.append(ENCODING.format(encoding=encoding.upper() if encoding != OLD_BYTES else encoding))
    return text.lstrip("\ufeff")


def _byte_by_byte(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("autograder-latin-1", _byte_by_byte)


def _parsed(text: str, repairs: list[str]) -> Any:
    """The JSON of the text. A comma is put in, or taken out, only where a line ends and nothing else can stand."""
    for changed in range(_MOST_COMMAS + 1):
        try:
            content, end = _READ.raw_decode(text, len(text) - len(text.lstrip()))
            if (rest := text[end:].strip("\0\x1a \t\r\n")) and not _is_no_other(rest, text[:end].strip()):
                raise json.JSONDecodeError("Extra data", text, end)
        except RecursionError:
            raise UnreadableNotebook(_TOO_DEEP) from None
        except ValueError as error:
            at, why = getattr(error, "pos", 0), getattr(error, "msg", str(error))
            before = text[:at].rstrip()
            breaks = "\n" in text[len(before) : at]
            if breaks and why.startswith("Expecting ',' delimiter"):
                text = f"{before},{text[len(before) :]}"
            elif breaks and before.endswith(",") and text[at : at + 1] in ("]", "}"):
                text = before[:-1] + text[len(before) :]
            elif (trailing := re.compile(r",(?=\s*\n\s*[\]}])").match(text, at)) is not None:
                text = text[:at] + text[trailing.end() :]
            else:
                line = text.count("\n", 0, at) + 1
                raise UnreadableNotebook(NOT_JSON.format(line=line, why=why)) from None
        else:
            if changed:
                repairs.append(COMMAS.format(number=changed))
            if rest:
                repairs.append(MORE)
            return content
    raise UnreadableNotebook(COMMAS.format(number=f"more than {_MOST_COMMAS}"))


def _is_no_other(rest: str, notebook: str) -> bool:
    """Whether what follows a notebook cannot be meant: the same once more, or no part of a notebook's cells."""
    if '"cell' in rest:
        rest = rest.replace(notebook, "")
    return '"cell' not in rest and not rest.strip().startswith("{")


def _number(digits: str) -> int:
    return int(digits) if len(digits) < _LONGEST_NUMBER else 0


_READ = json.JSONDecoder(strict=False, parse_int=_number)


def _of_format_4(content: Any, repairs: list[str]) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise UnreadableNotebook(NO_NOTEBOOK)
    if "cells" not in content and isinstance(content.get("worksheets"), list):
        try:
            content = nbformat.convert(nbformat.from_dict({"nbformat": 3, "nbformat_minor": 0, **content}), 4)
        except Exception as error:  # whatever its converter makes of it
            raise UnreadableNotebook(NO_NOTEBOOK) from error
        repairs.append(OLDER.format(major=3))
    notebook: dict[str, Any] = content
    if isinstance(notebook.get("nbformat"), int) and notebook["nbformat"] > 4:
        raise UnreadableNotebook(NEWER.format(major=notebook["nbformat"]))
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise UnreadableNotebook(NO_NOTEBOOK)
    minor = content.get("nbformat_minor")
    if (
        content.get("nbformat") != 4
        or type(minor) is not int
        or minor < 0
        or not isinstance(content.get("metadata"), dict)
    ):
        repairs.append(PARTS)
    return notebook


def _is_plain(cell: Any) -> bool:
    return (
        isinstance(cell, dict)
        and cell.get("cell_type") in _KINDS
        and isinstance(cell.get("metadata"), dict)
        and (isinstance(cell.get("source"), str) or _is_lines(cell.get("source")))
    )


def _is_lines(source: Any) -> bool:
    return isinstance(source, list) and all(isinstance(line, str) for line in source)


def _cell(cell: Any) -> dict[str, Any]:
    """The cell with the fields that grading reads; one of an unknown kind is text."""
    cell = cell if isinstance(cell, dict) else {}
    kind = str(cell.get("cell_type")).lower()
    if kind not in _KINDS:  # only code has one of these
        kind = "code" if {"outputs", "execution_count", "input"} & cell.keys() else "markdown"
    text = _joined(cell.get("source", cell.get("input")))
    made: dict[str, Any] = {
        "cell_type": kind,
        "metadata": _mark(cell.get("metadata")),
        # A lone surrogate could not be written as UTF-8.
        "source": text.encode("utf-8", "replace").decode("utf-8"),
    }
    if isinstance(cell.get("id"), str):
        made["id"] = cell["id"]
    if made["cell_type"] == "code":
        made.update(outputs=[], execution_count=None)
    elif isinstance(cell.get("attachments"), dict):
        made["attachments"] = {name: data for name, data in cell["attachments"].items() if _is_bundle(data)}
    return made


def _mark(metadata: Any) -> dict[str, Any]:
    """The name that nbgrader knows the cell by. Nothing else of a student's metadata is used, however deep it is."""
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = marks.get("grade_id") if isinstance(marks, dict) else None
    return {"nbgrader": {"grade_id": name}} if isinstance(name, str) else {}


def _joined(source: Any) -> str:
    """The text of a cell. Of several lines the last alone may lack an end; if all do, they were split by their ends."""
    if not isinstance(source, list):
        return source if isinstance(source, str) else ""
    lines = [line for line in source if isinstance(line, str)]
    ends = len(lines) < 2 or any(line[-1:] in ("\n", "\r") for line in lines) or max(map(len, lines)) < 2
    return ("" if ends else "\n").join(lines)


def _is_bundle(data: Any) -> bool:
    """Whether an attachment is what nbformat takes for one; one that is not would cost the whole notebook."""
    return isinstance(data, dict) and all(isinstance(text, str) or _is_lines(text) for text in data.values())


def _bounded(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most `MOST_CELLS`; of more, empty cells that nothing is expected of are left out."""
    if len(cells) > MOST_CELLS:
        cells = [cell for cell in cells if cell["source"].strip() or "nbgrader" in cell["metadata"]]
    if len(cells) > MOST_CELLS:
        raise UnreadableNotebook(MANY_CELLS.format(most=MOST_CELLS))
    if sum(len(cell["source"]) for cell in cells) > MOST_TEXT * 1_000_000:
        raise UnreadableNotebook(MUCH_TEXT.format(most=MOST_TEXT))
    return cells
