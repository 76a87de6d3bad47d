"""The graders of a Dask cluster, on any number of machines that share the course's folder.

On each worker a station and its graders are kept by a plugin, started with the first order and ended when there is none
for a while. They are bound to the worker's process: when that ends, however it ends, so do they. An order may reach a
second worker when the first is lost; each grader writes into a folder of its own, and one reply is taken.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import threading
import time
from typing import Any

import distributed

from autograder.batch import rows, station
from autograder.batch.pool import NoGraders, Order, Reply
from autograder.batch.station import Lines, pack

_dask: Any = distributed  # most of what it offers has no types
PLUGIN = "autograder"
NO_WORKER = (
    "The scheduler {address} has no worker. Start one on each machine, in the environment of the course: `dask worker "
    "{address}`. Then run the same command again."
)
NO_SCHEDULER = (
    "The scheduler {address} cannot be reached ({why}). What was graded is saved: start it, and its workers, and run "
    "the same command again."
)
_TO_CONNECT = 20.0
_IDLE = 60.0
"""Seconds without an order after which a worker's graders end."""
_WAITING = 2
"""Orders that the cluster is given for each of its threads, so that none waits for the next one."""


class Graders(distributed.WorkerPlugin):
    """What each worker keeps: a station, and a grader for each of its threads."""

    name = PLUGIN

    def __init__(self, course: rows.Rows, root: str, assignment: str, unsafe: bool) -> None:
        self._course, self._start = course, (root, assignment, unsafe)

    def setup(self, worker: Any) -> None:
        """Called on the worker."""
        self._lock = threading.Lock()
        self._station: station.Station | None = None
        self._free: list[Lines] = []
        self._busy, self._used = 0, time.monotonic()
        self._over = threading.Event()
        threading.Thread(target=self._watch, name="idle graders", daemon=True).start()

    def teardown(self, worker: Any) -> None:
        """Called on the worker, also where it is closed."""
        self._over.set()
        self._end()

    def grade(self, order: Order) -> Any:
        """What a grader says of an order; None if it has ended. Called in any thread of the worker."""
        with self._lock:
            self._busy += 1
            grader = self._free.pop() if self._free else self._another()
        try:
            grader.connection.sendall(pack(order))
            said = grader.receive()
        except (EOFError, OSError):
            grader.connection.close()
            return None
        finally:
            with self._lock:
                self._busy -= 1
                self._used = time.monotonic()
        with self._lock:
            self._free.append(grader)
        return said

    def _another(self) -> Lines:
        for _ in range(2):
            if self._station is None:
                self._station = station.started(*self._start)
                with contextlib.suppress(OSError), self._station.connect() as connection:
                    connection.sendall(pack(self._course))
            try:
                return Lines(self._station.connect())
            except OSError:  # it has ended
                self._close()
        raise NoGraders("the station of this worker ends at once")

    def _watch(self) -> None:
        while not self._over.wait(_IDLE / 10):
            with self._lock:
                if not self._busy and time.monotonic() - self._used > _IDLE:
                    self._close()

    def _end(self) -> None:
        with self._lock:
            self._close()

    def _close(self) -> None:
        for grader in self._free:
            grader.connection.close()
        self._free = []
        if self._station:
            self._station.end(station.TO_CLEAR_UP)
        self._station = None


def _grade(order: str) -> str:
    """The task: an order and its reply as JSON, so that nothing but text goes between the machines."""
    return json.dumps(_dask.get_worker().plugins[PLUGIN].grade(json.loads(order)))


class ClusterPool:
    """Gives orders to the workers of the scheduler at `address`, such as tcp://host:8786."""

    def __init__(self, address: str, root: str, assignment: str, unsafe: bool) -> None:
        self._address, self._course_of = address, (root, assignment, unsafe)
        self._done: queue.Queue[Any] = queue.Queue()
        self._orders: dict[str, tuple[Order, Any]] = {}
        try:
            self._client = _dask.Client(address, timeout=_TO_CONNECT, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise NoGraders(NO_SCHEDULER.format(address=address, why=error)) from None
        try:
            self._client.wait_for_workers(1, timeout=_TO_CONNECT)
        except TimeoutError:
            self._client.close()
            raise NoGraders(NO_WORKER.format(address=address)) from None

    @property
    def jobs(self) -> int:
        return sum(self._client.nthreads().values())

    @property
    def free(self) -> int:
        return max(0, _WAITING * self.jobs - len(self._orders))

    def begin(self, course: rows.Rows, most: int) -> None:
        self._client.register_plugin(Graders(course, *self._course_of))

    def give(self, order: Order) -> None:
        key = f"{order['student']}-{os.path.basename(order['into'])}"
        future = self._client.submit(_grade, json.dumps(order), key=key, pure=False)
        self._orders[key] = order, future
        future.add_done_callback(self._done.put)

    def replies(self, seconds: float) -> list[Reply]:
        found = []
        with contextlib.suppress(queue.Empty):
            found.append(self._done.get(timeout=seconds))
            while True:
                found.append(self._done.get_nowait())
        if self._client.status not in ("running", "newly-created"):
            raise NoGraders(NO_SCHEDULER.format(address=self._address, why="the connection was lost"))
        return [reply for future in found if (reply := self._reply(future))]

    def _reply(self, future: Any) -> Reply | None:
        if future.key not in self._orders:
            return None
        if future.status in ("lost", "cancelled"):
            raise NoGraders(NO_SCHEDULER.format(address=self._address, why="the connection was lost"))
        order, _ = self._orders.pop(future.key)
        said = json.loads(future.result()) if future.status == "finished" else None
        return Reply(order, said)

    def end(self) -> None:
        with contextlib.suppress(Exception):  # whatever Dask raises where the scheduler has ended
            self._client.cancel([future for _, future in self._orders.values()])
            self._client.unregister_worker_plugin(PLUGIN)
        with contextlib.suppress(Exception):
            self._client.close(timeout=_TO_CONNECT)
