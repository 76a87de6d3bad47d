"""Reads, converts and keeps the notebook of a submission, with what grading's preprocessors share.

nbgrader makes one exporter in a run, and it is the `parent` of every preprocessor. nbgrader converts each notebook
twice, first to put the course's cells back and then to grade, and writes and reads a file in between. Here the notebook
stays in memory in between, so that no folder ever holds one that is half graded, and preprocessors are made once.
"""

from __future__ import annotations

import os
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook
from nbformat.v4.nbjson import BytesEncoder
from nbformat.v4.rwbase import split_lines, strip_transient
from nbformat.validator import normalize

from autograder.at_home.notebook import UnreadableNotebook
from autograder.rooms import handed_in
from autograder.rooms.names import Names
from autograder.rooms.restore_cells import UNREADABLE
from autograder.rooms.run import GradingRun
from autograder.terminal.report import Reason, Report

_ENCODE = BytesEncoder(ensure_ascii=False).encode
NOT_READ = "{file} could not be read as a notebook: {why}"
REPAIRED = "{file} was repaired: {repairs}"


class Notebooks(NotebookExporter):  # type: ignore[misc]  # nbconvert ships no types
    """What preprocessors find as their `parent`. Whoever makes it sets the attributes below."""

    run: GradingRun
    report: Report
    names: Names

    def __init__(self, config: Any = None, **options: Any) -> None:
        self._made: dict[Any, Any] = {}
        self._restored: dict[str, NotebookNode] = {}
        """Notebooks between the two conversions, by file name."""
        super().__init__(config=config, **options)
        self._writes = self.parent.write_single_notebook
        self.parent.write_single_notebook = self._write

    def wait_for_gradebook(self, **_: Any) -> None:
        """Called before the gradebook is written."""

    def list_findings(self, who: dict[str, str], rows: list[dict[str, Any]]) -> None:
        """Lists answers of a notebook that may not be by hand; `who` names student, assignment and notebook."""

    def register_preprocessor(self, preprocessor: Any, enabled: bool = False) -> Any:
        """As nbconvert does it; nbgrader registers all of them anew for each notebook."""
        if preprocessor not in self._made:
            before = len(self._preprocessors)
            super().register_preprocessor(preprocessor, enabled)
            self._made[preprocessor] = self._preprocessors[before:]
        else:
            self._preprocessors += self._made[preprocessor]

    def from_filename(self, filename: str, resources: Any = None, **options: Any) -> tuple[str, Any]:
        """As nbconvert does it; a damaged file is repaired if that is certain, and else it is ungradable."""
        resources["metadata"] = {"name": Path(filename).stem, "path": os.path.dirname(filename)}
        if self.parent._sanitizing:
            notebook = self._read(filename, resources)
        else:
            notebook = self._restored.pop(os.path.basename(filename))
        return self.from_notebook_node(notebook, resources, **options)

    def _read(self, filename: str, resources: Any) -> NotebookNode:
        student = resources["nbgrader"]["student"]
        file = self.names.renamed.get(filename, filename)
        name = os.path.basename(file)
        try:
            with self.run.meanwhile():
                content, repairs = self.run.scribe.read(os.path.abspath(file))
        except UnreadableNotebook as why:
            self.report.note(student, NOT_READ.format(file=name, why=why), Reason.UNREADABLE)
            resources[UNREADABLE] = True
            return new_notebook(cells=[new_markdown_cell(handed_in.UNREADABLE.format(why=why))])
        if repairs:
            self.report.note(student, REPAIRED.format(file=name, repairs=", ".join(repairs)))
        return nbformat.from_dict(content)

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **options: Any) -> tuple[str, Any]:
        """As nbconvert does it, but `nb` itself is changed: its copies take longer than all steps but one."""
        resources = self._init_resources(resources)
        if self.parent._sanitizing:
            _, nb = normalize(nb)
        for step in self._preprocessors:
            nb, resources = step(nb, resources)
        if self.parent._sanitizing:
            self._restored[f"{resources['metadata']['name']}{self.file_extension}"] = nb
            return "", resources
        self._validate_preprocessor(nb, self._preprocessors[-1])
        resources["output_suffix"] = ".nbconvert"
        return _text(nb), resources

    def _write(self, output: str, resources: Any) -> None:
        if self.parent._sanitizing:  # the folder of what is written must be known
            where = resources["nbgrader"]
            self.parent.writer.build_directory = self.parent._format_dest(where["assignment"], where["student"])
        else:
            self._writes(output, resources)


def _text(nb: NotebookNode) -> str:
    """The notebook as nbformat writes it, which is changed by it; nbformat copies and validates it first, and Python
    (3.11) indents with an encoder that is not compiled, in four times the time.
    """
    return _json(strip_transient(split_lines(nb)), "\n") + "\n"


def _json(thing: Any, before: str) -> str:
    """As `json.dumps` writes it with an indent of 1 and sorted keys, which are all text; `before` each of its lines."""
    inside = before + " "
    if type(thing) is str:
        return encode_basestring(thing)
    if isinstance(thing, dict) and thing:
        lines = [f"{encode_basestring(name)}: {_json(thing[name], inside)}" for name in sorted(thing)]
        return f"{{{inside}{f',{inside}'.join(lines)}{before}}}"
    if isinstance(thing, list | tuple) and thing:
        return f"[{inside}{f',{inside}'.join([_json(item, inside) for item in thing])}{before}]"
    return str(_ENCODE(thing))
