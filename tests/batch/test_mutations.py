"""A class of submissions that were broken at random: nobody is lost, nobody gains, and right answers keep their marks.

`make mutations` does the same with a thousand, and with another seed each time.
"""

from __future__ import annotations

import copy
import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.batch import damage_bytes, damage_cells, damage_contents, damage_folder
from tests.batch.mutated_class import MutatedClass
from tests.batch.mutated_course import BASES, BY_HAND, CELLS_OF, FULL, answers_of
from tests.batch.survival import Left, left

pytestmark = pytest.mark.course

SEED, NUMBER = 22, 100


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MutatedClass:
    return MutatedClass(tmp_path_factory.mktemp("mutated"), SEED, NUMBER)


def test_nobody_is_lost_nobody_gains_and_who_could_not_be_graded_is_named(made: MutatedClass) -> None:
    assert made.findings() == []
    assert len(made.marks) == NUMBER + len(BASES)


def test_right_answers_that_are_whole_keep_their_marks(made: MutatedClass) -> None:
    assert made.rate >= 0.95, made.losers()


def test_every_kind_of_end_is_in_the_class(made: MutatedClass) -> None:
    """Else the two tests above would claim less than they say."""
    assert made.status in (1, 3)
    assert sum(made.tally[Left.WHOLE].values()) > 300
    assert made.tally[Left.ELSEWHERE]["waits"] > 20
    assert sum(made.tally[Left.GONE].values()) > 20
    wrong = [
        q for given in made.given.values() for q in given.left if 0 < made.best(given.base)[q].points < FULL.get(q, 0)
    ]
    assert len(wrong) > 50, "only of answers that are not right can marks be gained"


def test_the_good_ones_have_the_marks_that_they_deserve(made: MutatedClass) -> None:
    ada = made.best("ada")
    assert {question: mark.points for question, mark in ada.items() if question not in BY_HAND} == FULL
    assert all(ada[question].waits for question in BY_HAND)
    assert made.best("chen")["squares"].points == 0
    assert made.best("chen")["mean"].points == 1


@pytest.fixture(scope="module")
def good(made: MutatedClass) -> Path:
    return made.root / "submitted" / "good-0" / "ps1"


def _left(folder: Path, question: str) -> Left:
    return left(folder.parent, "ps1", CELLS_OF[question][0], answers_of("ada", question))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: data, Left.WHOLE),
        (lambda data: data.decode().encode("utf-16"), Left.WHOLE),
        (lambda data: data + data, Left.WHOLE),
        (lambda data: data.replace(b"dzdx = 2\\n", b"dzdx = 2  # two\\n"), Left.WHOLE),
        (lambda data: data[:-5], Left.ELSEWHERE),
        (lambda data: data.replace(b'"cells"', b'"cell"', 1), Left.ELSEWHERE),
        (lambda data: re.sub(rb' *"    dzdx = 2.n",\n', b"", data), Left.PARTLY),
        (lambda data: data.replace(b"dzdx = 2\\n", b"dzdx = 3\\n"), Left.PARTLY),
        (lambda data: data.replace(b"def grad_q1", b"def grad"), Left.GONE),
        (lambda data: b"", Left.GONE),
    ],
)
def test_what_is_left_of_an_answer_is_told(
    good: Path, tmp_path: Path, change: Callable[[bytes], bytes], expected: Left
) -> None:
    folder = tmp_path / "ada" / "ps1"
    folder.mkdir(parents=True)
    (folder / "problems.ipynb").write_bytes(change((good / "problems.ipynb").read_bytes()))
    assert _left(folder, "q1") is expected


def test_a_text_that_is_spelled_letter_by_letter_is_left_whole_also_where_it_is_one_line(tmp_path: Path) -> None:
    answers = ["del torch", "def f(x):\n    return 2 * x"]
    folder = tmp_path / "hana" / "ps1"
    folder.mkdir(parents=True)
    content = {"cells": [{"source": list(answer)} for answer in answers]}
    (folder / "problems.ipynb").write_text(json.dumps(content))
    assert left(folder.parent, "ps1", "problems", answers) is Left.WHOLE


def test_every_damage_can_be_done_to_a_good_submission_and_changes_it(good: Path, tmp_path: Path) -> None:
    data = (good / "problems.ipynb").read_bytes()
    for step in {*damage_cells.OFTEN, *damage_cells.SELDOM, *damage_contents.ALL}:
        changed = False
        for seed in range(5):
            content = json.loads(data)
            before = copy.deepcopy(content)
            step(content, random.Random(seed))
            assert damage_contents.written(content, random.Random(seed))
            changed |= repr(content) != repr(before)
        assert changed, step.__name__
    for change in {*damage_bytes.OFTEN, *damage_bytes.SELDOM}:
        assert any(change(data, random.Random(seed)) != data for seed in range(5)), change.__name__
    for number, move in enumerate({*damage_folder.IN_IT, *damage_folder.IN_ITS_PLACE}):
        folder = tmp_path / str(number) / "ps1"
        shutil.copytree(good, folder)
        move(folder, random.Random(0))
        assert _seen(folder.parent) != _seen(good.parent), move.__name__


def _seen(folder: Path) -> list[tuple[str, int, bytes]]:
    """Names, modes and contents; root may read whatever its mode."""
    return [
        (str(path.relative_to(folder)), path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    ]


def test_times_that_are_broken_after_grading_neither_end_the_next_run_nor_hold_it_up(made: MutatedClass) -> None:
    """It compares them to find out who has handed in anew, before anybody is graded."""
    before = made.marks["good-0"]
    for at, damage in enumerate(
        (damage_folder.an_odd_time, damage_folder.a_folder_for_the_time, damage_folder.a_pipe_or_link_for_the_time) * 2
    ):
        damage(made.root / "submitted" / f"good-{at}" / "ps1", random.Random(at))
    status, said = made.run("autograder", "grade", "ps1")
    assert status in (1, 3), said
    assert "graded before and not again" in said
    del made.marks
    assert made.marks["good-0"] == before
