"""Checks in a separate process whether a notebook's generated text and pictures are up to date.

Generating an assignment in the formgrader would otherwise run the author's cells in its process and load torch there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

_SECONDS = 300


def problems(notebook: Any) -> list[str]:
    """A sentence for each question that cannot be made and for each cell that `autograder refresh` would change."""
    try:
        done = subprocess.run(
            # -P: otherwise a file in the course's folder such as random.py would be imported in place of the module.
            [sys.executable, "-P", "-W", "ignore", "-m", "autograder.authoring.current"],
            input=json.dumps(notebook),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [
            f"The questions could not be made within {_SECONDS} seconds. Run `autograder inspect` to see which one."
        ]
    said = done.stdout.splitlines()
    if done.returncode or not said:  # no output: a cell may have called os._exit(0)
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return [f"The questions could not be made: {last}. Run `autograder inspect` to see why."]
    found: list[str] = json.loads(said[-1])
    return found


def _in_this_process(notebook: Any) -> list[str]:
    from autograder.authoring.refresh import refresh
    from autograder.authoring.trial import AT_RELEASE, fault

    done = refresh(notebook, judge=False)
    stale = [
        f"{change.cell}: {change.what} not up to date; run `autograder refresh {change.question}`."
        for change in done.changes
        if change.generated
    ]
    faults = [
        f"{name}-forward: {text.removeprefix(name).lstrip(':, ')}"
        for name, text in done.faults.items()
        if " makes no question " not in text
    ]
    faults += [f"{name}-forward: {why}" for name, made in done.made.items() if (why := fault(made, AT_RELEASE))]
    return [*faults, *stale]


if __name__ == "__main__":
    import nbformat

    print("\n" + json.dumps(_in_this_process(nbformat.from_dict(json.load(sys.stdin)))))
