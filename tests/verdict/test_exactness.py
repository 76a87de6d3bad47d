"""Exactness: what is right and not exact is listed, a finite difference that was also seen to step is forbidden."""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings

from autograder import CheckFailed, Question, QuestionError
from autograder.by_hand.rules import Finding, Outcome, sentence
from autograder.student.kernel import KernelStudent, answering
from autograder.student.protocol import Answer, Number, Reply, Request
from autograder.verdict import exactness
from autograder.verdict.kinds import Kind, Verdict
from tests.conftest import NAMES, QUESTIONS, Class, make_question, run_source
from tests.verdict.test_accept import FORMS, as_float32_tensors, as_numbers, corpus
from tests.verdict.test_properties import Pass, passes

Form = Callable[..., Any]
SETUP = {"torch": torch, "np": np, "math": math, "__name__": "__main__"}


def value_of(question: Question) -> str:
    """The forward pass as a student's own function F."""
    lines = [f"    {line.text}" for line in question.forward.lines]
    given = "def sig(x):\n    return torch.sigmoid(x)\n"
    arguments = ", ".join(question.forward.leaves)
    return "\n".join([f"{given}def F({arguments}):", *lines, f"    return {question.forward.output}"])


def machine(question: Question, derivative: str, before: str = "") -> str:
    """An answer whose derivative is an expression in x, the argument asked for, and in G, the value as its function."""
    arguments = ", ".join(question.forward.leaves)
    moved = ", ".join("t" if n == question.wrt else n for n in question.forward.leaves)
    return "\n".join(
        [
            value_of(question),
            textwrap.dedent(before).strip("\n"),
            f"def grad_{question.name}({arguments}):",
            f"    G = lambda t: F({moved})",
            f"    return F({arguments}), (lambda x: {derivative})({question.wrt})",
        ]
    )


def unread(question: Question, source: str, seed: int = 1) -> Verdict:
    """The verdict without the reader, which would forbid most machines before anybody looks at their numbers."""
    answer = run_source(source, dict(SETUP))[f"grad_{question.name}"]
    return Class().verdict(question, answer, seed)  # type: ignore[no-any-return]


def read(question: Question, source: str) -> Verdict:
    student = Class()
    student.run("import torch\nimport numpy as np\nimport math")
    with redirect_stdout(io.StringIO()):
        return student.verdict(question, source)  # type: ignore[no-any-return]


def measured(question: Question, source: str) -> tuple[float, float]:
    """How far the answer is off at the hidden points, and how far it jumps beside some of them."""
    student = KernelStudent(run_source(source, dict(SETUP)))
    references = question._testbed.draw(1)
    given = [a.results[1].value for a in student.ask(question._request(references)).answers]
    near = exactness.beside(question.forward, question.wrt, references)
    jumps, _ = exactness.movement(student.ask(question._request(near)), near, question.wrt)
    return exactness.size(given, references, question.wrt), jumps


def rules(verdict: Verdict) -> set[str]:
    return {f.rule for f in verdict.findings}


# Honest


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_an_honest_form_is_within_1e_14_of_the_scale_and_smooth(name: str, form: str) -> None:
    question = QUESTIONS[name]
    student = KernelStudent({**SETUP, f"grad_{name}": as_numbers(corpus(name)[form])})
    for seed in range(2):
        references = question._testbed.draw(seed)
        reply = student.ask(question._request(references))
        given = [a.results[1].value for a in reply.answers]
        assert exactness.size(given, references, question.wrt) <= 1e-14
        near = exactness.beside(question.forward, question.wrt, references)
        jumps, moves = exactness.movement(student.ask(question._request(near)), near, question.wrt)
        assert jumps <= exactness.SMOOTH / 5
        assert moves <= exactness.SMOOTH / 5


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(passes())
def test_any_derivative_by_the_rules_is_exact_and_smooth(forward: Pass) -> None:
    try:
        question = make_question(forward.question())
        references = question._testbed.draw(1)
    except QuestionError:
        return
    student = KernelStudent(run_source(forward.answer(), dict(SETUP)))
    reply = student.ask(question._request(references))
    assert exactness.size([a.results[1].value for a in reply.answers], references, question.wrt) <= 5e-14
    near = exactness.beside(question.forward, question.wrt, references)
    assert max(exactness.movement(student.ask(question._request(near)), near, question.wrt)) <= exactness.SMOOTH / 2


