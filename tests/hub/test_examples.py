"""The snippets of deploy/hub/examples: each loads into the real configuration, and people come in through each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from traitlets.config import Config, PyFileConfigLoader

from coursehub.people import ByRoster
from tests.hub.person import COURSE, text
from tests.hub.real_hub import HUB, until
from tests.hub.site import EXAMPLES, SECRET, Site, opened

COURSE_YAML = """\
hub: {{address: "http://127.0.0.1:8000"}}
folders: {{state: {0}/state, exchange: {0}/exchange, courses: {0}/courses}}
courses: {{derivatives: {{port: 9101, instructors: [prof], students: [alice]}}}}
"""


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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site"), "oauth.py", "tls.py") as made:
        yield made


@pytest.fixture(scope="module")
def lms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("lms"), "lti13.py", "tls.py") as made:
        yield made


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


@pytest.mark.hub
def test_a_student_comes_in_by_a_link_in_the_lms_and_may_do_what_the_roster_says(lms: Site) -> None:
    alice, page = lms.follow_link("alice")
    assert page.status_code == 200, page.text
    assert page.url == f"{lms.address}/hub/home"
    assert alice.session.get(f"{lms.address}/services/{COURSE}/formgrader", timeout=180).status_code == 403
    assert alice.session.get(f"{lms.address}/hub/admin", timeout=180).status_code == 403
    alice.session.close()


@pytest.mark.hub
@pytest.mark.parametrize(("login", "forged", "status"), [("mallory", False, 403), ("alice", True, 400)])
def test_no_stranger_and_no_forged_link_comes_in(lms: Site, login: str, forged: bool, status: int) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048) if forged else None
    person, page = lms.follow_link(login, other)
    assert page.status_code == status
    person.session.close()
