"""The set-up makes a machine as course.yaml says, closes what is not others' to read, and changes nothing twice."""

from __future__ import annotations

import sqlite3
import stat
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from coursehub.settings import HUB
from tests.conftest import ROOT
from tests.hub.machine import Machine

pytestmark = pytest.mark.hub

FILE = "/etc/coursehub/course.yaml"
COURSE_YAML = """\
hub:
  address: http://127.0.0.1:8000
folders:
  state: /var/lib/coursehub
  exchange: /srv/coursehub/exchange
  courses: /srv/coursehub/courses
courses:
  calculus:
    port: 9101
    instructors: [prof]
    students: [alice]
    roster: calculus.csv
  algebra:
    port: 9102
    instructors: [alice]
"""
ROSTER = "username,first_name,last_name,email\nbob,Bob,Bell,bob@example.org\n"
SET_UP = str(HUB / "setup")


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine() as made:
        made.path("/etc/coursehub").mkdir()
        made.path(FILE).write_text(COURSE_YAML)
        made.path("/etc/coursehub/calculus.csv").write_text(ROSTER)
        yield made


@pytest.fixture(scope="module")
def first(machine: Machine) -> str:
    """What the first run said; every test but those of refusals stands on it."""
    assert "would make: account alice" in machine.run(SET_UP, "--dry-run").stdout
    assert "alice" not in machine.path("/etc/passwd").read_text(), "a dry run made an account"
    assert not machine.path("/srv/coursehub").exists(), "a dry run made a folder"
    return machine.run(SET_UP, "--passwords", "/root/passwords.csv").stdout


def students(machine: Machine, course: str) -> list[tuple[str, ...]]:
    database = sqlite3.connect(":memory:")
    database.deserialize(machine.path(f"/srv/coursehub/courses/{course}/gradebook.db").read_bytes())
    with closing(database):
        return sorted(database.execute("select id, first_name, last_name, email from student"))


def test_a_second_run_changes_nothing_and_says_so(machine: Machine, first: str):
    assert "made: account grader-calculus at /srv/coursehub/courses/calculus" in first
    assert machine.run(SET_UP).stdout == f"Nothing to do: everything is as {FILE} says.\n"
    assert machine.run(SET_UP, "--dry-run").stdout == f"Nothing to do: everything is as {FILE} says.\n"


@pytest.mark.parametrize(
    ("path", "owner", "mode"),
    [
        ("/var/lib/coursehub", "root", 0o700),
        ("/srv/coursehub/exchange", "root", 0o755),
        ("/srv/coursehub/exchange/calculus", "grader-calculus", 0o755),
        ("/srv/coursehub/exchange/calculus/inbound", "grader-calculus", 0o3733),
        ("/srv/coursehub/exchange/calculus/outbound", "grader-calculus", 0o755),
        ("/srv/coursehub/exchange/calculus/feedback", "grader-calculus", 0o711),
        ("/srv/coursehub/courses", "root", 0o755),
        ("/srv/coursehub/courses/calculus", "grader-calculus", 0o700),
        ("/srv/coursehub/courses/algebra", "grader-algebra", 0o700),
        ("/srv/coursehub/courses/algebra/nbgrader_config.py", "grader-algebra", 0o600),
        ("/home/alice", "alice", 0o700),
        ("/root/passwords.csv", "root", 0o600),
        (FILE, "root", 0o600),
    ],
)
def test_what_is_made_has_its_owner_and_mode(machine: Machine, first: str, path: str, owner: str, mode: int):
    about = machine.run("stat", "-c", "%U %a", path).stdout.split()
    assert about == [owner, f"{mode:o}"]


@pytest.mark.parametrize(
    "path",
    [
        "/srv/coursehub/courses/calculus/source/ps1/problems.ipynb",
        "/srv/coursehub/courses/calculus/gradebook.db",
        "/srv/coursehub/courses/calculus/nbgrader_config.py",
        "/home/bob/.profile",
        "/etc/coursehub/calculus.csv",
        "/root/passwords.csv",
        ROOT / "source/ps1/problems.ipynb",
        ROOT / "tests/conftest.py",
        ROOT / "tools/sample_class.py",
        ROOT / ".git",
    ],
)
@pytest.mark.parametrize("user", ["alice", "grader-algebra"])
def test_students_and_other_courses_cannot_read(machine: Machine, first: str, path: str | Path, user: str):
    read = ["ls"] if machine.path(path).is_dir() else ["head", "-c1"]
    assert machine.run(*read, path).stdout
    said = machine.run(*read, path, user=user, check=False)
    assert said.returncode != 0
    assert "Permission denied" in said.stdout


