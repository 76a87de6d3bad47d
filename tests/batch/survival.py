"""What is left of an answer in a damaged submission, as whoever looks at its files would say, without any grading.

WHOLE: all lines of the answer, comments aside, stand together in one cell of the notebook, and the notebook is a file
in its place: JSON with a list of cells, in any encoding, under its own name or under another that is the only one.
APART: they stand in cells of such a notebook, but not together.
ELSEWHERE: they can be read somewhere in the files, which are no such notebook.
PARTLY: some lines are lost. GONE: most are, or the first.
"""

from __future__ import annotations

import io
import json
import os
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any


class Left(Enum):
    WHOLE, APART, ELSEWHERE, PARTLY, GONE = range(5)


_CONFLICT = re.compile(r"^<{7} .*?\n(.*?)^={7}\n(.*?)^>{7} .*?\n", re.MULTILINE | re.DOTALL)
_MOST = 30_000_000


def left(student: Path, assignment: str, notebook: str, answers: Sequence[str]) -> Left:
    """What is left of an answer, the last of these texts; the others are what it may need to work."""
    lines = [line for answer in answers for line in code_lines(answer)]
    cells = _cells_in_place(student / assignment, notebook, lines)
    if cells is not None and all(any(_holds(cell, code_lines(answer)) for cell in cells) for answer in answers):
        return Left.WHOLE
    if cells is not None and _share(lines, [line for cell in cells for line in cell]) == 1:
        return Left.APART
    everything = [line for path in _files(student) for line in _all_lines(path.read_bytes())]
    if _share(lines, everything) == 1:
        return Left.ELSEWHERE
    own = code_lines(answers[-1])
    return Left.PARTLY if _share(own[:1], everything) and _share(own, everything) >= 0.5 else Left.GONE


def code_lines(text: str) -> list[str]:
    """The lines without comments, blanks at their ends, and empty ones."""
    return [line for whole in text.splitlines() if (line := whole.partition("#")[0].rstrip())]


def _share(lines: list[str], among: list[str]) -> float:
    known = set(map(_bare, among))
    return sum(_bare(line) in known for line in lines) / len(lines)


def _bare(line: str) -> str:
    """Without what JSON puts around a line, also where the line ends in the same."""
    return line.strip(' \t",')


def _holds(cell: list[str], lines: list[str]) -> bool:
    return any(cell[at : at + len(lines)] == lines for at in range(len(cell) - len(lines) + 1))


def _cells_in_place(folder: Path, notebook: str, lines: list[str]) -> list[list[str]] | None:
    if folder.is_symlink() or not folder.is_dir():
        return None
    files = [path for path in folder.iterdir() if stat.S_ISREG(path.lstat().st_mode)]
    own = [path for path in files if path.name == f"{notebook}.ipynb"]
    others = [path for path in files if ".ipynb" in path.name.lower() and not path.name.startswith("._")]
    read = [cells for path in own or others if (cells := _cells(path.read_bytes())) is not None]
    if not own:
        read = [cells for cells in read if _share(lines, [line for cell in cells for line in cell]) == 1]
    return read[0] if len(read) == 1 else None


@lru_cache(8)
def _cells(data: bytes) -> list[list[str]] | None:
    """The lines of each cell; None if the data is no notebook."""
    content = _parsed(_decoded(data))
    if not isinstance(content, dict):
        return None
    sheets = content.get("worksheets")
    holder = sheets[0] if isinstance(sheets, list) and sheets else content
    cells = holder.get("cells") if isinstance(holder, dict) else None
    if not isinstance(cells, list):
        return None
    return [code_lines(_source(cell)) for cell in cells if isinstance(cell, dict)]


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", cell.get("input"))
    if isinstance(source, list):
        lines = [line for line in source if isinstance(line, str)]
        letters = max(map(len, lines), default=0) < 2
        ends = letters or len(lines) < 2 or any("\n" in line or "\r" in line for line in lines)
        return ("" if ends else "\n").join(lines)
    return source if isinstance(source, str) else ""


def _decoded(data: bytes) -> str:
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _parsed(text: str) -> Any:
    """The JSON, also where something follows it, or where two have changed what no answer stands in."""
    ours, theirs = _CONFLICT.sub(r"\1", text), _CONFLICT.sub(r"\2", text)
    for side in (ours, theirs):
        try:
            content, end = json.JSONDecoder(strict=False, parse_int=float).raw_decode(side.lstrip("\ufeff \r\n\t"))
        except (ValueError, RecursionError):
            continue
        return content if end else None
    return None


def _files(student: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(student):
        for name in names:
            path = Path(folder, name)
            if stat.S_ISREG(path.lstat().st_mode) and path.stat().st_size < _MOST:
                yield path


@lru_cache(8)
def _all_lines(data: bytes) -> list[str]:
    """Everything in a file that may be a line of code, be it JSON, broken JSON or text; also in a zip."""
    datas = [data]
    if zipfile.is_zipfile(file := io.BytesIO(data)):
        with zipfile.ZipFile(file) as packed:
            datas = [packed.read(name) for name in packed.namelist()]
    found = []
    for part_of in datas:
        text = _decoded(part_of.replace(b"\x00", b"") if b"\x00" in part_of[100:] else part_of)
        for part in re.split(r"[\r\n]|(?<!\\)\\[nr]", text):
            line = part.strip().replace('\\"', '"').replace("\\\\", "\\")
            found += [one.partition("#")[0] for one in (line, re.sub(r'^.*"source": ?\[?"', "", line))]
    return found
