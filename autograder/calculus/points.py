"""The points a derivative is tested at: fixed by a seed, inside the domain, where equal forms agree.

A point is drawn again where it is lazy (0, ±1 or two equal arguments let slips pass), nearer than 0.25 to a kink,
not finite, or so badly conditioned that autograd itself disagrees between float32 and float64 by more than 5e-6·S:
there, honest answers could not agree either. Public points are multiples of 1/64, which print shortly; hidden ones lie
between these, so that a table of derivatives that autograd has filled on a grid has none of them.

Where paths cancel, |g| is small beside S, and so is what a slip changes beside the tolerance. At one point at least a
result that is wrong by one per cent must be refused, whatever rounding does to it; else no seed of that domain is any
good. What must be told, 0.01·|g|, is therefore more than the tolerance and float32's share, with a factor 2 to spare:
|g| > 2·(2e-5 + 5e-6)·S/0.01 = S/200. Measured on 52 graphs (those of tests/calculus/passes.py, and a sine less a sine
1.001 to 1.1 times as large) at 18,600 points: a result one per cent off, in float64 and in float32, passed only where
|g| was below S/501, and honest forms in float32 were off by up to 7.7e-6·S.
"""

from __future__ import annotations

import ast
import random
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

import torch

from autograder.calculus.admission import kinked, kinks
from autograder.calculus.graph import Forward, Line
from autograder.calculus.reference import Point, Reference, adjoints, clean_torch, differentiate
from autograder.errors import QuestionError

TOLERANCE = 2e-5
"""Of S: an answer may be as far from the derivative."""
FLOOR = 1e-9
"""Of the largest S: less is no difference at any point."""
COUNT = 24
GRID = 64
"""Public coordinates are k/64: exact in binary, so that they print exactly and float32 holds them."""
_FINE = 1 << 15
"""Hidden coordinates are a quarter to half a step beside these, in odd parts of 1/32768: exact in binary, too."""
KINK_MARGIN = 0.25
FLOAT32_AGREEMENT = 5e-6
TOLD = 2 * (TOLERANCE + FLOAT32_AGREEMENT) / 0.01
"""Of S: how large |g| must be at one point."""
_ATTEMPTS = 100 * COUNT
_SEEDS = 20
"""Numbers that a seed is drawn on with: seed, then seed/1, seed/2 …"""
_LAZY = (0.0, 1.0, -1.0)
# Of 24 points at least 8 lie on each side of a kink, and 4 on each side of 0 where the domain has both signs.
_LEAST_BY_KINK = COUNT // 3
_LEAST_BY_SIGN = COUNT // 6

Domain = Mapping[str, tuple[float, float]]
Side = tuple[str, int, bool]
"""Of which kink, or of 0 for which argument, and whether it is the positive one."""
_REPEATS, _IS_LAZY, _NEAR_KINK, _NOT_FINITE, _DISAGREE = "repeats", "lazy", "near a kink", "not finite", "disagree"
_WORDS = {
    _REPEATS: f"It holds too few points, because coordinates are multiples of 1/{GRID}: choose a wider domain.",
    _IS_LAZY: "At too many of its points an argument is 0, 1 or -1, or two arguments are equal: choose a wider domain.",
    _NEAR_KINK: f"Too many of its points are nearer than {KINK_MARGIN} to a kink: choose a wider domain.",
    _NOT_FINITE: "At too many of its points a value or a derivative is not finite (a division by 0, log or sqrt of a "
    "negative number): choose a domain without such points.",
    _DISAGREE: "At too many of its points float32 and float64 disagree, because numbers get too large or paths cancel: "
    "choose a domain where they stay moderate.",
}

_drawn: dict[tuple[Testbed, int | str, bool], tuple[Reference, ...]] = {}
_MOST_DRAWN = 64


