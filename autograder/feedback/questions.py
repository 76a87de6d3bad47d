"""Divides a graded notebook into questions: a heading of the course, the answer below it, and its tests with points.

A question begins at a heading of the course, a task's included, and at an answer that follows graded cells. Only cells
that are in the gradebook or in the source notebook count as the course's. So a student's cell cannot begin or name a
question, or show points.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from markupsafe import Markup, escape
from nbformat import NotebookNode

from autograder.feedback import outputs, texts, verdicts
from autograder.feedback.grades import Grades, Mark
from autograder.feedback.hide import HIDDEN
from autograder.feedback.lacking import HEADING, question_of
from autograder.feedback.texts import Place
from autograder.feedback.verdicts import Kind, Verdict

_COMMENT = re.compile(r"\s*(?:#.*)?")
_NONE = Markup()
_OF_A_STUB = "NotImplementedError"
"""What the line raises that nbgrader puts where a solution was: it says no more than that there is no answer."""


class Role(Enum):
    """What kind of cell the reader sees."""

    GIVEN = "the course's text or code"
    OWN = "a cell that the student added"
    ANSWER = "the student's answer"
    TEST = "a test that can be seen"
    HIDDEN = "hidden tests"
    TASK = "a task, graded by a person"


@dataclass
class Part:
    """One cell of a question."""

    role: Role
    name: str = ""
    text: Markup = _NONE
    """The cell's source as HTML; empty if it is not shown."""
    outputs: list[Markup] = field(default_factory=list)
    said: str = ""
    """What a test printed or raised, as plain text, for the verdict."""
    mark: Mark | None = None
    verdict: Verdict | None = None
    comment: Markup = _NONE
    unanswered: bool = False


@dataclass
class Question:
    """A section of the page, and if it has graded cells also a row of the table of results."""

    title: Markup
    parts: list[Part] = field(default_factory=list)
    number: int = 0
    unread: bool = False
    """Whether the file that was handed in could not be read."""

    @property
    def marks(self) -> list[Mark]:
        return [part.mark for part in self.marked if part.mark]

    @property
    def graded(self) -> bool:
        return bool(self.marks)

    @property
    def earned(self) -> float:
        return sum(mark.earned for mark in self.marks)

    @property
    def possible(self) -> float:
        return sum(mark.possible for mark in self.marks)

    @property
    def marked(self) -> list[Part]:
        """The parts with points: tests, and cells that a person grades."""
        return [part for part in self.parts if part.mark]

    def is_not_of(self, name: str) -> bool:
        """Whether the test called `name` belongs to another question. Its name decides only if no answer is left."""
        if any(part.role in (Role.ANSWER, Role.TASK) for part in self.parts):
            return False
        names = [question_of(part.name) for part in self.marked]
        return question_of(name) not in names if names else not texts.plain(self.title)

    @property
    def waiting(self) -> float:
        """The points that a person still has to give or not."""
        return sum(mark.possible for mark in self.marks if mark.pending)

    @property
    def by_person(self) -> bool:
        """Whether a person grades this question."""
        return any(part.role is Role.TASK for part in self.parts)

    def alike(self, test: Part) -> int:
        """How many tests of the question are of the same kind, so that only their names tell them apart."""
        return sum(part.role is test.role and bool(part.text) is bool(test.text) for part in self.parts)

    @property
    def commented(self) -> bool:
        return any(part.comment for part in self.parts)

    @property
    def verdict(self) -> Verdict:
        """The verdict on the whole question; its sentence is from a hidden test if possible, else from the check."""
        answers = [part for part in self.parts if part.role in (Role.ANSWER, Role.TASK)]
        unanswered = self.unread or (bool(answers) and all(part.unanswered for part in answers))
        tests = [part for part in self.marked if part.role in (Role.TEST, Role.HIDDEN)]
        hidden = [part.said for part in tests if part.role is Role.HIDDEN and part.said]
        failed = [part.said for part in tests if part.said and part.mark and part.mark.earned < part.mark.possible]
        said = next(iter([*hidden, *failed]), "")
        verdict = verdicts.judge(self.marks, unanswered, said, by_hand_only=not tests)
        return replace(verdict, word=verdicts.UNREAD) if self.unread and verdict.kind is Kind.UNANSWERED else verdict

    def blocks(self) -> list[tuple[Role, list[Part]]]:
        """The parts in order, by role; neighbours that are the course's, or the student's own, form one block."""
        made: list[tuple[Role, list[Part]]] = []
        for part in self.parts:
            if part.role is Role.GIVEN and not (part.text.strip() or part.outputs or part.comment):
                continue  # a statement that is only its heading
            if made and made[-1][0] is part.role and part.role in (Role.GIVEN, Role.OWN):
                made[-1][1].append(part)
            else:
                made.append((part.role, [part]))
        return made


