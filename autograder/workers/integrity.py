"""What answers for a student is as it was before any cell ran, whatever the cells have made of it.

Nobody could gain by replacing it, because answers are only data; but a question that was right would be lost with it.
Names of this package, and of Python's modules that it is made with, are put back before each call and stay so. The
built-in functions and the way of importing are put back for the call alone: there may be reasons to replace those.
"""

from __future__ import annotations

import builtins
import contextlib
import sys
from collections.abc import Iterator
from typing import Any

_OURS = frozenset(
    ("autograder", "ast", "dataclasses", "enum", "functools", "inspect", "json", "linecache", "re", "types", "typing")
)
_BUILTINS = dict(vars(builtins))


class Pristine:
    """Remembers the modules and classes as they are now."""

    def __init__(self) -> None:
        self._modules = {n: module for n, module in sys.modules.items() if _is_ours(n)}
        self._finders = list(sys.meta_path)
        spaces = [vars(module) for module in self._modules.values()]
        self._spaces = [(space, dict(space)) for space in spaces]
        classes = {
            thing for space in spaces for thing in space.values() if type(thing) is type and _is_ours(thing.__module__)
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
                    with contextlib.suppress(AttributeError, TypeError):  # a few members belong to Python
                        setattr(kind, name, thing)

    @contextlib.contextmanager
    def call(self) -> Iterator[None]:
        """The call, and the description of what it returns, happen with Python's own built-in functions."""
        theirs = sys.meta_path
        self.restore()
        with _put_back(vars(builtins), _BUILTINS):
            sys.meta_path = self._finders
            try:
                yield
            finally:
                sys.meta_path = theirs


def _is_ours(module: object) -> bool:
    return isinstance(module, str) and module.partition(".")[0] in _OURS


@contextlib.contextmanager
def _put_back(space: dict[str, Any], kept: dict[str, Any]) -> Iterator[None]:
    theirs = dict(space)
    space.update(kept)
    try:
        yield
    finally:
        for name in kept.keys() - theirs.keys():
            del space[name]
        space.update(theirs)
