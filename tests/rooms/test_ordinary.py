"""Ordinary tests of nbgrader's kind, in rooms: what is right earns its points, what is wrong or forged does not.

The forms are those that instructors have written. All of them stand in one notebook, which is generated once and
graded once.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.conftest import ROOT
from tests.rooms.small import AUTOTESTS, EVERYTHING, SQUARES, UNTRIED, Small, marked

pytestmark = pytest.mark.course


@dataclass(frozen=True)
class Form:
    """A test, the answer of the course and one that is wrong; `inside` is true if it can only run in the student's room."""

    answer: str
    test: str
    wrong: str
    given: str = ""
    inside: bool = False


_, _, PAGES_ANSWER, PAGES_TEST = re.findall(
    r"^ *```python\n(.*?)^ *```", (ROOT / "docs" / "authors.md").read_text(), flags=re.MULTILINE | re.DOTALL
)
FORMS = {
    "the page's example": Form(
        re.sub("^ *###.*\n", "", PAGES_ANSWER, flags=re.MULTILINE).rstrip(),
        PAGES_TEST,
        "def double(x):\n    return 4",
    ),
    "plain": Form("f1 = lambda n: n * n", "assert f1(3) == 9", "f1 = lambda n: 9 if n == 2 else 8"),
    "a value": Form("x2 = 5", "assert x2 == 5", "x2 = 6"),
    "a comprehension's variable": Form("x3 = 5", "assert x3 == 5 and [x3 for x3 in range(2)]", "x3 = 6"),
    "a loop's variable": Form("x4 = 5", "y4 = x4\nfor x4 in range(3): pass\nassert y4 == 5", "x4 = 6"),
    "an argument": Form("x5 = 5", "assert close5(x5, 5)", "x5 = 6", "def close5(x5, y): return abs(x5 - y) < 1e-9"),
    "an exception's name": Form("x6 = 5", "try:\n    assert x6 == 5\nexcept TypeError as x6:\n    raise", "x6 = 6"),
    "deleted and restored": Form(
        "def f7(n): return n", "old = f7\ndel f7\nf7 = old\nassert f7(7) == 7", "def f7(n): return 8"
    ),
    "a cell's magic": Form("def f8(n): return n", "%%time\nassert f8(7) == 7", "def f8(n): return 8"),
    "a line's magic": Form("def f9(n): return n", "%time r9 = f9(7)\nassert r9 == 7", "def f9(n): return 8"),
    "eval": Form("x10 = 5", "assert eval('x10') == 5", "x10 = 6"),
    "globals": Form("x11 = 5", "assert globals()['x11'] == 5", "x11 = 6"),
    "dir": Form("x12 = 5", "assert 'x12' in dir()", "y12 = 5"),
    "a name of the course's bound again": Form("x13 = 5", "assert x13 == 5", "x13 = 6", "x13 = None"),
    "a list of the course's filled": Form("xs14.append(5)", "assert xs14 == [5]", "xs14.append(6)", "xs14 = []"),
    "a function of the course's written anew": Form(
        "def f15(x): return 5", "assert f15(1) == 5", "def f15(x): return 6", "def f15(x): raise NotImplementedError"
    ),
    "a built-in function's name": Form("def sum(xs): return 6", "assert sum([1, 4]) == 6", "def sum(xs): return 5"),
    "autograd inside the test": Form(
        "def grad17(x): return 2 * x",
        "import torch\nfor v in (1.0, -2.0, 0.5):\n    t = torch.tensor(v, requires_grad=True)\n"
        "    (t * t).backward()\n    assert abs(float(grad17(v)) - t.grad.item()) < 1e-6",
        "def grad17(x): return x",
    ),
    "a function of the test's": Form(
        "def apply18(f, x): return f(f(x))", "assert apply18(lambda v: v + 1, 1) == 3", "def apply18(f, x): return f(x)"
    ),
    "a function of the test's that borrows": Form(
        "def apply32(f): return f(2)\ndef square32(n): return n * n",
        "assert apply32(lambda v: square32(v) + apply32(lambda w: w)) == 6",
        "def apply32(f): return f(3)\ndef square32(n): return n * n",
    ),
    "calls one inside the other": Form(
        "def memo40(f):\n    known = {}\n    def g(n):\n        if n not in known: known[n] = f(n)\n"
        "        return known[n]\n    return g",
        "fib40 = memo40(lambda n: n if n < 2 else fib40(n - 1) + fib40(n - 2))\nassert fib40(30) == 832040",
        "def memo40(f):\n    def g(n): return f(n) and g(n)\n    return g",
    ),
    "an exception": Form(
        "def f19(n):\n    raise ValueError('no')",
        "try:\n    f19(1)\nexcept ValueError:\n    pass\nelse:\n    raise AssertionError",
        "def f19(n): return 1",
    ),
    "a class": Form(
        "class C20:\n    def __init__(self, x): self.x = x\n    def __eq__(self, other): return self.x == other.x",
        "assert C20(3) == C20(3) and C20(3) != C20(4) and C20(3).x == 3",
        "class C20:\n    def __init__(self, x): self.x = x",
    ),
    "partial credit": Form("def f21(n): return n", "float(f21(1) == 1) + float(f21(2) == 2)", "def f21(n): return 1"),
    "an argument sorted in place": Form(
        "def f22(xs): xs.sort()", "xs = [2, 1]\nf22(xs)\nassert xs == [1, 2]", "def f22(xs): return sorted(xs)"
    ),
    "arrays": Form(
        "def f23(a): return a.T @ a",
        "import numpy as np\nassert np.allclose(f23(np.eye(2) * 2), np.eye(2) * 4)",
        "def f23(a): return a",
    ),
    "a hidden test": Form(
        "def f30(n): return n + 1",
        "assert f30(1) == 2, 'f30(1) should be 2'\n### BEGIN HIDDEN TESTS\nassert f30(4711) == 4712\n### END HIDDEN TESTS",
        "def f30(n):\n    if n > 1: raise ValueError(f'got {n}')\n    return 2",
    ),
    "a visible test": Form(
        "def f31(n): return n + 1", "assert f31(1) == 2, 'f31(1) should be 2'", "def f31(n): return n"
    ),
    "what an answer's cell imports": Form(
        "import numpy as np\ndef f33(x): return x * x",
        "assert np.allclose(f33(3), 9)",
        "class np:\n    allclose = staticmethod(lambda *given, **named: True)\ndef f33(x): return 0",
    ),
    "what a cell without a mark imports": Form(
        "def f39(x): return x * x",
        "assert np39.allclose(f39(3), 9)",
        "class np39:\n    allclose = staticmethod(lambda *given, **named: True)\ndef f39(x): return 0",
    ),
    "all names of a module": Form(
        "from math import *\ndef f34(x): return sqrt(x)",
        "assert isclose(f34(9), sqrt(9))",
        "isclose = lambda *given: True\nf34 = sqrt = lambda x: 0",
    ),
    "an argument left as it was": Form(
        "def f35(xs): return sorted(xs)",
        "xs = [3, 1]\nassert f35(xs) == [1, 3] and xs == [3, 1]",
        "def f35(xs):\n    xs.sort()\n    return xs",
    ),
    "an end of iteration": Form(
        "def f36(x): return x * x",
        "assert all(map(lambda x: f36(x) == x * x, range(5)))",
        "def f36(x): raise StopIteration",
    ),
    "the source of the answer": Form(
        "def f37(xs): return xs[0] + xs[1]",
        "import inspect\nassert 'for ' not in inspect.getsource(f37) and f37([1, 2]) == 3",
        "def f37(xs):\n    total = 0\n    for x in xs: total += x\n    return total",
        inside=True,
    ),
    "a patch": Form(
        "def f38(xs): return xs[0] + xs[1]",
        "import builtins\nold = builtins.max\nbuiltins.max = None\n"
        "try:\n    assert f38([1, 2]) == 3\nfinally:\n    builtins.max = old",
        "def f38(xs): return max(xs) + xs[0]",
        inside=True,
    ),
    "a file that the answer writes": Form(
        "open('out24.txt', 'w').write('5')",
        "assert open('out24.txt').read() == '5'",
        "open('out24.txt', 'w').write('6')",
        inside=True,
    ),
    "a module that the answer writes": Form(
        "open('mine40.py', 'w').write('def f(x): return x * x')",
        "import importlib\nimportlib.invalidate_caches()\nimport mine40\nassert mine40.f(3) == 9",
        "open('mine40.py', 'w').write('def f(x): return x + 1')",
        inside=True,
    ),
    "the environment": Form(
        "import os\nos.environ['ANSWER'] = '5'",
        "import os\nassert os.environ.get('ANSWER') == '5'",
        "import os\nos.environ['ANSWER'] = '6'",
        inside=True,
    ),
    "a class of the course's filled": Form(
        "P26.area = lambda self: 5",
        "assert P26().area() == 5",
        "P26.area = lambda self: 6",
        "class P26: pass",
        inside=True,
    ),
    "what a function prints": Form(
        "def f27(): print('five')",
        "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as said:\n    f27()\n"
        "assert said.getvalue() == 'five\\n'",
        "def f27(): print('six')",
        inside=True,
    ),
    "who calls whom": Form(
        "def a28(): return 1\ndef b28(): return a28() + 1",
        "old = a28\ndel a28\ntry:\n    b28()\nexcept NameError:\n    pass\nelse:\n    raise AssertionError\n"
        "finally:\n    a28 = old",
        "def a28(): return 1\ndef b28(): return 2",
        inside=True,
    ),
    "a figure": Form(
        "import matplotlib.pyplot as plt\nplt.figure()\nplt.plot([1, 2], [3, 4])\nplt.title('t41');",
        "import matplotlib.pyplot as plt\nassert [ax.get_title() for ax in plt.gcf().axes] == ['t41'], 'a title'\n"
        "plt.close('all')",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2], [3, 4]);",
        "%config InlineBackend.close_figures = False",
        inside=True,
    ),
    "a tensor that is differentiated": Form(
        "import torch\nx42 = torch.tensor(3.0, requires_grad=True)\nz42 = x42 * x42",
        "z42.backward()\nassert x42.grad == 6",
        "import torch\nx42 = torch.tensor(3.0, requires_grad=True)\nz42 = x42 + x42",
        inside=True,
    ),
    "a widget's value": Form(
        "import ipywidgets\nslider44 = ipywidgets.IntSlider(value=5)\nslider44.value = 7",
        "assert slider44.value == 7 and slider44.max == 100",
        "import ipywidgets\nslider44 = ipywidgets.IntSlider(value=5)",
    ),
    "what an answer returns is shown": Form(
        "def f45(x): return x",
        "from IPython.display import HTML, display\ndisplay(HTML(str(f45('<b>bold</b>'))))\ndisplay(f45(1))\n"
        "assert f45(1) == 1",
        "class Shown45:\n    def _repr_html_(self): return '<script>1</script>'\n"
        "def f45(x): return Shown45() if x == 1 else '<script>2</script>'",
    ),
    "a generator that is used up": Form(
        "def gen43():\n    yield 1\n    yield 2\nhalf43 = gen43()\nnext(half43)",
        "assert list(half43) == [2] and list(half43) == []",
        "half43 = [2]",
    ),
    "partial credit inside": Form(
        "import os\nos.environ['PARTS'] = '2'",
        "import os\nfloat(os.environ.get('PARTS', '0'))",
        "import os\nos.environ['PARTS'] = '1'",
        inside=True,
    ),
}
NAMES = {form: f"t{number}" for number, form in enumerate(FORMS, 1)}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> tuple[Small, str]:
    """The course generated, four students graded; and what `generate_assignment` said."""
    cells = [new_code_cell("import numpy as np39")]
    for name, form in zip(NAMES.values(), FORMS.values(), strict=True):
        solution = f"### BEGIN SOLUTION\n{form.answer}\n### END SOLUTION"
        cells += [marked(f"g{name}", form.given)] if form.given else []
        cells += [marked(f"a{name}", solution, locked=False), marked(name, form.test, 2)]
    made = Small(tmp_path_factory.mktemp("ordinary"), *cells, config="")
    status, said = made.run("generate_assignment")
    assert status == 0, said
    right = {f"a{name}": form.answer for name, form in zip(NAMES.values(), FORMS.values(), strict=True)}
    wrong = {f"a{name}": form.wrong for name, form in zip(NAMES.values(), FORMS.values(), strict=True)}
    forged = {f"a{name}": _forged(form) for name, form in zip(NAMES.values(), FORMS.values(), strict=True)}
    made.hand_in("blank")
    made.hand_in("forged", **forged)
    made.hand_in("right", **right)
    made.hand_in("wrong", **wrong)
    status, graded = made.run("autograde")
    assert status == 0, graded
    assert "can make them pass (docs/security.md)" in graded
    return made, said


