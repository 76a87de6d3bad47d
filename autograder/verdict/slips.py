"""The known slips of a question, generated from its graph, and recognised by their numbers at several points at once.

A slip replaces one share of one adjoint (upstream adjoint times local derivative) by what a student gets who makes one
typical mistake there. It is recognised only if it explains the student's number at every point, and named only as far
as the numbers can tell it from other slips.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from autograder.calculus.graph import Forward, Line
from autograder.verdict import function_rules
from autograder.verdict.chain import Chain, Trace
from autograder.verdict.function_rules import Rule, wrong_powers, wrong_rules
from autograder.verdict.quantities import TOLERANCE

# Where one of these gives the same numbers as a plainer slip, the plainer one is told.
_FAR_FETCHED = ("turned over", "local repeated", "wrong adjoint", "other local")
_FACTORS_MISSING = ("local dropped", "upstream dropped")
_NOT_OF_THE_LOCAL = ("path lost", "upstream dropped")

# A slip's share of an adjoint, at one point, instead of used[consumer] * local[consumer, node].
Share = Callable[[Trace], float]


@dataclass(frozen=True)
class Slip:
    """One mistake at one link: `kind` and the names say it, `share` computes it."""

    kind: str
    node: str
    """Whose adjoint is spoilt."""
    consumer: str = ""
    other: str = ""
    """The name that was taken instead, where the kind has one."""
    share: Share = field(repr=False, compare=False, default=lambda trace: 0.0)
    words: Mapping[str, str] = field(repr=False, compare=False, default_factory=dict)
    """Further words for the sentence that tells it."""

    def value(self, trace: Trace) -> float:
        """The spoilt adjoint of `node`, given the adjoints further up."""
        return trace.expected[self.node] + self.change(trace)

    def change(self, trace: Trace) -> float:
        """What the slip adds to the adjoint of `node`; NaN where it cannot be computed (1/0)."""
        try:
            spoilt = self.share(trace)
        except (ZeroDivisionError, OverflowError):
            return math.nan
        if not self.consumer:  # the whole adjoint is replaced
            return spoilt - trace.expected[self.node]
        return spoilt - trace.used[self.consumer] * trace.reference.local[self.consumer, self.node]


def slips(forward: Forward, wrt: str, node: str) -> Sequence[Slip]:
    """Every slip at the link of `node`, the likelier first."""
    return _remembered(forward, forward.helpers, wrt, node)


@lru_cache(maxsize=128)
def _remembered(forward: Forward, _: Hashable, wrt: str, node: str) -> Sequence[Slip]:
    """They are the same at every point, and the public points of a question are chosen among many."""
    order = {kind: n for n, kind in enumerate(KINDS)}
    return tuple(sorted(_slips(forward, wrt, node), key=lambda slip: order[slip.kind]))


KINDS = (
    "other leaf",
    "sign",
    "share's sign",
    "path lost",
    *function_rules.TELLING,
    "power not lowered",
    "exponent not brought down",
    "local dropped",
    "upstream dropped",
    "value for derivative",
    "values for derivatives",
    "input for derivative",
    "other input",
    *function_rules.GENERAL,
    "turned over",
    "local repeated",
    "wrong adjoint",
    "other local",
)


def _slips(forward: Forward, wrt: str, node: str) -> Iterator[Slip]:
    consumers = forward.consumers(node)
    yield Slip("sign", node, share=lambda t: -t.expected[node])
    if node == wrt:
        for leaf in forward.leaves:
            if leaf != wrt:
                yield Slip("other leaf", node, other=leaf, share=_used(leaf))
    for line in consumers:
        yield from _slips_of_share(forward, node, line, len(consumers) > 1)
    if len(consumers) > 1:
        names = [line.name for line in consumers]
        words = {"sites": f"{', '.join(names[:-1])} and {names[-1]}"}
        yield Slip("values for derivatives", node, share=_of_values(names), words=words)
    for rules in wrong_powers(forward, node):
        yield Slip(rules[0].kind, node, share=_with_all(rules), words=rules[0].words)


def _slips_of_share(forward: Forward, node: str, line: Line, fans_out: bool) -> Iterator[Slip]:
    """The share through `line` is used[line] times local[line, node]; each slip replaces one of the two."""
    c = line.name
    upstream, local, value = _used(c), _local(c, node), _value(node)

    def slip(kind: str, *factors: Share, other: str = "") -> Slip:
        return Slip(kind, node, c, other, _product(*factors))

    if fans_out:
        yield slip("share's sign", _number(-1), upstream, local)
        yield slip("path lost", _number(0))
    yield slip("local dropped", upstream)
    yield slip("local repeated", upstream, local, local)
    yield slip("turned over", upstream, lambda t: 1 / local(t))
    yield slip("value for derivative", upstream, _value(c))
    yield slip("input for derivative", upstream, value)
    for rule in wrong_rules(forward, line, node):
        yield Slip(rule.kind, node, c, rule.instead, _product(upstream, _by(rule)), rule.words)
    if c != forward.output:
        yield slip("upstream dropped", local)
    for name in _further_up(forward, node):
        if name not in (c, forward.output):
            yield slip("wrong adjoint", _used(name), local, other=forward.adjoint(name))
    for into in forward.lines:
        for source in into.inputs:
            if into.name == c and source != node:
                yield slip("other input", upstream, _local(c, source), other=source)
            elif into.name != c:
                yield slip("other local", upstream, _local(into.name, source), other=f"d{into.name}/d{source}")


def _further_up(forward: Forward, node: str) -> list[str]:
    """The nodes whose adjoints can be known before that of `node`."""
    below = {node}
    for line in reversed(forward.lines):
        if line.name in below:
            below.update(line.inputs)
    return [n for n in forward.nodes if n not in below]


def _used(name: str) -> Share:
    return lambda t: t.used[name]


def _local(node: str, by: str) -> Share:
    return lambda t: t.reference.local[node, by]


def _value(name: str) -> Share:
    return lambda t: t.reference.values[name]


def _of_values(names: Sequence[str]) -> Share:
    return lambda t: sum(t.used[name] * t.reference.values[name] for name in names)


def _number(number: float) -> Share:
    return lambda t: number


def _by(rule: Rule) -> Share:
    return lambda t: rule.local(t.reference)


def _with_all(rules: Sequence[Rule]) -> Share:
    """The whole adjoint of the rules' node, with each of them in its place."""

    def adjoint(t: Trace) -> float:
        changes = (
            t.used[r.site.line.name] * (r.local(t.reference) - t.reference.local[r.site.line.name, r.site.node])
            for r in rules
        )
        return t.expected[rules[0].site.node] + sum(changes)

    return adjoint


