"""Processes: made, waited for and ended, and what they use, as /proc tells it from outside.

A process that ends while it is looked at counts as nothing.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import time
from collections.abc import Iterable, Sequence
from typing import NoReturn

_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds between two attempts to fork."""
_HIGHEST_FILE = 1 << 16


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fork() -> int:
    """os.fork, tried again for some seconds: what fills the table of processes or the memory may be about to end."""
    for seconds in _PAUSES:
        with contextlib.suppress(BlockingIOError, MemoryError):
            return os.fork()
        time.sleep(seconds)
    return os.fork()


def become_user(user: int) -> None:
    """Gives up this process's user, group and further groups for `user` and the group of the same number."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def close_inherited_files(but: int = -1) -> None:
    """All file descriptors above 2, `but` one."""
    os.closerange(3, max(3, but))
    os.closerange(max(3, but + 1), _HIGHEST_FILE)


def wait_and_exit(child: int) -> NoReturn:
    """Reaps whatever ends, ignores what would end this process, and ends as `child` ends."""
    close_inherited_files()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    while True:
        with contextlib.suppress(InterruptedError):
            done, status = os.wait()
            if done == child:
                os._exit(exit_status(status))


def exit_status(status: int) -> int:
    """The exit code that passes on what os.wait has said of a child; 1 if a signal has ended it."""
    return max(0, os.waitstatus_to_exitcode(status)) or (1 if status else 0)


def end_descendants(root: int | None = None) -> None:
    """Ends every process below `root`, by default below this one; stops them all first, so that none forks on."""
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
                with open(f"/proc/{at}/task/{task}/children", encoding="utf-8") as file:
                    todo += [int(child) for child in file.read().split()]
        except OSError:
            pass  # it has just ended
        found.append(at)
    return found[1:]


def of_handle(handle: int) -> int:
    """The process id behind a pidfd, as it is in this process space; -1 if the process has ended and is gone."""
    with open(f"/proc/self/fdinfo/{handle}", encoding="utf-8") as file:
        return int(next(line for line in file if line.startswith("Pid:")).split()[1])


def tasks(processes: Iterable[int]) -> int:
    """How many threads these processes have in all."""
    found = 0
    for process in processes:
        with contextlib.suppress(OSError):
            found += len(os.listdir(f"/proc/{process}/task"))
    return found


def tasks_of(user: int) -> int:
    """How many threads all processes of a user have."""
    theirs = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{name}").st_uid == user:
                theirs.append(int(name))
    return tasks(theirs)


def resident(process: int) -> int:
    """Bytes of memory, without those of files, which a fork shares and does not count before it has used them."""
    _, all_of_it, of_files = _memory(str(process))
    return all_of_it - of_files


def addressed() -> int:
    """Bytes of this process that count against RLIMIT_AS."""
    return _memory("self")[0]


def _memory(process: str) -> tuple[int, int, int]:
    """Bytes of all addresses, of memory, and of that those of files; 0 where they are not told."""
    try:
        with open(f"/proc/{process}/statm", encoding="utf-8") as file:
            addresses, all_of_it, of_files, *_ = (int(n) * os.sysconf("SC_PAGE_SIZE") for n in file.read().split())
            return addresses, all_of_it, of_files
    except (OSError, ValueError):
        return 0, 0, 0


def unlinked_bytes(processes: Iterable[int]) -> int:
    """Bytes of deleted files, which stay on the disk as long as one of these processes has them open."""
    found = {}
    for process in processes:
        with contextlib.suppress(OSError):
            for number in os.listdir(f"/proc/{process}/fd"):
                with contextlib.suppress(OSError):
                    known = os.stat(f"/proc/{process}/fd/{number}")
                    if stat.S_ISREG(known.st_mode) and not known.st_nlink:
                        found[known.st_dev, known.st_ino] = known.st_blocks * 512
    return sum(found.values())
