"""Judging the chain link by link: each derivative that a student named, given the student's own numbers around it.

An adjoint is judged by the adjoints further up, a total derivative by those further down, a local derivative by its
line alone. What was not named is bridged: the chain rule carries the nearest named numbers across it, with the
student's own local derivatives where there are any. So one wrong link is one wrong link, and what follows from it
consistently is not wrong a second time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import isfinite
from types import MappingProxyType

from autograder.calculus.graph import Forward, Line
from autograder.calculus.reference import Reference
from autograder.student.protocol import Answer
from autograder.verdict.quantities import (
    FLOOR,
    LOCAL_FLOOR,
    TOLERANCE,
    Quantity,
    What,
    quantities,
    upstream,
)

Edge = tuple[str, str]
"""(node, input): one local derivative."""


class Status(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    UNNAMED = "unnamed"


@dataclass(frozen=True)
class Trace:
    """One point: what each adjoint should be given those further up, and what is used for it below."""

    reference: Reference
    named: Mapping[str, float]
    """Adjoints by node: named as such, or as far as they follow from local derivatives that were named."""
    expected: Mapping[str, float]
    used: Mapping[str, float]
    """The student's own number where there is one, else what follows."""
    scales: Mapping[str, float]
    local: Mapping[Edge, float] = field(default_factory=dict)
    """The student's own local derivatives, else the true ones."""
    follows: Mapping[str, float] = field(default_factory=dict)
    """What each adjoint should be given those further up and the student's own local derivatives."""
    totals: Mapping[Edge, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Link:
    """One derivative on the way from the output to the leaf asked for, over all points."""

    node: str
    """By which it is a derivative; `of` is the node whose derivative it is."""
    status: Status
    what: What
    of: str
    name: str
    """As the student calls it; as the course does where it was not named."""
    given: tuple[float, ...] = ()
    expected: tuple[float, ...] = ()
    rooms: tuple[float, ...] = ()
    """How far it may be from what is expected."""


class Chain:
    """The links of one reply at several points, from the output towards the leaf."""

    def __init__(
        self,
        forward: Forward,
        wrt: str,
        pairs: Sequence[tuple[Reference, Answer]],
        taken_as: Mapping[str, What | None] = MappingProxyType({}),
        allowances: Mapping[str, float] | None = None,
    ) -> None:
        """`taken_as`: what some names are, if not None; `allowances`: more room for adjoints at the first point."""
        self.forward, self.wrt = forward, wrt
        self.path = path(forward, wrt)
        self._allowances = allowances or {}
        self.own = quantities(forward, wrt, pairs, taken_as)
        self._called = {(q.of, q.by): q.name for q in self.own if q.what is What.ADJOINT}
        self.traces = [
            _trace(forward, wrt, r, [(q, q.numbers[n]) for q in self.own], a.results[1].value)
            for n, (r, a) in enumerate(pairs)
        ]
        self.links = list(self._links())

    def tolerance(self, node: str, trace: Trace) -> float:
        """How far the adjoint of `node` may be from what is expected at that point."""
        largest = max(t.scales[node] for t in self.traces)
        allowance = self._allowances.get(node, 0.0) if trace is self.traces[0] else 0.0
        return max(TOLERANCE * trace.scales[node], FLOOR * largest, allowance)

    @property
    def broken(self) -> Link | None:
        """The first wrong link on the way down from the output."""
        return next((link for link in self.links if link.status is Status.WRONG), None)

    @property
    def wrong(self) -> int:
        """How many links are wrong."""
        return sum(link.status is Status.WRONG for link in self.links)

    def called(self, node: str) -> str:
        """The adjoint of `node`, as the student calls it or else as the course does."""
        return self._called.get((self.forward.output, node), self.forward.adjoint(node))

    def link(self, what: What, of: str, by: str) -> Link | None:
        """The link that was named so."""
        key = (what, of, by)
        return next((k for k in self.links if (k.what, k.of, k.node) == key and k.status is not Status.UNNAMED), None)

    def bridged(self, node: str) -> list[str]:
        """The unnamed nodes that lie between `node` and the nearest named ones above it."""
        found: list[str] = []
        open_ends = [node]
        while open_ends:
            for consumer in self.forward.consumers(open_ends.pop()):
                name = consumer.name
                if name not in self.traces[0].named and name != self.forward.output and name not in found:
                    found.append(name)
                    open_ends.append(name)
        return [n for n in self.path if n in found]

    def above(self, link: Link) -> list[str]:
        """The names that a link is judged by; none for a local derivative and for the adjoint next to the output."""
        if link.what is What.LOCAL:
            return []
        if link.what is What.TOTAL:
            inputs = self.forward.line(link.of).inputs
            return [q.name for q in self.own if q.of in inputs and q.by == link.node]
        names: dict[str, None] = {}
        todo, seen = [link.node], set[str]()
        while todo:
            for line in self.forward.consumers(todo.pop()):
                adjoint = self.link(What.ADJOINT, self.forward.output, line.name)
                if adjoint:
                    names[adjoint.name] = None
                elif line.name not in seen:
                    seen.add(line.name)
                    todo.append(line.name)
        if link.node == self.wrt or not names:
            names.update({q.name: None for q in self.own if q.what is What.LOCAL and self._leads_to(q, link)})
        order = {k.name: n for n, k in enumerate(self.links)}
        return sorted((n for n in names if n in order), key=order.__getitem__)

    def depends(self, link: Link, broken: Link) -> bool:
        """Whether `link` is computed from what is broken, if both are computed as the chain rule says."""
        if link is broken or link.what is What.LOCAL:
            return False
        if broken.what is What.TOTAL:
            return link.node == self.wrt and (link.what is What.ADJOINT or broken.of in upstream(self.forward, link.of))
        if link.what is What.TOTAL:
            return broken.what is What.LOCAL and broken.of in {link.of, *upstream(self.forward, link.of)}
        below = upstream(self.forward, broken.node)
        return link.node in below or (broken.what is What.LOCAL and link.node == broken.node)

    def _leads_to(self, quantity: Quantity, link: Link) -> bool:
        return quantity.by == link.node or link.node in upstream(self.forward, quantity.by)

    def _links(self) -> Iterator[Link]:
        output = self.forward.output
        by_kind = {(q.what, q.of, q.by): q for q in self.own}
        known = {q.of for q in self.own if q.by == self.wrt} | {q.by for q in self.own}
        for node in self.path:
            for line in self._in_order(self.forward.consumers(node)):
                if local := by_kind.get((What.LOCAL, line.name, node)):
                    yield self._local(local)
            if adjoint := by_kind.get((What.ADJOINT, output, node)):
                yield self._adjoint(adjoint)
            elif node not in (*known, output, self.wrt):
                yield Link(node, Status.UNNAMED, What.ADJOINT, output, self.forward.adjoint(node))
        places = {n: at for at, n in enumerate((*self.forward.leaves, *self.forward.nodes))}
        on_the_way = {*self.path}  # a total derivative by another argument is nobody's link
        totals = [q for q in self.own if q.what is What.TOTAL and {q.of, q.by} <= on_the_way]
        for quantity in sorted(totals, key=lambda q: (places[q.of], q.by)):
            yield self._total(quantity)
        given = tuple(t.named[self.wrt] for t in self.traces)
        yield self._adjoint(Quantity(What.ADJOINT, output, self.wrt, self.called(self.wrt), given))

    def _in_order(self, lines: Sequence[Line]) -> list[Line]:
        return [line for n in self.path for line in lines if line.name == n]

    def _local(self, q: Quantity) -> Link:
        truths = tuple(t.reference.local[q.of, q.by] for t in self.traces)
        largest = max(map(abs, truths), default=0.0)
        rooms = tuple(max(TOLERANCE * abs(d), LOCAL_FLOOR * largest) for d in truths)
        return _judged(q, [truths], rooms)

    def _adjoint(self, q: Quantity) -> Link:
        node = q.by
        rooms = tuple(self.tolerance(node, t) for t in self.traces)
        ways = [tuple(t.expected[node] for t in self.traces), tuple(t.follows[node] for t in self.traces)]
        if node == self.wrt and any(q.what is What.TOTAL for q in self.own):
            for above in self.path[:-1]:  # the adjoint down to there, and the total derivative from there on
                if above == self.forward.output or self._all_pass(above):
                    ways.append(tuple(t.used[above] * self._up(t, above, node) for t in self.traces))
        return _judged(q, ways, rooms)

    def _total(self, q: Quantity) -> Link:
        ways = [
            tuple(sum(self._shares(t, q, t.local)) for t in self.traces),
            tuple(sum(self._shares(t, q, t.reference.local)) for t in self.traces),
        ]
        sizes = tuple(sum(map(abs, self._shares(t, q, t.local))) for t in self.traces)
        rooms = tuple(max(TOLERANCE * s, FLOOR * max(sizes)) for s in sizes)
        return _judged(q, ways, rooms)

    def _shares(self, trace: Trace, q: Quantity, local: Mapping[Edge, float]) -> list[float]:
        """What each input of `of` adds to d(of)/d(by), by the student's own numbers where there are any."""
        below = up(self.forward, trace, q.by)
        return [local[q.of, i] * below[i] for i in self.forward.line(q.of).inputs if i in below]

    def _up(self, trace: Trace, of: str, by: str) -> float:
        """d(of)/d(by) as it follows from what the student named."""
        return up(self.forward, trace, by).get(of, 0.0)

    def _all_pass(self, node: str) -> bool:
        """Whether every path from the output to the leaf goes through it."""
        around = {self.wrt}
        for line in self.forward.lines:
            if line.name != node and around & set(line.inputs):
                around.add(line.name)
        return self.forward.output not in around


def up(forward: Forward, trace: Trace, by: str) -> dict[str, float]:
    """The derivatives of all nodes by `by`, as they follow from what the student named."""
    found = {by: 1.0}
    for line in forward.lines:
        if line.name != by and (inputs := [i for i in line.inputs if i in found]):
            follows = sum(found[i] * trace.local[line.name, i] for i in inputs)
            found[line.name] = trace.totals.get((line.name, by), follows)
    return found


def path(forward: Forward, wrt: str) -> list[str]:
    """The output, then every node that depends on `wrt`, then `wrt`: in the order of the backward pass."""
    return [*(n for n in reversed(forward.nodes) if wrt in upstream(forward, n)), wrt]


def _judged(q: Quantity, ways: Sequence[tuple[float, ...]], rooms: tuple[float, ...]) -> Link:
    """Right if it is, at every point, what one of the ways to compute it gives; the first of them is expected."""
    rooms = tuple(room if isfinite(room) else 0.0 for room in rooms)
    for expected in ways:
        if all(abs(a - b) <= room for a, b, room in zip(q.numbers, expected, rooms, strict=True)):
            return Link(q.by, Status.RIGHT, q.what, q.of, q.name, q.numbers, expected, rooms)
    return Link(q.by, Status.WRONG, q.what, q.of, q.name, q.numbers, ways[0], rooms)


def _trace(
    forward: Forward, wrt: str, reference: Reference, own: Sequence[tuple[Quantity, float]], result: float
) -> Trace:
    adjoints = {q.by: number for q, number in own if q.what is What.ADJOINT} | {wrt: result}
    locals_ = {(q.of, q.by): number for q, number in own if q.what is What.LOCAL}
    totals = {(q.of, q.by): number for q, number in own if q.what is What.TOTAL}
    local = {**reference.local, **locals_}
    expected = dict.fromkeys((*forward.leaves, *forward.nodes), 0.0)
    scales, follows = dict(expected), dict(expected)
    named: dict[str, float] = {}
    used: dict[str, float] = {}
    sizes: dict[str, float] = {}
    expected[forward.output] = scales[forward.output] = follows[forward.output] = 1.0
    for node in (*reversed(forward.nodes), *forward.leaves):
        edges = [(consumer.name, node) for consumer in forward.consumers(node)]
        for edge in edges:
            expected[node] += used[edge[0]] * reference.local[edge]
            follows[node] += used[edge[0]] * local[edge]
            scales[node] += sizes[edge[0]] * abs(reference.local[edge])
        if node in adjoints:
            named[node] = adjoints[node]
        elif any(edge in locals_ for edge in edges):
            named[node] = follows[node]
        used[node] = named.get(node, expected[node])
        sizes[node] = abs(used[node]) if node in named else scales[node]
    return Trace(reference, named, expected, used, scales, local, follows, totals)
