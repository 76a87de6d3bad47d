"""The changes of the set-up. Each step knows whether it is needed, so a second run changes nothing."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from coursehub.settings import BIN, HUB


@dataclass(frozen=True)
class Step:
    """One change: what it is, whether it is still needed, and how it is made."""

    words: str
    needed: Callable[[], bool]
    do: Callable[[], object]


def exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def account(name: str, home: Path | None = None, system: bool = False, made: Callable[[str], object] = str) -> Step:
    """A Linux account with a group of its own; it has no password, and so cannot log in before it is given one."""

    def make() -> None:
        command = ["useradd", "--user-group", "--shell", "/usr/sbin/nologin" if system else "/bin/bash"]
        command += ["--system", "--no-create-home"] if system else ["--create-home", "--key", "HOME_MODE=0700"]
        command += ["--home-dir", str(home)] if home else []
        subprocess.run([*command, name], check=True)
        made(name)

    return Step(f"account {name}" + (f" at {home}" if home else ""), lambda: not exists(name), make)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def folder(path: Path, mode: int, owner: str = "root") -> Step:
    """The folder `path` with exactly this mode and owner."""

    def needed() -> bool:
        if not path.is_dir():
            return True
        about = path.stat()
        right = exists(owner) and about.st_uid == pwd.getpwnam(owner).pw_uid
        return not right or _mode(path) != mode

    def make() -> None:
        path.mkdir(parents=True, exist_ok=True)
        about = pwd.getpwnam(owner)
        os.chown(path, about.pw_uid, about.pw_gid)
        path.chmod(mode)  # after the owner, which clears the set-group bit

    return Step(f"folder {path} ({owner}, {mode:04o})", needed, make)


def closed(path: Path) -> Step:
    """Closes what is at `path`, if anything is, to all but its owner."""
    return Step(
        f"close {path} to others",
        lambda: path.exists() and bool(_mode(path) & 0o077),
        lambda: path.chmod(_mode(path) & ~0o077),
    )


def closed_home(name: str) -> Step:
    """Closes the home folder of `name` to others: students could read each other's answers."""

    def home() -> Path:
        return Path(pwd.getpwnam(name).pw_dir)

    return Step(
        f"close the home folder of {name} to others",
        lambda: exists(name) and home().exists() and bool(_mode(home()) & 0o077),
        lambda: home().chmod(_mode(home()) & ~0o077),
    )


def file(path: Path, text: str, owner: str = "root", mode: int = 0o644, keep: bool = False) -> Step:
    """The file `path` with this text; with `keep`, only if there is none yet."""

    def make() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        about = pwd.getpwnam(owner)
        os.chown(path, about.pw_uid, about.pw_gid)

    return Step(f"file {path}", lambda: not path.exists() or (not keep and path.read_text() != text), make)


def copied(source: Path, target: Path, owner: str) -> Step:
    """The folder `source` copied to `target` if there is nothing yet: what instructors have changed stays."""

    def make() -> None:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__"))
        about = pwd.getpwnam(owner)
        for path in (target, *target.rglob("*")):
            os.chown(path, about.pw_uid, about.pw_gid, follow_symlinks=False)
            path.chmod(0o700 if path.is_dir() else 0o600)

    return Step(f"copy {source} to {target}", lambda: not target.exists(), make)


def run_as(name: str, command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    """`command` run as the account `name`, with its groups and nothing of root's environment."""
    about = pwd.getpwnam(name)
    as_whom: dict[str, object] = {}
    if about.pw_uid != os.geteuid():
        groups = [group.gr_gid for group in grp.getgrall() if name in group.gr_mem]
        as_whom = {"user": about.pw_uid, "group": about.pw_gid, "extra_groups": groups}
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(HUB), "HOME": about.pw_dir, "USER": name}
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command,
        env={**environment, "LANG": "C.UTF-8"},
        text=True,
        check=True,
        **{**as_whom, **options},  # type: ignore[call-overload]
    )
    return done
