"""A release becomes what its source gives; what only the old one held is in git or set aside, and nothing else moves."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from autograder.release import folder


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return _write(tmp_path / "made", {"a.ipynb": '{"cells": []}', "data/x.csv": "1"})


def _write(into: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        (into / name).write_text(text)
    return into


def _held(there: Path) -> dict[str, str]:
    return {str(p.relative_to(there)): p.read_text() for p in sorted(there.rglob("*")) if p.is_file()}


def test_a_new_release_is_copied_whole(made: Path, tmp_path: Path) -> None:
    changes = folder.replace(made, tmp_path / "ps1")
    assert _held(tmp_path / "ps1") == _held(made)
    assert (changes.new, changes.changed, changes.gone, changes.aside) == (["a.ipynb", "data/x.csv"], [], [], None)


def test_what_holds_the_same_is_not_touched(made: Path, tmp_path: Path) -> None:
    """The committed notebook may be laid out differently from what this version of nbformat writes."""
    there = _write(tmp_path / "ps1", {"a.ipynb": json.dumps({"cells": []}, indent=4), "data/x.csv": "1"})
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in there.rglob("*") if p.is_file()}
    assert not folder.replace(made, there)
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in there.rglob("*") if p.is_file()} == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["made", "ps1"]


def test_what_was_written_by_hand_is_set_aside(made: Path, tmp_path: Path) -> None:
    there = _write(tmp_path / "ps1", {"a.ipynb": '{"mine": 1}', "data/x.csv": "1", "notes/own.txt": "mine"})
    changes = folder.replace(made, there)
    assert (changes.changed, changes.gone) == (["a.ipynb"], ["notes/own.txt"])
    assert changes.aside is not None
    assert _held(changes.aside) == {"a.ipynb": '{"mine": 1}', "notes/own.txt": "mine"}
    assert _held(there) == _held(made)
    assert not (there / "notes").exists()
    again = folder.replace(made, _write(there, {"a.ipynb": '{"mine": 2}'}))
    assert again.aside is not None
    assert again.aside != changes.aside, "what was kept first must not be overwritten within the same second"


def test_what_git_has_needs_no_copy_and_what_changed_since_does(made: Path, tmp_path: Path) -> None:
    there = _write(tmp_path / "ps1", {"a.ipynb": '{"old": 1}', "data/x.csv": "2"})
    git = ["git", "-C", str(there), "-c", "user.name=n", "-c", "user.email=e"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "release"]):
        subprocess.run([*git, *command], check=True)
    (there / "data" / "x.csv").write_text("by hand")
    changes = folder.replace(made, there)
    assert changes.changed == ["a.ipynb", "data/x.csv"]
    assert changes.aside is not None
    assert _held(changes.aside) == {"data/x.csv": "by hand"}


def test_one_notebook_alone_leaves_the_others(made: Path, tmp_path: Path) -> None:
    there = _write(tmp_path / "ps1", {"b.ipynb": "{}"})
    assert folder.replace(made, there, complete=False).gone == []
    assert (there / "b.ipynb").exists()


@pytest.mark.parametrize("complete", [True, False])
def test_a_folder_takes_the_place_of_a_file_of_its_name(made: Path, tmp_path: Path, complete: bool) -> None:
    there = _write(tmp_path / "ps1", {"a.ipynb": '{"cells": []}', "data": "a file"})
    changes = folder.replace(made, there, complete)
    assert (changes.new, changes.gone) == (["data/x.csv"], ["data"])
    assert _held(there) == _held(made)
    assert changes.aside is not None
    assert _held(changes.aside) == {"data": "a file"}


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("also", [{}, {"data/x.csv/.ipynb_checkpoints/y": "left"}], ids=["files", "checkpoints"])
def test_a_file_takes_the_place_of_a_folder_of_its_name(
    made: Path, tmp_path: Path, complete: bool, also: dict[str, str]
) -> None:
    there = _write(tmp_path / "ps1", {"a.ipynb": '{"cells": []}', "data/x.csv/deep": "a file", **also})
    changes = folder.replace(made, there, complete)
    assert (changes.new, changes.gone) == (["data/x.csv"], ["data/x.csv/deep"])
    assert _held(there) == _held(made)
    assert changes.aside is not None
    assert _held(changes.aside) == {"data/x.csv/deep": "a file", **also}
