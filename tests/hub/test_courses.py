"""Two courses side by side on a real hub: one person teaches the one and takes the other, and nobody gets further."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.hub.machine import Machine
from tests.hub.real_hub import DEADLINE, EXCHANGE, HUB, RealHub, needs_a_proxy, until
from tests.hub.somebody import Somebody

pytestmark = pytest.mark.hub

COURSES = {
    "calculus": {"instructors": ["prof"], "students": ["alice", "bob"]},
    "algebra": {"instructors": ["bob"], "students": ["alice"]},
}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHub]:
    needs_a_proxy()
    with Machine() as machine:
        hub = RealHub(machine, COURSES, tmp_path_factory.mktemp("hub") / "hub.log")
        for course in COURSES:
            for command in ("generate_assignment", "release_assignment"):
                folder = f"/srv/coursehub/courses/{course}"
                machine.run("nbgrader", command, "ps1", user=f"grader-{course}", cwd=folder)
        hub.start()
        yield hub
    hub.process.wait(DEADLINE)


Start = Callable[[str], Somebody]


@pytest.fixture(scope="module")
def somebody(hub: RealHub) -> Iterator[Start]:
    known: dict[str, Somebody] = {}

    def started(name: str) -> Somebody:
        if name not in known:
            known[name] = Somebody(hub.address, name).start()
        return known[name]

    yield started
    for person in known.values():
        person.session.close()


def course_list(person: Somebody) -> list[str]:
    return [course["course_id"] for course in person.own("formgraders")]


def released(person: Somebody, course: str) -> list[str]:
    return [one["assignment_id"] for one in person.own("assignments", course_id=course)]


def test_a_teacher_finds_the_formgrader_of_their_course_alone(somebody: Start):
    prof = somebody("prof")
    assert course_list(prof) == ["calculus"]
    assert (prof.formgrader("calculus"), prof.formgrader("algebra")) == (200, 403)


def test_the_menus_formgrader_leads_to_the_course(somebody: Start):
    page = somebody("prof").at("/user/prof/formgrader").text
    assert re.findall('href="([^"]+)"', page) == ["/services/calculus/lab?formgrader=true"]


def test_who_teaches_one_course_and_takes_another_does_both_from_one_server(somebody: Start):
    bob = somebody("bob")
    assert course_list(bob) == ["algebra"]
    assert (bob.formgrader("algebra"), bob.formgrader("calculus")) == (200, 403)
    assert "calculus" in bob.own("courses")
    assert released(bob, "calculus") == ["ps1"]


def test_a_student_of_two_courses_sees_both_and_opens_no_formgrader(somebody: Start):
    alice = somebody("alice")
    assert alice.own("courses") == ["algebra", "calculus"]
    assert [released(alice, course) for course in COURSES] == [["ps1"], ["ps1"]]
    assert [alice.formgrader(course) for course in COURSES] == [403, 403]
    assert alice.at("/user/alice/formgraders").status_code == 404
    assert alice.at("/user/alice/formgrader/").status_code == 404


def test_both_courses_may_have_an_assignment_of_the_same_name(somebody: Start, hub: RealHub):
    alice = somebody("alice")
    for course in COURSES:
        fetched = alice.act("fetch", course)
        assert fetched["success"], fetched
        assert hub.machine.path(f"/home/alice/{course}/ps1/problems.ipynb").exists()


def test_nobody_is_an_admin_and_nobody_sees_another(somebody: Start):
    for name, other in (("alice", "bob"), ("prof", "alice"), ("bob", "prof")):
        person = somebody(name)
        assert person.at("/hub/admin").status_code == 403
        assert person.at(f"/user/{other}/api/contents").status_code == 403
        assert person.at(f"/hub/api/users/{other}").status_code in (403, 404)


def test_each_server_runs_as_its_person_and_each_formgrader_as_its_course(somebody: Start, hub: RealHub):
    for name in ("prof", "alice"):
        somebody(name)
    ask = "import psutil; [print(p.username(), *p.cmdline()) for p in psutil.process_iter()]"
    lines = hub.machine.run(sys.executable, "-c", ask).stdout.splitlines()
    owners = {line.split()[0] for line in lines if "jupyterhub-singleuser" in line}
    assert {"prof", "alice", "grader-calculus", "grader-algebra"} <= owners
    assert "root" not in owners
    for program in ("jupyterhub_idle_culler", "configurable-http-proxy"):
        assert {line.split()[0] for line in lines if program in line} == {"coursehub"}


def test_who_is_in_no_course_is_not_let_in_though_the_machine_knows_them(hub: RealHub):
    hub.machine.add_user("mallory", "mallory-word")
    with Somebody(hub.address, "mallory") as mallory:
        assert not mallory.log_in()
        assert mallory.at("/hub/home").url.startswith(f"{hub.address}/hub/login")


def test_a_wrong_password_is_not_let_in(hub: RealHub):
    with Somebody(hub.address, "prof") as prof:
        assert not prof.log_in("alice-word")
        assert prof.log_in("prof-word")


def test_a_changed_roster_needs_the_set_up_and_no_restart(somebody: Start, hub: RealHub):
    """Prof leaves calculus, and dave comes to teach it. The last test that needs prof."""
    prof = somebody("prof")
    assert prof.formgrader("calculus") == 200
    file = hub.machine.path(hub.yaml)
    file.write_text(file.read_text().replace("instructors: [prof]", "instructors: [dave]"))
    hub.machine.run(HUB / "setup", hub.yaml)
    hub.machine.set_password("dave", "dave-word")
    with Somebody(hub.address, "dave") as dave:
        dave.log_in()
        assert (dave.formgrader("calculus"), dave.formgrader("algebra")) == (200, 403)
    with Somebody(hub.address, "prof") as again:
        assert not again.log_in()
    for page in ("/hub/home", "/services/calculus/formgrader/"):
        until(lambda at=page: prof.at(at).url.startswith(f"{hub.address}/hub/login"), f"prof to be out of {page}")


def test_what_was_released_can_be_read_and_not_changed(hub: RealHub):
    path = EXCHANGE / "calculus" / "outbound" / "ps1" / "problems.ipynb"
    assert hub.machine.run("head", "-c1", path, user="alice").stdout == "{"
    said = hub.machine.run("sh", "-c", f"echo >> {path}", user="alice", check=False)
    assert "ermission denied" in said.stdout
