"""Any straight-line forward pass: its derivative by the rules earns full marks, a spoilt one at most half of them."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from autograder import QuestionError
from autograder.verdict.judge import Kind
from tests.conftest import Class, make_question

# Each operation: its expression and its local derivatives, written by the rules of differentiation. {0}, {1}: inputs.
UNARY = {
    "2.5 * {0}": ["2.5"],
    "{0} ** 2": ["2 * {0}"],
    "{0} * {0} * {0}": ["3 * {0} ** 2"],
    "torch.sin({0})": ["torch.cos({0})"],
    "torch.cos({0})": ["-torch.sin({0})"],
    "torch.tanh({0})": ["1 - torch.tanh({0}) ** 2"],
    "torch.sigmoid({0})": ["torch.sigmoid({0}) * torch.sigmoid(-{0})"],
    "torch.exp(-{0} * {0})": ["-2 * {0} * torch.exp(-{0} * {0})"],
    "torch.log({0} ** 2 + 1)": ["2 * {0} / ({0} ** 2 + 1)"],
    "torch.sqrt({0} ** 2 + 2)": ["{0} / torch.sqrt({0} ** 2 + 2)"],
    "torch.relu({0})": ["(1.0 if {0} > 0 else 0.0)"],
    "-{0}": ["-1.0"],
}
BINARY = {
    "{0} + {1}": ["1.0", "1.0"],
    "{0} - 3 * {1}": ["1.0", "-3.0"],
    "{0} * {1}": ["{1}", "{0}"],
    "{0} / ({1} ** 2 + 1)": ["1 / ({1} ** 2 + 1)", "-2 * {0} * {1} / ({1} ** 2 + 1) ** 2"],
    "torch.sin({0} * {1})": ["{1} * torch.cos({0} * {1})", "{0} * torch.cos({0} * {1})"],
}


@dataclass(frozen=True)
class Pass:
    """A random forward pass: leaves, and per node its inputs, expression and local derivatives."""

    leaves: tuple[str, ...]
    nodes: tuple[tuple[str, tuple[str, ...], str, tuple[str, ...]], ...]

    @property
    def output(self) -> str:
        return self.nodes[-1][0]

    def question(self) -> str:
        lines = [f"    {name} = {expression}" for name, _, expression, _ in self.nodes]
        at = {leaf: 0.7 + 0.4 * i for i, leaf in enumerate(self.leaves)}
        domain = dict.fromkeys(self.leaves, (-2, 2))
        head = f"@question(wrt='{self.leaves[0]}', at={at}, domain={domain})\ndef p({', '.join(self.leaves)}):"
        return "\n".join([head, *lines, f"    return {self.output}"])

    def answer(self, spoil: int | None = None) -> str:
        """`grad_p` by the chain rule; `spoil` turns the sign of that edge's share of an adjoint."""
        shares: dict[str, list[str]] = {n: [] for n in (*self.leaves, *(node[0] for node in self.nodes))}
        backward, edge = [f"    d_{self.output} = 1.0"], 0
        for name, inputs, _, local in reversed(self.nodes):
            if name != self.output:
                backward.append(f"    d_{name} = " + " + ".join(shares[name]))
            for source, derivative in zip(inputs, local, strict=True):
                sign = "-" if edge == spoil else ""
                shares[source].append(f"{sign}d_{name} * ({derivative})")
                edge += 1
        wrt = self.leaves[0]
        backward.append(f"    d_{wrt} = " + " + ".join(shares[wrt]))
        forward = [f"    {name} = {expression}" for name, _, expression, _ in self.nodes]
        head = f"def grad_p({', '.join(self.leaves)}):"
        return "\n".join([head, *forward, *backward, f"    return {self.output}, d_{wrt}"])

    @property
    def edges(self) -> int:
        return sum(len(inputs) for _, inputs, _, _ in self.nodes)


