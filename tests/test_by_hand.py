"""By hand: every machine that differentiates is found, by its rule and its line; nothing honest is touched."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import sys
import textwrap
import warnings
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from autograder.by_hand import rules
from autograder.by_hand.rules import RULES, Finding, Outcome, sentence
from autograder.by_hand.source import read
from autograder.by_hand.watch import Watch
from tests.conftest import CELLS, NAMES, QUESTIONS, run_source
from tests.verdict.test_accept import FORMS, corpus
from tests.verdict.test_properties import Pass, passes

SETUP = "import torch\nimport numpy as np\nimport math"
F = "def f(x):\n    return 3 + 6 * x + 7 * x**2 + 3 * x**3 + 8 * x**4"
LEAF = "x = x.clone().requires_grad_()"
POINT = 0.75


def cells(*sources: str) -> list[str]:
    return [SETUP, F, *(textwrap.dedent(s).strip("\n") for s in sources)]


def answer(body: str) -> str:
    """The answer cell: `# !` marks the line that is to be found."""
    return "def grad_q5(x):\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")


def watched(sources: list[str], function: str = "grad_q5", *arguments: Any, given: Any = None) -> tuple[Finding, ...]:
    """What the watcher sees of one call, as the seam would make it."""
    namespace: dict[str, Any] = {"__name__": "__main__", **(given or {})}
    for source in sources:
        run_source(source, namespace)
    return watch_call(namespace[function], *(arguments or (torch.tensor(POINT, dtype=torch.float64),)))


def watch_call(function: Any, *arguments: Any) -> tuple[Finding, ...]:
    watch = Watch(watch_call.__code__)

    def callback(frame: FrameType, event: str, arg: Any) -> None:
        watch.event(frame, event, arg)

    before = sys.getprofile()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as the seam does
        try:
            sys.setprofile(callback)
            function(*arguments)
        finally:
            sys.setprofile(before)
    return watch.findings


def marked(sources: list[str]) -> tuple[int, int]:
    """Cell and line of the mark `# !`."""
    return next((c, n) for c, s in enumerate(sources) for n, line in enumerate(s.split("\n"), 1) if "# !" in line)


def one(body: str) -> list[str]:
    return cells(answer(body))


# what: (rule, cells). Both guards see these; the watcher's rule may be another name for the same machine.
BOTH: dict[str, tuple[str, list[str]]] = {
    "backward": ("autograd", one(f"{LEAF}\ny = f(x)\ny.backward()  # !\nreturn y, x.grad")),
    "backward without brackets": ("autograd", one(f"{LEAF}\ny = f(x)\ngo = y.backward  # !\ngo()\nreturn y, 0")),
    "torch.Tensor.backward": ("autograd", one(f"{LEAF}\ny = f(x)\ntorch.Tensor.backward(y)  # !\nreturn y, 0")),
    "autograd.grad": ("autograd", one(f"{LEAF}\nreturn f(x), torch.autograd.grad(f(x), x)[0]  # !")),
    "autograd.backward": ("autograd", one(f"{LEAF}\ny = f(x)\ntorch.autograd.backward(y)  # !\nreturn y, 0")),
    "imported inside": (
        "autograd",
        one(f"from torch.autograd import grad\n{LEAF}\ny = f(x)\nd, = grad(y, x)  # !\nreturn y, d"),
    ),
    "imported elsewhere under another name": (
        "autograd",
        cells("from torch.autograd import grad as slope", answer(f"{LEAF}\ny = f(x)\nreturn y, slope(y, x)[0]  # !")),
    ),
    "an alias in another cell": (
        "autograd",
        cells("g = torch.autograd.grad", answer(f"{LEAF}\ny = f(x)\nreturn y, g(y, x)[0]  # !")),
    ),
    "an alias of an alias": (
        "autograd",
        cells("t = torch\nag = t.autograd", "g = ag.grad", answer(f"{LEAF}\ny = f(x)\nreturn y, g(y, x)[0]  # !")),
    ),
    "a module alias": (
        "autograd",
        cells("import torch.autograd as ag", answer(f"{LEAF}\ny = f(x)\nreturn y, ag.grad(y, x)[0]  # !")),
    ),
    "a star import": (
        "autograd",
        cells("from torch.autograd import *", answer(f"{LEAF}\ny = f(x)\nreturn y, grad(y, x)[0]  # !")),
    ),
    "a helper in another cell": (
        "autograd",
        cells(
            "def slope(y, x):\n    return torch.autograd.grad(y, x)[0]  # !",
            answer(f"{LEAF}\ny = f(x)\nreturn y, slope(y, x)"),
        ),
    ),
    "a helper of a helper, defined later": (
        "autograd",
        cells(
            "def slope(y, x):\n    return deeper(y, x)",
            answer(f"{LEAF}\ny = f(x)\nreturn y, slope(y, x)"),
            "def deeper(y, x):\n    y.backward()  # !\n    return x",
        ),
    ),
    "a lambda": (
        "autograd",
        cells("slope = lambda y, x: torch.autograd.grad(y, x)[0]  # !", answer(f"{LEAF}\nreturn 1, slope(f(x), x)")),
    ),
    "a partial": (
        "autograd",
        cells(
            "from functools import partial\nslope = partial(torch.autograd.grad, create_graph=True)  # !",
            answer(f"{LEAF}\ny = f(x)\nreturn y, slope(y, x)[0]"),
        ),
    ),
    "a default argument": (
        "autograd",
        cells("def grad_q5(x, g=torch.autograd.grad):  # !\n    x.requires_grad_()\n    return x, g(f(x), x)[0]"),
    ),
    "a method": (
        "autograd",
        cells(
            "class Slope:\n    def __init__(self, x):\n        self.x = x.requires_grad_()\n"
            "    def value(self):\n        return torch.autograd.grad(f(self.x), self.x)[0]  # !",
            answer("return f(x), Slope(x).value()"),
        ),
    ),
    "a decorator": (
        "autograd",
        cells(
            "def by_machine(g):\n    def inner(x):\n        x.requires_grad_()\n"
            "        return g(x)[0], torch.autograd.grad(f(x), x)[0]  # !\n    return inner",
            "@by_machine\ndef grad_q5(x):\n    return f(x), 0",
        ),
    ),
    "a factory": (
        "autograd",
        cells(
            "def make():\n    def inner(x):\n        x.requires_grad_()\n        y = f(x)\n"
            "        y.backward()  # !\n        return y, x\n    return inner",
            "grad_q5 = make()",
        ),
    ),
    "handed over as an argument": (
        "autograd",
        cells(
            "def apply(t, y, x):\n    return t.autograd.grad(y, x)[0]  # !",
            answer(f"{LEAF}\nreturn f(x), apply(torch, f(x), x)"),
        ),
    ),
    "getattr with a literal": (
        "autograd",
        one(f"{LEAF}\nag = getattr(torch, 'autograd')\ny = f(x)\nreturn y, ag.grad(y, x)[0]  # !"),
    ),
    "getattr with text put together": (
        "autograd",
        one(f"{LEAF}\ny = f(x)\ngetattr(y, 'back' + 'ward')()  # !\nreturn y, 0"),
    ),
    "getattr with text from another cell": (
        "autograd",
        cells("how = 'back'", answer(f"{LEAF}\ny = f(x)\ngetattr(y, f'{{how}}ward')()  # !\nreturn y, 0")),
    ),
    "methodcaller": (
        "autograd",
        cells("import operator", answer(f"{LEAF}\ny = f(x)\noperator.methodcaller('backward')(y)  # !\nreturn y, 0")),
    ),
    "import_module": (
        "autograd",
        cells(
            "import importlib",
            answer(f"{LEAF}\ny = f(x)\nd = importlib.import_module('torch.autograd').grad(y, x)[0]  # !\nreturn y, d"),
        ),
    ),
    "__import__": (
        "autograd",
        one(f"{LEAF}\ny = f(x)\nd = __import__('torch').autograd.grad(y, x)[0]  # !\nreturn y, d"),
    ),
    "sys.modules": (
        "autograd",
        cells("import sys", answer(f"{LEAF}\ny = f(x)\nreturn y, sys.modules['torch'].autograd.grad(y, x)[0]  # !")),
    ),
    "__dict__": (
        "autograd",
        one(f"{LEAF}\ny = f(x)\nreturn y, torch.__dict__['autograd'].grad(y, x)[0]  # !"),
    ),
    "a table of functions": (
        "autograd",
        cells(
            "tools = {'d': torch.autograd.grad}", answer(f"{LEAF}\ny = f(x)\nd = tools['d'](y, x)[0]  # !\nreturn y, d")
        ),
    ),
    "a global that a helper sets": (
        "autograd",
        cells(
            "def prepare():\n    global slope\n    slope = torch.autograd.grad  # an alias\nprepare()",
            answer(f"{LEAF}\ny = f(x)\nreturn y, slope(y, x)[0]  # !"),
        ),
    ),
    "torch.func.grad": ("functional", one("return f(x), torch.func.grad(f)(x)  # !")),
    "torch.func imported": (
        "functional",
        cells("from torch.func import grad as D", answer("return f(x), D(f)(x)  # !")),
    ),
    "jacrev": ("functional", one("return f(x), torch.func.jacrev(f)(x)  # !")),
    "jacfwd": ("functional", one("return f(x), torch.func.jacfwd(f)(x)  # !")),
    "vjp": ("functional", one("y, back = torch.func.vjp(f, x)  # !\nreturn y, back(torch.ones_like(y))[0]")),
    "jvp": ("functional", one("return torch.func.jvp(f, (x,), (torch.ones_like(x),))  # !")),
    "hessian": ("functional", one("return f(x), torch.func.hessian(lambda t: t**3)(x)  # !")),
    "functional.jacobian": ("functional", one("return f(x), torch.autograd.functional.jacobian(f, x)  # !")),
    "a hook": ("hook", one(f"{LEAF}\nkept = []\nx.register_hook(kept.append)  # !\nreturn f(x), kept")),
    "torch.gradient": (
        "differences",
        one("t = torch.stack([x - 0.1, x, x + 0.1])\nreturn f(x), torch.gradient(f(t), spacing=0.1)[0][1]  # !"),
    ),
    "numpy.gradient": (
        "differences",
        one("t = np.array([x - 0.1, x, x + 0.1])\nreturn f(x), np.gradient(f(t), 0.1)[1]  # !"),
    ),
    "polyder": ("package", one("return f(x), np.polyval(np.polyder([8, 3, 7, 6, 3]), x)  # !")),
    "poly1d.deriv": ("package", one("p = np.poly1d([8, 3, 7, 6, 3])\nreturn f(x), p.deriv()(x.item())  # !")),
    "Polynomial.deriv": (
        "package",
        cells(
            "from numpy.polynomial import Polynomial\np = Polynomial([3, 6, 7, 3, 8])",
            answer("return f(x), p.deriv()(x.item())  # !"),
        ),
    ),
    "sympy": (
        "package",
        one(
            "import sympy\nt = sympy.Symbol('t')\nd = sympy.diff(f(t), t)  # !\nreturn f(x), float(d.subs(t, x.item()))"
        ),
    ),
    "exec": ("hidden", one("names = {}\nexec('d = 1', names)  # !\nreturn f(x), names['d']")),
    "eval": ("hidden", one("return f(x), eval('6 + 14 * x')  # !")),
    "eval by another name": ("hidden", cells("run = eval", answer("return f(x), run('6 + 14 * x')  # !"))),
    "compile": ("hidden", one("code = compile('1', 'a', 'eval')  # !\nreturn f(x), 1")),
    "_getframe": ("frames", cells("import sys", answer("up = sys._getframe(1)  # !\nreturn f(x), 1"))),
    "inspect.currentframe": ("frames", cells("import inspect", answer("inspect.currentframe()  # !\nreturn f(x), 1"))),
    "the garbage collector": ("frames", one("import gc\nthings = gc.get_referrers(x)  # !\nreturn f(x), 1")),
    "open": ("outside", one("import os\nopen(os.devnull).close()  # !\nreturn f(x), 1")),
}
# Only reading finds these: nothing that an event shows happens, or what they need is not installed.
READ: dict[str, tuple[str, list[str]]] = {
    ".grad": ("grad", one("return f(x), x.grad  # !")),
    ".grad computed by another cell": (
        "grad",
        cells(
            "t = torch.tensor(2.0, requires_grad=True)\nf(t).backward()",
            "s = t.grad.item()  # !",
            answer("return f(x), s"),
        ),
    ),
    "a list that another cell fills": (
        "grad",
        cells("kept = []\nt = torch.tensor(2.0)\nkept.append(t.grad)  # !", answer("return f(x), kept[0]")),
    ),
    "a value by autograd.grad in another cell": (
        "autograd",
        cells(
            "t = torch.tensor(2.0, requires_grad=True)\ns, = torch.autograd.grad(f(t), t)  # !",
            answer("return f(x), s"),
        ),
    ),
    "grad_fn": ("graph", one(f"{LEAF}\ny = f(x)\nreturn y, y.grad_fn(torch.ones(()))  # !")),
    "next_functions": ("graph", one("y = f(x)\nn = walk(y).next_functions  # !\nreturn y, n")),
    "dual numbers of torch": (
        "forward-mode",
        one("with torch.autograd.forward_ad.dual_level():  # !\n    d = 1\nreturn f(x), d"),
    ),
    "forward mode imported": (
        "forward-mode",
        cells("import torch.autograd.forward_ad as fwd", answer("d = fwd.make_dual(x, x)  # !\nreturn f(x), d")),
    ),
    "functorch": ("package", cells("import functorch", answer("return f(x), functorch.grad(f)(x)  # !"))),
    "jax": ("package", cells("import jax", answer("return f(x), jax.grad(f)(float(x))  # !"))),
    "jax, imported from": ("package", one("from jax import grad\nreturn f(x), grad(f)(float(x))  # !")),
    "HIPS autograd": ("package", cells("from autograd import grad", answer("return f(x), grad(f)(float(x))  # !"))),
    "casadi": ("package", one("import casadi as ca\nreturn f(x), ca.jacobian(f, x)  # !")),
    "tensorflow": (
        "package",
        one("import tensorflow as tf\nwith tf.GradientTape() as tape:  # !\n    pass\nreturn 1, 1"),
    ),
    "numdifftools": ("package", one("import numdifftools as nd\nreturn f(x), nd.Derivative(f)(x)  # !")),
    "approx_fprime": (
        "package",
        one("from scipy.optimize import approx_fprime\nreturn f(x), approx_fprime([x], f)  # !"),
    ),
    "scipy.differentiate": ("package", one("import scipy.differentiate as d\nreturn 1, d.derivative(f, x)  # !")),
    "mpmath": ("package", one("import mpmath\nreturn f(x), mpmath.diff(f, float(x))  # !")),
    "sympy in another cell": (
        "package",
        cells(
            "import sympy\nt = sympy.Symbol('t')\nd = sympy.lambdify(t, sympy.diff(f(t), t))  # !",
            answer("return f(x), d(x)"),
        ),
    ),
    "getattr with a computed name": ("hidden", one("n = ''.join(['gr', 'ad'])\nreturn f(x), getattr(x, n)  # !")),
    "getattr under another name": ("grad", cells("look = getattr", answer("return f(x), look(x, 'grad')  # !"))),
    "globals with a computed name": ("hidden", one("return f(x), globals()['g' + str(5)](x)  # !")),
    "import with a computed name": ("hidden", one("m = __import__(str(x))  # !\nreturn f(x), m")),
    "importlib with a computed name": (
        "hidden",
        one("import importlib\nm = importlib.import_module(chr(116))  # !\nreturn f(x), m"),
    ),
    "__subclasses__": ("hidden", one("return f(x), object.__subclasses__()  # !")),
    "base64": ("hidden", one("import base64\ns = base64.b64decode('eA==')  # !\nreturn f(x), s")),
    "ctypes": ("hidden", one("import ctypes\np = ctypes.c_double(1)  # !\nreturn f(x), p")),
    "forward difference": ("differences", one("h = 1e-6\nreturn f(x), (f(x + h) - f(x)) / h  # !")),
    "central difference": ("differences", one("h = 1e-6\nd = (f(x + h) - f(x - h)) / (2 * h)  # !\nreturn f(x), d")),
    "step written out": ("differences", one("return f(x), (f(x + 1e-6) - f(x)) / 1e-6  # !")),
    "times a million": ("differences", one("return f(x), (f(x + 1e-6) - f(x)) * 1e6  # !")),
    "values named first": ("differences", one("h = 1e-6\nup = f(x + h)\ny = f(x)\nd = (up - y) / h  # !\nreturn y, d")),
    "shifted arguments named first": (
        "differences",
        one("h = 1e-6\na, b = x + h, x - h\nd = (f(a) - f(b)) / (a - b)  # !\nreturn f(x), d"),
    ),
    "divided later": ("differences", one("h = 1e-6\nd = f(x + h) - f(x)\nd /= h  # !\nreturn f(x), d")),
    "two quotients": ("differences", one("h = 1e-6\nd = f(x + h) / h - f(x) / h  # !\nreturn f(x), d")),
    "of fourth order": (
        "differences",
        one("h = 1e-3\nd = (-f(x+2*h) + 8*f(x+h) - 8*f(x-h) + f(x-2*h)) / (12*h)  # !\nreturn f(x), d"),
    ),
    "second difference": ("differences", one("h = 1e-3\nd = (f(x+h) - 2*f(x) + f(x-h)) / h**2  # !\nreturn f(x), d")),
    "step relative to x": ("differences", one("h = 1e-6 * x\nd = (f(x + h) - f(x)) / h  # !\nreturn f(x), d")),
    "step from machine epsilon": (
        "differences",
        one("h = math.sqrt(torch.finfo(x.dtype).eps)\nd = (f(x + h) - f(x)) / h  # !\nreturn f(x), d"),
    ),
    "a step as a tensor": (
        "differences",
        one("h = torch.tensor(1e-6)\nd = (f(x + h) - f(x)) / h  # !\nreturn f(x), d"),
    ),
    "steps in a loop": (
        "differences",
        one("for h in (1e-2, 1e-3):\n    d = (f(x + h) - f(x - h)) / (2 * h)  # !\nreturn f(x), d"),
    ),
    "weights in a loop": (
        "differences",
        one(
            "h, d = 1e-4, 0\nfor k, c in ((1, 0.5), (-1, -0.5)):\n    d += c * f(x + k * h)\nd = d / h  # !\nreturn f(x), d"
        ),
    ),
    "weights in a sum": (
        "differences",
        one("h = 1e-4\nd = sum(c * f(x + k * h) for k, c in ((1, 0.5), (-1, -0.5))) / h  # !\nreturn f(x), d"),
    ),
    "a comprehension": (
        "differences",
        one("h = 1e-6\nup, y = [f(t) for t in (x + h, x)]\nd = (up - y) / h  # !\nreturn y, d"),
    ),
    "map": ("differences", one("h = 1e-6\nup, y = map(f, (x + h, x))\nd = (up - y) / h  # !\nreturn y, d")),
    "numpy.diff": (
        "differences",
        one("h = 1e-6\nd = np.diff(f(np.array([x - h, x + h])))[0] / (2 * h)  # !\nreturn f(x), d"),
    ),
    "torch.div and torch.sub": (
        "differences",
        one("h = 1e-6\nd = torch.div(torch.sub(f(x + h), f(x)), h)  # !\nreturn 1, d"),
    ),
    "a helper for any function": (
        "differences",
        cells("def slope(g, x, h=1e-6):\n    return (g(x + h) - g(x)) / h  # !", answer("return f(x), slope(f, x)")),
    ),
    "a helper given the step": (
        "differences",
        cells(
            "def slope(g, x, h):\n    return (g(x + h) - g(x - h)) / 2 / h  # !",
            answer("return f(x), slope(f, x, 1e-6)"),
        ),
    ),
    "a helper that only subtracts": (
        "differences",
        cells("def rise(x, h):\n    return f(x + h) - f(x)", answer("return f(x), rise(x, 1e-6) / 1e-6  # !")),
    ),
    "a lambda's difference": (
        "differences",
        cells("D = lambda g, h=1e-6: lambda x: (g(x + h) - g(x)) / h  # !", answer("return f(x), D(f)(x)")),
    ),
    "an argument stepped in place": (
        "differences",
        one(
            "y = f(x)\nx = x + 1e-6\nup = f(x)\nd = (up - f(x - 1e-6)) / 1e-6\nx = x - 1e-6\nd = (up - y) / 1e-6  # !\nreturn y, d"
        ),
    ),
    "values kept in a list": (
        "differences",
        one(
            "h, ys = 1e-6, []\nfor s in (h, -h):\n    ys.append(f(x + s))\nd = (ys[0] - ys[1]) / (2 * h)  # !\nreturn f(x), d"
        ),
    ),
    "a list of steps": (
        "differences",
        one("h = np.array([1e-3, 1e-4])\nd = (f(x + h) - f(x)) / h  # !\nreturn f(x), d[1]"),
    ),
    "a library function": ("differences", one("h = 1e-6\nreturn 1, (torch.sin(x + h) - torch.sin(x)) / h  # !")),
    "the formula written out twice": ("differences", one("h = 1e-6\nd = ((x + h)**2 - x**2) / h  # !\nreturn f(x), d")),
    "a longer formula written out twice": (
        "differences",
        one("h = 1e-6\nd = (7*(x + h)**2 + 3*(x + h)**3 - 7*x**2 - 3*x**3) / h  # !\nreturn f(x), d"),
    ),
    "a method's difference": (
        "differences",
        cells(
            "class G:\n    def value(self, x): return x**2\n"
            "    def slope(self, x, h=1e-6):\n        return (self.value(x + h) - self.value(x)) / h  # !",
            answer("return f(x), G().slope(x)"),
        ),
    ),
    "complex step": ("complex-step", one("h = 1e-20\nx = x.item()\nreturn f(x), f(x + 1j * h).imag / h  # !")),
    "complex step written out": ("complex-step", one("return f(x), f(float(x) + 1e-20j).imag / 1e-20  # !")),
    "complex()": ("complex-step", one("h = 1e-20\nz = f(complex(x, h))\nreturn f(x), z.imag / h  # !")),
    "np.imag": ("complex-step", one("h = 1e-20\nreturn f(x), np.imag(f(x.item() + h * 1j)) / h  # !")),
    "torch.complex": (
        "complex-step",
        one("h = 1e-20\nz = torch.complex(x, torch.tensor(h))\nreturn 1, f(z).imag / h  # !"),
    ),
    "an unknown package": ("unknown-package", one("import gradients_r_us as g\nreturn f(x), g.slope(f, x)  # !")),
    "a name that no cell defines": ("undefined", one("return f(x), slope_of(f, x)  # !")),
    "subprocess": ("outside", one("import subprocess\nsubprocess.run(['true'])  # !\nreturn f(x), 1")),
    "urllib": ("outside", one("import urllib.request as u\nu.urlopen('x')  # !\nreturn f(x), 1")),
    "an imaginary part": ("imaginary", one("import cmath\nreturn f(x), cmath.exp(1j * x.item()).imag  # !")),
    "a custom Function": (
        "custom-function",
        cells("class S(torch.autograd.Function):  # !\n    pass", answer("return S(), 1")),
    ),
    "a wide step": ("difference-like", one("return f(x), (f(x + 1) - f(x - 1)) / 2  # !")),
}
Q5 = [CELLS["setup"], CELLS["q5-forward"]]
QUESTION: dict[str, list[str]] = {
    "called": [*Q5, answer("return q5(x), 1  # !")],
    "checked": [*Q5, answer("q5.check(at={'x': float(x)})  # !\nreturn x, 1")],
    "its forward pass": [*Q5, answer("return q5.forward.lines, 1  # !")],
    "under another name": [*Q5, "mine = q5", answer("return mine(x), 1  # !")],
    "through a helper": [*Q5, "def value(x):\n    return q5(x)  # !", answer("return value(x), 1")],
    "the package's inside": [
        *Q5,
        "from autograder.calculus import reference",
        answer("d = reference.tensors({'x': 1.0})  # !\nreturn d, 1"),
    ],
}


@pytest.mark.parametrize("what", [*BOTH, *READ])
def test_reading_finds_the_machine_by_rule_and_line(what: str) -> None:
    rule, sources = {**BOTH, **READ}[what]
    findings = read(sources, "grad_q5")
    cell, line = marked(sources) if what != "a global that a helper sets" else (3, 4)
    source = sources[cell].split("\n")[line - 1].strip()
    assert Finding(RULES[rule].outcome, rule, line, source, cell) in findings


@pytest.mark.parametrize("what", BOTH)
def test_watching_finds_the_machine_at_the_same_line(what: str) -> None:
    rule, sources = BOTH[what]
    if "sympy" in what:
        pytest.importorskip("sympy")
    findings = watched(sources)
    seen = {(f.rule, f.source) for f in findings}
    text = sources[marked(sources)[0]].split("\n")[marked(sources)[1] - 1].strip()
    # Where a machine is only named at the mark, it runs elsewhere.
    elsewhere = what in ("backward without brackets", "a default argument", "vjp", "a partial")
    assert any(r == rule and (elsewhere or s == text) for r, s in seen), findings


@pytest.mark.parametrize("what", QUESTION)
def test_the_courses_own_questions_are_machines_to_both_guards(what: str) -> None:
    sources = QUESTION[what]
    cell, line = marked(sources)
    assert [(f.rule, f.line, f.cell) for f in read(sources, "grad_q5")] == [("question", line, cell)]
    if "forward pass" not in what:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("builtins.print", lambda *_, **__: None)
            try:
                findings = watched(sources)
            except Exception:
                return
        assert "question" in {f.rule for f in findings}


def test_watching_finds_what_the_source_does_not_show() -> None:
    """The machine comes from an object that no cell defines."""
    x = torch.tensor(2.0, requires_grad=True)
    tools = {"given": {"tool": torch.autograd.grad}}
    findings = watched(["def grad_q5(x):\n    return tool(x * x, x)"], "grad_q5", x, **tools)
    assert [(f.rule, f.line) for f in findings] == [("autograd", 2)]


def test_a_machine_called_by_the_grader_itself_is_found_without_a_line() -> None:
    sources = cells("grad_q5 = torch.func.grad_and_value(f)")
    assert [(f.rule, f.line, f.cell) for f in read(sources, "grad_q5")] == [("functional", 1, 2)]
    assert "functional" in {f.rule for f in watched(sources)}


def test_each_forbidden_rule_of_the_table_is_exercised() -> None:
    tried = {rule for rule, _ in (*BOTH.values(), *READ.values())} | {"question", "unread"}
    assert tried == set(RULES) - {"diff", "inexact"}  # tests/verdict/test_exactness.py


# Honest


def sample(name: str) -> list[str]:
    text = (Path(__file__).parent / "sample_class" / f"{name}.py").read_text()
    parts = re.split(r"^# %% .*$", text, flags=re.MULTILINE)[1:]
    return [CELLS["setup"], *(CELLS[f"{q}-forward"] for q in NAMES), *parts]


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_the_accept_corpus_is_untouched_by_both_guards(name: str, form: str) -> None:
    module = inspect.getsource(inspect.getmodule(corpus(name)[form]))  # type: ignore[arg-type]
    sources = [CELLS["setup"], CELLS[f"{name}-forward"], f"{module}\ngrad_{name} = {form}\n"]
    assert read(sources, f"grad_{name}") == ()
    for dtype in (torch.float64, torch.float32):
        point = [torch.tensor(v, dtype=dtype) for v in QUESTIONS[name].at.values()]
        assert watch_call(corpus(name)[form], *point) == ()


@pytest.mark.parametrize("question", NAMES)
@pytest.mark.parametrize("name", [p.stem for p in (Path(__file__).parent / "sample_class").glob("*.py")])
def test_the_sample_class_is_untouched(name: str, question: str) -> None:
    findings = read(sample(name), f"grad_{question}")
    assert {f.rule for f in findings} <= {"unread"}, findings  # unanswered, or its cell is no Python


@settings(max_examples=40, deadline=None)
@given(passes())
def test_any_derivative_by_the_rules_is_untouched(forward: Pass) -> None:
    assert read([SETUP, forward.answer()], "grad_p") == ()


HONEST: dict[str, list[str]] = {
    "a scratch cell with autograd and the same names": cells(
        "x = torch.tensor(0.5, requires_grad=True)\nf = x**2\nf.backward()\ndfdx = x.grad\nslope = torch.autograd.grad",
        answer("f = x**2\ndfdx = 2 * x\nreturn f, dfdx"),
    ),
    "a check of oneself that calls the answer": cells(
        answer("return f(x), 6 + 14 * x"),
        "def check(g):\n    x = torch.tensor(0.5, requires_grad=True)\n    y = g(x)[0]\n    y.backward()\n    print(x.grad)\ncheck(grad_q5)",
    ),
    "a finite difference in a scratch cell": cells(
        "h = 1e-6\nprint((f(2 + h) - f(2)) / h)", answer("h = 6 + 14 * x\nreturn f(x), h")
    ),
    "a helper defined again by hand": cells(
        "def slope(x):\n    return torch.func.grad(f)(x)",
        "def slope(x):\n    return 6 + 14 * x",
        answer("return f(x), slope(x)"),
    ),
    "an answer written again by hand": cells(
        answer("f(x).backward()\nreturn 1, x.grad"), answer("return f(x), 6 + 14 * x")
    ),
    "a method that the answer does not call": cells(
        "class P:\n    def value(self, x): return x**2\n    def check(self, x): return torch.func.grad(self.value)(x)",
        answer("return P().value(x), 2 * x"),
    ),
    "lines after the return": cells(answer("return f(x), 6 + 14 * x\nf(x).backward()\nprint(x.grad)")),
    "IPython's own lines": cells(
        "%matplotlib inline\n!pip list\nfiles = !ls\ntorch?\n%timeit f(2)",
        "%%bash\nls",
        "%%html\n<b>",
        "await_me = (",
        "import asyncio\nawait asyncio.sleep(0)",
        "%%time\ndef slope(x):\n    return 6 + 14 * x",
        answer("return f(x), slope(x)"),
    ),
    "reverse mode by hand, in the manner of micrograd": cells(
        "class Value:\n    def __init__(self, data, inputs=()):\n        self.data, self.grad, self.inputs = data, 0.0, inputs\n"
        "    def __mul__(self, other):\n"
        "        return Value(self.data * other.data, ((self, other.data), (other, self.data)))\n"
        "    def backward(self, grad=1.0):\n        self.grad += grad\n"
        "        for one, local in self.inputs:\n            one.backward(grad * local)\n",
        answer("v = Value(float(x))\ny = v * v\ny.backward()\nreturn y.data, v.grad"),
    ),
    "dual numbers by hand": cells(
        "from dataclasses import dataclass\n@dataclass\nclass Dual:\n    value: float\n    grad: float\n"
        "    def __mul__(self, o):\n        return Dual(self.value * o.value, self.value * o.grad + self.grad * o.value)",
        answer("d = Dual(float(x), 1.0)\ny = d * d\nreturn y.value, y.grad"),
    ),
    "a named tuple": cells(
        "from collections import namedtuple\nResult = namedtuple('Result', 'value grad')",
        answer("r = Result(x**2, 2 * x)\nreturn r.value, r.grad"),
    ),
    "quotients of differences that are algebra": cells(
        answer(
            "h = x + 2\np, q = torch.exp(x), torch.exp(-x)\nt = (p - q) / (p + q)\nu = (p - q) / (2 * x)\n"
            "s = (torch.sin(x + h) - torch.sin(x)) / h\nv = (p * p - 1) / (p * p + 1)\nw = 1 / (x + 1) - 1 / x\n"
            "k = (2 * x * q - p * 3) / q**2\nm = (torch.log(p) - torch.log(q)) / (p - q)\n"
            "n = (torch.exp(x + 1) - torch.exp(x - 1)) / 2\no = torch.tanh((x + 0.1) / 0.1)\nreturn t + u + s, v + w + k + m + n + o"
        )
    ),
    "loops and small numbers": cells(
        answer(
            "dt, y, s = 0.001, x, 0\nfor k in range(1, 5):\n    y = y + dt * f(y)\n    s += k * x ** (k - 1) / 0.01\n"
            "area = sum(f(x + i * 0.01) for i in range(3)) * 0.01\nreturn y / dt + area, torch.exp(x + dt) / dt + s"
        )
    ),
    "a guard against log(0)": cells(
        answer("e = torch.log(x + 1e-12)\nd = (e - torch.log(x)) * x\nreturn e, d / (x + 1e-12)")
    ),
    "requires_grad_ and no_grad": cells(
        answer(f"{LEAF}\nwith torch.no_grad():\n    y = f(x)\nreturn y.detach(), (6 * x).item()")
    ),
    "getattr with known names": cells(
        answer("for n in ('sin', 'cos'):\n    y = getattr(torch, n)(x)\nreturn y, getattr(x, 'data')")
    ),
    "printing, numpy, math, functools, operator": cells(
        "import operator\nfrom functools import partial, reduce\nfrom itertools import accumulate",
        answer("print(x, np.cos(x.item()), math.pi)\nreturn reduce(operator.mul, [x, x]), sum(accumulate([x, x]))"),
    ),
    "names that sound like machines": cells(
        "def vjp(x):\n    return 2 * x\ndef grad(x):\n    return vjp(x)\ndef gradient(x): return grad(x)",
        answer("jacobian = gradient(x)\nbackward = jacobian * 1\nhook = diff = backward\nreturn f(x), hook"),
    ),
    "match, try, while, walrus, nested functions": cells(
        answer(
            "def inner(t):\n    return 2 * t\ntry:\n    n = 0\n    while (n := n + 1) < 3:\n        pass\nexcept ValueError as e:\n    print(e)\n"
            "match n:\n    case 3:\n        d = inner(x)\n    case _:\n        d = 0\nreturn f(x), d"
        )
    ),
}


@pytest.mark.parametrize("what", HONEST)
def test_honest_work_is_untouched_by_both_guards(what: str) -> None:
    assert read(HONEST[what], "grad_q5") == ()
    runnable = [s for s in HONEST[what] if not re.search(r"^[%!]|^await|^import asyncio", s) and not s.endswith("= (")]
    if not any(s.startswith(("%", "await")) for s in HONEST[what][:-1]):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("builtins.print", lambda *_, **__: None)
            assert watched(runnable[: 1 + max(i for i, s in enumerate(runnable) if "def grad_q5" in s)]) == ()


def test_a_file_beside_the_notebook_is_read_when_it_is_given() -> None:
    helper = {
        "tools": "import torch\ndef slope(y, x):\n    return torch.autograd.grad(y, x)\ndef by_hand(x):\n    return 2 * x"
    }
    used = cells("from tools import slope", answer("return f(x), slope(f(x), x)"))
    assert [(f.rule, f.line, f.cell) for f in read(used, "grad_q5", helper)] == [("autograd", 3, None)]
    assert read(cells("import tools", answer("return f(x), tools.by_hand(x)")), "grad_q5", helper) == ()
    assert [f.rule for f in read(used, "grad_q5")] == ["unknown-package"]


def test_a_function_that_no_cell_defines_is_listed_as_unread() -> None:
    assert [f.rule for f in read(cells("x = 1"), "grad_q5")] == ["unread"]


def test_numpys_differences_alone_are_only_listed() -> None:
    assert [f.rule for f in read(one("return f(x), np.diff([1, 3])[0]"), "grad_q5")] == ["diff"]


def test_what_torch_and_the_library_do_of_themselves_is_not_reported() -> None:
    def ordinary(x: torch.Tensor) -> tuple[Any, Any]:
        import collections
        import fractions  # an import runs code of its own

        dataclasses.make_dataclass("D", ["a"])
        collections.namedtuple("N", "a b")  # it uses exec and frames inside
        with torch.no_grad(), torch.autograd.set_detect_anomaly(False):
            y = torch.nn.functional.softplus(torch.stack([x, x]).sum())
        torch.vmap(lambda t: t * 2)(torch.ones(3))
        return np.linalg.norm([float(y), fractions.Fraction(1, 3)]), np.unwrap([1.0, 2.0])

    assert watch_call(ordinary, torch.tensor(1.0)) == ()


def test_findings_are_plain_data_and_their_sentences_name_the_line() -> None:
    finding = read(BOTH["backward"][1], "grad_q5")[0]
    assert json.loads(json.dumps(dataclasses.asdict(finding))) == dataclasses.asdict(finding)
    assert sentence(finding, "grad_q5") == (
        "grad_q5 takes its derivative from torch.autograd (line 4: `y.backward()  # !`): write each link with the "
        "rules of differentiation. In a cell of your own you may use it to check yourself."
    )
    for rule in RULES.values():
        text = sentence(rules.found(rule.name), "grad_q5")
        assert "grad_q5" in text
        assert "{" not in text


def test_watching_costs_little() -> None:
    """A million events would take seconds; an answer makes some hundred."""
    watch, calls = Watch(test_watching_costs_little.__code__), []

    def callback(frame: FrameType, event: str, arg: Any) -> None:
        calls.append(event)
        watch.event(frame, event, arg)

    sys.setprofile(callback)
    try:
        corpus("q6")["seed"](*(torch.tensor(v) for v in QUESTIONS["q6"].at.values()))
    finally:
        sys.setprofile(None)
    assert len(calls) < 500
    assert Outcome.FORBIDDEN.value == "forbidden"
