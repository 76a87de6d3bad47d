"""The stronger level: a sandbox that is prepared once, and rooms in it that have for themselves what must be their own.

`prepare` makes for all rooms users, a host name, a process space and a root to read; the process that is there forks
the rooms. `fork_room` forks one as process 1 of a process space of its own; `enter` gives it mounts of its own, with a
private disk, network and IPC:

    outer process      in the machine's process space, where it waits
    prepared sandbox   forks the rooms; not behind the filters, runs no student code
    process 1          of a room is the student's: the kernel ends the room with it; `isolation.enter` adds the filters

A process 1 is not reached by signals from within the room, and keeps those that others have left until the room ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence

from autograder.sandbox import folders, processes, seccomp, syscalls
from autograder.sandbox.limits import DEVICES, HOME, NOBODY, SYSTEM, SYSTEM_LINKS, WORK, Limits

_OWN = syscalls.NEWNS | syscalls.NEWNET | syscalls.NEWIPC
_SPACES = _OWN | syscalls.NEWUSER | syscalls.NEWPID | syscalls.NEWUTS
_QUIET = syscalls.NOSUID | syscalls.NODEV
_READ_ONLY = syscalls.BIND | syscalls.REMOUNT | syscalls.RDONLY | _QUIET
_DISK = "/disk"
_ON_DISK = ("/tmp", HOME, "/dev/shm")
_BYTES_A_FILE = 4096
"""The private disk has an inode for each of so many bytes: empty files would cost nothing otherwise."""
_KEPT_ATIME = {os.ST_NOATIME: 1024, os.ST_NODIRATIME: 2048, os.ST_RELATIME: 1 << 21}
"""Flags of statvfs and of mount, which are not the same numbers."""
_space: list[int] = []
"""In the prepared sandbox: a descriptor of its process space."""


def prepare(readable: Sequence[str], scratch: str) -> None:
    """Returns in a child, which is the prepared sandbox; OSError if that is not possible.

    `readable` are folders that can be read besides the system's. The private root is mounted on the empty folder
    `scratch`, where only the new processes see it.
    """
    seccomp.program()  # compiled once, for all rooms
    if os.geteuid() == 0:
        _unshare_as_mapped_root()
    else:
        user, group, proc = os.getuid(), os.getgid(), os.open("/proc", os.O_PATH | os.O_CLOEXEC)
        syscalls.unshare(_SPACES)
        _map_alone(proc, user, group)
        os.close(proc)
    syscalls.mount("none", "/", None, syscalls.RECURSIVE | syscalls.PRIVATE)
    _build_root(readable, scratch)
    child = processes.fork()
    if child:
        syscalls.die_with_parent(signal.SIGKILL)  # again: the kernel clears it when a process changes its user
        processes.wait_and_exit(child)
    syscalls.die_with_parent(signal.SIGKILL)
    syscalls.set_dumpable(False)
    _space.append(os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC))
    with contextlib.suppress(OSError):  # a container may forbid it; then there is no /proc inside
        syscalls.mount("proc", scratch + "/proc", "proc", _QUIET | syscalls.NOEXEC)
    syscalls.pivot_into(scratch)
    syscalls.mount("none", "/", None, _READ_ONLY)


def fork_room() -> int:
    """As os.fork, in the prepared sandbox: the child is process 1 of a process space of its own."""
    syscalls.unshare(syscalls.NEWPID)
    child = -1
    try:
        child = processes.fork()
    finally:
        if child:
            syscalls.setns(_space[0], syscalls.NEWPID)
    if not child:
        syscalls.set_dumpable(True)  # else its files in /proc are root's
    return child


def enter(limits: Limits) -> bool:
    """In process 1 of a room: returns in the student's own folder; OSError if something fails.

    True if the room has a user namespace of its own, in which the kernel counts its processes apart from those of
    other rooms.
    """
    if not _space:
        raise OSError("not in a prepared sandbox")  # what is mounted now would be seen by the whole machine
    syscalls.unshare(_OWN)
    _mount_disk(limits)
    shared = os.open("/proc", os.O_PATH | os.O_CLOEXEC)
    # Without one of its own it would see the other rooms; where a container forbids it, there is none at all.
    seen = os.path.exists("/proc/self")
    if seen:
        syscalls.mount("proc", "/proc", "proc", _QUIET | syscalls.NOEXEC | syscalls.RDONLY)
    with contextlib.suppress(OSError):  # terminals of its own, which IPython needs for `!ls`
        flags = syscalls.NOSUID | syscalls.NOEXEC
        syscalls.mount("devpts", "/dev/pts", "devpts", flags, "newinstance,ptmxmode=0666")
    if os.getuid() == 0:
        processes.become_user(NOBODY)
    try:
        counted = seen and _count_alone(shared)
    finally:
        os.close(shared)
    syscalls.die_with_parent(signal.SIGKILL)  # again: the kernel clears it when a process changes its user
    os.umask(0o022)
    os.chdir(WORK)
    return counted


def _unshare_as_mapped_root() -> None:
    """Maps nobody besides root: student code runs as nobody, because limits of processes do not hold for root.

    Only a process outside the new namespace may map a second user into it, so one is forked for that.
    """
    ready, go = os.pipe(), os.pipe()
    me = os.getpid()
    mapper = processes.fork()
    if not mapper:
        try:
            # Its own copy of the writing end would keep it waiting for ever, if the other process is ended meanwhile.
            os.close(ready[1])
            if not os.read(ready[0], 1):
                os._exit(1)
            for kind in ("uid", "gid"):
                _write(f"/proc/{me}/{kind}_map", f"0 0 1\n{NOBODY} {NOBODY} 1")
            os.write(go[1], b"1")
            os._exit(0)
        except BaseException:
            os._exit(1)
    os.close(go[1])
    syscalls.unshare(_SPACES)
    os.write(ready[1], b"1")
    mapped = os.read(go[0], 1)
    os.waitpid(mapper, 0)
    for end in (*ready, go[0]):
        os.close(end)
    if mapped != b"1":
        raise OSError("the users of the namespace could not be mapped")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _map_alone(proc: int, user: int, group: int) -> None:
    """Maps nobody besides this process's own user and group into its new user namespace; `proc` is a /proc to write."""
    for name, text in ("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1"):
        file = os.open(f"self/{name}", os.O_WRONLY | os.O_CLOEXEC, dir_fd=proc)
        os.write(file, text.encode())
        os.close(file)


