"""Finds tests that read a file which only a student's cell writes: where locked cells run, that file does not exist.

Only what is plain is found: a test reads a file by a literal name, a cell of the student's has the same name in it, and
the course neither has the file nor names it otherwise in a locked cell, which may be where it is written.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from autograder.rooms.course_files import parsed

READS = (
    "The locked cell {cell} reads {file}, which is not beside the course's notebook and which only the unlocked cell "
    "{other} names. When a submission is graded, locked cells run where no file of the student's exists. Put {file} "
    "beside the notebook, or ask the student's function for what it holds, through a question: q1.check(), "
    "q1.grade(...)."
)
_OPENS = "open"
_READERS = frozenset({"load", "loadtxt", "genfromtxt", "fromfile", "imread"})
"""Functions that read the file named first; so does any `read_…`, as those of pandas."""
_LOOKS = frozenset({"exists", "lexists", "isfile", "is_file", "getsize", "stat", "read_text", "read_bytes"})
"""Functions that look at the file named first, or methods of its path."""
_ADDED = (".npy", ".npz")
"""What numpy adds to the name of a file that it writes, where it is missing."""


Cells = Iterable[tuple[str, str]]
"""Cells by name and source."""


def borrowed(tests: Cells, locked: Cells, unlocked: Cells, folder: Path) -> Iterator[str]:
    """A sentence for each file that one of the `tests` reads and only one of the `unlocked` cells writes.

    `locked` are all locked cells, tests too, and `folder` holds the course's files.
    """
    theirs: dict[str, str] = {}
    for name, source in unlocked:
        theirs.update((file, name) for text in _texts(parsed(source)) for file in _written_as(text))
    others = {text for _, source in locked for text in _other_texts(parsed(source))}
    for test, source in tests:
        for file in sorted(set(_read(parsed(source)).values()) - others):
            if os.path.normpath(file) in theirs and not os.path.isabs(file) and not (folder / file).exists():
                yield READS.format(cell=test, file=file, other=theirs[os.path.normpath(file)])


def _texts(tree: ast.Module) -> Iterator[str]:
    """The literal texts of a cell; those of a magic, such as `%%writefile`, word by word."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "run_cell_magic":
            yield from (word for a in node.args[:2] if isinstance(a, ast.Constant) for word in str(a.value).split())


def _written_as(text: str) -> Iterator[str]:
    """The names that a file may have in whose place a cell has the text."""
    if text and "\n" not in text:
        yield from (os.path.normpath(text + added) for added in ("", *_ADDED))


def _other_texts(tree: ast.Module) -> Iterator[str]:
    """The literal texts of a cell, but for names of files that it only reads."""
    read = _read(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in read:
            yield node.value


def _read(tree: ast.Module) -> dict[ast.Constant, str]:
    """The literal names of files that a cell reads, or asks after, each by its place in the tree."""
    return {name: str(name.value) for node in ast.walk(tree) if isinstance(node, ast.Call) for name in _names(node)}


def _names(call: ast.Call) -> Iterator[ast.Constant]:
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    of = _literal(call.func.value) if isinstance(call.func, ast.Attribute) else None
    given = [of] if of else [_literal(argument) for argument in call.args[:1]]
    if called == _OPENS:
        modes = [*call.args[0 if of else 1 :][:1], *(k.value for k in call.keywords if k.arg == "mode")]
        reads = all(isinstance(m, ast.Constant) and not set("wax+") & set(str(m.value)) for m in modes)
    else:
        reads = called in _READERS | _LOOKS or called.startswith("read_")
    yield from (name for name in given if name and reads)


def _literal(node: ast.expr) -> ast.Constant | None:
    """The literal text of a node, also as the only argument of `Path(…)`."""
    if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return _literal(node.args[0]) if called == "Path" else None
    return node if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
