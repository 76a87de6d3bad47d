"""The commands for authors: `autograder new-assignment`, `new`, `inspect`, `refresh` and `pictures`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from autograder.errors import QuestionError
from autograder.terminal import tell

EXAMPLE = """\
an example of FORWARD.py:

    @question(wrt="t", at={"s": 0.5, "t": 2.0}, domain={"s": (-2, 2), "t": (0.5, 3)})
    def q7(s, t):
        p = s * t
        q = torch.log(t)
        r = torch.tanh(p)
        h = r + q
        return h
"""


def add_to(commands: Any) -> None:
    """Adds the authors' commands to the command line."""
    one = argparse.ArgumentParser(add_help=False)
    one.add_argument(
        "--notebook",
        type=Path,
        help="source notebook (default: the one in source/ that it can be, if there is only one)",
    )
    all_ = argparse.ArgumentParser(add_help=False)
    all_.add_argument("--notebook", type=Path, help="source notebook (default: all in source/ that hold questions)")

    assignment = commands.add_parser(
        "new-assignment",
        help="begin another assignment: its source notebook with instructions and set-up cell",
        description="Begins another assignment: writes source/NAME/problems.ipynb with the instructions and the set-up "
        "cell. Run it in the course's folder.",
    )
    assignment.add_argument("name", metavar="NAME", help="what the assignment is called, such as ps2")
    assignment.add_argument("--title", help="the notebook's heading (default: the name)")
    assignment.set_defaults(run=_new_assignment)

    new = commands.add_parser(
        "new",
        parents=[one],
        help="write the five cells of a new question into a source notebook",
        description="Writes the five cells of a new question into a source notebook, from its forward pass.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    new.add_argument("name", metavar="NAME", help="what the question is called, such as q7")
    new.add_argument(
        "forward", metavar="FORWARD.py", help="file with the decorated forward pass; - reads standard input"
    )
    new.add_argument("--title", help="the statement's heading (default: the name)")
    new.set_defaults(run=_new)

    inspect = commands.add_parser(
        "inspect",
        parents=[all_],
        help="say of a question, or an assignment, what is good and what needs a change",
        description="Says of a question what is good and what needs a change: its graph, its domain, its test points, "
        "the known slips, its solution. Of an assignment (ps2) it says so of every question, and tries the tests with "
        "the notebook's own answers, in rooms as in grading. Fails if something needs a change.",
    )
    inspect.add_argument(
        "name", nargs="?", metavar="NAME", help="a question such as q7, or an assignment; without it, every question"
    )
    inspect.add_argument("--no-try", action="store_true", help="do not try the tests of an assignment")
    inspect.add_argument("--seed", help="the seed of the points looked at (default: the question's own)")
    inspect.add_argument("--picture", type=Path, metavar="FILE.svg", help="also write the graph's picture")
    inspect.set_defaults(run=_inspect)

    refresh = commands.add_parser(
        "refresh",
        parents=[all_],
        help="bring a question's cells up to date after its forward pass or its points changed",
        description="Brings the five cells of a question up to date: what follows from the forward pass and from the "
        "points is written anew, what you wrote stays. Says what it changed, and what you must still look at.",
    )
    refresh.add_argument("names", nargs="*", metavar="NAME", help="such as q7; without it, every question")
    refresh.add_argument("--check", action="store_true", help="change nothing; fail if something is not up to date")
    refresh.set_defaults(run=_refresh, pictures=False)

    pictures = commands.add_parser(
        "pictures",
        parents=[all_],
        help="draw the statements' pictures anew (`refresh` does that too)",
        description="Draws the pictures in the statements anew from the questions, and nothing else.",
    )
    pictures.add_argument("--check", action="store_true", help="change nothing; fail if a picture is not up to date")
    pictures.set_defaults(run=_refresh, pictures=True, names=[])


def _new_assignment(options: argparse.Namespace) -> int:
    from autograder.authoring import assignment
    from autograder.authoring import notebook as notebooks

    path = assignment.path_of(options.name, Path())
    path.parent.mkdir(parents=True, exist_ok=True)
    notebooks.write(assignment.notebook(options.title or options.name), path)
    tell(
        f"Wrote {path}: the instructions, and the set-up cell. Next:\n"
        "  1. Write a forward pass into a file, such as q1.py (`autograder new --help` shows one), and add it:\n"
        f'     autograder new q1 q1.py --title "Q1. …" --notebook {path}\n'
        f"  2. Write its solution and its words in the notebook, then look at it:\n"
        f"     autograder inspect --notebook {path}\n"
        f"  3. Try your own solution:  nbgrader validate {path}\n"
        f"  4. Make the students' version:  nbgrader generate_assignment {options.name}\n"
        f"  5. Give it out:  nbgrader release_assignment {options.name}"
    )
    return 0


def _new(options: argparse.Namespace) -> int:
    from autograder.authoring import notebook as notebooks
    from autograder.authoring.source import NAME
    from autograder.authoring.trial import fault

    if not NAME.fullmatch(options.name):
        raise QuestionError(f"{options.name} is no name for a question: it starts with q, such as q7.")
    path = options.notebook or _only(notebooks.set_up())
    notebook = notebooks.read(path)
    try:
        source = sys.stdin.read() if options.forward == "-" else Path(options.forward).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionError(f"The forward pass cannot be read: {error}.") from None
    question, cells = notebooks.five_cells(source, options.title or options.name.upper(), notebook)
    if question.name != options.name:
        raise QuestionError(f"{options.forward} defines {question.name}, not {options.name}: rename one of them.")
    if why := fault(question):
        raise QuestionError(f"{question.name}: {why}")
    notebooks.insert(notebook, cells)
    notebooks.write(notebook, path)
    name, assignment = question.name, path.resolve().parent.name
    tell(
        f"Wrote five cells for {name} into {path}. Next:\n"
        f"  1. In {name}: write the solution where the lines end in `...`.\n"
        f"  2. In {name}-statement: write the words where it says TODO.\n"
        f"  3. autograder inspect {name} --notebook {path}\n"
        f"  4. nbgrader validate {path}\n"
        f"  5. nbgrader generate_assignment {assignment}"
    )
    return 0


def _only(paths: list[Path]) -> Path:
    """The only one of `paths`; QuestionError if there are none or several."""
    if len(paths) == 1:
        return paths[0]
    if not paths:
        raise QuestionError(
            "There is no notebook in source/ with a set-up cell. Run this in the course's folder, or name the notebook "
            "with --notebook, or begin one with `autograder new-assignment`."
        )
    raise QuestionError(f"There are several notebooks: {_listed(paths)}. Say which one with --notebook.")


def _all(options: argparse.Namespace) -> list[Path]:
    """The notebook named with --notebook, else all with questions; QuestionError if there are none."""
    from autograder.authoring import notebook as notebooks

    paths = [options.notebook] if options.notebook else notebooks.with_questions()
    if not paths:
        raise QuestionError(
            "There is no notebook with questions in source/. Run this in the course's folder, or name the notebook "
            "with --notebook."
        )
    return paths


def _listed(paths: list[Path]) -> str:
    return ", ".join(map(str, paths))


def _inspect(options: argparse.Namespace) -> int:
    from autograder.authoring import notebook as notebooks
    from autograder.authoring.questions import read
    from autograder.authoring.report import report

    assignment = "" if options.notebook or not options.name else options.name
    if assignment and (whole := sorted(Path("source", assignment).glob("*.ipynb"))):
        paths = [path for path in whole if path in notebooks.with_questions()]
        options.name = None
    else:
        assignment, paths = "", _all(options)
    books = {path: notebooks.read(path) for path in paths}
    found = {path: read(book) for path, book in books.items()}
    if options.name:
        having = [p for p in paths if options.name in {**found[p].made, **found[p].faults}]
        names = ", ".join(n for p in paths for n in {**found[p].made, **found[p].faults}) or "none"
        if not having:
            has = "has" if len(paths) == 1 else "have"
            raise QuestionError(f"{_listed(paths)} {has} no question {options.name}; the questions there: {names}.")
        paths = [_only(having)]
    bad = []
    for path in paths:
        for name, fault in found[path].faults.items():
            if options.name in (None, name):
                tell(f"{name} needs a change: it cannot be made.\n  {fault}\n")
                bad.append(name)
        for name, question in found[path].made.items():
            if options.name not in (None, name):
                continue
            lines, good = report(question, found[path], books[path], options.seed)
            tell("\n".join([*lines, ""]))
            bad += [] if good else [name]
            if options.picture:
                options.picture.write_text(question.draw().svg, encoding="utf-8")
                tell(f"Wrote {options.picture}")
    if assignment and not options.no_try:
        _try(assignment)
    if bad:
        tell(f"{', '.join(bad)} must be changed; look above for the lines that say `Change`.")
    return int(bool(bad))


def _try(assignment: str) -> None:
    from autograder.collecting.course import Course
    from autograder.rooms.tried import inspect

    inspect(Course(assignment).coursedir, assignment)


def _refresh(options: argparse.Namespace) -> int:
    from autograder.authoring import notebook as notebooks
    from autograder.authoring.refresh import refresh

    books = {path: notebooks.read(path) for path in _all(options)}
    done = {path: refresh(book, options.names, options.pictures) for path, book in books.items()}
    there = {name for of in done.values() for name in of.questions}
    unknown = [name for name in options.names if name not in there]
    if unknown:
        raise QuestionError(
            f"{_listed(list(books))}: there is no question {unknown[0]}; the questions there: "
            f"{', '.join(sorted(there)) or 'none'}."
        )
    stale = False
    for path, of in done.items():
        if not of.changes and not of.to_review and not of.faults:
            what = "the pictures are" if options.pictures else "everything is"
            tell(f"{path}: {what} up to date.")
            continue
        tell(f"{path}:")
        for change in of.changes:
            tell(f"  {change.cell}: {change.what} {'NOT up to date.' if options.check else 'up to date now.'}")
        for fault in of.faults.values():
            tell(f"  Not refreshed: {fault}")
        if of.changes and not options.check:
            notebooks.write(of.notebook, path)
        if of.to_review:
            tell("  Look at this yourself:")
            tell("\n".join(f"    {text}" for text in of.to_review))
        stale |= bool(of.changes)
    if options.check and stale:
        command = "autograder pictures" if options.pictures else "autograder refresh"
        raise QuestionError(f"something is not what its question gives now. Run `{command}`.")
    return int(any(of.faults for of in done.values()))