def _build_root(readable: Sequence[str], root: str) -> None:
    """The private root: the system and Python to read, where each room mounts what it writes, and no other file."""
    syscalls.mount("tmpfs", root, "tmpfs", _QUIET, "size=1m,mode=755")
    for path in DEVICES:
        _bind(path, root + path, syscalls.NOSUID | syscalls.NOEXEC)
    os.makedirs(root + "/etc", exist_ok=True)
    user, group = _student()
    _write(root + "/etc/passwd", f"student:x:{user}:{group}::{HOME}:/bin/sh\n")
    _write(root + "/etc/group", f"student:x:{group}:\n")
    for name in ("/proc", "/dev/pts", _DISK, *_ON_DISK):
        os.makedirs(root + name)
    os.symlink("pts/ptmx", root + "/dev/ptmx")
    for path in (*SYSTEM, *SYSTEM_LINKS, *readable):
        if os.path.islink(path):
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.symlink(os.readlink(path), root + path)
        else:
            _bind(path, root + path, syscalls.RDONLY | _QUIET)


def _student() -> tuple[int, int]:
    """The user and group that student code runs as."""
    return (NOBODY, NOBODY) if os.getuid() == 0 else (os.getuid(), os.getgid())


def _mount_disk(limits: Limits) -> None:
    """One disk for everything that can be written, so that one number limits it."""
    inodes = max(1024, limits.written // _BYTES_A_FILE)
    syscalls.mount("tmpfs", _DISK, "tmpfs", _QUIET, f"size={limits.written},nr_inodes={inodes},mode=755")
    for name in _ON_DISK:
        part = _DISK + name
        os.makedirs(part)
        if name == HOME:
            os.mkdir(part + "/work")
            folders.chown_tree(part, *_student())
        os.chmod(part, 0o755 if name == HOME else 0o1777)
        # Python may lie in the machine's /tmp, or in a home of the same name.
        for path in limits.readable:
            if path.startswith(name + "/"):
                os.makedirs(_DISK + path)
                syscalls.mount(path, _DISK + path, None, syscalls.BIND | syscalls.RECURSIVE)
        syscalls.mount(part, name, None, syscalls.BIND | syscalls.RECURSIVE)
    syscalls.mount("none", _DISK, None, _READ_ONLY)


def _count_alone(proc: int) -> bool:
    """A user namespace in which there is nobody else, since it is there that the kernel counts processes.

    False where the system forbids it.
    """
    user, group, looked_into = os.getuid(), os.getgid(), syscalls.is_dumpable()
    try:
        syscalls.unshare(syscalls.NEWUSER)
    except OSError:
        return False
    syscalls.set_dumpable(True)  # to become another user has changed that
    _map_alone(proc, user, group)
    syscalls.set_dumpable(looked_into)
    return True


def _bind(source: str, target: str, flags: int) -> None:
    """Shows `source` at `target`; does nothing if the machine has no `source`."""
    if not os.path.exists(source):
        return
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "ab").close()
    syscalls.mount(source, target, None, syscalls.BIND | syscalls.RECURSIVE)
    # A flag that is set on the original mount must stay set here, or the kernel refuses the change.
    locked = os.statvfs(source).f_flag & (os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC | os.ST_RDONLY)
    atime = os.statvfs(source).f_flag & (os.ST_NOATIME | os.ST_NODIRATIME | os.ST_RELATIME)
    more = sum(number for bit, number in _KEPT_ATIME.items() if atime & bit)
    syscalls.mount("none", target, None, syscalls.BIND | syscalls.REMOUNT | flags | locked | more)
