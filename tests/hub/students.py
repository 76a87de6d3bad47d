"""Students in JupyterLab: one goes by the mouse, one by the keyboard alone. Both do what docs/students.md tells them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tests.hub.browser import Person
from playwright.sync_api import TimeoutError

from tests.hub.real_hub import until

if TYPE_CHECKING:
    from playwright.sync_api import Locator

VERDICT = ".validation-success, .validation-failed, .validation-changed, .validation-type-changed"
FOCUSED = """() => {
  let element = document.activeElement;
  while (element.shadowRoot && element.shadowRoot.activeElement) element = element.shadowRoot.activeElement;
  if (element.getRootNode().host) element = element.getRootNode().host;
  if (element === document.body) return [];
  return [element.innerText, element.ariaLabel, element.title, element.name, element.id].filter(Boolean);
}"""
ACTIVE = """() => {
  const cell = document.querySelector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell.jp-mod-active");
  return [cell.dataset.windowedListIndex, cell.innerText];
}"""


class Student(Person):
    """What a student sees, however the student gets there."""

    def submitted(self) -> Locator:
        return self.page.locator("#submitted_assignments_list > .list_item", has_text="ps1")

    def fetched(self) -> Locator:
        return self.page.locator("#fetched_assignments_list > .list_item", has_text="ps1")

    def released(self) -> Locator:
        return self.page.locator("#released_assignments_list > .list_item", has_text="ps1")

    def cell(self, words: str) -> Locator:
        """The code cell whose source holds `words`; only what is near the screen is in the page."""
        source = self.page.locator(".jp-InputArea-editor", has_text=words)
        return self.page.locator(".jp-NotebookPanel:visible .jp-CodeCell").filter(has=source).first

    def saved(self) -> None:
        until(lambda: self.page.locator(".jp-mod-current.jp-mod-dirty").count() == 0, "the notebook to be saved")

    def verdict(self) -> str:
        """What Validate's dialog says."""
        told = self.page.locator(VERDICT).first
        told.wait_for()
        return told.inner_text()

    def shown(self, picture: Locator) -> bool:
        """Whether a picture is drawn where it can be seen: on the screen, and bigger than a dot."""
        picture.wait_for()
        box = picture.bounding_box()
        drawn = picture.evaluate("image => image.complete && image.naturalWidth > 100")
        return bool(drawn and box and box["width"] > 100 and box["height"] > 50)


class MouseStudent(Student):
    """Points, clicks and types."""

    def fetch(self) -> None:
        self.login()
        self.lab()
        self.menu("Assignment List")
        self.released().wait_for()
        self.shot("released")
        self.released().get_by_role("button", name="Fetch").click()
        self.fetched().wait_for()

    def open(self) -> None:
        self.fetched().get_by_role("button", name="ps1").click()
        self.page.locator("#fetched_assignments_list a", has_text="problems").click()
        self.page.locator(".jp-NotebookPanel:visible .jp-Cell").first.wait_for()

    def scroll_to(self, cell: Locator) -> None:
        """Turns the wheel, from the top, until the cell is there."""
        notebook = self.page.locator(".jp-NotebookPanel:visible .jp-WindowedPanel-outer").first
        box = notebook.bounding_box()
        assert box
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.wheel(0, -100_000)

        def there() -> bool:
            if cell.count():
                cell.scroll_into_view_if_needed(timeout=5000)
                return True
            self.page.mouse.wheel(0, 300)
            return False

        until(there, "a cell to come into view")

    def answer(self, name: str, source: str) -> None:
        cell = self.cell(f"def grad_{name}(")
        self.scroll_to(cell)
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(source)

    def run_all(self) -> None:
        self.page.locator(".lm-MenuBar-item", has_text="Run").click()
        self.page.locator(".lm-Menu-item").get_by_text("Run All Cells", exact=True).click()

    def validate(self) -> str:
        self.page.locator(".validate-button").click()
        said = self.verdict()
        self.shot("validated")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self.page.locator(".jp-Dialog").wait_for(state="detached")
        return said

    def submit(self) -> None:
        self.page.locator('[data-command="docmanager:save"]:visible').click()
        self.saved()
        self.page.locator(".lm-TabBar-tabLabel", has_text="Assignments").click()
        self.fetched().get_by_role("button", name="Submit").click()
        self.fetched().get_by_role("button", name="Submit", exact=True).wait_for()
        self.submitted().wait_for()


class KeyboardStudent(Student):
    """Never touches the mouse: Tab, Enter, arrows, the shortcuts of JupyterLab and its command palette."""

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def focused(self) -> list[str]:
        """The words of what has the focus: its text, label, title, name."""
        return [str(words).strip() for words in self.page.evaluate(FOCUSED)]

    def tab_to(self, words: str, back: bool = False) -> None:
        """Presses Tab until what has the focus is called `words`."""
        seen: list[str] = []
        for _ in range(150):
            self.press("Shift+Tab" if back else "Tab")
            found = self.focused()
            if words in found:
                return
            seen += found
        raise AssertionError(f"Tab does not lead to {words!r}; it led to {list(dict.fromkeys(seen))}")

    def command(self, name: str) -> None:
        """Runs a command by the palette. What a page that just opens takes the focus from is asked for again."""
        search = self.page.locator(".lm-CommandPalette-input:visible")
        best = self.page.locator(".lm-CommandPalette-item.lm-mod-active", has_text=name)

        def found() -> bool:
            if search.count() == 0:
                self.press("Control+Shift+C")
            if search.count() and "lm-CommandPalette-input" in self.page.evaluate("document.activeElement.className"):
                self.press("Control+A")
                self.page.keyboard.insert_text(name)
            return best.count() > 0

        until(found, f"the palette to offer {name!r}")
        self.press("Enter")
        search.wait_for(state="hidden")

    def list(self) -> None:
        """Brings the Assignment List to the front; JupyterLab may still be putting back what was open last time."""
        shown = self.page.locator("#released_assignments_list:visible")

        def there() -> bool:
            if not shown.count():
                self.command("Assignment List")
            with suppress(TimeoutError):
                shown.wait_for(timeout=10_000)
            return shown.count() > 0

        until(there, "the Assignment List")

    def go_to(self, words: str, by: str = "ArrowDown") -> None:
        """Walks from cell to cell, by the arrow key, to the one that holds `words`."""
        self.press("Escape")
        while words not in (active := self._active())[1]:
            at = active[0]
            self.press(by)
            until(lambda: self._active()[0] != at, f"{by} to lead from cell {at} to {words!r}")  # noqa: B023

    def _active(self) -> tuple[int, str]:
        number, words = self.page.evaluate(ACTIVE)
        return int(number), str(words)
