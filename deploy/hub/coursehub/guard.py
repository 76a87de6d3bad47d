"""What no override may lose: the isolation between courses. The hub refuses to start without it, and says why."""

from __future__ import annotations

from typing import Any

from traitlets.config import Config

from coursehub import services
from coursehub.settings import Settings, SettingsError

# A scope that lets its holder into more than their own things.
WIDE = ("admin", "access:services", "access:servers", "tokens", "groups", "users", "servers", "proxy", "shares")


def _grants(role: dict[str, Any]) -> list[str]:
    scopes = [str(scope) for scope in role.get("scopes", [])]
    return [scope for scope in scopes if scope.startswith(WIDE) and "!user" not in scope and "!server" not in scope]


def check(c: Config, settings: Settings) -> None:
    """SettingsError if the configuration, overrides included, grants more than course.yaml does."""
    ours = {role["name"]: role for role in services.roles(settings)}
    courses = set(settings.courses)
    roles = {role["name"]: role for role in c.JupyterHub.load_roles}
    for name, role in ours.items():
        if roles.get(name) != role:
            raise _refusal(f"the role `{name}` was changed or is missing", "give your own role another name")
    for name in roles.keys() - ours.keys():
        role = roles[name]
        for scope in _grants(role):
            if role.get("users") or role.get("groups") or name in ("user", "server"):
                raise _refusal(f"the role `{name}` grants people `{scope}`", "grant it to a service, or narrow it")
    known = {service["name"]: service for service in c.JupyterHub.services}
    for course in settings.courses.values():
        if course.id not in known or (not settings.demo and known[course.id].get("user") != course.grader):
            raise _refusal(f"the formgrader of `{course.id}` does not run as {course.grader}", "append to the services")
    for service in known.values():
        if service.get("admin"):
            raise _refusal(f"the service `{service['name']}` is an admin", "give it a role with the scopes it needs")
    if c.JupyterHub.get("load_groups"):
        raise _refusal("`load_groups` is set", f"people and groups of {', '.join(sorted(courses))} are course.yaml's")


def _refusal(seen: str, remedy: str) -> SettingsError:
    return SettingsError(f"an override in overrides.d opens one course to another's people: {seen}. Instead, {remedy}.")
