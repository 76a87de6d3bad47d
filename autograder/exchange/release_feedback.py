"""Releases feedback page by page: if a page cannot be released, the student is named and the others get theirs.

The name of a page in the exchange depends on a secret that was handed in with the work. Work that did not come through
the exchange (but by `autograder collect` or by hand) has no secret, so its page must be sent in another way.
"""

from __future__ import annotations

import glob
import os
import re
import secrets
from collections import defaultdict

from nbgrader.exchange.default import ExchangeReleaseFeedback
from nbgrader.utils import notebook_hash

from autograder.errors import AutograderError
from autograder.exchange.atomic import FULL, STOPPED, ExplainedErrors, no_space
from autograder.exchange.root import ClosedRoot
from autograder.rooms import alone, gradebook_lock

NOT_RELEASED = "%s: no page was released, because %s. %s"
NONE_RELEASED = "No page was released for %d students, because %s. %s They are: %s."
SEND = "Send the page: `autograder feedback {assignment}` makes a file for each such student."
# Each reason as it is said of one student and of several.
NO_SECRET = (
    "this work did not come through the exchange (it has no submission_secret.txt)",
    "their work did not come through the exchange (it has no submission_secret.txt)",
)
BAD_SECRET = (
    "the secret in {path} cannot be used",
    "the secret in submission_secret.txt beside the page cannot be used",
)
SAME_SECRET = "they handed in with the same secret, and one would read the other's page"
CANNOT_COPY = "the page cannot be copied ({why})"
NO_PAGE = "%s: there is no feedback page yet. Run `nbgrader autograde %s` and `nbgrader generate_feedback %s` first."
NOTHING = (
    "There are no feedback pages for {assignment}{student}: nothing was released. "
    "Run `nbgrader generate_feedback {assignment}` first."
)
SUMMARY = "Feedback on {assignment}: released to {served} of {count} students. The lines above name who got none."
_SECRET = re.compile(r"\S{16,512}")


