"""What a student tries from a terminal on the hub: files, other people's work, the hub's API. Each must be refused."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

from tests.conftest import ROOT
from tests.hub.real_hub import COURSES, EXCHANGE, STATE, RealHub

# Each exists, and is nobody's but its owner's.
FILES = [
    STATE,
    STATE / "jupyterhub.sqlite",
    STATE / "cookie_secret",
    COURSES / "derivatives",
    COURSES / "derivatives" / "gradebook.db",
    COURSES / "derivatives" / "source" / "ps1" / "problems.ipynb",
    COURSES / "derivatives" / "submitted" / "ada" / "ps1" / "problems.ipynb",
    COURSES / "derivatives" / "feedback" / "ada" / "ps1" / "problems.html",
    COURSES / "algebra" / "source" / "ps1" / "problems.ipynb",
    EXCHANGE / "derivatives" / "inbound",
    EXCHANGE / "derivatives" / "feedback",
    EXCHANGE / "algebra" / "inbound",
    Path("/home/ada"),
    Path("/home/ada/derivatives/ps1/problems.ipynb"),
    Path("/etc/coursehub/course.yaml"),
    ROOT / "source" / "ps1" / "problems.ipynb",
    ROOT / "tests" / "sample_class" / "ada.py",
]
PAGES = [
    "/services/derivatives/formgrader",
    "/services/derivatives/formgrader/gradebook/ps1",
    "/services/derivatives/lab",
    "/services/derivatives/files/gradebook.db",
    "/services/derivatives/files/source/ps1/problems.ipynb",
    "/services/derivatives/api/contents/submitted/ada/ps1/problems.ipynb",
    "/services/algebra/formgrader",
    "/services/algebra/api/contents",
    "/user/ada/lab",
    "/user/ada/files/derivatives/ps1/problems.ipynb",
    "/user/ada/api/contents/derivatives/ps1/feedback",
    "/hub/admin",
    "/hub/api/users",
    "/hub/api/users/ada",
    "/hub/api/groups",
    "/hub/api/proxy",
]
# Where words of others would be found, if they could be read.
EVERYWHERE = [
    str(ROOT),
    "/home",
    "/srv",
    "/var/lib",
    "/var/log",
    "/var/spool",
    "/var/tmp",
    "/etc",
    "/run",
    "/tmp",
    "/dev/shm",
]


def environment(hub: RealHub, name: str) -> dict[str, str]:
    """The environment of somebody's server, which each of their terminals and kernels has too."""
    pid = hub.machine.run("pgrep", "-o", "-u", name, "-f", "jupyterhub-singleuser").stdout.strip()
    lines = hub.machine.run("cat", f"/proc/{pid}/environ", user=name).stdout.split("\0")
    return dict(line.split("=", 1) for line in lines if "=" in line)


def readable(hub: RealHub, name: str, path: Path) -> bool:
    """Whether that user can list the folder, or read the file."""
    command = ["ls", path] if hub.machine.path(path).is_dir() else ["cat", path]
    return hub.machine.run(*command, user=name, check=False).returncode == 0


def finds(hub: RealHub, name: str, words: list[str]) -> list[str]:
    """The files that hold one of `words`, of all that this user can read and the hub writes to."""
    patterns = [f"--regexp={word}" for word in words]
    command = ["grep", "-rlsF", "--devices=skip", "--exclude-dir=.venv", *patterns, *EVERYWHERE]
    found = hub.machine.run(*command, user=name, check=False).stdout
    return found.splitlines()


def status(address: str, token: str) -> int:
    """What an address answers to somebody's token."""
    request = urllib.request.Request(address, headers={"Authorization": f"token {token}"})
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
