"""`autograder refresh`: all five cells follow the forward pass, and nothing that the author wrote is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest

from autograder.authoring.cells import PICTURE
from autograder.authoring.notebook import five_cells, insert
from autograder.authoring.refresh import Refreshed, refresh
from autograder.authoring.source import grade_id
from autograder.drawing.picture import Picture
from tests.authoring.notebooks import FORWARD, SOLUTION, find, marked, replaced, six, solved, without


@pytest.fixture
def notebook() -> Any:
    """ps1 with the example's q7, written out by its author."""
    made = six()
    _, cells = five_cells(FORWARD, "Q7. Two paths from t", made)
    insert(made, cells)
    find(made, "q7").source = solved(find(made, "q7").source, SOLUTION)
    statement = find(made, "q7-statement")
    statement.source = statement.source.replace("TODO: what this", "Mine. `p = s * t` comes first. What this")
    statement.source = statement.source.replace("TODO", "My hint.")
    return made


def said(done: Refreshed) -> list[str]:
    return [f"{change.cell}: {change.what}" for change in done.changes]


def test_what_new_writes_is_up_to_date_and_refreshing_twice_changes_nothing(notebook: Any) -> None:
    done = refresh(notebook)
    assert (said(done), done.to_review, done.faults) == ([], [], {})
    assert done.notebook == notebook


def test_a_changed_forward_pass_reaches_all_five_cells_and_the_authors_words_stay(notebook: Any) -> None:
    forward = """@question(wrt="u", at={"s": 0.5, "u": 1.5}, domain={"s": (-2, 2), "u": (0.5, 2)})
def q7(s, u):
    # the product first
    p = s*u
    g = torch.tanh(p)
    return g"""
    seed = re.findall(r'seed="(\w+)"', find(notebook, "q7-hidden").source)
    find(notebook, "q7-forward").source = forward
    find(notebook, "q7-check").source += "\n# mine"
    done = refresh(notebook, ["q7"])
    statement, answer, check, hidden = (
        find(done.notebook, f"q7{s}").source for s in ("-statement", "", "-check", "-hidden")
    )
    assert "## Q7. Two paths from t" in statement
    assert "Mine. `p = s * t` comes first." in statement
    assert statement.count("My hint.") == 3
    assert "your value `g` and your derivative `dgdu`" in statement
    assert "at s = 0.5, u = 1.5 and a few other points in the check below" in statement
    assert "u between 0.5 and 2." in statement
    assert "Computation graph of q7: p = s * u; g = torch.tanh(p). Adjoints to fill in" in statement
    assert answer.startswith(
        "def grad_q7(s, u):\n    # the product first\n    p = s*u\n    g = torch.tanh(p)\n\n    ### BEGIN SOLUTION\n"
    )
    assert SOLUTION in answer
    assert answer.endswith("    return g, dgdu")
    assert "compares g and dgdu with torch's at s = 0.5, u = 1.5, and then at" in check
    assert 'q7.check(at={"u": 0.5})' in check
    assert check.endswith("q7.check()\n# mine")
    assert "they compare g and dgdu with torch's" in hidden
    assert re.findall(r'seed="(\w+)"', hidden) == seed
    assert done.to_review == [
        "q7-statement: it still mentions `p = s * t`, which is no line of the forward pass now.",
        "q7-statement: the forward pass has changed; read its formula and hints again.",
        "q7: the solution uses `r`, `t`, which nothing defines now: change these lines.",
    ]
    assert refresh(done.notebook, ["q7"]).changes == []
    untouched = [c for c in six().cells if not grade_id(c).startswith("q7")]
    assert [c for c in done.notebook.cells if not grade_id(c).startswith("q7")] == untouched


def test_a_solution_is_run_and_its_verdict_told(notebook: Any) -> None:
    replaced("q7-forward", "q = torch.log(t)", "q = torch.log(t + 1)")(notebook)
    done = refresh(notebook, ["q7"])
    assert said(done) == ["q7-statement: the picture is", "q7: the given lines are"]
    assert done.to_review[1].startswith("q7: your own solution does not earn full marks: dhdt is not right")
    replaced("q7", "dhdq / t", "dhdq / (t + 1)")(done.notebook)
    assert refresh(done.notebook, ["q7"]).to_review == []


def test_adjoints_of_nodes_that_are_gone_are_named(notebook: Any) -> None:
    find(notebook, "q7-forward").source = FORWARD.replace("q = torch.log(t)", "w = torch.log(t)").replace(
        "r + q", "r + w"
    )
    look = refresh(notebook, ["q7"]).to_review
    assert look[-2:] == [
        "q7: the solution gives `dhdq`, but the forward pass has no such node: change these lines.",
        "q7: the solution does not name `dhdw`: add a line for each adjoint.",
    ]


def test_points_come_from_the_create_assignment_panel(notebook: Any) -> None:
    marked("q7-hidden", "points", 5)(notebook)
    marked("q7-check", "points", 1)(notebook)
    done = refresh(notebook, ["q7"])
    assert "**Points:** 6: 1 for the check and 5 for the hidden points." in find(done.notebook, "q7-statement").source
    assert (
        "you can still earn up to 2.5: a share for each step that your lines show and have right"
        in find(done.notebook, "q7-statement").source
    )
    assert "q7.grade(points=5, seed=" in find(done.notebook, "q7-hidden").source


