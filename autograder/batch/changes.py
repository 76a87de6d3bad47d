"""Whose marks a run has changed, or would change: by how much, in which cells, and what their tests say of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autograder.batch.pool import Order
from autograder.batch.rows import Rows
from autograder.batch.save import Saving
from autograder.terminal.words import count, shown

NOBODY = "Nobody's marks change."
CHANGED = "The marks of {students} change:"
STUDENT = "  {student}  {before:g} -> {after:g} ({difference:+g})"
CELL = "    {cell}: {before} -> {after}{kept}{why}"
KEPT = " (a person's mark of {mark:g} stays)"
_LONGEST = 160


class Changes:
    """`course` names the cells; `saving` knows where the graded work lies, before it is put in place."""

    def __init__(self, course: Rows, saving: Saving) -> None:
        notebooks = {row["id"]: row["name"] for row in course["notebook"]}
        several = len(notebooks) > 1
        self._cells = {row["id"]: (notebooks[row["notebook_id"]], row["name"]) for row in course["base_cell"]}
        self._label = "{0}/{1}" if several else "{1}"
        self._saving = saving
        self.rows: list[dict[str, Any]] = []
        """A row a student, as the JSON summary has them."""

    def add(self, order: Order, said: Mapping[str, Any]) -> None:
        """Adds a submission, before its graded work is put in place."""
        before = {row["cell_id"]: row for row in order["rows"]["grade"]}
        if not before:
            return
        cells = []
        for row in said["rows"]["grade"]:
            old = before.get(row["cell_id"], {})
            if row["auto_score"] != old.get("auto_score"):
                notebook, name = self._cells[row["cell_id"]]
                folders = self._saving.in_place(order), self._saving.made(order, said)
                says = (_says(folder / f"{notebook}.ipynb", name) for folder in folders)
                cells.append(
                    {
                        "cell": self._label.format(notebook, name),
                        "before": old.get("auto_score"),
                        "after": row["auto_score"],
                        "by_person": row["manual_score"],
                        **dict(zip(("said_before", "says"), says, strict=True)),
                    }
                )
        points = [_points(rows) for rows in (order["rows"], said["rows"])]
        if cells or points[0] != points[1]:
            self.rows.append({"student": order["student"], "before": points[0], "after": points[1], "cells": cells})

    def by_student(self) -> list[dict[str, Any]]:
        """The rows in the order of the students' names; they come in the order in which graders are done."""
        return sorted(self.rows, key=lambda row: str(row["student"]))

    def show(self, say: Callable[[str], None]) -> None:
        """Shows them as a table."""
        if not self.rows:
            say(NOBODY)
            return
        say(CHANGED.format(students=count(len(self.rows), "student")))
        for row in self.by_student():
            before, after = row["before"], row["after"]
            name = shown(row["student"], 40)
            say(STUDENT.format(student=name, before=before, after=after, difference=after - before))
            for cell in row["cells"]:
                kept = "" if cell["by_person"] is None else KEPT.format(mark=cell["by_person"])
                why = " ".join(shown(text, _LONGEST) for text in (cell["says"],) if text)
                marks = {k: "no mark" if cell[k] is None else f"{cell[k]:g}" for k in ("before", "after")}
                say(CELL.format(cell=shown(cell["cell"], 60), **marks, kept=kept, why=why and f": {why}"))


def _points(rows: Rows) -> float:
    """All points of a submission, with a person's marks and the late penalty, as nbgrader counts them."""
    given = [(row["manual_score"], row["auto_score"], row["extra_credit"]) for row in rows["grade"]]
    earned = sum(
        (by_person if by_person is not None else auto or 0.0) + (extra or 0.0) for by_person, auto, extra in given
    )
    late = sum(row["late_submission_penalty"] or 0.0 for row in rows["submitted_notebook"])
    return max(0.0, earned - late)


def _says(notebook: Path, cell: str) -> str:
    """The last line that a test has shown, in a graded notebook; an error's name and text if it has failed by one."""
    try:
        cells = json.loads(notebook.read_bytes())["cells"]
    except (OSError, ValueError, KeyError):
        return ""
    for one in cells:
        if one["metadata"].get("nbgrader", {}).get("grade_id") != cell:
            continue
        for output in one.get("outputs", ()):
            if output["output_type"] == "error":
                return f"{output['ename']}: {output['evalue']}".splitlines()[0]
            if text := "".join(output.get("text", ())).strip():
                return str(text.splitlines()[-1])
    return ""
