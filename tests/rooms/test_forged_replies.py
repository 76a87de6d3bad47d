"""A room that writes its own replies: what it says beside the numbers tells no hidden point and costs nobody else.

A cell takes over the channel, lets the worker answer, and changes the answer. So the numbers stay right, and all else in
a reply is what the student wanted it to be.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from autograder import by_hand_list
from autograder.by_hand.rules import FINDINGS, MOST_FINDINGS, MOST_SOURCE
from tests.conftest import NAMES
from tests.rooms.course import EARNED, Course, Submission, find
from tests.rooms.test_course_mistakes import Small, marked

pytestmark = pytest.mark.course

TAKES_OVER = """
import sys
def takes_over(forge):
    frame = sys._getframe()
    while not {"order", "self"} <= frame.f_locals.keys(): frame = frame.f_back
    worker, order = frame.f_locals["self"], frame.f_locals["order"]
    channel = worker._channel
    channel.send({"id": order["id"], "outputs": [], "ok": True})
    while True:
        order = channel.receive()
        reply = {"run": worker.run, "ask": worker.ask, "file": worker.file}[order["do"]](order)
        if order["do"] == "ask": forge(order["request"], reply["reply"])
        channel.send({"id": order["id"], **reply})
"""
LONG = "# " + "x" * 140_000
"""A line of the notebook, so that a finding may quote it."""
LISTS = f"""
{LONG}
def forge(request, reply):
    found = {{"outcome": "listed", "rule": "outside", "line": 3, "source": "# " + "x" * 140_000, "cell": None}}
    reply["seen"] = [found, *({{**found, "line": n, "source": "=1+" + str(n)}} for n in range(3000))]
    reply["shifted"] = {{**found, "source": "", "rule": "no such rule"}}
takes_over(forge)
"""
# What was learnt, 3 or 7, is said of hidden points in every way that a reply has, one or two a question.
TELLS = """
# at3 at7 at33 at77
secret = {secret}
def forge(request, reply):
    if request["show"]: return
    q, at = request["function"][-1], "at" + str(secret)
    number = {{"kind": "other", "type": at, "value": "nan", "shape": [secret, secret]}}
    fault = {{"type": at, "base": "ValueError", "text": at, "line": secret, "source": at, "name": at, "called": True, "within": at}}
    found = {{"outcome": "listed", "rule": "outside", "line": secret, "source": at, "cell": secret}}
    if q == "1": reply.update(answers=[], missing={{"cell_fault": fault, "near": [at], "not_a_function": at, "older": False, "magic": at}})
    if q == "2": reply.update(answers=[{{**reply["answers"][0], "results": [], "fault": fault}}])
    if q == "3": reply["answers"] = [{{**a, "results": [number, number]}} for a in reply["answers"]]
    if q == "4": reply.update(seen=[{{**found, "line": n}} for n in range(secret)], shifted=found, later_fault=fault, reassigned=[at])
    if q == "5": reply["answers"] = [{{**a, "results": [number] * secret}} for a in reply["answers"]]
    if q == "6":
        names = ["dfde", "df_de", "df_by_de"]
        kept = names[secret % 3]
        reply["answers"] = [{{**a, "named": {{kept: {{**number, "kind": "number", "value": "0x1p+0"}}}}}} for a in reply["answers"]]
takes_over(forge)
"""
SPELLED = "\ndef grad_q6(x, y, z):\n    dfde = df_de = df_by_de = 1.0\n    return torch.tanh(torch.log(x * 2 / torch.sin(y) * z + 1)), 5.0"


@pytest.fixture(scope="module", params=["namespaces", "landlock"])
def course(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(tmp_path_factory.mktemp(request.param), f'c.Engine.isolation = "{request.param}"\n')
    made.hand_in("lists", Submission(TAKES_OVER + LISTS))
    made.hand_in("odd", Submission(TAKES_OVER + ODD))
    for secret in (3, 7):
        made.hand_in(f"tells{secret}", Submission(TAKES_OVER + TELLS.format(secret=secret), answers={"q6": SPELLED}))
    made.hand_in("zz-after-them", Submission())
    made.graded_with = made.run("autograde", "ps1"), made.status
    return made


# Replies that are data of the right types and that no function gives.
ODD = """
def forge(request, reply):
    if request["function"] in ("grad_q2", "grad_q3"):
        answer = reply["answers"][0]
        single = {**answer, "single": True, "results": (answer["results"] * 2)[: 2 if request["function"] == "grad_q2" else 0]}
        reply["answers"] = [single] * len(request["points"])
    if request["function"] == "grad_q4":
        reply["seen"] = [{"outcome": "forbidden", "rule": "no such rule", "line": -(2**62), "source": "", "cell": None}]
takes_over(forge)
"""


def test_a_forged_reply_earns_what_its_numbers_earn(course: Course) -> None:
    assert course.marks("lists") == EARNED
    assert course.marks("odd") == EARNED


def test_no_error_of_the_grader_itself_reaches_the_page(course: Course) -> None:
    for student in ("lists", "odd", "tells3", "tells7"):
        for name in NAMES:
            for kind in ("check", "hidden"):
                outputs = find(course.graded(student), f"{name}-{kind}").outputs
                errors = [o.ename for o in outputs if o.output_type == "error"]
                assert set(errors) <= ({"CheckFailed"} if kind == "check" else set()), (student, name, kind, outputs)


def test_findings_are_capped_and_cost_no_later_student_a_grade(course: Course) -> None:
    rows = by_hand_list.read(course.root / "by_hand.csv")
    mine = [row for row in rows if row["student"] == "lists"]
    counts = Counter(row["question"] for row in mine)
    assert counts
    assert max(counts.values()) <= MOST_FINDINGS
    assert max(len(row["source"]) for row in rows) <= MOST_SOURCE + 1
    assert course.marks("zz-after-them") == EARNED
    course.run("autograde", "ps1", "--force", "--student", "zz-after-them")
    assert course.marks("zz-after-them") == EARNED


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_a_room_says_of_hidden_points_changes_the_page(course: Course, name: str) -> None:
    shown = [str(find(course.graded(f"tells{secret}"), f"{name}-hidden").outputs) for secret in (3, 7)]
    assert shown[0] == shown[1]
    assert not re.search(r"at[37]", shown[0])


def test_a_cell_that_a_person_marks_writes_no_line_of_the_list(tmp_path: Path) -> None:
    """Its outputs are the student's, though it has points as a test has."""
    forged = '[{"outcome": "forbidden", "rule": "autograd", "line": 1, "source": "x", "question": "another"}]'
    course = Small(tmp_path, marked("ans", "pass", 5, locked=False))
    course.generated()
    course.hand_in("ada", f"from IPython.display import display\ndisplay({{{FINDINGS!r}: {forged!r}}}, raw=True)")
    assert course.run("autograde")[0] == 3
    assert course.marks("ada") == {"ans": (0, True)}
    assert "findings+json is not shown" in course.graded("ada")
    assert not (tmp_path / "by_hand.csv").exists()
