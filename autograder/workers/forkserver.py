"""The fork server: imports torch and IPython once, then forks a worker for each order; it runs no submitted cell.

Every worker inherits its memory, so it must learn nothing secret: it starts with a clean environment, it runs of the
course's cells what students are given, an order says only how the worker is confined, and what the worker shall do goes
over the worker's own socket. It has one thread whenever it forks, because a lock that another thread holds would stay
locked in the worker for ever.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from autograder.sandbox import folders, isolation, memory, namespaces, processes, syscalls
from autograder.sandbox.limits import Limits
from autograder.student import shown
from autograder.student.kernel import answering
from autograder.student.protocol import Missing, Reply, Request
from autograder.workers import integrity, wire
from autograder.workers.shell import DescriptorOutput, Shell, make_shell, run_cell
from autograder.workers.worker import Channel, Worker

CELLS_TO_WARM = (
    "import torch; torch.ones(2)",
    "1 + 1",
    "assert 1 == 2, 'x'",
    "def f(x)\n  return",
    "print(1)",
    "%time 1",
    "import asyncio",
    "from autograder import question",
    "@question(wrt='x', at={'x': 2.0}, domain={'x': (1, 3)})\ndef w(x):\n    y = x * x\n    return y",
    "def grad_w(x):\n    y = x * x\n    dydx = 2 * x\n    return y, dydx",
    "w.check()",
    "w.grade(points=1, seed='warm')",
    "def grad_w(x):\n    y = x * x\n    dydx = 3 * x\n    return y, dydx",
    "w.check()",
    "raise ValueError('a traceback')",
)

_FOR_THE_GRADER = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT)
"""What ends a whole group or service of processes. The grader ends by it, which closes the socket; this process must
live on until then, because nobody else is left to remove the rooms' folders."""


_LULL = 0.02
"""Seconds without an order."""


def threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except FileNotFoundError:  # in a container that allows no /proc in a sandbox
        return 1


def warm() -> Shell:
    """A shell that has done once what takes long at first: autograd imports sympy (0.45 s), and so on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch

        with contextlib.suppress(ImportError, RuntimeError):
            import pyseccomp  # noqa: F401  (it looks for its library by starting a program)
        torch.set_num_threads(1)
        wire.learn()
        shell = make_shell()
        for number, cell in enumerate(CELLS_TO_WARM, 1):
            run_cell(shell, cell, number)
    gc.freeze()  # it stays, and is not looked through again
    _forget(shell)
    gc.enable()
    return shell


def _forget(shell: Shell) -> None:
    """As if no cell had run."""
    import linecache

    from autograder.student import cells

    cells.forget()
    shell.reset(new_session=True)
    shell.recorder.begin()
    linecache.clearcache()
    for name in ("last_type", "last_value", "last_traceback"):
        vars(sys).pop(name, None)  # %debug would show the error of a cell above


def confine(order: dict[str, Any] | None) -> dict[str, str]:
    """Confines this process as the grader has ordered; None is an examiner's worker, which runs the course's code."""
    if order is None:
        return {}
    limits = Limits(**{**order["limits"], "readable": tuple(order["limits"]["readable"])})
    return isolation.enter(order["level"], limits, order["scratch"])


def become_worker(shell: Shell, confinement: dict[str, Any] | None, connection: socket.socket) -> NoReturn:
    """In the forked process: confines it, says so, and serves. Student code is sent only after "locked"."""
    channel = Channel(connection)
    descriptors = DescriptorOutput()
    try:
        environment = confine(confinement)
    except BaseException as error:
        channel.send({"locked": False, "why": f"{type(error).__name__}: {error}"})
        os._exit(1)
    channel.send({"locked": True, "why": ""})
    try:
        Worker(channel, shell, descriptors, environment).serve()
    finally:  # this process must never return to the code that has forked it
        os._exit(1)


def _child(shell: Shell, order: dict[str, Any], channel: int, *more: int) -> None:
    """What the forked process does with an order: becomes a branch, or a worker."""
    cells = _cells(*more) if order.get("branch") else []
    os.setsid()  # Linux shares processors out to sessions first, so a room with many processes holds up no other
    for one in (*_FOR_THE_GRADER, signal.SIGCHLD):
        signal.signal(one, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    processes.close_inherited_files(but=channel)
    syscalls.die_with_parent(signal.SIGKILL)
    if order.get("branch"):
        _branch(shell, socket.socket(fileno=channel), cells)
    if order.get("prepare"):
        _prepare(shell, socket.socket(fileno=channel), order["prepare"], order["folder"])
    if order["folder"]:
        os.chdir(order["folder"])
    become_worker(shell, order["confinement"], socket.socket(fileno=channel))


def main(control_number: int) -> None:
    """Serves the orders that come over the socket of this number, until it is closed."""
    for number in _FOR_THE_GRADER:
        signal.signal(number, signal.SIG_IGN)
    syscalls.adopt_orphans()  # so that every process of a worker stays below this one and can be ended from here
    shell = warm()
    _settle()
    _serve(shell, socket.socket(fileno=control_number), partial(_end_all, os.environ["HOME"]))


class _NoStudent:
    """Answers that there is no function, whatever is asked."""

    def ask(self, request: Request) -> Reply:
        return Reply(missing=Missing())


def _cells(course: int) -> list[str]:
    with socket.socket(fileno=course) as connection, connection.makefile("rb") as lines:
        cells: list[str] = json.loads(lines.readline())["cells"]
        return cells


def _branch(shell: Shell, control: socket.socket, cells: list[str]) -> None:
    """A fork server for examiners: has run the course's cells once, so that hidden points are drawn once in a run."""
    _learn(shell, cells)
    _settle()
    _serve(shell, control, partial(_end_all, ""))


