"""A hub behind nginx with TLS, where people log in at a service of ours: what the examples of deploy/hub are tried on.

The login service is small and on loopback, but checks what an honest one checks; everything else is real.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.hub.machine import Machine, free_ports, needs_a_machine
from tests.hub.person import COURSE, Person
from tests.hub.real_hub import HUB, RealHub, needs_a_proxy, until

EXAMPLES = HUB / "examples"
SECRET = "s3cret"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"


class Service(ThreadingHTTPServer):
    """A login service that knows one person at a time, and checks what an honest one checks."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.person = ""
        self.asked: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, str] = {}
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.address = f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Service

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        at = urlsplit(self.path)
        if at.path == "/authorize":
            asked = {key: values[0] for key, values in parse_qs(at.query).items()}
            code = secrets.token_hex(8)
            self.server.asked[code] = asked
            self.send_response(302)
            self.send_header(
                "Location", f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
            )
            self.end_headers()
            return
        if at.path.endswith("/certs.php"):
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.server.key.public_key()))
            self._json({"keys": [{**public, "kid": "1", "use": "sig", "alg": "RS256"}]})
            return
        person = self.server.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        # A service that would like to say who is an admin, and who belongs to which course.
        claims = {"preferred_username": person, "groups": [f"formgrade-{COURSE}"], "admin": True}
        self._json(claims if person else None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = {key: values[0] for key, values in parse_qs(body).items()}
        asked = self.server.asked.pop(given.get("code", ""), {})
        proof = base64.urlsafe_b64encode(hashlib.sha256(given.get("code_verifier", "").encode()).digest())
        right = (
            given.get("client_id") == asked.get("client_id") == "coursehub"
            and given.get("client_secret") == SECRET
            and asked.get("code_challenge") == proof.decode().rstrip("=")
        )
        token = secrets.token_hex(8)
        self.server.tokens[token] = self.server.person
        self._json({"access_token": token, "token_type": "Bearer"} if right else None)

    def _json(self, value: object) -> None:
        self.send_response(200 if value else 401)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())


@dataclass
class Site:
    address: str
    certificate: Path
    service: Service
    hub: RealHub

    def person(self, name: str) -> Person:
        person = Person(self.address, name)
        person.session.verify = str(self.certificate)
        return person

    def come_in(self, name: str) -> tuple[Person, requests.Response]:
        """Presses `Sign in with …` as somebody whom the login service calls by this name."""
        self.service.person = name
        person = self.person(name)
        return person, person.session.get(f"{self.address}/hub/oauth_login", params={"next": "/hub/home"}, timeout=180)

    def follow_link(self, login: str, key: Any = None) -> tuple[Person, requests.Response]:
        """Clicks the link to the hub in an LMS, as somebody who has this login there."""
        person = self.person("")
        asked = {
            "iss": self.service.address,
            "login_hint": "17",
            "target_link_uri": f"{self.address}/hub/home",
            "client_id": "the-id-that-the-LMS-gave",
        }
        page = f"{self.address}/hub/lti13/oauth_login"
        sent = person.session.get(page, params=asked, allow_redirects=False, timeout=180).headers["Location"]
        assert sent.startswith(f"{self.service.address}/mod/lti/auth.php?")
        back = {name: values[0] for name, values in parse_qs(urlsplit(sent).query).items()}
        now = int(time.time())
        claims = {
            "iss": self.service.address,
            "aud": back["client_id"],
            "sub": "17",
            "iat": now,
            "exp": now + 600,
            "nonce": back["nonce"],
            f"{CLAIM}version": "1.3.0",
            f"{CLAIM}deployment_id": "1",
            f"{CLAIM}message_type": "LtiResourceLinkRequest",
            f"{CLAIM}resource_link": {"id": "1"},
            f"{CLAIM}target_link_uri": asked["target_link_uri"],
            f"{CLAIM}roles": [f"{CLAIM}Administrator"],
            f"{CLAIM}custom": {"login": login},
        }
        token = jwt.encode(claims, key or self.service.key, algorithm="RS256", headers={"kid": "1"})
        form = {"state": back["state"], "id_token": token}
        return person, person.session.post(back["redirect_uri"], data=form, timeout=180)


def nginx(folder: Path, port: int, plain: int, hub: str) -> Path:
    """The example, with this machine's names, ports and certificate, as nginx reads a site."""
    certificate, key = folder / "fullchain.pem", folder / "privkey.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    site = (EXAMPLES / "nginx.conf").read_text()
    for old, new in {
        "/etc/letsencrypt/live/hub.example.org": str(folder),
        "hub.example.org": "localhost",
        "[::]:": "127.0.0.2:",  # not every machine has IPv6
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "127.0.0.2:80;": f"127.0.0.2:{plain};",
        "127.0.0.2:443 ": f"127.0.0.2:{port} ",
        "http://127.0.0.1:8000": hub,
        "https://$host$request_uri": f"https://$host:{port}$request_uri",
    }.items():
        assert old in site, f"the example has no {old} any more"
        site = site.replace(old, new)
    (folder / "site.conf").write_text(site)
    whole = folder / "nginx.conf"
    places = " ".join(f"{k}_temp_path {folder}/{k};" for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    whole.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log stderr; user root;\nevents {{}}\n"
        f"http {{ access_log off; {places} include {folder}/site.conf; }}\n"
    )
    return whole


@contextmanager
def opened(folder: Path, *examples: str) -> Iterator[Site]:
    """The site with these examples in overrides.d, their names replaced by this machine's."""
    needs_a_machine()
    needs_a_proxy()
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:{sys.prefix}/nginx/usr/sbin")
    if not program or not shutil.which("openssl"):
        pytest.skip("needs nginx and openssl; `make system` brings them, or on Debian: apt install nginx-light openssl")
    service = Service()
    answering = threading.Thread(target=service.serve_forever, daemon=True)  # also if what follows fails
    answering.start()
    port, plain = free_ports(2)
    address = f"https://localhost:{port}"
    with Machine(show=[folder]) as machine:
        hub = RealHub(machine, {COURSE: {"instructors": ["prof"], "students": ["alice"]}}, folder / "hub.log")
        machine.run("usermod", "--lock", "alice")  # no password is needed
        overrides = machine.path("/etc/coursehub/overrides.d")
        overrides.mkdir(exist_ok=True)
        (overrides / "10-secret.py").write_text(f"import os\nos.environ['OAUTH_CLIENT_SECRET'] = '{SECRET}'\n")
        for example in examples:
            snippet = (EXAMPLES / example).read_text().replace("https://hub.example.org", address)
            for elsewhere in ("https://login.example.org", "https://moodle.example.org"):
                snippet = snippet.replace(elsewhere, service.address)
            (overrides / f"50-{example}").write_text(snippet)
        config = nginx(folder, port, plain, hub.address)
        machine.run(program, "-t", "-c", config)
        front = machine.popen(program, "-c", config)
        hub.start()
        made = Site(address, folder / "fullchain.pem", service, hub)
        until(lambda: front.poll() is not None or _is_up(made), "nginx in front of the hub")
        yield made
        machine.end(front)
    hub.process.wait(180)
    service.shutdown()
    service.server_close()
    answering.join()


def _is_up(site: Site) -> bool:
    try:
        with site.person("nobody").session as session:
            return session.get(f"{site.address}/hub/login", timeout=60).status_code == 200
    except requests.ConnectionError:
        return False
