"""A person of the hub over real HTTP and websockets, asking what the pages ask: log in, run cells, fetch, submit."""

from __future__ import annotations

import contextlib
import json
import uuid
from typing import Any
from urllib.parse import urlsplit

import requests
from websocket import WebSocket, create_connection

from tests.hub.real_hub import DEADLINE, until

COURSE = "derivatives"


class Person:
    """One browser's worth of cookies."""

    def __init__(self, address: str, name: str) -> None:
        self.address, self.name = address, name
        self.session = requests.Session()
        self.session.trust_env = False  # proxies and certificates of this machine are not the hub's
        self.server = f"{address}/user/{name}/"

    def log_in(self, password: str | None = None) -> bool:
        """Types name and password (`NAME-word` if none is given) into the login page; whether it let them in."""
        page = f"{self.address}/hub/login"
        self.session.get(page, timeout=DEADLINE)
        form = {"username": self.name, "password": password or f"{self.name}-word", "_xsrf": self._xsrf("/hub/")}
        self.session.post(page, data=form, timeout=DEADLINE, allow_redirects=False)
        return self.session.get(f"{self.address}/hub/home", timeout=DEADLINE, allow_redirects=False).status_code == 200

    def start_server(self) -> None:
        """Asks for a server, and after a while again, as people do who see none: one may still have been stopping."""
        with contextlib.suppress(AssertionError):
            self.session.get(f"{self.address}/hub/spawn", timeout=DEADLINE)
            until(self.in_lab, f"the server of {self.name}")
            return
        self.session.get(f"{self.address}/hub/spawn", timeout=DEADLINE)
        until(self.in_lab, f"the server of {self.name}")

    def in_lab(self) -> bool:
        """Opens JupyterLab; whether it is there, not the hub's page that says to wait."""
        at = self.session.get(f"{self.server}lab", timeout=DEADLINE)
        return at.status_code == 200 and urlsplit(at.url).path.startswith(f"/user/{self.name}/lab")

    def _xsrf(self, path: str) -> str:
        return next((c.value or "" for c in self.session.cookies if c.name == "_xsrf" and c.path == path), "")

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """A request of a page of one's own server."""
        headers = {"X-XSRFToken": self._xsrf(urlsplit(self.server).path), "Referer": f"{self.server}lab"}
        return self.session.request(method, self.server + path, headers=headers, timeout=DEADLINE, **options)

    def assignment(self, action: str, assignment: str = "ps1") -> Any:
        """What the buttons of the Assignment List do; returns what they are answered."""
        answer = self.ask("POST", f"assignments/{action}", json={"course_id": COURSE, "assignment_id": assignment})
        answer.raise_for_status()
        return answer.json()

    def read(self, path: str) -> Any:
        answer = self.ask("GET", f"api/contents/{path}")
        answer.raise_for_status()
        return answer.json()["content"]

    def write(self, path: str, notebook: Any) -> None:
        model = {"type": "notebook", "format": "json", "content": notebook}
        self.ask("PUT", f"api/contents/{path}", json=model).raise_for_status()

    def kernel(self, path: str = "") -> Kernel:
        answer = self.ask("POST", "api/kernels", json={"name": "python3", "path": path})
        answer.raise_for_status()
        return Kernel(self, answer.json()["id"])


class Kernel:
    """A running kernel, asked over its websocket as JupyterLab asks it."""

    def __init__(self, person: Person, id: str) -> None:
        self.person, self.id = person, id
        self.socket: WebSocket | None = None

    def connect(self) -> None:
        request = self.person.session.prepare_request(requests.Request("GET", f"{self.person.server}api/kernels"))
        cookie = request.headers.get("Cookie", "")
        url = f"ws{self.person.server.removeprefix('http')}api/kernels/{self.id}/channels"
        trusted = self.person.session.verify
        options = {"ca_certs": trusted} if isinstance(trusted, str) else {}
        self.socket = create_connection(
            url, cookie=cookie, origin=self.person.address, timeout=DEADLINE, sslopt=options
        )

    def run(self, code: str) -> list[dict[str, Any]]:
        """Runs code; what it put out, errors among it."""
        if self.socket is None:
            self.connect()
        assert self.socket
        ours = uuid.uuid4().hex
        header = {"msg_id": ours, "msg_type": "execute_request", "session": ours, "username": "", "version": "5.4"}
        content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        self.socket.send(json.dumps(message))
        outputs: list[dict[str, Any]] = []
        replied = idle = False
        while not (replied and idle):
            got = json.loads(self.socket.recv())
            if got["parent_header"].get("msg_id") != ours:
                continue
            kind = got["msg_type"]
            replied |= kind == "execute_reply"
            idle |= kind == "status" and got["content"]["execution_state"] == "idle"
            if kind in ("stream", "execute_result", "display_data", "error"):
                outputs.append({"kind": kind, **got["content"]})
        return outputs

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def text(outputs: list[dict[str, Any]]) -> str:
    """What outputs say, in one text."""
    return "".join(
        o.get("text", "") or o.get("data", {}).get("text/plain", "") or f"{o.get('ename')}: {o.get('evalue')}"
        for o in outputs
    )
