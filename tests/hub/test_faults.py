"""What goes wrong on a hub while people work: they are told what happened and what to do, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.hub.machine import Machine, needs_a_machine
from tests.hub.person import COURSE, Person, text
from tests.hub.real_hub import COURSES, EXCHANGE, RealHub, needs_a_proxy, until
from tools.sample_class import fill_in, students

pytestmark = pytest.mark.hub
GRADER = f"grader-{COURSE}"
FOLDER = COURSES / COURSE
NOTEBOOK = f"{COURSE}/ps1/problems.ipynb"
# What the group of a systemd unit holds, which ends as a whole; people's servers have units of their own.
HUB = "bin/jupyterhub --config"
UNIT = f"{HUB}|configurable-http-proxy|jupyterhub_idle_culler"


class Class:
    """A hub at work: two students and their instructor, logged in, with servers; the exchange on a disk of 3 MB."""

    def __init__(self, machine: Machine, log: Path) -> None:
        self.machine = machine
        machine.run("mkdir", "-p", EXCHANGE)
        machine.run("mount", "-t", "tmpfs", "-o", "size=3m", "small", EXCHANGE)
        self.hub = RealHub(machine, {COURSE: {"instructors": ["prof"], "students": ["alice", "bob"]}}, log)
        self.hub.start()
        for command in ("generate_assignment", "release_assignment"):
            machine.run("nbgrader", command, "ps1", user=GRADER, cwd=FOLDER)
        self.alice, self.bob, self.prof = (Person(self.hub.address, name) for name in ("alice", "bob", "prof"))
        for person in (self.alice, self.bob, self.prof):
            assert person.log_in()
        for person in (self.alice, self.bob):
            person.start_server()
            person.assignment("fetch")
            self.answer(person, "ada")
        until(self.formgrader, "the formgrader")

    def answer(self, person: Person, as_in: str) -> None:
        """Writes the answers of one of the sample class into the fetched notebook."""
        notebook = nbformat.from_dict(person.read(NOTEBOOK))  # type: ignore[no-untyped-call]
        person.write(NOTEBOOK, fill_in(notebook, students()[as_in]))

    def formgrader(self) -> bool:
        page = self.prof.session.get(f"{self.hub.address}/services/{COURSE}/formgrader", timeout=180)
        return page.status_code == 200 and "formgrader/manage_assignments" in page.url

    def press(self, button: str) -> dict[str, Any]:
        """What a button of the formgrader is answered: success, and the log that its dialog shows."""
        xsrf = {c.path: c.value for c in self.prof.session.cookies if c.name == "_xsrf"}[f"/services/{COURSE}/"]
        url = f"{self.hub.address}/services/{COURSE}/formgrader/api/{button}"
        answer = self.prof.session.post(url, headers={"X-XSRFToken": str(xsrf)}, timeout=600)
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    def inbound(self) -> list[str]:
        return sorted(self.machine.run("ls", "-A", EXCHANGE / COURSE / "inbound").stdout.split("\n"))[1:]

    def pids(self, *options: str) -> list[str]:
        return self.machine.run("pgrep", *options, check=False).stdout.split()

    def marks(self, student: str) -> float:
        code = f"""
from nbgrader.api import Gradebook
with Gradebook("sqlite:///{FOLDER}/gradebook.db") as book:
    print(book.find_submission("ps1", "{student}").score)
