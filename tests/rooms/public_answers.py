"""Answers to ps1 as people write them, each with the verdict that it deserves and why.

`cells` replace solution cells by grade_id (the others hold right answers); `before` and `after` are cells that the student
adds at the top and the bottom; `files` lie beside the notebook. Where `right`, the questions in `cells` earn full marks;
else those in `lost` must not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Case = dict[str, Any]
CASES: list[Case] = [
    {
        "name": "plain_node_filled_from_outside",
        "right": True,
        "why": "own class with no __init__: its .grad is the student's, torch never fills it",
        "cells": {
            "q6": r"""
class Node:
    pass

def grad_q6(x, y, z):
    n = {k: Node() for k in "abcdef"}
    n["a"].data = 2*x
    n["b"].data = torch.sin(y)
    n["c"].data = n["a"].data / n["b"].data
    n["d"].data = n["c"].data * z
    n["e"].data = torch.log(n["d"].data + 1)
    n["f"].data = torch.tanh(n["e"].data)
    n["f"].grad = 1.0
    n["e"].grad = n["f"].grad * (1 - n["f"].data**2)
    n["d"].grad = n["e"].grad / (n["d"].data + 1)
    n["c"].grad = n["d"].grad * z
    n["b"].grad = n["c"].grad * -n["a"].data / n["b"].data**2
    return n["f"].data, n["b"].grad * torch.cos(y)
""",
        },
    },
    {
        "name": "attrdict",
        "right": True,
        "why": "own dictionary with attribute access",
        "cells": {
            "q3": r"""
class AttrDict(dict):
    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__

def grad_q3(b, x, w):
    v = AttrDict(data=w*x + b)
    a = torch.sigmoid(v.data)
    v.grad = a*(1 - a)
    return a, v.grad*x
""",
        },
    },
    {
        "name": "manual_grad_kept_in_tensor_grad",
        "right": True,
        "why": "the tensor attribute .grad used as a place to keep one's own numbers; torch has filled nothing",
        "cells": {
            "q4": r"""
def grad_q4(x):
    a = x*x
    b = 2*x
    c = torch.sin(x)
    d = -(a + b + c)
    f = torch.exp(d)
    d.grad = f
    a.grad = -d.grad
    b.grad = -d.grad
    c.grad = -d.grad
    return f, a.grad*2*x + b.grad*2 + c.grad*torch.cos(x)
""",
        },
    },
    {
        "name": "scratch_line_below_fails",
        "right": True,
        "why": "the function is defined and right; the line that fails stands below it (a check of oneself that is too strict)",
        "cells": {
            "q4": r"""
def grad_q4(x):
    a = x*x
    b = 2*x
    c = torch.sin(x)
    d = -(a + b + c)
    f = torch.exp(d)

    dfdd = torch.exp(d)
    dfdb = dfdd * -1.0
    dfda = dfdd * -1.0
    dfdc = dfdd * -1.0

    dfdx = dfdb * 2.0 + dfda * 2 *x + dfdc * torch.cos(x)

    return f, dfdx

x = torch.tensor(0.2, requires_grad=True)
f, dfdx = grad_q4(x)
f.backward()
assert x.grad.item() == 0.0, "just looking"
""",
        },
    },
    {
        "name": "input_below_the_function",
        "right": True,
        "why": "met in public answers to this lab; at home it works, graded it raises after the function is defined",
        "cells": {
            "q5": r"""
def grad_q5(x):
    a = 6 * x
    b = 7 *x ** 2
    c = 3 * x**3
    d = 8 * x ** 4
    f = a+ b+c+d+3

    dfda = 1
    dfdb =1
    dfdc = 1
    dfdd = 1

    dfdx = dfda * 6 + dfdb * 14 * x + dfdc * 9 *x**2 + dfdd * 32 * x ** 3

    return f, dfdx

x = float(input("Enter value of x: "))
print(grad_q5(torch.tensor(x)))
""",
        },
    },
    {
        "name": "check_flag_off",
        "right": True,
        "why": "never runs when it is graded: the contract says what counts is what grad_qN reaches when it is called",
        "cells": {
            "q4": r"""
CHECK = False
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    dfdx = -(2*x + 2 + torch.cos(x))*f
    if CHECK:
        t = x.detach().clone().requires_grad_(True)
        torch.exp(-(t*t + 2*t + torch.sin(t))).backward()
        print("autograd says", t.grad)
    return f, dfdx
""",
            "q5": r"""
def grad_q5(x, verbose=False):
    f = 6*x + 7*x**2 + 3*x**3 + 8*x**4 + 3
    dfdx = 6 + 14*x + 9*x**2 + 32*x**3
    if verbose:
        t = x.detach().clone().requires_grad_(True)
        (6*t + 7*t**2 + 3*t**3 + 8*t**4 + 3).backward()
        print(t.grad - dfdx)
    return f, dfdx
""",
        },
    },
    {
        "name": "zero_grad_hygiene",
        "right": True,
        "why": "a habit from training loops; nothing is taken from .grad",
        "cells": {
            "q4": r"""
def grad_q4(x):
    if x.grad is not None:
        x.grad.zero_()
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    return f, -(2*x + 2 + torch.cos(x))*f
""",
        },
    },
    {
        "name": "prints_grad_fn",
        "right": True,
        "why": "looks at grad_fn out of curiosity; it is None",
        "cells": {
            "q4": r"""
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    print(f, f.requires_grad, f.grad_fn, x.is_leaf)
    return f, -(2*x + 2 + torch.cos(x))*f
""",
        },
    },
    {
        "name": "idiom_getattr_from_table",
        "right": True,
        "why": "an ordinary Python idiom",
        "cells": {
            "q4": r"""
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    DERIVATIVE = {'sin': 'cos', 'exp': 'exp'}
    return f, -(2*x + 2 + getattr(torch, DERIVATIVE['sin'])(x))*f
""",
        },
    },
    {
        "name": "idiom_own_object_by_name",
        "right": True,
        "why": "getattr with a name that is put together, on the student's own object",
        "cells": {
            "q6": r"""
class Graph:
    def __init__(self, **values):
        self.__dict__.update(values)
    def add(self, name, by):
        old = getattr(self, "bar_" + name, 0.0)
        setattr(self, "bar_" + name, old + by)

def grad_q6(x, y, z):
    g = Graph(a=2*x, b=torch.sin(y))
    g.c = g.a/g.b
    g.d = g.c*z
    g.e = torch.log(g.d + 1)
    f = torch.tanh(g.e)
    g.add("e", 1 - f*f)
    g.add("d", g.bar_e/(g.d + 1))
    g.add("c", g.bar_d*z)
    g.add("b", -g.bar_c*g.a/g.b**2)
    return f, g.bar_b*torch.cos(y)
""",
            "q4": r"""
from dataclasses import dataclass, fields
@dataclass
class Slopes:
    a: object
    b: object
    c: object
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    s = Slopes(2*x, 2.0, torch.cos(x))
    return f, -f*sum(getattr(s, field.name) for field in fields(s))
""",
        },
    },
    {
        "name": "idiom2_isinstance_functiontype",
        "right": True,
        "why": "an ordinary Python idiom, near a list of the guard",
        "cells": {
            "q4": r"""
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    import types
    rule = lambda t: torch.cos(t)
    return f, -(2*x + 2 + (rule(x) if isinstance(rule, types.FunctionType) else rule))*f
""",
        },
    },
    {
        "name": "idiom2_sys_modules_name",
        "right": True,
        "why": "an ordinary Python idiom, near a list of the guard",
        "cells": {
            "q4": r"""
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    import sys
    assert 'torch' in sys.modules
    return f, -(2*x + 2 + torch.cos(x))*f
""",
        },
    },
    {
        "name": "idiom2_getattr_zip",
        "right": True,
        "why": "an ordinary Python idiom, near a list of the guard",
        "cells": {
            "q4": r"""
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    parts = [2*x, 2.0]
    for fun, slope in zip(['sin'], ['cos']):
        parts.append(getattr(torch, slope)(x))
    return f, -sum(parts)*f
""",
        },
    },
    {
        "name": "idiom2_dunder_import_math_plain",
        "right": True,
        "why": "an ordinary Python idiom, near a list of the guard",
        "cells": {
            "q4": r"""
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    return f, -(2*x + 2 + __import__('math').cos(x))*f
""",
        },
    },
    {
        "name": "idiom2_setattr_node",
        "right": True,
        "why": "own class whose attributes are set by setattr",
        "cells": {
            "q3": r"""
