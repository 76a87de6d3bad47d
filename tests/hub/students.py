"""Students in JupyterLab, and one of them who goes by the mouse. All do what docs/students.md tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tests.hub.browser import Person
from tests.hub.real_hub import until

if TYPE_CHECKING:
    from playwright.sync_api import Locator

VERDICT = ".validation-success, .validation-failed, .validation-changed, .validation-type-changed"
# Asked at once, because what leaves the screen leaves the page.
DRAWN = """images => images.some(image => {
  const box = image.getBoundingClientRect();
  return image.complete && image.naturalWidth > 100 && box.width > 300 && box.top > 0 && box.bottom < innerHeight;
})"""


class Student(Person):
    """What a student sees, however the student gets there."""

    def listed(self, where: str) -> Locator:
        """ps1 among the `released`, `fetched` or `submitted` assignments."""
        return self.page.locator(f"#{where}_assignments_list > .list_item:visible", has_text="ps1")

    def cell(self, words: str) -> Locator:
        """The code cell whose source holds `words`; only what is near the screen is in the page."""
        source = self.page.locator(".jp-InputArea-editor", has_text=words)
        return self.page.locator(".jp-NotebookPanel:visible .jp-CodeCell").filter(has=source).first

    def opened(self) -> None:
        """Waits until the notebook is there and its kernel idle."""
        self.page.locator(".jp-NotebookPanel:visible .jp-Cell").first.wait_for()
        self.page.locator("#jp-main-statusbar", has_text="| Idle").wait_for()

    def saved(self) -> None:
        until(lambda: self.page.locator(".jp-mod-current.jp-mod-dirty").count() == 0, "the notebook to be saved")

    def verdict(self) -> str:
        """What Validate's dialog says."""
        told = self.page.locator(VERDICT).first
        told.wait_for()
        self.shot("validated")
        return told.inner_text()

    def output(self, name: str) -> Locator:
        return self.cell(f"{name}.check(").locator(".jp-OutputArea")

    def sees(self, picture: Locator) -> bool:
        """Whether a picture is drawn on the screen, whole, and bigger than a stamp."""
        return bool(picture.evaluate_all(DRAWN))

    def written(self, name: str, source: str) -> bool:
        """Whether the answer to a question stands in its cell."""
        texts = self.cell(f"def grad_{name}(").locator(".cm-content").all_inner_texts()
        return ["".join(text.split()) for text in texts] == ["".join(source.split())]

    def feedback(self) -> str:
        """The words of the feedback page that is open."""
        frame = self.page.locator(".jp-HTMLViewer:visible iframe")
        frame.wait_for()
        body = frame.content_frame.locator("body")
        body.locator("h1", has_text="Feedback on").wait_for()
        self.shot("feedback")
        body.evaluate("body => body.querySelectorAll('details').forEach(folded => { folded.open = true })")
        return body.inner_text()


class MouseStudent(Student):
    """Points, clicks and types."""

    def list(self) -> None:
        def there() -> bool:
            self.menu("Nbgrader", "Assignment List")
            return self.appears(self.page.locator("#released_assignments_list:visible"), 10)

        until(there, "the Assignment List")

    def fetch(self) -> None:
        self.login()
        self.lab()
        self.list()
        self.listed("released").wait_for()
        self.shot("released")
        self.listed("released").get_by_role("button", name="Fetch").click()
        self.listed("fetched").wait_for()

    def open(self) -> None:
        self.listed("fetched").get_by_role("button", name="ps1").click()
        self.page.locator("#fetched_assignments_list a", has_text="problems").click()
        self.opened()
        self.shot("notebook")

    def scroll_to(self, what: Locator) -> None:
        """Turns the wheel, from the top, until it is there."""
        box = self.page.locator(".jp-NotebookPanel:visible .jp-WindowedPanel-outer").first.bounding_box()
        assert box
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.wheel(0, -100_000)

        def there() -> bool:
            if self.appears(what, 0.5):
                return True
            self.page.mouse.wheel(0, 300)
            return False

        until(there, "a cell to come into view")
        what.scroll_into_view_if_needed()

    def answer(self, answers: Mapping[str, str]) -> None:
        for name, source in answers.items():
            until(lambda: self.write(name, source), f"the answer to {name}")

    def write(self, name: str, source: str) -> bool:
        cell = self.cell(f"def grad_{name}(")
        self.scroll_to(cell)
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(source)
        return self.written(name, source)

    def run_all(self) -> None:
        self.menu("Run", "Run All Cells")

    def look(self, name: str) -> bool:
        """Scrolls to the picture below a check; whether it can be seen."""
        picture = self.output(name).locator(".jp-RenderedHTML img")
        self.scroll_to(picture)

        def there() -> bool:
            if self.sees(picture):
                return True
            tops = picture.evaluate_all("images => images.map(image => image.getBoundingClientRect().top)")
            self.page.mouse.wheel(0, -100 if tops and tops[0] < 100 else 100)
            return False

        seen = until(there, f"the picture of {name}")
        self.shot(f"sees-{name}")
        return seen

    def validate(self) -> str:
        self.page.locator(".validate-button").click()
        said = self.verdict()
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self.page.locator(".jp-Dialog").wait_for(state="detached")
        return said

    def submit(self, times: int = 1) -> None:
        """Saves and submits; afterwards the list shows `times` submissions."""
        self.page.locator('[data-command="docmanager:save"]:visible').click()
        self.saved()
        self.page.locator(".lm-TabBar-tabLabel", has_text="Assignments").click()
        self.listed("fetched").get_by_role("button", name="Submit").click()
        self.listed("submitted").locator(".nested_list_item").nth(times - 1).wait_for()
        self.shot("submitted")
        self.page.locator(".lm-TabBar-tabLabel", has_text="problems.ipynb").click()

    def read_feedback(self) -> str:
        """Fetches it, follows `view feedback`, and opens the page by double clicks."""
        self.list()
        self.listed("submitted").get_by_role("button", name="Fetch Feedback").click()
        file = self.page.locator(".jp-DirListing-item", has_text="problems.html")

        def there() -> bool:
            self.listed("submitted").get_by_text("view feedback").first.click()
            return self.appears(file, 10)

        until(there, "the folder of the feedback")
        self.open_file(file, self.page.locator(".jp-HTMLViewer:visible iframe"))
        return self.feedback()
