"""`make hub`: a hub to look at, on loopback, as the account that runs it. It protects nothing, and says so.

Everything it makes is in one folder; Ctrl-C ends every process it started.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from coursehub import steps
from coursehub.course_files import course_steps
from coursehub.hub_process import DEMO
from coursehub.settings import BIN, CLONE, HUB, Course, Settings, load

INSTRUCTOR, STUDENTS = "prof", ("alice", "bob")
PATIENCE = 300  # seconds until the hub must answer; it usually takes ten
STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_CHILD_SUBREAPER = 36

COURSE_YAML = """\
# Written by `make hub`. A demonstration: nothing here is protected.
hub:
  address: http://127.0.0.1:{public}
  accounts: demo
  ports: {{ hub: {hub}, proxy: {proxy} }}
folders:
  state: {folder}/state
  exchange: {folder}/exchange
  courses: {folder}/courses
courses:
  derivatives:
    port: {formgrader}
    instructors: [{instructor}]
    students: [{students}]
"""


def free_ports(wanted: list[int]) -> list[int]:
    """These ports, each replaced by a free one where something listens on it already."""
    held = []
    for port in wanted:
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            one.bind(("127.0.0.1", 0))
        held.append(one)  # kept open until all are found, so that no two are the same
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def prepare(folder: Path) -> Settings:
    """The demo's folder with its course.yaml, its course and a first password."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)  # every account of this machine can reach the hub's port, but must not read its password
    public, hub, proxy, formgrader = free_ports([8000, 8081, 8001, 9101])
    path = folder / "course.yaml"
    ports = {"public": public, "hub": hub, "proxy": proxy, "formgrader": formgrader}
    path.write_text(COURSE_YAML.format(folder=folder, instructor=INSTRUCTOR, students=", ".join(STUDENTS), **ports))
    settings = load(path)
    me = pwd.getpwuid(os.getuid()).pw_name
    settings.state.mkdir(mode=0o700, exist_ok=True)
    password = settings.state / "password"
    if not password.exists():
        password.write_text(secrets.token_urlsafe(6))
    for course in settings.courses.values():
        for step in course_steps(settings, course, owner=me):
            if step.needed():
                step.do()
        if not (settings.exchange / course.id / "outbound" / "ps1").exists():
            release(course, me)
    return settings


def release(course: Course, owner: str) -> None:
    for command in ("generate_assignment", "release_assignment"):
        try:
            steps.run_as(
                owner,
                [sys.executable, "-m", "nbgrader", command, "ps1"],
                cwd=course.folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        except subprocess.CalledProcessError as error:
            sys.exit(f"`nbgrader {command} ps1` failed in {course.folder}:\n{error.output}")


def _adopt_orphans() -> None:
    """Makes orphaned descendants children of this process, so that all can be ended; on Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            continue
    for process in psutil.wait_procs(processes, timeout=10)[1]:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=10)


def end_all() -> None:
    """Ends every process below this one, and those that these leave behind."""
    while processes := psutil.Process().children(recursive=True):
        _end(processes)


@contextmanager
def running(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The hub, started; ended with everything below it when the block is left."""
    _adopt_orphans()
    environment = {**os.environ, "COURSE_YAML": str(settings.path), "PATH": f"{BIN}:{os.environ['PATH']}"}
    command = [str(BIN / "jupyterhub"), "--config", str(HUB / "jupyterhub_config.py")]
    try:
        with log.open("w") as output:
            yield subprocess.Popen(
                command,
                env=environment,
                cwd=settings.state,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C must reach this process only, which then ends the others
            )
    finally:
        end_all()


def wait_until_up(settings: Settings, hub: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and hub.poll() is None:
        try:
            with urlopen(f"{settings.address}/hub/login", timeout=10):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    tail = "\n".join("    " + line for line in log.read_text().splitlines()[-15:])
    sys.exit(f"The hub did not start. The end of {log}:\n{tail}")


def table(settings: Settings, log: Path) -> str:
    password = (settings.state / "password").read_text()
    rows = [
        ("who", "user name", "password", "start with"),
        ("instructor", INSTRUCTOR, password, "Nbgrader > Course List > derivatives"),
        *(("student", name, password, "Nbgrader > Assignment List > ps1 > Fetch") for name in STUDENTS),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(
        [f"\nThe hub is at {settings.address}", "", *lines, "", DEMO, f"The log: {log}", "Ctrl-C stops all of it."]
    )


def _stop(number: int, frame: object) -> None:
    for one in STOP:  # a second Ctrl-C must not interrupt the ending
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> None:
    parser = argparse.ArgumentParser(prog="make hub", description=__doc__)
    parser.add_argument("--folder", type=Path, default=CLONE / "demo-hub", help="default: %(default)s")
    parser.add_argument("--fresh", action="store_true", help="forget what the folder holds from an earlier run")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    if arguments.fresh and folder.exists():
        if not (folder / "course.yaml").exists():
            sys.exit(f"{folder} holds no demo, so it is not removed; name the demo's folder, or remove it yourself.")
        shutil.rmtree(folder)
    for number in STOP:  # a shell that starts this in the background has Ctrl-C ignored
        signal.signal(number, _stop)
    try:
        print("Preparing the demo course ...", flush=True)
        settings = prepare(folder)
        log = folder / "hub.log"
        print("Starting the hub ...", flush=True)
        with running(settings, log) as hub:
            wait_until_up(settings, hub, log)
            print(table(settings, log), flush=True)
            hub.wait()
            sys.exit(f"The hub has ended by itself; {log} says why.")
    except KeyboardInterrupt:
        print("\nStopped.")


if __name__ == "__main__":
    main()