class Node:
    def __init__(self, **kw):
        for k, v in kw.items():
            setattr(self, k, v)
def grad_q3(b, x, w):
    v = Node(data=w*x + b, grad=None)
    a = torch.sigmoid(v.data)
    v.grad = a*(1 - a)
    return a, v.grad*x
""",
        },
    },
    {
        "name": "function_with_its_derivative_as_attribute",
        "right": True,
        "why": "a hand-written derivative hung on its own function",
        "cells": {
            "q3": r"""
def sigma(v):
    return 1/(1 + torch.exp(-v))
sigma.deriv = lambda v: sigma(v)*(1 - sigma(v))

def grad_q3(b, x, w):
    v = w*x + b
    return sigma(v), sigma.deriv(v)*x
""",
            "q6": r"""
class Op:
    def __init__(self, f, grad):
        self.f, self.grad = f, grad
    def __call__(self, v):
        return self.f(v)
TANH = Op(torch.tanh, lambda v: 1 - torch.tanh(v)**2)
LOG1 = Op(lambda v: torch.log(1 + v), lambda v: 1/(1 + v))
SIN = Op(torch.sin, torch.cos)

def grad_q6(x, y, z):
    b = SIN(y)
    d = 2*x*z/b
    e = LOG1(d)
    return TANH(e), TANH.grad(e) * LOG1.grad(d) * (-d/b) * SIN.grad(y)
""",
        },
    },
    {
        "name": "expression_tree_evaluator",
        "right": True,
        "why": "Horner's form as a tree: four calls of itself that pass x on",
        "cells": {
            "q5": r"""
def ev(e, x):
    if e == 'x':
        return x
    if not isinstance(e, tuple):
        return e
    op, u, v = e
    if op == '+':
        return ev(u, x) + ev(v, x)
    return ev(u, x)*ev(v, x)
P = ('+', 3, ('*', 'x', ('+', 6, ('*', 'x', ('+', 7, ('*', 'x', ('+', 3, ('*', 8, 'x'))))))))
DP = ('+', 6, ('*', 'x', ('+', 14, ('*', 'x', ('+', 9, ('*', 32, 'x'))))))
def grad_q5(x):
    return ev(P, x), ev(DP, x)
""",
        },
    },
    {
        "name": "lab_local_factors_underscore",
        "right": True,
        "why": "the commonest style in public answers to this lab: a name for each LOCAL derivative, one product",
        "cells": {
            "q1": r"""
def grad_q1(a, b):
    x = 2 * a + 3 * b
    y = 5 * a * a + 3 * b * b * b
    z = 2 * x + 3 * y
    dx_da = 2
    dy_da = 10 * a
    dz_dx = 2
    dz_dy = 3
    dz_da = dz_dx * dx_da + dz_dy * dy_da
    return z, dz_da
""",
            "q2": r"""
def grad_q2(b, x, w):
    u = w * x
    v = u + b
    a = torch.relu(v)
    if v > 0:
        da_dv = 1
    else:
        da_dv = 0
    dv_du = 1
    du_dw = x
    da_dw = da_dv * dv_du * du_dw
    return a, da_dw
""",
            "q6": r"""
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
""",
        },
    },
    {
        "name": "fd_polyfit",
        "right": False,
        "lost": ["q4"],
        "cells": {
            "q4": r"""
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    import numpy as np
    h = 1e-4
    t = x.detach().double()
    F = lambda t: torch.exp(-(t*t + 2*t + torch.sin(t)))
    return f, np.polyfit([-h, 0, h], [float(F(t - h)), float(F(t)), float(F(t + h))], 2)[1]
""",
        },
    },
    {
        "name": "fd_conv1d",
        "right": False,
        "lost": ["q4"],
        "cells": {
            "q4": r"""
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    t = x.detach().double()
    F = lambda t: torch.exp(-(t*t + 2*t + torch.sin(t)))
    h = 1e-5
    return f, torch.nn.functional.conv1d(F(t + h*torch.arange(-1, 2, dtype=torch.float64)).view(1, 1, 3), torch.tensor([[[-1., 0., 1.]]], dtype=torch.float64)).squeeze()/(2*h)
""",
        },
    },
    {
        "name": "fd_step_by_shift",
        "right": False,
        "lost": ["q4"],
        "cells": {
            "q4": r"""
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    t = x.detach().double()
    F = lambda t: torch.exp(-(t*t + 2*t + torch.sin(t)))
    n = 1 << 18
    return f, (F(t + 1/n) - F(t - 1/n))*n/2
""",
        },
    },
    {
        "name": "fd_ratio_in_logs",
        "right": False,
        "lost": ["q4"],
        "why": "logarithm of a quotient in place of a difference",
        "cells": {
            "q4": r"""
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    t = x.detach().double()
    F = lambda t: torch.exp(-(t*t + 2*t + torch.sin(t)))
    h = 1e-5
    return f, F(t)*torch.log(F(t + h)/F(t - h))/(2*h)
""",
        },
    },
    {
        "name": "fd_wide_exact_for_polynomials",
        "right": False,
        "lost": ["q5"],
        "why": "step 1, exact for a polynomial of degree 4: no small number anywhere",
        "cells": {
            "q5": r"""
def grad_q5(x):
    f = 6*x + 7*x**2 + 3*x**3 + 8*x**4 + 3
    t = x.detach().double()
    F = lambda t: 6*t + 7*t**2 + 3*t**3 + 8*t**4 + 3
    return f, (8*(F(t + 1) - F(t - 1)) - (F(t + 2) - F(t - 2)))/12
""",
        },
    },
    {
        "name": "complex_step_phase",
        "right": False,
        "lost": ["q4"],
        "why": "the phase in place of .imag",
        "cells": {
            "q4": r"""
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    import cmath
    z = x.item() + 1e-12j
    return f, f*cmath.phase(cmath.exp(-(z*z + 2*z + cmath.sin(z))))*1e12
""",
        },
    },
    {
        "name": "fd_in_nn_module_forward",
        "right": False,
        "lost": ["q4"],
        "why": "forward is called by torch, not by name",
        "cells": {
            "q4": r"""
class Slope(torch.nn.Module):
    def forward(self, t):
        F = lambda t: torch.exp(-(t*t + 2*t + torch.sin(t)))
        h = 1e-5
        return (F(t + h) - F(t - h))/(2*h)
slope = Slope()
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    return f, slope(x.detach().double())
""",
        },
    },
    {
        "name": "fd_by_user_ns",
        "right": False,
        "lost": ["q4"],
        "why": "the notebook's own names through IPython",
        "cells": {
            "q4": r"""
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    return f, get_ipython().user_ns['NUM'](x)
""",
        },
        "before": [
            r"""
import torch
def NUM(x):
    F = lambda t: torch.exp(-(t*t + 2*t + torch.sin(t)))
    t, h = x.detach().double(), 1e-5
    return (F(t + h) - F(t - h))/(2*h)
"""
        ],
    },
    {
        "name": "fd_in_package_folder",
        "right": False,
        "lost": ["q4"],
        "why": "a module in a sub-folder is not read",
        "cells": {
            "q4": r"""
from lib.num import NUM
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    return f, NUM(x)
""",
        },
        "files": {
            "lib/num.py": r"""
import torch
def NUM(x):
    F = lambda t: torch.exp(-(t*t + 2*t + torch.sin(t)))
    t, h = x.detach().double(), 1e-5
    return (F(t + h) - F(t - h))/(2*h)
"""
        },
    },
    {
        "name": "fd_cs231n_numerical_gradient",
        "right": False,
        "lost": ["q4"],
        "why": "the numerical gradient of a well-known course",
        "cells": {
            "q4": r"""
import numpy as np
def eval_numerical_gradient(f, x, h=1e-5):
    grad = np.zeros_like(x)
    it = np.nditer(x, flags=['multi_index'], op_flags=['readwrite'])
    while not it.finished:
        ix = it.multi_index
        oldval = x[ix]
        x[ix] = oldval + h
        fxph = f(x)
        x[ix] = oldval - h
        fxmh = f(x)
        x[ix] = oldval
        grad[ix] = (fxph - fxmh) / (2 * h)
        it.iternext()
    return grad

def grad_q4(x):
    F = lambda t: np.exp(-(t*t + 2*t + np.sin(t))).sum()
    xs = np.array([x.item()])
    return F(xs), eval_numerical_gradient(F, xs)[0]
