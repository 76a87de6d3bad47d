"""The programs that nbgrader starts by name."""

from __future__ import annotations

import os
import shutil
import sys


def find_programs() -> None:
    """nbgrader starts `alembic` by name, which is found only in an activated environment; it lies beside Python."""
    if shutil.which("alembic") is None:
        os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])
