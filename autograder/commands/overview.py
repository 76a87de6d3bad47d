"""The parser behind `autograder --help`: it lists the commands grouped by kind of user, with examples."""

from __future__ import annotations

import argparse
import re
import shutil
import textwrap
from difflib import get_close_matches
from platform import python_version
from typing import Any, NoReturn

from autograder import __version__

PURPOSE = "Derivatives by hand, graded by machine: the commands of the course."
EXAMPLES = """\
Examples:
  autograder COMMAND --help       what a command takes
  autograder grades ps1           the grades of ps1, as grades-ps1.csv
  autograder inspect q6           the question q6 of source/ps1/problems.ipynb"""
READ_ON = (
    "More: docs/students.md, docs/instructors.md and docs/authors.md of the course. "
    "`nbgrader --help` lists nbgrader's own commands."
)


class Overview(argparse.ArgumentParser):
    """The parser of the whole command line. argparse cannot group subcommands in its help, so the help is made here."""

    def __init__(self) -> None:
        super().__init__(prog="autograder", description=PURPOSE)
        self.add_argument("--version", action="version", version=version(), help="show the versions in use and exit")
        self._commands = self.add_subparsers(
            dest="command", metavar="COMMAND", prog="autograder", parser_class=argparse.ArgumentParser
        )
        self._groups: list[tuple[str, Group]] = []

    def group(self, title: str) -> Group:
        """A new group of commands; its `add_parser` works like argparse's."""
        made = Group(self._commands)
        self._groups.append((title, made))
        return made

    def error(self, message: str) -> NoReturn:
        """Exits with one line, also for an unknown command, for which argparse would list all commands."""
        if wrong := re.search(r"COMMAND: invalid choice: '(.*?)'", message):
            near = get_close_matches(wrong[1], [name for _, group in self._groups for name in group.lines], 1)
            meant = f" Did you mean {near[0]}?" if near else ""
            message = f"there is no command {wrong[1]}.{meant} `autograder --help` lists them all."
        self.exit(2, f"autograder: {message}\n")

    def format_help(self) -> str:
        width = max(60, min(shutil.get_terminal_size().columns, 110))
        names = [name for _, group in self._groups for name in group.lines]
        column = max(map(len, [*names, "--version"])) + 4
        parts = ["usage: autograder COMMAND [options]\n", PURPOSE]
        for title, group in self._groups:
            lines = (_entry(name, text, column, width) for name, text in group.lines.items())
            parts.append("\n".join([f"\n{title}:", *lines]))
        options = {"--version": "the versions in use", "--help": "this text"}
        parts.append("\n".join(["\nOptions:", *(_entry(name, text, column, width) for name, text in options.items())]))
        parts.append(f"\n{EXAMPLES}\n\n{textwrap.fill(READ_ON, width)}\n")
        return "\n".join(parts)


class Group:
    """The commands for one kind of user, and the line of each in the help."""

    def __init__(self, commands: Any) -> None:
        self._commands = commands
        self.lines: dict[str, str] = {}

    def add_parser(self, name: str, **options: Any) -> argparse.ArgumentParser:
        """Adds a command as argparse's `add_parser` does; `help` is its line in the list."""
        self.lines[name] = options.get("help", "")
        return self._commands.add_parser(name, **options)  # type: ignore[no-any-return]


def _entry(name: str, text: str, column: int, width: int) -> str:
    return textwrap.fill(
        text, width, initial_indent=f"  {name}".ljust(column), subsequent_indent=" " * column, break_on_hyphens=False
    )


def version() -> str:
    """The versions of this package, torch, nbgrader and Python, without importing torch or nbgrader."""
    return f"autograder {__version__} ({_of('torch')}, {_of('nbgrader')}, Python {python_version()})"


def _of(package: str) -> str:
    from importlib import metadata  # a third of the time that this command line takes to load, for --version alone

    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return f"{package} is not installed"
