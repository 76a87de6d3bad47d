"""Who counts in a report, and what is known of each answer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder.class_report.mistakes import Mistake
from autograder.class_report.work import Answer, Work
from autograder.terminal.report import Reason
from tests.class_report import mixed
from tests.class_report.conftest import read


def answers(work: Work, question: str) -> dict[str, Answer]:
    return {answer.student: answer for answer in work.answers[question]}


def test_who_is_graded_counts_and_everybody_else_is_known(mixed_work: Work) -> None:
    assert [student.name for student in mixed_work.students] == ["ada", "bo", "cy", "dee", "gil"]
    assert (mixed_work.ungraded, mixed_work.nothing, mixed_work.unread) == (["eve"], ["fay"], [])
    assert {s.name for s in mixed_work.students if s.late} == {"bo"}
    assert {s.name for s in mixed_work.students if s.pending} == {"bo", "cy", "gil"}
    assert {s.name for s in mixed_work.students if not s.final} == {"gil"}
    assert {s.name: s.reasons for s in mixed_work.students if s.reasons} == {"gil": {Reason.UNREADABLE}}
    assert [round(student.score, 2) for student in mixed_work.students] == [19, 3.2, 3.2, 0, 0]


def test_a_question_is_a_column_of_the_grades_with_its_cells_and_the_notebook_it_is_in(mixed_work: Work) -> None:
    assert [(q.name, q.notebook, q.cells, q.possible) for q in mixed_work.questions] == [
        ("code/q6", "code", ("q6-check", "q6-hidden"), 10),
        ("code/slope-test", "code", ("slope-test",), 4),
        ("words/draw", "words", ("draw",), 2),
        ("words/why", "words", ("why",), 3),
    ]
    assert mixed_work.possible == 19


def test_each_answer_has_its_source_and_what_was_wrong_with_it(mixed_work: Work) -> None:
    q6 = answers(mixed_work, "code/q6")
    assert q6["ada"] == Answer("ada", 10, False, mixed.RIGHT)
    assert q6["bo"].source == mixed.SIGN
    assert q6["bo"].mistake == q6["cy"].mistake == Mistake("dfdb", "sign")
    assert "The first wrong link is df_db." in q6["cy"].said
    assert q6["dee"].mistake == Mistake("", "not answered")
    assert (q6["gil"].pending, q6["gil"].mistake) == (True, None)
    assert mixed_work.nodes["code/q6"] == ("x", "y", "z", "a", "b", "c", "d", "e", "f")


def test_an_ordinary_test_says_at_which_of_its_statements_it_stopped(mixed_work: Work) -> None:
    slope = answers(mixed_work, "code/slope-test")
    assert {name: answer.mistake for name, answer in slope.items()} == {
        "ada": None,
        "bo": Mistake("", "fails at `assert x == 6, f'{x} is not 6'`"),
        "cy": Mistake("", "stops with NameError at `x = slope(3)`"),
        "dee": Mistake("", "not answered"),
        "gil": None,
    }
    assert slope["bo"].said == "AssertionError: 3 is not 6"
    assert slope["cy"].source == mixed.HOSTILE


def test_what_a_person_marks_is_open_until_it_is_marked_and_then_counts(mixed_work: Work) -> None:
    why, draw = answers(mixed_work, "words/why"), answers(mixed_work, "words/draw")
    assert why["ada"] == Answer("ada", 3, False, "Because.")
    assert (why["bo"].pending, why["bo"].mistake, why["bo"].source) == (True, None, "I think.")
    assert why["dee"].mistake == Mistake("", "not answered")
    # A task is answered in cells of the student's own, which nobody can name: the text above it is not its answer.
    assert draw["dee"].mistake == Mistake("", "fewer points, given by a person")
    assert draw["dee"].source == ""


def test_a_graded_notebook_that_is_gone_or_broken_costs_its_answers_only(mixed_course: Path, tmp_path: Path) -> None:
    root = tmp_path / "course"
    shutil.copytree(mixed_course, root)
    (root / "autograded/ada/ps1/words.ipynb").unlink()
    (root / "autograded/bo/ps1/code.ipynb").write_text('{"cells": [')
    work = read(root)
    assert work.unread == ["ada", "bo"]
    assert answers(work, "words/why")["ada"] == Answer("ada", 3, False)
    assert answers(work, "code/q6")["bo"].mistake == Mistake("", "fewer points, given by a person")
    assert answers(work, "code/q6")["cy"].mistake == Mistake("dfdb", "sign")


def test_the_by_hand_list_is_that_of_the_assignment_and_of_those_who_are_graded(
    mixed_course: Path, tmp_path: Path
) -> None:
    root = tmp_path / "course"
    shutil.copytree(mixed_course, root)
    head = "student,assignment,notebook,question,outcome,rule,line,source\n"
    rows = [f"{who},{what},code,q6,listed,inexact,,x\n" for who in ("bo", "eve") for what in ("ps1", "ps2")]
    (root / "by_hand.csv").write_text(head + "".join(rows))
    assert [(row["student"], row["assignment"]) for row in read(root).by_hand] == [("bo", "ps1")]
    (root / "by_hand.csv").write_bytes(b"\xff\xfe\x00")
    work = read(root)
    assert work.by_hand == []
    assert "by_hand.csv cannot be read: it is not UTF-8" in work.by_hand_unread


@pytest.mark.parametrize("known", ["2026-11-30 10:00:00", None])
def test_the_time_of_the_last_run_comes_from_what_was_handed_in(
    known: str | None, mixed_course: Path, tmp_path: Path
) -> None:
    from tests.class_report.test_attempts import notebook

    made = mixed.Made(tmp_path / "course", {"code": mixed.problems()})
    made.grade({"ada": mixed.answered({"q6": mixed.RIGHT})}, handed_in=known)
    folder = tmp_path / "course/submitted/ada/ps1"
    folder.mkdir(parents=True)
    (folder / "code.ipynb").write_text(notebook(q6="2026-11-29T08:00:00.123456Z", q5="2026-11-30T11:00:00Z"))
    work = read(tmp_path / "course")
    assert answers(work, "q6")["ada"].tried == "2026-11-29 08:00:00"
    # After the handing in nobody ran what was handed in.
    assert answers(work, "q5")["ada"].tried == ("" if known else "2026-11-30 11:00:00")
    assert answers(work, "q1")["ada"].tried == ""
