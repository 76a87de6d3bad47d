"""The work of a class on one assignment: points from the gradebook, answers and messages from the graded notebooks.

Points are the gradebook's, so that marks by hand count. Who handed in something that is not graded yet, or handed in
nothing, is in no figure but these two counts. A question that waits for a person's points has none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.api import Assignment

from autograder import by_hand_list
from autograder.class_report import attempts, entries, graded
from autograder.class_report.entries import Question
from autograder.class_report.mistakes import UNANSWERED, Mistake
from autograder.gradebook import spreadsheet
from autograder.gradebook.grades import columns_of, natural, table, ungraded
from autograder.rooms import reasons
from autograder.terminal.report import Reason

_NEARLY = 1e-9


@dataclass(frozen=True)
class Answer:
    """One student's answer to one question."""

    student: str
    earned: float
    pending: bool
    """Whether a person still has to give points."""
    source: str = ""
    said: str = ""
    mistake: Mistake | None = None
    """None where the answer earned everything, or waits for a person."""
    tried: str = ""
    """When the student last ran it, in UTC; "" if that is not known."""


@dataclass(frozen=True)
class Student:
    """A student whose work is graded."""

    name: str
    score: float
    handed_in: str
    """When, in UTC; "" if it is not known."""
    late: bool
    pending: bool
    """Whether a person still has to give points in some question."""
    final: bool
    """Whether some question has its final points; none has where the file could not be read, for instance."""
    reasons: frozenset[Reason]


@dataclass
class Work:
    """Everything that the report is made of."""

    assignment: str
    possible: float
    due: str = ""
    texts: set[str] = field(default_factory=set)
    """The names of the questions that are answered in words and not in code."""
    students: list[Student] = field(default_factory=list)
    """Those whose work is graded."""
    ungraded: list[str] = field(default_factory=list)
    nothing: list[str] = field(default_factory=list)
    """Students of the gradebook who handed in nothing."""
    unread: list[str] = field(default_factory=list)
    """Students of whom a graded notebook is missing or cannot be read: their marks count, answers are not seen."""
    questions: list[Question] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    """By the question's name."""
    nodes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The names in the forward pass of each question, by the question's name."""
    given: list[str] = field(default_factory=list)
    """What the released cells for answers hold."""
    by_hand: list[dict[str, str]] = field(default_factory=list)
    by_hand_unread: str = ""
    """Why the list of answers that may not be by hand could not be read."""


def read(coursedir: Any, session: Any, assignment: Assignment) -> Work:
    """The work of everybody; `session` is that of the gradebook."""
    made = table(session, assignment)
    waiting = set(ungraded(coursedir, session, assignment))
    work = Work(str(assignment.name), columns_of(session, assignment)[1])
    work.due = assignment.duedate.strftime("%Y-%m-%d %H:%M:%S") if assignment.duedate else ""
    work.questions = list(entries.questions(session, assignment))
    work.given = entries.given(session, assignment)
    pending, unanswered = entries.pending(session, assignment), entries.unanswered(session, assignment)
    for row in made.rows:
        name = str(row["student_id"])
        if name not in waiting and row["handed_in"]:
            one = _One(work, coursedir, name, pending[name], unanswered[name])
            one.add(row)
        elif name not in waiting:
            work.nothing.append(name)
    work.ungraded = sorted(waiting, key=natural)
    try:
        rows = by_hand_list.read(Path(coursedir.root) / by_hand_list.FILE)
    except spreadsheet.CannotRead as error:
        rows, work.by_hand_unread = [], str(error)
    counted, mine = {spreadsheet.harmless(s.name) for s in work.students}, spreadsheet.harmless(work.assignment)
    work.by_hand = [row for row in rows if row["assignment"] == mine and row["student"] in counted]
    return work


@dataclass
class _One:
    """One student whose work is graded."""

    work: Work
    coursedir: Any
    name: str
    pending: set[str]
    """The gradebook's keys of the cells that wait for a person."""
    unanswered: set[str]
    """The cells that are as they were released, as `notebook/id`."""

    def add(self, row: Any) -> None:
        """Adds the student and the answers; `row` is the row of the table of grades."""
        late = bool(row["duedate"] and row["timestamp"] and str(row["timestamp"]) > str(row["duedate"]))
        scored = [q for q in self.work.questions if row[q.name] is not None]  # another is newer than the grade
        final = any(not self._waits(question) for question in scored)
        why = frozenset(reasons.read(self._folder(self.coursedir.autograded_directory)))
        when, score = str(row["timestamp"] or ""), float(row["score"])
        self.work.students.append(Student(self.name, score, when, late, bool(self.pending), final, why))
        for notebook in dict.fromkeys(question.notebook for question in scored):
            self._add_notebook(notebook, [q for q in scored if q.notebook == notebook], row)

    def _add_notebook(self, notebook: str, questions: Sequence[Question], row: Any) -> None:
        file, work = f"{notebook}.ipynb", self.work
        names = {cell for question in questions for cell in question.cells}
        found = graded.read(self._folder(self.coursedir.autograded_directory) / file, names)
        if not found:
            work.unread += [self.name] if self.name not in work.unread else []
            found = graded.Notebook()
        cells = {question.name: found.answer(question.cells) for question in questions}
        runs = {question.name: {*question.cells, *cells[question.name]} for question in questions}
        handed_in = self._folder(self.coursedir.submitted_directory) / file
        tried = attempts.last(handed_in, runs, str(row["timestamp"] or ""))
        for question in questions:
            own, earned = cells[question.name], float(row[question.name])
            if nodes := found.nodes.get(question.name.removeprefix(f"{notebook}/")):
                work.nodes[question.name] = nodes
            if own and found.texts.issuperset(own):
                work.texts.add(question.name)
            mistake, said = None, ""
            if not self._waits(question) and earned < question.possible - _NEARLY:
                mistake, said = found.verdict(question.cells)
                if earned <= _NEARLY and own and all(f"{notebook}/{cell}" in self.unanswered for cell in own):
                    mistake = Mistake("", UNANSWERED)
            source, when = "\n\n".join(own.values()), tried.get(question.name, "")
            answer = Answer(self.name, earned, self._waits(question), source, said, mistake, when)
            work.answers[question.name].append(answer)

    def _waits(self, question: Question) -> bool:
        return bool(self.pending & set(question.keys))

    def _folder(self, step: str) -> Path:
        return Path(self.coursedir.format_path(step, self.name, self.work.assignment))
