"""A picture is valid, accessible, deterministic SVG in which nothing overlaps, whatever the graph and the words."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from autograder import Question
from autograder.calculus.graph import Forward, read
from autograder.drawing.picture import Picture
from autograder.drawing.svg import Mark, svg, width
from tests.conftest import QUESTIONS, run_source

SVG = "{http://www.w3.org/2000/svg}"
GREEN, RED = "#17702f", "#b3201a"


def graph(source: str, leaves: str = "x") -> Forward:
    """The graph of a forward pass given as `a = x * 2; b = a + 1`."""
    lines = [line.strip() for line in source.split(";")]
    body = "\n".join([*lines, f"return {lines[-1].split('=')[0].strip()}"])
    source = f"import torch\n\ndef p({leaves}):\n{textwrap.indent(body, '    ')}"
    return read(run_source(source, {"__name__": "p"})["p"])


def chain(length: int) -> Forward:
    names = ["x", *(f"n{i}" for i in range(length))]
    return graph(";".join(f"{b} = torch.sin({a})" for a, b in pairwise(names)))


def scribble(seed: int) -> tuple[Forward, str]:
    """A random graph of up to 14 nodes that all reach the output, and one of its leaves."""
    rng = random.Random(seed)
    leaves = [f"x{i}" * rng.choice([1, 1, 4]) for i in range(rng.randint(1, 4))]
    known, unused, lines = list(leaves), list(leaves), list[str]()
    for i in range(rng.randint(0, 12)):
        near = rng.choice([2, 4, 20])
        inputs = {rng.choice(known[-near:]) for _ in range(rng.choice([1, 1, 2, 2, 3, 5]))}
        name = f"n{i}" + rng.choice(["", "", "", "_activation_of_layer"])
        lines.append(
            f"{name} = {rng.choice(['torch.sin', 'torch.nn.functional.softplus'])}({' * '.join(sorted(inputs))})"
        )
        known.append(name)
        unused = [n for n in unused if n not in inputs] + [name]
    lines.append(f"out = 2 * {' + '.join(unused)}")
    return graph(";".join(lines), ", ".join(leaves)), rng.choice(leaves)


GRAPHS: dict[str, tuple[Forward, str]] = {
    **{name: (q.forward, q.wrt) for name, q in QUESTIONS.items()},
    "a chain of ten": (chain(10), "x"),
    "a chain of thirty": (chain(30), "x"),
    "a fan-out of five": (graph("a=x*2; b=x*3; c=x*4; d=x*5; e=x*6; f=a+b+c+d+e"), "x"),
    "a diamond": (graph("a=x*2; b=torch.sin(a); c=torch.cos(a); d=b*c"), "x"),
    "an edge over three": (graph("a=x*y; b=torch.sin(a); c=torch.exp(b); d=c+1; e=d*a", "x, y"), "y"),
    "long names": (
        graph("hidden_activation = torch.nn.functional.softplus(a * b + c); out = hidden_activation * c", "a, b, c"),
        "c",
    ),
    "one node": (graph("a = x * 2"), "x"),
    "four leaves": (graph("u=w*x; v=u+b; h=torch.tanh(v); y=h*t", "w, x, b, t"), "w"),
    **{f"random {seed}": scribble(seed) for seed in range(40)},
}


def on_the_way(forward: Forward, wrt: str) -> list[str]:
    """Nodes and leaves on a path from the output to `wrt`, by walking up from each node; the output itself aside."""

    def needs(name: str) -> bool:
        return name == wrt or (name in forward.nodes and any(map(needs, forward.line(name).inputs)))

    return [n for n in (*forward.leaves, *forward.nodes) if needs(n) and n != forward.output]


def numbers(forward: Forward, start: float) -> dict[str, str]:
    return {n: f"{start - 1.25 * i:.4f}".replace("-", "−") for i, n in enumerate((*forward.leaves, *forward.nodes))}


def statement(forward: Forward, wrt: str) -> str:
    return svg(forward, wrt, values=numbers(forward, 5), title="Fill in the slots")


def checked(forward: Forward, wrt: str) -> str:
    """A check's picture: right down to the middle, then one wrong link, then neutral ones."""
    links = on_the_way(forward, wrt)[::-1]
    marks = dict.fromkeys(links, Mark.NEUTRAL) | dict.fromkeys(links[: len(links) // 2], Mark.RIGHT)
    marks[links[len(links) // 2]] = Mark.WRONG
    return svg(forward, wrt, values=numbers(forward, 5), adjoints=numbers(forward, 77), marks=marks, title="Checked")


@pytest.fixture(params=GRAPHS)
def drawn(request: pytest.FixtureRequest) -> tuple[Forward, str]:
    return GRAPHS[request.param]


@pytest.fixture(params=[statement, checked])
def picture(request: pytest.FixtureRequest, drawn: tuple[Forward, str]) -> ET.Element:
    make: Callable[[Forward, str], str] = request.param
    return ET.fromstring(make(*drawn))


def texts(root: ET.Element) -> list[str]:
    return ["".join(t.itertext()) for t in root.iter(f"{SVG}text")]


class Box(NamedTuple):
    """A rectangle on the card, and what it is or says."""

    left: float
    top: float
    right: float
    bottom: float
    what: str

    def holds(self, other: Box, margin: float = 0) -> bool:
        return (
            self.left + margin <= other.left
            and other.right <= self.right - margin
            and self.top <= other.top
            and other.bottom <= self.bottom
        )

    def meets(self, other: Box) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def shift(root: ET.Element) -> tuple[float, float]:
    moved = next(g for g in root.iter(f"{SVG}g") if g.get("transform"))
    x, y = re.findall(r"[-\d.]+", moved.get("transform", ""))
    return float(x), float(y)


def boxes(root: ET.Element) -> list[Box]:
    """All drawn rectangles but the card."""
    dx, dy = shift(root)
    found = []
    for rect in list(root.iter(f"{SVG}rect"))[1:]:
        x, y, w, h = (float(rect.get(k, "")) for k in ("x", "y", "width", "height"))
        found.append(Box(x + dx, y + dy, x + w + dx, y + h + dy, rect.get("stroke", "")))
    return found


def words(root: ET.Element) -> list[Box]:
    """The space that each text takes at most."""
    dx, dy = shift(root)
    found = []
    for text in root.iter(f"{SVG}text"):
        says, size, centred = "".join(text.itertext()), float(text.get("font-size", "")), text.get("text-anchor")
        wide = width(says, size, sans=not centred)
        x, y = float(text.get("x", "")), float(text.get("y", ""))
        x, y = (x + dx - wide / 2, y + dy) if centred else (x, y)
        found.append(Box(x, y - 0.78 * size, x + wide, y + 0.22 * size, says))
    return found


def card(root: ET.Element) -> Box:
    wide, high = map(float, root.get("viewBox", "").split()[2:])
    return Box(0, 0, wide, high, "card")


def along(path: str) -> Iterator[tuple[float, float]]:
    """Points along a path made of M, L, Q and C, close to each other."""
    here = (0.0, 0.0)
    for command, arguments in re.findall(r"([MLQC])([^MLQC]*)", path):
        flat = [float(n) for n in arguments.split()]
        ends = [here, *zip(flat[::2], flat[1::2], strict=True)]
        for i in range(41 if command != "M" else 0):
            points = ends
            while len(points) > 1:  # de Casteljau
                t = i / 40
                points = [(a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])) for a, b in pairwise(points)]
            yield points[0]
        here = ends[-1]


def test_a_picture_is_xml_without_scripts_styles_links_or_foreign_objects(picture: ET.Element) -> None:
    tags = {element.tag.removeprefix(SVG) for element in picture.iter()}
    assert tags <= {"svg", "title", "desc", "g", "rect", "path", "polygon", "text", "tspan"}
    for element in picture.iter():
        for name, value in element.attrib.items():
            assert "href" not in name
            assert not name.startswith("on")
            assert "url(" not in value


def test_a_picture_is_the_same_each_time_and_in_each_process() -> None:
    here = checked(QUESTIONS["q6"].forward, "y")
    assert here == checked(QUESTIONS["q6"].forward, "y")
    code = "from tests.drawing.test_svg import *; print(checked(QUESTIONS['q6'].forward, 'y'), end='')"
    root = Path(__file__).parents[2]
    there = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout
    assert there == here


def test_title_and_description_are_wired_to_the_picture(picture: ET.Element) -> None:
    title, description = picture.find(f"{SVG}title"), picture.find(f"{SVG}desc")
    assert picture.get("role") == "img"
    assert title is not None
    assert description is not None
    assert picture.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert title.text
    assert description.text


def test_different_pictures_on_a_page_have_different_ids() -> None:
    pictures = {make(*drawn) for make in (statement, checked) for drawn in GRAPHS.values()}
    ids = [i for picture in pictures for i in re.findall(r' id="([^"]+)"', picture)]
    assert len(set(ids)) == len(ids)


def test_the_description_says_the_lines_the_values_and_which_adjoint_is_wrong() -> None:
    forward = graph("a = x * 2; b = torch.sin(a); c = b / y", "x, y")
    marks = {"b": Mark.RIGHT, "a": Mark.WRONG, "x": Mark.NEUTRAL}
    adjoints = {"b": "0.5", "a": "7", "x": "14"}
    root = ET.fromstring(svg(forward, "x", values={"x": "3", "a": "6"}, adjoints=adjoints, marks=marks))
    assert root.findtext(f"{SVG}desc") == (
        "From x, y to c: x = 3; a = x * 2 = 6; b = torch.sin(a); c = b / y; the derivative dcdb = 0.5 is right; "
        "the derivative dcda = 7 is wrong; the derivative dcdx = 14 comes after the first wrong one."
    )
    empty = ET.fromstring(svg(forward, "y"))
    assert (empty.findtext(f"{SVG}desc") or "").endswith("the derivative dcdy is to be filled in.")
    assert ET.fromstring(svg(forward, "y", description="My own.")).findtext(f"{SVG}desc") == "My own."


def test_every_node_value_and_adjoint_appears(question: Question) -> None:
    forward, wrt = question.forward, question.wrt
    says = texts(ET.fromstring(checked(forward, wrt)))
    for leaf in forward.leaves:
        assert leaf in says
    for line in forward.lines:
        assert line.text.replace("torch.", "") in says
    for value in numbers(forward, 5).values():
        assert value in says
    together = " ".join(says)
    for name in on_the_way(forward, wrt):
        assert f"{forward.adjoint(name)} = {numbers(forward, 77)[name]}" in together


def test_empty_slots_stand_for_exactly_the_adjoints_on_the_way(drawn: tuple[Forward, str]) -> None:
    forward, wrt = drawn
    root = ET.fromstring(statement(forward, wrt))
    dotted = [r for r in root.iter(f"{SVG}rect") if r.get("stroke-linecap") == "round"]
    asked = [t for t in texts(root) if t.endswith("= ?")]
    assert len(dotted) == len(asked) == len(on_the_way(forward, wrt))
    description = root.findtext(f"{SVG}desc") or ""
    named = re.findall(r"the derivative (\w+) is to be filled in", description)
    assert named == [forward.adjoint(n) for n in reversed(on_the_way(forward, wrt))]


def test_q6_asks_for_the_five_adjoints_between_f_and_y_and_none_of_x_and_z() -> None:
    asked = [t for t in texts(ET.fromstring(svg(QUESTIONS["q6"].forward, "y"))) if t.startswith("dfd")]
    assert sorted(asked) == ["dfdb = ?", "dfdc = ?", "dfdd = ?", "dfde = ?", "dfdf = 1", "dfdy = ?"]


def test_an_adjoint_that_is_missing_from_a_check_is_said_to_be_not_named() -> None:
    root = ET.fromstring(svg(QUESTIONS["q4"].forward, "x", adjoints={"x": "1"}))
    assert [t for t in texts(root) if "not named" in t] == [f"dfd{n} not named" for n in "abcd"]
    assert "the derivative dfdd is not named" in (root.findtext(f"{SVG}desc") or "")


def test_marks_show_as_symbol_colour_and_line() -> None:
    forward = QUESTIONS["q6"].forward
    marks = {"e": Mark.RIGHT, "d": Mark.RIGHT, "c": Mark.WRONG, "b": Mark.NEUTRAL, "y": Mark.NEUTRAL}
    root = ET.fromstring(svg(forward, "y", adjoints=numbers(forward, 3), marks=marks))
    symbols = [(t.text, t.get("fill")) for t in root.iter(f"{SVG}text") if t.text in {"✓", "✗"}]
    assert sorted(symbols) == [("✓", GREEN), ("✓", GREEN), ("✗", RED)]
    for shape in ("rect", "path"):  # the slot, and the edge of its link
        drawn = list(root.iter(f"{SVG}{shape}"))
        assert [e.get("stroke") for e in drawn].count(GREEN) == 2
        wrong = next(e for e in drawn if e.get("stroke") == RED)
        assert float(wrong.get("stroke-width", "")) > 3
        assert sum(e.get("stroke-dasharray") == "6 4" for e in drawn) == 2


def test_no_text_overlaps_another_and_each_fits_its_box(picture: ET.Element) -> None:
    said, drawn = words(picture), boxes(picture)
    for a, b in combinations(said, 2):
        assert not a.meets(b), (a, b)
    for text in said:
        assert card(picture).holds(text, margin=8), text
        for box in drawn:
            assert not box.meets(text) or box.holds(text, margin=4), (text, box)


def test_no_box_overlaps_another(picture: ET.Element) -> None:
    for a, b in combinations(boxes(picture), 2):
        assert not a.meets(b) or a.holds(b), (a, b)  # the ring around the leaf that is asked for holds it
    for box in boxes(picture):
        assert card(picture).holds(box, margin=8)


def test_no_edge_runs_through_a_box_or_a_text(picture: ET.Element) -> None:
    dx, dy = shift(picture)
    taken = [*boxes(picture), *words(picture)]
    for path in picture.iter(f"{SVG}path"):
        points = [Box(x + dx, y + dy, x + dx, y + dy, "edge") for x, y in along(path.get("d", ""))]
        start = points[0]  # on the border of its source, which may have a ring around it
        for point in points:
            assert card(picture).holds(point)
            for box in taken:
                own = box.holds(start) and abs(point.left - start.left) < 5 and point.top == start.top
                assert own or not box.holds(point), (point, box)


def test_edges_run_from_left_to_right_in_a_graph_of_one_row(question: Question) -> None:
    root = ET.fromstring(statement(question.forward, question.wrt))
    for path in root.iter(f"{SVG}path"):
        xs = [x for x, _ in along(path.get("d", ""))]
        assert xs == sorted(xs)


def test_what_is_not_on_the_way_is_drawn_lighter() -> None:
    root = ET.fromstring(statement(QUESTIONS["q6"].forward, "y"))
    light = [path for path in root.iter(f"{SVG}path") if path.get("stroke") == "#b4bcc6"]
    assert len(light) == 3  # x to a, a to c, z to d


def test_a_graph_stays_wide_enough_to_read_however_long_it_is(drawn: tuple[Forward, str]) -> None:
    for make in (statement, checked):
        assert card(ET.fromstring(make(*drawn))).right <= 1100


def test_all_questions_fit_one_row_of_a_notebook(question: Question) -> None:
    for make in (statement, checked):
        assert card(ET.fromstring(make(question.forward, question.wrt))).right <= 900


HOSTILE = [
    "<script>alert(1)</script>",
    "a & b",
    "\"'><g onload='x'>",
    "]]>",
    "\x00\x1b\ud800",
    "two\nlines",
    "数学" * 30,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_is_escaped_and_cut_to_fit(text: str) -> None:
    forward = QUESTIONS["q6"].forward
    everywhere = dict.fromkeys((*forward.leaves, *forward.nodes), text)
    picture = svg(forward, "y", values=everywhere, adjoints=everywhere, title=text * 9, description=text)
    root = ET.fromstring(picture)
    picture.encode()
    assert {e.tag.removeprefix(SVG) for e in root.iter()} <= {
        "svg", "title", "desc", "g", "rect", "path", "polygon", "text", "tspan",
    }  # fmt: skip
    for said in words(root):
        assert card(root).holds(said)
        assert all(box.holds(said) or not box.meets(said) for box in boxes(root))


def test_long_expressions_lose_their_modules_then_their_end_and_keep_it_all_in_a_tooltip() -> None:
    forward = graph("a = torch.nn.functional.softplus(x); b = a * x.sin() + 1.25 * torch.exp(-a * x) / torch.cosh(a)")
    root = ET.fromstring(svg(forward, "x"))
    assert "a = softplus(x)" in texts(root)
    assert "= a * x.sin() + 1.25 * exp(-a *…" in texts(root)
    tooltips = [t.text for g in root.iter(f"{SVG}g") for t in g.findall(f"{SVG}title")]
    assert tooltips == ["b = a * x.sin() + 1.25 * torch.exp(-a * x) / torch.cosh(a)"]


def test_drawing_imports_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); import autograder.drawing.svg; print(sorted(set(sys.modules) - before))"
    )
    prepared = "import autograder.calculus.graph; " + code
    loaded = subprocess.run([sys.executable, "-c", prepared], capture_output=True, text=True, check=True).stdout
    assert {m.split(".")[0] for m in re.findall(r"'([^']+)'", loaded)} <= {"autograder", *sys.stdlib_module_names}


MEASURE = """() => [...document.querySelectorAll('text')].map(t => [t.textContent, t.getComputedTextLength(),
    +t.getAttribute('font-size'), !t.getAttribute('text-anchor')])"""


@pytest.mark.browser
def test_a_browser_sets_no_text_wider_than_estimated(browser: Any) -> None:
    pictures = [make(*drawn) for make in (statement, checked) for drawn in GRAPHS.values()]
    page = browser.new_page()
    page.set_content("".join(pictures))
    measured: list[tuple[str, float, float, bool]] = page.evaluate(MEASURE)
    page.close()
    assert len(measured) > 1000
    for text, wide, size, sans in measured:
        assert wide <= width(text, size, sans=sans) + 0.5, text


@pytest.mark.browser
@pytest.mark.parametrize("column", [264, 700, 1400])
def test_a_checks_picture_is_as_wide_as_its_column_and_never_wider_than_it_is(browser: Any, column: int) -> None:
    html = Picture(checked(QUESTIONS["q6"].forward, "y"))._repr_mimebundle_()["text/html"]
    natural = card(ET.fromstring(checked(QUESTIONS["q6"].forward, "y")))
    page = browser.new_page()
    page.set_content(f'<div style="width:{column}px">{html}</div>')
    page.wait_for_function("document.images[0].complete && document.images[0].naturalWidth > 0")
    box = page.locator("img").bounding_box()
    page.close()
    assert box["width"] == pytest.approx(min(column, natural.right), abs=1)
    assert box["width"] / box["height"] == pytest.approx(natural.right / natural.bottom, rel=0.01)
