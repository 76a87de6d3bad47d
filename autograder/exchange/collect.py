"""Collects submissions from the exchange: only the student's own regular files, and only under that student's name.

nbgrader's own collect (nbgrader/exchange/default/collect.py) runs with the course's rights and follows links in a
student's folder, so a student could read the course's files. It only warns if a student hands in under another name,
and one folder that cannot be read ends the collection for everybody.
"""

from __future__ import annotations

import fnmatch
import os
import pwd
import re
import secrets
import stat
from collections import defaultdict
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import check_directory, parse_utc
from sqlalchemy.engine import make_url

from autograder.exchange.atomic import FULL, STOPPED, ExplainedErrors, no_space, replacing, share_with_group
from autograder.exchange.root import ClosedRoot
from autograder.exchange.safe_copy import Copy
from autograder.rooms import gradebook_lock
from autograder.selection import LeftOut, UnsafeCopy, is_ignored, limits_of

PASSED_OVER = "%s in %s was passed over: %s."
NOT_COLLECTED = (
    "%s's submission was NOT collected: %s. It stays in the exchange; an earlier one that was collected stays."
)
SOME_FAILED = "Everybody's work was collected but that of {failed}: {names}. The lines above say why."
LEFT_OUT = "%s of %s's submission %s left out: %s."
NOT_OWNER = (
    "it is handed in as {student} but belongs to {owner} (c.ExchangeCollect.check_owner = False accepts it, "
    "where accounts of the exchange are not the students' own)"
)
LOCKED = "the gradebook {path} is locked by another program, most often a grading run that has not ended yet."


