"""People in a real browser: each has a window of their own, and whatever goes wrong in its pages is written down.

Nothing here waits for a time: every step ends when its effect can be seen, and what had no effect is done again.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.hub.real_hub import DEADLINE, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

QUIET = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
SHOTS = Path(__file__).parent / "shots"
# No network but the loopback: the term needs none.
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
# What a browser writes down though nothing of ours is wrong; everything else is.
NOISE = [
    r"^failed: GET .* net::ERR_ABORTED$",  # a page that is left gives up what it was still asking for
    # nbgrader's page of a submission wants this script from the internet, and does not notice that there is none
    r"cdnjs\.cloudflare\.com/ajax/libs/mathjax",
    r"^uncaught: MathJax is not defined$",
    r"^console: Blocked script execution in 'blob:",  # JupyterLab shows a page without running its scripts
]


def is_noise(problem: str) -> bool:
    return any(re.search(pattern, problem) for pattern in NOISE)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's chromium, driven by playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        pytest.skip("needs Debian's chromium: apt install chromium")
    options = [*QUIET.split(), "--disable-component-update", "--disable-sync", OFFLINE]
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=options)
        yield opened
        opened.close()


class Person:
    """Somebody at a browser of their own."""

    def __init__(self, browser: Browser, address: str, name: str) -> None:
        from playwright.sync_api import TimeoutError

        self.Timeout = TimeoutError
        self.address, self.name = address, name
        self.window = browser.new_context(viewport={"width": 1400, "height": 950}, accept_downloads=True)
        self.window.set_default_timeout(DEADLINE * 1000)
        self.problems: list[str] = []
        self.window.on("page", self._watch)
        self.page = self.window.new_page()
        self._shots = 0

    def _watch(self, page: Page) -> None:
        def failed(request: Any) -> None:
            self.problems.append(f"failed: {request.method} {request.url} {request.failure}")

        def said(message: Any) -> None:
            if message.type == "error":
                self.problems.append(f"console: {message.text} ({message.location['url']})")

        def answered(reply: Any) -> None:
            if reply.status >= 400:
                self.problems.append(f"{reply.status}: {reply.request.method} {reply.url}")

        page.on("console", said)
        page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        page.on("requestfailed", failed)
        page.on("response", answered)

    def shot(self, what: str, page: Page | None = None) -> None:
        """Keeps what is on the screen."""
        self._shots += 1
        (page or self.page).screenshot(path=SHOTS / f"{self.name}-{self._shots:02}-{what}.png")

    def appears(self, what: Locator, seconds: float) -> bool:
        """Whether something comes into the page within that time."""
        try:
            what.first.wait_for(timeout=seconds * 1000)
        except self.Timeout:
            return False
        return True

    def open_file(self, file: Locator, page: Locator) -> None:
        """By a double click in the file browser, until its page is there."""

        def there() -> bool:
            file.dblclick()
            return self.appears(page, 20)

        until(there, "a file to open")

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """If it fails, what was on the screens is kept, and the failure says who was doing what."""
        try:
            yield
        except BaseException as error:
            for number, page in enumerate(self.window.pages):
                page.screenshot(path=SHOTS / f"{self.name}-failed-{number}.png")
            error.add_note(f"{self.name} was at: {what}; the screen is in {SHOTS}; {self.problems[-5:]}")
            raise

    def login(self, then: str = "/hub/spawn") -> None:
        self.page.goto(f"{self.address}/hub/login?next={then}")
        self.page.fill("#username_input", self.name)
        self.page.fill("#password_input", f"{self.name}-word")
        self.shot("login")
        self.page.click("#login_submit")

    def lab(self) -> None:
        """Waits until JupyterLab is there."""
        self.page.wait_for_url(re.compile(r".*/user/[^/]+/lab.*"))
        self.page.wait_for_selector("#jp-main-dock-panel")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def menu(self, *items: str, page: Page | None = None) -> None:
        """Opens a menu of JupyterLab and clicks its way to an item."""
        page = page or self.page
        page.locator(".lm-MenuBar-item", has_text=items[0]).click()
        for item in items[1:]:
            page.locator(".lm-Menu-item").get_by_text(item, exact=True).click()


class Instructor(Person):
    """Somebody who presses the formgrader's buttons."""

    grader: Page

    def open_formgrader(self, course: str) -> None:
        """From the Course List of one's own JupyterLab, as its link opens it: in a tab of its own."""
        self.login()
        self.lab()
        self.menu("Nbgrader", "Course List")
        link = self.page.locator("#formgrader_list a", has_text=course)
        link.wait_for()
        self.shot("course-list")
        with self.window.expect_page() as opened:
            link.click()
        self.grader = opened.value
        self.formgrader = self.grader.locator("iframe").content_frame
        self.assignment().wait_for()
        with suppress(self.Timeout):  # a frame that is loaded twice has been by then, mostly
            self.grader.wait_for_load_state("networkidle", timeout=30_000)

    def assignment(self) -> Locator:
        return self.formgrader.locator("tr:has(td.name:has-text('ps1'))")

    def press(self, button: Locator) -> tuple[bool, str]:
        """Presses a button of the formgrader, waits for the dialog that tells what came of it, and closes that.

        JupyterLab may load the frame again while it opens, which cuts off what was pressed in the first. If the button
        is gone then, what it does was done, and nobody was left to be told: no text.
        """
        told = self.formgrader.locator("#success-modal.in, #error-modal.in")
        pressed = False

        def answered() -> bool:
            nonlocal pressed
            if pressed and not self._there(button):
                return True
            before, pressed = len(self.problems), True
            button.click()
            until(lambda: told.count() or self._cut_off(before), "what came of a button")
            return told.count() > 0

        until(answered, "what came of a button")
        if not told.count():
            return True, ""
        well, text = told.get_attribute("id") == "success-modal", told.inner_text()
        until(lambda: self._close(told), "the formgrader's dialog to close")
        self.formgrader.locator(".modal-backdrop").wait_for(state="detached")
        return well, text

    def _there(self, button: Locator) -> bool:
        """Whether the page, when its table is there again, has the button."""
        self.formgrader.locator("td.name, td.student-name").first.wait_for()
        return button.count() > 0

    def _cut_off(self, before: int) -> bool:
        cut_off = [problem for problem in self.problems[before:] if re.match(r"failed: POST .*ERR_ABORTED", problem)]
        for problem in cut_off:
            self.problems.remove(problem)
        return bool(cut_off)

    def _close(self, told: Locator) -> bool:
        with suppress(self.Timeout):
            if told.count():
                told.locator("[data-dismiss=modal]").first.click(timeout=5000)
        return told.count() == 0

    def press_for_ps1(self, icon: str) -> tuple[bool, str]:
        """A button of Manage Assignments, which shows an icon and no words; behind its text what the row shows then."""
        self.formgrader.get_by_role("link", name="Manage Assignments").click()
        self.assignment().wait_for()
        done = self.press(self.assignment().locator(f"a:has(span.glyphicon-{icon})"))
        self.shot(icon, self.grader)
        return done[0], f"{done[1]}\n{self.assignment().inner_text()}"

    def autograde(self, names: list[str]) -> tuple[dict[str, tuple[bool, str]], str]:
        """Presses Autograde for each of the students; what it said of each, and the table afterwards."""
        self.assignment().locator("td.num-submissions a").click()
        said = {}
        for name in names:
            row = self.formgrader.locator(f"tr:has(td.student-id:has-text('{name}'))")
            said[name] = self.press(row.locator("td.autograde a"))
        self.shot("graded", self.grader)
        return said, self.formgrader.locator("#main-table").inner_text()

    def read(self, name: str) -> str:
        """What the formgrader shows of a student's notebook."""
        self.formgrader.get_by_role("link", name="Manual Grading").click()
        for link in ("ps1", "problems"):
            self.formgrader.locator("#main-table").get_by_role("link", name=link, exact=True).click()
        row = self.formgrader.locator(f"tr:has(a.name-shown:text-is('{name}'))")
        row.locator("a.name-hidden").click()
        page = self.formgrader.locator("#notebook-container, .jp-Notebook").first
        page.wait_for()
        self.shot(f"reads-{name}", self.grader)
        said = self.formgrader.locator("body").inner_text()
        self.formgrader.get_by_role("link", name="Manual Grading").click()
        self.formgrader.locator("#main-table").wait_for()
        return said

    def export(self) -> str:
        """grades.csv, written in a terminal of the course's own server and opened by a double click."""
        file = self.grader.locator(".jp-DirListing-item", has_text="grades.csv")

        self.menu("File", "New", "Terminal", page=self.grader)

        def there() -> bool:  # what is typed before the terminal is connected is lost
            self.grader.locator(".jp-Terminal:visible").click()
            self.grader.keyboard.type("nbgrader export --to grades.csv\n")
            return self.appears(file, 20)

        until(there, "grades.csv")
        self.shot("exported", self.grader)
        self.open_file(file, self.grader.locator(".jp-CSVViewer"))
        self.shot("grades", self.grader)
        return self.grader.request.get(f"{self.grader.url.split('/lab')[0]}/files/grades.csv").text()
