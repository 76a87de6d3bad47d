"""Every number of the report, computed once: the page, the CSV and the JSON show the same figures.

Discrimination is the corrected item-total correlation: Pearson's r between the points of a question and the points of
all other questions, so that a question does not correlate with itself (S. Henrysson, Correction of item-total
correlations in item analysis, Psychometrika 28, 1963, 211-218; Moodle's quiz statistics call it the discrimination
index). Questions that wait for a person anywhere are not in the sum of the others, and students who wait everywhere
are left out.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from autograder.class_report.alike import tokens
from autograder.class_report.entries import Question
from autograder.class_report.mistakes import UNANSWERED, in_words, order_of
from autograder.class_report.work import Answer, Work
from autograder.gradebook.grades import natural
from autograder.terminal.report import Reason

BINS = 10
_FEWEST = 3
"""Students below whom no correlation is computed."""
_NEARLY = 1e-9
_MOST_SLIPS = 2
"""Slips that a sentence names."""


@dataclass(frozen=True)
class Bin:
    """Students with points from `low` to below `high`; the last bin holds the maximum too."""

    low: float
    high: float
    students: int


@dataclass(frozen=True)
class Group:
    """Answers that are the same but for comments and layout: one of them, and its message; `students` are whose."""

    source: str
    said: str
    students: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """One cell of a heat map: everybody who broke `where` by the slip `what`; `where` is "" if nothing was compared."""

    where: str
    what: str
    students: int
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Row:
    """The figures of one question. `counted` students have final points in it, and all other figures are theirs."""

    name: str
    possible: float
    counted: int
    waiting: int
    mean: float | None
    full: int
    partly: int
    none: int
    """Without points, but answered."""
    unanswered: int
    discrimination: float | None
    attempts: int
    """Answers of which it is known when they were last run."""
    attempt: str
    """The median of these times, in UTC; "" if there is none."""
    cells: tuple[Cell, ...] = ()

    @property
    def wheres(self) -> list[str]:
        """The derivatives that broke, from the output down."""
        return list(dict.fromkeys(cell.where for cell in self.cells if cell.where))

    @property
    def whats(self) -> list[str]:
        """The slips at derivatives, the most frequent first."""
        counts: Counter[str] = Counter()
        for cell in self.cells:
            counts[cell.what] += cell.students if cell.where else 0
        return [what for what, count in counts.most_common() if count]

    def cell(self, where: str, what: str) -> Cell | None:
        return next((cell for cell in self.cells if (cell.where, cell.what) == (where, what)), None)

    @property
    def others(self) -> list[Cell]:
        """What went wrong before derivatives could be compared, the most frequent first."""
        return sorted((cell for cell in self.cells if not cell.where), key=lambda cell: -cell.students)

    def broke(self, where: str) -> int:
        return sum(cell.students for cell in self.cells if cell.where == where)

    @property
    def sentences(self) -> list[str]:
        """`31 of 80 broke dfdb: 24 by the sign, 7 by a missing factor.` The derivative that most broke comes first."""
        found = []
        for where in sorted(self.wheres, key=lambda where: -self.broke(where)):
            slips = sorted((c for c in self.cells if c.where == where), key=lambda cell: -cell.students)
            by = ", ".join(f"{cell.students} by {in_words(cell.what)}" for cell in slips[:_MOST_SLIPS])
            more = sum(cell.students for cell in slips[_MOST_SLIPS:])
            by += f", {more} otherwise" if more else ""
            found.append(f"{self.broke(where)} of {self.counted} broke `{where}`: {by}.")
        return found


@dataclass(frozen=True)
class Figures:
    """All figures of a report."""

    assignment: str
    possible: float
    graded: int
    marked: int
    """Of the graded, those with final points in some question: the figures of marks are theirs."""
    waiting: int
    """Of the graded, those for whom a person still has to give points."""
    ungraded: int
    nothing: int
    late: int
    first: str
    median_time: str
    last: str
    mean: float | None
    median: float | None
    deviation: float | None
    bins: tuple[Bin, ...]
    questions: tuple[Row, ...] = ()
    people: dict[Reason, int] = field(default_factory=dict)
    by_hand: dict[str, int] = field(default_factory=dict)
    """Rows of the list of answers that may not be by hand, by their outcome."""


def figures(work: Work) -> Figures:
    """The figures of a class of which somebody is graded."""
    scores = [student.score for student in work.students if student.final]
    times = sorted(student.handed_in for student in work.students if student.handed_in)
    discriminations = _discriminations(work)
    reasons = Counter(reason for student in work.students for reason in student.reasons)
    return Figures(
        assignment=work.assignment,
        possible=work.possible,
        graded=len(work.students),
        marked=len(scores),
        waiting=sum(student.pending for student in work.students),
        ungraded=len(work.ungraded),
        nothing=len(work.nothing),
        late=sum(student.late for student in work.students),
        first=times[0] if times else "",
        median_time=_median(times),
        last=times[-1] if times else "",
        mean=statistics.fmean(scores) if scores else None,
        median=statistics.median(scores) if scores else None,
        deviation=statistics.stdev(scores) if len(scores) > 1 else None,
        bins=_bins(scores, work.possible),
        questions=tuple(_row(work, question, discriminations.get(question.name)) for question in work.questions),
        people={reason: reasons[reason] for reason in Reason if reasons[reason]},
        by_hand=dict(Counter(row["outcome"] for row in work.by_hand).most_common()),
    )


def _median(times: Sequence[str]) -> str:
    """The time until which half of these, which are sorted, had passed; "" if there is none."""
    return times[(len(times) - 1) // 2] if times else ""


def _bins(scores: Sequence[float], possible: float) -> tuple[Bin, ...]:
    width = possible / BINS or 1.0
    counts = Counter(min(BINS - 1, max(0, int((score + _NEARLY) / width))) for score in scores)
    return tuple(Bin(i * width, (i + 1) * width, counts[i]) for i in range(BINS))


def _row(work: Work, question: Question, discrimination: float | None) -> Row:
    answers = work.answers[question.name]
    final = [answer for answer in answers if not answer.pending]
    full = sum(answer.earned >= question.possible - _NEARLY for answer in final)
    partly = sum(_NEARLY < answer.earned < question.possible - _NEARLY for answer in final)
    unanswered = sum(bool(answer.mistake and answer.mistake.what == UNANSWERED) for answer in final)
    tried = sorted(answer.tried for answer in answers if answer.tried)
    return Row(
        name=question.name,
        possible=question.possible,
        counted=len(final),
        waiting=len(answers) - len(final),
        mean=statistics.fmean(answer.earned for answer in final) if final else None,
        full=full,
        partly=partly,
        none=len(final) - full - partly - unanswered,
        unanswered=unanswered,
        discrimination=discrimination,
        attempts=len(tried),
        attempt=_median(tried),
        cells=_cells(final, work.nodes.get(question.name, ())),
    )


def _cells(answers: Sequence[Answer], nodes: Sequence[str]) -> tuple[Cell, ...]:
    found: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.mistake:
            found[answer.mistake.where, answer.mistake.what].append(answer)
    cells = (Cell(where, what, len(those), _groups(those)) for (where, what), those in found.items())
    return tuple(sorted(cells, key=lambda cell: (order_of(cell.where, nodes), -cell.students, cell.what)))


def _groups(answers: Sequence[Answer]) -> tuple[Group, ...]:
    same: dict[tuple[str, ...], list[Answer]] = defaultdict(list)
    for answer in answers:
        same[tuple(token for _, token in tokens(answer.source, text=False))].append(answer)
    groups = (Group(a[0].source, a[0].said, tuple(answer.student for answer in a)) for a in same.values())
    return tuple(sorted(groups, key=lambda group: (-len(group.students), natural(group.students[0]))))


def _discriminations(work: Work) -> dict[str, float]:
    """The discrimination of each question that has one."""
    points = {name: {a.student: a.earned for a in answers if not a.pending} for name, answers in work.answers.items()}
    counted = [student.name for student in work.students if student.final]
    final = {name: of for name, of in points.items() if all(student in of for student in counted)}
    found = {}
    for name, of in points.items():
        others = [other for key, other in final.items() if key != name]
        students = [student for student in counted if student in of]
        if len(students) >= _FEWEST and others:
            rest = [sum(other[student] for other in others) for student in students]
            own = [of[student] for student in students]
            if max(own) > min(own) and max(rest) > min(rest):
                found[name] = statistics.correlation(own, rest)
    return found
