"""The figures of the report as a CSV file, a figure a line, and as JSON. Neither names a student or holds an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.class_report.alike import Alike
from autograder.class_report.figures import Figures, Row
from autograder.gradebook import spreadsheet
from autograder.gradebook.spreadsheet import Value

COLUMNS = ("about", "question", "derivative", "mistake", "figure", "value")
_OF_THE_CLASS = (
    *("possible", "graded", "marked", "waiting", "ungraded", "nothing", "late"),
    *("first", "median_time", "last", "mean", "median", "deviation"),
)
_OF_A_QUESTION = (
    *("possible", "counted", "waiting", "mean", "full", "partly", "none", "unanswered", "discrimination"),
    *("attempts", "attempt"),
)


def data(figures: Figures, similar: Alike) -> dict[str, Any]:
    """All figures, as JSON has them."""
    return {
        "assignment": figures.assignment,
        "class": {name: _rounded(getattr(figures, name)) for name in _OF_THE_CLASS},
        "marks": [
            {"from": _rounded(bin.low), "below": _rounded(bin.high), "students": bin.students} for bin in figures.bins
        ],
        "questions": [_question(row) for row in figures.questions],
        "needs_a_person": {reason.name: count for reason, count in figures.people.items()},
        "by_hand": figures.by_hand,
        "alike": {"pairs": similar.found, "least_bits": _rounded(similar.least)},
    }


def _question(row: Row) -> dict[str, Any]:
    mistakes = [{"derivative": cell.where, "mistake": cell.what, "students": cell.students} for cell in row.cells]
    about = {name: _rounded(getattr(row, name)) for name in _OF_A_QUESTION}
    return {"question": row.name, **about, "mistakes": mistakes}


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def _rows(made: dict[str, Any]) -> Iterator[dict[str, Value]]:
    """The same figures, a line each."""
    for name, value in made["class"].items():
        yield {"about": "class", "figure": name, "value": _cell(value)}
    for bin in made["marks"]:
        words = f"{bin['from']:g} to below {bin['below']:g}"
        yield {"about": "marks", "figure": words, "value": _cell(bin["students"])}
    for question in made["questions"]:
        name = {"question": question["question"]}
        for figure in _OF_A_QUESTION:
            yield {"about": "question", **name, "figure": figure, "value": _cell(question[figure])}
        for mistake in question["mistakes"]:
            where = {"derivative": mistake["derivative"], "mistake": mistake["mistake"]}
            yield {"about": "mistake", **name, **where, "figure": "students", "value": _cell(mistake["students"])}
    for about in ("needs_a_person", "by_hand", "alike"):
        for figure, value in made[about].items():
            yield {"about": about, "figure": figure, "value": _cell(value)}


def _cell(value: Any) -> Any:
    """A count without decimals; other numbers have two in all CSV files of the course."""
    return str(value) if isinstance(value, int) else value


def write(folder: Path, figures: Figures, similar: Alike) -> None:
    """Writes report.csv and report.json; CannotWrite if that fails."""
    made = data(figures, similar)
    spreadsheet.write(folder / "report.csv", COLUMNS, _rows(made))
    spreadsheet.replace(folder / "report.json", (json.dumps(made, indent=2, ensure_ascii=False) + "\n").encode())
