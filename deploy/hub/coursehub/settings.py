"""Reads and checks `course.yaml`; an error names the file, the line and the remedy, before anything is started."""

from __future__ import annotations

import difflib
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from coursehub.roster import RESERVED, RosterError, Student, read_roster

HUB = Path(__file__).resolve().parent.parent
CLONE = HUB.parent.parent
BIN = Path(sys.executable).parent  # the programs of the environment
HUB_ACCOUNT = "coursehub"  # runs what needs neither root nor a course's files
SCHEMA = json.loads((HUB / "course.schema.json").read_text())


class SettingsError(ValueError):
    """course.yaml cannot be used; the text names file, line and remedy."""


@dataclass(frozen=True)
class Course:
    """One course: its people, and the port of its formgrader."""

    id: str
    port: int
    instructors: tuple[str, ...]
    students: tuple[Student, ...]
    folder: Path
    source: Path | None = None

    @property
    def grader(self) -> str:
        """The Linux account that owns the course and runs its formgrader."""
        return f"grader-{self.id}"

    @property
    def student_names(self) -> tuple[str, ...]:
        return tuple(student.username for student in self.students)


@dataclass(frozen=True)
class Settings:
    """Everything in course.yaml, with the defaults filled in."""

    path: Path
    address: str
    demo: bool
    hub_port: int
    proxy_port: int
    state: Path
    exchange: Path
    courses_folder: Path
    memory: str | None
    cpu: float | None
    idle_minutes: int
    courses: dict[str, Course]
    rosters: tuple[Path, ...] = field(default=())

    @property
    def people(self) -> frozenset[str]:
        """Everybody who may log in."""
        return frozenset(
            name for course in self.courses.values() for name in (*course.instructors, *course.student_names)
        )

    def groups_of(self, name: str) -> list[str]:
        """The hub's groups of a person: nbgrader's names, formgrade-COURSE and nbgrader-COURSE."""
        teaches = [f"formgrade-{course.id}" for course in self.courses.values() if name in course.instructors]
        return teaches + [f"nbgrader-{course.id}" for course in self.courses.values() if name in course.student_names]


def load(path: Path) -> Settings:
    """The settings in the file at `path`; SettingsError if they cannot be used."""
    path = path.resolve()
    try:
        text = path.read_text()
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read ({error.strerror}). Copy deploy/hub/course.yaml there and change it, or name "
            "another file in the environment variable COURSE_YAML."
        ) from None
    try:
        data = YAML().load(text)
    except MarkedYAMLError as error:
        line = (error.problem_mark or error.context_mark).line + 1
        raise SettingsError(f"{path.name} line {line}: {_yaml_problem(error)}") from None
    if not isinstance(data, dict):
        raise SettingsError(f"{path.name} line 1: expected keys such as `hub:` and `courses:`, found none.")
    checked = _Checked(path, data)
    checked.schema()
    checked.sense()
    return checked.settings()


def _yaml_problem(error: MarkedYAMLError) -> str:
    if str(error.problem).startswith("found duplicate key"):
        name = str(error.problem).split('"')[1]
        return f"`{name}` stands here a second time. Keep one of the two."
    return f"this is not YAML ({error.problem}). Look at the indentation, brackets and quotes here and just above."


