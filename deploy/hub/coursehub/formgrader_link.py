"""`Nbgrader > Formgrader` in an instructor's own server: a page with links to the formgraders of the hub.

nbgrader's own formgrader would look for a course in the instructor's home and find none. The page stands in a frame of
Lab that may open no window itself; it asks Lab for it, as nbgrader's own pages do.
"""

from __future__ import annotations

import json
import os
from html import escape
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.httpclient import AsyncHTTPClient
from tornado.web import authenticated

PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Formgrader</title>
<style>
body {{ font: 16px/1.5 sans-serif; margin: 2em; max-width: 40em; background: #fff; color: #222 }}
</style>
</head>
<body>
<h1>Formgrader</h1>
{content}
<script>
for (const link of document.querySelectorAll("a")) link.onclick = () => {{
  if (window.parent === window) return true;
  const command = {{command: "help:open", arguments: {{url: link.href, newBrowserTab: true}}}};
  window.parent.postMessage(JSON.stringify(command), location.origin);
  return false;
}};
</script>
</body>
</html>
"""
SOME = "<p>Each course is graded in a server of its own. It opens in a new tab:</p>\n<ul>{links}</ul>"
NONE = (
    "<p>You teach no course of this hub. If you should, the administrator adds you to <code>instructors</code> in "
    "<code>course.yaml</code>; it takes effect within a minute.</p>"
)


def page(services: dict[str, Any]) -> str:
    """The page for an instructor to whom the hub shows these services, which are those that they may use."""
    links = "".join(
        f'<li><a href="{escape(url_path_join(about["prefix"], "lab"))}?formgrader=true" target="_blank">'
        f"{escape(name)}</a></li>"
        for name, about in sorted(services.items())
        if "prefix" in about  # of services that are not theirs the hub tells no more than the name
    )
    return PAGE.format(content=SOME.format(links=links) if links else NONE)


class Formgrader(JupyterHandler):  # type: ignore[misc]  # Jupyter Server ships no types for it
    @authenticated  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        answer = await AsyncHTTPClient().fetch(
            os.environ["JUPYTERHUB_API_URL"] + "/services",
            headers={"Authorization": f"token {os.environ['JUPYTERHUB_API_TOKEN']}"},
        )
        self.finish(page(json.loads(answer.body)))


def _load_jupyter_server_extension(app: Any) -> None:
    app.web_app.add_handlers(".*$", [(url_path_join(app.web_app.settings["base_url"], "/formgrader/?"), Formgrader)])
