"""One run that grades everybody: orders go to the graders of a pool, and this process alone writes the gradebook.

Some replies are saved in one transaction; then their folders are put in place. A run that ends in between grades those
few again: what is in place was saved, and nothing is ever half-written.
"""

from __future__ import annotations

import gc
import os
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from nbgrader.api import Gradebook
from nbgrader.converters.base import NbGraderException
from sqlalchemy.exc import DBAPIError
from traitlets import Bool, Integer, Unicode

from autograder.batch import rows
from autograder.batch.bar import Bar
from autograder.batch.changes import Changes
from autograder.batch.pool import LocalPool, NoGraders, Order, Pool, Reply
from autograder.batch.recorded import tell
from autograder.batch.save import Saving
from autograder.batch.summary import write_summary
from autograder.rooms import gradebook_errors, gradebook_lock, handed_in
from autograder.rooms.engine import Engine
from autograder.rooms.exporter import TwoRooms
from autograder.rooms.progress import CUT_OFF
from autograder.sandbox import processes
from autograder.terminal.report import Report

AT_A_TIME = "{jobs} at a time."
DRY = "This is a dry run: nothing is saved."
NO_DASK = "Dask is not installed here: pip install distributed, in the environment of the course."
LOST = "the process that graded it has ended {times} times"
AWAY = "The gradebook's database cannot be used just now ({why}); waiting up to {seconds:g} seconds for it."
CHANGING = "its marks in the gradebook keep changing while it is graded"
T = TypeVar("T")
_MOST_TRIES = 3
_TOGETHER, _SECONDS = 50, 1.0
"""Replies are saved when there are so many, or so many seconds after the last ones."""
_TO_BE_BACK = 0.5
"""Seconds after which a database that could not be used is tried again."""


