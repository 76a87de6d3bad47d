"""A class list goes into the gradebook whole, or nothing of it does; nobody who is there is removed.

(`nbgrader db student import` takes one heading, `id`, and does not find it behind a byte order mark.)
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from autograder import class_list
from autograder.gradebook.reading import course_here, sqlite_file

NAMES = class_list.UserNames(re.compile(r"[^/\\+\s.][^/\\+\x00-\x1f]*"), "no / \\ + and no dot in front", option="--id")
NAMELESS = (
    "{file} has nothing to read as {missing}; its headings are {seen}. Expected are headings such as first_name and "
    "last_name, or name for both."
)
KNOWN = ("first_name", "last_name", "email", "lms_user_id")


def import_roster(file: str, column: str = "") -> int:
    """Reads the list into the gradebook and says what was new."""
    students = class_list.read(Path(file), NAMES, column)
    coursedir = course_here()
    # nbgrader looks for `alembic` on PATH when it makes a gradebook; it is there only in an activated environment.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    from nbgrader.api import Gradebook

    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        before = {student.id for student in gradebook.students}
        for student in students:
            known = {key: value for key in KNOWN if (value := getattr(student, key))}
            gradebook.update_or_create_student(student.id, **known)
    new = [s.id for s in students if s.id not in before]
    others = sorted(before - {s.id for s in students})
    where = sqlite_file(coursedir.db_url)
    print(f"Read {len(students)} students into {where.name if where else 'the gradebook'}: {len(new)} of them new.")
    fields = ("first_name", "last_name")
    if missing := [key for key in fields if not any(getattr(s, key) for s in students)]:
        name = Path(file).name
        print(NAMELESS.format(file=name, missing=" or ".join(missing), seen=class_list.headings(Path(file))))
    if others:
        print(f"In the gradebook, but not in {Path(file).name}: {', '.join(others)}. Nobody was removed.")
    return 0
