"""Mallory's notebook: one right answer, five wrong ones, and a cell that tries what grading must refuse."""

from __future__ import annotations

import nbformat

from tests.hub.real_hub import COURSES, EXCHANGE, STATE
from tests.rooms.course import find, wrong

COURSE = COURSES / "derivatives"
READ = {
    "gradebook": COURSE / "gradebook.db",
    "hidden tests": COURSE / "source" / "ps1" / "problems.ipynb",
    "another's work": COURSE / "submitted" / "ada" / "ps1" / "problems.ipynb",
    "another's page": COURSE / "feedback" / "ada" / "ps1" / "problems.html",
    "the hub's state": STATE / "jupyterhub.sqlite",
    "the hub's secret": STATE / "cookie_secret",
    "passwords": "/etc/shadow",
}
ATTEMPTS = [*READ, "the exchange", "the hub by network", "the formgrader by network", "writing", "the environment"]
CELL = """
import os, socket
def attempt(name, act):
    try:
        print(name + ": got", repr(act())[:200])
    except BaseException as error:
        print(name + ": refused by", type(error).__name__)
for name, file in {read!r}.items():
    attempt(name, lambda: open(file, "rb").read(20))
attempt("the exchange", lambda: os.listdir({exchange!r}))
attempt("the hub by network", lambda: socket.create_connection(("127.0.0.1", {hub}), 5))
attempt("the formgrader by network", lambda: socket.create_connection(("127.0.0.1", {formgrader}), 5))
attempt("writing", lambda: open({written!r}, "w").write("x"))
attempt("the environment", lambda: [os.environ[name] for name in ("JUPYTERHUB_API_TOKEN", "JUPYTERHUB_CLIENT_ID")])
attempt("what is hers", lambda: os.listdir("."))
import autograder
autograder.Question.grade = lambda *a, **k: 8.0
autograder.Question.check = lambda *a, **k: print("dfdy is right")
"""


def notebook(
    released: nbformat.NotebookNode, right: dict[str, str], hub: int, formgrader: int
) -> nbformat.NotebookNode:
    """The released notebook as Mallory hands it in."""
    for name, source in right.items():
        find(released, name).source = source if name == "q1" else wrong(source)
    cell = CELL.format(
        read={name: str(path) for name, path in READ.items()},
        exchange=str(EXCHANGE / "derivatives" / "inbound"),
        written=str(COURSE / "written-by-mallory"),
        hub=hub,
        formgrader=formgrader,
    )
    at = released.cells.index(find(released, "setup"))
    released.cells.insert(at + 1, nbformat.v4.new_code_cell(cell))
    return released
