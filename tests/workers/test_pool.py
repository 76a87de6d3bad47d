"""Workers are started ahead, and tried again where they cannot be."""

from __future__ import annotations

import pytest

from autograder.workers import pool
from autograder.workers.errors import NoRoom


def test_a_room_that_cannot_be_made_is_tried_again_and_then_named(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def make(kind: str) -> object:
        tried.append(kind)
        if kind == "never" or len(tried) < 4:
            raise NoRoom("the table of processes is full")
        return kind

    workers = pool.WorkerPool(make, lambda kind: 1)  # type: ignore[arg-type]  # a worker need not be one to be handed out
    assert workers.take("later", keep=0) == "later"
    monkeypatch.setattr(pool, "PATIENCE", 0.5)
    with pytest.raises(NoRoom, match=r"no room could be made within 0\.5 seconds: the table of processes is full"):
        workers.take("never", keep=0)
    workers.close()