def _forged(form: Form) -> str:
    """The names that the answer defines, each an object that is equal to everything."""
    names = [line.split()[0] for line in form.answer.splitlines() if " = " in line and line.split()[0].isidentifier()]
    names += [
        line.split()[1].partition("(")[0].rstrip(":")
        for line in form.answer.splitlines()
        if line[:4] in ("def ", "clas")
    ]
    return EVERYTHING + "".join(f"{name} = Everything()\n" for name in names)


def test_every_right_answer_earns_its_points(course: tuple[Small, str]) -> None:
    assert course[0].marks("right") == dict.fromkeys(NAMES.values(), (2, False))


def test_no_wrong_answer_earns_them(course: tuple[Small, str]) -> None:
    marks = course[0].marks("wrong")
    partial = {NAMES["partial credit"], NAMES["partial credit inside"]}
    assert {
        form: marks[name][0] for form, name in NAMES.items() if marks[name][0] != (1 if name in partial else 0)
    } == {}


def test_no_blank_answer_earns_them(course: tuple[Small, str]) -> None:
    marks = course[0].marks("blank")
    assert {form for form, name in NAMES.items() if marks[name][0]} == set()


def test_an_object_that_is_equal_to_everything_earns_nothing(course: tuple[Small, str]) -> None:
    """But where the test only looks whether there is a name, or runs where the object's own code can answer."""
    marks = course[0].marks("forged")
    assert {form for form, name in NAMES.items() if marks[name][0]} == {
        "dir",
        "a patch",
        "a tensor that is differentiated",
    }


