"""Wrong rules of functions, as students write them: named where the numbers allow it, and nothing is named wrongly."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence

import pytest
import torch

from autograder import Question, messages
from autograder.verdict import function_rules
from autograder.verdict.chain import Chain, Trace
from autograder.verdict.formulas import FORMULAS
from autograder.verdict.function_rules import wrong_rules
from autograder.verdict.judge import Kind
from autograder.verdict.slips import Slip, is_no_slip, recognise, slips, told
from tests.conftest import Class, make_question
from tests.verdict.chains import Slipped, chain_of
from tests.verdict.derivations import FURTHER, GRAPHS, IN_ONE_LINE, NAMED, RIGHT

RULES = (*function_rules.TELLING, *function_rules.GENERAL)
SEED, OTHER_SEED = "s1", "s2"
SEEN = 7
"""As many points as a visible check looks at."""


def answer(graph: str, old: str, new: str) -> str:
    """The right derivation of a graph, spoilt in one place."""
    assert RIGHT[graph].count(old) == 1, f"{old} stands {RIGHT[graph].count(old)} times in {graph}"
    return textwrap.dedent(RIGHT[graph].replace(old, new))


def one_line(graph: str, before: str, value: str, derivative: str) -> str:
    question = GRAPHS[graph]
    head = f"def grad_{question.name}({', '.join(question.forward.leaves)}):"
    return f"{head}\n    {before}\n    return {value}, {derivative}\n"


WRONG = [
    *((graph, answer(graph, old, new), kind) for graph, old, new, kind in NAMED),
    *((graph, one_line(graph, *lines), kind) for graph, *lines, kind in IN_ONE_LINE),
]


def chain_at(student: Class, question: Question, source: str, seed: str) -> Chain:
    verdict = student.verdict(question, source, seed)
    assert verdict.kind is Kind.WRONG_DERIVATIVE, verdict.text
    assert verdict.chain is not None
    return verdict.chain


def told_of(chain: Chain) -> Sequence[Slip]:
    assert chain.broken is not None
    return told(recognise(chain, chain.broken.node), chain, chain.broken.node)


@pytest.mark.parametrize("graph", RIGHT)
def test_the_derivation_that_is_spoilt_below_is_right(graph: str, student: Class) -> None:
    assert student.verdict(GRAPHS[graph], RIGHT[graph], SEED).right


def test_the_corpus_holds_a_derivation_of_every_kind() -> None:
    assert len(WRONG) >= 77
    assert {kind for _, _, kind in WRONG} >= {*RULES, *SENTENCES}


@pytest.mark.parametrize("graph", GRAPHS)
def test_wrong_rules_are_named_and_none_wrongly(
    graph: str, student: Class, record_property: Callable[[str, object], None]
) -> None:
    question, named, total = GRAPHS[graph], 0, 0
    for of, source, kind in WRONG:
        if of == graph:
            said = told_of(chain_at(student, question, source, SEED))
            assert not said or kind in {slip.kind for slip in said}, f"{said} was told of\n{source}"
            elsewhere = chain_at(student, question, source, OTHER_SEED)
            again = recognise(elsewhere, elsewhere.broken.node if elsewhere.broken else "")
            assert all(slip in again for slip in said), f"{said} explains these numbers at one seed only\n{source}"
            named, total = named + bool(said), total + 1
    assert named >= 0.75 * total
    record_property("tally", (graph, "wrong rules named", named, total))


SENTENCES = {
    "quotient turned over": "It has the numerator of the quotient rule in the wrong order: it is `u'*v - u*v'`, with "
    "u = x and v = `1 + x ** 2`.",
    "quotient added": "It adds the two parts of the quotient rule: the numerator is `u'*v - u*v'`, with u = x and "
    "v = `1 + x ** 2`.",
    "derivatives divided": "It divides the derivatives of numerator and denominator: the derivative of "
    "`x / (1 + x ** 2)` is `(u'*v - u*v')/v**2`, with u = x and v = `1 + x ** 2`.",
    "derivatives multiplied": "It multiplies the derivatives of the factors: the derivative of `x * sin(x)` has a term "
    "for each factor: `d(x * sin(x))/dx = x*cos(x) + sin(x)`.",
    "derivatives added": "It adds the derivatives of the factors: in the derivative of `x * sin(x)` each is multiplied "
    "by the other factors: `d(x * sin(x))/dx = x*cos(x) + sin(x)`.",
    "term of the rule lost": "It takes `1 + x ** 2` in `x / (1 + x ** 2)` for a constant, but it depends on x, too",
    "values for derivatives": "It uses a, b, c and d themselves instead of their derivatives with respect to x.",
    "denominator not squared": "It does not square b, the denominator of `a / b`: `d(a / b)/db = -a/b**2`.",
    "denominator squared": "It squares r, the denominator of `x / r`, which does not depend on x: `d(x / r)/dx = 1/r`.",
    "denominator lost": "It lacks `8`, the denominator of `a / 8`: `d(a / 8 + b + c)/da = 1/8`.",
    "numerator lost": "It lacks a, the numerator of `a / b`: `d(a / b)/db = -a/b**2`.",
    "output for input": "It takes the derivative of sig at a instead of at v, and so applies sig twice: "
    "`d(sig(v))/dv = sig(v)*(1 - sig(v))`.",
    "input for value": "It uses `v * (1 - v)`, but the derivative of `sig(v)` is made of its value: it is "
    "`a * (1 - a)`.",
    "factor of the rule lost": "It lacks a factor in `1 - a`: the derivative of `sig(v)` is `a * (1 - a)`.",
    "rule of tanh": "It uses `1 - a ** 2`, as for tanh: the derivative of `sig(v)` is `a * (1 - a)`.",
    "rule of the sigmoid": "It uses `f * (1 - f)`, as for the sigmoid: the derivative of `tanh(e)` is `1 - f ** 2`.",
    "sign in the rule": "It has a wrong sign in `a * (1 + a)`: the derivative of `sig(v)` is `a * (1 - a)`.",
    "not squared": "It lacks a square in `1 - f`: the derivative of `tanh(e)` is `1 - f ** 2`.",
    "gate left open": "It takes the derivative of `relu(v)` to be 1 everywhere, but it is 0 where v < 0.",
    "gate turned over": "It takes the derivative of `relu(v)` to be 1 where v < 0, but it is 0 there, and 1 where "
    "v > 0.",
    "gate of another": "It looks whether `x > 0`, but the derivative of `relu(v)` is 1 where v > 0, and 0 elsewhere.",
    "rule of a power": "It uses `d * exp(d - 1)`, the rule of a power, but d is the exponent: the derivative of "
    "`exp(d)` is f.",
    "exponent as a factor": "It has the exponent as a factor in `d * exp(d)`: the derivative of `exp(d)` is f.",
    "sine and cosine": "It uses `-sin(x)` as the derivative of `sin(x)`: that of sin is cos, and that of cos is -sin.",
    "wrong rule": "It uses `a ** 2`, but the derivative of `sig(v)` is `a * (1 - a)`.",
    "inner part lost": "It takes the derivative of log at d instead of at `d + 1`: `d(log(d + 1))/dd = 1/(d + 1)`.",
    "inner part and its derivative lost": "It takes the derivative of log at a instead of at `1 + exp(a)`, and lacks "
    "the derivative of `1 + exp(a)` as a factor: ",
    "inner derivative lost": "It lacks the derivative of `1 + exp(-a)`, the inner part of `1 / (1 + exp(-a))`, as a "
    "factor: ",
    "lowered exponent brought down": "It has the lowered power of `x ** 4` as a factor instead of 4, the power itself: "
    "`d(8 * x ** 4)/dx = 32*x**3`.",
    "integrated": "It raises the power in `x ** 3` and divides by it, which is the integral: `d(3 * x ** 3)/dx = "
    "9*x**2`.",
    "powers not lowered": "It does not lower the powers in `x ** 2`, `x ** 3` and `x ** 4` by one: the derivative of "
    "`x**n` is `n*x**(n - 1)`.",
    "exponents not brought down": "It lacks the powers in `x ** 2`, `x ** 3` and `x ** 4` as factors: the derivative "
    "of `x**n` is `n*x**(n - 1)`.",
    "powers themselves": "It uses `x ** 2`, `x ** 3` and `x ** 4` themselves instead of their derivatives: that of "
    "`x**n` is `n*x**(n - 1)`.",
    "powers integrated": "It raises the powers in `x ** 2`, `x ** 3` and `x ** 4` and divides by them, which is the "
    "integral: the derivative of `x**n` is `n*x**(n - 1)`.",
    "outer derivative lost": "It has only the derivative of `w * x + b`: multiply it by that of tanh at `w * x + b`",
    "function itself": "It uses `5 * a * a` itself instead of its derivative: ",
    "argument itself": "It uses `d + 1` itself instead of the derivative of `log(d + 1)`: `d(log(d + 1))/dd = "
    "1/(d + 1)`.",
    "sign of the function": "It has the wrong sign in the derivative of `sin(x)`: `d(x * sin(x))/dx = x*cos(x) + "
    "sin(x)`.",
}


@pytest.mark.parametrize("kind", SENTENCES)
def test_a_wrong_rule_is_told_in_one_sentence_in_the_names_of_the_line(kind: str, student: Class) -> None:
    graph, source = next((graph, source) for graph, source, of in WRONG if of == kind)
    text = student.verdict(GRAPHS[graph], source, SEED).text
    assert f" {SENTENCES[kind]}" in text


def test_no_sentence_of_a_wrong_rule_can_hold_a_number_of_a_point() -> None:
    """Its words are names, formulas of the question and formulas of the table."""
    question = GRAPHS["q6"]
    references = question._testbed.draw(SEED)
    values = {f"{v:.4g}" for r in references for v in (*r.values.values(), *r.adjoints.values()) if v % 1}
    for line in question.forward.lines:
        for node in line.inputs:
            for rule in wrong_rules(question.forward, line, node):
                assert not any(value in word for word in rule.words.values() for value in values)


def same_numbers(a: Slip, b: Slip, chain: Chain) -> bool:
    return a.node == b.node and all(
        abs(a.change(t) - b.change(t)) <= 2e-5 * max(t.scales[a.node], abs(a.change(t))) for t in chain.traces
    )


def links(question: Question) -> list[str]:
    first = list(question._testbed.draw(SEED))[:1]
    return [n for n in chain_of(question, Slipped(question, None, True), first).path if n != question.forward.output]


@pytest.mark.parametrize("graph", FURTHER)
def test_a_general_slip_is_told_as_itself_or_as_one_with_the_same_numbers(graph: str) -> None:
    question = GRAPHS[graph]
    seen, others = (list(question._testbed.draw(seed)) for seed in (SEED, OTHER_SEED))
    truth = chain_of(question, Slipped(question, None, named=True), seen + others)
    for slip in (s for node in links(question) for s in slips(question.forward, question.wrt, node)):
        computed = all(math.isfinite(slip.change(t)) for t in truth.traces)
        if slip.kind in RULES or not computed or is_no_slip(truth, slip):
            continue
        student = Slipped(question, slip, named=True)
        chain = chain_of(question, student, seen[:SEEN])
        if chain.broken is not None:
            said = told_of(chain)
            everywhere = chain_of(question, student, others)
            assert all(same_numbers(s, slip, everywhere) for s in said), f"{slip} was named {said}"


def _multiple(node: str, factor: float) -> Slip:
    return Slip("sign", node, share=lambda t: factor * t.expected[node])


def _chance(node: str, size: float) -> Slip:
    """Numbers that depend on the point, and on nothing that a derivative is made of."""

    def number(trace: Trace) -> float:
        return size * math.sin(1e4 * sum((n + 1) * v for n, v in enumerate(trace.reference.point.values())))

    return Slip("sign", node, share=number)


@pytest.mark.parametrize("graph", GRAPHS)
def test_multiples_and_chance_numbers_are_taken_for_no_wrong_rule(graph: str) -> None:
    question = GRAPHS[graph]
    points = list(question._testbed.draw(SEED))[:SEEN]
    for node in links(question):
        for wrong in (
            *(_multiple(node, factor) for factor in (1.01, 0.7, -1.3, 5.5, 1 / 7, 11.0)),
            *(_chance(node, size) for size in (0.01, 1.0, 40.0)),
        ):
            chain = chain_of(question, Slipped(question, wrong, named=True), points)
            assert [s for s in told_of(chain) if s.kind in RULES] == []


FUNCTIONS = {
    "sigmoid": "torch.sigmoid(a)",
    "tanh": "a.tanh()",
    "relu": "torch.nn.functional.relu(a - 1)",
    "exp": "torch.exp(a)",
    "a**v": "2.5 ** a",
    "sin": "torch.sin(a)",
    "cos": "torch.cos(a)",
    "tan": "torch.tan(a)",
    "sqrt": "torch.sqrt(a)",
    "cosh": "torch.cosh(a)",
}


def test_every_function_of_the_table_is_tried() -> None:
    assert set(FUNCTIONS) == set(FORMULAS)


def of_function(expression: str, **given: object) -> tuple[Question, list[function_rules.Rule]]:
    question = make_question(
        f"""
        @question(wrt="x", at={{"x": 0.5}}, domain={{"x": (0.25, 2)}})
        def p(x):
            a = 0.7 * x + 0.25
            f = {expression}
            return f
        """,
        **given,
    )
    return question, list(wrong_rules(question.forward, question.forward.line("f"), "a"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_right_rule_that_is_told_is_what_autograd_says(function: str) -> None:
    question, rules = of_function(FUNCTIONS[function])
    told_right = {rule.words["right"] for rule in rules if "right" in rule.words}
    assert len(told_right) == 1
    formula = told_right.pop().strip("`")
    for reference in question._testbed.draw(SEED):
        values = {n: torch.tensor(v, dtype=torch.float64) for n, v in reference.values.items()}
        right = eval(formula, {**vars(torch), **values, "log": math.log})
        assert float(right) == pytest.approx(reference.local["f", "a"])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_told_of_a_formula_is_what_was_computed(function: str) -> None:
    question, rules = of_function(FUNCTIONS[function])
    for rule in (rule for rule in rules if "right" in rule.words):
        for reference in question._testbed.draw(SEED):
            values = {n: torch.tensor(v, dtype=torch.float64) for n, v in reference.values.items()}
            number = float(eval(rule.instead, {**vars(torch), **values}))
            assert rule.local(reference) == pytest.approx(number, nan_ok=False)


@pytest.mark.parametrize(
    "helper",
    [
        "def sig(x):\n    return torch.sigmoid(x)",
        "def sig(x):\n    return 1 / (1 + torch.exp(-x))",
        "def sig(x):\n    e = torch.exp(x)\n    return e / (e + 1)",
    ],
)
def test_a_helper_is_a_sigmoid_by_its_numbers_however_it_is_written(helper: str, student: Class) -> None:
    student.run(helper)
    _, rules = of_function("sig(a)", sig=student.namespace["sig"])
    assert "rule of tanh" in {rule.kind for rule in rules}


def test_another_function_of_the_same_name_has_none_of_its_rules(student: Class) -> None:
    student.run("def tanh(x):\n    return torch.exp(x) + x")
    question, rules = of_function("tanh(a)", tanh=student.namespace["tanh"])
    reference = question._testbed.draw(SEED)[0]
    of_tanh = [rule for rule in rules if "right" in rule.words]
    assert of_tanh
    assert all(math.isnan(rule.local(reference)) for rule in of_tanh)
    student.run("def sig(x):\n    return torch.exp(x) / 3")
    _, rules = of_function("sig(a)", sig=student.namespace["sig"])
    assert "rule of tanh" not in {rule.kind for rule in rules}


@pytest.mark.parametrize(
    "expression",
    ["a * torch.ones_like(a)", "a ** a", "torch.clamp(a - 1, min=0.0)", "a * a.dim() + a", "-a"],
)
def test_a_line_that_the_rules_do_not_know_gives_numbers_or_none(expression: str) -> None:
    question, rules = of_function(expression)
    for rule in rules:
        assert isinstance(rule.local(question._testbed.draw(SEED)[0]), float)


def test_the_rules_are_told_also_where_a_notebook_has_switched_gradients_off(student: Class) -> None:
    source = answer("net", "2 * (p - 0.5)", "2 * p")
    with torch.no_grad(), torch.inference_mode():
        assert "instead of at `p - 0.5`" in student.verdict(GRAPHS["net"], source, SEED).text


def test_the_sentence_of_each_rule_is_compared() -> None:
    assert set(RULES) <= set(SENTENCES) <= set(messages.SLIP)
