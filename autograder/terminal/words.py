"""Text for a terminal: counts with a plural, and what students have chosen or written, made safe to print.

Students choose the names of files and write lines. Without `printable`, control characters in them would be obeyed by
the terminal, and a lone surrogate would raise UnicodeEncodeError. Everything that is printed goes through it.
"""

from __future__ import annotations


def count(number: int, thing: str) -> str:
    """`1 cell`, `2 cells`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """`text` made safe to print: what is not printable becomes "?", but for the ends of lines."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def shown(text: str, most: int = 100) -> str:
    """`text` made safe to print on one line, of which at most `most` characters are kept."""
    clean = printable(text).replace("\n", "?")
    return clean if len(clean) <= most else clean[: most - 20] + "…" + clean[-19:]
