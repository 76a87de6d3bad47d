"""The interpreters that rooms are forked from: one for students, a branch of it for each notebook's examiners.

One that has ended, because the machine was short of memory for instance, is replaced when a room is next wanted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from autograder.workers.launcher import Warm
from autograder.workers.process import NoRoom

Key = TypeVar("Key", bound=Hashable)


class Sources(Generic[Key]):
    """`cells_of` names the course's cells that the examiners of a notebook have met before they are forked."""

    def __init__(self, fork: bool, cells_of: Callable[[Key], Sequence[str]]) -> None:
        self._fork, self._cells_of = fork, cells_of
        self._lock = threading.Lock()
        self._warm: Warm | None = None
        self._branches: dict[Key, Warm] = {}

    def students(self) -> Warm:
        with self._lock:
            return self._first()

    def examiners(self, key: Key) -> Warm:
        with self._lock:
            warm = self._first()
            branch = self._branches.get(key)
            if branch is None or not branch.alive():
                if branch:
                    branch.close()
                try:
                    branch = warm.branch(self._cells_of(key))
                except NoRoom:
                    if not warm.alive():
                        raise
                    return warm  # a cell of the course ended it; each submission's examiner meets that cell for itself
                self._branches[key] = branch
            return branch

    def _first(self) -> Warm:
        if self._warm is None or not self._warm.alive():
            self._drop()
            self._warm = Warm(self._fork)
        return self._warm

    def _drop(self) -> None:
        for branch in self._branches.values():
            if branch is not self._warm:
                branch.close()
        self._branches.clear()
        if self._warm:
            self._warm.close()
        self._warm = None

    def close(self) -> None:
        with self._lock:
            self._drop()
