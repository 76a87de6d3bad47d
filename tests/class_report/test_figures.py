"""The figures are those that one gets by hand, and by another program."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.class_report.entries import Question
from autograder.class_report.figures import Figures, Row, figures
from autograder.class_report.mistakes import Mistake
from autograder.class_report.work import Answer, Student, Work
from autograder.terminal.report import Reason

POINTS = {  # of 10 each; None waits for a person
    "ada": (10, 10, 8),
    "bo": (2, 10, 6),
    "cy": (0, 3, 7),
    "dee": (10, 0, None),
    "eli": (None, None, None),
}
NODES = ("x", "a", "b", "f")


def work(points: dict[str, tuple[float | None, ...]], mistakes: dict[tuple[str, str], Mistake] | None = None) -> Work:
    """A class with these points in q1, q2 …, of 10 each."""
    names = [f"q{n}" for n in range(1, len(next(iter(points.values()))) + 1)]
    made = Work("ps1", 10.0 * len(names), questions=[Question(n, "nb", (n,), (n,), 10) for n in names])
    for student, those in points.items():
        pending, final = None in those, any(p is not None for p in those)
        score = sum(p or 0 for p in those)
        made.students.append(
            Student(student, score, f"2026-11-30 1{len(made.students)}:00", False, pending, final, frozenset())
        )
        for name, earned in zip(names, those, strict=True):
            mistake = (mistakes or {}).get((student, name))
            made.answers[name].append(Answer(student, earned or 0.0, earned is None, f"{name}", "said", mistake))
    made.nodes = dict.fromkeys(names, NODES)
    return made


def row(made: Figures, name: str) -> Row:
    return next(row for row in made.questions if row.name == name)


def test_the_marks_are_those_of_everybody_who_has_final_points() -> None:
    made = figures(work(POINTS))
    assert (made.graded, made.marked, made.waiting) == (5, 4, 2)
    assert (made.mean, made.median) == (16.5, 14.0)  # 28, 18, 10, 10
    assert made.deviation == pytest.approx(np.std([28, 18, 10, 10], ddof=1))
    assert {(bin.low, bin.high): bin.students for bin in made.bins if bin.students} == {
        (9, 12): 2,
        (18, 21): 1,
        (27, 30): 1,
    }
    assert (made.first, made.median_time, made.last) == ("2026-11-30 10:00", "2026-11-30 12:00", "2026-11-30 14:00")


def test_the_last_bin_holds_the_maximum_and_what_is_beyond_and_the_first_what_is_below() -> None:
    made = figures(work({"a": (10.0,), "b": (12.5,), "c": (-1.0,), "d": (1.0,), "e": (0.3 * 3 + 0.1,)}))
    assert [bin.students for bin in made.bins] == [1, 2, 0, 0, 0, 0, 0, 0, 0, 2]


def test_a_row_divides_its_students_by_what_they_earned() -> None:
    made = figures(work(POINTS, {("cy", "q1"): Mistake("", "not answered"), ("bo", "q1"): Mistake("dfda", "sign")}))
    q1 = row(made, "q1")
    assert (q1.counted, q1.waiting, q1.mean) == (4, 1, 5.5)
    assert (q1.full, q1.partly, q1.none, q1.unanswered) == (2, 1, 0, 1)
    q2 = row(made, "q2")
    assert (q2.full, q2.partly, q2.none, q2.unanswered) == (2, 1, 1, 0)
    assert (row(made, "q3").counted, row(made, "q3").waiting, row(made, "q3").mean) == (3, 2, 7)


def test_discrimination_is_the_correlation_with_all_other_questions() -> None:
    made = figures(work({name: of for name, of in POINTS.items() if None not in of}))
    points = np.array([of for of in POINTS.values() if None not in of], dtype=float)
    for n in range(3):
        rest = points.sum(axis=1) - points[:, n]
        assert row(made, f"q{n + 1}").discrimination == pytest.approx(np.corrcoef(points[:, n], rest)[0, 1])


def test_a_question_that_waits_for_somebody_is_in_no_sum_and_who_waits_everywhere_in_none() -> None:
    made = figures(work(POINTS))
    q1, q2, q3 = [10, 2, 0, 10], [10, 10, 3, 0], [8, 6, 7]
    assert row(made, "q1").discrimination == pytest.approx(np.corrcoef(q1, q2)[0, 1])
    both = [a + b for a, b in zip(q1[:3], q2[:3], strict=True)]
    assert row(made, "q3").discrimination == pytest.approx(np.corrcoef(q3, both)[0, 1])


@pytest.mark.parametrize(
    "points",
    [
        {"a": (10, 5), "b": (2, 3)},  # two points are on a line whatever they are
        {"a": (10, 5), "b": (10, 3), "c": (10, 1)},  # everybody the same
        {"a": (10,), "b": (2,), "c": (4,)},  # no other question
        {"a": (None, None), "b": (None, None), "c": (None, None)},
    ],
)
def test_where_nothing_can_be_said_no_discrimination_is(points: dict[str, tuple[float | None, ...]]) -> None:
    assert row(figures(work(points)), "q1").discrimination is None


def test_a_heat_map_counts_who_broke_what_by_what_from_the_output_down() -> None:
    mistakes = {
        **{(name, "q1"): Mistake("dfdb", "sign") for name in "abc"},
        **{(name, "q1"): Mistake("dfdb", "missing factor") for name in "de"},
        ("f", "q1"): Mistake("dfdb", "rule of powers"),
        ("g", "q1"): Mistake("dfdx", "sign"),
        ("h", "q1"): Mistake("", "not answered"),
    }
    q1 = row(figures(work(dict.fromkeys("abcdefgh", (0.0,)), mistakes)), "q1")
    assert q1.wheres == ["dfdb", "dfdx"]
    assert q1.whats == ["sign", "missing factor", "rule of powers"]
    assert [(cell.where, cell.what, cell.students) for cell in q1.cells] == [
        ("dfdb", "sign", 3),
        ("dfdb", "missing factor", 2),
        ("dfdb", "rule of powers", 1),
        ("dfdx", "sign", 1),
        ("", "not answered", 1),
    ]
    assert q1.sentences == [
        "6 of 8 broke `dfdb`: 3 by the sign, 2 by a missing factor, 1 otherwise.",
        "1 of 8 broke `dfdx`: 1 by the sign.",
    ]
    assert [(cell.what, cell.students) for cell in q1.others] == [("not answered", 1)]
    assert q1.cell("dfdx", "missing factor") is None


def test_answers_that_are_the_same_but_for_layout_and_comments_are_one_and_the_most_frequent_is_first() -> None:
    made = work(
        dict.fromkeys(("s10", "s2", "s3", "s4"), (0.0,)),
        {(n, "q1"): Mistake("", "w") for n in ("s10", "s2", "s3", "s4")},
    )
    sources = {"s10": "x = 1  # one\ny", "s2": "x = 1\ny\n", "s3": "x = 1\nz", "s4": "x = 1\ny"}
    made.answers["q1"] = [Answer(a.student, 0, False, sources[a.student], "", a.mistake) for a in made.answers["q1"]]
    (cell,) = row(figures(made), "q1").cells
    assert [(group.source, group.students) for group in cell.groups] == [
        ("x = 1  # one\ny", ("s10", "s2", "s4")),
        ("x = 1\nz", ("s3",)),
    ]


def test_whoever_needs_a_person_and_what_is_listed_is_counted_by_the_reason() -> None:
    made = work({"a": (1.0,), "b": (1.0,)})
    made.students = [Student(s.name, 1, "", False, False, True, frozenset({Reason.STOPPED})) for s in made.students]
    made.by_hand = [{"outcome": outcome} for outcome in ("listed", "forbidden", "listed")]
    counted = figures(made)
    assert counted.people == {Reason.STOPPED: 2}
    assert counted.by_hand == {"listed": 2, "forbidden": 1}
    assert (counted.first, counted.last) == ("", "")
