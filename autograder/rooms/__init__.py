"""Grading without trust: a student's code and the tests run in different rooms, behind plain `nbgrader autograde`.

    _exporter, _held     one grading run, its gradebook     _sandbox, _filters, _linux   how a student's room is locked
    _submissions         what was handed in                 _watched                     what the run's report hears
    _engine, _sitting    one submission                     _zygote, _sources, _warm     what rooms are forked from
    _replay              a room that can be lost            _ahead, _handle, _ends       made, driven, watched, ended
    _book, _restore      whose cell is whose                _room, _shell, _files        what happens inside one
    _grades, _sanitise   what is saved and shown            _wire, _sealed, _outputs     what may come out of one

nbgrader_config.py names the classes below; `grade` is the command `autograder grade`. They are loaded when they are
asked for, because a room needs none of them.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "Engine": "engine",
    "RefuseBorrowing": "self_contained",
    "Restore": "restore_cells",
    "Sanitise": "sanitise",
    "SaveGrades": "save_grades",
    "TwoRooms": "exporter",
    "grade": "command",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
