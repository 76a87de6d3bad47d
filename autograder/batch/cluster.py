"""The graders of a Dask cluster, on any number of machines that share the course's folder.

On each worker a station and its graders are kept by a plugin, started with the first order and ended when there is none
for a while. They are bound to the worker's process, and to the command that gives the orders: when one of these ends,
however it ends, so do they. An order may reach a second worker when the first is lost; each grader writes into a folder
of its own, and one reply is taken.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import distributed

from autograder.batch import rows, station
from autograder.batch.lines import Lines, pack
from autograder.batch.pool import NoGraders, Order, Reply

_dask: Any = distributed  # most of what it offers has no types
NO_WORKER = (
    "The scheduler {address} has no worker. Start one on each machine, in the environment of the course: `dask worker "
    "{address}`. Then run the same command again. What was graded is saved."
)
NO_SCHEDULER = (
    "The scheduler {address} cannot be reached ({why}). What was graded is saved: start it, and its workers, and run "
    "the same command again."
)
CANNOT_GRADE = (
    "The cluster of {address} cannot grade this course: {why}. What was graded is saved; each worker, and the "
    "scheduler, must be started in the environment of the course. Then run the same command again."
)
NO_STATION = (
    "on the worker {worker} the process that grades ends at once, which says why in the output of that worker; the "
    "course must be in the folder {root} there, too"
)
LOST = "the connection was lost"
_TO_CONNECT = 20.0
_IDLE = 60.0
"""Seconds without an order after which a worker's graders end."""
_WAITING = 2
"""Orders that the cluster is given for each of its threads, so that none waits for the next one."""
_TICK = 0.02


class Graders(distributed.WorkerPlugin):
    """What each worker keeps for a run: a station, and a grader for each of its threads."""

    def __init__(self, name: str, course: rows.Rows, root: str, assignment: str, unsafe: bool) -> None:
        self.name = name
        self._course, self._start = course, (root, assignment, unsafe)

    def setup(self, worker: Any) -> None:
        """Called on the worker."""
        self._where = worker.address
        self._lock = threading.Lock()
        self._station: station.Station | None = None
        self._free: list[Lines] = []
        self._busy, self._used = 0, time.monotonic()
        self._over = threading.Event()
        threading.Thread(target=self._watch, name="idle graders", daemon=True).start()

    def teardown(self, worker: Any) -> None:
        """Called on the worker when the run has ended, and where the worker is closed."""
        with self._lock:
            self._over.set()
            self._close()

    def grade(self, order: Order) -> Any:
        """What a grader says of an order; None if it has ended. Called in any thread of the worker."""
        with self._lock:
            if self._over.is_set():
                return None
            grader = self._idle() or self._another()
            self._busy += 1
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

    def _idle(self) -> Lines | None:
        """A grader that has nothing to do and has not ended: it says nothing then, not even that."""
        while self._free:
            grader = self._free.pop()
            if not select.select([grader.connection], [], [], 0)[0]:
                return grader
            grader.connection.close()
        return None

    def _another(self) -> Lines:
        for _ in range(2):
            try:
                if self._station is None:
                    self._station = station.started(*self._start)
                    with self._station.connect() as connection:
                        connection.sendall(pack(self._course))
                        Lines(connection).receive()
                return Lines(self._station.connect())
            except (EOFError, OSError):  # it has ended
                self._close()
        raise NoGraders(NO_STATION.format(worker=self._where, root=self._start[0]))

    def _watch(self) -> None:
        while not self._over.wait(_IDLE / 10):
            with self._lock:
                if not self._busy and time.monotonic() - self._used > _IDLE:
                    self._close()

    def _close(self) -> None:
        for grader in self._free:
            grader.connection.close()
        self._free = []
        if self._station:
            self._station.end(0 if self._busy else station.TO_CLEAR_UP)
        self._station = None


