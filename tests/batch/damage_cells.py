"""Damages to the cells of a notebook: each takes the parsed file and a source of chance, and changes the file.

They do what editors, converters, merge tools and people do to a notebook. None of them edits what is written in an
answer; what is lost is lost as a whole.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from typing import Any

Content = dict[str, Any]
Cell = dict[str, Any]
Damage = Callable[[Content, random.Random], object]

ODD: tuple[Any, ...] = (None, 7, -1.5, True, "text", "", [], [1, None], {}, {"a": {"b": [1]}}, 10**30)
"""Values that have no place in a notebook."""


def _text(cell: Cell) -> str:
    source = cell.get("source")
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def _some(content: Content, chance: random.Random, most: int = 3) -> list[Cell]:
    """One cell or a few, of those that still are cells."""
    cells = [cell for cell in content["cells"] if isinstance(cell, dict)]
    return chance.sample(cells, min(len(cells), chance.randint(1, most)))


def _marks(cell: Cell) -> Cell | None:
    about = cell.get("metadata")
    marks = about.get("nbgrader") if isinstance(about, dict) else None
    return marks if isinstance(marks, dict) else None


def _marked(content: Content, chance: random.Random, most: int = 3) -> list[Cell]:
    cells = [cell for cell in content["cells"] if isinstance(cell, dict) and _marks(cell)]
    return chance.sample(cells, min(len(cells), chance.randint(1, most)))


def _at(content: Content, chance: random.Random) -> int:
    return chance.randrange(len(content["cells"]) + 1)


# Cells as a whole


def renamed(content: Content, chance: random.Random) -> None:
    for cell in _marked(content, chance):
        name = str(cell["metadata"]["nbgrader"].get("grade_id", ""))
        new = chance.choice((f"{name}-copy", name.upper(), f"cell-{chance.randrange(10**8):08x}", "", " " + name, "é"))
        cell["metadata"]["nbgrader"]["grade_id"] = new


def duplicated(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance):
        content["cells"].insert(_at(content, chance), copy.deepcopy(cell))


def duplicated_beside_itself(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance):
        content["cells"].insert(content["cells"].index(cell), copy.deepcopy(cell))


def all_twice(content: Content, _: random.Random) -> None:
    content["cells"] += copy.deepcopy(content["cells"])


def deleted(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance):
        content["cells"].remove(cell)


def most_deleted(content: Content, chance: random.Random) -> None:
    content["cells"] = [cell for cell in content["cells"] if chance.random() < 0.3]


def tests_deleted(content: Content, _: random.Random) -> None:
    content["cells"] = [cell for cell in content["cells"] if not (_marks(cell) or {}).get("locked")]


def moved(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance):
        content["cells"].remove(cell)
        content["cells"].insert(_at(content, chance), cell)


def shuffled(content: Content, chance: random.Random) -> None:
    chance.shuffle(content["cells"])


def backwards(content: Content, _: random.Random) -> None:
    content["cells"].reverse()


def merged(content: Content, chance: random.Random) -> None:
    """As JupyterLab merges: the first cell's metadata and kind stay."""
    for _ in range(chance.randint(1, 3)):
        cells = content["cells"]
        at = chance.randrange(max(1, len(cells) - 1))
        if at + 1 < len(cells) and isinstance(cells[at], dict) and isinstance(cells[at + 1], dict):
            below = cells.pop(at + 1)
            cells[at]["source"] = _text(cells[at]) + chance.choice(("\n", "\n\n")) + _text(below)


def split(content: Content, chance: random.Random) -> None:
    """As JupyterLab splits: what is above the cursor keeps the metadata, or what is below it does."""
    for cell in _some(content, chance):
        lines = _text(cell).splitlines(keepends=True)
        at = chance.randrange(len(lines) + 1)
        other = {**copy.deepcopy(cell), "metadata": {}, "source": "".join(lines[:at])}
        cell["source"] = "".join(lines[at:])
        if chance.random() < 0.5:
            other["metadata"], cell["metadata"] = cell.get("metadata"), {}
        content["cells"].insert(content["cells"].index(cell), other)


