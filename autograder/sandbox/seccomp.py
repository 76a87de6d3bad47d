"""seccomp and Landlock: what a student's process may ask of the kernel, and which files it may open.

Filters only ever take away, and hold for everything that the process starts. seccomp is a list of what is denied, not
of what is allowed: student code may use any library, and the namespaces or Landlock are the first wall.
"""

from __future__ import annotations

import contextlib
import errno
import os
import struct
from collections.abc import Sequence
from typing import Any

from autograder.sandbox import syscalls

_LOOK_INTO_OTHERS = "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_getfd kcmp"
_MAKE_A_WORLD = (
    "mount umount2 pivot_root unshare setns chroot fsopen fsmount fsconfig fspick move_mount open_tree mount_setattr"
)
_CORNERS_OF_THE_KERNEL = (
    "keyctl add_key request_key bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register "
    "init_module finit_module delete_module kexec_load kexec_file_load open_by_handle_at name_to_handle_at "
    "swapon swapoff reboot acct quotactl syslog settimeofday clock_settime adjtimex clock_adjtime "
    "sethostname setdomainname personality lookup_dcookie iopl ioperm vhangup"
)
_OUTLIVES_ITS_MAKER = "shmget msgget semget mq_open"
_MEMORY_THAT_NOBODY_COUNTS = "memfd_create memfd_secret"
_KINDS = (_LOOK_INTO_OTHERS, _MAKE_A_WORLD, _CORNERS_OF_THE_KERNEL, _OUTLIVES_ITS_MAKER, _MEMORY_THAT_NOBODY_COUNTS)
DENIED = " ".join(_KINDS).split()
# Younger than the libseccomp that knows their names; the numbers are the same on every architecture. ENOSYS is what an
# older kernel says, and programs know what to do then: fchmodat2, setxattrat, removexattrat, file_setattr.
_BY_NUMBER = (452, 463, 466, 469)

# Where there is no world of its own, these would reach files and processes of the same user that Landlock does not
# guard. The first kind says that it has succeeded and does nothing: unpacking or copying a file sets its mode.
_CHANGE_WHAT_IS_KNOWN_OF_A_FILE = [
    "chmod",
    "fchmod",
    "fchmodat",
    "chown",
    "fchown",
    "lchown",
    "fchownat",
    "utime",
    "utimes",
    "futimesat",
    "utimensat",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    "removexattr",
    "lremovexattr",
    "fremovexattr",
]
_OF_ANOTHER_PROCESS = ["prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr"]
_PACE_OF_OTHERS = ["ioprio_set", "migrate_pages", "move_pages", "inotify_add_watch", "fanotify_init"]
_UNIX, _STREAM, _KIND_OF_SOCKET = 1, 1, 0xF
_INT = 0xFFFFFFFF
"""The kernel looks at the lower half of an argument that is an int, so comparisons that could miss mask the rest."""
_SET_OWNER = (8, 10, 15)
"""fcntl: F_SETOWN, F_SETSIG, F_SETOWN_EX, which send signals by way of a file."""
_SET_OWNER_BY_IOCTL = (0x8901, 0x8902)
_ACCESS_MODE = 3

_TRUNCATE_SINCE, _SIGNALS_SINCE = 3, 6
"""Versions of Landlock."""
_EXECUTE, _WRITE, _READ, _LIST = 1, 2, 4, 8
_TRUNCATE, _DEVICE = 1 << 14, 1 << 15
_ON_A_FILE = _EXECUTE | _WRITE | _READ | _TRUNCATE | _DEVICE
_READ_ONLY = _EXECUTE | _READ | _LIST


def seccomp_problem() -> str:
    """Why seccomp cannot be used here, or nothing."""
    try:
        import pyseccomp
    except Exception as error:  # the package raises RuntimeError where the library is missing
        return f"pyseccomp and libseccomp ({error})"
    with contextlib.suppress(Exception):
        pyseccomp.SyscallFilter(pyseccomp.ALLOW)
        return ""
    return "a working libseccomp"


