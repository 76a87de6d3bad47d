"""Rooms are made before they are needed and cleared away after, beside the grading; no more than a run will use.

A room that cannot be made is tried again for a while: the process table may be full of what an earlier submission
left, which is then being ended. If it still cannot be made, `NoRoom` says so, and no student is blamed.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from autograder.workers.client import Handle
from autograder.workers.process import NoRoom

Key = TypeVar("Key", bound=Hashable)
PATIENCE = 30.0
"""Seconds for which a room is tried to be made."""


class Ahead(Generic[Key]):
    """`make` makes a room of a kind, in any thread; `expected` says how many of a kind the run may need."""

    def __init__(self, make: Callable[[Key], Handle], expected: Callable[[Key], int]) -> None:
        self._make, self._expected = make, expected
        self._hands = ThreadPoolExecutor(2, thread_name_prefix="rooms")
        self._stock: dict[Key, deque[Future[Handle]]] = defaultdict(deque)
        self._ordered: dict[Key, int] = defaultdict(int)
        self._lock = threading.Lock()

    def take(self, key: Key, keep: int) -> Handle:
        """A room, and `keep` more of its kind made meanwhile for whoever comes next."""
        with self._lock:
            stock = self._stock[key]
            ready = stock.popleft() if stock else None
            self._ordered[key] += ready is None
            while len(stock) < keep and self._ordered[key] < self._expected(key):
                self._ordered[key] += 1
                stock.append(self._hands.submit(self._make, key))
        if ready:
            with contextlib.suppress(NoRoom, OSError):
                room = ready.result()
                if not room.ended():
                    return room
                room.close()
        return self._now(key)

    def _now(self, key: Key) -> Handle:
        end, pause = time.monotonic() + PATIENCE, 0.1
        while True:
            try:
                return self._make(key)
            except NoRoom as error:
                if time.monotonic() > end:
                    raise NoRoom(f"no room could be made within {PATIENCE:g} seconds: {error}") from None
            time.sleep(pause)
            pause = min(2.0, pause * 2)

    def put_away(self, room: Handle) -> None:
        """Closes a room whose work is done, while the grading goes on."""
        self._hands.submit(room.close)

    def close(self) -> None:
        """Ends every room that was made and not taken; returns when all that were put away have ended."""
        with self._lock:
            left = [future for stock in self._stock.values() for future in stock]
            self._stock.clear()
        for future in left:
            future.cancel()
        for future in left:
            with contextlib.suppress(NoRoom, OSError, CancelledError):
                future.result().close()
        self._hands.shutdown(wait=True)
