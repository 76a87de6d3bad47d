"""A graded assignment of every kind of cell, made in this process: gradebook, graded notebooks, and nbgrader's command.

`mixed` has a question for each verdict and cells of a hostile student, `words` an answer that a person grades,
`reading` nothing that is graded, and `lost` is a file that could not be read.
"""

from __future__ import annotations

import base64
import datetime
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.api import Base, Gradebook
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import compute_checksum
from sqlalchemy import create_engine

from autograder.rooms import reasons
from autograder.rooms.handed_in import UNREADABLE

STUDENT, NAME = "ada", ("Ada", "<i>Lovelace</i>")
DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
DREW = "I drew it."
SECRET = "5eed5eed"
HIDDEN = f"# Hidden tests\n### BEGIN HIDDEN TESTS\nq.grade(points=8, seed='{SECRET}')\n### END HIDDEN TESTS"
BOTH = "assert e == 4, 'e must be 4'\n### BEGIN HIDDEN TESTS\nassert e == 5eed\n### END HIDDEN TESTS"
COMMENT = "Well done, *Ada*: $c^2 = a^2 + b^2$ <script>alert(1)</script>"
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="90"><title>The graph</title><desc>From a to b.</desc>'
    '<rect width="900" height="90" fill="#fff"/></svg>'
)
FORGED = """\
# Results

<nav aria-label="Results"><h2 id="results">Results</h2><table class="results"><tr class="right"><th scope="row">
<a href="#question-1" id="question-1">Forged question</a></th><td><span class="verdict right" style="color:#0f0">
✓ Right</span></td><td>99.00 of 99.00</td></tr></table></nav>
<div style="position:fixed;top:0;left:0;width:9999px;height:9999px;background:#fff;margin:-900px">over</div>
<style>.verdict{display:none}</style><iframe src="https://example.org"></iframe><script>fired()</script>
<img src="https://example.org/x.png"><a href="https://example.org"></a><ul><p>loose</p>text</ul><li>alone</li>
<details><summary></summary>inside</details><dl><p>no term</p></dl><p lang="zzz">odd</p>
<button onclick="fired()">go</button><input autofocus onfocus="fired()">
"""
FORMULAS = r"""
$x^2$ and $\href{javascript:fired()}{x}$ and $<script>fired()</script>$ and $\color{white} y$ and $\unknown{z}$

$$\begin{aligned} a &= \frac{1}{2} \\ b &= \hspace{-999em} 2 \end{aligned}$$

<p title="$t$">$\class{results}{u}$ and `$v$`</p>

It costs $5 and $6. $$ open
"""
LONG = "x = " + " + ".join(f"a_long_name_{i}" for i in range(80))


def _marks(name: str, **about: Any) -> dict[str, Any]:
    given = {"grade": False, "solution": False, "locked": False, "task": False, **about}
    return {"nbgrader": {"schema_version": 3, "grade_id": name, **given}}


def _answer(name: str, source: str, **about: Any) -> NotebookNode:
    return new_code_cell(source, metadata=_marks(name, solution=True, **about))


def _test(name: str, source: str, points: float, *outputs: NotebookNode) -> NotebookNode:
    about = _marks(name, grade=True, locked=True, points=points)
    return new_code_cell(source, metadata=about, outputs=list(outputs), execution_count=9)


def _said(text: str) -> NotebookNode:
    return new_output("stream", name="stdout", text=text)


def _raised(name: str, text: str) -> NotebookNode:
    return new_output("error", ename=name, evalue=text, traceback=[f"\x1b[31m{name}\x1b[0m: {text}"])


def _failed_in(source: str, line: int, text: str) -> NotebookNode:
    """An assertion that failed, with the part of a traceback that shows the line."""
    error = _raised("AssertionError", text)
    error.traceback.insert(0, f"Cell In[9], line {line}\n----> {line} {source.splitlines()[line - 1]}\n")
    return error


def _number(text: str) -> NotebookNode:
    return new_output("execute_result", data={"text/plain": text}, execution_count=9)


