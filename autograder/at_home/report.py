"""The report of `autograder check`: a line for each question, cells that stopped, what to mend before handing in."""

from __future__ import annotations

import re
import shutil
import textwrap
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from autograder import messages
from autograder.at_home import hand_in, imports
from autograder.at_home.fresh_run import SECONDS, Outcome
from autograder.at_home.notebook import (
    FROM_COURSE,
    FROM_ORIGINAL,
    ORIGINAL,
    Cell,
    Notebook,
    graded_beside,
    is_graded,
)

_UNANSWERED = ("UNANSWERED", "BLANK", "PLACEHOLDER")
"""Names (in `autograder.messages`) of what a check says about a question without an answer."""
RIGHT, WRONG, UNANSWERED = "right", "not right", "not answered"
UNSEEN, PERSON = "not looked at", "read by a person"
HEAD = (
    "{name}, run in a fresh Python from top to bottom. It was saved {ago}: what you changed after that is not in the "
    "file. To save, press Ctrl+S."
)
NO_CHECKS = "Nothing in {name} is graded.{others}"
CHECK_OTHER = " Check {names}."
TALLY = "Right at the checks that you can see: {right} of {count} questions."
HIDDEN = "The hidden points are not looked at here; full marks need them too."
SEND = "The file to send: {path}"
SEND_RENAMED = "The file to send, when you have renamed it: {path}"
SEND_PACKED = (
    "The notebook needs {files} as well. This puts all of it into one file to send:\n"
    "  autograder pack {path} --name YOUR-NAME"
)
STOPPED = "Cells of yours that stopped:"
BEFORE = "Before you hand in:"
CREDIT = "The check gives {credit:g} of {points:g} points."
BLANK = "{cell} still says `raise NotImplementedError()`: write your answer there."
TEST_FAILED = "A test failed, in line {line}: {text}"
TEST_STOPPED = "A test stopped with {error}, in line {line}: {text}"
CHECK_LOST = "Its check is missing from the notebook. {remedy}"
CHECK_STOPPED = "The check itself stopped with {error}: {text}. Are the read-only cells above it still there?"
NOT_RUN = "Python had ended before its check."
TOO_LONG = "It took longer than {seconds} seconds; the grader stops it then. Look for a loop that does not end."
DIED = "This cell ended Python itself (out of memory, exit() or the like). Nothing below it was run."
ORDER_BELOW = "{name} gets its value further down, {where}: a cell can only use what cells above it define."
ORDER_GONE = "No cell defines {name}: the cell that did was deleted or changed after it was run."
WORKED_BEFORE = (
    "It worked when you ran it, but it does not from top to bottom: look for something that a cell below it, or a "
    "deleted cell, gave it."
)


@dataclass(frozen=True)
class Question:
    """One line of the report."""

    name: str
    title: str
    verdict: str
    text: str = ""


