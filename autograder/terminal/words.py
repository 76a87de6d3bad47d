"""Words for a terminal: how many of something, and a name that somebody else gave, as a terminal only shows it."""

from __future__ import annotations


def count(number: int, thing: str) -> str:
    """`1 cell`, `2 cells`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def shown(text: str, most: int = 100) -> str:
    """A name for a terminal: one line, nothing that moves a cursor, not endless.

    Folders and files are named by students, and what is not printable, a lone surrogate as well, could not be shown or
    would be obeyed.
    """
    clean = "".join(c if c.isprintable() else "?" for c in text)
    return clean if len(clean) <= most else clean[: most - 20] + "…" + clean[-19:]
