"""A forward pass is read as a graph, and kept as it was; a domain without good points is refused with the reason."""

from __future__ import annotations

import re

import pytest

from autograder import QuestionError
from autograder.calculus import graph
from tests.conftest import QUESTIONS, make_question


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
    with pytest.raises(QuestionError, match="the paths to `x` cancel to less than 1/200 of their size at every"):
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
    with pytest.raises(QuestionError, match=re.escape("p, line 7: `b = torch.relu(a - 1)`: is on a kink at `at`")):
        make_question(source.replace("AT", "0.5"))
    make_question(source.replace("AT", "0.51"))
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")  # released before this was refused
    make_question(source.replace("AT", "0.5"))


def test_a_question_made_anew_is_not_read_again_and_has_the_names_from_outside_of_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in the next room that is forked from the same interpreter."""
    source = """
        def helper(t):
            return FACTOR * t
        @question(wrt="x", at={"x": 1.5}, domain={"x": (1, 2)})
        def p(x):
            a = helper(x)
            f = a * a
            return f
        """
    first = make_question(source.replace("FACTOR", "2.0"))
    monkeypatch.setattr(graph, "_read", lambda *_: pytest.fail("it was read again"))
    again = make_question(source.replace("FACTOR", "2.0"))
    assert again.forward == first.forward
    assert again.forward.given["helper"] is not first.forward.given["helper"]
    monkeypatch.undo()
    other = make_question(source.replace("FACTOR", "5.0"))
    assert float(other(3.0)) == 225.0
    assert float(again(3.0)) == 36.0
