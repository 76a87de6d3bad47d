"""Nothing a student wrote runs as script in a feedback page or the formgrader; ordinary rich output still shows."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.rooms import _sanitise
from tests.rooms.course import Course, Submission, find

FIRE = "console.log(`fired`)"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

HTML = [
    f"<script>{FIRE}</script>",
    f"<img src=x onerror='{FIRE}'>",
    f"<svg onload='{FIRE}'></svg>",
    f"<svg><script>{FIRE}</script></svg>",
    f"<math><mtext><table><mglyph><style><img src=x onerror='{FIRE}'>",
    f'<iframe srcdoc="<script>parent.{FIRE}</script>"></iframe>',
    f'<iframe src="javascript:parent.{FIRE}"></iframe>',
    f'<a id=go href="javascript:{FIRE}">go</a>',
    f'<a id=go href=" &#106;avascript:{FIRE}">go</a>',
    f"<details open ontoggle='{FIRE}'>x</details>",
    f"<input autofocus onfocus='{FIRE}'>",
    f"<video><source onerror='{FIRE}'></video>",
    f'<object data="data:text/html,<script>{FIRE}</script>"></object>',
    f"<noscript><p title=\"</noscript><img src=x onerror='{FIRE}'>\"></noscript>",
    f'<form action="javascript:{FIRE}"><button id=go>x</button></form>',
    f"<div style=\"background:url('javascript:{FIRE}')\">x</div>",
    f"<style>@import 'data:text/css,*{{}}'</style><textarea></textarea><img src=x onerror='{FIRE}'></textarea>",
    f'<base href="javascript:{FIRE}//"><a id=go href=x>go</a>',
]
MARKDOWN = [
    *HTML[:3],
    f"[go](javascript:{FIRE})",
    f"[go][1]\n\n[1]: javascript:{FIRE}",
    f"<javascript:{FIRE}>",
    f'![x](x" onerror="{FIRE})',
    f"`<b>`<img src=x onerror='{FIRE}'>",
    f"```\n</code></pre><script>{FIRE}</script>\n```",
    f"$$\\href{{javascript:{FIRE}}}{{x}}$$",
    f"$</script><script>{FIRE}</script>$",
]
SVG = (
    f"<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' onload='{FIRE}' width='9' height='9'>"
    f"<script>{FIRE}</script><foreignObject><body xmlns='http://www.w3.org/1999/xhtml' onload='{FIRE}'/></foreignObject>"
    f"<a xlink:href='javascript:{FIRE}'><circle r='4'/></a><rect id='shape' width='5' height='5' onclick='{FIRE}'/></svg>"
)

SHOW = f"""
from IPython.display import display, HTML, Markdown, SVG, Latex, Image, Javascript
for text in {HTML!r}: display(HTML(text))
for text in {MARKDOWN!r}: display(Markdown(text))
display(Javascript({FIRE!r}))
display({{'application/javascript': {FIRE!r}, 'text/plain': 'x'}}, raw=True)
display({{'application/vnd.jupyter.widget-view+json': '{{}}', 'text/x-<script>{FIRE}</script>': 'x'}}, raw=True)
display({{'image/svg+xml': {SVG!r}}}, raw=True)
display({{'image/png': '"><script>{FIRE}</script>'}}, raw=True)
print({HTML[0]!r}, {HTML[1]!r})
raise ValueError({HTML[1]!r})
"""
GOOD = f"""
from IPython.display import display, HTML, Markdown, Latex, Image, SVG
display(HTML("<table border='1'><tr><th>epoch</th></tr><tr><td>shown-in-a-table</td></tr></table>"))
display(Image(data=__import__('base64').b64decode('{PIXEL}'), format='png'))
display(Latex('$e^{{i\\\\pi}}$ shown-as-latex'))
display(Markdown('**shown-in-bold** and `a < b`'))
display({{'image/svg+xml': "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='5' height='5'/></svg>"}}, raw=True)
"""
NOTE = "a < b and b > c, *shown as written*, $x^2$"


def _pages(notebook: NotebookNode) -> None:
    at = notebook.cells.index(find(notebook, "q1"))
    for text in MARKDOWN:
        notebook.cells.insert(at, nbformat.v4.new_markdown_cell(text))
    notebook.cells.insert(at, nbformat.v4.new_raw_cell(HTML[0], metadata={"raw_mimetype": "text/html"}))
    picture = nbformat.v4.new_markdown_cell("![x](attachment:x.svg) ![y](attachment:y.html)")
    coded = {"image/svg+xml": base64.b64encode(SVG.encode()).decode()}
    picture.attachments = {"x.svg": coded, "y.html": {"text/html": HTML[0]}}
    notebook.cells.insert(at, picture)
    notebook.cells.append(nbformat.v4.new_code_cell(GOOD))
    notebook.cells.append(nbformat.v4.new_markdown_cell(NOTE))
    for cell in notebook.cells:
        cell.metadata.tags = [f'x"><script>{FIRE}</script>']
    notebook.metadata.title = f"</title><script>{FIRE}</script>"
    notebook.metadata.language_info = {
        "name": f'x"><script>{FIRE}</script>',
        "pygments_lexer": f'"><script>{FIRE}</script>',
    }
    notebook.metadata.widgets = {
        "application/vnd.jupyter.widget-state+json": {"state": f"</script><script>{FIRE}</script>"}
    }


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    made = Course(tmp_path_factory.mktemp("pages"))
    made.hand_in("mallory", Submission(SHOW, edit=_pages))
    made.run("autograde", "ps1")
    made.run("generate_feedback", "ps1")
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        pytest.skip("needs Debian's chromium")
    quiet = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    options = [*quiet.split(), "--disable-component-update", "--disable-sync"]
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=options)
        yield opened
        opened.close()


def _formgrader_page(course: Course) -> str:
    """The notebook as nbconvert shows it, which is what the formgrader's page is made with."""
    from nbconvert.exporters import HTMLExporter

    html, _ = HTMLExporter().from_notebook_node(course.graded("mallory"))
    return str(html)


