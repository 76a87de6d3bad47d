"""What authors type: `autograder new`, `inspect` and `pictures`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from autograder._errors import QuestionError

NOTEBOOK = Path("source/ps1/problems.ipynb")
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
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--notebook", type=Path, default=NOTEBOOK, help=f"source notebook (default: {NOTEBOOK})")

    new = commands.add_parser(
        "new",
        parents=[where],
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
        parents=[where],
        help="show a question's graph, domain, points and slips",
        description="Shows a question's graph, domain, the quality of its points, its slips and what cannot be told "
        "apart. Fails if the points cannot tell some slip from the truth.",
    )
    inspect.add_argument("name", nargs="?", metavar="NAME", help="such as q7; without it, all of the notebook")
    inspect.add_argument("--seed", default="inspect", help="the seed of the points looked at")
    inspect.add_argument("--picture", type=Path, metavar="FILE.svg", help="also write the graph's picture")
    inspect.set_defaults(run=_inspect)

    pictures = commands.add_parser(
        "pictures",
        parents=[where],
        help="draw the statements' pictures anew",
        description="Draws the pictures in the statements anew from the questions.",
    )
    pictures.add_argument("--check", action="store_true", help="change nothing; fail if a picture is not up to date")
    pictures.set_defaults(run=_pictures)


def _new(options: argparse.Namespace) -> int:
    from autograder import _notebook

    if not _notebook.NAME.fullmatch(options.name):
        raise QuestionError(f"{options.name} is no name for a question: it starts with q, such as q7.")
    notebook = _notebook.read(options.notebook)
    try:
        source = sys.stdin.read() if options.forward == "-" else Path(options.forward).read_text()
    except OSError as error:
        raise QuestionError(f"The forward pass cannot be read: {error}.") from None
    question, cells = _notebook.five_cells(source, options.title or options.name.upper())
    if question.name != options.name:
        raise QuestionError(f"{options.forward} defines {question.name}, not {options.name}: rename one of them.")
    _notebook.insert(notebook, cells)
    _notebook.write(notebook, options.notebook)
    print(
        f"Wrote five cells for {question.name} into {options.notebook}. Next:\n"
        f"  1. In {question.name}: write the solution where the lines end in `...`.\n"
        f"  2. In {question.name}-statement: write the words where it says TODO.\n"
        f"  3. autograder inspect {question.name} --notebook {options.notebook}\n"
        f"  4. nbgrader validate {options.notebook}"
    )
    return 0


def _inspect(options: argparse.Namespace) -> int:
    from autograder import _notebook
    from autograder._inspect import Inspection

    made = _notebook.questions(_notebook.read(options.notebook))
    wanted = [options.name] if options.name else list(made)
    if not set(wanted) <= set(made):
        raise QuestionError(f"{options.notebook} has no question {wanted[0]}; it has {', '.join(made) or 'none'}.")
    blind = False
    for name in wanted:
        inspection = Inspection(made[name], options.seed)
        print("\n".join(inspection.report()), end="\n\n")
        blind |= bool(inspection.untold)
        if options.picture:
            options.picture.write_text(made[name].draw().svg)
            print(f"Wrote {options.picture}")
    return int(blind)


def _pictures(options: argparse.Namespace) -> int:
    from autograder import _notebook

    notebook = _notebook.read(options.notebook)
    drawn = _notebook.with_pictures(notebook)
    if drawn == notebook:
        print(f"{options.notebook}: the pictures are up to date.")
        return 0
    if options.check:
        raise QuestionError(
            f"a picture in {options.notebook} is not what its question draws. Run `autograder pictures`."
        )
    _notebook.write(drawn, options.notebook)
    print(f"Drew the pictures of {options.notebook} anew.")
    return 0
