"""Makes what was handed in safe to grade, before nbgrader copies it: no links or pipes, a time that can be read.

A submission without a notebook is entered as one that a person marks: nbgrader would pass over it.
"""

from __future__ import annotations

import glob
import itertools
import os
import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.utils import parse_utc
from sqlalchemy.exc import SQLAlchemyError

from autograder.rooms import folder_names, gradebook_errors
from autograder.sandbox import folders
from autograder.selection import (
    DEEPEST,
    OF_NBGRADER,
    PROGRAMS,
    TOO_DEEP,
    Budget,
    LeftOut,
    Limits,
    UnsafeCopy,
    is_ignored,
    limits_of,
    select,
)
from autograder.terminal.report import Reason, Report

NOT_A_FILE = "{path} was removed: it is a link to {to}, not a file"
LEFT_OUT = "left out, and now in {aside}: {names} ({why})"
BAD_TIME = "timestamp.txt holds no time; it was renamed, and the submission counts as handed in without one"
STUCK = "its files cannot be made safe to copy ({why})"
UNREADABLE = "The file that was handed in could not be read as a notebook: {why}. It was not graded."
"""The one cell that grading puts in the place of such a file."""
NOTHING = "no notebook{but}: nothing could be graded"
LINKED = "{name}, which is a link to {to}, not a folder"
NO_FOLDER = "{name}, which is no folder"

Note = Callable[[str, Reason | None], None]


def prepare(converter: Any, report: Report) -> None:
    """Prepares every submission that `converter` is about to grade.

    One that cannot be prepared is reported and left out of the run.
    """
    for folder in list(converter.assignments):
        student = student_of(converter, folder)

        def note(text: str, reason: Reason | None = None, student: str = student) -> None:
            report.note(student, text, reason)

        try:
            _only_files(folder, note, converter.coursedir)
            _readable_time(os.path.join(folder, "timestamp.txt"), note)
        except (OSError, UnsafeCopy) as error:
            report.failed(student, STUCK.format(why=error))
            del converter.assignments[folder]


def enter_empty(converter: Any, gradebook: Gradebook, report: Report, empty: Iterable[str]) -> None:
    """Enters the `empty` submissions, which have no notebook."""
    for folder in empty:
        try:
            _empty(folder, converter, gradebook, report)
        except OSError as error:  # the folder cannot be read, so there may be a notebook in it
            report.failed(student_of(converter, folder), STUCK.format(why=error))
        except SQLAlchemyError as error:
            gradebook.db.rollback()
            if gradebook_errors.of_everybody(error):
                raise
            why = gradebook_errors.NOT_TAKEN.format(why=gradebook_errors.why(error))
            report.failed(student_of(converter, folder), why)


def without_notebook(converter: Any) -> list[str]:
    """The submissions that nbgrader passes over, and those that are links, which are taken from its list.

    A link may lead to another student's work. Of a student who has no folder of the assignment's name, it is the folder
    that should be there, if something beside it looks like the work.
    """
    coursedir = converter.coursedir
    for folder in [folder for folder in converter.assignments if os.path.islink(folder)]:
        del converter.assignments[folder]
    if coursedir.notebook_id != "*":
        return []
    everybody = set(glob.glob(converter._format_source(coursedir.assignment_id, coursedir.student_id)))
    return [
        folder
        for folder in sorted((everybody | _misplaced(converter)) - set(converter.assignments))
        if not (_is_folder(folder) and glob.glob(os.path.join(glob.escape(folder), "*.ipynb")))
        and (student := student_of(converter, folder))
        and not folder_names.problem(student)
    ]


def _is_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.path.islink(path)


def _misplaced(converter: Any) -> set[str]:
    """The folders that are not there though something beside where they should be looks like the work."""
    coursedir = converter.coursedir
    assignment = coursedir.assignment_id
    if os.path.basename(converter._format_source(assignment, "x")) != assignment:
        return set()  # the students' folders lie in the assignment's
    beside = glob.glob(converter._format_source("*", coursedir.student_id))
    found = {os.path.dirname(path) for path in beside if _looks_like(path, coursedir)}
    return {folder for path in found if not os.path.lexists(folder := os.path.join(path, assignment))}


def _looks_like(path: str, coursedir: Any) -> bool:
    """Whether a file or folder may be work that should lie in the assignment's folder: `ps1.zip`, `PS1`, a notebook."""
    name = os.path.basename(path)
    if os.path.exists(coursedir.format_path(coursedir.source_directory, ".", name)):
        return False  # another assignment
    of_its_name = re.match(rf"{re.escape(coursedir.assignment_id)}(?![^\W_])", name, re.IGNORECASE)
    return bool(of_its_name) or ".ipynb" in name.lower()


def student_of(converter: Any, folder: str) -> str:
    """Whose submission a folder is; empty if the folder is no submission."""
    pattern = converter.coursedir.format_path(converter._input_directory, "(?P<student>.*)", ".*", escape=True)
    found = re.match(pattern, folder)
    return found["student"] if found else ""


