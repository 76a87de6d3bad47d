"""`make hub` gives a hub that works, tells what it is, and is gone after Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

from coursehub.hub_process import DEMO
from coursehub.settings import HUB
from tests.conftest import ROOT
from tests.hub.real_hub import DEADLINE, needs_a_proxy, until
from tests.hub.somebody import Somebody

pytestmark = pytest.mark.hub


class Demo:
    """The program of `make hub`, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder, folder.with_suffix(".out")
        # As a shell starts a job in the background, which is the harder case: Ctrl-C is ignored until one asks for it.
        shell = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh"]
        with self.said.open("w") as output:
            self.process = subprocess.Popen(
                [*shell, sys.executable, "-m", "coursehub.demo", "--folder", folder],
                env={**os.environ, "PYTHONPATH": str(HUB)},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until(lambda: "Ctrl-C" in self.text or self.process.poll() is not None, "the table of addresses", 2 * DEADLINE)
        assert self.process.poll() is None, self.text

    @property
    def text(self) -> str:
        return self.said.read_text()

    @property
    def address(self) -> str:
        return re.findall(r"The hub is at (\S+)", self.text)[0]

    @property
    def passwords(self) -> dict[str, str]:
        return dict(re.findall(r"^(?:instructor|student) +(\w+) +(\S+)", self.text, re.MULTILINE))

    def processes(self) -> list[psutil.Process]:
        """Every process of this machine that the folder is told to, or that works in it."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                about = [*process.cmdline(), process.cwd(), *process.environ().values()]
                if process.pid != os.getpid() and any(str(self.folder) in one for one in about):
                    found.append(process)
        return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    needs_a_proxy()
    made = Demo(tmp_path_factory.mktemp("demo") / "demo-hub")
    yield made
    if made.process.poll() is None:
        made.process.send_signal(signal.SIGTERM)
        made.process.wait(DEADLINE)


@pytest.fixture(scope="module")
def people(demo: Demo) -> Iterator[dict[str, Somebody]]:
    with ExitStack() as opened:
        made = {name: Somebody(demo.address, name, word) for name, word in demo.passwords.items()}
        yield {name: opened.enter_context(person).start() for name, person in made.items()}


def test_addresses_names_and_passwords_are_printed(demo: Demo):
    assert demo.address.startswith("http://127.0.0.1:")
    assert list(demo.passwords) == ["prof", "alice", "bob"]
    assert str(demo.folder / "hub.log") in demo.text


def test_it_is_marked_as_a_demonstration_where_it_is_printed_and_where_one_logs_in(demo: Demo):
    assert DEMO in demo.text
    with Somebody(demo.address, "nobody") as stranger:
        assert DEMO in stranger.at("/hub/login").text


def test_its_folder_with_the_password_is_closed_to_other_accounts(demo: Demo):
    assert demo.folder.stat().st_mode & 0o777 == 0o700


def test_a_student_fetches_and_hands_in_under_their_own_name(demo: Demo, people: dict[str, Somebody]):
    alice = people["alice"]
    assert [one["assignment_id"] for one in alice.own("assignments", course_id="derivatives")] == ["ps1"]
    assert alice.act("fetch", "derivatives")["success"]
    assert alice.act("submit", "derivatives")["success"]
    inbound = demo.folder / "exchange" / "derivatives" / "inbound"
    assert [path.name.split("+")[:2] for path in inbound.iterdir()] == [["alice", "ps1"]]
    assert all(one["status"] == "released" for one in people["bob"].own("assignments", course_id="derivatives"))


def test_the_instructor_reaches_the_formgrader_and_students_do_not(people: dict[str, Somebody]):
    assert {name: person.formgrader("derivatives") for name, person in people.items()} == {
        "prof": 200,
        "alice": 403,
        "bob": 403,
    }


def test_ctrl_c_stops_all_of_it(demo: Demo, people: dict[str, Somebody]):
    """The last test: afterwards there is no hub."""
    assert len(demo.processes()) > 5
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(DEADLINE) == 0
    assert [process.cmdline() for process in demo.processes()] == []
    assert demo.text.rstrip().endswith("Stopped.")


def test_a_folder_that_holds_something_else_is_not_emptied(tmp_path: Path):
    (tmp_path / "thesis.tex").write_text("all of it")
    command = [sys.executable, "-m", "coursehub.demo", "--fresh", "--folder", tmp_path]
    refused = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(HUB)}, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert "holds no demo, so it is not removed" in refused.stderr
    assert (tmp_path / "thesis.tex").exists()
