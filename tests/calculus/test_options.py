"""`wrt`, `at` and `domain` are numbers by name, whatever kind of number; what is not is refused with what to write."""

from __future__ import annotations

import re

import numpy as np
import pytest

from autograder import Question, QuestionError
from tests.conftest import make_question

AT = "wrt='x', at={'x': 1.5}, "
DOMAIN = ", domain={'x': (-2, 2)}"
REFUSED = {
    "wrt='y', at={'x': 1.5}" + DOMAIN: "wrt='y' is no argument; choose one of x",
    "wrt='X', at={'x': 1.5}" + DOMAIN: "wrt='X' is no argument; choose one of x",
    "wrt='a', at={'x': 1.5}" + DOMAIN: "wrt='a' is no argument; choose one of x",
    "wrt=['x'], at={'x': 1.5}" + DOMAIN: "wrt=['x'] is no argument; choose one of x",
    "wrt='x', at=2.0" + DOMAIN: '`at` is 2.0; name each argument, as in at={"x": 1.5}.',
    "wrt='x', at=[1.5]" + DOMAIN: '`at` is [1.5]; name each argument, as in at={"x": 1.5}.',
    "wrt='x', at={}" + DOMAIN: "`at` names nothing; name x",
    "wrt='x', at={1: 2}" + DOMAIN: "`at` names 1; name x",
    "wrt='x', at={'x': [1, 2]}" + DOMAIN: "`at` gives x = [1, 2], but an argument is one number; write one, and make",
    "wrt='x', at={'x': torch.ones(2)}" + DOMAIN: "`at` gives x = tensor([1., 1.]), but an argument is one number",
    "wrt='x', at={'x': '1.5'}" + DOMAIN: "`at` gives x = '1.5', but an argument is one number",
    "wrt='x', at={'x': 1j}" + DOMAIN: "`at` gives x = 1j, but an argument is one number",
    "wrt='x', at={'x': None}" + DOMAIN: "`at` gives x = None, but an argument is one number",
    "wrt='x', at={'x': float('nan')}" + DOMAIN: "`at` must be finite",
    "wrt='x', at={'x': 10**400}" + DOMAIN: "`at` must be finite",
    AT + "domain=(0, 1)": '`domain` is (0, 1); name each argument, as in domain={"x": (-2, 2)}.',
    AT + "domain='x'": "`domain` is 'x'; name each argument",
    AT + "domain={'y': (-2, 2)}": "`domain` names y; name x",
    AT + "domain={'x': (2, -2)}": "the domain of x is (2, -2), from 2 to -2; write (-2, 2).",
    AT + "domain={'x': (1, 1)}": "the highest must be more than the lowest",
    AT + "domain={'x': 2}": "the domain of x is 2; write two numbers, (lowest, highest)",
    AT + "domain={'x': '02'}": "the domain of x is '02'; write two numbers",
    AT + "domain={'x': ('a', 'b')}": "the domain of x is ('a', 'b'); write two numbers",
    AT + "domain={'x': (-2, 0, 2)}": "the domain of x is (-2, 0, 2); write two numbers",
    AT + "domain={'x': {-2, 2}}": "write two numbers, (lowest, highest)",
    AT + "domain={'x': (-2, float('inf'))}": "the domain of x is (-2, inf); write two numbers",
    AT + "domain={'x': (0.3, 0.4)}": "gives only 6 of 24 test points. It holds too few",
}


def asked(options: str) -> Question:
    return make_question(f"@question({options})\ndef p(x):\n    a = x * x\n    return a", np=np)


@pytest.mark.parametrize("options", REFUSED)
def test_options_that_do_not_fit_are_refused_with_what_to_write(options: str) -> None:
    with pytest.raises(QuestionError, match=re.escape(REFUSED[options])):
        asked(options)


@pytest.mark.parametrize("number", ["1.5", "torch.tensor(1.5)", "np.float32(1.5)", "np.array(1.5)"])
@pytest.mark.parametrize("bounds", ["(-2, 2)", "[-2, 2]", "np.array([-2.0, 2.0])", "torch.tensor([-2, 2])"])
def test_numbers_of_any_kind_are_read_as_numbers(number: str, bounds: str) -> None:
    made = asked(f"wrt='x', at={{'x': {number}}}, domain={{'x': {bounds}}}")
    assert (made.at, made.domain) == ({"x": 1.5}, {"x": (-2.0, 2.0)})
    assert {type(n) for n in (*made.at.values(), *made.domain["x"])} == {float}
