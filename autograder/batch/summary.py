"""The summary of a grading run as JSON, for scripts."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograder.terminal import show
from autograder.terminal.report import Report


def write_summary(
    file: str, assignment: str, report: Report, status: int, changes: Sequence[dict[str, Any]] | None
) -> None:
    """Writes the file whole or not at all; - is standard output. `changes` are those of a run that compares."""
    said = {"assignment": assignment, "exit_status": status, **report.figures()}
    if changes is not None:
        said["changes"] = list(changes)
    text = json.dumps(said, indent=1, ensure_ascii=False)
    if file == "-":
        show(text)
        return
    aside = Path(f"{file}.new")
    aside.write_text(text + "\n", encoding="utf-8", errors="replace")
    os.replace(aside, file)
