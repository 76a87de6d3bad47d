"""Downloads as Moodle and Canvas make them, and a course to collect them into."""

from __future__ import annotations

import io
import os
import shutil
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import nbformat

from tests.conftest import ROOT

RELEASE = (ROOT / "release" / "ps1" / "problems.ipynb").read_bytes()
OTHER = nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("mine")])).encode()
ADA = "Ada Lovelace_1234567_assignsubmission_file_"
WHEN = (2026, 11, 20, 12, 0, 0)


def work(text: str = "") -> bytes:
    """The released notebook with a cell of somebody's own."""
    notebook = nbformat.reads(RELEASE.decode(), as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell(text, id="own"))
    return nbformat.writes(notebook).encode()


def zipped(
    files: Mapping[str, bytes],
    when: tuple[int, int, int, int, int, int] = WHEN,
    how: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, when), data, how)
    return held.getvalue()


def course(folder: Path) -> Path:
    """A course with a release of ps1 and no gradebook."""
    (folder / "release" / "ps1").mkdir(parents=True)
    (folder / "source" / "ps1").mkdir(parents=True)
    for name in ("problems.ipynb", "examples.ipynb"):
        shutil.copy(ROOT / "release" / "ps1" / name, folder / "release" / "ps1")
        shutil.copy(ROOT / "release" / "ps1" / name, folder / "source" / "ps1")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    return folder


def unpacked(files: Mapping[str, bytes], folder: Path, age: int = 0) -> Path:
    """The files in a folder, written `age` seconds ago."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        os.utime(folder / name, (time.time() - age,) * 2)
    return folder