def with_item(form: Form) -> Form:
    return lambda *args: tuple(float(r) for r in form(*(a.float() for a in args)))


@pytest.mark.parametrize("way", [as_float32_tensors, with_item])
@pytest.mark.parametrize(("name", "form"), FORMS)
def test_a_form_in_float32_is_not_listed(name: str, form: str, way: Callable[[Form], Form], student: Class) -> None:
    verdict = student.verdict(QUESTIONS[name], way(corpus(name)[form]))
    assert verdict.right
    assert verdict.findings == ()


SUM = "(x*x + 2*x + torch.sin(x))"
F4 = f"torch.exp(-{SUM})"
TURN = "(2*x + 2 + torch.cos(x))"
D4 = f"-{F4}*{TURN}"
D6 = "(1 - torch.tanh(torch.log(1 + d))**2)/(1 + d)*z*(-2*x/b**2)*torch.cos(y)"
HONEST: dict[str, tuple[str, str]] = {
    "sine in float32, the rest in float64": ("q4", f"-{F4}*(2*x + 2 + torch.cos(x.float()))"),
    "the exponential in float32": ("q4", f"-torch.exp(-{SUM}.float()).double()*{TURN}"),
    "a factor that goes through float32": ("q4", f"({D4}).float().double()*3/3"),
    "numpy's float32": ("q4", f"np.float32(({D4}).item())"),
    "a new tensor of a number": ("q4", f"-torch.exp(torch.tensor(-{SUM}.item())).item()*{TURN}"),
    "e as 2.71828": ("q4", f"-2.71828**(-{SUM})*{TURN}"),
    "a quarter turn as 3.14159/2": ("q4", f"-{F4}*(2*x + 2 + torch.sin(x + 3.14159/2))"),
    "ln 10 as 2.302585": ("q4", f"-10**(-{SUM}/2.302585)*{TURN}"),
    "a third as 0.33333": ("q5", "6 + 14*x + 27*0.33333*x**2 + 32*x**3"),
    "a constant in one term, in float32": ("q5", "6 + torch.tensor(0.7)*x*20 + 9*x**2 + 32*x**3"),
    "an epsilon under a sine": ("q4", f"-{F4}*(2*x + 2 + torch.sin(2*x)/(2*torch.sin(x) + 1e-8))"),
    "an epsilon under a square": ("q6", D6.replace("b**2", "(b**2 + 1e-7)")),
    "two epsilons": ("q6", D6.replace("b**2", "(b + 1e-10)**2").replace("(1 + d)*", "(1 + d + 1e-10)*")),
    "an epsilon in the logarithm": ("q6", D6.replace("torch.log(1 + d)", "torch.log(1 + d + 1e-6)")),
    "an epsilon in a sum": ("q5", "6*x/(x + 1e-7) + 14*x + 9*x**2 + 32*x**3"),
    "an epsilon of 1e-12": ("q6", D6.replace("b**2", "(b**2 + 1e-12)")),
    "Newton's steps for the exponential": ("q4", "-newton(-(x*x + 2*x + torch.sin(x)))*(2*x + 2 + torch.cos(x))"),
    "terms that cancel": ("q4", f"1000*({D4}) - 999*({D4})"),
    "a recurrence": ("q5", "horner([32., 9., 14., 6.], x)"),
}  # fmt: skip
EXACT_FORMS = ("Newton's steps for the exponential", "terms that cancel", "a recurrence")
HELPERS = """
def root(y, t):
    return math.log(y) - t
def newton(t):
    y = 1.0
    for _ in range(60):
        y = max(y - y*root(y, t), y/8)
    return y
def step(total, x, c):
    return total*x + c
def horner(coefficients, x):
    total = 0.0
    for c in coefficients:
        total = step(total, x, c)
    return total
"""