def _product(*factors: Share) -> Share:
    return lambda t: math.prod([factor(t) for factor in factors])  # a generator takes half as long again


def recognise(chain: Chain, node: str) -> list[Slip]:
    """The slips that explain the student's adjoint of `node` at every point, there or at a link bridged above it."""
    found: list[Slip] = []
    for at in (node, *chain.bridged(node)):
        for slip in slips(chain.forward, chain.wrt, at):
            if _explains(chain, node, slip):
                found.append(slip)
    return found


def is_any_number(chain: Chain, slip: Slip) -> bool:
    """Whether another line's derivative would be blamed that is one number at every point: a 2 comes from anywhere."""
    if slip.kind != "other local":
        return False
    of, by = slip.other[1:].split("/d")
    return len({t.reference.local[of, by] for t in chain.traces}) == 1


def _explains(chain: Chain, node: str, slip: Slip) -> bool:
    hidden = {node, *chain.bridged(node)}
    for trace in chain.traces:
        spoilt = trace.expected[node] + slip.change(trace) * carried(chain.forward, trace, slip.node, node, hidden)
        allowed = max(chain.tolerance(node, trace), TOLERANCE * abs(spoilt))
        if not abs(spoilt - trace.named[node]) <= allowed:
            return False
    return True


def carried(forward: Forward, trace: Trace, top: str, node: str, through: set[str] | None = None) -> float:
    """d(top)/d(node): how a change of the adjoint of `top` arrives at that of `node`, only `through` these nodes."""
    total = {top: 1.0}
    for line in reversed(forward.lines):
        if line.name in total:
            for name in line.inputs:
                if through is None or name in through:
                    total[name] = total.get(name, 0.0) + total[line.name] * trace.reference.local[line.name, name]
    return total.get(node, 0.0)


def is_no_slip(chain: Chain, slip: Slip) -> bool:
    """Whether the slip equals the truth at every point, to rounding: then it is no mistake on this domain."""
    return all(abs(slip.change(t)) <= 1e-12 * max(t.scales[slip.node], 1e-300) for t in chain.traces)


def told(found: Sequence[Slip], chain: Chain, node: str) -> Sequence[Slip]:
    """What the numbers allow to be said: the slips of one link (equal in number), or signs anywhere, or nothing."""
    if found and all(slip.kind == "sign" for slip in found[:1]) and _turned(chain, node):
        rules = [slip for slip in found if slip.kind in function_rules.TELLING and not chain.bridged(node)]
        return rules or [slip for slip in found if slip.kind == "sign"]
    found = most_telling(found)
    if len({slip.node for slip in found}) != 1:
        return _told_best(found)
    return [slip for slip in found if slip.kind not in _FAR_FETCHED] or found


def most_telling(found: Sequence[Slip]) -> Sequence[Slip]:
    """Of the slips that spoil the same local derivative only those that say most of it."""
    least: dict[tuple[str, str], int] = {}
    for slip in found:
        at = slip.node, slip.consumer
        least[at] = min(_rank(slip), least.get(at, _rank(slip)))
    return [slip for slip in found if _rank(slip) == least[slip.node, slip.consumer] or slip.kind in _NOT_OF_THE_LOCAL]


def _told_best(found: Sequence[Slip]) -> Sequence[Slip]:
    """Of the slips of several links a wrong rule, if the others only say that factors are missing, as it does too."""
    rules = [slip for slip in found if slip.kind in function_rules.TELLING]
    others = [slip for slip in found if slip not in rules and slip.kind not in (*_FAR_FETCHED, *_FACTORS_MISSING)]
    return rules if len({slip.node for slip in rules}) == 1 and not others else []


def _rank(slip: Slip) -> int:
    if slip.kind in function_rules.TELLING:
        return 0
    return 3 if slip.kind in _FAR_FETCHED else 2 if slip.kind in function_rules.GENERAL else 1


def _turned(chain: Chain, node: str) -> bool:
    return all(abs(t.named[node] + t.expected[node]) <= chain.tolerance(node, t) for t in chain.traces)
