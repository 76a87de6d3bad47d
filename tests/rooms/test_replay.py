"""A cell that was ended from outside has not defined its function, and an older one does not stand in for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from autograder._seam import Answer, Number, Reply, Request
from autograder.rooms import _replay, _wire
from autograder.rooms._ends import Gone, OutOfTime

REQUEST = Request("grad_q1", ("a",), ({"a": 2.0},), (), {})
OLD, NEW = "def grad_q1(a): return a, 1", "def grad_q1(a): return a, 2\nwhile True: pass"
NUMBER = Number("number", "float", 1.0)


class FakeRoom:
    """Ends in a cell with an endless loop; answers always, as a room does in which an older function is left."""

    def __init__(self, why: Gone) -> None:
        self._why = why
        self.orders: list[dict[str, Any]] = []

    def call(self, order: dict[str, Any], *_: Any) -> dict[str, Any]:
        self.orders.append(order)
        if "while True" in order.get("code", ""):
            raise self._why
        return {"outputs": [], "ok": True, "reply": _wire.encode(Reply((Answer((NUMBER, NUMBER)),)))}

    def close(self) -> None: ...


def replay(why: Gone) -> _replay.Replay:
    return replay_in(lambda: FakeRoom(why))


def replay_in(start: Callable[[], FakeRoom]) -> _replay.Replay:
    return _replay.Replay(start, 60, 600, 1000, _replay.Shared())  # type: ignore[arg-type]


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
    made = replay(why)
    made.run(_replay.Cell(OLD, 1))
    assert made.ask(REQUEST).missing is None
    made.run(_replay.Cell(NEW, 2))
    missing = made.ask(REQUEST).missing
    assert missing is not None
    assert missing.cell_fault is not None
    assert missing.older
    assert (missing.cell_fault.type, missing.cell_fault.text) == (kind, text)


def test_another_cell_that_was_ended_costs_the_function_nothing() -> None:
    made = replay(OutOfTime("no reply in time"))
    for count, source in enumerate(["# grad_q1 is below\nwhile True: pass", OLD, "grad_q1(3)\nwhile True: pass"], 1):
        made.run(_replay.Cell(source, count))
    assert made.ask(REQUEST).missing is None
    made.run(_replay.Cell(NEW, 4))
    made.run(_replay.Cell(OLD, 5))
    assert made.ask(REQUEST).missing is None


def test_a_room_that_was_being_made_when_the_run_was_ended_runs_no_cell() -> None:
    room, making, asked_to_end = FakeRoom(Gone("ended")), threading.Event(), threading.Event()

    def start() -> FakeRoom:
        making.set()
        assert asked_to_end.wait(60)
        return room

    made = replay_in(start)
    made.later(_replay.Cell(OLD, 1))
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
    assert put_away == [room]
    assert room.orders == []
