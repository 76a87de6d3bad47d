"""Which known slips explain a wrong link: at an adjoint, at a local derivative, at a total derivative.

The slips of `slips` are mistakes in one share of an adjoint: what comes from above times a local derivative. A wrong
local derivative is such a share from 1; a wrong total derivative has such a share from each input of its node.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from autograder.verdict.chain import Chain, Link, up
from autograder.verdict.quantities import TOLERANCE, What, upstream
from autograder.verdict.slips import Slip, is_any_number, most_telling, recognise, slips, told

_ONLY_ABOVE = ("sign", "other leaf", "upstream dropped", "wrong adjoint", "share's sign", "path lost")
"""Slips that a local or total derivative cannot have, or has in a way of its own."""


def explained(chain: Chain, link: Link) -> Sequence[Slip]:
    """What may be told of a wrong link: the slips that explain its numbers at every point, as far as they can tell."""
    if link.what is What.ADJOINT:
        found = told(recognise(chain, link.node), chain, link.node)
        return [slip for slip in found if not is_any_number(chain, slip)]
    if _same(link, [-number for number in link.expected]):
        return [Slip("sign", link.node, link.of)]
    return most_telling([slip for slip, numbers in _candidates(chain, link) if _same(link, numbers)])


def as_total(chain: Chain, link: Link) -> Link | None:
    """The result as a total derivative, if the student went from the leaf up: made of those of the output's inputs."""
    inputs = [i for i in chain.forward.line(chain.forward.output).inputs if i in chain.path]
    known = {q.of for q in chain.own if q.by == link.node} | {link.node}
    from_below = any(q.what is What.TOTAL for q in chain.own) and known.issuperset(inputs)
    return replace(link, what=What.TOTAL) if link is chain.links[-1] and from_below else None


def spoilt_shares(chain: Chain, link: Link) -> set[str]:
    """The lines above (of an adjoint) or the inputs in whose share alone a slip explains what is wrong."""
    if link.what is What.ADJOINT:
        return {slip.consumer for slip in recognise(chain, link.node) if slip.node == link.node}
    return {slip.node for slip, numbers in _candidates(chain, link) if _same(link, numbers)}


def _candidates(chain: Chain, link: Link) -> Iterator[tuple[Slip, list[float]]]:
    """Every slip in one share of a local or total derivative, with the numbers that it leads to; the likelier first."""
    forward, local = chain.forward, link.what is What.LOCAL
    inputs = [i for i in forward.line(link.of).inputs if i == link.node or link.node in upstream(forward, i)]
    nowhere = dict.fromkeys((*forward.leaves, *forward.nodes), math.nan)
    for source in [link.node] if local else inputs:
        views = []
        for trace, expected in zip(chain.traces, link.expected, strict=True):
            before = 1.0 if local else up(forward, trace, link.node)[source]
            views.append(replace(trace, expected={**nowhere, source: expected}, used={**nowhere, link.of: before}))
        if not local and len(inputs) > 1:
            shares = [v.used[link.of] * v.local[link.of, source] for v in views]
            yield Slip("share's sign", source, link.of), _less(link, [2 * share for share in shares])
            yield Slip("path lost", source, link.of), _less(link, shares)
        for slip in slips(forward, chain.wrt, source):
            if slip.consumer == link.of and slip.kind not in _ONLY_ABOVE:
                yield slip, [view.expected[source] + slip.change(view) for view in views]
        if not local and source != link.node and len(inputs) == 1:
            yield Slip("upstream dropped", source, link.of), [v.local[link.of, source] for v in views]


def _less(link: Link, shares: Sequence[float]) -> list[float]:
    return [whole - share for whole, share in zip(link.expected, shares, strict=True)]


def _same(link: Link, numbers: Sequence[float]) -> bool:
    rows = zip(link.given, numbers, link.rooms, strict=True)
    return all(abs(a - b) <= max(room, TOLERANCE * abs(b)) for a, b, room in rows)
