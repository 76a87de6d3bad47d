"""Writes and reads CSV files in which no text can act as a formula of a spreadsheet.

A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula, also from a CSV file, and a formula can
start a program or send the data away (CWE-1236). Students choose names and source lines, so such a text gets an
apostrophe in front. CSV quotes do not help: they are removed before the spreadsheet looks at the text.

Files are UTF-8 with a byte order mark. Without the mark Excel assumes the machine's old code page and spoils names with
accents. LibreOffice, Google Sheets, Moodle, Canvas and pandas know the mark; in Python use `encoding="utf-8-sig"`.
"""

from __future__ import annotations

import csv
import io
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from autograder.errors import AutograderError

Value = str | float | bool | None
ENCODING = "utf-8-sig"
LONGEST = 32_000  # characters; a cell of Excel holds 32,767, and the rest of a longer text would fill other cells

NOT_READ = '{file} cannot be read: {why}. Save it again as "CSV UTF-8", or move it away.'

_STARTS_FORMULA = frozenset("=+-@\N{MINUS SIGN}")
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of writing, so that a text is read as another one."""
_PASSED_OVER = re.compile(r"[\s\"'`\u200b-\u200f\u2060\ufeff]*")


class CannotWrite(AutograderError):
    """A file cannot be written; the text names it and the reason."""


class CannotRead(AutograderError):
    """A file is not one that `write` has written; the text names it and the reason, which is also in `why`."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(NOT_READ.format(file=file, why=why))
        self.why = why


def harmless(text: str) -> str:
    """The text on one line, with an apostrophe before every place where a spreadsheet could see a formula begin.

    These places are the start, also after blanks and quotes (some programs strip them), and the start after each
    semicolon: Excel with decimal commas splits at semicolons and ignores the quotes around the text. Full-width signs
    count, because spreadsheets in East Asian languages treat them as the plain ones. A second call changes nothing.
    """
    text = text.encode("utf-8", "replace").decode()
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") or c in _TURNS else c for c in text)
    text = ";".join(map(_guarded, text.split(";")))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _guarded(text: str) -> str:
    if text.startswith("'"):
        return text  # every spreadsheet takes it as text already
    start = _PASSED_OVER.match(text)
    first = text[start.end() : start.end() + 1] if start else ""
    return "'" + text if unicodedata.normalize("NFKC", first) in _STARTS_FORMULA else text


def cell(value: Value) -> str:
    """A value as written to the file: numbers with two decimals, yes or no, and nothing for None."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return harmless(value)
    if value is None:
        return ""
    return f"{value:.2f}".replace("-0.00", "0.00") if abs(value) < 1 else f"{value:.2f}"


def write_to(out: TextIO, columns: Sequence[str], rows: Iterable[Mapping[str, Value]]) -> None:
    """Writes a header line and the rows to `out`; a column that a row lacks stays empty."""
    writer = csv.writer(out)
    writer.writerow(map(harmless, columns))
    writer.writerows([cell(row.get(column)) for column in columns] for row in rows)


def write(file: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Value]]) -> None:
    """Writes the file in one step (a reader never sees half of it); CannotWrite if that fails."""
    target = file.resolve()
    try:
        if target.exists() and not target.is_file() and not target.is_dir():  # /dev/stdout, a pipe
            with target.open("w", encoding=ENCODING, newline="") as out:
                write_to(out, columns, rows)
            return
        if target.is_dir():
            raise CannotWrite(f"{file} is a folder. Name a file in it, such as {file / 'grades.csv'}.")
        _replace(target, columns, rows)
    except OSError as error:
        why = error.strerror if target.parent.exists() else f"there is no folder {target.parent}"
        raise CannotWrite(f"{file} cannot be written: {why}. Name another file with --to.") from None


def _replace(target: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Value]]) -> None:
    out = io.StringIO(newline="")
    write_to(out, columns, rows)
    _put(target, out.getvalue().encode(ENCODING))


def replace(file: Path, content: bytes) -> None:
    """Writes the file in one step; CannotWrite if that fails."""
    try:
        _put(file.resolve(), content)
    except OSError as error:
        raise CannotWrite(f"{file} cannot be written: {error.strerror}. Name another file with --to.") from None


def _put(target: Path, content: bytes) -> None:
    descriptor, beside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with open(descriptor, "wb") as out:
            out.write(content)
        os.chmod(beside, _mode(target))
        os.replace(beside, target)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _mode(target: Path) -> int:
    """The permissions of the existing file, or those of a new one; mkstemp would give access to the owner only."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def read(file: Path, columns: Sequence[str] = ()) -> list[dict[str, str]]:
    """The rows of a file written by `write`; empty if there is no file or nothing in it, CannotRead if it is no table.

    A spreadsheet may have saved the file again with semicolons or tabs, so the delimiter is the one that gives the
    expected `columns`.
    """
    if not file.exists():
        return []
    try:
        text = file.read_bytes().decode(ENCODING)
        return _rows(text, columns) if text.strip() else []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else getattr(error, "strerror", None) or error
        raise CannotRead(file, str(why)) from None


def _rows(text: str, columns: Sequence[str]) -> list[dict[str, str]]:
    # Else a cell of more than 131,072 characters is an error, and with it the whole file.
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    for delimiter in ",;\t":
        table = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
        if set(columns) <= set(table.fieldnames or ()):
            rows = []
            for row in table:
                if None in row or None in row.values():
                    raise csv.Error(f"its line {table.line_num} has not as many cells as the first")
                rows.append(row)
            return rows
    raise csv.Error(f"its first line does not name the columns {', '.join(columns)}")
