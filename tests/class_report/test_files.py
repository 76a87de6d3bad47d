"""The CSV and the JSON hold the same figures, and name nobody."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from autograder.class_report import files
from autograder.class_report.alike import Alike
from autograder.class_report.figures import figures
from autograder.class_report.work import Work


@pytest.fixture(scope="module")
def folder(mixed_work: Work, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files")
    files.write(path, figures(mixed_work), Alike((), 2, 9.5))
    return path


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_json_holds_the_figures(folder: Path) -> None:
    made = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert made["assignment"] == "ps1"
    assert {k: made["class"][k] for k in ("graded", "ungraded", "nothing", "mean", "median")} == {
        "graded": 5,
        "ungraded": 1,
        "nothing": 1,
        "mean": 6.35,
        "median": 3.2,
    }
    assert [bin["students"] for bin in made["marks"]] == [1, 2, 0, 0, 0, 0, 0, 0, 0, 1]
    assert made["questions"][0]["mistakes"] == [
        {"derivative": "dfdb", "mistake": "sign", "students": 2},
        {"derivative": "", "mistake": "not answered", "students": 1},
    ]
    assert made["needs_a_person"] == {"UNREADABLE": 1}
    assert made["alike"] == {"pairs": 2, "least_bits": 9.5}


def test_every_figure_of_the_json_is_a_line_of_the_csv(folder: Path) -> None:
    made = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    lines = {(r["about"], r["question"], r["derivative"], r["mistake"], r["figure"]): r["value"] for r in rows(folder)}
    assert len(lines) == len(rows(folder))

    def value(number: object) -> str:
        return f"{number:.2f}" if isinstance(number, float) else "" if number is None else str(number)

    expected = {("class", "", "", "", name): value(number) for name, number in made["class"].items()}
    for question in made["questions"]:
        name, mistakes = question["question"], question["mistakes"]
        numbers = {k: v for k, v in question.items() if k not in ("question", "mistakes")}
        expected |= {("question", name, "", "", k): value(v) for k, v in numbers.items()}
        for one in mistakes:
            expected["mistake", name, one["derivative"], one["mistake"], "students"] = value(one["students"])
    for about in ("needs_a_person", "by_hand", "alike"):
        expected |= {(about, "", "", "", k): value(v) for k, v in made[about].items()}
    assert {key: text for key, text in lines.items() if key[0] != "marks"} == expected
    assert [text for key, text in lines.items() if key[0] == "marks"] == [str(b["students"]) for b in made["marks"]]


def test_neither_names_a_student_or_quotes_an_answer(folder: Path) -> None:
    for name in ("report.csv", "report.json"):
        text = (folder / name).read_text(encoding="utf-8")
        for told in ("ada", "gil", "eve", "dfdc * a", "onerror"):
            assert f"{told}" not in text.replace("grade", "")
