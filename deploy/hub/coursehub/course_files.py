"""A course's folder, its part of the exchange and its gradebook; what instructors have changed is left as it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from coursehub import gradebook, steps
from coursehub.settings import CLONE, Course, Settings
from coursehub.steps import Step


def course_config(settings: Settings, course: Course) -> str:
    demo = "c.ExchangeCollect.check_owner = False  # all people of the demo are one account\n" if settings.demo else ""
    return f'''"""The nbgrader configuration of {course.id}: the course package's, in this folder. Yours to extend."""

c = get_config()  # noqa: F821
load_subconfig("{CLONE / "nbgrader_config.py"}")  # noqa: F821

c.CourseDirectory.course_id = "{course.id}"
c.CourseDirectory.root = "{course.folder}"
c.Exchange.root = "{settings.exchange}"
{demo}'''


def course_steps(settings: Settings, course: Course, owner: str) -> Iterator[Step]:
    """The steps for one course, whose files belong to the account `owner`."""
    exchange = settings.exchange / course.id
    yield steps.folder(course.folder, 0o700, owner)
    yield steps.copied(course.source or CLONE / "source", course.folder / "source", owner)
    yield steps.file(course.folder / "nbgrader_config.py", course_config(settings, course), owner, 0o600, keep=True)
    # The modes that nbgrader sets, and the sticky bit: otherwise a student could move another's submission away.
    yield steps.folder(exchange, 0o755, owner)
    yield steps.folder(exchange / "inbound", 0o3733, owner)
    yield steps.folder(exchange / "outbound", 0o755, owner)
    yield steps.folder(exchange / "feedback", 0o711, owner)
    database = course.folder / "gradebook.db"

    def enter() -> None:
        if database.exists() and not database.is_file():
            raise FileExistsError(f"{database} is no regular file. Move it away")
        students = gradebook.missing(database, course.students)
        command = [sys.executable, "-m", "coursehub.gradebook", str(database)]
        steps.run_as(owner, command, input=gradebook.as_lines(students))

    yield Step(
        f"students of {course.id} in {database}", lambda: bool(gradebook.missing(database, course.students)), enter
    )
