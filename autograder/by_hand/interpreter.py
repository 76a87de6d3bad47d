"""Reading: runs the cells, and then the answer, on descriptions of values, and reports what the answer reached.

Nothing of the student's is executed, imported or evaluated. Whatever only a scratch cell does is not reached by the
answer, and does not count.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from itertools import accumulate

from autograder.by_hand.cells import parse
from autograder.by_hand.replaced import replaced
from autograder.by_hand.rules import Finding, Outcome, found
from autograder.by_hand.statements import Statements
from autograder.by_hand.values import Bound, Function, Instance, Scope, generic, options

CELLS, ANSWER, _RESERVE, _CHARACTERS = 8_000, 5_000, 500, 40_000
"""Steps for the cells and for the answer, steps that are kept for definitions, and characters that are read."""
_Def = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def read(cells: Sequence[str], function: str, modules: Mapping[str, str] | None = None) -> tuple[Finding, ...]:
    """What speaks against `function` being by hand, by line; `modules` are files beside the notebook, by name.

    Ask it of a function that exists: one that no readable cell defines is listed as unread.
    """
    beside = modules or {}
    followed = Interpreter().read(cells, function, beside)
    return tuple(dict.fromkeys((*followed, *replaced(cells, function, beside))))


class Interpreter(Statements):
    """One reading; made for each anew."""

    def __init__(self) -> None:
        super().__init__()
        self.characters, self.unread = _CHARACTERS, False
        """Characters that are left, and whether statements were left out for want of steps."""

    def read(self, cells: Sequence[str], function: str, modules: Mapping[str, str]) -> tuple[Finding, ...]:
        notebook = Scope([], None)
        self.files["__main__"] = notebook
        self.left, self.characters = CELLS, _CHARACTERS // 2  # files beside may take half of it
        for name, source in modules.items():
            if len(source) <= self.characters:
                self.files[name] = Scope([], None)
                self.run_cell(source, self.files[name])
        self.characters += _CHARACTERS // 2
        for number, source in self._last_runs(cells):
            self.run_cell(source, Scope([], number, names=notebook.names, stars=notebook.stars))
        if function not in notebook.names:
            return (found("unread"),)
        self.answering, self.left, self.waiting = True, ANSWER, {}
        self.called.clear()
        self.reached.update({found("too-long"): None} if self.unread else {})
        self.at = None, Scope([], None, names=notebook.names, stars=notebook.stars)
        try:
            answer = notebook.names[function]
            self.use(answer)
            for one in options(answer):
                given = 1 if isinstance(one, Instance) else len(one.first) if isinstance(one, Bound) else 0
                inner = one.of.find("__call__") if isinstance(one, Instance) else getattr(one, "function", one)
                args = self.arguments_for(inner, certain=True) if isinstance(inner, Function) else []
                self.call(one, args[given:] or [generic("argument", certain=True)], {})
            while self.waiting:
                unseen = self.waiting.popitem()[0]
                self.enter(unseen, self.arguments_for(unseen), {})
        except Exception:
            self.reached[found("too-long")] = None
        order = {Outcome.FORBIDDEN: 0, Outcome.LISTED: 1}

        def place(finding: Finding) -> tuple[int, int, int, str]:
            return order[finding.outcome], -1 if finding.cell is None else finding.cell, finding.line or 0, finding.rule

        return tuple(sorted(self.reached, key=place))

    def _last_runs(self, cells: Sequence[str]) -> list[tuple[int, str]]:
        """The cells, each where it was run last; of a long session the newest, as many as can be read."""
        last = {source: number for number, source in enumerate(cells)}
        newest = sorted(((number, source) for source, number in last.items()), reverse=True)
        sizes = accumulate(len(source) for _, source in newest)
        kept = [cell for cell, size in zip(newest, sizes, strict=True) if size <= self.characters]
        self.left_out = len(kept) < len(newest)
        return kept[::-1]

    def run_cell(self, source: str, scope: Scope) -> None:
        """A statement may take a quarter of what is left, so that one that takes too long does not hide all others."""
        self.characters -= len(source)
        tree, lines = parse(source)
        scope.lines[:] = lines
        for statement in tree.body if tree else []:
            before, needed = self.left, isinstance(statement, _Def | ast.Import | ast.ImportFrom)
            if before < (4 if needed else _RESERVE):
                self.unread = True
                continue
            self.left = share = max(before // 4, 4)
            try:
                self.run([statement], scope)
            except Exception:  # too much, too deep, or what nobody foresaw: it is listed, and ends no grading
                self.active.clear()
                self.guesses, self.comparing = 0, -1
                self._give_up(statement, scope)
            self.left += before - share

    def _give_up(self, statement: ast.stmt, scope: Scope) -> None:
        self.at = statement, scope
        names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        for name in (statement.name,) if isinstance(statement, _Def) else names:
            scope.names[name] = self.broken("too-long", generic("unread"))
