"""Dotted paths: which name of which package an expression means, through aliases, getattr and import functions.

Text that can be worked out from the cells is worked out ("auto" + "grad"); a name made of anything else stays unknown.
"""

from __future__ import annotations

import ast

from autograder.by_hand.names import Scope, Value

_DEEPEST = 12


def paths(node: ast.AST | None, scope: Scope, depth: int = 0) -> set[str]:
    """Every dotted path that `node` may mean; empty for what is computed or made by the student."""
    if depth > _DEEPEST:
        return set()
    match node:
        case ast.Name():
            return {p for v in scope.find(node.id) or () for p in _value_paths(v, depth)}
        case ast.Attribute(attr="__dict__"):
            return set()
        case ast.Attribute():
            return {f"{p}.{node.attr}" for p in paths(node.value, scope, depth + 1)}
        case ast.NamedExpr():
            return paths(node.value, scope, depth + 1)
        case ast.IfExp():
            return paths(node.body, scope, depth + 1) | paths(node.orelse, scope, depth + 1)
        case ast.BoolOp():
            return {p for v in node.values for p in paths(v, scope, depth + 1)}
        case ast.Call():
            names = literal_attribute(node, scope, depth)
            if names:
                return {f"{p}.{n}" for p in paths(node.args[0], scope, depth + 1) for n in names}
            if node.args and (kind := is_import(node, scope, depth)):
                texts = strings(node.args[0], scope, depth + 1) or []
                return {t if kind == "module" else t.split(".")[0] for t in texts}
        case ast.Subscript():
            return _subscript(node, scope, depth)
    return set()


def _value_paths(value: Value, depth: int) -> set[str]:
    if value.path:
        return {value.path}
    return paths(value.node, value.scope, depth + 1) if value.whole else set()


def _subscript(node: ast.Subscript, scope: Scope, depth: int) -> set[str]:
    inside, roots = node.value, set[str]()
    if isinstance(inside, ast.Attribute) and inside.attr == "__dict__":
        roots = paths(inside.value, scope, depth + 1)
    elif isinstance(inside, ast.Call) and inside.args and call_path(inside, scope, depth) == "builtins.vars":
        roots = paths(inside.args[0], scope, depth + 1)
    elif isinstance(inside, ast.Call) and call_path(inside, scope, depth) in ("builtins.globals", "builtins.locals"):
        found = strings(node.slice, scope, depth + 1) or []
        return {p for name in found for v in scope.find(name) or () for p in _value_paths(v, depth)}
    elif isinstance(inside, ast.Attribute | ast.Name) and "sys.modules" in paths(inside, scope, depth + 1):
        return set(strings(node.slice, scope, depth + 1) or [])
    elif isinstance(node.slice, ast.Constant):  # one of a literal tuple or dict: [torch.autograd.grad][0]
        return {p for v in _held(inside, node.slice.value, scope) for p in paths(v[0], v[1], depth + 1)}
    return {f"{p}.{name}" for p in roots for name in strings(node.slice, scope, depth + 1) or []}


def _held(node: ast.expr, key: object, scope: Scope) -> list[tuple[ast.expr, Scope]]:
    """The entry `key` of a literal tuple, list or dict."""
    if isinstance(node, ast.Name):
        return [
            h for v in scope.find(node.id) or () if isinstance(v.node, ast.Tuple | ast.List | ast.Dict) and v.whole
            for h in _held(v.node, key, v.scope)
        ]  # fmt: skip
    if isinstance(node, ast.Tuple | ast.List) and isinstance(key, int) and -len(node.elts) <= key < len(node.elts):
        return [(node.elts[key], scope)]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return [(v, scope) for k, v in pairs if isinstance(k, ast.Constant) and k.value == key]
    return []


def call_path(node: ast.Call, scope: Scope, depth: int = 0) -> str:
    """The one path that is called, or ""."""
    meant = paths(node.func, scope, depth + 1)
    return next(iter(meant)) if len(meant) == 1 else ""


def literal_attribute(node: ast.Call, scope: Scope, depth: int = 0) -> list[str] | None:
    """The names in `getattr(thing, name)` if they can be worked out."""
    if isinstance(node.func, ast.Name) and len(node.args) >= 2 and call_path(node, scope, depth) == "builtins.getattr":
        return strings(node.args[1], scope, depth + 1)
    return None


def is_import(node: ast.Call, scope: Scope, depth: int = 0) -> str:
    """ "module" for importlib.import_module, "package" for __import__, else ""."""
    kinds = {"importlib.import_module": "module", "builtins.__import__": "package"}
    return kinds.get(call_path(node, scope, depth), "")


def strings(node: ast.AST | None, scope: Scope, depth: int = 0) -> list[str] | None:
    """Every text that `node` may be; None if it cannot be worked out."""
    if depth > _DEEPEST:
        return None
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.BinOp(op=ast.Add()):
            left, right = strings(node.left, scope, depth + 1), strings(node.right, scope, depth + 1)
            return [a + b for a in left for b in right][:50] if left and right else None
        case ast.JoinedStr():
            texts = [""]
            for part in node.values:
                more = strings(part.value if isinstance(part, ast.FormattedValue) else part, scope, depth + 1)
                if not more:
                    return None
                texts = [a + b for a in texts for b in more][:50]
            return texts
        case ast.Name():
            values = scope.find(node.id)
            every = [strings(v.node, v.scope, depth + 1) if v.whole and not v.path else None for v in values or ()]
            return [t for e in every if e for t in e] if every and all(every) else None
    return None
