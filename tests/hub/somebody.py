"""Somebody of any course, at the pages that tests of several courses and of the demo look at."""

from __future__ import annotations

from typing import Any

import requests

from tests.hub.person import Person
from tests.hub.real_hub import DEADLINE


class Somebody(Person):
    """A session of `name` at the hub at `address`; the password is `NAME-word` unless another is given."""

    def __init__(self, address: str, name: str, password: str = "") -> None:
        super().__init__(address, name)
        self.password = password or f"{name}-word"

    def __enter__(self) -> Somebody:
        return self

    def __exit__(self, *error: object) -> None:
        self.session.close()

    def start(self) -> Somebody:
        """Logged in, with a server that answers."""
        assert self.log_in(self.password), f"{self.name} was not let in"
        self.start_server()
        return self

    def at(self, path: str) -> requests.Response:
        return self.session.get(self.address + path, timeout=DEADLINE)

    def own(self, path: str, **parameters: str) -> Any:
        """What nbgrader's part of one's own server says, as the menu's pages ask it."""
        answer = self.ask("GET", path, params=parameters)
        assert answer.ok, f"{path}: {answer.status_code}"
        return answer.json()["value"]

    def act(self, action: str, course: str) -> Any:
        """What a button of the Assignment List does: fetch, submit, fetch_feedback."""
        return self.ask("POST", f"assignments/{action}", json={"course_id": course, "assignment_id": "ps1"}).json()

    def formgrader(self, course: str) -> int:
        """The status with which a course's formgrader answers."""
        return self.at(f"/services/{course}/formgrader/api/assignments").status_code
