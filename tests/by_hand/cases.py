"""Answers as the cells of a notebook: machines by the rule and the line (`# !`) that are to be found, and honest work."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from tests.conftest import CELLS, NAMES

SETUP = "import torch\nimport numpy as np\nimport math"
F = "def f(x):\n    return 3 + 6 * x + 7 * x**2 + 3 * x**3 + 8 * x**4"
LEAF = "x = x.clone().requires_grad_()"


def cells(*sources: str) -> list[str]:
    return [SETUP, F, *(textwrap.dedent(s).strip("\n") for s in sources)]


def answer(body: str) -> str:
    """The answer cell: `# !` marks the line that is to be found."""
    return "def grad_q5(x):\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")


def marked(sources: list[str]) -> tuple[int, int]:
    """Cell and line of the mark `# !`."""
    return next((c, n) for c, s in enumerate(sources) for n, line in enumerate(s.split("\n"), 1) if "# !" in line)


def one(body: str) -> list[str]:
    return cells(answer(body))


def sample(name: str) -> list[str]:
    text = (Path(__file__).parent.parent / "sample_class" / f"{name}.py").read_text()
    parts = re.split(r"^# %% .*$", text, flags=re.MULTILINE)[1:]
    return [CELLS["setup"], *(CELLS[f"{q}-forward"] for q in NAMES), *parts]


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
