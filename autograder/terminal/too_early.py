"""Checks before an nbgrader command starts that it has what it needs; if not, one sentence names the next step.

nbgrader only looks for files by a pattern. For a wrong name, a step that was left out and a wrong folder alike it says
"No notebooks were matched", or nothing.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable
from typing import Any

WHICH = "Say which assignment: nbgrader {command} {example}{known}."
NO_ASSIGNMENT = "There is no assignment {name}: {known}."
NO_SOURCES = "There is no folder {folder} with assignments in it: run the command in the folder of your course."
EMPTY_SOURCE = "{folder} holds no notebook (a file that ends in .ipynb), so there is nothing to make a release of."
NOT_GENERATED = "{release} is not there yet: run `nbgrader generate_assignment {name}` first."
NOT_IN_GRADEBOOK = "{name} is not in the gradebook yet: run `nbgrader generate_assignment {name}`, then this again."
NO_GRADES = (
    "There is nothing to export, because no assignment is in the gradebook {path}: run `nbgrader generate_assignment "
    "{name}` first."
)
NOBODY = (
    "Nobody has handed in {name}, because there is no folder {folder}: run `nbgrader collect {name}`, or put there "
    "what students sent you."
)
NOT_THIS_ONE = "{student} has not handed in {name}: there is no folder {folder}. Look at the name; {known}."
NO_NOTEBOOK = "No submission of {name} holds a notebook, so there is nothing to grade: look into {folders}."
NOT_GRADED = "Nothing of {name} is graded yet{whose}: run `nbgrader autograde {name}` first."
NO_PAGES = "There are no feedback pages of {name} yet{whose}: run `nbgrader generate_feedback {name}` first."
NO_EXCHANGE = (
    "There is no exchange folder {folder}: `nbgrader release_assignment {name}` makes it, and c.Exchange.root in "
    "nbgrader_config.py, or NBGRADER_EXCHANGE, names another. Without an exchange use `autograder collect` and "
    "`autograder feedback`."
)
CLOSED_EXCHANGE = (
    "You may not look into the exchange folder {folder}: give it mode 0755, or name another in c.Exchange.root."
)
NOT_RELEASED = (
    "{name} has not been released, so nobody can have handed it in: run `nbgrader release_assignment {name}` first."
)
NOTHING_THERE = "Nobody has handed in {name} yet: {folder} holds no submission of it."
RELEASED = (
    "{name} is released already: `nbgrader release_assignment {name} --force` releases what is in {release} now; "
    "students who have fetched it keep their copy."
)
NO_FILE = "There is no notebook {file}: {known}."
WHICH_FILE = "Say which notebook: nbgrader validate {example}."


def problem(app: Any) -> str:
    """A sentence for the user if the command `app` has nothing to work on; else "" (also for a student's command)."""
    check = _CHECKS.get(type(app).__name__)
    return check(Course(app)) if check else ""


class Course:
    """The course's folders and gradebook, as configured for the command `app`."""

    def __init__(self, app: Any) -> None:
        self.app, self.dir = app, app.coursedir
        self.command = app.name.removeprefix("nbgrader-").replace("-", "_")
        self.name: str = app.extra_args[0] if app.extra_args else app.coursedir.assignment_id
        self.student: str = app.coursedir.student_id

    def path(self, step: str, student: str = ".", name: str = "") -> str:
        """The folder of an assignment in `step` (one of nbgrader's directories, such as `submitted_directory`)."""
        return os.path.normpath(str(self.dir.format_path(step, student, name or self.name)))

    def found(self, step: str, student: str = ".", name: str = "") -> list[str]:
        """The existing folders that match; `student` and `name` may be patterns."""
        return sorted(filter(os.path.isdir, glob.glob(self.path(step, student, name))))

    def relative(self, path: str) -> str:
        """The path relative to the course's folder if it is in there."""
        short = os.path.relpath(path, self.dir.root)
        return path if short.startswith("..") else short

    def assignments(self) -> list[str]:
        """The names of the assignments in source/."""
        return [os.path.basename(path) for path in self.found(self.dir.source_directory, name="*")]

    def example(self) -> str:
        return self.name or (self.assignments() or ["ps1"])[0]

    def known(self) -> str:
        names = self.assignments()
        return f"{self.dir.source_directory}/ holds {', '.join(names)}" if names else "look at the name"

    def unnamed(self) -> str:
        """A sentence if the command was given no assignment; else ""."""
        if self.name:
            return ""
        names = self.assignments()
        known = f" ({self.dir.source_directory}/ holds {', '.join(names)})" if names else ""
        return WHICH.format(command=self.command, example=self.example(), known=known)

    def unknown(self) -> str:
        """A sentence if neither source/ nor the gradebook has an assignment of this name; else ""."""
        if self.found(self.dir.source_directory) or self.in_gradebook():
            return ""
        return NO_ASSIGNMENT.format(name=self.name, known=self.known())

    def in_gradebook(self, name: str = "") -> bool | None:
        """Whether the gradebook has the assignment (with "*": any); None if the gradebook cannot be read now."""
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        from autograder.gradebook import reading

        file = reading.sqlite_file(self.dir.db_url)
        if file and not file.exists():
            return False
        try:
            with reading.opened(self.dir.db_url, name or self.name, patience=1) as session:
                names = list(session.scalars(text("SELECT name FROM assignment")))
        except (reading.GradebookError, SQLAlchemyError):
            return None
        return bool(names) if name == "*" else (name or self.name) in names

    def exchange(self, *parts: str) -> str:
        """The path of a folder of the exchange; "" if another kind of exchange is configured, without folders."""
        from nbgrader.exchange.abc import Exchange

        used = str(self.app.config.ExchangeFactory.get("collect", "nbgrader."))
        if not used.startswith(("autograder.", "nbgrader.")):
            return ""
        root = self.app.config.Exchange.get("root", "") or Exchange(coursedir=self.dir, parent=self.app).root
        return os.path.join(root, *parts)

    def no_exchange(self) -> str:
        """A sentence if the exchange folder is missing or cannot be read; else ""."""
        folder = self.exchange()
        if not folder:
            return ""
        if not os.path.isdir(folder):
            return NO_EXCHANGE.format(folder=folder, name=self.example())
        return "" if os.access(folder, os.R_OK | os.X_OK) else CLOSED_EXCHANGE.format(folder=folder)

    def whose(self) -> str:
        return "" if self.student == "*" else f" for {self.student}"


def _generate(course: Course) -> str:
    if not course.assignments():
        return NO_SOURCES.format(folder=course.path(course.dir.source_directory, name=course.name or "ps1"))
    if course.unnamed():
        return course.unnamed()
    there = course.found(course.dir.source_directory)
    if not there:
        return NO_ASSIGNMENT.format(name=course.name, known=course.known())
    notebook = course.dir.notebook_id
    if not glob.glob(os.path.join(glob.escape(there[0]), notebook + ".ipynb")):
        if notebook != "*":
            return NO_FILE.format(file=f"{course.relative(there[0])}/{notebook}.ipynb", known="look at the name")
        return EMPTY_SOURCE.format(folder=course.relative(there[0]))
    return ""


def _autograde(course: Course) -> str:
    if course.unnamed():
        return course.unnamed()
    step = course.dir.submitted_directory
    submitted = course.found(step, course.student)
    if not submitted:
        if course.unknown():
            return course.unknown()
        folder = course.relative(course.path(step, "<student>" if course.student == "*" else course.student))
        everybody = [os.path.basename(os.path.dirname(path)) for path in course.found(step, "*")]
        if course.student == "*" or not everybody:
            return NOBODY.format(name=course.name, folder=folder)
        known = f"{', '.join(everybody[:10])}{' ...' if len(everybody) > 10 else ''} handed in"
        return NOT_THIS_ONE.format(student=course.student, name=course.name, folder=folder, known=known)
    if course.in_gradebook() is False:
        return NOT_IN_GRADEBOOK.format(name=course.name)
    if not any(glob.glob(os.path.join(glob.escape(path), "*.ipynb")) for path in submitted):
        folders = ", ".join(course.relative(path) for path in submitted[:5])
        return NO_NOTEBOOK.format(name=course.name, folders=folders)
    return ""


def _feedback(course: Course) -> str:
    if course.unnamed():
        return course.unnamed()
    if course.found(course.dir.autograded_directory, course.student):
        return ""
    return course.unknown() or NOT_GRADED.format(name=course.name, whose=course.whose())


def _release(course: Course) -> str:
    if course.unnamed():
        return course.unnamed()
    release = course.path(course.dir.release_directory)
    if not os.path.isdir(release):
        return course.unknown() or NOT_GENERATED.format(release=course.relative(release), name=course.name)
    there = course.exchange(course.dir.course_id, "outbound", course.name)
    if there and os.path.isdir(there) and not course.app.config.ExchangeReleaseAssignment.get("force", False):
        return RELEASED.format(name=course.name, release=course.relative(release))
    return ""


def _release_feedback(course: Course) -> str:
    if course.unnamed():
        return course.unnamed()
    if course.found(course.dir.feedback_directory, course.student):
        return course.no_exchange()
    return course.unknown() or NO_PAGES.format(name=course.name, whose=course.whose())


def _collect(course: Course) -> str:
    if course.unnamed():
        return course.unnamed()
    released = course.exchange(course.dir.course_id, "outbound", course.name)
    if not released:
        return ""
    inbound = course.exchange(course.dir.course_id, "inbound")
    handed_in = glob.glob(os.path.join(glob.escape(inbound), f"*+{glob.escape(course.name)}+*"))
    if handed_in:
        return ""
    if not os.path.isdir(released):
        return course.unknown() or NOT_RELEASED.format(name=course.name)
    return NOTHING_THERE.format(name=course.name, folder=inbound)


def _list(course: Course) -> str:
    return course.no_exchange()


def _export(course: Course) -> str:
    if course.in_gradebook("*") is False:
        path = course.dir.db_url.removeprefix("sqlite:///")
        return NO_GRADES.format(path=path, name=course.example())
    return ""


def _validate(course: Course) -> str:
    asked = course.app.extra_args
    pattern = os.path.join(course.path(course.dir.source_directory, name="*"), "*.ipynb")
    there = [course.relative(path) for path in glob.glob(pattern)]
    there.sort(key=lambda path: (os.path.basename(path) != "problems.ipynb", path))
    if not asked:
        return WHICH_FILE.format(example=there[0] if there else "source/ps1/problems.ipynb")
    for file in asked:
        if not glob.glob(file):
            return NO_FILE.format(file=file, known=f"there is {', '.join(there)}" if there else "look at the name")
    return ""


_CHECKS: dict[str, Callable[[Course], str]] = {
    "GenerateAssignmentApp": _generate,
    "AutogradeApp": _autograde,
    "GenerateFeedbackApp": _feedback,
    "ReleaseAssignmentApp": _release,
    "ReleaseFeedbackApp": _release_feedback,
    "CollectApp": _collect,
    "ListApp": _list,
    "ExportApp": _export,
    "ValidateApp": _validate,
}
