"""New seeds are drawn for all notebooks or for none, nothing else in a file changes, and public ones are told."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from autograder import seeds
from autograder.__main__ import main
from autograder.release import regrade
from tests.conftest import CELLS, QUESTIONS_OF_PS1, ROOT

# The seeds that this repository began with. A course draws its own; these stay public.
PUBLIC = ("8f1d6c2a", "c07b93e4", "3ae5f870", "51b0d4f9", "e6429b1d", "b95c20e7")
SEED = re.compile(rb'seed=\\"(\w+)\\"')


def notebook(path: Path, *sources: str, indent: int | None = 1) -> Path:
    """A notebook of hidden cells."""
    cells = []
    for number, source in enumerate(sources):
        meta = {"nbgrader": {"grade_id": f"cell{number}", "grade": True}}
        text = f"### BEGIN HIDDEN TESTS\n{source}\n### END HIDDEN TESTS"
        cells.append(
            {"id": f"c{number}", "cell_type": "code", "execution_count": None, "metadata": meta, "outputs": []}
        )
        cells[-1]["source"] = text.splitlines(keepends=True)
    visible = {**cells[0], "id": "seen", "metadata": {}, "source": 'torch.manual_seed(1); q1.draw(seed="seen")'}
    words = {
        "id": "words",
        "cell_type": "markdown",
        "metadata": {},
        "source": ['Write `q1.grade(points=8, seed="words")`: "é", \\ .\n'],
    }
    made = {"cells": [words, visible, *cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made, indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course with ps1 as it is here and a second assignment."""
    shutil.copytree(ROOT / "source", tmp_path / "source", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    notebook(tmp_path / "source" / "ps2" / "more.ipynb", 'q1.grade(points=8, seed="one")')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(course: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in sorted(course.rglob("*.ipynb"))}


def test_every_assignment_gets_new_seeds_and_keeps_every_other_byte(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(course)
    assert main(["seeds"]) == 0
    after = contents(course)
    drawn = [seed for text in after.values() for seed in SEED.findall(text) if seed not in (b"seen", b"words")]
    assert len(set(drawn)) == len(QUESTIONS_OF_PS1) + 1
    assert not set(drawn) & {seed for text in before.values() for seed in SEED.findall(text)}
    assert {k: SEED.sub(b"", v) for k, v in after.items()} == {k: SEED.sub(b"", v) for k, v in before.items()}
    said = capsys.readouterr().out
    assert f"source/ps1/problems.ipynb: new seeds for {len(QUESTIONS_OF_PS1)} hidden tests\n" in said
    assert "source/ps2/more.ipynb: new seeds for 1 hidden test\n" in said
    assert "  nbgrader generate_assignment ps1\n  nbgrader generate_assignment ps2\n" in said


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_each_way_to_write_a_seed_is_found_and_only_in_hidden_cells(tmp_path: Path, indent: int | None) -> None:
    ways = ['q1.grade(points=8, seed="a b")', "q1.grade(seed = 'x', points=1)", "q1.grade(8,\n    seed=12)"]
    ways += ['q1.grade(points=4, seed="a"); q2.grade(points=4, seed="b")', "assert 1 == 1"]
    path = notebook(tmp_path / "x.ipynb", *ways, indent=indent)
    drawn = seeds.draw(path)
    assert drawn.count == 5
    sources = ["".join(cell["source"]) for cell in json.loads(drawn.text)["cells"]]
    assert [len(re.findall(r'seed\s*=\s*"[0-9a-f]{16}"', source)) for source in sources] == [0, 0, 1, 1, 1, 2, 0]
    assert '`q1.grade(points=8, seed="words")`: "é"' in sources[0]
    assert 'seed="seen"' in sources[1]


@pytest.mark.parametrize(
    ("source", "remedy"),
    [
        ('q1.grade(8, "a")', 'write the seed as seed="…"'),
        ("q1.grade(points=8, seed=SEED)", "as a text in quotes, not as a name"),
        ('q1.grade(points=8, seed="a\\"b")', 'write each seed as seed="…"'),
        ('q1.grade(points=8, seed="a")  # not seed="b"', 'write each seed as seed="…"'),
        ('%time q1.grade(points=8, seed="a")', "without magics"),
    ],
)
def test_a_seed_that_cannot_be_changed_safely_is_named_and_no_notebook_changes(
    course: Path, capsys: pytest.CaptureFixture[str], source: str, remedy: str
) -> None:
    notebook(course / "source" / "ps2" / "odd.ipynb", "1", source)
    before = contents(course)
    assert main(["seeds", "ps2"]) == 1
    said = capsys.readouterr().err
    assert "odd.ipynb, cell cell1: " in said
    assert remedy in said
    assert contents(course) == before


def test_a_notebook_that_cannot_be_written_leaves_the_others_as_they_were(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(course)
    drawn = [seeds.draw(file) for file in before]
    placed = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target == drawn[-1].path:
            raise OSError(28, "No space left on device", str(target))
        return placed(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(seeds.SeedError, match=r"No space left on device\. Nothing was changed"):
        seeds.save(drawn)
    assert contents(course) == before
    assert not list(course.rglob(".*.new"))


def test_a_notebook_that_is_closed_to_students_stays_closed(course: Path) -> None:
    file = next((course / "source" / "ps1").glob("problems.ipynb"))
    file.chmod(0o640)
    assert main(["seeds"]) == 0
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_seed_whose_points_do_not_tell_every_mistake_is_drawn_again(course: Path) -> None:
    asked: list[str] = []

    def fits(question: str, seed: str) -> bool:
        asked.append(question)
        return len(asked) > 3

    assert seeds.draw(course / "source" / "ps2" / "more.ipynb", fits).count == 1
    assert asked == ["q1"] * 4
    with pytest.raises(seeds.SeedError, match=r"of 20 seeds none gives q1 points"):
        seeds.draw(course / "source" / "ps2" / "more.ipynb", lambda *_: False)


def test_an_assignment_that_was_graded_is_refused_unless_forced(
    course: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regrade, "graded", lambda _, name: 9 * (name == "ps2"))
    before = contents(course)
    assert main(["seeds", "ps2"]) == 1
    assert "ps2 was graded with the present seeds (submissions: 9)." in capsys.readouterr().err
    assert contents(course) == before
    assert main(["seeds", "ps2", "--force"]) == 0
    assert contents(course) != before


def test_an_assignment_that_is_not_there_is_named(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["seeds", "ps9"]) == 1
    assert (
        "source/ps9 holds no notebook. Correct the assignment's name; source has ps1, ps2." in capsys.readouterr().err
    )
    shutil.rmtree(course / "source")
    assert main(["seeds"]) == 1
    assert "there is no folder source" in capsys.readouterr().err


def test_the_seeds_that_this_repository_began_with_are_public_and_drawn_ones_are_not() -> None:
    assert all(map(seeds.is_public, PUBLIC))
    assert not any(seeds.is_public(seed) for seed in ("0" * 8, "", "8f1d6c2b"))


def test_the_package_that_students_have_shows_no_seed() -> None:
    now = [re.findall(r'seed="(\w+)"', CELLS[f"{name}-hidden"])[0] for name in QUESTIONS_OF_PS1]
    for file in (ROOT / "autograder").rglob("*.py"):
        text = file.read_text()
        assert [seed for seed in (*PUBLIC, *now) if seed in text] == [], file
