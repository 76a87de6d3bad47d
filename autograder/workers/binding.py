"""Whether a cell gives a name a value, found by regular expressions: the grading process parses no student code.

Python's parser can be made to use all memory or to crash. Every pattern looks a limited number of characters ahead,
because a line may be as long as a notebook.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

_FROM_FILE = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]{1,100})[ \t]+import[ \t]*\*|%run[ \t]+(\w{1,100}))", re.MULTILINE)


def binds(code: str, name: str, modules: Mapping[str, str]) -> bool:
    """Whether a cell defines, assigns or imports the name; `modules` are the texts of the submission's own files."""
    if _binds(code, name):
        return True
    files = {part for found in _FROM_FILE.findall(code) for part in found if part in modules}
    return any(_binds(modules[file], name) for file in files)


@lru_cache(maxsize=100)  # many cells may name one file
def _binds(code: str, name: str) -> bool:
    return name in code and bool(_patterns(name).search(code))


@cache
def _patterns(name: str) -> re.Pattern[str]:
    this = rf"(?<![.\w]){re.escape(name)}\b"
    defined = rf"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+{this}"
    # A target stands before the line's first bracket, quote or comment, or is one of `a, name = …` and `name: T = …`.
    assigned = rf"^[^\n#'\"(\[{{]{{0,200}}{this}[ \t]*(?::[^\n=]{{0,200}}|,[^\n=]{{0,200}})?=(?!=)|{this}[ \t]*:="
    imported = rf"\bimport[ \t]+[^\n#;]{{0,300}}{this}|\bimport[ \t]*\([^)]{{0,300}}{this}|\bas[ \t]+{this}"
    return re.compile(f"{defined}|{assigned}|{imported}", re.MULTILINE)
