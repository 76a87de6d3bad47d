"""Further answers, each as the cells of a notebook: machines in forms that no list names, and honest work near them."""

from __future__ import annotations

from tests.by_hand.cases import answer, cells, one

TREE = """
def ev(e, x):
    if e == 'x':
        return x
    if not isinstance(e, tuple):
        return e
    op, u, v = e
    if op == '+':
        return ev(u, x) + ev(v, x)
    return ev(u, x) * ev(v, x)
P = ('+', 3, ('*', 'x', ('+', 6, ('*', 'x', ('+', 7, ('*', 'x', ('+', 3, ('*', 8, 'x'))))))))
DP = ('+', 6, ('*', 'x', ('+', 14, ('*', 'x', ('+', 9, ('*', 32, 'x'))))))
"""
RECURRENCE = (
    "    t0 = 1\n    t1 = x\n"
    + "".join(f"    t{k} = 2*x*t{k - 1} - t{k - 2}\n" for k in range(2, 42))
    + "    d0 = 0\n    d1 = 1\n"
    + "".join(f"    d{k} = 2*t{k - 1} + 2*x*d{k - 1} - d{k - 2}\n" for k in range(2, 42))
)
NODE = "class Node:\n    pass"
# What the issue names: each as a machine that looks like it, and as honest work.
PAIRS: dict[str, tuple[list[str], list[str]]] = {
    "a recursive evaluator of expression trees": (
        cells(TREE, answer("h = 1e-6\nreturn ev(P, x), (ev(P, x + h) - ev(P, x - h)) / (2 * h)")),
        cells(TREE, answer("return ev(P, x), ev(DP, x)")),
    ),
    "an evaluator that matches": (
        cells(
            "def ev(e, x):\n    match e:\n        case 'x':\n            return x\n        case ('+', u, v):\n"
            "            return ev(u, x) + ev(v, x)\n        case ('*', u, v):\n            return ev(u, x) * ev(v, x)\n"
            "        case _:\n            return e",
            answer("h = 1e-6\nP = ('*', 'x', 'x')\nreturn f(x), (ev(P, x + h) - ev(P, x - h)) / (2 * h)"),
        ),
        cells(
            "def ev(e, x):\n    match e:\n        case 'x':\n            return x\n        case ('+', u, v):\n"
            "            return ev(u, x) + ev(v, x)\n        case ('*', u, v):\n            return ev(u, x) * ev(v, x)\n"
            "        case _:\n            return e",
            answer("return ev(('*', 'x', 'x'), x), ev(('+', 'x', 'x'), x)"),
        ),
    ),
    "a recurrence of eighty lines": (
        cells("def t(x):\n" + RECURRENCE + "    return t41", answer("h = 1e-6\nreturn f(x), (t(x + h) - t(x)) / h")),
        cells("def grad_q5(x):\n" + RECURRENCE + "    return t41, d41"),
    ),
    "an attribute .grad set from outside": (
        cells(NODE, answer("n = Node()\nn.t = x.clone().requires_grad_()\nf(n.t).backward()\nreturn f(x), n.t.grad")),
        cells(NODE, answer("n = Node()\nn.grad = 2 * x\nreturn f(x), n.grad")),
    ),
    "objects in lists and dictionaries": (
        cells(
            NODE, "t = torch.tensor(2.0)", answer("ns = [{'a': Node()}]\nns[0]['a'].v = t\nreturn 1, ns[0]['a'].v.grad")
        ),
        cells(NODE, answer("ns = [{'a': Node()}]\nns[0]['a'].grad = 2 * x\nreturn f(x), ns[0]['a'].grad")),
    ),
    "a dataclass": (
        cells(
            "from dataclasses import dataclass\n@dataclass\nclass D:\n    v: object\n    deriv: object = None",
            answer("p = D(np.poly1d([8, 3, 7, 6, 3]))\nreturn f(x), p.v.deriv()(float(x))"),
        ),
        cells(
            "from dataclasses import dataclass\n@dataclass\nclass D:\n    v: object\n    deriv: object = None",
            answer("p = D(f(x), 6 + 14 * x)\nreturn p.v, p.deriv"),
        ),
    ),
    "a named tuple": (
        cells(
            "from collections import namedtuple\nR = namedtuple('R', ['v', 'grad'])",
            answer("r = R(x.clone().requires_grad_(), 0)\nf(r.v).backward()\nreturn f(x), r.v.grad"),
        ),
        cells(
            "from collections import namedtuple\nR = namedtuple('R', ['v', 'grad'])",
            answer("v, grad = R(f(x), 2 * x)\nr = R(v, grad)._replace(v=v)\nreturn R(v, grad).v, R(v, grad).grad"),
        ),
    ),
    "a SimpleNamespace": (
        cells(
            "from types import SimpleNamespace as S\nt = torch.tensor(2.0)", answer("s = S(t=t)\nreturn f(x), s.t.grad")
        ),
        cells("from types import SimpleNamespace as S", answer("s = S(v=f(x), grad=2 * x)\nreturn s.v, s.grad")),
    ),
    "type()": (
        cells("T = type('T', (), {'grad': 0})", answer("y = f(x)\ny.backward()\nreturn T().grad, y")),
        cells("T = type('T', (), {'grad': 0})", answer("t = T()\nt.grad = 2 * x\nreturn f(x), t.grad")),
    ),
    "a subclass of dict": (
        cells("class A(dict):\n    __getattr__ = dict.__getitem__", answer("a = A(t=x)\nreturn f(x), a.t.grad")),
        cells(
            "class A(dict):\n    __getattr__ = dict.__getitem__\n    __setattr__ = dict.__setitem__",
            answer("v = A(data=f(x))\nv.grad = 2 * x\nreturn v.data, v.grad"),
        ),
    ),
    "a class with __slots__ and setattr": (
        cells("class S:\n    __slots__ = ('t',)", answer("s = S()\nsetattr(s, 't', x)\nreturn f(x), s.t.grad")),
        cells("class S:\n    __slots__ = ('grad',)", answer("s = S()\nsetattr(s, 'grad', 2 * x)\nreturn f(x), s.grad")),
    ),
    "a derivative hung on its function": (
        cells("def s(v): return v * v\ns.deriv = torch.func.grad(s)", answer("return s(x), s.deriv(x)")),
        cells("def s(v): return v * v\ns.deriv = lambda v: 2 * v", answer("return s(x), s.deriv(x)")),
    ),
    "numbers of one's own kept in a tensor's .grad": (
        one("y = f(x)\ny.grad = None\ny.sum()\nreturn y, y.grad"),
        one("y = f(x)\ny.grad = 6 + 14 * x\nreturn y, y.grad"),
    ),
    "__import__": (
        one("y = f(x)\nreturn y, __import__('torch').autograd.grad(y, x)[0]"),
        one("return f(x), __import__('math').cos(x)"),
    ),
    "getattr with a name from a table": (
        one("T = {'a': 'autograd'}\ny = f(x)\nreturn y, getattr(torch, T['a']).grad(y, x)[0]"),
        one("T = {'sin': 'cos', 'exp': 'exp'}\nreturn f(x), getattr(torch, T['sin'])(x)"),
    ),
    "getattr with a name from a zip": (
        one("for m, n in zip(['x'], ['backward']):\n    getattr(f(x), n)()\nreturn f(x), 1"),
        one(
            "parts = [2 * x]\nfor m, n in zip(['sin'], ['cos']):\n    parts.append(getattr(torch, n)(x))\nreturn f(x), sum(parts)"
        ),
    ),
    "getattr on an object of one's own": (
        one("names = ''.join(['gr', 'ad'])\nreturn f(x), getattr(x, names)"),
        cells(
            "from dataclasses import dataclass, fields\n@dataclass\nclass S:\n    a: object\n    b: object",
            answer("s = S(2 * x, 6)\nreturn f(x), sum(getattr(s, k.name) for k in fields(s))"),
        ),
    ),
    "a branch that is not taken": (
        cells("CHECK = True", answer("if CHECK:\n    f(x).backward()\nreturn f(x), x")),
        cells("CHECK = False", answer("if CHECK:\n    f(x).backward()\nreturn f(x), 6 + 14 * x")),
    ),
    "a default that leaves a branch out": (
        cells("def grad_q5(x, verbose=True):\n    if verbose:\n        f(x).backward()\n    return f(x), x"),
        cells("def grad_q5(x, verbose=False):\n    if verbose:\n        f(x).backward()\n    return f(x), 6 + 14 * x"),
    ),
    "a flag that is set again later": (
        cells("CHECK = False", answer("if CHECK:\n    f(x).backward()\nreturn f(x), x"), "globals()['CHECK'] = True"),
        cells("CHECK = True", answer("if CHECK:\n    f(x).backward()\nreturn f(x), x"), "CHECK = False"),
    ),
    "a branch that depends on the argument": (
        one("if x > 100:\n    return f(x), 1\nf(x).backward()\nreturn f(x), 1"),
        one("if x > 100:\n    return f(x), 1\nreturn f(x), 6 + 14 * x"),
    ),
    "a turn of a loop after many": (
        one("for k in range(100):\n    if k == 50:\n        f(x).backward()\nreturn f(x), 1"),
        one("d = 0\nfor k in range(100):\n    d = d + k * x if k % 2 else d - x\nreturn f(x), d"),
    ),
    "a count that reaches a number": (
        one("k = 0\nwhile k < 90:\n    k += 1\n    if k == 60:\n        f(x).backward()\nreturn f(x), 1"),
        one("k, d = 0, 0\nwhile k < 90:\n    k += 1\n    d = d + k * x\nreturn f(x), d"),
    ),
    "if x.grad is not None": (
        one("if x.grad is not None:\n    d = x.grad\nelse:\n    d = 1\nreturn f(x), d"),
        one("if x.grad is not None:\n    x.grad.zero_()\nx.grad = None\nreturn f(x), 6 + 14 * x"),
    ),
    "looking at grad_fn": (
        one("y = f(x)\nreturn y, y.grad_fn"),
        one("y = f(x)\nprint(y, y.requires_grad, y.grad_fn, x.is_leaf)\nreturn y, 6 + 14 * x"),
    ),
    "sys.modules": (
        cells("import sys", answer("y = f(x)\nreturn y, sys.modules['torch'].autograd.grad(y, x)[0]")),
        cells(
            "import sys",
            answer(
                "assert 'torch' in sys.modules\nn = len(sys.modules)\nm = sorted(sys.modules)\nreturn f(x), 6 + 14 * x"
            ),
        ),
    ),
    "sys.modules by get": (
        cells("import sys", answer("y = f(x)\nreturn y, sys.modules.get('torch').autograd.grad(y, x)[0]")),
        cells("import sys", answer("m = sys.modules.get('math')\nreturn f(x), m.cos(x)")),
    ),
    "types.FunctionType": (
        cells("import types", answer("g = types.FunctionType(f.__code__, {})\nreturn f(x), g(x)")),
        cells(
            "import types",
            answer("r = lambda t: 2 * t\nreturn f(x), r(x) if isinstance(r, types.FunctionType) else r"),
        ),
    ),
}
MACHINES: dict[str, list[str]] = {
    "keys of a dictionary comprehension": one(
        "h = 1e-6\nv = {f(x + s * h): s for s in (1, -1)}\na, b = v\nreturn f(x), (a - b) / (2 * h)"
    ),
    "values of a dictionary comprehension": one(
        "h = 1e-6\nv = {s: f(x + s * h) for s in (1, -1)}\nreturn f(x), (v[1] - v[-1]) / (2 * h)"
    ),
    "numpy.polyfit": one("t = [x - 1e-3, x, x + 1e-3]\nc = np.polyfit(t, [f(v) for v in t], 1)\nreturn f(x), c[0]"),
    "a spline": cells(
        "from scipy.interpolate import CubicSpline",
        answer(
            "t = np.linspace(float(x) - 1e-3, float(x) + 1e-3, 5)\ns = CubicSpline(t, f(t))\nreturn f(x), s(float(x), 1)"
        ),
    ),
    "a least squares line": one(
        "t = x + 1e-4 * np.arange(-2, 3)\ns = np.linalg.lstsq(np.vstack([t, t**0]).T, f(t))\nreturn f(x), s[0]"
    ),
    "lambdas only": one("D = lambda g: lambda h: lambda t: (g(t + h) - g(t)) / h\nreturn f(x), D(f)(1e-7)(x)"),
    "a dictionary of functions": one(
        "T = {'up': lambda t, h: f(t + h), 'down': lambda t, h: f(t - h)}\nh = 1e-5\n"
        "return f(x), (T['up'](x, h) - T['down'](x, h)) / (2 * h)"
    ),
    "state of a class": cells(
        "class D:\n    h = 1e-6\n    def __call__(self, g, t):\n        self.up = g(t + self.h)\n        self.low = g(t)\n"
        "        return self.slope\n    @property\n    def slope(self):\n        return (self.up - self.low) / self.h",
        answer("return f(x), D()(f, x)"),
    ),
    "an operator of a class": cells(
        "class H:\n    def __init__(self, h): self.h = h\n    def __rmatmul__(self, g):\n"
        "        return lambda t: (g(t + self.h) - g(t - self.h)) / (2 * self.h)",
        answer("return f(x), (f @ H(1e-6))(x)"),
    ),
    "numpy arrays": one("h = 1e-6\nv = f(np.array([x + h, x - h]))\nreturn f(x), (v[0] - v[1]) / (2 * h)"),
    "slices of an array": one(
        "t = np.linspace(float(x) - 1e-4, float(x) + 1e-4, 3)\ny = f(t)\nd = (y[1:] - y[:-1]) / (t[1:] - t[:-1])\n"
        "return f(x), d[0]"
    ),
    "fractions": cells(
        "from fractions import Fraction",
        answer("h = Fraction(1, 10**6)\nt = Fraction(float(x))\nreturn f(x), float((f(t + h) - f(t - h)) / (2 * h))"),
    ),
    "decimals": cells(
        "from decimal import Decimal",
        answer("h = Decimal('1e-12')\nt = Decimal(float(x))\nreturn f(x), float((f(t + h) - f(t)) / h)"),
    ),
    "Richardson's extrapolation": one(
        "def D(h):\n    return (f(x + h) - f(x - h)) / (2 * h)\nT = [[D(0.1 / 2**k)] for k in range(4)]\n"
        "for k in range(1, 4):\n    for j in range(1, k + 1):\n"
        "        T[k].append((4**j * T[k][j - 1] - T[k - 1][j - 1]) / (4**j - 1))\nreturn f(x), T[3][3]"
    ),
    "a complex step by conjugates": one(
        "h = 1e-8\nz = f(complex(float(x), h))\nreturn f(x), ((z - z.conjugate()) / (2j * h)).real"
    ),
    "a complex step in numpy": one("z = np.complex128(float(x) + 1e-30j)\nreturn f(x), np.imag(f(z)) * 1e30"),
    "a complex step divided first": cells(
        "import cmath", answer("h = 1e-30\nz = complex(float(x), h)\nreturn f(x), (f(z) / h).imag")
    ),
    "a phase": cells("import cmath", answer("z = float(x) + 1e-12j\nreturn f(x), f(x) * cmath.phase(f(z)) * 1e12")),
    "torch.func by getattr": one("return f(x), getattr(getattr(torch, 'func'), 'grad')(f)(x)"),
    "torch.func out of vars": one("return f(x), vars(torch)['func'].grad(f)(x)"),
    "a package that is patched": cells("math.d = torch.func.grad", answer("return f(x), math.d(f)(x)")),
    "the notebook's names through IPython": cells(
        "def NUM(x):\n    h = 1e-6\n    return (f(x + h) - f(x)) / h",
        answer("return f(x), get_ipython().user_ns['NUM'](x)"),
    ),
    "the notebook as a module": cells(
        "def NUM(x):\n    h = 1e-6\n    return (f(x + h) - f(x)) / h",
        answer("import __main__\nreturn f(x), __main__.NUM(x)"),
    ),
    "forward of a module": cells(
        "class S(torch.nn.Module):\n    def forward(self, t):\n        h = 1e-5\n        return (f(t + h) - f(t - h)) / (2 * h)",
        answer("return f(x), S()(x)"),
    ),
    "a step by shifting bits": one("n = 1 << 18\nreturn f(x), (f(x + 1 / n) - f(x - 1 / n)) * n / 2"),
    "a cube root of epsilon": one("h = np.finfo(float).eps ** (1 / 3)\nreturn f(x), (f(x + h) - f(x - h)) / (2 * h)"),
    "a step halved until it holds": one(
        "h, old = 1.0, None\nnew = (f(x + h) - f(x - h)) / (2 * h)\nwhile old is None or abs(new - old) > 1e-9:\n"
        "    h = h / 2\n    old, new = new, (f(x + h) - f(x - h)) / (2 * h)\nreturn f(x), new"
    ),
    "a quotient in logarithms": one("h = 1e-5\nreturn f(x), f(x) * torch.log(f(x + h) / f(x - h)) / (2 * h)"),
    "five wide points": one("return f(x), (8 * (f(x + 1) - f(x - 1)) - (f(x + 2) - f(x - 2))) / 12"),
    "a tensor stepped in place": one(
        "t, h = x.clone(), 1e-6\nt.add_(h)\nup = f(t)\nt.sub_(2 * h)\nlow = f(t)\nreturn f(x), (up - low) / (2 * h)"
    ),
    "data stepped in place": one(
        "t, h = x.clone(), 1e-6\nlow = f(t)\nt.data += h\nup = f(t)\nreturn f(x), (up - low) / h"
    ),
    "a deep copy stepped": cells(
        "import copy\ndef g(p):\n    return f(p['x'])",
        answer("p, h = {'x': x}, 1e-6\nq = copy.deepcopy(p)\nq['x'] = q['x'] + h\nreturn f(x), (g(q) - g(p)) / h"),
    ),
    "one entry of a dictionary": cells(
        "def g(p):\n    return f(p['x']) + p['w']",
        answer("p, h = dict(x=x, w=1.0), 1e-5\nreturn f(x), (g({**p, 'x': p['x'] + h}) - g(p)) / h"),
    ),
    "keyword arguments": cells(
        "def g(**p):\n    return f(p['x'])",
        answer("p, h = {'x': x}, 1e-6\nreturn f(x), (g(**{**p, 'x': x + h}) - g(**p)) / h"),
    ),
    "a convolution": one(
        "h = 1e-5\ny = f(x + h * torch.arange(-1, 2))\nk = torch.tensor([-1.0, 0.0, 1.0])\n"
        "return f(x), torch.nn.functional.conv1d(y.view(1, 1, 3), k.view(1, 1, 3)).squeeze() / (2 * h)"
    ),
    "a mean of neighbours": one(
        "h = 1e-6\nd = [(f(x + s * h) - f(x)) / (s * h) for s in (1, -1)]\nreturn f(x), np.mean(d)"
    ),
    "divided by a function's result": cells(
        "def step(): return 1e-6", answer("h = step()\nreturn f(x), (f(x + h) - f(x)) / h")
    ),
    "a generator of points": cells(
        "def points(x, h):\n    while True:\n        yield x + h\n        yield x - h",
        answer("h = 1e-6\ng = points(x, h)\na, b = next(g), next(g)\nreturn f(x), (f(a) - f(b)) / (a - b)"),
    ),
    "a context manager that keeps the step": cells(
        "from contextlib import contextmanager\n@contextmanager\ndef step(h):\n    yield h",
        answer("with step(1e-6) as h:\n    return f(x), (f(x + h) - f(x)) / h"),
    ),
    "a table that a function of the notebook fills": cells(
        "T = {}\ndef fill():\n    for k in range(-96, 97):\n        t = torch.tensor(k / 64, requires_grad=True)\n"
        "        f(t).backward()\n        T[k] = t.grad.item()\nfill()",
        answer("return f(x), T[round(float(x) * 64)]"),
    ),
    "a table that is saved and loaded": cells(
        "A = np.zeros(200)\nfor k in range(200):\n    t = torch.tensor(k / 64, requires_grad=True)\n    f(t).backward()\n"
        "    A[k] = t.grad.item()\nnp.save('t.npy', A)",
        answer("return f(x), np.load('t.npy')[int(x * 64)]"),
    ),
    "a table of finite differences": cells(
        "h = 1e-6\nT = [(f(k / 64 + h) - f(k / 64)) / h for k in range(100)]", answer("return f(x), T[int(x * 64)]")
    ),
    "a decoy that has .grad": cells(
        "class D:\n    grad = 0\n    def backward(self): pass",
        answer("t = x.clone().requires_grad_()\nf(t).backward()\nreturn f(x), t.grad"),
    ),
    "the seventh arm": one(
        "g = f\n"
        + "".join(f"{'el' if n else ''}if x < {n}:\n    g = lambda t: {n} * t\n" for n in range(8))
        + "else:\n    g = torch.func.grad(f)\nreturn f(x), g(x)"
    ),
    "an except that takes the machine": one(
        "try:\n    g = torch.func.grad\n    raise ValueError\nexcept ValueError:\n    return f(x), g(f)(x)"
    ),
    "sorted by the machine": one("h = 1e-6\nreturn f(x), sorted([x], key=lambda t: (f(t + h) - f(t)) / h)[0]"),
    "a metaclass or hook": cells(
        "class W:\n    def __enter__(self): return self\n    def __exit__(self, *a): self.y.backward()",
        answer("with W() as w:\n    w.y = f(x)\nreturn f(x), 1"),
    ),
    "nditer of a well-known course": cells(
        "def numerical(g, x, h=1e-5):\n    grad = np.zeros_like(x)\n    it = np.nditer(x, flags=['multi_index'])\n"
        "    while not it.finished:\n        ix = it.multi_index\n        old = x[ix]\n        x[ix] = old + h\n"
        "        up = g(x)\n        x[ix] = old - h\n        low = g(x)\n        x[ix] = old\n"
        "        grad[ix] = (up - low) / (2 * h)\n        it.iternext()\n    return grad",
        answer("a = np.array([x.item()])\nreturn f(x), numerical(lambda t: np.exp(-t * t).sum(), a)[0]"),
    ),
}
HONEST: dict[str, list[str]] = {
    "a small number in a denominator": one("n = torch.sqrt(x * x + 1e-12)\nreturn n, x / (n + 1e-8)"),
    "eps inside a root": one("eps = 1e-6\nr = torch.sqrt(x**2 + eps)\nreturn r, x / torch.sqrt(x**2 + eps)"),
    "a learning rate": one(
        "lr = 0.01\nw = x\nfor _ in range(100):\n    w = w - lr * (2 * w - 1)\nreturn f(x), w / lr * 0 + 6 + 14 * x"
    ),
    "momentum and damping": one(
        "v, w, beta = 0, x, 0.9\nfor _ in range(20):\n    v = beta * v + (1 - beta) * w\n    w = w - 1e-3 * v\nreturn w, (w - x) * 2"
    ),
    "Adam by hand": one(
        "m = v = 0\nfor t in range(1, 5):\n    g = 2 * x\n    m = 0.9 * m + 0.1 * g\n    v = 0.999 * v + 0.001 * g**2\n"
        "    s = (m / (1 - 0.9**t)) / (torch.sqrt(v / (1 - 0.999**t)) + 1e-8)\nreturn f(x), s"
    ),
    "batch normalisation": one(
        "xs = torch.stack([x, 2 * x, 3 * x])\nmu = xs.mean()\nvar = ((xs - mu) ** 2).mean()\n"
        "y = (xs - mu) / torch.sqrt(var + 1e-5)\nreturn y[0], 1 / torch.sqrt(var + 1e-5) * (1 - y[0] ** 2 / 3)"
    ),
    "a temperature": one("t = 0.1\na = torch.tanh(x / t)\nreturn a, (1 - a * a) / t"),
    "a leaky slope": one("d = torch.where(x > 0, 1.0, 0.01)\nreturn torch.where(x > 0, x, 0.01 * x), d"),
    "percentages": one("r = 0.05\na = x * (1 + r)\nreturn a, (a - x) / x / r + (1 + r) * 100 / 100"),
    "a guard in a logarithm": one("p = torch.clamp(x, 1e-7, 1 - 1e-7)\nreturn torch.log(p), 1 / (p + 1e-7)"),
    "softplus": one("e = torch.exp(x)\nreturn torch.log(1 + e) - torch.log(e), 1 / (1 + e) - 1"),
    "a Gaussian of small width": one("s = 0.05\ng = torch.exp(-((x / s) ** 2) / 2)\nreturn g, -x / s**2 * g"),
    "a sum of close terms": one(
        "a = (x + 0.05) ** 2\nb = (x - 0.05) ** 2\nreturn a - b, 2 * (x + 0.05) - 2 * (x - 0.05)"
    ),
    "dual numbers": cells(
        "class Dual:\n    def __init__(self, v, d=0):\n        self.v, self.d = v, d\n"
        "    def __add__(self, o):\n        o = o if isinstance(o, Dual) else Dual(o)\n        return Dual(self.v + o.v, self.d + o.d)\n"
        "    __radd__ = __add__\n"
        "    def __mul__(self, o):\n        o = o if isinstance(o, Dual) else Dual(o)\n"
        "        return Dual(self.v * o.v, self.v * o.d + self.d * o.v)\n    __rmul__ = __mul__\n"
        "    def __pow__(self, n):\n        return Dual(self.v**n, n * self.v ** (n - 1) * self.d)",
        answer("y = f(Dual(x, 1.0))\nreturn y.v, y.d"),
    ),
    "a tape in the manner of micrograd": cells(
        "class Value:\n    def __init__(self, data, _children=(), _op=''):\n        self.data = data\n        self.grad = 0\n"
        "        self._backward = lambda: None\n        self._prev = set(_children)\n"
        "    def __add__(self, other):\n        other = other if isinstance(other, Value) else Value(other)\n"
        "        out = Value(self.data + other.data, (self, other), '+')\n        def _backward():\n"
        "            self.grad += out.grad\n            other.grad += out.grad\n        out._backward = _backward\n        return out\n"
        "    def __mul__(self, other):\n        other = other if isinstance(other, Value) else Value(other)\n"
        "        out = Value(self.data * other.data, (self, other), '*')\n        def _backward():\n"
        "            self.grad += other.data * out.grad\n            other.grad += self.data * out.grad\n"
        "        out._backward = _backward\n        return out\n"
        "    def backward(self):\n        topo, visited = [], set()\n        def build(v):\n            if v not in visited:\n"
        "                visited.add(v)\n                for child in v._prev:\n                    build(child)\n"
        "                topo.append(v)\n        build(self)\n        self.grad = 1\n        for v in reversed(topo):\n"
        "            v._backward()",
        answer("a = Value(x)\ny = a * a + a * 6 + 3\ny.backward()\nreturn y.data, a.grad"),
    ),
    "a table of rules": cells(
        "RULES = {'sin': torch.cos, 'exp': torch.exp, 'square': lambda t: 2 * t}\nTHE = {'square': torch.square, 'sin': torch.sin}",
        answer("d = 1\nfor n in ('square', 'sin'):\n    d = d * RULES[n](x)\n    x = THE[n](x)\nreturn x, d"),
    ),
    "a symbolic tree of one's own": cells(
        "class Add:\n    def __init__(self, a, b): self.a, self.b = a, b\n    def diff(self): return Add(self.a.diff(), self.b.diff())\n"
        "    def at(self, x): return self.a.at(x) + self.b.at(x)\n"
        "class Mul(Add):\n    def diff(self): return Add(Mul(self.a.diff(), self.b), Mul(self.a, self.b.diff()))\n"
        "    def at(self, x): return self.a.at(x) * self.b.at(x)\n"
        "class X:\n    def diff(self): return C(1)\n    def at(self, x): return x\n"
        "class C:\n    def __init__(self, c): self.c = c\n    def diff(self): return C(0)\n    def at(self, x): return self.c",
        answer("e = Add(Mul(X(), X()), Mul(C(6), X()))\nreturn e.at(x), e.diff().at(x)"),
    ),
    "derivatives of a tree by recursion": cells(
        TREE.split("P =", maxsplit=1)[0]
        + "def d(e):\n    if e == 'x':\n        return 1\n    if not isinstance(e, tuple):\n        return 0\n    op, u, v = e\n"
        "    if op == '+':\n        return ('+', d(u), d(v))\n    return ('+', ('*', d(u), v), ('*', u, d(v)))\n"
        "P = ('+', 3, ('*', 'x', ('+', 6, ('*', 'x', 7))))",
        answer("return ev(P, x), ev(d(P), x)"),
    ),
    "a memo": cells(
        "memo = {}\ndef power(x, n):\n    if n == 0:\n        return 1\n    if n not in memo:\n        memo[n] = x * power(x, n - 1)\n"
        "    return memo[n]",
        answer("memo.clear()\nreturn power(x, 5), 5 * power(x, 4)"),
    ),
    "a cache of functools": cells(
        "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef fact(n):\n    return 1 if n < 2 else n * fact(n - 1)",
        answer("return sum(x**n / fact(n) for n in range(8)), sum(x ** (n - 1) / fact(n - 1) for n in range(1, 8))"),
    ),
    "a recursion that halves": cells(
        "def power(x, n):\n    if n == 0:\n        return 1\n    h = power(x, n // 2)\n    return h * h * (x if n % 2 else 1)",
        answer("return power(x, 9), 9 * power(x, 8)"),
    ),
    "Newton's method with a derivative by hand": one(
        "r = x\nfor _ in range(50):\n    g = r * r - 2\n    if abs(g) < 1e-12:\n        break\n    r = r - g / (2 * r)\nreturn r, 1 / (2 * r)"
    ),
    "an integral by the trapezium rule": one(
        "t = np.linspace(0, float(x), 101)\ny = np.exp(-t * t)\narea = np.sum((y[1:] + y[:-1]) / 2 * (t[1:] - t[:-1]))\n"
        "return area, np.exp(-float(x) ** 2)"
    ),
    "polynomials by coefficients": one(
        "c = [3, 6, 7, 3, 8]\nreturn sum(a * x**n for n, a in enumerate(c)), sum(n * a * x ** (n - 1) for n, a in enumerate(c) if n)"
    ),
    "Horner's scheme for both": one(
        "p, d = 0, 0\nfor a in reversed([3, 6, 7, 3, 8]):\n    d = d * x + p\n    p = p * x + a\nreturn p, d"
    ),
    "numpy.polyval with its own coefficients": one(
        "return np.polyval([8, 3, 7, 6, 3], x), np.polyval([32, 9, 14, 6], x)"
    ),
    "an interpolation of measured values": one(
        "y = np.interp(x, [0, 1, 2], [0, 1, 4])\nreturn f(x), 6 + 14 * x + 0 * y"
    ),
    "matrices": one(
        "A = torch.tensor([[1.0, 2.0], [3.0, 4.0]])\nv = torch.stack([x, x])\nreturn (A @ v).sum(), A.sum()"
    ),
    "Jacobians": one(
        "J = torch.tensor([[1.0, 0.0], [2.0, 3.0]])\nK = torch.stack([torch.stack([x, x]), torch.stack([2 * x, x])])\n"
        "return (J @ K)[0, 0], (torch.mm(J, K) @ torch.ones(2))[0]"
    ),
    "a polynomial with its own coefficients": one(
        "p = np.poly1d([8, 3, 7, 6, 3])\nreturn p(float(x)), p(float(x)) + 6"
    ),
    "a class with a derivative beside each value": cells(
        "class Op:\n    def __init__(self, f, grad):\n        self.f, self.grad = f, grad\n    def __call__(self, v):\n        return self.f(v)\n"
        "TANH = Op(torch.tanh, lambda v: 1 - torch.tanh(v) ** 2)\nSIN = Op(torch.sin, torch.cos)",
        answer("return TANH(SIN(x)), TANH.grad(SIN(x)) * SIN.grad(x)"),
    ),
    "attributes by name": cells(
        "class G:\n    def __init__(self, **v):\n        self.__dict__.update(v)\n    def add(self, n, by):\n"
        "        setattr(self, 'bar_' + n, getattr(self, 'bar_' + n, 0.0) + by)",
        answer("g = G(a=2 * x)\ng.c = g.a * g.a\ng.add('a', 2 * g.a)\nreturn g.c, g.bar_a * 2"),
    ),
    "a difference that is algebra": one("a, b = torch.exp(x), torch.exp(-x)\nreturn (a - b) / 2, (a + b) / 2"),
    "a quotient rule": one("u, v = x**2 + 1, x + 0.1\nreturn u / v, (2 * x * v - u) / v**2"),
    "units": one("m = 0.001 * x\nreturn m * 1000 - x / 2, 0.001 * 1000 - 0.5"),
    "a check in another cell": cells(
        answer("return f(x), 6 + 14 * x"),
        "def check(g, x, h=1e-6):\n    return (g(x + h)[0] - g(x - h)[0]) / (2 * h)\nprint(check(grad_q5, 2.0))",
    ),
    "reading files beside": one("import json, os\nname = os.sep\nreturn f(x), 6 + 14 * x")
    if False
    else one("return f(x), 6"),
    "a decorator that prints": cells(
        "import functools\ndef shown(g):\n    @functools.wraps(g)\n    def inner(*a, **k):\n        r = g(*a, **k)\n        print(r)\n"
        "        return r\n    return inner",
        "@shown\n" + answer("return f(x), 6 + 14 * x"),
    ),
    "text put together for a print": one(
        "s = ', '.join(str(k) for k in range(3))\nprint(f'{s:>10} {x:.3f}')\nreturn f(x), 6 + 14 * x"
    ),
    "a loop over pairs with a zero step": one(
        "d = 0\nfor a, h in ((6, 0), (14, 1)):\n    d = d + a * x**h\nreturn f(x), d"
    ),
    "differences of a telescoping sum": one("return sum(f(x + k) - f(x + k - 1) for k in range(3)), 6 + 14 * x"),
    "an average slope that is the function itself": one("y = (f(x) - f(0)) / x\nreturn y, 7 + 6 * x + 24 * x**2"),
}

