"""What student code may use, the levels of isolation, and the places that it finds inside.

Every size and time that grading holds student code to is a field of `Limits`. The kernel enforces some of them, the
grader, which watches, the others.
"""

from __future__ import annotations

from dataclasses import dataclass

MB = 1 << 20
"""Bytes."""

NAMESPACES, LANDLOCK, NONE = "namespaces", "landlock", "none"
"""The levels of isolation, strongest first."""
NAMES = {
    NAMESPACES: "namespaces, seccomp, Landlock and limits",
    LANDLOCK: "Landlock, seccomp, limits and a subreaper",
    NONE: "NO ISOLATION, only limits",
}

SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/localtime", "/etc/fonts")
SYSTEM_LINKS = ("/etc/alternatives",)
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
HOME, WORK = "/home/student", "/home/student/work"
NOBODY = 65534
"""The user and group that student code runs as where root grades."""


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    readable: tuple[str, ...] = ()
    """Folders that can be read besides the system's."""
    memory: int = 2048 * MB
    processes: int = 64
    """Processes and threads at a time."""
    written: int = 64 * MB
    """Files, all together."""
    printed: int = MB
    """Characters of one cell's outputs."""
    cell_seconds: float = 60.0
    submission_seconds: float = 600.0
    """All cells and calls of a notebook, in one room."""

    @property
    def handed_in(self) -> int:
        """Bytes that the submission's own files may take: what cells write needs the other half."""
        return self.written // 2

    @property
    def cpu_seconds(self) -> int:
        """Processor time of one process, after which the kernel ends it."""
        return int(self.submission_seconds) + 1
