"""The snippets of deploy/hub/examples: each loads into the real configuration, and people come in through two of them.

The login service is a small one of ours on loopback, nginx is Debian's, everything between them is real.
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
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from traitlets.config import Config, PyFileConfigLoader

from coursehub.people import ByRoster
from tests.hub.machine import Machine, free_ports, needs_a_machine
from tests.hub.person import COURSE, Person, text
from tests.hub.real_hub import HUB, RealHub, needs_a_proxy, until

EXAMPLES = HUB / "examples"
COURSE_YAML = """\
hub: {{address: "http://127.0.0.1:8000"}}
folders: {{state: {0}/state, exchange: {0}/exchange, courses: {0}/courses}}
courses: {{derivatives: {{port: 9101, instructors: [prof], students: [alice]}}}}
"""
SECRET = "s3cret"


@pytest.fixture
def loaded(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Config]:
    """The real configuration with one of the examples in overrides.d."""
    (tmp_path / "course.yaml").write_text(COURSE_YAML.format(tmp_path))
    (tmp_path / "overrides.d").mkdir()
    shutil.copy(EXAMPLES / request.param, tmp_path / "overrides.d")
    monkeypatch.setenv("COURSE_YAML", str(tmp_path / "course.yaml"))
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", SECRET)
    before = os.umask(0o022)
    yield PyFileConfigLoader(str(HUB / "jupyterhub_config.py")).load_config()
    os.umask(before)


@pytest.mark.parametrize(
    ("loaded", "name"),
    [("oauth.py", "GenericOAuthenticator"), ("lti13.py", "LTI13Authenticator")],
    indirect=["loaded"],
)
def test_a_login_service_is_configured_by_its_example_and_the_roster_stays_in_charge(loaded: Config, name: str) -> None:
    kind = loaded.JupyterHub.authenticator_class
    assert [c.__name__ for c in kind.__mro__[1:3]] == ["ByRoster", name]
    assert [key for key in loaded[name] if not kind.class_traits(config=True).get(key)] == [], "no such options"
    made = kind(config=loaded)
    assert isinstance(made, ByRoster)
    assert {name: made.check_allowed(name) for name in ("alice", "prof", "mallory")} == {
        "alice": True,
        "prof": True,
        "mallory": False,
    }
    for key, value in loaded[name].items():
        assert getattr(made, key) == value, f"{key} is not what the example says"


@pytest.mark.parametrize("loaded", ["tls.py"], indirect=True)
def test_the_public_address_is_set_by_the_example_for_tls(loaded: Config) -> None:
    from jupyterhub.app import JupyterHub

    assert JupyterHub(config=loaded, base_url="/").public_url == "https://hub.example.org/"


def test_every_example_is_tested_here() -> None:
    assert {p.name for p in EXAMPLES.iterdir() if p.is_file()} == {"oauth.py", "lti13.py", "tls.py", "nginx.conf"}


class Service(ThreadingHTTPServer):
    """A login service that knows one person at a time, and checks what an honest one checks."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.person = ""
        self.asked: dict[str, dict[str, str]] = {}
        self.tokens: dict[str, str] = {}
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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    needs_a_machine()
    needs_a_proxy()
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:{sys.prefix}/nginx/usr/sbin")
    if not program or not shutil.which("openssl"):
        pytest.skip("needs nginx and openssl; `make system` brings them, or on Debian: apt install nginx-light openssl")
    folder = tmp_path_factory.mktemp("site")
    service = Service()
    answering = threading.Thread(target=service.serve_forever)
    answering.start()
    port, plain = free_ports(2)
    address = f"https://localhost:{port}"
    with Machine(show=[folder]) as machine:
        hub = RealHub(machine, {COURSE: {"instructors": ["prof"], "students": ["alice"]}}, folder / "hub.log")
        machine.run("usermod", "--lock", "alice")  # no password is needed
        overrides = machine.path("/etc/coursehub/overrides.d")
        overrides.mkdir(exist_ok=True)
        (overrides / "10-secret.py").write_text(f"import os\nos.environ['OAUTH_CLIENT_SECRET'] = '{SECRET}'\n")
        for example in ("oauth.py", "tls.py"):
            snippet = (EXAMPLES / example).read_text()
            snippet = snippet.replace("https://hub.example.org", address)
            (overrides / f"50-{example}").write_text(snippet.replace("https://login.example.org", service.address))
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


@pytest.mark.hub
def test_a_student_comes_in_by_the_login_service_over_tls_and_works(site: Site) -> None:
    alice, page = site.come_in("alice")
    assert page.status_code == 200
    assert page.url == f"{site.address}/hub/home"
    assert {c.secure for c in alice.session.cookies if c.name == "jupyterhub-hub-login"} == {True}
    alice.start_server()
    kernel = alice.kernel()
    assert text(kernel.run("print(6 * 7)")) == "42\n"
    kernel.close()
    alice.session.close()


@pytest.mark.hub
def test_what_the_login_service_says_of_groups_and_admins_opens_nothing(site: Site) -> None:
    alice, _ = site.come_in("alice")
    assert alice.session.get(f"{site.address}/services/{COURSE}/formgrader", timeout=180).status_code == 403
    assert alice.session.get(f"{site.address}/hub/admin", timeout=180).status_code == 403
    alice.session.close()
    prof, _ = site.come_in("prof")
    until(
        lambda: prof.session.get(f"{site.address}/services/{COURSE}/formgrader", timeout=180).status_code == 200,
        "the formgrader for its instructor",
    )
    prof.session.close()


@pytest.mark.hub
def test_whoever_is_on_no_roster_stays_outside(site: Site) -> None:
    mallory, page = site.come_in("mallory")
    assert page.status_code == 403
    mallory.session.close()


@pytest.mark.hub
def test_plain_http_leads_to_tls(site: Site) -> None:
    plain = next(
        line.split(":")[1].rstrip(";\n")
        for line in (site.certificate.parent / "site.conf").read_text().splitlines()
        if line.strip().startswith("listen 127.0.0.1") and "ssl" not in line
    )
    answer = requests.get(f"http://localhost:{plain}/hub/login", allow_redirects=False, timeout=60)
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{site.address}/hub/login"
