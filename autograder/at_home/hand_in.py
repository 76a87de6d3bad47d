"""Finds what would go wrong when a notebook is handed in: wrong file name or kernel, cells that are lost or changed."""

from __future__ import annotations

from autograder.at_home.notebook import Notebook, expected_name

MISSING = "{cells} {is_are} missing. {remedy}"
ANSWER_GONE = "The answer cell of {cell} is missing: without it there is no answer. {remedy}"
EDITED = "Read-only cells were changed: {cells}. The grader uses its own, so the change has no effect; {remedy}"
TWICE = "There is more than one cell {cell}: the last one counts. Delete the others."
NOT_CODE = "The answer cell of {cell} is no code cell any more, so it is not run. Turn it back into code (Esc, then Y)."
WRONG_NAME = "The file is called {name}. Hand it in as {expected}: rename it before you send it."
WRONG_KERNEL = "The notebook is set to {language}. Choose Python 3 (Kernel > Change Kernel) and save."
NO_MARKS = (
    "None of the course's cells is in this notebook: it is another notebook, or a program removed their marks. {remedy}"
)


def problems(notebook: Notebook, original: Notebook | None, remedy: str) -> list[str]:
    """A sentence for each problem; `original` is the kit's untouched copy, `remedy` says how to restore a cell."""
    out = []
    if notebook.language not in ("", "python", "python3", "ipython"):
        out.append(WRONG_KERNEL.format(language=notebook.language))
    expected = name_for(notebook, original)
    if notebook.path.name != expected:
        out.append(WRONG_NAME.format(name=notebook.path.name, expected=expected))
    marked = [cell for cell in notebook.cells if cell.name]
    if not marked:
        return [*out, NO_MARKS.format(remedy=remedy)]
    there = {cell.name for cell in marked}
    answers, others = _expected_cells(notebook, original)
    out += [ANSWER_GONE.format(cell=name, remedy=remedy) for name in answers if name not in there]
    if gone := [name for name in others if name not in there]:
        cells = f"The read-only cells {', '.join(gone)}" if len(gone) > 1 else f"The read-only cell {gone[0]}"
        out.append(MISSING.format(cells=cells, is_are="are" if len(gone) > 1 else "is", remedy=remedy))
    if edited := list(dict.fromkeys(cell.name for cell in marked if cell.edited)):
        mend = remedy[0].lower() + remedy[1:]
        out.append(EDITED.format(cells=", ".join(edited), remedy=mend))
    out += [TWICE.format(cell=name) for name in sorted(there) if len(notebook.named(name)) > 1]
    was_code = {c.name for c in original.cells if c.kind == "code"} if original else set(answers)
    out += [NOT_CODE.format(cell=c.name) for c in marked if c.answer and c.kind != "code" and c.name in was_code]
    return out


def name_for(notebook: Notebook, original: Notebook | None) -> str:
    """The name that the file must have when it is handed in."""
    return original.path.name if original else expected_name(notebook.path.name)


def _expected_cells(notebook: Notebook, original: Notebook | None) -> tuple[list[str], list[str]]:
    """The ids of the answer cells and of the other cells that the notebook should have.

    Without the `original` they follow from the contract: five cells for each question, of which some are still there.
    An ordinary test may be called `squares-check` too; it calls no `squares.check()`.
    """
    if original:
        marked = [cell for cell in original.cells if cell.name]
        return [c.name for c in marked if c.answer], [c.name for c in marked if not c.answer]
    ends = ("-statement", "-forward", "-check", "-hidden")
    found = [cell.name.removesuffix(end) for cell in notebook.cells for end in ends[1:] if cell.name.endswith(end)]
    have = {cell.name: cell.source for cell in notebook.cells}
    names = [n for n in dict.fromkeys(found) if f"{n}-forward" in have or f"{n}.check(" in have.get(f"{n}-check", "")]
    return names, [name + end for name in names for end in ends]
