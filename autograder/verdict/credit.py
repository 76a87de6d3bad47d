"""Partial credit: how many of the local derivatives on the way are shown to be known.

What is counted is the same whatever a student names: the local derivatives d(node)/d(input) between the output and the
leaf. One is shown by its own name, by the adjoint of its input (which is that of its node times it), or by the total
derivative of its node. Where an adjoint is a sum and one of its terms is wrong, the others are still shown. One that is
0 or 1 whatever the point says nothing and is not counted; zeros that follow from zeros, and one number for every point,
earn nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from autograder.verdict.chain import Chain, Edge, Link, Status, up
from autograder.verdict.quantities import TOLERANCE, What
from autograder.verdict.recognition import spoilt_shares

Terms = Mapping[str, tuple[float, ...]]
"""What each line, or each input, adds to a sum, at every point."""


def share(chain: Chain) -> tuple[int, int]:
    """How many local derivatives are shown, of how many that say something."""
    counted = [edge for edge in edges(chain) if _says_something(chain, edge)]
    shown = _shown(chain)
    return sum(edge in shown for edge in counted), len(counted)


def edges(chain: Chain) -> list[Edge]:
    """The local derivatives on the way from the output to the leaf."""
    return [(line.name, node) for node in chain.path for line in chain.forward.consumers(node)]


def _says_something(chain: Chain, edge: Edge) -> bool:
    first, *others = (t.reference.local[edge] for t in chain.traces)
    return first not in (0.0, 1.0) or any(d != first for d in others)


def _shown(chain: Chain) -> set[Edge]:
    locals_ = {(k.of, k.node): k for k in chain.links if k.what is What.LOCAL}
    from_above = {(c, k.node) for k in chain.links if k.what is What.ADJOINT for c in _right_terms_above(chain, k)}
    totals = [k for k in chain.links if k.what is What.TOTAL]
    result = chain.links[-1]
    if totals:  # the derivative of the output from those of its inputs
        totals.append(result)
    from_below = {(k.of, i) for k in totals if k.node == chain.wrt for i in _right_terms_below(chain, k)}
    shown = from_above | from_below
    for edge, link in locals_.items():
        alone = edge[1] != chain.wrt or bool(totals)  # else the result must use it as well
        named = any(k.what is What.ADJOINT and k.node == edge[1] and k.given for k in chain.links)
        if link.status is Status.WRONG or not any(link.expected):
            shown.discard(edge)
        elif alone and not (named and edge[1] != chain.wrt):
            shown.add(edge)
    return shown


def _right_terms_above(chain: Chain, link: Link) -> set[str]:
    """The lines whose share of this adjoint is right."""
    if link.status is Status.UNNAMED:
        return set()
    consumers = [line.name for line in chain.forward.consumers(link.node)]
    terms = {c: tuple(t.used[c] * t.local[c, link.node] for t in chain.traces) for c in consumers}
    if link.node == chain.wrt and link.status is Status.RIGHT and not _is_sum(link, terms):
        return set()  # it follows from total derivatives, not from the adjoints above

    return _right_terms(chain, link, terms)


def _right_terms_below(chain: Chain, link: Link) -> set[str]:
    """The inputs whose share of this total derivative, or of the result, is right."""
    inputs = [i for i in chain.forward.line(link.of).inputs if i in chain.path]
    below = [up(chain.forward, trace, link.node) for trace in chain.traces]
    terms = {i: tuple(d[i] * t.local[link.of, i] for d, t in zip(below, chain.traces, strict=True)) for i in inputs}
    if link.of == chain.forward.output and link.status is Status.RIGHT and not _is_sum(link, terms):
        return set()
    return _right_terms(chain, replace(link, what=What.TOTAL), terms)


def _is_sum(link: Link, terms: Terms) -> bool:
    sums = map(sum, zip(*terms.values(), strict=True))
    return all(abs(a - b) <= room for a, b, room in zip(link.given, sums, link.rooms, strict=True))


def _right_terms(chain: Chain, link: Link, terms: Terms) -> set[str]:
    """The terms of a sum that are right: all if the sum is, all but one if one wrong term explains what is given."""
    telling = {name for name, numbers in terms.items() if any(numbers)}
    if not any(link.given):
        return set()
    if link.status is Status.RIGHT:
        return telling
    if len(terms) < 2 or len(set(link.given)) == 1:
        return set()
    spoilt = spoilt_shares(chain, link)
    for name, numbers in terms.items():
        others = [sum(t[at] for n, t in terms.items() if n != name) for at in range(len(link.given))]
        left = [a - b for a, b in zip(link.given, others, strict=True)]
        if name in spoilt or _is_multiple(left, numbers, link.rooms):
            return telling - {name}
    return set()


def _is_multiple(given: Sequence[float], of: Sequence[float], rooms: Sequence[float]) -> bool:
    """Whether one number, 0 included, times the right term is what is there in its place, at every point."""
    size = math.fsum(t * t for t in of)
    if not size:
        return False
    by = math.fsum(a * t for a, t in zip(given, of, strict=True)) / size
    return all(abs(a - by * t) <= max(r, TOLERANCE * abs(a)) for a, t, r in zip(given, of, rooms, strict=True))
