"""seccomp: which system calls are refused to this process from now on, and to everything that it starts.

The list names what is denied, not what is allowed, because student code may use any library. It is the second wall:
namespaces, or Landlock, are the first.
"""

from __future__ import annotations

import contextlib
import errno
import os
from functools import lru_cache
from typing import Any

from autograder.sandbox import syscalls
from autograder.sandbox.landlock import SIGNALS_SINCE, TRUNCATE_SINCE

_OTHER_PROCESSES = "ptrace process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_getfd kcmp"
_NAMESPACES = (
    "mount umount2 pivot_root unshare setns chroot fsopen fsmount fsconfig fspick move_mount open_tree mount_setattr"
)
_RARE = (
    "keyctl add_key request_key bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register "
    "init_module finit_module delete_module kexec_load kexec_file_load open_by_handle_at name_to_handle_at "
    "swapon swapoff reboot acct quotactl syslog settimeofday clock_settime adjtimex clock_adjtime "
    "sethostname setdomainname personality lookup_dcookie iopl ioperm vhangup"
)
# They would stay in the kernel when the process has ended.
_OUTLIVE_A_PROCESS = "shmget msgget semget mq_open"
# Neither the limits of a process nor those of the private disk count it.
_UNCOUNTED_MEMORY = "memfd_create memfd_secret"
# Who opens a file of Python's, another room may have asked to be told.
_WATCH_FILES = "inotify_add_watch fanotify_init fanotify_mark"
_KINDS = (_OTHER_PROCESSES, _NAMESPACES, _RARE, _OUTLIVE_A_PROCESS, _UNCOUNTED_MEMORY, _WATCH_FILES)
DENIED = " ".join(_KINDS).split()
# fchmodat2, setxattrat, removexattrat, file_setattr: by number, which is the same on every architecture, because an
# older libseccomp does not know the names. ENOSYS is what an older kernel answers, and programs are prepared for it.
_BY_NUMBER = (452, 463, 466, 469)

# Without namespaces these would reach files and processes of the same user, which Landlock does not guard. Those on
# attributes of files report success and do nothing, because ordinary code sets the mode of a file that it copies.
_FILE_ATTRIBUTES = (
    "chmod fchmod fchmodat chown fchown lchown fchownat utime utimes futimesat utimensat "
    "setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr"
)
_LIMITS_OF_OTHERS = ["prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr"]
_SLOW_OTHERS = ["ioprio_set", "migrate_pages", "move_pages"]
_UNIX, _STREAM, _KIND_OF_SOCKET = 1, 1, 0xF
_INT = 0xFFFFFFFF
"""The kernel reads only the lower half of an argument that is an int; the upper half must not decide a comparison."""
_SET_OWNER = (8, 10, 15)
"""fcntl: F_SETOWN, F_SETSIG, F_SETOWN_EX, which make the kernel send signals when a file is ready."""
_SET_OWNER_BY_IOCTL = (0x8901, 0x8902)
_LEASES = (1024, 1026, 1040)
"""fcntl: F_SETLEASE, F_NOTIFY, F_SETDELEG. Whoever opens a file under a lease waits, 45 seconds if its holder wishes,
and the files of Python and of the package are everybody's."""
_LOCKS = (6, 7, 37, 38)
"""fcntl: F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW. Files of Python are the same in all rooms: a lock on one, or on
a range of its bytes, would tell the room that shows its outputs what the closed room was asked."""
_ACCESS_MODE = 3


def seccomp_problem() -> str:
    """What is missing for seccomp on this machine; empty if nothing is."""
    try:
        import pyseccomp
    except Exception as error:  # the package raises RuntimeError where the library is missing
        return f"pyseccomp and libseccomp ({error})"
    with contextlib.suppress(Exception):
        pyseccomp.SyscallFilter(pyseccomp.ALLOW)
        return ""
    return "a working libseccomp"


def seccomp() -> None:
    """Refuses the calls from now on, where there are no namespaces."""
    rules = _rules()
    _refuse_what_landlock_allows(rules)
    rules.load()