@pytest.mark.parametrize("act", ["ls {}/inbound", "mv {} {}.away", "rmdir {}/inbound", "touch {}/outbound/mine"])
def test_a_student_can_neither_look_into_the_exchange_nor_move_a_course_away(machine: Machine, first: str, act: str):
    said = machine.run("sh", "-c", act.replace("{}", "/srv/coursehub/exchange/calculus"), user="alice", check=False)
    assert said.returncode != 0
    assert "ermission denied" in said.stdout or "not permitted" in said.stdout


def test_a_student_cannot_move_away_what_another_handed_in(machine: Machine, first: str):
    inbound = "/srv/coursehub/exchange/calculus/inbound"
    machine.run("mkdir", f"{inbound}/bob+ps1+now", user="bob")
    said = machine.run("mv", f"{inbound}/bob+ps1+now", f"{inbound}/gone", user="alice", check=False)
    assert "not permitted" in said.stdout
    machine.run("rmdir", f"{inbound}/bob+ps1+now")


def test_a_student_can_lay_nothing_where_a_course_is_going_to_be(machine: Machine, first: str):
    for act in ("ln -s /root", "mkdir", "touch"):
        said = machine.run(*act.split(), "/srv/coursehub/exchange/geometry", user="alice", check=False)
        assert "Permission denied" in said.stdout


@pytest.fixture
def geometry(machine: Machine, first: str) -> Iterator[Path]:
    """Where a new course is going to be, in an exchange as earlier versions left it, where alice has been before."""
    machine.run("chmod", "1777", "/srv/coursehub/exchange")
    machine.run("install", "-d", "-m", "700", "/root/secret")
    with _instead(machine, COURSE_YAML + "  geometry:\n    port: 9103\n    instructors: [prof]\n"):
        yield Path("/srv/coursehub/exchange/geometry")


@contextmanager
def _instead(machine: Machine, text: str) -> Iterator[None]:
    """With another course.yaml; afterwards the machine is set up as before."""
    machine.path(FILE).write_text(text)
    try:
        yield
    finally:
        machine.path(FILE).write_text(COURSE_YAML)
        machine.run(SET_UP)


SECRET = ("stat", "-c", "%a %U %G %n", "/root/secret", "/etc/shadow")


@pytest.mark.parametrize(
    ("laid", "said"),
    [
        ("ln -s /root/secret {}", "{} is a link, and not only root can have laid it"),
        ("ln -s /root/nothing {}", "{} is a link, and not only root can have laid it"),
        ("mkdir {} && ln -s /root/secret {}/inbound", "{} is there and belongs to alice: move it away, or give it to"),
        ("touch {}", "Not a directory"),
    ],
)
def test_what_a_student_laid_for_a_future_course_is_refused_by_name(
    machine: Machine, geometry: Path, laid: str, said: str
):
    at = geometry
    before = machine.run(*SECRET).stdout
    machine.run("sh", "-c", laid.format(at, at), user="alice")
    try:
        refused = machine.run(SET_UP, check=False)
    finally:
        machine.run("rm", "-r", at)
    assert refused.returncode == 1
    assert f"failed: folder {at} (grader-geometry, 0755): " in refused.stdout
    assert said.format(at) in refused.stdout
    assert machine.run(*SECRET).stdout == before
    assert machine.run("ls", "/root").stdout.split() == ["passwords.csv", "secret"]


def test_a_course_is_made_once_what_was_in_its_place_is_gone(machine: Machine, geometry: Path):
    assert f"made: folder {geometry} (grader-geometry, 0755)" in machine.run(SET_UP).stdout
    assert machine.run("stat", "-c", "%a", geometry.parent).stdout == "755\n"


@pytest.mark.parametrize(
    ("place", "path"),
    [("exchange", "inbound"), ("exchange", "outbound"), ("courses", "nbgrader_config.py"), ("courses", "source")],
)
def test_what_a_courses_account_puts_into_its_folders_is_not_followed(
    machine: Machine, first: str, place: str, path: str
):
    """Instructors have terminals as that account, and are not root."""
    at = Path("/srv/coursehub", place, "algebra", path)
    machine.run("install", "-d", "-m", "700", "/root/secret")
    before = machine.run(*SECRET).stdout
    machine.run("mv", at, f"{at}.away", user="grader-algebra")
    machine.run("ln", "-s", "/root/nothing" if place == "courses" else "/root/secret", at, user="grader-algebra")
    try:
        machine.run(SET_UP, check=False)
    finally:
        machine.run("rm", at)
        machine.run("mv", f"{at}.away", at)
    assert machine.run(*SECRET).stdout == before
    assert machine.run("ls", "/root").stdout.split() == ["passwords.csv", "secret"]
    assert machine.run(SET_UP).stdout.startswith("Nothing to do")