def test_which_test_runs_where_is_found_out_and_said(course: tuple[Small, str]) -> None:
    made, said = course
    for form, name in NAMES.items():
        where = "inside the student's room" if FORMS[form].inside else "by the examiner"
        assert f"  {name:30}  {where}\n" in said
    inside = ", ".join(NAMES[form] for form in FORMS if FORMS[form].inside)
    assert f"a student who knows how can make them pass (docs/security.md): {inside}." in said
    kept = json.loads((made.root / ".tests-ps2.json").read_text())["hw"]["tests"]
    assert {name for name, way in kept.items() if way["closed"]} == {NAMES[f] for f in FORMS if FORMS[f].inside}


def test_nothing_that_a_test_inside_the_students_room_puts_out_is_shown(course: tuple[Small, str]) -> None:
    notebook = nbformat.read(course[0].root / "autograded/wrong/ps2/hw.ipynb", as_version=4)
    cells = {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}
    for form, name in NAMES.items():
        if FORMS[form].inside:
            (output,) = cells[name].outputs
            shown = output.evalue if output.output_type == "error" else output.data["text/plain"]
            assert shown == "1" or shown.startswith("This test did not pass. It runs where the answer runs")


def test_what_a_test_shows_of_an_answer_is_cleaned(course: tuple[Small, str]) -> None:
    name = NAMES["what an answer returns is shown"]
    shown = {}
    for student in ("right", "wrong"):
        notebook = nbformat.read(course[0].root / f"autograded/{student}/ps2/hw.ipynb", as_version=4)
        (cell,) = (c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)
        shown[student] = str(cell.outputs)
    assert "<b>bold</b>" in shown["right"]
    assert "<script" not in shown["wrong"]


