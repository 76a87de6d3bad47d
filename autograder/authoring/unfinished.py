"""Finds what must be corrected in a notebook before its release: a sentence for each, with the cell and the remedy.

The rules here look at the text only; `current` adds those for which the cells must run. A notebook that neither has
`@question` cells nor asks a question for points has no problems.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from autograder.authoring import current, points, source
from autograder.authoring.source import BEGIN_HIDDEN, END_HIDDEN, OF_A_QUESTION, SUFFIXES


def problems(notebook: Any) -> list[str]:
    """A sentence for each reason not to release the notebook."""
    named = _named(notebook)
    families = [name for name in _families(named) if _is_ours(name, named)]
    elsewhere = list(points.problems(notebook, {f"{name}-hidden" for name in families}))
    if not families:
        return elsewhere
    found = [*_duplicates(notebook, families), *_set_up(notebook, families)]
    for name in families:
        found += _of_question(name, named)
    return found + elsewhere + current.problems(notebook)


def _named(notebook: Any) -> dict[str, Any]:
    """The first cell of each grade_id: nbgrader's metadata, with position, kind and source."""
    made: dict[str, Any] = {}
    for at, cell in enumerate(notebook.cells):
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("grade_id"):
            made.setdefault(marks["grade_id"], {"at": at, "kind": cell.cell_type, "source": cell.source, **marks})
    return made


def _families(named: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(m[1] for grade_id in named if (m := OF_A_QUESTION.match(grade_id))))


def _is_ours(name: str, named: dict[str, Any]) -> bool:
    """Whether `name` is a question's: `@question` is in its forward cell, or one of its tests calls it."""
    forward = named.get(f"{name}-forward")
    if forward and source.decorated(forward["source"]):
        return True
    return any(source.calls(named[g]["source"], m) for g, m in _tests(name) if g in named)


def _tests(name: str) -> tuple[tuple[str, str], ...]:
    return ((f"{name}-check", "check"), (f"{name}-hidden", "grade"))


def _of_question(name: str, named: dict[str, Any]) -> Iterator[str]:
    have = [s for s in SUFFIXES if f"{name}{s}" in named]
    if "-forward" not in have:
        left = ", ".join(f"{name}{suffix}" for suffix in have)
        yield f"{left}: the forward pass {name}-forward is missing; put that cell back, or remove these cells too."
        return
    made = source.decorated(named[f"{name}-forward"]["source"])
    if made != [name]:
        says = f"defines {', '.join(made)}" if made else "has no function under @question(…)"
        yield f"{name}-forward: it {says}; it must hold `def {name}(…):` under @question(…). Rename one of the two."
    for suffix in (s for s in SUFFIXES if s not in have):
        yield f"{name}{suffix}: the cell is missing; run `autograder refresh {name}`, which adds it."
    places = [(named[f"{name}{s}"]["at"], s) for s in have]
    for (before, above), (after, below) in pairwise(places):
        if before > after:
            yield f"{name}{below}: it stands above {name}{above}; move it below."
    yield from _marks(name, named)
    yield from _texts(name, named)
    for grade_id, method in _tests(name):
        if grade_id in named:
            yield from _test(name, grade_id, method, named[grade_id])


def _marks(name: str, named: dict[str, Any]) -> Iterator[str]:
    """Cells of another kind than the Create Assignment panel should show."""
    wanted = {
        "-statement": (True, False, False, "Read-only"),
        "-forward": (True, False, False, "Read-only"),
        "": (False, True, False, "Autograded answer"),
        "-check": (True, False, True, "Autograder tests"),
        "-hidden": (True, False, True, "Autograder tests"),
    }
    for suffix, (read_only, solution, grade, kind) in wanted.items():
        cell = named.get(f"{name}{suffix}")
        # nbgrader locks graded tests itself when it generates.
        if cell and (cell.get("solution"), cell.get("grade")) != (solution, grade):
            yield f"{name}{suffix}: it must be of the kind `{kind}`; choose that in the Create Assignment panel."
        elif cell and read_only and not grade and not cell.get("locked"):
            yield f"{name}{suffix}: students could change it; choose `{kind}` in the Create Assignment panel."


def of_statement(name: str, text: str) -> Iterator[str]:
    """A sentence for each placeholder left in the statement."""
    if re.search(r"\bTODO\b", text):
        yield f"{name}-statement: it still says TODO; write the words that belong there."
    if re.search(r"^\s*(?:\.\.\.|…)\s*$", text, re.MULTILINE):
        yield f"{name}-statement: a line of it is still `...`; write the words that belong there."


