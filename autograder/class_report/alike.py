"""Finds pairs of students whose answers share what few others wrote, for the instructor to look at. It proves nothing.

An answer is cut into pieces of PIECE tokens, each beginning one token after the one before. Comments and layout are
left out, and names are replaced by the order in which they come in the piece, so that renaming changes nothing (as in
the fingerprints of S. Schleimer, D. Wilkerson, A. Aiken, Winnowing, SIGMOD 2003). What the released notebook holds does
not count. If d of the n students who answered a question wrote a piece, somebody else has it by chance with a
probability of (d-1)/(n-1), which is worth log2((n-1)/(d-1)) bits; a token lies in PIECE pieces, so a piece counts
1/PIECE of that. A question counts from log2(n-1) bits, as much as one place that nobody else wrote so. A pair is listed
if its bits are more than log2(100 * pairs): were pieces independent, chance would list one in a hundred classes. They
are not: whoever has one habit of writing has others too. So honest pairs are listed as well.

The usual right answer weighs nothing however long it is, and the cost grows with the class and not with its square.
Texts that are no code are compared by their words.
"""

from __future__ import annotations

import builtins
import difflib
import keyword
import math
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from autograder.gradebook.grades import natural

PIECE = 12
"""Tokens of a piece: a line such as `dfdb = -dfdc * a / b**2` has eleven."""
MOST_PAIRS = 40
_MOST_STUDENTS, _PART = 20, 5
"""A piece that more students wrote, or more than one in five (but three), tells nothing."""
_CHANCE = 100
_MOST_COMPARED = 4_000  # characters of an answer of which the share that is the same is computed
_TOKEN = re.compile(
    r"""#[^\n]*|(?P<quotes>\"{3}|'{3}).*?(?:(?P=quotes)|\Z)"""
    r"""|(?P<token>"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|[^\W\d]\w*|\d[\w.]*|\S)""",
    re.DOTALL,
)
"""A token, or a comment or docstring, which is none."""
_NOT_FREE = frozenset((*keyword.kwlist, *dir(builtins)))


@dataclass(frozen=True)
class Shared:
    """What two students share in one question: `same` is the part of the tokens that is the same, from 0 to 1."""

    question: str
    bits: float
    same: float


@dataclass(frozen=True)
class Pair:
    """Two students with a rare agreement."""

    students: tuple[str, str]
    bits: float
    questions: tuple[Shared, ...]


@dataclass(frozen=True)
class Alike:
    """The first of the `found` pairs, the rarest agreement first; from `least` bits on a pair is one."""

    pairs: tuple[Pair, ...]
    found: int
    least: float


def alike(answers: Mapping[str, Mapping[str, str]], given: Sequence[str] = (), texts: Collection[str] = ()) -> Alike:
    """The pairs among `answers` (by question, then by student); `given` is what everybody was given.

    `texts` are the questions that are answered in words and not in code.
    """
    released = {text: frozenset(p for one in given for p in _pieces(one, text)) for text in (True, False)}
    bits: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for question, by_student in answers.items():
        whose: dict[int, list[str]] = defaultdict(list)
        for student, source in sorted(by_student.items(), key=lambda item: natural(item[0])):
            for piece in _pieces(source, question in texts) - released[question in texts]:
                whose[piece].append(student)
        n = len(by_student)
        most = min(_MOST_STUDENTS, max(3, n // _PART))
        here: dict[tuple[str, str], float] = defaultdict(float)
        for students in whose.values():
            if 2 <= len(students) <= most:
                worth = math.log2((n - 1) / (len(students) - 1)) / PIECE
                for pair in combinations(students, 2):
                    here[pair] += worth
        for pair, worth in here.items():
            if worth >= math.log2(n - 1):
                bits[pair][question] = worth
    everybody = len({student for by_student in answers.values() for student in by_student})
    least = math.log2(_CHANCE * max(1, everybody * (everybody - 1) // 2))
    listed = sorted(
        ((total, pair) for pair, here in bits.items() if (total := sum(here.values())) > least),
        key=lambda each: -each[0],
    )
    pairs = [_pair(pair, total, bits[pair], answers, texts) for total, pair in listed[:MOST_PAIRS]]
    return Alike(tuple(pairs), len(listed), least)


def _pair(
    students: tuple[str, str],
    total: float,
    bits: Mapping[str, float],
    answers: Mapping[str, Mapping[str, str]],
    texts: Collection[str],
) -> Pair:
    questions = sorted(((worth, q) for q, worth in bits.items()), reverse=True)
    one, other = students
    shared = (Shared(q, worth, _same(answers[q][one], answers[q][other], q in texts)) for worth, q in questions)
    return Pair(students, total, tuple(shared))


def _same(one: str, other: str, text: bool) -> float:
    """The part of the tokens that two answers have in common, in order and with their names."""
    a, b = (tokens(source[:_MOST_COMPARED], text) for source in (one, other))
    return difflib.SequenceMatcher(None, a, b, autojunk=False).ratio()


def _pieces(source: str, text: bool) -> frozenset[int]:
    """A number for each piece of a text. Python's hash is another one in each run, and is used within one."""
    found = tokens(source, text)
    return frozenset(hash(_renamed(found[at : at + PIECE])) for at in range(len(found) - PIECE + 1))


def _renamed(piece: Sequence[tuple[bool, str]]) -> tuple[object, ...]:
    """Tokens with each name replaced by the number of other names before its first use."""
    numbers: dict[str, int] = {}
    return tuple(numbers.setdefault(text, len(numbers)) if name else text for name, text in piece)


def tokens(source: str, text: bool) -> list[tuple[bool, str]]:
    """The words of a text, or the tokens of code without comments; each with whether it is a name that may be another.

    Python's own tokenize refuses what is no Python, and Pygments takes most of a minute for a class of 2,000.
    """
    if text:
        return [(False, word.casefold()) for word in re.findall(r"\w+", source)]
    found: list[tuple[bool, str]] = []
    for match in _TOKEN.finditer(source):
        token, attribute = match["token"], bool(found) and found[-1][1] == "."
        if token:
            found.append((token.isidentifier() and not attribute and token not in _NOT_FREE, token))
    return found
