"""A notebook in another language than Python is refused by name before anything runs, or graded as stock nbgrader does.

Rooms run Python alone. The course's language counts, as the gradebook has it; what a student's notebook says of itself
changes nothing. With `c.Engine.unsafe` answers and tests of such a notebook run in one kernel of its language, with the
rights of whoever grades.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel, get_kernel_spec
from nbformat import NotebookNode, from_dict
from nbgrader.preprocessors import Execute

from autograder.rooms.course_cells import CourseCells

LANGUAGE = (
    "The notebook {notebook} is written in {language}, and rooms run Python alone. Take it out of this assignment, or "
    "grade it as nbgrader does, its cells and tests in one kernel with your rights: c.Engine.unsafe = True in "
    "nbgrader_config.py, if you trust every submission as your own code."
)
NO_KERNEL = "The notebook {notebook} is written in {language}, and its kernel, {kernel}, is not installed here."
AS_STOCK = (
    "GRADING {notebook} WITHOUT ISOLATION, because it is written in {language} and Engine.unsafe is set: its cells and "
    "tests run in one kernel, with your rights."
)


def refused(courses: Mapping[str, CourseCells], unsafe: bool) -> list[str]:
    """A sentence for each notebook, by its name, that cannot be graded."""
    found = []
    for notebook, course in courses.items():
        if course.language and not unsafe:
            found.append(LANGUAGE.format(notebook=notebook, language=course.language))
        elif course.language:
            kernel = str(course.kernelspec.get("name"))
            try:
                get_kernel_spec(kernel)
            except NoSuchKernel:
                found.append(NO_KERNEL.format(notebook=notebook, language=course.language, kernel=kernel))
    return found


def told(courses: Mapping[str, CourseCells]) -> list[str]:
    """What a grading run says of them before it begins."""
    return [AS_STOCK.format(notebook=n, language=c.language) for n, c in courses.items() if c.language]


class _Execute(Execute):  # type: ignore[misc]  # nbgrader ships no types
    """Its kernel gets the run's environment: that of this process may change while another notebook is graded in it."""

    def setup_kernel(self, **options: Any) -> Any:
        return super().setup_kernel(env=self.parent.parent.run.environment, **options)


def run(nb: NotebookNode, resources: Any, language: str, parent: Any) -> None:
    """Runs all cells in the kernel that the notebook's metadata name, which are the course's."""
    about = dict(nb.metadata)
    # What the configuration gives to kernels (c.Execute.extra_arguments) is for those of Python.
    _Execute(parent=parent, extra_arguments=[]).preprocess(nb, resources)
    lexer = {"name": language, "pygments_lexer": language.lower()}
    nb.metadata = from_dict({**about, "language_info": lexer})  # without what the kernel has said of itself
