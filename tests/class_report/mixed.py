"""An assignment of every kind of cell, half graded: our question, an ordinary test, a text and a task."""

from __future__ import annotations

from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.rooms import reasons
from autograder.terminal.report import Reason
from tests.class_report.made import Cell, Cells, Made, answered, problems, raised
from tests.rooms.small import by_hand, marked
from tools.sample_class import cells, students

RIGHT = dict(cells(students()["ada"]))["q6"]
SIGN = RIGHT.replace("dfdc * -a", "dfdc * a")
TEST = "x = slope(3)\nassert x == 6, f'{x} is not 6'\nassert slope(0) == 0"
STUB = "def slope(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
HOSTILE = "</pre></code><script>document.title = 'taken'</script><img src=x onerror=alert(1)>\n\x1b[31m\u202egnirts"


def _task() -> NotebookNode:
    marks = {"grade_id": "draw", "grade": False, "locked": True, "solution": False, "task": True, "points": 2}
    return new_markdown_cell("Draw it.", metadata={"nbgrader": {"schema_version": 3, **marks}})


def failed(line: int, value: str = "", name: str = "AssertionError") -> Cell:
    """The ordinary test as it fails in this line of it."""
    source = TEST.split("\n")[line - 1]
    frame = f"Cell In[7], line {line}\n----> {line} {source}\n"
    return Cell(outputs=[raised(name, value, f"{name}  Traceback", frame, f"{name}: {value}")], points=0)


def course(root: Path) -> Made:
    """Ada is right; Bo and Cy are wrong in q6, Cy's ordinary test stops; Dee has dropped all; Gil's file is unreadable.

    Eve's work is not graded, Fay has handed in nothing.
    """
    ours = [c for c in problems() if c.metadata.get("nbgrader", {}).get("grade_id", "").startswith("q6")]
    code = [*ours, marked("slope", STUB, locked=False), marked("slope-test", TEST, 4), new_code_cell("mine")]
    made = Made(root, {"code": code, "words": [by_hand("why", 3), _task()]}, due="2026-12-01 18:00:00")
    essay = Cell("Because.", by_person=3, points=None)
    right: Cells = {"slope": Cell("def slope(x): return 2*x"), "slope-test": Cell(points=4)}
    made.grade({"ada": {**answered({"q6": RIGHT}), **right, "why": essay, "draw": Cell(by_person=2)}})
    waits: Cells = {"why": Cell("I think."), "draw": Cell()}
    wrong = {"slope": Cell("def slope(x): return x"), "slope-test": failed(2, "3 is not 6")}
    made.grade({"bo": {**answered({"q6": SIGN}), **wrong, **waits}}, handed_in="2026-12-02 09:00:00")
    stops = {"slope": Cell(HOSTILE), "slope-test": failed(1, "name 'slope' is not defined", "NameError")}
    renamed = SIGN.replace("df", "df_").replace("grad_q6", "grad_q6") + "  # mine"
    made.grade({"cy": {**answered({"q6": renamed}), **stops, **waits}})
    nothing: Cells = {
        **{name: Cell(unanswered=True, points=None if name in ("why", "draw") else 0) for name in ("q6", "slope")},
        "q6-check": Cell(points=0, outputs=[raised("CheckFailed", "There is no function grad_q6: run the cell.")]),
        "slope-test": failed(1, "", "NotImplementedError"),
        "why": Cell(points=0, unanswered=True),
        "draw": Cell(points=0),
    }
    made.grade({"dee": nothing})
    unread = {reasons.KEY: {"needs_a_person": [Reason.UNREADABLE.name], "ungradable": True}}
    made.grade({"gil": {name: Cell() for name in ("q6-check", "q6-hidden", "slope-test", "why", "draw")}}, **unread)
    made.hand_in("eve")
    made.enrol("fay")
    return made
