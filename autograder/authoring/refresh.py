"""`autograder refresh`: rewrites what follows from the forward pass in a question's five cells, and keeps the rest.

Kept: title, words, hints, solution, points and seed. Rewritten if it differs: the statement's picture and its two
generated sentences, the `def` line, given lines and return of the answer, the comments of the two graded cells. A
missing cell is added.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.authoring import answer, cells, questions
from autograder.authoring.points import value
from autograder.authoring.source import SUFFIXES, argument, calls, grade_id
from autograder.questions import Question

_TESTED = re.compile(r"^\*\*Tested:\*\*.*$", re.MULTILINE)
_POINTS = re.compile(r"^\*\*Points:\*\*.*$", re.MULTILINE)
_CHECK = re.compile(
    r"^# Run this after your (?:cell|answer)\b.*\n(?:(?:#.*\n)*?# (?:Try|You can try) a point of your own.*\n)?",
    re.MULTILINE,
)
_HIDDEN = re.compile(r"^# Hidden tests:(?:.*\n#)*?.*full marks\.\n", re.MULTILINE)


@dataclass(frozen=True)
class Change:
    """One thing that was rewritten in a cell."""

    cell: str
    what: str
    """The beginning of a sentence (`the picture is`) that ends in "not up to date" or "up to date now"."""
    generated: bool = True
    """Whether it follows from the forward pass; a missing cell or changed points are reported elsewhere too."""

    @property
    def question(self) -> str:
        return self.cell.partition("-")[0]


@dataclass
class Refreshed:
    """An updated copy of a notebook, what was changed in it, and sentences on what the author must look at."""

    notebook: Any
    questions: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    to_review: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    """Why a question cannot be made, by its name."""
    made: dict[str, Question] = field(default_factory=dict)


def refresh(notebook: Any, only: Sequence[str] = (), pictures: bool = False, judge: bool = True) -> Refreshed:
    """An updated copy of the notebook; `only` these questions (default: all), with `pictures` only the pictures.

    Without `judge` the solutions are not run, which would take most of the time.
    """
    found = questions.read(notebook)
    done = Refreshed(copy.deepcopy(notebook), [*found.made, *found.faults], made=found.made)
    done.faults = {name: text for name, text in found.faults.items() if not only or name in only}
    for name, question in found.made.items():
        if only and name not in only:
            continue
        by_id = {grade_id(c): c for c in done.notebook.cells}
        if not pictures:
            _add_missing(done, by_id, question, found.sources[name])
        _statement(done, by_id, question, pictures)
        if not pictures:
            _answer(done, by_id, question, found, judge)
            _check(done, by_id, question)
            _hidden(done, by_id, question)
    return done


def seed_of(hidden: Any) -> str:
    """The seed in a hidden cell; "" if it has none, or if there is no cell (None)."""
    text = re.search(r"""seed=["'](\w+)["']""", hidden.source if hidden else "")
    return text[1] if text else ""


def worth(by_id: dict[str, Any], name: str) -> tuple[float, float]:
    """The points of a question's check and hidden cells in their metadata, which the Create Assignment panel sets."""
    at = (by_id.get(f"{name}-check"), by_id.get(f"{name}-hidden"))
    check, hidden = (float(c.metadata.nbgrader.get("points") or 0) if c is not None else 0.0 for c in at)
    return check, hidden


def _rewrite(done: Refreshed, cell: Any, source: str, what: str, generated: bool = True) -> None:
    if source != cell.source:
        cell.source = source
        done.changes.append(Change(grade_id(cell), what, generated))


def _add_missing(done: Refreshed, by_id: dict[str, Any], question: Question, forward: str) -> None:
    name = question.name
    ids = [f"{name}{suffix}" for suffix in SUFFIXES]
    if all(wanted_id in by_id for wanted_id in ids):
        return
    wanted = cells.texts(question, forward, name.upper())
    for i, wanted_id in enumerate(ids):
        if wanted_id in by_id:
            continue
        made = cells.cell(wanted_id, wanted[wanted_id])
        have = [grade_id(c) for c in done.notebook.cells]
        at = have.index(ids[i - 1]) + 1 if i else have.index(f"{name}-forward")
        done.notebook.cells.insert(at, made)
        by_id[wanted_id] = made
        done.changes.append(Change(wanted_id, "the cell is", generated=False))
        if wanted_id in (name, f"{name}-statement"):
            done.to_review.append(f"{wanted_id}: the cell was missing and is new: write what it still lacks.")


def _statement(done: Refreshed, by_id: dict[str, Any], question: Question, pictures: bool) -> None:
    cell = by_id.get(f"{question.name}-statement")
    if cell is None:
        return
    have = cells.PICTURE.findall(cell.source)
    picture = cells.picture(question)
    if have != [picture] or not cell.source.endswith(picture):
        text = re.sub(r"\n{3,}", "\n\n", cells.PICTURE.sub("", cell.source)).rstrip()
        _rewrite(done, cell, f"{text}\n\n{picture}", "the picture is")
    if pictures:
        return
    check, hidden = worth(by_id, question.name)
    sentences = (
        (_TESTED, cells.tested(question), "the sentence on where it is tested is"),
        (_POINTS, cells.points(question, check, hidden), "the sentence on points is"),
    )
    for pattern, sentence, what in sentences:
        text = cell.source
        if pattern.search(text):
            text = pattern.sub(lambda _, s=sentence: s, text, count=1)  # type: ignore[misc]
        else:
            before = re.search(r"^\*\*Stuck\?\*\*", text, re.MULTILINE) or cells.PICTURE.search(text)
            at = before.start() if before else len(text)
            text = f"{text[:at].rstrip()}\n\n{sentence}\n\n{text[at:]}"
        _rewrite(done, cell, text, what)


def _answer(
    done: Refreshed, by_id: dict[str, Any], question: Question, found: questions.Questions, judge: bool
) -> None:
    cell, forward = by_id[question.name], found.sources[question.name]
    changed = answer.changed(cell.source, question, forward)
    _rewrite(done, cell, answer.renewed(cell.source, question, forward), "the given lines are")
    statement = by_id[f"{question.name}-statement"].source
    for line in changed:
        if _without_spaces(line) in _without_spaces(statement):
            done.to_review.append(
                f"{question.name}-statement: it still mentions `{line}`, which is no line of the forward pass now."
            )
    if changed:
        done.to_review.append(
            f"{question.name}-statement: the forward pass has changed; read its formula and hints again."
        )
    misfits = list(answer.misfits(cell.source, question, found.namespace))
    if judge and not misfits:
        earned = answer.marks(cell.source, question, found, seed_of(by_id[f"{question.name}-hidden"]) or "refresh")
        misfits = [earned] if earned else []
    done.to_review += misfits


def _check(done: Refreshed, by_id: dict[str, Any], question: Question) -> None:
    cell = by_id[f"{question.name}-check"]
    text = _CHECK.sub(lambda _: cells.check_comment(question) + "\n", cell.source, count=1)
    _rewrite(done, cell, text, "the comments are")


def _hidden(done: Refreshed, by_id: dict[str, Any], question: Question) -> None:
    cell = by_id[f"{question.name}-hidden"]
    text = _HIDDEN.sub(lambda _: cells.hidden_comment(question) + "\n", cell.source, count=1)
    _rewrite(done, cell, text, "the comments are")
    points = worth(by_id, question.name)[1]
    if points:
        text = _with_points(cell.source, question.name, points)
        _rewrite(done, cell, text, "the points in grade(…) are", generated=False)


def _with_points(text: str, name: str, points: float) -> str:
    """The source `text` with the given number of points in the call `name.grade(…)`."""
    lines = text.split("\n")
    for of, call in reversed(calls(text, "grade")):
        have = argument(call, "points", 0)
        if of == name and have and value(have) not in (None, points):
            line = lines[have.lineno - 1].encode()  # Python counts its columns in bytes
            made = line[: have.col_offset] + f"{points:g}".encode() + line[have.end_col_offset :]
            lines[have.lineno - 1] = made.decode()
    return "\n".join(lines)


def _without_spaces(text: str) -> str:
    return re.sub(r"\s", "", text)
