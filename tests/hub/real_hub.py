"""A real hub on a private machine: set up by deploy/hub/setup as an admin would, people with passwords of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import pytest
import requests

from tests.conftest import ROOT
from tests.hub.machine import Machine, free_ports

DEADLINE = 180  # seconds for whatever is waited for, on a machine that is five times slower than usual
HUB = ROOT / "deploy" / "hub"
STATE, EXCHANGE, COURSES = Path("/var/lib/coursehub"), Path("/srv/coursehub/exchange"), Path("/srv/coursehub/courses")
Found = TypeVar("Found")


def needs_a_proxy() -> None:
    node = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if not node or not (Path(sys.prefix) / "proxy" / "node_modules").is_dir():
        pytest.skip("needs the hub's proxy and Node.js for it; `make proxy` installs both")


def until(ask: Callable[[], Found], what: str, deadline: float = DEADLINE) -> Found:
    """What ask() returns as soon as that is something; AssertionError with `what` if it never is."""
    end = time.monotonic() + deadline
    while not (found := ask()):
        assert time.monotonic() < end, f"waited {deadline} s in vain for {what}"
        time.sleep(0.2)
    return found


def answers(address: str) -> bool:
    """Whether the page is there, or its own server leads on from it; where that leads may need a certificate."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            reply = session.get(address, timeout=10, allow_redirects=False)
    except requests.RequestException:
        return False
    return reply.status_code == 200 or reply.headers.get("Location", "").startswith("/services/")


class RealHub:
    """Courses are given as {id: {"instructors": [...], "students": [...]}}; everybody's password is `NAME-word`."""

    def __init__(self, machine: Machine, courses: Mapping[str, Mapping[str, list[str]]], log: Path) -> None:
        self.machine, self.log = machine, log
        port, self.inner, self.proxy, *others = free_ports(3 + len(courses))
        self.formgraders = dict(zip(courses, others, strict=True))
        self.address = f"http://127.0.0.1:{port}"
        lines = [
            f"hub:\n  address: {self.address}\n  ports: {{ hub: {self.inner}, proxy: {self.proxy} }}",
            f"folders:\n  state: {STATE}\n  exchange: {EXCHANGE}\n  courses: {COURSES}",
            "courses:",
        ]
        for name, people in courses.items():
            lines.append(f"  {name}:\n    port: {self.formgraders[name]}")
            lines += [f"    {kind}: [{', '.join(people[kind])}]" for kind in ("instructors", "students")]
        machine.run("mkdir", "-p", "/etc/coursehub")
        self.yaml = Path("/etc/coursehub/course.yaml")
        machine.path(self.yaml).write_text("\n".join(lines) + "\n")
        machine.run(HUB / "setup", self.yaml)
        names = sorted({name for people in courses.values() for kind in people.values() for name in kind})
        machine.run("chpasswd", input="".join(f"{name}:{name}-word\n" for name in names))

    def start(self, config: Path = HUB / "jupyterhub_config.py") -> None:
        with self.log.open("ab") as output:
            self.process: subprocess.Popen[str] = self.machine.popen(
                "jupyterhub", "--config", config, cwd=STATE, env={"COURSE_YAML": str(self.yaml)}, output=output
            )
        for page in ("hub/login", *(f"services/{course}/" for course in self.formgraders)):
            until(lambda: self.process.poll() is not None or answers(f"{self.address}/{page}"), page)
            assert self.process.poll() is None, self.log.read_text()