def _fired(browser: Any, file: Path) -> int:
    page, fired = browser.new_page(), []
    page.on("console", lambda message: fired.append(message.text) if message.text == "fired" else None)
    page.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    page.goto(file.as_uri())
    page.wait_for_timeout(300)
    for link in page.query_selector_all("#go"):
        link.evaluate("link => link.click()")
    page.wait_for_timeout(300)
    page.close()
    return len(fired)


@pytest.mark.course
@pytest.mark.browser
def test_no_payload_runs_in_the_feedback_page(course: Course, browser: Any) -> None:
    assert _fired(browser, course.root / "feedback" / "mallory" / "ps1" / "problems.html") == 0


@pytest.mark.course
@pytest.mark.browser
def test_no_payload_runs_in_the_page_that_the_formgrader_shows(course: Course, browser: Any, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(_formgrader_page(course))
    assert _fired(browser, tmp_path / "page.html") == 0


@pytest.mark.browser
def test_the_browser_test_would_see_a_script_that_runs(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("\n".join(HTML))
    assert _fired(browser, tmp_path / "page.html") > 3


@pytest.mark.course
def test_ordinary_rich_output_still_shows(course: Course) -> None:
    page = course.page("mallory")
    for text in ("shown-in-a-table</td>", PIXEL[:60], "shown-as-latex", "<strong>shown-in-bold</strong>"):
        assert text in page
    assert NOTE in "".join(c.source for c in course.graded("mallory").cells)


@pytest.mark.parametrize("text", ["*a* < b", "x<3, y > 2", "1. one\n2. two", "a & b", "`code` ~ text"])
def test_plain_markdown_stays_as_it_was_written(text: str) -> None:
    assert _sanitise.markdown(text) == text


def test_a_link_and_a_table_of_markdown_survive() -> None:
    cleaned = _sanitise.markdown("see [torch](https://pytorch.org)\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    assert 'href="https://pytorch.org"' in cleaned
    assert "<td>1</td>" in cleaned


def test_a_drawing_keeps_its_shapes_and_loses_its_scripts() -> None:
    drawn = _sanitise.svg(SVG)
    assert "rect" in drawn
    for active in ("script", "foreignObject", "onload", "onclick", "javascript"):
        assert active not in drawn
