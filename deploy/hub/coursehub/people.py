"""Who may log in and to which groups they belong, as course.yaml says, whichever login service checks passwords.

The file is read again when it changes, so a new student needs no restart. A file that cannot be used changes nothing:
the last good one stays in force, and the log says what is wrong.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from traitlets import Unicode
from traitlets.config import Config
from traitlets.utils.importstring import import_item

from coursehub.settings import Settings, SettingsError, load

log = logging.getLogger("coursehub")
REFRESH_SECONDS = 30  # how soon a change of the roster reaches somebody who is logged in


class Roster:
    """The settings in force, read again when course.yaml or a roster changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._settings = load(path)
        self._seen = self._stamps()

    def _stamps(self) -> list[tuple[str, int, int] | str]:
        stamps: list[tuple[str, int, int] | str] = []
        for path in (self.path, *self._settings.rosters):
            try:
                about = path.stat()
                stamps.append((str(path), about.st_mtime_ns, about.st_ino))
            except OSError:
                stamps.append(str(path))
        return stamps

    @property
    def now(self) -> Settings:
        stamps = self._stamps()
        if stamps != self._seen:
            try:
                self._settings = load(self.path)
                log.info("Read %s again: %d people.", self.path, len(self._settings.people))
            except SettingsError as error:
                log.error("%s Until this is corrected the people stay as they were.", error)
            self._seen = self._stamps()
        return self._settings


def role_of(settings: Settings, name: str) -> str:
    """The folder of roles/ that configures a person's server."""
    groups = settings.groups_of(name)
    teaches = any(group.startswith("formgrade-") for group in groups)
    learns = any(group.startswith("nbgrader-") for group in groups)
    return "both" if teaches and learns else "instructor" if teaches else "student"


class ByRoster(Authenticator):  # type: ignore[misc]  # JupyterHub ships no types
    """Mixed into the chosen authenticator: the roster decides who is let in and what they belong to."""

    course_yaml = Unicode(help="The file that says who belongs to which course.", config=True)
    _roster: Roster | None = None

    @property
    def roster(self) -> Settings:
        if self._roster is None:
            self._roster = Roster(Path(self.course_yaml))
        return self._roster.now

    def check_allowed(self, username: str, authentication: Any = None) -> bool:
        return username in self.roster.people or username in self.admin_users

    async def get_authenticated_user(self, handler: Any, data: Any) -> Any:
        model = await super().get_authenticated_user(handler, data)
        if model is None or not self.check_allowed(model["name"]):
            return None
        # Admins and groups that a login service names are ignored.
        name = model["name"]
        return {**model, "admin": name in self.admin_users, "groups": self.roster.groups_of(name)}

    async def refresh_user(self, user: Any, handler: Any = None) -> Any:
        if not self.check_allowed(user.name):
            return False
        model = await super().refresh_user(user, handler)
        if model is True:
            model = {"name": user.name}
        return {**model, "groups": self.roster.groups_of(user.name)} if model else model


def authenticator(chosen: Any) -> type[Authenticator]:
    """The authenticator `chosen` (JupyterHub's short name, a class, or its path) with the roster mixed in."""
    if isinstance(chosen, str):
        from importlib.metadata import entry_points

        found = entry_points(group="jupyterhub.authenticators", name=chosen.lower())
        chosen = next(iter(found)).load() if found else import_item(chosen)
    return type(f"Course{chosen.__name__}", (ByRoster, chosen), {})


def configure(c: Config, settings: Settings) -> None:
    """Lets the roster decide on logins and groups; overrides choose only what checks passwords."""
    chosen = c.JupyterHub.get("authenticator_class", "pam")
    c.JupyterHub.authenticator_class = authenticator(chosen)
    c.ByRoster.course_yaml = str(settings.path)
    c.Authenticator.manage_groups = True
    c.Authenticator.manage_roles = False
    c.Authenticator.allow_all = False
    c.Authenticator.any_allow_config = True  # the roster is; without this the hub warns that nobody may log in
    c.Authenticator.auth_refresh_age = REFRESH_SECONDS
    c.Authenticator.auth_refresh_strict = True  # also for tokens: whoever is taken off the roster is logged out
