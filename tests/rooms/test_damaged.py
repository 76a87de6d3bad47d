"""A class of damaged files: who wrote right answers earns them, and nobody gets a final 0 for a file that was not read."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from autograder.sandbox.limits import LANDLOCK, NAMESPACES
from tests.rooms.course import EARNED, Course, Submission, find

pytestmark = pytest.mark.course

FILE = "problems.ipynb"


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        (folder / FILE).write_bytes(change((folder / FILE).read_bytes()))

    return changed


def _json(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def changed(folder: Path) -> None:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        change(content)
        (folder / FILE).write_text(json.dumps(content, indent=1, ensure_ascii=False), encoding="utf-8")

    return changed


def _no_marks(content: dict[str, Any]) -> None:
    content["metadata"] = {}
    for cell in content["cells"]:
        cell["metadata"] = {}


def _no_tests_and_no_marks(content: dict[str, Any]) -> None:
    _no_marks(content)
    content["cells"] = [c for c in content["cells"] if c["cell_type"] == "code" and "def grad_" in "".join(c["source"])]


def _large(content: dict[str, Any]) -> None:
    output = {"output_type": "stream", "name": "stdout", "text": "x" * 70_000_000}
    next(c for c in content["cells"] if c["cell_type"] == "code")["outputs"] = [output]


def _renamed(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / FILE).rename(folder / name) and None


def _renamed_beside_another(folder: Path) -> None:
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")]), folder / "scratch.ipynb")
    _renamed("problems (1).ipynb")(folder)


def _twice_renamed(folder: Path) -> None:
    (folder / "problems (2).ipynb").write_bytes((folder / FILE).read_bytes())
    _renamed("problems (1).ipynb")(folder)


def _only_a_pdf(folder: Path) -> None:
    (folder / "answers.pdf").write_bytes((folder / FILE).read_bytes())
    (folder / FILE).unlink()


def _answer_beside(notebook: NotebookNode) -> None:
    """The cell with the mark is deleted, and its text stands in a new one."""
    answer = find(notebook, "q1")
    notebook.cells[notebook.cells.index(answer)] = nbformat.v4.new_code_cell(answer.source)


def _cell(content: dict[str, Any], name: str) -> dict[str, Any]:
    return next(c for c in content["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == name)


def _merged_into_a_locked_cell(content: dict[str, Any]) -> None:
    """As JupyterLab merges: the first cell's metadata stay."""
    answer = _cell(content, "q1")
    content["cells"].remove(answer)
    _cell(content, "q1-forward")["source"] += ["\n", *answer["source"]]


def _marks_exchanged(content: dict[str, Any]) -> None:
    one, other = _cell(content, "q1"), _cell(content, "q3-check")
    one["metadata"], other["metadata"] = other["metadata"], one["metadata"]


def _retyped(content: dict[str, Any]) -> None:
    _cell(content, "q1").update(cell_type="raw", metadata={})


def _instead(put: Callable[[Path], object]) -> Callable[[Path], None]:
    """Something else in the place of the submission's folder, or beside it."""

    def changed(folder: Path) -> None:
        shutil.rmtree(folder)
        put(folder)

    return changed