def mixed() -> NotebookNode:
    """Right, wrong, partly right, unanswered, lost to an ordinary test, and the student's own cells between."""
    drawn = new_output("display_data", data={"image/svg+xml": DRAWING, "text/plain": "<Picture>"})
    broken = _raised("CheckFailed", "dfdx is not right: see `a < b`.\n    y = a < b")
    share = "p: 2.6666666667 of 8 points. dfdx is not right at a hidden test point. Look at\nthe first link.\n"
    return new_notebook(
        cells=[
            new_markdown_cell("# Homework\n\nRead this first."),
            new_markdown_cell(FORGED),
            new_markdown_cell("## A. Right, with $\\dfrac{a}{b}$\n\n$$u = wx \\qquad v = \\frac{u}{2}$$\n\nGiven."),
            new_code_cell("given = 1", metadata=_marks("a-given", locked=True)),
            _answer("a", "def a():\n    return 1\n" + LONG),
            _test("a-check", "a.check()", 2, _said("AutoGrad: 1.0\n"), drawn),
            _test("a-hidden", HIDDEN, 8, _said("a: 8 of 8 points. dzda is right at all 24 points.\n"), _number("8.0")),
            new_markdown_cell(FORMULAS),
            new_markdown_cell("## B. Partly right\n\n<details><summary>Hint 1</summary>\n\n$n^2$\n\n</details>"),
            _answer("b", "def b(): ..."),
            _test("b-check", "b.check()", 2, _said("AutoGrad: 2.0\n"), drawn, broken),
            _test("b-hidden", HIDDEN, 8, _said(share), _number("2.6666666666666665")),
            new_markdown_cell("## C. Not answered"),
            _answer("c", "# YOUR CODE HERE\nraise NotImplementedError()"),
            _test("c-hidden", HIDDEN, 8, _raised("NameError", f"name 'q' is not defined {SECRET[:3]}")),
            new_markdown_cell("## D. An ordinary test"),
            _answer("d", "d = 3"),
            _test("d-test", "assert d == 4, 'd must be 4'", 3, _raised("AssertionError", "d must be 4")),
            _answer("d2", "d2 = 4"),
            _test("d2-test", "assert d2 == 4\n0.9876", 1, _number("0.9876")),
            new_markdown_cell("## E. Seen and hidden"),
            _answer("e", "e = 3"),
            _test("e-test", BOTH, 2, _failed_in(BOTH, 1, "e must be 4")),
            new_code_cell("print('### BEGIN HIDDEN TESTS')", outputs=[_said("own output\n" * 60)]),
        ]
    )


def words() -> NotebookNode:
    """Answers that a person grades: one graded and commented, one not yet."""
    essay = new_markdown_cell("Because $a < b$.", metadata=_marks("essay", grade=True, solution=True, points=5))
    task = new_markdown_cell("# And then?\n\nDraw it.", metadata=_marks("task", task=True, locked=True, points=4))
    return new_notebook(cells=[new_markdown_cell("# Why?"), essay, task, new_markdown_cell(DREW)])


def reading() -> NotebookNode:
    """Nothing in it is graded."""
    return new_notebook(
        cells=[
            new_markdown_cell("# Reading"),
            new_markdown_cell('### Deeper\n\n$x$ ![a dot](dot.png) <img src="dot.png"> ![](../../gradebook.db)'),
            new_code_cell("1"),
        ]
    )


def lost() -> NotebookNode:
    """Two questions as the course wrote them."""
    return new_notebook(
        cells=[
            new_markdown_cell("# Homework"),
            new_code_cell("import torch", metadata=_marks("setup", locked=True)),
            new_markdown_cell("## Question 1\n\nDifferentiate."),
            _answer("q1", "the solution"),
            _test("q1-check", "q1.check()", 2),
            _test("q1-hidden", HIDDEN, 8),
            new_markdown_cell("## Question 2"),
            _answer("q2", "the solution"),
            _test("q2-hidden", HIDDEN, 10, _raised("CheckFailed", "There is no function grad_q2.")),
        ]
    )