"""
        return float(self.machine.run(sys.executable, "-c", code, user=GRADER, cwd=FOLDER).stdout.split()[-1])

    @contextmanager
    def held(self) -> Iterator[None]:
        """Another process holds the gradebook, as a long write does."""
        code = (
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN EXCLUSIVE'); print(1, flush=1); "
        )
        code += "import signal; signal.pause()"
        database = str(FOLDER / "gradebook.db")
        holder = self.machine.popen(
            sys.executable, "-c", code, database, user=GRADER, cwd=FOLDER, output=subprocess.PIPE
        )
        assert holder.stdout
        assert holder.stdout.readline() == "1\n"
        try:
            yield
        finally:
            self.machine.end(holder)
            holder.stdout.close()


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    needs_a_machine()
    needs_a_proxy()
    with Machine() as machine:
        made = Class(machine, tmp_path_factory.mktemp("hub") / "hub.log")
        yield made
        for person in (made.alice, made.bob, made.prof):
            person.session.close()
        machine.stop()
        made.hub.process.wait(180)


@pytest.mark.parametrize("how", ["TERM", "KILL"])
def test_a_restart_of_the_hub_ends_no_session_no_kernel_and_no_variable(work: Class, how: str) -> None:
    """TERM is what `systemctl restart` sends; KILL is a crash, after which systemd ends the rest of the unit."""
    kernels = [person.kernel() for person in (work.alice, work.bob)]
    for number, kernel in enumerate(kernels):
        kernel.run(f"import threading, time, itertools\nx = {number + 41}; count = itertools.count(); ticks = [0]")
        kernel.run(
            "def tick():\n    while True:\n        ticks[0] = next(count); time.sleep(0.05)\n"
            "threading.Thread(target=tick, daemon=True).start()"
        )
    servers = work.pids("-f", "jupyterhub-singleuser", "-u", "alice,bob")
    assert len(servers) == 2
    seen = int(text(kernels[0].run("print(ticks[0])")))
    if how == "TERM":
        work.machine.run("pkill", "-TERM", "-f", HUB)
    else:
        work.machine.run("pkill", "-KILL", "-f", UNIT)
        work.machine.run("pkill", "-KILL", "-u", GRADER, check=False)
    work.hub.process.wait(180)
    work.hub.start()
    for kernel in kernels:
        kernel.close()  # a page notices that its connection is lost, and connects again
    for number, (person, kernel) in enumerate(zip((work.alice, work.bob), kernels, strict=True)):
        until(person.in_lab, f"{person.name}'s Lab, without a new login")
        assert text(kernel.run("print(x)")).strip() == str(number + 41)
    assert int(text(kernels[0].run("print(ticks[0])"))) > seen
    for kernel in kernels:
        kernel.close()
    assert work.pids("-f", "jupyterhub-singleuser", "-u", "alice,bob") == servers
    until(work.formgrader, "the formgrader, without a new login")


def test_with_a_full_exchange_the_button_says_so_and_nothing_is_lost(work: Class) -> None:
    assert work.bob.assignment("submit")["success"]
    before = work.inbound()
    ballast = EXCHANGE / "ballast"
    work.machine.run("dd", "if=/dev/zero", f"of={ballast}", "bs=4k", check=False)
    work.answer(work.bob, "chen")
    answer = work.bob.assignment("submit")
    assert not answer["success"]
    assert " ".join(answer["value"].split()) == (
        f"ps1 was NOT handed in: the disk of the exchange ({EXCHANGE}) is full. "
        f"Nothing is lost: your work is in /home/bob/{COURSE}/ps1, and what you handed in before still counts. "
        "Tell your instructor or administrator, and submit again when there is space."
    )
    assert work.inbound() == before
    listed = work.bob.ask("GET", "assignments", params={"course_id": COURSE}).json()["value"]
    assert [len(a["submissions"]) for a in listed if a["status"] == "submitted"] == [1]
    assert "dfdb" in str(work.bob.read(NOTEBOOK))
    assert work.press("assignment/ps1/collect")["success"], "collecting needs no space in the exchange"
    work.machine.run("rm", ballast)
    assert work.bob.assignment("submit")["success"]
    assert len(work.inbound()) == len(before) + 1


def test_a_formgrader_that_is_killed_while_it_grades_is_back_by_itself_and_grades_again(work: Class) -> None:
    if not any(name.startswith("alice+") for name in work.inbound()):
        assert work.alice.assignment("submit")["success"]
    assert work.press("assignment/ps1/collect")["success"]
    before = set(work.pids("-u", GRADER))

    def grade() -> None:
        with suppress(Exception):  # the connection is lost with the formgrader
            work.press("submission/ps1/alice/autograde")

    grading = threading.Thread(target=grade)
    grading.start()
    until(lambda: set(work.pids("-u", GRADER)) - before, "rooms of a grading run")
    work.machine.run("pkill", "-KILL", "-u", GRADER)
    grading.join()
    until(work.formgrader, "the formgrader, started again by the hub")
    assert not before & set(work.pids("-u", GRADER))
    graded = work.press("submission/ps1/alice/autograde")
    assert graded["success"], graded
    assert work.marks("alice") == 60


def test_a_held_gradebook_is_named_by_page_and_button_and_what_waited_for_it_works_afterwards(work: Class) -> None:
    if not any(name.startswith("alice+") for name in work.inbound()):
        assert work.alice.assignment("submit")["success"]
    handed_in = work.inbound()
    with work.held():
        collected = work.press("assignment/ps1/collect")
        page = work.prof.session.get(f"{work.hub.address}/services/{COURSE}/formgrader/manage_assignments", timeout=180)
    assert not collected["success"]
    said = " ".join(collected["log"].split())
    assert "ps1 was NOT collected to the end: the gradebook" in said
    assert f"{FOLDER}/gradebook.db is locked by another program" in said
    assert "Nothing is lost: every submission stays in the exchange" in said
    assert "then collect again." in said
    assert page.status_code == 503
    assert f"The gradebook <code>{FOLDER}/gradebook.db</code> could not be read" in page.text
    assert work.inbound() == handed_in
    assert work.formgrader()
    assert work.press("assignment/ps1/collect")["success"]


def test_grading_waits_for_a_held_gradebook_says_so_and_goes_on(work: Class) -> None:
    if not any(name.startswith("alice+") for name in work.inbound()):
        assert work.alice.assignment("submit")["success"]
    assert work.press("assignment/ps1/collect")["success"]
    answers: list[dict[str, Any]] = []
    waiting = f"The gradebook {FOLDER}/gradebook.db is held by another process; waiting up to 60 seconds for it."
    already = work.hub.log.read_text().count(waiting)
    with work.held():
        grading = threading.Thread(target=lambda: answers.append(work.press("submission/ps1/alice/autograde")))
        grading.start()
        until(lambda: work.hub.log.read_text().count(waiting) > already or not grading.is_alive(), "the announcement")
    grading.join()
    assert answers[0]["success"], answers
    assert waiting in answers[0]["log"]
    assert work.marks("alice") == 60
