"""`autograder report`: reads the work of a class, counts, and writes the report's three files into one folder."""

from __future__ import annotations

from pathlib import Path

from autograder.class_report import alike, files, page, work
from autograder.class_report.figures import figures
from autograder.class_report.work import Work
from autograder.errors import AutograderError
from autograder.gradebook import reading, spreadsheet
from autograder.terminal import tell
from autograder.terminal.words import count

NOBODY = "nobody's work on {assignment} is graded{but}. Grade it first: nbgrader autograde {assignment}"
NOT_YET = " yet ({submissions} handed in)"
CANNOT_WRITE = "{folder} cannot be written: {why}. Name another folder with --to."
WRITTEN = "{page}: {students}. The figures are in report.csv and report.json beside it."
UNGRADED = "Not graded yet, and in no figure: {submissions}. Run `nbgrader autograde {assignment}`, then this again."
UNREAD = "Graded notebooks that are missing or cannot be read: those of {students}. Their marks count."


def main(assignment: str, to: Path | None) -> int:
    """Writes the report of an assignment into the folder `to`. Returns 0.

    AutograderError if nobody is graded, the gradebook cannot be read or the folder not be written.
    """
    coursedir = reading.course_here()
    with reading.opened(coursedir.db_url, assignment) as session:
        found = work.read(coursedir, session, reading.find(session, assignment))
    if not found.students:
        waiting = count(len(found.ungraded), "submission")
        but = NOT_YET.format(submissions=waiting) if found.ungraded else ""
        raise AutograderError(NOBODY.format(assignment=assignment, but=but))
    folder = to or Path(f"report-{Path(assignment).name}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AutograderError(CANNOT_WRITE.format(folder=folder, why=error.strerror)) from None
    made, similar = figures(found), alike.alike(_sources(found), found.given, found.texts)
    files.write(folder, made, similar)
    spreadsheet.replace(folder / "report.html", page.html(found, made, similar).encode("utf-8", "replace"))
    tell(WRITTEN.format(page=folder / "report.html", students=count(made.graded, "student")))
    if made.ungraded:
        tell(UNGRADED.format(submissions=count(made.ungraded, "submission"), assignment=assignment))
    if found.unread:
        tell(UNREAD.format(students=count(len(found.unread), "student")))
    return 0


def _sources(found: Work) -> dict[str, dict[str, str]]:
    """Every answer that there is, by question and student."""
    return {
        name: {answer.student: answer.source for answer in answers if answer.source.strip()}
        for name, answers in found.answers.items()
    }
