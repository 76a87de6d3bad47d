"""The public points of a question: where the visible check looks beside the seed's point.

At one point alone a mistake can give the right number: a relu's gate where it is open, a factor that happens to be 1.
So a few more points are fixed by the question, chosen among points of a seed that is no secret: as long as a known slip
shows at none of those taken, the point that shows most of the rest is taken. They are chosen once for a question.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch

from autograder.calculus.admission import kinks
from autograder.calculus.graph import Forward
from autograder.calculus.points import Testbed
from autograder.calculus.reference import Point, Reference, adjoints, clean_torch, differentiate
from autograder.verdict.chain import Trace, path
from autograder.verdict.quantities import FLOOR, TOLERANCE
from autograder.verdict.slips import carried, slips

SEED = "points at which a slip is recognised; no secret"
FEWEST, MOST = 2, 6
"""Points beside the seed's: so many in any case, because not every mistake is a known slip, and never more."""
_CLEAR = 2
"""A slip shows where it changes the derivative by as many tolerances, so that rounding cannot hide it."""

_SPREAD = 10
"""At the seed's point the tolerance is at least this many times autograd's own float32 error there."""


@lru_cache(maxsize=64)
def visible(testbed: Testbed, at: tuple[tuple[str, float], ...]) -> tuple[Reference, dict[str, float], bool]:
    """What is true at a visible point, the `allowances` there, and whether a kink lies there."""
    point = dict(at)
    with clean_torch():
        reference = differentiate(testbed.forward, point)
        return reference, allowances(testbed.forward, reference), 0.0 in kinks(testbed.forward, point)


def points(testbed: Testbed, at: Point) -> tuple[Reference, ...]:
    """The public points beside `at`, the seed's."""
    return _choose(testbed, tuple(at.items()))


def allowances(forward: Forward, seed: Reference) -> dict[str, float]:
    """How far the adjoints may be off at the seed's point if that is more than the tolerance: float32 is no better."""
    single = adjoints(forward, seed.point, torch.float32)
    return {name: _SPREAD * abs(single[name] - adjoint) for name, adjoint in seed.adjoints.items()}


def further(testbed: Testbed, public: Sequence[Reference]) -> list[Reference]:
    """The public points and others of their seed, MOST in all: to tell one slip from another."""
    return [*public, *(r for r in testbed.draw(SEED, public=True) if r not in public)][:MOST]


@lru_cache(maxsize=64)
def _choose(testbed: Testbed, at: tuple[tuple[str, float], ...]) -> tuple[Reference, ...]:
    drawn = testbed.draw(SEED, public=True)
    seed, allowed, _ = visible(testbed, at)
    allowance = allowed[testbed.wrt]
    largest = max(r.scales[testbed.wrt] for r in (seed, *drawn))
    shown = [shows(testbed, r, max(TOLERANCE * r.scales[testbed.wrt], FLOOR * largest)) for r in drawn]
    left = set().union(*shown) - shows(testbed, seed, max(TOLERANCE * seed.scales[testbed.wrt], allowance))
    taken: list[int] = []
    while left and len(taken) < MOST:
        best = max(range(len(drawn)), key=lambda i: len(shown[i] & left))
        taken.append(best)
        left -= shown[best]
    sides = _sides(testbed, seed).union(*(_sides(testbed, drawn[i]) for i in taken))
    while len(taken) < MOST:
        new = [len(_sides(testbed, r) - sides) if i not in taken else -1 for i, r in enumerate(drawn)]
        if len(taken) >= FEWEST and not max(new):
            break
        taken.append(new.index(max(new)))
        sides |= _sides(testbed, drawn[taken[-1]])
    return tuple(drawn[i] for i in taken)


def _sides(testbed: Testbed, reference: Reference) -> set[tuple[str, bool]]:
    """On which side of 0 each argument is, where the derivative is not 0: an answer may be right on one side only."""
    alive = reference.adjoints[testbed.wrt]
    return {(name, value > 0) for name, value in reference.point.items()} if alive else set()


def shows(testbed: Testbed, reference: Reference, tolerance: float) -> set[int]:
    """Which slips of the question, by their number, change the derivative clearly at that point."""
    forward, wrt = testbed.forward, testbed.wrt
    true = reference.adjoints
    trace = Trace(reference, {}, true, true, reference.scales)
    found: list[bool] = []
    for node in path(forward, wrt)[1:]:
        reaches = carried(forward, trace, node, wrt)
        changes = (abs(slip.change(trace) * reaches) for slip in slips(forward, wrt, node))
        found += [change > _CLEAR * tolerance for change in changes]  # never where it is NaN, as of 1/0
    return {number for number, shown in enumerate(found) if shown}
