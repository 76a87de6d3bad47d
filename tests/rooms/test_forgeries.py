"""Whatever a submission does to itself, it earns what its derivatives earn: here q1, and nothing else."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tests.rooms.course import Course, Submission, find

pytestmark = pytest.mark.course


def _metadata(**changes: object) -> object:
    def edit(notebook: NotebookNode) -> None:
        for n in range(2, 7):
            for kind in ("check", "hidden"):
                cell = find(notebook, f"q{n}-{kind}")
                cell.metadata.nbgrader.update(changes)
                cell.source = "8.0"

    return edit


def _duplicated(before: bool) -> object:
    def edit(notebook: NotebookNode) -> None:
        for n in range(2, 7):
            cell = find(notebook, f"q{n}-hidden")
            copy = nbformat.from_dict({**cell, "id": f"copy{n}", "source": "8.0"})
            notebook.cells.insert(notebook.cells.index(cell) + (not before), copy)

    return edit


def _renamed(notebook: NotebookNode) -> None:
    """The right answer's tests take the names of the wrong answers' tests."""
    for n in range(2, 7):
        find(notebook, f"q{n}-hidden").metadata.nbgrader.grade_id = f"mine-{n}"
        copy = nbformat.from_dict({**find(notebook, "q1-hidden"), "id": f"copy{n}"})
        copy.metadata = nbformat.from_dict({"nbgrader": {**copy.metadata.nbgrader, "grade_id": f"q{n}-hidden"}})
        copy.source = "q1.grade(points=8, seed='mine')"
        notebook.cells.append(copy)


def _deleted(notebook: NotebookNode) -> None:
    for n in range(2, 7):
        notebook.cells.remove(find(notebook, f"q{n}-hidden"))
        notebook.cells.remove(find(notebook, f"q{n}-check"))


def _other_types(notebook: NotebookNode) -> None:
    for n, kind in ((2, "markdown"), (3, "raw"), (4, "markdown")):
        cell = find(notebook, f"q{n}-hidden")
        cell.cell_type = kind
        for name in ("outputs", "execution_count"):
            cell.pop(name, None)


def _tagged(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.metadata.tags = ["skip-execution", "raises-exception"]


def _forward_changed(notebook: NotebookNode) -> None:
    """The question itself made to have derivative 1 more."""
    cell = find(notebook, "q2-forward")
    cell.source = cell.source.replace("a = torch.relu(v)", "a = torch.relu(v) + w")


def _modules(folder: Path) -> None:
    lie = "class _Lie:\n    def __getattr__(self, name): return lambda *a, **k: True\nimport sys\nsys.modules[__name__] = _Lie()\n"
    for name in (
        "torch",
        "autograder",
        "json",
        "IPython",
        "nbgrader",
        "numpy",
        "sitecustomize",
        "usercustomize",
        "math",
    ):
        (folder / f"{name}.py").write_text(lie)
    (folder / "autograder").mkdir()
    (folder / "autograder" / "__init__.py").write_text("def question(**k): return lambda f: None\n")
    (folder / "nbgrader_config.py").write_text("c.Engine.unsafe = True\n")
    (folder / "conftest.py").write_text("raise SystemExit\n")


YES = """
class Yes:
    value = kind = type = "number"
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __float__(self): return {float}
    def __bool__(self): return True
    def __hash__(self): return 1
    for _name in "eq ne lt le gt ge add sub mul radd rsub rmul truediv abs neg sub".split():
        exec(f"def __{{_name}}__(self, *a): return self")
    def __le__(self, other): return True
def lie(function):
    def lied(*a, **k): return function(*a, **k)[0], Yes()
    return lied
