"""Rare agreement is listed whatever the names are; what many write, what is given and what is short is not."""

from __future__ import annotations

import math
import time

import pytest

from autograder.class_report import alike as alike_
from autograder.class_report.alike import PIECE, Alike, alike
from tests.class_report import mixed

RARE = """def grad_q6(x, y, z):
    u = x * 2
    v = torch.sin(y)
    h = v.reciprocal() * u * z + 1
    out = torch.tanh(torch.log(h))
    slope = (1 - out.square()) / h
    return out, slope * z * u * torch.cos(y) * v.reciprocal().square()
"""
USUAL = mixed.RIGHT


def compared(answers: dict[str, str], given: str = "") -> Alike:
    return alike({"q6": answers}, [given])


def a_class(size: int = 40, **others: str) -> dict[str, str]:
    """A class that writes the usual answer, but for these."""
    return {**{f"s{n}": USUAL for n in range(size - len(others))}, **others}


def test_the_usual_answer_makes_nobody_alike_however_many_write_it() -> None:
    for size in (2, 9, 40):
        found = compared(a_class(size))
        assert (found.pairs, found.found) == ((), 0)


@pytest.mark.parametrize(
    "other",
    [
        RARE,
        RARE.replace("slope", "k").replace("out", "res").replace("u", "w"),
        RARE.replace("    v = ", "    # the sine\n    v   =  ").replace("\n    return", "\n\n\n    return"),
        RARE.replace("    slope", "    nothing = 0\n    slope"),
    ],
    ids=["copied", "renamed", "commented", "a line more"],
)
def test_two_who_share_what_nobody_else_wrote_are_a_pair(other: str) -> None:
    found = compared(a_class(ada=RARE, bo=other))
    (pair,) = found.pairs
    assert pair.students == ("ada", "bo")
    assert [shared.question for shared in pair.questions] == ["q6"]
    assert pair.bits > found.least
    assert pair.questions[0].same > 0.8


def test_the_bits_are_those_of_the_stated_formula() -> None:
    pieces = 60
    text = " ".join(f"{n} +" for n in range(3, 3 + (pieces + PIECE - 1) // 2)) + " 1" * ((pieces + PIECE - 1) % 2)
    found = compared(a_class(101, ada=text, bo=text, cy=text))
    assert found.found == 3
    assert found.pairs[0].bits == pytest.approx(pieces / PIECE * math.log2(100 / 2))
    assert found.pairs[0].questions[0].same == 1
    assert found.least == pytest.approx(math.log2(100 * 101 * 100 / 2))


def test_what_a_fifth_of_the_class_shares_is_no_rare_agreement() -> None:
    for sharing, pairs in ((8, 8 * 7 / 2), (9, 0)):
        here = a_class(40, **dict.fromkeys((f"r{n}" for n in range(sharing)), RARE))
        assert alike({"q5": here, "q6": here}).found == pairs


def test_what_the_released_notebook_holds_counts_for_nobody() -> None:
    assert compared(a_class(ada=RARE, bo=RARE), given=RARE).found == 0


def test_short_answers_and_different_ones_are_no_pair() -> None:
    short = "def grad_q6(x, y, z):\n    return 1, 2"
    assert compared(a_class(ada=short, bo=short)).found == 0
    assert compared(a_class(ada=RARE, bo=mixed.HOSTILE)).found == 0


def test_habits_that_some_others_have_too_do_not_add_up_to_a_pair() -> None:
    habit = USUAL.replace("dfdc * -a / b**2", "-dfdc * a / (b * b)")
    answers = {}
    for n in range(20):
        some = {f"s{(7 * n + k) % 38}": habit for k in range(6)}
        answers[f"q{n}"] = {**a_class(ada=habit, bo=habit), **some}
    assert alike(answers).found == 0
    assert alike({q: {**of, "ada": RARE, "bo": RARE} for q, of in answers.items()}).found == 1


def test_a_text_is_compared_by_its_words() -> None:
    essay = (
        "Backpropagation walks the graph from its output and never visits one edge more than once, whatever happens. "
        "Whoever goes forwards instead has to start again for every argument, which is why nobody trains a net so. "
        "One pass back costs about as much as one pass forward, and gives all slopes. Its price is memory for values. "
    )
    another = " ".join(f"{word}{{0}}" for word in essay.split())
    essays = {f"s{n}": another.format(n) for n in range(38)} | {"ada": essay, "bo": essay.upper() + "So?"}
    (pair,) = alike({"why": essays}, texts={"why"}).pairs
    assert pair.students == ("ada", "bo")


@pytest.mark.parametrize(
    "hostile",
    [
        '"' * 20_000,
        "'''" + "x" * 20_000,
        "\\" * 20_000,
        "#" * 20_000,
        "(" * 20_000,
        "\udcff\x00\u202e" * 5_000,
        "_" * 20_000,
    ],
)
def test_what_is_no_python_takes_no_time_and_is_compared_all_the_same(hostile: str) -> None:
    begun = time.process_time()
    compared({"ada": hostile, "bo": hostile, "cy": RARE})
    assert time.process_time() - begun < 2
    assert compared(a_class(ada=f"{RARE}\n{hostile}", bo=f"{RARE}\n{hostile}")).found == 1


def test_comments_docstrings_and_layout_are_no_tokens() -> None:
    for text in ('"""One\n"two" three\n"""\nx = 1  # four\n', "x=1", "x  =\\\n 1\n# five", "'''six"):
        tokens = [token for _, token in alike_.tokens(text, False)]
        assert tokens in (["x", "=", "1"], ["x", "=", "\\", "1"], [])
    names = {token for free, token in alike_.tokens("torch.sin(a_1) if len(x.grad) else print(f'{y}')", False) if free}
    assert names == {"torch", "a_1", "x", "f"}


@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_class_of_hardly_anybody_has_no_pair(size: int) -> None:
    assert compared({f"s{n}": RARE for n in range(size)}).pairs == ()
