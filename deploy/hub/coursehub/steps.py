"""The changes of the set-up. Each step knows whether it is needed, so a second run changes nothing."""

from __future__ import annotations

import grp
import os
import pwd
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from coursehub import no_links
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
        try:
            about = no_links.known(path)
        except no_links.LinkRefusedError:
            return True  # and `make` says why not
        right = about and exists(owner) and about.st_uid == pwd.getpwnam(owner).pw_uid
        return not right or stat.S_IMODE(about.st_mode) != mode  # type: ignore[union-attr]

    def make() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        about = pwd.getpwnam(owner)
        with no_links.parent(path) as at:
            no_links.made(at, path.name)
        with no_links.folder(path) as number:
            whose = os.fstat(number).st_uid
            if whose not in (0, about.pw_uid):
                raise PermissionError(
                    f"{path} is there and belongs to {_name(whose)}: move it away, or give it to {owner}"
                )
            no_links.own(number, about.pw_uid, about.pw_gid, mode)

    return Step(f"folder {path} ({owner}, {mode:04o})", needed, make)


def _name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"an account that is gone ({number})"


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
        with no_links.parent(path) as at:
            _write(at, path.name, text.encode(), pwd.getpwnam(owner), mode)

    def needed() -> bool:
        return not os.path.lexists(path) or (not keep and path.read_text() != text)

    return Step(f"file {path}", needed, make)


def copied(source: Path, target: Path, owner: str) -> Step:
    """The folder `source` copied to `target` if there is nothing yet: what instructors have changed stays."""

    def make() -> None:
        with no_links.parent(target) as at:
            _copy(source, at, target.name, pwd.getpwnam(owner))

    return Step(f"copy {source} to {target}", lambda: not os.path.lexists(target), make)


def _copy(source: Path, at: int, name: str, owner: pwd.struct_passwd) -> None:
    os.mkdir(name, 0o700, dir_fd=at)
    with no_links.inner(at, name) as here:
        for path in sorted(source.iterdir()):
            if path.is_dir() and path.name not in (".ipynb_checkpoints", "__pycache__"):
                _copy(path, here, path.name, owner)
            elif path.is_file():
                _write(here, path.name, path.read_bytes(), owner, 0o600)
        no_links.own(here, owner.pw_uid, owner.pw_gid, 0o700)


def _write(at: int, name: str, data: bytes, owner: pwd.struct_passwd, mode: int) -> None:
    with no_links.new_file(at, name) as file:
        file.write(data)
        file.flush()
        no_links.own(file.fileno(), owner.pw_uid, owner.pw_gid, mode)


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
