"""What instructors type: `autograder grade`."""

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


def _grade(options: argparse.Namespace) -> int:
    from autograder.rooms import grade

    more = [*(["--student", options.student] if options.student else []), *(["--force"] if options.force else [])]
    return int(grade(options.assignment, unsafe=options.unsafe, more=more))
