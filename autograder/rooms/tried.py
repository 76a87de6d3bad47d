"""Before a release, the instructor's own notebook is graded in rooms once: so each test is known to work there.

A test that earns its points with stand-ins for what it borrows of the student's is run by the examiner. One that does
not is tried in the student's closed room. One that fails there as well fails in the instructor's own notebook, and the
assignment is refused.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from weakref import finalize

import nbformat
from nbformat import NotebookNode
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import ClearHiddenTests, IncludeHeaderFooter, InstantiateTests, NbGraderPreprocessor
from nbgrader.utils import determine_grade
from traitlets import Bool

from autograder.errors import AutograderError
from autograder.rooms import course_cells, course_files, ways
from autograder.rooms.course_cells import CourseCells, Owner, without_hidden_tests
from autograder.rooms.engine import Engine
from autograder.rooms.run import GradingRun
from autograder.rooms.submission import SubmissionRun
from autograder.rooms.ways import Way
from autograder.terminal import say, tell
from autograder.terminal.words import count

TRYING = "{notebook}: {tests} tried in rooms, as in grading."
OUTSIDE, INSIDE_IT = "by the examiner", "inside the student's room"
NO_INSIDE = (
    "The test {cell} reaches into the notebook, so it would run where the student's code runs, and c.Engine.trusting = "
    "False refuses that. Let it call the student's functions and look at what they return."
)
FAILS = "The test {cell} of {notebook} fails for the instructor's own answer:\n{output}"
NOT_TRIED = "{notebook} was not tried, because student code cannot be isolated on this machine."


class FailsItself(AutograderError):
    """The instructor's own answer does not earn the points of a test."""


