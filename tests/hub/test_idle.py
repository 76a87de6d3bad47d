"""A server that nobody uses is stopped, by a service that may do little else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hub.machine import Machine
from tests.hub.real_hub import DEADLINE, RealHub, needs_a_proxy, until
from tests.hub.somebody import Somebody

pytestmark = pytest.mark.hub


@pytest.fixture
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    needs_a_proxy()
    courses = {"calculus": {"instructors": ["prof"], "students": ["alice"]}}
    with Machine() as machine:
        hub = RealHub(machine, courses, tmp_path_factory.mktemp("hub") / "hub.log")
        file = machine.path(hub.yaml)
        file.write_text(file.read_text() + "limits: { idle_minutes: 1 }\n")
        hub.start()
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
