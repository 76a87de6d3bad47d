"""`autograder collect`: puts each student's files of a download into nbgrader's `submitted/`, or says what is missing.

nbgrader's own `zip_collect` (nbgrader/apps/zipcollectapp.py) is not used. It needs a fixed folder inside the course and
a regular expression, unpacks archives under their own names, silently takes the last of several notebooks, overwrites
earlier work, and merges students whose names match alike.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autograder import terminal
from autograder.class_list import Student
from autograder.collecting import archive, owners, roster
from autograder.collecting.archive import Entry, RefusedWork
from autograder.collecting.course import Course
from autograder.collecting.owners import Owner
from autograder.collecting.place import STAMP, Memory, Origin, digest, existing_files, timestamp_of
from autograder.collecting.submission import Submission, Work, submission
from autograder.errors import AutograderError
from autograder.selection import OF_NBGRADER, limits_of
from autograder.terminal.words import shown

NO_OWNER = "no student is named in its path: put it into a folder with the student's name"
UNKNOWN = "nobody in the roster is called that. Add the student to the class list ({how}), or {rename}"
IN_GRADEBOOK = "nbgrader db student add ID --first-name=… --last-name=…"
RENAME = "rename the file or folder"
RENAME_IN_ZIP = "unpack the zip, rename the file or folder, and collect the unpacked folder"
EMPTY = "{source} holds nothing to collect."
SEVERAL = "the roster has several who are called that ({ids}): put the file into a folder named by the right id"
REMEDY = "give a roster (--students), or put each into a folder named by the student's id"
SAME = "{others} would get the same id, {id}: {remedy}"
SAME_PERSON = "{others} are the same student, {id}: delete the one that does not count, then collect again"
OTHER_BEFORE = "{id} was collected before from somebody else ({label}): {remedy}"
OTHER_CASE = "the course has {there} already, which differs only in capital letters: rename one of them"
NO_ID = "no id can be made of this name: rename the file or give a roster (--students)"
NO_TIME = "other work is there already and its time is not known: --replace puts this in its place and keeps the other"
NOT_OLDER = "other work is there already, of {time}, and that is not older; --replace takes this one"
KEPT = "the work before it is kept in {where}"
CAPPED = (
    "Dated after the due date: {count}. Downloads carry the time of the download, so this counts as handed in on the "
    "due date. If these are the times of handing in: --trust-times."
)
ON_DUE_DATE = "now dated on the due date, which was set after it was collected"
PLACED, REPLACED, AS_BEFORE, NEEDS = "placed", "replaced", "as before", "NEEDS YOU"


@dataclass
class Options:
    """The options of the command line; `students` is the path of a class list."""

    students: Path | None = None
    dry_run: bool = False
    replace: bool = False
    trust_times: bool = False


class Collection:
    """One run of `autograder collect`. `tell(outcome, who, text)` is called once for each owner of files."""

    def __init__(self, course: Course, options: Options, tell: Callable[[str, str, str], None]) -> None:
        self.course, self.options, self._tell = course, options, tell
        self.limits = limits_of(course.coursedir)
        self.memory = Memory(course.submitted, course.assignment)
        self.count: Counter[str] = Counter()
        self.capped = 0
        self.again: list[str] = []
        self.rename = RENAME
        self.due: datetime | None = None
        self.people: list[Student] = []
        self.before: set[str] = set()
        with course.gradebook() as gradebook:
            if gradebook is not None:
                self.people = roster.from_gradebook(gradebook)
                self.due = roster.due(gradebook, course.assignment)
        if options.students:
            self.people = roster.from_csv(options.students)

    def run(self, source: Path) -> None:
        """Collects from the folder or zip `source`; AutograderError if it cannot be read or is empty."""
        self.memory.tidy()
        entries = archive.entries(source, self.limits.file)
        if not entries:
            raise AutograderError(EMPTY.format(source=source))
        self.rename = RENAME if source.is_dir() else RENAME_IN_ZIP
        work = self._owners(entries)
        self.before = self.course.students_in(self.course.coursedir.submitted_directory)
        ids = {owner: self._student(owner) for owner in work}
        taken: dict[str, list[Owner]] = defaultdict(list)
        for owner, (student, _) in ids.items():
            taken[student.casefold()].append(owner)
        for owner, files in sorted(work.items(), key=lambda item: item[0].label.casefold()):
            student, why = ids[owner]
            others = [_label(o) for o in taken[student.casefold()] if o != owner]
            if not why and others:
                sentence = SAME_PERSON if self.people else SAME
                why = sentence.format(others=" and ".join([_label(owner), *others]), id=student, remedy=REMEDY)
            try:
                if why:
                    raise RefusedWork(why)
                self._place(student, files)
            except RefusedWork as error:
                self.say(NEEDS, shown(owner.label), str(error))

    def say(self, outcome: str, who: str, text: str = "") -> None:
        """Reports one outcome and counts it."""
        self.count[outcome] += 1
        self._tell(outcome, who, text)

    def _owners(self, entries: list[Entry]) -> dict[Owner, Work]:
        assignment, names = self.course.assignment, [known.name for known in self.course.notebooks]
        depth = owners.shared_folders([entry.parts for entry in entries], assignment, names)
        found: dict[Owner, Work] = {}
        for entry in entries:
            part = owners.owned(entry.parts[depth:], assignment, names)
            if part.owner is None or entry.problem == archive.ODD_NAME:
                self.say(NEEDS, entry.shown, entry.problem or NO_OWNER)
            else:
                found.setdefault(part.owner, Work(part.owner)).entries.append((entry, part))
        return found

    def _student(self, owner: Owner) -> tuple[str, str]:
        """The student's id, and why the work cannot be placed under it ("" if it can)."""
        if self.people:
            found = roster.find(owner, self.people)
            if len(found) == 1:
                return found[0].id, ""
            if found:
                return f"?{owner}", SEVERAL.format(ids=", ".join(shown(p.id) for p in found))
            how = str(self.options.students or IN_GRADEBOOK)
            return f"?{owner}", UNKNOWN.format(how=how, rename=self.rename)
        student = roster.safe_id(owner.label)
        if not student:
            return f"?{owner}", NO_ID
        if owner.label in self.before:
            return owner.label, ""
        if student not in self.before and (same := [s for s in self.before if s.casefold() == student]):
            return student, OTHER_CASE.format(there=same[0])
        before = self.memory.origins.get(student)
        if (
            before
            and before.system == owner.system
            and (before.number or before.label) != (owner.number or owner.label)
        ):
            return student, OTHER_BEFORE.format(id=student, label=shown(before.label), remedy=REMEDY)
        return student, ""

    def _place(self, student: str, work: Work) -> None:
        made = submission(work, self.course.notebooks, self.course.assignment, self.limits)
        final = self.course.folder(self.course.coursedir.submitted_directory, student)
        who = student if student == work.owner.label else f"{student} ({shown(work.owner.label)})"
        owner, seen, new_digest = work.owner, made.time.isoformat() if made.time else "", digest(made.files)
        origin = Origin(owner.system, owner.label, owner.number, work.prefix, made.names, seen, new_digest)
        stamp = self._stamp(made.time, work.late)
        exists = final.is_dir()
        if exists and not self._newer(student, final, made, new_digest):
            before = timestamp_of(final)
            dated = stamp is not None and stamp == self.due and before is not None and before > stamp
            if dated:  # the due date was set after the work was collected
                self.again.append(student)
            if not self.options.dry_run:
                self.memory.recollected(student, final, origin)
                if dated:
                    (final / "timestamp.txt").write_text(f"{stamp:{STAMP}}\n", encoding="utf-8")
            self.say(AS_BEFORE, who, ON_DUE_DATE if dated else "")
            return
        if exists and (stamp is None or stamp <= (timestamp_of(final) or stamp)):
            self.again.append(student)
        if stamp:
            made.files["timestamp.txt"] = f"{stamp:{STAMP}}\n".encode()
        kept = "" if self.options.dry_run else self.memory.place(student, made.files, final, origin)
        notes = [KEPT.format(where=Path(kept).relative_to(self.course.root))] if kept else []
        self.say(
            REPLACED if exists else PLACED, who, "; ".join([*map(shown, made.names.values()), *made.notes, *notes])
        )

    def _newer(self, student: str, final: Path, made: Submission, new_digest: str) -> bool:
        """Whether `made` replaces the work that is there; False if both are the same, RefusedWork if it must not."""
        existing = existing_files(final, self.limits.file)
        if digest({name: data for name, data in existing.items() if name not in OF_NBGRADER}) == new_digest:
            return False
        if self.options.replace:
            return True
        before = self.memory.origins.get(student)
        known = (before.time if before else None) or timestamp_of(final)
        if known is None or made.time is None:
            raise RefusedWork(NO_TIME)
        if made.time <= known:
            raise RefusedWork(NOT_OLDER.format(time=f"{known:{STAMP}}"))
        return True

    def _stamp(self, time: datetime | None, late: bool) -> datetime | None:
        """The time of handing in. A file's time may be that of the download, so at most the due date is taken.

        Work that Canvas marks LATE keeps its time, and so does all work with --trust-times.
        """
        if time and self.due and time > self.due and not late and not self.options.trust_times:
            self.capped += 1
            return self.due
        return time


