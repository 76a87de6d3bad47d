"""The command line `autograder`: runs a command, and prints an AutograderError as one line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from autograder.commands import authors, instructors, students
from autograder.commands.closed_pipe import survives_closed_pipe
from autograder.commands.overview import Overview
from autograder.errors import AutograderError
from autograder.terminal import any_text, show

# The headings in the help, in this order, and the modules with their commands.
PEOPLE = {"For students": students, "For instructors": instructors, "For authors of questions": authors}


@survives_closed_pipe
def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status; 1 after an AutograderError, 2 (and the help) without a command."""
    any_text()
    parser = _parser()
    options = parser.parse_args(argv)
    if options.command is None:
        parser.print_help()
        return 2
    try:
        return int(options.run(options))
    except AutograderError as error:
        show(f"autograder {options.command}: {error}", sys.stderr)
        return 1


def _parser() -> Overview:
    parser = Overview()
    for title, people in PEOPLE.items():
        people.add_to(parser.group(title))
    return parser


if __name__ == "__main__":
    sys.exit(main())
