"""A class of damaged submissions, graded by one run of the real command, and what became of every answer.

The assignment has two notebooks: ps1's own questions, and ordinary tests with cells that a person marks and a task.
`findings` are the claims that do not hold, and `tally` says what became of the right answers, by what was left of them.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook

from autograder.terminal.report import UNGRADABLE, Reason
from tests import warm
from tests.batch.mutated_course import ASSIGNMENT, BASES, BY_HAND, CELLS_OF, FULL, ORDINARY, answers_of, ordinary
from tests.batch.mutations import damage
from tests.batch.survival import Left, code_lines, left
from tests.conftest import ROOT
from tests.rooms.small import UNTRIED
from tools.sample_class import hand_in, students

_TOLD = {reason.name.lower() for reason in (*UNGRADABLE, Reason.FAILED, Reason.LOST, Reason.NO_MARK)}
"""The reasons why a test may have no mark."""


@dataclass
class Given:
    """A submission: whose it was made of, and what was done to it."""

    base: str
    damages: list[str] = field(default_factory=list)
    left: dict[str, Left] = field(default_factory=dict)


@dataclass(frozen=True)
class Mark:
    points: float
    waits: bool
    """For a person."""


class MutatedClass:
    """`number` damaged submissions and one good one of each base; `seed` chooses the damages."""

    def __init__(self, root: Path, seed: int, number: int) -> None:
        self.root, self.given = root, dict[str, Given]()
        shutil.copytree(
            ROOT / "source", root / "source", ignore=shutil.ignore_patterns(".ipynb_checkpoints", "examples*")
        )
        nbformat.write(ordinary(), root / "source" / ASSIGNMENT / f"{ORDINARY}.ipynb")
        (root / "nbgrader_config.py").write_text((ROOT / "nbgrader_config.py").read_text() + UNTRIED)
        status, said = self.run("nbgrader", "generate_assignment", ASSIGNMENT)
        assert status == 0, said
        for at, base in enumerate(BASES):
            self._hand_in(f"good-{at}", base)
        for at in range(number):
            self._damaged(f"s{at:04}", list(BASES)[at % len(BASES)], seed * 1_000_000 + at)
        self._before = dict(self._entries())
        begun = time.monotonic()
        self.status, self.said = self.run("autograder", "grade", ASSIGNMENT, "--json", "summary.json")
        self.seconds = time.monotonic() - begun

    def run(self, *command: str) -> tuple[int, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        python = warm.python() if command[0] == "nbgrader" else sys.executable
        done = subprocess.run(
            [python, "-m", *command],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
            errors="replace",
            timeout=7200,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "NBGRADER_EXCHANGE": str(self.root / "exchange")},
        )
        return done.returncode, done.stdout + done.stderr

    def _hand_in(self, student: str, base: str) -> None:
        folder = self.root / "submitted" / student / ASSIGNMENT
        hand_in(self.root / "release" / ASSIGNMENT, students()[base], folder)
        file = folder / f"{ORDINARY}.ipynb"
        notebook = nbformat.read(file, as_version=4)
        for cell in notebook.cells:
            cell.source = BASES[base].get(cell.metadata.get("nbgrader", {}).get("grade_id", ""), cell.source)
        notebook.cells.append(new_markdown_cell("I would try **cubes**."))
        nbformat.write(notebook, file)
        self.given[student] = Given(base)

    def _damaged(self, student: str, base: str, number: int) -> None:
        folder = self.root / "submitted" / student / ASSIGNMENT
        shutil.copytree(self.root / "submitted" / f"good-{list(BASES).index(base)}" / ASSIGNMENT, folder)
        self.given[student] = Given(base)
        self.given[student].damages = damage(folder, number)
        for question, (notebook, _) in CELLS_OF.items():
            if answers := answers_of(base, question):
                self.given[student].left[question] = left(folder.parent, ASSIGNMENT, notebook, answers)

    def _entries(self) -> Iterator[tuple[str, str]]:
        """What lies below `submitted`: regular files by a digest of what is in them, all else by its kind."""
        for folder, names, files in os.walk(self.root / "submitted"):
            for name in (*names, *files):
                path = Path(folder, name)
                mode = path.lstat().st_mode
                if stat.S_ISREG(mode):
                    yield str(path), hashlib.sha256(path.read_bytes()).hexdigest()
                elif not stat.S_ISDIR(mode):
                    yield str(path), ""

    @cached_property
    def marks(self) -> dict[str, dict[str, Mark]]:
        """By student and question; a student whom the gradebook does not have is not in it."""
        found = {}
        with Gradebook(f"sqlite:///{self.root}/gradebook.db") as gradebook:
            for submission in gradebook.assignment_submissions(ASSIGNMENT):
                grades = {(n.name, g.name): g for n in submission.notebooks for g in n.grades}
                found[submission.student_id] = {
                    question: Mark(
                        sum(grades[notebook, name].score or 0 for name in names),
                        any(grades[notebook, name].needs_manual_grade for name in names),
                    )
                    for question, (notebook, names) in CELLS_OF.items()
                }
        return found

    def best(self, base: str) -> dict[str, Mark]:
        """The marks of the undamaged submission."""
        return self.marks[f"good-{list(BASES).index(base)}"]

    @cached_property
    def summary(self) -> dict[str, dict[str, Any]]:
        """What the run says of each student."""
        said = json.loads((self.root / "summary.json").read_text())
        return {about["student"]: about for about in said["students"]}

    def findings(self) -> list[str]:
        """What does not hold, in words."""
        reasons = {reason for about in self.summary.values() for reason in about["needs_a_person"]}
        status = 1 if "failed" in reasons else 3 if reasons else 0
        found = [f"the exit status is {self.status}, not {status}"] if self.status != status else []
        found += ["a traceback"] if "Traceback" in self.said else []
        for student, given in self.given.items():
            wrong = [*self._missing(student), *self._wrong(student, given)]
            found += [f"{student}: {what} ({given.base}: {', '.join(given.damages)})" for what in wrong]
        return [*found, *self._altered()]

    def _missing(self, student: str) -> Iterator[str]:
        if student not in self.marks:
            yield "no row"
        if student not in self.summary:
            yield "no line"
        elif not self.summary[student]["needs_a_person"]:
            yield "is not named, and has cells that a person marks"
        elif f" {student}" not in self.said:
            yield "is not named in the terminal"

    def _wrong(self, student: str, given: Given) -> Iterator[str]:
        named = _TOLD & set(self.summary.get(student, {}).get("needs_a_person", ()))
        for question, mark in self.marks.get(student, {}).items():
            best, what = self.best(given.base)[question], given.left.get(question, Left.WHOLE)
            if mark.points > best.points + 1e-9:
                yield f"{question} has gained {mark.points - best.points:g}"
            if mark.points and what is Left.GONE:
                yield f"{question} has {mark.points:g} points and is gone"
            if mark.waits and question not in BY_HAND and not named:
                yield f"{question} waits for a person, who is not told"
            if what in (Left.WHOLE, Left.ELSEWHERE) and question in BY_HAND and not mark.waits:
                yield f"{question} was answered, and nobody is asked to mark it"
            if what is Left.ELSEWHERE and mark.points < best.points and not mark.waits:
                yield f"{question} can be read in the files, has {mark.points:g} of {best.points:g}, and nobody is told"

    def _altered(self) -> Iterator[str]:
        after = dict(self._entries())
        for path, was in self._before.items():
            moved = [path.replace("timestamp.txt", "timestamp.txt.unreadable"), *_left_out(path, after)]
            if was and not any(after.get(place) == was for place in (path, *moved)):
                yield f"{path} was altered"
        kept = [value for value in self._before.values() if value]
        for path, value in after.items():
            if path not in self._before and value not in kept:
                yield f"{path} is new"

    def became(self, student: str, question: str) -> str:
        """Of a right answer: `kept`, `waits` for a person, or `lost`."""
        mark = self.marks.get(student, {}).get(question, Mark(0, False))
        if question in BY_HAND:
            return "kept" if mark.waits and self._shown(student, question) else "waits" if mark.waits else "lost"
        full = self.best(self.given[student].base)[question].points
        return "kept" if mark.points == full else "waits" if mark.waits else "lost"

    def _shown(self, student: str, question: str) -> bool:
        """Whether the person who marks it finds the answer in the notebook."""
        file = self.root / "autograded" / student / ASSIGNMENT / f"{ORDINARY}.ipynb"
        wanted = code_lines(BASES[self.given[student].base][question])
        sources = [code_lines(c.source) for c in nbformat.read(file, as_version=4).cells] if file.exists() else []
        return any(all(line in source for line in wanted) for source in sources)

    def right(self) -> Iterator[tuple[str, str]]:
        """The right answers: student and question."""
        for student, given in self.given.items():
            for question in given.left:
                if question in BY_HAND or self.best(given.base)[question].points == FULL[question]:
                    yield student, question

    @cached_property
    def tally(self) -> dict[Left, collections.Counter[str]]:
        counts: dict[Left, collections.Counter[str]] = collections.defaultdict(collections.Counter)
        for student, question in self.right():
            counts[self.given[student].left[question]][self.became(student, question)] += 1
        return counts

    @property
    def rate(self) -> float:
        """Of the right answers that are whole, the share that has kept its marks."""
        return self.tally[Left.WHOLE]["kept"] / sum(self.tally[Left.WHOLE].values())

    def losers(self) -> list[str]:
        """Whole right answers that have not kept their marks."""
        return [
            f"{student} {question} {what}: {self.given[student].base}: {', '.join(self.given[student].damages)}"
            for student, question in self.right()
            if self.given[student].left[question] is Left.WHOLE and (what := self.became(student, question)) != "kept"
        ]


def _left_out(path: str, after: Mapping[str, str]) -> list[str]:
    aside = f"{os.sep}{ASSIGNMENT}.left-out{os.sep}"
    return [other for other in after if aside in other and other.endswith(os.path.basename(path))]


def main() -> int:
    """Grades a class in a folder of its own and says what failed."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--number", type=int, default=1000)
    options.add_argument("--keep", type=Path, help="a folder, which is not removed")
    asked = options.parse_args()
    root = asked.keep or Path(tempfile.mkdtemp(prefix="mutations-"))
    root.mkdir(exist_ok=True)
    made = MutatedClass(root, asked.seed, asked.number)
    (root / "said.txt").write_text(made.said)
    findings, losers = made.findings(), made.losers()
    for line in (*findings, *losers):
        print(line)
    print(f"seed {asked.seed}: {asked.number} submissions graded in {made.seconds:.0f} s, exit status {made.status}")
    for what in Left:
        counts = made.tally[what]
        print(
            f"  {what.name.lower():<10} {sum(counts.values()):>6}  "
            + "  ".join(f"{k} {v}" for k, v in sorted(counts.items()))
        )
    print(f"  of the whole ones {100 * made.rate:.2f} in 100 kept their marks; {len(findings)} findings")
    if not asked.keep:
        shutil.rmtree(root, ignore_errors=True)
    return bool(findings or made.rate < 0.95)


if __name__ == "__main__":
    sys.exit(main())