def honest(what: str, check_oneself: bool = False) -> tuple[Question, str]:
    name, derivative = HONEST[what]
    question = QUESTIONS[name]
    arguments = ", ".join(question.forward.leaves)
    lines = [
        *(("b = torch.sin(y)", "d = 2*x*z/b") if name == "q6" else ()),
        f"dfd{question.wrt} = {derivative}",
        *(("print((F(x + 1e-5) - F(x - 1e-5))/2e-5)",) if check_oneself and name != "q6" else ()),
        *(("print((F(x, y + 1e-5, z) - F(x, y - 1e-5, z))/2e-5)",) if check_oneself and name == "q6" else ()),
        f"return F({arguments}), dfd{question.wrt}",
    ]
    head = f"{value_of(question)}\n{HELPERS}\ndef grad_{name}({arguments}):\n"
    return question, head + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize("what", HONEST)
def test_single_precision_short_constants_and_epsilons_are_not_listed(what: str) -> None:
    question, source = honest(what)
    verdict = read(question, source)
    assert (measured(question, source)[0] > exactness.EXACT) == (what not in EXACT_FORMS)
    assert verdict.right, verdict.text
    assert verdict.findings == ()


@pytest.mark.parametrize("what", HONEST)
def test_a_check_of_oneself_that_is_only_printed_costs_nothing(what: str) -> None:
    """The watcher sees the small step; the derivative is a formula all the same. The reader judges of the print."""
    question, source = honest(what, check_oneself=True)
    read_instead = honest(what)[1]
    seen: list[Reply] = []

    class Checking(KernelStudent):
        def ask(self, request: Request) -> Reply:
            seen.append(replace(super().ask(request), cells=(read_instead,), seen=()))
            return seen[-1]

    with answering(Checking(run_source(source, dict(SETUP)))):
        verdict = question.judge(1)
    assert seen[0].shifted is not None
    assert verdict.right, verdict.text
    assert verdict.findings == ()


# Machines

STEPS = [10.0**-k for k in range(3, 9)]
DIFFERENCES: dict[str, str] = {
    **{f"forward {h:.0e}": f"(G(x + {h}) - G(x))/{h}" for h in STEPS},
    **{f"central {h:.0e}": f"(G(x + {h}) - G(x - {h}))/{2 * h}" for h in STEPS},
    **{
        f"of fourth order {h:.0e}": f"(8*(G(x + {h}) - G(x - {h})) - G(x + 2*{h}) + G(x - 2*{h}))/(12*{h})"
        for h in STEPS[:4]
    },
    **{f"central 2**-{n}": f"(G(x + 2.0**-{n}) - G(x - 2.0**-{n}))*2.0**{n - 1}" for n in (14, 18, 20, 24, 27)},
    "a step relative to x": "(G(x + 1e-6*x) - G(x))/(1e-6*x)",
    "Richardson": "(4*(G(x + 5e-4) - G(x - 5e-4))/1e-3 - (G(x + 1e-3) - G(x - 1e-3))/2e-3)/3",
    "a polynomial through five points": "np.polyfit(np.arange(-2, 3)*1e-3, "
    "[float(G(x + k*1e-3)) for k in range(-2, 3)], 4)[3]",
    "a kernel": "torch.nn.functional.conv1d(G(x + 1e-5*torch.arange(-1, 2, dtype=torch.float64)).view(1, 1, 3), "
    "torch.tensor([[[-1., 0., 1.]]], dtype=torch.float64)).squeeze()/2e-5",
    "numbers in a vector": "torch.dot(G(x + torch.tensor([1e-4, -1e-4], dtype=x.dtype)), "
    "torch.tensor([5e3, -5e3], dtype=x.dtype))",
}  # fmt: skip


TOO_WIDE = ("forward 1e-03", "forward 1e-04", "forward 1e-05", "forward 1e-06", "a step relative to x")
"""Steps that are not even within the tolerance in some question."""


