"""Workers are started before they are needed and ended afterwards, in threads beside the grading.

If a worker cannot be started, it is tried again for a while: the process table may be full of what an earlier
submission has started, which is just being ended. If it still cannot, `NoRoom` says so, and it costs no student
anything.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from autograder.workers.client import WorkerClient
from autograder.workers.errors import NoRoom

Key = TypeVar("Key", bound=Hashable)
PATIENCE = 30.0
"""Seconds for which starting a worker is tried again."""


class WorkerPool(Generic[Key]):
    """`start` starts a worker of a kind, in any thread; `needed` says how many of a kind the run needs at most."""

    def __init__(self, start: Callable[[Key], WorkerClient], needed: Callable[[Key], int]) -> None:
        self._start, self._needed = start, needed
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="rooms")
        self._stock: dict[Key, deque[Future[WorkerClient]]] = defaultdict(deque)
        self._ordered: dict[Key, int] = defaultdict(int)
        self._lock = threading.Lock()

    def take(self, key: Key, keep: int) -> WorkerClient:
        """A worker; `keep` more of its kind are started meanwhile for the next submission."""
        with self._lock:
            stock = self._stock[key]
            ready = stock.popleft() if stock else None
            self._ordered[key] += ready is None
            while len(stock) < keep and self._ordered[key] < self._needed(key):
                self._ordered[key] += 1
                stock.append(self._threads.submit(self._start, key))
        if ready:
            with contextlib.suppress(NoRoom, OSError):
                worker = ready.result()
                if not worker.ended():
                    return worker
                worker.close()
        return self._start_now(key)

    def _start_now(self, key: Key) -> WorkerClient:
        end, pause = time.monotonic() + PATIENCE, 0.1
        while True:
            try:
                return self._start(key)
            except NoRoom as error:
                if time.monotonic() > end:
                    raise NoRoom(f"no room could be made within {PATIENCE:g} seconds: {error}") from None
            time.sleep(pause)
            pause = min(2.0, pause * 2)

    def put_away(self, worker: WorkerClient) -> None:
        """Ends a worker that is no longer needed, while the grading goes on."""
        self._threads.submit(worker.close)

    def close(self) -> None:
        """Ends every worker that nobody has taken; returns when those that were put away have ended too."""
        with self._lock:
            left = [future for stock in self._stock.values() for future in stock]
            self._stock.clear()
        for future in left:
            future.cancel()
        for future in left:
            with contextlib.suppress(NoRoom, OSError, CancelledError):
                future.result().close()
        self._threads.shutdown(wait=True)
