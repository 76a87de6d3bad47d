"""CSV files that a spreadsheet shows and never runs: every text is written harmless, every number as a number.

A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula, also when it came from a CSV file, and a
formula can call a program or send the sheet away (CWE-1236). Names and source lines are students' text, so such a text
gets an apostrophe in front. Quoting alone does not help: quotes are gone before the spreadsheet looks at the text.

Files are UTF-8 with a byte order mark. Without it Excel, on a double click, takes the bytes for the machine's old code
page and spoils every name with an accent; LibreOffice, Google Sheets, Moodle, Canvas and pandas know the mark. Python
reads such a file with `encoding="utf-8-sig"`.
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
LONGEST = 32_000  # a cell of Excel holds 32,767 characters; the rest of a longer text would run into other cells

NOT_READ = '{file} cannot be read: {why}. Save it again as "CSV UTF-8", or move it away.'

_STARTS_FORMULA = frozenset("=+-@\N{MINUS SIGN}")
_PASSED_OVER = re.compile(r"[\s\"'`\u200b-\u200f\u2060\ufeff]*")


class CannotWrite(AutograderError):
    """A file that cannot be written; the text names it and the reason."""


class CannotRead(AutograderError):
    """A file that is not what was written here; the text names it and the reason."""


def harmless(text: str) -> str:
    """The text on one line, with an apostrophe wherever a cell that begins there would be run.

    That is at its start, after blanks and quotes too, which some programs strip; and after each semicolon: a Windows
    with decimal commas splits at semicolons, and then ignores the quotes around the text. Full-width signs count
    (spreadsheets in East Asian languages take them for the plain ones). Doing it twice changes nothing.
    """
    text = text.encode("utf-8", "replace").decode()
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    text = ";".join(map(_guarded, text.split(";")))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _guarded(text: str) -> str:
    if text.startswith("'"):
        return text  # is text already, for every spreadsheet
    start = _PASSED_OVER.match(text)
    first = text[start.end() : start.end() + 1] if start else ""
    return "'" + text if unicodedata.normalize("NFKC", first) in _STARTS_FORMULA else text


def cell(value: Value) -> str:
    """A value as the file holds it: two decimals, yes or no, nothing for None."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return harmless(value)
    if value is None:
        return ""
    return f"{value:.2f}".replace("-0.00", "0.00") if abs(value) < 1 else f"{value:.2f}"


def write_to(out: TextIO, columns: Sequence[str], rows: Iterable[Mapping[str, Value]]) -> None:
    """Writes a header and the rows; a column that a row lacks stays empty."""
    writer = csv.writer(out)
    writer.writerow(map(harmless, columns))
    writer.writerows([cell(row.get(column)) for column in columns] for row in rows)


def write(file: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Value]]) -> None:
    """Writes the file whole or not at all; CannotWrite says why not."""
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
    descriptor, beside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with open(descriptor, "w", encoding=ENCODING, newline="") as out:
            write_to(out, columns, rows)
        os.chmod(beside, _mode(target))
        os.replace(beside, target)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _mode(target: Path) -> int:
    """As the file had it, or as a new file gets it; mkstemp's own is for its owner alone."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def read(file: Path, columns: Sequence[str] = ()) -> list[dict[str, str]]:
    """The rows of a file that was written here; none if there is no such file, or nothing in it.

    A spreadsheet may have saved it since, and where decimals have commas it takes semicolons, or tabs: the delimiter
    is the one that gives the `columns`. CannotRead says why a file is not understood.
    """
    if not file.exists():
        return []
    try:
        text = file.read_bytes().decode(ENCODING)
        return _rows(text, columns) if text.strip() else []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else getattr(error, "strerror", None) or error
        raise CannotRead(NOT_READ.format(file=file, why=why)) from None


def _rows(text: str, columns: Sequence[str]) -> list[dict[str, str]]:
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
