"""What can go wrong between the grader and a worker.

AutograderError
├── Gone            the worker has ended or was ended; the text says why, in words for the student
│   ├── OutOfTime   no reply within the seconds that the request may take
│   └── Earlier     something that no order asked for, and that an earlier order's code has sent
├── NoRoom          no worker could be started; no code of a student's is to blame, and it never costs marks
└── BadMessage      what a worker has sent is not the data that it should be
"""

from __future__ import annotations

from autograder.errors import AutograderError


class Gone(AutograderError):
    """The worker has ended or was ended."""


class OutOfTime(Gone):
    """No reply in time; the worker may be running still."""


class Earlier(Gone):
    """What arrived was sent by the code of an earlier order: that code is to blame, not this order's."""


class NoRoom(AutograderError):
    """No worker could be started on this machine now."""


class BadMessage(AutograderError):
    """A line that is not the data it should be; it must be treated as no answer."""