EXACT_ALL_THE_SAME = ("of fourth order", "Richardson", "a polynomial through five points", "central 2**")
"""Within 1e-12 of S in some question; in q2, whose relu is straight, any."""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", DIFFERENCES)
def test_a_finite_difference_that_is_seen_to_step_is_forbidden(what: str, name: str) -> None:
    question = QUESTIONS[name]
    source = machine(question, DIFFERENCES[what])
    verdict = unread(question, source)
    if verdict.kind is Kind.WRONG_DERIVATIVE:
        assert what in TOO_WIDE
        return
    if not verdict.findings:
        assert verdict.right
        assert name == "q2" or what.startswith((*EXACT_ALL_THE_SAME, "central 1e-03"))
        assert max(measured(question, source)) <= exactness.EXACT
        return
    if name == "q2" and verdict.right:  # relu is linear: the quotient's rounding may be the same nearby
        assert rules(verdict) == {"inexact"}
        return
    (finding,) = verdict.findings
    assert verdict.kind is Kind.NOT_BY_HAND
    assert finding.rule == "differences"
    assert finding.line is not None
    assert "G" in source.split("\n")[finding.line - 1]
    assert verdict.text == sentence(finding, f"grad_{name}")
    assert verdict.credit == 0


TABLE = f"""
TABLE = {{}}
def fill(digits):
    for k in range(-256, 257):
        x = torch.tensor(k/64, dtype=torch.float64)
        TABLE[k] = round(({D4}).item(), digits)
"""
FINE_TABLE = f"""
TABLE = {{}}
def fill(digits):
    keys = range(-49152, 49153)
    x = torch.tensor(keys, dtype=torch.float64)/32768
    TABLE.update(zip(keys, (round(slope, digits) for slope in ({D4}).tolist())))
"""
GRID = """
xs = np.linspace(-2, 2, {count})
ys = np.exp(-(xs**2 + 2*xs + np.sin(xs)))
slopes = (ys[2:] - ys[:-2])/(xs[2:] - xs[:-2])
"""
POLYNOMIAL = """
from numpy.polynomial import Chebyshev
fit = Chebyshev.interpolate(lambda t: np.exp(-(t*t + 2*t + np.sin(t))), 32, domain=[-2, 2]).deriv()
"""
VECTOR = "torch.exp(-(t*t + 2*t + torch.sin(t)))"
# What Q4 is answered with: an expression in x, and what stands above the function. No function of the student's is seen
# to step here, so that all of them keep their marks.
NEAR: dict[str, tuple[str, str]] = {
    **{
        f"three points of a linspace, {h:.0e}": (
            f"(t := torch.linspace(float(x) - {h}, float(x) + {h}, 3, dtype=torch.float64), "
            f"y := {VECTOR}, (y[2] - y[0])/{2 * h})[2]",
            "",
        )
        for h in (1e-3, 1e-4, 1e-5, 1e-6, 1e-8)
    },
    "a kernel over a vector": (
        "(t := x + 1e-5*torch.arange(-1, 2, dtype=torch.float64), "
        f"torch.nn.functional.conv1d({VECTOR}.view(1, 1, 3), torch.tensor([[[-1., 0., 1.]]], dtype=torch.float64)))"
        "[1].squeeze()/2e-5",
        "",
    ),
    "a step written out twice": (f"({F4.replace('x', '(x + 1e-6)').replace('e(x + 1e-6)p', 'exp')} - {F4})/1e-6", ""),
    "a finer table of ten decimals": ("TABLE[round(x.item()*32768)]", FINE_TABLE + "fill(10)"),
    "a finer table of seven decimals": ("TABLE[round(x.item()*32768)]", FINE_TABLE + "fill(7)"),
    "rounded to eight decimals": (f"round(({D4}).item(), 8)", ""),
    "a fine grid": ("np.interp(x.item(), xs[1:-1], slopes)", GRID.format(count=100_001)),
    "a coarse grid": ("np.interp(x.item(), xs[1:-1], slopes)", GRID.format(count=4001)),
    "a polynomial over the domain": ("fit(x.item())", POLYNOMIAL),
    "an imaginary step that is too long": (
        "(lambda z: np.exp(-(z*z + 2*z + np.sin(z))).imag/1e-3)(x.item() + 1e-3j)",
        "",
    ),
}


