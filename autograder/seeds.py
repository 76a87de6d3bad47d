"""Finds the seeds in the hidden cells of notebooks, replaces them, and recognises the public ones of this repository.

A seed determines the points of a hidden test, so a student who knows the seed can compute them. New seeds come from
`secrets`. They are written to all notebooks or to none, and no other byte of a file changes.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import AutograderError

# Hashes of the seeds in this repository's notebooks: students have this package and must not read the seeds in it.
PUBLIC = frozenset(
    {
        "133ff606255e318f115e7e9e27af0ab7",
        "642d99a93010a3a7f9ce417cf257ee82",
        "0577d4f78dcf5e380f3bb3102470c693",
        "89f54fb9712100edfd67ca00d5cf7a73",
        "a41b7b3781bfd51675522012f78659f3",
        "93ccf42a829f37c4a45af567783db3ca",
    }
)
NOTE = (
    "The hidden tests of {assignment} still have this project's public seeds, so their points are no secret: before a "
    "real class run `autograder seeds` (or `make seeds`), then `nbgrader generate_assignment {assignment}`."
)
HIDDEN = "BEGIN HIDDEN TESTS"
_TRIES = 20
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
# Matches in the JSON text of a notebook, in which a cell's quotes are written as \".
_WRITTEN = re.compile(r"""\bseed\s*=\s*(?P<seed>\\"(?:[^"\\])*\\"|'[^'"\\]*'|\d+)""")


class SeedError(AutograderError):
    """Seeds cannot be replaced; the text names the notebook, the cell and the remedy."""


@dataclass(frozen=True)
class Drawn:
    """A notebook's new text with `count` new seeds, not yet written to `path`."""

    path: Path
    text: str
    count: int


def public_note(session: Any, assignment: str) -> str:
    """A warning if the gradebook's version of the assignment has a public seed; else "". `session` is SQLAlchemy's."""
    from nbgrader.api import Assignment, Notebook, SourceCell
    from sqlalchemy import select

    cells = select(SourceCell.source).join(Notebook, Notebook.id == SourceCell.notebook_id)
    cells = cells.join(Assignment, Assignment.id == Notebook.assignment_id).where(Assignment.name == assignment)
    found = (seed for source in session.scalars(cells) for seed in _in_code(source or ""))
    return NOTE.format(assignment=assignment) if any(map(is_public, found)) else ""


def is_public(seed: str) -> bool:
    """Whether the seed is one of those in this repository."""
    return hashlib.sha256(f"autograder seed {seed}".encode()).hexdigest()[:32] in PUBLIC


def _in_code(source: str) -> Iterator[str]:
    yield from re.findall(r"""\bseed\s*=\s*["']?([^"'\s,)]+)""", source)


def draw(path: Path, fits: Callable[[str, str], bool] | None = None) -> Drawn:
    """The notebook at `path` with a new seed in each hidden test; nothing is written.

    `fits(question, seed)` may reject a seed. SeedError if a seed cannot be found safely or none of 20 fits.
    """
    try:
        text = path.read_bytes().decode("utf-8")
        notebook = json.loads(text)
        cells = notebook["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SeedError(f"{path} cannot be read as a notebook: {error}.") from None
    strings = list(_STRING.finditer(text))
    where = list(_strings(notebook))
    if [json.loads(m[0]) for m in strings] != [string for _, string in where]:
        raise SeedError(f"{path} names a key twice, so it cannot be changed safely. Open and save it in JupyterLab.")
    pieces, end, count = [], 0, 0
    for number, cell in enumerate(cells):
        asked = _questions_of_seeds(path, cell)
        if not asked:
            continue
        found = [
            (token.start() + seed.start("seed"), token.start() + seed.end("seed"))
            for token, (keys, _) in zip(strings, where, strict=True)
            if keys[:3] == ("cells", number, "source")
            for seed in _WRITTEN.finditer(token[0])
        ]
        if len(found) != len(asked):
            raise SeedError(
                _not_found(path, cell, 'write each seed as seed="…", letters and digits between the quotes')
            )
        for (start, stop), question in zip(found, asked, strict=True):
            pieces += [text[end:start], f'\\"{_new_seed(question, fits, path)}\\"']
            end, count = stop, count + 1
    return Drawn(path, "".join([*pieces, text[end:]]), count)


def _new_seed(question: str, fits: Callable[[str, str], bool] | None, path: Path) -> str:
    for _ in range(_TRIES):
        seed = secrets.token_hex(8)
        if fits is None or fits(question, seed):
            return seed
    raise SeedError(
        f"{path}: of {_TRIES} seeds none gives {question} points that tell every known mistake from the truth. "
        f"See `autograder inspect {question} --notebook {path}`; nothing was changed."
    )


def _questions_of_seeds(path: Path, cell: Any) -> list[str]:
    """The name of the question of each seed in a hidden cell, in order; empty for any other cell."""
    source = "".join(cell.get("source", ""))
    if cell.get("cell_type") != "code" or HIDDEN not in source:
        return []
    try:
        tree = ast.parse(source)
    except SyntaxError:
        if "seed" not in source:
            return []
        raise SeedError(_not_found(path, cell, "the cell must be plain Python, without magics")) from None
    calls = sorted((n for n in ast.walk(tree) if isinstance(n, ast.Call)), key=lambda n: (n.lineno, n.col_offset))
    found = []
    for call in calls:
        given = [k.value for k in call.keywords if k.arg == "seed"]
        if isinstance(call.func, ast.Attribute) and call.func.attr == "grade" and len(call.args) > 1 and not given:
            raise SeedError(_not_found(path, cell, 'write the seed as seed="…"'))
        if any(not isinstance(v, ast.Constant) for v in given):
            raise SeedError(
                _not_found(path, cell, "write each seed as a text in quotes, not as a name or an expression")
            )
        if given:
            owner = call.func.value if isinstance(call.func, ast.Attribute) else None
            found.append(owner.id if isinstance(owner, ast.Name) else "")
    return found


def _not_found(path: Path, cell: Any, remedy: str) -> str:
    name = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", "without a name")
    return f"{path}, cell {name}: the seed cannot be found in it; {remedy}. Nothing was changed."


def _strings(value: Any, keys: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Every string of a JSON document in the order of its text, with its path; the path of a key is empty."""
    if isinstance(value, str):
        yield keys, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield (), key
            yield from _strings(inner, (*keys, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _strings(inner, (*keys, number))


def save(all_drawn: list[Drawn]) -> None:
    """Writes all notebooks or none; SeedError if that fails.

    All are written to temporary files first; if one of these cannot replace its notebook, the others are restored.
    """
    before = {d.path: d.path.read_bytes() for d in all_drawn}
    placed = []
    try:
        for drawn in all_drawn:
            beside = drawn.path.with_name(f".{drawn.path.name}.new")
            beside.touch()
            shutil.copymode(drawn.path, beside)  # students may have no right to read a source notebook
            beside.write_bytes(drawn.text.encode("utf-8"))
        for drawn in all_drawn:
            drawn.path.with_name(f".{drawn.path.name}.new").replace(drawn.path)
            placed.append(drawn.path)
    except BaseException as error:
        for path in placed:
            path.write_bytes(before[path])
        for drawn in all_drawn:
            drawn.path.with_name(f".{drawn.path.name}.new").unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise SeedError(f"{error.filename} cannot be written: {error.strerror}. Nothing was changed.") from None
        raise
