"""The feedback page of one notebook: an exporter for nbgrader's `GenerateFeedback`, with a template and a style sheet.

A page is one file without scripts that loads nothing from elsewhere. Its Content-Security-Policy makes the browser
enforce this.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TextIO

import nbformat
import nbformat.reader
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from nbconvert.exporters import Exporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateFeedback

from autograder.feedback import grades, lacking, outputs, questions, texts
from autograder.feedback.hide import HideHiddenTests
from autograder.feedback.questions import Role
from autograder.gradebook import spreadsheet
from autograder.rooms import alone, gradebook_lock, sanitise, unfinished

HERE = Path(__file__).parent
GRADES = "grades"
"""Where nbconvert's resources may hold the `Grades` of a notebook, under "nbgrader"; else the gradebook is read."""


def templates(package: str) -> Environment:
    """The templates of a package, in which all that is put is escaped."""
    return Environment(
        loader=PackageLoader(package, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _template() -> Any:
    environment = templates("autograder.feedback")
    environment.filters.update(points=spreadsheet.cell, with_code=outputs.with_code)
    return environment.get_template("page.html.j2")


@cache
def _style() -> Markup:
    return Markup((HERE / "page.css").read_text(encoding="utf-8"))


def is_whole(page: bytes) -> bool:
    """Whether a page was written to its end."""
    return page[-100:].rstrip().endswith(b"</html>")


def _is_whole(page: Path) -> bool:
    try:
        return is_whole(page.read_bytes())
    except OSError:
        return False


class _Course:
    """The cells of the source notebook; recognises its texts without an id, also as grading's clean-up changes them."""

    def __init__(self, file: Path | None = None) -> None:
        self.cells: list[NotebookNode] = []
        with contextlib.suppress(OSError, ValueError):
            self.cells = nbformat.read(file, as_version=4).cells if file else []
        plain = [c for c in self.cells if c.cell_type == "markdown" and not c.metadata.get("nbgrader")]
        self._texts = frozenset(
            text for c in plain for text in (c.source, sanitise.markdown(c.source, c.get("attachments")))
        )

    def knows(self, cell: NotebookNode) -> bool:
        return cell.cell_type == "markdown" and cell.source in self._texts


class FeedbackPage(Exporter):  # type: ignore[misc]  # nbconvert ships no types
    """The exporter for `GenerateFeedback.exporter_class`, which writes the page of a graded notebook."""

    file_extension = ".html"
    output_mimetype = "text/html"
    export_from_notebook = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        texts.forget()
        self._hides = HideHiddenTests(parent=self)
        self._gradebooks: dict[str, Gradebook] = {}
        self._courses: dict[Path, _Course] = {}
        if isinstance(self.parent, GenerateFeedback):
            self._skips = self.parent.init_destination
            self.parent.init_destination = self._destination
            self.parent.convert_notebooks = self._alone(self.parent.convert_notebooks)

    def _alone(self, convert: Callable[[], None]) -> Callable[[], None]:
        """As `convert`, while no other run writes pages or grades of the assignment."""

        def convert_alone() -> None:
            converter = self.parent
            lock = alone.Alone(converter, converter.coursedir.assignment_id, alone.PAGES)
            try:
                lock.begin(gradebook_lock.patience_of(self.config))
                converter.init_notebooks()  # nbgrader looked for them before, and the other run may have graded more
                convert()
            finally:
                lock.end()

        return convert_alone

    def _destination(self, assignment: str, student: str) -> bool:
        """As nbgrader says whether pages are written; one that a run that was killed has left half-written is."""
        converter = self.parent
        folder = Path(converter._format_dest(assignment, student))
        if student not in converter.coursedir.student_id_exclude.split(","):
            pages = [folder / f"{Path(notebook).stem}.html" for notebook in converter.notebooks]
            unfinished.remove(converter, folder, pages, _is_whole)
        return bool(self._skips(assignment, student))

    def from_file(self, file_stream: TextIO, resources: Any = None, **_: Any) -> tuple[str, Any]:
        """As nbconvert's, which takes a quarter of a page's time to copy and validate the notebook three times."""
        nb = nbformat.convert(nbformat.reader.reads(file_stream.read()), 4)
        nbformat.validate(nb, relax_add_props=True)
        resources = self._init_resources(resources)
        for preprocessor in self._preprocessors:
            nb, resources = preprocessor(nb, resources)
        return self._page(nb, resources)

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **options: Any) -> tuple[str, Any]:
        return self._page(*super().from_notebook_node(nb, resources, **options))

    def rehearse(self, assignment: str) -> None:
        """Makes the pages of the source notebooks, for nobody.

        What all pages share is then ready, and processes that are forked from this one have it.
        """
        folder = self._source(assignment)
        for file in sorted(folder.glob("*.ipynb")) if folder else ():
            marks = grades.of_nobody(self._course(file).cells)
            where = {"assignment": assignment, "notebook": file.stem, GRADES: marks}
            with contextlib.suppress(Exception):  # a notebook that is no notebook is named where it is used
                self.from_filename(str(file), resources={"nbgrader": where})

    def _page(self, nb: NotebookNode, resources: Any) -> tuple[str, Any]:
        """The page of a notebook, which is changed. `GRADES` of `resources` are used if there are any."""
        nb, resources = self._hides.preprocess(nb, resources)
        where = resources["nbgrader"]
        found = where[GRADES] if GRADES in where else self._grades(where)
        source = self._source(where["assignment"])
        course = self._course(source / f"{where['notebook']}.ipynb") if source else _Course()
        unread = lacking.unreadable(nb)
        lacking.add_headings(nb, course.cells, course.knows)
        sections = questions.questions(nb, found, course.knows, source, bool(unread))
        html = _template().render(
            assignment=where["assignment"],
            grades=found,
            unread=unread,
            questions=[section for section in sections if section.graded],
            rest=[section for section in sections if not section.graded],
            style=_style(),
            Role=Role,
        )
        return html, resources

    def _grades(self, where: Any) -> grades.Grades:
        gradebook = self._gradebook(where["db_url"])
        try:
            return grades.read(gradebook, where["notebook"], where["assignment"], where["student"])
        finally:
            gradebook.db.close()

    def _gradebook(self, url: str) -> Gradebook:
        """The gradebook; opened once a run, because opening takes longer than reading."""
        if url not in self._gradebooks:
            self._gradebooks[url] = Gradebook(url)
            weakref.finalize(self, self._gradebooks[url].close)
        return self._gradebooks[url]

    def _source(self, assignment: str) -> Path | None:
        """The folder of the assignment's source notebooks; None if the course is not known."""
        courses = getattr(self.parent, "coursedir", None)
        if courses is None:
            return None
        return Path(courses.format_path(courses.source_directory, ".", assignment)).absolute()

    def _course(self, file: Path) -> _Course:
        """The source notebook, read once a run."""
        if file not in self._courses:
            self._courses[file] = _Course(file)
        return self._courses[file]
