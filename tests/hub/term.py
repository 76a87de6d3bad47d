"""A term, step by step: what everybody did and saw. Whether it was right is asked in test_term.py."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import nbformat

from tests.hub import hostile, real_hub
from tests.hub.browser import Instructor
from tests.hub.keyboard import KeyboardStudent
from tests.hub.real_hub import RealHub
from tests.hub.students import MouseStudent, Student
from tools.sample_class import cells, students

COURSES = {
    "derivatives": {"instructors": ["prof"], "students": ["ada", "bela", "mallory"]},
    "algebra": {"instructors": ["quinn"], "students": ["chen"]},
}
RIGHT = dict(cells(students()["ada"]))
ALGEBRA = real_hub.COURSES / "algebra"
SLIP = RIGHT["q6"].replace("dfdc * -a", "dfdc * a")  # a sign lost in one link
# A line of Ada's own, by which her work is recognised wherever it may turn up.
MARK = "adas-own-words-5f0c93"
Said = tuple[bool, str]


@dataclass
class Work:
    """What a student saw while working."""

    pictures: list[bool] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)


class Term:
    def __init__(self, hub: RealHub, browser: object) -> None:
        self.hub, machine = hub, hub.machine
        self.machine = machine
        self.prof = Instructor(browser, hub.address, "prof")
        self.ada = MouseStudent(browser, hub.address, "ada")
        self.bela = KeyboardStudent(browser, hub.address, "bela")
        self.mallory = MouseStudent(browser, hub.address, "mallory")
        self.work: dict[str, Work] = {}
        self.feedback: dict[str, str] = {}

    def release(self) -> dict[str, Said]:
        with self.prof.doing("generate and release"):
            self.prof.open_formgrader("derivatives")
            return {icon: self.prof.press_for_ps1(icon) for icon in ("education", "cloud-upload")}

    def ada_works(self) -> Work:
        """By the mouse. She hands in before she has answered q6, and again when she has."""
        work, ada = self.work.setdefault("ada", Work()), self.ada
        first = {name: source for name, source in RIGHT.items() if name != "q6"}
        first["q1"] += f"\n\n# {MARK}"
        with ada.doing("her first submission"):
            ada.fetch()
            ada.open()
            ada.answer(first)
            ada.run_all()
            work.pictures.append(ada.look("q5"))
            work.verdicts.append(ada.validate())
            ada.submit()
        with ada.doing("her second submission"):
            ada.answer({"q6": RIGHT["q6"]})
            ada.run_all()
            work.pictures.append(ada.look("q6"))
            work.checks.append(ada.output("q6").inner_text())
            work.verdicts.append(ada.validate())
            ada.submit(times=2)
        return work

    def bela_works(self) -> Work:
        """By the keyboard. He lets the slip stand, though the check and Validate tell him of it."""
        work, bela = self.work.setdefault("bela", Work()), self.bela
        with bela.doing("his submission"):
            bela.fetch()
            bela.open()
            bela.answer({**RIGHT, "q6": SLIP})
            bela.run_all()
            work.pictures.append(bela.look("q6"))
            work.checks.append(bela.output("q6").inner_text())
            work.verdicts.append(bela.validate())
            bela.submit()
        return work

    def mallory_works(self) -> None:
        """The other course has released something too, which is not for Mallory."""
        for command in ("generate_assignment", "release_assignment"):
            self.machine.run("nbgrader", command, "ps1", user="grader-algebra", cwd=ALGEBRA)
        with self.mallory.doing("the hostile submission"):
            self.mallory.fetch()
            file = self.machine.path("/home/mallory/derivatives/ps1/problems.ipynb")
            released = nbformat.read(file, as_version=4)
            made = hostile.notebook(released, RIGHT, self.hub.inner, self.hub.formgraders["derivatives"])
            nbformat.write(made, file)
            self.mallory.listed("fetched").get_by_role("button", name="Submit").click()
            self.mallory.listed("submitted").wait_for()

    def grade(self) -> tuple[Said, dict[str, Said], str]:
        """What collecting said, what grading said of each, and the table of scores."""
        with self.prof.doing("collect and autograde"):
            collected = self.prof.press_for_ps1("cloud-download")
            graded, table = self.prof.autograde(["ada", "bela", "mallory"])
            self.read_by_prof = {name: self.prof.read(name) for name in ("ada", "bela")}
        return collected, graded, table

    def give_back(self) -> dict[str, Said]:
        with self.prof.doing("generate and release feedback"):
            return {icon: self.prof.press_for_ps1(icon) for icon in ("comment", "envelope")}

    def export(self) -> str:
        with self.prof.doing("export the grades"):
            return self.prof.export()

    def read(self) -> dict[str, str]:
        """What each student's own page says."""
        readers: list[MouseStudent | KeyboardStudent] = [self.ada, self.bela, self.mallory]
        for one in readers:
            with one.doing("reading the feedback"):
                self.feedback[one.name] = one.read_feedback()
        return self.feedback

    def status(self, who: Student, path: str) -> int:
        """The hub's answer to a page that somebody who is logged in asks for."""
        return who.page.request.get(f"{self.hub.address}{path}").status

    def seeds(self) -> list[str]:
        """The secrets of the hidden tests, as the course's source holds them."""
        source = self.machine.path(hostile.COURSE / "source" / "ps1" / "problems.ipynb").read_text()
        found = ["".join(cell["source"]) for cell in json.loads(source)["cells"]]
        return [text.split('seed="')[1].split('"')[0] for text in found if "seed=" in text]
