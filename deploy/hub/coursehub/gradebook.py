"""Enters the students of a course in its gradebook: adds and renames, never removes, because grades would be lost.

Run as the course's account, with the gradebook's path; reads the students as JSON lines from its input.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from dataclasses import asdict
from pathlib import Path

from coursehub.roster import Student


def missing(database: Path, students: tuple[Student, ...]) -> list[Student]:
    """Those of `students` who are not in the gradebook, or with other names. Changes nothing."""
    if not database.is_file():  # a pipe would wait for somebody to write
        return list(students)
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        try:
            rows = connection.execute("select id, first_name, last_name, email from student").fetchall()
        except sqlite3.DatabaseError:  # made, but not filled yet; or no database, which entering them will say
            return list(students)
    known = {row[0]: row[1:] for row in rows}
    return [
        student
        for student in students
        if student.username not in known
        or any(
            new is not None and new != old
            for new, old in zip(
                (student.first_name, student.last_name, student.email), known[student.username], strict=True
            )
        )
    ]


def as_lines(students: list[Student]) -> str:
    return "".join(json.dumps(asdict(student)) + "\n" for student in students)


def main() -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{sys.argv[1]}") as gradebook:
        for line in sys.stdin:
            about = {name: value for name, value in json.loads(line).items() if value is not None}
            gradebook.update_or_create_student(about.pop("username"), **about)


if __name__ == "__main__":
    main()
