"""The known wrong rules of functions: what a student takes for the derivative of a sigmoid, a logarithm, a quotient.

A wrong rule stands in the place of the right one at one site of a line, wherever that is; everything around it stays
right. So a student who forgets a square reads that, and not only that a number is wrong.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from autograder.calculus.graph import Forward, Line
from autograder.calculus.reference import Reference
from autograder.verdict.formulas import FORMULAS, computed, fits, told
from autograder.verdict.operations import has_epsilon
from autograder.verdict.sites import Around, Site, sites, text

# The derivative of u ** n by each wrong rule, from n, what is around it, and the point.
_OF_POWERS: Mapping[str, Callable[[float, Around, Reference], float]] = {
    "power not lowered": lambda n, a, _: a.right * a.arguments[0],
    "exponent not brought down": lambda n, a, _: a.right / n,
    "lowered exponent brought down": lambda n, a, _: a.right / n * (n - 1),
    "integrated": lambda n, a, _: a.value * a.arguments[0] / (n + 1) * a.inner[0],
}
_OF_ALL_POWERS: Mapping[str, Callable[[float, Around, Reference], float]] = {
    "powers not lowered": _OF_POWERS["power not lowered"],
    "exponents not brought down": _OF_POWERS["exponent not brought down"],
    "powers themselves": lambda n, a, _: a.value * a.inner[0],
    "powers integrated": _OF_POWERS["integrated"],
}
TELLING = (
    "quotient turned over",
    "denominator not squared",
    "quotient added",
    "term of the rule lost",
    "derivatives multiplied",
    "derivatives added",
    "derivatives divided",
    "denominator squared",
    "denominator lost",
    "numerator lost",
    "output for input",
    "input for value",
    "factor of the rule lost",
    "rule of tanh",
    "rule of the sigmoid",
    "sign in the rule",
    "not squared",
    "gate left open",
    "gate turned over",
    "gate of another",
    "rule of a power",
    "exponent as a factor",
    "sine and cosine",
    "inner part lost",
    "inner part and its derivative lost",
    "inner derivative lost",
    "lowered exponent brought down",
    "integrated",
    *_OF_ALL_POWERS,
    "wrong rule",
)
"""Kinds that say more than the general slips of a link with the same numbers; the likelier first."""
GENERAL = ("outer derivative lost", "function itself", "argument itself", "sign of the function")
"""Kinds that say no more than those. The two of a power stand among the general slips."""


@dataclass(frozen=True)
class Rule:
    """One wrong rule at one site."""

    kind: str
    instead: str
    """What is taken instead, in the names of the line."""
    words: Mapping[str, str]
    """Of the site, for the sentence that tells it."""
    site: Site
    derivative: Callable[[Around, Reference], float]
    """Of the site by the node, by this rule."""

    def local(self, reference: Reference) -> float:
        """The derivative of the line by the node, by this rule; NaN where the rule gives no real number."""
        try:
            around = self.site.around(reference)
            return around.line + around.outer * (float(self.derivative(around, reference)) - around.right)
        except Exception:  # 1/0, a log of a negative number, or a part of the line that is no real scalar
            return math.nan


def wrong_rules(forward: Forward, line: Line, node: str) -> Iterator[Rule]:
    """Every wrong rule at every site of `line` that takes `node`, beside what the general slips of a link hold."""
    for site in sites(forward, line, node):
        words = _words(site)

        def rule(
            kind: str,
            instead: str,
            derivative: Callable[[Around, Reference], float],
            site: Site = site,
            words: Mapping[str, str] = words,
            **more: str,
        ) -> Rule:
            return Rule(kind, instead, {**words, "instead": _quoted(instead), **more}, site, derivative)

        if site.function in ("u*v", "u/v"):
            yield from _of_two(site, rule)
        elif site.function == "u/c":
            yield from _of_numerator(site, rule)
        else:
            yield from _of_argument(site, rule)
            yield from _of_formulas(site, rule)
        if site.function == "u**n":
            yield from _of_power(site, rule)
        if site.function == "c/v":
            yield from _of_denominator(site, rule)
        if site.function == "relu":
            yield from _of_gate(site, rule)


_Make = Callable[..., Rule]


def _of_formulas(site: Site, rule: _Make) -> Iterator[Rule]:
    """The rules of the table, for a function that has one."""
    right, wrong = FORMULAS.get(site.function, ("", {}))
    for formula, kind in wrong.items():

        def derivative(a: Around, reference: Reference, formula: str = formula) -> float:
            return computed(formula, a) * a.inner[0] if fits(right, a) else math.nan

        yield rule(kind, told(formula, site), derivative, right=_quoted(told(right, site)))


def _of_argument(site: Site, rule: _Make) -> Iterator[Rule]:
    """The function or its argument in the place of its derivative, and what is lost of an inner part."""
    argument, node = site.arguments[0], site.node
    inner, stripped = text(argument), site.stripped
    called = site.function not in ("u**n", "a**v", "c/v")
    if called:
        yield rule("output for input", _value(site), lambda a, r: site.own_at(a.value, r) * a.inner[0])
    if not isinstance(argument, ast.Name) and not has_epsilon(argument):
        yield rule("inner derivative lost", inner, lambda a, _: a.own[0])
        if stripped is not argument:
            at = text(stripped)
            yield rule("inner part lost", at, lambda a, r: site.own_at(site.value_of(stripped, r), r) * a.inner[0])
        if not isinstance(stripped, ast.Name):
            yield rule("inner part lost", node, lambda a, r: site.own_at(r.values[node], r) * a.inner[0])
            yield rule("inner part and its derivative lost", node, lambda a, r: site.own_at(r.values[node], r))
    if called and not (site.is_whole and isinstance(argument, ast.Name)):
        yield rule("argument itself", inner, lambda a, _: a.arguments[0] * a.inner[0])
    if not site.is_plain:
        if site.function != "c/v":
            yield rule("function itself", text(site.part), lambda a, _: a.value * a.inner[0])
        if called:
            yield rule("outer derivative lost", text(site.part), lambda a, _: a.inner[0])
        if not site.is_whole:
            yield rule("sign of the function", text(site.part), lambda a, _: -a.right)


def _of_power(site: Site, rule: _Make) -> Iterator[Rule]:
    exponent = f"{site.exponent:g}"
    for kind, derivative in _OF_POWERS.items():
        if site.exponent not in (0, 1) and (kind, site.exponent) != ("lowered exponent brought down", 2):
            made = partial(derivative, site.exponent)
            yield rule(kind, text(site.part), made, other=exponent, node=_quoted(text(site.arguments[0])))


def wrong_powers(forward: Forward, node: str) -> Iterator[list[Rule]]:
    """The same wrong rule at every power of `node`, where several are taken: 3*x**2 + 8*x**3 for x**3 and x**4."""
    found = [s for line in forward.consumers(node) for s in sites(forward, line, node) if s.function == "u**n"]
    powers = [site for site in found if site.exponent not in (0, 1)]
    inside = [p for s in powers for operand in s.arguments for p in ast.walk(operand)]
    if len(powers) < 2 or any(s.part in inside for s in powers):
        return
    *others, last = (_quoted(text(site.part)) for site in powers)
    words = {"sites": f"{', '.join(others)} and {last}"}
    for kind, derivative in _OF_ALL_POWERS.items():
        yield [Rule(kind, node, words, s, partial(derivative, s.exponent)) for s in powers]


def _of_gate(site: Site, rule: _Make) -> Iterator[Rule]:
    """relu's slope decided by another node than the one that relu is taken of."""
    for name in (*site.forward.leaves, *site.forward.nodes):
        if name not in (site.node, site.line.name):
            yield rule("gate of another", f"{name} > 0", lambda a, r, name=name: (r.values[name] > 0) * a.inner[0])


