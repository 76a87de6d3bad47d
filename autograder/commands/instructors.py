"""What instructors type: `autograder grade`, `grades`, `roster` and `seeds`."""

from __future__ import annotations

import argparse
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

    grades = commands.add_parser(
        "grades",
        help="write an assignment's grades as a CSV file, question by question",
        description="Writes the grades of an assignment as a CSV file: a row a student of the gradebook, a column a "
        "question and each of its parts, late penalty and total. `nbgrader export` does the same for all assignments.",
        epilog="example:  autograder grades ps1 --to ps1.csv",
    )
    grades.add_argument("assignment", metavar="ASSIGNMENT", help="such as ps1")
    grades.add_argument("--to", metavar="FILE", default="", help="default: grades-ASSIGNMENT.csv; - for the terminal")
    grades.add_argument("--student", metavar="NAME", action="append", default=[], help="only this one; may be repeated")
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


def _grade(options: argparse.Namespace) -> int:
    from autograder.rooms import grade

    more = [*(["--student", options.student] if options.student else []), *(["--force"] if options.force else [])]
    return int(grade(options.assignment, unsafe=options.unsafe, more=more))


def _grades(options: argparse.Namespace) -> int:
    from autograder.gradebook.export import grades

    return grades(options.assignment, options.to, options.student)


def _roster(options: argparse.Namespace) -> int:
    from autograder.gradebook.roster import import_roster

    return import_roster(options.file, options.id)


def _seeds(options: argparse.Namespace) -> int:
    from autograder.gradebook.new_seeds import new_seeds

    return new_seeds(options.assignment, options.force)
