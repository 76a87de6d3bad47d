"""Selects from one student's files the assignment's notebooks, whatever their names, and the other files to keep.

Of these the limits are those of `nbgrader collect` (`autograder.selection`): notebooks first, then the files in order.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from autograder.at_home.notebook import ORIGINAL
from autograder.collecting import archive
from autograder.collecting.archive import Entry, RefusedWork
from autograder.collecting.notebooks import Known, recognise
from autograder.collecting.owners import CANVAS, Owned, Owner
from autograder.selection import OF_NBGRADER, Budget, Limits
from autograder.terminal.words import shown

NO_NOTEBOOK = "there is no notebook of {assignment} ({found}). Ask for {wanted}"
ONLY_TYPED = "text was typed in, no file handed in"
TWO = "there are two notebooks {name}.ipynb ({files}): delete the one that does not count, then collect again"
PART = "{name}.ipynb is missing"
LEFT_OUT = "left out: {what}"
MORE = "and {count} more"
LATE = "Canvas marks it LATE"
TOO_BIG = "the notebooks are larger than {most:.0f} MB together"
ODD_NAME = "its name cannot be kept"
IN_FILE = "it lies in a folder that has a file's name"
DEEP_ZIP = "a zip within a zip is not opened"
_RESERVED = ("con", "prn", "aux", "nul")
_MOST_SAID = 10
_MOST_BYTES = 255
"""Most bytes of one name on common file systems."""


@dataclass
class Work:
    """All files of one owner, each with what its path says."""

    owner: Owner
    entries: list[tuple[Entry, Owned]] = field(default_factory=list)

    @property
    def late(self) -> bool:
        return any(part.late for _, part in self.entries)

    @property
    def typed(self) -> bool:
        return all(part.typed for _, part in self.entries)

    @property
    def prefix(self) -> str:
        return next((part.prefix for _, part in self.entries if not part.typed), "")


@dataclass
class Submission:
    """What will be put into the course: files by relative path, the notebooks' original names, the time when the latest
    was written, and notes for the instructor."""

    files: dict[str, bytes]
    names: dict[str, str]
    time: datetime | None
    notes: list[str]


def submission(work: Work, known: list[Known], assignment: str, limits: Limits) -> Submission:
    """What the owner handed in for the assignment, whose notebooks are `known`; RefusedWork if it cannot be used."""
    notebooks, others, refused = _sorted(work, known, assignment, limits)
    budget = Budget(limits)
    files: dict[str, bytes] = {}
    names: dict[str, str] = {}
    times: list[datetime] = []
    for name, found in notebooks.items():
        entry, part, data = _counting_file(name, found)
        files[f"{name}.ipynb"] = data
        budget.refuses(len(data))
        names[name] = part.prefix + part.rest[-1] if part.owner and part.owner.system == CANVAS else part.rest[-1]
        times += [entry.time] if entry.time else []
    graded = [k.name for k in known if k.graded]
    if not any(name in names for name in graded):
        handed_in = ", ".join(shown(part.rest[-1] if part.rest else entry.name) for entry, part in work.entries)
        said = ONLY_TYPED if work.typed else "; ".join(_abridged(refused)) or handed_in
        wanted = " and ".join(f"{name}.ipynb" for name in graded)
        raise RefusedWork(NO_NOTEBOOK.format(assignment=assignment, found=said, wanted=wanted))
    # One name cannot be both a file and a folder. Some file systems ignore case.
    taken = {name.casefold() for name in (*files, *others, *OF_NBGRADER)}
    for relative in sorted(others, key=_place):
        if any(str(folder).casefold() in taken for folder in PurePosixPath(relative).parents):
            refused.append(f"{shown(relative)}: {IN_FILE}")
        elif why := budget.refuses(others[relative].size):
            refused.append(f"{shown(relative)}: {why}")
        else:
            try:
                files.setdefault(relative, archive.read(others[relative]))
            except RefusedWork as error:
                refused.append(f"{shown(relative)}: {error}")
    notes = [PART.format(name=name) for name in graded if name not in names]
    notes += [LEFT_OUT.format(what=what) for what in _abridged(refused)] + ([LATE] if work.late else [])
    return Submission(files, names, max(times, default=None), notes)


def _sorted(
    work: Work, known: list[Known], assignment: str, limits: Limits
) -> tuple[dict[str, list[tuple[Entry, Owned, bytes]]], dict[str, Entry], list[str]]:
    """The notebooks by the course's name for them, other files by path, and a sentence for each file left out."""
    notebooks: dict[str, list[tuple[Entry, Owned, bytes]]] = defaultdict(list)
    others: dict[str, Entry] = {}
    refused: list[str] = []
    total = 0
    opened = [(entry, part, _path(entry, part)) for entry, part in _opened(work, limits, refused)]
    inside = {path for _, _, path in opened}
    for entry, part, path in opened:
        if part.typed or path.name.casefold() in OF_NBGRADER or _is_no_work(path, inside, limits):
            continue
        try:
            if entry.problem:
                raise RefusedWork(entry.problem)
            if path.suffix.casefold() == ".ipynb":
                total += entry.size
                if total > 2 * limits.folder:  # stop before the notebooks fill the memory
                    raise RefusedWork(TOO_BIG.format(most=limits.folder / 1e6))
                data = archive.read(entry)
                notebooks[recognise(data, path.name, known, assignment).name].append((entry, part, data))
            elif _is_allowed(path):
                others[path.as_posix()] = entry
            else:
                refused.append(f"{shown(path.name)}: {ODD_NAME}")
        except RefusedWork as error:
            refused.append(f"{shown(path.name)}: {error}")
    return notebooks, others, refused