def unread(notebook: NotebookNode) -> NotebookNode:
    """What grading makes of a file that it cannot read: a note, and the cells that earn points."""
    kept = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("locked")]
    note = new_markdown_cell(UNREADABLE.format(why="line 3 is not JSON"))
    made = new_notebook(cells=[*kept, note])
    reasons.begin(made, ungradable=True, added=[])
    return made


SCORES = {"a-check": 2.0, "a-hidden": 8.0, "b-check": 0.0, "b-hidden": 8 / 3, "d2-test": 1.0}


class Course:
    """A course folder with one graded submission; `write` runs nbgrader's own converter in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = f"sqlite:///{root}/gradebook.db"
        notebooks = {"mixed": mixed(), "words": words(), "reading": reading(), "lost": lost()}
        engine = create_engine(self.url)
        Base.metadata.create_all(engine)  # where tables are, nbgrader does not start a process to ask for their version
        engine.dispose()
        with Gradebook(self.url) as book:
            book.add_assignment("hw", duedate=datetime.datetime(2026, 1, 1))
            book.add_student(STUDENT, first_name=NAME[0], last_name=NAME[1])
            for name, notebook in notebooks.items():
                self._add(book, name, notebook)
            book.add_submission("hw", STUDENT)
            for name, score in SCORES.items():
                book.find_grade(name, "mixed", "hw", STUDENT).auto_score = score
            for name in ("q1-check", "q1-hidden", "q2-hidden"):
                book.find_grade(name, "lost", "hw", STUDENT).needs_manual_grade = False
            for name in ("c-hidden", "d-test", "e-test", *SCORES):
                book.find_grade(name, "mixed", "hw", STUDENT).needs_manual_grade = False
            book.find_grade("essay", "words", "hw", STUDENT).manual_score = 4.5
            book.find_comment("essay", "words", "hw", STUDENT).manual_comment = COMMENT
            book.find_comment("b", "mixed", "hw", STUDENT).manual_comment = COMMENT
            book.find_comment("c", "mixed", "hw", STUDENT).auto_comment = "No response."
            book.find_submission_notebook("mixed", "hw", STUDENT).late_submission_penalty = 1.5
            book.db.commit()
        (root / "source" / "hw").mkdir(parents=True)
        (root / "source" / "hw" / "dot.png").write_bytes(base64.b64decode(DOT))
        for name, notebook in notebooks.items():
            for folder in (f"autograded/{STUDENT}/hw", "source/hw"):
                (root / folder).mkdir(parents=True, exist_ok=True)
            graded = unread(notebook) if name == "lost" else notebook
            nbformat.write(graded, root / "autograded" / STUDENT / "hw" / f"{name}.ipynb")
            notebook.cells = [cell for cell in notebook.cells if cell.source not in (FORGED, FORMULAS, DREW)]
            nbformat.write(notebook, root / "source" / "hw" / f"{name}.ipynb")

    def _add(self, book: Gradebook, name: str, notebook: NotebookNode) -> None:
        book.add_notebook(name, "hw")
        for cell in notebook.cells:
            about = cell.metadata.get("nbgrader")
            if not about:
                continue
            if about.grade:
                book.add_grade_cell(about.grade_id, name, "hw", max_score=about.points, cell_type=cell.cell_type)
            if about.solution:
                book.add_solution_cell(about.grade_id, name, "hw")
            if about.task:
                book.add_task_cell(about.grade_id, name, "hw", max_score=about.points, cell_type=cell.cell_type)
            about.checksum = compute_checksum(cell)
            more = {
                "cell_type": cell.cell_type,
                "source": cell.source,
                "locked": about.locked,
                "checksum": about.checksum,
            }
            book.add_source_cell(about.grade_id, name, "hw", **more)

    def write(self) -> dict[str, Path]:
        """The pages by notebook."""
        folder = CourseDirectory(root=str(self.root), assignment_id="hw", db_url=self.url)
        options = {
            "exporter_class": "autograder.feedback.FeedbackPage",
            "preprocessors": ["autograder.feedback.HideHiddenTests"],
        }
        GenerateFeedback(coursedir=folder, **options).start()
        made = self.root / "feedback" / STUDENT / "hw"
        return {file.stem: file for file in made.glob("*.html")}
