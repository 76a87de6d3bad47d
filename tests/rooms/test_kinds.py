"""Every kind of cell of nbgrader's is graded as stock nbgrader grades it, and shown with its pictures.

One course with all kinds is generated, handed in, graded and reported twice: with stock nbgrader's configuration, and in
rooms. What is another on purpose is named in a test of its own.
"""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from nbgrader.api import Gradebook
from PIL import Image

from tests.conftest import ROOT
from tests.rooms.small import EVERYTHING, marked
from tests.rooms.test_as_stock import STOCK, run
from tools.example_course import COURSE

pytestmark = pytest.mark.course


def picture(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(out, "PNG")
    return out.getvalue()


def encoded(colour: str) -> str:
    return base64.b64encode(picture(colour)).decode()


PASTED, DRAWN, SCAN, PHOTO = "red", "green", "blue", "orange"
"""The colours of the pictures: of the course's, an attachment and a file; of the student's, an attachment and a file."""


def is_test(cell: NotebookNode) -> bool:
    marks = cell.metadata.get("nbgrader", {})
    return bool(marks.get("grade") and marks.get("locked"))


def of_kind(cell: NotebookNode, name: str, points: float | None = None, **flags: bool) -> NotebookNode:
    marks = {"grade_id": name, "schema_version": 3, "cell_type": cell.cell_type}
    marks |= {flag: flags.get(flag, False) for flag in ("grade", "locked", "solution", "task")}
    cell.metadata.nbgrader = NotebookNode(marks if points is None else {**marks, "points": points})
    return cell


def solution(name: str, source: str) -> NotebookNode:
    lines = source.splitlines(keepends=True)
    return marked(name, f"### BEGIN SOLUTION\n{''.join(lines)}\n### END SOLUTION", locked=False)


def by_hand(cell: NotebookNode, name: str, points: float) -> NotebookNode:
    return of_kind(cell, name, points, grade=True, solution=True)


GIVEN = """\
import json
from helpers import scale
from units.length import CM
TABLE = json.load(open("data/table.json"))
"""
PRINTED = """\
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as said:
    hello()
assert said.getvalue() == "hello\\n"
"""
RIGHT = {
    "squares": "def squares(n):\n    return [i**2 for i in range(1, n + 1)]",
    "area": "def area(w, h):\n    return scale(w * h) * CM",
    "letters": "def letters(word):\n    return len(word)",
    "median": "def median(xs):\n    return sorted(xs)[len(xs) // 2]",
    "after": "def after(n):\n    return n + 1",
    "middle": "def middle(xs):\n    return sorted(xs)[1]",
    "spread": "def spread(xs):\n    return statistics.pstdev(xs)",  # imported by a test that students see
    "hello": "def hello():\n    print('hello')",
    "free": "free = [area(1, 2), TABLE]",
    "code": "def use(n):\n    return sum(squares(n))\nuse(3)",
    "words": "Because ![scan](attachment:scan.png) and ![photo](photos/photo.png) show it.",
    "ratio": "ratio = 22 / 7",
    "theory": "The sum of $i^2$.",
}
WRONG = {
    "squares": "def squares(n):\n    return [i**2 for i in range(n)]",
    "area": "def area(w, h):\n    return w * h",
    "letters": "def letters(word):\n    return 1",
    "median": "def median(xs):\n    return xs[0] * 1.0",
    "after": "def after(n):\n    return 2 if n == 1 else 0",
    "middle": "def middle(xs):\n    return xs[0]",
    "spread": "def spread(xs):\n    return statistics.no_such_function(xs)",
    "hello": "def hello():\n    return 'hello'",
    "free": "1 / 0",
    "code": "use(",
    "words": "I do not know.",
    "ratio": "ratio = '3'",
    "theory": "",
}
NOISY = {**RIGHT, "after": "import sys\ndef after(n):\n    print('n is', n, file=sys.stderr)\n    return n + 1"}
CODE = [name for name in RIGHT if name not in ("words", "theory")]
FORGED = {
    **{name: f"{EVERYTHING}\n{name if name != 'code' else 'use'} = Everything()" for name in CODE},
    "words": "<script>alert(1)</script>",
    "theory": "\\href{javascript:alert(1)}{x}",
}
CLASS: Mapping[str, Mapping[str, str]] = {
    "blank": {},
    "forged": FORGED,
    "noisy": NOISY,  # and hands in one notebook alone
    "right": RIGHT,
    "wrong": WRONG,  # and puts another picture into a cell of the course's
}


def notebooks() -> dict[str, NotebookNode]:
    """The course's own: all kinds, one with little, one with nothing that is graded."""
    welcome = new_markdown_cell(
        "Look at ![pasted](attachment:pasted.png) and at ![drawn](images/drawn.png).",
        attachments={"pasted.png": {"image/png": encoded(PASTED)}},
    )
    task = "Draw it.\n=== BEGIN MARK SCHEME ===\nOne point an axis.\n=== END MARK SCHEME ==="
    work = [
        of_kind(welcome, "welcome", locked=True),
        marked("given", GIVEN),
        solution("squares", RIGHT["squares"]),
        marked("asserts", "assert squares(3) == [1, 4, 9]\nassert squares(0) == []", 2),
        solution("area", RIGHT["area"]),
        marked("files", "import units.length\nassert area(TABLE['width'], 2) == scale(6) * units.length.CM", 2),
        solution("letters", RIGHT["letters"]),
        marked("partial", "sum(float(letters(w) == n) for w, n in {'a': 1, 'bcd': 3, 'ef': 2}.items())", 3),
        solution("median", RIGHT["median"]),
        marked("instantiated", "### AUTOTEST median([3, 1, 2])\n### HASHED AUTOTEST median([5])", 1),
        solution("after", RIGHT["after"]),
        marked(
            "hidden", "assert after(1) == 2\n### BEGIN HIDDEN TESTS\nassert after(41) == 42\n### END HIDDEN TESTS", 2
        ),
        solution("middle", RIGHT["middle"]),
        marked("imports", "import statistics\nassert middle([1, 2, 9]) == statistics.median([1, 2, 9])", 1),
        solution("spread", RIGHT["spread"]),
        marked("imported", "assert spread([1, 3]) == 1", 1),
        solution("hello", RIGHT["hello"]),
        marked("printed", PRINTED, 2),
        marked("nothing", "assert True", 0),
        solution("free", RIGHT["free"]),
        by_hand(new_code_cell(f"### BEGIN SOLUTION\n{RIGHT['code']}\n### END SOLUTION"), "code", 3),
        by_hand(new_markdown_cell("Because the pictures show it."), "words", 4),
        of_kind(new_markdown_cell(task), "task", 5, locked=True, task=True),
        new_markdown_cell("Your drawing:"),
        new_code_cell("squares(2)"),
        new_raw_cell("raw"),
    ]
    little = [
        solution("ratio", RIGHT["ratio"]),
        marked("number", "assert abs(ratio - 22 / 7) < 1e-9", 1),
        by_hand(new_markdown_cell("The sum."), "theory", 2),
    ]
    about = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    cells = {
        "work": work,
        "little": little,
        "notes": [new_markdown_cell("Read this."), new_code_cell("print('notes')")],
    }
    return {name: new_notebook(cells=made, metadata=about) for name, made in cells.items()}


SOURCE = notebooks()


def write(root: Path) -> None:
    """The source of the assignment, with modules, data and a picture beside it and in folders."""
    folder = root / "source" / "ps1"
    files = {
        "helpers.py": b"def scale(x):\n    return 2 * x\n",
        "units/length.py": b"CM = 10\n",
        "data/table.json": b'{"width": 3}',
        "images/drawn.png": picture(DRAWN),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    for name, notebook in SOURCE.items():
        nbformat.write(notebook, folder / f"{name}.ipynb")
    shutil.copy(COURSE / "autotests.yml", root)


def hand_in(root: Path, student: str, answers: Mapping[str, str], about: Mapping[str, Any] | None = None) -> None:
    """The release with these answers, two pictures, and cells of the student's own; `about` are other metadata."""
    folder = root / "submitted" / student / "ps1"
    shutil.copytree(root / "release" / "ps1", folder)
    (folder / "photos").mkdir()
    (folder / "photos" / "photo.png").write_bytes(picture(PHOTO))
    (folder / "notes.ipynb").unlink()
    if answers is NOISY:
        (folder / "little.ipynb").unlink()
    for file in folder.glob("*.ipynb"):
        notebook = nbformat.read(file, as_version=4)
        notebook.metadata.update(about or {})
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = answers.get(name, cell.source)
            if name == "words" and "attachment:" in cell.source:
                cell.attachments = {"scan.png": {"image/png": encoded(SCAN)}}
            if name == "welcome" and answers is WRONG:
                cell.attachments = {"pasted.png": {"image/png": encoded(SCAN)}}
        notebook.cells.append(new_code_cell("print('my own')"))
        nbformat.write(notebook, file)


@dataclass(frozen=True)
class Graded:
    """A course that was graded, and how its gradebook and its files look."""

    root: Path
    said: str = ""
    """What grading it said."""

    def course(self) -> dict[str, Any]:
        """What the gradebook says of the assignment, its notebooks and their cells."""
        with Gradebook(f"sqlite:///{self.root}/gradebook.db") as gradebook:
            assignment = gradebook.find_assignment("ps1")
            most = ("max_score", "max_code_score", "max_written_score", "max_task_score")
            found: dict[str, Any] = {"ps1": [getattr(assignment, name) for name in most]}
            for notebook in assignment.notebooks:
                found[notebook.name] = [json.loads(notebook.kernelspec), *(getattr(notebook, name) for name in most)]
                for cell in notebook.source_cells:
                    held = (cell.cell_type, cell.locked, cell.checksum, cell.source)
                    found[f"{notebook.name} {cell.name}"] = held
        return found

    def marks(self, student: str) -> dict[str, Any]:
        """What it says of a student's work: the sums, the grade of each cell, and the comments."""
        with Gradebook(f"sqlite:///{self.root}/gradebook.db") as gradebook:
            submission = gradebook.find_submission("ps1", student)
            sums = ("score", "code_score", "written_score", "task_score", "needs_manual_grade")
            found: dict[str, Any] = {"ps1": [getattr(submission, name) for name in sums]}
            for notebook in submission.notebooks:
                found[notebook.name] = [getattr(notebook, name) for name in sums]
                for grade in notebook.grades:
                    held = (grade.auto_score, grade.manual_score, bool(grade.needs_manual_grade), grade.max_score)
                    found[f"{notebook.name} {grade.name}"] = held
                found |= {f"{notebook.name} {c.name}'s": c.auto_comment for c in notebook.comments}
        return found

    def grades(self, student: str) -> dict[str, tuple[float | None, bool]]:
        """The mark of each graded cell and task, and whether a person gives it."""
        held = {key.partition(" ")[2]: value for key, value in self.marks(student).items() if type(value) is tuple}
        return {name: (mark, person) for name, (mark, _, person, _) in held.items()}

    def cells(self, student: str) -> dict[str, Any]:
        """Type, source and nbgrader's metadata, with the checksum, of all cells of the graded notebooks."""
        found = {}
        for file in sorted((self.root / "autograded" / student / "ps1").glob("*.ipynb")):
            for at, cell in enumerate(nbformat.read(file, as_version=4).cells):
                marks = dict(cell.metadata.get("nbgrader", {}))
                found[f"{file.stem} {marks.get('grade_id', at)}"] = (cell.cell_type, cell.source, marks)
        return found

    def notebook(self, student: str, name: str) -> NotebookNode:
        return nbformat.read(self.root / f"autograded/{student}/ps1/{name}.ipynb", as_version=4)

    def page(self, student: str, name: str) -> str:
        return (self.root / f"feedback/{student}/ps1/{name}.html").read_text()


OTHER = {
    "kernelspec": {"display_name": "R", "language": "R", "name": "ir"},
    "language_info": {"name": "R", "file_extension": ".r", "mimetype": "text/x-r-source"},
}


def grade(root: Path, config: str) -> Graded:
    root.mkdir()
    (root / "nbgrader_config.py").write_text(config)
    write(root)
    run(root, "generate_assignment", "ps1")
    for student, answers in CLASS.items():
        hand_in(root, student, answers)
    if config != STOCK.format(root=str(root)):  # which takes its time
        hand_in(root, "in another language", RIGHT, OTHER)
    said = run(root, "autograde", "ps1")
    run(root, "generate_feedback", "ps1")
    return Graded(root, said)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Graded, Graded]:
    """The same course and class under stock nbgrader, and in rooms."""
    root = tmp_path_factory.mktemp("kinds")
    stock = STOCK.format(root=str(root / "stock"))
    with ThreadPoolExecutor(2) as both:
        made = both.map(grade, (root / "stock", root / "rooms"), (stock, (ROOT / "nbgrader_config.py").read_text()))
        first, second = made
    return first, second


def test_the_gradebook_and_the_release_are_those_of_stock_nbgrader(both: tuple[Graded, Graded]) -> None:
    stock, rooms = both
    assert rooms.course() == stock.course()
    names = {path.relative_to(stock.root) for path in (stock.root / "release").rglob("*") if path.is_file()}
    assert names == {p.relative_to(rooms.root) for p in (rooms.root / "release").rglob("*") if p.is_file()}
    for name in names:
        assert (rooms.root / name).read_bytes() == (stock.root / name).read_bytes(), name


@pytest.mark.parametrize("student", ["blank", "right", "wrong"])
def test_all_marks_sums_and_comments_are_those_of_stock_nbgrader(both: tuple[Graded, Graded], student: str) -> None:
    stock, rooms = both
    assert rooms.marks(student) == stock.marks(student)


@pytest.mark.parametrize("student", ["blank", "right", "wrong"])
def test_the_graded_cells_are_those_of_stock_nbgrader(both: tuple[Graded, Graded], student: str) -> None:
    """Sources, types and checksums; but for the student's own texts, which are cleaned, with the pictures put in."""
    stock, rooms = (found.cells(student) for found in both)
    differ = {name for name in stock.keys() | rooms.keys() if stock.get(name) != rooms.get(name)}
    assert differ == {"work 25", *(["work words"] if student == "right" else [])}
    assert (stock["work 25"][0], rooms["work 25"][0]) == ("raw", "markdown")  # raw text may hold a script
    for name in differ:
        assert stock[name][2] == rooms[name][2], "the checksums"


def test_a_right_answer_earns_all_and_a_person_gives_the_rest(both: tuple[Graded, Graded]) -> None:
    grades = both[1].grades("right")
    tests = {cell.metadata.nbgrader.grade_id: cell for cell in SOURCE["work"].cells if is_test(cell)}
    assert {name: grades[name] for name in tests} == {n: (c.metadata.nbgrader.points, False) for n, c in tests.items()}
    assert {name for name, (_, person) in grades.items() if person} == {"code", "words", "task", "theory"}
    assert both[1].grades("wrong")["partial"] == (1, False)
    assert both[1].grades("blank")["words"] == (0, False)


def test_a_run_names_the_tests_inside_with_their_notebook(both: tuple[Graded, Graded]) -> None:
    assert "can make them pass (docs/security.md): work printed." in both[1].said
    assert "Never tried" not in both[1].said


def test_an_object_that_is_equal_to_everything_earns_nothing(both: tuple[Graded, Graded]) -> None:
    """On purpose not as under stock nbgrader, where its own code judges it."""
    stock, rooms = (found.grades("forged") for found in both)
    fooled = {"asserts", "files", "partial", "hidden", "imports", "imported", "number"}
    assert {name for name, (mark, _) in stock.items() if mark} == fooled
    assert rooms == {name: (mark and 0, person) for name, (mark, person) in stock.items()}


def test_what_a_function_writes_to_stderr_costs_nothing_and_a_missing_notebook_waits_for_a_person(
    both: tuple[Graded, Graded],
) -> None:
    """On purpose not as under stock nbgrader, which gives 0 for both."""
    stock, rooms = (found.grades("noisy") for found in both)
    differ = {name: (stock[name], rooms[name]) for name in stock if stock[name] != rooms[name]}
    assert differ == {
        "hidden": ((0, False), (2, False)),
        "number": ((0, False), (None, True)),
        "theory": ((0, False), (None, True)),
    }


def test_a_student_who_claims_another_language_is_graded_in_that_of_the_course(both: tuple[Graded, Graded]) -> None:
    rooms = both[1]
    assert rooms.marks("in another language") == rooms.marks("right")
    assert rooms.cells("in another language") == rooms.cells("right")
    for name in ("work", "little"):
        graded = rooms.notebook("in another language", name)
        assert graded.metadata.kernelspec == SOURCE[name].metadata.kernelspec
        assert graded.metadata.language_info.name == "python"


def shown(page: str) -> list[bytes]:
    """The pictures of a page, which are in the page itself."""
    assert "src=" in page
    assert page.count("<img") == page.count('<img src="data:image/png;base64,')
    return [base64.b64decode(data) for data in re.findall(r'<img src="data:image/png;base64,([^"]*)"', page)]


def test_pages_and_graded_notebooks_show_the_pictures_of_the_course_and_of_the_student(
    both: tuple[Graded, Graded],
) -> None:
    """On purpose not as under stock nbgrader: in a cell of the course's nobody but the course has pictures."""
    _, rooms = both
    ours = [picture(PASTED), picture(DRAWN)]
    assert shown(rooms.page("right", "work")) == [*ours, picture(SCAN), picture(PHOTO)]
    assert shown(rooms.page("blank", "work")) == shown(rooms.page("wrong", "work")) == ours
    pasted = {found.root.name: found.notebook("wrong", "work").cells[0].attachments for found in both}
    assert pasted["rooms"] == {"pasted.png": {"image/png": encoded(PASTED)}}
    assert pasted["stock"] == {"pasted.png": {"image/png": encoded(SCAN)}}
    assert all(encoded(colour) in rooms.notebook("right", "work").cells[21].source for colour in (SCAN, PHOTO))
    for student in CLASS:  # the file that a cell of the course's names lies beside the graded notebook
        file = rooms.root / "autograded" / student / "ps1" / "images" / "drawn.png"
        assert file.read_bytes() == picture(DRAWN)


def test_a_mark_scheme_is_for_whoever_marks_alone(both: tuple[Graded, Graded]) -> None:
    """On purpose not as under stock nbgrader, which shows it on the feedback page."""
    stock, rooms = both
    assert "One point an axis." in stock.page("right", "work")
    assert "One point an axis." not in rooms.page("right", "work")
    assert "One point an axis." not in (rooms.root / "release/ps1/work.ipynb").read_text()
    assert "One point an axis." in rooms.notebook("right", "work").cells[22].source
    assert "alert(1)" not in rooms.page("forged", "work")
