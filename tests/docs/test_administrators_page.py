"""docs/administrators.md as an administrator types it, on two private machines: set up, changed, saved, restored."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.docs.walk import Step, Walk, commands, lend_environment, take_changes
from tests.hub.machine import Machine
from tests.hub.real_hub import needs_a_proxy

pytestmark = pytest.mark.hub
PAGE = "docs/administrators.md"
CLONE = "/opt/course"

# Typed by nobody here, each for its reason. tests/hub starts the hub itself and tries nginx's file.
NOT_HERE = {
    "apt install git make python3-venv libseccomp2": "the machine has these",
    "systemctl enable --now coursehub": "systemd runs none of the machines that run tests",
    "systemctl restart coursehub": "the same",
    "apt install nginx-light certbot python3-certbot-nginx": "it would serve port 80 of the machine that runs tests",
    "cp deploy/hub/examples/nginx.conf /etc/nginx/sites-available/coursehub": "needs that nginx",
    "ln -s ../sites-available/coursehub /etc/nginx/sites-enabled/": "the same",
    "nginx -t && systemctl reload nginx && systemctl restart coursehub": "the same",
}


def inside(machine: Machine, *command: str) -> list[str]:
    """The command, to be run on a machine by its administrator."""
    mine = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    return machine._command(command, "root", "/", mine)


@pytest.fixture(scope="module")
def machines() -> Iterator[tuple[Machine, Machine]]:
    needs_a_proxy()
    with Machine() as first, Machine() as second:
        yield first, second


def test_the_page_from_an_empty_machine_to_a_restored_one(machines: tuple[Machine, Machine]) -> None:
    first, second = machines

    def has_its_environment(machine: Machine) -> None:
        take_changes(machine.path(CLONE), inside(machine, "git", "-C", CLONE))
        lend_environment(machine.path(CLONE))

    def accounts(machine: Machine) -> set[str]:
        return {line.split(":")[0] for line in machine.path("/etc/passwd").read_text().splitlines()}

    def nothing_was_made(*_: object) -> None:
        assert "grader-derivatives" not in accounts(first)

    def everything_was_made(*_: object) -> None:
        assert {"grader-derivatives", "coursehub", "prof", "alice", "bob"} <= accounts(first)
        assert first.path("/root/passwords.csv").stat().st_mode & 0o077 == 0
        assert first.path("/srv/coursehub/courses/derivatives/source/ps1/problems.ipynb").exists()

    def carol_comes(*_: object) -> None:
        file = first.path("/etc/coursehub/course.yaml")
        file.write_text(file.read_text().replace("[alice, bob]", "[alice, bob, carol]"))

    def the_backup_is_carried_over(*_: object) -> None:
        (saved,) = first.path("/var/backups").glob("coursehub-*.tar.gz")
        shutil.copy(saved, second.path("/root/coursehub-2026-11-25.tar.gz"))

    clone, env = f"git clone <this repository> {CLONE} && cd {CLONE}", "make env proxy"
    on_the_first = [
        Step(clone, then=lambda *_: has_its_environment(first)),
        Step(env),
        Step("mkdir -m 700 /etc/coursehub && cp deploy/hub/course.yaml /etc/coursehub/"),
        Step("deploy/hub/setup --dry-run", says=("would make: account alice",), then=nothing_was_made),
        Step("deploy/hub/setup --passwords /root/passwords.csv", ("made: account alice",), then=everything_was_made),
        Step("deploy/hub/setup", says=("made: account carol",), before=carol_comes),
        Step(f"cd {CLONE} && git pull && make env proxy && deploy/hub/setup", says=("Nothing to do",)),
        Step("deploy/hub/backup save /var/backups/coursehub-$(date +%F).tar.gz --homes"),
        Step("cp deploy/hub/examples/tls.py /etc/coursehub/overrides.d/"),
    ]
    restore = "deploy/hub/backup restore /root/coursehub-2026-11-25.tar.gz"
    on_the_second = [
        Step(clone, then=lambda *_: has_its_environment(second)),
        Step(env),
        Step(restore, before=the_backup_is_carried_over),
    ]
    typed = [c for c in commands(PAGE) if c not in NOT_HERE]
    assert typed == [step.command for step in on_the_first[:-1]] + [restore] + [on_the_first[-1].command]
    assert set(NOT_HERE) <= set(commands(PAGE))
    with Walk(inside(first, "bash", "--norc")) as walk:
        walk.take(on_the_first)
    with Walk(inside(second, "bash", "--norc")) as walk:
        walk.take(on_the_second)
    assert {"grader-derivatives", "alice", "carol"} <= accounts(second)
    assert second.path("/srv/coursehub/courses/derivatives/source/ps1/problems.ipynb").exists()
