"""Damages to the cells of a notebook and to their metadata: each takes the parsed file and a source of chance.

They do what editors, converters, merge tools and people do to a notebook. None of them edits what is written in an
answer; what is lost is lost as a whole.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

Content = dict[str, Any]
Cell = dict[str, Any]
Damage = Callable[[Content, random.Random], object]

ODD: tuple[Any, ...] = (None, 7, -1.5, True, "text", "", [], [1, None], {}, {"a": {"b": [1]}}, 10**30)
"""Values that have no place in a notebook."""


def text_of(cell: Cell) -> str:
    source = cell.get("source")
    if isinstance(source, list):
        return "".join(line for line in source if isinstance(line, str))
    return source if isinstance(source, str) else ""


def some_of(content: Content, chance: random.Random, most: int = 3) -> list[Cell]:
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
    for cell in some_of(content, chance):
        content["cells"].insert(_at(content, chance), copy.deepcopy(cell))


def duplicated_beside_itself(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance):
        content["cells"].insert(content["cells"].index(cell), copy.deepcopy(cell))


def all_twice(content: Content, _: random.Random) -> None:
    content["cells"] += copy.deepcopy(content["cells"])


def deleted(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance):
        content["cells"].remove(cell)


def most_deleted(content: Content, chance: random.Random) -> None:
    content["cells"] = [cell for cell in content["cells"] if chance.random() < 0.3]


def tests_deleted(content: Content, _: random.Random) -> None:
    content["cells"] = [cell for cell in content["cells"] if not (_marks(cell) or {}).get("locked")]


def moved(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance):
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
            cells[at]["source"] = text_of(cells[at]) + chance.choice(("\n", "\n\n")) + text_of(below)


def split(content: Content, chance: random.Random) -> None:
    """As JupyterLab splits: what is above the cursor keeps the metadata, or what is below it does."""
    for cell in some_of(content, chance):
        lines = text_of(cell).splitlines(keepends=True)
        at = chance.randrange(len(lines) + 1)
        other = {**copy.deepcopy(cell), "metadata": {}, "source": "".join(lines[:at])}
        cell["source"] = "".join(lines[at:])
        if chance.random() < 0.5:
            other["metadata"], cell["metadata"] = cell.get("metadata"), {}
        content["cells"].insert(content["cells"].index(cell), other)


def retyped(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance):
        cell["cell_type"] = chance.choice(("code", "markdown", "raw"))


def retyped_without_marks(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance):
        cell.update(cell_type=chance.choice(("code", "markdown", "raw")), metadata={})


def of_an_odd_type(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance):
        cell["cell_type"] = chance.choice(("Code", "CODE", "heading", "python", *ODD))


def without_a_type(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance):
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
    new: Cell = {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
    content["cells"].insert(_at(content, chance), new)


# Metadata


def marks_lost(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance, 6):
        cell["metadata"] = {}


def all_marks_lost(content: Content, _: random.Random) -> None:
    for cell in some_of(content, random.Random(0), 10**6):
        cell["metadata"] = {}


def all_metadata_lost(content: Content, chance: random.Random) -> None:
    content.pop("metadata", None)
    for cell in content["cells"]:
        if isinstance(cell, dict):
            cell.pop("metadata", None)


def copied_into_a_new_notebook(content: Content, _: random.Random) -> None:
    """All cells with text, without any marks."""
    cells = [{**c, "metadata": {}} for c in content["cells"] if isinstance(c, dict) and text_of(c).strip()]
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
    for cell in some_of(content, chance):
        cell["metadata"] = chance.choice((*ODD, {"nbgrader": chance.choice(ODD)}))


def names_of_an_odd_type(content: Content, chance: random.Random) -> None:
    for cell in _marked(content, chance):
        cell["metadata"]["nbgrader"]["grade_id"] = chance.choice((*ODD, "q" * 5000, "\ud800", "q1\x00"))


def odd_metadata_besides(content: Content, chance: random.Random) -> None:
    for cell in some_of(content, chance, 6):
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


OFTEN: tuple[Damage, ...] = (
    *(renamed, duplicated, duplicated_beside_itself, deleted, moved, shuffled, merged, split, retyped),
    *(retyped_without_marks, marks_lost, all_marks_lost, copied_into_a_new_notebook, marks_of_another_cell),
)
"""These come three times as often."""
SELDOM: tuple[Damage, ...] = (
    *(all_twice, most_deleted, tests_deleted, backwards, of_an_odd_type, without_a_type, strangers_among_cells),
    *(cells_of_a_wrong_type, scratch_that_fails, all_metadata_lost, marks_edited, marks_exchanged),
    *(marks_of_another_schema, marks_of_an_odd_type, names_of_an_odd_type, odd_metadata_besides),
    odd_notebook_metadata,
)
