"""Makes the students' page one HTML file that needs no network: pictures are embedded, links to other pages removed."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import mistune

PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --line: #8888; --code: #8882; }}
body {{ font: 1.05rem/1.55 system-ui, sans-serif; max-width: 52rem; margin: 0 auto; padding: 1rem 1rem 4rem; }}
h1, h2 {{ line-height: 1.2; margin-top: 2rem; }}
code {{ font-family: ui-monospace, Consolas, monospace; font-size: .92em; background: var(--code); border-radius: 3px;
  padding: .1em .25em; overflow-wrap: anywhere; }}
pre {{ background: var(--code); padding: .8rem; overflow-x: auto; border-radius: 5px; font-size: .9em; }}
pre code {{ background: none; padding: 0; overflow-wrap: normal; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line); }}
img {{ max-width: 100%; height: auto; }}
@media print {{ body {{ max-width: none; font-size: 10.5pt; }} pre {{ white-space: pre-wrap; }} }}
</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def page(markdown: Path) -> str:
    """The HTML page made from the file `markdown`."""
    text = markdown.read_text(encoding="utf-8")
    body = str(mistune.create_markdown(escape=False, plugins=["table"])(text))
    body = re.sub(r"<(h[1-6])>(.*?)</\1>", lambda m: f'<{m[1]} id="{_slug(m[2])}">{m[2]}</{m[1]}>', body)
    body = re.sub(r'<a href="(?!#|https?:)[^"]*">(.*?)</a>', r"\1", body, flags=re.DOTALL)
    body = re.sub(r'<img src="(?!data:|https?:)([^"]+)"', lambda m: _picture(markdown.parent / m[1]), body)
    body = body.replace("<pre>", '<pre tabindex="0">')  # so that keyboard users can scroll it
    title = re.search(r"^# (.+)$", text, flags=re.MULTILINE)
    return PAGE.format(title=title[1] if title else markdown.stem, body=body)


def _slug(heading: str) -> str:
    plain = re.sub(r"<[^>]+>", "", heading).lower()
    return re.sub(r"[^\w -]", "", plain).strip().replace(" ", "-")


def _picture(path: Path) -> str:
    kind = {".png": "image/png", ".svg": "image/svg+xml", ".jpg": "image/jpeg"}[path.suffix]
    return f'<img src="data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"'
