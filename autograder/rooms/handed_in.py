"""Makes what was handed in safe to grade, before nbgrader copies it: no links or pipes, a time that can be read.

A submission without a notebook is entered with 0 points: nbgrader would pass over it, and the student would have no
grade.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.utils import parse_utc

from autograder.rooms import folder_names
from autograder.sandbox import folders
from autograder.terminal.report import Reason, Report

NOT_A_FILE = "{path} was removed: it is a link to {to}, not a file"
TOO_MANY = "{number} files were left out (only {most} are graded, {deepest} folders deep); they are in {aside}"
BAD_TIME = "timestamp.txt holds no time; it was renamed, and the submission counts as handed in without one"
MOST_FILES = 1000
STUCK = "its files cannot be made safe to copy ({why})"
UNREADABLE = "The file that was handed in could not be read as a notebook ({why}). It was graded as empty."
"""The one cell that grading puts in the place of such a file."""
NOTHING = "no notebook{but}: every question gets 0 points"

Note = Callable[[str], None]


def prepare(converter: Any, gradebook: Gradebook, report: Report, empty: Iterable[str]) -> None:
    """Prepares every submission that `converter` is about to grade, and the `empty` ones, which have no notebook.

    One that cannot be prepared is reported and left out of the run.
    """
    for folder in list(converter.assignments):
        student = student_of(converter, folder)

        def note(text: str, student: str = student) -> None:
            report.note(student, text)

        try:
            _only_files(folder, note)
            _readable_time(os.path.join(folder, "timestamp.txt"), note)
        except OSError as error:
            report.failed(student, STUCK.format(why=error))
            del converter.assignments[folder]
    for folder in empty:
        try:
            _zero(folder, converter, gradebook, report)
        except OSError as error:  # the folder cannot be read, so there may be a notebook in it
            report.failed(student_of(converter, folder), STUCK.format(why=error))


def without_notebook(converter: Any) -> list[str]:
    """The submissions that nbgrader passes over."""
    coursedir = converter.coursedir
    if coursedir.notebook_id != "*":
        return []
    everybody = glob.glob(converter._format_source(coursedir.assignment_id, coursedir.student_id))
    return [
        folder
        for folder in sorted(set(everybody) - set(converter.assignments))
        if os.path.isdir(folder)
        and not glob.glob(os.path.join(glob.escape(folder), "*.ipynb"))
        and (student := student_of(converter, folder))
        and not folder_names.problem(student)
    ]


def student_of(converter: Any, folder: str) -> str:
    """Whose submission a folder is; empty if the folder is no submission."""
    pattern = converter.coursedir.format_path(converter._input_directory, "(?P<student>.*)", ".*", escape=True)
    found = re.match(pattern, folder)
    return found["student"] if found else ""


def _only_files(folder: str, note: Note) -> None:
    """Removes links and pipes and sets too many files aside.

    nbgrader would copy what a link points at, be it a device without an end, and would not grade the other students.
    """
    left_out = 0
    aside = folder + ".left-out"
    for number, (entry, depth) in enumerate(folders.walk(folder)):
        is_folder = entry.is_dir(follow_symlinks=False)
        if not is_folder and not entry.is_file(follow_symlinks=False):
            to = os.readlink(entry.path) if entry.is_symlink() else "nothing"
            note(NOT_A_FILE.format(path=os.path.relpath(entry.path, folder), to=to))
            os.unlink(entry.path)
        elif number >= MOST_FILES or (is_folder and depth >= folders.DEEPEST):
            left_out += 1
            os.makedirs(aside, exist_ok=True)
            os.replace(entry.path, os.path.join(aside, f"{number}-{entry.name}"[:80]))
        elif not os.access(entry.path, os.R_OK | os.W_OK | (os.X_OK if is_folder else 0)):
            os.chmod(entry.path, 0o700 if is_folder else 0o600)
    if left_out:
        note(TOO_MANY.format(number=left_out, most=MOST_FILES, deepest=folders.DEEPEST, aside=os.path.basename(aside)))


def _readable_time(path: str, note: Note) -> None:
    if not os.path.lexists(path):
        return
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(200).strip()
        if text:
            parse_utc(text)
    except Exception:  # dateutil raises errors of many kinds
        note(BAD_TIME)
        os.replace(path, path + ".unreadable")


def _zero(folder: str, converter: Any, gradebook: Gradebook, report: Report) -> None:
    student, assignment = student_of(converter, folder), converter.coursedir.assignment_id
    files = sorted(name for name in os.listdir(folder) if name not in ("timestamp.txt", "submission_secret.txt"))
    but = f" (but {', '.join(files[:3])}{' ...' if len(files) > 3 else ''})" if files else ""
    report.note(student, NOTHING.format(but=but), Reason.NOTHING)
    submission = submission_row(gradebook, assignment, student)
    for notebook in submission.notebooks:
        for grade in notebook.grades:
            grade.auto_score, grade.needs_manual_grade = 0, False
    gradebook.db.commit()
    report.done(student, submission.score, submission.max_score)


def submission_row(gradebook: Gradebook, assignment: str, student: str) -> Any:
    """The submission's row in the gradebook, made if it is not there yet.

    nbgrader lets SQLAlchemy write out a submission while it is being put together, and SQLAlchemy 2.1 warns of that
    once a student; where nbgrader finds a row it makes none.
    """
    with gradebook.db.no_autoflush:
        gradebook.update_or_create_student(student)
        return gradebook.update_or_create_submission(assignment, student)
