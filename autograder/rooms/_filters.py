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

from autograder.rooms import _linux

_LOOK_INTO_OTHERS = "ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp"
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
DENIED = " ".join((_LOOK_INTO_OTHERS, _MAKE_A_WORLD, _CORNERS_OF_THE_KERNEL, _OUTLIVES_ITS_MAKER)).split()
_ALLOW_UNIX = 1

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


def seccomp(sockets: bool, signals: bool) -> None:
    """From now on; `sockets`: Unix sockets may be made, `signals`: signals may be sent to other processes."""
    import pyseccomp as s

    rules = s.SyscallFilter(s.ALLOW)
    refuse = s.ERRNO(errno.EPERM)
    for name in DENIED:
        with contextlib.suppress(Exception):  # unknown on this architecture, so it cannot be called either
            rules.add_rule(refuse, name)
    # ENOSYS makes libc fall back to clone, whose flags can be seen.
    rules.add_rule(s.ERRNO(errno.ENOSYS), "clone3")
    rules.add_rule(refuse, "clone", s.Arg(0, s.MASKED_EQ, _linux.NEWUSER, _linux.NEWUSER))
    if sockets:
        rules.add_rule(refuse, "socket", s.Arg(0, s.NE, _ALLOW_UNIX))
    else:
        rules.add_rule(refuse, "socket")
    if not signals:
        # 0 and negative numbers mean groups and everybody; this process alone may be meant.
        me = os.getpid()
        rules.add_rule(refuse, "kill", s.Arg(0, s.NE, me))
        rules.add_rule(refuse, "tgkill", s.Arg(0, s.NE, me))
        for name in ("tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"):
            rules.add_rule(refuse, name)
    rules.load()


def landlock(readable: Sequence[str], writable: Sequence[str]) -> None:
    """From now on only these trees can be opened; no TCP; no signals or abstract sockets out of here, if known."""
    abi = _linux.landlock_abi()
    if not abi:
        raise OSError(errno.ENOSYS, "Landlock")
    handled = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)) - 1
    network, scope = (3 if abi >= 4 else 0), (3 if abi >= 6 else 0)
    attributes = struct.pack("QQQ", handled, network, scope)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = _linux.landlock_ruleset(attributes)
    for paths, rights in ((readable, _READ_ONLY), (writable, handled)):
        for path in paths:
            try:
                folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue  # what is not there needs no permission
            allowed = rights if os.path.isdir(path) else rights & _ON_A_FILE
            _linux.landlock_allow(ruleset, allowed & handled, folder)
            os.close(folder)
    _linux.landlock_enter(ruleset)
    os.close(ruleset)
