"""A term in a real browser, on a real hub with real accounts: what people do works, what must not happen does not."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import POINTS, QUESTIONS_OF_PS1
from tests.hub import hostile, refusals
from tests.hub.browser import SHOTS, chromium, is_noise
from tests.hub.machine import Machine
from tests.hub.real_hub import RealHub, needs_a_proxy
from tests.hub.term import COURSES as PEOPLE
from tests.hub.term import MARK, Said, Term, Work

pytestmark = [pytest.mark.hub, pytest.mark.browser]


@pytest.fixture(scope="module")
def term(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Term]:
    needs_a_proxy()
    shutil.rmtree(SHOTS, ignore_errors=True)
    SHOTS.mkdir()
    with Machine() as machine, chromium() as browser:
        hub = RealHub(machine, PEOPLE, tmp_path_factory.mktemp("hub") / "hub.log")
        hub.start()
        yield Term(hub, browser)


@pytest.fixture(scope="module")
def released(term: Term) -> dict[str, Said]:
    return term.release()


@pytest.fixture(scope="module")
def ada(term: Term, released: dict[str, Said]) -> Work:
    return term.ada_works()


@pytest.fixture(scope="module")
def bela(term: Term, released: dict[str, Said]) -> Work:
    return term.bela_works()


@pytest.fixture(scope="module")
def graded(term: Term, ada: Work, bela: Work) -> tuple[Said, dict[str, Said], str]:
    term.mallory_works()
    return term.grade()


@pytest.fixture(scope="module")
def returned(term: Term, graded: object) -> dict[str, Said]:
    return term.give_back()


@pytest.fixture(scope="module")
def pages(term: Term, returned: dict[str, Said]) -> dict[str, str]:
    return term.read()


def test_the_instructor_generates_and_releases_by_the_formgraders_buttons(released: dict[str, Said]) -> None:
    assert released["education"][0], released["education"][1]
    assert released["cloud-upload"][0], released["cloud-upload"][1]
    assert re.search(r"^ps1\b.*\breleased\b", released["cloud-upload"][1], flags=re.MULTILINE | re.DOTALL)


def test_a_student_by_mouse_sees_the_graph_drawn(ada: Work) -> None:
    assert ada.pictures == [True, True]
    assert "dfdy 0.1020 ✓ right" in " ".join(ada.checks[0].split())


def test_validate_names_what_is_missing_and_later_that_nothing_is(ada: Work) -> None:
    assert "grad_q6 is not answered yet" in ada.verdicts[0]
    assert ada.verdicts[1] == "Success! Your notebook passes all the tests." or (
        POINTS > 60 and "grad_q6" not in ada.verdicts[1]  # what an author has added, nobody here answers
    )


def test_a_student_by_keyboard_alone_sees_the_first_wrong_link(bela: Work) -> None:
    assert bela.pictures == [True]
    assert "the first wrong link" in bela.checks[0]
    assert "It has the right size but the wrong sign" in " ".join(bela.verdicts[0].split())


def test_the_last_of_two_submissions_is_collected_and_graded(graded: tuple[Said, dict[str, Said], str]) -> None:
    collected, said, table = graded
    assert "Processing 3 submissions" in collected[1]
    for well, text in said.values():
        assert well, text
        assert "Student code is locked in by namespaces" in text
    scores = {row.split("\t")[1]: row.split("\t")[4] for row in table.splitlines()}
    assert scores == {"ada": f"60 / {POINTS}", "bela": f"53.2 / {POINTS}", "mallory": f"10 / {POINTS}"}


def test_the_formgrader_shows_the_instructor_what_went_wrong(term: Term, graded: object) -> None:
    assert "It has the right size but the wrong sign" in " ".join(term.read_by_prof["bela"].split())
    assert "wrong sign" not in term.read_by_prof["ada"]


def test_feedback_is_generated_and_released_by_buttons(returned: dict[str, Said]) -> None:
    for well, text in returned.values():
        assert well, text


def test_each_student_reads_their_own_page(pages: dict[str, str]) -> None:
    assert f"60.00 of {POINTS:.2f}" in pages["ada"]
    assert MARK in pages["ada"]
    assert f"53.20 of {POINTS:.2f}" in pages["bela"]
    assert "wrong sign" in pages["bela"]
    assert MARK not in pages["bela"] + pages["mallory"]


def test_grades_are_exported(term: Term, pages: object) -> None:
    rows = list(csv.DictReader(io.StringIO(term.export())))
    assert {row["student_id"]: float(row["score"]) for row in rows} == {"ada": 60, "bela": 53.2, "mallory": 10}


@pytest.mark.parametrize("attempt", hostile.ATTEMPTS)
def test_a_submission_reaches_nothing_while_it_is_graded(pages: dict[str, str], attempt: str) -> None:
    refusals_of_a_room = "FileNotFoundError|PermissionError|OSError|ConnectionRefusedError|KeyError"
    assert "what is hers: got" in pages["mallory"]
    assert re.search(f"{attempt}: refused by ({refusals_of_a_room})$", pages["mallory"], re.MULTILINE)


@pytest.mark.parametrize("path", refusals.PAGES)
def test_a_student_who_asks_for_what_is_not_theirs_is_refused(term: Term, pages: object, path: str) -> None:
    assert term.status(term.mallory, path) in (403, 404)


def test_what_a_student_is_refused_is_there_for_those_whose_it_is(term: Term, pages: object) -> None:
    theirs = {"/services/derivatives": term.prof, "/user/ada": term.ada}
    asked = [(one, path) for path in refusals.PAGES for start, one in theirs.items() if path.startswith(start)]
    assert len(asked) == 9
    assert [path for one, path in asked if term.status(one, path) != 200] == []


def test_no_error_in_anybodys_console_is_ours(term: Term, pages: object) -> None:
    everybody = (term.prof, term.ada, term.bela, term.mallory)
    assert [(one.name, problem) for one in everybody for problem in one.problems if not is_noise(problem)] == []


def test_a_student_who_types_the_formgraders_address_sees_a_refusal(term: Term, pages: object) -> None:
    reply = term.mallory.page.goto(f"{term.hub.address}/services/derivatives/formgrader")
    term.mallory.shot("refused")
    assert reply
    assert reply.status == 403


@pytest.mark.parametrize("path", refusals.FILES, ids=str)
def test_a_terminal_of_a_student_cannot_read(term: Term, pages: object, path: Path) -> None:
    assert term.machine.path(path).exists()
    assert not refusals.readable(term.hub, "mallory", path)


def test_nothing_that_another_student_can_read_holds_ones_work(term: Term, pages: object) -> None:
    assert any(file.startswith("/home/ada/derivatives/ps1/") for file in refusals.finds(term.hub, "ada", [MARK]))
    assert refusals.finds(term.hub, "mallory", [MARK]) == []


def test_nothing_that_a_student_can_read_holds_a_hidden_tests_seed(term: Term, pages: dict[str, str]) -> None:
    assert len(seeds := term.seeds()) == len(QUESTIONS_OF_PS1)
    assert [seed for seed in seeds if seed in "".join(pages.values())] == []
    assert refusals.finds(term.hub, "mallory", seeds) == []


@pytest.mark.parametrize("path", ["users", "users/ada", "users/ada/server", "groups", "groups/formgrade-derivatives"])
def test_the_token_of_a_students_server_opens_nothing_of_others(term: Term, pages: object, path: str) -> None:
    token = refusals.environment(term.hub, "mallory")["JUPYTERHUB_API_TOKEN"]
    api = f"http://127.0.0.1:{term.hub.inner}/hub/api"
    assert refusals.status(f"{api}/user", token) == 200
    assert refusals.status(f"{api}/{path}", token) in (403, 404, 405)


def test_the_token_of_a_students_server_opens_no_formgrader(term: Term, pages: object) -> None:
    token = refusals.environment(term.hub, "mallory")["JUPYTERHUB_API_TOKEN"]
    for course, port in term.hub.formgraders.items():
        assert refusals.status(f"http://127.0.0.1:{port}/services/{course}/api/contents", token) == 403


def test_a_student_is_offered_and_given_their_own_course_alone(term: Term, pages: object) -> None:
    env = refusals.environment(term.hub, "mallory")
    fetch = ("nbgrader", "fetch_assignment", "ps1", "--course")
    refused = term.machine.run(*fetch, "algebra", user="mallory", cwd="/home/mallory", env=env, check=False)
    assert refused.returncode, refused.stdout
    listed = term.machine.run("nbgrader", "list", user="mallory", cwd="/home/mallory", env=env).stdout
    assert "derivatives ps1" in listed
    assert "algebra" not in listed
