"""What a room's processes are and use, as /proc tells it from outside; what has just ended counts as nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import time
from collections.abc import Iterable, Sequence

_PATIENCE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


def fork() -> int:
    """os.fork, tried again for some seconds: a full table of processes passes, and is nobody's fault."""
    for seconds in _PATIENCE:
        with contextlib.suppress(BlockingIOError, MemoryError):
            return os.fork()
        time.sleep(seconds)
    return os.fork()


def end_descendants(root: int | None = None) -> None:
    """Stops every descendant first, so that none can fork on, and then ends them."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        seen: set[int] = set()
        while new := set(descendants(root or os.getpid())) - seen:
            for process in new:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(process, number)
            seen |= new


def descendants(root: int) -> Sequence[int]:
    """The processes below `root`, from the kernel's own lists of children."""
    found, todo = [], [root]
    while todo:
        at = todo.pop()
        try:
            for task in os.listdir(f"/proc/{at}/task"):
                with open(f"/proc/{at}/task/{task}/children") as file:
                    todo += [int(child) for child in file.read().split()]
        except OSError:
            pass  # it has just ended
        found.append(at)
    return found[1:]


def tasks(processes: Iterable[int]) -> int:
    """Processes and their threads."""
    found = 0
    for process in processes:
        with contextlib.suppress(OSError):
            found += len(os.listdir(f"/proc/{process}/task"))
    return found


def tasks_of(user: int) -> int:
    """Processes and threads of a user."""
    theirs = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{name}").st_uid == user:
                theirs.append(int(name))
    return tasks(theirs)


def resident(process: int) -> int:
    """Bytes of memory, those of files aside: a fork shares them, and does not count them before it has used them."""
    try:
        with open(f"/proc/{process}/statm") as file:
            _, all_of_it, of_files, *_ = map(int, file.read().split())
            return (all_of_it - of_files) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def held(processes: Iterable[int]) -> int:
    """Bytes of files that have no name any more and stay on the disk as long as somebody holds them open."""
    found = {}
    for process in processes:
        with contextlib.suppress(OSError):
            for number in os.listdir(f"/proc/{process}/fd"):
                with contextlib.suppress(OSError):
                    known = os.stat(f"/proc/{process}/fd/{number}")
                    if stat.S_ISREG(known.st_mode) and not known.st_nlink:
                        found[known.st_dev, known.st_ino] = known.st_blocks * 512
    return sum(found.values())