@st.composite
def passes(draw: st.DrawFn) -> Pass:
    leaves = ("x", "y", "z")[: draw(st.integers(1, 3))]
    loose, nodes, names = list(leaves), [], iter("abcdefgh")
    known = list(leaves)
    for _ in range(draw(st.integers(2, 6))):
        first = draw(st.sampled_from(loose))
        if draw(st.booleans()) and len(known) > 1:
            second = draw(st.sampled_from([n for n in known if n != first]))
            template = draw(st.sampled_from(sorted(BINARY)))
            inputs, local = (first, second), BINARY[template]
        else:
            template = draw(st.sampled_from(sorted(UNARY)))
            inputs, local = (first,), UNARY[template]
        name = next(names)
        nodes.append((name, inputs, template.format(*inputs), tuple(t.format(*inputs) for t in local)))
        loose = [n for n in loose if n not in inputs] + [name]
        known.append(name)
    while len(loose) > 1:  # every node must reach the output
        name, inputs = next(names, "w"), (loose[0], loose[1])
        nodes.append((name, inputs, "{} + {}".format(*inputs), ("1.0", "1.0")))
        loose = [*loose[2:], name]
    return Pass(leaves, tuple(nodes))


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(passes(), st.data())
def test_a_derivative_by_the_rules_earns_all_and_a_spoilt_one_at_most_half(forward: Pass, data: st.DataObject) -> None:
    try:
        question = make_question(forward.question())
    except QuestionError as refused:
        assume("domain" not in str(refused))  # e.g. a relu whose input has one sign only
        raise
    student = Class()
    right = student.verdict(question, forward.answer())
    assert right.right, f"{right.text}\n{forward.question()}\n{forward.answer()}"
    spoil = data.draw(st.integers(0, forward.edges - 1))
    spoilt = student.verdict(question, forward.answer(spoil))
    # Turning a share's sign is no slip where that share is 0, or does not reach the leaf that is asked for.
    references = question._testbed.draw(1)
    if any(_share(forward, spoil, r) > 1e-4 * r.scales[question.wrt] for r in references):
        assert spoilt.kind is Kind.WRONG_DERIVATIVE, f"{forward.question()}\n{forward.answer(spoil)}"
    with contextlib.redirect_stdout(io.StringIO()):
        earned = student.grade(question, 8, 1)
    assert earned == 8.0 if spoilt.right else earned <= 4.0, f"{forward.question()}\n{forward.answer(spoil)}"


def _share(forward: Pass, spoil: int, reference: object) -> float:
    """How much the edge `spoil` carries of d(output)/d(wrt), by magnitude, at one point."""
    edges = [(name, source) for name, inputs, _, _ in reversed(forward.nodes) for source in inputs]
    into, source = edges[spoil]
    local = reference.local  # type: ignore[attr-defined]
    below = dict.fromkeys((*forward.leaves, *(n[0] for n in forward.nodes)), 0.0)
    below[forward.leaves[0]] = 1.0
    for name, inputs, _, _ in forward.nodes:
        below[name] = sum(local[name, n] * below[n] for n in inputs)
    return abs(reference.adjoints[into] * local[into, source] * below[source])  # type: ignore[attr-defined]


@pytest.mark.parametrize("kink", ["torch.abs(x)", "torch.maximum(x, y)", "torch.clamp(x, min=-0.5)", "abs(x) + y"])
def test_kinked_operations_are_tested_on_both_sides_and_clear_of_the_kink(kink: str) -> None:
    uses_y = "" if "y" in kink else " + y"
    question = make_question(
        f"""
        @question(wrt="x", at={{"x": 0.7, "y": 1.5}}, domain={{"x": (-2, 2), "y": (-2, 2)}})
        def p(x, y):
            k = {kink}{uses_y}
            f = k * x
            return f
        """
    )
    from autograder.calculus.admission import kinks

    gaps = [kinks(question.forward, r.point)[0] for r in question._testbed.draw(5)]
    assert min(map(abs, gaps)) >= 0.25
    assert 8 <= sum(g > 0 for g in gaps) <= 16
