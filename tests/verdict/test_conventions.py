"""Whatever a student names, the same mistake is found at the same place and earns the same partial credit."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Mapping
from functools import cache

import pytest

from autograder import CheckFailed, Question
from autograder.calculus.reference import Reference, clean_torch, differentiate
from autograder.student.kernel import answering
from autograder.student.protocol import Answer, Reply, Request
from autograder.verdict.chain import Chain, Edge
from autograder.verdict.credit import edges, share
from autograder.verdict.diagnosis import picture
from autograder.verdict.judge import Kind
from autograder.verdict.quantities import What
from tests.conftest import NAMES, QUESTIONS, Class
from tests.verdict.chains import number

Wrong = Callable[[Reference, Edge], float]


def turned(reference: Reference, edge: Edge) -> float:
    return -reference.local[edge]


def halved(reference: Reference, edge: Edge) -> float:
    return reference.local[edge] / 2


def input_for_derivative(reference: Reference, edge: Edge) -> float:
    return reference.values[edge[1]]


class Names:
    """A student made of numbers, who has one local derivative wrong and goes on by the rules."""

    def __init__(self, question: Question, convention: str, edge: Edge | None = None, wrong: Wrong = turned) -> None:
        self.question, self.convention, self.edge, self.wrong = question, convention, edge, wrong

    def ask(self, request: Request) -> Reply:
        return Reply(tuple(self.answer(point) for point in request.points))

    def answer(self, point: Mapping[str, float]) -> Answer:
        forward, wrt = self.question.forward, self.question.wrt
        with clean_torch():
            reference = differentiate(forward, point)
        local = dict(reference.local)
        if self.edge:
            local[self.edge] = self.wrong(reference, self.edge)
        above = {forward.output: 1.0}
        for node in (*reversed(forward.nodes[:-1]), *forward.leaves):
            above[node] = sum(above[c.name] * local[c.name, node] for c in forward.consumers(node))
        below = {wrt: 1.0}
        for line in forward.lines:
            if any(i in below for i in line.inputs):
                below[line.name] = sum(below[i] * local[line.name, i] for i in line.inputs if i in below)
        on_the_way = [(c.name, n) for n in below for c in forward.consumers(n)]
        out = forward.output
        nodes = [n for n in below if n not in (out, wrt)]
        named = {
            "adjoints": {f"d{out}d{n}": above[n] for n in nodes},
            "adjoints, spelled otherwise": {f"D{out.upper()}_D{n.upper()}": above[n] for n in nodes},
            "grad_a": {f"grad_{n}": above[n] for n in nodes},
            "local": {f"d{p}_d{q}": local[p, q] for p, q in on_the_way},
            "local, by": {f"d{p}_by_d{q}": local[p, q] for p, q in on_the_way},
            "local and adjoints": {f"d{p}_d{q}": local[p, q] for p, q in on_the_way}
            | {f"d{out}d{n}": above[n] for n in nodes},
            "from the leaf up": {f"d{n}d{wrt}": below[n] for n in nodes}
            | {f"d{n}_d{i}": local[n, i] for n, i in on_the_way if n == out},
            "nothing": {},
        }[self.convention]
        results = (number(reference.values[out]), number(above[wrt]))
        return Answer(results, named={n: number(v) for n, v in named.items()})


CONVENTIONS = (
    "adjoints",
    "adjoints, spelled otherwise",
    "grad_a",
    "local",
    "local, by",
    "local and adjoints",
    "from the leaf up",
)


@cache
def chain_of(name: str, convention: str, edge: Edge | None, wrong: Wrong) -> Chain:
    question = QUESTIONS[name]
    student = Names(question, convention, edge, wrong)
    return Chain(question.forward, question.wrt, [(r, student.answer(r.point)) for r in question._testbed.draw("n")])


@cache
def steps(name: str) -> list[Edge]:
    return edges(chain_of(name, "nothing", None, turned))


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("name", NAMES)
def test_a_right_answer_has_no_wrong_link_and_nothing_unnamed(name: str, convention: str) -> None:
    chain = chain_of(name, convention, None, turned)
    assert {link.status.value for link in chain.links} == {"right"}
    right, count = share(chain)
    assert right == count > 0


@pytest.mark.parametrize("wrong", [turned, halved, input_for_derivative])
@pytest.mark.parametrize("name", NAMES)
def test_the_same_mistake_earns_the_same_under_every_convention(name: str, wrong: Wrong) -> None:
    for edge in steps(name):
        told = {c: share(chain_of(name, c, edge, wrong)) for c in CONVENTIONS}
        assert len(set(told.values())) == 1, (edge, told)


@pytest.mark.parametrize("name", NAMES)
def test_the_mistake_is_found_where_it_is(name: str) -> None:
    for edge in steps(name):
        for convention in CONVENTIONS:
            chain = chain_of(name, convention, edge, turned)
            broken = chain.broken
            assert broken is not None, (edge, convention)
            if broken.what is What.LOCAL:
                assert (broken.of, broken.node) == edge, (edge, convention)
            elif broken.what is What.TOTAL or convention == "from the leaf up":
                assert broken.of == edge[0], (edge, convention)
            else:
                assert broken.node == edge[1], (edge, convention)


@pytest.mark.parametrize("convention", ["local", "adjoints, spelled otherwise", "from the leaf up"])
@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_sign_is_told_in_the_students_names(name: str, convention: str) -> None:
    question = QUESTIONS[name]
    for edge in steps(name):
        student = Names(question, convention, edge)
        with answering(student):
            verdict = question.judge("n")
        assert verdict.kind is Kind.WRONG_DERIVATIVE
        assert "wrong sign" in verdict.text or "lacks the factor" in verdict.text, (edge, verdict.text)
        named = student.answer(question.at).named
        broken = verdict.chain.broken
        if broken.name in named:
            assert f"The first wrong link is {broken.name}." in verdict.text


LOCAL = """
def grad_q6(x, y, z):
    a = x * 2
    b = torch.sin(y)
    c = a / b
    d = c * z
    e = torch.log(d + 1)
    f = torch.tanh(e)
    df_de = 1 - f**2
    de_dd = 1 / (d + 1)
    dd_dc = z
    dc_db = -a / b**2
    db_dy = torch.cos(y)
    return f, df_de * de_dd * dd_dc * dc_db * db_dy
