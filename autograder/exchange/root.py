"""The exchange's folder may be closed to writing: nbgrader wants it open to all, and then anybody can lay links in it.

A student who lays a link, or a folder, where a course is going to be is asked for it by whoever makes that course. What
people must write into is the course's `inbound` alone. nbgrader's commands are content once the root is 0777, and
refuse or change any other mode; with these classes it is enough that the course's folder is there and can be entered.
"""

from __future__ import annotations

import os
from typing import Any

from nbgrader.exchange.default import ExchangeFetchFeedback, ExchangeList
from nbgrader.utils import check_directory, self_owned


class ClosedRoot:
    """A mix-in for exchange actions."""

    def ensure_root(self: Any) -> None:
        """Fails as nbgrader does if the exchange is missing or cannot be read."""
        if not check_directory(self.root, read=True, execute=True):
            super().ensure_root()  # type: ignore[misc]


class ClosedRootToRelease:
    """The same for releasing, which makes the exchange if there is none."""

    def ensure_root(self: Any) -> None:
        """Lets the mode of somebody else's exchange be, if the course has its folder there already."""
        course = self.coursedir.course_id
        ready = course and os.path.isdir(os.path.join(self.root, course)) and not self_owned(self.root)
        if not ready:
            super().ensure_root()  # type: ignore[misc]


class List(ClosedRoot, ExchangeList):  # type: ignore[misc]  # nbgrader ships no types
    """Lists assignments; and so the Assignment List, and what the formgrader asks when it starts."""


class FetchFeedback(ClosedRoot, ExchangeFetchFeedback):  # type: ignore[misc]
    """Fetches feedback."""
