"""What the tests share: the six questions as the source notebook states them, and a class of one student."""

from __future__ import annotations

import linecache
import os
import signal
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings

from autograder import Question
from autograder.authoring.notebook import questions
from autograder.student.kernel import KernelStudent, answering

ROOT = Path(__file__).parent.parent

# Whoever starts the tests in the background of a shell has them, and every command they start, ignore Ctrl-C; with
# nohup also a hang-up.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
for ignored in ("SIGHUP", "SIGQUIT"):
    if signal.getsignal(getattr(signal, ignored)) is signal.SIG_IGN:
        signal.signal(getattr(signal, ignored), signal.SIG_DFL)

# Nor are the commands under test the children of the make that runs the tests: a make among them would say other lines.
for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
    os.environ.pop(name, None)

# A machine that does other things as well must not fail a test by its clock.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")

NAMES = tuple(f"q{n}" for n in range(1, 7))
"""The contract's questions, which the corpora and the sample class answer; ps1 may have more (QUESTIONS_OF_PS1)."""


def run_source(source: str, namespace: dict[str, Any], name: str = "cell") -> dict[str, Any]:
    """Runs source as a notebook cell does: under a file name that does not exist, its text kept for inspect."""
    source = textwrap.dedent(source).strip("\n") + "\n"
    file = f"<{name} {abs(hash(source))}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), namespace)
    return namespace


def make_question(source: str, **given: Any) -> Question:
    """The question that a cell's source defines."""
    namespace = run_source("import torch\nfrom autograder import question\n" + textwrap.dedent(source), dict(given))
    return next(v for v in namespace.values() if isinstance(v, Question))


_notebook = nbformat.read(ROOT / "source" / "ps1" / "problems.ipynb", as_version=4)
CELLS = {c.metadata.nbgrader.grade_id: c.source for c in _notebook.cells if "nbgrader" in c.metadata}
_graded = [c.metadata.nbgrader for c in _notebook.cells if c.metadata.get("nbgrader", {}).get("points") is not None]
# What ps1 has: six questions, 12 cells and 60 points, and more where an author has added some (docs/authors.md).
QUESTIONS_OF_PS1 = tuple(questions(_notebook))
FURTHER = tuple(name for name in QUESTIONS_OF_PS1 if name not in NAMES)
"""What an author has added to the contract's six: nobody in these tests answers it."""
GRADED_CELLS = len(_graded)
POINTS = sum(meta.points for meta in _graded)
QUESTIONS = {name: make_question(CELLS[f"{name}-forward"]) for name in NAMES}


class Class:
    """One student's namespace, asked as the grader asks."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {"torch": torch, "np": np, "__name__": "__main__"}

    def run(self, source: str) -> None:
        self.namespace.setdefault("In", [""]).append(textwrap.dedent(source))
        run_source(source, self.namespace)

    def grade(self, question: Question, points: float = 8, seed: int | str = 1) -> float:
        with answering(KernelStudent(self.namespace)):
            return question.grade(points=points, seed=seed)

    def check(self, question: Question, **options: Any) -> None:
        with answering(KernelStudent(self.namespace)):
            question.check(**options)

    def verdict(self, question: Question, answer: Callable[..., Any] | str | None = None, seed: int | str = 1) -> Any:
        """The hidden verdict on one answer: a function, or the source of a cell that defines it."""
        if isinstance(answer, str):
            self.run(answer)
        elif answer is not None:
            self.namespace[f"grad_{question.name}"] = answer
        with answering(KernelStudent(self.namespace)):
            return question.judge(seed)


@pytest.fixture
def student() -> Class:
    return Class()


@pytest.fixture(params=NAMES)
def question(request: pytest.FixtureRequest) -> Question:
    return QUESTIONS[request.param]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, so that no processor is left to wait for one of them at the end."""
    items.sort(key=lambda item: [item.get_closest_marker(mark) is None for mark in ("hub", "course")])


TALLIES = (
    "forms accepted",
    "slips rejected",
    "slips named",
    "of these by their very name",
    "told in one line",
    "wrong rules named",
    "honest accepted",
    "machines found",
    "honest accused",
)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The corpora as a table: what the tests counted, of how many."""
    counts: dict[tuple[str, str], list[int]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for key, value in getattr(report, "user_properties", ()):
                if key == "tally" and getattr(report, "when", "") == "call":
                    name, what, found, of = value
                    count = counts.setdefault((name, what), [0, 0])
                    count[0] += found
                    count[1] += of
    if counts:
        terminalreporter.section("the corpora")
        columns = [n for n in (*NAMES, *sorted({n for n, _ in counts} - set(NAMES))) if any(k[0] == n for k in counts)]
        terminalreporter.write_line(" " * 30 + "".join(f"{name:>16}" for name in columns))
        for what in TALLIES:
            row = [counts.get((name, what)) for name in columns]
            terminalreporter.write_line(
                f"{what:<30}" + "".join(f"{f'{c[0]} of {c[1]}' if c else '-':>16}" for c in row)
            )


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser that reaches this machine alone."""
    from tests.hub.browser import chromium

    with chromium() as opened:
        yield opened
