"""Saves what graders have graded: first the rows of several submissions in one transaction, then each one's folder.

A folder in its place says that a submission is graded, so it is put there last, by renaming. If a person has changed a
student's rows while the student was graded, nothing of that is saved, and it is graded again.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from autograder.batch import rows
from autograder.batch.pool import Order
from autograder.rooms import gradebook_errors
from autograder.sandbox import folders

Graded = tuple[Order, Mapping[str, Any]]
"""An order and what the grader has said."""


@dataclass
class Outcome:
    """What came of saving."""

    saved: list[Graded] = field(default_factory=list)
    changed: list[Order] = field(default_factory=list)
    """A person has changed what the gradebook has of them."""
    refused: list[tuple[Order, str]] = field(default_factory=list)
    """The gradebook does not take them, and why."""


class Saving:
    """For one run of `converter`; `dry` saves nothing. `end` must be called in any case."""

    def __init__(self, converter: Any, assignment: str, *, dry: bool = False) -> None:
        self._courses, self._assignment, self._dry = converter.coursedir, assignment, dry
        self._graded = converter.coursedir.autograded_directory
        folders.remove(str(self._folder(self._aside())))  # left by a run that was killed

    def end(self) -> None:
        folders.remove(str(self._folder(self._aside())))

    def _aside(self, token: str = "") -> str:
        """Where graded work lies before it is put in place, as nbgrader names folders; on the same disk, and hidden."""
        whose = hashlib.sha256(self._assignment.encode()).hexdigest()[:8]
        folder, name = os.path.split(self._graded)
        return os.path.join(folder, f".{name}-{whose}", token)

    def _folder(self, step: str, student: str = ".") -> Path:
        where = "." if student == "." else self._assignment
        return Path(os.path.normpath(self._courses.format_path(step, student, where)))

    def in_place(self, order: Order) -> Path:
        """The folder of the submission's graded work."""
        return self._folder(self._graded, order["student"])

    def made(self, order: Order, said: Mapping[str, Any]) -> Path:
        """The folder in which a grader has put it."""
        return self._folder(said["into"], order["student"])

    def fresh(self, gradebook: Gradebook, order: Order) -> Order:
        """The order with what the gradebook has of the student now, and a folder that no earlier try has used."""
        known = rows.of_student(gradebook.db.connection(), order["assignment"], order["student"])
        return {**order, "rows": known, "into": self._aside(uuid.uuid4().hex), "tries": order.get("tries", 0) + 1}

    def save(self, gradebook: Gradebook, graded: Sequence[Graded]) -> Outcome:
        """Saves the rows of all; one after the other if the gradebook does not take them together.

        The database's own error if it cannot be written at all.
        """
        if self._dry:
            return Outcome(saved=list(graded))
        try:
            return self._save(gradebook, graded)
        except (SQLAlchemyError, ValueError) as error:  # ValueError: a driver's, of text that no column can hold
            gradebook.db.rollback()
            if gradebook_errors.of_everybody(error):
                raise
            if len(graded) == 1:
                why = gradebook_errors.NOT_TAKEN.format(why=gradebook_errors.why(error))
                return Outcome(refused=[(graded[0][0], why)])
        whole = Outcome()
        for one in graded:
            part = self.save(gradebook, [one])
            whole.saved += part.saved
            whole.changed += part.changed
            whole.refused += part.refused
        return whole

    def _save(self, gradebook: Gradebook, graded: Sequence[Graded]) -> Outcome:
        outcome = Outcome()
        connection: Connection = gradebook.db.connection()
        for order, said in graded:
            if rows.of_student(connection, self._assignment, order["student"]) != order["rows"]:
                outcome.changed.append(order)
                continue
            rows.save(connection, order["rows"], said["rows"])
            outcome.saved.append((order, said))
        gradebook.db.commit()
        return outcome

    def put_in_place(self, order: Order, said: Mapping[str, Any]) -> None:
        """Renames the folder of graded work; one that could not be graded leaves none, as with nbgrader."""
        made, place, aside = self.made(order, said), self.in_place(order), self._folder(order["into"])
        if not self._dry:
            if place.exists():
                aside.mkdir(parents=True, exist_ok=True)
                os.replace(place, aside / "before")
            if made.exists():
                self._make(place.parent)
                os.replace(made, place)
        self.discard(order)

    def discard(self, order: Order) -> None:
        """Removes what a grader has left."""
        folders.remove(str(self._folder(order["into"])))

    def _make(self, folder: Path) -> None:
        """A student's folder, with the permissions that nbgrader gives it."""
        folder.mkdir(parents=True, exist_ok=True)
        for one in (folder, self._folder(self._graded)) if self._courses.groupshared else ():
            mode = one.stat().st_mode
            if mode & 0o2770 != 0o2770:
                one.chmod((mode | 0o2770) & 0o2777)
