"""Writes the feedback pages of a class on all cores: those that are missing, and those older than what they show.

The main process lists the submissions, reads the gradebook once and says what is written; workers render and never open
the gradebook. What is written stays, whatever ends the run, and the next run goes on with the rest.
"""

from __future__ import annotations

import contextlib
import glob
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nbconvert.writers import FilesWriter
from nbgrader.apps import GenerateFeedbackApp
from nbgrader.converters import GenerateFeedback
from nbgrader.converters.base import NbGraderException
from tqdm import tqdm

from autograder.collecting.course import Course
from autograder.errors import AutograderError
from autograder.feedback import grades, page_workers
from autograder.feedback.page import FeedbackPage
from autograder.feedback.submission_pages import Submission, Writer, Written
from autograder.gradebook import reading
from autograder.rooms import alone, gradebook_lock
from autograder.sandbox import folders, processes
from autograder.terminal import tell
from autograder.terminal.words import count, shown

NOT_OURS = (
    "c.GenerateFeedback.exporter_class is not autograder.feedback.FeedbackPage, so `nbgrader generate_feedback "
    "{assignment}` writes the pages of this course. Packed are those that are there."
)
BEGINS = "Writing {pages} of {assignment} with {processes}."
ENDS = "{pages} written in {seconds:.0f} s, {before} {were} up to date."
NOT_WRITTEN = "NOT WRITTEN  {student}, {notebook}: {why}"
NOT_GRADED = "NOT GRADED  {student}: nbgrader autograde {assignment} --student={student}"
DIED = "the process that wrote it was killed, twice; perhaps by want of memory"
BUSY = "nothing was done"


@dataclass(frozen=True)
class Options:
    """`jobs` processes write the pages of `students`; 0: one a core; none: of all. `force`: also those up to date."""

    jobs: int = 0
    students: Collection[str] = ()
    force: bool = False


class Outcome(NamedTuple):
    """The exit status, 1 if some pages could not be written; and the students whose pages are not up to date now."""

    status: int
    stale: frozenset[str] = frozenset()


def write(assignment: str, options: Options) -> Outcome:
    """Writes the pages in the course of the current folder.

    AutograderError if none can be: there is no such course, assignment or gradebook, or another run is at work.
    """
    Course(assignment)
    # A singleton, as nbgrader itself makes it, because nbgrader_config.py looks for it.
    app = GenerateFeedbackApp.instance()
    try:
        app.initialize([assignment])
        app.coursedir.assignment_id = assignment
        converter = GenerateFeedback(coursedir=app.coursedir, parent=app)
        if not issubclass(converter.exporter_class, FeedbackPage):
            tell(NOT_OURS.format(assignment=assignment))
            return Outcome(0)
        with contextlib.chdir(app.coursedir.root), _alone(converter, assignment):
            return _Run(converter, options).write()
    finally:
        GenerateFeedbackApp.clear_instance()


@contextlib.contextmanager
def _alone(converter: Any, assignment: str) -> Iterator[None]:
    lock = alone.Alone(converter, assignment, alone.PAGES)
    try:
        try:
            lock.begin(gradebook_lock.patience_of(converter.config))
        except NbGraderException:  # it has said why
            raise AutograderError(BUSY) from None
        yield
    finally:
        lock.end()


