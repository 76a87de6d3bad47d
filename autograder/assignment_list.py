"""The server extension of the Assignment List, with readable errors: nbgrader's own shows a traceback.

Enable it in place of `nbgrader.server_extensions.assignment_list`, and disable that one by name, because it is loaded
later and would replace this one.
"""

from __future__ import annotations

from typing import Any

from nbgrader.server_extensions import assignment_list as stock
from nbgrader.server_extensions.assignment_list.handlers import AssignmentList

_ERROR = "ExchangeError: "


class Manager(AssignmentList):  # type: ignore[misc]  # nbgrader ships no types
    """As nbgrader's (server_extensions/assignment_list/handlers.py), but shows only the message of an ExchangeError."""

    def submit_assignment(self, course_id: str, assignment_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = super().submit_assignment(course_id, assignment_id)
        if not answer["success"] and _ERROR in answer["value"]:
            answer["value"] = answer["value"].partition(_ERROR)[2].strip()
        return answer


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "autograder.assignment_list"}]


def _load_jupyter_server_extension(server: Any) -> None:
    stock.load_jupyter_server_extension(server)
    manager = Manager(parent=server)
    manager.root_dir = server.root_dir
    server.web_app.settings["assignment_list_manager"] = manager