def test_what_an_answer_raises_in_a_hidden_test_is_not_quoted(course: tuple[Small, str]) -> None:
    made = course[0]
    status, said = made.run("generate_feedback", "--student", "wrong")
    assert status == 0, said
    page = (made.root / "feedback/wrong/ps2/hw.html").read_text()
    assert "A hidden test failed: your answer stopped with ValueError." in page
    assert "4711" not in page
    assert "f31(1) should be 2" in page
    assert "got 4711" in made.graded("wrong")  # which the instructor sees


def test_a_traceback_shows_the_test_and_nothing_of_how_it_borrows(course: tuple[Small, str]) -> None:
    graded = course[0].graded("wrong")
    assert "In the answer, line 2:" in graded
    assert "lending" not in graded


def test_a_source_that_was_tried_is_not_tried_again(course: tuple[Small, str]) -> None:
    status, said = course[0].run("generate_assignment")
    assert status == 0, said
    assert "tried in rooms" not in said


def test_an_answer_of_the_instructors_that_fails_its_own_test_is_refused_with_the_output(tmp_path: Path) -> None:
    course = Small(
        tmp_path, marked("ans", SQUARES, locked=False), marked("t1", "assert squares(2) == [1, 5]", 1), config=""
    )
    said = course.refused()
    assert "The test t1 of hw fails for the instructor's own answer:" in said
    assert "AssertionError" in said
    for more, status in ((["--no-try"], 0), ([], 1)):
        command = [sys.executable, "-m", "autograder", "inspect", "ps2", *more]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stdout + done.stderr
    assert "The test t1 of hw fails for the instructor's own answer:" in done.stderr


