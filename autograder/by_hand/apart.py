"""A reading of a student's cells in a process of its own, with limits of processor time and memory.

Steps bound what the reader does itself. What Python does in one step (parsing, comparing, hashing) may still take hours
or all memory for a text that is made for it, and would cost the examiner. Where one thread runs and a class is graded,
a reading is done by a forked child; one that exceeds its limits is listed as too long.
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

from autograder.by_hand.interpreter import read
from autograder.by_hand.rules import Finding, Outcome, found

SECONDS = 3
"""Of processor time; honest cells take less than a tenth of it."""
_WAITED = 30.0
"""Seconds by the clock, on a machine that does other things as well."""
_MEMORY = 256 << 20
"""Bytes more than the process has already."""


def read_apart(
    cells: Sequence[str], function: str, modules: Mapping[str, str], seconds: int = SECONDS
) -> tuple[Finding, ...]:
    """As `interpreter.read`; in a child where that can be."""
    if os.environ.get("NBGRADER_EXECUTION") != "autograde" or not _one_thread():
        return read(cells, function, modules)
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(ours)
            _limit(seconds)
            said = json.dumps([asdict(finding) for finding in read(cells, function, modules)])
            with open(theirs, "w", encoding="utf-8", errors="replace") as out:
                out.write(said)
        finally:
            os._exit(0)
    os.close(theirs)
    try:
        return tuple(Finding(**{**row, "outcome": Outcome(row["outcome"])}) for row in json.loads(_heard(ours)))
    except ValueError:  # it has ended in the middle of a word, or without one
        return (found("too-long"),)
    finally:
        os.close(ours)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _one_thread() -> bool:
    """Only a process of one thread may fork: a lock that another thread holds would stay locked in the child."""
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def _limit(seconds: int) -> None:
    import resource

    with open("/proc/self/statm", encoding="utf-8") as file:
        size = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (size + _MEMORY, size + _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _heard(pipe: int) -> str:
    """What the child says until it ends, or until nobody waits any longer."""
    end, parts = time.monotonic() + _WAITED, []
    while select.select([pipe], [], [], max(0.0, end - time.monotonic()))[0] and (data := os.read(pipe, 1 << 16)):
        parts.append(data)
    return b"".join(parts).decode("utf-8", "replace")