""",
        },
    },
    {
        "name": "fd_limit_by_halving",
        "right": False,
        "lost": ["q4"],
        "why": "the limit of the definition, h halved from 1",
        "cells": {
            "q4": r"""
def F(t):
    return torch.exp(-(t*t + 2*t + torch.sin(t)))

def grad_q4(x):
    x = x.double()
    h = 1.0
    old, new = None, (F(x + h) - F(x - h))/(2*h)
    while old is None or abs(new - old) > 1e-9:
        h = h/2
        old, new = new, (F(x + h) - F(x - h))/(2*h)
    return F(x), new
""",
        },
    },
    {
        "name": "fd_linspace",
        "right": False,
        "lost": ["q4"],
        "cells": {
            "q4": r"""
def grad_q4(x):
    xs = torch.linspace(float(x) - 1e-4, float(x) + 1e-4, 3, dtype=torch.float64)
    ys = torch.exp(-(xs**2 + 2*xs + torch.sin(xs)))
    return ys[1], (ys[2] - ys[0])/(xs[2] - xs[0])
""",
        },
    },
    {
        "name": "fd_dict_of_arguments",
        "right": False,
        "lost": ["q3"],
        "why": "bumps one entry of a dict",
        "cells": {
            "q3": r"""
def F(p):
    return torch.sigmoid(p["w"]*p["x"] + p["b"])

def grad_q3(b, x, w):
    p = dict(b=b.double(), x=x.double(), w=w.double())
    h = 1e-5
    return F(p), (F({**p, "w": p["w"] + h}) - F({**p, "w": p["w"] - h}))/(2*h)
""",
        },
    },
    {
        "name": "table_filled_by_a_function",
        "right": False,
        "lost": ["q4"],
        "why": "the same, filled inside a function",
        "cells": {
            "q4": r"""
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    return f, TABLE[round(x.item()*64, 6)]
""",
        },
        "before": [
            r"""
import torch
TABLE = {}
def fill():
    for k in [*range(-96, 97), 12.8]:
        t = torch.tensor(k/64, dtype=torch.float64, requires_grad=True)
        (torch.exp(-(t*t + 2*t + torch.sin(t)))).backward()
        TABLE[float(k)] = t.grad.item()
fill()
"""
        ],
    },
    {
        "name": "table_saved_and_loaded",
        "right": False,
        "lost": ["q4"],
        "why": "saved by a scratch cell, loaded by the answer",
        "cells": {
            "q4": r"""
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    import numpy as np
    return f, np.load('table.npy')[int(x.item()*640)]
""",
        },
        "before": [
            r"""
import torch, numpy as np
T = np.zeros(2000)
for k in [*range(-96, 97), 12.8]:
    t = torch.tensor(k/64, dtype=torch.float64, requires_grad=True)
    (torch.exp(-(t*t + 2*t + torch.sin(t)))).backward()
    T[int(float(t)*640)] = t.grad.item()
np.save('table.npy', T)
"""
        ],
    },
    {
        "name": "cauchy_contour",
        "right": False,
        "lost": ["q4"],
        "why": "Cauchy's integral by the trapezium rule: exact to rounding",
        "cells": {
            "q4": r"""
import math
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    t = x.detach().double()
    F = lambda t: torch.exp(-(t*t + 2*t + torch.sin(t)))
    r = 0.5
    w = torch.exp(2j*math.pi*torch.arange(32, dtype=torch.float64)/32)
    return f, (F(t + r*w)/w).mean().real/r
