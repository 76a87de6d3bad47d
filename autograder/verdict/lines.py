"""Lines that mean something else to Python than to whoever wrote them: `^`, `//`, round(), a value given twice.

Only a wrong answer is looked at. A line is told as what it is, never accused of being the cause.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from autograder.by_hand.cells import Function, definitions, magic_of, parse
from autograder.student.protocol import Fault

_ROUNDS = {"round", "around", "rint", "int", "long", "floor", "ceil", "trunc", "half", "float16", "bfloat16"}
_CELL = "<module>"
"""What Python calls the lines of a cell that are in no function."""
_COMPREHENSIONS = ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp


@dataclass(frozen=True)
class Spot:
    """A line of a cell, counted from 1, and its text."""

    line: int
    source: str


class Lines:
    """The function that a question asks for, and what else of the notebook's functions it names, as the cells say."""

    def __init__(self, cells: Sequence[str], function: str) -> None:
        self._cells, self._name = cells, function

    @cached_property
    def _functions(self) -> dict[str, tuple[Function, list[str], bool]]:
        """By name: the definition, its cell's lines, and whether they begin with a magic. Read when first needed."""
        found: dict[str, tuple[Function, list[str], bool]] = {}
        for source in self._cells:
            if "def " in source:
                tree, lines = parse(source)
                for definition in definitions(tree.body if tree else []):
                    found[definition.name] = definition, lines, bool(magic_of(source))
        return found

    def answer(self) -> tuple[Function, list[str]] | None:
        """The definition of the answer itself, and its cell's lines."""
        found = self._functions.get(self._name)
        return found[:2] if found else None

    def spot(self, line: int) -> Spot | None:
        """A line of the answer's cell."""
        found = self.answer()
        return self._spot(line, found[1]) if found else None

    def power(self) -> Spot | None:
        """The first line with `^`."""
        return self._first(lambda node: _operates(node, ast.BitXor))

    def floors(self) -> Spot | None:
        """The first line with `//`."""
        return self._first(lambda node: _operates(node, ast.FloorDiv))

    def rounds(self) -> Spot | None:
        """The first line that rounds a number."""
        return self._first(_rounds)

    def not_run(self, fault: Fault) -> list[int]:
        """The lines of the answer above a fault that give the name it misses a value: none of them can have run."""
        found = self._functions.get(self._name)
        if not found or fault.within != self._name:
            return []
        stored = {n.lineno for n in _own_scope(found[0]) if _stores(n, fault.name)}  # type: ignore[attr-defined]
        return sorted(line for line in stored if line < (fault.line or 0))

    def gives(self, name: str) -> bool:
        """Whether a line of the answer itself gives `name` a value."""
        found = self._functions.get(self._name)
        return any(_stores(n, name) for n in _own_scope(found[0])) if found else False

    def given_again(self, name: str) -> Spot | None:
        """The last line of the answer itself that gives `name` a value of its own, if an earlier one does so already.

        Lines of an `if` or a loop do not count: of two arms only one is run.
        """
        found = self._functions.get(self._name)
        lines = [s.lineno for s in found[0].body if _replaces(s, name)] if found else []
        return self._spot(lines[-1], found[1]) if found and len(lines) > 1 else None

    def argument_replaced(self) -> tuple[str, Spot] | None:
        """An argument that a line of the answer gives another value, and the line; `x = x.double()` does not."""
        found = self._functions.get(self._name)
        if not found:
            return None
        arguments = [a.arg for a in found[0].args.args]
        replaced = [(n.lineno, a) for n in _own_scope(found[0]) for a in arguments if _replaces(n, a)]  # type: ignore[attr-defined]
        if not replaced:
            return None
        line, name = min(replaced)
        spot = self._spot(line, found[1])
        return (name, spot) if spot else None

    def says(self, word: str) -> bool:
        """Whether a cell holds the word."""
        return any(word in re.findall(r"\w+", cell) for cell in self._cells)

    def power_in(self, fault: Fault) -> Spot | None:
        """The line with the `^` of what an exception stopped in."""
        read = [(tree, lines, fault.line or 0) for tree, lines in map(parse, self._cells) if _holds(lines, fault)]
        alone = not read  # a line of no cell: of a script, of a module beside the notebook
        if alone:
            read = [(*parse(fault.source), 1)]
        for tree, lines, line in read:
            for node in ast.walk(tree) if tree else ():
                if _operates(node, ast.BitXor) and node.lineno <= line <= (node.end_lineno or 0):  # type: ignore[attr-defined]
                    at = node.right if isinstance(node, ast.BinOp) else node
                    return Spot(fault.line or 0, fault.source) if alone else self._spot(at.lineno, lines)  # type: ignore[attr-defined]
        return None

    def placed(self, fault: Fault) -> Fault:
        """The fault with its line as the cell counts it: what runs below `%%time` counts without that line."""
        found = self._functions.get(self._name) if fault.line and fault.within in ("", _CELL, self._name) else None
        if not (found and found[2] and fault.line and fault.line < len(found[1])):
            return fault
        text = found[1][fault.line].strip()
        return replace(fault, line=fault.line + 1, source=text) if fault.source in ("", text) else fault

    def _first(self, wanted: Callable[[ast.AST], bool]) -> Spot | None:
        for definition, lines, _ in self._reached():
            found = [n.lineno for n in _walked(definition) if wanted(n)]  # type: ignore[attr-defined]
            if found:
                return self._spot(min(found), lines)
        return None

    def _reached(self) -> Iterator[tuple[Function, list[str], bool]]:
        names, seen = [self._name], set[str]()
        while names:
            name = names.pop(0)
            if name in seen or name not in self._functions:
                continue
            seen.add(name)
            yield self._functions[name]
            names += [n.id for n in ast.walk(self._functions[name][0]) if isinstance(n, ast.Name)]

    def _spot(self, line: int, lines: list[str]) -> Spot | None:
        return Spot(line, lines[line - 1].strip()) if 0 < line <= len(lines) else None


