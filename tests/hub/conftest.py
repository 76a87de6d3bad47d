"""Where the pictures of a term in the browser are."""

from __future__ import annotations

from typing import Any

from tests.hub.browser import SHOTS


def pytest_terminal_summary(terminalreporter: Any) -> None:
    taken = [p for p in SHOTS.glob("*.png") if p.stat().st_mtime >= terminalreporter._session_start.time]
    if taken:
        terminalreporter.write_line(f"{len(taken)} screenshots are in {SHOTS}")
