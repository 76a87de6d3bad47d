"""Reads a test's message back into data: where the chain of derivatives broke first, and by what kind of slip.

A graded notebook keeps only the sentences that the student reads. They are made of the templates in
`autograder.messages`, so each is recognised by its template, and a changed wording changes this reading with it.
Messages of other tests are grouped by the statement that failed. Nothing here is certain enough to cost a mark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from autograder import messages as m
from autograder.by_hand.rules import RULES, Outcome
from autograder.calculus.spelling import spelling

SLIPS: Mapping[str, tuple[str, ...]] = {
    "sign": (
        *("sign", "sign somewhere", "share's sign", "share's sign of a total", "product's sign", "part's sign"),
        *("sign of the function", "sign in the rule"),
    ),
    "path or term left out": ("path lost", "path lost of a total", "part left out"),
    "missing factor": (
        *("local dropped", "local dropped at the output", "local dropped of a local", "upstream dropped"),
        *("factor left out", "factor alone", "factor of the rule lost"),
    ),
    "factor too many": (
        *("local repeated", "local repeated of a local", "factor twice", "factor too many"),
        *("wrong adjoint at the output",),
    ),
    "division for multiplication": ("turned over", "turned over of a local", "factor divided by"),
    "rule of powers": (
        *("power not lowered", "exponent not brought down", "lowered exponent brought down", "integrated"),
        *("powers not lowered", "exponents not brought down", "powers themselves", "powers integrated"),
        *("exponent as a factor", "rule of a power", "not squared"),
    ),
    "rule of products or quotients": (
        *("quotient turned over", "quotient added", "derivatives divided", "derivatives multiplied"),
        *("derivatives added", "term of the rule lost", "denominator not squared", "denominator squared"),
        *("denominator lost", "numerator lost"),
    ),
    "inner part of a function": (
        *("output for input", "inner part lost", "inner part and its derivative lost", "inner derivative lost"),
        *("outer derivative lost",),
    ),
    "value in place of the derivative": (
        *("value for derivative", "values for derivatives", "input for derivative", "function itself"),
        *("argument itself",),
    ),
    "rule of another function": (
        *("rule of tanh", "rule of the sigmoid", "sine and cosine", "wrong rule", "input for value"),
    ),
    "gate of relu": ("gate left open", "gate turned over", "gate of another"),
    "another line's derivative": ("wrong adjoint", "other local", "other input"),
    "another variable's derivative": ("other leaf",),
}
"""What the report calls the slips, each with the templates of `messages.SLIP` and `messages.MADE_OF`."""
_OTHER_SLIPS: Mapping[str, tuple[str, ...]] = {
    "combination of right factors": (m.NOT_MADE_OF,),
    "rounding": (m.ROUNDED, m.ROUNDED_LINE, m.NEAR),
    "one number everywhere": (m.CONSTANT,),
    "`^` or `//`": (m.CARET_LINE, m.FLOOR_LINE),
    "replaced argument": (m.ARGUMENT_REPLACED,),
}
UNKNOWN = "no usual slip"
_ARTICLES = dict.fromkeys(("path or term left out", "missing factor", "factor too many", "replaced argument"), "a ")
_ARTICLES |= dict.fromkeys(
    (
        *("another line's derivative", "another variable's derivative", "division for multiplication", "rounding"),
        *("one number everywhere", "`^` or `//`", UNKNOWN),
    ),
    "",
)
_NOT_COMPARED: Mapping[str, tuple[str, ...]] = {
    "not answered": (m.UNANSWERED, m.BLANK, m.PLACEHOLDER),
    "function not defined": (
        *(m.MISSING, m.MISSING_NEAR, m.NOT_A_FUNCTION, m.CELL_FAULT, m.CELL_FAULT_OLDER, m.CELL_ENDED, m.CELL_MAGIC),
    ),
    "stopped with an error": (
        *(m.RAISE_LEFT, m.NOT_RUN, m.ARITY, m.UNKNOWN_NAME, m.OF_TORCH, m.NOT_IMPORTED, m.POWER, m.NO_ROUNDING),
        *(m.RECURSION, m.RECURSION_ELSEWHERE, m.RAISED),
    ),
    "no answer in time": (m.TOO_LONG, m.PROCESS_ENDED, m.NO_ANSWER),
    "not two numbers": (
        *(m.ONE_RESULT, m.NOTHING, m.RESULT_COUNT, m.NOT_TWO_RESULTS, m.NONE, m.TEXT, m.SHAPE, m.COMPLEX),
        *(m.FUNCTION, m.OTHER, m.NOT_ONE_NUMBER, m.NAN, m.INFINITE),
    ),
    "results swapped": (m.SWAPPED,),
    "value not right": (m.WRONG_VALUE,),
    "not by hand": tuple(rule.text for rule in RULES.values() if rule.outcome is Outcome.FORBIDDEN),
}
UNANSWERED = "not answered"
ANOTHER = "another message"
_FIELDS = {
    "adjoint": r"\S+",
    "it": r"\S+(?:, which your function does not name,)?",
    "rule": r"(?:: `[^`]*`)?",
    "also": r"(?:, and `[^`]*`)?",
    "numbers": r"(?: \([^)]*\))?",
    "own": "",
    "text": ".*?",
    "type": ".*?",
    "line": ".*?",
}


@dataclass(frozen=True)
class Mistake:
    """What is wrong with one answer: `where`, a derivative, or "" if none was compared; and `what`."""

    where: str
    what: str


def read(message: str, nodes: Sequence[str] = ()) -> Mistake | None:
    """The mistake that a message of `check` or `grade` tells; None if it says that the answer is right.

    `nodes` are the names of the forward pass, the output last. With them derivatives are called by one name, however
    the student spells it.
    """
    lines = (line for line in message.split("\n") if not line.startswith(" "))  # indented lines quote the student
    text = " ".join(" ".join(lines).split())
    if _pattern(m.RIGHT_HIDDEN, m.RIGHT_VISIBLE).match(text):
        return None
    start = _pattern(m.ONLY_AT_SEED, m.NOT_AT).match(text)
    text = text[start.end() :].lstrip() if start else text
    found = _wrong_derivative().match(text)
    if not found:
        what = next((name for name, these in _NOT_COMPARED.items() if _pattern(*these).match(text)), ANOTHER)
        return Mistake("", what)
    what, unnamed = _slip(text[found.end() :].lstrip())
    return Mistake(canonical(unnamed or found["link"] or found["adjoint"], nodes), what)


def _slip(text: str) -> tuple[str, str]:
    """The kind of slip that a text begins with, and the derivative that it names because the student does not."""
    found = [(name, match.end(), own) for name, pattern, own in _slips() if (match := pattern.match(text))]
    # Of two templates that a sentence fits, the one that has more of its words itself is meant.
    name, *_ = min(found, key=lambda each: (each[1], -each[2]), default=(UNKNOWN, 0, 0))
    unnamed = _UNNAMED.match(text)
    return name, unnamed[1] if unnamed else ""


def canonical(name: str, nodes: Sequence[str]) -> str:
    """`dfdb` for `df_db`, `DF_DB` or `grad_b`, if `f` is the last of `nodes`; a name of another kind as it is.

    A name that says only by what it is the derivative counts as the output's.
    """
    if not nodes:
        return name
    readings = spelling(tuple(nodes)).readings(name)
    of, by = readings[0] if readings else ("", "")
    return f"d{of or nodes[-1]}d{by}" if by else name


def order_of(where: str, nodes: Sequence[str]) -> tuple[int, str]:
    """A sort key for derivatives: from the output of a forward pass down to its arguments, others behind."""
    places = [n for n, node in enumerate(reversed(nodes)) if where.endswith(f"d{node}")]
    return (places[0] if places else len(nodes)), where


def in_words(what: str) -> str:
    """A slip as it stands after "by": the sign, a missing factor, rounding."""
    return _ARTICLES.get(what, "the ") + what


@cache
def _slips() -> list[tuple[str, re.Pattern[str], int]]:
    """The name of each slip with a template's pattern, and the number of characters that are the template's own."""
    texts = {**m.SLIP, **m.MADE_OF}
    templates = [(name, texts[key]) for name, keys in SLIPS.items() for key in keys]
    templates += [(name, text) for name, these in _OTHER_SLIPS.items() for text in these]
    return [(name, _pattern(text), len(re.sub(r"\{\w+\}", "", text))) for name, text in templates]


@cache
def _wrong_derivative() -> re.Pattern[str]:
    cases = "|".join(map(_regex, (m.BY_SIGN, m.OFTEN, m.OFTEN_NOT_ZERO)))
    wrong = _regex(m.WRONG_DERIVATIVE, adjoint=r"(?P<adjoint>\S+)")
    return re.compile(rf"{wrong}(?: (?:{cases}))?(?: {_regex(m.BROKEN, adjoint=r'(?P<link>[^ ]+?)')})?")


@cache
def _pattern(*templates: str) -> re.Pattern[str]:
    """What a text begins with that was made of one of these templates."""
    return re.compile("|".join(map(_regex, templates)))


def _regex(template: str, **fields: str) -> str:
    parts = re.split(r"\{(\w+)[^}]*\}", template.strip())
    known = {**_FIELDS, **fields}
    text = "".join(known.get(part, ".+?") if i % 2 else re.escape(part) for i, part in enumerate(parts))
    return rf"(?:{text})(?=\s|$)"


_UNNAMED = re.compile(_regex(m.IT_UNNAMED, adjoint=r"(\S+)"))
