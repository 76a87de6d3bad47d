"""Confines the process that calls `enter`, at one of three levels, strongest first.

*namespaces*   own users, mounts, processes, network, IPC and host name; a private read-only root; seccomp; Landlock
*landlock*     where user namespaces are forbidden: Landlock and seccomp; a subreaper that no daemon escapes
*none*         resource limits only, and only if the configuration says `unsafe`

At every level limits are set, capabilities are dropped and inherited files are closed. `enter` returns only inside, and
only if every part has succeeded: a process that is confined by halves must not run student code.

bubblewrap makes the same namespaces, but starts a program in them. Here the program is running already, with torch
imported, so that a worker is there within milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import resource

from autograder.sandbox import in_place, namespaces, processes, seccomp, syscalls
from autograder.sandbox.landlock import landlock
from autograder.sandbox.limits import DEVICES, HOME, LANDLOCK, NAMESPACES, SYSTEM, SYSTEM_LINKS, Limits

_OPEN_FILES = 512
_OTHER_PROCESSES = 256
"""How many more processes the user who grades may start meanwhile."""


def enter(level: str, limits: Limits, scratch: str) -> dict[str, str]:
    """Confines this process; OSError if that is not possible.

    It must be called in a process that has one thread, for namespaces one that `namespaces.fork_room` has forked. At
    the other levels it returns in a child; the caller waits for that and ends as it ends. `scratch` is an empty folder:
    without namespaces the only one that can be written. The working folder is an empty one that can be written. What
    is returned must be set in the environment: where home and temporary files are, if that differs from
    `visible.clean_environment`.
    """
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="utf-8") as file:
        file.write("1000")  # if the machine runs out of memory, the kernel ends this process first
    changed, alone = {}, False
    if level == NAMESPACES:
        alone = namespaces.enter(limits)
    else:
        changed = in_place.enter(limits, scratch)
    _set_limits(limits, alone)
    syscalls.drop_capabilities()
    syscalls.no_new_privileges()
    if level == NAMESPACES:
        if syscalls.landlock_abi():
            landlock([*SYSTEM, *SYSTEM_LINKS, *limits.readable, "/proc", "/etc"], ["/tmp", HOME, "/dev"])
        syscalls.seccomp_filter(seccomp.program())
    elif level == LANDLOCK:
        landlock([*SYSTEM, *SYSTEM_LINKS, *limits.readable], [scratch, *DEVICES])
        seccomp.seccomp()
    return changed


def _set_limits(limits: Limits, alone: bool) -> None:
    """What the kernel counts one process at a time; `workers.client` counts what all of them use together."""
    # Alone in a user namespace, the room's are counted. Elsewhere all of the user's are, and those may grow in number:
    # there the limit only stops a fork bomb, and the grader counts.
    others = 0 if alone else processes.tasks_of(os.getuid()) + _OTHER_PROCESSES
    highest = {
        resource.RLIMIT_AS: limits.memory,
        resource.RLIMIT_FSIZE: limits.written,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_NPROC: limits.processes + others,
    }
    for kind, most in highest.items():
        _, hard = resource.getrlimit(kind)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (allowed, allowed))
