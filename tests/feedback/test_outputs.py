"""Code on a page: the colours do not depend on which of Pygments' lexers was quick enough."""

from __future__ import annotations

import pytest
from pygments.lexers import get_lexer_by_name

from autograder.feedback import outputs
from tests.conftest import CELLS
from tools.sample_class import cells, students

CODE = [source for answers in students().values() for _, source in cells(answers)]
ODD = [
    "a = !ls",
    "%timeit x\n",
    "%%bash\nls",
    "x?",
    "def f(\n",
    "'''open",
    "f'{a!r:>{w}}' \\\n",
    "match x:\n  case 1: 2",
    "\f\tß",
]


@pytest.mark.parametrize("source", [*CELLS.values(), *CODE, *ODD])
def test_code_is_coloured_as_ipythons_lexer_does(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = outputs.code(source)
    outputs._coloured.cache_clear()
    monkeypatch.setattr(outputs, "_MAGIC", set(source))  # then nothing is taken for plain Python
    assert outputs.code(source) == made


def test_plain_python_is_read_by_the_lexer_of_python() -> None:
    """Which takes half the time; each further rule of IPython's needs one of three signs."""
    rules = get_lexer_by_name("ipython3").tokens["root"]
    further = rules[: len(rules) - len(get_lexer_by_name("python3").tokens["root"])]
    assert further
    for rule in further:
        assert any(sign in rule[0] for sign in outputs._MAGIC), rule


@pytest.mark.parametrize("language", [["python"], {}, None, "no such language", "bash"])
def test_whatever_a_notebook_calls_its_language_its_code_is_shown(language: object) -> None:
    assert "echo" in outputs.code("echo 1", language)  # type: ignore[arg-type]
