"""The process that those of graders are forked from: it has imported nbgrader and read the course, and has fork servers
ready.

It is forked from the command that grades, before that opens the gradebook, or started anew: `main`. It is told the
course once; then each order brings the socket of a new grader. It ends, with all graders and rooms, when its own socket
is closed.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from traitlets.config import Config

from autograder.batch.graders import Graders, ending
from autograder.batch.lines import Lines, pack
from autograder.rooms.engine import Engine
from autograder.rooms.run import GradingRun
from autograder.sandbox import processes, syscalls
from autograder.sandbox.visible import trusted_path
from autograder.workers.launchers import Launchers

TO_CLEAR_UP = 5.0
"""Seconds in which graders that are idle end what they have started."""
_TOGETHER = 3
"""How many graders a process has at most, of which one at a time has Python's lock."""


def serve(control: socket.socket, app: Any, level: str, launchers: Launchers[tuple[str, str]]) -> NoReturn:
    """The process's whole life; `control` is its end of a pair of sockets that carry packets."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that commands
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    graders: Graders | None = None
    begun, newest, places = set[int](), None, 0
    while True:
        data, handles, _, _ = socket.recv_fds(control, 1 << 16, 1)
        if not data and newest:
            newest.close()
        _reap(begun, 0 if data else TO_CLEAR_UP)
        if not data:
            os._exit(0)  # the kernel ends graders that are still at work
        with socket.socket(fileno=handles[0]) as connection:
            if graders is None:
                graders = Graders(app, Lines(connection).receive(), level, launchers)
                graders.prepare()
                gc.freeze()  # each grader would look through it again and again, and nothing of it ever goes
                with contextlib.suppress(OSError):  # not everybody waits for it
                    connection.sendall(pack("ready"))
                continue
            if not (newest and places and _passed_on(connection, newest)):
                before = newest
                number, newest = _fork(graders, [control, connection, *([before] if before else [])])
                if before:
                    before.close()
                begun.add(number)
                places = _TOGETHER
                _passed_on(connection, newest)
            places -= 1


def _passed_on(connection: socket.socket, process: socket.socket) -> bool:
    """Gives a grader's connection to a process; false if that has ended."""
    try:
        socket.send_fds(process, [b"."], [connection.fileno()])
    except OSError:
        return False
    return True


def _fork(graders: Graders, ours: Sequence[socket.socket]) -> tuple[int, socket.socket]:
    """A process for some graders, and where their connections are passed on to it; `ours` are nothing of its own."""
    newest, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        number = processes.fork()
        if not number:
            with ending():
                syscalls.die_with_parent(signal.SIGKILL)
                for one in (newest, *ours):
                    one.close()
                graders.serve(theirs)
    return number, newest


def _reap(begun: set[int], seconds: float) -> None:
    """Takes note of those of the graders that have ended; waits for all of them at most so many seconds."""
    end = time.monotonic() + seconds
    while True:
        begun -= {number for number in begun if os.waitpid(number, os.WNOHANG)[0]}
        if not begun or time.monotonic() >= end:
            break
        time.sleep(0.02)


class Station:
    """The process, seen from the one that commands."""

    def __init__(self, number: int, control: socket.socket, wait: Callable[[], object]) -> None:
        self._number, self._control = number, control
        self._wait = wait
        """Nobody else may wait for the process: its number would be free for another one."""

    def connect(self) -> socket.socket:
        """The first time it takes the course, and says when it is ready; then each connection is a new grader's.

        OSError if it has ended.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b"."], [theirs.fileno()])
        return ours

    def end(self, seconds: float = 0) -> None:
        """Ends it, and with it all its graders; those that are idle have so many seconds to clear up."""
        if self._control.fileno() < 0:  # it was ended before
            return
        self._control.close()
        handle = os.pidfd_open(self._number)  # not waited for, so the number is still its own
        select.select([handle], [], [], seconds)
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)
        self._wait()


def forked(app: Any, level: str, launchers: Launchers[tuple[str, str]]) -> Station:
    """A station that shares the memory of this process, which must have one thread and no gradebook open."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        number = processes.fork()
        if not number:
            with ending():
                ours.close()
                syscalls.die_with_parent(signal.SIGKILL)
                serve(theirs, app, level, launchers)
    return Station(number, ours, partial(os.waitpid, number, 0))


def started(root: str, assignment: str, unsafe: bool) -> Station:
    """A station in a new process, for the course in the folder `root`; it takes seconds to import what it needs."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        asked = json.dumps([trusted_path(), theirs.fileno(), root, assignment, unsafe])
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _START, asked], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
        )
    return Station(process.pid, ours, process.wait)


_START = (
    "import json, sys; path, *asked = json.loads(sys.argv.pop()); sys.path[:] = path;"
    "from autograder.batch import station; station.main(*asked)"
)


def main(number: int, root: str, assignment: str, unsafe: bool) -> None:
    """What `started` starts; `number` is that of its socket."""
    from nbgrader.apps import AutogradeApp

    os.chdir(root)
    app = AutogradeApp.instance()
    app.initialize([assignment])
    app.update_config(Config({"Engine": {"unsafe": unsafe}}))
    app.coursedir.assignment_id = assignment
    engine = Engine(config=app.config)
    run = GradingRun(engine.limits(), engine.fork, str, int, Path(root))
    run.choose_isolation(engine.isolation, engine.unsafe, app.log)
    serve(socket.socket(fileno=number), app, run.level, run.launchers)
