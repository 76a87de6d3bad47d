"""One reading: how much is looked at, and what was found.

While cells run nothing is told; a value keeps what there is to tell of it, and whoever uses it in the answer is told.
A budget of steps ends the reading of any program; what was found on lines that were reached until then counts.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

from autograder.by_hand.rules import ATTRIBUTES, Finding, found, rule_of
from autograder.by_hand.values import NOTHING, Bound, Choice, Findings, Function, Number, PackageName, Scope
from autograder.errors import AutograderError

_MOST_ENTRIES = 64
UNDEFINED = "undefined."
"""Before a name that nothing defines."""


class TooMuch(AutograderError):
    """The program is longer than is looked at."""


def compared_only(findings: Iterable[Finding]) -> Findings:
    """What there is to tell where the values are only compared or printed."""
    return frozenset(found("grad-compared", f.line, f.source, f.cell) if f.rule == "grad" else f for f in findings)


class Reading:
    def __init__(self) -> None:
        self.left = self.steps = 0
        """Steps that are left, and that were taken."""
        self.answering = False
        self.reached: dict[Finding, None] = {}
        self.waiting: dict[Function, None] = {}
        """Functions that were mentioned where the answer runs; who calls them may not be seen."""
        self.called: set[Function] = set()
        self.active: list[tuple[Function, int, list[Any]]] = []
        """The functions that run, each with its `guesses` and arguments."""
        self.comparing = -1
        """How many functions run where numbers are only compared or printed: `.grad` is no derivative yet there, but
        its value keeps what is to be told of it.
        """
        self.measuring, self.unsaid = -1, dict[Finding, None]()
        """How many functions run where a name is given what may be made of `.grad`, which is told where that is used;
        and what was not told so far.
        """
        self.at: tuple[ast.AST | None, Scope] = None, Scope([], None)

    def spend(self, steps: int = 1) -> None:
        if steps > self.left:
            self.left = 0
            raise TooMuch
        self.left -= steps
        self.steps += steps

    def spend_on(self, value: Any) -> None:
        """The steps that Python needs to compare or hash a value: it goes through all that is in it, however often."""
        todo = [value]
        while todo:
            one = todo.pop()
            if isinstance(one, list | tuple):
                self.spend(1 + len(one) // 8)
                todo += [part for part in one if isinstance(part, list | tuple)]

    def finding(self, rule: str) -> Finding:
        node, scope = self.at
        line = getattr(node, "lineno", None)
        source = scope.lines[line - 1].strip() if line and line <= len(scope.lines) else ""
        return found(rule, line, source, scope.cell)

    def findings_of(self, value: Any) -> Findings:
        """What whoever uses the value is told."""
        if isinstance(value, PackageName):
            rule = "" if value.path.startswith(UNDEFINED) else rule_of(value.path)
            rule = rule or ("" if "." not in value.path else ATTRIBUTES.get(value.path.rpartition(".")[2], ""))
            return frozenset((self.finding(rule),)) if rule else NOTHING
        if isinstance(value, Choice):
            return NOTHING.union(*map(self.findings_of, value.values))
        if isinstance(value, list | tuple | dict):  # a table of results is used with what is in it
            few = [*islice(value.values() if isinstance(value, dict) else value, _MOST_ENTRIES)]
            self.spend(len(few) // 8)
            return NOTHING.union(*(entry.owed for entry in few if isinstance(entry, Number)))
        return getattr(value, "owed", NOTHING)

    def report(self, findings: Iterable[Finding]) -> None:
        if self.answering:
            told = compared_only(findings) if self.comparing == len(self.active) else findings
            if self.measuring == len(self.active):
                self.unsaid.update({f: None for f in told if f.rule == "grad"})
                told = [f for f in told if f.rule != "grad"]
            self.reached.update(dict.fromkeys(told))

    def use(self, value: Any) -> None:
        """A value is used where the answer runs, not only looked at."""
        self.report(self.findings_of(value))
        if isinstance(value, Function) and self.answering and value not in self.called:
            self.waiting[value] = None

    def broken(self, rule: str, value: Any) -> Any:
        """The value, which now owes that it breaks a rule here."""
        return self.owing(value, frozenset((self.finding(rule),))) if rule else value

    def verdict_on(self, value: Any) -> Any:
        """Whether numbers are equal: no derivative any more, whatever they were."""
        return replace(value, owed=compared_only(value.owed)) if isinstance(value, Number) else value

    def owing(self, value: Any, findings: Findings) -> Any:
        self.report(findings)
        if isinstance(value, Number | Bound) and not findings <= value.owed:
            return replace(value, owed=value.owed | findings)
        return value
