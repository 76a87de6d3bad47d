"""A consistent copy of a SQLite database that others may be using, made as the account that owns its folder.

SQLite opens a database by its path, and whoever owns the folder may put a link or a pipe there at any time: what is
copied must be what that account can read, and must come to an end. Run by `copied`: FILE SECONDS, the copy on stdout.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

LARGEST = 16 << 30  # bytes; a gradebook of a class has some ten million
PATIENCE = 900  # seconds for a copy that nobody holds up
HELD = (
    "another program has held it for {seconds:g} seconds. Look for that program (lsof {path}), let it end, and run the "
    "backup again"
)
_HELD, _UNUSABLE = 3, 4  # exit statuses
_DONE = 101  # SQLITE_DONE


class HeldError(Exception):
    """Another program holds the database."""


class UnusableError(Exception):
    """It is no database, or none that can be copied; the text says why."""


@contextmanager
def copied(path: Path, seconds: float, user: int, group: int) -> Iterator[IO[bytes]]:
    """The copy, made with the rights of `user`; HeldError after `seconds` in which the database stays locked."""
    rights = {} if user == os.geteuid() else {"user": user, "group": group, "extra_groups": []}
    with tempfile.TemporaryFile() as copy:
        try:
            done = subprocess.run(
                [sys.executable, "-s", "-m", "coursehub.database_copy", str(path), str(seconds)],
                env={"PYTHONPATH": str(Path(__file__).parent.parent), "LANG": "C.UTF-8"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=copy,
                stderr=subprocess.PIPE,
                text=True,
                timeout=seconds + PATIENCE,
                check=False,
                **rights,  # type: ignore[call-overload]
            )
        except subprocess.TimeoutExpired:
            raise UnusableError(f"it could not be copied within {PATIENCE} seconds") from None
        if done.returncode == _HELD:
            raise HeldError(HELD.format(seconds=seconds, path=path))
        if done.returncode:
            raise UnusableError((done.stderr.strip().splitlines() or ["no reason given"])[-1])
        copy.seek(0)
        yield copy


def _copy(path: str, seconds: float, target: str) -> None:
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe would wait for somebody to write
    regular = stat.S_ISREG(os.fstat(number).st_mode)
    os.close(number)
    if not regular:
        raise UnusableError("it is no regular file")
    end = time.monotonic() + seconds

    def patient(status: int, remaining: int, total: int) -> None:
        if status != _DONE and time.monotonic() > end:  # sqlite3 itself would wait without an end
            raise HeldError

    uri = f"{Path(path).absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=1)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy, progress=patient)


def main() -> None:
    with suppress(ValueError, OSError):  # a file full of holes is large and costs its owner nothing
        resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST, LARGEST))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with tempfile.NamedTemporaryFile(suffix=".sqlite") as copy:
        try:
            _copy(sys.argv[1], float(sys.argv[2]), copy.name)
            with open(copy.name, "rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
        except HeldError:
            sys.exit(_HELD)
        except (OSError, sqlite3.Error, UnusableError) as error:
            print(error, file=sys.stderr)
            sys.exit(_UNUSABLE)


if __name__ == "__main__":
    main()
