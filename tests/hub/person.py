"""Somebody at the hub, over plain HTTP: logs in, starts a server, and asks it what the menu's pages ask."""

from __future__ import annotations

import re
from typing import Any

import requests

from tests.hub.real_hub import DEADLINE, until


class Person(requests.Session):
    """A session of `name` at the hub at `address`; the password is `NAME-word` unless another is given."""

    def __init__(self, address: str, name: str, password: str = "") -> None:
        super().__init__()
        self.trust_env = False  # no proxy of the environment between us and the loopback
        self.address, self.name, self.password = address, name, password or f"{name}-word"

    def at(self, path: str, **options: Any) -> requests.Response:
        return self.get(self.address + path, timeout=DEADLINE, **options)

    def log_in(self, password: str = "") -> requests.Response:
        form = re.search(r'name="_xsrf" value="([^"]+)"', self.at("/hub/login").text)
        assert form, "no form on the login page"
        fields = {"username": self.name, "password": password or self.password, "_xsrf": form.group(1)}
        return self.post(f"{self.address}/hub/login?next=/hub/home", data=fields, timeout=DEADLINE)

    def start(self) -> Person:
        """Logged in, with a server that answers."""
        assert self.log_in().url.endswith("/hub/home")
        self.at("/hub/spawn")
        lab = f"/user/{self.name}/lab"
        until(lambda: lab in self.at(lab).url, f"{self.name}'s server")  # until then the hub shows a page of its own
        return self

    def own(self, path: str, **parameters: str) -> Any:
        """What nbgrader's part of one's own server says, as the menu's pages ask it."""
        answer = self.at(f"/user/{self.name}/{path}", params=parameters)
        assert answer.ok, f"{path}: {answer.status_code}"
        return answer.json()["value"]

    def act(self, action: str, course: str, assignment: str = "ps1") -> dict[str, Any]:
        """What a button of the Assignment List does: fetch, submit, fetch_feedback."""
        said = self.post(
            f"{self.address}/user/{self.name}/assignments/{action}",
            json={"course_id": course, "assignment_id": assignment},
            headers={"X-XSRFToken": str(self.cookies.get("_xsrf", path=f"/user/{self.name}/"))},
            timeout=DEADLINE,
        )
        return dict(said.json())

    def formgrader(self, course: str) -> int:
        """The status with which a course's formgrader answers."""
        return self.at(f"/services/{course}/formgrader/api/assignments").status_code
