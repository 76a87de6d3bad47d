"""What can be seen inside: the folders that Python needs, and an environment that says nothing of the grader's."""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path

from autograder.sandbox.limits import HOME

PACKAGE = str(Path(__file__).parent.parent)
"""The folder of this package."""


def trusted_path() -> list[str]:
    """The part of `sys.path` in Python's own folders and this package's.

    The folder where grading was started is not in it: a file there could have the name of a module.
    """
    inside = {
        str(Path(p).resolve()) for p in (sys.prefix, sys.base_prefix, sys.exec_prefix, site.getusersitepackages())
    }
    own = str(Path(PACKAGE).parent)
    found = [p for p in sys.path if p and any(_within(Path(p).resolve(), base) for base in inside)]
    return [*found, *([] if own in found else [own])]


def _within(path: Path, base: str) -> bool:
    return str(path) == base or base in map(str, path.parents)


def readable() -> tuple[str, ...]:
    """The folders that student code reads besides the system's: Python, its packages and this one; never the course."""
    known = [sys.prefix, sys.base_prefix, PACKAGE]
    if os.path.isdir(site.getusersitepackages()) and site.getusersitepackages() in sys.path:
        known.append(site.getusersitepackages())
    return tuple(p for p in dict.fromkeys(known) if not p.startswith("/usr/") or p.startswith("/usr/local"))


def clean_environment() -> dict[str, str]:
    """The environment of student code. Nothing of the grader's is in it, which may hold keys and passwords."""
    here = str(Path(sys.executable).parent)
    return {
        "PATH": f"{here}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": HOME,
        "TMPDIR": "/tmp",
        "IPYTHONDIR": "/tmp/.ipython",
        "MPLCONFIGDIR": "/tmp/.matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
