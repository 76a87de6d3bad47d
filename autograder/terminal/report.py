"""The report of a grading run: a header, a line for each student, who needs a person's attention, the exit status.

The steps of grading call `note` with what they find in a submission. So an instructor need not read the log.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from autograder.terminal.chatter import TOLD
from autograder.terminal.words import count, printable, shown

NEEDS_A_PERSON = 3
"""Exit status when everybody was graded but a person should look at some submissions; nbgrader's 1 is "not graded"."""
HEADER = "Grading {assignment}: {submissions}. {isolated}"
LINE = "{number:>{digits}}/{of}  {student:<{wide}}  {marks:>{room}}  {seconds:>6.1f} s{notes}"
GRADED = "{number} graded in {seconds:.0f} s."
BEFORE = " {number} graded before and not again: --force grades them anew."
UNKNOWN = "What an earlier run found of {students} cannot be looked up: {why}"
PEOPLE = "{number} {need} a person:"
WHO = "  {reason}: {who}"
NOT_GRADED = "not graded"
NOBODY = "Nobody needs a person."
NOT_ALL = "Not everybody was graded: the run has ended early."


class Reason(Enum):
    """Why a person should look at a submission. The summary lists them in this order."""

    FAILED = "could not be graded"
    UNREADABLE = "not readable as a notebook, so not graded: ask for the file again"
    RENAMED = "the notebook has another name"
    NOTHING = "no notebook, or none of the course's cells in it"
    LEFT_OUT = "files that were left out, so that code may not have found them"
    STOPPED = "code that was stopped (time, memory, processes)"
    NO_MARK = "tests whose number is no mark of their cell, see the student's line; mark them in the formgrader"
    LOST = "tests that were ended before they gave a mark: --force grades anew, or mark them in the formgrader"
    BY_HAND = "answers that may not be by hand, see by_hand.csv"
    MARK = "cells that you mark, in the formgrader"
    UNKNOWN = "graded before, but not known whether they need a person"


UNGRADABLE = frozenset({Reason.UNREADABLE, Reason.RENAMED, Reason.NOTHING})
"""There was nothing that could be graded, and a person gives the points."""


@dataclass
class Submission:
    """What this run knows of one submission; `since` is when it began, by `time.monotonic`, in seconds."""

    student: str
    notes: list[str] = field(default_factory=list)
    reasons: set[Reason] = field(default_factory=set)
    since: float = field(default_factory=time.monotonic)
    ended: bool = False
    seconds: float = 0.0
    points: tuple[float, float] | None = None
    """Earned and possible; None if it could not be graded."""


