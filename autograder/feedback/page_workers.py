"""Worker processes that each do one task after another; one that dies costs no task and leaves nothing running.

A task whose worker died is done again by another one; after `ATTEMPTS` workers have died of it, it is given back as
lost, and the others go on. concurrent.futures cannot say which task a dead worker had: it ends all its workers and
loses all their tasks, and if the main process is killed, they live on.

Workers are forked, so that what the main process has imported and read is there at once; so it must have one thread. A
task and its result are pickled, the work itself is not.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import pickle
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, TypeVar

from autograder.sandbox import syscalls

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")
ATTEMPTS = 2
_FORK = multiprocessing.get_context("fork")


@dataclass
class _Worker(Generic[_Task]):
    """A process that works, the pipe to it, and its task, with the number of workers that have died of this."""

    process: BaseProcess
    pipe: Connection
    task: _Task
    died: int

    def end(self) -> None:
        self.process.kill()
        self.process.join()
        self.process.close()
        self.pipe.close()


def run(work: Callable[[_Task], _Result], tasks: Sequence[_Task], jobs: int) -> Generator[tuple[_Task, _Result | None]]:
    """Each task with what `work` returned for it, as it is done; None if every worker that tried has died.

    `work` must not raise. When this generator is closed, all workers are ended in the middle of what they do.
    """
    todo = deque((task, 0) for task in tasks)
    workers: list[_Worker[_Task]] = []
    gc.freeze()  # else the first collection in each worker would copy all pages that it shares with this process
    try:
        while todo or workers:
            while todo and len(workers) < jobs:
                workers.append(_start(work, *todo.popleft(), [worker.pipe for worker in workers]))
            ready = wait([worker.pipe for worker in workers])
            for worker in [worker for worker in workers if worker.pipe in ready]:
                try:
                    yield worker.task, worker.pipe.recv()
                    if todo:
                        worker.task, worker.died = todo.popleft()
                        worker.pipe.send(worker.task)
                        continue
                except (EOFError, OSError, pickle.UnpicklingError):
                    if worker.died + 1 < ATTEMPTS:
                        todo.append((worker.task, worker.died + 1))
                    else:
                        yield worker.task, None
                worker.end()
                workers.remove(worker)
    finally:
        gc.unfreeze()
        for worker in workers:
            worker.end()


def _start(work: Callable[[_Task], _Result], task: _Task, died: int, others: Sequence[Connection]) -> _Worker[_Task]:
    ours, theirs = _FORK.Pipe()
    process = _FORK.Process(target=_serve, args=(theirs, work, [ours, *others], os.getpid()), daemon=True)
    process.start()
    theirs.close()
    worker = _Worker(process, ours, task, died)
    with contextlib.suppress(OSError):  # it has died: `wait` finds that out
        ours.send(task)
    return worker


def _serve(pipe: Connection, work: Callable[[_Task], _Result], others: Sequence[Connection], parent: int) -> None:
    """What a worker does; `others` are the main process's ends of pipes, which it must not hold open."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the main one ends its workers
    if sys.platform == "linux":
        syscalls.die_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        return  # it was killed before that
    for other in others:
        other.close()
    with contextlib.suppress(EOFError, OSError):  # the main process is gone
        while True:
            pipe.send(work(pipe.recv()))
