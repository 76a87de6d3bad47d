"""The short way through IPython's transformers changes nothing: not a cell, and not what is said of it."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest
from IPython.core.async_helpers import _should_be_async
from IPython.core.inputtransformer2 import TransformerManager

from autograder.workers.plain_python import Transformer

STDLIB = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))[::12]
LIKE_IPYTHON = (
    "%time 1",
    "x = %time 1",
    "x = !ls",
    "!ls",
    "q1?",
    "?q1",
    "x = 1\n%matplotlib inline",
    "%%time\n1",
    "/f 1",
    ",f a b",
    ";f a b",
    ">>> x = 1\n>>> y = 2",
    "x = 1\n...\ny = 2",
    "In [1]: x = 1\n   ...: y = 2",
    "In [1]: x",
    "    x = 1\n    y = 2",
    "  # indented\ndef f():\n    return '''\n  kept?'''",
    "\n\nx = 1",
    "\x0cx = 1",
    "",
    " ",
    "x = (5\n%3)",
    "x = 5 \\\n% 3",
    's = """\n%time\n!ls\nwhat?\n"""',
    "await f()",
    "async def f():\n    await g()",
    "[x async for x in y]",
    "x = 1; 'await'",
    "def f(x)\n  return",
    "return 1",
    "x = 1\r\ny = 2\r\n",
    "x = '\\d'",
    "f(x # ?\n)",
    "x\u2028= 1",
    "x = 'a\u2028b'",
    "x = 1\0",
    "(" * 300,
)


def whole(transformer: TransformerManager, cell: str) -> str:
    """What becomes of the cell, or how it is refused."""
    try:
        return str(transformer.transform_cell(cell))
    except SyntaxError as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("cell", LIKE_IPYTHON)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning", "ignore:`make_tokens_by_line`")
def test_a_cell_becomes_what_ipython_makes_of_it_and_awaits_as_ipython_says(cell: str) -> None:
    ours = Transformer()
    text = whole(ours, cell)
    assert text == whole(TransformerManager(), cell)
    assert ours.awaits(text) in (None, _should_be_async(text))


@pytest.mark.parametrize("path", STDLIB, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
def test_the_parts_of_a_module_of_pythons_stay_what_ipython_makes_of_them(path: Path) -> None:
    ours, ipython = Transformer(), TransformerManager()
    for part in path.read_text(encoding="utf-8").split("\n\n")[:80]:
        assert whole(ours, part) == whole(ipython, part), part


def test_a_plain_cell_is_not_read_by_ipythons_lexer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("read by IPython")

    monkeypatch.setattr(TransformerManager, "transform_cell", refuse)
    assert Transformer().transform_cell("def f(x):\n    return x % 2  # odd") == "def f(x):\n    return x % 2  # odd\n"


@pytest.mark.parametrize("kind", ["cleanup_transforms", "line_transforms"])
def test_a_transform_that_a_notebook_adds_is_used(kind: str) -> None:
    ours = Transformer()
    getattr(ours, kind).append(lambda lines: [line.replace("€", "euro") for line in lines])
    assert ours.transform_cell("x = '€'") == "x = 'euro'\n"