class Leaving(distributed.SchedulerPlugin):
    """What the scheduler keeps for a run: ends the run's graders when its client has gone, however that ended.

    Dask drops what such a client has asked for; but a task that is under way has its thread to the end, and that may be
    the longest time that a submission is given.
    """

    def __init__(self, graders: str, client: str) -> None:
        self.name = f"{graders}-leaving"
        self._graders, self._client = graders, client

    def remove_client(self, scheduler: Any, client: str) -> None:
        """Called on the scheduler."""
        if client == self._client:
            scheduler.loop.add_callback(self._end, scheduler)

    async def _end(self, scheduler: Any) -> None:
        with contextlib.suppress(ValueError):  # the run has done so itself
            await scheduler.unregister_worker_plugin(None, name=self._graders)
        with contextlib.suppress(ValueError):
            await scheduler.unregister_scheduler_plugin(name=self.name)


def _grade(graders: str, order: str) -> str:
    """The task: an order and its reply as JSON, so that nothing but text goes between the machines."""
    return json.dumps(_dask.get_worker().plugins[graders].grade(json.loads(order)))


class ClusterPool:
    """Gives orders to the workers of the scheduler at `address`, such as tcp://host:8786."""

    def __init__(self, address: str, root: str, assignment: str, unsafe: bool) -> None:
        self._address, self._course_of = address, (root, assignment, unsafe)
        self._graders = f"autograder-{uuid.uuid4().hex}"  # a cluster may grade for several runs
        self._orders: dict[str, tuple[Order, Any]] = {}
        self._seen = time.monotonic()
        """When there was a worker."""
        for name in ("distributed", "distributed.client"):  # a lost connection is a traceback to them
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
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
    def _connected(self) -> bool:
        return self._client.status in ("running", "newly-created")

    @property
    def jobs(self) -> int:
        with self._asked():
            return sum(self._client.nthreads().values())

    @property
    def free(self) -> int:
        return max(0, _WAITING * self.jobs - len(self._orders))

    def begin(self, course: rows.Rows, most: int) -> None:
        with self._asked():
            self._client.register_plugin(Leaving(self._graders, self._client.id))
            self._client.register_plugin(Graders(self._graders, course, *self._course_of))

    def give(self, order: Order) -> None:
        key = f"{order['student']}-{os.path.basename(order['into'])}"
        with self._asked():
            future = self._client.submit(_grade, self._graders, json.dumps(order), key=key, pure=False)
        self._orders[key] = order, future

    def replies(self, seconds: float) -> list[Reply]:
        end = time.monotonic() + seconds
        while not (done := self._done()) and time.monotonic() < end:
            time.sleep(_TICK)
        if not done:
            self._has_workers()
        return [self._reply(key) for key in done]

    def _done(self) -> list[str]:
        """The keys of what is graded, or will not be. A result that is lost with its worker is made again."""
        with self._asked():
            return [key for key, (_, future) in self._orders.items() if future.status not in ("pending", "lost")]

    def _has_workers(self) -> None:
        if self.jobs:
            self._seen = time.monotonic()
        elif time.monotonic() - self._seen > _TO_CONNECT:
            raise NoGraders(NO_WORKER.format(address=self._address))

    def _reply(self, key: str) -> Reply:
        order, future = self._orders.pop(key)
        with self._asked():
            try:
                return Reply(order, json.loads(future.result()))
            except _dask.KilledWorker:
                return Reply(order, None)

    @contextlib.contextmanager
    def _asked(self) -> Iterator[None]:
        """Says what is wrong with the cluster, of which Dask raises errors of many kinds."""
        lost = NoGraders(NO_SCHEDULER.format(address=self._address, why=LOST))
        if not self._connected:  # it would wait for the scheduler to come back
            raise lost
        try:
            yield
        except Exception as error:
            if not self._connected or isinstance(error, OSError):
                raise lost from None
            why = str(error) if isinstance(error, NoGraders) else f"{type(error).__name__}: {error}"
            raise NoGraders(CANNOT_GRADE.format(address=self._address, why=why)) from None

    def end(self) -> None:
        with contextlib.suppress(Exception):  # whatever Dask raises where the scheduler has ended
            if self._connected:
                self._client.cancel([future for _, future in self._orders.values()])
                self._client.unregister_worker_plugin(self._graders)
        with contextlib.suppress(Exception):
            self._client.close(timeout=_TO_CONNECT if self._connected else 0.1)
