"""The hidden points keep every rule of the design."""

from __future__ import annotations

from autograder import Question, QuestionError
from autograder.calculus.admission import kinks
from autograder.calculus.points import COUNT, telling
from tests.conftest import make_question


def test_points_are_24_distinct_dyadic_points_between_those_of_a_grid_within_the_domain(question: Question) -> None:
    for seed in range(5):
        points = [r.point for r in question._testbed.draw(seed)]
        assert len({tuple(p.values()) for p in points}) == COUNT
        for point in points:
            for name, value in point.items():
                low, high = question.domain[name]
                assert low <= value <= high
                assert (value * 2**15).is_integer()
                assert 0.25 < abs(value * 64 - round(value * 64)) < 0.5


def test_public_points_are_on_the_grid_and_print_shortly(question: Question) -> None:
    for reference in question._testbed.draw("seed", public=True):
        assert all((value * 64).is_integer() for value in reference.point.values())


def test_no_point_is_lazy(question: Question) -> None:
    for reference in question._testbed.draw(0):
        values = list(reference.point.values())
        assert not {0.0, 1.0, -1.0} & set(values)
        assert len(set(values)) == len(values)


def test_both_signs_appear_where_the_domain_has_both(question: Question) -> None:
    for name, (low, high) in question.domain.items():
        if low < 0 < high:
            signs = [r.point[name] > 0 for r in question._testbed.draw(0)]
            assert 4 <= sum(signs) <= 20


def test_a_third_of_the_points_lies_on_each_side_of_a_relu_and_none_near_it(question: Question) -> None:
    gaps = [kinks(question.forward, r.point) for r in question._testbed.draw(3)]
    if question.name == "q2":
        assert all(abs(gap) >= 0.25 for (gap,) in gaps)
        assert 8 <= sum(gap > 0 for (gap,) in gaps) <= 16
    else:
        assert gaps == [[]] * COUNT


def test_the_same_seed_gives_the_same_points_and_another_seed_others(question: Question) -> None:
    draw = type(question._testbed)(question.forward, question.wrt, question.domain).draw
    again = type(question._testbed)(question.forward, question.wrt, question.domain).draw
    assert [r.point for r in draw("s")] == [r.point for r in again("s")]
    assert [r.point for r in draw("s")] != [r.point for r in draw("t")]


def test_at_some_point_one_per_cent_can_be_told(question: Question) -> None:
    references = question._testbed.draw(0)
    assert any(telling(references, question.wrt))


# Four points in 24 must have a negative x, which one coordinate in 514 is: about every third seed finds too few.
UNLIKELY = """
@question(wrt="x", at={"x": 2.0, "y": 1.5}, domain={"x": (-0.015625, 8), "y": (0.5, 2)})
def p(x, y):
    a = x * y
    return a
"""


def test_a_seed_that_gives_no_points_is_drawn_on_with_the_next_number() -> None:
    testbed = make_question(UNLIKELY)._testbed

    def once(seed: str) -> object:
        try:
            return testbed.draw_once(seed)
        except QuestionError:
            return None

    drawn = {seed: once(seed) for seed in "abcdefgh"}
    assert 0 < sum(points is None for points in drawn.values()) < 8
    for seed, points in drawn.items():
        numbers = (f"{seed}/{number}" for number in range(1, 20))
        assert testbed.draw(seed) == (points or next(filter(None, map(once, numbers))))


LAST_OF_ALWAYS = {
    "q1": {"a": 2.96875, "b": -2.9375},
    "q2": {"b": -0.15625, "x": 1.59375, "w": -0.53125},
    "q3": {"b": -0.125, "x": 0.875, "w": 0.78125},
    "q4": {"x": -1.5},
    "q5": {"x": -1.453125},
    "q6": {"x": 1.859375, "y": 0.953125, "z": 0.5},
}


def test_a_seed_gives_points_beside_those_that_it_has_always_given(question: Question) -> None:
    last = question._testbed.draw("always")[-1].point
    assert {n: round(value * 64) / 64 for n, value in last.items()} == LAST_OF_ALWAYS[question.name]
