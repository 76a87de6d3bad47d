"""What a feedback page may show: every verdict, and never the source of a hidden test or a traceback through it.

nbgrader runs this while it writes feedback, because nbgrader_config.py names it in `GenerateFeedback.preprocessors`.
"""

from __future__ import annotations

from typing import Any

from nbgrader.preprocessors import ClearHiddenTests

NOT_RUN = (
    "This hidden test could not run: {name}: {value}\n"
    "It uses names that the read-only cells of the notebook define. Check that nothing in your notebook replaces or "
    "deletes them, then hand in again."
)


class HideHiddenTests(ClearHiddenTests):  # type: ignore[misc]  # nbgrader ships no types
    """Clears hidden tests from the page, and the tracebacks in their outputs, which would quote them."""

    def preprocess_cell(self, cell: Any, resources: Any, cell_index: int) -> tuple[Any, Any]:
        if not self._remove_hidden_test_region(cell):
            return cell, resources
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                output.traceback = NOT_RUN.format(name=output.ename, value=output.evalue[:200]).split("\n")
        return cell, resources
