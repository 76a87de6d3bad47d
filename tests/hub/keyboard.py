"""A student who never touches the mouse: Tab, Enter, arrows, JupyterLab's shortcuts and its command palette."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.hub.real_hub import until
from tests.hub.students import VERDICT, Student

if TYPE_CHECKING:
    from playwright.sync_api import Locator

# The words and classes of what has the focus; JupyterLab's buttons hide it in a shadow tree.
FOCUSED = """() => {
  let element = document.activeElement;
  while (element.shadowRoot && element.shadowRoot.activeElement) element = element.shadowRoot.activeElement;
  if (element.getRootNode().host) element = element.getRootNode().host;
  if (element === document.body) return [];
  const words = [element.tagName, element.innerText, element.ariaLabel, element.title, element.name];
  return [...words, ...element.classList].filter(Boolean);
}"""
ACTIVE = """() => {
  const cell = document.querySelector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell.jp-mod-active");
  return cell ? [cell.dataset.windowedListIndex, cell.innerText] : ["-1", ""];
}"""


class KeyboardStudent(Student):
    """Every step is keys; what is read from the page only tells when to press the next one."""

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def focused(self) -> list[str]:
        return [str(words).strip() for words in self.page.evaluate(FOCUSED)]

    def tab_to(self, words: str, key: str = "Tab") -> None:
        """Presses Tab until what has the focus is called `words`."""
        seen: list[str] = []
        for _ in range(150):
            self.press(key)
            found = self.focused()
            if words in found:
                return
            seen += found[1:2]
        raise AssertionError(f"{key} does not lead to {words!r}; it led to {list(dict.fromkeys(seen))}")

    def login(self, then: str = "/hub/spawn") -> None:
        self.page.goto(f"{self.address}/hub/login?next={then}")
        if "username_input" not in self.focused_id():
            self.tab_to("username")
        self.page.keyboard.type(self.name)
        self.tab_to("password")
        self.page.keyboard.type(f"{self.name}-word")
        self.press("Enter")

    def focused_id(self) -> str:
        return str(self.page.evaluate("document.activeElement.id"))

    def command(self, name: str) -> None:
        """Runs a command by the palette. What a page that just opens takes the focus from is asked for again."""
        search = self.page.locator(".lm-CommandPalette-input:visible")
        best = self.page.locator(".lm-CommandPalette-item.lm-mod-active", has_text=name)

        def found() -> bool:
            if search.count() == 0:
                self.press("Control+Shift+C")
            if "lm-CommandPalette-input" in self.focused():
                self.press("Control+A")
                self.page.keyboard.insert_text(name)
            return best.count() > 0

        until(found, f"the palette to offer {name!r}")
        self.press("Enter")
        search.wait_for(state="hidden")

    def list(self) -> None:
        """Brings the Assignment List to the front; JupyterLab may still be putting back what was open last time."""

        def there() -> bool:
            self.command("Assignment List")
            return self.appears(self.page.locator("#released_assignments_list:visible"), 10)

        until(there, "the Assignment List")

    def fetch(self) -> None:
        self.login()
        self.lab()
        self.list()
        self.listed("released").wait_for()
        self.shot("released")
        self.push("Fetch", self.listed("fetched"))

    def push(self, words: str, effect: Locator) -> None:
        """Tab to a button, Enter, until what it does can be seen; while it is at work it has another name."""

        def done() -> bool:
            with suppress(AssertionError):
                self.tab_to(words)
                self.press("Enter")
            return self.appears(effect, 20)

        until(done, f"what {words} does")

    def open(self) -> None:
        self.push("ps1", self.page.locator("#fetched_assignments_list a:visible", has_text="problems"))
        self.push("problems", self.page.locator(".jp-NotebookPanel:visible .jp-Cell"))
        self.opened()
        self.shot("notebook")

    def go_to(self, words: str, by: str = "ArrowDown") -> None:
        """Walks from cell to cell, by the arrow key, to the one that holds `words`; at an end it turns."""
        keys = ["ArrowDown", "ArrowUp"] if by == "ArrowDown" else ["ArrowUp", "ArrowDown"]
        self.press("Escape")

        def there() -> bool:
            at, said = self.active()
            if words in said:
                return True
            self.press(keys[0])
            if not self.soon(lambda: self.active()[0] != at):
                keys.reverse()
            return False

        until(there, f"the cell with {words!r}")

    @staticmethod
    def soon(ask: Callable[[], bool]) -> bool:
        """Whether something becomes true within ten seconds."""
        with suppress(AssertionError):
            return until(ask, "", 10)
        return False

    def active(self) -> tuple[int, str]:
        number, words = self.page.evaluate(ACTIVE)
        return int(number), str(words)

    def answer(self, answers: Mapping[str, str]) -> None:
        for name, source in answers.items():
            until(lambda: self.write(name, source), f"the answer to {name}")

    def write(self, name: str, source: str) -> bool:
        self.go_to(f"def grad_{name}(")
        self.press("Enter")
        if not self.soon(lambda: "cm-content" in self.focused()):
            return False
        self.press("Control+A")
        self.page.keyboard.insert_text(source)
        self.press("Escape")
        return self.soon(lambda: self.written(name, source))

    def run_all(self) -> None:
        self.command("Run All Cells")

    def look(self, name: str) -> bool:
        """Walks to the cell below a check, which brings its picture to the screen; whether it can be seen."""
        self.go_to(f"{name}.check(", by="ArrowUp")
        picture = self.output(name).locator(".jp-RenderedHTML img")
        picture.wait_for()
        self.press("ArrowDown")
        seen = until(lambda: self.sees(picture), f"the picture of {name}")
        self.shot(f"sees-{name}")
        return seen

    def validate(self) -> str:
        """By the button in the Assignment List: the one above the notebook is many Tabs away."""
        self.press("Control+S")
        self.saved()
        self.list()
        self.tab_to("problems")
        self.push("Validate", self.page.locator(VERDICT))
        said = self.verdict()
        self.press("Enter")
        self.page.locator(".jp-Dialog").wait_for(state="detached")
        return said

    def submit(self) -> None:
        self.list()
        self.push("Submit", self.listed("submitted").locator(".nested_list_item"))
        self.shot("submitted")

    def read_feedback(self) -> str:
        """Fetches it, then walks to the page in the file browser: `view feedback` cannot be reached by Tab."""
        self.list()
        self.listed("submitted").wait_for()
        self.push("Fetch Feedback", self.listed("submitted").get_by_text("view feedback"))
        files = self.page.locator(".jp-DirListing")
        for state in ("hidden", "visible"):
            self.press("Control+Shift+F")
            files.wait_for(state=state)
        self.tab_to("jp-DirListing-itemText", key="Shift+Tab")
        for folder in ("derivatives", "ps1", "feedback", "UTC", "problems.html"):
            self.choose(folder)
        said = self.feedback()
        self.turn_over()
        return said

    def turn_over(self) -> None:
        """Goes into the page by Tab, and down in it by Page Down."""
        body = self.page.locator(".jp-HTMLViewer:visible iframe").content_frame.locator("body")

        def top() -> float:
            box = body.bounding_box()
            return box["y"] if box else 0

        self.tab_to("IFRAME")
        before = top()
        self.press("PageDown")
        until(lambda: top() < before - 100, "the page to move")
        self.shot("feedback-below")

    def choose(self, name: str) -> None:
        """In the file browser: down to the item, Enter."""
        self.page.locator(".jp-DirListing-item", has_text=name).wait_for()
        chosen = self.page.locator(".jp-DirListing-item.jp-mod-selected", has_text=name)

        def there() -> bool:
            if chosen.count() == 0:
                self.press("ArrowDown")
            return self.appears(chosen, 1)

        until(there, f"{name} in the file browser")
        self.press("Enter")
