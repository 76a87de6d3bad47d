"""The warm interpreter: imports torch and IPython once, then forks one room for each order; it runs no cell itself.

It starts with a scrubbed environment and learns nothing secret, because every room inherits its memory: an order says
how to lock a room, and what the room is to do goes over the room's own socket. It has one thread whenever it forks.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys
import warnings
from typing import Any, NoReturn

from autograder.sandbox import folders, isolation, processes, syscalls
from autograder.student.kernel import answering
from autograder.student.protocol import Missing, Reply, Request
from autograder.workers import wire, worker
from autograder.workers.shell import Files, Shell, make_shell, run_cell

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


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def warm() -> Shell:
    """What a notebook of derivatives pulls in lazily: sympy at the first autograd call (0.45 s), and so on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import torch

        with contextlib.suppress(ImportError, RuntimeError):
            import pyseccomp  # noqa: F401  (it looks for its library by starting a program)
        torch.set_num_threads(1)
        shell = make_shell()
        for number, cell in enumerate(CELLS_TO_WARM, 1):
            run_cell(shell, cell, number)
    from autograder.student import cells

    cells.forget()
    shell.reset(new_session=True)
    shell.recorder.begin()
    import linecache

    linecache.clearcache()
    for name in ("last_type", "last_value", "last_traceback"):
        vars(sys).pop(name, None)  # nor would %debug find another cell's error
    return shell


def become_room(shell: Shell, box: dict[str, Any] | None, connection: socket.socket) -> None:
    """In the forked process: locks the room, says so, and serves. Student code is sent only after "locked"."""
    channel = worker.Channel(connection)
    files = Files()  # memory files, which a locked room cannot make
    places: dict[str, str] = {}
    try:
        if box is not None:
            places = isolation.enter(isolation.Box(**{**box, "readable": tuple(box["readable"])}))
    except BaseException as error:
        channel.send({"locked": False, "why": f"{type(error).__name__}: {error}"})
        os._exit(1)
    channel.send({"locked": True, "why": ""})
    try:
        worker.Room(channel, shell, files, places).serve()
    finally:  # whatever happened: this process never returns to the code that forked it
        os._exit(1)


def _child(shell: Shell, order: dict[str, Any], channel: int) -> None:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.closerange(3, channel)
    os.closerange(channel + 1, 1 << 16)
    syscalls.die_with_parent(signal.SIGKILL)
    if order.get("branch"):
        _branch(shell, socket.socket(fileno=channel))
    if order["folder"]:
        os.chdir(order["folder"])
    become_room(shell, order["box"], socket.socket(fileno=channel))


def main(control_number: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the grader, who then hangs up
    syscalls.adopt_orphans()  # so that all of a room can be ended from here
    _serve(warm(), socket.socket(fileno=control_number), os.environ["HOME"])


class _Nobody:
    """Answers nothing."""

    def ask(self, request: Request) -> Reply:
        return Reply(missing=Missing())


def _branch(shell: Shell, control: socket.socket) -> None:
    """An interpreter for examiners alone: has met the course's cells once, so that test points are drawn once a run."""
    lines = control.makefile("rb")
    with answering(_Nobody()):
        for number, cell in enumerate(json.loads(lines.readline())["cells"], 1):
            run_cell(shell, cell, number)
    shell.reset(new_session=True)
    shell.recorder.begin()
    _serve(shell, control, "")


def _serve(shell: Shell, control: socket.socket, scratch: str) -> None:
    """Forks a room for each order; at the end removes the folder `scratch`, in which the rooms had theirs."""
    gc.collect()
    gc.freeze()  # so that the collector does not touch, and so copy, the pages that rooms share
    syscalls.gather_pages()
    assert threads() == 1, f"only a single thread may fork, and there are {threads()}"
    control.sendall(wire.pack({"ready": True, "resident": processes.resident(os.getpid())}))
    buffer = b""
    while True:
        data, handles, _, _ = socket.recv_fds(control, 1 << 16, 1)
        if not data:
            _leave_nothing(scratch)
        buffer += data
        while not buffer.endswith(b"\n"):
            buffer += control.recv(1 << 16)
        order, buffer = json.loads(buffer), b""
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        assert threads() == 1, "only a single thread may fork"
        try:
            room = processes.fork()
        except OSError as error:
            control.sendall(wire.pack({"room": 0, "why": f"no process could be made ({error})"}))
            os.close(handles[0])
            continue
        if not room:
            try:
                _child(shell, order, handles[0])
            finally:
                os._exit(1)
        handle = os.pidfd_open(room)  # not reaped before the next order, so the number is still this room's
        socket.send_fds(control, [wire.pack({"room": room})], [handle])
        os.close(handle)
        os.close(handles[0])


def _leave_nothing(scratch: str) -> NoReturn:
    """The grader has hung up: it is done, or was killed and can end and remove nothing itself any more."""
    processes.end_descendants()
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    if scratch:
        folders.remove(scratch)
    os._exit(0)


def alone(channel: int) -> None:
    """One room in a process of its own, where a warm interpreter cannot be forked safely: macOS."""
    become_room(warm(), None, socket.socket(fileno=channel))