def _holds(lines: list[str], fault: Fault) -> bool:
    return 0 < (fault.line or 0) <= len(lines) and lines[(fault.line or 1) - 1].strip() == fault.source


def _walked(node: ast.AST) -> Iterator[ast.AST]:
    """Everything in it but what is only printed, and what makes 1 or 0 of a truth."""
    todo = [node]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_truth(node.func.value):
            todo.append(node.func.value)  # `(x > 0).to(torch.int)`
        elif not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"):
            yield node
            todo += ast.iter_child_nodes(node)


def _own_scope(function: Function) -> Iterator[ast.AST]:
    """Everything in it but what has names of its own: functions inside, comprehensions."""
    todo: list[ast.AST] = [*function.body]
    while todo:
        node = todo.pop()
        if not isinstance(node, Function | ast.Lambda | ast.ClassDef | _COMPREHENSIONS):
            yield node
            todo += ast.iter_child_nodes(node)


def _stores(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store)


def _replaces(node: ast.AST, name: str) -> bool:
    """Whether it gives `name` a value that the name itself has no part in: `f = f + 1` goes on with the one before."""
    if not isinstance(node, ast.Assign) or any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node.value)):
        return False
    return any(_stores(n, name) for target in node.targets for n in ast.walk(target))


def _operates(node: ast.AST, operator: type[ast.operator]) -> bool:
    return isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, operator)


def _is_truth(node: ast.AST) -> bool:
    """Whether it is true or false, as far as it can be read: `x > 0`, `x.gt(0)`, `(x > 0) & (y > 0)`."""
    match node:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Call(func=ast.Attribute(attr="gt" | "ge" | "lt" | "le" | "eq" | "ne")):
            return True
        case ast.UnaryOp(op=ast.Invert(), operand=part):
            return _is_truth(part)
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() | ast.BitXor(), right=right):
            return _is_truth(left) and _is_truth(right)
    return False


def _rounds(node: ast.AST) -> bool:
    """Whether it rounds a number; `int(x > 0)` is only another way to write 1 or 0."""
    match node:
        case ast.Call(args=[made]) | ast.Attribute(value=made) if _is_truth(made):
            return False
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _ROUNDS:
            return True
        case ast.Attribute(attr=name) if name in _ROUNDS:
            return True
        case ast.FormattedValue(format_spec=ast.JoinedStr()):
            return True
    return _operates(node, ast.FloorDiv)
