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

from coursehub import gradebook, steps
from coursehub.services import HUB_ACCOUNT
from coursehub.settings import HUB, Course, Settings, SettingsError, load
from coursehub.spawning import BIN, has_systemd
from coursehub.steps import Step

CLONE = HUB.parent.parent
# What a student must not read of the clone: the hidden tests, also in tests that quote them and in Git's history.
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


def course_config(settings: Settings, course: Course) -> str:
    return f'''"""The nbgrader configuration of {course.id}: the course package's, in this folder. Yours to extend."""

c = get_config()  # noqa: F821
load_subconfig("{CLONE / "nbgrader_config.py"}")  # noqa: F821

c.CourseDirectory.course_id = "{course.id}"
c.CourseDirectory.root = "{course.folder}"
c.Exchange.root = "{settings.exchange}"
'''


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


def course_steps(settings: Settings, course: Course) -> Iterator[Step]:
    owner, exchange = course.grader, settings.exchange / course.id
    yield steps.account(owner, home=course.folder)
    yield steps.folder(course.folder, 0o700, owner)
    yield steps.copied(course.source or CLONE / "source", course.folder / "source", owner)
    yield steps.file(course.folder / "nbgrader_config.py", course_config(settings, course), owner, 0o600, keep=True)
    # nbgrader's own modes. Sticky besides: in folders that all may write to, nobody moves away what is another's.
    yield steps.folder(exchange, 0o755, owner)
    yield steps.folder(exchange / "inbound", 0o3733, owner)
    yield steps.folder(exchange / "outbound", 0o755, owner)
    yield steps.folder(exchange / "feedback", 0o711, owner)
    database = course.folder / "gradebook.db"

    def enter() -> None:
        students = gradebook.missing(database, course.students)
        command = ["env", f"PYTHONPATH={HUB}", f"PATH={BIN}:{os.environ['PATH']}"]
        command += [sys.executable, "-m", "coursehub.gradebook"]
        steps.run_as(owner, command, input=gradebook.as_lines(students))

    yield Step(
        f"students of {course.id} in {database}", lambda: bool(gradebook.missing(database, course.students)), enter
    )


def all_steps(settings: Settings, passwords: Passwords) -> Iterator[Step]:
    yield steps.account(HUB_ACCOUNT, home=Path("/nonexistent"), system=True)
    yield steps.folder(settings.state, 0o700)
    yield steps.folder(settings.courses_folder, 0o755)
    yield steps.folder(settings.exchange, 0o1777)
    for course in settings.courses.values():
        yield from course_steps(settings, course)
    for name in sorted(settings.people):
        yield steps.account(name, made=passwords.give)
        yield steps.closed_home(name)
    for name in SECRET:
        yield steps.closed(CLONE / name)
    yield steps.closed(settings.path)
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
            print(("would make: " if arguments.dry_run else "made: ") + step.words, flush=True)
            if not arguments.dry_run:
                step.do()
    if not changes:
        print(f"Nothing to do: everything is as {settings.path} says.")
    elif not arguments.dry_run:
        print(f"{changes} changes made.")
        _what_next(settings, arguments.passwords)


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
