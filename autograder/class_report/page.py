"""The report as one HTML page that opens anywhere: no script, nothing loaded, and a policy that enforces it.

Answers are students' texts and hostile: they are escaped, cut, and stand in parts of the page that are not shown until
their number in a heat map is followed. Names of students stand only in parts that are closed until somebody opens them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from autograder import feedback
from autograder.class_report import plots
from autograder.class_report.alike import MOST_PAIRS, PIECE, Alike
from autograder.class_report.figures import Cell, Figures, Row
from autograder.class_report.work import Work
from autograder.feedback import outputs, verdicts
from autograder.feedback.page import templates
from autograder.gradebook import spreadsheet
from autograder.gradebook.grades import natural

MOST_GROUPS, MOST_SENTENCES, MOST_BY_HAND, MOST_NAMES = 12, 6, 300, 3_000
"""Different answers of a heat map's cell, sentences at the top, rows of the by-hand list, names: how many are shown."""
_LONGEST = 3_000  # characters of an answer
_SHADES = 5
CUT = "\n… ({more} more characters)"


@dataclass(frozen=True)
class Sentence:
    """A sentence at the top of the page, and the number of the question that it is about."""

    text: str
    question: int


def html(work: Work, figures: Figures, similar: Alike) -> str:
    """The whole page."""
    return str(
        _template().render(
            work=work,
            figures=figures,
            similar=similar,
            sentences=list(_sentences(figures.questions)),
            marks=outputs.svg(plots.marks(figures)),
            parts=outputs.svg(plots.questions(figures.questions)),
            people={
                reason: sorted((s.name for s in work.students if reason in s.reasons), key=natural)
                for reason in figures.people
            },
            persons=len({s.name for s in work.students if s.pending or s.reasons} | set(work.unread)),
            waiting=[student.name for student in work.students if student.pending],
            source={(q, a.student): a.source for q, answers in work.answers.items() for a in answers},
            style=_style(),
            piece=PIECE,
            most_pairs=MOST_PAIRS,
            most_groups=MOST_GROUPS,
            most_by_hand=MOST_BY_HAND,
        )
    )


@cache
def _template() -> Any:
    environment = templates("autograder.class_report")
    environment.filters.update(
        number=spreadsheet.cell, code=_code, said=_said, names=_names, shade=_shade, with_code=outputs.with_code
    )
    return environment.get_template("page.html.j2")


@cache
def _style() -> Markup:
    """The style of feedback pages, and what only a report has."""
    files = (Path(feedback.__file__).with_name("page.css"), Path(__file__).with_name("page.css"))
    return Markup("\n".join(file.read_text(encoding="utf-8") for file in files))


def _sentences(rows: Sequence[Row]) -> Iterable[Sentence]:
    """What most students of all got wrong, over all questions."""
    found: list[tuple[int, int, str]] = []
    for number, row in enumerate(rows, 1):
        counts = sorted((row.broke(where) for where in row.wheres), reverse=True)
        found += [(count, number, text) for count, text in zip(counts, row.sentences, strict=True)]
        found += [(c.students, number, f"{c.students} of {row.counted}: {c.what}.") for c in row.others]
    for _, number, text in sorted(found, key=lambda each: (-each[0], each[1]))[:MOST_SENTENCES]:
        yield Sentence(text, number)


def _shade(cell: Cell, row: Row) -> int:
    """How dark a cell is, from 1 to 5, by its share of the question's largest."""
    return -(-_SHADES * cell.students // max(each.students for each in row.cells))


def _code(source: str) -> Markup:
    cut = len(source) - _LONGEST
    return outputs.printed(source[:_LONGEST] + CUT.format(more=cut) if cut > 0 else source)


def _said(message: str) -> Markup:
    return outputs.message(verdicts.first(message))


def _names(students: Sequence[str]) -> str:
    more = len(students) - MOST_NAMES
    return ", ".join(students[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
