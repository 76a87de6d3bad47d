"""A reading of a student's cells in a process of its own, with limits of processor time and memory.

Steps bound what the reader does itself. What Python does in one step (parsing, comparing, hashing) may still take hours
or all memory for a text that is made for it, and would cost the examiner. Where one thread runs and a class is graded,
a forked child reads, one answer after the other; a reading that exceeds its limits is listed as too long, and the next
one has a new child.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from autograder.by_hand.interpreter import read
from autograder.by_hand.rules import Finding, Outcome, found

SECONDS = 3
"""Of processor time, to the next full second; honest cells take less than a tenth of it."""
_WAITED = 30.0
"""Seconds by the clock, on a machine that does other things as well."""
_MEMORY = 256 << 20
"""Bytes more than the process has already."""


def read_apart(
    cells: Sequence[str], function: str, modules: Mapping[str, str], seconds: int = SECONDS
) -> tuple[Finding, ...]:
    """As `interpreter.read`; in a child where that can be."""
    if os.environ.get("NBGRADER_EXECUTION") != "autograde" or _here:
        return read(cells, function, modules)
    reader = _reader()
    if reader is None:
        return read(cells, function, modules)
    try:
        rows = json.loads(reader.ask({"text": [list(cells), function, dict(modules)], "seconds": seconds}))
        return tuple(Finding(**{**row, "outcome": Outcome(row["outcome"])}) for row in rows)
    except (OSError, ValueError):  # it has ended in the middle of a word, or without one
        reader.end()
        return (found("too-long"),)


def read_here() -> None:
    """From now on this process reads itself: a student's room, where a text can only harm the room that it is of."""
    _here.append(True)


class _Reader:
    """The child. It ends with the process that has made it, because its orders end then."""

    def __init__(self) -> None:
        self.owner, self.ended = os.getpid(), False
        theirs, self._orders = os.pipe()
        self._answers, ours = os.pipe()
        self._child = os.fork()
        if not self._child:
            try:
                os.close(self._orders)
                os.close(self._answers)
                _serve(theirs, ours)
            finally:
                os._exit(0)
        os.close(theirs)
        os.close(ours)

    def ask(self, order: Mapping[str, Any]) -> str:
        """Its answer, or what came of one until it ended or nobody waits any longer."""
        with open(self._orders, "wb", closefd=False) as orders:
            orders.write(json.dumps(order).encode() + b"\n")
        end, answer = time.monotonic() + _WAITED, b""
        while not answer.endswith(b"\n"):
            if not select.select([self._answers], [], [], max(0.0, end - time.monotonic()))[0]:
                break
            data = os.read(self._answers, 1 << 16)
            if not data:
                break
            answer += data
        return answer.decode("utf-8", "replace")

    def end(self) -> None:
        """Ends the child, if it is this process's own: a fork of its maker has only a copy of its pipes."""
        self.ended = True
        os.close(self._orders)
        os.close(self._answers)
        if self.owner == os.getpid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)
            os.waitpid(self._child, 0)


_here: list[bool] = []
_known: list[_Reader] = []


def _reader() -> _Reader | None:
    """This process's child; None where there can be none."""
    if _known and (_known[0].ended or _known[0].owner != os.getpid()):
        if not _known[0].ended:
            _known[0].end()
        _known.clear()
    if not _known:
        if not _one_thread():
            return None
        _known.append(_Reader())
    return _known[0]


def _one_thread() -> bool:
    """Only a process of one thread may fork: a lock that another thread holds would stay locked in the child."""
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def _serve(orders: int, answers: int) -> None:
    """In the child: a reading for each line of `orders`."""
    with open("/proc/self/statm", encoding="utf-8") as file:
        _limit("AS", int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE") + _MEMORY)
    _limit("CORE", 0)
    with open(orders, encoding="utf-8") as lines, open(answers, "w", encoding="utf-8", errors="replace") as out:
        for line in lines:
            order = json.loads(line)
            _limit("CPU", int(time.process_time()) + 1 + order["seconds"])
            out.write(json.dumps([asdict(finding) for finding in read(*order["text"])]) + "\n")
            out.flush()


def _limit(what: str, value: int) -> None:
    """Sets what the kernel enforces, so that it can be set again."""
    import resource

    kind = getattr(resource, f"RLIMIT_{what}")
    _, most = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if most == resource.RLIM_INFINITY else min(value, most), most))
