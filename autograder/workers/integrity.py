"""Undoes what a student's cells have changed in the modules that call his function and describe its result.

A student cannot gain marks by changing them, because answers are only data. But one that patches `json` by accident
would lose right answers. The modules of this package, and those of Python that it uses, are restored before each call
and stay so. Built-in functions and `sys.meta_path` are restored during the call only, because a notebook may have
reasons to replace them.
"""

from __future__ import annotations

import builtins
import contextlib
import sys
from collections.abc import Iterator
from typing import Any

_RESTORED = frozenset(
    ("autograder", "ast", "dataclasses", "enum", "functools", "inspect", "json", "linecache", "re", "types", "typing")
)
_BUILTINS = dict(vars(builtins))


class Snapshot:
    """The contents of the modules and their classes as they are now."""

    def __init__(self) -> None:
        self._modules = {n: module for n, module in sys.modules.items() if _is_restored(n)}
        self._finders = list(sys.meta_path)
        spaces = [vars(module) for module in self._modules.values()]
        self._spaces = [(space, dict(space)) for space in spaces]
        classes = {
            thing
            for space in spaces
            for thing in space.values()
            if type(thing) is type and _is_restored(thing.__module__)
        }
        self._classes = [(kind, dict(vars(kind))) for kind in classes]

    def restore(self) -> None:
        sys.modules.update(self._modules)
        for space, kept in self._spaces:
            for name, thing in kept.items():
                if space.get(name) is not thing:
                    space[name] = thing
        for kind, members in self._classes:
            for name, thing in members.items():
                if vars(kind).get(name) is not thing:
                    with contextlib.suppress(
                        AttributeError, TypeError
                    ):  # a few members, such as __dict__, cannot be set
                        setattr(kind, name, thing)

    @contextlib.contextmanager
    def restored(self, modules: bool = True) -> Iterator[None]:
        """Restores the modules, and while it is entered the built-in functions and the importing of modules.

        Without `modules`, which take a millisecond, only the latter: for calls of which a test may make thousands.
        """
        changed = sys.meta_path
        if modules:
            self.restore()
        with _restored_for_now(vars(builtins), _BUILTINS):
            sys.meta_path = self._finders
            try:
                yield
            finally:
                sys.meta_path = changed


def _is_restored(module: object) -> bool:
    return isinstance(module, str) and module.partition(".")[0] in _RESTORED


@contextlib.contextmanager
def _restored_for_now(space: dict[str, Any], kept: dict[str, Any]) -> Iterator[None]:
    changed = dict(space)
    space.update(kept)
    try:
        yield
    finally:
        for name in kept.keys() - changed.keys():
            del space[name]
        space.update(changed)
