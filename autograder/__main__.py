"""The command line `autograder`: every command, and how an error of ours ends one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from autograder.commands import authors, instructors, students
from autograder.commands.closed_pipe import survives_closed_pipe
from autograder.commands.overview import Overview
from autograder.errors import AutograderError

# Whose commands they are: the help's headings, in this order.
PEOPLE = {"For students": students, "For instructors": instructors, "For authors of questions": authors}


@survives_closed_pipe
def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; 0 if it went well, 1 if not, with the reason on stderr; without a command, the help and 2."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.command is None:
        parser.print_help()
        return 2
    try:
        return int(options.run(options))
    except AutograderError as error:
        print(f"autograder {options.command}: {error}", file=sys.stderr)
        return 1


def _parser() -> Overview:
    parser = Overview()
    for title, people in PEOPLE.items():
        people.add_to(parser.group(title))
    return parser


if __name__ == "__main__":
    sys.exit(main())
