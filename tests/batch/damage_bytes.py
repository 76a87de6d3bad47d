"""Damages to the text of a notebook's file: each takes its bytes and a source of chance, and returns other bytes."""

from __future__ import annotations

import base64
import gzip
import random
import re
from collections.abc import Callable

Damage = Callable[[bytes, random.Random], bytes]


def _lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def _line(data: bytes, chance: random.Random) -> int:
    return chance.randrange(max(1, len(_lines(data))))


def cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def end_lost(data: bytes, chance: random.Random) -> bytes:
    return data[: -chance.randint(1, 40)]


def beginning_lost(data: bytes, chance: random.Random) -> bytes:
    return data[chance.randint(1, max(1, len(data) // 3)) :]


def middle_lost(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[at + chance.choice((1, 10, 4096)) :]


def doubled(data: bytes, chance: random.Random) -> bytes:
    return data + chance.choice((b"", b"\n", b"\n\n")) + data


def followed_by_the_end_of_another(data: bytes, chance: random.Random) -> bytes:
    return data + data[-chance.randint(2, 2000) :]


def followed_by_nuls(data: bytes, chance: random.Random) -> bytes:
    return data + b"\x00" * chance.choice((1, 100, 4096))


def followed_by_words(data: bytes, chance: random.Random) -> bytes:
    return data + chance.choice((b"\n\x1a", b"\n<br>", b"\n--\nSent from my phone\n", b"\n\n   \n"))


def preceded_by_words(data: bytes, chance: random.Random) -> bytes:
    return chance.choice((b"\n\n", b"HTTP/1.1 200 OK\n\n", b"var notebook = ", b"\x00")) + data


def in_conflict(data: bytes, chance: random.Random) -> bytes:
    """As `git merge` leaves it where both sides have changed the same lines."""
    lines = _lines(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(max(1, len(lines)))
        theirs = chance.choice((lines[at : at + 1], [], [b'   "execution_count": 7,\n'], [b'    "x = 1\\n",\n']))
        lines[at : at + 1] = [b"<<<<<<< HEAD\n", *lines[at : at + 1], b"=======\n", *theirs, b">>>>>>> theirs\n"]
    return b"".join(lines)


def in_conflict_over_counts(data: bytes, _: random.Random) -> bytes:
    """Both have run the notebook."""
    made = []
    for line in _lines(data):
        if b'"execution_count"' in line:
            theirs = line.replace(b"null", b"12")
            made += [b"<<<<<<< HEAD\n", line, b"=======\n", theirs, b">>>>>>> 3f2a9c1 (again)\n"]
        else:
            made.append(line)
    return b"".join(made)


def a_key_twice(data: bytes, chance: random.Random) -> bytes:
    key = chance.choice((b'"metadata"', b'"source"', b'"cell_type"', b'"cells"', b'"nbformat"', b'"outputs"', b'"id"'))
    extra = key + b": " + chance.choice((b"{}", b"[]", b"null", b'"code"', b"4")) + b", "
    places = [found.start() for found in re.finditer(re.escape(key), data)]
    at = chance.choice(places) if places else 0
    return data[:at] + extra + data[at:]


def a_number_that_is_none(data: bytes, chance: random.Random) -> bytes:
    number = chance.choice((b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"-" + b"1" * 400, b"0x1F", b"007", b"1_000"))
    for place in (b'"execution_count": null', b'"nbformat_minor": 5'):
        if place in data:
            return data.replace(place, place.split(b":")[0] + b": " + number, 1)
    return data


def deep(data: bytes, chance: random.Random) -> bytes:
    depth = chance.choice((100, 400, 900, 990, 1100, 100_000))
    return data.replace(b'"metadata": {', b'"metadata": {"deep": ' + b"[" * depth + b"]" * depth + b", ", 1)


def a_comma_lost(data: bytes, chance: random.Random) -> bytes:
    lines = _lines(data)
    ends = [at for at, line in enumerate(lines) if line.rstrip().endswith(b",")]
    for at in chance.sample(ends, min(len(ends), chance.randint(1, 3))):
        lines[at] = lines[at].rstrip()[:-1] + b"\n"
    return b"".join(lines)


def a_comma_too_many(data: bytes, chance: random.Random) -> bytes:
    lines = _lines(data)
    ends = [at for at, line in enumerate(lines[:-1]) if line.strip() and lines[at + 1].strip()[:1] in (b"]", b"}")]
    for at in chance.sample(ends, min(len(ends), chance.randint(1, 3))):
        lines[at] = lines[at].rstrip() + b",\n"
    return b"".join(lines)


def a_line_lost(data: bytes, chance: random.Random) -> bytes:
    lines = _lines(data)
    at = _line(data, chance)
    del lines[at : at + 1]
    return b"".join(lines)


def a_line_twice(data: bytes, chance: random.Random) -> bytes:
    lines = _lines(data)
    at = _line(data, chance)
    return b"".join([*lines[:at], *lines[at : at + 1] * 2, *lines[at + 1 :]])


def a_quote_lost(data: bytes, chance: random.Random) -> bytes:
    places = [found.start() for found in re.finditer(b'"', data)]
    at = chance.choice(places) if places else 0
    return data[:at] + data[at + 1 :]


def a_byte_changed(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data)) if data else 0
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def nul_bytes(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + b"\x00" * chance.randint(1, 5) + data[at:]


def emptied(_: bytes, chance: random.Random) -> bytes:
    return chance.choice((b"", b" \n", b"{}", b"[]", b"null", b'""', b"\x00" * 4096, b"\xef\xbb\xbf"))


def a_web_page(_: bytes, chance: random.Random) -> bytes:
    return chance.choice((b"<!DOCTYPE html><html>404</html>", b"%PDF-1.4 \xe2\xe3", b"\x89PNG\r\n", b"git-lfs 1.0\n"))


def packed(data: bytes, chance: random.Random) -> bytes:
    return chance.choice((gzip.compress, base64.b64encode))(data)


# Encodings


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def marked_as_utf_8(data: bytes, chance: random.Random) -> bytes:
    return b"\xef\xbb\xbf" * chance.choice((1, 1, 2)) + data


def utf_16_or_32(data: bytes, chance: random.Random) -> bytes:
    kinds = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
    return _text(data).encode(chance.choice(kinds), "surrogatepass")


def latin_1(data: bytes, _: random.Random) -> bytes:
    return _text(data).replace("# ", "# \xe9").encode("latin-1", "replace")


def letters_read_as_latin_1(data: bytes, _: random.Random) -> bytes:
    return data.decode("latin-1").encode("utf-8")


def letters_of_a_surrogate(data: bytes, _: random.Random) -> bytes:
    """Bytes that are a half of a letter, as some editors write them."""
    return data.replace(b"# ", b"# \xed\xa0\x80", 1)


def ends_of_windows_or_old_macs(data: bytes, chance: random.Random) -> bytes:
    return data.replace(b"\n", chance.choice((b"\r\n", b"\r")))


OFTEN: tuple[Damage, ...] = (cut, doubled, in_conflict, marked_as_utf_8, utf_16_or_32, latin_1, a_comma_lost)
SELDOM: tuple[Damage, ...] = (
    *(end_lost, beginning_lost, middle_lost, followed_by_the_end_of_another, followed_by_nuls, followed_by_words),
    *(preceded_by_words, in_conflict_over_counts, a_key_twice, a_number_that_is_none, deep, a_comma_too_many),
    *(a_line_lost, a_line_twice, a_quote_lost, a_byte_changed, nul_bytes, emptied, a_web_page, packed),
    *(letters_read_as_latin_1, letters_of_a_surrogate, ends_of_windows_or_old_macs),
)