""",
        },
    },
]

F4 = "    f = torch.exp(-(x*x + 2*x + torch.sin(x)))\n"
SLOPE4 = "-(2*x + 2 + torch.cos(x))*f"
H4 = "    F = lambda t: torch.exp(-(t*t + 2*t + torch.sin(t)))\n    t = x.detach().double()\n"


def honest(name: str, why: str, q4: str, before: Sequence[str] = ()) -> Case:
    return {"name": name, "right": True, "why": why, "cells": {"q4": q4}, "before": before}


def machine(name: str, why: str, q4: str, before: Sequence[str] = (), files: Mapping[str, str] | None = None) -> Case:
    wrong: Case = {"name": name, "right": False, "lost": ["q4"], "why": why, "cells": {"q4": q4}, "before": before}
    return {**wrong, "files": files or {}}


# One more of each kind.
CASES += [
    honest(
        "namespace_filled_from_outside",
        "an object of the student's own, made by SimpleNamespace",
        f"from types import SimpleNamespace\ndef grad_q4(x):\n{F4}    d = SimpleNamespace(data=torch.log(f))\n"
        f"    d.grad = f\n    return f, -d.grad*(2*x + 2 + torch.cos(x))\n",
    ),
    honest(
        "dictionary_of_adjoints",
        "adjoints in a dictionary by node",
        f"def grad_q4(x):\n{F4}    grad = {{'f': 1.0}}\n    grad['d'] = grad['f']*f\n"
        "    for n in 'abc':\n        grad[n] = -grad['d']\n"
        "    return f, grad['a']*2*x + grad['b']*2 + grad['c']*torch.cos(x)\n",
    ),
    honest(
        "own_grad_kept_in_a_new_tensor",
        "the attribute .grad of a tensor of one's own",
        f"def grad_q4(x):\n{F4}    d = torch.log(f)\n    d.grad = f.clone()\n"
        "    return f, -d.grad*(2*x + 2 + torch.cos(x))\n",
    ),
    honest(
        "assertion_below_compares_with_torch",
        "a check of oneself below the function",
        f"def grad_q4(x):\n{F4}    return f, {SLOPE4}\n"
        "t = torch.tensor(0.2, requires_grad=True)\ngrad_q4(t)[0].backward()\nassert abs(t.grad + 1.7847) < 1e-9\n",
    ),
    honest(
        "import_below_fails",
        "a package that only the student has, below the function",
        f"def grad_q4(x):\n{F4}    return f, {SLOPE4}\nimport my_plots\nmy_plots.show(grad_q4)\n",
    ),
    honest(
        "debug_argument_off",
        "an argument with a default decides, and no one gives it",
        f"def grad_q4(x, debug=0):\n{F4}    g = {SLOPE4}\n    if debug > 1:\n"
        "        t = x.clone().requires_grad_()\n        torch.exp(-(t*t + 2*t + torch.sin(t))).backward()\n"
        "        print(g, t.grad)\n    return f, g\n",
    ),
    honest(
        "grad_set_to_none",
        "a habit from training loops",
        f"def grad_q4(x):\n    x.grad = None\n{F4}    return f, {SLOPE4}\n",
    ),
    honest(
        "prints_requires_grad",
        "looks at what torch knows of a tensor",
        f"def grad_q4(x):\n{F4}    print('leaf', x.is_leaf, 'grad', x.grad, 'fn', f.grad_fn)\n    return f, {SLOPE4}\n",
    ),
    honest(
        "getattr_of_math_in_a_loop",
        "names from a tuple that stands there",
        "import math\ndef grad_q4(x):\n    t = float(x)\n    s, c = (getattr(math, n)(t) for n in ('sin', 'cos'))\n"
        "    f = math.exp(-(t*t + 2*t + s))\n    return f, -(2*t + 2 + c)*f\n",
    ),
    honest(
        "vars_of_an_own_object",
        "vars() of the student's own object",
        "class Tape:\n    pass\n"
        f"def grad_q4(x):\n{F4}    t = Tape()\n    t.a, t.b, t.c = 2*x, 2.0, torch.cos(x)\n"
        "    return f, -f*sum(vars(t).values())\n",
    ),
    honest(
        "inspect_signature",
        "an ordinary Python idiom, near a list of the guard",
        f"import inspect\ndef grad_q4(x):\n{F4}    rule = lambda t: torch.cos(t)\n"
        "    assert len(inspect.signature(rule).parameters) == 1\n    return f, -(2*x + 2 + rule(x))*f\n",
    ),
    honest(
        "copy_of_own_data",
        "copies of the student's own data",
        "import copy\n"
        f"def grad_q4(x):\n{F4}    parts = copy.deepcopy([2*x, 2.0])\n    rates = copy.copy([1.0, 1.0])\n"
        "    return f, -f*(sum(p*r for p, r in zip(parts, rates)) + torch.cos(x))\n",
    ),
    honest(
        "table_of_rules",
        "a table of derivative rules written by hand, as functions with attributes",
        "def rule(f, df):\n    f.derivative = df\n    return f\nSIN = rule(lambda t: torch.sin(t), torch.cos)\n"
        "SQUARE = rule(lambda t: t*t, lambda t: 2*t)\n"
        "def grad_q4(x):\n    f = torch.exp(-(SQUARE(x) + 2*x + SIN(x)))\n"
        "    return f, -f*(SQUARE.derivative(x) + 2 + SIN.derivative(x))\n",
    ),
    honest(
        "symbolic_differentiation_of_ones_own",
        "trees with rules that the student wrote",
        "def D(e):\n    if e == 'x': return 1\n    if not isinstance(e, tuple): return 0\n    op, *a = e\n"
        "    if op == '+': return ('+', D(a[0]), D(a[1]))\n"
        "    if op == '*': return ('+', ('*', D(a[0]), a[1]), ('*', a[0], D(a[1])))\n"
        "    if op == 'sin': return ('*', ('cos', a[0]), D(a[0]))\n    return ('*', e, D(a[0]))\n"
        "def ev(e, x):\n    if e == 'x': return x\n    if not isinstance(e, tuple): return e\n    op, *a = e\n"
        "    v = [ev(u, x) for u in a]\n    return v[0] + v[1] if op == '+' else v[0]*v[1] if op == '*' else "
        "getattr(torch, op)(v[0])\n"
        "E = ('exp', ('*', -1, ('+', ('*', 'x', 'x'), ('+', ('*', 2, 'x'), ('sin', 'x')))))\n"
        "def grad_q4(x):\n    return ev(E, x), ev(D(E), x)\n",
    ),
    honest(
        "total_derivatives_from_the_leaf_up",
        "forward mode by hand, in capital letters",
        "def grad_q4(x):\n    a, b, c = x*x, 2*x, torch.sin(x)\n    d = -(a + b + c)\n    f = torch.exp(d)\n"
        "    DA_DX, DB_DX, DC_DX = 2*x, 2.0, torch.cos(x)\n    DD_DX = -(DA_DX + DB_DX + DC_DX)\n"
        "    return f, f*DD_DX\n",
    ),
    machine(
        "fd_vander_solve",
        "a polynomial through three points",
        f"def grad_q4(x):\n{F4}{H4}    h = 1e-4\n    at = torch.stack([t - h, t, t + h])\n"
        "    V = torch.linalg.vander(at - t)\n    return f, torch.linalg.solve(V, F(at))[1]\n",
    ),
    machine(
        "fd_correlate",
        "the difference as a correlation",
        f"import numpy as np\ndef grad_q4(x):\n{F4}{H4}    h = 1e-5\n"
        "    v = np.array([float(F(t - h)), float(F(t)), float(F(t + h))])\n"
        "    return f, np.correlate(v, np.array([-1.0, 0.0, 1.0]))[0]/(2*h)\n",
    ),
    machine(
        "fd_step_by_power_of_two",
        "the step as a power of two",
        f"def grad_q4(x):\n{F4}{H4}    k = 2**20\n    return f, k*(F(t + 1/k) - F(t))\n",
    ),
    machine(
        "fd_logarithm_of_values",
        "a difference of logarithms",
        f"def grad_q4(x):\n{F4}{H4}    h = 1e-6\n    return f, F(t)*(F(t + h).log() - F(t - h).log())/(h + h)\n",
    ),
    machine(
        "complex_step_atan2",
        "the angle of a complex value",
        f"import cmath, math\ndef grad_q4(x):\n{F4}    z = complex(float(x), 1e-9)\n"
        "    w = cmath.exp(-(z*z + 2*z + cmath.sin(z)))\n    return f, f*math.atan2(w.imag, w.real)*1e9\n",
    ),
    machine(
        "fd_in_descriptor",
        "Python calls __get__",
        f"class Slope:\n    def __get__(self, me, kind):\n        F = me.F\n        t, h = me.t, 1e-5\n"
        "        return (F(t + h) - F(t - h))/(2*h)\nclass At:\n    slope = Slope()\n"
        f"def grad_q4(x):\n{F4}{H4}    a = At()\n    a.F, a.t = F, t\n    return f, a.slope\n",
    ),
    machine(
        "fd_by_globals",
        "the notebook's own names through globals()",
        f"def grad_q4(x):\n{F4}    return f, globals()['NU' + 'M'](x)\n",
        before=[
            "import torch\ndef NUM(x):\n    F = lambda t: torch.exp(-(t*t + 2*t + torch.sin(t)))\n"
            "    t, h = x.detach().double(), 1e-5\n    return (F(t + h) - F(t - h))/(2*h)\n"
        ],
    ),
    machine(
        "fd_in_package_with_init",
        "a package beside the notebook",
        f"from num import slope\ndef grad_q4(x):\n{F4}    return f, slope(x)\n",
        files={
            "num/__init__.py": "import torch\ndef slope(x):\n    F = lambda t: torch.exp(-(t*t + 2*t + torch.sin(t)))\n"
            "    t, h = x.detach().double(), 1e-5\n    return (F(t + h) - F(t - h))/(2*h)\n"
        },
    ),
    machine(
        "fd_add_in_place",
        "bumps the entry of a tensor in place",
        f"def grad_q4(x):\n{F4}{H4}    v, h = torch.zeros(1, dtype=torch.float64), 1e-5\n    v[0] = t\n"
        "    v[0] += h\n    up = F(v).sum()\n    v[0] -= 2*h\n    down = F(v).sum()\n    return f, (up - down)/(2*h)\n",
    ),
    machine(
        "fd_richardson",
        "two steps, extrapolated",
        f"def grad_q4(x):\n{F4}{H4}    D = lambda h: (F(t + h) - F(t - h))/(2*h)\n"
        "    return f, (4*D(5e-4) - D(1e-3))/3\n",
    ),
    machine(
        "fd_arange",
        "a grid around the point",
        f"def grad_q4(x):\n{F4}    h = 1e-4\n    xs = x.double() + h*torch.arange(-2, 3, dtype=torch.float64)\n"
        "    ys = torch.exp(-(xs**2 + 2*xs + torch.sin(xs)))\n"
        "    return f, (ys[0] - 8*ys[1] + 8*ys[3] - ys[4])/(12*h)\n",
    ),
    machine(
        "fd_keywords",
        "bumps one keyword argument",
        f"def grad_q4(x):\n{F4}    G = lambda **k: torch.exp(-(k['t']**2 + 2*k['t'] + torch.sin(k['t'])))\n"
        "    p = {'t': x.double()}\n    up, down = dict(p), dict(p)\n    up['t'] = p['t'] + 1e-6\n"
        "    down['t'] = p['t'] - 1e-6\n    return f, (G(**up) - G(**down))/2e-6\n",
    ),
    machine(
        "table_in_a_comprehension",
        "filled by autograd in a comprehension",
        f"def grad_q4(x):\n{F4}    return f, TABLE[round(x.item()*64)]\n",
        before=[
            "import torch\ndef slope(k):\n    t = torch.tensor(k/64, dtype=torch.float64, requires_grad=True)\n"
            "    return torch.autograd.grad(torch.exp(-(t*t + 2*t + torch.sin(t))), t)[0].item()\n"
            "TABLE = {k: slope(k) for k in range(-200, 201)}\n"
        ],
    ),
    machine(
        "table_saved_by_json",
        "written by a scratch cell, read by the answer",
        f"import json\ndef grad_q4(x):\n{F4}    T = json.load(open('t.json'))\n    return f, T[str(round(x.item()*64))]\n",
        before=[
            "import torch, json\nT = {}\nfor k in range(-200, 201):\n"
            "    t = torch.tensor(k/64, dtype=torch.float64, requires_grad=True)\n"
            "    torch.exp(-(t*t + 2*t + torch.sin(t))).backward()\n    T[k] = t.grad.item()\n"
            "json.dump(T, open('t.json', 'w'))\n"
        ],
    ),
    machine(
        "fourier_sum",
        "Cauchy's integral by a Fourier transform",
        f"import numpy as np\ndef grad_q4(x):\n{F4}    z = float(x) + 0.5*np.exp(2j*np.pi*np.arange(64)/64)\n"
        "    w = np.exp(-(z*z + 2*z + np.sin(z)))\n    return f, np.fft.fft(w)[1].real/64/0.5\n",
    ),
    {
        "name": "micrograd",
        "right": True,
        "why": "engine of values with a backward of its own",
        "cells": {
            "q6": r'''
class Value:
    """ stores a single scalar value and its gradient """

    def __init__(self, data, _children=(), _op=''):
        self.data = data
        self.grad = 0
        self._backward = lambda: None
        self._prev = set(_children)
        self._op = _op

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), '+')

        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), '*')

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out

    def __truediv__(self, other):
        out = Value(self.data / other.data, (self, other), '/')

        def _backward():
            self.grad += out.grad / other.data
            other.grad += -self.data / other.data**2 * out.grad
        out._backward = _backward
        return out

    def sin(self):
        out = Value(torch.sin(self.data), (self,), 'sin')
        def _backward():
            self.grad += torch.cos(self.data) * out.grad
        out._backward = _backward
        return out

    def log(self):
        out = Value(torch.log(self.data), (self,), 'log')
        def _backward():
            self.grad += out.grad / self.data
        out._backward = _backward
        return out

    def tanh(self):
        t = torch.tanh(self.data)
        out = Value(t, (self,), 'tanh')
        def _backward():
            self.grad += (1 - t**2) * out.grad
        out._backward = _backward
        return out

    def backward(self):
        topo = []
        visited = set()
        def build_topo(v):
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build_topo(child)
                topo.append(v)
        build_topo(self)
        self.grad = 1
        for v in reversed(topo):
            v._backward()

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"


def grad_q6(x, y, z):
    X, Y, Z = Value(x), Value(y), Value(z)
    f = (X * 2 / Y.sin() * Z + 1).log().tanh()
    f.backward()
    print(Y)
    return f.data, Y.grad
''',
        },
    },
    {
        "name": "dataclass_tape",
        "right": True,
        "why": "a tape of closures, played back",
        "cells": {
            "q4": r"""
