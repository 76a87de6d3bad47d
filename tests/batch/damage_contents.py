"""Damages to what is in the cells of a notebook, and to its format; they are called as those of `damage_cells`."""

from __future__ import annotations

import json
import random

from tests.batch.damage_cells import ODD, Content, Damage, some_of, text_of


def text_of_an_odd_type(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance):
        cell["source"] = chance.choice((*ODD, {"text": "lost"}, [["a"], 1]))


def text_as_one_string(content: Content, _: random.Random) -> None:
    for cell in content["cells"]:
        if isinstance(cell, dict):
            cell["source"] = text_of(cell)


def text_as_lines_without_ends(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance, 20):
        cell["source"] = text_of(cell).split("\n")


def text_as_letters(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance, 20):
        cell["source"] = list(text_of(cell))


def lines_of_odd_types_among_the_text(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance, 20):
        lines = text_of(cell).splitlines(keepends=True)
        cell["source"] = [part for line in lines for part in ([line, chance.choice((None, 7))])]


def returns_in_the_text(content: Content, chance: random.Random) -> None:
    end = chance.choice(("\r\n", "\r"))
    for cell in content["cells"]:
        if isinstance(cell, dict):
            cell["source"] = text_of(cell).replace("\n", end)


def blanks_at_line_ends(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance, 10**6):
        cell["source"] = text_of(cell).replace("\n", " \n")


def a_lone_surrogate(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance):
        cell["source"] = f"# \ud83d\n{text_of(cell)}" if cell.get("cell_type") == "code" else f"{text_of(cell)} \udc00"


def a_nul(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance, 1):
        text = text_of(cell)
        at = chance.randrange(len(text) + 1)
        cell["source"] = f"{text[:at]}\x00{text[at:]}"


def odd_outputs(content: Content, chance: random.Random) -> None:
    bad = ({"output_type": "stream"}, {"output_type": "display_data", "data": {"text/html": {"a": 1}}}, {"x": 1}, 7)
    for cell in some_of(content, chance, 10):
        cell.update(outputs=chance.choice((*ODD, list(bad))), execution_count=chance.choice(ODD))


def odd_attachments(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance, 6):
        cell["attachments"] = chance.choice((*ODD, {"a.png": {"image/png": chance.choice(ODD)}}, {"a.png": 7}))


def ids_that_are_none(content: Content, chance: random.Random) -> None:
    way = chance.choice(("absent", "same", "odd"))
    for cell in content["cells"]:
        if isinstance(cell, dict):
            cell.pop("id", None)
            if way != "absent":
                cell["id"] = "same" if way == "same" else chance.choice(ODD)


def strange_keys(content: Content, chance: random.Random) -> None:
    for place in (content, *some_of(content, chance, 10)):
        place[chance.choice(("level", "prompt_number", "__class__", "", "cells ", "nbgrader"))] = chance.choice(ODD)


# The format


def format_of_an_odd_number(content: Content, chance: random.Random) -> None:
    content[chance.choice(("nbformat", "nbformat_minor"))] = chance.choice((None, "4", 4.0, 0, -1, 99, [4], True))


def without_a_format(content: Content, _: random.Random) -> None:
    content.pop("nbformat", None)
    content.pop("nbformat_minor", None)


def format_4_0(content: Content, _: random.Random) -> None:
    content["nbformat_minor"] = 0
    for cell in content["cells"]:
        if isinstance(cell, dict):
            cell.pop("id", None)


def format_3(content: Content, _: random.Random) -> None:
    """What IPython 2 would have written."""
    cells = []
    for cell in content["cells"]:
        if isinstance(cell, dict):
            old = {"cell_type": cell.get("cell_type"), "metadata": cell.get("metadata", {})}
            code = cell.get("cell_type") == "code"
            more = {"input": text_of(cell), "language": "python", "outputs": [], "collapsed": False, "prompt_number": 1}
            cells.append({**old, **(more if code else {"source": text_of(cell)})})
    content.clear()
    content.update(nbformat=3, nbformat_minor=0, metadata={"name": ""}, worksheets=[{"cells": cells, "metadata": {}}])


def deep_metadata(content: Content, chance: random.Random) -> None:
    depth = chance.choice((50, 300, 900, 1100, 20_000))
    content["metadata"] = {"deep": f"@{depth}@"}


def written(content: Content, chance: random.Random) -> str:
    """The text of the file."""
    text = json.dumps(content, indent=chance.choice((1, 1, 1, 2, None)), ensure_ascii=True)
    for depth in (50, 300, 900, 1100, 20_000):  # `json` cannot write what is so deep
        text = text.replace(f'"@{depth}@"', "[" * depth + "]" * depth)
    return text


ALL: tuple[Damage, ...] = (
    *(text_of_an_odd_type, text_as_one_string, text_as_lines_without_ends, text_as_letters),
    *(lines_of_odd_types_among_the_text, returns_in_the_text, blanks_at_line_ends, a_lone_surrogate, a_nul),
    *(odd_outputs, odd_attachments, ids_that_are_none, strange_keys, format_of_an_odd_number, without_a_format),
    *(format_4_0, format_3, deep_metadata),
)