@pytest.mark.parametrize(("laid", "said"), [("mkfifo {}", "is no regular file. Move it away"), ("echo x > {}", "exit")])
def test_what_is_no_gradebook_stops_neither_the_setup_nor_the_backup_without_a_word(
    machine: Machine, first: str, laid: str, said: str
):
    book = Path("/srv/coursehub/courses/calculus/gradebook.db")
    machine.run("mv", book, f"{book}.away", user="grader-calculus")
    machine.run("sh", "-c", laid.format(book), user="grader-calculus")
    try:
        refused = machine.run(SET_UP, check=False)
        saved = machine.run(HUB / "backup", "save", "/root/x.tar", check=False)
    finally:
        machine.run("mv", f"{book}.away", book)
    assert refused.returncode == 1
    assert f"failed: students of calculus in {book}: " in refused.stdout
    assert said in refused.stdout
    assert saved.returncode == 1
    assert "left out: courses/calculus/gradebook.db: " in saved.stdout
    assert "Not in it: courses/calculus/gradebook.db, as said above." in saved.stdout
    with tarfile.open(machine.path("/root/x.tar")) as tar:
        names = tar.getnames()
    assert {"courses/calculus/source/ps1/problems.ipynb", "courses/algebra/nbgrader_config.py"} <= {*names}
    machine.run("rm", "/root/x.tar")


def test_a_folder_that_root_keeps_elsewhere_behind_a_link_is_used(machine: Machine, first: str):
    text = COURSE_YAML.replace("/srv/coursehub", "/srv/link").replace("/var/lib/coursehub", "/var/lib/other")
    machine.run("mkdir", "-p", "/srv/large/disk")
    machine.run("ln", "-s", "/srv/large/disk", "/srv/link")
    with _instead(machine, text):
        machine.run(SET_UP)
        known = machine.run("stat", "-c", "%U %a", "/srv/large/disk/exchange/calculus/inbound").stdout
        assert known == "grader-calculus 3733\n"
        assert machine.run(SET_UP).stdout.startswith("Nothing to do")


def test_the_package_is_everybodys(machine: Machine, first: str):
    python = ROOT / ".venv" / "bin" / "python"
    said = machine.run(python, "-c", "import autograder; print(autograder.__name__)", user="alice", cwd="/home/alice")
    assert said.stdout == "autograder\n"


def test_the_course_releases_as_its_own_account(machine: Machine, first: str):
    folder = "/srv/coursehub/courses/calculus"
    for command in ("generate_assignment", "release_assignment"):
        machine.run("nbgrader", command, "ps1", user="grader-calculus", cwd=folder)
    released = machine.path("/srv/coursehub/exchange/calculus/outbound/ps1/problems.ipynb")
    assert stat.S_IMODE(released.stat().st_mode) == 0o644
    assert not machine.path("/srv/coursehub/exchange/algebra/outbound/ps1").exists()


def test_the_roster_is_in_the_gradebook_with_names(machine: Machine, first: str):
    assert students(machine, "calculus") == [
        ("alice", None, None, None),
        ("bob", "Bob", "Bell", "bob@example.org"),
    ]


def test_first_passwords_are_listed_and_are_the_accounts(machine: Machine, first: str):
    given = dict(line.split(",") for line in machine.path("/root/passwords.csv").read_text().splitlines())
    assert given.keys() == {"alice", "bob", "prof"}
    hashes = dict(line.split(":")[:2] for line in machine.path("/etc/shadow").read_text().splitlines())
    check = "import pamela, sys; pamela.authenticate(*sys.argv[1:3], service='login')"
    for name, password in given.items():
        assert hashes[name].startswith("$")
        machine.run(ROOT / ".venv" / "bin" / "python", "-c", check, name, password)
    assert hashes["grader-calculus"].startswith("!")


def test_a_new_line_in_the_roster_adds_one_student_and_nothing_else(machine: Machine, first: str):
    machine.path("/etc/coursehub/calculus.csv").write_text(ROSTER + "carol,Carol,Cole,\n")
    said = machine.run(SET_UP).stdout.splitlines()
    assert sorted(line for line in said if line.startswith("made: ")) == [
        "made: account carol",
        "made: students of calculus in /srv/coursehub/courses/calculus/gradebook.db",
    ]
    assert ("carol", "Carol", "Cole", None) in students(machine, "calculus")
    assert "2 changes made." in said


