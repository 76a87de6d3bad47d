"""Removes the source of hidden tests from a feedback page, and says in place of a test's traceback why it failed.

nbgrader_config.py names this class in `GenerateFeedback.preprocessors`. The page runs it again, so that a configuration
without it reveals nothing either.
"""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import is_grade, is_locked

from autograder.feedback import failure
from autograder.feedback.failure import Source

HIDDEN = "has_hidden_tests"
"""Set in the metadata of a cell whose hidden tests were cleared; it is never written to a file."""
TOLD = "failures_told"
"""Set in the metadata of a test's cell of whose errors it was said what a page says; it is never written either."""


class HideHiddenTests(ClearHiddenTests):  # type: ignore[misc]  # nbgrader ships no types
    """An nbgrader preprocessor that clears hidden tests, and replaces the tracebacks of tests by a sentence."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        tests = [(cell, self._test(cell)) for cell in nb.cells if _is_test(cell)]
        by_count = {test.count: test for _, test in tests if test.count is not None}
        secret = False
        for cell, test in tests:
            secret |= bool(test.hidden) or HIDDEN in cell.metadata.nbgrader
            if test.hidden:
                cell.source = test.seen
                cell.metadata.nbgrader[HIDDEN] = True
            errors = [] if TOLD in cell.metadata.nbgrader else [o for o in cell.outputs if o.output_type == "error"]
            for error in errors:
                if text := failure.told(error, test, by_count, secret):
                    error.ename, error.evalue, error.traceback = "", text, text.split("\n")
            cell.metadata.nbgrader[TOLD] = True
        return nb, resources

    def _test(self, cell: NotebookNode) -> Source:
        """The cell as it was run. If the end of a hidden part is not marked, the rest of the cell is hidden.

        nbgrader 0.9 (preprocessors/clearhiddentests.py) raises RuntimeError then, and the student would get no page.
        """
        hidden, depth = set(), 0
        for number, line in enumerate(cell.source.split("\n"), 1):
            begins = self.begin_test_delimeter in line
            ends = not begins and self.end_test_delimeter in line
            if begins or ends or depth:
                hidden.add(number)
            depth = max(0, depth + begins - ends)
        return Source(cell.source, frozenset(hidden), cell.get("execution_count"))


def _is_test(cell: NotebookNode) -> bool:
    return bool(cell.cell_type == "code" and is_grade(cell) and is_locked(cell))
