"""A text of a notebook fits into the page, and passes for nothing else of it."""

from __future__ import annotations

import re
import time

import pytest

from autograder.feedback import outputs, texts
from autograder.rooms import sanitise
from tests.feedback.course import DRAWING, FORGED


def test_a_students_text_has_no_heading_identifier_class_or_style_of_its_own() -> None:
    html = texts.markdown(FORGED).html
    assert "Forged question" in html
    assert not re.search(
        r"<(?:h\d|nav|script|style|iframe|button|input)|\bid=|\blang=|style=|position|example.org/x", html
    )
    assert set(re.findall(r'class="([^"]*)"', html)) <= {"heading", "wide", "picture"}


def test_a_heading_of_the_course_is_taken_out_as_the_title_and_the_others_follow_the_page() -> None:
    text = texts.markdown(
        "## *Q1*. $x^2$ [here](https://example.org)\n\n# a\n\n#### b", place=texts.Place(level=3, title=True)
    )
    assert texts.plain(text.title).startswith("Q1.")
    assert "<math" in text.title
    assert "<a" not in text.title
    assert re.findall(r"<h(\d)>", text.html) == ["3", "4"]


def test_lists_and_summaries_are_what_a_browser_expects() -> None:
    html = texts.Text(
        "<ul>text<p>a</p><li>b</ul><li>c</li><summary>d</summary><details><summary></summary>e</details>"
    ).html
    assert html == (
        "<ul><li>text</li><li>a</li><li>b</li></ul><div>c</div><div>d</div>"
        "<details><summary>Details</summary>e</details>"
    )


@pytest.mark.parametrize("outer", ["<div>" * 390, "<details><summary>" * 190, "<a href='#x'>", "<h1>" * 390])
@pytest.mark.parametrize("inner", ["<b>x</b>", "<b></b>"])
def test_no_output_takes_long(outer: str, inner: str) -> None:
    """The longest and deepest HTML that an output may have; writing a page has no limit in time."""
    html = sanitise.html(outer + inner * ((sanitise.MOST_HTML - len(outer)) // len(inner)))
    started = time.process_time()
    texts.Text(html)
    assert time.process_time() - started < 3


def test_a_link_or_summary_without_words_gets_some_and_one_with_a_picture_has_them() -> None:
    for empty in ("", " \n", "<b><i></i></b>", "<br>"):
        assert "(link)</a>" in texts.Text(f"<b>before</b><a href='#x'>{empty}</a>after").html
    for inside in ("<b>words</b>", "<b>words</b><i></i>", "<img alt='a graph'>", "&nbsp;", "$x^2$"):
        assert "(link)" not in texts.Text(f"<a href='#x'>{inside}</a>").html
    nested = "<details><summary><a href='#x'></a></summary></details>"
    assert texts.Text(nested).html.count("(link)") == 1
    assert "Details" not in texts.Text(nested).html
    titled = texts.markdown("# Words", place=texts.Place(level=3, title=True)).html
    assert "Words" not in titled


def test_every_picture_has_words_and_one_that_would_be_fetched_is_words_only() -> None:
    pixel = "data:image/png;base64,AAAA"
    assert (
        'alt="Picture in your answer"'
        in texts.markdown(f"![]({pixel})", place=texts.Place(pictures="Picture in your answer")).html
    )
    assert 'alt="a graph"' in texts.markdown(f'<img alt="a graph" src="{pixel}">').html
    assert "[a graph]" in texts.markdown("![a graph](https://example.org/x.png)").html
    assert 'alt="The graph. From a to b"' in outputs.svg(DRAWING)


@pytest.mark.parametrize(
    "text", ["$a " * 100_000, "$$" * 100_000, r"\begin{align}" * 50_000, "<b>" * 300 + "<" * 50_000]
)
def test_no_text_takes_long(text: str) -> None:
    started = time.process_time()
    texts.Text(text)
    assert time.process_time() - started < 3


def test_code_keeps_each_line_and_escapes_it() -> None:
    html = outputs.code("if a < b:\n\n    return '<b>'")
    assert html.count('<span class="line">') == 3
    assert re.sub(r"<[^>]*>", "", html) == "if a &lt; b:\n\n    return '&lt;b&gt;'\n"
