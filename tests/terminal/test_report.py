"""A grading run as it is read: a line a student, a summary of who needs a person, an exit status that says so."""

from __future__ import annotations

import logging
import re

import pytest

from autograder.terminal.report import NEEDS_A_PERSON, Reason, Report


class Said:
    """A report and its lines, without the seconds."""

    def __init__(self, *students: str) -> None:
        self.lines: list[str] = []
        log = logging.getLogger("a test")
        log.propagate, log.handlers = (
            False,
            [logging.NullHandler()],
        )  # pytest cannot record such names
        self.report = Report(self._say, log)
        self.report.header("ps1", list(students), "Student code is locked in by nothing.", "The seeds are public.")

    def _say(self, line: str) -> None:
        self.lines.append(re.sub(r"[\d.]+ s\b", "? s", line))


def test_a_run_where_all_is_well_is_a_header_a_line_a_student_and_a_word() -> None:
    said = Said("ada", "bela")
    for name, score in (("ada", 60.0), ("bela", 46.4)):
        said.report.start(name)
        said.report.done(name, score, 60.0)
    assert said.report.end() == 0
    assert said.lines == [
        "Grading ps1: 2 submissions. Student code is locked in by nothing.",
        "The seeds are public.",
        "1/2  ada           60 of 60     ? s",
        "2/2  bela        46.4 of 60     ? s",
        "2 graded in ? s.",
        "Nobody needs a person.",
    ]


def test_who_needs_a_person_is_named_once_for_each_reason_and_the_exit_status_says_so() -> None:
    said = Said("ada", "fay", "gus")
    said.report.note("fay", "problems.ipynb could not be read as a notebook", Reason.UNREADABLE)
    said.report.note("gus", "cell 3 stopped", Reason.STOPPED)
    said.report.note("gus", "late by 2 days, penalty 0")
    for name in ("ada", "fay", "gus"):
        said.report.done(name, 0, 60)
    assert said.report.end() == NEEDS_A_PERSON
    assert said.lines[4].endswith("? s  cell 3 stopped; late by 2 days, penalty 0")
    assert said.lines[-3:] == [
        "2 need a person:",
        "  not readable as a notebook, so not graded: ask for the file again: fay",
        "  code that was stopped (time, memory, processes): gus",
    ]


def test_a_run_that_has_failed_does_not_say_that_nobody_needs_a_person() -> None:
    said = Said("ada", "bela")
    said.report.done("ada", 60, 60)
    assert said.report.end(failed=True) == 1
    assert said.lines[-1] == "Not everybody was graded: the run has ended early."
    said.report.note("ada", "cell 3 stopped", Reason.STOPPED)
    assert said.report.end(failed=True) == 1
    assert said.lines[-3:-1] == ["Not everybody was graded: the run has ended early.", "1 needs a person:"]


def test_a_note_alone_needs_nobody() -> None:
    said = Said("ada")
    said.report.note("ada", "late by 2 days, penalty 0")
    said.report.done("ada", 60, 60)
    assert said.report.end() == 0


def test_who_could_not_be_graded_makes_the_status_that_nbgrader_has_for_it() -> None:
    said = Said("ada", "bela")
    said.report.failed("ada", "KeyError: 'q1'")
    said.report.failed("ada", "a second step fails as well")
    said.report.note("bela", "cell 3 stopped", Reason.STOPPED)
    said.report.done("bela", 3, 60)
    assert said.report.end() == 1
    assert said.lines[2].split() == ["1/2", "ada", "not", "graded", "?", "s", "KeyError:", "'q1'"]
    assert said.lines[-2:] == [
        "  could not be graded: ada",
        "  code that was stopped (time, memory, processes): bela",
    ]


def test_why_a_submission_could_not_be_graded_is_told_also_where_something_else_was_found() -> None:
    said = Said("ada")
    said.report.note("ada", "cell 3 stopped", Reason.STOPPED)
    said.report.failed("ada", "OSError: disk full")
    assert said.lines[2].endswith("not graded     ? s  cell 3 stopped; OSError: disk full")
    assert said.report.end() == 1
    assert said.lines[-2:] == [
        "  could not be graded: ada",
        "  code that was stopped (time, memory, processes): ada",
    ]


def test_those_graded_before_are_counted_and_not_listed() -> None:
    said = Said("ada", "bela")
    said.report.before()
    said.report.done("bela", 1, 60)
    said.report.end()
    assert said.lines[2].startswith("2/2  bela")
    assert said.lines[3] == "1 graded in ? s. 1 graded before and not again: --force grades them anew."


@pytest.mark.parametrize(
    "name", ["two\nlines", "\x1b[31mred", "\udcff", "right\u202eleft"], ids=["lines", "colour", "surrogate", "turned"]
)
def test_a_name_cannot_write_to_the_terminal(name: str) -> None:
    said = Said(name)
    said.report.note(name, f"no {name}", Reason.NOTHING)
    said.report.done(name, 0, 60)
    said.report.end()
    assert all(line.isprintable() for line in said.lines)
    "\n".join(said.lines).encode()
