"""A class at once on a real hub: everybody logs in, starts a server, runs the notebook's checks and submits.

Prints tables in markdown; exits with 1 if anybody did not get through. Runs as root, because the people are Linux users
of a private machine, of which nothing is left on this one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.hub.machine import Machine, needs_a_machine  # noqa: E402  (a script must put the repository on sys.path first)
from tests.hub.person import COURSE, Person, text  # noqa: E402
from tests.hub.real_hub import COURSES, RealHub, needs_a_proxy  # noqa: E402
from tools.sample_class import fill_in, students  # noqa: E402

GRADER, FOLDER, NOTEBOOK = f"grader-{COURSE}", COURSES / COURSE, f"{COURSE}/ps1/problems.ipynb"
STEPS = {
    "log in": "log in",
    "start": "start a server, until JupyterLab is there",
    "fetch": "fetch ps1",
    "kernel": "start a kernel, import torch",
    "checks": "run the notebook, six checks in it",
    "save": "save and submit",
}
MEMORY = """
import json, psutil
for process in psutil.process_iter():
    try:
        line = " ".join(process.cmdline())
        pss = process.memory_full_info().pss / 2**20
        print(json.dumps([process.username(), line, pss]))
    except psutil.Error:
        pass
"""


class Student(threading.Thread):
    """A student: does all steps in order and records the seconds of each, or the traceback of the one that failed."""

    def __init__(self, person: Person, together: threading.Barrier) -> None:
        super().__init__(name=person.name)
        self.person, self.together = person, together
        self.seconds: dict[str, float] = {}
        self.problem = ""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began

    def run(self) -> None:
        self.together.wait()
        try:
            self.work()
        except Exception:
            self.problem = traceback.format_exc()

    def work(self) -> None:
        person = self.person
        with self.step("log in"):
            assert person.log_in(), "the login was refused"
        with self.step("start"):
            person.start_server()
        with self.step("fetch"):
            person.assignment("fetch")
            notebook = nbformat.from_dict(person.read(NOTEBOOK))  # type: ignore[no-untyped-call]
        fill_in(notebook, students()["ada"])
        with self.step("kernel"):
            kernel = person.kernel(f"{COURSE}/ps1")
            kernel.run("import torch")
        with self.step("checks"):
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    outputs = kernel.run(cell.source)
                    said = text(outputs)
                    assert not any(output["kind"] == "error" for output in outputs), said
                    assert ".check()" not in cell.source or " is right at " in said, f"{cell.source}: {said}"
        kernel.close()  # as when a student leaves the page open in another tab: the kernel keeps running
        with self.step("save"):
            person.write(NOTEBOOK, notebook)
            assert person.assignment("submit")["success"], "the submission was refused"


def memory(machine: Machine) -> dict[str, dict[str, float]]:
    """Memory in MB (PSS): of servers and kernels by person, and of the processes that exist once."""
    found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for line in machine.run(sys.executable, "-c", MEMORY).stdout.splitlines():
        user, command, megabytes = json.loads(line)
        if user.startswith("student"):
            found["kernel" if "ipykernel" in command else "server"][user] += megabytes
        elif user == GRADER or "jupyterhub" in command or "configurable-http-proxy" in command:
            name = "the formgrader, a course" if user == GRADER else "the hub, its proxy and the idle culler"
            found["once"][name] += megabytes
    return found


def times(people: list[Student], whole: float) -> list[str]:
    rows = ["| what each does, all at once | median, s | slowest, s |", "|---|---|---|"]
    for name, words in STEPS.items():
        seconds = [student.seconds[name] for student in people]
        rows.append(f"| {words} | {statistics.median(seconds):.1f} | {max(seconds):.1f} |")
    each = [sum(student.seconds.values()) for student in people]
    return [*rows, f"| all of it | {statistics.median(each):.1f} | {max(each):.1f} |", "", f"The class: {whole:.0f} s."]


def sizes(found: dict[str, dict[str, float]], people: list[Student], whole: float, more: int) -> list[str]:
    rows = ["| memory (PSS) | median, MB | largest, MB |", "|---|---|---|"]
    both = [found["server"][s.name] + found["kernel"][s.name] for s in people]
    for words, values in (
        ("a student's server", list(found["server"].values())),
        ("a student's kernel, torch in it", list(found["kernel"].values())),
        ("a student, both", both),
    ):
        rows.append(f"| {words} | {statistics.median(values):.0f} | {max(values):.0f} |")
    rows += [f"| {name} | {megabytes:.0f} | |" for name, megabytes in found["once"].items()]
    once = sum(found["once"].values())
    line = (once + more * sum(both) / len(both)) / 1024
    rows += [
        "",
        f"A straight line drawn from {len(people)} to {more} students who all begin at once on this machine's "
        f"{os.cpu_count()} processors: {line:.0f} GB, {whole / 60 * more / len(people):.0f} minutes. Not measured.",
    ]
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=10, metavar="N", help="how many (default: 10)")
    parser.add_argument("--line-to", type=int, default=200, metavar="N", help="draw the line to this many")
    options = parser.parse_args()
    try:
        needs_a_machine()
        needs_a_proxy()
    except pytest.skip.Exception as missing:
        print(f"make bench-hub {missing}", file=sys.stderr)
        return 1
    names = [f"student{number:02}" for number in range(1, options.students + 1)]
    with tempfile.TemporaryDirectory() as folder, Machine() as machine:
        log = Path(folder) / "hub.log"
        hub = RealHub(machine, {COURSE: {"instructors": ["prof"], "students": names}}, log)
        hub.start()
        for command in ("generate_assignment", "release_assignment"):
            machine.run("nbgrader", command, "ps1", user=GRADER, cwd=FOLDER)
        together = threading.Barrier(len(names))
        people = [Student(Person(hub.address, name), together) for name in names]
        began = time.monotonic()
        for student in people:
            student.start()
        for student in people:
            student.join()
        whole = time.monotonic() - began
        found = memory(machine)
        machine.run("nbgrader", "collect", "ps1", user=GRADER, cwd=FOLDER)
        collected = machine.run("ls", FOLDER / "submitted").stdout.split()
        failed = [student for student in people if student.problem or student.name not in collected]
        for student in failed:
            print(f"{student.name}: {student.problem or 'the submission was not there to collect'}", file=sys.stderr)
        if failed:
            print(f"{len(failed)} of {len(people)} did not get through. The hub's log ends:", file=sys.stderr)
            print("\n".join(log.read_text().splitlines()[-40:]), file=sys.stderr)
            return 1
    print("\n".join([f"{len(people)} students, everyone got through.", "", *times(people, whole), ""]))
    print("\n".join(sizes(found, people, whole, options.line_to)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
