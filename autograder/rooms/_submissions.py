"""What was handed in is made safe to copy: no links or pipes, a time that can be read, a row for everybody."""

from __future__ import annotations

import glob
import os
import re
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.utils import parse_utc

from autograder.rooms import _folders

NOT_A_FILE = "%s is not a regular file (a link to %s); it was removed from the submission."
TOO_MANY = "%s was left out: of a submission %s files are graded, %s folders deep. It is now %s."
BAD_TIME = "%s holds no time; it was renamed, and the submission counts as handed in without one."
MOST_FILES = 1000
STUCK = "%s cannot be made safe to copy (%s); this submission is left out."
NOTHING = "%s holds no notebook: every question of %s gets 0 points."


def prepare(converter: Any, gradebook: Gradebook) -> None:
    """Every submission that `converter` is about to grade, and every one that holds nothing to grade."""
    for folder in list(converter.assignments):
        try:
            _only_files(folder, converter.log)
            _readable_time(os.path.join(folder, "timestamp.txt"), converter.log)
        except OSError as error:
            converter.log.error(STUCK, folder, error)
            del converter.assignments[folder]
    coursedir = converter.coursedir
    if coursedir.notebook_id == "*":
        everybody = glob.glob(converter._format_source(coursedir.assignment_id, coursedir.student_id))
        for folder in sorted(set(everybody) - set(converter.assignments)):
            if os.path.isdir(folder) and not glob.glob(os.path.join(glob.escape(folder), "*.ipynb")):
                _zero(folder, converter, gradebook)


def _only_files(folder: str, log: Any) -> None:
    """nbgrader would follow a link, and copy what it points at, endless devices included; and give up on the rest."""
    for number, (entry, depth) in enumerate(_folders.walk(folder)):
        is_folder = entry.is_dir(follow_symlinks=False)
        if not is_folder and not entry.is_file(follow_symlinks=False):
            log.warning(NOT_A_FILE, entry.path, os.readlink(entry.path) if entry.is_symlink() else "nothing")
            os.unlink(entry.path)
        elif number >= MOST_FILES or (is_folder and depth >= _folders.DEEPEST):
            aside = os.path.join(folder + ".left-out", f"{number}-{entry.name}"[:80])
            log.warning(TOO_MANY, entry.path, MOST_FILES, _folders.DEEPEST, aside)
            os.makedirs(os.path.dirname(aside), exist_ok=True)
            os.replace(entry.path, aside)
        elif not os.access(entry.path, os.R_OK | os.W_OK | (os.X_OK if is_folder else 0)):
            os.chmod(entry.path, 0o700 if is_folder else 0o600)


def _readable_time(path: str, log: Any) -> None:
    if not os.path.lexists(path):
        return
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(200).strip()
        if text:
            parse_utc(text)
    except Exception:  # whatever the parser of times makes of it
        log.warning(BAD_TIME, path)
        os.replace(path, path + ".unreadable")


def _zero(folder: str, converter: Any, gradebook: Gradebook) -> None:
    parts = converter.coursedir.format_path(converter._input_directory, "(?P<student>.*)", "(?P<assignment>.*)", True)
    found = re.match(parts, folder)
    if not found:
        return
    assignment, student = found["assignment"], found["student"]
    converter.log.warning(NOTHING, folder, assignment)
    gradebook.update_or_create_student(student)
    submission = gradebook.update_or_create_submission(assignment, student)
    for notebook in submission.notebooks:
        for grade in notebook.grades:
            grade.auto_score, grade.needs_manual_grade = 0, False
    gradebook.db.commit()
