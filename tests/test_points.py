"""The hidden points keep every rule of the design."""

from __future__ import annotations

from autograder import Question
from autograder.calculus.admission import kinks
from autograder.calculus.points import COUNT


def test_points_are_24_distinct_dyadic_points_within_the_domain(question: Question) -> None:
    for seed in range(5):
        points = [r.point for r in question._testbed.draw(seed)]
        assert len({tuple(p.values()) for p in points}) == COUNT
        for point in points:
            for name, value in point.items():
                low, high = question.domain[name]
                assert low <= value <= high
                assert (value * 64).is_integer()


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


def test_at_some_point_the_paths_do_not_cancel(question: Question) -> None:
    references = question._testbed.draw(0)
    assert any(0 < r.scales[question.wrt] <= 2 * abs(r.adjoints[question.wrt]) for r in references)
