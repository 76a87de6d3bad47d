"""The commands for students: `autograder check` and `pack`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from autograder.terminal import tell

NOTEBOOK = Path("problems.ipynb")


def add_to(commands: Any) -> None:
    """Adds the students' commands to the command line."""
    check = commands.add_parser(
        "check",
        help="check a notebook as it will be graded, from a fresh Python",
        description="Runs a notebook in a fresh Python from top to bottom, as your instructor's machine will, and says "
        "what comes out: each question right, not right or not answered; cells that stop; what is wrong with the file. "
        "Your file is not changed. The hidden points are not looked at. The exit status is 0 if every visible check "
        "passes.",
    )
    check.add_argument(
        "notebook", nargs="?", type=Path, default=NOTEBOOK, metavar="NOTEBOOK", help=f"default: {NOTEBOOK}"
    )
    check.set_defaults(run=_check)

    pack = commands.add_parser(
        "pack",
        help="put a notebook and the files that it imports into one zip to send",
        description="Puts a notebook, and the files of your own that it imports, into one zip with your name, for "
        "sending by mail or uploading. A notebook that imports no file of yours can be sent as it is.",
    )
    pack.add_argument(
        "notebook", nargs="*", type=Path, default=[NOTEBOOK], metavar="NOTEBOOK", help=f"default: {NOTEBOOK}"
    )
    pack.add_argument("--name", required=True, help="your name, or the one that your course knows you by")
    pack.add_argument(
        "--assignment", metavar="NAME", default="", help="default: the one whose kit this folder is, else ps1"
    )
    pack.set_defaults(run=_pack)


def _check(options: argparse.Namespace) -> int:
    from autograder.at_home import fresh_run, notebook, report

    read = notebook.read(options.notebook)
    progress = fresh_run.progress()
    try:
        outcomes = fresh_run.run(read, progress)
    except KeyboardInterrupt:
        tell("\nStopped. Nothing was checked.", sys.stderr)
        return 130
    finally:
        progress("")
    found = report.report(read, notebook.original_of(read), outcomes)
    tell("\n".join(found.lines()))
    return 0 if found.passed else 1


def _pack(options: argparse.Namespace) -> int:
    from autograder.at_home import notebook, pack

    assignment = options.assignment or notebook.assignment_of(options.notebook[0])
    made = pack.pack(options.notebook, options.name, assignment)
    tell(f"Send this file: {made.resolve()}")
    return 0
