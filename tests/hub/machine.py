"""A private machine: real Linux users, PAM and folders in namespaces of their own, and nothing of it left on the host.

`/etc`, the clone and the environment are seen as they are, and what is written to them stays in the machine's memory;
`/home`, `/srv`, `/var/lib`, `/run`, `/tmp` … are empty; nothing else of the host's disk can be written. Whatever is
needed below a closed folder (Python below a /root of mode 0700) is shown at the same path below an open one. The
network is the host's: use `free_ports`. Ending it ends every process in it, and so does the end of the test process.
"""

from __future__ import annotations

import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import pytest

from tests.conftest import ROOT

NAMESPACES = ("--mount", "--pid", "--uts", "--ipc")
# Folders that start empty, with their modes. What others write there in a test must not be found on the host.
EMPTY = {
    "/home": 0o755,
    "/root": 0o700,
    "/srv": 0o755,
    "/run": 0o755,
    "/tmp": 0o1777,
    "/var/backups": 0o755,
    "/var/cache": 0o755,
    "/var/lib": 0o755,
    "/var/log": 0o755,
    "/var/mail": 0o1777,
    "/var/spool": 0o755,
    "/var/tmp": 0o1777,
    "/dev/shm": 0o1777,
}
# Folders that start as they are on the host; changes stay in the machine.
COPIED = ("/etc", "/opt", "/usr/local")
SCRATCH = "/mnt"  # where mounts wait for their turn; covered again at the end
ENOUGH = 300  # seconds for one command, on a machine that is five times slower than usual


