"""`autograder pack`: one zip to send, with the notebooks of an assignment and the student's files that they import."""

from __future__ import annotations

import os
import re
import unicodedata
import zipfile
from collections.abc import Sequence
from pathlib import Path

from autograder.at_home import notebook as notebooks
from autograder.at_home.imports import modules
from autograder.errors import AutograderError

TWICE = "Two of these files would be {name} in the zip, and they differ: name only the one that you hand in."
NO_NAME = "--name {name!r} holds no letter: give the name that your course knows you by."


def pack(files: Sequence[Path], name: str, assignment: str) -> Path:
    """Writes `<assignment>-<name>.zip` beside the first notebook in one step, and returns its path.

    AutograderError if `name` has no letter or two different files would get the same name.
    """
    slug = "-".join(re.findall(r"\w+", unicodedata.normalize("NFKC", name).casefold()))[:60]
    if not slug:
        raise AutograderError(NO_NAME.format(name=name))
    inside: dict[str, bytes] = {}
    for file in files:
        notebook = notebooks.read(file)
        parts = {notebooks.expected_name(file.name): file, **{m: file.parent / m for m in modules(notebook)}}
        for entry, path in parts.items():
            data = path.read_bytes()
            if inside.setdefault(entry, data) != data:
                raise AutograderError(TWICE.format(name=entry))
    final = files[0].parent / f"{assignment}-{slug}.zip"
    aside = final.with_name(final.name + ".new")
    try:
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, data in inside.items():
                archive.writestr(entry, data)
        os.replace(aside, final)
    finally:
        aside.unlink(missing_ok=True)
    return final