class _Run:
    """One run: what there is to write, and what became of it."""

    def __init__(self, converter: Any, options: Options) -> None:
        self._converter, self._options = converter, options
        self._assignment: str = converter.coursedir.assignment_id
        self._failed: list[str] = []
        self._stale: set[str] = set()

    def write(self) -> Outcome:
        began = time.monotonic()
        everyone, asked = self._submissions(), self._options.students
        self._stale = {one.student for one in everyone if not one.is_up_to_date()}
        force = self._options.force or self._converter.force
        chosen = [one for one in everyone if not asked or one.student in asked]
        todo = [one for one in chosen if force or one.student in self._stale]
        wanted, before = (sum(len(one.notebooks) for one in some) for some in (todo, chosen))
        before -= wanted
        written = self._write(todo, wanted) if todo else 0
        for line in self._failed:
            tell(line)
        seconds = time.monotonic() - began
        if chosen:
            were = "was" if before == 1 else "were"
            tell(ENDS.format(pages=count(written, "page"), seconds=seconds, before=before, were=were))
        return Outcome(1 if self._failed else 0, frozenset(self._stale))

    def _submissions(self) -> list[Submission]:
        """All that are graded; of the students who were asked for it is said which are not."""
        converter = self._converter
        with contextlib.suppress(NbGraderException):  # nobody is graded
            converter.init_notebooks()
        pattern = converter._format_source("(?P<assignment>.*)", "(?P<student>.*)", escape=True)
        found = {m["student"]: folder for folder in converter.assignments if (m := re.match(pattern, folder))}
        for student in sorted(set(self._options.students) - set(found)):
            self._failed.append(NOT_GRADED.format(student=shown(student), assignment=self._assignment))
        left_out = converter.coursedir.student_id_exclude.split(",")
        students = [student for student in sorted(found) if student not in left_out]
        known: dict[str, dict[str, grades.Grades]] = defaultdict(dict)
        if students:
            with reading.opened(converter.coursedir.db_url, self._assignment) as session:
                for (student, notebook), of in grades.of_class(session, self._assignment).items():
                    known[student][notebook] = of
        return [
            Submission(
                number=number,
                student=student,
                graded=Path(found[student]),
                pages=Path(converter._format_dest(self._assignment, student)),
                notebooks=tuple(sorted(converter.assignments[found[student]])),
                grades=known[student],
            )
            for number, student in enumerate(students)
        ]

    def _write(self, todo: Sequence[Submission], wanted: int) -> int:
        """Writes the pages, which are `wanted` in all, and returns how many it could."""
        converter, written = self._converter, 0
        converter.writer = FilesWriter(parent=converter, config=converter.config)
        converter.exporter = converter.exporter_class(parent=converter, config=converter.config)
        for preprocessor in converter.preprocessors:
            converter.exporter.register_preprocessor(preprocessor)
        converter.exporter.rehearse(self._assignment)
        jobs = min(self._options.jobs or processes.cores(), len(todo))
        tqdm.monitor_interval = 0  # that would be a thread, beside which no process must be forked
        bar = tqdm(total=wanted, unit="page", leave=False, disable=not sys.stderr.isatty())
        if bar.disable:
            by = "1 process" if jobs == 1 else f"{jobs} processes"
            tell(BEGINS.format(pages=count(wanted, "page"), assignment=self._assignment, processes=by))
        with bar, self._aside() as aside:
            work = Writer(converter, aside)
            with contextlib.closing(page_workers.run(work, todo, jobs)) as done:
                for submission, result in done:
                    self._tell_failed(submission, result or Written(0, dict.fromkeys(submission.names, DIED)))
                    if result and result.pages:
                        written += result.pages
                        self._stale.discard(submission.student)
                    bar.update(len(submission.notebooks))
        return written

    def _tell_failed(self, submission: Submission, result: Written) -> None:
        for notebook, why in result.failed.items():
            student = shown(submission.student)
            self._failed.append(NOT_WRITTEN.format(student=student, notebook=shown(notebook), why=shown(why, 300)))

    @contextlib.contextmanager
    def _aside(self) -> Iterator[Path]:
        """A folder on the disk of the pages, removed in the end; what killed runs have left is removed now."""
        directory = self._converter.coursedir
        pages = Path(directory.format_path(directory.feedback_directory, ".", "."))
        pages.mkdir(parents=True, exist_ok=True)
        for left in pages.glob(f".{glob.escape(self._assignment)}.*.pages"):
            folders.remove(str(left))
        aside = tempfile.mkdtemp(prefix=f".{self._assignment}.", suffix=".pages", dir=pages)
        try:
            yield Path(aside)
        finally:
            folders.remove(aside)
