"""What the process of `scribe` does: reads a notebook, cleans one, or looks whether an answer is by hand.

Whatever takes more than its limits ends the process, which is how it is told.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from dataclasses import asdict
from typing import Any, NoReturn

from autograder.at_home.notebook import LARGEST, UnreadableNotebook
from autograder.by_hand.interpreter import read
from autograder.rooms import cleaning, repair
from autograder.sandbox import processes, syscalls
from autograder.sandbox.limits import MB

SECONDS_BY_HAND = 3
"""Of processor time, to the next full second, to look whether one answer is by hand; most take less than a tenth."""
MEMORY_BY_HAND = 256 * MB
CANNOT_OPEN = "it cannot be opened ({why})"
NO_FILE = "it is not a regular file"
TOO_LARGE = "it is larger than {most} MB"


def serve(seconds: int, memory: int) -> None:
    """The process itself: orders from its standard input, answers to what was its standard output.

    A notebook may take so many seconds of processor time, and so many bytes of memory more than the process has now.
    """
    _limit("RLIMIT_CORE", 0)
    most = processes.addressed() + memory
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with open(0, "rb", closefd=False) as orders:
        for line in orders:
            order = json.loads(line)
            alone = "by_hand" in order
            _limit("RLIMIT_AS", min(most, processes.addressed() + MEMORY_BY_HAND) if alone else most)
            _limit("RLIMIT_CPU", int(time.process_time()) + 1 + (SECONDS_BY_HAND if alone else seconds))
            answers.write(json.dumps(_done(order)).encode() + b"\n")
            answers.flush()


def serve_forked(orders: int, answers: int, seconds: int, memory: int) -> NoReturn:
    """In a process that was just forked with SIGINT blocked: it keeps nothing open of its maker's, and ends with it."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that commands
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        syscalls.die_with_parent(signal.SIGKILL)
        nothing = os.open(os.devnull, os.O_WRONLY)
        for ours, its in ((orders, 0), (answers, 1), (nothing, 2)):
            os.dup2(ours, its)
        processes.close_inherited_files()
        os.chdir("/")
        serve(seconds, memory)
    finally:  # it must never return to the code that has forked it
        os._exit(1)


def _limit(name: str, value: int) -> None:
    """Sets what the kernel enforces, so that it can be set again."""
    try:
        import resource
    except ImportError:  # there is none on Windows
        return
    kind = getattr(resource, name)
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _done(order: dict[str, Any]) -> dict[str, Any]:
    if "by_hand" in order:
        return {"findings": [asdict(finding) for finding in read(*order["by_hand"])]}
    if "clean" in order:
        return {"cleaned": cleaning.clean(order["clean"], order["folder"])}
    try:
        notebook, repairs = repair.read(_bytes(order["read"]))
    except UnreadableNotebook as error:
        return {"unreadable": str(error)}
    except OSError as error:
        return {"unreadable": CANNOT_OPEN.format(why=error.strerror)}
    except Exception as error:  # a memory error, or what nobody foresaw: it is this notebook's alone
        return {"unreadable": type(error).__name__}
    return {"notebook": notebook, "repairs": repairs}


def _bytes(path: str) -> bytes:
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with open(handle, "rb") as file:
        known = os.fstat(handle)
        if not stat.S_ISREG(known.st_mode):
            raise UnreadableNotebook(NO_FILE)
        if known.st_size > LARGEST * MB:
            raise UnreadableNotebook(TOO_LARGE.format(most=LARGEST))
        return file.read()
