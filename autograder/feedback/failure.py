"""Says why a test of the course's stopped: which line of it, and with what message; nothing of what is hidden.

The traceback names the line. It was written in the examiner's room, where no student's code runs, so its frames can be
believed. The text of an error cannot: what an answer raises may hold what a hidden test has given to it, also in a
test further down. So such a text is quoted only where no hidden test stands in the notebook so far. A student meets it
in any case when the test is run at home.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from textwrap import dedent, indent

from nbformat import NotebookNode

from autograder.lending.specials import EXCEPTIONS
from autograder.workers import wire

# Of a test that students see, and of one that is certainly hidden.
FAILED = "A test failed. {value}", "A hidden test failed. {value}"
FAILED_AT = "A test failed: `{statement}`"
STOPPED = (
    "A test failed: your answer stopped with {error}",
    "A hidden test failed: your answer stopped with {error}",
)
SLOW = (
    "A test failed: your answer gave no answer in time. Look for a loop that does not end.",
    "A hidden test failed: your answer gave no answer in time. Look for a loop that does not end.",
)
COULD_NOT_RUN = "A test could not run: {error}", "A hidden test could not run: {error}"
HINT = (
    "Check that your notebook defines what the question asks for, and that nothing in it replaces or deletes names of "
    "the read-only cells, then hand in again."
)
CANNOT_BE_TESTED = "what your notebook gives cannot be tested so"
AN_ERROR = "an error"
BELOW = "The tests below it did not run."
_OF_THE_GRADER = ("TestFailed", "DeadKernelError", "CellTimeoutError")
"""Errors that the grader itself writes below a test: their text is a whole sentence."""
_CHECKS = ("CheckFailed", "QuestionError")
_MOST, _MOST_LINES, _MOST_QUOTED = 1_000, 10, 4
"""Of a message the characters, of a statement the lines, of a traceback the statements that are shown."""
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
_IN_CELL = re.compile(r"Cell In\[(\d+)\], line (\d+)")
_IN_MAGIC = re.compile(r"File <timed exec>:(\d+)")
_IN_LIBRARY = re.compile(r"File (?!<)[^\n]*?(?:/(?:site|dist)-packages/|/lib/python3\.\d+/)")
_ARROW = re.compile(r"^-+> *(\d+) ?(.*)$", re.MULTILINE)
_UNKNOWN = re.compile(r"name '\w{1,60}' is not defined")
_IN_ANSWER = re.compile(r"^In the answer, line \d+: .*$", re.MULTILINE)
_COMMENT = re.compile(r"\s*(?:#.*)?")
_ASSERTS = re.compile(r"\bassert", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """A test's cell as it was run, with its execution count, and the numbers of its lines that students do not see."""

    text: str
    hidden: frozenset[int] = frozenset()
    count: int | None = None

    @property
    def seen(self) -> str:
        """What students see of it."""
        return "\n".join(line for n, line in enumerate(self._lines, 1) if n not in self.hidden)

    @property
    def only_hidden(self) -> bool:
        """Whether nothing of it can be seen but comments."""
        return bool(self.hidden) and all(map(_COMMENT.fullmatch, self.seen.split("\n")))

    def line(self, number: int, text: str) -> int | None:
        """The number of a line in this source, of one that a traceback counts and shows; None if it is not found.

        IPython leaves out empty lines at the start, and makes one line of a command that is written over several.
        """
        at = number + self._empty
        if at <= len(self._lines) and (self._same(at, text) or "get_ipython()" in text):
            return at
        same = [n for n in range(1, len(self._lines) + 1) if self._same(n, text)] if text.strip() else []
        return next((n for n in same if n in self.hidden), same[0] if same else None)

    def timed(self, number: int) -> int | None:
        """The line that a traceback through `%%time` counts; None if the cell does not begin so."""
        first = self._lines[self._empty].lstrip()
        return number + self._empty + 1 if first.startswith("%%") else None

    def is_hidden(self, number: int) -> bool:
        """Whether a line of the statement there is hidden."""
        return any(n in self.hidden for n in self._statement(number))

    def quoted(self, number: int) -> str:
        """The statement at this line, indented."""
        lines = [self._lines[n - 1] for n in self._statement(number)]
        return indent(dedent("\n".join(lines[:_MOST_LINES])), "    ")

    def asserts_below(self, number: int) -> bool:
        """Whether further tests stand below the statement at this line."""
        return bool(_ASSERTS.search("\n".join(self._lines[self._statement(number).stop - 1 :])))

    def _statement(self, number: int) -> range:
        """The lines of the statement at this line; of one that holds others, as a loop does, this line alone."""
        around = [lines for lines in self._statements if number in lines]
        return min(around, key=len, default=range(number, number + 1))

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def _statements(self) -> list[range]:
        try:
            nodes = [node for node in ast.walk(ast.parse(self.text)) if isinstance(node, ast.stmt)]
        except (SyntaxError, ValueError):  # it has a magic
            return []
        return [range(n.lineno, (n.end_lineno or n.lineno) + 1) for n in nodes if not hasattr(n, "body")]

    @property
    def _empty(self) -> int:
        return next((n for n, line in enumerate(self._lines) if line.strip()), 0)

    def _same(self, number: int, text: str) -> bool:
        return self._lines[number - 1].strip() == text.strip()


