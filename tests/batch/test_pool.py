"""The graders of this machine, with a station whose graders are this test's."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from autograder.batch import pool, station
from autograder.batch.lines import Lines, pack


class _Station:
    """Each connection after the first, by which the course is told, is a grader's; the test has its other end."""

    def __init__(self) -> None:
        self.graders: list[socket.socket] = []

    def connect(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        self.graders.append(theirs)
        return ours

    def end(self, seconds: float = 0) -> None:
        for grader in self.graders:
            grader.close()


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[pool.LocalPool, list[socket.socket]]]:
    """A pool of five, and the graders' ends."""
    there = _Station()
    monkeypatch.setattr(station, "started", lambda *_: there)
    monkeypatch.setattr(station, "forked", lambda *_: there)
    run: Any = SimpleNamespace(level="", launchers=None)
    app = SimpleNamespace(coursedir=SimpleNamespace(root="", assignment_id="ps1"))
    made = pool.LocalPool(5, app, run, False)
    made.begin({}, 100)
    there.graders.pop(0).close()
    yield made, there.graders
    made.end()


def test_the_first_is_graded_alone(begun: tuple[pool.LocalPool, list[socket.socket]]) -> None:
    """Others would only delay it. Afterwards there are as many graders as there should be."""
    made, (grader,) = begun
    assert (made.jobs, made.free) == (5, 1)
    made.give({"student": "ada"})
    assert made.free == 0
    assert made.replies(0) == []
    assert made.free == 0
    assert Lines(grader).receive()["student"] == "ada"
    grader.sendall(pack({"said": 1}))
    (reply,) = made.replies(60)
    assert (reply.order["student"], reply.said) == ("ada", {"said": 1})
    assert made.free == 5


def test_where_the_first_takes_long_the_others_do_not_wait_for_it(
    begun: tuple[pool.LocalPool, list[socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = begun
    made.give({"student": "ada"})
    now = pool.time.monotonic() + pool._FIRST
    monkeypatch.setattr(pool, "time", SimpleNamespace(monotonic=lambda: now))
    assert made.replies(0) == []
    assert made.free == 4


def test_a_grader_that_has_ended_while_it_was_idle_is_replaced_before_it_gets_an_order(
    begun: tuple[pool.LocalPool, list[socket.socket]],
) -> None:
    """It would count as a try of that submission's otherwise."""
    made, graders = begun
    for grader in graders:
        grader.close()
    made.give({"student": "ada"})
    assert Lines(graders[-1]).receive() == {"student": "ada"}
    assert made.replies(0) == []
