"""A question's verdict: a sign and a word for its points, and the first sentences of the grader's message.

The points come from the gradebook. If a person changed them, the grader's message might contradict them, so another
sentence says that they were changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from autograder import messages
from autograder.feedback.grades import Mark


class Kind(Enum):
    """The kinds of verdict. The name is its CSS class and the value its sign."""

    RIGHT = "✓"
    PARTLY = "◐"
    WRONG = "✗"
    UNANSWERED = "–"
    PENDING = "…"


WORDS = {
    Kind.RIGHT: "Right",
    Kind.PARTLY: "Partly right",
    Kind.WRONG: "Not right",
    Kind.UNANSWERED: "Not answered",
    Kind.PENDING: "Not graded yet",
}
BY_PERSON = {Kind.RIGHT: "Full points", Kind.PARTLY: "Some of the points", Kind.WRONG: "No points"}
UNREAD = "Not read"
CHANGED = "Your instructor set the points."
_SENTENCES, _LONGEST = 3, 450  # most sentences and characters of a message in the table
_FIRST_WRONG = messages.BROKEN.partition("{")[0].strip()
_LINKS = messages.SHARE.partition("{")[0].strip()
_NEARLY = 1e-9

_EARNED = re.compile(
    "".join(
        {"{question}": r"(?P<question>\w+)", "{earned}": r"(?P<earned>[\d.e+-]+)", "{points}": r"[\d.e+-]+"}.get(
            part, "" if part == "{text}" else re.escape(part).replace("\\ ", r"\s+")
        )
        for part in re.split(r"(\{\w+\})", messages.EARNED)
    )
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")


@dataclass(frozen=True)
class Verdict:
    """What the page says about a question or one of its tests."""

    kind: Kind
    word: str
    sentence: str = ""

    @property
    def sign(self) -> str:
        return self.kind.value

    @property
    def style(self) -> str:
        return self.kind.name.lower()


def judge(marks: Sequence[Mark], unanswered: bool, said: str = "", by_hand_only: bool = False) -> Verdict:
    """The verdict on these marks. `said` is what the tests printed or raised; `by_hand_only` means without tests."""
    earned, possible = sum(m.earned for m in marks), sum(m.possible for m in marks)
    if any(m.pending for m in marks):
        kind = Kind.PENDING
    elif unanswered and earned <= _NEARLY:
        kind = Kind.UNANSWERED
    elif earned >= possible - _NEARLY:
        kind = Kind.RIGHT
    else:
        kind = Kind.PARTLY if earned > _NEARLY else Kind.WRONG
    word = BY_PERSON.get(kind, WORDS[kind]) if by_hand_only else WORDS[kind]
    if any(m.by_person for m in marks):
        return Verdict(kind, word, "" if by_hand_only else CHANGED)
    return Verdict(kind, word, "" if kind in (Kind.UNANSWERED, Kind.PENDING) else first(said))


def first(said: str) -> str:
    """The first sentences of a message: what is wrong, where and why. What each link earned is left out."""
    sentences = _SENTENCE.split(said.strip().partition("\n")[0])
    kept: list[str] = []
    for sentence in sentences:
        # The sentence that names the first wrong link is followed by its reason: never cut between the two.
        full = len(kept) >= _SENTENCES and not kept[-1].startswith(_FIRST_WRONG)
        if kept and (full or sentence.startswith(_LINKS)):
            break
        kept.append(sentence)
    text = " ".join(kept)
    return text if len(text) <= _LONGEST else text[:_LONGEST].rstrip() + " …"


def without_points(text: str) -> str | None:
    """What `grade` printed, without the points at its beginning; None if `text` was not printed by `grade`.

    The lines of a paragraph are joined. Indented lines quote the student's code and stay as they are.
    """
    found = _EARNED.match(text)
    if not found:
        return None
    return re.sub(r"^(\S.*)\n(?=\S)", r"\1 ", text[found.end() :], flags=re.MULTILINE).strip()
