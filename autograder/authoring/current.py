"""Whether a notebook's generated text and pictures are what its questions give now, asked in a process of its own.

So a formgrader that generates an assignment neither runs an author's cells in itself nor keeps torch in its memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

_SECONDS = 300


def problems(notebook: Any) -> list[str]:
    """Questions that cannot be made, and what `autograder refresh` would write anew, a sentence each."""
    try:
        done = subprocess.run(
            # -P: a file of the course that is called as a package is, such as random.py, is not taken for it.
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
    if done.returncode or not said:  # a cell may have ended Python without a word
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return [f"The questions could not be made: {last}. Run `autograder inspect` to see why."]
    found: list[str] = json.loads(said[-1])
    return found


def _here(notebook: Any) -> list[str]:
    from autograder.authoring.refresh import refresh

    done = refresh(notebook, judge=False)
    stale = [
        f"{change.cell}: {change.what} not up to date; run `autograder refresh {change.question}`."
        for change in done.changes
        if change.generated
    ]
    faults = [
        f"{name}-forward: {text.removeprefix(f'{name}: ')}"
        for name, text in done.faults.items()
        if " makes no question " not in text
    ]
    return [*faults, *stale]


if __name__ == "__main__":
    import nbformat

    print("\n" + json.dumps(_here(nbformat.from_dict(json.load(sys.stdin)))))
