"""Of the ways to read a student's names the one that explains most of the numbers: the fewest wrong links.

So one mistake is one wrong link, and what was named to be something else is not blamed for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from autograder.calculus.graph import Forward
from autograder.calculus.reference import Reference
from autograder.student.protocol import Reply
from autograder.verdict.chain import Chain
from autograder.verdict.quantities import What, kinds, says_only_by

_FEW = 4
"""Points at which a reading is tried before it is taken at all of them."""
_MOST_TRIED = 24
"""Readings that are tried of one answer, however many names it has."""


def chain(
    forward: Forward, wrt: str, references: Sequence[Reference], reply: Reply, allowances: Mapping[str, float]
) -> Chain:
    """The chain of one reply. A name that is assigned again after its use holds another number at the return, and one
    such as `da` may be no derivative at all: such names are ignored where that explains more of the links. So is a name
    taken for what it can be beside what its own numbers fit, such as a total derivative that lacks a path.
    """
    pairs = list(zip(references, reply.answers, strict=True))
    plain = Chain(forward, wrt, pairs, allowances=allowances)
    if plain.broken is None:
        return plain
    ways: list[dict[str, What | None]] = []
    few = pairs[:: max(1, len(pairs) // _FEW)]
    best, taken_as = Chain(forward, wrt, few, allowances=allowances), dict[str, What | None]()
    others = ((q.name, what) for q in plain.own for what in kinds(forward, wrt, q.name) if what is not q.what)
    for name, what in islice(others, _MOST_TRIED):
        other = Chain(forward, wrt, few, taken_as | {name: what}, allowances)
        if other.wrong < best.wrong:
            best, taken_as = other, taken_as | {name: what}
            ways = [taken_as]
    doubtful = [q.name for q in plain.own if q.name in reply.reassigned or says_only_by(forward, q.name)]
    ways += [dict.fromkeys(doubtful)] if doubtful else []
    return min([plain, *(Chain(forward, wrt, pairs, way, allowances) for way in ways)], key=lambda c: c.wrong)
