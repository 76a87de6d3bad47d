"""Shows a message in place of the formgrader's pages while another program has locked the gradebook.

nbgrader's own pages would never finish loading. This is a server extension, enabled beside nbgrader's formgrader. Its
routing rule comes first and matches only while the gradebook cannot be read.
"""

from __future__ import annotations

from html import escape
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from sqlalchemy.engine import make_url
from tornado.httputil import HTTPServerRequest
from tornado.routing import PathMatches, Rule
from tornado.web import authenticated

from autograder.rooms import gradebook_lock

PATIENCE = 5.0  # seconds, as long as nbgrader's database connection waits (sqlite3's default timeout)
PAGE = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>The gradebook is held</title></head>
<body style="font: 16px/1.5 sans-serif; margin: 3em auto; max-width: 40em; background: #fff; color: #222">
<h1>The gradebook is held by another program</h1>
<p>The gradebook <code>{path}</code> could not be read within {patience:g} seconds, so this page cannot be shown.
Nothing is lost.</p>
<p>Most often a grading run is writing to it, and the page is there again in a moment: <a href="">reload it</a>. If not,
look for the program that has the file open (<code>lsof {path}</code>) and let it end.</p>
</body>
</html>
"""


class GradebookLocked(JupyterHandler):  # type: ignore[misc]  # jupyter_server is not looked into
    """Answers with the message and status 503."""

    def initialize(self, path: str) -> None:
        self.path = path

    @authenticated  # type: ignore[untyped-decorator]
    def get(self) -> None:
        self.set_status(503)
        self.finish(PAGE.format(path=escape(self.path), patience=PATIENCE))


class WhileLocked(PathMatches):  # type: ignore[misc]
    """A routing rule that matches the formgrader's pages only while the gradebook at `path` cannot be read."""

    def __init__(self, pattern: str, path: str) -> None:
        super().__init__(pattern)
        self.path = path

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        if request.method != "GET" or super().match(request) is None:
            return None
        if not gradebook_lock.is_held(self.path, gradebook_lock.READING, PATIENCE):
            return None
        return {}


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "autograder.formgrader"}]


def _load_jupyter_server_extension(server: Any) -> None:
    from nbgrader.apps.baseapp import NbGrader
    from nbgrader.coursedir import CourseDirectory

    app = NbGrader()
    app.load_config_file()
    url = make_url(CourseDirectory(parent=app).db_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    pages = url_path_join(server.web_app.settings["base_url"], "/formgrader/(manage_|gradebook|submissions/)")
    rule = Rule(WhileLocked(pages + ".*", url.database), GradebookLocked, {"path": url.database})
    server.web_app.default_router.rules.insert(0, rule)