class TryTests(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader ships no types
    """In `GenerateAssignment.preprocessors` behind InstantiateTests, which writes tests, and before LockCells."""

    enabled = Bool(True, help="Grade the instructor's own notebook in rooms before it is released.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        where = dict(resources["nbgrader"])
        notebook = where["notebook"] = resources["metadata"]["name"]
        course = course_cells.of_notebook(nb)
        tests = [] if course.language else ways.tests(course)
        root = Path(CourseDirectory(parent=self).root)
        file = ways.file_of(root, where["assignment"])
        folder = os.path.abspath(resources["metadata"]["path"])
        editable = course_files.editable(self.config, where["assignment"])
        trusting = Engine(parent=self).trusting
        whole = ways.checksum(json.dumps([_cells(nb), _modules(folder), editable, trusting]))
        known = self.parent is not None and ways.known(file, notebook, whole)
        if not self.enabled or all(map(ways.asks_only, tests)) or known:
            return nb, resources
        try:
            run = self._rooms(folder, root)
        except NbGraderException:
            self.log.warning("%s", NOT_TRIED.format(notebook=notebook))
            return nb, resources
        self._told = set[str]()
        self._say(TRYING.format(notebook=notebook, tests=count(len(tests), "test")))
        run.try_cells(where["assignment"], notebook, course)
        found = self._try(run, where, folder, nb)
        ways.write(file, notebook, whole, {t.name: (t.source, found[t.name]) for t in tests if t.name in found})
        return nb, resources

    def _say(self, line: str) -> None:
        if self.parent is None:  # `autograder inspect`
            tell(line)
        else:
            say(self.parent.parent, line)

    def _rooms(self, folder: str, root: Path) -> GradingRun:
        """The rooms, for all notebooks of a release; they end with this preprocessor, because nbgrader says no end."""
        if self._run_of_rooms is None:
            engine = Engine(parent=self)
            run = GradingRun(engine.limits(), engine.fork, lambda _: folder, lambda _: 2, root)
            finalize(self, run.end)
            run.choose_isolation(engine.isolation, engine.unsafe, self.log)
            self._run_of_rooms = run
        return self._run_of_rooms

    _run_of_rooms: GradingRun | None = None

    def _try(self, run: GradingRun, where: dict[str, str], folder: str, nb: NotebookNode) -> dict[str, Way]:
        course = run.course_cells(where["assignment"], where["notebook"])
        trial = {t.name: ways.first(t, course) for t in ways.tests(course)}
        submission = partial(
            SubmissionRun, run, where, folder, len(trial), partial(without_hidden_tests, ClearHiddenTests(parent=self))
        )
        files = course_files.editable(self.config, where["assignment"])
        locked = [(c.name, c.source) for c in course.cells.values() if c.locked and c.cell_type == "code"]
        edited = any(course_files.edited(locked, Path(folder), files))
        closed = {t.name for t in ways.tests(course) if edited or ways.reaches_inside(t, course)}
        while True:
            way = {name: Way(closed=True) if name in closed else trial[name] for name in trial}
            with submission() as tried:
                found, failed = self._graded(tried, nb, course, {**ways.shared(course), **way})
            more = failed.keys() - closed or _define_for(failed, course) - closed
            if not more:
                break
            closed |= more  # others may fail then, for want of what these define
        if failed:
            raise FailsItself(
                "\n".join(FAILS.format(cell=n, notebook=where["notebook"], output=o) for n, o in failed.items())
            )
        trusting = Engine(parent=self).trusting
        if closed and not trusting:
            raise FailsItself("\n".join(NO_INSIDE.format(cell=name) for name in found if name in closed))
        for line in ways.told(found):
            self._say(line)
        return found

    def _graded(
        self, submission: SubmissionRun, nb: NotebookNode, course: CourseCells, trial: Mapping[str, Way]
    ) -> tuple[dict[str, Way], dict[str, str]]:
        """The ways as they were found, and of each test that did not earn its points what it put out."""
        found: dict[str, Way] = {}
        failed: dict[str, str] = {}
        cells = [(c, course.of(c)) for c in nb.cells if c.cell_type == "code" and c.source.strip()]
        whole = [
            (c.source, *((of.owner, trial.get(of.name, Way())) if of else (Owner.STUDENT, Way()))) for c, of in cells
        ]
        used = submission.used_later(whole)
        for at, ((cell, of), (source, owner, way)) in enumerate(zip(cells, whole, strict=True)):
            done = copy.deepcopy(cell)
            done.outputs = submission.run(source, owner, at + 1, way, used=at in used)
            if of is None or owner is not Owner.EXAMINER:
                continue
            found[of.name] = way
            if way.asked is None and not way.closed:
                lent = submission.lent
                pairs = tuple((kind, name) for kind, name in lent.get("asked", ()))
                found[of.name] = Way(tuple(lent.get("borrowed", ())), pairs, imports=way.imports)
            points, most = determine_grade(done, self.log)
            if points is None or points < most:
                failed[of.name] = _text(submission.put_out if way.closed else done.outputs)
            elif of.name not in self._told:
                self._told.add(of.name)
                self._say(f"  {of.name:30}  {INSIDE_IT if way.closed else OUTSIDE}")
        return found, failed


def inspect(coursedir: Any, assignment: str) -> None:
    """Tries an assignment's own notebooks as `generate_assignment` does, also where they were tried before.

    AutograderError if one fails its own tests.
    """
    steps = [step(config=coursedir.config) for step in (IncludeHeaderFooter, InstantiateTests, TryTests)]
    for path in sorted(Path(coursedir.format_path(coursedir.source_directory, ".", assignment)).glob("*.ipynb")):
        nb = nbformat.read(path, as_version=4)
        resources = {"nbgrader": {"assignment": assignment}, "metadata": {"name": path.stem, "path": str(path.parent)}}
        for step in steps:
            nb, resources = step.preprocess(nb, resources)


def _define_for(tests: Iterable[str], course: CourseCells) -> set[str]:
    """Other tests that give a value to what these name, perhaps where students do not see it."""
    named = set[str]().union(*(ways.words(course.cells[name], course) for name in tests))
    return {t.name for t in ways.tests(course) if t.name not in tests and ways.bound([t.source]) & named}


def _cells(nb: NotebookNode) -> list[Any]:
    return [[c.cell_type, c.source, c.metadata.get("nbgrader")] for c in nb.cells]


def _modules(folder: str) -> list[str]:
    """The course's modules beside the notebook, on which it may depend whether a test passes."""
    return [path.read_text(encoding="utf-8", errors="replace") for path in sorted(Path(folder).glob("*.py"))]


def _text(outputs: Iterable[NotebookNode]) -> str:
    """What a test has put out, for the instructor."""
    lines = []
    for output in outputs:
        if output.output_type == "error":
            lines.append(f"{output.ename}: {output.evalue}")
        elif output.output_type == "stream":
            lines.append(output.text)
        else:
            lines.append(str(output.data.get("text/plain", "")))
    return "\n".join(f"  {line}" for text in lines for line in text.splitlines()[-20:])
