"""People in a real browser: each has a window of their own, and whatever goes wrong in its pages is written down.

Nothing here waits for a time: every step ends when its effect can be seen, and a click that had none is made again.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.hub.real_hub import DEADLINE, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Frame, Locator, Page

QUIET = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
SHOTS = Path(__file__).parent / "shots"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's chromium, driven by playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        pytest.skip("needs Debian's chromium: apt install chromium")
    options = [*QUIET.split(), "--disable-component-update", "--disable-sync"]
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=program, args=options)
        yield opened
        opened.close()


class Person:
    """Somebody at a browser of their own."""

    def __init__(self, browser: Browser, address: str, name: str) -> None:
        self.address, self.name = address, name
        self.window = browser.new_context(viewport={"width": 1400, "height": 950}, accept_downloads=True)
        self.window.set_default_timeout(DEADLINE * 1000)
        self.problems: list[str] = []
        self.window.on("page", self._watch)
        self.page = self.window.new_page()
        self._shots = 0

    def _watch(self, page: Page) -> None:
        note = self.problems.append
        page.on("console", lambda said: note(f"console: {said.text} ({said.location['url']})") if said.type == "error" else None)
        page.on("pageerror", lambda error: note(f"uncaught: {error}"))
        page.on("requestfailed", lambda request: note(f"failed: {request.method} {request.url} {request.failure}"))
        page.on("response", lambda reply: note(f"{reply.status}: {reply.request.method} {reply.url}") if reply.status >= 400 else None)

    def shot(self, what: str, page: Page | None = None) -> Path:
        """Keeps what is on the screen."""
        self._shots += 1
        file = SHOTS / f"{self.name}-{self._shots:02}-{what}.png"
        (page or self.page).screenshot(path=file)
        return file

    def login(self, then: str = "/hub/spawn") -> None:
        self.page.goto(f"{self.address}/hub/login?next={then}")
        self.page.fill("#username_input", self.name)
        self.page.fill("#password_input", f"{self.name}-word")
        self.page.click("#login_submit")

    def lab(self) -> None:
        """Waits until JupyterLab is there."""
        self.page.wait_for_url(re.compile(r".*/user/[^/]+/lab.*"))
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")
        self.page.wait_for_selector("#jp-main-dock-panel")

    def menu(self, item: str) -> None:
        self.page.locator(".lm-MenuBar-item", has_text="Nbgrader").click()
        self.page.locator(".lm-Menu-item").get_by_text(item, exact=True).click()


class Instructor(Person):
    """Somebody who presses the formgrader's buttons."""

    def open_formgrader(self, course: str) -> None:
        """From the Course List of one's own JupyterLab, as its link opens it: in a tab of its own."""
        self.login()
        self.lab()
        self.menu("Course List")
        link = self.page.locator("#formgrader_list a", has_text=course)
        link.wait_for()
        self.shot("course-list")
        with self.window.expect_page() as opened:
            link.click()
        self.grader = opened.value
        self.frame: Frame | None = None
        frame = self.grader.locator("iframe")
        frame.wait_for()
        self.formgrader = frame.content_frame
        self.row("ps1").wait_for()

    def row(self, assignment: str) -> Locator:
        return self.formgrader.locator(f"tr:has(td.name:has-text('{assignment}'))")

    def press(self, button: Locator) -> tuple[bool, str]:
        """Presses a button of the formgrader, waits for the dialog that tells what came of it, and closes that."""
        button.click()
        told = self.formgrader.locator("#success-modal.in, #error-modal.in")
        told.wait_for()
        well, text = told.get_attribute("id") == "success-modal", told.inner_text()
        until(lambda: self._close(told), "the formgrader's dialog to close")
        return well, text

    @staticmethod
    def _close(told: Locator) -> bool:
        if told.count():
            told.locator("[data-dismiss=modal]").first.click(timeout=5000)
        return told.count() == 0

    def button(self, icon: str) -> Locator:
        return self.row("ps1").locator(f"a:has(span.glyphicon-{icon})")
