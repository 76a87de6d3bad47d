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
from functools import lru_cache
from typing import Any

from autograder.student.changes import Unchanged

_RESTORED = frozenset(
    ("autograder", "ast", "dataclasses", "enum", "functools", "inspect", "json", "linecache", "re", "types", "typing")
)
_BUILTINS = dict(vars(builtins))


class _Kept:
    """The members of a module or a class as they are now."""

    __slots__ = ("_members", "_owner", "_space", "_unchanged")

    def __init__(self, owner: Any) -> None:
        self._owner, self._space = owner, vars(owner)
        self._members = dict(self._space)
        self._unchanged = Unchanged(self._space)

    def restore(self) -> None:
        if self._unchanged:
            return
        for name, thing in self._members.items():
            if self._space.get(name) is not thing:
                self._set(name, thing)
        self._unchanged.seen()

    def _set(self, name: str, thing: Any) -> None:
        if type(self._space) is dict:  # a module's, whatever that has become meanwhile
            self._space[name] = thing
        else:
            with contextlib.suppress(AttributeError, TypeError):  # a few members, such as __dict__, cannot be set
                setattr(self._owner, name, thing)


class Snapshot:
    """The contents of the modules and their classes as they are now."""

    def __init__(self) -> None:
        self._modules = {n: module for n, module in sys.modules.items() if _is_restored(n)}
        self._same_modules = Unchanged(sys.modules)
        self._finders = list(sys.meta_path)
        spaces = [vars(module) for module in self._modules.values()]
        classes = {
            thing
            for space in spaces
            for thing in space.values()
            if type(thing) is type and _is_restored(thing.__module__)
        }
        self._kept = [_Kept(owner) for owner in (*self._modules.values(), *classes)]

    def restore(self) -> None:
        if not self._same_modules:
            sys.modules.update(self._modules)
            self._same_modules.seen()
        for kept in self._kept:
            kept.restore()

    @contextlib.contextmanager
    def restored(self, modules: bool = True) -> Iterator[None]:
        """Restores the modules, and while it is entered the built-in functions and the importing of modules.

        Without `modules`, of which there are hundreds, only the latter: for calls of which a test may make thousands.
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


@lru_cache(maxsize=1)
def snapshot() -> Snapshot:
    """The one of this process; a fork server makes it, so that no worker has to."""
    return Snapshot()


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