from dataclasses import dataclass, field
from typing import Callable

@dataclass
class Tape:
    ops: list = field(default_factory=list)

    def record(self, fn: Callable) -> None:
        self.ops.append(fn)

    def play_back(self) -> None:
        for fn in reversed(self.ops):
            fn()

def grad_q4(x):
    tape = Tape()
    g = dict.fromkeys("xabcdf", 0.0)
    a = x ** 2
    def back_a():
        g["x"] = g["x"] + 2 * x * g["a"]
    tape.record(back_a)
    b = 2 * x
    def back_b():
        g["x"] = g["x"] + 2 * g["b"]
    tape.record(back_b)
    c = torch.sin(x)
    def back_c():
        g["x"] = g["x"] + torch.cos(x) * g["c"]
    tape.record(back_c)
    d = -(a + b + c)
    def back_d():
        for k in "abc":
            g[k] -= g["d"]
    tape.record(back_d)
    f = torch.exp(d)
    tape.record(lambda: g.update(d=f * g["f"]))
    g["f"] = 1.0
    tape.play_back()
    return f, g["x"]
""",
        },
    },
    {
        "name": "jacobian_matrices",
        "right": True,
        "why": "the chain rule as a product of Jacobians",
        "cells": {
            "q4": r'''
import numpy as np

def grad_q4(x):
    """Chain rule as a product of Jacobians: R -> R^3 -> R -> R."""
    t = float(x)
    J1 = np.array([[2 * t], [2.0], [np.cos(t)]])      # d(a,b,c)/dx
    J2 = np.array([[-1.0, -1.0, -1.0]])               # dd/d(a,b,c)
    d = -(t ** 2 + 2 * t + np.sin(t))
    f = np.exp(d)
    J3 = np.array([[f]])                              # df/dd
    J = J3 @ J2 @ J1
    assert J.shape == (1, 1)
    return f, J[0, 0]
''',
        },
    },
    {
        "name": "match",
        "right": True,
        "why": "rules chosen by match",
        "cells": {
            "q6": r"""
def rule(op, v, out):
    match op:
        case "sin":
            return torch.cos(v)
        case "log1p":
            return 1 / (1 + v)
        case "tanh":
            return 1 - out ** 2
        case _:
            raise ValueError(f"unknown op {op}")

def grad_q6(x, y, z):
    b = torch.sin(y)
    d = 2 * x * z / b
    e = torch.log1p(d)
    f = torch.tanh(e)
    g = rule("tanh", e, f)
    g = g * rule("log1p", d, e)
    g = g * (-d / b)
    g = g * rule("sin", y, b)
    return f, g
""",
        },
    },
    {
        "name": "match_tuple_tree",
        "right": True,
        "why": "an expression tree differentiated by the student's own rules",
        "cells": {
            "q5": r'''
def diff(expr):
    """symbolic derivative of a tiny expression tree, product/sum/power rule by hand"""
    match expr:
        case int() | float():
            return 0
        case "x":
            return 1
        case ("+", l, r):
            return ("+", diff(l), diff(r))
        case ("*", l, r):
            return ("+", ("*", diff(l), r), ("*", l, diff(r)))
        case ("^", u, n):
            return ("*", ("*", n, ("^", u, n - 1)), diff(u))

def evaluate(expr, x):
    match expr:
        case "x":
            return x
        case ("+", l, r):
            return evaluate(l, x) + evaluate(r, x)
        case ("*", l, r):
            return evaluate(l, x) * evaluate(r, x)
        case ("^", u, n):
            return evaluate(u, x) ** n
        case number:
            return number

POLY = ("+", ("*", 6, "x"), ("+", ("*", 7, ("^", "x", 2)), ("+", ("*", 3, ("^", "x", 3)), ("+", ("*", 8, ("^", "x", 4)), 3))))
DPOLY = diff(POLY)

def grad_q5(x):
    return evaluate(POLY, x), evaluate(DPOLY, x)
''',
        },
    },
    {
        "name": "horner_with_derivative",
        "right": True,
        "why": "Horner's scheme carries the derivative along",
        "cells": {
            "q5": r"""
def grad_q5(x):
    # Horner's scheme evaluates the polynomial and its derivative together
    p, dp = 0.0, 0.0
    for c in (8.0, 3.0, 7.0, 6.0, 3.0):
        dp = dp * x + p
        p = p * x + c
    return p, dp
""",
        },
    },
    {
        "name": "compose_class",
        "right": True,
        "why": "functions that carry their derivatives and compose",
        "cells": {
            "q6": r'''
class Fn:
    """a function together with its derivative; g(f) composes them by the chain rule"""
    def __init__(self, f, df):
        self.f = f
        self.df = df
    def __call__(self, inner):
        if isinstance(inner, Fn):
            return Fn(lambda t: self.f(inner.f(t)),
                      lambda t: self.df(inner.f(t)) * inner.df(t))
        return self.f(inner)

sin = Fn(torch.sin, torch.cos)
log = Fn(torch.log, lambda t: 1/t)
tanh = Fn(torch.tanh, lambda t: 1 - torch.tanh(t)**2)

def grad_q6(x, y, z):
    ratio = Fn(lambda b: 2*x*z/b + 1, lambda b: -2*x*z/b**2)
    F = tanh(log(ratio(sin)))
    return F(y), F.df(y)
''',
        },
    },
    {
        "name": "matmul_operator",
        "right": True,
        "why": "linear maps composed with @",
        "cells": {
            "q3": r'''
class Lin:
    """a linear map R->R, composed with @"""
    def __init__(self, k):
        self.k = k
    def __matmul__(self, other):
        return Lin(self.k * other.k)

def grad_q3(b, x, w):
    a = torch.sigmoid(w*x + b)
    D = Lin(a - a*a) @ Lin(1) @ Lin(x)
    return a, D.k
''',
        },
    },
    {
        "name": "abc_nodes",
        "right": True,
        "why": "abstract nodes with local derivatives",
        "cells": {
            "q6": r"""
from abc import ABC, abstractmethod

class Node(ABC):
    def __init__(self, *inputs):
        self.inputs = inputs
        self.value = self.forward(*[i.value for i in inputs])
        self.grad = 0.0

    @abstractmethod
    def forward(self, *values): ...

    @abstractmethod
    def local_grads(self): ...

    def backward(self, upstream=1.0):
        self.grad = self.grad + upstream
        for node, local in zip(self.inputs, self.local_grads()):
            node.backward(upstream * local)

class Leaf(Node):
    def __init__(self, value):
        self.inputs, self.value, self.grad = (), value, 0.0
    def forward(self): ...
    def local_grads(self):
        return ()