def test_what_instructors_changed_stays(machine: Machine, first: str):
    config = machine.path("/srv/coursehub/courses/calculus/nbgrader_config.py")
    config.write_text(config.read_text() + "c.Engine.cell_seconds = 20\n")
    notebook = machine.path("/srv/coursehub/courses/calculus/source/ps1/problems.ipynb")
    notebook.write_text(notebook.read_text().replace("seed", "sown"))
    assert machine.run(SET_UP).stdout.startswith("Nothing to do")
    assert "cell_seconds = 20" in config.read_text()
    assert "sown" in notebook.read_text()


def test_a_mode_that_somebody_loosened_is_put_right(machine: Machine, first: str):
    machine.run("chmod", "755", "/srv/coursehub/courses/algebra", "/home/bob")
    said = machine.run(SET_UP).stdout
    assert "made: folder /srv/coursehub/courses/algebra (grader-algebra, 0700)" in said
    assert "made: close the home folder of bob to others" in said


def test_the_unit_starts_this_hub_with_this_file(machine: Machine, first: str):
    unit = machine.path("/etc/systemd/system/coursehub.service").read_text()
    assert f"Environment=COURSE_YAML={FILE}\n" in unit
    assert f"ExecStart={ROOT / '.venv/bin/jupyterhub'} --config {HUB / 'jupyterhub_config.py'}\n" in unit


def test_where_systemd_runs_the_machine_it_enforces_the_limits(machine: Machine, first: str):
    show = (
        "from traitlets.config import PyFileConfigLoader; from jupyterhub.app import JupyterHub; import sys\n"
        "c = PyFileConfigLoader(sys.argv[1]).load_config(); hub = JupyterHub(config=c)\n"
        "print(hub.spawner_class.__module__, c.Spawner.mem_limit, c.Spawner.cpu_limit)"
    )
    machine.path("/etc/coursehub/limits.yaml").write_text(COURSE_YAML + "limits: { memory: 1G, cpu: 1.5 }\n")
    command = [ROOT / ".venv" / "bin" / "python", "-c", show, HUB / "jupyterhub_config.py"]
    environment = {"COURSE_YAML": "/etc/coursehub/limits.yaml"}
    without = machine.run(*command, env=environment).stdout
    assert "are not enforced" in without
    assert without.endswith("jupyterhub.spawner 1G 1.5\n")
    machine.run("mkdir", "-p", "/run/systemd/system")
    said = machine.run(*command, env=environment).stdout
    machine.run("rmdir", "/run/systemd/system")
    assert said == "systemdspawner.systemdspawner 1G 1.5\n"


@pytest.mark.parametrize(
    ("user", "text", "said"),
    [
        ("root", COURSE_YAML.replace("port: 9102", "prot: 9102"), "course.yaml line 14: unknown key `prot`; did you"),
        ("root", COURSE_YAML.replace("  address", "  accounts: demo\n  address"), "`accounts: demo` is for `make hub`"),
        ("daemon", COURSE_YAML, "accounts can only be made by root: sudo "),
    ],
)  # fmt: skip
def test_what_cannot_be_set_up_is_refused_before_anything_is_changed(machine: Machine, user: str, text: str, said: str):
    machine.path("/tmp/course.yaml").write_text(text)
    machine.path("/tmp/calculus.csv").write_text(ROSTER)
    refused = machine.run(SET_UP, "/tmp/course.yaml", user=user, check=False)
    assert refused.returncode == 1
    assert refused.stdout.startswith("Nothing was changed: ")
    assert said in refused.stdout


def test_a_step_that_fails_is_named_and_what_was_made_stays(machine: Machine, first: str):
    roster = machine.path("/etc/coursehub/calculus.csv")
    roster.write_text(ROSTER + "carol,Carol,Cole,\nerin,,,\n")
    machine.run("sh", "-c", "echo 1 > /etc/passwd.lock")  # as while another tool changes accounts
    failed = machine.run(SET_UP, check=False)
    assert failed.returncode == 1
    assert "failed: account erin: Command '['useradd'" in failed.stdout
    assert "run the same command again" in failed.stdout
    machine.run("rm", "/etc/passwd.lock")
    assert "made: account erin\n" in machine.run(SET_UP).stdout


def test_a_clone_that_others_cannot_enter_is_refused_by_the_folder_that_is_closed(machine: Machine, first: str):
    machine.run("chmod", "o-x", ROOT / "deploy")
    try:
        refused = machine.run(SET_UP, check=False).stdout
    finally:
        machine.run("chmod", "o+x", ROOT / "deploy")
    assert refused.startswith(f"Nothing was changed: {ROOT / 'deploy'} is closed to other accounts (0754)")
    assert "/opt/course" in refused
