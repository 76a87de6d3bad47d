"""Whether the functions that answer are those that the notebook's cells show.

A cell can put another function under a name by countless ways that no reader of its text can follow. But what stands
under the name can be compared with what the cells define: their functions are compiled again, and the code must be the
same. A name that cells give to nothing but a `def` holds that function. One that they assign holds a function of what
stands in the assignment; any other object that is assigned cannot be told.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from types import CodeType, FunctionType
from typing import Any

from autograder.by_hand.cells import PYTHON_MAGICS, Function, as_run, magic_of

_MOST = 100
"""Functions of a student's that one answer may reach; of more the rest is not looked at."""
_LONGEST = 100_000
"""Characters of a cell that is read."""
_IMPORT = ast.Import | ast.ImportFrom
_FUTURE = (0, __import__("__future__").annotations.compiler_flag)


@dataclass(frozen=True)
class Statement:
    """A statement of a cell's own, and what that cell imports: Python compiles a call such as `torch.sin(x)` in another
    way where it has seen the import; IPython compiles each statement alone, `%%time` all together.
    """

    tree: ast.stmt
    imports: tuple[ast.stmt, ...]


@dataclass(frozen=True)
class Binding:
    """What gives a name a value; `names` are what the value is made of, but for the body of a `def`."""

    statement: Statement
    plain: bool
    """A `def` without a decorator."""
    names: frozenset[str]


def others(
    function: Any, name: str, namespace: Mapping[str, Any], texts: tuple[str, ...]
) -> tuple[str, frozenset[str]]:
    """The name of the first function, `function` itself or one that it calls by name, that no cell shows, else "";
    and the names that these functions use.
    """
    cells = _read(texts)
    todo, seen, names = [(name, function)], {name}, set[str]()
    while todo and len(seen) < _MOST:
        name, function = todo.pop()
        code = _code(function, namespace)
        if not cells.may_hold(name, code):
            return name, frozenset(names)
        used = set(_names_in(code)) if code else set()
        names |= used
        more = [n for n in used if n in cells.bindings and n in namespace and n not in seen]
        seen.update(more)
        todo += [(n, namespace[n]) for n in more]
    return "", frozenset(names)


def look_at(cell: str) -> None:
    """Reads a cell of the course, so that no process that is forked from this one has to."""
    _cell(cell)


@dataclass(frozen=True)
class Cells:
    """The cells' statements, what these give to each name, and the texts that cannot be read."""

    statements: tuple[Statement, ...]
    bindings: Mapping[str, tuple[Binding, ...]]
    unread: tuple[str, ...]

    def may_hold(self, name: str, code: CodeType | None) -> bool:
        """Whether the name may hold this by what the cells give it; `code` is None of what is no function of theirs."""
        own = self.bindings.get(name, ())
        if not own or any(name in text for text in self.unread):
            return True
        if all(binding.plain for binding in own):
            return code is not None and any(_compiles_to(_bare(code), b.statement, name) for b in own)
        if code is None:
            return True
        behind = list(self._behind(own))
        defined = all(binding.plain or binding in own for binding in behind)
        statements = [binding.statement for binding in behind] if defined else self.statements
        return any(_compiles_to(_bare(code), statement) for statement in statements)

    def _behind(self, own: tuple[Binding, ...]) -> Iterator[Binding]:
        """The statements that a value may have come from."""
        todo, seen = [*own], set[str]()
        yield from own
        while todo:
            for name in todo.pop().names - seen:
                seen.add(name)
                more = self.bindings.get(name, ())
                yield from more
                todo += [Binding(b.statement, b.plain, _used(b.statement.tree)) for b in more if b not in own]


def _code(function: Any, namespace: Mapping[str, Any]) -> CodeType | None:
    """The code of a function of this notebook's; None of any other object."""
    return function.__code__ if type(function) is FunctionType and function.__globals__ is namespace else None


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names_in(inner)


@lru_cache(maxsize=2)
def _read(texts: tuple[str, ...]) -> Cells:
    found: dict[str, list[Binding]] = {}
    statements: list[Statement] = []
    unread: list[str] = []
    for text in texts:
        cell = _cell(text) if len(text) <= _LONGEST else None
        if cell is None:
            unread.append(text)
            continue
        statements += cell[0]
        for name, binding in cell[1]:
            found.setdefault(name, []).append(binding)
    return Cells(tuple(statements), {name: tuple(bindings) for name, bindings in found.items()}, tuple(unread))


@lru_cache(maxsize=256)
def _cell(text: str) -> tuple[tuple[Statement, ...], tuple[tuple[str, Binding], ...]] | None:
    """The statements of a cell and what they give to names; None where it cannot be read."""
    magic = magic_of(text)
    if magic and magic not in PYTHON_MAGICS:
        return (), ()
    tree = as_run(text.lstrip().partition("\n")[2] if magic else text)
    if tree is None:
        return None
    imports = tuple(node for part in tree.body for node in _outermost(part) if isinstance(node, _IMPORT))
    statements = tuple(Statement(part, imports) for part in tree.body)
    given: list[tuple[str, Binding]] = []
    for statement in statements:
        for node in _outermost(statement.tree):
            if isinstance(node, Function):
                decorated = frozenset[str]().union(*map(_used, node.decorator_list))
                given.append((node.name, Binding(Statement(node, imports), not node.decorator_list, decorated)))
            else:
                given += [(name, Binding(statement, False, _used(statement.tree))) for name in _names(node)]
    return statements, tuple(given)


def _outermost(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of a statement that run with the cell itself, not with a function's or a class's body."""
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef):
            todo += ast.iter_child_nodes(node)


def _names(node: ast.AST) -> list[str]:
    """The names that a node gives a value."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.ClassDef(name=name):
            return [name]
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [(alias.asname or alias.name).partition(".")[0] for alias in names]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return [name]
    return []


def _used(node: ast.AST) -> frozenset[str]:
    return frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))


def _compiles_to(code: CodeType, statement: Statement, name: str = "") -> bool:
    """Whether a statement holds a function of this code; with `name` as the one that it defines by that name."""
    ways = product(dict.fromkeys(((), statement.imports)), _FUTURE)  # in the order in which they are likely
    return any(code in _compiled(statement, name, imports, flags) for imports, flags in ways)


@lru_cache(maxsize=1024)
def _compiled(statement: Statement, name: str, imports: tuple[ast.stmt, ...], flags: int) -> frozenset[CodeType]:
    try:
        made = compile(ast.Module([*imports, statement.tree], []), "", "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    outermost = (code for code in made.co_consts if isinstance(code, CodeType) and code.co_name == name)
    return frozenset(map(_bare, outermost if name else _inner(made)))


def _inner(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from _inner(inner)


def _bare(code: CodeType) -> CodeType:
    """The code without where it stands."""
    consts = tuple(_bare(c) if isinstance(c, CodeType) else c for c in code.co_consts)
    flags = code.co_flags & ~_FUTURE[1]
    return code.replace(
        co_consts=consts, co_firstlineno=1, co_linetable=b"", co_filename="", co_qualname=code.co_name, co_flags=flags
    )
