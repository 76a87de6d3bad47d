"""What the tests of the hub rely on: a private machine has real users, and leaves nothing behind."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.hub.machine import Machine


@pytest.fixture
def machine() -> Iterator[Machine]:
    with Machine() as made:
        made.add_user("ada", "hers")
        yield made


def test_a_user_of_the_machine_runs_the_course_though_python_lies_below_a_closed_folder(machine: Machine) -> None:
    said = machine.run(
        sys.executable, "-c", "import autograder; print(autograder.__file__)", user="ada", cwd="/home/ada"
    )
    assert said.stdout.strip() == str(ROOT / "autograder" / "__init__.py")


def test_what_the_machine_writes_is_not_on_the_host(machine: Machine) -> None:
    with pytest.raises(KeyError):
        pwd.getpwnam("ada")
    before = ROOT.stat().st_mode
    folders = (str(ROOT), "/home/ada", "/etc", "/srv", "/root", "/var/backups")
    written = [Path(folder, "written") for folder in folders]
    machine.run("touch", *written)
    machine.run("chmod", "700", ROOT)
    assert [machine.path(p).exists() for p in written] == [True] * len(written)
    assert [p.exists() for p in written] == [False] * len(written)
    assert ROOT.stat().st_mode == before


def test_what_is_left_of_the_hosts_disk_cannot_be_written(machine: Machine) -> None:
    for folder in ("/", "/usr", "/var"):
        said = machine.run("touch", f"{folder}/written", check=False)
        assert said.returncode, folder
        assert "Read-only file system" in said.stdout


def test_a_home_folder_is_closed_to_other_users(machine: Machine) -> None:
    machine.add_user("bela", "his")
    assert machine.run("ls", "/home/ada", user="bela", check=False).returncode
    assert machine.run("cat", "/etc/shadow", user="bela", check=False).returncode


def test_the_end_of_the_machine_ends_what_escaped_from_its_process_group(machine: Machine) -> None:
    process = machine.popen("setsid", "--wait", "sleep", "86421", user="ada")
    pids: set[str] = set()
    while not pids:
        assert process.poll() is None
        pids = set(machine.run("pgrep", "-f", "^sleep 86421", check=False).stdout.split())
    machine.stop()
    left = [p for p in os.listdir("/proc") if p.isdigit() and b"86421" in _command_line(p)]
    process.wait(60)
    assert left == []


def _command_line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() if int(pid) != os.getpid() else b""
    except OSError:
        return b""


def test_a_folder_that_is_shown_is_shared_with_the_host(tmp_path: Path) -> None:
    with Machine(show=[tmp_path]) as machine:
        machine.run("sh", "-c", f"echo written > {tmp_path}/there")
    assert (tmp_path / "there").read_text() == "written\n"
