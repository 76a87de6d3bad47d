"""jupyterhub_config.py follows course.yaml, grants little, and lets no override open one course to another's people."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config, PyFileConfigLoader

from coursehub.people import ByRoster, Roster, role_of
from coursehub.settings import HUB, load

COURSE_YAML = """\
hub:
  address: http://127.0.0.1:8000
folders:
  state: {folder}/state
  exchange: {folder}/exchange
  courses: {folder}/courses
limits:
  memory: 1G
  cpu: 1.5
  idle_minutes: 30
courses:
  calculus:
    port: 9101
    instructors: [prof]
    students: [alice, bob]
  algebra:
    port: 9102
    instructors: [bob]
    students: [carol]
"""
Load = Callable[..., Config]


@pytest.fixture
def course_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "course.yaml"
    path.write_text(COURSE_YAML.format(folder=tmp_path))
    monkeypatch.setenv("COURSE_YAML", str(path))
    before = os.umask(0o022)  # the configuration sets it for the hub's process
    yield path
    os.umask(before)


@pytest.fixture
def configured(course_yaml: Path) -> Load:
    """The configuration as JupyterHub reads it, with an override of this text."""

    def load_config(override: str = "") -> Config:
        folder = course_yaml.parent / "overrides.d"
        folder.mkdir(exist_ok=True)
        (folder / "50-mine.py").write_text(f"c = get_config()\n{override}\n")
        return PyFileConfigLoader(str(HUB / "jupyterhub_config.py")).load_config()

    return load_config


def scopes(c: Config) -> dict[str, list[str]]:
    return {role["name"]: role["scopes"] for role in c.JupyterHub.load_roles}


def test_nothing_has_an_admins_scope(configured: Load):
    c = configured()
    granted = [scope for held in scopes(c).values() for scope in held] + c.Spawner.server_token_scopes
    assert granted
    assert [scope for scope in granted if "admin" in scope or scope in ("tokens", "inherit", "all")] == []
    assert "api_tokens" not in c.JupyterHub
    assert not any("admin" in service or "api_token" in service for service in c.JupyterHub.services)


def test_the_formgraders_role_opens_its_own_course_only_and_its_token_opens_nothing(configured: Load):
    c = configured()
    assert scopes(c)["formgrade-calculus"] == [
        "access:services!service=calculus",
        "read:services!service=calculus",
        "list:services!service=calculus",
    ]
    holders = {service for role in c.JupyterHub.load_roles for service in role.get("services", [])}
    assert holders == {"idle-culler"}


def test_each_formgrader_runs_under_its_courses_account_in_its_courses_folder(configured: Load, tmp_path: Path):
    services = {service["name"]: service for service in configured().JupyterHub.services}
    assert [(name, s["user"], s["cwd"], s["url"]) for name, s in services.items() if "url" in s] == [
        ("calculus", "grader-calculus", f"{tmp_path}/courses/calculus", "http://127.0.0.1:9101"),
        ("algebra", "grader-algebra", f"{tmp_path}/courses/algebra", "http://127.0.0.1:9102"),
    ]
    assert all(service["oauth_no_confirm"] for service in services.values() if "url" in service)
    assert services["idle-culler"]["user"] == "coursehub"
    assert "--timeout=1800" in services["idle-culler"]["command"]


def test_the_state_folder_is_closed_and_frames_are_the_sites_own(configured: Load, tmp_path: Path):
    c = configured()
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert c.JupyterHub.db_url == f"sqlite:///{tmp_path}/state/jupyterhub.sqlite"
    assert c.JupyterHub.tornado_settings["headers"] == {"Content-Security-Policy": "frame-ancestors 'self'"}


def test_limits_are_set_and_where_nothing_enforces_them_the_log_says_so(configured: Load, caplog: Any):
    c = configured()
    assert (c.Spawner.mem_limit, c.Spawner.cpu_limit) == ("1G", 1.5)
    enforced = c.JupyterHub.spawner_class == "systemd"
    assert enforced == Path("/run/systemd/system").is_dir()
    assert ("are not enforced" in caplog.text) != enforced


MENU = {
    "student": {"assignment-list", "validate-assignment"},
    "instructor": {"create-assignment", "formgrader", "course-list", "validate-assignment"},
    "both": {"assignment-list", "create-assignment", "formgrader", "course-list", "validate-assignment"},
    "grader": {"create-assignment", "formgrader", "validate-assignment"},
}
# The parts in the server that an entry of the menu can stand on; exactly one of them must be there. An instructor's
# Formgrader leads to another server.
PARTS = {
    "assignment-list": ("nbgrader.server_extensions.assignment_list", "autograder.assignment_list"),
    "course-list": ("nbgrader.server_extensions.course_list",),
    "validate-assignment": ("nbgrader.server_extensions.validate_assignment",),
    "formgrader": ("nbgrader.server_extensions.formgrader", "coursehub.formgrader_link"),
    "create-assignment": (),
}


@pytest.mark.parametrize("role", MENU)
def test_a_role_has_its_entries_in_the_menu_and_what_they_need_in_the_server(role: str):
    folder = HUB / "roles" / role
    off = json.loads((folder / "labconfig" / "page_config.json").read_text())["disabledExtensions"]
    every = set.union(*MENU.values())
    assert {name for name in every if f"@jupyter/nbgrader:{name}" not in off} == MENU[role]
    parts = json.loads((folder / "jupyter_server_config.json").read_text())["ServerApp"]["jpserver_extensions"]
    on = {name: [part for part in of_it if parts.get(part)] for name, of_it in PARTS.items()}
    assert {name: len(found) for name, found in on.items()} == {
        name: int(name in MENU[role] and bool(of_it)) for name, of_it in PARTS.items()
    }
    assert (on["formgrader"] == ["nbgrader.server_extensions.formgrader"]) == (role == "grader")


@pytest.mark.parametrize(
    ("name", "role"), [("prof", "instructor"), ("alice", "student"), ("bob", "both"), ("mallory", "student")]
)
def test_a_persons_server_is_configured_by_their_role(configured: Load, course_yaml: Path, name: str, role: str):
    path = configured().Spawner.environment["JUPYTER_CONFIG_PATH"]

    class Spawner:
        class user:
            pass

    Spawner.user.name = name
    assert path(Spawner).split(":")[0] == str(HUB / "roles" / role)
    assert role_of(load(course_yaml), name) == role


def test_an_override_has_its_say(configured: Load):
    c = configured("c.Spawner.default_url = '/tree'\nc.JupyterHub.authenticator_class = 'dummy'")
    assert c.Spawner.default_url == "/tree"
    assert [base.__name__ for base in c.JupyterHub.authenticator_class.__bases__] == ["ByRoster", "DummyAuthenticator"]


def test_an_override_may_add_services_and_roles_that_open_no_course(configured: Load):
    c = configured(
        "c.JupyterHub.services.append({'name': 'grafana', 'url': 'http://127.0.0.1:3000'})\n"
        "c.JupyterHub.load_roles.append({'name': 'user', 'scopes': ['self', 'access:services!service=grafana']})"
    )
    assert {"grafana", "calculus"} < {service["name"] for service in c.JupyterHub.services}


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("c.JupyterHub.load_roles = []", "the role formgrade-calculus was changed or is missing. Instead, add a role"),
        ("c.JupyterHub.load_roles.append({'name': 'formgrade-calculus', 'users': ['bob']})", "the role formgrade-calculus was changed"),
        ("c.JupyterHub.load_roles.append({'name': 'x', 'users': ['bob'], 'scopes': ['access:services']})",
         "the role x grants people access:services. Instead, grant it to a service"),
        ("c.JupyterHub.load_roles.append({'name': 'user', 'scopes': ['self', 'access:services!service=algebra']})",
         "the role user grants people access:services!service=algebra."),
        ("c.JupyterHub.extra_user_scopes.append('access:servers')", "the role user grants people access:servers."),
        ("c.JupyterHub.services = []", "the formgrader of calculus is not among the services. Instead, leave it at"),
        ("c.JupyterHub.services.append({'name': 'calculus', 'user': 'root'})", "the formgrader of calculus runs as root. Instead, leave it at"),
        ("c.JupyterHub.services.append({'name': 'x', 'admin': True})", "the service x is an admin. Instead, give it a"),
        ("c.JupyterHub.load_groups = {'formgrade-calculus': {'users': ['bob']}}", "load_groups is set. Instead, leave"),
        ("c.Spawner.environment = {'A': '1'}", "Spawner.environment has lost the configuration folders of the roles."),
        ("c.Authenticator.admin_users.add('alice')", "alice is an admin of the hub and a student. Instead, give the"),
    ],
)  # fmt: skip
def test_an_override_that_opens_a_course_is_refused_by_name(configured: Load, override: str, said: str):
    with pytest.raises(SystemExit) as caught:
        configured(override)
    assert str(caught.value).startswith(
        f"The hub does not start: a file in overrides.d opens courses to others: {said}"
    )


def test_a_wrong_course_yaml_stops_the_hub_with_its_line(configured: Load, course_yaml: Path):
    course_yaml.write_text(course_yaml.read_text().replace("students: [carol]", "student: [carol]"))
    with pytest.raises(SystemExit, match=r"does not start: course.yaml line 19: unknown key `student`; did you mean"):
        configured()


class Said:
    """Who asks to log in, or is asked again."""

    def __init__(self, name: str) -> None:
        self.name = name


def authenticator(c: Config) -> ByRoster:
    made: ByRoster = c.JupyterHub.authenticator_class(config=c)
    return made


def logged_in(c: Config, name: str) -> Any:
    return asyncio.run(authenticator(c).get_authenticated_user(None, {"username": name, "password": "any"}))


EVIL = """
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.Authenticator.manage_groups = False
def hook(authenticator, handler, model):
    return {**model, "admin": True, "groups": ["formgrade-calculus", "formgrade-algebra"]}
