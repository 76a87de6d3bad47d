"""`autograder feedback`: packs feedback pages under the names that Moodle and Canvas expect for an upload.

A page is packed only if it shows the student's latest work and grade. Every other student is named with the next step.
"""

from __future__ import annotations

import os
import secrets
import zipfile
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from autograder.collecting.course import Course
from autograder.collecting.owners import CANVAS, MOODLE
from autograder.collecting.place import CANNOT_WRITE, Memory, Origin, modified, timestamp_of
from autograder.errors import AutograderError
from autograder.terminal import tell
from autograder.terminal.words import shown

NOBODY = (
    "Nobody has handed in {assignment}: `autograder collect DOWNLOAD` takes what you were sent, `nbgrader collect "
    "{assignment}` what is in the exchange."
)
NO_PAGE = "there is no feedback page: nbgrader autograde {assignment}, then autograder feedback {assignment}"
NO_WORK = "nothing to give feedback on: {folder} holds no {wanted}"
OLD_PAGE = "the page is of earlier work: nbgrader autograde {assignment}{forced}, then autograder feedback {assignment}"
OLD_GRADE = "the page is older than the grade: autograder feedback {assignment}"
UPLOAD = {
    MOODLE: "In Moodle: the assignment's submissions > Upload multiple feedback files in a zip.",
    CANVAS: "In Canvas: the assignment > Upload Submissions. Canvas calls each page as the file that was handed in "
    "(problems.ipynb): a student who saves it has to rename it to problems.html.",
}


def main(assignment: str, to: Path, stale: Collection[str] = ()) -> int:
    """Writes the zips and files into the folder `to`. Returns the exit status: 1 if some student has no page.

    The pages of the students `stale` are known to show other marks or comments than the gradebook has.
    AutograderError if a file cannot be written.
    """
    course = Course(assignment)
    memory = Memory(course.submitted, assignment)
    pages, missing = _pages(course, memory, stale)
    with _writing(to):
        to.mkdir(parents=True, exist_ok=True)
    zips: dict[str, dict[str, Path]] = defaultdict(dict)
    single: dict[str, Path] = {}
    for student, found in pages.items():
        origin = memory.origins.get(student)
        for notebook, page in found.items():
            if origin and origin.system in (MOODLE, CANVAS) and origin.prefix:
                zips[origin.system][_entry(origin, notebook)] = page
            else:
                single[f"{student}.html" if len(found) == 1 else f"{student}-{notebook}.html"] = page
    for system, entries in sorted(zips.items()):
        path = to / f"feedback-{assignment}-{system}.zip"
        with _writing(path):
            _write_zip(path, entries)
        tell(f"{path}: {len(entries)} page{'s' if len(entries) != 1 else ''}. {UPLOAD[system]}")
    if single:
        folder = to / f"feedback-{assignment}"
        with _writing(folder):
            _write_files(folder, single)
        tell(f"{folder}{os.sep}: {len(single)} page{'s' if len(single) != 1 else ''}, one for each student, to send.")
    for student, why in sorted(missing.items()):
        tell(f"NO PAGE  {shown(student)}: {why}")
    if not pages and not missing:
        tell(NOBODY.format(assignment=assignment))
    return 1 if missing or not pages else 0


def _pages(course: Course, memory: Memory, stale: Collection[str]) -> tuple[dict[str, dict[str, Path]], dict[str, str]]:
    """The pages of graded notebooks by student, and why some have none."""
    directories = course.coursedir
    graded = [known.name for known in course.notebooks if known.graded]
    pages: dict[str, dict[str, Path]] = {}
    missing: dict[str, str] = {}
    everybody = course.students_in(directories.submitted_directory) | course.students_in(
        directories.autograded_directory
    )
    for student in sorted(everybody):
        folder = course.folder(directories.feedback_directory, student)
        found = {name: folder / f"{name}.html" for name in graded if (folder / f"{name}.html").is_file()}
        work = course.folder(directories.submitted_directory, student)
        newer = timestamp_of(work)
        older = timestamp_of(folder)
        origin = memory.origins.get(student)
        graded_work = course.folder(directories.autograded_directory, student)
        if not found and not any((work / f"{name}.ipynb").is_file() for name in graded):
            wanted = " and no ".join(f"{name}.ipynb" for name in graded)
            missing[student] = NO_WORK.format(folder=work.relative_to(course.root), wanted=wanted)
        elif not found:
            missing[student] = NO_PAGE.format(assignment=course.assignment)
        elif newer and (older is None or newer > older):
            missing[student] = OLD_PAGE.format(assignment=course.assignment, forced="")
        elif (newer and newer != older) or _is_outdated(origin, found, graded_work):
            # The new work has no later date than the graded one, so nbgrader grades it only with --force.
            forced = f" --student={student} --force"
            missing[student] = OLD_PAGE.format(assignment=course.assignment, forced=forced)
        elif student in stale or any(
            modified(page) < time for name, page in found.items() if (time := _graded_at(graded_work, name))
        ):
            missing[student] = OLD_GRADE.format(assignment=course.assignment)
        else:
            pages[student] = found
    return pages, missing


def _is_outdated(origin: Origin | None, pages: dict[str, Path], graded: Path) -> bool:
    """Whether any page, or the graded copy that it shows, is older than the work now in `submitted/`."""
    made = [time for name, page in pages.items() for time in (modified(page), _graded_at(graded, name))]
    since = origin.since if origin else None
    return since is not None and any(time < since for time in made if time)


def _graded_at(folder: Path, notebook: str) -> datetime | None:
    """When the notebook was graded; None if it was not."""
    path = folder / f"{notebook}.ipynb"
    return modified(path) if path.is_file() else None


def _entry(origin: Origin, notebook: str) -> str:
    """The page's name in the zip. Canvas finds the student by the two numbers in it, Moodle by the prefix."""
    if origin.system == CANVAS and (name := origin.files.get(notebook)):
        return name.rpartition(".")[0] + ".html"
    return f"{origin.prefix}{notebook}.html"


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise AutograderError(CANNOT_WRITE.format(path=path, why=error.strerror or error)) from None


def _write_zip(path: Path, entries: dict[str, Path]) -> None:
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, page in sorted(entries.items()):
                # Replacing bytes that are no UTF-8 does no harm: the number in the name identifies the student.
                archive.writestr(name.encode("utf-8", "replace").decode(), page.read_bytes())
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _write_files(folder: Path, files: dict[str, Path]) -> None:
    folder.mkdir(exist_ok=True)
    for left in folder.glob("*.html"):  # of an earlier run: such a page may be out of date
        if left.name not in files:
            left.unlink()
    for name, page in files.items():
        aside = folder / f"{name}.{secrets.token_hex(4)}.new"
        try:
            aside.write_bytes(page.read_bytes())
            os.replace(aside, folder / name)
        finally:
            aside.unlink(missing_ok=True)
