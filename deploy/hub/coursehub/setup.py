"""Makes a machine as course.yaml says: accounts, folders and permissions, and the hub's unit for systemd.

Safe to run again, and to be run again after every change of course.yaml or a roster: what is right stays as it is.
Nothing is ever removed: who has left the roster may no longer log in, and the account with its work stays.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from coursehub import steps
from coursehub.course_files import course_steps
from coursehub.settings import BIN, CLONE, HUB, HUB_ACCOUNT, Settings, SettingsError, load
from coursehub.spawning import has_systemd
from coursehub.steps import Step

# Folders of the clone that students must not read: the hidden tests are in them, quoted by tests or in Git's history.
SECRET = (".git", "source", "tests", "tools", "demo", "demo-hub", "autograded", "submitted", "gradebook.db")
UNIT = Path("/etc/systemd/system/coursehub.service")


class Passwords:
    """First passwords of new accounts, kept in a file that only root reads."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def give(self, name: str) -> None:
        if self.path is None:
            return
        password = secrets.token_urlsafe(9)
        with open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
            file.write(f"{name},{password}\n")
        subprocess.run(["chpasswd"], input=f"{name}:{password}\n", text=True, check=True)


def check_reachable() -> None:
    """SettingsError if other accounts could not run what is installed here."""
    for path in (HUB, BIN, Path(sys.base_prefix)):
        for parent in reversed((path.resolve(), *path.resolve().parents)):
            if not parent.stat().st_mode & 0o001:
                raise SettingsError(
                    f"{parent} is closed to other accounts ({parent.stat().st_mode & 0o777:04o}), and people's servers "
                    f"need {path}. Put the clone somewhere open, such as /opt/course, with a Python that is not in a "
                    "home folder, and run `make env proxy` there."
                )


def unit(settings: Settings) -> str:
    return f"""# Written by {HUB / "setup"}; change it with `systemctl edit coursehub`.
[Unit]
Description=JupyterHub of the courses in {settings.path}
After=network-online.target
Wants=network-online.target

[Service]
Environment=COURSE_YAML={settings.path}
Environment=PATH={BIN}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
WorkingDirectory={settings.state}
ExecStart={BIN / "jupyterhub"} --config {HUB / "jupyterhub_config.py"}
Restart=on-failure
UMask=0077

[Install]
WantedBy=multi-user.target
"""


def all_steps(settings: Settings, passwords: Passwords) -> Iterator[Step]:
    yield steps.account(HUB_ACCOUNT, home=Path("/nonexistent"), system=True)
    yield steps.folder(settings.state, 0o700)
    yield steps.folder(settings.courses_folder, 0o755)
    # nbgrader would have it writable for all; autograder.exchange does without, or anybody could lay a link in it.
    yield steps.folder(settings.exchange, 0o755)
    for course in settings.courses.values():
        yield steps.account(course.grader, home=course.folder)
        yield from course_steps(settings, course, owner=course.grader)
    for name in sorted(settings.people):
        yield steps.account(name, made=passwords.give)
        yield steps.closed_home(name)
    for name in SECRET:
        yield steps.closed(CLONE / name)
    yield steps.closed(settings.path)
    yield steps.folder(settings.path.parent / "overrides.d", 0o700)
    for roster in settings.rosters:
        yield steps.closed(roster)
    yield steps.file(UNIT, unit(settings))


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="setup", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=Path("/etc/coursehub/course.yaml"),
        help="course.yaml (default: %(default)s)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument(
        "--passwords",
        type=Path,
        metavar="FILE",
        help="give new accounts random passwords and add them to FILE (username,password; mode 0600); "
        "without it they have none until you set one with `passwd`",
    )
    arguments = parser.parse_args()
    try:
        settings = load(arguments.file)
        if settings.demo:
            raise SettingsError("`accounts: demo` is for `make hub`; a real machine has `accounts: pam`.")
        if os.geteuid() != 0 and not arguments.dry_run:
            raise SettingsError(f"accounts can only be made by root: sudo {HUB / 'setup'} {arguments.file}")
        check_reachable()
    except SettingsError as error:
        sys.exit(f"Nothing was changed: {error}")
    changes = 0
    for step in all_steps(settings, Passwords(arguments.passwords)):
        if step.needed():
            changes += 1
            if not arguments.dry_run:
                _do(step)
            print(("would make: " if arguments.dry_run else "made: ") + step.words, flush=True)
    if not changes:
        print(f"Nothing to do: everything is as {settings.path} says.")
    elif not arguments.dry_run:
        print(f"{changes} changes made.")
        _what_next(settings, arguments.passwords)


def _do(step: Step) -> None:
    try:
        step.do()
    except (subprocess.CalledProcessError, OSError) as error:
        sys.exit(f"failed: {step.words}: {error}. What was made stays; correct this and run the same command again.")


def _what_next(settings: Settings, passwords: Path | None) -> None:
    if passwords is None:
        print("New accounts have no password yet: `passwd NAME` sets one.")
    if has_systemd():
        subprocess.run(["systemctl", "daemon-reload"], check=True)
        print("Start the hub: systemctl enable --now coursehub")
    else:
        print(
            f"No systemd here. Start the hub: COURSE_YAML={settings.path} {BIN / 'jupyterhub'} --config "
            f"{HUB / 'jupyterhub_config.py'}"
        )


if __name__ == "__main__":
    main()