def _of_two(site: Site, rule: _Make) -> Iterator[Rule]:
    """A product or a quotient of operands that all hold the node: x * sin(x), x / (1 + x**2)."""
    of = text(site.part)
    for n, operand in enumerate(site.arguments):
        yield rule("term of the rule lost", text(operand), lambda a, _, n=n: a.right - a.own[n] * a.inner[n])
    if site.function == "u*v":
        yield rule("derivatives multiplied", of, lambda a, _: a.value / math.prod(a.arguments) * math.prod(a.inner))
        yield rule("derivatives added", of, lambda a, _: a.value / math.prod(a.arguments) * sum(a.inner))
        return
    yield rule("quotient turned over", of, lambda a, _: -a.right)
    yield rule("denominator not squared", of, lambda a, _: a.right * a.arguments[1])
    yield rule("denominator lost", of, lambda a, _: a.right * a.arguments[1] ** 2)
    yield rule("quotient added", of, lambda a, _: a.own[0] * a.inner[0] - a.own[1] * a.inner[1])
    yield rule("derivatives divided", of, lambda a, _: a.inner[0] / a.inner[1])


def _of_numerator(site: Site, rule: _Make) -> Iterator[Rule]:
    yield rule("denominator squared", text(site.part), lambda a, _: a.right / a.beside)
    if not site.is_plain:
        yield rule("denominator lost", text(site.part), lambda a, _: a.right * a.beside)


def _of_denominator(site: Site, rule: _Make) -> Iterator[Rule]:
    yield rule("denominator not squared", text(site.part), lambda a, _: a.right * a.arguments[0])
    yield rule("denominator lost", text(site.part), lambda a, _: a.right * a.arguments[0] ** 2)
    if not isinstance(site.beside, ast.Constant):
        yield rule("numerator lost", text(site.part), lambda a, _: a.right / a.beside)


def _words(site: Site) -> dict[str, str]:
    words = {
        "site": _quoted(text(site.part)),
        "value": _quoted(_value(site)),
        "inner": _quoted(text(site.arguments[0])),
        "function": text(site.part.func) if isinstance(site.part, ast.Call) else _quoted(text(site.part)),
    }
    if isinstance(site.part, ast.BinOp):
        words |= {"above": _quoted(text(site.part.left)), "below": _quoted(text(site.part.right))}
    return words


def _quoted(code: str) -> str:
    """As messages have it: a name as it is, a formula between backticks."""
    return code if code.isidentifier() else f"`{code}`"


def _value(site: Site) -> str:
    """What the value of the site is called: the line's own name, if the line is nothing else."""
    return site.line.name if site.is_whole else text(site.part)
