"""On a notebook's page messages are HTML that folds; a terminal gets folded text, a feedback page whole paragraphs."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from autograder import CheckFailed
from autograder.messages import WIDTH, laid_out
from autograder.rooms import sanitise
from autograder.verdict import shown
from tests.conftest import QUESTIONS, Class

Q6 = QUESTIONS["q6"]
WRONG = """def grad_q6(x, y, z):
    a = x * 2; b = torch.sin(y); c = a / b; d = c * z; e = torch.log(d + 1); f = torch.tanh(e)
    dfde = 1 - f * f; dfdd = dfde / (d + 1); dfdc = dfdd * z; dfdb = dfdc * a / b**2
    dfdy = dfdb * torch.cos(y)
    return f, dfdy
"""
MESSAGE = (
    "dfdy is not right at x = 1, y = 2, z = 1 (yours -0.1020, expected 0.1020). The first wrong link is dfdb (yours "
    "0.2452; with your dfdc it should be -0.2452). It has the right size but the wrong sign: `d(a / b)/db = -a/b**2`."
)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What a kernel would display."""
    displayed: list[Any] = []
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setattr(shown, "shell", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setattr(shown, "display", lambda thing, **_: displayed.append(thing))
    return displayed


def rendered(failed: CheckFailed) -> str:
    return "\n".join(failed._render_traceback_())


def test_on_a_page_the_message_is_html_and_the_error_points_at_it(
    page: list[Any], student: Class, capsys: pytest.CaptureFixture[str]
) -> None:
    student.run(WRONG)
    with pytest.raises(CheckFailed) as failed:
        student.check(Q6)
    assert capsys.readouterr().out == "AutoGrad:  0.1020\nManual:    -0.1020\n"
    table, picture, message = (thing._repr_mimebundle_() for thing in page)
    assert table["text/plain"].split("\n")[3] == "dfdb             0.2452   the first wrong link"
    assert re.findall(r"<td [^>]*>([^<]+)</td>", table["text/html"])[2:4] == ["✓ right", "✗ the first wrong link"]
    assert list(picture) == ["text/html", "image/svg+xml", "text/plain"]
    assert message["text/html"] == f"<p>{MESSAGE.replace(': `', ': <code>').replace('`.', '</code>.')}</p>"
    assert "\n" not in message["text/html"]
    assert " ".join(message["text/plain"].split()) == MESSAGE
    assert rendered(failed.value) == "q6: not right yet, see above."
    assert str(failed.value) == MESSAGE, "what others read of it is the whole message"


def test_a_point_that_cannot_be_used_is_told_on_the_page_too(page: list[Any], student: Class) -> None:
    with pytest.raises(CheckFailed) as failed:
        student.check(Q6, at={"w": 1})
    assert "q6 has no argument w" in page[0].html
    assert rendered(failed.value) == "q6: not checked, see above."


def test_what_a_student_wrote_is_escaped_on_the_page(page: list[Any], student: Class) -> None:
    student.run("def grad_q6(x, y, z):\n    raise ValueError('<img src=x onerror=alert(1)> `<b>`')\n")
    with pytest.raises(CheckFailed):
        student.check(Q6)
    assert "<img" not in page[0].html
    assert "&lt;img src=x onerror=alert(1)&gt; <code>&lt;b&gt;</code>" in page[0].html
    assert "<pre>    raise ValueError(" in page[0].html


def test_under_validate_and_in_a_terminal_lines_are_folded_in_feedback_they_are_not(
    monkeypatch: pytest.MonkeyPatch, student: Class, capsys: pytest.CaptureFixture[str]
) -> None:
    student.run(WRONG)
    for run_by in (None, "validate", "autograde"):
        monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
        if run_by:
            monkeypatch.setenv("NBGRADER_EXECUTION", run_by)
            monkeypatch.setattr(shown, "shell", lambda: SimpleNamespace(kernel=object()))
            monkeypatch.setattr(shown, "display", lambda *_, **__: None)
        with pytest.raises(CheckFailed) as failed:
            student.check(Q6)
        student.grade(Q6)
        text = rendered(failed.value)
        assert " ".join(text.split()) == MESSAGE
        longest = max(map(len, [*text.split("\n"), *capsys.readouterr().out.split("\n")]))
        assert (longest <= WIDTH) == (run_by != "autograde"), run_by
    assert laid_out(MESSAGE) == MESSAGE


def test_a_table_of_long_names_keeps_its_columns() -> None:
    rows = [("doutputdhidden_activation", "0.3243", "right"), ("doutputdx", "-12345.6789", "wrong")]
    first, second = str(shown.links(rows)).split("\n")
    assert first.index("right") == second.index("the first wrong link")


def test_the_pictures_alternative_text_says_the_graph_and_the_marks(page: list[Any], student: Class) -> None:
    student.run(WRONG)
    with pytest.raises(CheckFailed):
        student.check(Q6)
    html = page[1]._repr_mimebundle_()["text/html"]
    alt = re.search(r'alt="([^"]+)"', html)
    assert alt is not None
    for part in (
        "c = a / b = 2.1995",
        "the derivative dfdc = 0.1014 is right",
        "the derivative dfdb = 0.2452 is wrong",
    ):
        assert part in alt[1]
    data = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    assert data is not None
    assert base64.b64decode(data[1]).decode() == page[1].svg
    assert 'style="max-width:100%;height:auto"' in html
    assert " height=" not in html


def test_a_link_that_is_wrong_on_its_own_is_not_said_to_be_computed_from_the_first_wrong_one(
    page: list[Any], student: Class
) -> None:
    """In q4 the adjoints of c and a come from that of d, and neither from the other's."""
    student.run(
        "def grad_q4(x):\n    a = x**2; b = 2*x; c = torch.sin(x); d = -(a + b + c); f = torch.exp(d)\n"
        "    dfdd = f; dfdc = dfdd; dfdb = -dfdd; dfda = 2 * dfdd\n"
        "    dfdx = dfda * 2 * x + dfdb * 2 + dfdc * torch.cos(x)\n    return f, dfdx\n"
    )
    with pytest.raises(CheckFailed):
        student.check(QUESTIONS["q4"])
    table, picture = (thing._repr_mimebundle_() for thing in page[:2])
    assert re.search(r"dfda .* does not follow from your numbers above", table["text/plain"])
    alt = re.search(r'alt="([^"]+)"', picture["text/html"])
    assert alt
    assert re.search(r"dfdc = [-.\d]+ is wrong;", alt[1])
    assert re.search(r"dfda = [-.\d]+ comes after the first wrong one;", alt[1])
    assert "computed from" not in picture["image/svg+xml"]


def test_a_picture_of_a_students_passes_the_page_of_feedback_and_stays_a_picture(page: list[Any]) -> None:
    bundle = sanitise.bundle(Q6.draw()._repr_mimebundle_())
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    assert re.fullmatch(
        r'<img alt="From x, y, z[^"]+" width="\d+" style="[^"]+" src="data:image/svg[^"]+">', bundle["text/html"]
    )
