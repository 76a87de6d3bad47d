"""What the watcher sees of a small step: the same function of the student at near arguments, within one call."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
import torch

from autograder.student.kernel import KernelStudent
from autograder.student.protocol import Reply, Request
from tests.conftest import run_source

BEFORE = """
import math
import operator
import numpy as np
def F(x):
    return x * x
def scaled(k, x):
    return k * x * x
def of_dict(p):
    return p["x"] * p["w"]
def of_array(a):
    return (a * a).sum()
class Square:
    def value(self, x):
        return x * x
class Layer(torch.nn.Module):
    def forward(self, x):
        return x * x
"""


def shifted(body: str, *points: float) -> Reply:
    source = BEFORE + "def grad_q(x):\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
    namespace = run_source(source, {"torch": torch, "__name__": "__main__"})
    asked = tuple({"x": point} for point in points or (0.5,))
    reply = KernelStudent(namespace).ask(Request("grad_q", ("x",), asked, (), {}))
    assert not any(a.fault for a in reply.answers), reply
    return reply


STEPS = {
    "a function": "up = F(x + 1e-5)\nreturn F(x), (up - F(x - 1e-5)) / 2e-5  # !",
    "a step of 1e-8": "y = F(x)\nreturn y, F(x + 1e-8)  # !",
    "a step of a thousandth": "y = F(x)\nreturn y, F(x + 1e-3)  # !",
    "numbers": "x = x.item()\ny = F(x)\nreturn y, F(x + 1e-5)  # !",
    "numpy's numbers": "x = np.float64(x.item())\ny = F(x)\nreturn y, F(x + 1e-5)  # !",
    "a lambda": "G = lambda t: math.sin(t)\ny = G(x)\nreturn y, G(x + 1e-5)  # !",
    "a method": "s = Square()\ny = s.value(x)\nreturn y, s.value(x + 1e-5)  # !",
    "a layer, whose forward torch calls": "s = Layer()\ny = s(x)\nreturn y, s(x + 1e-5)  # !",
    "an argument by name": "y = scaled(2, x=x)\nreturn y, scaled(2, x=x + 1e-5)  # !",
    "a dictionary": "p = dict(x=x, w=x)\ny = of_dict(p)\nreturn y, of_dict({**p, 'x': x + 1e-5})  # !",
    "an array changed in place": "a = np.ones(2)\ny = of_array(a)\na += 1e-5\nreturn y, of_array(a)  # !",
    "a vector of near points": "t = x + 1e-5 * torch.arange(-1, 2)\ny = F(t)  # !\nreturn y[1], y[2] - y[0]",
    "steps in a list": "return x, [F(x + h) for h in (1e-3, 1e-4)][0]  # !",
    "map": "return x, list(map(F, (x, x + 1e-5)))[1]  # !",
}  # fmt: skip


@pytest.mark.parametrize("what", STEPS)
def test_a_small_step_is_seen_with_its_line(what: str) -> None:
    seen = shifted(STEPS[what]).shifted
    assert seen is not None
    assert seen.source.endswith("# !")


NO_STEPS = {
    "one call": "return F(x), 2 * x",
    "the same arguments": "return F(x), F(x) / x * 2",
    "arguments that lie apart": "return F(x), F(x + 1) - F(x) - 1",
    "another order of the same sum": "return F(x + 0.1 + 0.2), F(0.1 + 0.2 + x)",
    "another factor": "return scaled(2.0, x), scaled(3.0, x + 1e-5)",
    "counters": "return x, sum(scaled(1000 + k, x) for k in range(3))",
    "two functions": "return F(x), Square().value(x + 1e-5)",
    "a generator that goes on": """
        def walk(t):
            while True:
                yield t
                t = t + 1e-5
        steps = walk(x)
        return next(steps), next(steps)""",
    "a vector of different numbers": "return F(torch.stack([x, 2 * x])).sum(), x",
    "not a number": "return x, F(float('nan')) - F(float('inf')) + x",
}


@pytest.mark.parametrize("what", NO_STEPS)
def test_what_is_no_small_step_is_not_seen(what: str) -> None:
    assert shifted(NO_STEPS[what]).shifted is None


def test_calls_of_the_answer_at_two_points_are_no_step() -> None:
    assert shifted("return F(x), 2 * x", 0.5, 0.50001).shifted is None


HOSTILE = {
    "a number that explodes": """
        class Loud(float):
            def __sub__(self, other):
                raise SystemExit
        return x, scaled(0.0, Loud(x)) + scaled(0.0, Loud(x + 1e-5))""",
    "a tensor of one's own": """
        class Loud(torch.Tensor):
            @classmethod
            def __torch_function__(cls, function, types, args=(), kwargs=None):
                raise SystemExit
        class Quiet:
            def value(self, t): return 1.0
        return x, Quiet().value(torch.Tensor._make_subclass(Loud, torch.ones(2)))""",
    "a list that holds itself": """
        endless = []
        endless.append(endless)
        operator.length_hint(endless)
        return x, len(of_list(endless))""",
    "a thousand calls": "return x, sum(F(x * 2.0**k) for k in range(1000))",
    "a million numbers": "return x, of_array(np.arange(1e6))",
    "an array of objects": "return x, of_array(np.array([Square(), 1.0], dtype=object)[1:])",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_looking_at_arguments_runs_nothing_of_the_students_and_ends(what: str) -> None:
    body = "def of_list(a):\n    return a\n" + textwrap.dedent(HOSTILE[what]).strip("\n")
    assert shifted(body).shifted is None


def test_a_step_below_a_thousand_other_calls_is_not_seen() -> None:
    """Looking ends somewhere; silence proves nothing."""
    seen: Any = shifted("d = sum(F(x * 2.0**k) for k in range(1000))\nreturn d, F(x) - F(x + 1e-5)").shifted
    assert seen is None
