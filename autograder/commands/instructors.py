"""What instructors type: `autograder grade`, `collect` and `feedback`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_to(commands: Any) -> None:
    """Adds the instructors' commands to the command line."""
    grade = commands.add_parser(
        "grade",
        help="grade an assignment, as `nbgrader autograde` does",
        description="Grades an assignment as `nbgrader autograde` does, with the course's nbgrader_config.py.",
    )
    grade.add_argument("assignment", metavar="ASSIGNMENT", help="such as ps1")
    grade.add_argument("--student", metavar="NAME", help="only this student")
    grade.add_argument("--force", action="store_true", help="also what has been graded")
    grade.add_argument("--unsafe", action="store_true", help="grade even where student code cannot be isolated")
    grade.set_defaults(run=_grade)

    collect = commands.add_parser(
        "collect",
        help="take submissions from a folder, or from a download of Moodle or Canvas",
        description="Puts work that did not come through the exchange into submitted/, under each student's name. "
        "DOWNLOAD is the zip that Moodle (Download all submissions) or Canvas (Download Submissions) makes, unpacked "
        "or not, or a folder with what you were sent: one folder or one file for each student, named after the "
        "student. Whatever cannot be placed is named, with the reason. Nothing is overwritten: later work takes the "
        "place of earlier work, which is kept in submitted/.collected/. It can be run again. The exit status is 1 if "
        "something needs you.",
    )
    collect.add_argument("download", metavar="DOWNLOAD", type=Path, help="a zip file or a folder")
    collect.add_argument("--assignment", metavar="NAME", default="", help="such as ps1; needed if there are several")
    collect.add_argument(
        "--students",
        metavar="ROSTER.csv",
        type=Path,
        help="who is in the course: columns id, first_name, last_name, email; Moodle's grading worksheet and Canvas's "
        "grade export are understood as well (default: the gradebook's students, if it knows their names)",
    )
    collect.add_argument("--dry-run", action="store_true", help="only say what would be done")
    collect.add_argument("--replace", action="store_true", help="take this work even if what is there is not older")
    collect.add_argument(
        "--trust-times",
        action="store_true",
        help="the files' times are those of handing in (downloads carry the time of the download, so that without "
        "this nobody counts as late unless Canvas says so)",
    )
    collect.set_defaults(run=_collect)

    feedback = commands.add_parser(
        "feedback",
        help="the feedback pages as a zip for Moodle or Canvas, or as one file a student",
        description="Puts the pages that `nbgrader generate_feedback` made into feedback-ASSIGNMENT-moodle.zip or "
        "-canvas.zip, under the names by which these systems know each student, for uploading; the pages of everybody "
        "else into the folder feedback-ASSIGNMENT/, a file a student. Whoever has no page of the latest work is named; "
        "the exit status is then 1.",
    )
    feedback.add_argument("assignment", metavar="ASSIGNMENT", help="such as ps1")
    feedback.add_argument("--to", metavar="FOLDER", type=Path, default=Path(), help="where to write (default: here)")
    feedback.set_defaults(run=_feedback)


def _grade(options: argparse.Namespace) -> int:
    from autograder.rooms import grade

    more = [*(["--student", options.student] if options.student else []), *(["--force"] if options.force else [])]
    return int(grade(options.assignment, unsafe=options.unsafe, more=more))


def _collect(options: argparse.Namespace) -> int:
    from autograder.collecting import collect

    asked = collect.Options(options.students, options.dry_run, options.replace, options.trust_times)
    return collect.main(options.download, options.assignment, asked)


def _feedback(options: argparse.Namespace) -> int:
    from autograder.collecting import give_back

    return give_back.main(options.assignment, options.to)
