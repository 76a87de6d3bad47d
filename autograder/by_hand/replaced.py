"""Finds cells that can change what answers under a function's name, or what Python and torch do for it.

The reader follows the function that a cell defines. A cell may put another one in its place by ways that no reader can
follow: through the namespace as a dictionary, code made of text, IPython's own hooks, another notebook that is run,
another thread, or by replacing a part of torch or Python itself. All cells are looked at, because it may be done in
any. Nothing is forbidden here: these lines are listed.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice

from autograder.by_hand.cells import parse
from autograder.by_hand.rules import NAMES, Finding, found, words

MOST = 5
"""Findings of one reading."""
_MOST_NODES, _MOST_CHARACTERS = 100_000, 300_000
"""Of a cell; of all cells."""
_OWNERS = set(
    words(
        "torch sys builtins IPython autograder math numpy inspect types linecache importlib functools operator "
        "__builtins__ __main__"
    )
)
_MAY_BE_SET = set(
    words(
        "torch.backends sys.{stdout,stderr,path,argv,dont_write_bytecode,excepthook,tracebacklimit,ps1} "
        "IPython.core.interactiveshell.InteractiveShell.ast_node_interactivity"
    )
)
_CODE_OF_TEXT = set(words("exec eval compile"))
_NAMESPACES = set(words("globals locals vars"))
_CODE = set(words("__code__ __globals__ __wrapped__ __defaults__ __kwdefaults__ __closure__"))
_CHANGES = set(words("update setdefault pop clear __setitem__ popitem __delitem__"))
_DICTIONARIES = set(words("__dict__ user_ns user_global_ns f_globals __globals__"))
_SHELL = "IPython.shell"
"""What `get_ipython()` gives."""
_MAGIC_CALLS = set(words("run_line_magic run_cell_magic system getoutput magic"))
_SHELL_OWN = set(
    words(
        "user_ns user_global_ns user_module push ex ev run_cell run_code safe_execfile input_transformers_cleanup "
        "input_transformers_post ast_transformers input_transformer_manager events set_custom_exc "
        "register_magic_function register_magics set_next_input history_manager input_splitter"
    )
)
_REACHES = set(
    words(
        "_getframe _current_frames currentframe f_locals f_back tb_frame gi_frame cr_frame ag_frame get_objects "
        "get_referrers get_referents"
    )
)
"""What finds the frames and objects of whoever calls the answer, so that it can be told something else."""
_FORKS = set(words("fork forkpty"))
_CALLED = {*_CODE_OF_TEXT, "setattr", "delattr", "__import__"}
_METHODS = {*_CHANGES, *_FORKS, *_MAGIC_CALLS}
_MAGICS = set(words("run load loadpy macro edit rerun recall store pycat cython autocall alias_magic config"))
_EXTENSIONS = set(
    words("autoreload tensorboard line_profiler memory_profiler watermark nb_black jupyter_black lab_black")
)
_SHOWS = re.compile(
    r"(InlineBackend\.\w+|InteractiveShell\.ast_node_interactivity|(IP)?Completer\.\w+)\s*=[\s\w'\"{},.-]+"
)
"""What `%config` may set: how things are shown."""
_BESIDE = set(words("threading _thread multiprocessing concurrent __main__ ctypes cffi"))
# What Python takes for the end of a line and an editor does not show as one.
_HIDDEN_LINE = re.compile(r"\r(?!\n)|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")


def replaced(cells: Sequence[str], function: str, modules: Mapping[str, str]) -> tuple[Finding, ...]:
    """What can change what answers as `function`; `modules` are files beside the notebook, by name."""
    lines = [found("replaced", source=f"{name}.py") for name in modules if _hides(name)]
    if sum(map(len, cells)) > _MOST_CHARACTERS:
        return (*lines, found("too-long"))
    nodes = [(number, node) for number, source in enumerate(cells) for node in _telling(source)]
    look = _Notebook(function, [node for _, node in nodes])
    for number, source in enumerate(cells):
        if _HIDDEN_LINE.search(source) and re.search(r"^\s*[%!]", source, re.MULTILINE):
            lines.append(found("replaced", 1, source.strip()[:40], number))
    for number, node in nodes:
        if len(lines) >= MOST:
            break
        if look.at(node):
            line, text = int(getattr(node, "lineno", 1)), cells[number].split("\n")
            lines.append(found("replaced", line, text[line - 1].strip() if line <= len(text) else "", number))
    return tuple(dict.fromkeys(lines[:MOST]))


@lru_cache(maxsize=128)
def _telling(source: str) -> tuple[ast.AST, ...]:
    """The nodes of a cell that may say something; most say nothing, and a notebook is asked once for each question."""
    tree, _ = parse(source)
    return tuple(filter(_may_tell, islice(ast.walk(tree), _MOST_NODES))) if tree else ()


def _may_tell(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Global() | ast.Assign(targets=[ast.Name()]):
            return True
        case ast.Attribute(ctx=context, attr=attr):
            return not isinstance(context, ast.Load) or attr in _SHELL_OWN or attr in _REACHES
        case ast.Subscript(ctx=context, slice=key):
            return not isinstance(context, ast.Load) or isinstance(key, ast.Constant)
        case ast.Name(ctx=context):
            return not isinstance(context, ast.Load)
        case ast.Call(func=ast.Name(id=name)):
            return name in _CALLED
        case ast.Call(func=ast.Attribute(attr=attr)):
            return attr in _METHODS
    return False


def _hides(module: str) -> bool:
    """Whether a file beside the notebook is named like a module of Python's or of a package that the reader knows."""
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names or top in NAMES


