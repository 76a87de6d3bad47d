"""The hub's services and what each may do: for each course a formgrader under its account, and the idle culler.

No service has an admin's rights. A formgrader's own token has none at all: it acts with the token of whoever visits it.
"""

from __future__ import annotations

import sys
from typing import Any

from traitlets.config import Config

from coursehub import spawning
from coursehub.settings import HUB_ACCOUNT, Course, Settings

CULLER = "idle-culler"


def _formgrader(settings: Settings, course: Course) -> dict[str, Any]:
    service = {
        "name": course.id,  # nbgrader looks its formgrader up under the course's id
        "display": True,
        "url": f"http://127.0.0.1:{course.port}",
        "oauth_no_confirm": True,  # otherwise everybody sees a page that asks for consent
        "command": [spawning.SINGLEUSER, *spawning.as_root(settings)],
        "cwd": str(course.folder),
        "environment": {
            **spawning.environment(settings),
            "JUPYTER_CONFIG_PATH": spawning.config_path("grader"),
            "JUPYTERHUB_DEFAULT_URL": "/lab",
            "HOME": str(course.folder),
        },
    }
    return service if settings.demo else {**service, "user": course.grader}


def _culler(settings: Settings) -> dict[str, Any]:
    timeout = settings.idle_minutes * 60
    command = [
        sys.executable,
        "-m",
        "jupyterhub_idle_culler",
        f"--timeout={timeout}",
        f"--cull-every={min(timeout, 300)}",
    ]
    service = {"name": CULLER, "command": command, "cwd": "/"}
    return service if settings.demo else {**service, "user": HUB_ACCOUNT}


def roles(settings: Settings) -> list[dict[str, Any]]:
    """The roles beside JupyterHub's own role `user`, which lets people use their own server."""
    return [
        *(
            {
                "name": f"formgrade-{course.id}",
                "description": f"open the formgrader of {course.id}, and find it in the Course List",
                "groups": [f"formgrade-{course.id}"],
                "scopes": [
                    f"access:services!service={course.id}",
                    f"read:services!service={course.id}",
                    f"list:services!service={course.id}",  # else the Course List fails
                ],
            }
            for course in settings.courses.values()
        ),
        {
            "name": CULLER,
            "description": "stop servers that nobody uses",
            "services": [CULLER],
            "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        },
    ]


# What the token of a person's own server may do, if the person may: nbgrader asks for the courses of its user, the
# Course List for the formgraders.
SERVER_SCOPES = [
    "users:activity!user",
    "access:servers!server",
    "read:users:name!user",
    "read:users:groups!user",
    "list:services",
    "read:services",
    "access:services",
]


def configure(c: Config, settings: Settings) -> None:
    c.JupyterHub.services = [*(_formgrader(settings, one) for one in settings.courses.values()), _culler(settings)]
    c.JupyterHub.load_roles = roles(settings)
    c.Spawner.server_token_scopes = SERVER_SCOPES
