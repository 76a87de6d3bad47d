"""One grading run: no file is touched before student code is known to be isolated, and no submission can end the run.

nbgrader makes one exporter in a run, before it converts anything. So the exporter owns what submissions share (`run`)
and what the terminal is told (`report`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import ClearHiddenTests
from traitlets import Float

from autograder import by_hand_list, seeds
from autograder.rooms import (
    alone,
    by_hand_table,
    course_files,
    first_use,
    folder_names,
    gradebook_lock,
    handed_in,
    other_language,
    ways,
)
from autograder.rooms.engine import Engine
from autograder.rooms.names import Names
from autograder.rooms.notebooks import Notebooks
from autograder.rooms.progress import RunProgress
from autograder.rooms.run import GradingRun
from autograder.rooms.tried import NO_INSIDE
from autograder.terminal import in_terminal, say
from autograder.terminal.report import Reason, Report
from autograder.terminal.too_early import NOT_IN_GRADEBOOK


class TwoRooms(Notebooks):
    """`Autograde.exporter_class`: writes notebooks as nbconvert's own does, and owns what the submissions share."""

    patience = Float(
        gradebook_lock.PATIENCE,
        help="Seconds to wait for a gradebook that another process holds, before and during a run, and for another run "
        "that grades the assignment or writes its feedback pages.",
    ).tag(config=True)

    def __init__(self, config: Any = None, **options: Any) -> None:
        super().__init__(config=config, **options)
        converter, engine = self.parent, Engine(parent=self)
        self.run = GradingRun(
            engine.limits(), engine.fork, self._source_folder, self._submissions, Path(converter.coursedir.root)
        )
        self.report = self.made_report()
        self._alone = alone.Alone(converter, converter.coursedir.assignment_id)
        try:
            self.run.launchers.begin()
            first_use.make()
            isolated = self.run.choose_isolation(engine.isolation, engine.unsafe, self.log)
            isolated = f"{isolated} {self.isolated()}".strip()
            self.start_scribe()
            self._alone.begin(self.patience)
            self.run.open_gradebook(converter.coursedir, self.patience, self.log)
            refused = folder_names.refused(converter)
            self.names = Names(self.run, self.report)
            self.names.adopt(converter)
            empty = handed_in.without_notebook(converter)
            graded = [handed_in.student_of(converter, folder) for folder in (*converter.assignments, *empty)]
            self._header([*graded, *refused], isolated)
            for student, why in refused.items():
                self.report.failed(student, why)
            with self.run.gradebook() as gradebook:
                handed_in.enter_empty(converter, gradebook, self.report, empty)
            self.prepare()
            self.progress = RunProgress(converter, self.run, self.report, self.names)
        except BaseException:
            self.end()
            raise
        # nbgrader has no event for the end of a run, and in a formgrader the process lives on.
        converter.convert_notebooks = self._whole_run(self.converting())
        if converter.pre_convert_hook is None:
            converter.pre_convert_hook = self.wait_for_gradebook

    def made_report(self) -> Report:
        return Report(self.say, self.log)

    def start_scribe(self) -> None:
        """Called before anything is opened: a forked process would have it open, too."""
        self.run.scribe.start()

    def isolated(self) -> str:
        """Called when it is known how student code is isolated, before anything is opened or touched. Returns what the
        header says of it.
        """
        return ""

    def prepare(self) -> None:
        """Makes what was handed in safe to copy."""
        handed_in.prepare(self.parent, self.report)

    def converting(self) -> Callable[[], None]:
        """What grades the submissions: nbgrader's own loop."""
        convert: Callable[[], None] = self.parent.convert_notebooks
        return convert

    def learn(self, assignment: str, notebooks: list[str]) -> None:
        """Prepares the rooms for the course's notebooks."""
        self.run.learn(assignment, notebooks, ClearHiddenTests(parent=self))

    def say(self, line: str) -> None:
        """Shows a line of the report."""
        say(self.parent, line)

    def _header(self, students: list[str], isolated: str) -> None:
        """Reports what is about to be graded. NbGraderException if the assignment is not in the gradebook."""
        converter = self.parent
        name = converter.coursedir.assignment_id
        with self.run.gradebook() as gradebook:
            if name not in [assignment.name for assignment in gradebook.assignments]:
                self.log.error("%s", NOT_IN_GRADEBOOK.format(name=name))
                raise NbGraderException(f"{name} is not in the gradebook")
            public = seeds.public_note(gradebook.db, name)
            notebooks = [notebook.name for notebook in gradebook.find_assignment(name).notebooks]
        courses = {notebook: self.run.course_cells(name, notebook) for notebook in notebooks}
        in_rooms = [notebook for notebook, course in courses.items() if not course.language]
        engine = Engine(parent=self)
        several = len(in_rooms) > 1
        found = {(n, test): way for n in in_rooms for test, way in self.run.ways(name, n).items()}
        tests = {f"{n} {test}" if several else test: way for (n, test), way in found.items()}
        if refused := (
            other_language.refused(courses, engine.unsafe)
            or [NO_INSIDE.format(cell=test) for test, way in tests.items() if way.closed and not engine.trusting]
            or course_files.edited_in_a_run(self.run, name, notebooks, self.config)
        ):
            self.log.error("Nothing was graded: %s", " ".join(refused))
            raise NbGraderException(refused[0])
        aside = by_hand_list.set_aside(self._list())
        said = [*other_language.told(courses), *ways.told(tests)]
        self.learn(name, notebooks)
        self.report.header(name, students, isolated, *filter(None, [public, aside, *said]))

    def _whole_run(self, convert: Callable[[], None]) -> Callable[[], None]:
        def convert_and_end() -> None:
            try:
                convert()
                self.progress.graded_before()
            except NbGraderException as error:
                self.progress.graded_before()
                self.summary(failed=True)
                if gradebook_lock.is_locked(error.__context__):
                    self.log.error(gradebook_lock.HELD, self.patience)
                raise
            finally:
                self.end()
            status = self.summary()
            # A formgrader shows whatever is raised as a failure of its button.
            if status and in_terminal(self.parent):
                sys.exit(status)

        return convert_and_end

    def end(self) -> None:
        """Nothing that the run has started is left when this returns."""
        self.run.end()
        self._alone.end()

    def summary(self, failed: bool = False) -> int:
        """Shows the summary, of a run that has `failed` or not, and returns the exit status."""
        status = self.report.end(failed)
        if in_terminal(self.parent):
            by_hand_table.print_table(self._list(), self.report.students())
        return status

    def list_findings(self, who: dict[str, str], rows: list[dict[str, Any]]) -> None:
        """Puts them into the list at once."""
        self.enter_findings([(who, rows)])

    def enter_findings(self, found: Sequence[by_hand_list.Finding]) -> None:
        """Puts what was found in several notebooks into the list."""
        by_hand_list.enter(self._list(), found, self.report.note, self.not_listed)

    def not_listed(self, student: str, why: str) -> None:
        """Reports that answers which may not be by hand could not be listed."""
        self.report.note(student, why, Reason.BY_HAND)

    def _list(self) -> Path:
        return Path(self.parent.coursedir.root) / by_hand_list.FILE

    def wait_for_gradebook(self, **_: Any) -> None:
        """Waits before nbgrader would: after five seconds with a locked gradebook nbgrader gives up the whole run."""
        gradebook_lock.is_free(self.parent.coursedir, self.patience, self.log)

    def _submissions(self, notebook: str) -> int:
        """How many of the submissions that are graded have a notebook of this name."""
        return [Path(file).stem for files in self.parent.assignments.values() for file in files].count(notebook)

    def _source_folder(self, assignment: str) -> str:
        """The course's own files, which the examiner's cells can use; it need not exist."""
        coursedir = self.parent.coursedir
        return str(os.path.abspath(coursedir.format_path(coursedir.source_directory, ".", assignment)))