class _Notebook:
    """What a notebook's names stand for, wherever they are given; and whether a node changes what may answer."""

    def __init__(self, function: str, nodes: Sequence[ast.AST]) -> None:
        self._function = function
        self._paths: dict[str, str] = {}
        stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        for node in nodes:
            match node:
                case ast.Import(names=names):
                    for alias in names:
                        top = alias.name.partition(".")[0]
                        self._paths[alias.asname or top] = alias.name if alias.asname else top
                case ast.ImportFrom(module=str(module), names=names):  # a name such as math.e may be a node's as well
                    own = {a.asname or a.name: f"{module}.{a.name}" for a in names}
                    self._paths.update({name: path for name, path in own.items() if name not in stored})
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute() | ast.Name() | ast.Call() as value):
                    path = self._path(value)
                    if path.partition(".")[0] in _OWNERS:
                        self._paths[name] = path

    def at(self, node: ast.AST) -> bool:
        match node:
            case ast.Import(names=names):
                return any(_is_beside(alias.name) for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                return _is_beside(module) or any(alias.name in _REACHES for alias in names)
            case ast.Call():
                return self._call(node)
            case ast.Attribute(ctx=ast.Store() | ast.Del()):
                path = self._path(node)
                if node.attr in _CODE:
                    return True
                return self._owned(node) and not any(path.startswith(may) for may in _MAY_BE_SET) and _is_there(path)
            case ast.Attribute(value=value, attr=attr):
                return attr in _REACHES or (attr in _SHELL_OWN and self._path(value) == _SHELL)
            case ast.Subscript(ctx=ast.Store() | ast.Del(), value=value):
                return self._is_namespace(value)
            case ast.Subscript(value=value, slice=ast.Constant(value="__main__")):
                return self._path(value) == "sys.modules"
            case ast.Global(names=names):
                return self._function in names
        return False

    def _call(self, node: ast.Call) -> bool:
        match node.func:
            case ast.Name(id=name) if name in _CODE_OF_TEXT:
                return True
            case ast.Name(id="setattr" | "delattr") if node.args:
                return self._owned(node.args[0])
            case ast.Name(id="__import__"):
                return any(isinstance(a, ast.Constant) and str(a.value).partition(".")[0] in _BESIDE for a in node.args)
            case ast.Attribute(value=value, attr=attr) if attr in _CHANGES:
                return self._is_namespace(value)
            case ast.Attribute(attr=attr) if attr in _FORKS:
                return self._path(node.func).startswith("os.")
            case ast.Attribute(value=value, attr=attr) if attr in _MAGIC_CALLS and self._path(value) == _SHELL:
                return _is_magic(node)
        return False

    def _is_namespace(self, node: ast.expr) -> bool:
        """Whether an expression is the notebook's own names, or those of a module, as a dictionary."""
        match node:
            case ast.Call(func=ast.Name(id=name), args=args):
                return name in _NAMESPACES and (not args or self._owned(args[0]))
            case ast.Attribute(value=value, attr="__dict__"):
                return self._owned(value)
            case ast.Attribute(attr=attr):
                return attr in _DICTIONARIES
        return False

    def _owned(self, node: ast.expr) -> bool:
        return self._path(node).partition(".")[0] in _OWNERS

    def _path(self, node: ast.AST) -> str:
        """`torch.Tensor.item` of such an expression; "" of any other."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            asked = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            known = self._paths.get(asked, asked)
            return ".".join([_SHELL, *reversed(parts)]) if known.endswith("get_ipython") else ""
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self._paths.get(node.id, node.id), *reversed(parts)])


def _is_beside(module: str) -> bool:
    """Whether a module runs code beside the cells, or is one of the grader's own behind what the course imports."""
    return module.partition(".")[0] in _BESIDE or module.startswith("autograder.")


def _is_there(path: str) -> bool:
    """Whether a module has what a path names, as far as it is loaded; a new name beside torch's own changes nothing."""
    top, *rest = path.split(".")
    thing = sys.modules.get(top)
    for name in rest if thing else ():
        try:
            thing = inspect.getattr_static(thing, name)
        except AttributeError:
            return False
    return True


def _is_magic(node: ast.Call) -> bool:
    """Whether a magic runs or loads code that no cell shows."""
    given = [str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)]
    magic, _, rest = " ".join(given[:2]).strip().partition(" ")
    if magic in ("load_ext", "reload_ext"):
        return rest.strip() not in _EXTENSIONS
    if magic == "config":
        return not _SHOWS.fullmatch(rest.strip())
    return magic in _MAGICS
