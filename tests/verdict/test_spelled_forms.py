"""The accept corpus with its derivatives named in every convention: accepted, not accused, and no link called wrong."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable

import pytest

from autograder.by_hand.interpreter import read
from tests.conftest import CELLS, QUESTIONS, Class
from tests.verdict.test_accept import FORMS, corpus

SPELLINGS: dict[str, Callable[[str, str], str]] = {
    "d_d": "d{}_d{}".format,
    "by": "d{}_by_d{}".format,
    "capitals": lambda p, q: f"D{p.upper()}_D{q.upper()}",
    "delta": "δ{}_δ{}".format,
    "over": "d{}_over_d{}".format,
    "grad": lambda p, q: f"grad_{q}" if p in "zf" else f"d{p}_d{q}",  # z and f are the outputs
}


class _Renamed(ast.NodeTransformer):
    """Every name `d<p>d<q>` of nodes of the question, spelled otherwise."""

    def __init__(self, name: str, spelling: str) -> None:
        forward = QUESTIONS[name].forward
        self.nodes = {*forward.leaves, *forward.nodes}
        self.spelled, self.renamed = SPELLINGS[spelling], 0

    def visit_Name(self, node: ast.Name) -> ast.Name:
        found = re.fullmatch(r"d([a-z])d([a-z])", node.id)
        if found and {*found.groups()} <= self.nodes:
            node.id, self.renamed = self.spelled(*found.groups()), self.renamed + 1
        return node


class _Negated(ast.NodeTransformer):
    """The derivative of what the outermost function returns, with the wrong sign."""

    def visit_Return(self, node: ast.Return) -> ast.Return:
        assert isinstance(node.value, ast.Tuple)
        value, derivative = node.value.elts
        node.value.elts = [value, ast.UnaryOp(ast.USub(), derivative)]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.body = [self.visit(s) if isinstance(s, ast.Return | ast.If | ast.For) else s for s in node.body]
        return node


def spelled(name: str, form: str, spelling: str, wrong: bool = False) -> tuple[list[str], int]:
    """The cells of a student who handed in that form, and how many names were written otherwise."""
    module = inspect.getmodule(corpus(name)[form])
    assert module is not None
    tree = ast.parse(inspect.getsource(module))
    renamer = _Renamed(name, spelling)
    tree.body = [s for s in tree.body if not isinstance(s, ast.FunctionDef) or s.name in (form, "sig")]
    for statement in tree.body:
        renamer.visit(statement)
        if isinstance(statement, ast.FunctionDef) and statement.name == form:
            statement.name = f"grad_{name}"
            if wrong:
                _Negated().visit(statement)
    return [CELLS["setup"], CELLS[f"{name}-forward"], ast.unparse(ast.fix_missing_locations(tree))], renamer.renamed


def named() -> list[tuple[str, str]]:
    return [(name, form) for name, form in FORMS if spelled(name, form, "d_d")[1]]


def test_forms_of_every_question_name_derivatives() -> None:
    assert {name for name, _ in named()} == {name for name, _ in FORMS}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(("name", "form"), named())
def test_a_form_is_accepted_under_every_convention(name: str, form: str, spelling: str, student: Class) -> None:
    cells, _ = spelled(name, form, spelling)
    assert read(cells, f"grad_{name}") == ()
    verdict = student.verdict(QUESTIONS[name], cells[-1])
    assert verdict.right, verdict.text


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(("name", "form"), named())
def test_of_a_form_whose_result_alone_is_wrong_no_link_is_called_wrong(
    name: str, form: str, spelling: str, student: Class
) -> None:
    cells, _ = spelled(name, form, spelling, wrong=True)
    verdict = student.verdict(QUESTIONS[name], cells[-1])
    assert not verdict.right
    assert "first wrong link" not in verdict.text, verdict.text
