"""LaTeX becomes MathML when the page is written; what cannot become that is still there to read."""

from __future__ import annotations

import re
from xml.etree.ElementTree import fromstring

import nbformat
import pytest

from autograder.feedback import formulas, texts
from tests.conftest import ROOT

KNOWN = [
    r"\begin{aligned} a &= b \\ c &= d \end{aligned}",
    r"\begin{cases} 0 & x < 0 \\ x & x \ge 0 \end{cases}",
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
    r"\frac{\partial f}{\partial x}\bigg|_{x=0} = \sum_{i=1}^n \int_0^\infty e^{-x^2}\,dx",
    r"\mathbb{E}[X] = \operatorname{softmax}(x)_i \quad \text{if } x < 3",
    r"\left(\frac{a}{b}\right)^{n+1} \ne \sqrt[3]{\hat y} \cdot \lVert v \rVert",
]
HOSTILE = [
    r"\href{javascript:fired()}{x}",
    r"\class{verdict}{x}",
    r"\style{position:fixed}{x}",
    r"\def\a{\a\a}\a",
    r"\unknown{x}",
    r"\frac{1",
    "{" * 1900,
    r"\sqrt{" * 300 + "x" + "}" * 300,
    "x" * (formulas.MOST_CHARACTERS + 1),
]


def test_every_formula_of_the_course_becomes_mathml() -> None:
    for notebook in ("problems", "examples"):
        for cell in nbformat.read(ROOT / "source" / "ps1" / f"{notebook}.ipynb", as_version=4).cells:
            if cell.cell_type == "markdown":
                html = texts.markdown(cell.source).html
                formulas_in_it = re.sub(r"`[^`]*`|data:[^)\"]*", "", cell.source).count("$")
                assert "$" not in html
                assert 'class="latex"' not in html
                assert html.count("<math") >= formulas_in_it / 4


@pytest.mark.parametrize("latex", KNOWN)
def test_what_a_course_writes_is_converted(latex: str) -> None:
    made = formulas.display(latex)
    assert made.count("<math") == 1 + latex.count(r"\quad")
    fromstring(made)


@pytest.mark.parametrize("latex", HOSTILE)
def test_what_cannot_be_converted_stays_as_it_was_written(latex: str) -> None:
    for made in (formulas.inline(latex), formulas.display(latex)):
        assert "<math" not in made
        assert latex in "".join(fromstring(made).itertext())


@pytest.mark.parametrize(
    "latex", [r"\color{red} x", r"\hspace{-99em} x", r"\hspace{999em} x", r"\kern-9em x", "<b>x</b>"]
)
def test_a_formula_neither_colours_nor_moves_nor_opens_a_tag(latex: str) -> None:
    made = formulas.inline(latex)
    for bad in ("color", "margin", "-9", "999em", "<b>"):
        assert bad not in made.replace(latex, "")


def test_formulas_side_by_side_are_pieces_that_can_stand_below_each_other() -> None:
    assert formulas.display(r"a = x^2 \qquad b = 2x \quad c").count("<math") == 3
    assert formulas.display(r"\frac{a \quad b}{c} \text{ and \quad so}").count("<math") == 1


@pytest.mark.parametrize(
    "text", ["It costs $5 and $6.", "$ 5 $", "$$ open", r"a \$ b \$", "<code>$x$</code>", "$<b>x</b>$"]
)
def test_a_dollar_that_is_no_formula_stays_a_dollar(text: str) -> None:
    html = texts.Text(text).html
    assert "<math" not in html
    assert html.count("$") == text.count("$")


@pytest.mark.parametrize(
    "text", ["$x$", r"\(x\)", r"\[x\]", "$$x$$", r"\begin{align}x&=1\end{align}", "<p>a $x &lt; 3$</p>"]
)
def test_a_formula_is_found_between_each_pair_of_signs(text: str) -> None:
    assert texts.Text(text).html.count("<math") == 1