def time_of(folder: str, coursedir: Any) -> Any:
    """When the submission in a folder was handed in; None where that is not known, or not until it is prepared."""
    path = os.path.join(folder, "timestamp.txt")
    if os.path.islink(path) or not os.path.isfile(path):
        return None
    try:
        return coursedir.get_existing_timestamp(folder)
    except Exception:  # dateutil raises errors of many kinds
        return None


def _only_files(folder: str, note: Note, coursedir: Any) -> None:
    """Removes links and pipes, and sets aside what is no work and what is beyond the limits, as `collect` does.

    nbgrader would copy what a link points at, be it a device without an end, and would not grade the other students.
    """
    limits, left = limits_of(coursedir), LeftOut()
    aside = folder + ".left-out"
    number = itertools.count(len(os.listdir(aside)) if os.path.isdir(aside) else 0)

    def set_aside(path: str, why: str) -> None:
        os.makedirs(aside, exist_ok=True)
        os.replace(os.path.join(folder, path), os.path.join(aside, f"{next(number)}-{os.path.basename(path)}"[:80]))
        left.add(path, why)

    for entry, depth in folders.walk(folder):
        is_folder, path = entry.is_dir(follow_symlinks=False), os.path.relpath(entry.path, folder)
        if not is_folder and not entry.is_file(follow_symlinks=False):
            to = os.readlink(entry.path) if entry.is_symlink() else "nothing"
            note(NOT_A_FILE.format(path=path, to=to), None)
            os.unlink(entry.path)
        elif is_folder and depth > DEEPEST:
            set_aside(path, TOO_DEEP.format(most=DEEPEST))
        elif is_folder and not is_ignored(coursedir, entry.name, True) and _holds_programs(entry, limits):
            set_aside(path, PROGRAMS)
        elif not os.access(entry.path, os.R_OK | os.W_OK | (os.X_OK if is_folder else 0)):
            os.chmod(entry.path, 0o700 if is_folder else 0o600)
    _, beyond = select(folder, Budget(limits), partial(is_ignored, coursedir), any_name=True)
    for why, paths in beyond.by_reason.items():
        for path in paths:
            if os.sep in path or not path.endswith(".ipynb"):  # a notebook has a limit of its own, when it is read
                set_aside(path, why)
    for names, why, _ in left.told():
        told = LEFT_OUT.format(names=names, why=why, aside=os.path.basename(aside))
        note(told, None if why == PROGRAMS else Reason.LEFT_OUT)


def _holds_programs(entry: os.DirEntry[str], limits: Limits) -> bool:
    return limits.holds_programs(entry.name, lambda name: os.path.lexists(os.path.join(entry.path, name)))


def _readable_time(path: str, note: Note) -> None:
    if not os.path.lexists(path):
        return
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(200).strip()
        if text:
            parse_utc(text)
    except Exception:  # dateutil raises errors of many kinds
        note(BAD_TIME, None)
        os.replace(path, path + ".unreadable")


def _empty(folder: str, converter: Any, gradebook: Gradebook, report: Report) -> None:
    student, assignment = student_of(converter, folder), converter.coursedir.assignment_id
    files = _instead(folder, converter.coursedir)
    but = f" (but {', '.join(files[:3])}{' ...' if len(files) > 3 else ''})" if files else ""
    submission = submission_row(gradebook, assignment, student)
    waits = [for_a_person(notebook) for notebook in submission.notebooks]
    gradebook.db.commit()
    report.note(student, NOTHING.format(but=but), Reason.NOTHING if any(waits) else None)
    report.done(student, submission.score, submission.max_score)


def _instead(folder: str, coursedir: Any) -> list[str]:
    """What is there instead of a notebook."""
    name = os.path.basename(folder)
    if os.path.islink(folder):
        return [LINKED.format(name=name, to=os.readlink(folder))]
    if not os.path.lexists(folder):
        parent = os.path.dirname(folder)
        return sorted(f"../{name}" for name in os.listdir(parent) if _looks_like(os.path.join(parent, name), coursedir))
    if not os.path.isdir(folder):
        return [NO_FOLDER.format(name=name)]
    return sorted(name for name in os.listdir(folder) if name not in OF_NBGRADER)


def for_a_person(notebook: Any) -> bool:
    """Nothing of a submitted notebook could be graded: a person gives the points. Returns whether some are missing."""
    for grade in notebook.grades:
        grade.auto_score, grade.needs_manual_grade = None, grade.manual_score is None
    return any(grade.needs_manual_grade for grade in notebook.grades)


def submission_row(gradebook: Gradebook, assignment: str, student: str) -> Any:
    """The submission's row in the gradebook, made if it is not there yet.

    nbgrader lets SQLAlchemy write out a submission while it is being put together, and SQLAlchemy 2.1 warns of that
    once a student; where nbgrader finds a row it makes none.
    """
    with gradebook.db.no_autoflush, gradebook_errors.as_they_are():
        gradebook.update_or_create_student(student)
        return gradebook.update_or_create_submission(assignment, student)
