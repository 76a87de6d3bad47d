"""The page of a graded notebook: what stands in it, and what it is to a browser without a network."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.feedback.course import DOT, SECRET, Course

pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader's own, while the course is made
Pages = dict[str, Path]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Course(tmp_path_factory.mktemp("hw")).write()


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def rows(page: str) -> list[str]:
    """The table at the top, a text a row."""
    table = page[page.index('<table class="results"') : page.index("</table>")]
    return [words(row) for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)]


def test_the_table_has_a_row_a_question_with_its_verdict_and_points(pages: Pages) -> None:
    assert rows(pages["mixed"].read_text()) == [
        "Question Verdict Points",
        "A. Right, with a b dzda is right at all 24 points. "
        "✓ Right 10.00 of 10.00 check 2.00 of 2.00 hidden 8.00 of 8.00",
        "B. Partly right dfdx is not right at a hidden test point. Look at the first link. "
        "Your instructor left a comment. ◐ Partly right 2.67 of 10.00 check 0.00 of 2.00 hidden 2.67 of 8.00",
        "C. Not answered – Not answered 0.00 of 8.00",
        "D. An ordinary test A test failed. d must be 4 ✗ Not right 0.00 of 3.00",
        "D. An ordinary test d2 ✓ Right 1.00 of 1.00",
        "E. Seen and hidden A test failed. e must be 4 ✗ Not right 0.00 of 2.00",
        "Sum 13.67 of 34.00",
        "Penalty for handing in late −1.50",
        "Total of this notebook 12.17 of 34.00",
    ]
    assert rows(pages["words"].read_text())[1:] == [
        "Why? Your instructor left a comment. ◐ Some of the points 4.50 of 5.00",
        "And then? … Not graded yet 0.00 of 4.00",
        "Total of this notebook 4.00 points of it are not graded yet. 4.50 of 9.00",
    ]


def test_each_row_leads_to_the_part_of_the_page_with_the_answer_and_what_was_said_of_it(pages: Pages) -> None:
    page = pages["mixed"].read_text()
    part = words(page[page.index('id="question-4"') : page.index('id="question-5"')])  # 1 to 3: introduction, A and B
    assert 'href="#question-4"' in page
    assert "Not answered" in part
    b = words(page[page.index('id="question-3"') : page.index('id="question-4"')])
    for text in ("def b ()", "Well done, Ada", "0.00 of 2.00", "see a < b", "2.67 of 8.00"):
        assert text in b


def test_a_test_of_which_a_part_can_be_seen_shows_that_part_and_the_line_that_failed(pages: Pages) -> None:
    page = pages["mixed"].read_text()
    part = page[page.index("E. Seen and hidden", page.index("</table>")) :]
    said = words(part[: part.index("</section>")])
    assert "Check and hidden tests The code of this check, without its hidden tests assert e == 4" in said
    assert "A test failed. e must be 4 assert e == 4, 'e must be 4' The tests below it did not run." in said


def test_a_notebook_without_points_says_so_and_shows_itself(pages: Pages) -> None:
    page = pages["reading"].read_text()
    assert "Nothing in this notebook is graded" in page
    assert "results" not in page[page.index("<body>") :]
    assert re.findall(r"<(h\d)>", page) == ["h1", "h2", "h2"]
    assert f'<img src="data:image/png;base64,{DOT}" alt="a dot">' in page
    assert page.count("<img") == 2


def test_a_file_that_could_not_be_read_is_told_first_and_each_question_has_its_row(pages: Pages) -> None:
    page = pages["lost"].read_text()
    top = words(page[page.index("<main>") : page.index("<table")])
    assert "could not be read as a notebook : line 3 is not JSON. So it could not be graded" in top
    assert "hand it in again" in top
    assert "ask your instructor" in top
    assert rows(page)[1:] == [
        "Question 1 – Not read 0.00 of 10.00 check 0.00 of 2.00 hidden 0.00 of 8.00",
        "Question 2 – Not read 0.00 of 10.00",
        "Total of this notebook 0.00 of 20.00",
    ]
    for nothing in ("the solution", "There is no function", "It was not graded."):
        assert nothing not in page
    assert "It was not graded" not in pages["mixed"].read_text()


def test_the_student_and_the_assignment_are_named_and_every_name_is_escaped(pages: Pages) -> None:
    page = pages["mixed"].read_text()
    assert "<title>Feedback on hw, mixed: Ada &lt;i&gt;Lovelace&lt;/i&gt;</title>" in page
    assert "<i>Lovelace" not in page
    assert "All together: 16.67 of 63.00 points" in words(page)


def test_nothing_hidden_and_no_number_but_points_with_two_decimals(pages: Pages) -> None:
    page = pages["mixed"].read_text()
    seen = unescape(re.sub(r"<[^>]*>", "", page))  # the colours of code stand within it
    for secret in (SECRET, "### END HIDDEN TESTS", "grade(points", "Out[", "2.6666"):
        assert secret not in page
        assert secret not in seen
    for number in ("8.0\n<", "0.9876\n<"):  # results, which nbgrader reads points from
        assert number not in page
    assert "A hidden test could not run: NameError" in page


def test_nothing_of_a_students_text_gets_into_the_table_or_the_outline(pages: Pages) -> None:
    page = pages["mixed"].read_text()
    assert page.count("Forged question") == 1
    assert page.index("Forged question") > page.index('id="rest"')
    assert len(re.findall(r'id="results"', page)) == 1
    assert [h for h in re.findall(r"<h[1-6][^>]*>(.*?)</h", page) if "Results" in h] == ["Results"]
    assert not re.search(r"<script|<iframe|onclick|onfocus|position:|https?://(?!www\.w3\.org)[^\"]*\.png", page)


def test_what_a_student_wrote_about_hidden_tests_hides_nothing(pages: Pages) -> None:
    page = pages["mixed"].read_text()
    assert "### BEGIN HIDDEN TESTS" in words(page)
    assert "Output of 60 lines" in page


AXE = "axe.run(document).then(found => found.violations.map(v => [v.impact, v.id, v.nodes[0].html]))"
CUT_OFF = """[...document.images].filter(i => i.clientWidth > i.closest('section').clientWidth
    || i.parentElement.scrollWidth > i.parentElement.clientWidth).map(i => i.alt)"""
OPEN = "document.querySelectorAll('details').forEach(d => { d.open = true })"


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_wider_than_a_phone(pages: Pages, browser: Any, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text()
    for name in pages if scheme == "light" else ("mixed",):
        context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": 400, "height": 800})
        page = context.new_page()
        page.goto(pages[name].as_uri())
        page.evaluate(OPEN)
        assert page.evaluate("document.documentElement.scrollWidth") == 400
        assert page.evaluate(CUT_OFF) == []
        page.evaluate(script)
        assert page.evaluate(AXE) == []
        context.close()


@pytest.mark.browser
def test_the_page_is_whole_without_a_network_and_without_scripts(pages: Pages, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 400, "height": 800})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(pages["mixed"].as_uri())
    hint = page.locator("summary", has_text="Hint 1")
    within = page.locator("details details math")
    assert not within.is_visible()
    hint.click()
    within.wait_for()
    page.locator("nav a", has_text="Partly").click()
    assert page.locator("h2", has_text="B. Partly right").bounding_box()["y"] < 100
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    context.close()


@pytest.mark.browser
def test_a_formula_is_drawn_as_one(pages: Pages, browser: Any) -> None:
    page = browser.new_page()
    page.goto(pages["mixed"].as_uri())
    box = page.locator("h2 math mfrac").bounding_box()
    assert box["height"] > 1.2 * page.locator("h2 math mi").first.bounding_box()["height"]
    page.close()


@pytest.mark.browser
def test_the_page_prints_in_a_few_sheets_without_what_is_folded(pages: Pages, browser: Any) -> None:
    page = browser.new_page()
    page.goto(pages["mixed"].as_uri())
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(format="A4"))) <= 3
    page.close()
