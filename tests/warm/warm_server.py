"""Forks a process for each client (see `tests.warm`), which goes on as the python would that the client stands for."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import io
import marshal
import os
import runpy
import select
import shutil
import signal
import socket
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TextIO

IMPORTED = {
    # What the fork server imports, and sympy, which a first check imports.
    "torch": ["torch", "sympy", "pyseccomp", "autograder.workers.forkserver"],
    # What nbgrader's commands import, and the process that reads notebooks. It never loads torch.
    "nbgrader": [
        "nbgrader.apps",
        "nbconvert.exporters",
        "sqlalchemy.dialects.sqlite",
        "autograder.rooms.exporter",
        "autograder.rooms.restore_cells",
        "autograder.rooms.save_grades",
        "autograder.rooms.clean_notebook",
        "autograder.rooms.cleaning",
        "autograder.rooms.repair",
        "autograder.release.exporter",
        "autograder.feedback.page",
    ],
}
_HIGH, _HIGHEST = 512, 1024
"""Numbers of files that no client has."""


def serve(path: str) -> list[str]:
    """Answers clients until its standard input ends; in each forked process it returns the arguments, here none."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{path}.starting")
    listener.listen(64)
    os.rename(f"{path}.starting", path)
    gc.collect()
    gc.freeze()  # the collector would write to pages that all processes share, and so copy them
    clients: dict[int, tuple[int, int, socket.socket]] = {}
    """By the number of a client's socket or a process's pidfd: the process, its pidfd, the socket."""
    while True:
        for number in select.select([0, listener.fileno(), *clients], [], [])[0]:
            if number == 0:
                for process, *_ in clients.values():
                    os.kill(process, signal.SIGKILL)
                return []
            if number == listener.fileno():
                client = listener.accept()[0]
                order, files = _order(client)
                process = os.fork()
                if not process:
                    for other in {listener, client, *(c for _, _, c in clients.values())}:
                        other.detach()
                    return _become(*order, files)
                for file in files:
                    os.close(file)
                client.sendall(process.to_bytes(4, "big"))
                handle = os.pidfd_open(process)
                clients[handle] = clients[client.fileno()] = process, handle, client
            elif number in clients:
                process, handle, client = clients[number]
                if number != handle:  # the client was killed
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                _, status = os.waitpid(process, 0)
                del clients[handle], clients[client.fileno()]
                os.close(handle)
                with contextlib.suppress(OSError):
                    client.sendall(status.to_bytes(4, "big"))
                client.close()


def _order(client: socket.socket) -> tuple[tuple[str, list[str], dict[str, str], str, list[int], int], list[int]]:
    size, files, _, _ = socket.recv_fds(client, 4, 64)
    left, data = int.from_bytes(size, "big"), b""
    while len(data) < left:
        data += client.recv(left - len(data))
    return marshal.loads(data), files


def _become(
    program: str,
    arguments: list[str],
    environment: dict[str, str],
    folder: str,
    numbers: list[int],
    mask: int,
    files: list[int],
) -> list[str]:
    os.setsid()
    high = [fcntl.fcntl(file, fcntl.F_DUPFD, _HIGH) for file in files]
    os.closerange(0, _HIGH)
    for file, number in zip(high, numbers, strict=True):
        os.dup2(file, number)
    os.closerange(_HIGH, _HIGHEST)
    os.umask(mask)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        with contextlib.suppress(OSError):  # it may be closed
            setattr(sys, name, _stream(number, getattr(sys, name)))
            setattr(sys, f"__{name}__", getattr(sys, name))
    sys.orig_argv = [program, *arguments]
    if "torch" not in sys.modules:  # what has torch is the last that is started, and a room is made of it
        sys.executable = program
    return arguments


def _stream(number: int, before: TextIO) -> TextIO:
    """As an interpreter opens it when it starts: what kind of file it is, is looked up then."""
    write_through = bool(number and os.environ.get("PYTHONUNBUFFERED"))
    raw = open(number, "wb" if number else "rb", buffering=0 if write_through else -1, closefd=False)  # noqa: SIM115
    return io.TextIOWrapper(
        raw, before.encoding, before.errors, line_buffering=number == 2, write_through=write_through
    )


def go_on(arguments: list[str]) -> None:
    """As `python` with these arguments; of its options those that `client` lets through."""
    safe = False
    while arguments[0] in ("-I", "-P", "-W", "-Xfrozen_modules=off"):
        if arguments[0] == "-W":
            warnings.simplefilter(arguments.pop(1))  # type: ignore[arg-type]
        safe |= arguments[0] in ("-I", "-P")
        arguments = arguments[1:]
    what, code, *rest = arguments
    if not safe:
        sys.path.insert(0, os.getcwd() if what == "-m" else "")
    sys.argv = [what, *rest]
    main = sys.modules["__main__"].__dict__
    for name in [n for n in main if n not in ("__name__", "__builtins__")]:
        del main[name]
    if what == "-c":
        exec(compile(code, "<string>", "exec"), main)
    else:
        runpy._run_module_as_main(code)  # type: ignore[attr-defined]  # what `python -m` calls


def main() -> None:
    """`python -c "…" KIND FOLDER CLIENT`; in a module, because `__main__` becomes that of what it goes on with."""
    kind, folder, client = sys.argv[1:]
    for name in IMPORTED[kind]:
        importlib.import_module(name)
    if kind == "torch":
        from autograder.sandbox import memory

        memory.gather_pages()  # as the fork server does itself: pages that it has gathered already cost it nothing
    del sys.modules[__name__]
    arguments = serve(f"{folder}/{kind}")
    if arguments:
        go_on(arguments)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        Path(client).unlink(missing_ok=True)