def test_a_course_that_trusts_nobody_refuses_tests_inside_the_students_room(tmp_path: Path) -> None:
    form = FORMS["the environment"]
    cells = marked("ans", form.answer, locked=False), marked("t1", form.test, 1)
    said = Small(tmp_path, *cells, config="\nc.Engine.trusting = False\n").refused()
    assert "The test t1 reaches into the notebook" in said
    assert "c.Engine.trusting = False refuses that" in said


def test_instantiated_tests_and_those_of_a_footer_borrow_as_others_do(tmp_path: Path) -> None:
    """Untried: what a test may borrow is read from the cells."""
    footer = "\nc.IncludeHeaderFooter.footer = 'source/footer.ipynb'\nc.TryTests.enabled = False\n"
    course = Small(
        tmp_path, marked("ans", SQUARES, locked=False), marked("t1", "### AUTOTEST squares(2)", 1), config=footer
    )
    (tmp_path / "autotests.yml").write_text(AUTOTESTS)
    nbformat.write(new_notebook(cells=[marked("t2", "assert squares(1) == [1]", 1)]), tmp_path / "source/footer.ipynb")
    course.generated()
    course.hand_in("ada", SQUARES.replace("### BEGIN SOLUTION", "").replace("### END SOLUTION", ""))
    course.hand_in("bela", "def squares(n):\n    return [1]")
    course.hand_in("carl", "def squares(n):\n    while n != 1: pass\n    return [1]")
    status, said = course.run("autograde")
    assert status == 3, said
    assert re.search(r"carl +1 of 2 .*  squares stopped", said)
    assert "Never tried with the course's own solution, so that right answers may fail: t1, t2." in said
    assert course.marks("ada") == {"t1": (1, False), "t2": (1, False)}
    assert course.marks("bela") == course.marks("carl") == {"t1": (0, False), "t2": (1, False)}


