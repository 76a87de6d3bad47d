"""One run that grades everybody: orders go to the graders of a pool, and this process alone writes the gradebook.

Some replies are saved in one transaction; then their folders are put in place. A run that ends in between grades those
few again: what is in place was saved, and nothing is ever half-written.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from traitlets import Integer

from autograder.batch import rows
from autograder.batch.grader import tell
from autograder.batch.pool import LocalPool, Order, Reply
from autograder.rooms import handed_in
from autograder.rooms.exporter import TwoRooms
from autograder.rooms.progress import CUT_OFF
from autograder.sandbox import folders

LOST = "the process that graded it has ended {times} times"
_MOST_TRIES = 3
_TOGETHER, _SECONDS = 50, 1.0
"""Replies are saved when there are so many, or after so many seconds."""


class WholeClass(TwoRooms):
    """The exporter of `autograder grade`."""

    jobs = Integer(0, help="How many submissions to grade at a time; 0 for as many as there are processors.").tag(
        config=True
    )

    def isolated(self) -> None:
        self._pool = LocalPool(self.jobs or len(os.sched_getaffinity(0)), self.parent.parent, self.run)

    def prepare(self) -> None:
        """Each grader prepares what it grades."""

    def converting(self) -> Callable[[], None]:
        return self._grade_all

    def _grade_all(self) -> None:
        todo = deque(self._wanted())
        if not todo:
            return
        assignment = self.parent.coursedir.assignment_id
        with self.run.gradebook() as gradebook:
            self._pool.begin(rows.of_course(gradebook.db.connection(), assignment))
        folders.remove(str(self._folder(self._aside())))
        pending: list[Reply] = []
        since = time.monotonic()
        busy = 0
        try:
            while todo or busy or pending:
                while todo and self._pool.free:
                    self._pool.give(self._fresh(todo.popleft()))
                    busy += 1
                for reply in self._pool.replies(_SECONDS) if busy else ():
                    busy -= 1
                    if reply.said is None:
                        self._lost(reply.order, todo)
                    else:
                        since = since if pending else time.monotonic()
                        pending.append(reply)
                if pending and (len(pending) >= _TOGETHER or time.monotonic() - since > _SECONDS or not busy):
                    todo.extend(self._save(pending))
                    pending = []
        finally:
            self._pool.end()
            folders.remove(str(self._folder(self._aside())))

    def _wanted(self) -> list[Order]:
        """The submissions to grade, as nbgrader would choose them; the others are counted as graded before."""
        converter = self.parent
        assignment = converter.coursedir.assignment_id
        wanted = []
        for folder in sorted(converter.assignments):
            student = handed_in.student_of(converter, folder)
            converter.notebooks = sorted(converter.assignments[folder])
            if student in converter.coursedir.student_id_exclude.split(","):
                continue
            if self.progress.remove_unfinished(assignment, student):
                self.report.note(student, CUT_OFF)
            if self._is_current(assignment, student):
                self.progress.was_graded(assignment, student, converter.notebooks)
            else:
                notebooks = converter.notebooks
                wanted.append({"student": student, "assignment": assignment, "folder": folder, "notebooks": notebooks})
        return wanted

    def _is_current(self, assignment: str, student: str) -> bool:
        """Whether the submission was graded, and not handed in anew."""
        converter = self.parent
        graded = os.path.normpath(converter._format_dest(assignment, student))
        if converter.force or not os.path.exists(graded):
            return False
        time_of = converter.coursedir.get_existing_timestamp
        new, old = time_of(converter._format_source(assignment, student)), time_of(graded)
        return new is None or old is None or new <= old

    def _aside(self, token: str = "") -> str:
        """Where graded work lies before it is put in place, in nbgrader's words; on the same disk, and hidden."""
        courses = self.parent.coursedir
        whose = hashlib.sha256(courses.assignment_id.encode()).hexdigest()[:8]
        folder, name = os.path.split(courses.autograded_directory)
        return os.path.join(folder, f".{name}-{whose}", token)

    def _folder(self, step: str, student: str = ".", assignment: str = ".") -> Path:
        return Path(os.path.normpath(self.parent.coursedir.format_path(step, student, assignment)))

    def _fresh(self, order: Order) -> Order:
        """The order with what the gradebook has of the student now."""
        with self.run.gradebook() as gradebook:
            known = rows.of_student(gradebook.db.connection(), order["assignment"], order["student"])
        return {**order, "rows": known, "into": self._aside(uuid.uuid4().hex), "tries": order.get("tries", 0) + 1}

    def _lost(self, order: Order, todo: deque[Order]) -> None:
        folders.remove(str(self._folder(order["into"])))
        if order["tries"] < _MOST_TRIES:
            todo.append(order)
        else:
            self.report.failed(order["student"], LOST.format(times=order["tries"]))

    def _save(self, replies: Iterable[Reply]) -> list[Order]:
        """Saves the rows, then puts the folders in place. Returns orders that must be graded again."""
        again, saved = [], []
        self.wait_for_gradebook()
        with self.run.gradebook() as gradebook:
            connection = gradebook.db.connection()
            for reply in replies:
                order, said = reply.order, reply.said
                assert said is not None
                if rows.of_student(connection, order["assignment"], order["student"]) != order["rows"]:
                    again.append(order)
                else:
                    rows.save(connection, order["rows"], said["rows"])
                    saved.append((order, said))
            gradebook.db.commit()
        for order, _ in saved:
            self._put_in_place(order)
        self.enter_findings([(who, found) for _, said in saved for who, found in said["findings"]])
        for order, said in saved:
            for line in said["log"]:
                self.say(line)
            self.report.took(order["student"], said["seconds"])
            tell(self.report, order["student"], said["events"])
        return again

    def _put_in_place(self, order: Order) -> None:
        graded = self.parent.coursedir.autograded_directory
        made, place = (self._folder(step, order["student"], order["assignment"]) for step in (order["into"], graded))
        aside = self._folder(order["into"])
        if place.exists():
            aside.mkdir(parents=True, exist_ok=True)
            os.replace(place, aside / "before")
        if made.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            os.replace(made, place)
        folders.remove(str(aside))