@dataclass(frozen=True)
class Report:
    """Everything that `autograder check` says about a notebook."""

    notebook: Notebook
    questions: tuple[Question, ...]
    stopped: tuple[tuple[str, str], ...]
    before: tuple[str, ...]
    modules: tuple[str, ...]
    name: str
    """The name that the file must have when it is handed in."""
    others: tuple[str, ...] = ()
    """The names of graded notebooks in the same folder, if this one is not graded."""

    @property
    def passed(self) -> bool:
        """Whether `autograder check` exits with 0: every question is right or read by a person."""
        if not self.questions:  # the examples have no checks, but their cells can stop with an error
            return not self.before and not self.stopped
        return all(q.verdict in (RIGHT, PERSON) for q in self.questions)

    def lines(self) -> list[str]:
        """The report as printed, wrapped to the terminal's width."""
        path = self.notebook.path
        out = [*_fill(HEAD.format(name=path.name, ago=_ago(path))), ""]
        width = min(50, max((len(q.title) for q in self.questions), default=0))
        for question in self.questions:
            out.append(f"  {textwrap.shorten(question.title, width, placeholder=' …'):<{width}}   {question.verdict}")
            out += _fill(question.text, "      ")
        for heading, entries in ((STOPPED, self.stopped), (BEFORE, [(text, "") for text in self.before])):
            if entries:
                out += ["", heading]
            for text, source in entries:
                out += _fill(text, "  - ", "    ")
                out += [f"        {source}"] if source else []
        out.append("")
        count = [q.verdict for q in self.questions if q.verdict != PERSON]
        right = count.count(RIGHT)
        others = CHECK_OTHER.format(names=" or ".join(self.others)) if self.others else ""
        none = NO_CHECKS.format(name=path.name, others=others)
        out += _fill(f"{TALLY.format(right=right, count=len(count))} {HIDDEN}" if self.questions else none)
        if self.questions:
            quoted = f'"{path}"' if " " in str(path) else path
            packed = SEND_PACKED.format(files=", ".join(self.modules), path=quoted)
            send = SEND if path.name == self.name else SEND_RENAMED
            out += ["", packed if self.modules else send.format(path=path.resolve().with_name(self.name))]
        return out


def report(notebook: Notebook, original: Notebook | None, outcomes: list[Outcome]) -> Report:
    """The report on a notebook that was run with these `outcomes`; `original` is the kit's untouched copy, if any."""
    by_cell = {outcome.cell.number: outcome for outcome in outcomes}
    remedy = FROM_ORIGINAL.format(original=f"{ORIGINAL}/{original.path.name}") if original else FROM_COURSE
    graded = is_graded(notebook, original)
    return Report(
        notebook=notebook,
        questions=tuple(_questions(notebook, original, by_cell, remedy)),
        stopped=tuple(_stopped_cells(notebook, outcomes)),
        before=tuple(hand_in.problems(notebook, original, remedy)) if graded else (),
        modules=imports.modules(notebook),
        name=hand_in.name_for(notebook, original),
        others=() if graded else graded_beside(notebook.path),
    )


def _questions(
    notebook: Notebook, original: Notebook | None, by_cell: dict[int, Outcome], remedy: str
) -> list[Question]:
    course = original or notebook
    out = []
    for wanted, title in _titles(course).items():
        name = wanted.removesuffix("-check")
        copies = notebook.named(wanted)
        if not copies:
            out.append(Question(name, title, UNSEEN, CHECK_LOST.format(remedy=remedy)))
        elif copies[-1].for_a_person:
            out.append(Question(name, title, PERSON))
        elif outcome := by_cell.get(copies[-1].number):
            above = [by_cell[c.number] for c in notebook.cells[: copies[-1].number] if c.answer and c.number in by_cell]
            out.append(Question(name, title, *_verdict(outcome, above[-1] if above else None)))
        else:
            out.append(Question(name, title, UNSEEN, NOT_RUN))
    return out


def _titles(course: Notebook) -> dict[str, str]:
    """The cells that the report has a line for, each with the heading above it; without one, or below one that other
    such cells share, with its name.
    """
    headings: dict[str, str] = {}
    heading = ""
    for cell in course.cells:
        heading = heading if cell.answer else cell.title or heading
        if cell.for_a_person or (cell.test and not cell.name.endswith("-hidden")):
            headings[cell.name] = heading
    shared = Counter(headings.values())
    return {
        name: f"{title} ({name})" if shared[title] > 1 and title else title or name.removesuffix("-check")
        for name, title in headings.items()
    }


