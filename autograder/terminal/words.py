"""Text for a terminal: counts with a plural, and names chosen by students, made safe to print."""

from __future__ import annotations


def count(number: int, thing: str) -> str:
    """`1 cell`, `2 cells`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def shown(text: str, most: int = 100) -> str:
    """`text` made safe to print: what is not printable becomes "?", and at most `most` characters are kept.

    Students choose the names of files. Without this, control characters in them would be obeyed by the terminal, and a
    lone surrogate would raise UnicodeEncodeError.
    """
    clean = "".join(c if c.isprintable() else "?" for c in text)
    return clean if len(clean) <= most else clean[: most - 20] + "…" + clean[-19:]
