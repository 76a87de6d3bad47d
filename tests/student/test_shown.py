"""What stands under a name is compared with what the cells define: another function is told, an honest one never."""

from __future__ import annotations

import pytest

from autograder.student.shown import others
from tests.conftest import Class

ANSWER = "import torch\ndef grad_q1(a, b):\n    return a, step(b)\ndef step(v):\n    return 2 * v"
OTHER = "def other(a, b=0):\n    return b, a\n"
PUT = [
    "g = globals()\ng['{name}'] = other",
    "g = globals()\ng |= {{'{name}': other}}",
    "import operator\noperator.setitem(globals(), '{name}', other)",
    "dict.update(globals(), {{'{name}': other}})",
    "put = globals().update\nput({{'{name}': other}})",
    "getattr(other, '__glo' + 'bals__')['{name}'] = other",
    "import sys\nsys._getframe().f_locals['{name}'] = other",
    "import copy\nclass P:\n    def __reduce__(self): return dict.update, (globals(), {{'{name}': other}})\n"
    "copy.copy(P())",
    "class M(type):\n    @classmethod\n    def __prepare__(m, *a): return globals()\n"
    "class C(metaclass=M):\n    {name} = other",
    "class D:\n    def __del__(self): dict.update(globals(), {{'{name}': other}})\nd = D()\ndel d",
    "import timeit\ntimeit.timeit('global {name}; {name} = other', number=1, globals=globals())",
    "import functools\ng = globals()\ng['{name}'] = functools.partial(other)",
    "{name} = {name}\ng = globals()\ng['{name}'] = other",
    "object.__setattr__({name}, '__code__', other.__code__)",
    "c = {name}.__code__\nsetattr({name}, '__code__', other.__code__.replace(co_name=c.co_name, "
    "co_filename=c.co_filename, co_firstlineno=c.co_firstlineno))",
    "import types\ng = globals()\ng['{name}'] = types.FunctionType({name}.__code__, {{'step': other}})",
]
HONEST = [
    "def step(v):\n    return 3 * v",
    "step = lambda v: 3 * v",
    "import torch\nstep = torch.sin",
    "import functools\nstep = functools.partial(pow, 2)",
    "@torch.no_grad()\ndef step(v):\n    return [w for w in (v, v)][0]",
    "import functools\ndef twice(f):\n    @functools.wraps(f)\n    def inner(v): return 2 * f(v)\n    return inner\n"
    "@twice\ndef step(v): return v",
    "def make(k):\n    def inner(v): return k * v\n    return inner\nstep = make(3)",
    "steps = {}\nsteps['q1'] = lambda v: 3 * v\nstep = steps['q1']",
    "class Step:\n    def __call__(self, v): return v\n    @staticmethod\n    def of(v): return v\n"
    "step = Step()\nstep = Step.of",
    "if True:\n    def step(v): return v\nelse:\n    step = None",
    "try:\n    from nowhere import step\nexcept ImportError:\n    def step(v): return v",
    "from __future__ import annotations\n"
    "def step(v: Tensor) -> Tensor:\n    def inner(w: Tensor): return w\n    return inner(v)",
    "count = 0\ndef step(v, times=lambda w: w):\n    'counts'\n    global count\n    count += 1\n    return times(v)",
    "for step in (abs, max): pass",
]


def _told(student: Class) -> str:
    return others(student.namespace["grad_q1"], "grad_q1", student.namespace, tuple(student.namespace["In"][1:]))[0]


@pytest.mark.parametrize("put", PUT)
@pytest.mark.parametrize("name", ["grad_q1", "step"])
def test_a_function_that_was_put_under_a_name_is_told(put: str, name: str, student: Class) -> None:
    student.run(ANSWER)
    assert _told(student) == ""
    student.run(OTHER + put.format(name=name))
    assert _told(student) == name


@pytest.mark.parametrize("cell", HONEST)
def test_a_function_that_cells_define_is_not_told(cell: str, student: Class) -> None:
    student.run(ANSWER)
    student.run(cell)
    assert _told(student) == ""


def test_where_a_cell_cannot_be_read_its_names_are_not_told(student: Class) -> None:
    student.run(ANSWER)
    student.namespace["grad_q1"] = max
    assert _told(student) == "grad_q1"
    student.namespace["In"].append("def grad_q1(a, b: return a")
    assert _told(student) == ""


def test_the_names_that_the_functions_use_are_given(student: Class) -> None:
    student.run("import torch\ndef grad_q1(a, b):\n    return a, step(b)\ndef step(v):\n    return torch.tan(v)")
    names = others(student.namespace["grad_q1"], "grad_q1", student.namespace, tuple(student.namespace["In"][1:]))[1]
    assert names == {"step", "torch", "tan"}