# Written before they were tried, to see what a reader made with the cases above in mind does with others.
MACHINES |= {
    "secant method style": one("a, b = x - 1e-5, x + 1e-5\nfa, fb = f(a), f(b)\nreturn f(x), (fb - fa) / (b - a)"),
    "nested class": cells(
        "class A:\n    class B:\n        step = 1e-6\n    @staticmethod\n    def go(g, t):\n        return (g(t + A.B.step) - g(t)) / A.B.step",
        answer("return f(x), A.go(f, x)"),
    ),
    "classmethod": cells(
        "class A:\n    eps = 1e-7\n    @classmethod\n    def go(cls, g, t):\n        return (g(t + cls.eps) - g(t - cls.eps)) * 0.5 / cls.eps",
        answer("return f(x), A.go(f, x)"),
    ),
    "reduce": cells(
        "from functools import reduce",
        answer("h = 1e-6\npts = [x + h, x - h]\nreturn f(x), reduce(lambda a, b: a - b, map(f, pts)) / (2*h)"),
    ),
    "string step": one("h = float('1e-6')\nreturn f(x), (f(x + h) - f(x)) / h"),
    "step from len": one("h = 1 / 10**len('123456')\nreturn f(x), (f(x + h) - f(x)) / h"),
    "step from pow": one("h = pow(10, -6)\nreturn f(x), (f(x+h) - f(x)) / h"),
    "math.exp step": one("h = math.exp(-14)\nreturn f(x), (f(x+h) - f(x)) / h"),
    "random step": one("h = torch.rand(()) * 1e-6\nreturn f(x), (f(x+h) - f(x)) / h"),
    "tensor ops methods": one("h = torch.full((), 1e-6)\nreturn f(x), f(x.add(h)).sub(f(x)).div(h)"),
    "einsum": one(
        "h = 1e-6\nw = torch.tensor([1., -1.])\ny = torch.stack([f(x+h), f(x-h)])\nreturn f(x), torch.einsum('i,i', w, y) / (2*h)"
    ),
    "matmul": one(
        "h = 1e-6\nw = torch.tensor([1., -1.])\ny = torch.stack([f(x+h), f(x-h)])\nreturn f(x), (w @ y) / (2*h)"
    ),
    "torch.trapz inverse": one(
        "h = 1e-6\nt = torch.stack([x-h, x+h])\ny = f(t)\nreturn f(x), torch.diff(y)[0] / torch.diff(t)[0]"
    ),
    "global state": cells(
        "STATE = {}\ndef up(t, h):\n    STATE['a'] = f(t + h)\n    STATE['b'] = f(t - h)\ndef down(h):\n    return (STATE['a'] - STATE['b']) / (2 * h)",
        answer("up(x, 1e-6)\nreturn f(x), down(1e-6)"),
    ),
    "closure counters": cells(
        "def make():\n    n = 0\n    def g(t, h):\n        nonlocal n\n        n += 1\n        return f(t + (h if n % 2 else -h))\n    return g",
        answer("g = make()\nh = 1e-6\na = g(x, h)\nb = g(x, h)\nreturn f(x), (a - b) / (2*h)"),
    ),
    "dataclass config": cells(
        "from dataclasses import dataclass\n@dataclass\nclass C:\n    h: float = 1e-6\n    def d(self, g, t):\n        return (g(t + self.h) - g(t)) / self.h",
        answer("return f(x), C().d(f, x)"),
    ),
    "torch.autograd via Tensor class": one(
        "t = x.clone().requires_grad_()\ny = f(t)\ntype(y).backward(y)\nreturn y, t.grad"
    ),
    "getattr chain in loop": one("o = torch\nfor n in ('func', 'grad'):\n    o = getattr(o, n)\nreturn f(x), o(f)(x)"),
    "reduce getattr": cells(
        "from functools import reduce", answer("g = reduce(getattr, ['func', 'grad'], torch)\nreturn f(x), g(f)(x)")
    ),
    "star args grad": one("fs = [torch.sin, torch.func.grad]\nreturn f(x), fs[-1](*[f])(x)"),
    "lambda default machine": cells("g = lambda t, m=torch.func.grad: m(f)(t)", answer("return f(x), g(x)")),
    "symmetric via sum of lists": one(
        "h = 1e-3\nc = [1, -8, 0, 8, -1]\nreturn f(x), sum(ci * f(x + (i - 2) * h) for i, ci in enumerate(c)) / (12 * h)"
    ),
    "numpy dot stencil": one(
        "h = 1e-3\nc = np.array([1, -8, 0, 8, -1]) / 12\np = np.array([f(float(x) + k * h) for k in range(-2, 3)])\nreturn f(x), c @ p / h"
    ),
    "imag via np.angle": one("z = f(float(x) + 1e-12j)\nreturn f(x), np.angle(z) * abs(z) / 1e-12"),
    "view_as_real": one("z = torch.complex(x, torch.tensor(1e-12))\nreturn f(x), torch.view_as_real(f(z))[1] / 1e-12"),
    "log derivative": one("h = 1e-6\nreturn f(x), f(x) * (torch.log(f(x + h)) - torch.log(f(x))) / h"),
    "expansion in powers": one(
        "h = 1e-4\nd1 = (f(x+h) - f(x-h)) / (2*h)\nd2 = (f(x+2*h) - f(x-2*h)) / (4*h)\nreturn f(x), (4*d1 - d2) / 3"
    ),
    "walrus": one("return f(x), (f(x + (h := 1e-6)) - f(x)) / h"),
    "conditional expr step": one("h = 1e-6 if x > 0 else -1e-6\nreturn f(x), (f(x + h) - f(x)) / h"),
    "unpacked kwargs": cells(
        "def d(*, g, t, h):\n    return (g(t + h) - g(t)) / h", answer("return f(x), d(**{'g': f, 't': x, 'h': 1e-6})")
    ),
    "exec in helper": cells(
        "def h(x):\n    ns = {}\n    exec('import torch', ns)\n    return ns", answer("return f(x), h(x)")
    ),
    "IPython run_cell": one("get_ipython().run_cell('d = 1')\nreturn f(x), 1"),
    "async": cells(
        "async def d(t):\n    h = 1e-6\n    return (f(t + h) - f(t)) / h",
        answer("import asyncio\nreturn f(x), asyncio.run(d(x))"),
    ),
    "multiplication by inverse": one("h = 1e-6\nreturn f(x), (f(x+h) - f(x)) * h**-1"),
    "Fraction string": cells(
        "from fractions import Fraction", answer("h = float(Fraction('1/1000000'))\nreturn f(x), (f(x+h) - f(x)) / h")
    ),
    "np.gradient with list": one("return f(x), np.gradient([f(x - .01), f(x), f(x + .01)], .01)[1]"),
    "interp1d deriv": cells(
        "from numpy.polynomial import Polynomial as P",
        answer("t = float(x) + np.linspace(-1e-3, 1e-3, 7)\nreturn f(x), P.fit(t, f(t), 3).deriv()(float(x))"),
    ),
    "vander solve": one(
        "h = 1e-3\nt = np.array([-h, 0, h])\nA = np.vander(t)\nc = np.linalg.solve(A, f(float(x) + t))\nreturn f(x), c[1]"
    ),
    "hidden in __getattr__": cells(
        "class M:\n    def __getattr__(self, n):\n        return torch.func.grad(f)",
        answer("return f(x), M().slope(x)"),
    ),
}
HONEST |= {
    "softmax": one(
        "z = torch.stack([x, 2*x, 0*x])\ne = torch.exp(z - z.max())\np = e / e.sum()\nreturn p[0], p[0] * (1 - p[0])"
    ),
    "layer norm": one(
        "v = torch.stack([x, x**2])\nm = v.mean()\ns = ((v - m)**2).mean()\nn = (v - m) / (s + 1e-5)**0.5\nreturn n[0], 1 / (s + 1e-5)**0.5"
    ),
    "gelu": one(
        "c = 0.044715\nu = math.sqrt(2/math.pi) * (x + c*x**3)\nt = torch.tanh(u)\nreturn 0.5*x*(1+t), 0.5*(1+t) + 0.5*x*(1-t*t)*math.sqrt(2/math.pi)*(1+3*c*x*x)"
    ),
    "elu": one("a = 0.1\nreturn torch.where(x > 0, x, a*(torch.exp(x)-1)), torch.where(x > 0, 1.0, a*torch.exp(x))"),
    "huber": one(
        "d = 0.1\nq = abs(x) <= d\nreturn (0.5*x*x if q else d*(abs(x) - 0.5*d)), (x if q else d*torch.sign(x))"
    ),
    "numerically stable sigmoid": one(
        "if x >= 0:\n    s = 1/(1+torch.exp(-x))\nelse:\n    e = torch.exp(x)\n    s = e/(1+e)\nreturn s, s*(1-s)"
    ),
    "product rule dictionary": one(
        "v = {}\nv['a'] = x*x\nv['b'] = torch.sin(x)\nd = {'a': 2*x, 'b': torch.cos(x)}\nreturn v['a']*v['b'], d['a']*v['b'] + v['a']*d['b']"
    ),
    "backprop loop": one(
        "layers = [(torch.sin, torch.cos), (torch.exp, torch.exp), (torch.tanh, lambda t: 1 - torch.tanh(t)**2)]\nacts = [x]\nfor g, _ in layers:\n    acts.append(g(acts[-1]))\nd = 1.0\nfor (g, dg), a in zip(reversed(layers), reversed(acts[:-1])):\n    d = d * dg(a)\nreturn acts[-1], d"
    ),
    "central name h": one("h = 6*x\nk = h + 3\nreturn h*k, 6*k + h*6"),
    "scaled differences": one("a = 1000*x\nb = 999*x\nreturn (a - b)/0.01, 1/0.01 + 0*x"),
    "physics units": one("g, dt = 9.81, 0.01\nv = g*dt + x\ns = x + v*dt\nreturn (s - x)/dt, 1.0*v/v"),
    "energy difference": one("m = 0.05\nE1 = 0.5*m*x**2\nE2 = 0.5*m*(x+2)**2\nreturn (E2 - E1)/m, 2 + 0*x"),
    "compound interest": one("r = 0.03\nA = (1+r)**5 * x\nreturn A, (1+r)**5"),
    "relative error": one("a = torch.exp(x)\nb = a*(1+1e-6)\nreturn a, (b-a)/a/1e-6*a"),
    "sinc": one(
        "y = torch.where(abs(x) < 1e-8, torch.ones(()), torch.sin(x)/x)\nreturn y, (x*torch.cos(x) - torch.sin(x))/(x*x + 1e-20)"
    ),
    "Taylor series": one(
        "s = d = 0\nfor k in range(20):\n    s = s + x**k/math.factorial(k)\n    d = d + (k*x**(k-1)/math.factorial(k) if k else 0)\nreturn s, d"
    ),
    "comment with .grad": one('"""uses x.grad? no"""\n# f(x).backward()\nreturn f(x), 6 + 14*x'),
    "try float": one("try:\n    t = float(x)\nexcept (TypeError, ValueError):\n    t = x\nreturn f(t), 6 + 14*t"),
    "assert close": one("y = f(x)\nassert abs(y - f(x)) < 1e-6\nreturn y, 6 + 14*x"),
    "np grad table": one(
        "grad = {'w': 2*x, 'b': 1.0}\nfor k in grad:\n    grad[k] = grad[k] * 3\nreturn f(x), grad['w'] + grad['b']"
    ),
    "own autodiff with numbers on a stack": cells(
        "stack = []\ndef push(v, d): stack.append((v, d))\ndef mul():\n    (a, da), (b, db) = stack.pop(), stack.pop()\n    push(a*b, a*db + da*b)",
        answer("stack.clear()\npush(x, 1)\npush(x, 1)\nmul()\nv, d = stack.pop()\nreturn v, d"),
    ),
    "class with grad property": cells(
        "class V:\n    def __init__(self, d): self.d = d\n    @property\n    def grad(self): return 2*self.d",
        answer("return f(x), V(x).grad"),
    ),
    "inherit from nn.Module by hand": cells(
        "class S(torch.nn.Module):\n    def forward(self, t):\n        self.out = 1/(1+torch.exp(-t))\n        return self.out\n    def backward(self, up):\n        return up*self.out*(1-self.out)",
        answer("s = S()\ny = s(x)\nreturn y, s.backward(1.0)"),
    ),
    "layers with backward methods": cells(
        "class Mul:\n    def forward(self, a, b):\n        self.a, self.b = a, b\n        return a*b\n    def backward(self, g):\n        return g*self.b, g*self.a\nclass Tanh:\n    def forward(self, a):\n        self.y = torch.tanh(a)\n        return self.y\n    def backward(self, g):\n        return g*(1-self.y**2)",
        answer(
            "m, t = Mul(), Tanh()\ny = t.forward(m.forward(x, x))\nda, db = m.backward(t.backward(1.0))\nreturn y, da + db"
        ),
    ),
    "network of layers in list": cells(
        "class L:\n    def __init__(s, w): s.w = w\n    def forward(s, x):\n        s.x = x\n        return s.w*x\n    def backward(s, g):\n        s.grad = g*s.x\n        return g*s.w",
        answer(
            "net = [L(2.0), L(3.0)]\ny = x\nfor l in net:\n    y = l.forward(y)\ng = 1.0\nfor l in net[::-1]:\n    g = l.backward(g)\nreturn y, g"
        ),
    ),
    "detach and grad none": one(
        "x = x.detach().clone()\nx.grad = None\nx.requires_grad = False\nreturn f(x), 6 + 14*x"
    ),
    "global function named diff": cells(
        "def diff(p):\n    return [n*a for n, a in enumerate(p)][1:]\ndef at(p, x):\n    return sum(a*x**n for n, a in enumerate(p))",
        answer("p = [3, 6, 7, 3, 8]\nreturn at(p, x), at(diff(p), x)"),
    ),
    "poly class with deriv": cells(
        "class Poly:\n    def __init__(self, c): self.c = c\n    def __call__(self, x): return sum(a*x**n for n, a in enumerate(self.c))\n    def deriv(self): return Poly([n*a for n, a in enumerate(self.c)][1:])",
        answer("p = Poly([3, 6, 7, 3, 8])\nreturn p(x), p.deriv()(x)"),
    ),
    "plot in scratch with diff": cells(
        answer("return f(x), 6 + 14*x"),
        "xs = np.linspace(0, 1, 50)\nslopes = np.gradient(f(xs), xs)\nprint(np.diff(xs))",
    ),
    "timing": one(
        "import time\nt0 = time.perf_counter()\ny = f(x)\ndt = time.perf_counter() - t0\nprint(dt)\nreturn y, 6 + 14*x"
    ),
    "kwargs defaults eps": cells(
        "def norm(x, eps=1e-6):\n    return x / (abs(x) + eps)", answer("return norm(x), 1e-6 / (abs(x) + 1e-6)**2")
    ),
    "difference of eps terms": one("e = 1e-6\nreturn torch.log(x + e) - torch.log(e + 0*x), 1/(x + e)"),
    "ratio of small things": one("a = 1e-3*x\nb = 1e-3*(x + 1)\nreturn a/b, 1/(x+1)**2"),
    "momentum difference": one("b = 0.9\nm = b*x + (1-b)*x**2\nreturn (m - b*x)/(1-b), 2*x"),
    "weights close": one("w = 0.01\nreturn ((1+w)*x - (1-w)*x)/(2*w), 1 + 0*x"),
    "ema bias": one("m = 0.1*x\nreturn m/(1 - 0.9), 1 + 0*x"),
    "smoothing 0.05": one(
        "p = 0.05 + 0.9*torch.sigmoid(x)\nreturn (p - 0.05)/0.9, torch.sigmoid(x)*(1-torch.sigmoid(x))"
    ),
    "small slope relu difference": one(
        "a = 0.01\ny = torch.relu(x) - a*torch.relu(-x)\nreturn y, (y - a*x)/(x*(1-a)) * (1 - a) + a"
    ),
}
HONEST |= {
    "rnn two steps": one(
        "w, b = 0.5, 0.01\nh = 0\ntape = []\nfor t in range(3):\n    z = w*h + x + b\n    tape.append((h, z))\n    h = torch.tanh(z)\nd = 1\nfor hp, z in reversed(tape):\n    d = d * (1 - torch.tanh(z)**2) * w + 1\nreturn h, d"
    ),
    "log sum exp": one(
        "m = max(x, 2*x)\ns = m + torch.log(torch.exp(x-m) + torch.exp(2*x-m))\np = torch.exp(x - s)\nreturn s, p + 2*(1-p)"
    ),
    "clip": one("y = torch.clamp(x, 0.01, 0.99)\nreturn torch.log(y/(1-y)), 1/(y*(1-y))"),
    "entropy eps": one(
        "e = 1e-9\nreturn -(x*torch.log(x+e) + (1-x)*torch.log(1-x+e)), -torch.log(x+e) + torch.log(1-x+e) - x/(x+e) + (1-x)/(1-x+e)"
    ),
    "interpolation lerp": one("t = 0.05\na, b = torch.sin(x), torch.cos(x)\nreturn (1-t)*a + t*b, (1-t)*b - t*a"),
    "finite sum of geometric": one("q = 0.9\ns = sum(q**k * x for k in range(50))\nreturn s, (1-q**50)/(1-q)"),
    "annuity closed": one("r = 0.05\nreturn x*(1-(1+r)**-10)/r, (1-(1+r)**-10)/r"),
    "kinetic": one("v0, a, t = 1.0, -9.81, 0.05\ns = x + v0*t + 0.5*a*t**2\nreturn s, 1.0"),
    "euler method": one(
        "h = 0.01\ny, d = x, 1.0\nfor _ in range(30):\n    y, d = y + h*torch.sin(y), d + h*torch.cos(y)*d\nreturn y, d"
    ),
    "rk4 with tangent": one(
        "h = 0.1\ng = lambda y: -y*y\nk1 = g(x)\nk2 = g(x + h/2*k1)\nk3 = g(x + h/2*k2)\nk4 = g(x + h*k3)\ny = x + h/6*(k1 + 2*k2 + 2*k3 + k4)\nd1 = -2*x\nd2 = -2*(x+h/2*k1)*(1+h/2*d1)\nd3 = -2*(x+h/2*k2)*(1+h/2*d2)\nd4 = -2*(x+h*k3)*(1+h*d3)\nreturn y, 1 + h/6*(d1+2*d2+2*d3+d4)"
    ),
    "implicit midpoint increment": one(
        "h = 0.1\nk = torch.sin(x)\ny = x + h*k\nslope = (y - x)/h\nreturn y, 1 + h*torch.cos(x)*slope/k"
    ),
    "sgd velocity": one("lr = 0.1\nw1 = x - lr*2*x\ng = (x - w1)/lr\nreturn x**2, g"),
    "ratio identity": one("y = torch.exp(x)\nreturn y, (y*y - 0*y)/y"),
    "symmetric product": one("a = x + 0.01\nb = x - 0.01\nreturn a*b, a + b"),
    "quadratic difference algebra": one("e = 0.1\nreturn ((x+e)**2 - (x-e)**2)/4, e + 0*x"),
    "numerically zero diff": one("y = torch.sin(x)**2 + torch.cos(x)**2 - 1\nreturn f(x) + y, 6 + 14*x + y"),
    "scipy special": cells(
        "from scipy import special", answer("return special.erf(float(x)), 2/math.sqrt(math.pi)*math.exp(-float(x)**2)")
    ),
    "np where list": one("a = np.array([float(x), 1e-3])\nreturn a.sum(), np.where(a > 0, 1, 0)[0]"),
    "sets and dicts": one(
        "deps = {'c': {'a', 'b'}}\nd = {k: 0 for k in 'abc'}\nd['c'] = 1\nfor p in deps['c']:\n    d[p] += 3*d['c']*x\nreturn f(x), d['a']"
    ),
    "graph dict backprop": one(
        "g = {'u': ('mul', 'x', 'x'), 'v': ('sin', 'u', None)}\nval = {'x': x}\nfor n, (op, a, b) in g.items():\n    val[n] = val[a]*val[b] if op == 'mul' else torch.sin(val[a])\nadj = {n: 0 for n in val}\nadj['v'] = 1\nfor n in reversed(list(g)):\n    op, a, b = g[n]\n    if op == 'mul':\n        adj[a] += adj[n]*val[b]\n        adj[b] += adj[n]*val[a]\n    else:\n        adj[a] += adj[n]*torch.cos(val[a])\nreturn val['v'], adj['x']"
    ),
    "enum ops": cells(
        "from enum import Enum\nclass Op(Enum):\n    ADD = 1\n    MUL = 2",
        answer("op = Op.MUL\ny = x*x if op is Op.MUL else x + x\nreturn y, 2*x if op == Op.MUL else 2"),
    ),
    "operator table": cells(
        "import operator\nOPS = {'+': (operator.add, lambda a, b: (1, 1)), '*': (operator.mul, lambda a, b: (b, a))}",
        answer("fn, dv = OPS['*']\na, b = dv(x, x)\nreturn fn(x, x), a + b"),
    ),
    "jacobian by hand matrix": one(
        "J = torch.zeros(2, 2)\nJ[0, 0] = 2*x\nJ[1, 1] = torch.cos(x)\nv = torch.ones(2)\nreturn x**2 + torch.sin(x), (J @ v).sum()"
    ),
    "variable named jacobian grad": one("jacobian = 2*x\ngrad = jacobian*3\nbackward = grad\nreturn f(x), backward"),
    "stored attr named backward": cells(
        "class N:\n    def __init__(self, v, b=None): self.v, self.backward = v, b",
        answer("n = N(x*x, lambda g: 2*x*g)\nreturn n.v, n.backward(1.0)"),
    ),
    "object passed through unknown": cells(
        "class N:\n    grad = 0.0\n    def __init__(self, v): self.v = v",
        answer(
            "ns = sorted([N(x), N(2*x)], key=lambda n: float(n.v))\nfor n in ns:\n    n.grad = n.v*2\nreturn f(x), max(ns, key=lambda n: n.grad).grad"
        ),
    ),
    "weakref of queue": cells(
        "from collections import deque\nclass N:\n    def __init__(self, v, ps=()): self.v, self.ps, self.grad = v, ps, 0",
        answer(
            "a = N(x)\nb = N(a.v**2, ((a, 2*a.v),))\nb.grad = 1\nq = deque([b])\nwhile q:\n    n = q.popleft()\n    for p, l in n.ps:\n        p.grad += l*n.grad\n        q.append(p)\nreturn b.v, a.grad"
        ),
    ),
    "topological with dict of objects": cells(
        "class T:\n    def __init__(s, v, parents=None): s.v, s.parents, s.grad = v, parents or [], None\ndef mul(a, b): return T(a.v*b.v, [(a, b.v), (b, a.v)])\ndef back(t, g):\n    t.grad = g if t.grad is None else t.grad + g\n    for p, l in t.parents: back(p, g*l)",
        answer("a = T(x)\ny = mul(a, mul(a, a))\nback(y, 1.0)\nreturn y.v, a.grad"),
    ),
    "generic Function by hand": cells(
        "class Function:\n    @staticmethod\n    def forward(ctx, a):\n        ctx['a'] = a\n        return a*a\n    @staticmethod\n    def backward(ctx, g):\n        return 2*ctx['a']*g",
        answer("ctx = {}\ny = Function.forward(ctx, x)\nreturn y, Function.backward(ctx, 1.0)"),
    ),
    "interp of own table": one("xs = [k/10 for k in range(11)]\nys = [k*k for k in xs]\nreturn f(x), 6 + 14*x"),
}
MACHINES |= {
    "what a package made of a function": cells(
        "import somewhere\ndef slope(t):\n    h = 1e-6\n    return (f(t + h) - f(t)) / h\nD = somewhere.faster(slope)",
        answer("return f(x), D(x)"),
    ),
}
_TABLE = "ds = []\nfor v in (-1.0, 0.0, 1.0):\n    t = torch.tensor(v, requires_grad=True)\n    f(t).backward()\n    ds.append(t.grad.item())"
MACHINES |= {
    "methods of operators": one("h = 1e-6\nreturn f(x), f(x + h).__sub__(f(x - h)).__truediv__(2 * h)"),
    "methods of swapped operators": one("h = 1e-6\nreturn f(x), (2 * h).__rtruediv__(f(x - h).__rsub__(f(x + h)))"),
    "the method of an operator by its name": one(
        "h = 1e-6\nreturn f(x), getattr(f(x + h) - f(x - h), '__truediv__')(2 * h)"
    ),
    "a fit to autograd's numbers": cells(
        f"{_TABLE}\nP = np.polyfit([-1, 0, 1], ds, 2)", answer("return f(x), np.polyval(P, float(x))")
    ),
    "a table of autograd's numbers, whole": cells(_TABLE, answer("return f(x), np.interp(float(x), [-1, 0, 1], ds)")),
}
HONEST |= {
    "methods of operators in a formula": one("return f(x), x.__mul__(14).__add__(6).__rsub__(0).__neg__()"),
    "a table of autograd's numbers that is only printed": cells(
        _TABLE, answer("print(ds, len(ds))\nreturn f(x), 6 + 14 * x")
    ),
}
# What any reader must follow: how ordinary programs keep, inherit and unpack things.
MACHINES |= {
    "a step that a class inherits": cells(
        "class A:\n    def __init__(self, g):\n        self.g, self.h = g, 1e-6\n"
        "    def at(self, x): return (self.g(x + self.h) - self.g(x)) / self.h\n"
        "class B(A):\n    def __init__(self, g):\n        super().__init__(g)",
        answer("return f(x), B(f).at(x)"),
    ),
    "a list that a dataclass makes": cells(
        "from dataclasses import dataclass, field\n@dataclass\nclass R:\n    v: list = field(default_factory=list)",
        answer(
            "h, r = 1e-6, R()\nr.v.append(f(x + h))\nr.v.append(f(x - h))\nreturn f(x), (r.v[0] - r.v[1]) / (2 * h)"
        ),
    ),
    "a step by torch.where": one("h = torch.where(x > 0, 1e-6, -1e-6)\nreturn f(x), (f(x + h) - f(x)) / h"),
    "unpacked with a star": one("h = 1e-6\na, *b = [f(x + h), f(x - h)]\nreturn f(x), (a - b[0]) / (2 * h)"),
    "an entry of a matrix": one(
        "h = 1e-6\nA = np.array([[f(x + h), f(x - h)], [1, 1]])\nreturn f(x), (A[0, 0] - A[0, 1]) / (2 * h)"
    ),
    "a square as step": one("h = np.square(1e-3)\nreturn f(x), (f(x + h) - f(x)) / h"),
    "a cube root as step": one("h = np.cbrt(np.finfo(float).eps)\nreturn f(x), (f(x + h) - f(x - h)) / (2 * h)"),
    "a table asked with a default": cells(
        "T = {}\nfor k in range(100):\n    t = torch.tensor(k / 64, requires_grad=True)\n    f(t).backward()\n    T[k] = t.grad.item()",
        answer("return f(x), T.get(int(x * 64), 0)"),
    ),
    "a copy of one's own class": cells(
        "class D:\n    def __init__(s, h): s.h = h\n    def half(s): return type(s)(s.h / 2)\n"
        "    def at(s, x): return (f(x + s.h) - f(x)) / s.h",
        answer("return f(x), D(1e-5).half().at(x)"),
    ),
    "the larger of two steps": one("h = max(1e-8, 1e-6 * abs(x))\nreturn f(x), (f(x + h) - f(x)) / h"),
    "the last bit of a number": one("h = math.sqrt(math.ulp(1.0))\nreturn f(x), (f(x + h) - f(x)) / h"),
    "numpy.vectorize, given a list": one(
        "h = 1e-6\nv = np.vectorize(f)([x + h, x - h])\nreturn f(x), (v[0] - v[1]) / (2 * h)"
    ),
    "a class with entries": cells(
        "class P:\n    def __init__(s, v): s.v = v\n    def __getitem__(s, i): return s.v[i]",
        answer("h = 1e-6\np = P([f(x + h), f(x - h)])\nreturn f(x), (p[0] - p[1]) / (2 * h)"),
    ),
    "a class to iterate over": cells(
        "class P:\n    def __init__(s, x, h): s.x, s.h = x, h\n    def __iter__(s): return iter([s.x + s.h, s.x - s.h])",
        answer("h = 1e-6\na, b = [f(v) for v in P(x, h)]\nreturn f(x), (a - b) / (2 * h)"),
    ),
    "a queue": cells(
        "from collections import deque",
        answer(
            "h, q = 1e-6, deque()\nq.append(f(x + h))\nq.append(f(x - h))\nreturn f(x), (q.popleft() - q.popleft()) / (2 * h)"
        ),
    ),
}
HONEST |= {
    "a loop that breaks": one("n = 0\nwhile True:\n    if n >= 3:\n        break\n    n += 1\nreturn f(x), 6 + 14 * x"),
    "names set from outside": cells(
        NODE,
        answer("ns = [Node(), Node()]\nfor n in ns:\n    setattr(n, 'grad', 2 * x)\nreturn f(x), max(ns, key=id).grad"),
    ),
    "a class that hands on": cells(
        "class W:\n    def __init__(s, v): s._v = v\n    def __getattr__(s, n): return getattr(s._v, n)",
        answer("return f(x), 2 * W(x).item()"),
    ),
    "a search that returns in its loop": cells(
        "def of(table, k):\n    for a, b in table:\n        if a == k:\n            return b",
        answer("return f(x), of([('u', 3 * x), ('v', 2 * x)], 'v')"),
    ),
}

