"""Three ways to lock a student's room, strongest first; `enter` returns only inside, and only if every lock holds.

*namespaces*   own users, mounts, processes, network, IPC and host name; a private read-only root; seccomp; Landlock
*landlock*     where user namespaces are forbidden: Landlock and seccomp; a subreaper that no daemon escapes
*none*         resource limits only, and only if the configuration says `unsafe`

All three set limits, drop privileges and close inherited files. `enter` is called in a process that was just forked
from one with a single thread. (bubblewrap does the first as well, but by starting a program: here the program is
already running, with torch imported, which is the point.)
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import stat
from dataclasses import dataclass
from typing import NoReturn

from autograder.sandbox import folders, seccomp, syscalls
from autograder.sandbox import processes as processes_

NAMESPACES, LANDLOCK, NONE = "namespaces", "landlock", "none"
NAMES = {
    NAMESPACES: "namespaces, seccomp, Landlock and limits",
    LANDLOCK: "Landlock, seccomp, limits and a subreaper",
    NONE: "NO ISOLATION, only limits",
}
SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/localtime", "/etc/fonts")
SYSTEM_LINKS = ("/etc/alternatives",)
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
HOME, WORK = "/home/student", "/home/student/work"
_ROOM_FOR_OTHERS = 256
NOBODY = 65534


@dataclass(frozen=True)
class Box:
    """One room to lock. Sizes are in bytes."""

    level: str
    scratch: str
    """An empty folder that exists: the mount point of the private root, or without namespaces the room's disk."""
    readable: tuple[str, ...] = ()
    memory: int = 2 << 30
    processes: int = 64
    written: int = 64 << 20
    seconds: int = 600


def enter(box: Box) -> dict[str, str]:
    """Returns in the locked process, standing in its working folder; what is left outside waits for it and exits.

    What it returns is to be changed in the room's environment: where it may write.
    """
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # if the machine runs out of memory, this goes first
    if box.level == NAMESPACES:
        places: dict[str, str] = {}
        _enter_namespaces(box)
    else:
        places = _enter_in_place(box)
    _limit(box)
    syscalls.drop_capabilities()
    syscalls.no_new_privileges()
    if box.level == NAMESPACES:
        if syscalls.landlock_abi():
            seccomp.landlock([*SYSTEM, *SYSTEM_LINKS, *box.readable, "/proc", "/etc"], ["/tmp", HOME, "/dev"])
        seccomp.seccomp(alone=True)
    elif box.level == LANDLOCK:
        seccomp.landlock([*SYSTEM, *SYSTEM_LINKS, *box.readable], [box.scratch, *DEVICES])
        seccomp.seccomp(alone=False)
    return places


def _enter_namespaces(box: Box) -> None:
    as_root = os.geteuid() == 0
    flags = syscalls.NEWUSER | syscalls.NEWNS | syscalls.NEWPID | syscalls.NEWNET | syscalls.NEWIPC | syscalls.NEWUTS
    if as_root:
        _as_mapped_root(flags)
    else:
        user, group = os.getuid(), os.getgid()
        syscalls.unshare(flags)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")
    syscalls.mount("none", "/", None, syscalls.RECURSIVE | syscalls.PRIVATE)
    _build_root(box)
    _stay_outside()  # from here on: process 1 of the new process space
    syscalls.die_with_parent(signal.SIGKILL)
    with contextlib.suppress(OSError):  # a container may forbid it; then the room has no /proc
        hardened = syscalls.NOSUID | syscalls.NODEV | syscalls.NOEXEC | syscalls.RDONLY
        syscalls.mount("proc", box.scratch + "/proc", "proc", hardened)
    with contextlib.suppress(OSError):  # terminals of its own, for `!ls`
        os.makedirs(box.scratch + "/dev/pts")
        syscalls.mount(
            "devpts", box.scratch + "/dev/pts", "devpts", syscalls.NOSUID | syscalls.NOEXEC, "newinstance,ptmxmode=0666"
        )
        os.symlink("pts/ptmx", box.scratch + "/dev/ptmx")
    syscalls.pivot_into(box.scratch)
    syscalls.mount(
        "none", "/", None, syscalls.BIND | syscalls.REMOUNT | syscalls.RDONLY | syscalls.NOSUID | syscalls.NODEV
    )
    _be_first_process()
    if as_root:
        _be(NOBODY)
    os.umask(0o022)
    os.chdir(WORK)


def _as_mapped_root(flags: int) -> None:
    """root's room runs as nobody: root is in no process limit. Only a process outside may map a second user."""
    ready, go = os.pipe(), os.pipe()
    me = os.getpid()
    mapper = processes_.fork()
    if not mapper:
        try:
            os.read(ready[0], 1)
            for kind in ("uid", "gid"):
                _write(f"/proc/{me}/{kind}_map", f"0 0 1\n{NOBODY} {NOBODY} 1")
            os.write(go[1], b"1")
            os._exit(0)
        except BaseException:
            os._exit(1)
    os.close(go[1])
    syscalls.unshare(flags)
    os.write(ready[1], b"1")
    mapped = os.read(go[0], 1)
    os.waitpid(mapper, 0)
    for end in (*ready, go[0]):
        os.close(end)
    if mapped != b"1":
        raise OSError("the users of the namespace could not be mapped")


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def _build_root(box: Box) -> None:
    """A root of its own: the system and the interpreter to read, a disk of limited size to write, no other file."""
    root, quiet = box.scratch, syscalls.NOSUID | syscalls.NODEV
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
    inodes = max(1024, box.written >> 12)
    syscalls.mount("tmpfs", root + "/disk", "tmpfs", quiet, f"size={box.written},nr_inodes={inodes},mode=755")
    for name in ("/tmp", HOME, "/dev/shm"):
        part = root + "/disk" + name
        os.makedirs(part)
        if name == HOME:
            os.makedirs(part + "/work")
            _own(part, user, group)
        os.chmod(part, 0o755 if name == HOME else 0o1777)
        _bind(part, root + name, quiet)
    # Now, because a course may lie in /tmp or in a home of the same name.
    for path in (*SYSTEM, *SYSTEM_LINKS, *box.readable):
        if os.path.islink(path):
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.symlink(os.readlink(path), root + path)
        else:
            _bind(path, root + path, syscalls.RDONLY | quiet)
    syscalls.mount("none", root + "/disk", None, syscalls.BIND | syscalls.REMOUNT | syscalls.RDONLY | quiet)


