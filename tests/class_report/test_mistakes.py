"""A message of the grader's is read back: the derivative that broke first, and the kind of slip."""

from __future__ import annotations

import re

import pytest

from autograder import messages as m
from autograder.by_hand.rules import RULES, Outcome
from autograder.class_report import mistakes
from autograder.class_report.mistakes import SLIPS, UNKNOWN, Mistake, in_words, order_of, read
from autograder.student.kernel import answering
from tests.class_report.made import judged
from tests.conftest import NAMES, QUESTIONS
from tests.verdict.chains import Slipped
from tests.verdict.test_slips import corpus

Q6 = ("x", "y", "z", "a", "b", "c", "d", "e", "f")
WORDS = {
    "it": "It",
    "adjoint": "dfdb",
    "function": "grad_q6",
    "numbers": " (yours 0.2452; with your dfdc it should be -0.2452)",
    "where": "at a hidden test point",
    "rule": ": `d(a / b)/db = -a/b**2`",
    "also": ", and `d(a / b)/db = -a/b**2`",
    "own": "\n    dfdb = a / b**2",
    "line": " in line 3",
    "text": ": division by zero",
    "right": "`1 - f**2`",
    "instead": "`1 - f`",
    "site": "`torch.tanh(e)`",
    "sites": "`x**2` and `x**3`",
    "count": "3 arguments",
    "seconds": 5,
}
TEXTS = {**m.SLIP, **m.MADE_OF}


def filled(template: str, **words: object) -> str:
    fields = re.findall(r"\{(\w+)", template)
    known = {**WORDS, **words}
    # A number or a name for whatever the table above does not have, as students choose them.
    return re.sub(r"\{(\w+)[^}]*\}", lambda found: str(known.get(found[1], f"w{fields.index(found[1])}")), template)


def test_every_slip_that_the_grader_can_tell_has_one_name_in_the_report() -> None:
    keys = [key for keys in SLIPS.values() for key in keys]
    assert sorted(keys) == sorted(TEXTS)


@pytest.mark.parametrize(("name", "key"), [(name, key) for name, keys in SLIPS.items() for key in keys])
@pytest.mark.parametrize("hidden", [True, False])
def test_each_sentence_about_a_slip_is_read_as_its_own(name: str, key: str, hidden: bool) -> None:
    where = "at a hidden test point" if hidden else "at x = 0.25, y = 2"
    numbers = "" if hidden else " (yours 0.5, expected -0.5)"
    text = filled(m.WRONG_DERIVATIVE, adjoint="dfdy", where=where, numbers=numbers)
    text += filled(m.BROKEN, adjoint="df_db", numbers="" if hidden else WORDS["numbers"]) + filled(TEXTS[key])
    assert read(text + filled(m.SHARE), Q6) == Mistake("dfdb", name)
    assert read(text.replace("df_db", "DF_DB") + filled(m.OR, it="it lacks the factor w."), Q6) == Mistake("dfdb", name)


def test_a_slip_at_a_derivative_that_the_answer_does_not_name_counts_there() -> None:
    text = filled(m.WRONG_DERIVATIVE, adjoint="dfdy", numbers="") + m.SLIP["sign"].format(
        it=m.IT_UNNAMED.format(adjoint="dfdb"), rule=""
    )
    assert read(text, Q6) == Mistake("dfdb", "sign")


