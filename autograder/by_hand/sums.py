"""A number as a weighted sum of others: what cancels by algebra is told from what cancels because a step is small.

`x + h - x` is `h`, however small that is; `f(x + h) - f(x)` is a difference of two values. Where the weights are those
of a derivative, the step need not be small.
"""

from __future__ import annotations

from autograder.by_hand.values import Number, Terms, as_number, numbers_in

_MOST_TERMS = 12
_ONE = as_number(1)


def terms_of(number: Number) -> Terms:
    if number.exact is not None:
        return {(1, 1): (_ONE, number.whole)}
    return number.terms or {(number.whole, number.half): (number, 1)}


def combined_terms(name: str, a: Number, b: Number) -> Terms:
    """The sum that `a` op `b` is; empty if it is something else, or long."""
    if name in ("add", "sub"):
        made, sign = dict(terms_of(a)), -1 if name == "sub" else 1
        for key, (atom, weight) in terms_of(b).items():
            before = made.get(key, (atom, 0))[1]
            after = before + sign * weight
            made[key] = atom, after if abs(after) > 1e-12 * abs(before) else 0
        made = {key: (atom, weight) for key, (atom, weight) in made.items() if weight}
        return made if len(made) <= _MOST_TERMS else {}
    number, other = (b, a) if b.exact is not None or name == "div" else (a, b)
    if name not in ("mult", "div") or number.exact is None or not number.whole:
        return {}
    by = number.whole if name == "mult" else 1 / number.whole
    return {key: (atom, weight * by) for key, (atom, weight) in terms_of(other).items()}


def largest_term(terms: Terms) -> float:
    return max((abs(weight * atom.whole) for atom, weight in terms.values()), default=0.0)


def stencil_rule(terms: Terms, divided: bool = True) -> str:
    """The rule that a derivative's weights break: of four points they are no chance, of two they may be algebra.

    Two that nothing divides must be even about a place: `f(x + 1) - f(x)` is a term of a sum that telescopes.
    """
    calls = [(atom.call, weight) for atom, weight in terms.values()]
    if len({(call[:1], len(call)) for call, _ in calls}) != 1 or not calls[0][0]:
        return ""
    rows = [numbers_in(call[1:]) for call, _ in calls]
    moved = [n for n in zip(*rows, strict=False) if any((v.whole, v.half) != (n[0].whole, n[0].half) for v in n)]
    if len(moved) != 1 or len({*map(len, rows)}) != 1 or any(n.exact is not None for n in moved[0]):
        return ""  # constants may be indices: `(U(3, x) - U(1, x)) / 2` is a recurrence
    at = [n.whole for n in moved[0]]

    def moment(power: int, around: complex) -> complex:
        return sum((weight * (x - around) ** power for (_, weight), x in zip(calls, at, strict=True)), 0j)

    if abs(moment(0, 0)) > 1e-9 or abs(abs(moment(1, 0)) - 1) > 1e-6:
        return ""
    constants = sum((terms_of(n).get((1, 1), (_ONE, 0j))[1] for n in moved[0]), 0j)
    if not divided and len(calls) == 2 and constants:
        return ""
    middle = at[0] + moment(2, at[0]) / moment(1, 0) / 2
    return "differences" if len(calls) > 3 and abs(moment(3, middle)) < 1e-6 else "difference-like"