@dataclass(frozen=True)
class _Where:
    """Where a traceback leads through."""

    lines: tuple[int, ...]
    """Those of the test itself, the outermost first."""
    hidden: bool
    """Whether it leads through a hidden line, or might."""
    sure: bool
    """Whether it is certainly hidden."""
    library: bool
    """Whether a package has raised the error: its message quotes what a test compares."""


def told(error: NotebookNode, test: Source, tests: Mapping[int, Source], secret: bool) -> str:
    """What a page says of an error below this test; "" if the error's own text is meant for students.

    `tests` are all of the notebook by their execution counts. `secret` says that a hidden test stands in the notebook
    so far, in this cell or above.
    """
    name, value = error.ename, str(error.evalue)[:_MOST].strip()
    if name in _OF_THE_GRADER:
        return value
    where = _where(error, test, tests)
    if name in _CHECKS and not where.hidden:
        return ""
    sentence, *more = _why(name, value, where, secret)
    if where.hidden:
        return "\n".join([sentence, *more])
    quoted = list(dict.fromkeys(test.quoted(number) for number in where.lines))[:_MOST_QUOTED]
    if name == "AssertionError" and not value and quoted and "\n" not in quoted[0]:
        sentence, quoted = FAILED_AT.format(statement=quoted[0].strip()), quoted[1:]
    if not secret and name.endswith(wire.IN_THE_ANSWER):
        quoted += _IN_ANSWER.findall("\n".join(map(_plain, error.traceback[-1:])))
    below = [BELOW] if where.lines and test.asserts_below(where.lines[0]) else []
    return "\n".join([sentence, *quoted, *more, *below])


def _why(name: str, value: str, where: _Where, secret: bool) -> list[str]:
    if name == "TimeoutError" + wire.IN_THE_ANSWER:
        return [SLOW[where.sure]]
    if name.endswith(wire.IN_THE_ANSWER):
        name = name.removesuffix(wire.IN_THE_ANSWER)
        # The name of a class is the student's choice as well.
        error = (name if name in EXCEPTIONS else AN_ERROR) + "." if secret else f"{name}: {value}".rstrip(": ")
        return [STOPPED[where.sure].format(error=error)]
    if name == "AssertionError" or name in _CHECKS:
        quotes = not where.hidden or (where.lines and not where.library and name not in _CHECKS)
        return [FAILED[where.sure].format(value=value if quotes else "").strip()]
    if secret and not (name == "NameError" and _UNKNOWN.fullmatch(value)):
        value = CANNOT_BE_TESTED
    named = name in EXCEPTIONS or not (secret or name == "CannotBeHad")
    return [COULD_NOT_RUN[where.sure].format(error=f"{name}: {value}" if named else value), HINT]


def _where(error: NotebookNode, test: Source, tests: Mapping[int, Source]) -> _Where:
    lines: list[int] = []
    hidden = library = False
    for frame in map(_plain, error.traceback):
        if frame.startswith(("Cell In[", "File ")):
            library = bool(_IN_LIBRARY.match(frame))
        of, line = _frame(frame, test, tests)
        if of is None:
            continue
        hidden |= of.is_hidden(line) if line else bool(of.hidden)
        if of is test and line:
            lines.append(line)
    hidden |= not lines and bool(test.hidden)
    return _Where(tuple(lines), hidden, hidden and (bool(lines) or test.only_hidden), library)


def _frame(frame: str, test: Source, tests: Mapping[int, Source]) -> tuple[Source | None, int | None]:
    """Of a part of a traceback, the test through which it leads, if it is one, and the line there, if it is found."""
    if (timed := _IN_MAGIC.match(frame)) and (line := test.timed(int(timed[1]))):
        return test, line
    found = _IN_CELL.match(frame)
    of = tests.get(int(found[1])) if found else None
    if not found or of is None or (of.timed(0) and found[2] == "1"):  # the magic itself
        return None, None
    arrow = _ARROW.search(frame)
    return of, of.line(int(found[2]), arrow[2] if arrow else "")


def _plain(text: str) -> str:
    return _ESCAPES.sub("", text)
