"""The system calls that Python 3.11 lacks; a call that fails raises an OSError which names it."""

from __future__ import annotations

import ctypes
import os
import struct

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_DETACH = 2
_PDEATHSIG, _GET_DUMPABLE, _DUMPABLE, _BOUNDING, _SUBREAPER, _NO_NEW_PRIVS = 1, 3, 4, 24, 36, 38
_SECCOMP, _SECCOMP_FILTER, _BPF_INSTRUCTION = 22, 2, 8
_CAPABILITY_V3 = 0x20080522
# Numbers of system calls; all but pivot_root's are the same on x86_64 and arm64.
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    _checked(_libc.unshare(flags), "unshare")


def setns(space: int, kind: int) -> None:
    """Enters the namespace of a descriptor; a process space counts only for children forked from now on."""
    _checked(_libc.setns(space, kind), "setns")


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, data: str | None = None) -> None:
    texts = [t.encode() if t is not None else None for t in (source, target, kind, data)]
    _checked(_libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]), f"mount {target}")


def pivot_into(root: str) -> None:
    """`root` becomes / and nothing of the old root can be reached any more."""
    os.chdir(root)
    os.mkdir(".old")
    _checked(_libc.syscall(_PIVOT_ROOT[os.uname().machine], b".", b".old"), "pivot_root")
    os.chdir("/")
    _checked(_libc.umount2(b"/.old", _DETACH), "umount of the old root")
    os.rmdir("/.old")


def _prctl(option: int, value: int, what: str) -> None:
    _checked(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), what)


def die_with_parent(signal: int) -> None:
    _prctl(_PDEATHSIG, signal, "PR_SET_PDEATHSIG")


def adopt_orphans() -> None:
    _prctl(_SUBREAPER, 1, "PR_SET_CHILD_SUBREAPER")


def no_new_privileges() -> None:
    _prctl(_NO_NEW_PRIVS, 1, "PR_SET_NO_NEW_PRIVS")


def is_dumpable() -> bool:
    """Whether other processes of the same user may look into this one."""
    return _checked(_libc.prctl(_GET_DUMPABLE, 0, 0, 0, 0), "PR_GET_DUMPABLE") == 1


def set_dumpable(dumpable: bool) -> None:
    _prctl(_DUMPABLE, int(dumpable), "PR_SET_DUMPABLE")


def seccomp_filter(program: bytes) -> None:
    """Filters system calls by this program from now on; the process must have given up new privileges."""
    code = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("@HP", len(program) // _BPF_INSTRUCTION, ctypes.addressof(code))
    _checked(_libc.prctl(_SECCOMP, _SECCOMP_FILTER, described, 0, 0), "PR_SET_SECCOMP")


def drop_capabilities() -> None:
    """All of them, for this process and for the programs that it starts."""
    for capability in range(64):
        if _libc.prctl(_BOUNDING, ctypes.c_ulong(capability), 0, 0, 0) != 0:
            break  # past the last one that this kernel knows, or no right to drop them: then there are none
    _checked(_libc.capset(struct.pack("Ii", _CAPABILITY_V3, 0), b"\0" * 24), "capset")


def landlock_abi() -> int:
    """The Landlock version that the kernel offers, 0 if none."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, 0, 1)))


def landlock_ruleset(attributes: bytes) -> int:
    return _checked(_libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0), "landlock_create_ruleset")


def landlock_allow(ruleset: int, rights: int, folder: int) -> None:
    rule = struct.pack("=Qi", rights, folder)
    _checked(_libc.syscall(_ADD_RULE, ruleset, 1, rule, 0), "landlock_add_rule")


def landlock_enter(ruleset: int) -> None:
    _checked(_libc.syscall(_RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")


def flush_c_streams() -> None:
    """Writes what C code has printed and the C library still keeps in its buffers."""
    _libc.fflush(None)
