"""Makes sure that nbgrader finds the programs that it starts by name."""

from __future__ import annotations

import os
import shutil
import sys


def find_programs() -> None:
    """Adds Python's own folder to PATH if `alembic` is not found.

    nbgrader starts it by name (nbgrader/api.py), which fails in an environment that is not activated.
    """
    if shutil.which("alembic") is None:
        os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])
