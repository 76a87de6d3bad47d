"""Judging the chain link by link: each adjoint that a student named, given the student's own adjoints further up.

An adjoint that was not named is bridged: the chain rule carries the nearest named ones across it. So one wrong link is
one wrong link, and what follows from it consistently is not wrong a second time.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from autograder.calculus import points
from autograder.calculus.graph import Forward
from autograder.calculus.reference import Reference
from autograder.student.protocol import Answer, Number, Reply

TOLERANCE = points.TOLERANCE
"""Of S, the scale: equal forms differ by up to 2e-6·S in float32, so that ten times that is safe (facts in docs)."""
FLOOR = points.FLOOR


class Status(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    UNNAMED = "unnamed"


@dataclass(frozen=True)
class Trace:
    """One point: what each adjoint should be given those further up, and what is used for it below."""

    reference: Reference
    named: Mapping[str, float]
    expected: Mapping[str, float]
    used: Mapping[str, float]
    """The student's own number where there is one, else what follows."""
    scales: Mapping[str, float]


@dataclass(frozen=True)
class Link:
    """One adjoint on the way from the output to the leaf asked for, over all points."""

    node: str
    status: Status
    counts: bool
    """Whether it may earn: right with a non-zero value from non-zero adjoints above, at some point."""


class Chain:
    """The links of one reply at several points, from the output towards the leaf."""

    def __init__(
        self,
        forward: Forward,
        wrt: str,
        pairs: Sequence[tuple[Reference, Answer]],
        unnamed: Collection[str] = (),
        allowances: Mapping[str, float] | None = None,
    ) -> None:
        """`unnamed`: nodes whose names are to be ignored; `allowances`: more room for these at the first point."""
        self.forward, self.wrt = forward, wrt
        self.path = path(forward, wrt)
        self._allowances = allowances or {}
        # A name counts as named if it holds a finite number at every point.
        names = {n: forward.adjoint(n) for n in (*forward.leaves, *forward.nodes) if n != wrt and n not in unnamed}
        named = [n for n, d in names.items() if all(d in a.adjoints and _finite(a.adjoints[d]) for _, a in pairs)]
        self.traces = [
            _trace(forward, r, {**{n: a.adjoints[names[n]].value for n in named}, wrt: a.results[1].value})
            for r, a in pairs
        ]
        self.links = [self._judge(node) for node in self.path if node != forward.output or node in named]

    def tolerance(self, node: str, trace: Trace) -> float:
        """How far the adjoint of `node` may be from what is expected at that point."""
        largest = max(t.scales[node] for t in self.traces)
        allowance = self._allowances.get(node, 0.0) if trace is self.traces[0] else 0.0
        return max(TOLERANCE * trace.scales[node], FLOOR * largest, allowance)

    @property
    def broken(self) -> Link | None:
        """The first wrong link on the way down from the output."""
        return next((link for link in self.links if link.status is Status.WRONG), None)

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

    def above(self, node: str) -> list[str]:
        """The adjoints that the one of `node` is judged by, as a student calls them; none for the output's."""
        bridged = {node, *self.bridged(node)}
        consumers = {c.name for n in bridged for c in self.forward.consumers(n)} - bridged
        return [self.forward.adjoint(n) for n in self.path if n in consumers and n in self.traces[0].named]

    def below(self, node: str) -> set[str]:
        """The nodes on the way whose adjoint is computed from that of `node`."""
        below = {node}
        for line in reversed(self.forward.lines):
            if line.name in below:
                below.update(line.inputs)
        return below - {node}

    def share(self) -> tuple[int, int]:
        """How many links earn, of how many."""
        links = [link for link in self.links if link.node != self.forward.output]
        return sum(link.counts for link in links), len(links)

    def _judge(self, node: str) -> Link:
        if node not in self.traces[0].named:
            return Link(node, Status.UNNAMED, counts=False)
        right = all(abs(t.named[node] - t.expected[node]) <= self.tolerance(node, t) for t in self.traces)
        counts = right and any(self._substantial(node, trace) for trace in self.traces)
        return Link(node, Status.RIGHT if right else Status.WRONG, counts)

    def _substantial(self, node: str, trace: Trace) -> bool:
        """Zeros follow from zeros: that earns nothing."""
        above = [trace.used[c.name] for c in self.forward.consumers(node)]
        return trace.expected[node] != 0 and trace.named[node] != 0 and any(above)


def _finite(number: Number) -> bool:
    return number.kind == "number" and math.isfinite(number.value)


def chain(
    forward: Forward, wrt: str, references: Sequence[Reference], reply: Reply, allowances: Mapping[str, float]
) -> Chain:
    """The chain of one reply. A name that is assigned again after its use holds another number at the return: such
    names are ignored where that explains more of the links.
    """
    pairs = list(zip(references, reply.answers, strict=True))
    plain = Chain(forward, wrt, pairs, (), allowances)
    again = [n for n in plain.path if forward.adjoint(n) in reply.reassigned and n != wrt]
    if plain.broken is None or not again:
        return plain
    without = Chain(forward, wrt, pairs, again, allowances)
    wrong = [sum(link.status is Status.WRONG for link in c.links) for c in (plain, without)]
    return without if wrong[1] < wrong[0] else plain


def path(forward: Forward, wrt: str) -> list[str]:
    """The output, then every node that depends on `wrt`, then `wrt`: in the order of the backward pass."""
    depends = {wrt}
    for line in forward.lines:
        if depends & set(line.inputs):
            depends.add(line.name)
    return [*(n for n in reversed(forward.nodes) if n in depends), wrt]


def _trace(forward: Forward, reference: Reference, named: Mapping[str, float]) -> Trace:
    expected = dict.fromkeys((*forward.leaves, *forward.nodes), 0.0)
    scales = dict(expected)
    used: dict[str, float] = {}
    sizes: dict[str, float] = {}
    expected[forward.output] = scales[forward.output] = 1.0
    for node in (*reversed(forward.nodes), *forward.leaves):
        for consumer in forward.consumers(node):
            local = reference.local[consumer.name, node]
            expected[node] += used[consumer.name] * local
            scales[node] += sizes[consumer.name] * abs(local)
        used[node] = named.get(node, expected[node])
        sizes[node] = abs(named[node]) if node in named else scales[node]
    return Trace(reference, named, expected, used, scales)
