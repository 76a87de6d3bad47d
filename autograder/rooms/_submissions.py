"""What was handed in is made safe to copy: no links or pipes, a time that can be read, a row for everybody."""

from __future__ import annotations

import glob
import os
import re
import stat
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.utils import parse_utc

NOT_A_FILE = "%s is not a regular file (a link to %s); it was removed from the submission."
BAD_TIME = "%s holds no time; it was renamed, and the submission counts as handed in without one."
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
    """nbgrader would follow a link, and copy what it points at, endless devices included."""
    for at, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(at, name)
            mode = os.lstat(path).st_mode
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                log.warning(NOT_A_FILE, path, os.readlink(path) if stat.S_ISLNK(mode) else "nothing")
                os.unlink(path)


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
