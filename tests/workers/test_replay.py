"""A cell that was ended from outside has not defined its function, and an older one does not stand in for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from autograder.sandbox.limits import Limits
from autograder.student.protocol import Answer, Number, Reply, Request
from autograder.workers.binding import binds
from autograder.workers.client import Cell, WorkerClient
from autograder.workers.errors import Earlier, Gone, OutOfTime
from autograder.workers.replay import _MOST_READ, Shared, StudentRoom

REQUEST = Request("grad_q1", ("a",), ({"a": 2.0},), (), {})
OLD, NEW = "def grad_q1(a): return a, 1", "def grad_q1(a): return a, 2\nwhile True: pass"
MODULES = {"helper": "def grad_q1(a): return a, 3"}
OTHERWISE = [
    "from helper import grad_q1",
    "from helper import (\n    other,\n    grad_q1,\n)",
    "from helper import other as grad_q1",
    "from helper import *",
    "%run helper.py",
    "grad_q1 = lambda a: (a, 2)",
    "grad_q1: object = print",
    "a, grad_q1 = 1, print",
    "if True: grad_q1 = print",
    "%%time\nclass grad_q1: pass",
    "print(grad_q1 := len)",
]
"""Cells that give the name a value without a `def` of their own."""
NUMBER = Number("number", "float", 1.0)


class DiesInALoop:
    """A worker that ends in a cell with an endless loop, and answers always, as one does that has an older function."""

    def __init__(self, why: Gone) -> None:
        self._why = why
        self.ran: list[Cell] = []

    def run_cell(self, cell: Cell, seconds: float) -> list[Any]:
        self.ran.append(cell)
        if "while True" in cell.code:
            raise self._why
        return []

    def ask(self, request: Request, seconds: float) -> Reply:
        return Reply((Answer((NUMBER, NUMBER)),))

    def close(self) -> None: ...


def room(why: Gone) -> StudentRoom:
    return room_of(lambda: DiesInALoop(why))


def room_of(start: Callable[[], DiesInALoop]) -> StudentRoom:
    return StudentRoom(cast(Callable[[], WorkerClient], start), Limits(), Shared(modules=MODULES))


@pytest.mark.parametrize(
    ("why", "kind", "text"),
    [
        (OutOfTime("no reply in time"), "TooLong", "it did not end within 60 seconds"),
        (
            Gone("the code used more than 2048 MB of memory"),
            "ProcessEnded",
            "the code used more than 2048 MB of memory",
        ),
    ],
)
def test_a_function_whose_cell_was_ended_is_missing_and_says_why(why: Gone, kind: str, text: str) -> None:
    made = room(why)
    made.run(Cell(OLD, 1))
    assert made.ask(REQUEST).missing is None
    made.run(Cell(NEW, 2))
    missing = made.ask(REQUEST).missing
    assert missing is not None
    assert missing.cell_fault is not None
    assert missing.older
    assert (missing.cell_fault.type, missing.cell_fault.text) == (kind, text)


def test_another_cell_that_was_ended_costs_the_function_nothing() -> None:
    made = room(OutOfTime("no reply in time"))
    for count, source in enumerate(["# grad_q1 is below\nwhile True: pass", OLD, "grad_q1(3)\nwhile True: pass"], 1):
        made.run(Cell(source, count))
    assert made.ask(REQUEST).missing is None
    made.run(Cell(NEW, 4))
    for count, later in enumerate([OLD, *OTHERWISE], 5):
        made.run(Cell(NEW, 4))
        made.run(Cell(later, count))
        assert made.ask(REQUEST).missing is None, later


@pytest.mark.parametrize("source", OTHERWISE)
def test_a_cell_that_was_ended_has_not_given_the_name_a_value_in_another_form_either(source: str) -> None:
    made = room(OutOfTime("no reply in time"))
    made.run(Cell(OLD, 1))
    made.run(Cell(f"{source}\nwhile True: pass", 2))
    assert made.ask(REQUEST).missing is not None


@pytest.mark.parametrize(
    "source",
    [
        "import other; grad_q1(3)",
        "g = grad_q1",
        "print(grad_q1=3)",
        "grad_q1 == 3",
        "x.grad_q1 = 3",
        "# grad_q1 = 3",
        "my_grad_q1 = 3",
        "from torch import *",
        "'import grad_q1x'",
    ],
)
def test_a_cell_that_only_names_the_function_gives_it_no_value(source: str) -> None:
    made = room(OutOfTime("no reply in time"))
    made.run(Cell(OLD, 1))
    made.run(Cell(NEW, 2))
    made.run(Cell(source, 3))
    assert made.ask(REQUEST).missing is not None
    made.run(Cell(OLD, 4))
    made.run(Cell(f"{source}\nwhile True: pass", 5))
    assert made.ask(REQUEST).missing is None


class HearsStrayLines(DiesInALoop):
    """A worker on whose channel a line lies, after the cell or the function that has written it."""

    stray = False

    def run_cell(self, cell: Cell, seconds: float) -> list[Any]:
        self._refuse()
        self.stray = "stray" in cell.code
        return super().run_cell(cell, seconds)

    def ask(self, request: Request, seconds: float) -> Reply:
        self._refuse()
        self.stray = request.function == "grad_stray"
        return super().ask(request, seconds)

    def _refuse(self) -> None:
        if self.stray:
            raise Earlier("a line")


def test_a_line_that_nobody_asked_for_is_blamed_on_what_ran_before_and_the_rest_is_run_again_without_it() -> None:
    workers: list[HearsStrayLines] = []

    def start() -> HearsStrayLines:
        workers.append(HearsStrayLines(Gone("ended")))
        return workers[-1]

    made = room_of(start)
    for count, code in enumerate(["x = 1", "stray", OLD], 1):
        assert made.run(Cell(code, count)) == []
    assert [[cell.count for cell in worker.ran] for worker in workers] == [[1, 2], [1, 3]]
    assert made.ask(REQUEST).missing is None
    made.ask(replace(REQUEST, function="grad_stray"))
    assert made.ask(REQUEST).answers[0].fault is None
    stray = made.ask(replace(REQUEST, function="grad_stray")).answers[0].fault
    assert stray is not None
    assert stray.type == "ProcessEnded"
    assert len(workers) == 3


@pytest.mark.parametrize("piece", ["grad_q1,", "import ", "import(", "a as ", "x", "\n", "grad_q1: ", "from helper "])
def test_cells_as_long_as_may_be_are_read_in_a_moment(piece: str) -> None:
    code, began = piece * (_MOST_READ // len(piece)) + " grad_q1", time.process_time()
    binds(code, "grad_q1", MODULES)
    assert time.process_time() - began < 10


def test_a_room_that_was_being_made_when_the_run_was_ended_runs_no_cell() -> None:
    worker, making, asked_to_end = DiesInALoop(Gone("ended")), threading.Event(), threading.Event()

    def start() -> DiesInALoop:
        making.set()
        assert asked_to_end.wait(60)
        return worker

    made = room_of(start)
    made.later(Cell(OLD, 1))
    catching_up = threading.Thread(target=made.catch_up)
    catching_up.start()
    assert making.wait(60)
    put_away: list[Any] = []
    ending = threading.Thread(target=made.end, args=(put_away.append,))
    ending.start()
    while not made._over:
        ending.join(0.01)
    asked_to_end.set()
    ending.join(60)
    catching_up.join(60)
    assert put_away == [worker]
    assert worker.ran == []