def needs_a_machine() -> None:
    """Skips the test where no private machine can be made, and says why."""
    if sys.platform != "linux":
        pytest.skip("needs Linux: real users in namespaces")
    if os.geteuid() != 0:
        pytest.skip("needs root: real users are made in a private machine")
    missing = [name for name in ("unshare", "nsenter", "setpriv", "useradd", "chpasswd") if not shutil.which(name)]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}; on Debian: apt install util-linux passwd")
    tried = subprocess.run(["unshare", *NAMESPACES, "--fork", "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"needs namespaces, which this machine refuses to root: {tried.stderr.strip()}")


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on, below those that outgoing connections are given.

    Tests that run beside each other choose from different thousands.
    """
    first = 20000 + 1000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 12)
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(first, first + 1000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found += [port] * (port not in found)
    return found


def _closed_above(path: Path) -> Path | None:
    """The uppermost folder above path that others may not enter."""
    return next((p for p in reversed(path.parents) if not p.stat().st_mode & 0o001), None)


class Machine:
    """`with Machine() as machine: machine.run("id", user="ada")`; `show` lists folders shared with the host."""

    def __init__(self, show: Iterable[Path] = ()) -> None:
        python = Path(os.path.realpath(sys.executable)).parent.parent
        environment = {Path(sys.base_prefix), python, Path(sys.prefix)}
        # (path, whether its changes stay in the machine); parents first, so that one below another lies on top of it
        trees = {**dict.fromkeys((ROOT, *environment), True), **{Path(p).resolve(): False for p in show}}
        system = [Path(p) for p in ("/usr", "/lib", "/lib64", "/bin")]
        self._trees = sorted((p, own) for p, own in trees.items() if p not in system)
        self.pid = 0
        self._started: list[subprocess.Popen[str]] = []

    def _script(self) -> str:
        lines = [
            "read -r pid rest < /proc/self/stat",  # still the host's /proc: the number by which the host knows us
            f"mount -t tmpfs -o mode=755 scratch {SCRATCH}",
        ]
        copies = [(Path(p), True) for p in COPIED if Path(p).is_dir()]
        held = list(enumerate([*copies, *self._trees]))
        for number, (path, own) in held:  # each waits below SCRATCH while what is above it is covered
            at = f"{SCRATCH}/{number}"
            lines.append(f"mkdir {at} {at}.low {at}.up {at}.work")
            lines.append(f"mount --bind {shlex.quote(str(path))} {at}{'.low' if own else ''}")
            if own:
                lines.append(f"mount -t overlay -o lowerdir={at}.low,upperdir={at}.up,workdir={at}.work own {at}")
        closed = {str(p): 0o755 for p in (_closed_above(tree) for tree, _ in self._trees) if p}
        for folder, mode in sorted({**EMPTY, **closed}.items()):
            if Path(folder).is_dir() and not Path(folder).is_symlink():
                lines.append(
                    f"mkdir -p {shlex.quote(folder)} && mount -t tmpfs -o mode={mode:o} empty {shlex.quote(folder)}"
                )
        for number, (path, own) in held:
            quoted = shlex.quote(str(path))
            lines.append(f"mkdir -p {quoted} && mount --move {SCRATCH}/{number} {quoted}")
            lines += [f"chmod a+rx {quoted}"] * own
        lines += [
            f"umount --lazy {SCRATCH}",
            "mount -o remount,bind,ro /",
            "mkdir -p /run/lock /var/lib/misc /var/spool/mail",
            "mount -t proc proc /proc",
            # Process 1 has nothing to do but to be there: orphans are reaped because it ignores their end, and it goes
            # when the pipe from the test process is closed.
            'echo "$pid"',
            "exec env --ignore-signal=CHLD cat",
        ]
        return "\n".join(["set -e", "umask 022", *lines])

    def start(self) -> Machine:
        needs_a_machine()
        self._first = subprocess.Popen(
            ["unshare", *NAMESPACES, "--fork", "--kill-child", "sh", "-c", self._script()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._first.stdout
        assert self._first.stderr
        said = self._first.stdout.readline().strip()
        if not said:
            raise RuntimeError(f"the private machine did not start: {self._first.stderr.read()}")
        self.pid = int(said)
        return self

    def stop(self) -> None:
        """Ends every process of the machine, and with the last of them everything that was mounted."""
        if self.pid:
            self._first.communicate()  # closes the pipe that process 1 waits on
            for process in self._started:
                process.wait(ENOUGH)
            self.pid = 0

    def __enter__(self) -> Machine:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _command(
        self, command: tuple[str | Path, ...], user: str, cwd: str | Path, env: Mapping[str, str] | None
    ) -> list[str]:
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--reset-env", "--"]
        path = f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        given = {"PATH": path, "LANG": "C.UTF-8", **(env or {})}
        # The folder is entered as root, the command run by the user. Python's own folder is first on the path.
        enter = ["nsenter", f"--target={self.pid}", *NAMESPACES, "--", "env", f"--chdir={cwd}"]
        return [*enter, *as_user, "env", *(f"{k}={v}" for k, v in given.items()), *map(str, command)]

    def run(
        self,
        *command: str | Path,
        user: str = "root",
        cwd: str | Path = "/",
        env: Mapping[str, str] | None = None,
        input: str | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end; what it said is in `.stdout`, standard error with it."""
        done = subprocess.run(
            self._command(command, user, cwd, env),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=ENOUGH,
            check=False,
        )
        said = f"{shlex.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}"
        assert not check or done.returncode == 0, said
        return done

    def popen(
        self,
        *command: str | Path,
        user: str = "root",
        cwd: str | Path = "/",
        env: Mapping[str, str] | None = None,
        output: IO[Any] | int = subprocess.DEVNULL,
    ) -> subprocess.Popen[str]:
        """Starts a command, which is the first of a process group; end it with `end`, or with the machine."""
        started = subprocess.Popen(
            self._command(command, user, cwd, env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._started.append(started)
        return started

    @staticmethod
    def end(process: subprocess.Popen[str], by: signal.Signals = signal.SIGKILL) -> None:
        """Signals the process group that `popen` started and waits for its first process."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, by)
        process.wait(ENOUGH)

    def add_user(self, name: str, password: str) -> None:
        """A Linux user with a home folder that nobody else can read."""
        self.run("useradd", "--create-home", "--shell=/bin/bash", "--key=HOME_MODE=0700", name)
        self.set_password(name, password)

    def set_password(self, name: str, password: str) -> None:
        self.run("chpasswd", input=f"{name}:{password}\n")

    def path(self, inside: str | Path) -> Path:
        """Where the host's root finds a path of the machine, to read and to write."""
        return Path(f"/proc/{self.pid}/root{inside}")
