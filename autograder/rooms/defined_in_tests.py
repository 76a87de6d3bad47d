"""Finds the tests that define what a cell of the student's uses further down: its room must have that too.

In a kernel all cells share one namespace. A student whose function uses the `np` that a test above it imports has done
nothing wrong; nor has a course whose tests share a helper, where some of them run in the student's room. So what
students see of such a test is run there as well, when the examiner is done with it.

Students' cells are hostile input, which no parser of the grader's own process reads: words are looked for. A test that
is run once too often costs nothing but time.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import lru_cache

from autograder.rooms import ways

_MOST = 200_000
"""Characters of a student's cell that are looked at."""
_COMMENT = re.compile(r"#[^\n]*+")
_WORD = re.compile(r"(?<![\w.])[^\W\d]\w*+")
_BINDS = re.compile(r"^[ \t]*+(\w++)[ \t]*+=(?!=)|\b(?:def|class|as|import|for)[ \t]++(\w++)", re.MULTILINE)


def used_later(cells: Sequence[tuple[str, bool]]) -> set[int]:
    """The places of these tests. Of each code cell, in order: what students see of it, and whether it is a test that
    the examiner runs.
    """
    if not any(test and _of_test(shown)[0] for shown, test in cells):
        return set()
    read = [_of_test(shown) if test else _of_student(shown) for shown, test in cells]
    own = set[str]().union(*(defines for (defines, _), (_, test) in zip(read, cells, strict=True) if not test))
    wanted: set[str] = set()
    found: set[int] = set()
    for at in reversed(range(len(cells))):
        (defines, uses), (_, test) = read[at], cells[at]
        if not test or (defines - own) & wanted:
            wanted |= uses
            if test:
                found.add(at)
    return found


@lru_cache(512)
def _of_test(cell: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a test gives a value outside functions, and those that it uses."""
    used = {n.id for n in ast.walk(ways.parsed(cell)) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Store)}
    return frozenset(ways.bound([cell])), frozenset(used)


def _of_student(cell: str) -> tuple[frozenset[str], frozenset[str]]:
    """The same of a student's cell, as far as words show it."""
    text = _COMMENT.sub("", cell[:_MOST])
    return frozenset(a or b for a, b in _BINDS.findall(text)), frozenset(_WORD.findall(text))