def _path(entry: Entry, part: Owned) -> PurePosixPath:
    return PurePosixPath(*part.rest) if part.rest else PurePosixPath(entry.name)


def _place(relative: str) -> tuple[tuple[bool, str], ...]:
    """Sorts the files of a folder before the folders in it, each by name."""
    *folders, name = PurePosixPath(relative).parts
    return (*((True, folder) for folder in folders), (False, name))


def _is_no_work(path: PurePosixPath, inside: set[PurePosixPath], limits: Limits) -> bool:
    """Whether the file lies in the untouched notebooks of the student kit, or in a folder of programs."""

    def of_programs(folder: PurePosixPath) -> bool:
        return limits.holds_programs(folder.name, lambda name: folder / name in inside)

    return ORIGINAL in path.parts[:-1] or any(map(of_programs, list(path.parents)[:-1]))


def _opened(work: Work, limits: Limits, refused: list[str]) -> list[tuple[Entry, Owned]]:
    """The owner's files, with each zip replaced by the files in it."""
    out: list[tuple[Entry, Owned]] = []
    for entry, part in work.entries:
        name = part.rest[-1] if part.rest else entry.name
        if not name.casefold().endswith(".zip") or part.typed:
            out.append((entry, part))
            continue
        try:
            inner = archive.inside(entry, limits.file)
        except RefusedWork as error:
            refused.append(f"{shown(name)}: {error}")
            continue
        around = 0
        while inner and all(len(e.parts) > around + 1 for e in inner) and len({e.parts[around] for e in inner}) == 1:
            around += 1
        for found in inner:
            if found.name.casefold().endswith(".zip"):
                refused.append(f"{found.shown}: {DEEP_ZIP}")
            else:
                out.append((found, Owned(part.owner, found.parts[around:], part.prefix, part.late, part.order)))
    return out


def _counting_file(name: str, found: list[tuple[Entry, Owned, bytes]]) -> tuple[Entry, Owned, bytes]:
    """The notebook that counts: of Canvas's numbered files the last; else RefusedWork if two of them differ."""
    if len({data for _, _, data in found}) > 1:
        owner = found[0][1].owner
        numbered = owner is not None and owner.system == CANVAS and len({p.order for _, p, _ in found}) == len(found)
        if not numbered:
            raise RefusedWork(TWO.format(name=name, files=", ".join(shown("/".join(p.rest)) for _, p, _ in found)))
    return max(found, key=lambda one: one[1].order)


def _abridged(said: list[str]) -> list[str]:
    """At most `_MOST_SAID` of the sentences: a student may hand in an environment with thousands of files."""
    rest = len(said) - _MOST_SAID
    return [*said[:_MOST_SAID], MORE.format(count=rest)] if rest > 0 else said


def _is_allowed(path: PurePosixPath) -> bool:
    """Whether a file that is not a notebook can keep its path: valid on Windows too, and not hidden."""
    return len(path.parts) <= 5 and all(
        part.isprintable()
        and not part.startswith(".")
        and part == part.strip(" .")
        and not set(part) & set('<>:"\\|?*')
        and part.partition(".")[0].casefold() not in _RESERVED
        and len(part) <= 100
        and len(part.encode()) <= _MOST_BYTES
        for part in path.parts
    )
