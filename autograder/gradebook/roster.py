"""`autograder roster`: imports a class list into the gradebook, all of it or nothing; no student is removed.

nbgrader's own `nbgrader db student import` accepts only the heading `id`, and not after a byte order mark.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from nbgrader.api import Gradebook, Student
from sqlalchemy import select

from autograder import class_list
from autograder.gradebook import reading
from autograder.gradebook.programs import find_programs

NAMES = class_list.UserNames(re.compile(r"[^/\\+\s.][^/\\+\x00-\x1f]*"), "no / \\ + and no dot in front", option="--id")
NAMELESS = (
    "{file} has nothing to read as {missing}; its headings are {seen}. Expected are headings such as first_name and "
    "last_name, or name for both."
)
KNOWN = ("first_name", "last_name", "email", "lms_user_id")


def import_roster(file: str, column: str, tell: Callable[[str], None]) -> int:
    """Imports the CSV file into the gradebook of the current course and tells a summary, line by line; returns 0.

    `column` names the column of user names; "" if it can be found by its heading. AutograderError if the list or the
    gradebook cannot be used.
    """
    students = class_list.read(Path(file), NAMES, column)
    coursedir = reading.course_here()
    where = reading.sqlite_file(coursedir.db_url)
    before: set[str] = set()
    if where is None or where.exists():  # report an unusable gradebook before nbgrader opens it for writing
        with reading.opened(coursedir.db_url, coursedir.assignment_id) as session:
            before = set(session.scalars(select(Student.id)))
    find_programs()  # nbgrader starts `alembic` where it makes a gradebook
    with reading.explained(coursedir.db_url), Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        for student in students:
            known = {key: value for key in KNOWN if (value := getattr(student, key))}
            # Not `update_or_create_student`, which commits each student: after an error half the list would be in.
            row = gradebook.db.get(Student, student.id) or Student(id=student.id)
            for key, value in known.items():
                setattr(row, key, value)
            gradebook.db.add(row)
        gradebook.db.commit()
    new = [s.id for s in students if s.id not in before]
    others = sorted(before - {s.id for s in students})
    tell(f"Read {len(students)} students into {where.name if where else 'the gradebook'}: {len(new)} of them new.")
    fields = ("first_name", "last_name")
    if missing := [key for key in fields if not any(getattr(s, key) for s in students)]:
        name = Path(file).name
        tell(NAMELESS.format(file=name, missing=" or ".join(missing), seen=class_list.headings(Path(file))))
    if others:
        tell(f"In the gradebook, but not in {Path(file).name}: {', '.join(others)}. Nobody was removed.")
    return 0
