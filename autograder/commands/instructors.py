"""The commands for instructors: `autograder grade`, `grades`, `roster`, `seeds`, `collect`, `feedback` and `report`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from autograder.terminal import tell

STOPPED = "\nStopped. The pages that are written stay; the same command writes the rest and packs them."


def add_to(commands: Any) -> None:
    """Adds the instructors' commands to the command line."""
    grade = commands.add_parser(
        "grade",
        help="grade an assignment for the whole class, on all processors",
        description="Grades an assignment with the course's nbgrader_config.py. Grades, gradebook and graded notebooks "
        "are those of `nbgrader autograde`, but submissions are graded beside each other. Shown are a bar, a line for "
        "each submission that needs a person, and a summary. It can be stopped at any moment; what was graded is kept, "
        "and the same command goes on. The exit status is 0 if all is well, 3 if everybody was graded and some need a "
        "person, 1 if some could not be graded.",
        epilog="examples:  autograder grade ps1\n           autograder grade ps1 --regrade --dry-run",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    grade.add_argument("assignment", metavar="ASSIGNMENT", help="such as ps1")
    grade.add_argument("--student", metavar="NAME", help="only this student")
    grade.add_argument("--force", action="store_true", help="also what has been graded")
    grade.add_argument(
        "--regrade",
        action="store_true",
        help="as --force, and show whose marks change, by how much and why; marks and comments that a person gave stay",
    )
    grade.add_argument("--dry-run", action="store_true", help="grade and show, but save nothing")
    grade.add_argument("--jobs", metavar="N", type=_jobs, default=0, help="how many at a time (default: 3 a core)")
    grade.add_argument(
        "--scheduler", metavar="ADDRESS", default="", help="grade on a Dask cluster, such as tcp://host:8786"
    )
    grade.add_argument("--json", metavar="FILE", default="", help="write a summary for scripts; - for the terminal")
    grade.add_argument("--unsafe", action="store_true", help="grade even where student code cannot be isolated")
    grade.set_defaults(run=_grade)

    grades = commands.add_parser(
        "grades",
        help="write an assignment's grades as a CSV file, question by question",
        description="Writes the grades of an assignment as a CSV file: one row for each student of the gradebook, a "
        "column for each question and each of its parts, late penalty and total. `nbgrader export` does the same for "
        "all assignments. With --into it fills in one column of the gradebook file that you have downloaded from "
        "Canvas (Grades, Export) or Moodle (the grading worksheet, or an export of the gradebook), for uploading it "
        "again: final grades only; every other byte stays, and whoever is left as they were is named. The exit status "
        "is then 1.",
        epilog="examples:  autograder grades ps1 --to ps1.csv\n           autograder grades ps1 --into canvas.csv",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    grades.add_argument("assignment", metavar="ASSIGNMENT", help="such as ps1")
    grades.add_argument("--to", metavar="FILE", default="", help="default: grades-ASSIGNMENT.csv; - for the terminal")
    grades.add_argument("--student", metavar="NAME", action="append", default=[], help="only this one; may be repeated")
    grades.add_argument("--into", metavar="FILE", type=Path, help="the file of Canvas's or Moodle's to fill in")
    grades.add_argument(
        "--column", metavar="NAME", default="", help="its column, if it is not called as the assignment"
    )
    grades.set_defaults(run=_grades)

    roster = commands.add_parser(
        "roster",
        help="read a class list (CSV) into the gradebook, so that grades have names",
        description="Reads a class list into the gradebook: students who are new are added, names and addresses are "
        "brought up to date, nobody is removed. The file is CSV as spreadsheets, Moodle and Canvas write it. The "
        "column with the students' user names is found by its heading (username, id, SIS Login ID …) or named by --id.",
        epilog="example:  autograder roster class.csv",
    )
    roster.add_argument("file", metavar="FILE.csv")
    roster.add_argument("--id", metavar="COLUMN", default="", help="the column with the students' user names")
    roster.set_defaults(run=_roster)

    seeds = commands.add_parser(
        "seeds",
        help="draw new seeds for the hidden tests of the source notebooks",
        description="Draws new seeds for the hidden tests, in every notebook of the source or in none. Do it once, "
        "before the class is graded: those that a course begins with are public.",
        epilog="example:  autograder seeds",
    )
    seeds.add_argument("assignment", metavar="ASSIGNMENT", nargs="*", help="such as ps1 (default: all)")
    seeds.add_argument("--force", action="store_true", help="also if students were graded with the present ones")
    seeds.set_defaults(run=_seeds)

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
        help="write the feedback pages, and pack them for Moodle or Canvas or as one file for each student",
        description="Writes the feedback pages of a class, as `nbgrader generate_feedback` does but on all cores: "
        "those that are missing, and those older than the work or the marks and comments that they show. Then puts the "
        "pages into feedback-ASSIGNMENT-moodle.zip or -canvas.zip, under the names by which these systems know each "
        "student, for uploading; the pages of everybody else into the folder feedback-ASSIGNMENT/, one file for each "
        "student. Whoever has no page of the latest work is named; the exit status is then 1. A run that was stopped "
        "goes on where it was when it is run again.",
        epilog="example:  autograder feedback ps1 --student ada --force",
    )
    feedback.add_argument("assignment", metavar="ASSIGNMENT", help="such as ps1")
    feedback.add_argument(
        "--to", metavar="FOLDER", type=Path, default=Path(), help="where to pack them (default: here)"
    )
    feedback.add_argument(
        "--jobs", metavar="N", type=_jobs, default=0, help="processes that write (default: one a core)"
    )
    feedback.add_argument("--force", action="store_true", help="also write pages that are up to date")
    feedback.add_argument(
        "--student", metavar="NAME", action="append", default=[], help="write only this one's; may be repeated"
    )
    feedback.set_defaults(run=_feedback)

    report = commands.add_parser(
        "report",
        help="what the class got wrong, as a page, a CSV and a JSON",
        description="Writes report.html, report.csv and report.json into the folder report-ASSIGNMENT/, from the "
        "gradebook and the graded notebooks: how marks and questions turned out, which derivative broke by which slip "
        "with the answers behind each number, who needs a person, answers that may not be by hand, and answers that "
        "are alike. The page opens anywhere and loads nothing. It names students only in parts that are closed at "
        "first; the two other files name nobody. Whoever is not graded yet is counted as that.",
        epilog="example:  autograder report ps1",
    )
    report.add_argument("assignment", metavar="ASSIGNMENT", help="such as ps1")
    report.add_argument("--to", metavar="FOLDER", type=Path, help="where to write (default: report-ASSIGNMENT/)")
    report.set_defaults(run=_report)


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes, such as 4")
    return int(text)


def _grade(options: argparse.Namespace) -> int:
    from autograder.batch.command import grade

    more = ["--student", options.student] if options.student else []
    more += ["--force"] if options.force or options.regrade else []
    ours = {
        "jobs": options.jobs,
        "dry_run": options.dry_run,
        "compare": options.regrade,
        "summary_file": options.json,
        "scheduler": options.scheduler,
    }
    settings: dict[str, dict[str, Any]] = {"WholeClass": ours}
    if options.unsafe:
        settings["Engine"] = {"unsafe": True}
    return grade(options.assignment, settings, more)


def _grades(options: argparse.Namespace) -> int:
    from autograder.gradebook.export import grades

    if options.into:
        from autograder.gradebook.into import into

        return into(options.assignment, options.into, options.column, options.to, tell)
    return grades(options.assignment, options.to, options.student, tell)


def _roster(options: argparse.Namespace) -> int:
    from autograder.gradebook.roster import import_roster

    return import_roster(options.file, options.id, tell)


def _seeds(options: argparse.Namespace) -> int:
    from autograder.release.new_seeds import new_seeds

    return new_seeds(options.assignment, options.force)


def _collect(options: argparse.Namespace) -> int:
    from autograder.collecting import collect

    asked = collect.Options(options.students, options.dry_run, options.replace, options.trust_times)
    return collect.main(options.download, options.assignment, asked)


def _feedback(options: argparse.Namespace) -> int:
    from autograder.collecting import give_back

    try:
        from autograder.feedback import class_pages

        asked = class_pages.Options(options.jobs, options.student, options.force)
        made = class_pages.write(options.assignment, asked)
        return give_back.main(options.assignment, options.to, made.stale) or made.status
    except KeyboardInterrupt:
        tell(STOPPED, sys.stderr)
        return 130


def _report(options: argparse.Namespace) -> int:
    from autograder.class_report import command

    return command.main(options.assignment, options.to)
