"""A student's notebook and an examiner in one process, with nothing but JSON between them."""

from __future__ import annotations

import json
from typing import Any

from autograder.lending.lender import Lender
from autograder.lending.loan import Loan


class Pair:
    """`theirs` is what the student's cells define; `test` runs a test that borrows all of it."""

    def __init__(self, cells: str, asked: list[tuple[str, str]] | None = None) -> None:
        self.theirs: dict[str, Any] = {"__name__": "__main__"}
        exec(cells, self.theirs)
        self.asked = [] if asked is None else asked
        self.lender = Lender(self.theirs, self._call_back)
        self.loan = Loan(self._ask)
        self.ours: dict[str, Any] = {"__name__": "__main__"}
        self.names: set[str] = set()
        self._called: Any = None

    def _ask(self, order: dict[str, Any], called: Any) -> dict[str, Any]:
        self._called = called
        return self._sent(self.lender.answer(self._sent(order)))

    @staticmethod
    def _sent(message: dict[str, Any]) -> dict[str, Any]:
        sent: dict[str, Any] = json.loads(json.dumps(message))
        return sent

    def _call_back(self, call: dict[str, Any]) -> dict[str, Any]:
        return self._sent(self._called(self._sent(call)))

    def test(self, code: str, tried: bool = False) -> Any:
        """Runs the test; the value of `it`, if the test gives it one."""
        self.names |= {name for name in self.theirs if not name.startswith("__")}
        asked = None if tried else self.asked
        self.loan.begin({"names": sorted(self.names), "asked": asked, "rebound": [], "imports": []}, self.ours)
        exec(code, self.ours)
        return self.ours.get("it")