@pytest.mark.parametrize("form", ["{}, seed", "points = {}, seed", "\n    {},\n    seed", "'é', {}, seed"])
def test_points_of_the_panel_are_written_however_the_call_gives_them(notebook: Any, form: str) -> None:
    hidden = find(notebook, "q7-hidden")
    assert "points=8, seed" in hidden.source
    hidden.source = hidden.source.replace("points=8, seed", form.format(8)) + "\nq1.grade(8)  # points=8"
    wanted = hidden.source.replace(form.format(8), form.format(5 if "é" not in form else 8))
    marked("q7-hidden", "points", 5)(notebook)
    assert find(refresh(notebook, ["q7"]).notebook, "q7-hidden").source == wanted


RETURNS = (
    "return (\n        h,\n        {},\n    )",
    "return h, \\\n        {}",
    "return(h, {})",
    "return h, {}  # mine",
)


@pytest.mark.parametrize("form", RETURNS)
@pytest.mark.parametrize("below", ["", "\n\n# below", "\n\n\nprint(1)"])
def test_a_return_is_written_anew_as_a_whole_and_only_where_it_says_something_else(
    notebook: Any, form: str, below: str
) -> None:
    answer = find(notebook, "q7")
    assert answer.source.endswith("    return h, dhdt")
    start = answer.source.removesuffix("return h, dhdt")
    answer.source = start + form.format("dhdt") + below
    assert said(refresh(notebook, ["q7"])) == []
    answer.source = start + form.format("dhds") + below
    done = refresh(notebook, ["q7"])
    assert find(done.notebook, "q7").source == f"{start}return h, dhdt{below}"
    assert done.to_review == []


def test_a_magic_in_a_solution_is_no_syntax_error(notebook: Any) -> None:
    replaced("q7", "    dhdr = 1\n", "    %time dhdr = 1\n    %precision 4\n")(notebook)
    done = refresh(notebook, ["q7"])
    assert (said(done), done.to_review) == ([], [])
    replaced("q7", "    dhdq = 1\n", "    dhdq = = 1\n")(notebook)
    line = find(notebook, "q7").source.split("\n").index("    dhdq = = 1") + 1
    assert refresh(notebook, ["q7"]).to_review == [
        f"q7: the solution has a syntax error in line {line}: invalid syntax."
    ]


def test_a_magic_above_a_forward_pass_is_no_error(notebook: Any) -> None:
    find(notebook, "q7-forward").source = "\n%precision 4\n" + find(notebook, "q7-forward").source
    done = refresh(notebook, ["q7"])
    assert (said(done), done.to_review, done.faults) == ([], [], {})


def test_a_cell_that_ends_python_is_told_with_its_name_and_the_others_are_refreshed(notebook: Any) -> None:
    replaced("q1-forward", "@question", "import sys\nsys.exit()\n@question")(notebook)
    done = refresh(notebook, judge=False)
    assert done.faults == {"q1": "The cell q1-forward stopped with SystemExit. Correct it."}
    assert "q7" in done.questions


def test_missing_cells_are_put_back_in_their_places(notebook: Any) -> None:
    ids = [grade_id(c) for c in notebook.cells]
    without("q7-statement", "q7-check", "q7-hidden")(notebook)
    done = refresh(notebook, ["q7"])
    assert [grade_id(c) for c in done.notebook.cells] == ids
    assert find(done.notebook, "q7-hidden").metadata.nbgrader.points == 8
    assert done.to_review == ["q7-statement: the cell was missing and is new: write what it still lacks."]


def test_a_question_that_cannot_be_made_is_named_and_the_others_are_refreshed(notebook: Any) -> None:
    replaced("q1-forward", "a * a", "a // a")(notebook)
    replaced("q7-forward", "(0.5, 3)", "(0.5, 2.5)")(notebook)
    done = refresh(notebook)
    assert list(done.faults) == ["q1"]
    assert "`//` has no useful derivative" in done.faults["q1"]
    assert said(done) == ["q7-statement: the sentence on where it is tested is"]


def test_the_set_up_cell_and_helpers_are_what_the_notebook_says(notebook: Any) -> None:
    find(notebook, "setup").source = "%matplotlib inline\nfrom math import pi\n" + find(notebook, "setup").source
    replaced("q7-forward", "p = s * t", "p = s * t * pi")(notebook)
    done = refresh(notebook, ["q7"])
    assert done.faults == {}
    assert "p = s * t * pi" in find(done.notebook, "q7").source


@pytest.mark.parametrize("old", ["![The computation graph of q7](data:image/svg+xml;base64,AAAA)", ""])
def test_the_picture_is_last_whatever_it_was_before(notebook: Any, old: str) -> None:
    statement = find(notebook, "q7-statement")
    new = PICTURE.findall(statement.source)
    title, rest = statement.source.split("\n\n", 1)
    statement.source = f"{title}\n\n{old}\n\n{PICTURE.sub('', rest).rstrip()}"
    done = find(refresh(notebook, ["q7"]).notebook, "q7-statement").source
    assert PICTURE.findall(done) == new
    assert done.endswith(new[0])
    assert "![" not in done
    assert max(len(line) for line in done.split("\n")[:-1]) < 400


def test_a_picture_is_one_img_that_any_markdown_shows_with_words_for_who_cannot_see_it() -> None:
    made = Picture('<svg viewBox="0 0 717.8 267.5" xmlns="http://www.w3.org/2000/svg"></svg>').img('a "b"\n< c')
    assert re.fullmatch(
        r'<img alt="a &quot;b&quot; &lt; c" width="718" style="max-width:100%;height:auto" '
        r'src="data:image/svg\+xml;base64,[A-Za-z0-9+/=]+">',
        made,
    )
    assert PICTURE.fullmatch(made)
