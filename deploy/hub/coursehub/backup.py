"""Saves a hub in one file, while people work, and restores it onto an empty machine.

In the file are course.yaml with its rosters and overrides, the hub's state, the exchange, the courses with their
gradebooks, the people's accounts with their passwords (as the system keeps them), and with --homes their home folders.
So whoever reads the file can take every account over: keep it as you keep the machine's root password.
"""

from __future__ import annotations

import argparse
import os
import platform
import pwd
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autograder.terminal.words import shown
from coursehub import setup
from coursehub.archive import ArchiveError, manifest, written
from coursehub.settings import HUB, Settings, SettingsError, load
from coursehub.steps import exists
from coursehub.unpacking import unpack

DEFAULT = Path("/etc/coursehub/course.yaml")


def save(settings: Settings, into: Path, homes: bool) -> None:
    """Writes the archive."""
    people = sorted(settings.people)
    with written(into) as archive:
        archive.file(settings.path, "config/course.yaml")
        for roster in settings.rosters:
            archive.file(roster, f"config/{os.path.relpath(roster, settings.path.parent)}")
        overrides = settings.path.parent / "overrides.d"
        if overrides.is_dir():
            archive.tree(overrides, "config/overrides.d")
        archive.tree(settings.state, "state", "jupyterhub.sqlite")
        archive.tree(settings.exchange, "exchange")
        for course in settings.courses.values():
            archive.tree(course.folder, f"courses/{course.id}", "gradebook.db")
        for name in people if homes else []:
            if exists(name) and (home := Path(pwd.getpwnam(name).pw_dir)).is_dir():
                archive.tree(home, f"homes/{name}")
        archive.manifest(
            {
                "made": time.strftime("%Y-%m-%d %H:%M:%S %z"),
                "machine": platform.node(),
                "versions": {name: version(name) for name in ("jupyterhub", "nbgrader", "autograder")},
                "yaml": str(settings.path),
                "homes": homes,
                "accounts": [a for name in [*_graders(settings), *people] if (a := _account(name))],
            }
        )
    for words in archive.left_out:
        print(f"left out: {shown(words, 300)}")  # people choose the names of their files
    print(f"Saved {archive.entries} files and folders in {into} ({into.stat().st_size / 2**20:.0f} MB).")
    if archive.databases_left_out:
        lacking = ", ".join(archive.databases_left_out)
        sys.exit(f"Not in it: {lacking}, as said above. Look what is in that place, and run the backup again.")


def _graders(settings: Settings) -> list[str]:
    return [course.grader for course in settings.courses.values()]


def _account(name: str) -> dict[str, Any] | None:
    """An account as in /etc/passwd and /etc/shadow; None for one from LDAP, which is not made here."""
    if not any(line.startswith(f"{name}:") for line in Path("/etc/passwd").read_text().splitlines()):
        return None
    about = pwd.getpwnam(name)
    shadow = subprocess.run(["getent", "shadow", name], capture_output=True, text=True, check=False).stdout.split(":")
    word = shadow[1] if len(shadow) > 1 else "!"
    return {"name": name, "uid": about.pw_uid, "home": about.pw_dir, "shell": about.pw_shell, "password": word}


def restore(archive: Path) -> None:
    """Puts everything where it was, on a machine that has none of it, and runs the set-up."""
    about = manifest(archive)
    yaml = Path(about["yaml"])
    with tempfile.TemporaryDirectory() as folder:
        unpack(archive, {"config": Path(folder)})
        settings = load(Path(folder, "course.yaml"))
    taken = [yaml, settings.state, settings.exchange, *(course.folder for course in settings.courses.values())]
    for place in taken:
        if place.is_file() or (place.is_dir() and any(place.iterdir())):
            raise ArchiveError(f"{place} is there already. Restore onto an empty machine, or move it away first.")
    setup.check_reachable()
    for account in about["accounts"]:
        _make(account, create_home=not about["homes"] and account["name"] in settings.people)
    places = {"config": yaml.parent, "state": settings.state, "exchange": settings.exchange}
    places |= {f"courses/{course.id}": course.folder for course in settings.courses.values()}
    places |= {f"homes/{name}": Path(pwd.getpwnam(name).pw_dir) for name in settings.people if exists(name)}
    for words in unpack(archive, places):
        print(f"left out: {shown(words, 300)}")
    (settings.state / "proxy.pid").unlink(missing_ok=True)  # it names a process of the old machine
    for step in setup.all_steps(load(yaml), setup.Passwords(None)):
        if step.needed():
            print(f"made: {step.words}", flush=True)
            step.do()
    print(f"Restored what {about['machine']} was at {about['made']}. Start the hub as after a set-up.")


def _make(account: dict[str, Any], create_home: bool) -> None:
    name = account["name"]
    if not exists(name):
        taken = any(user.pw_uid == account["uid"] for user in pwd.getpwall())
        command = ["useradd", "--user-group", "--home-dir", account["home"], "--shell", account["shell"]]
        command += ["--create-home", "--key", "HOME_MODE=0700"] if create_home else ["--no-create-home"]
        subprocess.run([*command, *([] if taken else ["--uid", str(account["uid"])]), name], check=True)
    # On standard input: arguments can be seen in the list of processes.
    subprocess.run(["chpasswd", "--encrypted"], input=f"{name}:{account['password']}\n", text=True, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="backup", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="save|restore")
    saving = commands.add_parser("save", help="write everything into one file; the hub may be in use")
    saving.add_argument("file", type=Path, help="the file to write, such as /var/backups/coursehub.tar.gz")
    saving.add_argument("--course-yaml", type=Path, default=DEFAULT, metavar="FILE", help="default: %(default)s")
    saving.add_argument("--homes", action="store_true", help="people's home folders too")
    restoring = commands.add_parser("restore", help="put everything back, onto a machine that has none of it")
    restoring.add_argument("file", type=Path, help="the file that `save` wrote")
    arguments = parser.parse_args()
    try:
        if os.geteuid() != 0:
            raise ArchiveError(f"only root can read what everybody wrote: sudo {HUB / 'backup'} {arguments.command} …")
        if arguments.command == "save":
            save(load(arguments.course_yaml), arguments.file.resolve(), arguments.homes)
        else:
            restore(arguments.file.resolve())
    except (ArchiveError, SettingsError) as error:
        sys.exit(f"The backup was not {'made' if arguments.command == 'save' else 'restored'}: {error}")


if __name__ == "__main__":
    main()
