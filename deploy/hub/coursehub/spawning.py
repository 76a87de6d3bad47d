"""How a person's server is started: the program, its configuration folders, its limits."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from traitlets.config import Config

from coursehub.people import Roster, role_of
from coursehub.settings import BIN, HUB, Settings

log = logging.getLogger("coursehub")
SINGLEUSER = str(BIN / "jupyterhub-singleuser")


def config_path(role: str) -> str:
    """JUPYTER_CONFIG_PATH for a role: its own folder before those that it shares."""
    shared = ["common"] if role == "grader" else ["people", "common"]
    return os.pathsep.join(str(HUB / "roles" / name) for name in (role, *shared))


def environment(settings: Settings) -> dict[str, Any]:
    """The environment of every server."""
    return {
        "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",  # nbgrader calls `alembic` from PATH
        "NBGRADER_EXCHANGE": str(settings.exchange),
        "OMP_NUM_THREADS": "1",  # otherwise torch uses every processor in every kernel of the class
        **({"COURSEHUB_DEMO": "1"} if settings.demo else {}),
    }


def as_root(settings: Settings) -> list[str]:
    """The option without which a server does not run as root, as it does if root tries the demo."""
    return ["--allow-root"] if settings.demo and os.geteuid() == 0 else []


def has_systemd() -> bool:
    """Whether systemd runs this machine (as sd_booted(3) finds out)."""
    return Path("/run/systemd/system").is_dir()


def configure(c: Config, settings: Settings) -> None:
    roster = Roster(settings.path)
    if settings.demo:
        c.JupyterHub.spawner_class = "simple"
        c.SimpleLocalProcessSpawner.home_dir_template = str(settings.state / "home" / "{username}")
        c.Spawner.args = as_root(settings)
    elif has_systemd():
        c.JupyterHub.spawner_class = "systemd"
        c.SystemdSpawner.default_shell = "/bin/bash"
        c.SystemdSpawner.isolate_tmp = True
        c.SystemdSpawner.disable_user_sudo = True
        c.SystemdSpawner.unit_name_template = "coursehub-{USERNAME}"
    else:
        c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
    if c.JupyterHub.spawner_class != "systemd" and (settings.memory or settings.cpu):
        log.warning("No systemd here: the limits of memory and processors in %s are not enforced.", settings.path.name)
    c.Spawner.cmd = [SINGLEUSER]
    c.Spawner.default_url = "/lab"
    c.Spawner.environment = {
        **environment(settings),
        "JUPYTER_CONFIG_PATH": lambda spawner: config_path(role_of(roster.now, spawner.user.name)),
    }
    c.Spawner.mem_limit = settings.memory
    c.Spawner.cpu_limit = settings.cpu
    c.Spawner.start_timeout = 180  # a whole class may load torch and JupyterLab from a cold disk at once
    c.Spawner.http_timeout = 180