@lru_cache(maxsize=1)
def program() -> bytes:
    """The filter for a room in namespaces, compiled; `syscalls.seccomp_filter` loads it."""
    import pyseccomp as s

    rules = _rules()
    rules.add_rule(s.ERRNO(errno.EPERM), "socket", s.Arg(0, s.NE, _UNIX))
    with open(os.memfd_create("filter"), "w+b") as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _rules() -> Any:
    """What is refused at both levels."""
    import pyseccomp as s

    # The calls of another architecture (32 bits, x32) end the process: that is libseccomp's default.
    rules = s.SyscallFilter(s.ALLOW)
    refuse, unknown = s.ERRNO(errno.EPERM), s.ERRNO(errno.ENOSYS)
    for name in DENIED:
        with contextlib.suppress(Exception):  # unknown on this architecture, so it cannot be called either
            rules.add_rule(refuse, name)
    # ENOSYS makes libc fall back to clone, whose flags can be seen.
    rules.add_rule(unknown, "clone3")
    rules.add_rule(refuse, "clone", s.Arg(0, s.MASKED_EQ, syscalls.NEWUSER, syscalls.NEWUSER))
    for order in _LEASES:
        rules.add_rule(refuse, "fcntl", s.Arg(1, s.MASKED_EQ, _INT, order))
    # A lock reports success and does nothing: a room is one student's, and programs give up where a lock cannot be had.
    rules.add_rule(s.ERRNO(0), "flock")
    for order in _LOCKS:
        rules.add_rule(s.ERRNO(0), "fcntl", s.Arg(1, s.MASKED_EQ, _INT, order))
    return rules


def _refuse_what_landlock_allows(rules: Any) -> None:
    """Attributes of other files, limits of other processes, sockets; on older kernels signals and truncation too."""
    import pyseccomp as s

    refuse, unknown = s.ERRNO(errno.EPERM), s.ERRNO(errno.ENOSYS)
    for name in _FILE_ATTRIBUTES.split():
        with contextlib.suppress(Exception):
            rules.add_rule(s.ERRNO(0), name)
    for number in _BY_NUMBER:
        rules.add_rule(unknown, number)
    for name in _LIMITS_OF_OTHERS:
        rules.add_rule(refuse, name, s.Arg(0, s.NE, 0))
    for name in _SLOW_OTHERS:
        rules.add_rule(refuse, name)
    rules.add_rule(refuse, "setpriority", s.Arg(1, s.NE, 0))
    rules.add_rule(refuse, "setpriority", s.Arg(0, s.NE, 0))
    rules.add_rule(refuse, "socket")
    # Only a pair of streams is connected for good; the others can send a datagram to any socket that has a name.
    for kind in range(_KIND_OF_SOCKET + 1):
        if kind != _STREAM:
            rules.add_rule(refuse, "socketpair", s.Arg(1, s.MASKED_EQ, _KIND_OF_SOCKET, kind))
    abi = syscalls.landlock_abi()
    if abi < TRUNCATE_SINCE:
        rules.add_rule(refuse, "truncate")
        rules.add_rule(unknown, "openat2")
        for name, at in (("open", 1), ("openat", 2)):
            with contextlib.suppress(Exception):
                truncates = s.Arg(at, s.MASKED_EQ, os.O_TRUNC | _ACCESS_MODE, os.O_TRUNC | os.O_RDONLY)
                rules.add_rule(refuse, name, truncates)
    if abi < SIGNALS_SINCE:
        # Any number but this process's own is refused: 0 and negative numbers stand for groups and for everybody.
        me = os.getpid()
        rules.add_rule(refuse, "kill", s.Arg(0, s.NE, me))
        rules.add_rule(refuse, "tgkill", s.Arg(0, s.NE, me))
        for name in ("tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"):
            rules.add_rule(refuse, name)
        for name, orders in (("fcntl", _SET_OWNER), ("ioctl", _SET_OWNER_BY_IOCTL)):
            for order in orders:
                rules.add_rule(refuse, name, s.Arg(1, s.MASKED_EQ, _INT, order))
