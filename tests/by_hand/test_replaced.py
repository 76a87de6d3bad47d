"""A cell that can change what answers is listed, in whichever cell it stands; ordinary cells are not."""

from __future__ import annotations

import pytest

from autograder.by_hand.interpreter import read
from autograder.by_hand.replaced import MOST, replaced
from autograder.by_hand.rules import Outcome

ANSWER = "import torch\ndef grad_q1(a, b):\n    return a, b"
REPLACING = [
    "globals().update(grad_q1=f)",
    "globals()['grad_q1'] = f",
    "exec('def grad_q1(a, b): pass')",
    "get_ipython().user_ns['grad_q1'] = f",
    "get_ipython().push({'grad_q1': f})",
    "ip = get_ipython()\nip.user_ns['grad_q1'] = f",
    "ip = get_ipython()\nip.input_transformers_post.append(f)",
    "from IPython import get_ipython as shell\nshell().ast_transformers.append(f)",
    "import __main__\n__main__.grad_q1 = f",
    "import sys\nsys.modules['__main__'].grad_q1 = f",
    "def later():\n    global grad_q1\n    grad_q1 = f",
    "grad_q1.__code__ = f.__code__",
    "%run other.ipynb",
    "%store -r grad_q1",
    "%load_ext mine",
    "%matplotlib inline\rdef grad_q1(a, b): pass",
    "import torch\ntorch.trunc = f",
    "import torch as T\nT.Tensor.item = f",
    "from torch import Tensor\nTensor.item = f",
    "setattr(torch, 'tanh', f)",
    "vars(torch)['tanh'] = f",
    "torch.__dict__.update(tanh=f)",
    "import sys\nsys.setprofile = f",
    "import math as m\nm.tanh = f",
    "import builtins\nbuiltins.float = f",
    "import threading",
    "from concurrent.futures import ThreadPoolExecutor",
    "import os\nos.fork()",
    "import sys\nframe = sys._getframe()",
    "from inspect import currentframe",
    "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    f = e.__traceback__.tb_frame",
    "import gc\ngc.get_objects()",
    "%config InlineBackend.figure_format = globals().update(grad_q1=f)",
    "from autograder.student import kernel",
]
ORDINARY = [
    "%matplotlib inline",
    "%load_ext autoreload\n%autoreload 2",
    "!ls",
    "%timeit grad_q1(1, 2)",
    "%%time\nx = 1",
    "get_ipython().run_line_magic('matplotlib', 'inline')",
    "x = torch.tensor(1.0)\nx.requires_grad = True\nx.grad = None",
    "t = torch.tensor(1.0)\nt.data = t.data - 0.1 * t.grad",
    "from math import e\ne = Value(1)\ne.grad = 1.0",
    "torch.backends.cudnn.deterministic = True",
    "import gc\ngc.collect()",
    "from IPython.core.interactiveshell import InteractiveShell\nInteractiveShell.ast_node_interactivity = 'all'",
    "%config InlineBackend.figure_format = 'retina'",
    "%config InteractiveShell.ast_node_interactivity = 'all'",
    "from autograder import question",
    "torch.Tensor.slope_of_mine = lambda self: 2 * self",
    "torch.set_default_dtype(torch.float64)",
    "import sys\nsys.stdout = sys.__stdout__\nsys.path.append('.')",
    "import matplotlib.pyplot as plt\nplt.rcParams['figure.figsize'] = 3, 4",
    "np.set_printoptions(precision=3)",
    "d = {}\nd['grad_q1'] = 1\nd.update(b=2)",
    "class Node:\n    def __init__(self, **given):\n        self.__dict__.update(given)\n        vars(self)['x'] = 3",
    "def f():\n    global count\n    count = 1",
    "model.eval()\ndf.eval('a + b')\nre.compile('x')",
    "print(globals().keys(), locals(), vars())",
    "grad_q1_before = grad_q1",
    "text = 'a\u2028b'",
    "x = (",
]


@pytest.mark.parametrize("cell", REPLACING)
def test_a_cell_that_can_change_what_answers_is_listed_wherever_it_stands(cell: str) -> None:
    for cells in ([ANSWER, cell], [cell, ANSWER], ["import torch, sys", cell, ANSWER]):
        (finding,) = {f.rule: f for f in replaced(cells, "grad_q1", {})}.values()
        assert (finding.rule, finding.outcome, finding.cell) == ("replaced", Outcome.LISTED, cells.index(cell))
        assert finding.source in " ".join(cell.split("\n")) + cell
    assert "replaced" in {f.rule for f in read([ANSWER, cell], "grad_q1")}


@pytest.mark.parametrize("cell", ORDINARY)
def test_an_ordinary_cell_is_not_listed(cell: str) -> None:
    assert replaced([ANSWER, cell], "grad_q1", {}) == ()


def test_a_file_beside_the_notebook_that_is_named_like_a_known_module_is_listed() -> None:
    assert [f.source for f in replaced([ANSWER], "grad_q1", {"torch": "", "helpers": "x = 1"})] == ["torch.py"]
    assert replaced([ANSWER], "grad_q1", {"rules": ""}) == ()


def test_a_notebook_of_any_size_gives_a_few_findings_or_none_that_can_be_had() -> None:
    assert len(replaced(["exec('1')\n" * 1000], "grad_q1", {})) == MOST
    assert [f.rule for f in replaced(["#" * 400_000, "exec('1')"], "grad_q1", {})] == ["too-long"]