class Report:
    """The report of one run. `say` shows a line to the person who started it; `log` is the converter's logger.

    Not `every` submission has a line then, but only one that needs a person.
    """

    def __init__(self, say: Callable[[str], None], log: Any, *, every: bool = True) -> None:
        self._say, self._log, self._every = say, log, every
        self._all: dict[str, Submission] = {}
        self._began = time.monotonic()
        self._width, self._expected, self._number, self._before = 8, 0, 0, 0

    def header(self, assignment: str, students: list[str], isolated: str, *more: str) -> None:
        """Shows what will be graded, how code is `isolated`, and then the lines `more`."""
        self._expected = len(students)
        self._width = max([self._width, *(len(_name(name)) for name in students)])
        submissions = count(len(students), "submission")
        self._say(HEADER.format(assignment=_name(assignment), submissions=submissions, isolated=isolated))
        for line in more:
            self._say(line)

    def note(self, student: str, text: str, reason: Reason | None = None) -> None:
        """Adds `text` to the student's line; with a `reason`, the summary lists the student under it."""
        submission = self._of(student)
        if text not in submission.notes:
            submission.notes.append(text)
        if reason:
            submission.reasons.add(reason)
        self._log.warning("%s: %s", shown(student), printable(text), extra=TOLD)

    def reasons(self, student: str) -> set[Reason]:
        """The reasons noted so far why a person should look at the student's submission."""
        return self._of(student).reasons

    def students(self) -> list[str]:
        """The students whose line was shown in this run, graded or not."""
        return [submission.student for submission in self._all.values() if submission.ended]

    def start(self, student: str) -> None:
        """Starts the clock of a submission."""
        self._of(student).since = time.monotonic()

    def took(self, student: str, seconds: float) -> None:
        """Sets the clock of a submission that was graded elsewhere."""
        self._of(student).since = time.monotonic() - seconds

    def before(self) -> None:
        """Counts a submission that an earlier run graded, and that this run leaves as it is."""
        self._before += 1
        self._number += 1

    def unknown(self, students: list[str], why: str) -> None:
        """Lists students who were graded in an earlier run, whose reasons could not be read; `why` says why not."""
        for student in students:
            self._of(student).reasons.add(Reason.UNKNOWN)
        self._say(UNKNOWN.format(students=", ".join(map(_name, students)), why=shown(why, 200)))

    def done(self, student: str, score: float, of: float) -> None:
        """Shows the line of a graded submission: `score` points out of `of`."""
        self._of(student).points = score, of
        self._line(student, f"{score:.4g} of {of:g}")

    def failed(self, student: str, why: str) -> None:
        """Shows the line of a submission that could not be graded, and notes `why` unless a reason was noted before."""
        if Reason.FAILED not in self._of(student).reasons:
            self.note(student, why, Reason.FAILED)
        self._line(student, NOT_GRADED)

    def end(self, failed: bool = False) -> int:
        """Shows the summary. Returns the exit status: 0, `NEEDS_A_PERSON`, or 1 if some could not be graded, or if the
        run has `failed`.
        """
        graded = [s for s in self._all.values() if s.ended and Reason.FAILED not in s.reasons]
        text = GRADED.format(number=len(graded), seconds=time.monotonic() - self._began)
        self._say(text + (BEFORE.format(number=self._before) if self._before else ""))
        people = [s for s in self._all.values() if s.reasons]
        ungraded = any(Reason.FAILED in s.reasons for s in people)
        if failed and not ungraded:  # else it has failed for these
            self._say(NOT_ALL)
        elif not people:
            self._say(NOBODY)
        if people:
            self._say(PEOPLE.format(number=len(people), need="needs" if len(people) == 1 else "need"))
        for reason in Reason:
            who = [_name(s.student) for s in people if reason in s.reasons]
            if who:
                self._say(WHO.format(reason=reason.value, who=", ".join(who)))
        if failed or ungraded:
            return 1
        return NEEDS_A_PERSON if people else 0

    def figures(self) -> dict[str, Any]:
        """What the run has found, as JSON has it: seconds, how many were graded before, and of each student the points
        earned and possible (null if not graded), seconds, notes, and the reasons why a person should look at it.
        """
        students = [
            {
                "student": one.student,
                "graded": one.ended and Reason.FAILED not in one.reasons,
                "points": one.points and one.points[0],
                "of": one.points and one.points[1],
                "seconds": round(one.seconds, 3),
                "notes": one.notes,
                "needs_a_person": [reason.name.lower() for reason in Reason if reason in one.reasons],
            }
            for one in sorted(self._all.values(), key=lambda one: one.student)
        ]
        return {
            "seconds": round(time.monotonic() - self._began, 3),
            "graded_before": self._before,
            "students": students,
        }

    def _of(self, student: str) -> Submission:
        return self._all.setdefault(student, Submission(student))

    def _line(self, student: str, marks: str) -> None:
        submission = self._of(student)
        if submission.ended:
            return
        submission.ended = True
        submission.seconds = time.monotonic() - submission.since
        self._number += 1
        of = max(self._expected, self._number)
        if not self._every and not submission.reasons:
            return
        self._say(
            LINE.format(
                number=self._number,
                digits=len(str(of)),
                of=of,
                student=_name(student),
                wide=self._width,
                marks=marks,
                room=12,
                seconds=submission.seconds,
                notes="  " + "; ".join(shown(n, 200) for n in submission.notes) if submission.notes else "",
            )
        )


def _name(text: str) -> str:
    """A student's name, cut to fit a line."""
    return shown(text, 40)
