"""docs/instructors.md as an instructor types it in a fresh clone, from the set-up to a regrading."""

from __future__ import annotations

import csv
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell
from nbgrader.api import Gradebook

from tests.authoring.notebooks import SOLUTION_OF_PRODUCT, finish
from tests.conftest import POINTS, QUESTIONS_OF_PS1, ROOT
from tests.docs.walk import Step, Walk, commands, lend_environment, reader, take_changes
from tests.rooms.small import by_hand, marked
from tools.sample_class import fill_in, students

pytestmark = pytest.mark.course
PAGE, OWN = "docs/instructors.md", "Your own questions beside ours"
# Downloaded, in Moodle's form: who wrote it, and whose answers of the sample class they are.
DOWNLOADED = {"Ada Adams": "ada", "Ivo Ivanov": "ivo"}
CLASS = "username,first_name,last_name,email\nada,Ada,Adams,ada@example.org\nivo,Ivo,Ivanov,ivo@example.org\n"
RELEASED = ROOT / "release" / "ps1" / "problems.ipynb"


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("instructor")
    with reader(folder, meant={"/srv/nbgrader/exchange": str(folder / "exchange")}) as walk:
        yield walk


def answered(by: str) -> str:
    """The released notebook with the answers of a student of the sample class."""
    return nbformat.writes(fill_in(nbformat.read(RELEASED, as_version=4), students()[by]))


def download(walk: Walk) -> None:
    with zipfile.ZipFile(walk.here / "moodle.zip", "w") as archive:
        for number, (name, by) in enumerate(DOWNLOADED.items()):
            archive.writestr(f"{name}_{4711 + number}_assignsubmission_file_/problems.ipynb", answered(by))


def marks(course: Path) -> dict[str, float]:
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        return {s.student_id: round(s.score, 2) for s in gradebook.assignment_submissions("ps1")}