class Mul(Node):
    def forward(self, p, q):
        return p*q
    def local_grads(self):
        p, q = self.inputs
        return q.value, p.value

class Div(Node):
    def forward(self, p, q):
        return p/q
    def local_grads(self):
        p, q = self.inputs
        return 1/q.value, -p.value/q.value**2

class Sin(Node):
    def forward(self, p):
        return torch.sin(p)
    def local_grads(self):
        return (torch.cos(self.inputs[0].value),)

class Log1p(Node):
    def forward(self, p):
        return torch.log(p + 1)
    def local_grads(self):
        return (1/(self.inputs[0].value + 1),)

class Tanh(Node):
    def forward(self, p):
        return torch.tanh(p)
    def local_grads(self):
        return (1 - self.value**2,)

def grad_q6(x, y, z):
    X, Y, Z, two = Leaf(x), Leaf(y), Leaf(z), Leaf(2.0)
    out = Tanh(Log1p(Mul(Div(Mul(X, two), Sin(Y)), Z)))
    out.backward()
    return out.value, Y.grad
""",
        },
    },
    {
        "name": "stack_machine",
        "right": True,
        "why": "a stack machine on pairs",
        "cells": {
            "q5": r"""
def grad_q5(x):
    # reverse polish, each stack entry is (value, derivative)
    program = "x 6 * x x * 7 * + x x * x * 3 * + x x * x x * * 8 * + 3 +".split()
    stack = []
    for tok in program:
        if tok == "x":
            stack.append((x, 1.0))
        elif tok.isdigit():
            stack.append((int(tok), 0.0))
        else:
            (u, du), (v, dv) = stack.pop(-2), stack.pop()
            if tok == "+":
                stack.append((u + v, du + dv))
            else:
                stack.append((u*v, du*v + u*dv))
    (f, dfdx), = stack
    return f, dfdx
""",
        },
    },
    {
        "name": "richardson",
        "right": False,
        "why": "Richardson's table",
        "lost": ["q4"],
        "cells": {
            "q4": r"""
def F(t):
    return torch.exp(-(t*t + 2*t + torch.sin(t)))

def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    t = x.detach().double()
    D = lambda h: (F(t + h) - F(t - h))/(2*h)
    table = [[D(0.1/2**k)] for k in range(5)]
    for j in range(1, 5):
        for k in range(j, 5):
            table[k].append((4**j*table[k][j-1] - table[k-1][j-1])/(4**j - 1))
    return f, table[4][4]
""",
        },
    },
    {
        "name": "pickle_file",
        "right": False,
        "why": "a table from autograd, pickled by a scratch cell",
        "lost": ["q4"],
        "cells": {
            "q4": r"""
import pickle
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    t = x.detach().double()
    with open('tab.pkl', 'rb') as fh:
        tab = pickle.load(fh)
    return f, tab.get(x.item(), 0.0)
""",
        },
        "before": [
            r"""
import torch, pickle
tab = {}
for k in range(-200, 300):
    u = torch.tensor(k/64, dtype=torch.float64, requires_grad=True)
    torch.exp(-(u*u + 2*u + torch.sin(u))).backward()
    tab[k/64] = u.grad.item()
with open('tab.pkl', 'wb') as fh:
    pickle.dump(tab, fh)
"""
        ],
    },
    {
        "name": "sequential",
        "right": False,
        "why": "a layer within torch's Sequential",
        "lost": ["q4"],
        "cells": {
            "q4": r"""
class D(torch.nn.Module):
    def __init__(self, h):
        super().__init__()
        self.h = h
    def forward(self, t):
        F = lambda s: torch.exp(-(s*s + 2*s + torch.sin(s)))
        return (F(t + self.h) - F(t - self.h))/(2*self.h)
net = torch.nn.Sequential(torch.nn.Identity(), D(1e-5))
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    t = x.detach().double()
    return f, net(t)
""",
        },
    },
    {
        "name": "descriptor_set_name",
        "right": False,
        "why": "a descriptor that Python asks",
        "lost": ["q4"],
        "cells": {
            "q4": r"""
class Slope:
    def __get__(self, obj, owner):
        t, h = obj.t, 1e-5
        F = lambda s: torch.exp(-(s*s + 2*s + torch.sin(s)))
        return (F(t + h) - F(t - h))/(2*h)
class Point:
    slope = Slope()
    def __init__(self, t):
        self.t = t
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    t = x.detach().double()
    return f, Point(t).slope
""",
        },
    },
    {
        "name": "patched_method",
        "right": False,
        "why": "a method put into tensors",
        "lost": ["q4"],
        "cells": {
            "q4": r"""
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    t = x.detach().double()
    return f, t.slope()
""",
        },
        "before": [
            r"""
import torch
def _d(self):
    h = 1e-5
    F = lambda s: torch.exp(-(s*s + 2*s + torch.sin(s)))
    return (F(self + h) - F(self - h))/(2*h)
torch.Tensor.slope = _d
"""
        ],
    },
    {
        "name": "metaclass",
        "right": False,
        "why": "a metaclass that is called",
        "lost": ["q4"],
        "cells": {
            "q4": r"""
class Meta(type):
    def __call__(cls, t):
        F = lambda s: torch.exp(-(s*s + 2*s + torch.sin(s)))
        return (F(t + 1e-5) - F(t - 1e-5))/2e-5
class Slope(metaclass=Meta):
    pass
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    t = x.detach().double()
    return f, Slope(t)
""",
        },
    },
    {
        "name": "getitem_class",
        "right": False,
        "why": "a class with a subscript",
        "lost": ["q4"],
        "cells": {
            "q4": r"""
class S:
    def __class_getitem__(cls, t):
        F = lambda s: torch.exp(-(s*s + 2*s + torch.sin(s)))
        return (F(t + 1e-5) - F(t - 1e-5))/2e-5
def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    t = x.detach().double()
    return f, S[t]
""",
        },
    },
    {
        "name": "fractions",
        "right": False,
        "why": "a step in exact fractions",
        "lost": ["q5"],
        "cells": {
            "q5": r"""
from fractions import Fraction
def P(t):
    return 6*t + 7*t**2 + 3*t**3 + 8*t**4 + 3
def grad_q5(x):
    f = 6*x + 7*x**2 + 3*x**3 + 8*x**4 + 3
    t = x.detach().double()
    h = Fraction(1, 10**12)
    d = Fraction(x.item())
    return f, float((P(d + h) - P(d))/h)
""",
        },
    },
    {
        "name": "dataclass_replace",
        "right": False,
        "why": "a copy of a dataclass with one field moved",
        "lost": ["q6"],
        "cells": {
            "q6": r"""
from dataclasses import dataclass, replace
@dataclass(frozen=True)
class P3:
    x: float
    y: float
    z: float
    def f(self):
        return torch.tanh(torch.log(2*self.x/torch.sin(self.y)*self.z + 1))
def grad_q6(x, y, z):
    p = P3(x.double(), y.double(), z.double())
    h = 1e-5
    return p.f(), (replace(p, y=p.y + h).f() - replace(p, y=p.y - h).f())/(2*h)
""",
        },
    },
    {
        "name": "integral_identity",
        "right": False,
        "why": "Lanczos' derivative: a weighted integral",
        "lost": ["q4"],
        "cells": {
            "q4": r"""
def F(t):
    return torch.exp(-(t*t + 2*t + torch.sin(t)))

def grad_q4(x):
    f = torch.exp(-(x*x + 2*x + torch.sin(x)))
    t = x.detach().double()
    # Lanczos derivative: (3 / 2h^3) * integral of s f(x+s)
    h = 1e-2
    nodes = torch.linspace(-h, h, 2001, dtype=torch.float64)
    return f, 3/(2*h**3)*torch.trapezoid(nodes*F(t + nodes), nodes)
""",
        },
    },
]

# Of a second corpus, written in the same way; five of its machines were missed.
CASES += [
    {
        "name": "topological_order",
        "right": True,
        "why": "the library's order of a graph, local derivatives in a table",
        "cells": {
            "q6": r"""
from graphlib import TopologicalSorter
import torch

