"""Grading without trust: a student's code and the tests run in different rooms, behind plain `nbgrader autograde`.

    _exporter       one grading run          _sandbox, _filters   how a student's room is locked
    _engine         one submission           _zygote, _warm       where rooms come from
    _replay         the student's rooms      _room, _shell        what happens inside one
    _book, _restore whose cell is whose      _wire, _sealed       what may come out of one

nbgrader_config.py names the classes below; `grade` is the command `autograder grade`. They are loaded when they are
asked for, because a room needs none of them.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "Engine": "_engine",
    "RefuseBorrowing": "_release",
    "Restore": "_restore",
    "Sanitise": "_sanitise",
    "SaveGrades": "_grades",
    "TwoRooms": "_exporter",
    "grade": "_command",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
