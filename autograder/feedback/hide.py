"""Removes the source of hidden tests, and tracebacks that quote it, from a feedback page; verdicts stay.

nbgrader_config.py names this class in `GenerateFeedback.preprocessors`. The page runs it again, so that a configuration
without it reveals nothing either.
"""

from __future__ import annotations

import re
from typing import Any

from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import is_grade, is_locked

from autograder.lending.specials import EXCEPTIONS
from autograder.workers import wire

HIDDEN = "has_hidden_tests"
"""Set in the metadata of a cell whose hidden tests were cleared; it is never written to a file."""
FAILED = "A hidden test failed. {value}"
NOT_RUN = (
    "This hidden test could not run: {name}: {value}\n"
    "Check that your notebook defines what the question asks for, and that nothing in it replaces or deletes names of "
    "the read-only cells, then hand in again."
)
IN_THE_ANSWER = "A hidden test failed: your answer stopped with {name}."
"""Without the text of the error, which may quote what the hidden test has given to the answer."""
_UNKNOWN = re.compile(r"name '\w{1,60}' is not defined")


class HideHiddenTests(ClearHiddenTests):  # type: ignore[misc]  # nbgrader ships no types
    """An nbgrader preprocessor that clears hidden tests, and replaces the tracebacks in their outputs by a sentence."""

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        if not (is_grade(cell) and is_locked(cell)) or not self._remove(cell):
            return cell, resources
        cell.metadata.nbgrader[HIDDEN] = True
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                text = _sentence(output.ename, output.evalue[:200])
                output.ename, output.evalue, output.traceback = "", text, text.split("\n")
        return cell, resources

    def _remove(self, cell: Any) -> bool:
        """Clears the hidden part. If its end marker is missing, clears the rest of the cell.

        nbgrader 0.9 (preprocessors/clearhiddentests.py) raises RuntimeError then, and the student would get no page.
        """
        try:
            return bool(self._remove_hidden_test_region(cell))
        except RuntimeError:
            cell.source = cell.source.split(self.begin_test_delimeter)[0].rpartition("\n")[0]
            return True


def _sentence(name: str, value: str) -> str:
    """What a page says of an error in a hidden test. The words of one that an answer may have had a part in are left
    out: they can hold what the hidden test has given to the answer.
    """
    if name == "AssertionError":
        return FAILED.format(value=value).strip()
    if name.endswith(wire.IN_THE_ANSWER):
        name = name.removesuffix(wire.IN_THE_ANSWER)
        return IN_THE_ANSWER.format(name=name if name in EXCEPTIONS else "an error")
    quotes = name in EXCEPTIONS or name == "CannotBeHad"
    if quotes and not (name == "NameError" and _UNKNOWN.fullmatch(value)):
        value = "what your notebook gives cannot be tested so"
    return NOT_RUN.format(name=name, value=value)