def test_the_term_as_written(walk: Walk) -> None:
    seeds = set(re.findall(r'seed=\\"(\w+)\\"', (ROOT / "source/ps1/problems.ipynb").read_text()))
    home = walk.here / "student"
    who: list[str] = []

    def has_its_environment(walk: Walk, _: str) -> None:
        take_changes(walk.here)
        lend_environment(walk.here)

    def seeds_are_new(walk: Walk, _: str) -> None:
        assert not seeds & set(re.findall(r'seed=\\"(\w+)\\"', (walk.here / "source/ps1/problems.ipynb").read_text()))

    def gradebook_is_filled_and_git_sees_new_seeds_only(walk: Walk, said: str) -> None:
        assert f" {POINTS:g} points in all" in said
        assert walk.type("git status --porcelain")[0].split() == ["M", "source/ps1/problems.ipynb"]

    def a_student_hands_in(by: str) -> None:
        if not home.exists():
            home.mkdir()
            shutil.copy(walk.here / "nbgrader_config.py", home)
            assert walk.type(f"(cd {home} && nbgrader fetch_assignment ps1)")[1] == 0
        (home / "ps1" / "problems.ipynb").write_text(answered(by))
        assert walk.type(f"(cd {home} && nbgrader submit ps1)")[1] == 0

    def is_collected(walk: Walk, said: str) -> None:
        who.append(re.search(r"Collecting submission: (\S+)", said)[1])  # type: ignore[index]

    def placed(walk: Walk, _: str) -> None:
        assert sorted(p.name for p in (walk.here / "submitted").glob("[!.]*")) == sorted(["ada", "ivo", *who])

    def not_placed(walk: Walk, _: str) -> None:
        assert sorted(p.name for p in (walk.here / "submitted").glob("[!.]*")) == who

    def graded(**expected: float) -> Step:
        def look(walk: Walk, said: str) -> None:
            assert marks(walk.here) == {who[0] if k == "exchange" else k: v for k, v in expected.items()}

        return Step("nbgrader autograde ps1", says=("Student code is locked in by",), then=look)

    def pages_of_the_class(walk: Walk, _: str) -> None:
        with zipfile.ZipFile(walk.here / "feedback-ps1-moodle.zip") as pages:
            assert len({name.split("_")[0] for name in pages.namelist()} & set(DOWNLOADED)) == 2

    def rows(walk: Walk, _: str) -> None:
        with (walk.here / "grades-ps1.csv").open(encoding="utf-8-sig") as file:
            found = {row["student_id"]: (row["last_name"], row["score"]) for row in csv.DictReader(file)}
        assert found["ada"] == ("Adams", "60.00")
        assert found["ivo"] == ("Ivanov", "0.00")
        assert found[who[0]][1] == "46.63"

    def reported(walk: Walk, _: str) -> None:
        page = (walk.here / "report-ps1/report.html").read_text()
        assert "<li>1 of 3 broke <code>dfdb</code>: 1 by the sign.</li>" in page

    def released(walk: Walk, _: str) -> None:
        assert walk.type(f"(cd {home} && nbgrader fetch_feedback ps1)")[1] == 0
        assert "Q6" in next((home / "ps1" / "feedback").glob("*/problems.html")).read_text()

    steps = [
        Step("git clone <this repository> course && cd course", then=has_its_environment),
        Step("make env"),
        Step("source .venv/bin/activate"),
        Step("autograder seeds", says=(f"new seeds for {len(QUESTIONS_OF_PS1)} hidden tests",), then=seeds_are_new),
        Step(
            "nbgrader generate_assignment ps1",
            says=("release/ps1 is unchanged",),
            then=gradebook_is_filled_and_git_sees_new_seeds_only,
        ),
        Step("nbgrader validate source/ps1/problems.ipynb", says=("Success!",)),
        Step("export NBGRADER_EXCHANGE=/srv/nbgrader/exchange"),
        Step("mkdir -p $NBGRADER_EXCHANGE && chmod 777 $NBGRADER_EXCHANGE"),
        Step("nbgrader release_assignment ps1"),
        Step("make student-kit", says=("dist/ps1-student-kit.zip",)),
        Step("autograder roster class.csv", before=lambda w: (w.here / "class.csv").write_text(CLASS)),
        Step("nbgrader collect ps1", before=lambda _: a_student_hands_in("chen"), then=is_collected),
        Step("autograder collect moodle.zip --dry-run", before=download, then=not_placed),
        Step("autograder collect moodle.zip", then=placed),
        graded(ada=60, ivo=0, exchange=pytest.approx(40 + 24 / 7 + 3.2, abs=0.01)),
        Step("autograder grade ps1", says=("0 graded in", "3 graded before")),
        Step("autograder feedback ps1", says=("4 pages written in",), then=pages_of_the_class),
        Step("nbgrader release_feedback ps1", status=1, says=("released to 1 of 3 students",), then=released),
        Step("autograder grades ps1", says=("Wrote 3 students",), then=rows),
        Step("autograder report ps1", says=("report-ps1/report.html: 3 students.",), then=reported),
        Step('nbgrader db assignment add ps1 --duedate="2026-12-01 18:00:00 UTC"'),
        Step("nbgrader collect ps1 --update", before=lambda _: a_student_hands_in("ada")),
        graded(ada=60, ivo=0, exchange=60),
        Step("nbgrader generate_assignment ps1", says=("release/ps1 is unchanged",)),
        Step("autograder grade ps1 --regrade --dry-run", says=("This is a dry run", "Nobody's marks change.")),
        Step("nbgrader autograde ps1 --force", says=("3 graded",)),
        Step("autograder feedback ps1", says=("4 pages written in",)),
        Step("nbgrader release_feedback ps1", status=1),
    ]
    assert [c for c in commands(PAGE) if c not in commands(PAGE, OWN)] == [step.command for step in steps]
    walk.take(steps)


