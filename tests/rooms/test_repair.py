"""What is certain of a damaged notebook is put right and said; of anything else it is said what was seen."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.at_home.notebook import UnreadableNotebook
from autograder.rooms import repair

ANSWER = "def grad_q1(a, b):\n    dzda = 2 * a  # δ, déjà vu\n    return a, dzda"
WHOLE = json.loads(nbformat.writes(new_notebook(cells=[new_markdown_cell("é"), new_code_cell(ANSWER)])))
TEXT = json.dumps(WHOLE, indent=1, ensure_ascii=False)
CONFLICT = """\
<<<<<<< HEAD
{}
=======
{}
>>>>>>> 3f2a9c1 (again)
"""
RETURN = '    "    return a, dzda"'


def _in_conflict(line: str, ours: str, theirs: str) -> str:
    assert f"{line}\n" in TEXT
    return TEXT.replace(f"{line}\n", CONFLICT.format(ours, theirs), 1)


def _sources(data: bytes) -> list[str]:
    notebook, _ = repair.read(data)
    nbformat.validate(nbformat.from_dict(notebook))
    return [cell["source"] for cell in notebook["cells"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_every_encoding_of_unicode_is_read(encoding: str) -> None:
    assert _sources(TEXT.encode(encoding)) == ["é", ANSWER]
    said = repair.read(TEXT.encode(encoding))[1]
    assert said == ([] if encoding.startswith("utf-8") else [f"it was saved as {encoding.upper()}"])


def test_bytes_of_an_older_encoding_keep_their_letters_and_those_of_utf_8_theirs() -> None:
    old = TEXT.replace("δ", "d")
    assert _sources(old.encode("latin-1")) == ["é", ANSWER.replace("δ", "d")]
    assert repair.read(old.encode("latin-1"))[1] == ["it was saved as Latin-1"]
    assert _sources(TEXT.encode().replace("é".encode(), b"\xe9", 1)) == ["é", ANSWER]


@pytest.mark.parametrize(
    ("seen", "commas"),
    [
        (TEXT.replace('"cell_type": "markdown",\n', '"cell_type": "markdown"\n'), 1),
        (TEXT.replace("  }\n ],", "  },\n ],"), 1),
        (TEXT.replace(",\n", "\n", 3), 3),
    ],
)
def test_a_comma_between_two_lines_is_put_right(seen: str, commas: int) -> None:
    assert seen != TEXT
    assert _sources(seen.encode()) == ["é", ANSWER]
    assert repair.read(seen.encode())[1] == [f"{commas} of its commas were missing or too many"]


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("hello", "line 1 is not JSON: Expecting value"),
        (TEXT[: len(TEXT) // 2], "is not JSON: Unterminated string"),
        (TEXT + TEXT.replace("2 * a", "3 * a"), "is not JSON: Extra data"),
        (
            _in_conflict(RETURN, RETURN, '    "    return dzda, a"'),
            "it has merge conflicts, and the sides have different cells",
        ),
        (TEXT.replace("# δ, ", '# "δ", '), "is not JSON: Expecting"),
        ("[1, 2]", "it holds no list of cells"),
        ("{}", "it holds no list of cells"),
        ('{"cells": 7, "nbformat": 4}', "it holds no list of cells"),
        ('{"cells": [], "nbformat": 9}', "it is of notebook format 9, which is newer than this grader knows"),
        ("[" * 200_000, "it is nested too deep"),
        ("<html></html>", "line 1 is not JSON: Expecting value"),
    ],
)
def test_what_can_be_meant_in_two_ways_is_not_guessed(seen: str, why: str) -> None:
    with pytest.raises(UnreadableNotebook, match=why):
        repair.read(seen.encode())


@pytest.mark.parametrize(
    "change",
    [
        {"nbformat_minor": None},
        {"nbformat_minor": -1},
        {"nbformat_minor": "5"},
        {"nbformat": None},
        {"metadata": None},
        {"metadata": [1]},
    ],
)
def test_parts_of_the_format_that_have_one_value_are_put_right(change: dict[str, Any]) -> None:
    seen = {key: value for key, value in {**WHOLE, **change}.items() if value is not None}
    assert _sources(json.dumps(seen).encode()) == ["é", ANSWER]
    assert repair.read(json.dumps(seen).encode())[1] == ["parts of its format were missing or odd"]


@pytest.mark.parametrize(
    ("cell", "kind", "source"),
    [
        ({"cell_type": "heading", "level": 1, "metadata": {}, "source": ["Mine"]}, "markdown", "Mine"),
        ({"cell_type": "code", "metadata": {}, "source": None}, "code", ""),
        ({"cell_type": "code", "source": "x = 1"}, "code", "x = 1"),
        ({"cell_type": "code", "metadata": {}, "source": ["a\n", 7, "b"]}, "code", "a\nb"),
        ({"cell_type": "code", "metadata": {}, "source": "\ud800"}, "code", "?"),
        (7, "markdown", ""),
        ({"cell_type": "Code", "metadata": {}, "source": "x = 1"}, "code", "x = 1"),
        ({"cell_type": None, "metadata": {}, "source": "x = 1", "outputs": []}, "code", "x = 1"),
        ({"cell_type": "code", "metadata": {}, "source": ["if x:", "    y", ""]}, "code", "if x:\n    y\n"),
        ({"cell_type": "code", "metadata": {}, "source": list("a\nb")}, "code", "a\nb"),
        ({"cell_type": "code", "metadata": {}, "source": list("ab")}, "code", "ab"),
    ],
)
def test_one_odd_cell_costs_no_other_anything(cell: Any, kind: str, source: str) -> None:
    notebook, _ = repair.read(json.dumps({**WHOLE, "cells": [*WHOLE["cells"], cell]}).encode())
    assert [c["source"] for c in notebook["cells"]] == ["é", ANSWER, source]
    assert notebook["cells"][-1]["cell_type"] == kind


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (TEXT + "\n" + TEXT, repair.MORE),
        (TEXT + TEXT[-4:], repair.MORE),
        (TEXT + "\nSent from my phone", repair.MORE),
        (
            _in_conflict('   "execution_count": null,', '   "execution_count": 1,', '   "execution_count": 2,'),
            repair.CONFLICTS,
        ),
        (_in_conflict(RETURN, RETURN, f"{RETURN},"), repair.CONFLICTS),
        (_in_conflict(RETURN, RETURN, RETURN).replace("=======", "||||||| base\nx\n======="), repair.CONFLICTS),
    ],
)
def test_what_can_be_meant_in_one_way_only_is_read_and_said(seen: str, said: str) -> None:
    assert _sources(seen.encode()) == ["é", ANSWER]
    assert said in repair.read(seen.encode())[1]


@pytest.mark.parametrize("end", ["\0" * 4096, "\x1a", "\n\n \t"])
def test_what_fills_a_file_up_is_nothing(end: str) -> None:
    assert _sources((TEXT + end).encode()) == ["é", ANSWER]
    assert repair.read((TEXT + end).encode())[1] == []


def test_what_follows_and_may_be_cells_is_not_left_out() -> None:
    for more in (TEXT.replace("2 * a", "3 * a"), TEXT[TEXT.index('"source"') :], '{"x": 1}'):
        with pytest.raises(UnreadableNotebook, match="Extra data"):
            repair.read((TEXT + more).encode())


@pytest.mark.parametrize("place", ['"metadata": {', '"metadata": {"nbgrader": {"grade_id": "q1", "x": '])
def test_of_metadata_only_the_name_of_a_cell_is_kept_so_that_none_is_too_deep_for_the_grader(place: str) -> None:
    deep = "[" * 900 + "]" * 900
    seen = TEXT.replace('"metadata": {', f"{place}{deep}}}" if "nbgrader" in place else f'{place}"x": {deep}')
    notebook = nbformat.from_dict(repair.read(seen.encode())[0])
    assert [cell.source for cell in notebook.cells] == ["é", ANSWER]
    assert {json.dumps(cell.metadata) for cell in notebook.cells} <= {"{}", '{"nbgrader": {"grade_id": "q1"}}'}


def test_a_number_that_nobody_reads_may_be_as_long_as_it_likes() -> None:
    seen = TEXT.replace('"execution_count": null', f'"execution_count": {"9" * 5000}')
    assert seen != TEXT
    assert _sources(seen.encode()) == ["é", ANSWER]


def test_outputs_are_left_out_and_may_be_anything() -> None:
    for outputs in (None, 7, [{"output_type": "stream", "name": "stdout", "text": "x" * 1_000_000}]):
        cell = {**WHOLE["cells"][1], "outputs": outputs}
        assert repair.read(json.dumps({**WHOLE, "cells": [cell]}).encode())[0]["cells"][0]["outputs"] == []


def test_a_notebook_of_format_3_is_read() -> None:
    cells = [{"cell_type": "code", "input": ["x = 1"], "language": "python", "outputs": [], "collapsed": False}]
    seen = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]}
    assert _sources(json.dumps(seen).encode()) == ["x = 1"]
    assert repair.read(json.dumps(seen).encode())[1][0] == "it is of notebook format 3"


def test_thousands_of_empty_cells_are_left_out_and_thousands_of_others_are_too_many() -> None:
    empty = {"cell_type": "code", "metadata": {}, "source": "", "outputs": [], "execution_count": None}
    assert _sources(json.dumps({**WHOLE, "cells": [*WHOLE["cells"], *[empty] * 100_000]}).encode()) == ["é", ANSWER]
    with pytest.raises(UnreadableNotebook, match="it has more than 2000 cells"):
        repair.read(json.dumps({**WHOLE, "cells": [{**empty, "source": "x"}] * 2001}).encode())


def test_cells_of_the_same_id_and_an_attachment_that_is_none_cost_nothing_and_warn_nobody() -> None:
    odd = {"a.png": {"image/png": {"x": 1}}, "b.png": [1], "c.png": {"image/png": "AAAA"}, "d.png": 5}
    cells = [{**cell, "id": "same"} for cell in [*WHOLE["cells"], *WHOLE["cells"]]]
    cells[0]["attachments"] = odd
    data = json.dumps({**WHOLE, "cells": cells}).encode()
    assert _sources(data) == ["é", ANSWER] * 2
    read = repair.read(data)[0]["cells"]
    assert read[0]["attachments"] == {"c.png": {"image/png": "AAAA"}}
    assert len({cell["id"] for cell in read}) == 4
