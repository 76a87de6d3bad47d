"""Draws a computation graph as one SVG text, without importing torch or a drawing library.

For any graph, no text leaves its box and no edge crosses a node. So text is monospaced with an upper bound for its
width, nodes stand in columns, and edges bend only between columns.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from enum import Enum
from html import escape

from autograder.calculus.graph import Forward
from autograder.drawing.elements import SANS, box, clean, shortened, text_line, width
from autograder.drawing.layout import Item, Layout, arrange, one_row


class Mark(Enum):
    """The verdict on one link; the value is its symbol, because colour alone must not carry it (WCAG 2.2, 1.4.1)."""

    RIGHT = "✓"
    WRONG = "✗"
    NEUTRAL = ""


_INK, _SOFT, _FAINT, _BLUE = "#1f2933", "#667080", "#b4bcc6", "#0b57d0"
# Stroke, fill and line style of a slot with a verdict: solid, bold or dashed, so that they differ without colour.
_LOOKS = {
    Mark.RIGHT: ("#17702f", "#e7f5ea", 'stroke-width="1.6"'),
    Mark.WRONG: ("#b3201a", "#fdeae8", 'stroke-width="3.4"'),
    Mark.NEUTRAL: (_SOFT, "#ffffff", 'stroke-width="1.4" stroke-dasharray="6 4"'),
}
_PLAIN = (_INK, "#ffffff", 'stroke-width="1.5"')
_EMPTY = (_INK, "#ffffff", 'stroke-width="1.5" stroke-dasharray="1.5 3.5" stroke-linecap="round"')
_LEGEND = {Mark.RIGHT: "right", Mark.WRONG: "first wrong link", Mark.NEUTRAL: "dashed: comes after it"}
_SAID = {Mark.RIGHT: " is right", Mark.WRONG: " is wrong", Mark.NEUTRAL: " comes after the first wrong one"}

_NODE, _SMALL, _NOTE, _TITLE = 14, 13, 12, 15  # font sizes
_LEADING = 17
_SLOT_GAP, _VALUE_GAP, _RING = 6, 5, 3.5
_PAD = 16
_NARROWEST = 330
_LONGEST = {"expression": 30, "name": 22, "value": 16}  # characters; longer text is cut and ends in …
_DOT = "\u00a0 · \u00a0"
_WIDE, _NARROW = (33, 24), (16, 12)  # most characters on one line of a node and of a slot


def svg(  # noqa: PLR0913  # a picture has these parts, and all but the graph may be left out
    forward: Forward,
    wrt: str,
    *,
    values: Mapping[str, str] | None = None,
    adjoints: Mapping[str, str] | None = None,
    marks: Mapping[str, Mark] | None = None,
    names: Mapping[str, str] | None = None,
    into: Collection[str] = (),
    title: str = "",
    description: str = "",
) -> str:
    """The graph as SVG, with `values` above the nodes and `adjoints` in slots below (both as text by node name).

    Only nodes on a path from `wrt` to the output have slots; if `adjoints` is None they are empty. `names` are what the
    slots say where it is not the adjoint as the course calls it. A mark is that of the links out of its node, or `into`
    it where the slot holds the node's own derivative. `title` is drawn.
    `description` is the text for screen readers; by default it is made from the graph.
    """
    picture = _Picture(forward, wrt, values or {}, adjoints, marks or {})
    picture.called |= {n: clean(name) for n, name in (names or {}).items()}
    picture.into = into
    return picture.svg(title, description)


class _Picture:
    """One picture: chooses the text of each node, then the layout, then writes the SVG."""

    def __init__(
        self,
        forward: Forward,
        wrt: str,
        values: Mapping[str, str],
        adjoints: Mapping[str, str] | None,
        marks: Mapping[str, Mark],
    ) -> None:
        self.forward, self.wrt, self.checked = forward, wrt, adjoints is not None
        self.names = (*forward.leaves, *forward.nodes)
        self.on_path = {wrt}
        for line in forward.lines:
            if self.on_path.intersection(line.inputs):
                self.on_path.add(line.name)
        self.slots = [n for n in self.names if n in self.on_path]
        self.values = {n: clean(values[n]) for n in self.names if n in values}
        self.adjoints = {n: clean((adjoints or {})[n]) for n in self.slots if n in (adjoints or {})}
        self.adjoints.setdefault(forward.output, "1")  # the backward pass starts there
        self.called = {n: forward.adjoint(n) for n in self.slots}
        self.marks = {n: marks[n] for n in self.slots if n in marks}
        self.into: Collection[str] = ()

    def svg(self, title: str, description: str) -> str:
        title, description = clean(title), clean(description) or self.description()
        for node_limit, slot_limit in (_WIDE, _NARROW):
            self.labels = {n: self.label(n, node_limit) for n in self.names}
            tall = any(len(" ".join(self.slot(n))) > slot_limit for n in self.slots)
            self.notes = {n: self.note(n, tall) for n in self.slots}
            items = {n: self.item(n) for n in self.names}
            if one_row(self.forward, items):
                break
        layout = arrange(self.forward, items, self.on_path)
        wide = max(layout.width + 2 * _PAD, _NARROWEST)
        left, top = (wide - layout.width) / 2, _PAD + (2 * _TITLE if title else 0)
        legend, legend_height = self.legend(wide - 2 * _PAD, top + layout.height + 16)
        high = top + layout.height + 16 + legend_height + _PAD - 6
        body = [
            f'<rect x="0.5" y="0.5" width="{wide - 1:.1f}" height="{high - 1:.1f}" rx="8" fill="#ffffff" '
            f'stroke="#d0d7de"/>'
        ]
        if title:
            fitting = title
            while width(fitting, _TITLE, sans=True) > wide - 2 * _PAD:
                fitting = fitting.rstrip("…")[:-1] + "…"
            head = f'font-family="{SANS}" font-size="{_TITLE}" font-weight="700" fill="{_INK}"'
            body.append(f'<text x="{_PAD}" y="{_PAD + _TITLE}" {head}>{escape(fitting)}</text>')
        body.append(f'<g transform="translate({left:.1f} {top:.1f})">')
        body += [self.edge(layout, *edge) for edge in sorted(layout.edges, key=lambda e: e[0] in self.on_path)]
        body += [self.node(layout, name) for name in self.names]
        body += ["</g>", *legend]
        content = "\n".join(body)
        key = hashlib.sha256(f"{self.forward.name}\n{title}\n{description}\n{content}".encode()).hexdigest()[:10]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.1f} {high:.1f}" width="{wide:.0f}" '
            f'height="{high:.0f}" style="max-width:100%;height:auto" role="img" '
            f'aria-labelledby="graph-{key}-title graph-{key}-desc">\n'
            f'<title id="graph-{key}-title">{escape(title or f"Computation graph of {self.forward.name}")}</title>\n'
            f'<desc id="graph-{key}-desc">{escape(description)}</desc>\n{content}\n</svg>\n'
        )

    def description(self) -> str:
        """The picture as text: the lines of the graph, then the adjoints in the order of the backward pass."""
        lines = [f"{n} = {self.values[n]}" for n in self.forward.leaves if n in self.values]
        for line in self.forward.lines:
            value = f" = {self.values[line.name]}" if line.name in self.values else ""
            lines.append(clean(line.text) + value)
        for name in [n for n in reversed(self.slots) if n != self.forward.output]:
            says = f"the derivative {self.called[name]}"
            if name in self.adjoints:
                says += f" = {self.adjoints[name]}"
            elif not self.checked:
                says += " is to be filled in"
            elif name not in self.marks:
                says += " is not named"
            if name in self.marks:
                says += _SAID[self.marks[name]]
            lines.append(says)
        return f"From {', '.join(self.forward.leaves)} to {self.forward.output}: {'; '.join(lines)}."

    def expression(self, name: str) -> str:
        """The node's expression without the modules of its functions: `softplus(a)`."""

        def bare(found: re.Match[str]) -> str:
            return found[0] if found[0].split(".")[0] in self.names else ""

        return clean(re.sub(r"(?<![\w.\"'])(?:[^\W\d]\w*\.)+(?=\w+\()", bare, self.forward.line(name).expression))

    def label(self, name: str, limit: int) -> tuple[str, str]:
        """The two lines of a node, name and expression; the second is empty if both fit on the first."""
        short = shortened(name, _LONGEST["name"])
        if name in self.forward.leaves:
            return short, ""
        expression = "= " + shortened(self.expression(name), _LONGEST["expression"])
        return (f"{short} {expression}", "") if len(short) + len(expression) < limit else (short, expression)

    def slot(self, name: str) -> tuple[str, str]:
        """The adjoint's name, and its value or "not named" or "= ?"."""
        missing = "not named" if self.checked else "= ?"
        known = "= " + shortened(self.adjoints.get(name, ""), _LONGEST["value"])
        return self.called[name], known if self.adjoints.get(name) else missing

    def note(self, name: str, tall: bool) -> list[str]:
        """The lines of a slot: `dfde = 0.36`; if `tall`, name and value apart, and a long name on two lines."""
        adjoint, value = self.slot(name)
        if not tall:
            return [f"{adjoint} {value}"]
        names = [shortened(adjoint, _LONGEST["name"])]
        if len(adjoint) > _LONGEST["name"] and adjoint == self.forward.adjoint(
            name
        ):  # broken between d(output) and d(name)
            names = [shortened(part, _LONGEST["name"] + 2) for part in (f"d{self.forward.output}", f"d{name}")]
        return [*names, value]

    def item(self, name: str) -> Item:
        first, second = self.labels[name]
        size = max(width(first, _NODE), width(second, _SMALL)) + 18
        arriving = 0 if name in self.forward.leaves else len(self.forward.line(name).inputs)
        half = max((2 if second else 1) * _LEADING + 17, 9 * arriving + 4) / 2  # room for each arrowhead
        column = [size + (2 * _RING if name == self.wrt else 0)]
        up = half + _RING
        if self.values:
            up += _VALUE_GAP + _SMALL
            column.append(width(shortened(self.values.get(name, ""), _LONGEST["value"]), _SMALL))
        down = half + _RING
        if name in self.on_path:
            column.append(self.slot_size(name)[0])
            down += _SLOT_GAP + self.slot_size(name)[1]
        return Item(max(size, 46), max(*column, 46), half, up, down)

    def slot_size(self, name: str) -> tuple[float, float]:
        symbol = 20 if self.marks.get(name, Mark.NEUTRAL).value else 0
        wide = max(width(line, _SMALL) for line in self.notes[name]) + 18 + symbol
        return wide, len(self.notes[name]) * _LEADING + 8

    def edge(self, layout: Layout, source: str, consumer: str) -> str:
        said_at = consumer if consumer in self.into else source
        mark = None if source in self.into and said_at == source else self.marks.get(said_at)
        colour, _, style = _LOOKS[mark] if mark else _PLAIN
        if source not in self.on_path:
            colour, style = _FAINT, 'stroke-width="1.2"'
        path, (x, y) = layout.path(source, consumer)
        heavy = 1.5 if mark is Mark.WRONG else 0
        tip = f"{x:.1f},{y:.1f} {x - 9 - heavy:.1f},{y - 4.5 - heavy:.1f} {x - 9 - heavy:.1f},{y + 4.5 + heavy:.1f}"
        return f'<path d="{path}" fill="none" stroke="{colour}" {style}/><polygon points="{tip}" fill="{colour}"/>'

    def node(self, layout: Layout, name: str) -> str:
        x, y = layout.centre[name]
        item, leaf, ours = layout.items[name], name in self.forward.leaves, name in self.on_path
        ink, line = (_INK, _PLAIN[2]) if ours else (_SOFT, 'stroke-width="1.2"')
        stroke, fill = (ink if ours else _FAINT), "#f4f6f8" if ours and not leaf else "#ffffff"
        parts = []
        first, second = self.labels[name]
        if "…" in first + second:
            parts.append(f"<title>{escape(clean(name if leaf else self.forward.line(name).text))}</title>")
        size, radius = (item.size, 2 * item.half), item.half if leaf else 7
        if name == self.wrt:
            fill, stroke, line = "#e8f0fe", _BLUE, 'stroke-width="2"'
            around = (size[0] + 2 * _RING, size[1] + 2 * _RING)
            parts.append(box(x, y, around, radius + _RING, (stroke, fill, line)))
        parts.append(box(x, y, size, radius, (stroke, fill, line)))
        if second:
            parts.append(text_line(first, (x, y - _LEADING / 2 + 5), _NODE, ink, bold=True))
            parts.append(text_line(second, (x, y + _LEADING / 2 + 5), _SMALL, ink))
        else:
            parts.append(text_line(first, (x, y + 5), _NODE, ink, bold=leaf))
        if name in self.values:
            value = shortened(self.values[name], _LONGEST["value"])
            parts.append(text_line(value, (x, y - item.half - _RING - _VALUE_GAP), _SMALL, ink))
        if ours:
            parts.append(self.drawn_slot(name, x, y + item.half + _RING + _SLOT_GAP))
        return "<g>" + "".join(parts) + "</g>"

    def drawn_slot(self, name: str, x: float, top: float) -> str:
        size, mark = self.slot_size(name), self.marks.get(name)
        look = _LOOKS[mark] if mark else _PLAIN if name in self.adjoints else _EMPTY
        middle = top + size[1] / 2
        parts = [box(x, middle, size, 4, look)]
        if mark and mark.value:
            parts.append(text_line(mark.value, (x - size[0] / 2 + 16, middle + 5.5), 16, look[0], bold=True))
            x += 10
        lines, strong = self.notes[name], mark is Mark.WRONG or name == self.wrt
        base = middle - (len(lines) - 1) * _LEADING / 2 + 4.5
        parts += [text_line(t, (x, base + i * _LEADING), _SMALL, look[0], bold=strong) for i, t in enumerate(lines)]
        return "".join(parts)

    def legend(self, wide: float, top: float) -> tuple[list[str], float]:
        """The legend of the signs that appear, on as many lines as needed, and its height."""
        of, asked = (shortened(n, 30) for n in (self.forward.output, self.forward.adjoint(self.wrt)))
        says = [("above: value", _SOFT)] if self.values else []
        own = any(self.called[n] != self.forward.adjoint(n) for n in self.slots)
        says.append(("below: your derivatives" if own else f"below: derivative of {of} with respect to it", _SOFT))
        says.append((f"double ring: {asked} is asked for", _BLUE))
        if not self.checked:
            says.append(("dotted: for you to find, right to left", _INK))
        for mark, text in _LEGEND.items():
            if mark in self.marks.values():
                says.append((f"{mark.value} {text}".strip(), _LOOKS[mark][0]))
        rows: list[list[tuple[str, str]]] = [[]]
        for sign in says:
            if rows[-1] and width(_DOT.join(t for t, _ in [*rows[-1], sign]), _NOTE, sans=True) > wide:
                rows.append([])
            rows[-1].append(sign)
        dot = f'<tspan fill="{_FAINT}">{_DOT}</tspan>'
        return [
            f'<text x="{_PAD}" y="{top + _NOTE + 19 * i:.1f}" font-family="{SANS}" font-size="{_NOTE}">'
            + dot.join(f'<tspan fill="{colour}">{escape(text)}</tspan>' for text, colour in row)
            + "</text>"
            for i, row in enumerate(rows)
        ], _NOTE + 19 * (len(rows) - 1)