class _Checked:
    """The file's data, and the line of each value."""

    def __init__(self, path: Path, data: Any) -> None:
        self.path = path
        self.data = data
        self.rosters: dict[str, list[Student]] = {}

    def line(self, where: tuple[str | int, ...]) -> int:
        """The line in which the value at `where` begins (its key's line, for values of a mapping)."""
        node: Any = self.data
        line = 1
        for step in where:
            where_is = node.lc.key if hasattr(node, "keys") else node.lc.item
            line = where_is(step)[0] + 1
            node = node[step]
        return line

    def refuse(self, where: tuple[str | int, ...], words: str) -> SettingsError:
        return SettingsError(f"{self.path.name} line {self.line(where)}: {words}")

    def schema(self) -> None:
        refusals = [self._refusal(error) for error in Draft202012Validator(SCHEMA).iter_errors(self.data)]
        if refusals:
            raise min(refusals, key=lambda one: one[:2])[2]

    def _refusal(self, error: ValidationError) -> tuple[bool, int, SettingsError]:
        """An error with its order: a misspelt key comes before the key that is missing because of it, then by line."""
        where = tuple(error.absolute_path)
        if error.validator == "additionalProperties":
            known = list(error.schema["properties"])
            name = next(key for key in error.instance if key not in known)
            where = (*where, name)
            near = difflib.get_close_matches(str(name), known, 1)
            words = f"unknown key `{name}`" + (
                f"; did you mean `{near[0]}`?" if near else f"; here stand: {', '.join(known)}."
            )
        elif error.validator == "required":
            name = next(key for key in error.validator_value if key not in error.instance)
            about = error.schema["properties"][name]
            about = SCHEMA["$defs"][about["$ref"].rpartition("/")[2]] if "$ref" in about else about
            words = f"`{name}` is missing{f' in `{where[-1]}`' if where else ''}; add it" + (
                f": {about['description']}." if "description" in about else "."
            )
        elif error.parent is not None or "propertyNames" in error.absolute_schema_path:
            where = (*where, error.instance)
            words = f"`{error.instance}` is not {error.schema['description']}."
        else:
            words = self._wrong_value(error, where)
        return error.validator != "additionalProperties", self.line(where), self.refuse(where, words)

    @staticmethod
    def _wrong_value(error: ValidationError, where: tuple[str | int, ...]) -> str:
        name = next((step for step in reversed(where) if isinstance(step, str)), "the file")
        seen = "nothing" if error.instance is None else f"`{json.dumps(error.instance, default=str)}`"
        if error.validator == "type" and error.validator_value == "string" and isinstance(error.instance, int | float):
            return f"`{name}` holds the number {error.instance}; put it in quotes to make it text."
        wanted = error.schema.get("description", f"of type {error.schema.get('type')}")
        if error.schema.get("type") == "object":
            wanted = f"further keys: {', '.join(error.schema.get('properties', ['one per course']))}"
        return f"`{name}` is {seen}, expected {wanted}."

    def sense(self) -> None:
        """Checks what a schema cannot: ports used twice, people in two places, missing files."""
        ports: dict[int, tuple[str | int, ...]] = {}
        for where, port in self._ports():
            if port in ports:
                raise self.refuse(
                    where, f"port {port} is already used in line {self.line(ports[port])}; choose another one."
                )
            ports[port] = where
        for name, course in self.data["courses"].items():
            self._people(("courses", name), course)

    def _ports(self) -> list[tuple[tuple[str | int, ...], int]]:
        hub = self.data["hub"]
        found: list[tuple[tuple[str | int, ...], int]] = []
        try:
            port = urlsplit(hub["address"]).port
        except ValueError:
            raise self.refuse(
                ("hub", "address"), f"the port in `{hub['address']}` is not between 1 and 65535."
            ) from None
        if port:
            found.append((("hub", "address"), port))
        given = hub.get("ports", {})
        found += [(("hub", "ports", name), port) for name, port in given.items()]
        found += [(("hub",), default) for name, default in (("hub", 8081), ("proxy", 8001)) if name not in given]
        return found + [(("courses", name, "port"), course["port"]) for name, course in self.data["courses"].items()]

    def _people(self, where: tuple[str | int, ...], course: Any) -> None:
        roster: list[Student] = []
        if "roster" in course:
            try:
                roster = read_roster(self.roster_path(course))
            except RosterError as error:
                raise self.refuse((*where, "roster"), str(error)) from None
        self.rosters[str(where[-1])] = roster
        listed = {student.username for student in roster}
        for kind in ("instructors", "students"):
            for index, name in enumerate(course.get(kind, [])):
                here = (*where, kind, index)
                if RESERVED.fullmatch(name):
                    raise self.refuse(here, f"`{name}` is an account of the machine; choose another user name.")
                if name in course[kind][:index]:
                    raise self.refuse(here, f"`{name}` is twice in `{kind}`; remove one.")
                if kind == "students" and name in course["instructors"]:
                    raise self.refuse(
                        here, f"`{name}` is an instructor of this course too; remove one, or use a second account."
                    )
        for name in course["instructors"]:
            if name in listed:
                words = f"`{name}` is an instructor of this course and a student in {course['roster']}; "
                raise self.refuse((*where, "roster"), words + "remove one of the two.")

    def roster_path(self, course: Any) -> Path:
        return self.path.parent / str(course["roster"])

    def settings(self) -> Settings:
        data, limits = self.data, self.data.get("limits", {})
        folders = {name: Path(value) for name, value in data["folders"].items()}
        ports = data["hub"].get("ports", {})
        courses = {}
        for name, course in data["courses"].items():
            students = {username: Student(username) for username in course.get("students", [])}
            students |= {student.username: student for student in self.rosters[name]}
            courses[name] = Course(
                id=name,
                port=course["port"],
                instructors=tuple(course["instructors"]),
                students=tuple(students.values()),
                folder=folders["courses"] / name,
                source=Path(course["source"]) if "source" in course else None,
            )
        return Settings(
            path=self.path,
            address=data["hub"]["address"],
            demo=data["hub"].get("accounts") == "demo",
            hub_port=ports.get("hub", 8081),
            proxy_port=ports.get("proxy", 8001),
            state=folders["state"],
            exchange=folders["exchange"],
            courses_folder=folders["courses"],
            memory=limits.get("memory"),
            cpu=limits.get("cpu"),
            idle_minutes=limits.get("idle_minutes", 60),
            courses=courses,
            rosters=tuple(self.roster_path(course) for course in data["courses"].values() if "roster" in course),
        )
