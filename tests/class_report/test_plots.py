"""The drawings say every number in words and in print, and their names are text and no commands."""

from __future__ import annotations

from xml.etree import ElementTree

from autograder.class_report import plots
from autograder.class_report.figures import figures
from autograder.class_report.mistakes import Mistake
from autograder.feedback import outputs
from tests.class_report.test_figures import POINTS, work


def test_the_histogram_tells_every_bin_to_whoever_does_not_see_it() -> None:
    drawing = plots.marks(figures(work(POINTS)))
    ElementTree.fromstring(drawing)
    told = outputs.described(drawing)
    assert told.startswith("How many students have how many points. Points and students: 0 to 3: 0, 3 to 6: 0")
    assert "9 to 12: 2" in told


def test_a_bar_tells_what_became_of_the_answers_and_differs_by_more_than_colour() -> None:
    drawing = plots.questions(figures(work(POINTS, {("cy", "q1"): Mistake("", "not answered")})).questions)
    assert "q1: 2 all points, 1 some, 1 not answered, 1 wait for a person" in outputs.described(drawing)
    assert "<pattern" in drawing  # hatching


def test_names_are_shown_as_they_are_whatever_is_in_them() -> None:
    made = work({"a": (1.0,), "b": (2.0,)})
    for hostile in (r"$\frac{1}{$", "</title><script>", "x" * 500, "日本", "a_b^c$d$"):
        (question,) = made.questions
        renamed = type(question)(hostile, "nb", ("q1",), ("q1",), 10)
        made.questions, made.answers[hostile] = [renamed], made.answers[question.name]
        drawing = plots.questions(figures(made).questions)
        ElementTree.fromstring(drawing)
        assert "<script" not in drawing


def test_an_assignment_without_points_and_one_with_many_questions_are_drawn() -> None:
    made = work({"a": (0.0,), "b": (0.0,)})
    made.possible = 0.0
    assert ElementTree.fromstring(plots.marks(figures(made))).tag.endswith("svg")
    many = figures(work({"a": (1.0,) * 80, "b": (10.0,) * 80}))
    drawing = plots.questions(many.questions)
    assert ElementTree.fromstring(drawing).tag.endswith("svg")
    told = outputs.described(drawing)
    drawn = [question.name for question in many.questions if f"{question.name}: 1 all points" in told]
    assert drawn == [question.name for question in many.questions[:60]]  # the page's table has all of them
