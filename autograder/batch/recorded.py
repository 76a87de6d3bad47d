"""Keeps what grading reports of one submission, so that another process can tell it to the run's report."""

from __future__ import annotations

import logging
from typing import Any

from autograder.terminal.report import Reason, Report


class Recorded(Report):
    """The report of one submission; nothing of it is shown here."""

    def __init__(self) -> None:
        quiet = logging.getLogger("autograder.batch.quiet")
        quiet.propagate, quiet.handlers = False, [logging.NullHandler()]
        super().__init__(lambda _: None, quiet)
        self.events: list[list[Any]] = []
        """Lists of JSON's types: `["note", text, reason]`, `["done", score, of]`, `["failed"]`."""

    def note(self, student: str, text: str, reason: Reason | None = None) -> None:
        super().note(student, text, reason)
        self.events.append(["note", text, reason.name if reason else ""])

    def done(self, student: str, score: float, of: float) -> None:
        super().done(student, score, of)
        self.events.append(["done", score, of])

    def failed(self, student: str, why: str) -> None:
        super().failed(student, why)
        self.events.append(["failed"])


def tell(report: Report, student: str, events: list[list[Any]]) -> None:
    """Tells a report what `Recorded` has kept."""
    for what, *about in events:
        if what == "note":
            report.note(student, about[0], Reason[about[1]] if about[1] else None)
        elif what == "done":
            report.done(student, *about)
        else:
            report.failed(student, "")
