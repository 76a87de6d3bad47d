"""Hands in an assignment: whole or nothing, exactly what `collect` will take, and what that leaves out is said at once.

So is which of the files will be missing when the work is graded, because a room has no space for them.

It copies as nbgrader's own class does (nbgrader/exchange/default/submit.py), but into a folder beside the destination,
which is renamed at the end; and an environment beside the notebook does not count.
"""

from __future__ import annotations

import fcntl
import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from nbgrader.exchange.default import ExchangeSubmit

from autograder.exchange.atomic import FULL, STAGED, STOPPED, ExplainedErrors, logged_as, no_space, share_with_group
from autograder.exchange.root import ClosedRoot
from autograder.sandbox.folders import files_beside_notebooks
from autograder.sandbox.limits import MB, Limits
from autograder.selection import OF_NBGRADER, PROGRAMS, Budget, LeftOut, UnsafeCopy, is_ignored, limits_of, select
from autograder.workers.files import choose

NOT_WORK = "Not handed in, because it holds programs or a cache and no work of yours: %s"
PARTLY = "{what} IS handed in, with your notebooks, but not with all files beside them. These are missing:\n{reasons}"
NO_ROOM = (
    "{what} IS handed in, but your code will not find all files beside the notebook when it is graded: there is room "
    "for {most:.0f} MB of them. These will be missing then:\n{names}"
)
SMALLER = (
    "If your notebook does not need them, you have nothing to do. If it does, make them fewer or smaller, delete what "
    "you no longer need, and submit again."
)
WITHOUT_NOTEBOOK = (
    "{name} cannot be handed in: {why}. If it is large, choose Edit > Clear Outputs of All Cells in JupyterLab and "
    "save it; if you do not need it, delete it."
)
_ADDED_BYTES = 1000
"""Of the files that nbgrader adds to a submission, and collects with it."""


class Submit(ClosedRoot, ExplainedErrors, ExchangeSubmit):  # type: ignore[misc]  # nbgrader ships no types
    """Hands in an assignment in one step."""

    inbound_path: str
    cache_path: str
    _writing_to_cache = False

    def start(self) -> None:
        """Hands in; if something had to be left out, an ExchangeError says so, because a button shows nothing else."""
        super().start()
        programs = self._left.by_reason.pop(PROGRAMS, [])
        if programs:
            self.log.info(NOT_WORK, ", ".join(programs))
        what = self.coursedir.assignment_id
        told: list[str] = []
        if self._left:
            reasons = "\n".join(f"{names}: {why}" for names, why, _ in self._left.told())
            told += PARTLY.format(what=what, reasons=reasons).splitlines()
        if self._beyond:
            names = "\n".join(named for named, _, _ in self._beyond.told())
            told += NO_ROOM.format(what=what, most=self._room() / MB, names=names).splitlines()
        if told:
            self.stop([*told, SMALLER])

    def _room(self) -> int:
        """Bytes of the files beside the notebooks that fit into a room, by the option of grading, if it is set here."""
        return Limits(written=self.config.Engine.get("written", Limits.written // MB) * MB).handed_in

    def _look_for_room(self, submission: str) -> None:
        """Notes which files of the `submission` grading will leave out, by the rule of grading itself."""
        given = {path for _, path in files_beside_notebooks(self.release_path)}
        _, beyond = choose(submission, self._room(), given)
        self._beyond = LeftOut({"": beyond[::-1]} if beyond else {})

    def _choose(self) -> None:
        """What is handed in: what `collect` will take. UnsafeCopy if a notebook is not among it."""
        budget = Budget(limits_of(self.coursedir), files=len(OF_NBGRADER), bytes=_ADDED_BYTES)
        self._taken, self._left = select(self.src_path, budget, partial(is_ignored, self.coursedir))
        for why, paths in self._left.by_reason.items():
            for path in paths:
                if path.endswith(".ipynb") and os.sep not in path:
                    raise UnsafeCopy(WITHOUT_NOTEBOOK.format(name=path, why=why))

    def copy_files(self) -> None:
        """Copies to the exchange and to the student's cache under names that `collect` ignores, then renames both."""
        self._choose()
        inbound, cache = self.inbound_path, self.cache_path
        self._writing_to_cache = True
        os.makedirs(cache, exist_ok=True)
        with _staging(cache) as name:
            for left in glob.glob(os.path.join(glob.escape(cache), STAGED + "*")):
                self._clear(left, os.path.join(inbound, os.path.basename(left)))
            self.inbound_path, self.cache_path = os.path.join(inbound, name), os.path.join(cache, name)
            made: list[str] = []
            try:
                self._writing_to_cache = False
                os.mkdir(self.inbound_path, 0o700)
                with logged_as(self.log, self.inbound_path, inbound):
                    super().copy_files()
                self._look_for_room(os.path.join(self.inbound_path, *os.listdir(self.inbound_path)))
                for staged, final in ((self.inbound_path, inbound), (self.cache_path, cache)):
                    (submission,) = os.listdir(staged)
                    os.rename(os.path.join(staged, submission), os.path.join(final, submission))
                    made.append(os.path.join(final, submission))
            except BaseException:
                for path in made:
                    shutil.rmtree(path, ignore_errors=True)
                raise
            finally:
                shutil.rmtree(self.inbound_path, ignore_errors=True)
                self.inbound_path, self.cache_path = inbound, cache

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copies what was chosen, and records on which disk, so that a message can name the one that is full."""
        self._writing_to_cache = dest.startswith(self.cache_path + os.sep)
        os.mkdir(dest)
        for path in self._taken:  # a folder comes before what lies in it
            if os.path.isdir(os.path.join(src, path)):
                os.mkdir(os.path.join(dest, path))
            else:
                shutil.copy2(os.path.join(src, path), os.path.join(dest, path))
        if self.coursedir.groupshared:
            share_with_group(dest)

    def _clear(self, cached: str, handed_in: str) -> None:
        """Removes the folders of an attempt that was killed. One that still runs holds a lock, and stays."""
        with suppress(OSError):
            folder = os.open(cached, os.O_RDONLY)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(handed_in, ignore_errors=True)
                shutil.rmtree(cached, ignore_errors=True)
            finally:
                os.close(folder)

    def explanation(self, error: Exception) -> str:
        """What a student reads."""
        following = "Submit again. If that fails too, show this message to your instructor."
        if no_space(error):
            following = "Tell your instructor or administrator, and submit again when there is space."
            if self._writing_to_cache:
                following = "Delete files that you no longer need, then submit again."
        where = f"your own files ({self.cache_path})" if self._writing_to_cache else f"the exchange ({self.root})"
        return STOPPED.format(
            what=f"{self.coursedir.assignment_id} was NOT handed in",
            why=FULL.format(where=where) if no_space(error) else error,
            kept=f"Nothing is lost: your work is in {self.src_path}, and what you handed in before still counts.",
            next=following,
        )


@contextmanager
def _staging(folder: str) -> Iterator[str]:
    """Makes a folder in `folder` and yields its name; it is locked (flock) until the block ends, then removed."""
    name = STAGED + secrets.token_hex(8)
    path = os.path.join(folder, name)
    os.mkdir(path, 0o700)
    held = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield name
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(held)
