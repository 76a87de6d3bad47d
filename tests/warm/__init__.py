"""A Python that starts warm: what it runs begins in a process that has already imported the large packages.

Most of what a test of nbgrader's commands costs is the import of torch (2.5 s of processor time) and of nbgrader
(1.5 s), again in every process. `python()` is a command that takes python's place: `client` hands its arguments,
environment, working folder and open files to `warm_server`, which forks a process that goes on with them. The same code
runs as otherwise, and what it starts with `sys.executable` starts warm as well; nothing is replaced, only the imports
are done. Whatever the client does not know it gives to the real interpreter, and so it does where no server can be
reached, as in a room.

Tests of how a command starts, is ended or is watched, and those on another of `machines`, use `sys.executable`. COLD=1
in the environment does so for all.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_SERVE = "import sys; sys.path.insert(0, sys.argv.pop(1)); import warm_server; del sys.path[0]; warm_server.main()"


@cache
def python() -> str:
    """The path of an interpreter that starts warm, one for all tests of this process; it and its servers end with it.

    It lies beside the real one, because programs of the environment are looked for beside `sys.executable`.
    """
    client = Path(sys.executable).with_name(f"python-warm-{os.getpid()}")
    if os.environ.get("COLD") or not hasattr(os, "pidfd_open") or not os.access(client.parent, os.W_OK):
        return sys.executable
    folder = tempfile.mkdtemp(prefix="warm-")
    settings = {name: value for name, value in os.environ.items() if name.startswith(("PYTHON", "LC_"))}
    names = f"PYTHON, FOLDER, SETTINGS = {sys.executable!r}, {folder!r}, {settings!r}"
    text = (_HERE / "client.py").read_text(encoding="utf-8")
    client.write_text(f"#!{sys.executable} -IS\n{names}\n{text}", encoding="utf-8")
    client.chmod(0o755)
    servers = [_server(kind, folder, client) for kind in ("torch", "nbgrader")]
    atexit.register(_end, servers, os.getpid())
    return str(client)


def _server(kind: str, folder: str, client: Path) -> subprocess.Popen[bytes]:
    """It ends when its standard input does, also when this process is killed, and removes `folder` and `client`."""
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _SERVE, str(_HERE), kind, folder, str(client)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,
    )


def _end(servers: list[subprocess.Popen[bytes]], owner: int) -> None:
    if os.getpid() == owner:  # and not a process that this one has forked
        for server in servers:
            with contextlib.suppress(OSError):
                server.communicate(timeout=30)
