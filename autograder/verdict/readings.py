"""Of the ways to read a student's names the one that explains most of the numbers: the fewest wrong links.

So one mistake is one wrong link, and what was named to be something else is not blamed for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autograder.calculus.graph import Forward
from autograder.calculus.reference import Reference
from autograder.student.protocol import Reply
from autograder.verdict.chain import Chain
from autograder.verdict.quantities import What, kinds, says_only_by


def chain(
    forward: Forward, wrt: str, references: Sequence[Reference], reply: Reply, allowances: Mapping[str, float]
) -> Chain:
    """The chain of one reply. A name that is assigned again after its use holds another number at the return, and one
    such as `da` may be no derivative at all: such names are ignored where that explains more of the links. So is a name
    taken for what it can be beside what its own numbers fit, such as a total derivative that lacks a path.
    """
    pairs = list(zip(references, reply.answers, strict=True))
    best = plain = Chain(forward, wrt, pairs, allowances=allowances)
    if plain.broken is None:
        return plain
    taken_as: dict[str, What | None] = {}
    for q in plain.own:
        for what in kinds(forward, wrt, q.name):
            if what is not q.what:
                other = Chain(forward, wrt, pairs, taken_as | {q.name: what}, allowances)
                if other.wrong < best.wrong:
                    best, taken_as = other, taken_as | {q.name: what}
    doubtful = [q.name for q in plain.own if q.name in reply.reassigned or says_only_by(forward, q.name)]
    without = Chain(forward, wrt, pairs, dict.fromkeys(doubtful), allowances) if doubtful else best
    return without if without.wrong < best.wrong else best
