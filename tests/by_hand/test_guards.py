"""The by-hand guards at work in check and grade: nothing earned, the line named, honest work untouched."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder import CheckFailed, by_hand_list
from autograder.rooms import by_hand_table
from autograder.verdict.judge import Kind
from tests.conftest import NAMES, QUESTIONS, Class
from tools.sample_class import cells, students

VALUE = "    f = 3 + 6*x + 7*x**2 + 3*x**3 + 8*x**4\n"
BACKWARD = f"""
def grad_q5(x):
    x = x.clone().requires_grad_()
{VALUE}    f.backward()
    return f.detach(), x.grad
"""


def test_a_derivative_from_autograd_earns_nothing_and_the_line_is_named(
    student: Class, capsys: pytest.CaptureFixture[str]
) -> None:
    student.run(BACKWARD)
    assert student.grade(QUESTIONS["q5"]) == 0.0
    told = " ".join(capsys.readouterr().out.split())
    assert told == (
        "q5: 0 of 8 points. grad_q5 takes its derivative from torch.autograd (line 4: `f.backward()`): write each link "
        "with the rules of differentiation. In a cell of your own you may use it to check yourself."
    )
    with pytest.raises(CheckFailed, match=r"takes its derivative from torch\.autograd \(line 4"):
        student.check(QUESTIONS["q5"])


def test_neither_do_its_links(student: Class) -> None:
    source = BACKWARD.replace("    return", "    dfda = dfdb = dfdc = dfdd = 1\n    return").replace(
        "x.grad", "x.grad * 2"
    )
    student.run(source)
    assert student.grade(QUESTIONS["q5"]) == 0.0


def test_autograd_in_a_cell_of_ones_own_costs_nothing(student: Class) -> None:
    student.run(f"x = torch.tensor(2.0, requires_grad=True)\n{VALUE.strip()}\nf.backward()\nprint(x.grad)\n")
    student.run(f"def grad_q5(x):\n{VALUE}    return f, 6 + 14*x + 9*x**2 + 32*x**3\n")
    assert student.verdict(QUESTIONS["q5"]).right


def test_what_is_on_no_list_keeps_its_marks_and_is_listed(student: Class, capsys: pytest.CaptureFixture[str]) -> None:
    answer = f"def grad_q5(x):\n{VALUE}    torch.optim\n    return f, 6 + 14*x + 9*x**2 + 32*x**3\n"
    student.run("import torch.optim\n" + answer)
    verdict = student.verdict(QUESTIONS["q5"])
    assert verdict.right
    assert [f.rule for f in verdict.findings] == ["unknown-package"]
    student.grade(QUESTIONS["q5"])
    assert "a package that the grader does not know (line 4: `torch.optim`)" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_machine_hidden_from_the_reader_is_seen_by_the_watcher(student: Class) -> None:
    import torch

    def machine(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = x.clone().requires_grad_()
        f = 3 + 6 * x + 7 * x**2 + 3 * x**3 + 8 * x**4
        f.backward()
        assert x.grad is not None
        return f.detach(), x.grad

    student.namespace["machine"] = machine  # from no cell
    assert student.verdict(QUESTIONS["q5"], "def grad_q5(x):\n    return machine(x)\n").kind is Kind.NOT_BY_HAND


def test_text_that_the_watcher_quotes_must_be_a_line_of_the_notebook(student: Class) -> None:
    source = "import linecache\n" + BACKWARD.replace(
        "    f.backward()", "    linecache.cache[f'<{x.item()}>'] = (1, None, [], '')\n    f.backward()"
    )
    verdict = student.verdict(QUESTIONS["q5"], source)
    quoted = re.findall(r"`([^`]+)`", verdict.text)
    assert all(text in source for text in quoted if text != ".grad")


@pytest.mark.parametrize("name", [n for n in students() if n != "gus"])
def test_the_sample_class_is_accused_of_nothing(name: str, student: Class) -> None:
    for cell, source in cells(students()[name]):
        if cell in NAMES:
            student.run("def sig(x):\n    return torch.sigmoid(x)\n")
            student.run(source)
            assert student.verdict(QUESTIONS[cell]).findings == ()
        elif "import" in source and "torch" not in source:
            student.run(source)


def rows(file: Path) -> list[tuple[str, str, str]]:
    return [(r["student"], r["question"], r["rule"]) for r in by_hand_list.read(file)]


def test_the_instructors_list_replaces_a_submissions_own_rows_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "by_hand.csv"
    ada, bo = ({"student": s, "assignment": "ps1", "notebook": "problems"} for s in ("ada", "bo"))
    finding = {"outcome": "listed", "rule": "outside", "line": 3, "source": "open('x')"}
    by_hand_list.replace(file, [(ada, [{**ada, "question": "q1", **finding}, {**ada, "question": "q2", **finding}])])
    by_hand_list.replace(file, [(bo, [{**bo, "question": "q1", **finding}])])
    by_hand_list.replace(file, [(ada, [{**ada, "question": "q3", **finding}])])
    assert rows(file) == [("bo", "q1", "outside"), ("ada", "q3", "outside")]
    by_hand_table.print_table(file)
    assert "By hand: 2 to look at" in capsys.readouterr().out
    by_hand_list.replace(file, [(bo, [])])
    by_hand_list.replace(file, [(ada, [])])
    assert rows(file) == []


def test_nothing_on_the_list_runs_in_a_spreadsheet_and_a_hostile_name_is_still_found_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "by_hand.csv"
    who = {"student": "=cmd|' /c calc'!A1", "assignment": "ps1", "notebook": "problems"}
    finding = {"question": "q1", "outcome": "listed", "rule": "outside", "line": 3}
    for _ in range(2):
        by_hand_list.replace(file, [(who, [{**who, **finding, "source": "-x\x1b[2J\n\ud800;=1+1"}])])
    (row,) = by_hand_list.read(file)
    assert (row["student"], row["source"], row["line"]) == ("'=cmd|' /c calc'!A1", "'-x [2J ?;'=1+1", "3")
    by_hand_table.print_table(file)
    assert "\x1b" not in capsys.readouterr().out
    by_hand_list.replace(file, [(who, [])])
    assert by_hand_list.read(file) == []