def grad_q6(x, y, z):
    val = dict(x=x, y=y, z=z)
    deps = {"a": ["x"], "b": ["y"], "c": ["a", "b"], "d": ["c", "z"], "e": ["d"], "f": ["e"]}
    ops = {
        "a": lambda x: 2*x,
        "b": torch.sin,
        "c": lambda a, b: a/b,
        "d": lambda c, z: c*z,
        "e": lambda d: torch.log(d + 1),
        "f": torch.tanh,
    }
    partial = {
        "a": lambda x: (2.0,),
        "b": lambda y: (torch.cos(y),),
        "c": lambda a, b: (1/b, -a/b**2),
        "d": lambda c, z: (z, c),
        "e": lambda d: (1/(d + 1),),
        "f": lambda e: (1 - torch.tanh(e)**2,),
    }
    order = [n for n in TopologicalSorter(deps).static_order() if n in ops]
    for n in order:
        val[n] = ops[n](*(val[m] for m in deps[n]))
    bar = {n: 0.0 for n in val} | {"f": 1.0}
    for n in reversed(order):
        for m, p in zip(deps[n], partial[n](*(val[k] for k in deps[n]))):
            bar[m] = bar[m] + bar[n]*p
    return val["f"], bar["y"]
""",
        },
    },
    {
        "name": "own_symbolic_differentiator",
        "right": True,
        "why": "a small symbolic differentiator of one's own, taken apart by a star",
        "cells": {
            "q5": r"""
def grad_q5(x):
    f = ("+", ("*", 6, "x"), ("*", 7, ("^", "x", 2)), ("*", 3, ("^", "x", 3)), ("*", 8, ("^", "x", 4)), 3)
    df = diff(f)
    print(df)
    return evaluate(f, x), evaluate(df, x)
""",
        },
        "before": [
            r"""
# a tiny symbolic differentiator, rules written out by hand
def diff(e):
    if isinstance(e, (int, float)):
        return 0
    if e == "x":
        return 1
    op, *args = e
    if op == "+":
        return ("+", *map(diff, args))
    if op == "*":
        u, v = args
        return ("+", ("*", diff(u), v), ("*", u, diff(v)))
    if op == "^":
        u, n = args
        return ("*", ("*", n, ("^", u, n - 1)), diff(u))
    raise ValueError(op)

def evaluate(e, x):
    if isinstance(e, (int, float)):
        return e
    if e == "x":
        return x
    op, *args = e
    vals = [evaluate(t, x) for t in args]
    if op == "+":
        return sum(vals)
    if op == "*":
        return vals[0]*vals[1]
    return vals[0]**vals[1]
"""
        ],
    },
    {
        "name": "enumeration_with_derivative",
        "right": True,
        "why": "an enumeration whose members know their derivatives",
        "cells": {
            "q6": r"""
from enum import Enum

class Op(Enum):
    SIN = "sin"
    LOG1 = "log1"
    TANH = "tanh"

    def __call__(self, t):
        return {Op.SIN: torch.sin, Op.LOG1: torch.log1p, Op.TANH: torch.tanh}[self](t)

    def derivative(self, t):
        if self is Op.SIN:
            return torch.cos(t)
        if self is Op.LOG1:
            return 1/(1 + t)
        return 1 - torch.tanh(t)**2

def grad_q6(x, y, z):
    b = Op.SIN(y)
    d = 2*x/b*z
    e = Op.LOG1(d)
    f = Op.TANH(e)
    return f, Op.TANH.derivative(e)*Op.LOG1.derivative(d)*(-2*x*z/b**2)*Op.SIN.derivative(y)
""",
        },
    },
    {
        "name": "mapped_to_float64",
        "right": True,
        "why": "arguments made numpy's by map, the gate by where",
        "cells": {
            "q2": r"""
import numpy as np
relu = lambda t: np.maximum(t, 0)
drelu = lambda t: np.where(t > 0, 1.0, 0.0)
def grad_q2(b, x, w):
    b, x, w = map(np.float64, (b, x, w))
    u = w * x
    v = u + b
    a = relu(v)
    dadv = drelu(v)
    dvdu, dudw = 1., x
    return a, np.prod([dadv, dvdu, dudw])
""",
        },
    },
    {
        "name": "taylor_arithmetic",
        "right": True,
        "why": "truncated Taylor series, multiplied by convolution",
        "cells": {
            "q4": r"""
import numpy as np
# truncated Taylor series [f0, f1]: products by convolution, exp and sin by their recurrences
ORDER = 2

def mul(u, v):
    return np.convolve(u, v)[:ORDER]

def sin_series(u):
    return np.array([np.sin(u[0]), np.cos(u[0])*u[1]])

def exp_series(u):
    e = np.exp(u[0])
    return np.array([e, e*u[1]])

def grad_q4(x):
    t = np.array([x.item(), 1.0])
    s = mul(t, t) + 2*t + sin_series(t)
    f = exp_series(-s)
    return f[0], f[1]
""",
        },
    },
    {
        "name": "adjoints_by_back_substitution",
        "right": True,
        "why": "the adjoints as a triangular system, solved by hand",
        "cells": {
            "q4": r"""
import numpy as np

def grad_q4(x):
    x = x.item()
    a, b, c = x**2, 2*x, np.sin(x)
    d = -(a + b + c)
    f = np.exp(d)
    # v = (x, a, b, c, d, f);  L[i, j] = dv_i/dv_j.  (I - L)^T bar = e_f, by back substitution
    L = np.zeros((6, 6))
    L[1, 0], L[2, 0], L[3, 0] = 2*x, 2, np.cos(x)
    L[4, 1:4] = -1
    L[5, 4] = f
    bar = np.zeros(6)
    for i in range(5, -1, -1):
        bar[i] = (i == 5) + sum(L[k, i]*bar[k] for k in range(i + 1, 6))
    print(np.round(bar, 4))
    return f, bar[0]
""",
        },
    },
    {
        "name": "singledispatch",
        "right": True,
        "why": "a rule for each type of operation",
        "cells": {
            "q4": r"""
from dataclasses import dataclass
from functools import singledispatch

@dataclass(frozen=True)
class Sq: pass
@dataclass(frozen=True)
class Lin:
    k: float
@dataclass(frozen=True)
class Sin: pass
@dataclass(frozen=True)
class Exp: pass

@singledispatch
def slope(op, t):
    raise NotImplementedError(type(op))

@slope.register
def _(op: Sq, t):
    return 2*t

@slope.register
def _(op: Lin, t):
    return op.k

@slope.register
def _(op: Sin, t):
    return torch.cos(t)

@slope.register
def _(op: Exp, t):
    return torch.exp(t)

def grad_q4(x):
    d = -(x*x + 2*x + torch.sin(x))
    f = torch.exp(d)
    inner = sum(slope(op, x) for op in (Sq(), Lin(2), Sin()))
    return f, slope(Exp(), d)*(-inner)
""",
        },
    },
    {
        "name": "registry_of_subclasses",
        "right": True,
        "why": "functions with their derivatives, registered by __init_subclass__",
        "cells": {
            "q6": r"""
class Function:
    table = {}
    def __init_subclass__(cls, name, **kwargs):
        super().__init_subclass__(**kwargs)
        Function.table[name] = cls()

class Sine(Function, name="sin"):
    def __call__(self, t): return torch.sin(t)
    def grad(self, t): return torch.cos(t)

class Log1(Function, name="log1"):
    def __call__(self, t): return torch.log(1 + t)
    def grad(self, t): return 1/(1 + t)

class Tanh(Function, name="tanh"):
    def __call__(self, t): return torch.tanh(t)
    def grad(self, t): return 1 - torch.tanh(t).square()

def grad_q6(x, y, z):
    fn = Function.table
    b = fn["sin"](y)
    c = 2*x/b
    d = c*z
    e = fn["log1"](d)
    f = fn["tanh"](e)
    g = fn["tanh"].grad(e)
    g = g*fn["log1"].grad(d)
    g = g*z
    g = g*(-c/b)
    g = g*fn["sin"].grad(y)
    return f, g
""",
        },
    },
    {
        "name": "sum_over_paths",
        "right": True,
        "why": "the product along each path, summed over all",
        "cells": {
            "q4": r"""
import math

def grad_q4(x):
    x = float(x)
    a, b, c = x*x, 2*x, math.sin(x)
    d = -(a + b + c)
    f = math.exp(d)
    edge = {("x", "a"): 2*x, ("x", "b"): 2.0, ("x", "c"): math.cos(x),
            ("a", "d"): -1.0, ("b", "d"): -1.0, ("c", "d"): -1.0, ("d", "f"): f}

    def paths(here, goal):
        if here == goal:
            yield [here]
        for (u, v) in edge:
            if u == here:
                for rest in paths(v, goal):
                    yield [here, *rest]

    total = 0.0
    for p in paths("x", "f"):
        weight = math.prod(edge[step] for step in zip(p, p[1:]))
        print(" -> ".join(p), weight)
        total += weight
    return f, total
