"""The stronger level: new namespaces, a private root, and the processes that stay outside of it and wait.

`enter` forks twice, and returns in the last of three processes:

    outer process    in the machine's process space; the grader ends this one
    process 1        of the new process space; not behind the filters, runs no student code; the kernel ends all with it
    the student's    behind the filters, which `isolation.enter` adds
"""

from __future__ import annotations

import contextlib
import os
import signal

from autograder.sandbox import folders, processes, syscalls
from autograder.sandbox.limits import DEVICES, HOME, NOBODY, SYSTEM, SYSTEM_LINKS, WORK, Limits

_SPACES = syscalls.NEWUSER | syscalls.NEWNS | syscalls.NEWPID | syscalls.NEWNET | syscalls.NEWIPC | syscalls.NEWUTS
_BYTES_A_FILE = 4096
"""The private disk has an inode for each of so many bytes: empty files would cost nothing otherwise."""
_KEPT_ATIME = {os.ST_NOATIME: 1024, os.ST_NODIRATIME: 2048, os.ST_RELATIME: 1 << 21}
"""Flags of statvfs and of mount, which are not the same numbers."""


def enter(limits: Limits, scratch: str) -> None:
    """Returns in a child, which is in the new namespaces, with the private root mounted on `scratch` as its root."""
    as_root = os.geteuid() == 0
    if as_root:
        _unshare_as_mapped_root()
    else:
        user, group = os.getuid(), os.getgid()
        syscalls.unshare(_SPACES)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
    syscalls.mount("none", "/", None, syscalls.RECURSIVE | syscalls.PRIVATE)
    _build_root(limits, scratch)
    _leave_outer_process()
    syscalls.die_with_parent(signal.SIGKILL)
    with contextlib.suppress(OSError):  # a container may forbid it; then there is no /proc inside
        hardened = syscalls.NOSUID | syscalls.NODEV | syscalls.NOEXEC | syscalls.RDONLY
        syscalls.mount("proc", scratch + "/proc", "proc", hardened)
    with contextlib.suppress(OSError):  # terminals of its own, which IPython needs for `!ls`
        os.makedirs(scratch + "/dev/pts")
        options = "newinstance,ptmxmode=0666"
        syscalls.mount("devpts", scratch + "/dev/pts", "devpts", syscalls.NOSUID | syscalls.NOEXEC, options)
        os.symlink("pts/ptmx", scratch + "/dev/ptmx")
    syscalls.pivot_into(scratch)
    read_only = syscalls.BIND | syscalls.REMOUNT | syscalls.RDONLY
    syscalls.mount("none", "/", None, read_only | syscalls.NOSUID | syscalls.NODEV)
    _leave_first_process()
    if as_root:
        processes.become_user(NOBODY)
    os.umask(0o022)
    os.chdir(WORK)


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


def _build_root(limits: Limits, root: str) -> None:
    """The private root: the system and Python to read, a disk of limited size to write, and no other file."""
    quiet = syscalls.NOSUID | syscalls.NODEV
    syscalls.mount("tmpfs", root, "tmpfs", quiet, "size=1m,mode=755")
    for path in DEVICES:
        _bind(path, root + path, syscalls.NOSUID | syscalls.NOEXEC)
    os.makedirs(root + "/etc", exist_ok=True)
    user, group = (NOBODY, NOBODY) if os.getuid() == 0 else (os.getuid(), os.getgid())
    _write(root + "/etc/passwd", f"student:x:{user}:{group}::{HOME}:/bin/sh\n")
    _write(root + "/etc/group", f"student:x:{group}:\n")
    for name in ("/proc", "/tmp", HOME, "/dev/shm", "/disk"):
        os.makedirs(root + name, exist_ok=True)
    # One disk for everything that can be written, so that one number limits it.
    inodes = max(1024, limits.written // _BYTES_A_FILE)
    syscalls.mount("tmpfs", root + "/disk", "tmpfs", quiet, f"size={limits.written},nr_inodes={inodes},mode=755")
    for name in ("/tmp", HOME, "/dev/shm"):
        part = root + "/disk" + name
        os.makedirs(part)
        if name == HOME:
            os.makedirs(part + "/work")
            folders.chown_tree(part, user, group)
        os.chmod(part, 0o755 if name == HOME else 0o1777)
        _bind(part, root + name, quiet)
    # After /tmp and the home, because Python may lie in the machine's /tmp or in a home of the same name.
    for path in (*SYSTEM, *SYSTEM_LINKS, *limits.readable):
        if os.path.islink(path):
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.symlink(os.readlink(path), root + path)
        else:
            _bind(path, root + path, syscalls.RDONLY | quiet)
    syscalls.mount("none", root + "/disk", None, syscalls.BIND | syscalls.REMOUNT | syscalls.RDONLY | quiet)


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


def _leave_outer_process() -> None:
    """Returns in a child, which is process 1 of the new process space."""
    child = processes.fork()
    if child:
        syscalls.die_with_parent(signal.SIGKILL)  # again: the kernel clears it when a process changes its user
        processes.wait_and_exit(child)


def _leave_first_process() -> None:
    """Returns in a child of process 1, which must not be looked into: it is not behind seccomp and Landlock."""
    child = processes.fork()
    if child:
        syscalls.not_dumpable()
        processes.wait_and_exit(child)
