"""Finds the tests that define what a cell of the student's uses further down: its room must have that too.

In a kernel all cells share one namespace. A student whose function uses the `np` that a test above it imports has done
nothing wrong; nor has a course whose tests share a helper, where some of them run in the student's room. So what
students see of such a test is run there as well, when the examiner is done with it.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import lru_cache

from autograder.rooms import ways


def used_later(cells: Sequence[tuple[str, bool]]) -> set[int]:
    """The places of these tests. Of each code cell, in order: what students see of it, and whether it is a test that
    the examiner runs.
    """
    if not any(test and _names(shown)[0] for shown, test in cells):
        return set()
    own = set[str]().union(*(_names(shown)[0] for shown, test in cells if not test))
    wanted: set[str] = set()
    found: set[int] = set()
    for at, (shown, test) in reversed(list(enumerate(cells))):
        defines, uses = _names(shown)
        if not test or (defines - own) & wanted:
            wanted |= uses
            if test:
                found.add(at)
    return found


@lru_cache(512)
def _names(cell: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a cell gives a value outside functions, and those that it uses."""
    used = {n.id for n in ast.walk(ways.parsed(cell)) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Store)}
    return frozenset(ways.bound([cell])), frozenset(used)
