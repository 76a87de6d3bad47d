"""Where every derivative that was named is right, what is told is how the last line puts them together."""

from __future__ import annotations

import contextlib
import io

import pytest

from autograder.verdict.credit import share
from autograder.verdict.kinds import Kind
from autograder.verdict.products import is_made_of_named, mistakes
from tests.conftest import QUESTIONS, Class
from tests.verdict.test_conventions import LOCAL, said

PRODUCT = "df_de * de_dd * dd_dc * dc_db * db_dy"
Q4 = """
def grad_q4(x):
    a = x * x; b = 2 * x; c = torch.sin(x); d = -(a + b + c); f = torch.exp(d)
    df_dd = f; dd_da = -1; dd_db = -1; dd_dc = -1; da_dx = 2 * x; db_dx = 2; dc_dx = torch.cos(x)
    return f, df_dd * (dd_da * da_dx + dd_db * db_dx + dd_dc * dc_dx)
"""
Q5 = """
def grad_q5(x):
    a = 6 * x; b = 7 * x**2; c = 3 * x**3; d = 8 * x**4; f = a + b + c + d + 3
    dadx = 6; dbdx = 14 * x; dcdx = 9 * x**2; dddx = 32 * x**3
    return f, dadx + dbdx + dcdx + dddx
"""
Q6 = {
    "a factor left out": ("df_de * de_dd * dd_dc * db_dy", "It lacks the factor dc_db."),
    "the last left out": ("df_de * de_dd * dd_dc * dc_db", "It lacks the factor db_dy."),
    "the adjoint left out": ("de_dd * dd_dc * dc_db * db_dy", "It lacks the factor df_de."),
    "a factor twice": (f"{PRODUCT} * dc_db", "It has dc_db as a factor twice."),
    "divided": ("df_de * de_dd * dd_dc / dc_db * db_dy", "It divides by dc_db instead of multiplying by it."),
    "the first alone": ("df_de", "It is only df_de: the other factors are missing."),
    "the last alone": ("db_dy", "It is only db_dy: the other factors are missing."),
    "a sign": (f"-{PRODUCT}", "or one too many, where it is made of df_de, de_dd, dd_dc, dc_db and db_dy."),
    "a sum": (PRODUCT.replace("* db_dy", "+ db_dy"), "It is not what the chain rule makes of df_de, de_dd, dd_dc, "),
    "twice as much": (
        f"2 * {PRODUCT}",
        "It is not what the chain rule makes of df_de, de_dd, dd_dc, dc_db and ",
    ),
}
OTHERS = {
    "one term's factor left out": (Q4, "+ dd_dc * dc_dx", "+ dc_dx", "lacks the factor dd_dc."),
    "a number too many": (
        Q5,
        "+ dddx\n",
        "+ dddx + 3\n",
        "It is not what the chain rule makes of dddx, dcdx, dbdx and dadx",
    ),
    "a term's sign": (Q5, "+ dddx\n", "- dddx\n", "It has the wrong sign in the part that has dddx as a factor."),
    "a term left out": (Q5, "+ dddx\n", "\n", "It leaves out the path through d: x is used in `d = 8 * x ** 4`, too"),
}


@pytest.mark.parametrize("what", Q6)
def test_a_product_of_right_factors_is_told_in_their_names(what: str, student: Class) -> None:
    product, sentence = Q6[what]
    source = LOCAL.replace(PRODUCT, product)
    _, failed = said(student, QUESTIONS["q6"], source)
    assert sentence in failed
    assert "none of the usual mistakes" not in failed
    verdict = student.verdict(QUESTIONS["q6"], source)
    assert sentence in verdict.text
    assert share(verdict.chain) == (4, 5)


@pytest.mark.parametrize("what", OTHERS)
def test_a_sum_over_paths_of_right_factors_is_told_in_their_names(what: str, student: Class) -> None:
    source, old, new, sentence = OTHERS[what]
    name = "q4" if source is Q4 else "q5"
    assert student.verdict(QUESTIONS[name], source).right
    verdict = student.verdict(QUESTIONS[name], source.replace(old, new))
    assert verdict.kind is Kind.WRONG_DERIVATIVE
    assert sentence in verdict.text
    assert "does not name" not in verdict.text


def test_a_factor_that_is_one_number_is_not_said_to_stand_there_twice(student: Class) -> None:
    verdict = student.verdict(QUESTIONS["q5"], Q5.replace("dadx + dbdx", "3 * (dadx + dbdx)"))
    assert verdict.chain is not None
    assert list(mistakes(verdict.chain, verdict.chain.links[-1])) == []
    assert is_made_of_named(verdict.chain, verdict.chain.links[-1])


def test_where_a_factor_was_not_named_the_check_says_so(student: Class) -> None:
    source = LOCAL.replace("    dd_dc = z\n    dc_db = -a / b**2\n", "").replace("dd_dc * dc_db", "2 * z * -a / b**2")
    with contextlib.redirect_stdout(io.StringIO()):
        assert "does not name dfdc and dfdb" in student.verdict(QUESTIONS["q6"], source).text
