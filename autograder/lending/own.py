"""What the examiner's room has itself, so that it is not borrowed: installed modules, and what the course gives."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from autograder.lending.coder import Coder
from autograder.lending.errors import NotData
from autograder.lending.kinds import Json

_GLOBAL = frozenset(
    ("builtins", "math", "cmath", "operator", "statistics", "numpy", "torch", "string", "functools", "itertools")
)
"""Modules whose functions and classes both rooms have, so that they cross by name."""


def imported(imports: Iterable[Any], namespace: dict[str, Any]) -> set[str]:
    """Binds what students' cells import to this process's own, and returns the names; what is not there is left out."""
    mine: set[str] = set()
    for name, module, attribute in imports:
        try:
            found = import_module(module)
            if name == "*":
                public = getattr(found, "__all__", [n for n in vars(found) if not n.startswith("_")])
                bound = {n: getattr(found, n) for n in public}
            else:
                top = module.partition(".")[0] == name  # `import a.b` binds a
                bound = {name: getattr(found, attribute) if attribute else sys.modules[name if top else module]}
        except (ImportError, AttributeError):
            continue
        mine |= bound.keys()
        for n, value in bound.items():
            namespace.setdefault(n, value)
    return mine


def differs(own: Any, record: Json) -> bool:
    """Whether what the course has given is data, and the student's is other data."""

    def other(_: Any) -> Json:
        raise NotData("no data")

    if type(record) is list and record[:1] in (["theirs"], ["cannot"]):
        return False
    try:
        return bool(Coder(other).encode(own) != record)
    except NotData:
        return False


def name_of(value: Any) -> tuple[str, str] | None:
    """Module and name of a function or class that both rooms have."""
    name = getattr(value, "__name__", None)
    for module in (str(getattr(value, "__module__", "")).partition(".")[0], "numpy", "torch", "math"):
        if module in _GLOBAL and type(name) is str and getattr(sys.modules.get(module), name, None) is value:
            return module, name
    return None