COUNT = b'   "execution_count": null,\n'
CONFLICT = b"""\
<<<<<<< HEAD
   "execution_count": 1,
=======
   "execution_count": 2,
>>>>>>> 3f2a9c1 (again)
"""
TWO_SIDES = b"""\
<<<<<<< HEAD
    "    dzdx = 2\\n",
=======
    "    dzdx = 4\\n",
>>>>>>> theirs
"""
NOTHING = "none of the course's cells in it"
REPAIRED = {
    "bom": _bytes(lambda data: b"\xef\xbb\xbf" + data),
    "utf-16": _bytes(lambda data: data.decode().encode("utf-16")),
    "latin-1": _bytes(lambda data: data.replace(b'"source": [', b'"about": "d\xe9j\xe0 vu", "source": [', 1)),
    "comma": _bytes(lambda data: data.replace(b'"code",\n', b'"code"\n', 1)),
    "minor-missing": _json(lambda c: c.pop("nbformat_minor")),
    "minor-negative": _json(lambda c: c.update(nbformat_minor=-1)),
    "metadata-missing": _json(lambda c: c.pop("metadata")),
    "format-4.0": _json(lambda c: [c.update(nbformat_minor=0), *(cell.pop("id", 0) for cell in c["cells"])]),
    "heading": _json(
        lambda c: c["cells"].insert(2, {"cell_type": "heading", "metadata": {}, "source": "x", "level": 1})
    ),
    "null-source": _json(lambda c: c["cells"].insert(2, {"cell_type": "code", "metadata": {}, "source": None})),
    "large": _json(_large),
    "renamed": _renamed("problems (1).ipynb"),
    "renamed-otherwise": _renamed("ada_HW*1.ipynb"),
    "renamed-beside": _renamed_beside_another,
    "other-ending": _renamed("problems.ipynb.txt"),
    "capitals": _renamed("Problems.IPYNB"),
    "doubled": _bytes(lambda data: data + data),
    "in-conflict": _bytes(lambda data: data.replace(COUNT, CONFLICT)),
    "backwards": _json(lambda c: c["cells"].reverse()),
    "merged": _json(_merged_into_a_locked_cell),
    "marks-exchanged": _json(_marks_exchanged),
    "retyped": _json(_retyped),
    "no-marks": _json(_no_marks),
    "no-marks-no-tests": _json(_no_tests_and_no_marks),
}
UNGRADABLE = {
    "cut": (_bytes(lambda data: data[: len(data) // 2]), "not readable as a notebook"),
    "empty": (_bytes(lambda _: b""), "not readable as a notebook"),
    "web-page": (_bytes(lambda _: b"<html></html>"), "not readable as a notebook"),
    "other": (_json(lambda c: c["cells"].clear()), "none of the course's cells in it"),
    "pdf": (_only_a_pdf, "none of the course's cells in it"),
    "twice": (_twice_renamed, "the notebook has another name"),
    "two-sided": (
        _bytes(lambda data: re.sub(rb".*dzdx = 2.*\n", lambda _: TWO_SIDES, data)),
        "not readable as a notebook",
    ),
    "a-link": (_instead(lambda folder: folder.symlink_to("../bom/ps1")), NOTHING),
    "a-file": (_instead(lambda folder: folder.write_text("see my e-mail") and None), NOTHING),
    "a-zip": (_instead(lambda folder: folder.with_suffix(".zip").write_bytes(b"PK") and None), NOTHING),
    "misplaced": (_instead(lambda folder: folder.with_name("PS1").mkdir()), NOTHING),
}


AT_THE_LANDLOCK_LEVEL = ("bom", "large", "renamed", "no-marks", "cut", "twice")
"""These are handed in a second time, and graded at the weaker level: how a file is read does not depend on it."""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(tmp_path_factory.mktemp("damaged"))
    changes = {**REPAIRED, **{name: change for name, (change, _) in UNGRADABLE.items()}}
    for name in AT_THE_LANDLOCK_LEVEL:
        made.hand_in(f"{LANDLOCK}-{name}", Submission(files=changes[name]))
    made.run("autograde", "ps1", f"--Engine.isolation={LANDLOCK}", ok=None)
    for name, change in changes.items():
        made.hand_in(name, Submission(files=change))
    made.hand_in("moved", Submission(edit=_answer_beside))
    said = made.run("autograde", "ps1", f"--Engine.isolation={NAMESPACES}", ok=None)
    made.graded_with = said, made.status
    return made


def _again(names: Iterable[str]) -> list[str]:
    return [f"{LANDLOCK}-{name}" for name in AT_THE_LANDLOCK_LEVEL if name in names]


@pytest.mark.parametrize("name", [*REPAIRED, "moved", *_again(REPAIRED)])
def test_a_right_answer_in_a_damaged_file_earns_its_points(course: Course, name: str) -> None:
    assert course.marks(name) == EARNED


@pytest.mark.parametrize("name", [*UNGRADABLE, *_again(UNGRADABLE)])
def test_no_grade_of_what_was_not_graded_looks_final(course: Course, name: str) -> None:
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        submission = gradebook.find_submission("ps1", name)
        assert submission.needs_manual_grade
        assert all(grade.auto_score is None for notebook in submission.notebooks for grade in notebook.grades)


def test_whoever_needs_a_person_is_named_once_at_the_end_with_the_reason(course: Course) -> None:
    said, status = course.graded_with
    _, _, end = said.partition("need a person:")
    for name, (_, reason) in UNGRADABLE.items():
        (line,) = [line for line in end.splitlines() if reason in line]
        assert name in line
        assert end.count(f" {name}") <= 2  # `twice` could not be graded either
    assert status == 1
    for name in REPAIRED:
        assert f" {name}," not in end
    assert "ERROR" not in said.partition("need a person:")[0].replace("ERROR | There was an error processing", "")


def test_what_was_repaired_is_said(course: Course) -> None:
    said, _ = course.graded_with
    for text in (
        "it was saved as UTF-16",
        "it was saved as Latin-1",
        "1 of its commas were missing or too many",
        "1 of its cells were of an odd kind",
        "parts of its format were missing or odd",
        "problems (1).ipynb was graded as problems.ipynb",
        "cells without nbgrader's marks, recognised:",
        "Problems.IPYNB was graded as problems.ipynb",
        "something followed its end and was left out",
        "it had merge conflicts, of which both sides have the same cells",
        "it has merge conflicts, and the sides have different cells",
        "cells that were merged with others and taken apart again: q1-forward",
        "cells of the course that stood where they could not work and were moved:",
        "no notebook (but ps1, which is a link to ../bom/ps1, not a folder)",
        "no notebook (but ps1, which is no folder)",
        "no notebook (but ../ps1.zip)",
        "no notebook (but ../PS1)",
    ):
        assert text in said


def test_what_was_handed_in_stays_as_it_was(course: Course) -> None:
    folder = course.root / "submitted"
    assert (folder / "bom" / "ps1" / FILE).read_bytes().startswith(b"\xef\xbb\xbf")
    assert [path.name for path in (folder / "renamed" / "ps1").glob("*.ipynb")] == ["problems (1).ipynb"]


def test_the_points_that_a_person_gives_stay_and_nobody_is_asked_again(course: Course) -> None:
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
        for name in ("cut", "pdf"):
            for notebook in gradebook.find_submission("ps1", name).notebooks:
                for grade in notebook.grades:
                    grade.manual_score, grade.needs_manual_grade = 1.0, False
        gradebook.db.commit()
    said = course.run("autograde", "ps1", ok=None)
    for name in ("cut", "pdf"):
        with Gradebook(f"sqlite:///{course.root}/gradebook.db") as gradebook:
            submission = gradebook.find_submission("ps1", name)
            assert submission.score == sum(1 for notebook in submission.notebooks for _ in notebook.grades)
            assert not submission.needs_manual_grade
        assert f" {name}" not in said.partition("need a person:")[2]
    assert "empty" in said.partition("need a person:")[2]
