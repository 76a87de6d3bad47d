"""What can go wrong between the grader and a worker.

AutograderError
├── Gone            the worker has ended or was ended; the text says why, in words for the student
│   └── OutOfTime   no reply within the seconds that the request may take
├── NoRoom          no worker could be started; no code of a student's is to blame, and it never costs marks
└── BadMessage      what a worker has sent is not the data that it should be
"""

from __future__ import annotations

from autograder.errors import AutograderError


class Gone(AutograderError):
    """The worker has ended or was ended."""


class OutOfTime(Gone):
    """No reply in time; the worker may be running still."""


class NoRoom(AutograderError):
    """No worker could be started on this machine now."""


class BadMessage(AutograderError):
    """A line that is not the data it should be; it must be treated as no answer."""