@pytest.mark.parametrize("what", NEAR)
def test_what_is_near_and_not_exact_is_listed_with_its_size_and_keeps_its_marks(what: str) -> None:
    verdict = unread(QUESTIONS["q4"], machine(QUESTIONS["q4"], *NEAR[what]))
    assert verdict.right, verdict.text
    assert verdict.credit == 1
    (finding,) = verdict.findings
    assert (finding.rule, finding.outcome, finding.line) == ("inexact", "listed", None)
    size = float(finding.source.removeprefix(LISTED[0]).removesuffix(LISTED[1]))
    assert finding.source == LISTED[0] + f"{size:.0e}" + LISTED[1]
    assert 1e-12 < size < 2e-5


LISTED = "near, not exact: as a finite difference is; off by up to ", " of its scale"
WIDE = {
    "Richardson from a tenth": "(lambda D: (64*D(0.025) - 20*D(0.05) + D(0.1))/45)"
    "(lambda h: (G(x + h) - G(x - h))/(2*h))",
    "nine points": "np.polyfit(0.02*np.arange(-4, 5), [float(G(x + 0.02*k)) for k in range(-4, 5)], 8)[7]",
}


@pytest.mark.parametrize(
    ("name", "what"),
    [(name, what) for what in WIDE for name in ("q3", "q4", "q6") if (name, what) != ("q3", "nine points")],
)
def test_a_wide_step_rounds_as_a_formula_does_and_is_listed(what: str, name: str) -> None:
    """Only the reader can do more: by its numbers it could be a constant that was cut short, but for its program."""
    verdict = unread(QUESTIONS[name], machine(QUESTIONS[name], WIDE[what]))
    assert verdict.right
    assert rules(verdict) == {"inexact"}


ON_THE_GRID = {
    "autograd's own numbers": ("TABLE[round(x.item()*64)]", TABLE + "fill(17)"),
    "of seven decimals": ("TABLE[round(x.item()*64)]", TABLE + "fill(7)"),
    "that knows its own points only": (
        "EXACTLY[x.item()]",
        TABLE + "fill(9)\nEXACTLY = {k/64: v for k, v in TABLE.items()}",
    ),
}


@pytest.mark.parametrize("what", ON_THE_GRID)
def test_a_table_filled_on_the_grid_of_the_public_points_earns_nothing(what: str) -> None:
    verdict = unread(QUESTIONS["q4"], machine(QUESTIONS["q4"], *ON_THE_GRID[what]))
    assert not verdict.right
    assert verdict.credit == 0


EXACT_MACHINES = {
    "an imaginary step": ("(lambda z: np.exp(-(z*z + 2*z + np.sin(z))).imag/1e-20)(x.item() + 1e-20j)", ""),
    "a finer table of autograd's own numbers": ("TABLE[round(x.item()*32768)]", FINE_TABLE + "fill(17)"),
    "a difference that went through float32": ("((G(x + 1e-5) - G(x - 1e-5))/2e-5).float()", ""),
}


@pytest.mark.parametrize("what", EXACT_MACHINES)
def test_silence_proves_nothing(what: str) -> None:
    verdict = unread(QUESTIONS["q4"], machine(QUESTIONS["q4"], *EXACT_MACHINES[what]))
    assert verdict.right
    assert verdict.findings == ()


# What is told, and to whom


def near_answer() -> str:
    return machine(QUESTIONS["q4"], *NEAR["rounded to eight decimals"])


def test_the_size_is_for_the_instructor_and_the_student_reads_no_accusation(
    student: Class, capsys: pytest.CaptureFixture[str]
) -> None:
    student.namespace["grad_q4"] = run_source(near_answer(), dict(SETUP))["grad_q4"]
    assert student.grade(QUESTIONS["q4"]) == 8
    assert " ".join(capsys.readouterr().out.split()) == (
        "q4: 8 of 8 points. dfdx is right at all 24 hidden test points. The derivative of grad_q4 is right to some "
        "digits, not to all that float64 has. Your marks stay; your instructor will see by how much."
    )


