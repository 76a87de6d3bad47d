"""How an adjoint was put together from derivatives that were named: a factor left out, taken twice, divided by.

Each of them may be right, as the table of links says, and the line that multiplies them wrong. What is told of that
line is told in the names that stand in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from autograder.verdict.chain import Chain, Link, Trace
from autograder.verdict.quantities import TOLERANCE, Quantity, What

_FACTORS: Mapping[str, Callable[[float], float]] = {
    "factor left out": lambda d: 1.0,
    "factor twice": lambda d: d * d,
    "factor divided by": lambda d: 1 / d,
    "part left out": lambda d: 0.0,
    "part's sign": lambda d: -d,
}


_OF_VARYING = ("factor twice", "factor divided by")
"""Told only of what is not one number at every point: with a number, 2 for one, another mistake would do as well."""


def factors(chain: Chain, link: Link) -> list[Quantity]:
    """What an adjoint is made of, from its node up to the first adjoints that were named; none if no local derivative
    is among it.
    """
    if link.what is not What.ADJOINT:
        return []
    own = {_key(q): q for q in chain.own}
    found: list[Quantity] = []
    for node in _nodes(chain, link):
        for line in chain.forward.consumers(node):
            keys = (What.LOCAL, line.name, node), (What.ADJOINT, chain.forward.output, line.name)
            found += [own[key] for key in keys if key in own and own[key] not in found]
    return found if any(q.what is What.LOCAL for q in found) else []


def _nodes(chain: Chain, link: Link) -> list[str]:
    """The node of a link and those above it whose adjoints were not named."""
    output = chain.forward.output
    named = {output, *(q.by for q in chain.own if q.what is What.ADJOINT)}
    nodes = [link.node]
    for node in nodes:  # it grows
        nodes += [n.name for n in chain.forward.consumers(node) if n.name not in named and n.name not in nodes]
    return nodes


def _key(q: Quantity) -> tuple[What, str, str]:
    return q.what, q.of, q.by


def is_made_of_named(chain: Chain, link: Link) -> bool:
    """Whether every derivative that the adjoint is made of was named, but for those that are 1 whatever the point."""
    output, made_of = chain.forward.output, {_key(q) for q in factors(chain, link)}
    edges = [(line.name, node) for node in _nodes(chain, link) for line in chain.forward.consumers(node)]
    left = [e for e in edges if not made_of & {(What.LOCAL, *e), (What.ADJOINT, output, e[1])}]
    return bool(made_of) and all(t.reference.local[e] == 1 for e in left for t in chain.traces)


def mistakes(chain: Chain, link: Link) -> Iterator[tuple[str, str]]:
    """The kinds of mistake in putting an adjoint together that explain its numbers at every point, each with the name
    that it was made with.
    """
    made_of = factors(chain, link)
    if not made_of or not any(link.given):
        return
    if _same(link, [-e for e in link.expected]):
        yield "product's sign", ""
        return
    found = False
    for kind, spoilt in _FACTORS.items():
        for q in made_of:
            if kind in _OF_VARYING and len(set(q.numbers)) == 1:
                continue
            if _same(link, [_put_together(chain, t, link, q, spoilt) for t in chain.traces]):
                yield kind, q.name
                found = True
                if kind.startswith("part"):  # all that stand in it are left out together
                    return
    for other in chain.links:
        if not found and other is not link and other.given:
            if _same(link, other.given):
                yield "factor alone", other.name
            elif len(set(other.given)) > 1 and _same(link, _times(link.expected, other.given)):
                yield "factor too many", other.name


def _put_together(chain: Chain, trace: Trace, link: Link, q: Quantity, spoilt: Callable[[float], float]) -> float:
    """The adjoint by the student's numbers, the one of `q` spoilt."""
    forward, nodes = chain.forward, _nodes(chain, link)
    above = {forward.output: 1.0} | {n: trace.used[n] for n in forward.nodes if n not in (forward.output, *nodes)}
    local = dict(trace.local)
    try:
        if q.what is What.LOCAL:
            local[q.of, q.by] = spoilt(local[q.of, q.by])
        else:
            above[q.by] = spoilt(above[q.by])
    except ZeroDivisionError:
        return math.nan
    for node in (*reversed(forward.nodes), *forward.leaves):
        if node in nodes:
            above[node] = sum(above[c.name] * local[c.name, node] for c in forward.consumers(node))
    return above[link.node]


def _times(a: Sequence[float], b: Sequence[float]) -> list[float]:
    return [x * y for x, y in zip(a, b, strict=True)]


def _same(link: Link, numbers: Sequence[float]) -> bool:
    rows = zip(link.given, numbers, link.rooms, strict=True)
    return all(abs(a - b) <= max(room, TOLERANCE * abs(b)) for a, b, room in rows)
