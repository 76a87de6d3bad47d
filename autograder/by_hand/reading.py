"""One reading: how much is looked at, and what was found.

While cells run nothing is told; a value keeps what there is to tell of it, and whoever uses it in the answer is told.
A budget of steps ends the reading of any program; what was found on lines that were reached until then counts.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from autograder.by_hand.rules import ATTRIBUTES, Finding, found, rule_of
from autograder.by_hand.values import NOTHING, Bound, Choice, Findings, Function, Number, PackageName, Scope
from autograder.errors import AutograderError

MOST_ENTRIES = 64
UNDEFINED = "undefined."
"""Before a name that nothing defines."""


class TooMuch(AutograderError):
    """The program is longer than is looked at."""


@dataclass(eq=False)
class Reading:
    left: int = 0  # steps that are left
    steps: int = 0  # steps that were taken
    answering: bool = False
    at: tuple[ast.AST | None, Scope] = field(default_factory=lambda: (None, Scope([], None)))
    reached: dict[Finding, None] = field(default_factory=dict)
    # Functions that were mentioned where the answer runs: who calls them may not be seen.
    waiting: dict[Function, None] = field(default_factory=dict)
    called: set[Function] = field(default_factory=set)
    # The functions that run, each with its `guesses` and arguments.
    active: list[tuple[Function, int, list[Any]]] = field(default_factory=list)
    comparing: int = -1  # how many functions run where numbers are only compared
    guesses: int = 0  # the branches around that may not be taken: recursion that only guesses go on for is cut
    files: dict[str, Scope] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)  # attributes that objects of the student have
    patched: dict[str, Any] = field(default_factory=dict)  # what the student put into a package
    saved: list[Any] = field(default_factory=list)  # what was written into files, which may be read again
    given: set[float] = field(default_factory=set)  # constants of forward passes, which are the problem's, no steps
    characters: int = 0  # that are left to read
    left_out: bool = False  # some cells were not read: a name that no other defines may be theirs
    unread: bool = False  # statements were left out for want of steps

    def spend(self, steps: int = 1) -> None:
        if steps > self.left:
            self.left = 0
            raise TooMuch
        self.left -= steps
        self.steps += steps

    def finding(self, rule: str) -> Findings:
        """That a rule is broken here; nothing, if it is none."""
        node, scope = self.at
        rule = "grad-compared" if rule == "grad" and self.comparing == len(self.active) else rule
        line = getattr(node, "lineno", None)
        source = scope.lines[line - 1].strip() if line and line <= len(scope.lines) else ""
        return frozenset((found(rule, line, source, scope.cell),)) if rule else NOTHING

    def findings_of(self, value: Any) -> Findings:
        """What whoever uses the value is told."""
        match value:
            case PackageName(path=path) if path.startswith(UNDEFINED):
                return NOTHING
            case PackageName(path=path):
                package, _, name = path.rpartition(".")
                return self.finding(rule_of(path) or (ATTRIBUTES.get(name, "") if package else ""))
            case Choice(values=values):
                return NOTHING.union(*map(self.findings_of, values))
            case list() | tuple() | dict():  # a table of results is used with what is in it
                few = [*islice(value.values() if isinstance(value, dict) else value, MOST_ENTRIES)]
                self.spend(len(few) // 8)
                return NOTHING.union(*(entry.owed for entry in few if isinstance(entry, Number)))
        return getattr(value, "owed", NOTHING)

    def report(self, findings: Findings) -> None:
        if self.answering:
            self.reached.update(dict.fromkeys(findings))

    def use(self, value: Any) -> None:
        """A value is used where the answer runs, not only looked at."""
        self.report(self.findings_of(value))
        if isinstance(value, Function) and self.answering and value not in self.called:
            self.waiting[value] = None

    def broken(self, rule: str, value: Any) -> Any:
        """The value, which now owes that it breaks a rule here."""
        return self.owing(value, self.finding(rule))

    def owing(self, value: Any, findings: Findings) -> Any:
        self.report(findings)
        if isinstance(value, Number | Bound) and not findings <= value.owed:
            return replace(value, owed=value.owed | findings)
        return value