def _verdict(outcome: Outcome, answer: Outcome | None) -> tuple[str, str]:
    """`answer` is how the answer cell above the check ended."""
    if outcome.died:
        return WRONG, DIED
    if outcome.too_long:
        return WRONG, TOO_LONG.format(seconds=SECONDS)
    if not outcome.error:
        points = outcome.cell.points
        if outcome.credit is not None and outcome.credit < points:
            return WRONG, CREDIT.format(credit=outcome.credit, points=points)
        return RIGHT, ""
    if outcome.error != "CheckFailed":
        if answer and answer.cell.has_stub and "NotImplementedError" in (outcome.error, answer.error):
            return UNANSWERED, BLANK.format(cell=_where(answer.cell))
        if (outcome.error == "NameError" and not (answer and answer.error)) or not outcome.line:
            return WRONG, CHECK_STOPPED.format(error=outcome.error, text=outcome.text)
        said = TEST_FAILED if outcome.error == "AssertionError" else TEST_STOPPED
        text = said.format(error=outcome.error, line=outcome.line, text=outcome.text.strip()).rstrip(": ")
        return WRONG, f"{text}\n    {outcome.source}"
    unanswered = any(_is_from(getattr(messages, name, ""), outcome.text) for name in _UNANSWERED)
    return UNANSWERED if unanswered else WRONG, outcome.text


def _is_from(template: str, text: str) -> bool:
    """Whether `text` is the message `template` with its fields filled in."""
    return re.fullmatch(re.sub(r"\\{\w+\\}", "(?s:.*)", re.escape(template)), text) is not None


def _stopped_cells(notebook: Notebook, outcomes: list[Outcome]) -> list[tuple[str, str]]:
    """The cells, other than checks, that stopped: what was raised, and the source line where it was raised."""
    out = []
    for outcome in outcomes:
        cell = outcome.cell
        if not outcome.error or (cell.graded and cell.locked):
            continue
        if cell.has_stub and outcome.error == "NotImplementedError":
            continue
        if outcome.died or outcome.too_long:
            text = DIED if outcome.died else TOO_LONG.format(seconds=SECONDS)
        else:
            line = f", line {outcome.line}" if outcome.line else ""
            said = re.sub(r" \(\d+\.py, line \d+\)$", "", outcome.text)  # IPython's name of the cell
            text = f"{outcome.error}{line}: {said}{_out_of_order(notebook, outcome)}"
        out.append((f"{_where(cell)}: {text}", outcome.source))
    return out


def _out_of_order(notebook: Notebook, outcome: Outcome) -> str:
    lost = re.match(r"name '(\w+)' is not defined", outcome.text) if outcome.error == "NameError" else None
    if lost:
        for cell in notebook.cells:
            if cell.number > outcome.cell.number and lost[1] in imports.defines(cell):
                return ". " + ORDER_BELOW.format(name=lost[1], where=f"in {_where(cell).lower()}")
        if outcome.cell.ran_before and not outcome.cell.failed_before:
            return ". " + ORDER_GONE.format(name=lost[1])
        return ""
    return f". {WORKED_BEFORE}" if outcome.cell.ran_before and not outcome.cell.failed_before else ""


def _where(cell: Cell) -> str:
    if cell.answer and cell.name:
        return f"The answer cell of {cell.name}"
    if cell.name:
        return f"The cell {cell.name}"
    first = next((line.strip() for line in cell.source.split("\n") if line.strip()), "")
    return f"Cell {cell.number} from the top (`{textwrap.shorten(first, 50, placeholder=' …')}`)"


def _ago(path: Path) -> str:
    minutes = int((time.time() - path.stat().st_mtime) / 60)
    for size, word in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {word}{'' if count == 1 else 's'} ago"
    return "less than a minute ago"


def _fill(text: str, first: str = "", then: str | None = None) -> list[str]:
    width = max(40, min(100, shutil.get_terminal_size((90, 24)).columns - 1))
    then = first if then is None else then
    lines: list[str] = []
    for part in text.split("\n") if text else []:
        indent = then if lines else first
        if part.startswith(" "):  # a line of the student's own code stays as it is
            lines.append(then + part)
        else:
            options = {"break_long_words": False, "break_on_hyphens": False}
            lines += textwrap.wrap(part, width, initial_indent=indent, subsequent_indent=then, **options)  # type: ignore[arg-type]
    return lines
