"""Removes hidden tests and mark schemes from a feedback page, and says in place of a test's traceback why it failed.

nbgrader_config.py names this class in `GenerateFeedback.preprocessors`. The page runs it again, so that a configuration
without it reveals nothing either.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme
from nbgrader.utils import is_grade, is_locked, is_task

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
        for cell in filter(is_task, nb.cells):
            cell.source = Source(cell.source, _between(*self._scheme, cell.source)).seen
        return nb, resources

    @cached_property
    def _scheme(self) -> tuple[str, str]:
        """The marks around a mark scheme; read once, because it takes as long as all the rest of a notebook."""
        marks = ClearMarkScheme(parent=self)
        return marks.begin_mark_scheme_delimeter, marks.end_mark_scheme_delimeter

    def _test(self, cell: NotebookNode) -> Source:
        hidden = _between(self.begin_test_delimeter, self.end_test_delimeter, cell.source)
        return Source(cell.source, hidden, cell.get("execution_count"))


def _between(begin: str, end: str, source: str) -> frozenset[int]:
    """The numbers of the lines from one with the text `begin` to one with `end`; if that is missing, of all the rest.

    nbgrader 0.9 (preprocessors/clearhiddentests.py) raises RuntimeError then, and the student would get no page.
    """
    found, depth = set(), 0
    for number, line in enumerate(source.split("\n"), 1):
        begins, ends = begin in line, end in line and begin not in line
        if begins or ends or depth:
            found.add(number)
        depth = max(0, depth + begins - ends)
    return frozenset(found)


def _is_test(cell: NotebookNode) -> bool:
    return bool(cell.cell_type == "code" and is_grade(cell) and is_locked(cell))