def _own(folder: str, user: int, group: int) -> None:
    if os.getuid() == 0:
        for path in (folder, *(entry.path for entry, _ in folders.walk(folder, folders.DEEPEST + 1))):
            os.chown(path, user, group, follow_symlinks=False)


def _bind(source: str, target: str, flags: int) -> None:
    if not os.path.exists(source):
        return
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "a").close()
    syscalls.mount(source, target, None, syscalls.BIND | syscalls.RECURSIVE)
    # What is locked in the parent's namespace must stay so here, or the kernel refuses the change.
    locked = os.statvfs(source).f_flag & (os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC | os.ST_RDONLY)
    atime = os.statvfs(source).f_flag & (os.ST_NOATIME | os.ST_NODIRATIME | os.ST_RELATIME)
    kept = {os.ST_NOATIME: 1024, os.ST_NODIRATIME: 2048, os.ST_RELATIME: 1 << 21}
    more = sum(number for bit, number in kept.items() if atime & bit)
    syscalls.mount("none", target, None, syscalls.BIND | syscalls.REMOUNT | flags | locked | more)


def _stay_outside() -> None:
    """Forks; the parent closes everything, waits for the child and ends as it ended."""
    child = processes_.fork()
    if child:
        syscalls.die_with_parent(signal.SIGKILL)  # anew: a change of users has cleared it
        _wait_for(child)


def _be_first_process() -> None:
    """Process 1 stays outside the filters, runs no student code and reaps; when it ends the kernel ends the rest."""
    child = processes_.fork()
    if child:
        syscalls.not_dumpable()
        _wait_for(child)


def _wait_for(child: int) -> NoReturn:
    os.closerange(3, 1 << 16)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    while True:
        with contextlib.suppress(InterruptedError):
            done, status = os.wait()
            if done == child:
                os._exit(max(0, os.waitstatus_to_exitcode(status)) or (1 if status else 0))


def _enter_in_place(box: Box) -> dict[str, str]:
    """The private disk's folders are plain ones here, and the files of the room those of the user who grades."""
    home, temporary = (os.path.join(box.scratch, name) for name in ("home", "tmp"))
    os.makedirs(home + "/work")
    os.mkdir(temporary)
    stranger = os.geteuid() == 0 and all(map(_open_to_all, (*box.readable, box.scratch)))
    syscalls.adopt_orphans()
    child = processes_.fork()
    if child:
        _keep(child)
    os.setpgid(0, 0)
    os.chdir(home + "/work")
    if stranger:  # root is in no limit of processes, and may do much with files that are only named
        with contextlib.suppress(OSError):  # in a container that knows no other user
            _own(box.scratch, NOBODY, NOBODY)
            _be(NOBODY)
    theirs = dict.fromkeys(("TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR"), temporary)
    return {**theirs, "HOME": home, "USER": "student", "LOGNAME": "student"}  # there is no /etc/passwd to ask


def _open_to_all(path: str) -> bool:
    """Whether nobody could get there; the last part itself may still be given to him."""
    while (path := os.path.dirname(path)) != "/":
        if not os.stat(path).st_mode & stat.S_IXOTH:
            return False
    return True


def _be(user: int) -> None:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _keep(child: int) -> NoReturn:
    """The subreaper: whatever the room starts stays its descendant, and all of it ends with the room or on SIGTERM."""
    os.closerange(3, 1 << 16)
    syscalls.die_with_parent(signal.SIGTERM)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)

    def end_all(*_: object) -> None:
        with contextlib.suppress(OSError):
            os.killpg(child, signal.SIGKILL)  # at one blow: a bomb outruns whoever ends its parts one by one
        processes_.end_descendants()

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
            status = max(0, os.waitstatus_to_exitcode(how)) or (1 if how else 0)
            end_all()


def _limit(box: Box) -> None:
    """What one process may use. Disk and memory of all together are limited by the private disk and by the watcher."""
    limits = {
        resource.RLIMIT_AS: box.memory,
        resource.RLIMIT_FSIZE: box.written,
        resource.RLIMIT_CPU: box.seconds,
        resource.RLIMIT_NOFILE: 512,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }
    # Elsewhere the number counts the user's other processes too, which may grow: there this only stops a bomb, and the
    # watcher counts.
    others = 0 if box.level == NAMESPACES else processes_.tasks_of(os.getuid()) + _ROOM_FOR_OTHERS
    limits[resource.RLIMIT_NPROC] = box.processes + others
    for what, most in limits.items():
        _, hard = resource.getrlimit(what)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (allowed, allowed))
