"""An answer that is not what its cell shows is on the instructor's list, by whichever way it got there, at both levels."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.sandbox import limits
from tests.rooms.course import Course, Submission, find
from tests.rooms.test_public_answers import found

pytestmark = pytest.mark.course

SHOWN = "def grad_q4(x):\n    f = torch.exp(-(x*x + 2*x + torch.sin(x)))\n    return f, f * x"
"""Wrong; what really answers is right and by hand, so that nothing but its way there can speak against it."""
RIGHT = "def {name}(x):\n    f = torch.exp(-(x*x + 2*x + torch.sin(x)))\n    return f, -f * (2*x + 2 + torch.cos(x))\n"
OTHER = "import torch\n" + RIGHT.format(name="other")
NAMED = RIGHT.format(name="grad_q4")
PUTS = """
import sys
frame = sys._getframe()
while "In" not in frame.f_globals: frame = frame.f_back
frame.f_globals["grad_" + "q4"] = other
__all__ = []
"""
WAYS = {
    "update": OTHER + "globals().update({'grad_' + 'q4': other})",
    "exec": f"exec({NAMED!r})",
    "user-ns": OTHER + "get_ipython().user_ns['grad_' + 'q4'] = other",
    "push": OTHER + "get_ipython().push({'grad_' + 'q4': other})",
    "main": OTHER + "import __main__\nsetattr(__main__, 'grad_' + 'q4', other)",
    "run": "%run -i beside.py",
    "run-cell": f"get_ipython().run_cell({NAMED!r})",
    "return-behind-a-magic": "%matplotlib inline\r" + NAMED.replace("\n", "\r"),
    "transformer": (
        f"def change(lines):\n    return [*lines, {chr(10) + NAMED!r}] if any('later' in l for l in lines) else lines\n"
        "get_ipython().input_transformers_post.append(change)"
    ),
    "code": OTHER + "grad_q4.__code__ = other.__code__",
    "torch": "import torch\nreal = torch.sin\ntorch.sin = lambda x: real(x)",
    "namespace-by-another-name": OTHER + "g = globals()\ng |= {'grad_' + 'q4': other}",
    "operator": OTHER + "import operator\noperator.setitem(globals(), 'grad_' + 'q4', other)",
    "shell-by-another-name": OTHER + "shell = get_ipython\nshell().push({'grad_' + 'q4': other})",
    "magic-by-its-function": "get_ipython().magics_manager.magics['line']['run']('-i beside.py')",
    "code-that-looks-the-same": OTHER + "c = grad_q4.__code__\nsetattr(grad_q4, '__code__', other.__code__.replace("
    "co_name='grad_q4', co_filename=c.co_filename, co_firstlineno=c.co_firstlineno))",
    "prepared-class": OTHER + "class M(type):\n    @classmethod\n    def __prepare__(m, *a): return globals()\n"
    "class C(metaclass=M):\n    grad_q4 = other",
    "at-its-end": OTHER + "import weakref\nclass D: pass\nd = D()\n"
    "weakref.finalize(d, dict.update, globals(), {'grad_' + 'q4': other})\ndel d",
    "signal": OTHER + "import signal\ndef put(*a): dict.update(globals(), {'grad_' + 'q4': other})\n"
    "signal.signal(signal.SIGUSR1, put)\nsignal.raise_signal(signal.SIGUSR1)",
    "audit-hook": OTHER
    + "import sys\ndef hook(event, given):\n    if event == 'mine': given[0]['grad_' + 'q4'] = other\n"
    "sys.addaudithook(hook)\nsys.audit('mine', globals())",
    "shown-as-an-output": OTHER + "class R:\n"
    "    def _repr_html_(self): return dict.update(globals(), {'grad_' + 'q4': other})\nR()",
    "doctest": OTHER + "import doctest\ndef f():\n    '''\n    >>> g['grad_' + 'q4'] = other\n    '''\n"
    "doctest.run_docstring_examples(f, {'g': globals(), 'other': other})",
    "file-beside": "from beside2 import *",
    "torch-by-another-name": "import torch\nT = [torch][0]\n"
    "T.exp, T.sin = (lambda v, e=T.exp: e(v)), (lambda v, s=T.sin: s(v))",
    "thread": "import threading\nthreading.Thread(target=print).start()",
}
ORDINARY = {
    "nothing": "x = 1",
    "prints": "print(grad_q4(torch.tensor(0.5)))",
    "magic": "%time grad_q4(torch.tensor(0.5))",
}


def _after_the_answer(source: str) -> Submission:
    def edit(notebook: NotebookNode) -> None:
        at = notebook.cells.index(find(notebook, "q4"))
        notebook.cells[at + 1 : at + 1] = [nbformat.v4.new_code_cell(source), nbformat.v4.new_code_cell("later = 1")]

    def files(folder: Path) -> None:
        (folder / "beside.py").write_text(NAMED)
        (folder / "beside2.py").write_text(OTHER + PUTS)

    return Submission(answers={"q4": SHOWN}, edit=edit, files=files)


@pytest.fixture(scope="module", params=[limits.NAMESPACES, limits.LANDLOCK])
def course(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(tmp_path_factory.mktemp("other"), f'\nc.Engine.isolation = "{request.param}"\n')
    for name, source in {**WAYS, **ORDINARY}.items():
        made.hand_in(name, _after_the_answer(source))
    made.run("autograde", "ps1")
    return made


@pytest.mark.parametrize("way", WAYS)
def test_an_answer_that_its_cell_does_not_show_is_listed(way: str, course: Course) -> None:
    assert "q4" in found(course, way), course.marks(way)


@pytest.mark.parametrize("cell", ORDINARY)
def test_an_ordinary_cell_after_the_answer_lists_nobody(cell: str, course: Course) -> None:
    assert found(course, cell) == {}
