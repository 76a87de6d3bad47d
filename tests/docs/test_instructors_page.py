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
from nbgrader.api import Gradebook

from tests.conftest import POINTS, QUESTIONS_OF_PS1, ROOT
from tests.docs.walk import Step, Walk, commands, lend_environment, reader, take_changes
from tools.sample_class import fill_in, students

pytestmark = pytest.mark.course
PAGE = "docs/instructors.md"
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
        Step("nbgrader generate_feedback ps1"),
        Step("nbgrader release_feedback ps1", status=1, says=("released to 1 of 3 students",), then=released),
        Step("autograder feedback ps1", then=pages_of_the_class),
        Step("autograder grades ps1", says=("Wrote 3 students",), then=rows),
        Step('nbgrader db assignment add ps1 --duedate="2026-12-01 18:00:00 UTC"'),
        Step("nbgrader collect ps1 --update", before=lambda _: a_student_hands_in("ada")),
        graded(ada=60, ivo=0, exchange=60),
        Step("nbgrader generate_assignment ps1", says=("release/ps1 is unchanged",)),
        Step("nbgrader autograde ps1 --force", says=("3 graded",)),
        Step("nbgrader generate_feedback ps1 --force"),
        Step("nbgrader release_feedback ps1", status=1),
    ]
    assert commands(PAGE) == [step.command for step in steps]
    walk.take(steps)
