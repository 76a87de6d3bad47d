"""A name that may be two derivatives is the one that leaves the fewest links wrong."""

from __future__ import annotations

import pytest

from autograder.verdict.credit import share
from tests.conftest import QUESTIONS, Class, make_question

FANNED = make_question("""
@question(wrt="x", at={"x": 1.5, "y": 0.5}, domain={"x": (-2, 2), "y": (-2, 2)})
def fanned(x, y):
    a = x * x
    b = a * x
    c = torch.sin(a) + b * y
    f = torch.tanh(c) * b
    return f
""")
LINES = "a = x * x; b = a * x; c = torch.sin(a) + b * y; f = torch.tanh(c) * b; t = torch.tanh(c)"
UP = "da_dx = 2*x; db_dx = 3*x*x; dc_dx = torch.cos(a)*da_dx + y*db_dx; df_dx = (1 - t*t)*dc_dx*b + t*db_dx"
DOWN = "dfdc = b*(1 - t*t); dfdb = dfdc*y + t; dfda = dfdc*torch.cos(a) + dfdb*x; df_dx = dfda*2*x + dfdb*a"


def fanned(lines: str) -> str:
    return f"def grad_fanned(x, y):\n    {LINES}\n    {lines}\n    return f, df_dx"


def test_a_total_derivative_that_lacks_a_path_is_the_first_wrong_link_though_it_is_right_as_a_local_one(
    student: Class,
) -> None:
    assert student.verdict(FANNED, fanned(UP)).right
    up = student.verdict(FANNED, fanned(UP.replace("3*x*x", "a")))
    assert "The first wrong link is db_dx. It leaves out the part that comes through a" in up.text
    down = student.verdict(FANNED, fanned(DOWN.replace(" + dfdb*x", "")))
    assert "It leaves out the path through b" in down.text
    assert share(up.chain) == share(down.chain)


def test_the_last_line_of_somebody_who_goes_from_the_leaf_up_is_looked_at(student: Class) -> None:
    text = student.verdict(FANNED, fanned(UP.replace("t*db_dx", "t*a"))).text
    assert "Check `f = torch.tanh(c) * b`, where `d(tanh(c) * b)/dc" in text
    assert "does not name" not in text
    assert (
        "It leaves out the part that comes through b"
        in student.verdict(FANNED, fanned(UP.replace(" + t*db_dx", ""))).text
    )


F4 = "def grad_q4(x):\n    a = x*x; b = 2*x; c = torch.sin(x); d = -(a+b+c); f = torch.exp(d)\n    "


def test_one_mistake_of_somebody_who_goes_up_in_bare_names_is_one_wrong_link(student: Class) -> None:
    lines = "da = 2*x; db = 2; dc = torch.cos(x); dd = -(da + db + dc); df = f*dd\n    return f, df"
    assert student.verdict(QUESTIONS["q4"], F4 + lines).right
    verdict = student.verdict(QUESTIONS["q4"], F4 + lines.replace("cos", "sin"))
    assert "The first wrong link is dc. It uses c itself" in verdict.text
    assert share(verdict.chain) == (6, 7)


@pytest.mark.parametrize("other", ["dedz = 1", "dfdz = 0 * x", "dadx = 5"])
def test_a_derivative_by_another_argument_is_no_link(other: str, student: Class) -> None:
    source = f"""
        def grad_q6(x, y, z):
            a = x * 2; b = torch.sin(y); c = a / b; d = c * z; e = torch.log(d + 1); f = torch.tanh(e)
            {other}; dfde = 1 - f**2; dfdd = dfde / d; dfdc = dfdd * z; dfdb = -dfdc * a / b**2
            return f, dfdb * torch.cos(y)
    """
    text = student.verdict(QUESTIONS["q6"], source).text
    assert "The first wrong link is dfdd. It takes the derivative of log at d" in text


LINE_BY_LINE = """
def grad_q6(x, y, z):
    a = x * 2; b = torch.sin(y); c = a / b; d = c * z; e = torch.log(d + 1); f = torch.tanh(e)
    db = torch.cos(y); dc = -a / b**2; dd = z; de = 1 / (d + 1); df = 1 - f**2
    return f, db * dc * dd * de * df
"""
OF_A_LINE = {
    "db": ("torch.cos(y)", "-torch.cos(y)"),
    "dc": ("-a / b**2", "a / b**2"),
    "dd": ("dd = z", "dd = -z"),
    "de": ("1 / (d + 1)", "-1 / (d + 1)"),
    "df": ("1 - f**2", "f**2 - 1"),
}


@pytest.mark.parametrize("name", OF_A_LINE)
def test_a_bare_name_may_be_the_derivative_of_its_own_line(name: str, student: Class) -> None:
    assert student.verdict(QUESTIONS["q6"], LINE_BY_LINE).right
    wrong = student.verdict(QUESTIONS["q6"], LINE_BY_LINE.replace(*OF_A_LINE[name]))
    assert f"The first wrong link is {name}. It has the right size but the wrong sign" in wrong.text
    assert [k.name for k in wrong.chain.links] == ["df", "de", "dd", "dc", "db", "dfdy"]
    assert share(wrong.chain) == (4, 5)


def test_an_output_that_somebody_begins_with_is_no_derivative_of_its_line(student: Class) -> None:
    down = "df = 1; de = df * (1 - f**2); dd = de / d; dc = dd * z; db = -dc * a / b**2"
    source = LINE_BY_LINE.replace("db = torch.cos(y); dc = -a / b**2; dd = z; de = 1 / (d + 1); df = 1 - f**2", down)
    text = student.verdict(QUESTIONS["q6"], source.replace("db * dc * dd * de * df", "db * torch.cos(y)")).text
    assert "The first wrong link is dd. It takes the derivative of log at d" in text