def _texts(name: str, named: dict[str, Any]) -> Iterator[str]:
    yield from of_statement(name, named.get(f"{name}-statement", {}).get("source", ""))
    solution = named.get(name)
    if solution and source.placeholder(solution["source"]):
        yield f"{name}: the solution still holds `...` or TODO; write its lines."
        return
    for suffix in ("", "-forward", "-check", "-hidden"):
        if re.search(r"\bTODO\b", named.get(f"{name}{suffix}", {}).get("source", "")):
            yield f"{name}{suffix}: it still says TODO; write what belongs there, or take the word out."


def _test(name: str, grade_id: str, method: str, cell: Any) -> Iterator[str]:
    asked = source.calls(cell["source"], method)
    others = sorted({of for of, _ in asked} - {name})
    if others:
        yield f"{grade_id}: it asks {others[0]}.{method}(…), which is another question; write {name}.{method}(…)."
        return
    if not asked:
        yield f"{grade_id}: it never asks {name}.{method}(…); write that line."
        return
    if method == "check":
        return
    call = asked[-1][1]
    given = points.value(source.argument(call, "points", 0))
    worth = cell.get("points")
    if given is None and worth is not None:
        yield (
            f"{grade_id}: {name}.grade(…) must give its points as a number, because they have to be the {worth:g} of "
            f"the Create Assignment panel; write points={worth:g}."
        )
    elif given is not None and worth is not None and given != worth:
        yield (
            f"{grade_id}: the Create Assignment panel gives {worth:g} points and {name}.grade(points={given:g}) gives "
            f"{given:g}; run `autograder refresh {name}` to take the {worth:g} of the panel, or change the panel."
        )
    if not source.is_last(cell["source"], call):
        yield (
            f"{grade_id}: {name}.grade(…) must be the last line, by itself and without `;`, because nbgrader reads the "
            "number that it gives."
        )
    lines = [line.strip() for line in cell["source"].split("\n")]
    hidden = _lines_between(lines, BEGIN_HIDDEN, END_HIDDEN)
    if any(call.lineno - 1 not in hidden for _, call in asked):
        yield (
            f"{grade_id}: students would see the line {name}.grade(…) with its seed; put it between the lines "
            f"`{BEGIN_HIDDEN}` and `{END_HIDDEN}`."
        )


def _lines_between(lines: list[str], begin: str, end: str) -> set[int]:
    """The indices of lines between `begin` and `end`; a cell may have several such regions."""
    found: set[int] = set()
    start = None
    for number, line in enumerate(lines):
        if line == begin and start is None:
            start = number
        elif line == end and start is not None:
            found.update(range(start, number))
            start = None
    return found


def _duplicates(notebook: Any, families: list[str]) -> Iterator[str]:
    ids = [c.metadata.get("nbgrader", {}).get("grade_id", "") for c in notebook.cells]
    for name in families:
        names = [i for i, n in Counter(ids).items() if n > 1 and (of := OF_A_QUESTION.match(i)) and of[1] == name]
        if names:
            yield f"{', '.join(names)}: more than one cell has this name; give the others another name, or remove them."
    defined = Counter(
        n for c in notebook.cells if c.cell_type == "code" and source.locked(c) for n in source.decorated(c.source)
    )
    for name, count in defined.items():
        if count > 1 and ids.count(f"{name}-forward") < 2:
            yield f"{name}: {count} cells define a question of this name; give each its own."


def _set_up(notebook: Any, families: list[str]) -> Iterator[str]:
    """Forward cells that use `question` or `torch` although no locked cell above imports it."""
    bound: set[str] = set()
    for cell in notebook.cells:
        if cell.cell_type != "code" or not source.locked(cell):
            continue
        of = OF_A_QUESTION.match(source.grade_id(cell))
        if of and of[1] in families and of[2] == "-forward":
            for name, line in (("question", "from autograder import question"), ("torch", "import torch")):
                if name in source.loaded(cell.source) and name not in bound | source.bound(cell.source):
                    yield (
                        f"{of[0]}: no locked cell above it holds `{line}`; put the set-up cell back "
                        "(read-only, above the first question)."
                    )
                    return
        bound |= source.bound(cell.source)