def test_the_visible_check_tells_of_a_finite_difference_and_not_of_the_last_digits(student: Class) -> None:
    q4 = QUESTIONS["q4"]
    student.namespace["grad_q4"] = run_source(near_answer(), dict(SETUP))["grad_q4"]
    with redirect_stdout(io.StringIO()) as said:
        student.check(q4)
    assert "digits" not in said.getvalue()
    source = machine(q4, DIFFERENCES["central 1e-05"])
    student.namespace["grad_q4"] = run_source(source, dict(SETUP))["grad_q4"]
    with pytest.raises(CheckFailed, match="divides a difference of values by its step"):
        student.check(q4)


def test_a_line_that_the_watcher_quotes_is_told_only_if_the_notebook_has_it() -> None:
    """The reply comes from the student's room, which knows the hidden points by then."""
    q4 = QUESTIONS["q4"]
    source = machine(q4, DIFFERENCES["central 1e-05"])
    answer = run_source(source, dict(SETUP))["grad_q4"]

    class Liar(KernelStudent):
        def ask(self, request: Request) -> Reply:
            reply = super().ask(request)
            point = str(dict(request.points[0]))
            return replace(reply, shifted=Finding(Outcome.LISTED, "no rule", 1, point), cells=("a line",))

    with answering(Liar({**SETUP, "grad_q4": answer})):
        verdict = q4.judge(1)
    assert verdict.kind is Kind.NOT_BY_HAND
    assert verdict.text.startswith("grad_q4 divides a difference of values by its step (line 1). That is")


@pytest.mark.parametrize("answers", [(), (Answer(),), (Answer((Number("none", "NoneType"),) * 2),) * 24])
def test_an_answer_that_fails_at_the_second_look_is_not_called_a_difference(answers: tuple[Answer, ...]) -> None:
    near = exactness.beside(QUESTIONS["q4"].forward, "x", QUESTIONS["q4"]._testbed.draw(1))
    assert len(near) == 24
    assert exactness.movement(Reply(answers), near, "x") is None


def test_an_answer_that_fails_at_the_second_look_is_listed_whatever_number_the_cells_hold() -> None:
    """The epsilon in a cell would excuse a smooth answer; one that does not answer again has not shown to be smooth."""
    q4 = QUESTIONS["q4"]
    source = machine(q4, "(G(x + 1e-6) - G(x - 1e-6))/2e-6")
    student = run_source(source, dict(SETUP))

    class Refusing(KernelStudent):
        def ask(self, request: Request) -> Reply:
            again, self.asked = getattr(self, "asked", False), True
            return Reply() if again else replace(super().ask(request), cells=("e = 1e-8",))

    with answering(Refusing(student)):
        verdict = q4.judge(1)
    assert verdict.right
    assert "inexact" in rules(verdict)


def test_the_second_look_takes_no_longer_than_the_first() -> None:
    """It asks at no more points; an honest and exact answer is asked once."""
    asked: list[int] = []

    class Counting(KernelStudent):
        def ask(self, request: Request) -> Reply:
            asked.append(len(request.points))
            return super().ask(request)

    with answering(Counting({**SETUP, "grad_q4": corpus("q4")["seed"]})):
        assert QUESTIONS["q4"].judge(1).right
    assert asked == [24]
    with answering(Counting({**SETUP, "grad_q4": run_source(near_answer(), dict(SETUP))["grad_q4"]})):
        assert QUESTIONS["q4"].judge(1).right
    assert asked == [24, 24, 24]


def test_where_relu_is_dead_everywhere_nothing_is_asked() -> None:
    references = [r for r in QUESTIONS["q2"]._testbed.draw(1) if r.scales["w"] == 0]
    assert references
    assert exactness.size([0.0] * len(references), references, "w") == 0
    near = exactness.beside(QUESTIONS["q2"].forward, "w", references)
    assert near == ()
    assert exactness.movement(Reply(), near, "w") == (0.0, 0.0)
