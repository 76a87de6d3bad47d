"""A CSV file as its cells and whatever lies between them: some cells change, and every other byte stays as it was.

Python's csv module does not say where in the file a cell lies. What is found here is compared with what that module
reads, and a file in which they differ is refused.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import AutograderError

NOT_TEXT = "{file} is not UTF-8 text. Download it again, or save it in a spreadsheet as `CSV UTF-8`."
NOT_CSV = "{file}, line {line}: not CSV. Download it again and give it as it is."
NO_FILE = "{file} cannot be read: {why}. Correct its name."
_MARKS = (("utf-16", b"\xff\xfe"), ("utf-16", b"\xfe\xff"), ("utf-8-sig", b"\xef\xbb\xbf"))
_DELIMITERS = ",;\t"


class CannotFill(AutograderError):
    """A file cannot be filled in; the text names it, the reason and what to do."""


@dataclass(frozen=True)
class Cell:
    """A cell with its place in the text, `start` to `end`; `value` is what it says."""

    start: int
    end: int
    value: str
    quoted: bool


class Cells:
    """The rows of a file; a row that is blank has one empty cell."""

    def __init__(self, file: Path) -> None:
        try:
            raw = file.read_bytes()
        except OSError as error:
            raise CannotFill(NO_FILE.format(file=file, why=error.strerror)) from None
        self._encoding = next((name for name, mark in _MARKS if raw.startswith(mark)), "utf-8")
        try:
            self._text = raw.decode(self._encoding)
        except UnicodeDecodeError:
            raise CannotFill(NOT_TEXT.format(file=file)) from None
        self._raw, self.name = raw, file.name
        self.delimiter = max(_DELIMITERS, key=self._text.partition("\n")[0].count)
        self.rows = self._rows(file)

    def value(self, row: int, column: int) -> str:
        """What a cell says, without blanks around it; empty if the row is too short."""
        cells = self.rows[row]
        return cells[column].value.strip() if 0 <= column < len(cells) else ""

    def changed(self, values: Mapping[tuple[int, int], str]) -> bytes:
        """The file with other values in these cells, by row and column."""
        pieces, at = [], 0
        for row, column in sorted(values):
            cell, value = self.rows[row][column], values[row, column]
            quote = '"' if cell.quoted or self.delimiter in value else ""
            pieces += [self._text[at : cell.start], quote, value, quote]
            at = cell.end
        text = "".join((*pieces, self._text[at:]))
        big_endian = self._raw.startswith(b"\xfe\xff")
        return text.encode("utf-16-be") if big_endian else text.encode(self._encoding)

    def _rows(self, file: Path) -> list[list[Cell]]:
        field = re.compile(rf'"((?:[^"]|"")*)"|([^"{self.delimiter}\r\n][^{self.delimiter}\r\n]*)?')
        rows: list[list[Cell]] = [[]]
        at, end = 0, len(self._text)
        while at < end or rows[-1]:
            found = field.match(self._text, at)
            assert found  # it matches nothing at all as well
            quoted = found[1] is not None
            value = found[1].replace('""', '"') if quoted else found[0]
            rows[-1].append(Cell(at, found.end(), value, quoted))
            at = found.end()
            if at == end:
                break
            after = self._text[at]
            at += 2 if self._text.startswith("\r\n", at) else 1
            if after in "\r\n":
                rows.append([])
            elif after != self.delimiter:
                raise CannotFill(NOT_CSV.format(file=file, line=self._text.count("\n", 0, at) + 1))
        rows = rows if rows[-1] else rows[:-1]
        csv.field_size_limit(max(csv.field_size_limit(), end))
        known = list(csv.reader(io.StringIO(self._text, newline=""), delimiter=self.delimiter))
        if [row or [""] for row in known] != [[cell.value for cell in row] for row in rows]:
            raise CannotFill(NOT_CSV.format(file=file, line=1))
        return rows