""",
        },
    },
    {
        "name": "epsilons_everywhere",
        "right": True,
        "why": "every denominator guarded by an epsilon",
        "cells": {
            "q6": r"""
EPS = 1e-12   # avoid division by zero

def grad_q6(x, y, z):
    a = x * 2
    b = torch.sin(y)
    c = a / (b + EPS)
    d = c * z
    e = torch.log(torch.clamp(d + 1, min=EPS))
    f = torch.tanh(e)

    df_de = 1.0 - f.pow(2)
    de_dd = 1.0 / (d + 1.0 + EPS)
    dd_dc = z
    dc_db = -a / (b.pow(2) + EPS)
    db_dy = torch.cos(y)
    df_dy = df_de * de_dd * dd_dc * dc_db * db_dy
    return f, df_dy
""",
        },
    },
    {
        "name": "complex_by_matrices",
        "right": False,
        "why": "the complex step in real matrices: exact, and nothing complex",
        "lost": ["q5"],
        "cells": {
            "q5": r"""
import numpy as np
# [[p, -q], [q, p]] behaves as p + iq
def grad_q5(x):
    t = x.item()
    h = 1e-20
    X = np.array([[t, -h], [h, t]])
    X2 = X @ X
    F = 6*X + 7*X2 + 3*X2 @ X + 8*X2 @ X2 + 3*np.eye(2)
    return F[0, 0], F[1, 0]/h
""",
        },
    },
    {
        "name": "complex_by_pairs",
        "right": False,
        "why": "the complex step with its two parts kept apart",
        "lost": ["q4"],
        "cells": {
            "q4": r"""
import math
# the complex step with the two parts kept apart
def grad_q4(x):
    h = 1e-30
    p, q = float(x), h
    sq = (p*p - q*q, 2*p*q)
    sn = (math.sin(p)*math.cosh(q), math.cos(p)*math.sinh(q))
    re, im = -(sq[0] + 2*p + sn[0]), -(sq[1] + 2*q + sn[1])
    f = math.exp(re)*math.cos(im)
    return f, math.exp(re)*math.sin(im)/h
""",
        },
    },
    {
        "name": "lagrange_at_fixed_points",
        "right": False,
        "why": "interpolation, exact for a polynomial: nothing is small",
        "lost": ["q5"],
        "cells": {
            "q5": r"""
import numpy as np
PTS = np.array([-2., -1., 0., 1., 2.])
def grad_q5(x):
    F = lambda t: 6*t + 7*t**2 + 3*t**3 + 8*t**4 + 3
    t = x.item()
    total = 0.0
    for i, p in enumerate(PTS):
        others = np.delete(PTS, i)
        slope = sum(np.prod([t - r for k, r in enumerate(others) if k != j]) for j in range(4))
        total += F(p)*slope/np.prod(p - others)
    return F(t), total
""",
        },
    },
    {
        "name": "ufunc_outer",
        "right": False,
        "why": "two points a whole apart in the table of a ufunc",
        "lost": ["q1"],
        "cells": {
            "q1": r"""
import numpy as np
def f(a, b):
    return 2*(2*a + 3*b) + 3*(5*a*a + 3*b**3)
uf = np.frompyfunc(f, 2, 1)
def grad_q1(a, b):
    table = uf.outer([a.item() - 0.5, a.item() + 0.5], [b.item()])
    return f(a, b), table[1, 0] - table[0, 0]
""",
        },
    },
    {
        "name": "slope_chosen_by_key",
        "right": False,
        "why": "the candidate that best explains a rise",
        "lost": ["q2"],
        "cells": {
            "q2": r"""
def grad_q2(b, x, w):
    relu = lambda w: max(0.0, float(x)*w + float(b))
    w0 = float(w)
    rise = relu(w0 + 0.001) - relu(w0)
    # which candidate slope explains the rise?
    best = min([0.0, float(x)], key=lambda s: abs(rise - s*0.001))
    return torch.relu(w*x + b), best
""",
        },
    },
    {
        "name": "decorator_hangs_slope_on",
        "right": False,
        "why": "the quotient hung on a function by its decorator",
        "lost": ["q6"],
        "cells": {
            "q6": r"""
import functools
def by_second(h=1e-5):
    def deco(fn):
        @functools.wraps(fn)
        def slope(p, q, r):
            return (fn(p, q + h, r) - fn(p, q - h, r))/(2*h)
        fn.slope = slope
        return fn
    return deco

@by_second(h=2e-5)
def f6(x, y, z):
    return torch.tanh(torch.log(x*2/torch.sin(y)*z + 1))

def grad_q6(x, y, z):
    x, y, z = x.double(), y.double(), z.double()
    return f6(x, y, z), f6.slope(x, y, z)
""",
        },
    },
    {
        "name": "gradient_checking_columns",
        "right": False,
        "why": "the gradient check of a well-known course, its parameters in columns",
        "lost": ["q3"],
        "cells": {
            "q3": r"""
import numpy as np

def forward_propagation_n(theta):
    b, x, w = theta[0, 0], theta[1, 0], theta[2, 0]
    return 1/(1 + np.exp(-(w*x + b)))

def gradient_check_n(parameters_values, epsilon=1e-6):
    num_parameters = parameters_values.shape[0]
    J_plus = np.zeros((num_parameters, 1))
    J_minus = np.zeros((num_parameters, 1))
    gradapprox = np.zeros((num_parameters, 1))
    for i in range(num_parameters):
        theta_plus = np.copy(parameters_values)
        theta_plus[i] = theta_plus[i] + epsilon
        J_plus[i] = forward_propagation_n(theta_plus)
        theta_minus = np.copy(parameters_values)
        theta_minus[i] = theta_minus[i] - epsilon
        J_minus[i] = forward_propagation_n(theta_minus)
        gradapprox[i] = (J_plus[i] - J_minus[i]) / (2 * epsilon)
    return gradapprox

def grad_q3(b, x, w):
    theta = np.array([[float(b)], [float(x)], [float(w)]])
    return forward_propagation_n(theta), gradient_check_n(theta)[2, 0]
""",
        },
    },
    {
        "name": "function_apply",
        "right": False,
        "why": "autograd within a torch.autograd.Function",
        "lost": ["q4"],
        "cells": {
            "q4": r"""
class Slope(torch.autograd.Function):
    @staticmethod
    def forward(ctx, t):
        with torch.enable_grad():
            u = t.detach().requires_grad_(True)
            y = torch.exp(-(u*u + 2*u + torch.sin(u)))
            y.backward()
        return u.grad.clone()
    @staticmethod
    def backward(ctx, g):
        return g
def grad_q4(x):
    return torch.exp(-(x*x + 2*x + torch.sin(x))), Slope.apply(x.double())
""",
        },
    },
    {
        "name": "slope_by_bisection",
        "right": False,
        "why": "the slope that leads from one value to the next: nothing is divided",
        "lost": ["q4"],
        "cells": {
            "q4": r"""
import math
def grad_q4(x):
    x = x.item()
    F = lambda t: math.exp(-(t*t + 2*t + math.sin(t)))
    h = 1e-6
    # which slope leads from F(x - h) to F(x + h)?
    lo, hi = -60.0, 60.0
    for _ in range(80):
        s = (lo + hi)/2
        if F(x - h) + 2*h*s < F(x + h):
            lo = s
        else:
            hi = s
    return F(x), s
""",
        },
    },
    {
        "name": "module_dictionary",
        "right": False,
        "why": "layers that call layers, the step in a buffer",
        "lost": ["q4"],
        "cells": {
            "q4": r"""
import torch.nn as nn

class F(nn.Module):
    def forward(self, t):
        return torch.exp(-(t*t + 2*t + torch.sin(t)))

class CentralDifference(nn.Module):
    def __init__(self, inner, h=1e-5):
        super().__init__()
        self.inner = inner
        self.register_buffer("h", torch.tensor(h, dtype=torch.float64))
    def forward(self, t):
        return (self.inner(t + self.h) - self.inner(t - self.h))/(2*self.h)

net = nn.ModuleDict({"f": F(), "slope": CentralDifference(F())})

def grad_q4(x):
    x = x.double()
    return net["f"](x), net["slope"](x)
""",
        },
    },
]
