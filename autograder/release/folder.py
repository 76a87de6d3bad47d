"""Updates a released folder to what the source gives. The old version of each file stays in git or in another folder.

Files with the same content are not touched. Notebooks are compared as JSON values, so layout does not matter.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass
class Changes:
    """The files of one release that were added, changed or removed; `aside` is the folder that keeps old versions."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    aside: Path | None = None

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone)


def replace(made: Path, there: Path, complete: bool = True) -> Changes:
    """Makes the folder `there` equal to `made`; if `made` is not the `complete` release, other files in `there` stay.

    Old versions are copied to the folder `Changes.aside`, unless they are committed in git.
    """
    before, after = _files(there), _files(made)
    if not complete:
        before = {name for name in before if name in after or _in_the_way(name, after)}
    changes = Changes(new=sorted(after - before), gone=sorted(before - after))
    changes.changed = sorted(name for name in before & after if not same(made / name, there / name))
    losing = [name for name in changes.changed + changes.gone if not _in_git(there / name)]
    if losing:
        changes.aside = _aside(there)
        for name in losing:
            _copy(there / name, changes.aside / name)
    for name in changes.gone:  # first, because a new folder may have the name of an old file, or the reverse
        (there / name).unlink()
        _remove_empty((there / name).parent, there)
    for name in changes.new + changes.changed:
        if (there / name).is_dir() and not (there / name).is_symlink():  # it holds ignored files only, as checkpoints
            changes.aside = changes.aside or _aside(there)
            shutil.copytree(there / name, changes.aside / name, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(there / name)
        _copy(made / name, there / name)
    return changes


def _in_the_way(name: str, names: Iterable[str]) -> bool:
    """Whether one of `names` needs a folder where the file `name` is, or a file where its folder is."""
    return any(other.startswith(name + os.sep) or name.startswith(other + os.sep) for other in names)


def same(one: Path, other: Path) -> bool:
    """Whether two files have the same content, as bytes or, for notebooks, as JSON values."""
    first, second = one.read_bytes(), other.read_bytes()
    if first == second:
        return True
    if one.suffix != ".ipynb":
        return False
    try:
        return bool(json.loads(first) == json.loads(second))
    except ValueError:
        return False


def _files(folder: Path) -> set[str]:
    """The relative paths of all files in a folder, without git's, and without checkpoints and caches."""
    found = set()
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in (".git", ".ipynb_checkpoints", "__pycache__")]
        found |= {os.path.relpath(os.path.join(here, name), folder) for name in files}
    return found


def _copy(source: Path, into: Path) -> None:
    """Copies in one step, so that a reader never sees half a file."""
    into.parent.mkdir(parents=True, exist_ok=True)
    beside = into.with_name(f".{into.name}.new")
    shutil.copy(source, beside)
    beside.replace(into)


def _aside(there: Path) -> Path:
    stamp = f"{datetime.now():%Y-%m-%d-%H%M%S}"
    aside = there.with_name(f"{there.name}.before-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = there.with_name(f"{there.name}.before-{stamp}-{number}")
    return aside


def _in_git(file: Path) -> bool:
    """Whether the file's present version is committed in git, so that it can be replaced without a copy."""
    git = ["git", "-C", str(file.parent)]
    try:
        known = subprocess.run([*git, "ls-files", "--error-unmatch", "--", file.name], capture_output=True, check=False)
        if known.returncode:
            return False
        unchanged = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", file.name], capture_output=True, check=False)
    except OSError:
        return False  # no git here
    return unchanged.returncode == 0


def _remove_empty(folder: Path, top: Path) -> None:
    while folder != top and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