def main(source: Path, assignment: str, options: Options) -> int:
    """Runs the command. Returns the exit status: 1 if some files need the instructor, 130 after Ctrl-C, else 0."""

    def tell(outcome: str, who: str, text: str) -> None:
        terminal.tell(f"{outcome:<10}  {who}{': ' if text else ''}{text}")

    run = Collection(Course(assignment), options, tell)
    try:
        run.run(source)
    except KeyboardInterrupt:
        terminal.tell("\nStopped. What is named above is in place, whole. Run the same command again for the rest.")
        return 130
    terminal.tell("\n" + "\n".join(_summary(run)))
    return 1 if run.count[NEEDS] else 0


def _summary(run: Collection) -> list[str]:
    name, count = run.course.assignment, run.count
    dry = "Nothing was written (--dry-run). It would be: " if run.options.dry_run else ""
    done = ", ".join(f"{count[outcome]} {outcome}" for outcome in (PLACED, REPLACED, AS_BEFORE))
    out = [f"{dry}{name}: {done}; {count[NEEDS]} {'needs' if count[NEEDS] == 1 else 'need'} you."]
    out += [CAPPED.format(count=run.capped)] if run.capped else []
    if not run.options.dry_run and (count[PLACED] or count[REPLACED] or run.again):
        out.append(f"Next: nbgrader autograde {name}")
        # nbgrader compares the times of handing in: without --force it would keep the old grade and the old page.
        for command in ("autograde", "generate_feedback"):
            out += [f"      nbgrader {command} {name} --student={student} --force" for student in run.again]
    return out


def _label(owner: Owner) -> str:
    return f"{shown(owner.label)} ({shown(owner.number)})" if owner.number else shown(owner.label)
