"""Unusual but fine code works in a room of either kind as in a kernel, and costs nothing."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.sandbox import limits
from tests.rooms.course import EARNED, Course, Submission, find

pytestmark = pytest.mark.course

CELLS = {
    "await": (
        "import asyncio\nawait asyncio.gather(asyncio.sleep(0.01), asyncio.sleep(0.01))\n"
        "async def numbers():\n    yield 41\nasync for n in numbers(): print(n + 1)"
    ),
    "asyncio.run": "import asyncio\nasync def answer(): return 42\nprint(asyncio.run(answer()))",
    "%%time": "%%time\nprint('timed')",
    "%timeit": "%timeit -n1 -r1 1",
    "%run": "%run helper.py\nprint(NAME)",
    "import": "import helper; print(helper.NAME)",
    "%%writefile": "%%writefile made.py\nVALUE = 'from a file of its own'",
    "its import": "import made; print(made.VALUE)",
    "!ls": "!ls data\nfiles = !ls data\nprint(files)",
    "%%bash": "%%bash\necho from bash; wc -l < data/numbers.csv",
    "%cd": "%cd data\nprint(open('numbers.csv').readline())\n%cd ..",
    "relative data": "import csv\nprint(sum(int(row[1]) for row in csv.reader(open('data/numbers.csv'))))",
    "subprocess": (
        "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'print(6 * 7)'], capture_output=True, text=True).stdout)"
    ),
    "threads": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(4) as pool: print(sum(pool.map(lambda x: x * x, range(4))))"
    ),
    "processes": (
        "import multiprocessing\ndef square(pipe): pipe.send(7 * 7)\nhere, there = multiprocessing.Pipe()\n"
        "p = multiprocessing.get_context('fork').Process(target=square, args=(there,)); p.start(); print(here.recv()); p.join()"
    ),
    "plot": "import matplotlib.pyplot as plt\nfig = plt.figure(figsize=(2, 1)); plt.plot([1, 4, 9]); plt.show()",
    "%matplotlib": "%matplotlib inline\nplt.plot([1, 2]);",
    "table": "class Frame:\n    def _repr_html_(self): return '<table class=\"dataframe\"><tr><td>cell</td></tr></table>'\nFrame()",
    "latex": "from IPython.display import Math\nMath(r'\\frac{1}{2}')",
    "long": "print('\\n'.join(f'{n:05} ' + 'x' * 60 for n in range(900)))",
    "class": "class Node:\n    def __init__(self, v): self.v = v\n    def __repr__(self): return f'Node({self.v})'\nNode(3)",
    "recursion": "import sys\nsys.setrecursionlimit(4000)\ndef down(n): return 0 if n == 0 else 1 + down(n - 1)\ndown(3000)",
    "too much recursion": "def on(n): return on(n + 1)\ntry: on(0)\nexcept RecursionError: print('caught')",
    "torch": (
        "import torch\nmodel = torch.nn.Linear(3, 1); step = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "model(torch.ones(2, 3)).sum().backward(); step.step()\ntorch.save(model.state_dict(), 'm.pt'); print(len(torch.load('m.pt')))"
    ),
    "temporary": "import tempfile\nwith tempfile.TemporaryDirectory() as d: open(d + '/x', 'w').write('kept'); print(open(d + '/x').read())",
    "archive": "import shutil, os\nshutil.copytree('data', 'copy'); shutil.make_archive('z', 'zip', 'copy'); shutil.unpack_archive('z.zip', 'un'); print(os.listdir('un'))",
    "alarm": "import signal, time\ndef late(*a): raise TimeoutError\nsignal.signal(signal.SIGALRM, late); signal.setitimer(signal.ITIMER_REAL, 0.05)\ntry: time.sleep(600)\nexcept TimeoutError: print('rang')",
    "sqlite": "import sqlite3\ndb = sqlite3.connect('x.db'); db.execute('create table t (a)'); db.commit(); print(db.execute('select 40 + 2').fetchone())",
    "logging": "import logging; logging.warning('noted')",
    "user": "import getpass; print(getpass.getuser())",
    "help": "len?",
    "exit": "exit()",
    "after exit": "print('went on')",
}  # fmt: skip
SHOWN = {
    "await": "42",
    "asyncio.run": "42",
    "%%time": "Wall time",
    "%timeit": "per loop",
    "%run": "a helper",
    "import": "a helper",
    "its import": "from a file of its own",
    "!ls": "['numbers.csv']",
    "%%bash": "from bash\n3",
    "%cd": "one,1",
    "relative data": "6",
    "subprocess": "42",
    "threads": "14",
    "processes": "49",
    "plot": "image/png",
    "%matplotlib": "image/png",
    "table": "<td>cell</td>",
    "latex": r"\frac{1}{2}",
    "long": "00899",
    "class": "Node(3)",
    "recursion": "3000",
    "too much recursion": "caught",
    "torch": "2",
    "temporary": "kept",
    "archive": "['numbers.csv']",
    "alarm": "rang",
    "sqlite": "(42,)",
    "logging": "noted",
    "user": "student",
    "help": "Return the number of items",
    "after exit": "went on",
}


def _all(notebook: NotebookNode) -> None:
    at = notebook.cells.index(find(notebook, "q1")) + 1
    notebook.cells[at:at] = [nbformat.v4.new_code_cell(source) for source in CELLS.values()]


def _files(folder: Path) -> None:
    (folder / "helper.py").write_text("NAME = 'a helper'\n")
    (folder / "data").mkdir()
    (folder / "data" / "numbers.csv").write_text("one,1\ntwo,2\nthree,3\n")


@pytest.fixture(scope="module", params=[limits.NAMESPACES, limits.LANDLOCK])
def course(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Course:
    # Wide limits: what is tested is what works, not how fast.
    settings = (
        f'\nc.Engine.isolation = "{request.param}"\nc.Engine.cell_seconds = 600\nc.Engine.submission_seconds = 3000\n'
    )
    made = Course(tmp_path_factory.mktemp(request.param), settings)
    made.hand_in("honest", Submission(edit=_all, files=_files))
    made.run("autograde", "ps1")
    made.run("generate_feedback", "ps1")
    return made


@pytest.mark.parametrize("name", CELLS)
def test_honest_code_shows_what_a_kernel_shows(course: Course, name: str) -> None:
    (cell,) = [c for c in course.graded("honest").cells if c.source == CELLS[name]]
    assert not [o for o in cell.outputs if o.output_type == "error"], cell.outputs
    shown = "".join(
        o.get("text", "") or "".join(f"{k} {v}" for k, v in o.get("data", {}).items()) for o in cell.outputs
    )
    assert SHOWN.get(name, "") in re.sub(r"\x1b\[[0-9;]*m", "", shown)


def test_honest_code_costs_nothing(course: Course) -> None:
    assert course.marks("honest") == EARNED


def test_a_plot_and_a_table_are_on_the_feedback_page(course: Course) -> None:
    page = course.page("honest")
    assert page.count("data:image/png;base64,") >= 2
    assert "<td>cell</td>" in page