class ReleaseFeedback(ClosedRoot, ExplainedErrors, ExchangeReleaseFeedback):  # type: ignore[misc]  # nbgrader ships no types
    """Releases every page that its student can find; fails after the last page if some could not be released."""

    def copy_files(self) -> None:
        """Releases the pages, each in one step, while no other run writes them: none is released half-written."""
        lock = alone.Alone(self, self.coursedir.assignment_id, alone.RELEASING)
        try:
            lock.begin(gradebook_lock.patience_of(self.config))
            self._release_all()
        finally:
            lock.end()

    def _release_all(self) -> None:
        assignment = self.coursedir.assignment_id
        pages = self._pages()
        if not pages:
            only = "" if self.coursedir.student_id in ("", "*") else f" and {self.coursedir.student_id}"
            self.fail(NOTHING.format(assignment=assignment, student=only))
        reasons: dict[str, UnusablePage] = {}
        known: dict[str, str] = {}
        for student, files in pages.items():
            try:
                known[student] = _secret(os.path.dirname(files[0]))
            except UnusablePage as error:
                reasons[student] = error
        for student, why in _shared(known).items():
            reasons[student] = why
            del known[student]
        for student, secret in known.items():
            try:
                self._release(student, pages[student], secret)
            except OSError as error:
                if no_space(error):
                    raise
                reasons[student] = UnusablePage(CANNOT_COPY.format(why=error.strerror or error))
        self._tell(reasons, SEND.format(assignment=assignment))
        if missing := sorted(self._submitted() - set(pages)):
            self.log.warning(NO_PAGE, ", ".join(missing), assignment, assignment)
        if reasons:
            self.fail(SUMMARY.format(assignment=assignment, served=len(pages) - len(reasons), count=len(pages)))

    def _tell(self, reasons: dict[str, UnusablePage], send: str) -> None:
        """Logs a line for each reason rather than for each student, because a whole class may have the same one."""
        alike: dict[tuple[str, str], list[str]] = defaultdict(list)
        for student, why in sorted(reasons.items()):
            alike[why.of_several, why.group].append(student)
        for (of_several, _), students in alike.items():
            if len(students) > 1:
                self.log.warning(NONE_RELEASED, len(students), of_several, send, ", ".join(students))
            else:
                self.log.warning(NOT_RELEASED, students[0], reasons[students[0]], send)

    def _pages(self) -> dict[str, list[str]]:
        """The generated pages by student."""
        found = defaultdict(list)
        for student, folder in self._folders(self.coursedir.feedback_directory):
            for page in sorted(glob.glob(os.path.join(glob.escape(folder), "*.html"))):
                found[student].append(page)
        return dict(sorted(found.items()))

    def _submitted(self) -> set[str]:
        return {
            s for s, f in self._folders(self.coursedir.submitted_directory) if glob.glob(glob.escape(f) + "/*.ipynb")
        }

    def _folders(self, step: str) -> list[tuple[str, str]]:
        coursedir = self.coursedir
        pattern = coursedir.format_path(step, "(?P<student>.*)", coursedir.assignment_id, escape=True)
        excluded = set((coursedir.student_id_exclude or "").split(","))
        folders = glob.glob(coursedir.format_path(step, coursedir.student_id or "*", coursedir.assignment_id))
        named = [(match["student"], folder) for folder in folders if (match := re.fullmatch(pattern, folder))]
        return [(student, folder) for student, folder in named if student not in excluded and os.path.isdir(folder)]

    def _release(self, student: str, pages: list[str], secret: str) -> None:
        for page in pages:
            notebook = os.path.basename(page).removesuffix(".html")
            final = os.path.join(self.dest_path, f"{notebook_hash(secret=secret, notebook_id=notebook)}.html")
            aside = f"{final}-{secrets.token_hex(4)}.tmp"
            try:
                with open(page, "rb") as source, open(aside, "wb") as out:
                    out.write(source.read())
                os.chmod(aside, 0o664 if self.coursedir.groupshared else 0o644)
                os.replace(aside, final)
            finally:
                if os.path.lexists(aside):
                    os.unlink(aside)
            self.log.info(
                "Releasing feedback for student '%s' on '%s/%s': %s",
                student,
                self.coursedir.assignment_id,
                notebook,
                final,
            )

    def explanation(self, error: Exception) -> str:
        """What an instructor reads."""
        return STOPPED.format(
            what=f"The feedback on {self.coursedir.assignment_id} was NOT released to everybody",
            why=FULL.format(where=f"the exchange ({self.root})") if no_space(error) else error,
            kept="Nothing is lost: the pages are in the course's feedback folder; what was released before still is.",
            next="Make space there, then release again." if no_space(error) else "Release again.",
        )


class UnusablePage(AutograderError):
    """Why a page is not released, worded for one student and for several; each `group` gets a line of its own."""

    def __init__(self, why: str, of_several: str = "", group: str = "") -> None:
        super().__init__(why)
        self.of_several, self.group = of_several or why, group


def _secret(folder: str) -> str:
    path = os.path.join(folder, "submission_secret.txt")
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(1000)
    except FileNotFoundError:
        raise UnusablePage(*NO_SECRET) from None
    except (OSError, UnicodeDecodeError):
        raise UnusablePage(BAD_SECRET[0].format(path=path), BAD_SECRET[1]) from None
    if not _SECRET.fullmatch(text.strip()):
        raise UnusablePage(BAD_SECRET[0].format(path=path), BAD_SECRET[1])
    return text


def _shared(known: dict[str, str]) -> dict[str, UnusablePage]:
    """Students with the same secret, because one passed the folder on: each could read the other's page."""
    owners: dict[str, list[str]] = defaultdict(list)
    for student, secret in known.items():
        owners[secret.strip()].append(student)
    return {
        student: UnusablePage(SAME_SECRET, group=secret)
        for secret, students in owners.items()
        if len(students) > 1
        for student in students
    }
