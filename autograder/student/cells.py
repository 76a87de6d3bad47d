"""What became of the cells that should define `grad_qN`: by whether the name holds another object after the cell.

So a cell that stopped after its `def` has defined the function, one that stopped before has not, and a function that
was there before is never taken for the new one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autograder.by_hand.cells import HIDES_ERRORS, PYTHON_MAGICS, definitions, magic_of, parse
from autograder.student.faults import fault_of
from autograder.student.protocol import Fault


@dataclass(frozen=True)
class Stopped:
    """A cell with the line `def grad_qN(…)` that did not end well, or whose magic hides whether it did."""

    defined: bool
    after: Any
    """What the name held when the cell had ended; what it holds now may be something else again."""
    fault: Fault | None = None
    magic: str = ""


# By the function that the cell should have defined. Changed in place only: whoever holds them holds these.
_stopped: dict[str, Stopped] = {}
_before: dict[str, Any] = {}
_asked_for: dict[str, None] = {}
_DEFINES = re.compile(r"^\s*(?:async\s+)?def\s+(grad_\w+)", re.MULTILINE)


def shell() -> Any:
    """The running IPython shell, or None; IPython is not imported for it."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def watch(function: str) -> None:
    """From now on, remember what becomes of cells that define `function`. Does nothing outside IPython."""
    _asked_for[function] = None
    running = shell()
    if running and _after_cell not in running.events.callbacks["post_run_cell"]:
        running.events.register("pre_run_cell", _before_cell)
        running.events.register("post_run_cell", _after_cell)


def forget() -> None:
    """As if no cell had run and no question been made."""
    for known in (_stopped, _before, _asked_for):
        known.clear()


def stopped(function: str, namespace: Mapping[str, Any]) -> Stopped | None:
    """The cell that stopped, if what it left under the name is what the name holds now."""
    cell = _stopped.get(function)
    return cell if cell and namespace.get(function) is cell.after else None


def of_other_questions(function: str) -> set[str]:
    """The functions that belong to the notebook's other questions."""
    return set(_asked_for) - {function}


def _before_cell(info: Any) -> None:
    _before.clear()
    running = shell()
    _before.update((name, running.user_ns.get(name)) for name in _DEFINES.findall(info.raw_cell or ""))


def _after_cell(result: Any) -> None:
    source = result.info.raw_cell or ""
    error = result.error_before_exec or result.error_in_exec
    namespace = shell().user_ns
    magic = magic_of(source)
    for name in _defined(source):
        after = namespace.get(name)
        defined = after is not None and after is not _before.get(name)
        known = _stopped.pop(name, None)
        if error is not None:
            _stopped[name] = Stopped(defined, after, fault_of(error, of_cell=defined))
        elif known and known.after is after and magic in HIDES_ERRORS:
            _stopped[name] = known  # the body of `%%capture` ran as a cell of its own, and stopped
        elif not defined and after is None and magic:
            _stopped[name] = Stopped(defined, after, magic=source.lstrip().split("\n", 1)[0].strip())


def _defined(source: str) -> set[str]:
    """The functions that a cell's own lines define, as far as it can be read."""
    if magic_of(source):
        source = source.lstrip().partition("\n")[2] if magic_of(source) in PYTHON_MAGICS else ""
    tree, _ = parse(source)
    if tree is None:
        return set(_DEFINES.findall(source))
    return {d.name for d in definitions(tree.body) if d.name.startswith("grad_")}
