"""A CSV file shows in a spreadsheet what it holds, and nothing in it runs."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from autograder.gradebook.spreadsheet import LONGEST, CannotRead, CannotWrite, cell, harmless, read, write

RUNS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "\u00a0=1+1",
    "\u200b=1+1",
    "\ufeff=1+1",
    '"=1+1',
    "\" '=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "−1",
    "x;=cmd|' /c calc'!A1",
    "x; \t@y",
]


def formulas(text: str, delimiter: str) -> list[str]:
    """The cells of a CSV text that a spreadsheet would run, after it has stripped blanks and quotes."""
    cells = [c for row in csv.reader(text.splitlines(), delimiter=delimiter) for c in row]
    bare = [re.sub(r"^[\s\"\u200b\ufeff]+", "", c) for c in cells]
    return [c for c in bare if re.match("[=+@＝＋－＠−-]", c) and not re.fullmatch(r"-?\d+\.\d\d", c)]


@pytest.mark.parametrize("text", RUNS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_text_is_run_however_the_file_is_split(tmp_path: Path, text: str, delimiter: str) -> None:
    file = tmp_path / "x.csv"
    write(file, ["name", text, "mark"], [{"name": text, text: f'a"{text}', "mark": -1.5}])
    assert formulas(file.read_bytes().decode("utf-8-sig"), delimiter) == []


@pytest.mark.parametrize(
    "text", ["Ada", "Lovelace; Countess", "O'Neil", 'say "no"', "a = b - c", "José, Ñandú", "x-y@z.org"]
)
def test_a_text_that_nothing_would_run_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    "text", [*RUNS, "=" * (LONGEST + 1), "=1;" * LONGEST, "x" * (LONGEST - 2) + ";=1", "x" * (LONGEST - 3) + ";=1"]
)
def test_making_a_text_harmless_twice_changes_nothing_more(text: str) -> None:
    assert harmless(harmless(text)) == harmless(text)
    assert len(harmless(text)) <= LONGEST


def test_numbers_stay_numbers_with_two_decimals() -> None:
    assert [cell(v) for v in (-1.5, 46.400000000000006, 10, -0.001, 0.0, 1e6)] == [
        *("-1.50", "46.40", "10.00", "0.00", "0.00", "1000000.00")
    ]
    assert [cell(v) for v in (True, False, None)] == ["yes", "no", ""]


def test_a_text_stays_on_its_line_and_in_its_cell() -> None:
    assert harmless("a\r\nb\x00c\u2028d") == "a  b c d"
    assert len(harmless("x" * 10**6)) == LONGEST
    assert harmless("\ud800") == "?"


def test_a_file_has_the_mark_that_excel_needs_and_comes_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    write(file, ["name", "mark"], [{"name": 'Béla, "B"', "mark": 1}, {"mark": None}])
    assert file.read_bytes().startswith(b"\xef\xbb\xbfname,mark\r\n")
    assert read(file) == [{"name": 'Béla, "B"', "mark": "1.00"}, {"name": "", "mark": ""}]
    assert list(tmp_path.iterdir()) == [file]


def test_what_cannot_be_written_is_said_and_the_old_file_stays(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="there is no folder"):
        write(tmp_path / "none" / "x.csv", ["a"], [])
    with pytest.raises(CannotWrite, match="is a folder"):
        write(tmp_path, ["a"], [])
    file = tmp_path / "x.csv"
    file.write_text("old")
    with pytest.raises(ZeroDivisionError):
        write(file, ["a"], ({"a": 1 / n} for n in (1, 0)))
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_is_understood_however_a_spreadsheet_has_saved_it_again(
    tmp_path: Path, delimiter: str, mark: str
) -> None:
    file = tmp_path / "x.csv"
    lines = [["name", "source"], ["Béla", 'a, "b"; c'], ["", ""]]
    with file.open("w", encoding="utf-8", newline="") as text:
        text.write(mark)
        csv.writer(text, delimiter=delimiter).writerows(lines)
    assert read(file, ["source", "name"]) == [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


@pytest.mark.parametrize(
    ("saved", "why"),
    [
        (b"name,mark\r\nada,1\r\n", "its first line does not name the columns name, source"),
        ("name;source\r\nBéla;1\r\n".encode("cp1252"), "it is not UTF-8"),
        (b'name,source\r\n"ada,""x"""\r\n', "its line 2 has not as many cells as the first"),
        (b"name,source\r\nada,1,2\r\n", "its line 2 has not as many cells as the first"),
    ],
    ids=["other-columns", "code-page", "in-one-cell", "a-cell-more"],
)
def test_a_file_that_is_not_understood_is_named_with_the_reason(tmp_path: Path, saved: bytes, why: str) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(saved)
    with pytest.raises(CannotRead, match=re.escape(f"{file} cannot be read: {why}. Save it again")):
        read(file, ["name", "source"])


def test_a_file_with_nothing_in_it_has_no_rows(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(b"\xef\xbb\xbf\r\n")
    assert read(file, ["name"]) == read(tmp_path / "none.csv", ["name"]) == []
