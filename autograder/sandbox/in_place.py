"""Levels without namespaces: the process stays among the machine's files and processes, below a subreaper.

Its own folder stands in for the private disk, and Landlock keeps it from the rest (at the level `none` nothing does).
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
from typing import NoReturn

from autograder.sandbox import folders, processes, syscalls
from autograder.sandbox.limits import NOBODY, Limits


def enter(limits: Limits, scratch: str) -> dict[str, str]:
    """Returns in a child, with what must be changed in its environment; the caller becomes the subreaper."""
    home, temporary = (os.path.join(scratch, name) for name in ("home", "tmp"))
    os.makedirs(home + "/work")
    os.mkdir(temporary)
    # The kernel limits no processes of root's, and root may do much with a file that it can only name.
    as_nobody = os.geteuid() == 0 and all(map(_open_to_all, (*limits.readable, scratch)))
    syscalls.adopt_orphans()
    child = processes.fork()
    if child:
        _reap(child)
    os.setpgid(0, 0)
    os.chdir(home + "/work")
    if as_nobody:
        with contextlib.suppress(OSError):  # a container may know no other user
            folders.chown_tree(scratch, NOBODY, NOBODY)
            processes.become_user(NOBODY)
    temporaries = dict.fromkeys(("TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR"), temporary)
    # There is no /etc/passwd inside that says who the student is.
    return {**temporaries, "HOME": home, "USER": "student", "LOGNAME": "student"}


def _open_to_all(path: str) -> bool:
    """Whether every user can pass the folders above `path`; `path` itself can still be given to another user."""
    while (path := os.path.dirname(path)) != "/":
        if not os.stat(path).st_mode & stat.S_IXOTH:
            return False
    return True


def _reap(child: int) -> NoReturn:
    """The subreaper: what the room starts stays its descendant, and ends when `child` ends, or on SIGTERM."""
    processes.close_inherited_files()
    syscalls.die_with_parent(signal.SIGTERM)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)

    def end_all(*_: object) -> None:
        with contextlib.suppress(OSError):
            os.killpg(child, signal.SIGKILL)  # in one call: a fork bomb outruns a loop over its processes
        processes.end_descendants()

    signal.signal(signal.SIGTERM, end_all)
    status = 1
    while True:
        try:
            done, how = os.wait()
        except ChildProcessError:
            os._exit(status)
        except InterruptedError:
            continue
        if done == child:
            status = processes.exit_status(how)
            end_all()
