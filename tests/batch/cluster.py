"""A real Dask cluster and a real PostgreSQL on this machine, started and ended by a test."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.batch.whole import children, command_of
from tests.rooms.test_run import until


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Cluster:
    """A scheduler and workers, each with a nanny, as processes; `close` ends them."""

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder, self._port = folder, free_port()
        self.address = f"tcp://127.0.0.1:{self._port}"
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(self._port), "--no-dashboard")
        until(lambda: listens(self._port), "the scheduler listens")
        self.nannies = [
            self._start("worker", self.address, "--nthreads", "1", "--no-dashboard", "--death-timeout", "60")
            for _ in range(workers)
        ]

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "DASK_TEMPORARY_DIRECTORY": str(self._folder)}
        with (self._folder / f"{arguments[0]}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments],
                env=environment,
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def workers(self) -> list[int]:
        """The processes in which tasks run; each is started by a nanny, and again if it ends."""
        return [
            w for nanny in self.nannies for w in children(nanny.pid, "spawn_main") if "tracker" not in command_of(w)
        ]

    def close(self) -> None:
        for process in (*self.nannies, self.scheduler):
            process.terminate()
        for process in (*self.nannies, self.scheduler):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait()


def programs() -> Path | None:
    """Where PostgreSQL's programs are; None if it is not installed."""
    found = shutil.which("pg_ctl")
    if found and shutil.which("initdb"):
        return Path(found).parent
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return places[-1] if places else None


class Postgres:
    """A server with an empty database, on a port of this machine; it refuses to run as root."""

    def __init__(self, folder: Path) -> None:
        self._data, self.port = folder / "data", free_port()
        where = programs()
        assert where
        self._programs = where
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        if self._user:
            folder.mkdir(exist_ok=True)
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)
            for above in folder.parents:
                if above != Path("/") and above.stat().st_uid == 0 and not above.stat().st_mode & 1:
                    above.chmod(above.stat().st_mode | 1)
        self._run("initdb", "-D", str(self._data), "-U", "grader", "--auth", "trust", "--no-sync", "-E", "UTF8")
        self.start()
        # An empty database that each server has.
        self.url = f"postgresql+psycopg2://grader@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        options = f"-p {self.port} -k '' -h 127.0.0.1 -F"
        self._run("pg_ctl", "-D", str(self._data), "-o", options, "-w", "-l", str(self._data / "log"), "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        to: Callable[[], None] | None = None
        if self._user:
            user = self._user

            def to() -> None:
                os.setgroups([])
                os.setgid(user.pw_gid)
                os.setuid(user.pw_uid)

        done = subprocess.run(
            [str(self._programs / program), *arguments],
            preexec_fn=to,
            cwd="/",
            env={"PATH": f"{self._programs}:/usr/bin:/bin", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=program not in ("pg_ctl",),
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{program}: {done.stdout} {done.stderr}"


@contextlib.contextmanager
def started(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    cluster = Cluster(folder, workers)
    try:
        yield cluster
    finally:
        cluster.close()
