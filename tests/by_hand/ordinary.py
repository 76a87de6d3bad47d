"""What ordinary programs do with numbers: copy them, fill rows, keep them in objects, leave loops early.

Each of these a smaller reader once decided otherwise, and no other case said so.
"""

from __future__ import annotations

from tests.by_hand.cases import answer, cells, one

H = "h = 1e-5\n"
QUOTIENT = "h = 1e-5\n        return (f(t + h) - f(t - h)) / (2 * h)"
MACHINES: dict[str, list[str]] = {
    "a row that is rolled": one(
        "h = 1e-5\nt = x.item() + h * np.array([-1.0, 0.0, 1.0])\ny = f(t)\n"
        "return y[1], ((np.roll(y, -1) - np.roll(y, 1)) / (2 * h))[1]"
    ),
    "pairs of what steps add up to": cells(
        "from itertools import accumulate, pairwise, repeat",
        answer(
            "h = 1e-6\npoints = accumulate(repeat(h, 2), initial=x.item() - h)\n"
            "slopes = [(b - a) / h for a, b in pairwise(map(f, points))]\nreturn f(x), sum(slopes) / 2"
        ),
    ),
    "a decorated function with the name of another": cells(
        "import functools\ndef slope_of(g):\n    @functools.wraps(g)\n    def slope(t, h=1e-5):\n"
        "        return (g(t + h) - g(t - h)) / (2 * h)\n    return slope",
        "@slope_of\ndef slope(t):\n    return f(t)",
        answer("return f(x), slope(x)"),
    ),
    "what a format asks for": cells(
        "class Point:\n    def __init__(self, t):\n        self.t = t\n    def __format__(self, text):\n"
        "        h = float(text)\n        return repr((f(self.t + h) - f(self.t - h)) / (2 * h))",
        answer("return f(x), float(f'{Point(x):1e-5}')"),
    ),
    "what a dictionary has not got": cells(
        f"class Slopes(dict):\n    def __missing__(self, t):\n        {QUOTIENT}",
        "slopes = Slopes()",
        answer("return f(x), slopes[x.item()]"),
    ),
    "a layer in a dictionary of layers, its step in a buffer": cells(
        "class Slope(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.register_buffer('h', torch.tensor(1e-5))\n"
        "    def forward(self, t):\n        return (f(t + self.h) - f(t - self.h)) / (2 * self.h)",
        "net = torch.nn.ModuleDict({'slope': Slope()})",
        answer("return f(x), net['slope'](x)"),
    ),
    "many of the smallest steps": one(
        "up = x + (1 << 24) * np.spacing(1.0)\ndown = 2 * x - up\nreturn f(x), (f(up) - f(down)) / (up - down)"
    ),
    "autograd in a torch.autograd.Function": cells(
        "class Slope(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, t):\n"
        "        with torch.enable_grad():\n            u = t.detach().requires_grad_()\n            f(u).backward()\n"
        "        return u.grad",
        answer("return f(x), Slope.apply(x)"),
    ),
    "an entry of what autograd filled": cells(
        "t = torch.linspace(-2, 2, 257, requires_grad=True)\nf(t).sum().backward()",
        answer("return f(x), t.grad[int(64 * x) + 128]"),
    ),
    "what is measured from .grad and returned": one("g = abs(x.grad)\nprint(g)\nreturn f(x), g"),
    "what is measured from .grad and kept in a list": one("g = x.grad * 1\nd = [0]\nd[0] = g\nreturn f(x), d[0]"),
    "a column of parameters": one(
        "p = np.array([[x], [1.0]])\nd = np.zeros((2, 1))\nfor i in range(p.shape[0]):\n"
        "    up, down = np.copy(p), np.copy(p)\n    up[i] = up[i] + 1e-4\n    down[i] = down[i] - 1e-4\n"
        "    d[i] = (f(up[0, 0]) - f(down[0, 0])) / 2e-4\nreturn f(x), d[0, 0]"
    ),
    "a matrix of weights over many points": one(
        "h = 1e-4\nD = np.array([[-3.0, 4.0, -1.0], [-1.0, 0.0, 1.0], [1.0, -4.0, 3.0]]) / (2 * h)\n"
        "y = f(np.array([x - h, x, x + h]))\nreturn f(x), (D @ y)[1]"
    ),
    "weights that hold the step": one("return f(x), 2 / 3 * (f(x + 1) - f(x - 1)) - 1 / 12 * (f(x + 2) - f(x - 2))"),
    "a member of an enumeration": cells(
        "from enum import Enum\nclass Slope(Enum):\n    CENTRAL = 1e-5\n    def __call__(self, t):\n"
        "        return (f(t + self.value) - f(t - self.value)) / (2 * self.value)",
        answer("return f(x), Slope.CENTRAL(x)"),
    ),
    "an entry of a convolution of a list": one(
        "h = 1e-4\nrow = [float(f(float(x) + k * h)) for k in (-2, -1, 0, 1, 2)]\n"
        "kernel = [-1 / 12, 8 / 12, 0.0, -8 / 12, 1 / 12]\n"
        "return f(x), np.convolve(row, kernel, mode='valid')[0] / h"
    ),
    "a descriptor that Python asks": cells(
        f"class Slope:\n    def __get__(self, point, kind):\n        t = point.t\n        {QUOTIENT}",
        "class Point:\n    slope = Slope()\n    def __init__(self, t):\n        self.t = t",
        answer("return f(x), Point(x).slope"),
    ),
    "a class that its metaclass calls": cells(
        f"class Meta(type):\n    def __call__(cls, t):\n        {QUOTIENT}",
        "class Slope(metaclass=Meta):\n    pass",
        answer("return f(x), Slope(x)"),
    ),
    "a class with a subscript": cells(
        f"class Slope:\n    def __class_getitem__(cls, t):\n        {QUOTIENT}",
        answer("return f(x), Slope[x]"),
    ),
    "a method put into tensors": cells(
        f"if True:\n    def slope(t):\n        {QUOTIENT}",
        "torch.Tensor.slope = slope",
        answer("return f(x), x.slope()"),
    ),
    "a layer among torch's own": cells(
        f"class Slope(torch.nn.Module):\n    def forward(self, t):\n        {QUOTIENT}",
        "net = torch.nn.Sequential(torch.nn.Identity(), Slope())",
        answer("return f(x), net(x)"),
    ),
    "an array copied by its method": one(
        H
        + "v = np.array([x])\nup = v.copy()\nup[0] += h\ndown = v.copy()\ndown[0] -= h\nreturn f(x), (f(up[0]) - f(down[0])) / (2 * h)"
    ),
    "a tensor cloned": one(
        H
        + "v = torch.tensor([x])\nup = v.clone()\nup[0] += h\ndown = v.clone()\ndown[0] -= h\nreturn f(x), (f(up[0]) - f(down[0])) / (2 * h)"
    ),
    "a stack cloned": one(
        H
        + "v = torch.stack([x])\nup = v.clone()\nup[0] += h\ndown = v.clone()\ndown[0] -= h\nreturn f(x), (f(up).sum() - f(down).sum()) / (2 * h)"
    ),
    "an array copied by numpy": one(
        H
        + "v = np.array([x])\nup = np.copy(v)\nup[0] += h\ndown = np.copy(v)\ndown[0] -= h\nreturn f(x), (f(up[0]) - f(down[0])) / (2 * h)"
    ),
    "a list copied deeply": cells(
        "import copy",
        answer(
            H
            + "v = [x]\nup = copy.deepcopy(v)\nup[0] += h\ndown = copy.deepcopy(v)\ndown[0] -= h\nreturn f(x), (f(up[0]) - f(down[0])) / (2 * h)"
        ),
    ),
    "an object copied deeply": cells(
        "import copy\nclass P: pass",
        answer(
            H
            + "v = P()\nv.x = x\nup = copy.deepcopy(v)\nup.x += h\ndown = copy.deepcopy(v)\ndown.x -= h\nreturn f(x), (f(up.x) - f(down.x)) / (2 * h)"
        ),
    ),
    "an object copied": cells(
        "import copy\nclass P:\n    def __init__(s, x): s.x = x",
        answer(H + "v = P(x)\nup = copy.copy(v)\nup.x += h\nreturn f(x), (f(up.x) - f(v.x)) / h"),
    ),
    "a row of zeros filled with quotients": one(
        H + "g = np.zeros(1)\nfor i in range(1):\n    g[i] = (f(x + h) - f(x - h)) / (2 * h)\nreturn f(x), g[0]"
    ),
    "a step in a row of zeros": one("e = np.zeros(1)\ne[0] = 1e-5\nreturn f(x), (f(x + e) - f(x - e))[0] / (2 * 1e-5)"),
    "a step in zeros like the point": one(
        "v = torch.stack([x])\ne = torch.zeros_like(v)\ne[0] = 1e-5\nreturn f(x), (f(v + e) - f(v - e)).sum() / 2e-5"
    ),
    "a step along a row of the identity": one(
        H + "v = np.array([x, x])\nE = np.eye(2) * h\nreturn f(x), (f(v + E[0]) - f(v - E[0])).sum() / (2 * h)"
    ),
    "a step along ones": one(
        H + "v = np.array([x])\nreturn f(x), ((f(v + h*np.ones(1)) - f(v - h*np.ones(1))) / (2*h))[0]"
    ),
    "a step by expm1": one("h = np.expm1(1e-6)\nreturn f(x), (f(x + h) - f(x)) / h"),
    "a step by log1p": one("h = math.log1p(1e-6)\nreturn f(x), (f(x + h) - f(x)) / h"),
    "divided by a reciprocal": one(
        H + "d = torch.as_tensor(2*h)\nreturn f(x), (f(x + h) - f(x - h)) * torch.reciprocal(d)"
    ),
    "kept in an object, taken from vars": cells(
        "class P: pass",
        answer(
            H + "p = P()\np.up, p.down = f(x + h), f(x - h)\nv = vars(p)\nreturn f(x), (v['up'] - v['down']) / (2 * h)"
        ),
    ),
    "kept in an object, taken from __dict__": cells(
        "class P: pass",
        answer(
            H
            + "p = P()\np.up, p.down = f(x + h), f(x - h)\nreturn f(x), (p.__dict__['up'] - p.__dict__['down']) / (2 * h)"
        ),
    ),
    "a quotient in __post_init__": cells(
        "from dataclasses import dataclass\n@dataclass\nclass D:\n    x: object\n    def __post_init__(self):\n        h = 1e-5\n        self.d = (f(self.x + h) - f(self.x - h)) / (2 * h)",
        answer("return f(x), D(x).d"),
    ),
    "a class made by type": cells(
        "D = type('D', (), {'at': lambda self, x: (f(x + 1e-5) - f(x)) / 1e-5})", answer("return f(x), D().at(x)")
    ),
    "a step taken from __class__": cells(
        "class D:\n    h = 1e-5\n    def at(self, x):\n        return (f(x + self.__class__.h) - f(x)) / self.__class__.h",
        answer("return f(x), D().at(x)"),
    ),
    "a branch by __bool__": cells(
        "class D:\n    def __bool__(self): return False",
        answer("if D():\n    return f(x), 2*x\nreturn f(x), (f(x+1e-5)-f(x))/1e-5"),
    ),
    "a branch by __len__": cells(
        "class D:\n    def __len__(self): return 0",
        answer("if not D():\n    return f(x), (f(x+1e-5)-f(x))/1e-5\nreturn f(x), 2*x"),
    ),
    "a branch by isinstance of several": one(
        "if isinstance(x, (int, torch.Tensor)):\n    return f(x), (f(x+1e-5)-f(x))/1e-5\nreturn f(x), 2*x"
    ),
    "a step halved until it is small": one(
        "h, old = 1.0, None\nwhile True:\n    h /= 2\n    d = (f(x + h) - f(x)) / h\n    if h < 1e-6:\n        break\nreturn f(x), d"
    ),
    "a step chosen in a loop that breaks": one(
        "for k in range(3, 9):\n    h = 10.0**-k\n    d = (f(x + h) - f(x)) / h\n    if h < 1e-6: break\nreturn f(x), d"
    ),
    "a quotient in the else of a loop": one(
        "for k in range(3):\n    if k > 5: break\nelse:\n    return f(x), (f(x+1e-5)-f(x))/1e-5\nreturn f(x), 2*x"
    ),
    "autograd under another name": cells(
        "import torch.autograd as A", answer("y = x.clone().requires_grad_()\nreturn f(x), A.grad(f(y), y)[0]")
    ),
    "torch.func, taken from vars": one("return f(x), vars(torch)['func'].grad(f)(x)"),
    "torch.func by importlib": cells(
        "import importlib", answer("return f(x), importlib.import_module('torch.func').grad(f)(x)")
    ),
    "kept in a dictionary of one's own class": cells(
        "class P(dict): pass", answer(H + "p = P(up=f(x+h), down=f(x-h))\nreturn f(x), (p['up'] - p['down']) / (2*h)")
    ),
    "dictionaries copied": one(
        H
        + "p = {'x': x}\nup = dict(p)\nup['x'] += h\ndn = p.copy()\ndn['x'] -= h\nreturn f(x), (f(up['x']) - f(dn['x'])) / (2*h)"
    ),
    "values in reverse": one(H + "xs = np.array([x - h, x + h])\nys = f(xs)\nreturn f(x), (ys[::-1] - ys)[0] / (2*h)"),
    "numpy.gradient over three points": one(
        H + "xs = np.array([x - h, x, x + h])\nreturn f(x), np.gradient(f(xs), xs)[1]"
    ),
}
HONEST: dict[str, list[str]] = {
    "a recurrence by its index": cells(
        "def U(n, x):\n    return 1 if n == 0 else 2 * x if n == 1 else 2 * x * U(n - 1, x) - U(n - 2, x)",
        answer("return (U(3, x) - U(1, x)) / 2, 3 * U(2, x)"),
    ),
    "products that accumulate": cells(
        "from itertools import accumulate\nfrom operator import mul",
        answer("d = [*accumulate([1 - x**2, 2.0, torch.cos(x)], mul)]\nprint(*d)\nreturn f(x), d[-1]"),
    ),
    "a function traced under its own name": cells(
        "import functools\ndef traced(g):\n    @functools.wraps(g)\n    def inner(*args):\n        out = g(*args)\n"
        "        print(g.__name__, *args, out)\n        return out\n    return inner",
        "@traced\ndef slope(t):\n    return 6 + 14 * t",
        answer("return f(x), slope(x)"),
    ),
    "a node in a format": cells(
        "class Node:\n    def __init__(self, data):\n        self.data, self.grad = data, 0.0\n"
        "    def __format__(self, text):\n        return f'{float(self.data):{text}} ({float(self.grad):{text}})'",
        answer("n = Node(x)\nn.grad = 6 + 14 * x\nprint(f'{n:.3f} {n}')\nreturn f(x), n.grad"),
    ),
    "adjoints that begin at nothing": cells(
        "class Adjoints(dict):\n    def __missing__(self, name):\n        return 0.0",
        answer("d = Adjoints()\nd['a'] += 6\nd['a'] += 14 * x\nreturn f(x), d['a']"),
    ),
    "layers with slopes of their own": cells(
        "class Sine(torch.nn.Module):\n    def forward(self, t):\n        return torch.sin(t)\n"
        "    def slope(self, t):\n        return torch.cos(t)",
        "net = torch.nn.ModuleDict({'sin': Sine()})",
        answer("return net['sin'](x), net['sin'].slope(x)"),
    ),
    "an enumeration of functions and their derivatives": cells(
        "from enum import Enum\nclass Rule(Enum):\n    SIN = (torch.sin, torch.cos)\n    EXP = (torch.exp, torch.exp)\n"
        "    def __init__(self, value_of, deriv):\n        self.value_of, self.deriv = value_of, deriv",
        answer("return Rule.SIN.value_of(x), Rule.SIN.deriv(x)"),
    ),
    "an enumeration whose members have a method": cells(
        "from enum import Enum\nclass Rule(Enum):\n    SIN = 'sin'\n    def derivative(self, t):\n"
        "        return torch.cos(t) if self is Rule.SIN else 1",
        answer("return torch.sin(x), Rule.SIN.derivative(x)"),
    ),
    "an order of the library": cells(
        "from graphlib import TopologicalSorter",
        answer("order = [*TopologicalSorter({'b': ['a'], 'c': ['b']}).static_order()]\nreturn f(x), 6 + 14 * x"),
    ),
    "a rule for each by map": cells("def rule(n):\n    return n * 2", answer("return f(x), sum(map(rule, [x, 3, x]))")),
    "a sum of many, taken apart by a star": cells(
        "def ev(e, x):\n    if e == 'x':\n        return x\n    if not isinstance(e, tuple):\n        return e\n"
        "    op, *parts = e\n    many = [ev(p, x) for p in parts]\n    return sum(many) if op == '+' else math.prod(many)\n"
        "P = ('+', 3, *(('*', c, *['x'] * n) for c, n in ((6, 1), (7, 2), (3, 3), (8, 4))))\n"
        "D = ('+', 6, *(('*', c, *['x'] * n) for c, n in ((14, 1), (9, 2), (32, 3))))",
        answer("return ev(P, x), ev(D, x)"),
    ),
    "the last of many by a star": one(
        "*_, last = [x.grad_fn is None, x.grad is None, x, 14 * x]\nreturn f(x), 6 + last"
    ),
    "a multiple of a small unit": one("u = 1e-9\nreturn x * x, (2 * u * x) / u"),
    "the largest term by its size": one(
        "top = max([6, 14 * x, 9 * x**2], key=abs)\nprint(top)\nreturn f(x), 6 + 14 * x"
    ),
    "local derivatives in matrices": one(
        "inner = np.array([[2.0, 3.0], [10 * x, 0.0]])\nouter = np.array([[2.0, 3.0]])\nreturn f(x), (outer @ inner)[0, 0]"
    ),
    "a helper at constants and at the argument": cells(
        "def number(v):\n    return torch.as_tensor(v, dtype=torch.float64)\n"
        "def power(n):\n    return math.factorial(n) / math.factorial(n - 1)",
        answer(
            "six, seven, two = number(6), number(7), number(2)\nt = number(x)\n"
            "return f(t), six + seven * two * t + power(3) * 3 * t**2 + power(4) * 8 * t**3"
        ),
    ),
    "own terms copied deeply": cells(
        "import copy", answer("a = copy.deepcopy([2 * x, 3 * x])\na[0] *= 2\nreturn f(x), a[0] + a[1]")
    ),
    "a number taken from whatever it is": one(
        "t = x if isinstance(x, (int, float)) else x.item()\nreturn f(x), 6 + 14 * t"
    ),
    "an adjoint that begins in __post_init__": cells(
        "from dataclasses import dataclass\n@dataclass\nclass N:\n    v: object\n    def __post_init__(self):\n        self.grad = 0.0",
        answer("n = N(x)\nn.grad = n.grad + 2 * x\nreturn f(x), n.grad"),
    ),
    "an own attribute from vars": cells(
        "class P: pass", answer("p = P()\np.grad = 2 * x\nreturn f(x), vars(p)['grad']")
    ),
    "an own attribute from __dict__": cells(
        "class P: pass", answer("p = P()\np.grad = 2 * x\nreturn f(x), p.__dict__['grad']")
    ),
    "a node class made by type": cells("N = type('N', (), {})", answer("n = N()\nn.grad = 2*x\nreturn f(x), n.grad")),
    "a node class made by type, with a member": cells(
        "N = type('N', (), {'grad': None})", answer("n = N()\nn.grad = 2*x\nreturn f(x), n.grad")
    ),
    "nodes copied deeply": cells(
        "import copy\nclass N:\n    def __init__(s, v): s.v, s.grad = v, 0.0",
        answer("n = copy.deepcopy(N(x))\nn.grad += 2*x\nreturn f(x), n.grad"),
    ),
    "a method called through __class__": cells(
        "class S:\n    def deriv(self, x): return 2*x", answer("s = S()\nreturn f(x), s.__class__().deriv(x)")
    ),
    "a quotient after a break": one(
        "for k in range(3):\n    g = 2*x\n    break\n    g = (f(x+1e-5)-f(x))/1e-5\nreturn f(x), g"
    ),
    "a search with an else": one(
        "for a, b in [('u', 2*x), ('v', 3*x)]:\n    if a == 'u':\n        g = b\n        break\nelse:\n    g = torch.autograd.grad(f(x), x)\nreturn f(x), g"
    ),
    "nodes sorted": cells(
        "class N:\n    def __init__(s, k): s.k, s.grad = k, 0.0",
        answer(
            "ns = [N(k) for k in range(3)]\nfor n in sorted(ns, key=lambda n: -n.k):\n    n.grad += 2*x\nreturn f(x), sum(n.grad for n in ns)"
        ),
    ),
    "a descriptor that gives a rule": cells(
        "class Slope:\n    def __get__(self, point, kind):\n        return 2*point.t",
        "class Point:\n    slope = Slope()\n    def __init__(self, t):\n        self.t = t",
        answer("return f(x), Point(x).slope"),
    ),
    "a metaclass that makes one object only": cells(
        "class One(type):\n    made = {}\n    def __call__(cls, *args):\n        if cls not in cls.made:\n            cls.made[cls] = super().__call__(*args)\n        return cls.made[cls]",
        "class Rule(metaclass=One):\n    def grad(self, t):\n        return 2*t",
        answer("return f(x), Rule().grad(x)"),
    ),
    "a class with a subscript that gives a rule": cells(
        "class Slope:\n    def __class_getitem__(cls, t):\n        return 2*t", answer("return f(x), Slope[x]")
    ),
    "a rule put into tensors": cells(
        "def slope(t):\n    return 2*t\ntorch.Tensor.slope = slope", answer("return f(x), x.slope()")
    ),
    "a layer by hand among torch's own": cells(
        "class Rule(torch.nn.Module):\n    def forward(self, t):\n        return 2*t",
        "net = torch.nn.Sequential(torch.nn.Identity(), Rule())",
        answer("return f(x), net(x)"),
    ),
    "log1p and its derivative": one("return torch.log1p(x), 1 / (1 + x)"),
    "expm1 of a small multiple": one("return f(x), torch.expm1(0.01*x)/0.01"),
    "a dictionary with attributes": cells(
        "class A(dict):\n    __getattr__ = dict.__getitem__\n    __setattr__ = dict.__setitem__",
        answer("v = A(data=x)\nv.grad = 2*x\nreturn f(x), v.grad"),
    ),
}
# Of a package that was not handed in, or a name that nothing defines, though Python has one that is called like it.
UNKNOWN: dict[str, list[str]] = {
    "undefined chain": cells("%run helper.py", answer("return f(x), chain(x)")),
    "undefined reduce": cells("%run helper.py", answer("return f(x), reduce(x, [1])")),
    "unknown product": cells("from lib.num import product", answer("return f(x), product(x)")),
    "unknown list": cells("from lib.num import set as s2", answer("return f(x), s2()")),
    "unknown smap": cells("import lib", answer("return f(x), lib.map(f, [x])[0]")),
    "unknown max": cells("import lib", answer("return f(x), lib.max(x, f(x))")),
    "unknown SimpleNamespace": cells("import lib", answer("return f(x), lib.SimpleNamespace(v=x).v")),
    "unknown range": cells("import lib", answer("return f(x), lib.len([x])")),
}