class Testbed:
    """Draws points for one forward pass, and remembers those drawn."""

    def __init__(self, forward: Forward, wrt: str, domain: Domain) -> None:
        self.forward, self.wrt, self.domain = forward, wrt, domain
        self._grid = {n: (-int(-lo * GRID // 1), int(hi * GRID // 1)) for n, (lo, hi) in domain.items()}
        self._same: Hashable = (forward, wrt, tuple(sorted(domain.items())), forward.helpers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Testbed) and self._same == other._same

    def __hash__(self) -> int:
        return hash(self._same)

    def draw(self, seed: int | str, tries: int = _SEEDS, public: bool = False) -> tuple[Reference, ...]:
        """COUNT references; the same question made anew, as for the next submission, need not draw them again.

        Where `seed` gives no good points, `seed/1` is tried, then `seed/2` …, so that no student meets a bad seed;
        QuestionError if none of `tries` is good.
        """
        if (self, seed, public) not in _drawn:
            drawn = self._draw_on(seed, tries, public)
            while len(_drawn) >= _MOST_DRAWN:
                del _drawn[next(iter(_drawn))]
            _drawn[self, seed, public] = drawn
        return _drawn[self, seed, public]

    def _draw_on(self, seed: int | str, tries: int, public: bool) -> tuple[Reference, ...]:
        first = ""
        for number in range(tries):
            taken, why = self._draw(f"{seed}/{number}" if number else seed, public)
            if not why:
                return taken
            first = first or why
            if tries < _SEEDS and 2 * len(taken) < COUNT:  # an author waits, and no next number will find them all
                break
        raise QuestionError(first)

    def draw_once(self, seed: int | str) -> tuple[Reference, ...]:
        """COUNT references at points fixed by this very seed; QuestionError if it cannot give them."""
        taken, why = self._draw(seed)
        if why:
            raise QuestionError(why)
        return taken

    def _draw(self, seed: int | str, public: bool = False) -> tuple[tuple[Reference, ...], str]:
        """References at points fixed by `seed`, and why they will not do; "" if they will."""
        with clean_torch():
            taken, refused = self._collect(seed, public)
        return tuple(taken), self._poor(taken, refused)

    def _collect(self, seed: int | str, public: bool) -> tuple[list[Reference], Counter[str | Side]]:
        chance, beside = (random.Random(f"{self.forward.name}:{seed}{to}") for to in ("", ":beside"))
        taken: list[Reference] = []
        seen: set[tuple[float, ...]] = set()
        sides: Counter[Side] = Counter()
        refused: Counter[str | Side] = Counter()
        for _ in range(_ATTEMPTS):
            point = {n: chance.randint(lo, hi) / GRID for n, (lo, hi) in self._grid.items()}
            coordinates = tuple(point.values())
            why: str | Side | None = _REPEATS if coordinates in seen else self._lazy(point)
            if not public:
                point = {n: self._between(n, value, beside) for n, value in point.items()}
            if why is None:
                gaps = kinks(self.forward, point)
                mine = self._sides(point, gaps)
                if any(abs(gap) < KINK_MARGIN for gap in gaps):
                    why = _NEAR_KINK
                else:
                    why = next((side for side, most in mine if sides[side] >= most), None)
            if why is None:
                reference = differentiate(self.forward, point)
                why = self._ill(reference)
            if why:
                refused[why] += 1
                continue
            seen.add(coordinates)
            sides.update(side for side, _ in mine)
            taken.append(reference)
            if len(taken) == COUNT:
                break
        return taken, refused

    def _between(self, name: str, value: float, chance: random.Random) -> float:
        """A number between multiples of 1/GRID, next to `value` and in the domain, if that has such a number."""
        step = (2 * chance.randrange(_FINE // GRID // 8, _FINE // GRID // 4) + 1) / _FINE
        low, high = self.domain[name]
        return next((v for v in (value + step, value - step) if low <= v <= high), value)

    def _lazy(self, point: Point) -> str | None:
        if any(v in _LAZY for v in point.values()) or len(set(point.values())) < len(point):
            return _IS_LAZY
        return None

    def _sides(self, point: Point, gaps: list[float]) -> list[tuple[Side, int]]:
        signed = [(n, i) for i, (n, (lo, hi)) in enumerate(self._grid.items()) if lo < 0 < hi]
        return [(("sign", i, point[n] > 0), COUNT - _LEAST_BY_SIGN) for n, i in signed] + [
            (("kink", i, gap > 0), COUNT - _LEAST_BY_KINK) for i, gap in enumerate(gaps)
        ]

    def _ill(self, reference: Reference) -> str | None:
        if not reference.finite:
            return _NOT_FINITE
        single = adjoints(self.forward, reference.point, torch.float32)
        for name, adjoint in reference.adjoints.items():
            if not abs(single[name] - adjoint) <= FLOAT32_AGREEMENT * reference.scales[name]:
                return _DISAGREE
        return None

    def _poor(self, taken: list[Reference], refused: Counter[str | Side]) -> str:
        name, wrt = self.forward.name, self.wrt
        where = ", ".join(f"{n} in [{lo}, {hi}]" for n, (lo, hi) in self.domain.items())
        if len(taken) < COUNT:
            ((why, _),) = refused.most_common(1)
            words = _WORDS[why] if isinstance(why, str) else self._one_sided(why)
            return f"{name}: the domain {where} gives only {len(taken)} of {COUNT} test points. {words}"
        if not any(r.scales[wrt] for r in taken):
            return (
                f"{name}: on the domain {where} the derivative with respect to `{wrt}` is 0 at every test point, so "
                "there is nothing to answer. Change the forward pass or the domain."
            )
        if not any(telling(taken, wrt)):
            return (
                f"{name}: on the domain {where} the paths to `{wrt}` cancel to less than 1/{1 / TOLD:g} of their size "
                "at every test point, so a slip could not be told from rounding. Change the forward pass or the domain."
            )
        return ""

    def _one_sided(self, side: Side) -> str:
        of, at, positive = side
        sign = "positive" if positive else "negative"
        if of == "sign":
            name = list(self.domain)[at]
            return (
                f"`{name}` is {sign} at nearly all its points that can be used; at least {_LEAST_BY_SIGN} of {COUNT} "
                f"test points must be on each side of 0. Choose a domain that reaches further on both sides, or one "
                f"with `{name}` on one side only."
            )
        lines = kinked(self.forward, {n: (lo + hi) / 2 for n, (lo, hi) in self.domain.items()})
        line = lines[at]
        looked_at = _looked_at(line) if lines.count(line) == 1 else ""
        what = f"`{looked_at}` is {sign}" if looked_at else "you are on the same side of the kink"
        return (
            f"In the line `{line.text}`, {what} at nearly all its points; at least {_LEAST_BY_KINK} of {COUNT} test "
            "points must be on each side. Choose a domain that reaches both sides."
        )


def telling(references: Sequence[Reference], wrt: str) -> list[bool]:
    """At which points a derivative that is wrong by one per cent is surely told from the right one."""
    least = FLOOR / TOLERANCE * max(r.scales[wrt] for r in references)
    return [abs(r.adjoints[wrt]) > TOLD * max(r.scales[wrt], least) for r in references]


def _looked_at(line: Line) -> str:
    """What a relu or abs, the whole of the line, is taken of; "" for other lines."""
    match ast.parse(line.expression, mode="eval").body:
        case ast.Call(func=ast.Name(id="relu" | "abs") | ast.Attribute(attr="relu" | "abs"), args=[operand]):
            return ast.unparse(operand)
        case ast.Call(func=ast.Attribute(attr="relu" | "abs", value=operand), args=[]):
            return ast.unparse(operand)
    return ""
