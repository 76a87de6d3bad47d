"""A mixed assignment: a question of ours, ordinary tests, free text, a plot and a task are treated alike everywhere.

The source is made with the author's own commands, the class graded once, and a person gives marks in the real
formgrader.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook

from autograder.__main__ import main
from tests.authoring.notebooks import PRODUCT, SOLUTION_OF_PRODUCT, finish
from tests.conftest import ROOT
from tests.rooms.small import marked
from tests.rooms.test_sameness import formgrader

pytestmark = pytest.mark.course

SQUARES = """\
assert squares(1) == [1], "squares(1) should be [1]"
assert squares(3) == [1, 4, 9], "squares(3) should be [1, 4, 9]"
### BEGIN HIDDEN TESTS
assert squares(0) == [], "What is the list of no squares?"
assert len(squares(4711)) == 4711
### END HIDDEN TESTS"""
MEAN = "# One point for numbers, three for no numbers.\n1.0 * (mean([1, 3]) == 2) + 3.0 * (mean([]) == 0)"
GREET = """\
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as said:
    greet("Ada")
assert said.getvalue() == "Hello, Ada!\\n", "greet('Ada') should print Hello, Ada!"
"""
DOUBLE = """\
assert double(2) == 4
assert double(0) == 0
### BEGIN HIDDEN TESTS
kept = []
for n in (4711, 4712):
    try:
        assert double(n) == 2 * n
    except Exception as error:
        kept.append(error)
if kept:
    raise kept[0]
### END HIDDEN TESTS"""
ANSWER = "def grad_q1(x, y):\n    p = x * y\n    z = p + torch.sin(x)\n    dzdp = 1\n    dzdx = {}\n    return z, dzdx"
PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 2], [{}])\nplt.title('mine')\nplt.show()"
RIGHT = {
    "q1": ANSWER.format("dzdp * y + torch.cos(x)"),
    "squares": "def squares(n):\n    return [i**2 for i in range(1, n + 1)]",
    "mean": "def mean(xs):\n    return sum(xs) / len(xs) if xs else 0",
    "greet": "def greet(name):\n    print(f'Hello, {name}!')",
    "double": "def double(x):\n    return 2 * x",
    "why": "Small changes **multiply**.",
    "plot": PLOT.format("3, 4"),
}
MACHINE = "def grad_q1(x, y):\n    x = x.requires_grad_()\n    z = x * y + torch.sin(x)\n    z.backward()\n    return z, x.grad"
CLASS: dict[str, Mapping[str, str]] = {
    "blank": {},
    # What a hidden test has given is kept, and told in the error of a test below it.
    "crash": {
        "q1": ANSWER.format("1 / 0"),
        "squares": "seen = []\ndef squares(n):\n    seen.append(n)\n    if n > 3 or not n: raise ValueError(f'got {n}')\n"
        "    return [i**2 for i in range(1, n + 1)]",
        "mean": "def mean(xs):\n    raise ValueError(f'squares was called with {seen}')",
        "greet": "def greet(name):\n    raise ValueError(f'{name} and {seen}')",
        "double": "def double(x):\n    if x > 2: raise AssertionError(f'got {x}')\n    return 2 * x",
        "plot": "1 / 0",
    },
    "right": RIGHT,
    "slip": {
        **RIGHT,
        "q1": ANSWER.format("dzdp * y - torch.cos(x)"),
        "squares": "def squares(n):\n    return [i**2 for i in range(1, n + 1)] or [0]",
        "mean": "def mean(xs):\n    return sum(xs) / len(xs) if xs else 1",
        "double": "def double(x):\n    return 2 * x or 1",
    },
    "slow": {**RIGHT, "squares": "def squares(n):\n    while n == 0: pass\n    return [i**2 for i in range(1, n + 1)]"},
    "wrong": {
        "q1": MACHINE,
        "squares": "def squares(n):\n    return [i**2 for i in range(n)]",
        "mean": "def mean(xs):\n    return 9",
        "greet": "def greet(name):\n    return f'Hello, {name}!'",
        "double": "double = None",
        "plot": "plt.plot([1])",
    },
}
ORDER = ("q1-check", "q1-hidden", "squares-test", "mean-test", "greet-test", "double-test", "why", "plot", "task")
EARNED = {
    "blank": (0, 0, 0, 0, 0, 0, 0, 0, 0),
    "crash": (0, 0, 0, 0, 0, 0, 0, 0, 0),
    "right": (2, 8, 3, 4, 2, 2, 0, 0, 0),
    "slip": (0, 2, 0, 1, 2, 0, 0, 0, 0),
    "slow": (2, 8, 0, 4, 2, 2, 0, 0, 0),
    "wrong": (0, 0, 0, 0, 0, 0, 0, 0, 0),
}
BY_HAND = {"why": 2, "plot": 3, "task": 1.5}
SAID = "Say *more*."
OF = 32