def test_own_questions_as_written(walk: Walk) -> None:
    if walk.here.name != "course":  # the test of the term, which clones it, was left out
        walk.type("git clone <this repository> course && cd course")
        take_changes(walk.here)
        lend_environment(walk.here)
        walk.type("source .venv/bin/activate")
    product, answer, test = (
        re.sub("^   ", "", block, flags=re.MULTILINE)
        for block in re.findall(
            r"^ *```python\n(.*?)^ *```",
            (ROOT / PAGE).read_text().split(f"## {OWN}")[1],
            flags=re.MULTILINE | re.DOTALL,
        )
    )
    source, plot = walk.here / "source/ps2/problems.ipynb", "import matplotlib.pyplot as plt\nplt.plot([1, 2], [2, 1]);"

    def cells_are_added(_: Walk) -> None:
        notebook = nbformat.read(source, as_version=4)
        finish(notebook, "q1", SOLUTION_OF_PRODUCT)
        notebook.cells += [
            new_markdown_cell("## Q2. A slope\nWrite `slope(f, x, h)`, the central difference."),
            marked("slope", answer, locked=False),
            marked("slope-test", test, 4),
            marked("error-plot", "### BEGIN SOLUTION\n### END SOLUTION", 3, locked=False),
            by_hand("why", 3),
        ]
        nbformat.write(notebook, source)

    def handed_in(**answers: str) -> None:
        for student, written in answers.items():
            notebook = nbformat.read(walk.here / "release/ps2/problems.ipynb", as_version=4)
            for cell in notebook.cells:
                name = cell.metadata.get("nbgrader", {}).get("grade_id")
                cell.source = {"slope": written, "error-plot": plot, "why": "Rounding."}.get(name, cell.source)
            folder = walk.here / "submitted" / student / "ps2"
            folder.mkdir(parents=True)
            nbformat.write(notebook, folder / "problems.ipynb")

    def right_earns_the_points_and_a_person_marks_the_rest(walk: Walk, _: str) -> None:
        with Gradebook(f"sqlite:///{walk.here}/gradebook.db") as gradebook:
            for student, points in (("ada", 4), ("ivo", 0)):
                grades = gradebook.find_submission_notebook("problems", "ps2", student).grades
                assert {g.name: g.auto_score for g in grades if g.name in ("slope-test", "why")} == {
                    "slope-test": points,
                    "why": None,
                }
                assert {g.name for g in grades if g.needs_manual_grade} == {"why", "error-plot"}

    def page_tells_the_message(walk: Walk, _: str) -> None:
        page = (walk.here / "feedback/ivo/ps2/problems.html").read_text()
        assert "A hidden test failed. the slope of the sine is another one" in page
        assert "Q2. A slope" in page
        assert "torch.sin(x).backward()" not in page
        assert "data:image/png;base64" in page

    right = re.sub("^ *###.*\n", "", answer, flags=re.MULTILINE)
    steps = [
        Step('autograder new-assignment ps2 --title "Problem set 2"'),
        Step(
            'autograder new q1 q1.py --title "Q1. A product" --notebook source/ps2/problems.ipynb',
            before=lambda w: (w.here / "q1.py").write_text(product),
        ),
        Step(
            "autograder inspect ps2",
            says=("problems: 3 tests tried in rooms, as in grading.", f"  {'slope-test':30}  by the examiner"),
            before=cells_are_added,
        ),
        Step("nbgrader generate_assignment ps2", says=("ps2 is in the gradebook: 1 notebook, 5 cells with points",)),
        Step(
            "nbgrader autograde ps2",
            status=3,
            before=lambda _: handed_in(ada=right, ivo="def slope(f, x, h):\n    return 2 * x"),
            then=right_earns_the_points_and_a_person_marks_the_rest,
        ),
        Step("nbgrader generate_feedback ps2", then=page_tells_the_message),
    ]
    assert commands(PAGE, OWN) == [step.command for step in steps]
    walk.take(steps)