"""


def said(student: Class, question: Question, source: str) -> tuple[str, str]:
    student.run(source)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            student.check(question)
        except CheckFailed as failed:
            return printed.getvalue(), str(failed)
    return printed.getvalue(), ""


def test_local_factors_are_a_table_of_links(student: Class) -> None:
    printed, failed = said(student, QUESTIONS["q6"], LOCAL)
    assert failed == ""
    rows = [line.split() for line in printed.splitlines()[2:-1]]
    assert [(r[0], r[2]) for r in rows] == [(d, "right") for d in ("df_de", "de_dd", "dd_dc", "dc_db", "db_dy", "dfdy")]


def test_a_wrong_local_factor_is_the_first_wrong_link_and_the_result_follows(student: Class) -> None:
    printed, failed = said(student, QUESTIONS["q6"], LOCAL.replace("1 / (d + 1)", "1 / d"))
    assert "The first wrong link is de_dd (yours 0.4546, expected 0.3125)." in failed
    assert "dc_db           -2.4189   right" in printed
    assert "follows from your numbers above" in printed.splitlines()[-1]


def test_a_product_that_leaves_out_a_factor_is_wrong_given_the_factors(student: Class) -> None:
    source = LOCAL.replace("df_de * de_dd * dd_dc", "df_de * de_dd")
    student.run(source)
    with contextlib.redirect_stdout(io.StringIO()):
        assert student.grade(QUESTIONS["q6"], 8, "seed") == pytest.approx(3.2)
    printed, failed = said(student, QUESTIONS["q6"], LOCAL.replace("* dc_db * db_dy", "* db_dy"))
    assert "(yours -0.0422, expected 0.1020)" in failed
    assert "the first wrong link" in printed.splitlines()[-1]
    assert printed.count("right") == 5


@pytest.mark.parametrize(
    ("name", "convention", "edge", "slot"),
    [
        ("q6", "local", ("e", "d"), "de_dd"),
        ("q1", "local", ("y", "a"), "dy_da"),  # of the leaf: where the line is
        ("q4", "from the leaf up", ("d", "c"), "dddx"),
        ("q6", "adjoints, spelled otherwise", ("c", "b"), "DF_DB"),
    ],
)
def test_the_picture_shows_what_broke_by_the_students_name(name: str, convention: str, edge: Edge, slot: str) -> None:
    drawn = picture(chain_of(name, convention, edge, turned), "q")._repr_mimebundle_()["image/svg+xml"]
    assert f">{slot}<" in drawn or f">{slot} = " in drawn
    assert "✗" in drawn
    assert "below: your derivatives" in drawn


@pytest.mark.parametrize(("convention", "edge", "red"), [("from the leaf up", ("d", "c"), 3), ("local", ("d", "c"), 1)])
def test_the_links_that_a_wrong_number_is_made_of_are_red(convention: str, edge: Edge, red: int) -> None:
    drawn = picture(chain_of("q4", convention, edge, turned), "q")._repr_mimebundle_()["image/svg+xml"]
    paths = re.findall(r'<path d="[^"]+" fill="none" stroke="#b3201a"', drawn)
    assert len(paths) == red  # the three inputs of d, whose sum dddx is, or c's link alone


F4 = "def grad_q4(x):\n    a = x*x; b = 2*x; c = torch.sin(x); d = -(a+b+c); f = torch.exp(d)\n    "


def told_of(student: Class, name: str, answer: str) -> str:
    student.run(answer)
    with contextlib.redirect_stdout(io.StringIO()), pytest.raises(CheckFailed) as failed:
        student.check(QUESTIONS[name])
    return str(failed.value)


def test_a_name_that_says_only_by_what_is_taken_as_its_neighbours_are(student: Class) -> None:
    answer = "dd = f; da = 2*x; db = 2; dc = -torch.cos(x)\n    return f, -dd*(da+db+dc)\n"
    assert "The first wrong link is dc (yours -0.9801, expected 0.9801)" in told_of(student, "q4", F4 + answer)


@pytest.mark.parametrize("loss", ["L", "loss", "J", "l"])
def test_an_output_that_is_called_the_loss_is_read(student: Class, loss: str) -> None:
    answer = f"d{loss}_dd = f; d{loss}_da = d{loss}_dd\n    return f, d{loss}_da*(2*x + 2 + torch.cos(x))\n"
    assert f"The first wrong link is d{loss}_da" in told_of(student, "q4", F4 + answer)


def test_where_nothing_is_named_the_check_says_how_to_name_beside_the_slip(student: Class) -> None:
    said = told_of(student, "q4", F4 + "return f, f*(2*x + 2 + torch.cos(x))\n")
    assert "the wrong sign" in said
    assert "Name them, as in `dfdd = …`, or name the derivative of each line, as in `dddc = …`" in said
