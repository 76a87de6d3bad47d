"""Places the nodes of a computation graph and routes its edges, given the sizes of the nodes. Lengths are in px.

A layered layout (Sugiyama, Tagawa and Toda 1981): columns by longest path from the leaves, order within a column by
barycentre, heights by least squares. An edge that skips columns gets a bend in each, which takes space as a node does.
A graph too wide for a page is broken into rows like text; edges between rows run in lanes of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from autograder.calculus.graph import Forward

WIDEST = 900
"""The greatest width of a row: a notebook shows it without shrinking the text much."""
_GAP, _WIDEST_GAP = 36, 84  # between columns
_BETWEEN, _AROUND_BEND = 14, 7  # between the nodes of a column, and on each side of an edge passing through it
_LANE, _BETWEEN_ROWS = 9, 26
_TIP = 10  # length of the straight end of an edge, for its arrowhead

Key = str | tuple[str, str, int]
"""A node by its name, or a bend by its edge (source, consumer) and column."""


class Item(NamedTuple):
    """The size of a node.

    `size` is the width of its box, `column` the width with the texts, `half` half the height of the box, `up` and
    `down` the height with the texts above and below the middle of the box.
    """

    size: float
    column: float
    half: float
    up: float
    down: float


@dataclass
class Layout:
    """The result: the centre of each box, the path of each edge, and the size of the whole."""

    items: Mapping[str, Item]
    edges: list[tuple[str, str]]
    rows: int = 1
    width: float = 0
    height: float = 0
    centre: dict[Key, tuple[float, float]] = field(default_factory=dict)
    _chains: dict[tuple[str, str], list[Key]] = field(default_factory=dict)
    _columns: list[tuple[int, float, float]] = field(default_factory=list)  # row, left, right
    _column_of: dict[Key, int] = field(default_factory=dict)
    _ports: dict[tuple[str, str], float] = field(default_factory=dict)
    _lanes: dict[tuple[Key, Key], tuple[float, float, float]] = field(default_factory=dict)  # right, under, left

    def path(self, source: str, consumer: str) -> tuple[str, tuple[float, float]]:
        """The edge as SVG path data, which ends before the arrowhead, and the tip of the arrowhead."""
        chain = self._chains[source, consumer]
        x, y = self.centre[source]
        data = [f"M{x + self.items[source].size / 2:.1f} {y:.1f}"]
        for here, there in pairwise(chain):
            y = self.centre[here][1]
            right, left = self._columns[self._column_of[here]][2], self._columns[self._column_of[there]][1]
            last = there == consumer
            end = self.centre[there][1] + (self._ports[source, consumer] if last else 0)
            left -= _TIP if last else 0
            data.append(f"L{right:.1f} {y:.1f}")
            if (here, there) in self._lanes:
                out, under, back = self._lanes[here, there]
                data.append(_rounded([(right, y), (out, y), (out, under), (back, under), (back, end), (left, end)]))
            else:
                middle = (right + left) / 2
                data.append(f"C{middle:.1f} {y:.1f} {middle:.1f} {end:.1f} {left:.1f} {end:.1f}")
        tip = self.centre[consumer][0] - self.items[consumer].size / 2 - 1
        return " ".join([*data, f"L{tip - _TIP + 2:.1f} {end:.1f}"]), (tip, end)


def arrange(forward: Forward, items: Mapping[str, Item], main: set[str]) -> Layout:
    """The layout of `forward` with nodes of these sizes; edges from nodes in `main` are kept straight first."""
    edges = [(source, line.name) for line in forward.lines for source in line.inputs]
    layout = Layout(items, edges)
    columns = _columns(forward, rows=1)
    widths = _widths(columns, items)
    per_row = len(columns)
    while per_row > 1 and max(_least_width(row) for row in _rows(widths, per_row)) > WIDEST:
        layout.rows += 1
        columns = _columns(forward, layout.rows)
        widths = _widths(columns, items)
        per_row = -(-len(columns) // layout.rows)
    layout.rows = -(-len(columns) // per_row)
    _add_bends(layout, columns)
    order = _ordered(layout, columns)
    _set_coordinates(layout, order, widths, per_row, main)
    return layout


def one_row(forward: Forward, items: Mapping[str, Item]) -> bool:
    """Whether the graph fits in one row with nodes of these sizes."""
    return _least_width(_widths(_columns(forward, rows=1), items)) <= WIDEST


def _widths(columns: list[list[str]], items: Mapping[str, Item]) -> list[float]:
    return [max(items[name].column for name in column) for column in columns]


def _rows(widths: Sequence[float], per_row: int) -> list[Sequence[float]]:
    return [widths[i : i + per_row] for i in range(0, len(widths), per_row)]


def _least_width(widths: Sequence[float]) -> float:
    return sum(widths) + _GAP * (len(widths) - 1)


def _columns(forward: Forward, rows: int) -> list[list[str]]:
    """Columns of nodes by longest path from a leaf; with several rows, leaves stand just before their first use."""
    depth = dict.fromkeys(forward.leaves, 0)
    for line in forward.lines:
        depth[line.name] = 1 + max(depth[n] for n in line.inputs)
    if rows > 1:
        for leaf in forward.leaves:
            depth[leaf] = min((depth[line.name] for line in forward.consumers(leaf)), default=1) - 1
    columns: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for name, column in depth.items():
        columns[column].append(name)
    return columns


def _add_bends(layout: Layout, columns: list[list[str]]) -> None:
    layout._column_of = {name: i for i, column in enumerate(columns) for name in column}
    for source, consumer in layout.edges:
        passed = range(layout._column_of[source] + 1, layout._column_of[consumer])
        bends: list[Key] = [(source, consumer, i) for i in passed]
        layout._chains[source, consumer] = [source, *bends, consumer]
        layout._column_of.update(zip(bends, passed, strict=True))


def _steps(layout: Layout) -> list[tuple[Key, Key]]:
    return [step for chain in layout._chains.values() for step in pairwise(chain)]


def _ordered(layout: Layout, columns: list[list[str]]) -> list[list[Key]]:
    """The columns with their bends, in the order with the fewest crossings that barycentre sweeps find."""
    before: dict[Key, list[Key]] = {key: [] for key in layout._column_of}
    after: dict[Key, list[Key]] = {key: [] for key in layout._column_of}
    steps = _steps(layout)
    for here, there in steps:
        after[here].append(there)
        before[there].append(here)
    order: list[list[Key]] = [[k for k, c in layout._column_of.items() if c == i] for i in range(len(columns))]
    place = {key: float(i) for column in order for i, key in enumerate(column)}

    def sweep(indices: Sequence[int], neighbours: Mapping[Key, list[Key]]) -> None:
        for i in indices:
            mean = {k: sum(place[n] for n in neighbours[k]) / len(neighbours[k]) for k in order[i] if neighbours[k]}
            order[i].sort(key=lambda k: mean.get(k, place[k]))
            place.update({k: float(j) for j, k in enumerate(order[i])})

    def crossings() -> int:
        ends = sorted((layout._column_of[a], place[a], place[b]) for a, b in steps)
        return sum(p[0] == q[0] and p[1] < q[1] and p[2] > q[2] for i, p in enumerate(ends) for q in ends[i + 1 :])

    best, fewest = [list(column) for column in order], -1
    forwards, backwards = range(1, len(order)), range(len(order) - 2, -1, -1)
    for _ in range(4):
        for indices, neighbours in ((forwards, before), (backwards, after)):
            sweep(indices, neighbours)
            count = crossings()
            if fewest < 0 or count < fewest:
                best, fewest = [list(column) for column in order], count
        if fewest == 0:
            break
    return best


def _set_coordinates(
    layout: Layout, order: list[list[Key]], widths: Sequence[float], per_row: int, main: set[str]
) -> None:
    """Sets all coordinates, row by row."""
    row_of = [i // per_row for i in range(len(order))]
    wrapped = [(a, b) for a, b in _steps(layout) if row_of[layout._column_of[a]] != row_of[layout._column_of[b]]]
    lanes = [[s for s in wrapped if row_of[layout._column_of[s[0]]] == row] for row in range(layout.rows)]
    side = max(map(len, lanes)) * _LANE + 14 if wrapped else 0.0
    inner = max(_least_width(row) for row in _rows(widths, per_row))
    inner = min(max(inner, WIDEST * 0.8 - 2 * side), inner + (_WIDEST_GAP - _GAP) * (per_row - 1))
    for row, members in enumerate(_rows(widths, per_row)):
        spare = inner - _least_width(members)
        gap = _GAP + min(spare / max(len(members) - 1, 1), _WIDEST_GAP - _GAP)
        x = side
        for wide in members:
            layout._columns.append((row, x, x + wide))
            x += wide + gap
    _set_ports(layout, order, row_of)
    y = _heights(layout, order, row_of, main)
    layout.width = max(right for _, _, right in layout._columns) + side
    top = 0.0
    for row in range(layout.rows):
        keys = [k for i, column in enumerate(order) if row_of[i] == row for k in column]
        highest = min(y[k] - _extent(layout, k)[0] for k in keys)
        lowest = max(y[k] + _extent(layout, k)[1] for k in keys)
        for k in keys:
            _, left, right = layout._columns[layout._column_of[k]]
            layout.centre[k] = ((left + right) / 2, y[k] - highest + top)
        top += lowest - highest
        crossing = sorted(lanes[row], key=lambda s: -y[s[0]])
        end = layout._columns[layout._column_of[crossing[0][0]]][2] if crossing else 0
        for i, step in enumerate(crossing):
            lane = 12 + _LANE * i
            layout._lanes[step] = (end + lane, top + lane, side - lane - _TIP)
        top += _BETWEEN_ROWS + _LANE * len(crossing) if row + 1 < layout.rows else 0
    layout.height = top


def _set_ports(layout: Layout, order: list[list[Key]], row_of: list[int]) -> None:
    """Distributes the edges that arrive at a node over its left side, in the order of their sources."""
    place = {key: (row_of[i], j) for i, column in enumerate(order) for j, key in enumerate(column)}
    for name in {consumer for _, consumer in layout.edges}:
        arriving = sorted((place[c[-2]], edge) for edge, c in layout._chains.items() if edge[1] == name)
        step = min(11, (2 * layout.items[name].half - 8) / max(len(arriving) - 1, 1))
        for i, (_, edge) in enumerate(arriving):
            layout._ports[edge] = (i - (len(arriving) - 1) / 2) * step


def _extent(layout: Layout, key: Key) -> tuple[float, float]:
    if isinstance(key, str):
        return layout.items[key].up, layout.items[key].down
    return _AROUND_BEND, _AROUND_BEND


def _heights(layout: Layout, order: list[list[Key]], row_of: list[int], main: set[str]) -> dict[Key, float]:
    """Heights: each node as near to the mean of its neighbours as the other nodes of its column allow."""
    pull: dict[Key, list[tuple[Key, float, float]]] = {key: [] for key in layout._column_of}
    for (source, consumer), chain in layout._chains.items():
        for here, there in pairwise(chain):
            if row_of[layout._column_of[here]] == row_of[layout._column_of[there]]:
                weight = (6.0 if source in main else 1.0) * (1 if here == source else 3)
                port = layout._ports[source, consumer] if there == consumer else 0.0
                pull[here].append((there, weight, port))
                pull[there].append((here, weight, -port))
    y: dict[Key, float] = {}
    apart: list[list[float]] = []
    for column in order:
        reach = [_extent(layout, key) for key in column]
        apart.append([a[1] + b[0] + _BETWEEN for a, b in pairwise(reach)])
        y.update(zip(column, _isotonic([0.0] * len(column), [1.0] * len(column), apart[-1]), strict=True))

    def settle(i: int, pull: Mapping[Key, list[tuple[Key, float, float]]]) -> None:
        weights = [sum(weight for _, weight, _ in pull[key]) or 0.1 for key in order[i]]
        wanted = [
            sum((y[other] + port) * weight for other, weight, port in pull[key]) / total if pull[key] else y[key]
            for key, total in zip(order[i], weights, strict=True)
        ]
        y.update(zip(order[i], _isotonic(wanted, weights, apart[i]), strict=True))

    indices = range(len(order))
    for i in [*indices, *reversed(indices)] * 5:
        settle(i, pull)
    onward = {  # at last, `main` nodes follow their consumers only, so that the edges between them run straight
        key: [(n, 500 * w, p) for n, w, p in pulls if w >= 6 and layout._column_of[n] > layout._column_of[key]] or pulls
        for key, pulls in pull.items()
    }
    for i in reversed(indices):
        settle(i, onward)
    return y


def _isotonic(wanted: Sequence[float], weights: Sequence[float], apart: Sequence[float]) -> list[float]:
    """The heights nearest to `wanted` (weighted least squares) that keep the order and the distances `apart`.

    This is isotonic regression, solved by the pool-adjacent-violators algorithm.
    """
    offset, blocks = 0.0, list[tuple[float, float, int]]()  # mean, weight, how many
    offsets = []
    for i, (want, weight) in enumerate(zip(wanted, weights, strict=True)):
        offset += apart[i - 1] if i else 0
        offsets.append(offset)
        mean, total, count = want - offset, weight, 1
        while blocks and blocks[-1][0] >= mean:
            m, t, c = blocks.pop()
            mean, total, count = (m * t + mean * total) / (t + total), t + total, c + count
        blocks.append((mean, total, count))
    return [m + o for m, o in zip([m for m, _, c in blocks for _ in range(c)], offsets, strict=True)]


def _rounded(points: Sequence[tuple[float, float]], radius: float = 7) -> str:
    """SVG path data of a line whose segments meet at right angles, with rounded corners."""
    data = []
    for (ax, ay), (bx, by), (cx, cy) in zip(points, points[1:], points[2:], strict=False):
        before, after = max(abs(ax - bx), abs(ay - by)), max(abs(cx - bx), abs(cy - by))
        r = min(radius, before / 2, after / 2)
        x1, y1 = (bx + (ax - bx) * r / before, by + (ay - by) * r / before) if before else (bx, by)
        x2, y2 = (bx + (cx - bx) * r / after, by + (cy - by) * r / after) if after else (bx, by)
        data.append(f"L{x1:.1f} {y1:.1f} Q{bx:.1f} {by:.1f} {x2:.1f} {y2:.1f}")
    return " ".join([*data, f"L{points[-1][0]:.1f} {points[-1][1]:.1f}"])