def questions(
    notebook: NotebookNode,
    grades: Grades,
    known: Callable[[NotebookNode], bool],
    folder: Path | None = None,
    unread: bool = False,
) -> list[Question]:
    """The sections of a graded notebook in order.

    `known` says whether a cell without an id is the course's, and `folder` holds the pictures that texts refer to.
    `unread` means that the file could not be read: there are no answers, and the outputs of tests are not shown.
    """
    found = [Question(Markup())]
    heading = Markup()
    seen: set[str] = set()
    language = notebook.metadata.get("language_info", {}).get("pygments_lexer", "ipython3")
    for cell in notebook.cells:
        name = _name(cell, seen)
        seen.add(name)
        given = name in grades.given or (not name and known(cell))
        part = _part(cell, name, given, grades)
        if given and cell.cell_type == "markdown" and HEADING.search(cell.source):
            text = texts.markdown(cell.source, cell.get("attachments"), Place(level=3, title=True, folder=folder))
            heading, part.text = Markup(text.title), Markup(text.html)
            found.append(Question(heading, [part]))
            continue
        part.text = _text(cell, part, language, folder)
        if unread:
            part.outputs, part.said = [], ""
        if part.role in (Role.ANSWER, Role.TASK) and found[-1].graded:
            found.append(Question(Markup("{} <code>{}</code>").format(heading, name)))
        elif part.role in (Role.TEST, Role.HIDDEN) and found[-1].is_not_of(name):
            found.append(Question(Markup("{} <code>{}</code>").format(heading, question_of(name))))
        found[-1].parts.append(part)
    found[-1].parts += _lost(grades, found)
    for question in found:
        question.unread = unread
        if question.graded and not texts.plain(question.title):
            question.title = escape(question.marked[0].name)
        if question.graded and question.verdict.kind is Kind.UNANSWERED:
            for part in question.marked:
                part.verdict = question.verdict
    kept = [question for question in found if question.parts]
    for number, question in enumerate(kept, 1):
        question.number = number
    return kept


def _lost(grades: Grades, found: Iterable[Question]) -> list[Part]:
    """Parts for graded cells that are not in the notebook: their points count nevertheless."""
    shown = {part.name for question in found for part in question.parts}
    return [
        Part(Role.TEST, name, mark=mark, verdict=verdicts.judge([mark], unanswered=False))
        for name, mark in grades.marks.items()
        if name not in shown
    ]


def _name(cell: NotebookNode, seen: set[str]) -> str:
    """The id of a course's cell; "" for other cells, and for copies of a cell that was `seen` before."""
    about = cell.metadata.get("nbgrader")
    name = about.get("grade_id") if isinstance(about, dict) else None
    if not isinstance(about, dict) or not isinstance(name, str) or name in seen:
        return ""
    return name if any(about.get(kind) for kind in ("grade", "solution", "task", "locked")) else ""


def _part(cell: NotebookNode, name: str, given: bool, grades: Grades) -> Part:
    about = cell.metadata.get("nbgrader", {}) if name else {}
    part = Part(_role(about, given, name, grades), name, mark=grades.marks.get(name))
    part.unanswered = name in grades.unanswered
    if name in grades.comments:
        part.comment = Markup(texts.markdown(grades.comments[name]).html)
    if cell.cell_type == "code":
        test = part.role in (Role.TEST, Role.HIDDEN)
        shown = [o for o in cell.outputs if not (part.unanswered and o.get("ename") == _OF_A_STUB)]
        part.outputs = outputs.shown(shown, hide_number=test)
        if test:
            part.said = _said(cell)
            if part.role is Role.HIDDEN and (alone := verdicts.without_points(_printed(cell))) is not None:
                part.said = alone
                part.outputs = [outputs.message(alone)]
    if part.mark:
        part.verdict = verdicts.judge([part.mark], part.unanswered, by_hand_only=part.role in (Role.ANSWER, Role.TASK))
    return part


def _role(about: dict[str, object], given: bool, name: str, grades: Grades) -> Role:
    if about.get("task"):
        return Role.TASK
    if about.get("solution"):
        return Role.ANSWER
    if name in grades.marks:
        return Role.HIDDEN if about.get(HIDDEN) else Role.TEST
    return Role.GIVEN if given else Role.OWN


def _text(cell: NotebookNode, part: Part, language: str, folder: Path | None) -> Markup:
    if cell.cell_type == "code":
        if part.role is Role.HIDDEN and all(_COMMENT.fullmatch(line) for line in cell.source.split("\n")):
            return Markup()  # nothing but a comment that names the hidden test
        return outputs.code(cell.source, language) if cell.source.strip() else Markup()
    if cell.cell_type == "raw":
        return outputs.printed(cell.source)
    theirs = part.role in (Role.OWN, Role.ANSWER)
    place = Place(pictures="Picture in your answer") if theirs else Place(level=4, folder=folder)
    return Markup(texts.markdown(cell.source, cell.get("attachments"), place).html)


def _printed(cell: NotebookNode) -> str:
    return "".join("".join(o.text) for o in cell.outputs if o.output_type == "stream")


def _said(cell: NotebookNode) -> str:
    """The message of a test that failed; "" if it did not raise an error."""
    for output in cell.outputs:
        if output.output_type == "error":
            alone = outputs.clean(output.evalue)
            return alone if output.ename in outputs.OURS else f"{output.ename}: {alone}".rstrip(": ")
    return ""
