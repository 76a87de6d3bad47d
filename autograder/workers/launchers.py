"""The launchers of a run, of which each is there when the first worker is wanted of it, and replaced when it has ended.

One may be started ahead, because it takes seconds.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Generic, TypeVar

from autograder.sandbox.limits import NAMESPACES
from autograder.workers.errors import NoRoom
from autograder.workers.launcher import Launcher

Key = TypeVar("Key", bound=Hashable)
_ahead: list[Launcher] = []


@contextlib.contextmanager
def started_ahead() -> Iterator[None]:
    """Starts a fork server before it is known what for; it is ended if nobody wants it meanwhile."""
    if sys.platform == "linux":
        _ahead.append(Launcher())
    try:
        yield
    finally:
        while _ahead:
            _ahead.pop().close()


class Launchers(Generic[Key]):
    """The launchers of a run: a first one, and forked from it one for the examiners of each notebook, and one for
    students in namespaces.

    One whose fork server has ended, for instance because the machine was short of memory, is replaced when the next
    worker is wanted. `cells_of` says which cells of the course the examiners of a notebook need.
    """

    def __init__(self, fork: bool, cells_of: Callable[[Key], Sequence[str]]) -> None:
        self._fork, self._cells_of = fork, cells_of
        self._lock = threading.Lock()
        self._first: Launcher | None = None
        self._prepared: Launcher | None = None
        self._branches: dict[Key, Launcher] = {}
        self._lesson: list[str] = []

    def begin(self) -> None:
        """Starts the first one, if there is none yet, and does not wait for it."""
        with self._lock:
            if self._first is None:
                self._alive()

    def students(self, level: str, readable: Sequence[str]) -> Launcher:
        """For a student's workers at this level, who read these folders besides the system's."""
        with self._lock:
            first = self._alive()
            if level != NAMESPACES or not self._fork:
                return first
            if self._prepared is None or not self._prepared.alive():
                self._unprepare()
                self._prepared = first.prepared(readable)
            return self._prepared

    def examiners(self, key: Key) -> Launcher:
        with self._lock:
            first = self._alive()
            branch = self._branches.get(key)
            if branch is None or not branch.alive():
                if branch:
                    branch.close()
                try:
                    branch = first.branch(self._cells_of(key))
                except NoRoom:
                    if not first.alive():
                        raise
                    return first  # a cell of the course has ended the branch: every examiner runs that cell itself
                self._branches[key] = branch
            return branch

    def learn(self, cells: Sequence[str]) -> None:
        """Lets the fork server learn these cells, and each one that replaces it; unless they end it."""
        with self._lock:
            self._lesson = list(cells)
            if self._first and self._first.alive():
                self._teach()

    def _teach(self) -> None:
        assert self._first
        self._unprepare()  # it is forked anew, from one that has learnt
        try:
            self._first.learn(self._lesson)
        except NoRoom:
            self._lesson = []
            self._alive()

    def lent(self, cells_of: Callable[[Key], Sequence[str]]) -> Launchers[Key]:
        """These launchers as a forked process may use them; those that end are replaced there by its own."""
        made = Launchers(self._fork, cells_of)
        made._lesson = self._lesson
        made._first = self._first and self._first.lent()
        made._prepared = self._prepared and self._prepared.lent()
        made._branches = {key: branch.lent() for key, branch in self._branches.items()}
        return made

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _alive(self) -> Launcher:
        if self._first is None or not self._first.alive():
            self._drop()
            self._first = _ahead.pop() if _ahead and self._fork else Launcher(self._fork)
            self._teach()
        return self._first

    def _drop(self) -> None:
        for branch in self._branches.values():
            if branch is not self._first:
                branch.close()
        self._branches.clear()
        self._unprepare()
        if self._first:
            self._first.close()
        self._first = None

    def _unprepare(self) -> None:
        if self._prepared:
            self._prepared.close()
        self._prepared = None
