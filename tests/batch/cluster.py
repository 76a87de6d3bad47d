"""What the tests of grading on a cluster share: a Dask scheduler and its workers, and a PostgreSQL, all on loopback."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from autograder.sandbox.processes import descendants
from tests.batch import whole
from tests.conftest import ROOT
from tests.hub.machine import free_ports
from tests.rooms.course import Course
from tests.rooms.test_run import ENOUGH, until

URL = "postgresql+psycopg2://grader@127.0.0.1:{port}/{name}"
NO_SERVER = "needs PostgreSQL; `make system` brings it, or on Debian: apt install postgresql"
UNPACKED = Path(sys.prefix) / "postgresql"
"""Where `make system` puts it."""


class Cluster:
    """A scheduler, and workers each below a nanny, as the commands of instructors.md start them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nannies: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--port", "0")
        self.address = ""
        until(self._known, "the scheduler says where it is")

    def _known(self) -> bool:
        assert self.scheduler.poll() is None, (self.folder / "scheduler0.log").read_text()
        with contextlib.suppress(OSError, ValueError):  # it may just be writing it
            self.address = str(whole.summary(self.folder / "scheduler.json")["address"])
        return bool(self.address)

    def _start(self, what: str, *options: str) -> subprocess.Popen[bytes]:
        name = f"{what}{len(self.nannies)}"
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [
                    *(sys.executable, "-m", f"distributed.cli.dask_{what}", *options),
                    *("--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(self.folder / "scheduler.json")),
                ],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def add(self, number: int, threads: int) -> None:
        """Starts so many workers more, and waits for them."""
        for _ in range(number):
            here = self.folder / f"worker{len(self.nannies)}"
            self.nannies.append(self._start("worker", "--nthreads", str(threads), "--local-directory", str(here)))
        until(lambda: len(self.workers()) == len(self.nannies), "every worker is there")

    def workers(self) -> dict[str, int]:
        """The processes of the workers that the scheduler knows, by address."""
        with self._client() as client:
            return dict(client.run(os.getpid, on_error="ignore"))

    def at_work(self) -> dict[str, list[str]]:
        """The keys of the orders that each worker has, by the worker's address."""
        with self._client() as client:
            return {worker: list(map(str, keys)) for worker, keys in client.processing().items()}

    def plugins(self) -> list[str]:
        """What runs have left on the scheduler."""
        with self._client() as client:
            found: list[str] = client.run_on_scheduler(_plugins)
            return [name for name in found if name.startswith("autograder")]

    @contextlib.contextmanager
    def _client(self) -> Iterator[Any]:
        import distributed

        client_of: Any = distributed.Client
        with client_of(self.address, set_as_default=False) as client:
            yield client

    def whose(self, student: str) -> int:
        """The process of the worker that grades a student, once one has the order and a grader."""
        found: list[int] = []

        def grades() -> bool:
            has = [worker for worker, keys in self.at_work().items() if any(key.startswith(student) for key in keys)]
            found[:] = [process for worker, process in self.workers().items() if worker in has and _rooms(process)]
            return bool(found)

        until(grades, f"a worker grades {student}")
        return found[0]

    def nanny_of(self, worker: int) -> subprocess.Popen[bytes]:
        return next(nanny for nanny in self.nannies if worker in descendants(nanny.pid))

    def everything(self) -> set[int]:
        """The processes of the cluster: scheduler, nannies, workers, graders, rooms."""
        roots = [process.pid for process in (self.scheduler, *self.nannies)]
        return {*roots, *(below for root in roots for below in descendants(root))}

    def graders(self) -> list[int]:
        """Stations, graders and rooms: what workers have started."""
        return [p for p in self.everything() if "autograder" in whole.command_of(p)]

    def nothing_left(self) -> None:
        """Waits until no run has anything here: the scheduler sees a moment later that a client has gone."""
        until(lambda: self.graders() == [], "no worker has a grader")
        until(lambda: self.plugins() == [], "the scheduler has forgotten every run")

    def end(self) -> None:
        """Ends it as its own signal does; waits until no process is left, also of a worker that was killed."""
        there = self.everything()
        for together in (self.nannies, [self.scheduler]):  # without a scheduler the others would wait for one
            for process in together:
                process.send_signal(signal.SIGTERM)
            for process in together:
                process.wait(ENOUGH)
        gone(there)


def _plugins(dask_scheduler: Any) -> list[str]:
    """Called on the scheduler."""
    return [*dask_scheduler.plugins, *dask_scheduler.worker_plugins]


def _rooms(worker: int) -> bool:
    """Whether a worker's station has a grader with rooms at work, beside its fork servers: that of the examiners, that
    of students in namespaces and the process outside of these, and the one from which all are forked.
    """
    return len([p for p in descendants(worker) if "forkserver" in whole.command_of(p)]) > 4


def gone(processes: set[int]) -> None:
    """Waits until none of the processes is left; a zombie counts as gone."""
    until(lambda: not [p for p in processes if _lives(p)], "every process has ended")


def _lives(process: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


@contextlib.contextmanager
def cluster(folder: Path, workers: int, threads: int = 1) -> Iterator[Cluster]:
    """A cluster that is there when the `with` block begins, and has left no process when it has ended."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Cluster(folder)
    try:
        made.add(workers, threads)
        yield made
    finally:
        made.end()


class PostgreSQL:
    """A server of its own, on a port of its own, that can be restarted. Root starts it as nobody: it refuses root."""

    def __init__(self) -> None:
        found = _programs()
        if not found:
            pytest.skip(NO_SERVER)
        self._programs = found
        self._folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
        self._user: dict[str, Any] = {}
        self._released = ""
        if not os.geteuid():
            nobody = pwd.getpwnam("nobody")
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        libraries = [*UNPACKED.glob("usr/lib/*-linux-gnu"), *UNPACKED.glob("lib/*-linux-gnu")]
        ours = {"LD_LIBRARY_PATH": ":".join(map(str, libraries))} if UNPACKED in found.parents else {}
        self._environment = {"PATH": os.environ["PATH"], **ours}
        (self._port,) = free_ports(1)
        try:
            options = ("-D", str(self._folder / "data"), "-E", "UTF8", "--locale=C", "-A", "trust", "-U", "grader")
            self._call("initdb", *options, "--no-sync").communicate()
        except PermissionError:
            shutil.rmtree(self._folder)
            pytest.skip(f"the user nobody cannot start {found}/initdb, and PostgreSQL refuses root")
        self.start()

    def _call(self, program: str, *options: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"{program}.log").open("ab") as log:
            return subprocess.Popen(
                [str(self._programs / program), *options],
                cwd="/",
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._user,
            )

    def start(self) -> None:
        settings = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "jit=off")
        options = [part for setting in settings for part in ("-c", setting)]
        self._process = self._call("postgres", "-D", str(self._folder / "data"), "-p", str(self._port), *options)
        until(self._answers, f"PostgreSQL answers; see {self._folder}")

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._folder / "postgres.log").read_text()
        with contextlib.suppress(Exception):
            self.do("SELECT 1")
            return True
        time.sleep(0.1)
        return False

    def do(self, statement: str, name: str = "postgres") -> list[tuple[Any, ...]]:
        """What a statement gives, each in a connection of its own."""
        engine = create_engine(URL.format(port=self._port, name=name), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                found = connection.execute(text(statement))
                return [tuple(row) for row in found] if found.returns_rows else []
        finally:
            engine.dispose()

    def stop(self, how: int = signal.SIGINT) -> None:
        """SIGINT: connections are closed, and it ends. SIGQUIT: as a crash."""
        self._process.send_signal(how)
        self._process.wait(ENOUGH)

    def end(self) -> None:
        if self._process.poll() is None:
            self.stop()
        shutil.rmtree(self._folder)

    def course(self, course: Course, name: str) -> Course:
        """Gives the course its gradebook in a new database of this name, a copy of what nbgrader put into the first."""
        self.do(f"CREATE DATABASE {name} TEMPLATE {self._released or 'template1'}")
        with (course.root / "nbgrader_config.py").open("a") as config:
            config.write(f'\nc.CourseDirectory.db_url = "{URL.format(port=self._port, name=name)}"\n')
        (course.root / "gradebook.db").unlink()
        if not self._released:
            course.run("generate_assignment", "ps1", "--force")
            self._released = "released"
            self.do(f"CREATE DATABASE {self._released} TEMPLATE {name}")
        return course

    def rows(self, name: str) -> dict[str, list[tuple[Any, ...]]]:
        """As `whole.rows`, of a database, and in the types of SQLite."""
        return {
            kind: sorted((tuple(map(_as_sqlite, row)) for row in self.do(query, name)), key=repr)
            for kind, query in whole.QUERIES.items()
        }


def _as_sqlite(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat(" ", "microseconds")
    return int(value) if isinstance(value, bool) else value


def _programs() -> Path | None:
    """The folder that has initdb and postgres, the newest if there are several."""
    for folder in (Path("/usr/lib/postgresql"), UNPACKED / "usr" / "lib" / "postgresql"):
        versions = sorted(folder.glob("[0-9]*/bin/postgres"), key=lambda path: int(path.parts[-3]))
        if versions:
            return versions[-1].parent
    found = shutil.which("postgres")
    return Path(found).parent if found and shutil.which("initdb", path=str(Path(found).parent)) else None


@contextlib.contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """A server that has ended, and left no file, when the `with` block has."""
    made = PostgreSQL()
    try:
        yield made
    finally:
        made.end()