def _prepare(shell: Shell, control: socket.socket, readable: list[str], scratch: str) -> None:
    """A fork server for students in namespaces, from inside the sandbox that is prepared for all of them."""
    try:
        namespaces.prepare(readable, scratch)
    except OSError as error:
        control.sendall(wire.pack({"why": f"{type(error).__name__}: {error}"}))
        os._exit(1)
    # Who ends as process 1 of a process space ends all that is in it.
    _serve(shell, control, partial(os._exit, 0), namespaces.fork_room, settled=True)


def _learn(shell: Shell, cells: list[str]) -> None:
    """Runs cells for what the package remembers of them beyond the names that they define."""
    shell.compile.learning = True
    with answering(_NoStudent()):
        for number, cell in enumerate(cells, 1):
            run_cell(shell, cell, number)
            shown.look_at(cell)
    shell.compile.learning = False
    _forget(shell)


def _settle() -> None:
    """Before it forks: what it has in memory will be shared."""
    integrity.snapshot.cache_clear()
    integrity.snapshot()
    gc.collect()
    gc.freeze()  # the collector would write to pages that the workers share, and so copy them
    assert threads() == 1, f"only a single thread may fork, and there are {threads()}"


def _serve(
    shell: Shell,
    control: socket.socket,
    end: Callable[[], NoReturn],
    fork: Callable[[], int] = processes.fork,
    settled: bool = False,
) -> None:
    """Forks a worker for each order; ends when the grader has closed the socket: it is done, or it was killed.

    It has no large pages before its first lull, for which nobody waits, unless its memory is `settled`.
    """
    control.sendall(wire.pack({"ready": True, "resident": processes.resident(os.getpid())}))
    while True:
        if not settled and not select.select([control], [], [], _LULL)[0]:
            memory.settle()
            settled = True
        data, handles, _, _ = socket.recv_fds(control, 1 << 16, 3)
        if not data:
            end()
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        assert threads() == 1, "only a single thread may fork"
        answers, *channels = handles
        order = json.loads(data)
        with socket.socket(fileno=answers) as asked, contextlib.suppress(OSError):  # who has asked may have ended
            if order.get("learn"):
                _learn(shell, _cells(channels.pop()))
                _settle()
                memory.settle()  # others will be forked from this one, and share its large pages
                settled = True
                asked.sendall(wire.pack({"learnt": True}))
            else:
                _fork_for(fork, partial(_child, shell, order, *channels), asked)
        for channel in channels:
            os.close(channel)


def _fork_for(fork: Callable[[], int], child: Callable[[], None], asked: socket.socket) -> None:
    """Forks a process for an order and says so."""
    try:
        number = fork()
    except OSError as error:
        asked.sendall(wire.pack({"why": f"no process could be made ({error})"}))
        return
    if not number:
        try:
            child()
        finally:
            os._exit(1)
    handle = os.pidfd_open(number)  # not reaped before the next order, so the number is still this child's
    socket.send_fds(asked, [wire.pack({"forked": True})], [handle])
    os.close(handle)


def _end_all(scratch: str) -> NoReturn:
    """Ends all workers, because the grader may not be there any more to do so, and removes the folder `scratch`."""
    processes.end_descendants()
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    if scratch:
        folders.remove(scratch)
    os._exit(0)


def alone(channel: int) -> None:
    """One worker in a new process, for systems on which such an interpreter cannot be forked safely: macOS."""
    become_worker(warm(), None, socket.socket(fileno=channel))
