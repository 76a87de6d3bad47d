"""A forward pass that is no list of lines on real scalars is refused with the line and the remedy."""

from __future__ import annotations

import re

import pytest

from autograder import QuestionError
from tests.conftest import QUESTIONS, make_question

REFUSED = {
    "a name twice": ("a = x * x\na = a + 1\nreturn a", "`a` is assigned twice"),
    "an argument again": ("x = x * 2\nreturn x", "`x` is assigned twice"),
    "if": ("if x > 0:\n    a = x\nreturn a", "only lines `name = expression`"),
    "a loop": ("for i in range(3):\n    a = x\nreturn a", "only lines `name = expression`"),
    "a conditional": ("a = x if x > 0 else -x\nreturn a", "has no `if`|comparison"),
    "a comparison": ("a = x * (x > 0)\nreturn a", "a comparison has no derivative; write a kink with torch.relu"),
    "max": ("a = max(x, x * x)\nreturn a", "use torch.maximum"),
    "two targets": ("a = b = x * 2\nreturn a", "assign one plain name per line"),
    "unpacking": ("a, b = x, x\nreturn a", "assign one plain name per line"),
    "augmented": ("a = x * 2\na += 1\nreturn a", "only lines `name = expression`"),
    "no return": ("a = x * 2", "the last line must be `return name`"),
    "an expression returned": ("a = x * 2\nreturn a + 1", "return the name of one node"),
    "two returned": ("a = x * 2\nreturn a, x", "return the name of one node"),
    "unused line": ("a = x * 2\nb = x + 1\nreturn b", "the returned `b` does not depend on `a`"),
    "unknown name": ("a = x * zeta\nreturn a", "`zeta` is neither an argument nor an earlier line"),
    "not imported": ("a = exp(x)\nreturn a", r"`exp` is not known here; write `torch\.exp`"),
    "a caret": ("a = x ^ 2\nreturn a", r"in Python `\^` is not a power; write `\*\*`"),
    "and": ("a = x and 2 * x\nreturn a", "has no `and` or `or`"),
    "a constant line": ("a = torch.tensor(2.0)\nb = a * x\nreturn b", "depends on no argument"),
    "half precision": ("a = x.half()\nb = a * 2\nreturn b", "changes the precision"),
    "single precision": ("a = x.float()\nb = a * 2\nreturn b", "changes the precision"),
    "a cast by name": ("a = x.to(torch.float16)\nreturn a", "turns float64 into torch.float16"),
    "complex": ("a = x * 1j\nreturn a", "turns float64 into torch.complex128"),
    "item": ("a = x.item() * x\nreturn a", "`item` takes the value out of torch's graph"),
    "float()": ("a = float(x) * x\nreturn a", "float\\(\\) takes it out of torch's graph"),
    "detach": ("a = x.detach() * x\nreturn a", "`detach` takes the value out"),
    "floor": ("a = torch.floor(x) * x\nreturn a", "has no useful derivative"),
    "floor division": ("a = x // 2 + x\nreturn a", "`//` has no useful derivative"),
    "random": ("a = torch.randn_like(x) * x\nreturn a", "is random"),
    "in place": ("a = x.mul_(2)\nreturn a", "changes a tensor in place"),
    "a vector": ("a = torch.stack((x, x))\nreturn a", "each its own line"),
    "a shape": ("a = x.expand(3)\nreturn a", r"gives shape \(3,\)"),
    "no dependence": ("a = torch.ones_like(x) + 0\nb = a * x\nreturn b", "torch sees no dependence on `x`"),
    "an unkept kink": ("a = torch.nn.functional.hardtanh(x)\nreturn a", "kink that test points cannot avoid"),
    "raises": ("a = torch.sin(x, 3, 4)\nreturn a", "raised TypeError"),
    "not finite": ("a = torch.log(x - 5)\nreturn a", "not finite at the visible point"),
    "a shared name": ("dfdx = x * 2\nf = dfdx + x\nreturn f", "`dfdx` would be the name of a node and of"),
    "two meanings": ("fdx = x * 2\ne = fdx * x\nedf = e + x\nf = edf * e\nreturn f", None),
}


@pytest.mark.parametrize("what", [k for k, v in REFUSED.items() if v[1]])
def test_it_is_refused_with_the_line_and_the_remedy(what: str) -> None:
    body, expected = REFUSED[what]
    source = "@question(wrt='x', at={'x': 1.5}, domain={'x': (-2, 2)})\ndef p(x):\n"
    with pytest.raises(QuestionError, match=expected):
        make_question(source + "\n".join("    " + line for line in body.split("\n")))


