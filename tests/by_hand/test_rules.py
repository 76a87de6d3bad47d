"""Rules: each is exercised by some answer, and says in its sentence what was seen, where, and what next."""

from __future__ import annotations

import dataclasses
import json

from autograder.by_hand.interpreter import read
from autograder.by_hand.rules import RULES, found, sentence
from tests.by_hand.cases import BOTH, READ
from tests.by_hand.further import LISTED


def test_each_rule_of_the_table_is_exercised() -> None:
    tried = {rule for rule, _ in (*BOTH.values(), *READ.values())} | {"question", "unread", "too-long", "replaced"}
    tried |= {rule for rules, _ in LISTED.values() for rule in rules.split()}
    of_the_watcher = {"seen", "watched"}  # what is left of its findings at hidden points
    assert tried == set(RULES) - {"diff", "inexact"} - of_the_watcher


def test_findings_are_plain_data_and_their_sentences_name_the_line() -> None:
    finding = read(BOTH["backward"][1], "grad_q5")[0]
    assert json.loads(json.dumps(dataclasses.asdict(finding))) == dataclasses.asdict(finding)
    assert sentence(finding, "grad_q5") == (
        "grad_q5 takes its derivative from torch.autograd (line 4: `y.backward()  # !`): write each link with the "
        "rules of differentiation. In a cell of your own you may use it to check yourself."
    )
    for rule in RULES.values():
        text = sentence(found(rule.name), "grad_q5")
        assert "grad_q5" in text
        assert "{" not in text
