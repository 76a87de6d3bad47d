"""A server that nobody uses is stopped, by a service that may do little else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.machine import Machine
from tests.hub.real_hub import DEADLINE, HUB, RealHub, needs_a_proxy, until
from tests.hub.somebody import Somebody

pytestmark = pytest.mark.hub
SOONER = f"""
load_subconfig({str(HUB / "jupyterhub_config.py")!r})
(command,) = [service["command"] for service in c.JupyterHub.services if service["name"] == "idle-culler"]
for minute, seconds in (("--timeout=60", "--timeout=20"), ("--cull-every=60", "--cull-every=3")):
    command[command.index(minute)] = seconds
"""
"""The hub's configuration, with the same culler sooner: the shortest time that course.yaml can say is a minute."""


@pytest.fixture
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    needs_a_proxy()
    courses = {"calculus": {"instructors": ["prof"], "students": ["alice"]}}
    with Machine() as machine:
        hub = RealHub(machine, courses, tmp_path_factory.mktemp("hub") / "hub.log")
        file = machine.path(hub.yaml)
        file.write_text(file.read_text() + "limits: { idle_minutes: 1 }\n")
        sooner = Path("/etc/coursehub/sooner.py")
        machine.path(sooner).write_text(SOONER)
        hub.start(sooner)
        yield hub
    hub.process.wait(DEADLINE)


def test_a_server_that_nobody_uses_is_stopped_and_starts_again_when_asked(hub: RealHub):
    with Somebody(hub.address, "alice") as alice:
        alice.start()
        until(lambda: "Culling server alice" in hub.log.read_text(), "the culler", 3 * DEADLINE)
        until(lambda: "User alice server took" in hub.log.read_text(), "the end of the server")
        assert not alice.in_lab()
        alice.start_server()
        assert alice.in_lab()
