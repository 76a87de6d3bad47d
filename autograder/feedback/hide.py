"""What a feedback page may show: every verdict, and never the source of a hidden test or a traceback through it.

nbgrader runs this while it writes feedback, because nbgrader_config.py names it in `GenerateFeedback.preprocessors`.
The page runs it once more, so that a configuration without it gives nothing away.
"""

from __future__ import annotations

from typing import Any

from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import is_grade, is_locked

HIDDEN = "has_hidden_tests"
"""Set in the metadata of a cell whose hidden tests were cleared; it is never written to a file."""
FAILED = "A hidden test failed. {value}"
NOT_RUN = (
    "This hidden test could not run: {name}: {value}\n"
    "It uses names that the read-only cells of the notebook define. Check that nothing in your notebook replaces or "
    "deletes them, then hand in again."
)


class HideHiddenTests(ClearHiddenTests):  # type: ignore[misc]  # nbgrader ships no types
    """Clears hidden tests from the page, and the tracebacks in their outputs, which would quote them."""

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        if not (is_grade(cell) and is_locked(cell)) or not self._remove(cell):
            return cell, resources
        cell.metadata.nbgrader[HIDDEN] = True
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                words = FAILED if output.ename == "AssertionError" else NOT_RUN
                text = words.format(name=output.ename, value=output.evalue[:200]).strip()
                output.ename, output.evalue, output.traceback = "", text, text.split("\n")
        return cell, resources

    def _remove(self, cell: Any) -> bool:
        """Markers that do not close hide the rest of the cell; nbgrader's own rule ends the page of that student."""
        try:
            return bool(self._remove_hidden_test_region(cell))
        except RuntimeError:
            cell.source = cell.source.split(self.begin_test_delimeter)[0].rpartition("\n")[0]
            return True