def seccomp(alone: bool) -> None:
    """From now on. `alone`: in namespaces, where all that has a name belongs to the room."""
    import pyseccomp as s

    rules = s.SyscallFilter(
        s.ALLOW
    )  # another architecture's calls (32 bits, x32) end the process: libseccomp's default
    refuse, unknown = s.ERRNO(errno.EPERM), s.ERRNO(errno.ENOSYS)
    for name in DENIED:
        with contextlib.suppress(Exception):  # unknown on this architecture, so it cannot be called either
            rules.add_rule(refuse, name)
    # ENOSYS makes libc fall back to clone, whose flags can be seen.
    rules.add_rule(unknown, "clone3")
    rules.add_rule(refuse, "clone", s.Arg(0, s.MASKED_EQ, syscalls.NEWUSER, syscalls.NEWUSER))
    if alone:
        rules.add_rule(refuse, "socket", s.Arg(0, s.NE, _UNIX))
    else:
        _not_alone(rules)
    rules.load()


def _not_alone(rules: Any) -> None:
    """What Landlock leaves open: other files' and processes' properties, sockets, and on older kernels signals."""
    import pyseccomp as s

    refuse, unknown = s.ERRNO(errno.EPERM), s.ERRNO(errno.ENOSYS)
    for name in _CHANGE_WHAT_IS_KNOWN_OF_A_FILE:
        with contextlib.suppress(Exception):
            rules.add_rule(s.ERRNO(0), name)
    for number in _BY_NUMBER:
        rules.add_rule(unknown, number)
    for name in _OF_ANOTHER_PROCESS:
        rules.add_rule(refuse, name, s.Arg(0, s.NE, 0))
    for name in _PACE_OF_OTHERS:
        rules.add_rule(refuse, name)
    rules.add_rule(refuse, "setpriority", s.Arg(1, s.NE, 0))
    rules.add_rule(refuse, "setpriority", s.Arg(0, s.NE, 0))
    rules.add_rule(refuse, "socket")
    # Of a pair only streams are bound to each other for good; a datagram of the others can be sent anywhere.
    for kind in range(_KIND_OF_SOCKET + 1):
        if kind != _STREAM:
            rules.add_rule(refuse, "socketpair", s.Arg(1, s.MASKED_EQ, _KIND_OF_SOCKET, kind))
    abi = syscalls.landlock_abi()
    if abi < _TRUNCATE_SINCE:
        rules.add_rule(refuse, "truncate")
        rules.add_rule(unknown, "openat2")
        for name, at in (("open", 1), ("openat", 2)):
            with contextlib.suppress(Exception):
                rules.add_rule(
                    refuse, name, s.Arg(at, s.MASKED_EQ, os.O_TRUNC | _ACCESS_MODE, os.O_TRUNC | os.O_RDONLY)
                )
    if abi < _SIGNALS_SINCE:
        # 0 and negative numbers mean groups and everybody; this process alone may be meant.
        me = os.getpid()
        rules.add_rule(refuse, "kill", s.Arg(0, s.NE, me))
        rules.add_rule(refuse, "tgkill", s.Arg(0, s.NE, me))
        for name in ("tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"):
            rules.add_rule(refuse, name)
        for name, orders in (("fcntl", _SET_OWNER), ("ioctl", _SET_OWNER_BY_IOCTL)):
            for order in orders:
                rules.add_rule(refuse, name, s.Arg(1, s.MASKED_EQ, _INT, order))


def landlock(readable: Sequence[str], writable: Sequence[str]) -> None:
    """From now on only these trees can be opened; no TCP; no signals or abstract sockets out of here, if known."""
    abi = syscalls.landlock_abi()
    if not abi:
        raise OSError(errno.ENOSYS, "Landlock")
    handled = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)) - 1
    network, scope = (3 if abi >= 4 else 0), (3 if abi >= 6 else 0)
    attributes = struct.pack("QQQ", handled, network, scope)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = syscalls.landlock_ruleset(attributes)
    for paths, rights in ((readable, _READ_ONLY), (writable, handled)):
        for path in paths:
            try:
                folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue  # what is not there needs no permission
            allowed = rights if os.path.isdir(path) else rights & _ON_A_FILE
            syscalls.landlock_allow(ruleset, allowed & handled, folder)
            os.close(folder)
    syscalls.landlock_enter(ruleset)
    os.close(ruleset)