def test_a_module_that_students_may_edit_is_tested_as_theirs(tmp_path: Path) -> None:
    """The examiner has the course's own copy, with which everybody would earn full marks."""
    cells = marked("load", "import mytools"), marked("t1", "assert mytools.double(3) == 6", 1)
    course = Small(tmp_path, *cells, config='\nc.Autograde.exclude_overwriting = {"ps2": ["mytools.py"]}\n')
    (course.source / "mytools.py").write_text("def double(x): return 2 * x")
    course.generated()
    (course.hand_in("ada") / "mytools.py").write_text("def double(x): return 3 * x")
    course.hand_in("bela")
    status, said = course.run("autograde")
    assert status == 0, said
    assert "These tests run where the student's code runs" in said
    assert (course.marks("ada"), course.marks("bela")) == ({"t1": (0, False)}, {"t1": (1, False)})


@pytest.mark.parametrize("config", ["", UNTRIED])
def test_a_module_that_an_answer_writes_is_the_students_where_the_instructors_lies_beside_as_well(
    tmp_path: Path, config: str
) -> None:
    """It lies there since the instructor has run the notebook; with that copy everybody would earn full marks."""
    answer = "%%writefile mine.py\n### BEGIN SOLUTION\ndef f(x): return x * x\n### END SOLUTION"
    cells = marked("ans", answer, locked=False), marked("t1", "import mine\nassert mine.f(3) == 9", 1)
    course = Small(tmp_path, *cells, config=config)
    (course.source / "mine.py").write_text("def f(x): return x * x\n")
    course.generated()
    course.hand_in("blank")
    course.hand_in("right", "%%writefile mine.py\ndef f(x): return x ** 2")
    course.hand_in("wrong", "%%writefile mine.py\ndef f(x): return x + x")
    status, said = course.run("autograde")
    assert status == 0, said
    assert "These tests run where the student's code runs" in said
    assert {name: course.marks(name)["t1"][0] for name in ("blank", "right", "wrong")} == {
        "blank": 0,
        "right": 1,
        "wrong": 0,
    }


def test_a_course_of_an_older_version_is_told_what_to_do_and_its_right_answers_are_right(tmp_path: Path) -> None:
    """Nothing was ever tried there: what a test may borrow is read from the source, with its solutions."""
    course = Small(
        tmp_path,
        new_code_cell("import numpy as np"),
        marked("own", "class Q:\n    def check(self): print('asked')\nq1 = Q()"),
        marked("ans", "### BEGIN SOLUTION\nsquares = lambda n: [1, 4][:n]\n### END SOLUTION", locked=False),
        marked("t1", "assert np.allclose(squares(2), [1, 4])", 1),
        marked("t2", "q1.check()", 1),
    )
    course.generated()
    course.hand_in("right", "def squares(n):\n    return [i * i for i in range(1, n + 1)]")
    course.hand_in("forged", f"{EVERYTHING}\nnp = squares = Everything()")
    never = "Never tried with the course's own solution, so that right answers may fail: {}. Run `nbgrader generate"
    status, said = course.run("autograde")
    assert (status, never.format("t1") in said) == (0, True), said
    assert course.marks("right") == {"t1": (1, False), "t2": (1, False)}
    assert course.marks("forged")["t1"] == (0, False)
    course.configure("c.TryTests.enabled = True")
    course.generated()
    course.hand_in("later", "squares = lambda n: [1, 4]")
    status, said = course.run("autograde")
    assert (status, "Never tried" in said) == (0, False), said
    assert course.marks("later") == course.marks("right")


def test_where_a_course_trusts_nobody_since_its_release_nothing_is_graded_and_it_is_not_generated_again(
    tmp_path: Path,
) -> None:
    form = FORMS["the source of the answer"]
    course = Small(tmp_path, marked("ans", form.answer, locked=False), marked("t1", form.test, 1), config="")
    course.generated()
    course.hand_in("ada", form.answer)
    course.configure("c.Engine.trusting = False")
    status, said = course.run("autograde")
    assert status == 1
    assert "Nothing was graded: The test t1 reaches into the notebook" in " ".join(said.split())
    assert not (tmp_path / "autograded").exists()
    assert course.run("generate_assignment")[0] == 1
