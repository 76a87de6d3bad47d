"""The picture of the package for CONTRIBUTING.md, docs/images/house.svg: `make house`.

It shows what is true: the floors are those that `make lint` holds the imports to (pyproject.toml), and what a room says
of itself is the first sentence of its docstring. A test compares the file with what this makes.
"""

from __future__ import annotations

import ast
import re
import textwrap
import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs/images/house.svg"
WIDTH, LEFT, GAP, PAD = 1120, 34, 12, 10  # pixels, as all sizes here
TITLE, TEXT, LEADING = 14, 12, 15
ADVANCE = 6.6  # an upper estimate of a character of the text, so that no line leaves its box
FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif"


def floors() -> list[list[str]]:
    """The rooms of each floor, the roof first."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    (layers,) = [c["layers"] for c in contracts if c["type"] == "layers"]
    return [re.split(r"\s*[|:]\s*", layer) for layer in layers]


def says(room: str) -> str:
    """The first sentence of a folder's or module's docstring."""
    folder = ROOT / "autograder" / room
    source = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    text = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return re.split(r"(?<=\.)\s|\n\n", text.replace("`", ""))[0].replace("\n", " ")


def svg() -> str:
    """The whole picture as one SVG text."""
    parts, y = [], 12
    for number, rooms in zip(range(len(floors()), 0, -1), floors(), strict=True):
        width = (WIDTH - LEFT - GAP * len(rooms)) / len(rooms)
        lines = {room: textwrap.wrap(says(room), int((width - 2 * PAD) / ADVANCE)) for room in rooms}
        height = 2 * PAD + TITLE + LEADING * max(map(len, lines.values()))
        parts.append(f'<text x="12" y="{y + height / 2 + 5:g}" class="floor">{number}</text>')
        for i, room in enumerate(rooms):
            x = LEFT + i * (width + GAP)
            name = f"{room}/" if (ROOT / "autograder" / room).is_dir() else f"{room}.py"
            parts.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{height}" rx="5"/>')
            parts.append(f'<text x="{x + PAD:.1f}" y="{y + PAD + TITLE - 2}" class="name">{name}</text>')
            for n, line in enumerate(lines[room], 1):
                parts.append(f'<text x="{x + PAD:.1f}" y="{y + PAD + TITLE + n * LEADING - 2}">{escape(line)}</text>')
        y += height + GAP
    style = (
        f"text{{font:{TEXT}px {FONT};fill:#1f2933}}.name{{font-weight:700;font-size:{TITLE}px;fill:#0b57d0}}"
        ".floor{font-size:14px;fill:#667080}rect{fill:#fff;stroke:#667080}"
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" role="img">'
    told = "<title>The folders of autograder/ on eight floors: a folder imports from lower floors only</title>"
    ground = f'<style>{style}</style><path d="M0 0h{WIDTH}v{y}H0z" fill="#f6f8fa"/>'
    return "\n".join([head, told, ground, *parts, "</svg>\n"])


if __name__ == "__main__":
    PICTURE.write_text(svg(), encoding="utf-8")
    print(f"Wrote {PICTURE.relative_to(ROOT)}.")
