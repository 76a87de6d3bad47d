"""The page names nobody at first, runs and loads nothing, and leads from each number to its answers."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from autograder.class_report import alike, page
from autograder.class_report.figures import figures
from autograder.class_report.mistakes import Mistake
from autograder.class_report.work import Answer, Work
from tests.class_report.test_alike import RARE, a_class
from tests.class_report.test_figures import work

NAMES = ("ada", "bo", "cy", "dee", "eve", "fay", "gil")


def made(of: Work) -> str:
    answers = {q: {a.student: a.source for a in those if a.source} for q, those in of.answers.items()}
    return page.html(of, figures(of), alike.alike(answers, of.given, of.texts))


@pytest.fixture(scope="module")
def html(mixed_work: Work) -> str:
    return made(mixed_work)


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))).split())


def seen(browser: Any, file: Path) -> str:
    """The text that is seen before anything is clicked."""
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(file.as_uri())
    text = str(opened.locator("body").inner_text())
    context.close()
    return text


@pytest.fixture(scope="module")
def file(html: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html)
    return path


def test_the_top_says_who_counts_what_most_got_wrong_and_each_question_in_a_row(html: str) -> None:
    top = words(html[: html.index('id="question-1"')])
    for text in (
        "5 graded · 1 handed in, not graded yet · 1 handed in nothing · 1 late · mean 6.35 and median 3.20 of",
        "3 need a person · 0 may not be by hand · 0 pairs alike",
        "code/q6 : 2 of 4 broke dfdb : 2 by the sign.",
        "code/slope-test : 1 of 4: fails at assert x == 6, f'{x} is not 6' .",
        "code/q6 4 (1 wait) 4.10 10.00 25 % 0.93",
        "words/why 2 (3 wait) 1.50 3.00 50 % –",
        "3 students still wait for points by a person; the marks are those so far, without 1 student who has no final",
        "Handed in between 2026-11-30 10:00 and 2026-12-02 09:00, half of them until 2026-11-30 10:00 (UTC; due",
    ):
        assert text in top


def test_a_heat_map_has_its_numbers_and_each_leads_to_an_answer_that_is_there(html: str) -> None:
    q6 = html[html.index('id="question-1"') : html.index('id="question-2"')]
    table = words(q6[q6.index("<table") : q6.index("</table>")])
    assert table == "dfdb all sign 2 2 all 2 2"
    links = re.findall(r'href="#(answers-[\d-]+)"', html)
    assert len(links) == 7
    assert sorted(links) == sorted(re.findall(r'id="(answers-[\d-]+)"', html))
    assert "2: dfdb, sign, see the answers" in q6


def test_people_stand_by_reason_and_are_named_in_closed_parts(html: str) -> None:
    part = words(html[html.index('id="person"') : html.index('id="by-hand"')])
    for text in (
        "1: not readable as a notebook, so not graded: ask for the file again Who gil",
        "3: points to give by hand, in the formgrader Who bo, cy, gil",
        "1: handed in and not graded yet, so in no figure Who eve",
        "1: in the class list, handed in nothing, in no figure Who fay",
    ):
        assert text in part


@pytest.mark.browser
def test_nobody_is_named_until_somebody_opens_a_part(file: Path, browser: Any) -> None:
    text = seen(browser, file)
    assert "What the class got wrong" in text
    assert [name for name in NAMES if re.search(rf"\b{name}\b", text)] == []


@pytest.mark.browser
def test_one_click_on_a_number_shows_its_answers_without_scripts_or_network(file: Path, browser: Any) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 900, "height": 700})
    opened = context.new_page()
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(file.as_uri())
    answers = opened.locator("#answers-1-1")
    assert not answers.is_visible()
    opened.locator("#question-1 .heat a").first.click()
    answers.wait_for()
    box = answers.bounding_box()
    assert 0 <= box["y"] < 300
    assert "dfdb, sign: 2 students" in answers.inner_text()
    assert "dfdb = dfdc * a / b**2" in answers.inner_text()
    assert "The first wrong link is dfdb. It has the right size but the wrong sign" in answers.inner_text()
    names = answers.locator(".names").first
    assert not names.is_visible()
    answers.locator("summary").first.click()
    names.wait_for()
    assert names.inner_text() == "bo"
    answers.locator("a", has_text="Close").click()
    answers.wait_for(state="hidden")
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    context.close()


@pytest.mark.browser
def test_what_students_wrote_runs_nothing_and_can_leave_its_place_by_no_tag(file: Path, browser: Any) -> None:
    context = browser.new_context(viewport={"width": 900, "height": 700})
    opened = context.new_page()
    opened.goto(file.as_uri())
    title = opened.title()
    stopped = opened.locator("#question-2 .heat a", has_text="1").nth(2)
    stopped.click()
    shown = opened.locator("#question-2 .answers:target")
    assert "<script>document.title = 'taken'</script><img src=x onerror=alert(1)>" in shown.inner_text()
    assert shown.locator("script, img").count() == 0
    assert opened.title() == title == "What the class got wrong: ps1"
    context.close()


AXE = "axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' ')))"


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_wider_than_a_phone(file: Path, browser: Any, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": 400, "height": 800})
    opened = context.new_page()
    opened.goto(f"{file.as_uri()}#answers-1-1")
    opened.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert opened.evaluate("document.documentElement.scrollWidth") == 400
    opened.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text())
    assert opened.evaluate(AXE) == []
    context.close()


@pytest.mark.browser
def test_the_first_printed_page_is_the_overview_and_no_answer_is_printed(file: Path, browser: Any) -> None:
    opened = browser.new_page()
    opened.goto(file.as_uri())
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", opened.pdf(format="A4"))) <= 4
    opened.emulate_media(media="print")
    assert not opened.locator(".answers").first.is_visible()
    opened.close()


def test_a_class_without_a_mistake_and_a_question_that_only_waits_say_so() -> None:
    html = words(made(work({"a": (10.0, None), "b": (10.0, None)})))
    assert "No answer that is graded lost a point." in html
    assert "Nobody has final points in it yet. 2 students wait for points by a person." in html
    everybody_waits = words(made(work({"a": (None,), "b": (None,)})))
    assert "2 graded" in everybody_waits
    assert "mean" not in everybody_waits[: everybody_waits.index("At a glance")]


def test_many_answers_behind_one_number_and_long_ones_are_cut_and_counted() -> None:
    of = work({f"s{n}": (0.0,) for n in range(40)})
    lines = "y = 1\n" * 2000
    mistake = Mistake("", "not answered")
    of.answers["q1"] = [Answer(s.name, 0, False, f"x = {n}\n{lines}", "", mistake) for n, s in enumerate(of.students)]
    html = made(of)
    assert html.count("One student wrote") == page.MOST_GROUPS
    told = words(html)
    assert f"{40 - page.MOST_GROUPS} more answers are not shown." in told
    assert "more characters)" in told
    assert len(html) < 600_000
    assert all(student.name in told for student in of.students)


def test_a_pair_is_told_without_names_and_without_an_accusation_until_it_is_opened() -> None:
    answers = a_class(20, ada=RARE, bo=RARE.replace("slope", "k"))
    of = work(dict.fromkeys(answers, (0.0,)))
    of.answers["q1"] = [Answer(name, 0, False, source) for name, source in answers.items()]
    html = made(of)
    part = html[html.index('id="alike"') :]
    assert "1 pair of students share what few others of this class wrote. This proves nothing" in words(part)
    pair = part[part.index('<details class="pair">') : part.index("</details>")]
    summary = words(pair[: pair.index("</summary>")])
    assert re.fullmatch(r"Pair 1: \d+ bits, in q1", summary)
    assert "ada and bo" in words(pair)
    assert "slope = (1 - out.square()) / h" in words(pair)
    assert not re.search(r"cheat|plagiari|copied|suspect|fraud", words(html), re.IGNORECASE)


def test_the_by_hand_list_is_shown_and_cut() -> None:
    of = work({"a": (1.0,)})
    columns = {"student": "a", "question": "q1", "rule": "autograd", "line": "3", "source": "<b>grad()</b>"}
    of.by_hand = [{**columns, "outcome": "forbidden" if n else "listed"} for n in range(page.MOST_BY_HAND + 5)]
    part = made(of)
    part = words(part[part.index('id="by-hand"') : part.index('id="alike"')])
    assert "304 forbidden, 1 listed." in part
    assert "a q1 listed autograd 3 <b>grad()</b>" in part
    assert "5 more are in by_hand.csv." in part
    of.by_hand, of.by_hand_unread = [], "by_hand.csv cannot be read: it is not UTF-8."
    assert "by_hand.csv cannot be read: it is not UTF-8." in made(of)