def test_an_adjoint_that_can_be_read_in_two_ways_is_refused() -> None:
    with pytest.raises(QuestionError, match=re.escape("`dedfdx` would be both d(")):
        make_question(
            """
            @question(wrt="x", at={"x": 1.5}, domain={"x": (-2, 2)})
            def p(x):
                fdx = x * 2
                edf = x + fdx
                e = edf * fdx
                return e
            """
        )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("wrt='y', at={'x': 1.5}, domain={'x': (-2, 2)}", "wrt='y' is no argument; choose one of x"),
        ("wrt='x', at={}, domain={'x': (-2, 2)}", "`at` names nothing; name x"),
        ("wrt='x', at={'x': 1.5}, domain={'y': (-2, 2)}", "`domain` names y; name x"),
        ("wrt='x', at={'x': 1.5}, domain={'x': (2, -2)}", "the domain of x is"),
        ("wrt='x', at={'x': float('nan')}, domain={'x': (-2, 2)}", "`at` must be finite"),
        ("wrt='x', at={'x': 1.5}, domain={'x': (0.3, 0.4)}", "gives only 6 of 24 test points. It holds too few"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: str, expected: str) -> None:
    with pytest.raises(QuestionError, match=expected):
        make_question(f"@question({options})\ndef p(x):\n    a = x * x\n    return a")


ONE_SIDED = {
    "relu(x)": ("(0.5, 4)", "In the line `a = torch.relu(x)`, `x` is positive at nearly all its points; at least 8"),
    "relu(x - 9)": ("(-4, 4)", "In the line `a = torch.relu(x - 9)`, `x - 9` is negative at nearly all its points"),
    "clamp(x, min=-9)": ("(0.5, 4)", "In the line `a = torch.clamp(x, min=-9)`, you are on the same side of the kink"),
    "sin(x)": ("(-0.02, 4)", "`x` is positive at nearly all its points that can be used; at least 4 of 24 test points"),
    "log(x - 3.8)": ("(0.5, 4)", "At too many of its points a value or a derivative is not finite"),
    "abs(x)": ("(-0.2, 0.2)", "Too many of its points are nearer than 0.25 to a kink: choose a wider domain."),
}


@pytest.mark.parametrize("call", ONE_SIDED)
def test_a_domain_without_enough_points_is_refused_with_the_reason_and_the_remedy(call: str) -> None:
    domain, expected = ONE_SIDED[call]
    with pytest.raises(QuestionError, match=re.escape(expected)) as refused:
        make_question(
            f"""
            @question(wrt="x", at={{"x": 3.9}}, domain={{"x": {domain}}})
            def p(x):
                a = torch.{call}
                b = a + x
                return b
            """
        )
    assert "hoose a" in str(refused.value)


def test_a_domain_where_paths_always_cancel_is_refused() -> None:
    with pytest.raises(QuestionError, match="nearly cancel at every test point"):
        make_question(
            """
            @question(wrt="x", at={"x": 1.5}, domain={"x": (-2, 2)})
            def p(x):
                a = torch.sin(x)
                b = a - torch.sin(x)
                return b
            """
        )


def test_helpers_and_numbers_from_outside_are_kept_as_they_were() -> None:
    question = make_question(
        """
        k = 3.0
        def swish(t):
            return t * torch.sigmoid(k * t)
        @question(wrt="x", at={"x": 1.5}, domain={"x": (-2, 2)})
        def p(x):
            a = swish(x)
            f = a * k
            return f
        def swish(t):
            return t
        k = None
        del torch
        """
    )
    import torch

    x = torch.tensor(0.5)
    assert question(x) == 3.0 * x * torch.sigmoid(3.0 * x)


def test_the_graph_of_q4_has_the_fan_out_that_its_lines_show() -> None:
    forward = QUESTIONS["q4"].forward
    assert forward.leaves == ("x",)
    assert forward.nodes == ("a", "b", "c", "d", "f")
    assert [line.name for line in forward.consumers("x")] == ["a", "b", "c"]
    assert forward.line("d").inputs == ("a", "b", "c")
    assert forward.adjoint("d") == "dfdd"


def test_a_visible_point_on_a_kink_is_refused_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
        @question(wrt="x", at={"x": AT}, domain={"x": (-2, 2)})
        def p(x):
            a = x * 2
            b = torch.relu(a - 1)
            return b
    """
    with pytest.raises(QuestionError, match=re.escape("p: `b = torch.relu(a - 1)`: is on a kink at `at`")):
        make_question(source.replace("AT", "0.5"))
    make_question(source.replace("AT", "0.51"))
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")  # released before this was refused
    make_question(source.replace("AT", "0.5"))
