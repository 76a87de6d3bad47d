"""Whether a dictionary has changed is told for each kind of change, and not for what changes inside of its values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from autograder.student import changes
from autograder.student.changes import Unchanged

CHANGES: list[Callable[[dict[str, Any]], object]] = [
    lambda space: space.update(new=1),
    lambda space: space.update(old=2),
    lambda space: space.pop("old"),
    lambda space: space.clear(),
    lambda space: space.__ior__({"old": 3}),
    lambda space: space.setdefault("new", 1),
    lambda space: exec("old = 5", space),
    lambda space: exec("del old", space),
]


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_a_dictionary_is_told_until_it_was_seen(change: Callable[[dict[str, Any]], object]) -> None:
    space: dict[str, Any] = {"old": [1], "__builtins__": {}}
    unchanged = Unchanged(space)
    assert bool(unchanged) is changes._TOLD
    change(space)
    assert not unchanged
    unchanged.seen()
    assert bool(unchanged) is changes._TOLD


def test_what_changes_within_a_value_and_a_look_are_no_change() -> None:
    space = {"old": [1]}
    unchanged = Unchanged(space)
    space["old"].append(2)
    assert space.get("old")
    assert "new" not in space
    assert list(space)
    assert bool(unchanged) is changes._TOLD


def test_a_method_that_is_replaced_is_a_change_of_its_class() -> None:
    class Kind:
        def method(self) -> int:
            return 1

    unchanged = Unchanged(vars(Kind))
    assert Kind().method() == 1
    assert bool(unchanged) is changes._TOLD
    Kind.method = lambda self: 2  # type: ignore[method-assign,assignment]
    assert not unchanged


def test_where_python_does_not_tell_everything_counts_as_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "_TOLD", False)
    unchanged = Unchanged({})
    unchanged.seen()
    assert not unchanged
