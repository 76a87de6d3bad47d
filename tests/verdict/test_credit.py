"""Partial credit measures what is known: the worked examples of docs/contract.md, and what earns nothing."""

from __future__ import annotations

import contextlib
import io
import re

import pytest

from tests.conftest import NAMES, QUESTIONS, ROOT, Class

FORWARD = {
    "q1": "def grad_q1(a, b):\n    x = 2*a + 3*b\n    y = 5*a*a + 3*b*b*b\n    z = 2*x + 3*y\n",
    "q2": "def grad_q2(b, x, w):\n    u = w*x\n    v = u + b\n    a = torch.relu(v)\n",
    "q3": "def grad_q3(b, x, w):\n    u = w*x\n    v = u + b\n    a = torch.sigmoid(v)\n",
    "q4": "def grad_q4(x):\n    a, b, c = x*x, 2*x, torch.sin(x)\n    d = -(a + b + c)\n    f = torch.exp(d)\n",
    "q5": "def grad_q5(x):\n    f = 6*x + 7*x**2 + 3*x**3 + 8*x**4 + 3\n",
    "q6": "def grad_q6(x, y, z):\n    a, b = x*2, torch.sin(y)\n    c = a/b\n    d = c*z\n    e = torch.log(d + 1)\n"
    "    f = torch.tanh(e)\n",
}
ADJOINTS = (
    "dfde = 1 - f*f; dfdd = dfde/(d + 1); dfdc = dfdd*z; dfdb = {sign}dfdc*a/b**2; dfdy = dfdb*torch.cos(y)\n"
    "    return f, dfdy"
)
LOCAL = (
    "df_de = 1 - f*f; de_dd = 1/(d + 1); dd_dc = z; dc_db = {sign}a/b**2; db_dy = torch.cos(y)\n"
    "    return f, df_de*de_dd*{left}dc_db*db_dy"
)
Q5_ONES = "dfda = dfdb = dfdc = dfdd = 1\n    dfdx = {sum}\n    return f, dfdx"
EXAMPLES = {
    "Q6, all adjoints named, the sign of `dfdb` wrong": ADJOINTS.format(sign=""),
    "Q6, all local derivatives named, the sign of `dc_db` wrong": LOCAL.format(sign="", left="dd_dc*"),
    "Q6, all local derivatives right, one left out of the product": LOCAL.format(sign="-", left=""),
    "Q6, only the result, wrong": "return f, f",
    "Q6, `dfde` right, the others copies of it": "dfde = 1 - f*f; dfdd = dfdc = dfdb = dfdy = dfde\n    return f, dfdy",
    "Q4, all adjoints named, the path through c left out of the sum": "dfdd = f; dfda = dfdb = dfdc = -dfdd\n"
    "    return f, dfda*2*x + dfdb*2",
    "Q1, one line, `5a` in place of `10a` in its second term": "return z, 2*2 + 3*5*a",
    "Q5, `dfda = dfdb = dfdc = dfdd = 1` and a wrong result": Q5_ONES.format(sum="0"),
    "Q5, the degree not lowered in one of the four terms": Q5_ONES.format(sum="6 + 14*x**2 + 9*x**2 + 32*x**3"),
    "Q2, `dadv = 1` without the gate, the rest follows": "dadv = 1; dadu = dadv; dadw = dadu*x\n    return a, dadw",
}
TABLE = re.findall(
    r"^\| (Q\d, .+?) \| (\d) of (\d) \| ([\d.]+) \|$", (ROOT / "docs/contract.md").read_text(), flags=re.MULTILINE
)


def earned(student: Class, name: str, lines: str) -> float:
    student.run(f"{FORWARD[name]}    {lines}\n")
    with contextlib.redirect_stdout(io.StringIO()):
        return student.grade(QUESTIONS[name], 8, "seed")


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_worked_examples_of_the_contract_earn_what_it_says(example: str, student: Class) -> None:
    ((_, right, count, points),) = [row for row in TABLE if row[0] == example]
    found = earned(student, example[:2].lower(), EXAMPLES[example])
    assert found == pytest.approx(float(points), abs=0.005)
    assert found == pytest.approx(4 * int(right) / int(count))


def test_every_example_of_the_contract_is_tried() -> None:
    assert {row[0] for row in TABLE} == set(EXAMPLES)


NOTHING = {
    "the integral": ("q5", Q5_ONES.format(sum="3*x**2 + 7/3*x**3 + 3/4*x**4 + 8/5*x**5")),
    "one right term of four": ("q5", "return f, 6"),
    "a constant": ("q1", "return z, 4"),
    "zero": ("q4", "return f, 0*x"),
    "trivial adjoints, zero below": ("q2", "dadv = 0; dadu = dadv; dadw = dadu*x\n    return a, dadw"),
    "trivial ones": ("q2", "dv_du = 1; dv_db = 1\n    return a, 7"),
    "names of local derivatives, all the same number": (
        "q6",
        "df_de = de_dd = dd_dc = dc_db = db_dy = 7.0\n    return f, 7.0",
    ),
    "total derivatives of zero": ("q6", "db_dy = dc_dy = dd_dy = de_dy = 0.0\n    return f, 0.0*x"),
}


@pytest.mark.parametrize("what", NOTHING)
def test_padding_and_what_shows_no_knowledge_earn_nothing(what: str, student: Class) -> None:
    assert earned(student, *NOTHING[what]) == 0.0


@pytest.mark.parametrize("number", ["1.7e308", "-1.7e308", "1e99", "7.0", "1.0", "float('inf')", "float('nan')"])
@pytest.mark.parametrize("name", NAMES)
def test_one_number_for_every_adjoint_earns_nothing(name: str, number: str, student: Class) -> None:
    forward = QUESTIONS[name].forward
    adjoints = [forward.adjoint(n) for n in (*forward.nodes[:-1], *forward.leaves)]
    result = forward.adjoint(QUESTIONS[name].wrt)
    lines = f"{' = '.join(adjoints)} = {number}\n    return {forward.output}, {result}"
    assert earned(student, name, lines) == 0.0


def test_one_wrong_term_is_told_from_two(student: Class) -> None:
    two = Q5_ONES.format(sum="6 + 7*x + 9*x**2 + 8*x**3")
    assert earned(student, "q5", two) == 0.0
    assert earned(student, "q5", Q5_ONES.format(sum="6 + 7*x + 9*x**2 + 32*x**3")) == 3.0
    assert earned(student, "q5", Q5_ONES.format(sum="6 - 14*x + 9*x**2 + 32*x**3")) == 3.0
    assert earned(student, "q5", Q5_ONES.format(sum="6 + 14*x + 9*x**2")) == 3.0
