"""Refuses to start a hub whose overrides let people of one course into another, and says what does so."""

from __future__ import annotations

import logging
from typing import Any

from traitlets.config import Config, LazyConfigValue

from coursehub import services
from coursehub.settings import Settings, SettingsError

log = logging.getLogger("coursehub")
# JupyterHub's own roles, which every person (or every person's server) has.
EVERYBODY = ("user", "server")
# Scopes that a role in an override may give to people.
HARMLESS = ("self", "list:services", "read:hub")


def _harmless(scope: str, courses: set[str]) -> bool:
    kind, _, whose = scope.partition("!")
    if kind in HARMLESS or kind.startswith("custom:") or whose in ("user", "server"):
        return True
    return whose.startswith("service=") and whose.removeprefix("service=") not in courses


def _set(section: Config, name: str, default: Any) -> Any:
    """A value of the configuration, also where a file only adds to its default (`.append`, `.add`, `.update`)."""
    value = section.get(name, default)
    return value.get_value(default) if isinstance(value, LazyConfigValue) else value


def check(c: Config, settings: Settings) -> None:
    """SettingsError if the configuration, overrides included, lets people do more than course.yaml does."""
    courses = set(settings.courses)
    _check_roles(c, services.roles(settings), courses)
    known = {service["name"]: service for service in c.JupyterHub.services}
    for course in settings.courses.values():
        runs_as = known.get(course.id, {}).get("user", "the hub's own account")
        if course.id not in known or (not settings.demo and runs_as != course.grader):
            seen = f"runs as {runs_as}" if course.id in known else "is not among the services"
            raise _refusal(
                f"the formgrader of {course.id} {seen}",
                f"leave it at {course.grader}, and add services with c.JupyterHub.services.append(...)",
            )
    for service in known.values():
        if service.get("admin"):
            raise _refusal(f"the service {service['name']} is an admin", "give it a role with the scopes that it needs")
    if _set(c.JupyterHub, "load_groups", {}):
        raise _refusal("load_groups is set", f"leave people and groups to {settings.path}")
    if "JUPYTER_CONFIG_PATH" not in c.Spawner.environment:
        raise _refusal(
            "Spawner.environment has lost the configuration folders of the roles",
            "add to it: c.Spawner.environment.update(NAME=...)",
        )
    _check_admins(_set(c.Authenticator, "admin_users", set()), settings)


def _check_roles(c: Config, ours: list[dict[str, Any]], courses: set[str]) -> None:
    roles = {role["name"]: role for role in c.JupyterHub.load_roles}
    for role in ours:
        if roles.pop(role["name"], None) != role:
            raise _refusal(
                f"the role {role['name']} was changed or is missing",
                "add a role of another name with c.JupyterHub.load_roles.append(...)",
            )
    everybody = {"name": "user", "scopes": _set(c.JupyterHub, "extra_user_scopes", [])}
    for role in (*roles.values(), everybody):
        if role["name"] not in EVERYBODY and not role.get("users") and not role.get("groups"):
            continue
        for scope in role.get("scopes", []):
            if not _harmless(scope, courses):
                raise _refusal(
                    f"the role {role['name']} grants people {scope}",
                    "grant it to a service, or only for their own things (!user)",
                )


def _check_admins(admins: set[str], settings: Settings) -> None:
    students = {name for course in settings.courses.values() for name in course.student_names}
    if wrong := sorted(admins & students):
        raise _refusal(
            f"{wrong[0]} is an admin of the hub and a student", "give the admin an account that takes no course"
        )
    if admins:
        log.warning("Admins of the hub may enter every course and every server: %s.", ", ".join(sorted(admins)))


def _refusal(seen: str, remedy: str) -> SettingsError:
    return SettingsError(f"a file in overrides.d opens courses to others: {seen}. Instead, {remedy}.")