class Mixed:
    """The course in `root`; `graded` is what the grading run said."""

    def __init__(self, root: Path) -> None:
        self.root, self.graded = root, ""

    def run(self, *command: str, status: tuple[int, ...] = (0,)) -> str:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.root,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in status, done.stdout + done.stderr
        return done.stdout

    def page(self, student: str) -> str:
        return (self.root / "feedback" / student / "ps2" / "problems.html").read_text()

    def table(self, student: str) -> list[str]:
        """The rows of the page's table, without its head."""
        page = self.page(student)
        table = page[page.index('<table class="results"') : page.index("</table>")]
        return [words(row) for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)[1:]]

    def question(self, student: str, title: str) -> str:
        """What the page says of a question."""
        sections = re.findall(r'<section class="question.*?</section>', self.page(student), re.DOTALL)
        return next(words(section) for section in sections if words(section).startswith(title))

    def export(self) -> dict[str, dict[str, str]]:
        """The rows that `autograder grades` writes, by student."""
        self.run("autograder", "grades", "ps2")
        with (self.root / "grades-ps2.csv").open(encoding="utf-8-sig") as file:
            return {row["student_id"]: row for row in csv.DictReader(file)}


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def text(name: str, source: str, points: float, task: bool = False) -> NotebookNode:
    cell = marked(name, source, points, locked=task)
    cell.metadata.nbgrader.update(cell_type="markdown", task=task, grade=not task)
    return new_markdown_cell(source, metadata=cell.metadata)


def _source(path: Path) -> None:
    """Writes the words and the solution of q1, and adds the questions that are not ours."""
    notebook = nbformat.read(path, as_version=4)
    finish(notebook, "q1", SOLUTION_OF_PRODUCT)
    for title, name, test, points in (
        ("Q2. Squares", "squares", SQUARES, 3),
        ("Q3. Mean", "mean", MEAN, 4),
        ("Q4. Greeting", "greet", GREET, 2),
        ("Q5. Double", "double", DOUBLE, 2),
    ):
        solution = f"### BEGIN SOLUTION\n{RIGHT[name]}\n### END SOLUTION"
        notebook.cells += [new_markdown_cell(f"## {title}\n\nWrite `{name}`.")]
        notebook.cells += [marked(name, solution, locked=False), marked(f"{name}-test", test, points)]
    plot = marked("plot", f"### BEGIN SOLUTION\n{RIGHT['plot']}\n### END SOLUTION", 4, locked=False)
    notebook.cells += [
        new_markdown_cell("## Q6. Why?"),
        text("why", "=== BEGIN MARK SCHEME ===\n3 for a reason\n=== END MARK SCHEME ===", 3),
        new_markdown_cell("## Q7. A plot"),
        plot,
        text("task", "## Q8. A task\n\nAdd a cell with what you would try next.", 4, task=True),
    ]
    nbformat.write(notebook, path)