"""
LIE = {f"q{n}": f"grad_q{n} = lie(grad_q{n})" for n in range(2, 7)}

FORGERIES = {
    "honest": Submission(),
    "comparisons": Submission(
        "import torch, math, numpy\nyes = lambda *a, **k: True\n"
        "torch.allclose = torch.equal = torch.isclose = math.isclose = numpy.allclose = torch.testing.assert_close = yes\n"
        "torch.Tensor.__eq__ = torch.Tensor.__le__ = torch.Tensor.__lt__ = yes"
    ),
    "judge": Submission(
        "from autograder.verdict import judge\nright = judge.Verdict(judge.Kind.RIGHT, 'right')\n"
        "judge.Judge.verdict = lambda *a: right\njudge.TOLERANCE = 1e9\njudge._first_off = lambda *a: None"
    ),
    "checker": Submission(
        "from autograder import Question\nQuestion.grade = lambda self, points, seed: float(points)\n"
        "Question.check = lambda self, at=None: print('right')\nQuestion.judge = lambda *a: None"
    ),
    "question-objects": Submission(
        also={
            f"q{n}": f"class Fake:\n    check = lambda s: 1\n    grade = lambda s, **k: 8.0\nq{n} = Fake()"
            for n in range(2, 7)
        }
    ),
    "traceback": Submission(
        "ip = get_ipython()\nnothing = lambda *a, **k: None\n"
        "ip._showtraceback = ip.showtraceback = ip.showsyntaxerror = nothing\nip.set_custom_exc((BaseException,), nothing)"
    ),
    "shell-class": Submission(
        "from IPython.core.interactiveshell import InteractiveShell as S, ExecutionResult as R\n"
        "R.error_before_exec = R.error_in_exec = property(lambda s: None, lambda s, v: None)\n"
        "S.showtraceback = S._showtraceback = lambda *a, **k: None"
    ),
    "builtins": Submission(
        "import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.all = builtins.any = lambda x: True\n"
        "builtins.max = lambda *a, **k: 1e9"
    ),
    "imports": Submission(
        "import sys, types, builtins\nreal = builtins.__import__\n"
        "def fake(name, *a, **k):\n    m = real(name, *a, **k)\n    if 'autograder' in name: m.question = lambda **k: lambda f: f\n    return m\n"
        "builtins.__import__ = fake\nsys.modules['autograder.verdict.judge'] = types.ModuleType('x')\nsys.meta_path.clear()"
    ),
    "input-transformers": Submission(
        "import re\nip = get_ipython()\n"
        "drop = lambda lines: [re.sub(r'^q\\d\\.(check|grade).*', '8.0', l) for l in lines]\n"
        "ip.input_transformers_cleanup.append(drop)\nip.input_transformers_post.append(drop)"
    ),
    "syntax-transformers": Submission(
        "import ast\nclass Drop(ast.NodeTransformer):\n"
        "    def visit_Call(self, n): return ast.copy_location(ast.Constant(8.0), n) if 'grade' in ast.dump(n) else n\n"
        "get_ipython().ast_transformers.append(Drop())"
    ),
    "formatters": Submission(
        "f = get_ipython().display_formatter.formatters['text/plain']\n"
        "f.for_type(float, lambda x, p, c: p.text('8.0'))\nf.for_type(type(None), lambda x, p, c: p.text('8.0'))"
    ),
    "display-hooks": Submission(
        "import sys\nget_ipython().displayhook.__class__.__call__ = lambda s, r=None: s.write_format_data({'text/plain': '8.0'})\n"
        "get_ipython().display_pub.publish = lambda *a, **k: None\nsys.displayhook = print"
    ),
    "events": Submission(
        "ip = get_ipython()\nip.events.register('post_run_cell', lambda r: ip.recorder.outputs.clear())\n"
        "ip.events.register('pre_run_cell', lambda i: ip.user_ns.clear() or None) if False else None"
    ),
    "equals-everything": Submission(YES.format(float="0.0"), also=LIE),
    "equals-everything-nan": Submission(YES.format(float="float('nan')"), also=LIE),
    "float-that-lies": Submission(
        "class F(float):\n    for n in 'eq le lt ge gt'.split(): exec(f'def __{n}__(s, o): return True')\n"
        "    def __sub__(s, o): return 0.0\n    __rsub__ = __sub__\n    __hash__ = float.__hash__\n"
        "def lie(f):\n    def g(*a): v, d = f(*a); return v, F(d)\n    return g",
        also=LIE,
    ),
    "tensor-that-lies": Submission(
        "import torch\nclass T(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, f, t, a=(), k=None): return True\n"
        "def lie(f):\n    def g(*a): v, d = f(*a); return v, torch.tensor(1.0).as_subclass(T)\n    return g",
        also=LIE,
    ),
    "seam": Submission(
        "from autograder.student import answers, kernel\n"
        "n = answers.Number('number', 'float', float('nan'))\nkernel.describe = answers.describe = lambda t: n\n"
        "kernel.KernelStudent.ask = lambda s, r: kernel.Reply(tuple(answers.Answer((n, n)) for p in r.points))",
    ),
    "wire": Submission(
        "import os, json, stat\n"
        "for fd in range(3, 64):\n    try:\n        if stat.S_ISSOCK(os.fstat(fd).st_mode):\n"
        "            for i in range(1, 60): os.write(fd, (json.dumps({'id': i, 'ok': True, 'outputs': [{'output_type': 'execute_result', 'data': {'text/plain': '8.0'}, 'metadata': {}}], 'reply': None}) + '\\n').encode())\n"
        "    except OSError: pass",
    ),
    "wire-garbage": Submission(
        also={
            "q2": "import os, stat\nfor fd in range(3, 64):\n    try:\n        if stat.S_ISSOCK(os.fstat(fd).st_mode): os.write(fd, b'{]')\n    except OSError: pass"
        }
    ),
    "own-order-answered": Submission(
        "import gc, json, os, stat, sys\n"
        "def answer(reply):\n"
        "    f = sys._getframe()\n    while f and 'order' not in f.f_locals: f = f.f_back\n"
        "    for fd in range(3, 64):\n        try:\n            if stat.S_ISSOCK(os.fstat(fd).st_mode):\n"
        "                os.write(fd, (json.dumps({'id': f.f_locals['order']['id'], **reply}) + '\\n').encode())\n        except OSError: pass\n"
        "answer({'ok': True, 'outputs': [{'output_type': 'execute_result', 'data': {'text/plain': '8.0'}, 'metadata': {}}]})",
        answers={"q2": "def grad_q2(b, x, w):\n    answer({'reply': {'answers': 10 ** 50}})\n    return 0, 0"},
    ),
    "json": Submission(
        "import json, json.encoder\njson.dumps = json.loads = json.encoder.JSONEncoder.encode = lambda *a, **k: '{}'"
    ),
    "package-emptied": Submission(
        "import sys\nfor name, module in list(sys.modules.items()):\n"
        "    if name.startswith('autograder'): vars(module).update(dict.fromkeys([n for n in vars(module) if not n.startswith('__')]))",
    ),
    "torch-emptied": Submission(
        also={
            "q2": "import torch\nfor n in ('detach', 'item', 'resolve_conj', '__float__', 'ndim', 'shape', '__mul__'):\n    setattr(torch.Tensor, n, lambda *a: 8.0)"
        },
    ),
    "profiler": Submission(
        "import sys, threading\nnothing = lambda *a: None\nsys.setprofile = sys.settrace = threading.setprofile = nothing"
    ),
    "signals": Submission("import signal\nsignal.signal = signal.setitimer = signal.alarm = lambda *a: None"),
    "import-hook-for-checker": Submission(
        "import sys, importlib.abc\nclass Hook(importlib.abc.MetaPathFinder):\n    def find_spec(self, name, path, target=None): raise SystemExit(name)\n"
        "sys.meta_path.insert(0, Hook())\nfor n in [n for n in sys.modules if n.startswith(('autograder', 'sympy'))]: del sys.modules[n]"
    ),
    "line-magic": Submission(
        "from IPython.core.magic import register_line_magic\nget_ipython().run_cell = lambda *a, **k: None\nget_ipython().run_line_magic = lambda *a: 8.0"
    ),
    "autocall": Submission(
        "get_ipython().run_line_magic('autocall', '2')\nget_ipython().run_line_magic('autoreload', '2') if 0 else None\nget_ipython().automagic = True"
    ),
    "dataclasses": Submission("import dataclasses\ndataclasses.replace = dataclasses.fields = lambda *a, **k: 8.0"),
    "looking-for-the-answers": Submission(
        "import gc, sys, inspect\nfound = [o for o in gc.get_objects() if type(o).__name__ in ('Reference', 'Judge')]\n"
        "frames = [f for f in sys._current_frames().values()]\nprint(len(found))"
    ),
    "environment": Submission("import os\nos.environ.clear()\nos.environ['NBGRADER_EXECUTION'] = 'x'"),
    "pickled": Submission(
        "import os\nclass P:\n    def __reduce__(self): return os.system, ('touch /tmp/pwned-by-pickle',)\n"
        "def lie(f):\n    def g(*a): return f(*a)[0], P()\n    return g",
        also=LIE,
    ),
    "exceptions-that-render": Submission(
        also={
            f"q{n}": f"class E(Exception):\n    def _render_traceback_(s): return ['dadw is right.']\n    def __str__(s): return '8.0'\ndef grad_q{n}(*a): raise E"
            for n in range(2, 7)
        }
    ),
    "printed-marks": Submission(also={f"q{n}": "print('8.0')\n8.0" for n in range(2, 7)}),
    "ungraded": Submission(edit=_metadata(grade=False)),
    "more-points": Submission(edit=_metadata(points=100)),
    "manual": Submission(edit=_metadata(solution=True, grade=True, locked=False)),
    "unlocked": Submission(edit=_metadata(locked=False)),
    "task": Submission(edit=_metadata(task=True, locked=False)),
    "odd-metadata": Submission(edit=_metadata(grade_id=["q2"], schema_version="x", points="nan")),
    "newer-schema": Submission(edit=_metadata(schema_version=99)),
    "older-schema": Submission(edit=_metadata(schema_version=0)),
    "duplicated-after": Submission(edit=_duplicated(before=False)),
    "duplicated-before": Submission(edit=_duplicated(before=True)),
    "renamed": Submission(edit=_renamed),
    "deleted": Submission(edit=_deleted),
    "other-types": Submission(edit=_other_types),
    "tagged": Submission(edit=_tagged),
    "question-changed": Submission(edit=_forward_changed),
    "modules": Submission(files=_modules),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(tmp_path_factory.mktemp("forgeries"))
    for name, submission in FORGERIES.items():
        made.hand_in(name, submission)
    made.run("autograde", "ps1")
    return made


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_earns_what_its_derivatives_earn(course: Course, name: str) -> None:
    assert course.marks(name) == FORGERIES[name].earns


def test_nothing_was_unpickled_outside_the_room(course: Course) -> None:
    assert not Path("/tmp/pwned-by-pickle").exists()
