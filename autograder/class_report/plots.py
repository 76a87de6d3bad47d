"""The drawings of the report as SVG: how many students have how many points, and how each question went.

Every number stands in the drawing, and areas differ by hatching as well as by grey, so that a print without colours
says the same. Title and description are what somebody hears who does not see it.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Sequence
from html import escape
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from autograder.class_report.figures import Figures, Row

_WIDE = 7.6  # inches
_STYLE: Any = {
    "font.size": 9.5,
    "svg.hashsalt": "report",
    "svg.fonttype": "none",
    "hatch.linewidth": 0.7,
    "axes.spines.top": False,
}
PARTS = (
    ("all points", "full", "#3b6ea5", "", "white"),
    ("some", "partly", "#a9c4e0", "//", "black"),
    ("none", "none", "#f2c9a1", "..", "black"),
    ("not answered", "unanswered", "#ffffff", "", "black"),
    ("wait for a person", "waiting", "#dddddd", "xx", "black"),
)
"""What became of an answer: its name in the legend, the field of a row; colour, hatching and colour of the number."""
_MOST_ROWS = 60


def marks(figures: Figures) -> str:
    """A histogram of the points of all students."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(_WIDE, 2.5), layout="constrained")
        axes = figure.subplots()
        counts = [bin.students for bin in figures.bins]
        bars = axes.bar(
            [bin.low for bin in figures.bins],
            counts,
            width=[bin.high - bin.low for bin in figures.bins],
            align="edge",
            color="#a9c4e0",
            edgecolor="#1f2933",
        )
        axes.bar_label(bars, labels=[str(count) if count else "" for count in counts])
        axes.set_xticks([*(bin.low for bin in figures.bins), figures.bins[-1].high])
        axes.xaxis.set_major_formatter("{x:.4g}")
        axes.set_xlabel(f"points of {figures.possible:g}")
        axes.set_ylabel("students")
        axes.margins(y=0.15)
        _plain(axes)
        words = ", ".join(f"{bin.low:g} to {bin.high:g}: {bin.students}" for bin in figures.bins)
        return _svg(figure, "How many students have how many points", f"Points and students: {words}")


def questions(rows: Sequence[Row]) -> str:
    """A bar for each question, divided by what its answers earned."""
    rows = rows[:_MOST_ROWS]
    with rc_context(_STYLE):
        figure = Figure(figsize=(_WIDE, 0.9 + 0.34 * len(rows)), layout="constrained")
        axes = figure.subplots()
        places, before = range(len(rows)), [0] * len(rows)
        for label, field, colour, hatch, ink in PARTS:
            counts = [getattr(row, field) for row in rows]
            if any(counts):
                bars = axes.barh(
                    places, counts, left=before, label=label, color=colour, hatch=hatch, edgecolor="#1f2933", height=0.7
                )
                numbers = axes.bar_label(bars, [str(c) if c else "" for c in counts], label_type="center", color=ink)
                for number in numbers:  # on hatching a number needs a ground of its own
                    if hatch:
                        number.set_bbox({"facecolor": colour, "edgecolor": "none", "pad": 0.8})
                before = [a + b for a, b in zip(before, counts, strict=True)]
        axes.set_yticks(places, [_label(row.name) for row in rows])
        axes.invert_yaxis()
        axes.set_xlabel("students")
        axes.margins(x=0.02)
        _plain(axes)
        figure.legend(loc="outside upper center", ncols=len(PARTS), frameon=False)
        told = "; ".join(
            f"{row.name}: " + ", ".join(f"{getattr(row, f)} {label}" for label, f, *_ in PARTS if getattr(row, f))
            for row in rows
        )
        return _svg(figure, "What the answers to each question earned", told)


def _label(name: str) -> str:
    text = name.replace("$", r"\$")  # a pair of them would be a formula
    return text if len(text) <= 28 else text[:27] + "…"


def _plain(axes: Any) -> None:
    axes.spines["right"].set_visible(False)
    which = axes.yaxis if axes.get_ylabel() else axes.xaxis
    which.get_major_locator().set_params(integer=True)


def _svg(figure: Figure, title: str, told: str) -> str:
    """The drawing with a title and a description in place of matplotlib's own head."""
    out = io.BytesIO()
    FigureCanvasSVG(figure)  # no window, whatever the machine has
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about characters that matplotlib's font lacks: the browser has others
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue().decode()
    text = re.sub(r"^.*?(?=<svg)", "", text, flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    words = f"<title>{escape(title)}</title><desc>{escape(told)}</desc>"
    return re.sub(r"<svg[^>]*>", lambda head: head[0] + words, text, count=1)
