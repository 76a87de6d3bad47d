"""The second corpus: every slip generated from the graph is caught, and told as far as its numbers can tell."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from functools import cache

import pytest

from autograder import Question
from autograder.student.kernel import answering
from autograder.verdict.chain import Chain
from autograder.verdict.function_rules import TELLING
from autograder.verdict.judge import Kind
from autograder.verdict.slips import Slip, is_no_slip, recognise, slips, told
from tests.conftest import NAMES, QUESTIONS
from tests.verdict.chains import Slipped, chain_of

SEEDS = ("s1", "s2")


def links(question: Question) -> list[str]:
    truth = chain_of(question, Slipped(question, None, named=True), list(question._testbed.draw("s1"))[:1])
    return [node for node in truth.path if node != question.forward.output]


@cache
def corpus(name: str) -> list[Slip]:
    """The slips of one question that differ from the truth on its domain and can be computed there."""
    question = QUESTIONS[name]
    references = [r for seed in SEEDS for r in question._testbed.draw(seed)]
    truth = chain_of(question, Slipped(question, None, named=True), references)
    found = [slip for node in links(question) for slip in slips(question.forward, question.wrt, node)]
    return [s for s in found if not is_no_slip(truth, s) and all(math.isfinite(s.change(t)) for t in truth.traces)]


def same_numbers(a: Slip, b: Slip, chain: Chain) -> bool:
    """Whether two slips at one link give the same adjoint at every point."""
    return a.node == b.node and all(
        abs(a.change(t) - b.change(t)) <= 2e-5 * max(t.scales[a.node], abs(a.change(t))) for t in chain.traces
    )


@pytest.mark.parametrize("name", NAMES)
def test_no_slip_earns_full_marks_at_any_seed(name: str, record_property: Callable[[str, object], None]) -> None:
    question = QUESTIONS[name]
    rejected = 0
    for slip in corpus(name):
        for seed in SEEDS:
            with answering(Slipped(question, slip, named=False)):
                verdict = question.judge(seed)
            assert verdict.kind is Kind.WRONG_DERIVATIVE, slip
        rejected += 1
    record_property("tally", (name, "slips rejected", rejected, len(corpus(name))))


@pytest.mark.parametrize("name", NAMES)
def test_with_adjoints_named_nearly_all_slips_are_told_and_none_wrongly(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    question = QUESTIONS[name]
    points = list(question._testbed.draw("s1"))[:7]  # as many as a visible check looks at
    result: Counter[str] = Counter()
    for slip in corpus(name):
        student = Slipped(question, slip, named=True)
        chain = chain_of(question, student, points)
        assert chain.broken is not None
        assert chain.broken.node == slip.node, f"{slip} was blamed on {chain.broken.node}"
        said = told(recognise(chain, slip.node), chain, slip.node)
        everywhere = chain_of(question, student, list(question._testbed.draw("s2")))
        right = [s for s in said if same_numbers(s, slip, everywhere)]
        assert len(right) == len(said), f"{slip} was named {said}"
        result["exactly" if any(s == slip for s in said) else "by an equal" if said else "not"] += 1
    total = sum(result.values())
    assert result["not"] <= 0.05 * total, result
    record_property("tally", (name, "slips named", total - result["not"], total))
    record_property("tally", (name, "of these by their very name", result["exactly"], total - result["not"]))


@pytest.mark.parametrize("name", NAMES)
def test_of_an_answer_in_one_line_what_can_be_told_is_told_and_nothing_else(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    question = QUESTIONS[name]
    points = list(question._testbed.draw("s1"))[:7]
    result: Counter[str] = Counter()
    for slip in corpus(name):
        chain = chain_of(question, Slipped(question, slip, named=False), points)
        if chain.broken is None:  # at these few points the slip does not show
            result["not"] += 1
            continue
        found = recognise(chain, question.wrt)
        assert any(s == slip for s in found), f"{slip} does not explain its own numbers"
        said = told(found, chain, question.wrt)
        if said and said[0].kind != "sign":
            at_its_link = {s.node for s in said} == {slip.node}
            # A gate that is left open is a factor that is missing, at whichever link one looks for it.
            more_of_it = slip.kind == "upstream dropped" and {s.kind for s in said} <= set(TELLING)
            assert at_its_link or more_of_it, f"{slip} was named {said}"
        result["told" if said else "not"] += 1
    record_property("tally", (name, "told in one line", result["told"], sum(result.values())))


@pytest.mark.parametrize("name", NAMES)
def test_a_slip_that_equals_the_truth_on_the_domain_is_no_slip(name: str) -> None:
    question = QUESTIONS[name]
    truth = chain_of(question, Slipped(question, None, named=True), list(question._testbed.draw("s1")))
    for node in links(question):
        for slip in slips(question.forward, question.wrt, node):
            if is_no_slip(truth, slip):
                with answering(Slipped(question, slip, named=False)):
                    assert question.judge("s2").right, slip