# Listed, not forbidden: the rule that each breaks.
LISTED: dict[str, tuple[str, list[str]]] = {
    "Cauchy's integral": (
        "imaginary",
        one(
            "z = float(x) + 0.5 * np.exp(2j * np.pi * np.arange(32) / 32)\n"
            "return f(x), (f(z) * np.exp(-2j * np.pi * np.arange(32) / 32)).mean().real / 0.5"
        ),
    ),
    "a Fourier transform": (
        "imaginary",
        one("c = np.fft.fft([float(f(x + k)) for k in range(8)])\nreturn f(x), c[1].real"),
    ),
    "complex numbers of the library": ("imaginary", one("import cmath\nreturn f(x), 6 + 14 * cmath.sqrt(x * x).real")),
    "a file of numbers": ("outside", one("return f(x), np.load('slopes.npy')[int(x * 64)]")),
    "a file that another file defines": ("undefined", cells("%run helper.py", answer("return f(x), slope(x)"))),
    "a comparison with .grad": (
        "grad-compared",
        one("g = 6 + 14 * x + 9 * x**2 + 32 * x**3\nif abs(x.grad - g) > 1e-6:\n    print('hm')\nreturn f(x), g"),
    ),
    "a polynomial through values of the forward lines": (
        "equations",
        one(
            "t = torch.arange(5.0, dtype=torch.float64)\ny = 3 + 6*t + 7*t**2 + 3*t**3 + 8*t**4\n"
            "c = torch.linalg.solve(torch.stack([t**k for k in range(5)], 1), y)\n"
            "return f(x), c[1] + 2 * c[2] * x + 3 * c[3] * x**2 + 4 * c[4] * x**3"
        ),
    ),
    "the same by another name for solving": (
        "equations",
        one(
            "e = np.linspace(-0.5, 0.5, 21)\nV = np.stack([e**k for k in range(21)], 1)\n"
            "return f(x), np.linalg.tensorsolve(V, f(float(x) + e))[1]"
        ),
    ),
    "powers of a matrix that is not a number": (
        "matrices",
        one("X = np.array([[x, 1.0], [0.0, x]])\nF = 6 * X + 7 * X @ X + 3 * X @ X @ X\nreturn F[0, 0] + 3, F[0, 1]"),
    ),
    "such a matrix in a function of two": (
        "matrices",
        one(
            "X = torch.zeros(2, 2)\nX[0, 0] = X[1, 1] = x\nX[0, 1] = 1\nm = lambda a, b: torch.mm(a, b)\nF = 7 * m(X, X)\n"
            "return F[0, 0], F[0, 1]"
        ),
    ),
    "the exponential of such a matrix": (
        "matrices",
        one("X = torch.tensor([[x, 1.0], [0.0, x]])\nF = torch.matrix_exp(X)\nreturn F[0, 0], F[0, 1]"),
    ),
    "a polynomial in place of the argument": (
        "matrices",
        one("X = np.poly1d([1.0, float(x)])\nF = 6 * X + 7 * X**2 + 3\nreturn F[0], F[1]"),
    ),
    "a division of polynomials": (
        "matrices",
        one("q, r = np.polydiv([8, 3, 7, 6, 3], [1, -float(x)])\nreturn r[-1], np.polyval(q, float(x))"),
    ),
    "Lagrange's polynomial through fixed points": (
        "fixed-points",
        one(
            "d, points = 0, (-2.0, -1.0, 0.0, 1.0, 2.0)\nfor p in points:\n    others = [q for q in points if q != p]\n"
            "    weight = math.prod(p - q for q in others)\n"
            "    d += f(p) / weight * sum(math.prod(x - q for q in others if q != r) for r in others)\nreturn f(x), d"
        ),
    ),
    "Newton's divided differences at fixed points": (
        "fixed-points",
        one(
            "t = np.arange(5.)\nc = f(t)\nfor k in range(1, 5):\n    for i in range(4, k - 1, -1):\n"
            "        c[i] = (c[i] - c[i - 1]) / (t[i] - t[i - k])\n"
            "p, d = c[4], 0\nfor i in (3, 2, 1, 0):\n    d = d * (x - t[i]) + p\n    p = p * (x - t[i]) + c[i]\nreturn p, d + f(x) - f(x)"
        ),
    ),
    "one argument at fixed points": (
        "fixed-points",
        cells(
            "def g(a, b):\n    return 5 * a * a + 3 * b**3",
            "def grad_q5(a, b):\n    low, middle, high = g(-1.0, b), g(0.0, b), g(1.0, b)\n"
            "    return g(a, b), (high - low) / 2 + (high + low - 2 * middle) * a",
        ),
    ),
    "an imaginary step with its parts kept apart": (
        "difference-like",
        one(
            "h = 1e-30\nre, im = x * x - h * h, 2 * x * h\nre, im = math.exp(re) * math.cos(im), math.exp(re) * math.sin(im)\n"
            "return re, im / h"
        ),
    ),
    "complex numbers as matrices": (
        "difference-like matrices",
        one(
            "h = 1e-20\nX = np.array([[x, -h], [h, x]])\nF = 6 * X + 7 * X @ X + 3 * X @ X @ X + 3 * np.eye(2)\n"
            "return F[0, 0], F[1, 0] / h"
        ),
    ),
    "the slope that explains a rise": (
        "difference-like",
        one("h = 0.001\nrise = f(x + h) - f(x)\nreturn f(x), min([0, x, 6 + 14 * x], key=lambda s: abs(rise - s * h))"),
    ),
    "a slope found by halving": (
        "difference-like",
        one(
            "low, high, h = -60.0, 60.0, 1e-6\nfor _ in range(60):\n    s = (low + high) / 2\n"
            "    if f(x - h) + 2 * h * s < f(x + h):\n        low = s\n    else:\n        high = s\nreturn f(x), s"
        ),
    ),
    "a torch.autograd.Function with a slope of one's own": (
        "custom-function",
        cells(
            "class Sine(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, t):\n        return torch.cos(t)",
            answer("return torch.sin(x), Sine.apply(x)"),
        ),
    ),
    "an entry of a dictionary a whole apart": (
        "difference-like",
        cells(
            "def g(point):\n    return point['a'] ** 2 + point['b']",
            answer(
                "point = {'a': x, 'b': 3.0}\nup, down = dict(point, a=x + 1), {**point, 'a': x - 1}\n"
                "return g(point), (g(up) - g(down)) / 2"
            ),
        ),
    ),
    "two points a whole apart": ("difference-like", one("return f(x), f(x + 0.5) - f(x - 0.5)")),
    "two points of a table of a ufunc": (
        "difference-like",
        one(
            "t = np.frompyfunc(f, 1, 1)\nu = np.frompyfunc(lambda a, b: f(a) * b, 2, 1)\n"
            "t = u.outer([x - 0.5, x + 0.5], [1.0])\nreturn f(x), t[1, 0] - t[0, 0]"
        ),
    ),
    "what is measured from .grad and printed": (
        "grad-compared",
        one("g = 6 + 14 * x\nerror = (x.grad - g).abs().max()\nprint('error', error)\nreturn f(x), g"),
    ),
    "a comparison with .grad by a function": (
        "grad-compared",
        one("g = 6 + 14 * x\nassert torch.allclose(x.grad, g), f'{x.grad} {g}'\nreturn f(x), g"),
    ),
    ".grad that is printed": ("grad-compared", one("g = 6 + 14 * x\nprint(x.grad - g)\nreturn f(x), g")),
    ".grad that is printed in a text": ("grad-compared", one("print(f'{x.grad:.3f}')\nreturn f(x), 6 + 14 * x")),
    ".grad that is kept to be printed": (
        "grad-compared",
        one("right = x.grad\nprint(right)\nreturn f(x), 6 + 14 * x"),
    ),
}
HONEST |= {
    "pickle of one's own numbers by way of a buffer": cells(
        "import io, pickle",
        answer("b = io.BytesIO()\npickle.dump([2 * x, 3 * x], b)\nb.seek(0)\nreturn f(x), pickle.load(b)[0]"),
    ),
    "a source that is printed": cells("import inspect", answer("print(inspect.getsource(f))\nreturn f(x), 2 * x")),
    "pickle of one's own numbers": cells(
        "import pickle", answer("p = pickle.loads(pickle.dumps([2 * x, 3 * x]))\nreturn f(x), p[0] + p[1]")
    ),
}
MACHINES |= {
    "pickle of a difference": cells(
        "import pickle",
        answer("h = 1e-6\nd = pickle.loads(pickle.dumps(f(x + h) - f(x - h)))\nreturn f(x), d / (2 * h)"),
    ),
    "in an encoder of json": cells(
        "import json\nclass E(json.JSONEncoder):\n    def default(self, t):\n"
        "        return float(f(t + 1e-6) - f(t - 1e-6)) / 2e-6",
        answer("return f(x), float(json.dumps(x, cls=E))"),
    ),
    "in a function that is patched in": cells(
        answer("torch.sin = lambda t: (f(t + 1e-6) - f(t - 1e-6)) / 2e-6\nreturn f(x), torch.sin(x)")
    ),
    "in a default of an argument": cells(
        answer("def g(t, d=(f(x + 1e-6) - f(x)) / 1e-6):\n    return d\nreturn f(x), g(x)")
    ),
    "in a type hint": cells(
        answer("d = []\ndef g(t: d.append((f(x + 1e-6) - f(x)) / 1e-6)):\n    return d[0]\nreturn f(x), g(x)")
    ),
    "pickle of a quotient by way of a buffer": cells(
        "import io, pickle",
        answer("b = io.BytesIO()\npickle.dump((f(x + 1e-6) - f(x)) / 1e-6, b)\nb.seek(0)\nreturn f(x), pickle.load(b)"),
    ),
    "pickle of a buffer that was written otherwise": cells(
        "import io, pickle", answer("b = io.BytesIO(b'cposix...')\nreturn f(x), pickle.load(b)")
    ),
    "pickle of what is not there to read": cells("import pickle", answer("return f(x), pickle.loads(b'x')(x)")),
    "what was compared is returned": one("if (g := x.grad) is not None and g == g:\n    pass\nreturn f(x), g"),
    "what was printed is returned": one("g = x.grad\nprint(g)\nreturn f(x), g"),
    "what was put away in a print is returned": one("kept = []\nprint(kept.append(x.grad))\nreturn f(x), kept[0]"),
    "what was put away in a comparison is returned": one(
        "kept = []\nif kept.append(x.grad) == 0:\n    pass\nreturn f(x), kept[0]"
    ),
    "a derivative read from its text": one("return f(x), float(f'{x.grad}')"),
    "a derivative read from what repr says": one("return f(x), float(repr(x.grad.item()))"),
}
