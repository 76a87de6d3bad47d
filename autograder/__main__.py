"""The command line `autograder`: every command, and how an error of ours ends one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from autograder import __version__
from autograder._errors import AutograderError
from autograder.commands import authors, instructors
from autograder.commands.closed_pipe import survives_closed_pipe


@survives_closed_pipe
def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; 0 if it went well, 1 if not, with the reason on stderr."""
    options = _parser().parse_args(argv)
    try:
        return int(options.run(options))
    except AutograderError as error:
        print(f"autograder {options.command}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autograder", description="Derivatives by hand: tools for authors and instructors."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for people in (authors, instructors):
        people.add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
