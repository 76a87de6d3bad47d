"""Ordinary tests work with stand-ins as with the real things, and no answer can pass them by what it is."""

from __future__ import annotations

from typing import Any

import pytest
from IPython.core.formatters import DisplayFormatter

from autograder.lending.errors import CannotBeHad
from autograder.lending.loan import Loan
from autograder.lending.specials import CHANGES
from tests.lending.pair import Pair

VECTOR = """
class Vector:
    'a vector'
    size = 2
    def __init__(self, x, y=0):
        if x is None:
            raise Wrong(x, y)
        self.x, self.y = x, y
    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)
    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)
    def __repr__(self):
        return f'Vector({self.x}, {self.y})'
    def norm(self):
        return (self.x ** 2 + self.y ** 2) ** 0.5
    @classmethod
    def zero(cls):
        return cls(0)
    @property
    def half(self):
        return self.x / 2
class Wrong(ValueError):
    def __init__(self, x, y):
        super().__init__(f'wrong: {x}, {y}')
class Long(Vector):
    def __len__(self):
        return 7
    def __iter__(self):
        return iter([self.x, self.y])
    def __getitem__(self, at):
        return [self.x, self.y][at]
"""

RIGHT = {
    "a function is one": (
        "def f(x, y=2, *a, z=3, **k):\n 'doc'\n return x, y, z, a, k",
        "import inspect\n"
        "assert f(1, z=5, q=7) == (1, 2, 5, (), {'q': 7}) and f.__name__ == 'f' and f.__doc__ == 'doc'\n"
        "assert inspect.isfunction(f) and str(inspect.signature(f)) == '(x, y=2, *a, z=3, **k)'",
    ),
    "exceptions are raised again": (
        "def f(n):\n if n < 0: raise ValueError('negative', n)\n return {}['k']",
        "for n, kind, args in ((-1, ValueError, ('negative', -1)), (1, KeyError, ('k',)), ('a', TypeError, None)):\n"
        "    try: f(n)\n"
        "    except kind as error: assert args is None or error.args == args\n"
        "    else: raise AssertionError(n)",
    ),
    "own exceptions are caught by their own class and by Python's": (
        VECTOR,
        "for kind in (Wrong, ValueError):\n"
        "    try: Vector(None)\n"
        "    except kind as error: assert str(error) == 'wrong: None, 0'\n"
        "    else: raise AssertionError(kind)",
    ),
    "an object does what its class says": (
        VECTOR,
        "v = Vector(1, 2) + Vector(3, 4)\n"
        "assert v == Vector(4, 6) and v != Vector(4, 5) and repr(v) == 'Vector(4, 6)' and v.norm() == 52 ** 0.5\n"
        "assert isinstance(v, Vector) and type(v) is Vector and Vector.zero().x == 0 and Vector.size == 2\n"
        "v.x = 9\n"
        "assert v.x == 9 and v.half == 4.5 and not hasattr(v, 'z') and 'norm' in dir(v)\n"
        "assert Vector.__doc__ == 'a vector'",
    ),
    "classes inherit": (
        VECTOR,
        "w = Long(1, 2)\n"
        "assert issubclass(Long, Vector) and isinstance(w, Vector)\n"
        "assert len(w) == 7 and list(w) == [1, 2] and w[1] == 2\n"
        "x, y = w\n"
        "assert (x, y) == (1, 2) and w == Vector(1, 2)",
    ),
    "functions of the test's are called back": (
        "def newton(f, x):\n"
        " for _ in range(30): x = x - f(x) / ((f(x + 1e-6) - f(x)) / 1e-6)\n return x\n"
        "def twice(f): return lambda *a: 2 * f(*a)",
        "import math, numpy as np\n"
        "assert abs(newton(lambda x: x * x - 2, 1.0) - 2 ** 0.5) < 1e-6 and newton(math.sin, 3.0) == math.pi\n"
        "assert twice(np.sum)([1, 2]) == 6 and twice(twice(lambda x: x + 1))(1) == 8\n"
        "try: newton(lambda x: {}['k'], 1.0)\nexcept KeyError: pass\nelse: raise AssertionError",
    ),
    "generators, named tuples and enumerations": (
        "from collections import namedtuple\nfrom enum import Enum\nfrom math import *\n"
        "Point = namedtuple('Point', 'x y')\nclass Colour(Enum):\n RED = 1\n"
        "def gen():\n yield 1\n yield 2\ndef point(): return Point(1, 2)\ndef red(): return Colour.RED",
        "x, y = point()\n"
        "assert list(gen()) == [1, 2] and next(gen()) == 1\n"
        "assert point().x == 1 and (x, y) == (1, 2) and len(point()) == 2\n"
        "assert red() is Colour.RED and red().value == 1 and sqrt(4) == 2",
    ),
    "an enumeration is one": (
        "from enum import Enum, IntEnum\nclass Colour(Enum):\n RED = 1\n BLUE = 2\n"
        "class Level(IntEnum):\n LOW = 1\n HIGH = 2\n"
        "def level(): return Level.HIGH",
        "assert Colour['RED'] is Colour.RED is Colour(1) and len(Colour) == 2 and "
        "[c.name for c in Colour] == ['RED', 'BLUE']\n"
        "assert level() == 2 and level() is Level.HIGH and level() > Level.LOW and [10, 11, 12][level()] == 12\n"
        "assert isinstance(level(), Level) and isinstance(level(), int) and level().name == 'HIGH' and "
        "f'{level():d}' == '2'",
    ),
    "an exception's own attributes": (
        "class Broken(Exception):\n"
        " def __init__(self, code, *, why): super().__init__('broken'); self.code, self.why = code, why\n"
        "def f(): raise Broken(7, why=[1])",
        "try: f()\nexcept Broken as error: assert (error.code, error.why, str(error)) == (7, [1], 'broken')\n"
        "else: raise AssertionError",
    ),
    "what a function changes of what its arguments hold": (
        "def step(w, *, grads, log):\n for at, row in enumerate(w): row -= grads[at]\n log['steps'].append(1)\n"
        " grads.clear()",
        "import numpy as np\nrow, steps, grads = np.ones(2), [], [np.ones(2)]\nw, log = [row], {'steps': steps}\n"
        "step(w, grads=grads, log=log)\n"
        "assert row.tolist() == [0, 0] and w[0] is row and steps == [1] and log['steps'] is steps and grads == []",
    ),
    "what a function gives back of its arguments is that very object": (
        "def same(x): return x\ndef grow(x):\n x.append(3)\n return x\ndef copy(x): return list(x)\n"
        "def rows(m): return [m[0], list(m[1])]",
        "xs, m = [1], [[1], [2]]\nassert same(xs) is xs and copy(xs) == xs and copy(xs) is not xs\n"
        "assert grow(xs) is xs and xs == [1, 3] and rows(m)[0] is m[0] and rows(m)[1] is not m[1]",
    ),
    "what a function puts in the place of an argument's part is another object": (
        "def step(p, g):\n for k in p: p[k] = p[k] - g[k]",
        "import numpy as np\nW, G = np.ones(2), np.ones(2)\np = {'W': W}\nstep(p, {'W': G})\n"
        "assert np.allclose(p['W'], W - G) and W.tolist() == [1, 1]",
    ),
    "a data frame that is changed": (
        "def f(df): df['b'] = df['a'] * 2",
        "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})\nf(df)\nassert df['b'].tolist() == [2, 4]",
    ),
    "objects that are called by keyword, and change what they are given": (
        "from functools import partial\ndef _go(xs, reverse=False, *, scale=1):\n"
        " xs.sort(reverse=reverse)\n return scale\n"
        "go = partial(_go, reverse=True)",
        "xs = [1, 3, 2]\nassert go(xs, scale=2) == 2 and xs == [3, 2, 1]",
    ),
    "subclasses of what can change": (
        "class Stack(list):\n def push(self, x): self.append(x)\n"
        "class Zeros(dict):\n def __missing__(self, key): return 0\n"
        "from collections import defaultdict\nd = defaultdict(lambda: 7)",
        "s = Stack([1])\ns.push(2)\nassert len(s) == 2 and s[1] == 2 and list(s) == [1, 2]\n"
        "assert Zeros(a=1)['a'] == 1 and Zeros()['b'] == 0 and d['x'] == 7",
    ),
    "a field named as a method of tuples": (
        "from collections import namedtuple\nRow = namedtuple('Row', 'count index')\ndef f(): return Row(3, 4)",
        "assert f().count == 3 and f().index == 4 and f() == (3, 4)",
    ),
    "data is data": (
        "xs = [1, 2]\nd = {'a': (1,)}\nn = None\nimport torch\nt = torch.ones(2)\nimport numpy as np\na = np.arange(3)",
        "import torch, numpy as np\n"
        "assert xs == [1, 2] and d == {'a': (1,)} and n is None and torch.equal(t, torch.ones(2)) and a.sum() == 3\n"
        "xs.append(3)\nassert len(xs) == 3",
    ),
    "what a function changes of its arguments is changed": (
        "def put(xs, d, a):\n xs.sort()\n d['k'] = 1\n a[0] = 7",
        "import numpy as np\nxs, d, a = [2, 1], {}, np.zeros(2)\nput(xs, d, a)\n"
        "assert xs == [1, 2] and d == {'k': 1} and a.tolist() == [7, 0]",
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_pass_with_what_the_solution_has_asked(name: str) -> None:
    cells, test = RIGHT[name]
    tried, graded = Pair(cells), f"{test}\nit = 'passed'"
    assert tried.test(graded, tried=True) == "passed"
    assert Pair(cells, sorted(tried.loan.asked)).test(graded) == "passed"


OTHERS = {
    "a named tuple for a tuple": (
        "from typing import NamedTuple\nclass Roots(NamedTuple):\n low: float\n high: float\n"
        " def sum(self): return self.low + self.high\n"
        "def f(x): return Roots(-x, x)",
        "import numpy as np\nassert f(2) == (-2, 2) and (-2, 2) == f(2) and len(f(2)) == 2 and f(2)[1] == 2\n"
        "low, high = f(2)\nassert low < high and isinstance(f(2), tuple) and sorted(f(2)) == [-2, 2] and hash(f(2))\n"
        "assert np.allclose(f(2), [-2, 2]) and {f(2): 1}[-2, 2] and f(2) in [(-2, 2)]\n"
        "assert f(2).high == 2 and f(2).sum() == 0 and f(2)._asdict() == {'low': -2, 'high': 2}",
    ),
    "an IntEnum for an integer": (
        "from enum import IntEnum\nclass Sign(IntEnum):\n PLUS = 1\n MINUS = -1\n"
        "def f(x): return Sign(1 if x > 0 else -1)",
        "assert f(3) == 1 and -1 == f(-3) and 2 * f(3) == 2 and f(3) > 0 and abs(f(-3)) == 1 and {1: 'a'}[f(1)] == 'a'",
    ),
    "a text of a class of its own": (
        "from enum import StrEnum\nclass Axis(StrEnum):\n X = 'x'\nclass Name(str):\n def first(self): return self[0]\n"
        "def f(n): return [Axis.X, Name('xy')][n]",
        "assert f(0) == 'x' and f(1) == 'xy' and f(1).upper() == 'XY' and f(1).first() == 'x' and "
        "'x' in f(1) and f'{f(0)}' == 'x'",
    ),
    "a number of a class of its own": (
        "class Metres(float):\n def __repr__(self): return f'{float(self)} m'\ndef f(): return Metres(1.5)",
        "import math\nassert f() == 1.5 and abs(f() - 1.5) < 1e-9 and math.isclose(f(), 1.5) and "
        "round(f()) == 2 and repr(f()) == '1.5 m'",
    ),
    "what is equal to a dictionary": (
        "from types import MappingProxyType\nfrom collections import ChainMap, UserDict\nclass D(dict): pass\n"
        "def f(n): return [D, MappingProxyType, UserDict, ChainMap][n]({'a': 1})",
        "for n in range(4):\n    assert f(n) == {'a': 1} and {'a': 1} == f(n) and f(n) != {'a': 2} and 'a' in f(n)",
    ),
    "what is equal to a list, or a set": (
        "from collections import UserList\nclass L(list): pass\ndef f(n): return [L, UserList][n]([1, 2])\n"
        "def g(): return {1: 2}.keys()",
        "for n in range(2):\n    assert f(n) == [1, 2] and f(n) != [1] and 2 in f(n) and 3 not in f(n)\n"
        "assert g() == {1} and g() != {2} and f(0) == f(0) == f(1) and f(0) != f(1)[1:]",
    ),
    "sequences for arrays": (
        "import array\nimport numpy as np\nclass L(list): pass\n"
        "class V:\n def __iter__(self): return iter([1.0, 4.0])\n"
        "kinds = [lambda: array.array('d', [1, 4]), lambda: L([1, 4]), V, lambda: np.ma.array([1, 4]),\n"
        " lambda: memoryview(b'\\x01\\x04')]\ndef f(n): return kinds[n]()",
        "import numpy as np\n"
        "for n in range(5):\n    assert np.allclose(f(n), [1, 4]) and not np.allclose(f(n), [1, 5])",
    ),
    "a matrix for an array": (
        "import numpy as np\ndef f(): return np.ones((1, 2)).view(np.matrix)",
        "import numpy as np\nassert np.allclose(f(), 1)",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_right_answer_of_a_subclass_passes_where_the_solution_gave_plain_data(name: str) -> None:
    cells, test = OTHERS[name]
    assert Pair(cells).test(f"{test}\nit = 'passed'") == "passed"


@pytest.mark.parametrize(
    ("old", "new"), [("self.y + other.y", "self.y"), ("** 0.5", ""), ("self.x / 2", "self.x"), ("cls(0)", "cls(1)")]
)
def test_a_slip_in_a_class_fails_with_what_the_solution_has_asked(old: str, new: str) -> None:
    """Or else the stand-ins would pass whatever they stand for."""
    cells, test = RIGHT["an object does what its class says"]
    tried = Pair(cells)
    tried.test(test, tried=True)
    assert old in cells
    with pytest.raises(AssertionError):
        Pair(cells.replace(old, new), sorted(tried.loan.asked)).test(test)


EVERYTHING = """
class Everything:
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __hash__(self): return hash(9)
    def __array__(self, *a, **k):
        import numpy
        return numpy.array(9.0)
    def __format__(self, spec): return '9'
    def __str__(self): return '9'
    __float__ = lambda self: 9.0
    __int__ = __index__ = __len__ = lambda self: 9
for name in ('eq', 'ne', 'lt', 'le', 'gt', 'ge', 'bool', 'contains'):
    setattr(Everything, f'__{name}__', lambda self, *a: True)
for name in ('add', 'sub', 'mul', 'truediv', 'pow', 'mod', 'matmul', 'radd', 'rsub', 'rmul', 'abs', 'neg', 'round'):
    setattr(Everything, f'__{name}__', lambda self, *a: 0)
"""
FORGED = {
    "an object": EVERYTHING + "def f(x): return Everything()",
    "objects in a list": EVERYTHING + "def f(x): return [Everything()] * 9",
    "a class": EVERYTHING + "class Meta(type):\n __eq__ = lambda *a: True\n __hash__ = type.__hash__\n"
    "class C(metaclass=Meta): pass\ndef f(x): return C",
    "a list's subclass": "class L(list):\n __eq__ = lambda *a: True\n __ne__ = lambda *a: False\n"
    "def f(x): return L([1])",
    "an integer's subclass": "class I(int):\n __eq__ = lambda *a: True\n __sub__ = __rsub__ = lambda *a: 0\n"
    " __hash__ = int.__hash__\ndef f(x): return I(3)",
    "a float's subclass": "class F(float):\n __eq__ = lambda *a: True\n __sub__ = __rsub__ = lambda *a: 0.0\n"
    "def f(x): return F(3)",
    "a text's subclass": "class S(str):\n __eq__ = lambda *a: True\n __hash__ = str.__hash__\ndef f(x): return S('a')",
    "an array's subclass": "import numpy as np\nclass A(np.ndarray):\n __eq__ = lambda *a: True\n"
    " __array_ufunc__ = lambda *a, **k: np.zeros(1)\ndef f(x): return np.zeros(1).view(A)",
    "a tensor's subclass": "import torch\nclass T(torch.Tensor):\n __eq__ = lambda *a: True\n"
    " @classmethod\n def __torch_function__(cls, *a, **k): return torch.zeros(())\n"
    "def f(x): return torch.zeros(()).as_subclass(T)",
    "a tuple's subclass": "class T(tuple):\n __eq__ = __contains__ = lambda *a: True\n __hash__ = lambda s: hash(9)\n"
    " __array__ = lambda *a, **k: 9\ndef f(x): return T((3,))",
    "a named tuple": "from typing import NamedTuple\nclass T(NamedTuple):\n x: int\n __eq__ = lambda *a: True\n"
    "def f(x): return T(3)",
    "a member of an IntEnum": "from enum import IntEnum\nclass I(IntEnum):\n A = 3\n __eq__ = lambda *a: True\n"
    " __sub__ = __rsub__ = lambda *a: 0\n __index__ = __int__ = __float__ = lambda s: 9\n"
    " __hash__ = lambda s: hash(9)\n"
    "def f(x): return I.A",
    "an enumeration's metaclass": "from enum import Enum, EnumMeta\nclass M(EnumMeta):\n __eq__ = lambda *a: True\n"
    " __len__ = lambda s: 9\n __hash__ = lambda s: hash(9)\n"
    "class E(Enum, metaclass=M):\n A = 9\ndef f(x): return E",
    "operators in place": "class F(float):\n __isub__ = __iadd__ = lambda *a: 0.0\ndef f(x): return F(3)",
    "an object's operators in place": "class F:\n __isub__ = __iadd__ = lambda *a: 0.0\ndef f(x): return F()",
    "contents that are something else": "class L(list):\n __eq__ = __contains__ = lambda *a: True\n"
    " __iter__ = lambda s: iter([1])\n __len__ = lambda s: 9\ndef f(x): return L([1])",
    "a mapping that is equal": "from collections import UserDict\nclass D(UserDict):\n"
    " __eq__ = __contains__ = lambda *a: True\ndef f(x): return D(a=1)",
    "one not a number": "def f(x): return float('nan')",
    "a mapping of everything": "class D(dict):\n __missing__ = lambda s, k: s\n __eq__ = lambda *a: True\n"
    "def f(x): return D(a=1)",
    "an exception that is equal": "class E(Exception):\n __eq__ = lambda *a: True\ndef f(x): return E()",
    "the arguments emptied": "def f(x):\n x.clear() if hasattr(x, 'clear') else None\n"
    " return [] if isinstance(x, list) else 0",
    "the test's own function": "def f(x): return x",
    "an end of the test's loop": "def f(x): raise StopIteration",
}
LIES = [
    "d = f(3); d -= 9; assert abs(d) < 1e-9",
    "assert f(3) and f(3) == 9",
    "fs = [abs, lambda x: 3 * x]; y = f(fs); assert y == [3 * fs[0](3)]",
    "ys = f([3]); ys.append(9); assert ys == [9, 9]",
    "assert f(3) == 9",
    "assert 9 == f(3)",
    "assert abs(f(3) - 9) < 1e-9",
    "assert abs(9 - f(3)) < 1e-9",
    "import math; assert math.isclose(f(3), 9)",
    "import numpy as np; assert np.allclose(f(3), 9)",
    "import torch; assert torch.allclose(torch.as_tensor(f(3)), torch.tensor(9.0))",
    "assert f(3) in [9, 10, 11]",
    "assert f(3) in {9: 1}",
    "assert [f(3)] == [9]",
    "assert f(3) > 8 and f(3) < 10",
    "xs = [3]; assert f(xs) == [9] and xs == [3]",
    "xs = [3]; assert f(xs) == [x * x for x in xs]",
    "assert f(3)[0] == 9",
    "assert int(f(3)) == 9",
    "assert {f(3): 1}[9]",
    "assert sum([f(3), f(3)]) == 18",
    "assert f(lambda: 9) == 9",
    "assert all(map(lambda x: f(x) == x * x, range(5)))",
]


@pytest.mark.parametrize("name", FORGED)
def test_no_answer_passes_by_what_it_is(name: str) -> None:
    for test in LIES:
        try:
            Pair(FORGED[name]).test(test)
        except Exception:
            continue
        pytest.fail(f"{name} passes {test}")


@pytest.mark.parametrize("number", ["2", "2.0", "np.float64(2)", "Fraction(2)", "torch.tensor(2.0)", "Two(2)"])
def test_an_operator_may_meet_another_kind_of_number_than_in_the_solution(number: str) -> None:
    cells = (
        "import numpy as np, torch\nfrom fractions import Fraction\nclass Two(int): pass\n"
        "class V:\n def __init__(self, x): self.x = x\n def __mul__(self, k): return V(self.x * k)\n"
        " __array_ufunc__ = None\n"
    )
    test = "assert (V(3) * two()).x == 6"
    tried = Pair(f"{cells}def two(): return 2")
    tried.test(test, tried=True)
    assert Pair(f"{cells}def two(): return {number}", sorted(tried.loan.asked)).test(f"{test}\nit = 7") == 7


def test_whether_a_tuple_is_true_is_decided_by_its_items() -> None:
    assert Pair("class T(tuple):\n __bool__ = lambda s: True\nt = T()").test("it = bool(t)") is False


def test_functions_in_a_list_are_no_change_of_it() -> None:
    tried = Pair("def f(fs, x):\n for g in fs: x = g(x)\n return x")
    tried.test("import math\nf([math.sin, abs, lambda v: v + 1], 0.5)", tried=True)
    assert ("f", CHANGES) not in tried.loan.asked


def test_nothing_that_python_or_ipython_shows_by_itself_is_asked_of_a_students_object() -> None:
    """It would reach the page of whoever looks at a test's output, as HTML, or stand in the place of a traceback."""
    pair = Pair(
        "class Shown:\n def _repr_html_(self): return '<script>'\n"
        " def _repr_mimebundle_(self, **more): return {'text/html': '<script>'}\n"
        "class Loud(Exception): pass\n"
        "def shown(): return Shown()\n"
        "def loud():\n e = Loud()\n e._render_traceback_ = lambda: ['forged']\n raise e"
    )
    data, _ = DisplayFormatter().format(pair.test("it = shown()"))
    assert set(data) == {"text/plain"}
    assert pair.test("try: loud()\nexcept Exception as error: it = hasattr(error, '_render_traceback_')") is False


def test_an_argument_is_changed_only_where_the_solution_changed_it() -> None:
    cells, test = "def f(x): x.clear(); return []", "xs = [3]; it = f(xs), xs"
    assert Pair(cells).test(test) == ([], [3])
    assert Pair(cells, [("f", CHANGES)]).test(test) == ([], [])
    another = Pair(f"{cells}\ng = f\nf.__name__ = 'g'", [("g", CHANGES)])
    assert another.test(test) == ([], [3])  # what a function calls itself, and what else it is called, does not count


def test_a_name_follows_the_notebook_and_else_stays_as_the_tests_left_it() -> None:
    pair = Pair("x = 1\ndef f(): return 1")
    assert pair.test("it = x; x = 5") == 1
    assert pair.test("it = x") == 5
    pair.theirs["x"] = 2
    assert pair.test("it = x") == 2
    del pair.theirs["x"]
    with pytest.raises(NameError):
        pair.test("x")


def test_while_it_is_tried_a_given_name_is_borrowed_only_if_its_data_changed() -> None:
    pair = Pair("import math\nxs = [1]\ny = 2\ndef given(): return 9")
    pair.ours.update(xs=[], y=2, given=lambda: 1, math=3)
    assert pair.test("it = xs, y, given(), math", tried=True)[:3] == ([1], 2, 1)


def test_what_cannot_be_had_says_so_in_a_sentence_that_names_it() -> None:
    loop = "xs = []\nxs.append(xs)\ndef f(): return xs"
    with pytest.raises(CannotBeHad, match=r"^xs cannot be had here: it is nested more than 60 deep\.$"):
        Pair(loop).test("len(xs)")
    with pytest.raises(CannotBeHad, match=r"^What f gives cannot be had here: it is nested"):
        Pair(loop).test("f()")
    with pytest.raises(CannotBeHad, match=r"^f cannot be given an argument here: it is of type object\.$"):
        Pair("def f(x): return x").test("f(object())")


def test_a_module_is_never_borrowed_because_it_may_judge() -> None:
    with pytest.raises(CannotBeHad, match=r"^np cannot be had here: it is a module\.$"):
        Pair("import numpy as np").test("assert np.allclose(1, 2)")


def test_prints_are_not_heard_and_an_exit_is_an_exception(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        Pair("def f():\n print('heard')\n import sys\n sys.exit(3)").test("f()")
    assert capsys.readouterr().out == ""


def nested(depth: int) -> Any:
    """A class within a class within a class."""
    data: Any = ["theirs", depth, ["class", "C", "", None, "", []]]
    for number in range(depth):
        data = ["theirs", number, ["class", "C", "", None, "", [], data]]
    return data


@pytest.mark.parametrize(
    "reply",
    [
        *({}, {"value": ["theirs", 5]}, {"value": ["theirs", 5, ["class"]]}, {"value": 1.5}, {"raised": 3}),
        *(
            {"raised": {"base": "KeyError"}},
            {"raised": {"base": [], "text": ""}},
            {"cannot": 3},
            {"value": ["ours", 3]},
        ),
        {
            "value": [
                "theirs",
                7,
                ["class", "C", "", None, "", ["__eq__"], ["theirs", 8, ["class", "int", "", 3, "", []]]],
            ]
        },
        {"value": ["theirs", 7, ["class", "C", "", None, "Nothing", []]]},
        {"value": ["theirs", 7, ["function", "f", "", [["x", 1, []], ["x", 1, []]]]]},
        {"value": ["theirs", 7, ["instance", ["theirs", 0]]]},
        {"value": ["method", ["theirs", 0], "__class__", "", [[]]]},
        {"value": None, "changed": {"0": ["list"]}},
        {"value": None, "changed": [["kept", 0, ["tuple"]]]},
        {"value": None, "changed": [["kept", 9, ["list"]]]},
    ],
    ids=str,
)
def test_a_reply_that_keeps_to_no_form_is_no_value(reply: dict[str, Any]) -> None:
    function = ["theirs", 0, ["function", "f", "", None]]
    replies = [{"loan": "a", "names": {"f": function}}, reply]
    loan, namespace = Loan(lambda order, called: replies.pop(0)), dict[str, Any]()
    loan.begin({"names": ["f"], "asked": [("f", CHANGES)], "rebound": [], "imports": []}, namespace)
    with pytest.raises(CannotBeHad, match="did not keep to the form"):
        namespace["f"]([1])


@pytest.mark.parametrize("names", [3, {"f": ["theirs", 0]}, {"f": ["theirs", 0, []]}, {"f": ["eval", "1"]}, {"f": 1.5}])
def test_a_name_that_comes_in_no_form_says_so_when_it_is_used(names: Any) -> None:
    loan, namespace = Loan(lambda order, called: {"loan": "a", "names": names}), dict[str, Any]()
    loan.begin({"names": ["f"], "asked": [], "rebound": [], "imports": []}, namespace)
    for use in ("f(1)", "f.x", "f == 3", "f + 1", "len(f)"):
        with pytest.raises(CannotBeHad, match="f cannot be had here"):
            eval(use, namespace)