class WholeClass(TwoRooms):
    """The exporter of `autograder grade`, whose options are those of the command."""

    jobs = Integer(help="How many submissions to grade at a time; 0 for three for each processor.").tag(config=True)
    dry_run = Bool(help="Save nothing.").tag(config=True)
    compare = Bool(help="Show whose marks change, by how much and why.").tag(config=True)
    scheduler = Unicode(help="The address of a Dask scheduler, whose workers grade.").tag(config=True)
    summary_file = Unicode(help="Where to write the summary as JSON; - for standard output.").tag(config=True)

    _pool: Pool | None = None
    _bar: Bar | None = None
    _changes: Changes | None = None

    def made_report(self) -> Report:
        return Report(self.say, self.log, every=False)

    def isolated(self) -> str:
        courses, unsafe = self.parent.coursedir, Engine(parent=self).unsafe
        if self.scheduler:
            self._pool = self._cluster(courses.root, courses.assignment_id, unsafe)
        elif self.run.fork:  # else graders cannot be forked either, and nbgrader's own loop grades
            jobs = self.jobs or 3 * processes.cores()  # each waits now and then, for a room, the disk or another one
            self._pool = LocalPool(jobs, self.parent.parent, self.run, unsafe)
        else:
            return ""
        return " ".join([AT_A_TIME.format(jobs=self._pool.jobs), *([DRY] if self.dry_run else [])])

    def _cluster(self, root: str, assignment: str, unsafe: bool) -> Pool:
        try:
            from autograder.batch.cluster import ClusterPool

            return ClusterPool(self.scheduler, root, assignment, unsafe)
        except ImportError:
            why = NO_DASK
        except NoGraders as error:
            why = str(error)
        self.log.error("%s", why)
        raise NbGraderException(why)

    def learn(self, assignment: str, notebooks: list[str]) -> None:
        if not self._pool:  # else the station does it
            super().learn(assignment, notebooks)

    def start_scribe(self) -> None:
        if not self._pool:  # else each grader has one
            super().start_scribe()

    def prepare(self) -> None:
        if not self._pool:  # else each grader prepares what it grades
            super().prepare()

    def converting(self) -> Callable[[], None]:
        return self._grade_all if self._pool else super().converting()

    def say(self, line: str) -> None:
        if self._bar:
            self._bar.say(line)
        else:
            super().say(line)

    def _grade_all(self) -> None:
        assert self._pool
        todo = deque(self._wanted())
        if not todo:
            return
        assignment = self.parent.coursedir.assignment_id
        with self.run.gradebook() as gradebook:
            course = rows.of_course(gradebook.db.connection(), assignment)
        saving = Saving(self.parent, assignment, dry=self.dry_run)
        self._changes = Changes(course, saving) if self.compare else None
        gc.freeze()  # what this process has loaded stays, and need not be looked through again and again
        try:
            with Bar(len(todo), super().say) as self._bar:
                self._pool.begin(course, len(todo))
                self._run(self._pool, todo, saving)
        except NoGraders as error:
            self.log.error("%s", error)
            raise NbGraderException(str(error)) from None
        finally:
            self._bar = None
            saving.end()
        if self._changes:
            self._changes.show(self.say)

    def _run(self, pool: Pool, todo: deque[Order], saving: Saving) -> None:
        pending: list[Reply] = []
        again = deque[Order]()
        """Those that were lost, or have changed; one may have ended the process, and others were lost with it."""
        saved, busy = 0.0, 0
        try:
            while todo or busy or again:
                if again and not (todo or busy):
                    todo.append(again.popleft())  # alone, so that nobody is lost with it another time
                while todo and pool.free:
                    order = todo.popleft()
                    pool.give(self._patiently(partial(saving.fresh, order=order)))
                    busy += 1
                for reply in pool.replies(_SECONDS):
                    busy -= 1
                    pending.append(reply)
                if pending and (len(pending) >= _TOGETHER or time.monotonic() - saved > _SECONDS or not busy):
                    now, pending, saved = pending, [], time.monotonic()
                    again.extend(self._save(now, saving))
        finally:  # what is graded is kept, also after Ctrl-C
            if pending:
                self._save(pending, saving)

    def _save(self, replies: list[Reply], saving: Saving) -> list[Order]:
        """Saves what was graded and reports it. Returns the orders that must be given again."""
        again = []
        graded = []
        for reply in replies:
            if reply.said is not None:
                graded.append((reply.order, reply.said))
            elif self._once_more(reply.order, LOST, saving):
                again.append(reply.order)
        outcome = self._patiently(lambda gradebook: saving.save(gradebook, graded))
        if not self.dry_run:
            self.enter_findings([(who, found) for _, said in outcome.saved for who, found in said["findings"]])
        for order, said in outcome.saved:
            if self._changes:
                self._changes.add(order, said)
            saving.put_in_place(order, said)  # last: it says that all of this is done
        for order, said in outcome.saved:
            for line in said["log"]:
                self.say(line)
            self._tell(order, said["events"], said["seconds"])
        for order, why in outcome.refused:
            self._tell(order, [["note", why, "FAILED"], ["failed"]], 0)
        return again + [order for order in outcome.changed if self._once_more(order, CHANGING, saving)]

    def _patiently(self, do: Callable[[Gradebook], T]) -> T:
        """What `do` gives; again, as long as the patience lasts, while a database server cannot be used.

        With SQLite each statement has waited as long itself. If a connection is lost while it commits, nobody knows
        whether it has: then the rows have changed, and those submissions are graded again.
        """
        end, told = time.monotonic() + self.patience, False
        while True:
            self.wait_for_gradebook()
            try:
                with self.run.gradebook() as gradebook:
                    return do(gradebook)
            except DBAPIError as error:
                if not gradebook_errors.of_everybody(error):
                    raise
                why = gradebook_errors.why(error)
                if not gradebook_lock.is_server(self.parent.coursedir):
                    raise NbGraderException("the gradebook cannot be written") from error
                if time.monotonic() > end:
                    self.log.error("%s", gradebook_errors.GONE.format(why=why))
                    raise NbGraderException("the gradebook cannot be written") from error
                if not told:
                    self.log.warning("%s", AWAY.format(why=why, seconds=self.patience))
                    told = True
                time.sleep(_TO_BE_BACK)

    def _once_more(self, order: Order, why: str, saving: Saving) -> bool:
        saving.discard(order)
        if order["tries"] < _MOST_TRIES:
            return True
        self._tell(order, [["note", why.format(times=order["tries"]), "FAILED"], ["failed"]], 0)
        return False

    def _tell(self, order: Order, events: list[list[Any]], seconds: float) -> None:
        self.report.took(order["student"], seconds)
        tell(self.report, order["student"], events)
        if self._bar:
            self._bar.step()

    def _wanted(self) -> list[Order]:
        """The submissions to grade, as nbgrader would choose them; the others are counted as graded before."""
        converter = self.parent
        assignment = converter.coursedir.assignment_id
        wanted = []
        for folder in sorted(converter.assignments):
            student = handed_in.student_of(converter, folder)
            notebooks = converter.notebooks = sorted(converter.assignments[folder])
            if student in converter.coursedir.student_id_exclude.split(","):
                continue
            if not self.dry_run and self.progress.remove_unfinished(assignment, student):
                self.report.note(student, CUT_OFF)
            if self._is_current(assignment, student):
                self.progress.was_graded(assignment, student, notebooks)
            else:
                wanted.append({"student": student, "assignment": assignment, "folder": folder, "notebooks": notebooks})
        return wanted

    def _is_current(self, assignment: str, student: str) -> bool:
        """Whether the submission was graded, and not handed in anew since."""
        converter = self.parent
        graded = os.path.normpath(converter._format_dest(assignment, student))
        if converter.force or not os.path.exists(graded):
            return False
        handed = converter._format_source(assignment, student)
        new, old = (handed_in.time_of(folder, converter.coursedir) for folder in (handed, graded))
        return new is None or old is None or new <= old

    def summary(self, failed: bool = False) -> int:
        status = super().summary(failed)
        if self.summary_file:
            changes = self._changes.by_student() if self._changes else None
            write_summary(self.summary_file, self.parent.coursedir.assignment_id, self.report, status, changes)
        return status

    def end(self) -> None:
        if self._pool:
            self._pool.end()
        super().end()