def retyped(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance):
        cell["cell_type"] = chance.choice(("code", "markdown", "raw"))


def retyped_without_marks(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance):
        cell.update(cell_type=chance.choice(("code", "markdown", "raw")), metadata={})


def of_an_odd_type(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance):
        cell["cell_type"] = chance.choice(("Code", "CODE", "heading", "python", *ODD))


def without_a_type(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance):
        cell.pop("cell_type", None)


def strangers_among_cells(content: Content, chance: random.Random) -> None:
    for _ in range(chance.randint(1, 3)):
        content["cells"].insert(_at(content, chance), chance.choice(ODD))


def cells_of_a_wrong_type(content: Content, chance: random.Random) -> None:
    content["cells"] = chance.choice((None, 7, "cells", {}, {"0": content["cells"]}, [content["cells"]]))


def scratch_that_fails(content: Content, chance: random.Random) -> None:
    source = chance.choice(
        ("1/0", "import no_such_module", "exit()", "%no_such_magic", "def f(:", "raise SystemExit", "input()")
    )
    new = {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
    content["cells"].insert(_at(content, chance), new)


# Metadata


def marks_lost(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance, 6):
        cell["metadata"] = {}


def all_marks_lost(content: Content, _: random.Random) -> None:
    for cell in _some(content, random.Random(0), 10**6):
        cell["metadata"] = {}


def all_metadata_lost(content: Content, chance: random.Random) -> None:
    content.pop("metadata", None)
    for cell in content["cells"]:
        if isinstance(cell, dict):
            cell.pop("metadata", None)


def copied_into_a_new_notebook(content: Content, _: random.Random) -> None:
    """All cells with text, without any marks."""
    cells = [{**c, "metadata": {}} for c in content["cells"] if isinstance(c, dict) and _text(c).strip()]
    content.update(cells=cells, metadata={})


def marks_edited(content: Content, chance: random.Random) -> None:
    for cell in _marked(content, chance):
        for key in ("grade", "locked", "solution", "task"):
            if chance.random() < 0.5:
                cell["metadata"]["nbgrader"][key] = chance.choice((True, False))
        cell["metadata"]["nbgrader"]["points"] = chance.choice((0, 1000, -5, 1e300, float("nan"), "all"))


def marks_of_another_cell(content: Content, chance: random.Random) -> None:
    for cell in _marked(content, chance):
        other = chance.choice(_marked(content, chance))
        cell["metadata"] = copy.deepcopy(other["metadata"])


def marks_exchanged(content: Content, chance: random.Random) -> None:
    cells = _marked(content, chance, 10**6)[:2]
    if len(cells) == 2:
        cells[0]["metadata"], cells[1]["metadata"] = cells[1]["metadata"], cells[0]["metadata"]


def marks_of_another_schema(content: Content, chance: random.Random) -> None:
    version = chance.choice((0, 1, 2, 4, 99, "3", None, 3.5))
    for cell in _marked(content, chance, 10**6):
        cell["metadata"]["nbgrader"]["schema_version"] = version


def marks_of_an_odd_type(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance):
        cell["metadata"] = chance.choice((*ODD, {"nbgrader": chance.choice(ODD)}))


def names_of_an_odd_type(content: Content, chance: random.Random) -> None:
    for cell in _marked(content, chance):
        cell["metadata"]["nbgrader"]["grade_id"] = chance.choice((*ODD, "q" * 5000, "\ud800", "q1\x00"))


def odd_metadata_besides(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance, 6):
        if isinstance(cell.get("metadata"), dict):
            cell["metadata"][chance.choice(("tags", "collapsed", "editable", "autograder", "slideshow"))] = (
                chance.choice(ODD)
            )


def odd_notebook_metadata(content: Content, chance: random.Random) -> None:
    about = content.get("metadata")
    content["metadata"] = chance.choice(
        (
            *ODD,
            {"kernelspec": chance.choice(ODD)},
            {"kernelspec": {"name": "ir", "language": "R", "display_name": "R"}, "language_info": {"name": "R"}},
            {**(about if isinstance(about, dict) else {}), "autograder": {"ungradable": True, "needs_a_person": [7]}},
        )
    )


# What is in a cell


def text_of_an_odd_type(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance):
        cell["source"] = chance.choice((*ODD, {"text": "lost"}, [["a"], 1]))


def text_as_one_string(content: Content, _: random.Random) -> None:
    for cell in content["cells"]:
        if isinstance(cell, dict):
            cell["source"] = _text(cell)


def text_as_lines_without_ends(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance, 20):
        cell["source"] = _text(cell).split("\n")


def text_as_letters(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance, 20):
        cell["source"] = list(_text(cell))


def lines_of_odd_types_among_the_text(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance, 20):
        lines = _text(cell).splitlines(keepends=True)
        cell["source"] = [part for line in lines for part in ([line, chance.choice((None, 7))])]


def returns_in_the_text(content: Content, chance: random.Random) -> None:
    end = chance.choice(("\r\n", "\r"))
    for cell in content["cells"]:
        if isinstance(cell, dict):
            cell["source"] = _text(cell).replace("\n", end)


def blanks_at_line_ends(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance, 10**6):
        cell["source"] = _text(cell).replace("\n", " \n")


def a_lone_surrogate(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance):
        cell["source"] = f"# \ud83d\n{_text(cell)}" if cell.get("cell_type") == "code" else f"{_text(cell)} \udc00"


def a_nul(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance, 1):
        text = _text(cell)
        at = chance.randrange(len(text) + 1)
        cell["source"] = f"{text[:at]}\x00{text[at:]}"


def odd_outputs(content: Content, chance: random.Random) -> None:
    bad = ({"output_type": "stream"}, {"output_type": "display_data", "data": {"text/html": {"a": 1}}}, {"x": 1}, 7)
    for cell in _some(content, chance, 10):
        cell.update(outputs=chance.choice((*ODD, list(bad))), execution_count=chance.choice(ODD))


def odd_attachments(content: Content, chance: random.Random) -> None:
    for cell in _some(content, chance, 6):
        cell["attachments"] = chance.choice((*ODD, {"a.png": {"image/png": chance.choice(ODD)}}, {"a.png": 7}))


def ids_that_are_none(content: Content, chance: random.Random) -> None:
    way = chance.choice(("absent", "same", "odd"))
    for cell in content["cells"]:
        if isinstance(cell, dict):
            cell.pop("id", None)
            if way != "absent":
                cell["id"] = "same" if way == "same" else chance.choice(ODD)


def strange_keys(content: Content, chance: random.Random) -> None:
    for place in (content, *_some(content, chance, 10)):
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
            more = {"input": _text(cell), "language": "python", "outputs": [], "collapsed": False, "prompt_number": 1}
            cells.append({**old, **(more if code else {"source": _text(cell)})})
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


OFTEN: tuple[Damage, ...] = (
    *(renamed, duplicated, duplicated_beside_itself, deleted, moved, shuffled, merged, split, retyped),
    *(retyped_without_marks, marks_lost, all_marks_lost, copied_into_a_new_notebook, marks_of_another_cell),
)
"""Of these there are so many kinds that they come three times as often."""
SELDOM: tuple[Damage, ...] = (
    *(all_twice, most_deleted, tests_deleted, backwards, of_an_odd_type, without_a_type, strangers_among_cells),
    *(cells_of_a_wrong_type, scratch_that_fails, all_metadata_lost, marks_edited, marks_exchanged),
    *(marks_of_another_schema, marks_of_an_odd_type, names_of_an_odd_type, odd_metadata_besides),
    *(odd_notebook_metadata, text_of_an_odd_type, text_as_one_string, text_as_lines_without_ends, text_as_letters),
    *(lines_of_odd_types_among_the_text, returns_in_the_text, blanks_at_line_ends, a_lone_surrogate, a_nul),
    *(odd_outputs, odd_attachments, ids_that_are_none, strange_keys, format_of_an_odd_number, without_a_format),
    *(format_4_0, format_3, deep_metadata),
)
