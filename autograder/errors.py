"""The package's exceptions, one tree; every message names the next step.

AutograderError
├── QuestionError           an author's forward pass, domain or option that cannot be used
├── CheckFailed             a student's answer that is not right yet (shown without a traceback)
├── UnreadableNotebook      a file that is no notebook of the course
│   └── TooCostly           to read or clean it takes more time or memory than one notebook may
├── Unfinished              a source notebook that must not be released yet
├── NeedsStudent            a source notebook whose locked cells use a file that only students have
├── FailsItself             a source notebook whose own answer does not earn the points of a test
├── SeedError               seeds that cannot be drawn or read
├── RosterError             a class list that cannot be read
├── RefusedWork             a file that came from Moodle, Canvas or a folder and cannot be taken
├── UnsafeCopy              a student's folder that must not be copied, or not without its notebook
├── UnusablePage            a feedback page that cannot be given back
├── GradebookError          a gradebook that cannot be used
├── WrongGradebook          a gradebook that contradicts itself
├── CannotFill              a file of grades that cannot be filled in
├── CannotRead              a table that cannot be read
├── CannotWrite             a table that cannot be written
├── TooMuch                 a program that is longer than the by-hand guard reads
├── Gone                    a process in which cells run has ended or was ended
│   ├── OutOfTime           it did not answer in time
│   └── Earlier             what arrived was sent by the code of an earlier order
├── NotData                 what one room would lend to another has no form of data
├── Malformed               what another room has sent has none
├── CannotBeHad             what a test would borrow of a student's cannot be had
├── NoRoom                  no such process can be made now: never a student's fault
├── NoGraders               the processes that grade a class cannot be had any more
└── BadMessage              what such a process sent is no answer

`TooLong`, which ends a student's call, stands outside: as an Exception a student's `except Exception` would catch it.
"""

from __future__ import annotations

from autograder.messages import laid_out


class AutograderError(Exception):
    """Base of everything this package raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows of the exception: the message, never our own frames."""
        return laid_out(str(self)).split("\n")


class QuestionError(AutograderError):
    """A question that cannot be made: names the line, what was seen and the remedy."""


class CheckFailed(AutograderError):
    """A visible check that failed; its text is all that a student sees.

    `shown`: what is shown of it instead, where the page has the text already.
    """

    def __init__(self, text: str, shown: str = "") -> None:
        super().__init__(text)
        self._shown = shown

    def _render_traceback_(self) -> list[str]:
        return [self._shown] if self._shown else super()._render_traceback_()