@pytest.mark.parametrize(
    ("template", "what"),
    [
        (m.NOT_MADE_OF, "combination of right factors"),
        (m.ROUNDED, "rounding"),
        (m.ROUNDED_LINE, "rounding"),
        (m.NEAR, "rounding"),
        (m.CONSTANT, "one number everywhere"),
        (m.CARET_LINE, "`^` or `//`"),
        (m.FLOOR_LINE, "`^` or `//`"),
        (m.ARGUMENT_REPLACED, "replaced argument"),
        (m.NO_SLIP, UNKNOWN),
        (m.UNNAMED, UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_what_is_no_slip_of_the_chain_rule_is_told_from_the_slips(template: str, what: str) -> None:
    text = filled(m.WRONG_DERIVATIVE, adjoint="dfdy", numbers="")
    assert read(text + filled(template), Q6) == Mistake("dfdy", what)
    assert read(text + filled(m.BY_SIGN, name="x") + filled(template), Q6) == Mistake("dfdy", what)


@pytest.mark.parametrize(
    ("template", "what"), [(t, what) for what, these in mistakes._NOT_COMPARED.items() for t in these]
)
def test_answers_without_a_derivative_to_compare_are_read_as_what_they_are(template: str, what: str) -> None:
    assert read(filled(template), Q6) == Mistake("", what)


def test_a_forbidden_machine_is_told_from_a_listed_one_which_costs_nothing() -> None:
    for rule in RULES.values():
        text = rule.text.format(function="grad_q6", where=" (line 4: `f.backward()`)")
        assert (read(text, Q6) == Mistake("", "not by hand")) == (rule.outcome is Outcome.FORBIDDEN)


def test_a_right_answer_is_no_mistake_and_a_strange_text_is_called_that() -> None:
    assert read(filled(m.RIGHT_HIDDEN, count=24)) is None
    assert read(filled(m.RIGHT_VISIBLE, point="x = 0.2")) is None
    assert read("Something else.") == Mistake("", mistakes.ANOTHER)
    assert read("") == Mistake("", mistakes.ANOTHER)


def test_a_check_that_is_right_at_the_seed_alone_is_read_from_where_it_is_wrong() -> None:
    wrong = filled(m.WRONG_DERIVATIVE, adjoint="dadw", where="at w = -1.5", numbers="") + filled(
        m.SLIP["gate left open"]
    )
    for start in (m.ONLY_AT_SEED.format(seed="w = 4"), m.NOT_AT.format(seed="w = 4", point="w = -1.5")):
        assert read(start + wrong) == Mistake("dadw", "gate of relu")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("named", [True, False])
def test_of_every_slip_that_is_graded_the_report_knows_the_link_that_the_grader_found(name: str, named: bool) -> None:
    question = QUESTIONS[name]
    nodes = (*question.forward.leaves, *(line.name for line in question.forward.lines))
    for slip in corpus(name)[::3]:
        with answering(Slipped(question, slip, named=named)):
            verdict = question.judge("s1")
        found = read(verdict.text, nodes)
        assert found is not None
        assert verdict.chain is not None
        assert verdict.chain.broken is not None
        unnamed = re.search(r"(\S+), which your function does not name,", verdict.text)
        assert found.where == (unnamed[1] if unnamed else verdict.chain.broken.name), verdict.text
        nothing_told = not re.search(r"none of the usual|Your function does not name", verdict.text)
        assert (found.what != UNKNOWN) or not nothing_told, verdict.text


@pytest.mark.parametrize("spelled", ["dfdb", "df_db", "df_by_dx", "DF_DB", "grad_b", "dL_db"])
def test_derivatives_are_called_by_one_name_however_they_are_spelled(spelled: str) -> None:
    expected = "dfdx" if spelled == "df_by_dx" else "dfdb"
    assert mistakes.canonical(spelled, Q6) == expected
    assert mistakes.canonical(spelled, ()) == spelled


def test_names_that_say_nothing_stay_and_derivatives_are_sorted_from_the_output_down() -> None:
    assert mistakes.canonical("my_slope", Q6) == "my_slope"
    assert mistakes.canonical("dcdb", Q6) == "dcdb"
    names = ["my_slope", "dfdy", "dfdb", "dfde", "dfdd"]
    assert sorted(names, key=lambda name: order_of(name, Q6)) == ["dfde", "dfdd", "dfdb", "dfdy", "my_slope"]


def test_a_sentence_can_say_by_what() -> None:
    words = [in_words(what) for what in ("sign", "missing factor", "rounding", UNKNOWN, "another line's derivative")]
    assert words == ["the sign", "a missing factor", "rounding", "no usual slip", "another line's derivative"]


def test_a_students_own_line_in_a_message_decides_nothing() -> None:
    source = "def grad_q6(x, y, z):\n    raise ValueError('The first wrong link is dfdb. It has the right size')"
    told = judged("q6", source)["q6-hidden"].outputs[0].text.partition("points. ")[2]
    assert "The first wrong link" in told
    assert read(told, Q6) == Mistake("", "stopped with an error")
