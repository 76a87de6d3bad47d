"""The derivatives that a student named: which of them each name is, as far as its spelling and its numbers say.

`de_dd` may be the derivative of e's line (local), the derivative of e by d over all paths (total) or, where e is the
output, the adjoint of d. Mostly the graph leaves one of these. Where it leaves two, the name is what its numbers fit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from types import MappingProxyType

from autograder.calculus import points
from autograder.calculus.graph import Forward
from autograder.calculus.reference import Reference
from autograder.calculus.spelling import spelling
from autograder.student.protocol import Answer, Number

TOLERANCE = points.TOLERANCE
"""Of S, the scale: equal forms differ by up to 2e-6·S in float32, so that ten times that is safe (facts in docs)."""
FLOOR = points.FLOOR
_MOST = 1e100
"""From here on a number is no derivative: what follows from it would be judged within an infinite tolerance."""
LOCAL_FLOOR = 1e-6
"""Of a local derivative's largest size: what float32 leaves where the terms of one line cancel."""


class What(Enum):
    ADJOINT = "adjoint"
    """The output by a node."""
    LOCAL = "local"
    """A node by an input of its own line, from that line alone."""
    TOTAL = "total"
    """A node that is not the output by one further down, over all paths."""


@dataclass(frozen=True)
class Quantity:
    """One derivative that was named, with its number at each point."""

    what: What
    of: str
    by: str
    name: str
    """As the student calls it."""
    numbers: tuple[float, ...]


def quantities(
    forward: Forward,
    wrt: str,
    pairs: Sequence[tuple[Reference, Answer]],
    taken_as: Mapping[str, What | None] = MappingProxyType({}),
) -> list[Quantity]:
    """What the names at the return hold, one for each derivative; the result itself is not among them.

    A name counts if it holds a finite number at every point. `taken_as` says what some names are, if anything.
    """
    read = spelling((*forward.leaves, *forward.nodes)).readings
    references = [r for r, _ in pairs]
    read_as: list[tuple[list[Quantity], list[Quantity]]] = []
    for name in pairs[0][1].named if pairs else ():
        numbers = [a.named.get(name) for _, a in pairs]
        if not all(n is not None and _finite(n) for n in numbers):
            continue
        given = tuple(n.value for n in numbers if n is not None)
        ways = [way for way in _ways(forward, wrt, read(name)) if way[0] is taken_as.get(name, way[0])]
        options = [Quantity(*way, name, given) for way in ways]
        fitting = [q for q in options if _fits(forward, q, references)]
        read_as.append((options, fitting))
    goes = Counter(way for _, q in read_as if q and says_only_by(forward, q[0].name) for way in _directions(q[0], wrt))
    found: dict[tuple[What, str, str], tuple[bool, Quantity]] = {}
    for options, fitting in read_as:
        bare = bool(options) and says_only_by(forward, options[0].name)  # likely in the direction of the others
        likely = sorted(options, key=lambda q: -max(goes[way] for way in _directions(q, wrt))) if bare else options
        if ("", forward.output) in read(likely[0].name if likely else "") and goes["line"] <= max(
            goes["down"], goes["up"]
        ):
            likely = []  # `df = 1` of somebody who begins there
        for quantity in (fitting or likely)[:1]:
            key = quantity.what, quantity.of, quantity.by
            if key not in found or not found[key][0]:  # of two spellings the one that is right
                found[key] = bool(fitting), quantity
    return [quantity for _, quantity in found.values()]


def _directions(q: Quantity, wrt: str) -> tuple[str, ...]:
    """How somebody goes who names this: from the output down, from the leaf up, or line by line."""
    if q.what is What.LOCAL:
        return ("up", "line") if q.by == wrt else ("line",)
    return ("down",) if q.what is What.ADJOINT else ("up",)


def kinds(forward: Forward, wrt: str, name: str) -> list[What]:
    """What a name can be, the likelier first."""
    read = spelling((*forward.leaves, *forward.nodes)).readings
    return list(dict.fromkeys(what for what, _, _ in _ways(forward, wrt, read(name))))


def says_only_by(forward: Forward, name: str) -> bool:
    """Whether it is a name such as `grad_a`: it may be something else."""
    return any(not of for of, _ in spelling((*forward.leaves, *forward.nodes)).readings(name))


def total(forward: Forward, local: Mapping[tuple[str, str], float], of: str, by: str) -> float:
    """d(of)/d(by) over all paths, from the local derivatives."""
    known = {by: 1.0}
    for line in forward.lines:
        if line.name != by:
            known[line.name] = sum(known[i] * local[line.name, i] for i in line.inputs if i in known)
    return known.get(of, 0.0)


def _ways(forward: Forward, wrt: str, readings: Sequence[tuple[str, str]]) -> Iterator[tuple[What, str, str]]:
    """What a name with these readings can be, the likelier first."""
    for of, by in readings:
        if not of:
            yield from ((What.ADJOINT, forward.output, by),) if by not in (forward.output, wrt) else ()
            continue
        if of == by == forward.output:
            yield What.ADJOINT, of, by
        if by not in upstream(forward, of) or (of, by) == (forward.output, wrt):
            continue
        direct = by in forward.line(of).inputs
        alone = direct and not any(by in upstream(forward, i) for i in forward.line(of).inputs)
        if of == forward.output:
            yield What.ADJOINT, of, by
        elif not direct:
            yield What.TOTAL, of, by
        if direct and not (alone and of == forward.output):
            yield What.LOCAL, of, by
            if not alone and of != forward.output:
                yield What.TOTAL, of, by
    for of, by in readings:
        if not of and by not in forward.leaves:
            inputs = [i for i in forward.line(by).inputs if i == wrt or wrt in upstream(forward, i)]
            if by != forward.output and inputs not in ([], [wrt]):
                yield What.TOTAL, by, wrt  # `da` of somebody who goes from the leaf up
            if len(inputs) == 1:  # `da` of somebody who names the derivative of each line
                yield (What.ADJOINT if by == forward.output else What.LOCAL), by, inputs[0]


@lru_cache(maxsize=1024)
def upstream(forward: Forward, node: str) -> frozenset[str]:
    """The nodes and leaves that `node` is computed from."""
    found: set[str] = set()
    if node not in forward.leaves:
        for name in forward.line(node).inputs:
            found |= {name, *upstream(forward, name)}
    return frozenset(found)


def _fits(forward: Forward, quantity: Quantity, references: Sequence[Reference]) -> bool:
    """Whether it is right as what it is taken for, at every point."""
    for number, reference in zip(quantity.numbers, references, strict=True):
        if quantity.what is What.ADJOINT:
            truth, scale = reference.adjoints[quantity.by], reference.scales[quantity.by]
        elif quantity.what is What.LOCAL:
            truth = scale = reference.local[quantity.of, quantity.by]
        else:
            truth = total(forward, reference.local, quantity.of, quantity.by)
            scale = total(forward, {edge: abs(d) for edge, d in reference.local.items()}, quantity.of, quantity.by)
        if not abs(number - truth) <= TOLERANCE * max(abs(scale), FLOOR):
            return False
    return True


def _finite(number: Number) -> bool:
    return number.kind == "number" and abs(number.value) < _MOST