c.Authenticator.post_auth_hook = hook
"""


def test_whatever_checks_the_password_the_roster_alone_says_who_comes_in_and_where_to(configured: Load):
    c = configured(EVIL)
    bob = logged_in(c, "bob")
    assert (bob["groups"], bob["admin"]) == (["formgrade-algebra", "nbgrader-calculus"], False)
    assert logged_in(c, "mallory") is None
    assert authenticator(c).manage_groups


def test_a_changed_roster_counts_without_a_restart(configured: Load, course_yaml: Path):
    asked = authenticator(configured("c.JupyterHub.authenticator_class = 'dummy'"))
    assert asyncio.run(asked.refresh_user(Said("dave"))) is False
    course_yaml.write_text(course_yaml.read_text().replace("[carol]", "[dave]"))
    assert asyncio.run(asked.refresh_user(Said("dave"))) == {"name": "dave", "groups": ["nbgrader-algebra"]}
    assert asyncio.run(asked.refresh_user(Said("carol"))) is False
    assert 0 < asked.auth_refresh_age <= 60
    assert asked.auth_refresh_strict


def test_a_broken_edit_is_logged_and_changes_nobody(course_yaml: Path, caplog: Any):
    roster = Roster(course_yaml)
    good = course_yaml.read_text()
    course_yaml.write_text(good.replace("[carol]", "[carol"))
    assert "carol" in roster.now.people
    assert "course.yaml line 20: this is not YAML" in caplog.text
    course_yaml.write_text(good.replace("[carol]", "[carol, erin]"))
    assert "erin" in roster.now.people