def _hand_in(root: Path, student: str) -> None:
    folder = root / "submitted" / student / "ps2"
    shutil.copytree(root / "release" / "ps2", folder)
    notebook = nbformat.read(folder / "problems.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.source = CLASS[student].get(cell.metadata.get("nbgrader", {}).get("grade_id", ""), cell.source)
    if CLASS[student]:
        notebook.cells.append(new_markdown_cell(f"I, {student}, would try again."))
    nbformat.write(notebook, folder / "problems.ipynb")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Mixed:
    made = Mixed(tmp_path_factory.mktemp("mixed"))
    shutil.copy(ROOT / "nbgrader_config.py", made.root)
    (made.root / "q1.py").write_text(PRODUCT)
    source = "source/ps2/problems.ipynb"
    with contextlib.chdir(made.root), contextlib.redirect_stdout(io.StringIO()):
        assert main(["new-assignment", "ps2", "--title", "Problem set 2"]) == 0
        assert main(["new", "q1", "q1.py", "--title", "Q1. A product", "--notebook", source]) == 0
        _source(made.root / source)
    said = made.run("nbgrader", "generate_assignment", "ps2")
    assert f"9 cells with points, {OF} points in all" in said
    for student in CLASS:
        _hand_in(made.root, student)
    made.graded = made.run("nbgrader", "autograde", "ps2", status=(3,))
    made.run("nbgrader", "generate_feedback", "ps2")
    return made


@pytest.fixture(scope="module")
def marked_by_hand(course: Mixed, browser: Any) -> Mixed:
    """The same after a person has given points for `slip` in the real formgrader, and a comment."""
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        notebook = gradebook.find_submission_notebook("problems", "ps2", "slip").id
    with formgrader(course.root) as (address, token):
        page = browser.new_page()
        page.route("**/*", lambda route: route.continue_() if route.request.url.startswith(address) else route.abort())
        page.goto(f"{address}/login?token={token}", timeout=180_000)
        page.goto(f"{address}/formgrader/submissions/{notebook}", timeout=180_000)
        page.locator("img[src^='data:image/png']").wait_for(timeout=180_000)
        assert "What is the list of no squares?" in page.content()
        page.locator("#plot.needs_manual_grade").wait_for(timeout=180_000)  # the fields hold what is graded by now
        for field, value in {**{f"#{name}": points for name, points in BY_HAND.items()}, "#why-comment": SAID}.items():
            with page.expect_response(lambda reply: reply.request.method == "PUT", timeout=180_000):
                page.locator(field).fill(str(value))
                page.locator(field).blur()
        page.goto(f"{address}/formgrader/gradebook/ps2/problems", timeout=180_000)
        page.get_by_text(f"11.5 / {OF}").wait_for(timeout=180_000)
        page.close()
    course.run("nbgrader", "generate_feedback", "ps2", "--student", "slip", "--force")
    return course


def marks(course: Mixed, student: str) -> tuple[float, ...]:
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        found = gradebook.find_submission_notebook("problems", "ps2", student).grades
        return tuple({grade.name: grade.auto_score or 0 for grade in found}[name] for name in ORDER)


@pytest.mark.parametrize("student", CLASS)
def test_every_question_earns_what_it_deserves_whatever_its_kind(course: Mixed, student: str) -> None:
    assert marks(course, student) == EARNED[student]


def test_the_run_the_pages_and_the_export_have_the_points_of_the_gradebook(course: Mixed) -> None:
    export = course.export()
    assert export.keys() == CLASS.keys()
    for student, row in export.items():
        total = sum(EARNED[student])
        assert re.search(rf"{student} +{total} of {OF} ", course.graded)
        assert f"problems · {total:.2f} of {OF:.2f} points" in words(course.page(student))
        assert (row["score"], row["max_score"], row["needs_manual_grade"]) == (f"{total:.2f}", f"{OF:.2f}", "yes")
        assert tuple(float(row[name]) for name in ORDER) == EARNED[student]


def test_each_question_has_its_row_its_verdict_and_a_reason(course: Mixed) -> None:
    assert course.table("slip") == [
        "Q1. A product dzdx is not right at a hidden test point. It has the wrong sign in the part that comes through "
        "z: d(p + sin(x))/dx = cos(x) . ◐ Partly right 2.00 of 10.00 check 0.00 of 2.00 hidden 2.00 of 8.00",
        "Q2. Squares A hidden test failed. What is the list of no squares? ✗ Not right 0.00 of 3.00",
        "Q3. Mean ◐ Partly right 1.00 of 4.00",
        "Q4. Greeting ✓ Right 2.00 of 2.00",
        "Q5. Double A test failed: assert double(0) == 0 ✗ Not right 0.00 of 2.00",
        "Q6. Why? … Not graded yet 0.00 of 3.00",
        "Q7. A plot … Not graded yet 0.00 of 4.00",
        "Q8. A task … Not graded yet 0.00 of 4.00",
        "Total 11.00 points of it are not graded yet. 5.00 of 32.00",
    ]
    assert [row.partition(" –")[0] for row in course.table("blank")[:7]] == [
        *("Q1. A product", "Q2. Squares", "Q3. Mean", "Q4. Greeting", "Q5. Double", "Q6. Why?", "Q7. A plot")
    ]


@pytest.mark.parametrize(
    ("student", "title", "told"),
    [
        ("wrong", "Q2.", "A test failed. squares(1) should be [1] assert squares(1) == [1],"),
        ("wrong", "Q2.", 'should be [1]" The tests below it did not run.'),
        ("wrong", "Q4.", "This test did not pass. It runs where the answer runs, so nothing else is shown of it."),
        ("slip", "Q5.", "A test failed: assert double(0) == 0 The tests below it did not run."),
        ("blank", "Q2.", "A test could not run: NameError: name 'squares' is not defined assert squares(1) == [1],"),
        ("crash", "Q1.", "grad_q1 stopped in line 5 with ZeroDivisionError. dzdx = 1 / 0"),
        ("crash", "Q2.", "A hidden test failed: your answer stopped with ValueError."),
        ("crash", "Q3.", "A test failed: your answer stopped with ValueError. 1.0 * (mean([1, 3]) == 2)"),
        ("crash", "Q5.", "A hidden test failed: your answer stopped with AssertionError."),
        (
            "wrong",
            "Q5.",
            "A test could not run: TypeError: what your notebook gives cannot be tested so assert double(2)",
        ),
        ("slow", "Q2.", "A hidden test failed: your answer gave no answer in time. Look for a loop that does not end."),
    ],
)
def test_a_page_says_what_failed(course: Mixed, student: str, title: str, told: str) -> None:
    assert told in course.question(student, title)


@pytest.mark.parametrize("student", CLASS)
def test_no_page_shows_what_is_hidden_nor_how_a_test_is_run(course: Mixed, student: str) -> None:
    page = course.page(student)
    seen = words(page)
    for secret in ("4711", "squares(0)", "len(squares", "HIDDEN TESTS", "autograder.", "lending", "File ", "q1.grade("):
        assert secret not in seen
    assert "NotImplementedError Traceback" not in seen
    assert seen.count("Traceback") == (student in ("crash", "wrong")), "that of the student's own plot"


def test_what_a_person_marks_is_there_to_be_marked(course: Mixed) -> None:
    page = course.page("right")
    assert '<img src="data:image/png;base64,' in page[page.index("Q7. A plot", page.index("</nav>")) :]
    assert "Small changes multiply ." in course.question("right", "Q6.")
    assert "I, right, would try again." in course.question("right", "Q8.")
    assert "MARK SCHEME" not in words(page)
    assert "3 cells for you to mark" in next(line for line in course.graded.splitlines() if "/6  right" in line)


def test_the_run_says_which_tests_run_inside_and_lists_what_is_not_by_hand(course: Mixed) -> None:
    assert "can make them pass (docs/security.md): greet-test." in course.graded
    with (course.root / "by_hand.csv").open(encoding="utf-8-sig") as listed:
        rows = [(row["student"], row["question"], row["outcome"]) for row in csv.DictReader(listed)]
    assert set(rows) == {("wrong", "q1", "forbidden")}


def test_a_student_at_home_is_told_of_each_question_what_its_visible_test_says(
    course: Mixed, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(course.root / "submitted/slip/ps2/problems.ipynb")]) == 1
    said = " ".join(capsys.readouterr().out.split())
    for line in (
        "Q1. A product not right dzdx is not right at x = 2",
        "Q2. Squares right Q3. Mean not right The check gives 1 of 4 points. Q4. Greeting right",
        "Q5. Double not right A test failed, in line 2 assert double(0) == 0",
        "Q6. Why? read by a person Q7. A plot read by a person Q8. A task read by a person",
        "Right at the checks that you can see: 2 of 5 questions.",
    ):
        assert line in said


@pytest.mark.browser
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the log of the server, closed with it
def test_marks_from_the_formgrader_are_the_same_on_the_page_and_in_the_export(marked_by_hand: Mixed) -> None:
    assert marked_by_hand.table("slip")[5:] == [
        "Q6. Why? Your instructor left a comment. ◐ Some of the points 2.00 of 3.00",
        "Q7. A plot ◐ Some of the points 3.00 of 4.00",
        "Q8. A task ◐ Some of the points 1.50 of 4.00",
        "Total 11.50 of 32.00",
    ]
    assert "Say more ." in marked_by_hand.question("slip", "Q6.")
    row = marked_by_hand.export()["slip"]
    assert (row["score"], row["needs_manual_grade"]) == ("11.50", "no")
    assert {name: float(row[name]) for name in BY_HAND} == BY_HAND