class Collect(ClosedRoot, ExplainedErrors, ExchangeCollect):  # type: ignore[misc]  # nbgrader ships no types
    """Collects each student's latest submission in one step; one that fails does not stop the others."""

    def init_src(self) -> None:
        """Chooses each student's submission: the latest, with --before-duedate the latest in time if there is one."""
        if not self.coursedir.course_id:
            self.fail("No course id specified. Re-run with --course flag.")
        self.inbound_path = os.path.join(self.root, self.coursedir.course_id, "inbound")
        if not os.path.isdir(self.inbound_path):
            self.fail(f"Course not found: {self.inbound_path}")
        if not check_directory(self.inbound_path, read=True, execute=True):
            self.fail(f"You don't have read permissions for the directory: {self.inbound_path}")
        due = self._due()
        submissions: dict[str, list[dict[str, Any]]] = defaultdict(list)
        with os.scandir(self.inbound_path) as entries:
            for entry in entries:
                if record := self._record(entry):
                    submissions[record["username"]].append(record)
        self.src_records = []
        for _, records in sorted(submissions.items()):
            in_time = [r for r in records if due is None or r["timestamp"] <= due]
            self.src_records.append(max(in_time or records, key=lambda record: record["timestamp"]))

    def _due(self) -> Any:
        """The due date if --before-duedate asks for it; else, or if there is none, None."""
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            try:
                return gradebook.find_assignment(self.coursedir.assignment_id).duedate if self.before_duedate else None
            except MissingEntry:
                return None

    def _record(self, entry: os.DirEntry[str]) -> dict[str, Any] | None:
        """What the folder's name says; None if it is of another assignment or student, or the owner is not the student.

        The name is `student+assignment+timestamp` with an optional random part, as nbgrader writes it.
        """
        parts = entry.name.rsplit("+", 3)
        if len(parts) < 3 or parts[1] != self.coursedir.assignment_id:
            return None
        student = parts[0]
        if not fnmatch.fnmatchcase(student, self.coursedir.student_id or "*"):
            return None
        try:
            if not re.fullmatch(r"\w[\w.@+-]*", student):
                raise UnsafeCopy(f"{student!r} is no name for a student")
            known = entry.stat(follow_symlinks=False)
            if not stat.S_ISDIR(known.st_mode):
                raise UnsafeCopy("it is not a folder")
            owner = _user_name(known.st_uid)
            if self.check_owner and student != owner:
                raise UnsafeCopy(NOT_OWNER.format(student=student, owner=owner))
            time = parse_utc(parts[2])
        except Exception as error:  # UnsafeCopy, or one of the many types that the time's parser raises
            self.log.warning(PASSED_OVER, repr(entry.name), self.inbound_path, error)
            return None
        return {"username": student, "filename": entry.name, "timestamp": time, "time": parts[2], "uid": known.st_uid}

    def copy_files(self) -> None:
        """Copies each submission that is new; students whose copy fails are named at the end."""
        assignment, course = self.coursedir.assignment_id, self.coursedir.course_id
        found = f"{len(self.src_records)} submissions of '{assignment}' for course '{course}'"
        self.log.info("Processing %s", found)
        failed: list[str] = []
        for record in self.src_records:
            student = record["username"]
            into = self.coursedir.format_path(self.coursedir.submitted_directory, student, assignment)
            there = os.path.isdir(into)
            if there and not self._newer(record, into):
                kept = "No newer submission to collect" if self.update else "Submission already exists, use --update"
                self.log.info("%s: %s %s", kept, student, assignment)
                continue
            self.log.info("%s submission: %s %s", "Updating" if there else "Collecting", student, assignment)
            try:
                self._copy(record, into)
            except (UnsafeCopy, OSError) as error:
                if isinstance(error, OSError) and no_space(error):
                    raise
                failed.append(student)
                self.log.error(NOT_COLLECTED, student, error)
        if failed:
            self.fail(SOME_FAILED.format(failed=len(failed), names=", ".join(failed)))

    def _newer(self, record: dict[str, Any], into: str) -> bool:
        try:
            existing = self.coursedir.get_existing_timestamp(into)
        except Exception:  # timestamp.txt holds no time
            existing = None
        if self.update:
            return existing is None or bool(record["timestamp"] > existing)
        return bool(self.before_duedate and existing != record["timestamp"])

    def _copy(self, record: dict[str, Any], into: str) -> None:
        coursedir, student = self.coursedir, record["username"]
        os.makedirs(os.path.dirname(into), exist_ok=True)
        left = LeftOut()
        copy = Copy(limits_of(coursedir), skip=lambda *name: is_ignored(coursedir, *name), tell=left.add)
        with replacing(into) as aside:
            copy.folder(os.path.join(self.inbound_path, record["filename"]), aside, record["uid"])
            # nbgrader reads both files later, and a file that cannot be read would end that run for everybody.
            _write(os.path.join(aside, "timestamp.txt"), record["time"])
            _keep_secret(os.path.join(aside, "submission_secret.txt"))
            if coursedir.groupshared:
                share_with_group(aside)
        for names, why, number in left.told():
            self.log.warning(LEFT_OUT, names, student, "was" if number == 1 else "were", why)

    def explanation(self, error: Exception) -> str:
        """What an instructor reads."""
        why: object = error
        following = "Collect again."
        if no_space(error):
            why = FULL.format(where=f"the course ({self.coursedir.root})")
            following = "Make space there, then collect again with --update."
        elif gradebook_lock.is_locked(error):
            why = LOCKED.format(path=make_url(self.coursedir.db_url).database)
            following = "Wait until that has ended, or end it, then collect again."
        return STOPPED.format(
            what=f"{self.coursedir.assignment_id} was NOT collected to the end",
            why=why,
            kept="Nothing is lost: every submission stays in the exchange, and what was collected before still is.",
            next=following,
        )


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"nobody known (uid {uid})"


def _write(path: str, text: str) -> None:
    if os.path.isdir(path):
        raise UnsafeCopy(f"its {os.path.basename(path)} is a folder")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _keep_secret(path: str) -> None:
    """Replaces a secret that is missing or malformed: the feedback page's name in the exchange depends on it."""
    with_secret = os.path.isfile(path)
    if with_secret:
        with open(path, "rb") as file:
            with_secret = re.fullmatch(rb"[0-9a-f]{128}", file.read(129)) is not None
    if not with_secret:
        _write(path, secrets.token_hex(64))
