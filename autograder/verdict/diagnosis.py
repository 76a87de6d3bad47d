"""Saying which link is wrong: the first wrong one from the output down, the slip it looks like, and nothing guessed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from autograder import messages as m
from autograder.calculus.graph import Line
from autograder.drawing.picture import Picture
from autograder.drawing.svg import Mark, svg
from autograder.verdict import rounding
from autograder.verdict.chain import Chain, Link, Status
from autograder.verdict.lines import Lines, Spot
from autograder.verdict.products import is_made_of_named, mistakes
from autograder.verdict.quantities import What, upstream
from autograder.verdict.recognition import as_total, explained
from autograder.verdict.slips import Slip
from autograder.verdict.wording import rule

_MARKS = {"right": Mark.RIGHT, "wrong": Mark.WRONG}


def number_words(given: float, expected: float) -> tuple[str, str]:
    """Both numbers to four decimals, as the seed prints them; with more digits where four would look equal."""
    given, expected = given + 0.0, expected + 0.0  # no -0.0000
    for form in (".4f", ".6g", ".9g", ".12g", ".17g"):
        a, b = format(given, form), format(expected, form)
        if a != b and (form != ".4f" or min(abs(given), abs(expected)) >= 1e-3 or 0 in (given, expected)):
            return a, b
    return a, b


def short(number: float) -> str:
    """To four decimals; in four digits where those would say nothing, or would be many."""
    number += 0.0  # no -0.0000
    return f"{number:.4f}" if number == 0 or 1e-3 <= abs(number) < 1e7 else f"{number:.4g}"


def say(chain: Chain, hidden: bool, lines: Lines) -> str:
    """The sentences about the first wrong link; with numbers only where the point is visible."""
    link = chain.broken
    if link is None:
        return ""
    forward, adjoint = chain.forward, link.what is What.ADJOINT
    from_below, made_of_named = as_total(chain, link), is_made_of_named(chain, link)
    unnamed = [forward.adjoint(n) for n in chain.bridged(link.node)] if adjoint else []
    if from_below or made_of_named:
        unnamed = []
    text, it = "", link.name
    if not adjoint or chain.above(link) or not unnamed:  # else only the result, with nothing to compare it with
        it = m.IT
        if not adjoint or link.node != chain.wrt:  # else the sentence before this one named it, with its numbers
            text = m.BROKEN.format(adjoint=link.name, numbers="" if hidden else _numbers(chain, link))
    sizes = [t.scales[link.node] for t in chain.traces] if adjoint else [abs(e) for e in link.expected]
    sentences = _sentences(chain, link, from_below) if len(chain.traces) >= rounding.FEWEST_POINTS else []
    if sentences:
        text += sentences[0]
        if len(sentences) > 1:
            second = sentences[1].lstrip()
            text += m.OR.format(it=second[0].lower() + second[1:] if second.startswith(m.IT + " ") else second)
        return text + ("" if chain.own or not unnamed else _how_to_name(chain, link))
    rounded = say_rounded(link.given, link.expected, lines, it)
    if rounded:
        return text + rounded
    misread = say_misread(lines)
    if misread:
        return text + misread
    if rounding.is_constant(link.given, link.expected):
        return text + m.CONSTANT.format(it=it, arguments=listed(forward.leaves))
    if rounding.is_near(link.given, link.expected, sizes):
        return text + m.NEAR.format(it=it)
    if made_of_named:
        return text + m.NOT_MADE_OF.format(it=it, above=listed(chain.above(link)))
    return text + (_how_to_name(chain, link) if unnamed else _where_to_look(chain, from_below or link))


def _where_to_look(chain: Chain, link: Link) -> str:
    """That no known slip fits, and the lines that the derivative is made from."""
    if link.what is What.ADJOINT:
        lines = [_look(chain, line, link.node) for line in chain.forward.consumers(link.node)]
    else:
        lines = [_look(chain, chain.forward.line(link.of), i) for i in _inputs(chain, link)]
    return m.NO_SLIP.format(lines=listed(lines)) if lines else ""


def _sentences(chain: Chain, link: Link, from_below: Link | None) -> list[str]:
    """The mistakes that explain a wrong link, each in a sentence: in putting it together, or in one of its shares."""
    above = listed(chain.above(link))
    as_from_below = explained(chain, from_below) if from_below else []
    slips = as_from_below or explained(chain, link)
    made = [m.MADE_OF[kind].format(it=m.IT, name=name, above=above) for kind, name in mistakes(chain, link)]
    if made and [slip.kind for slip in slips] != ["path lost"]:  # that tells the line as well
        return list(dict.fromkeys(made))[:2]
    link = from_below if from_below and as_from_below else link
    return list(dict.fromkeys(_slip_words(chain, link, slip) for slip in slips))[:2]


def _how_to_name(chain: Chain, link: Link) -> str:
    """What the answer does not name between a link and those above it, and how to name it."""
    forward, nodes = chain.forward, chain.bridged(link.node)
    names, top = [forward.adjoint(n) for n in nodes], nodes[0]
    local = next(f"d{top}d{i}" for i in chain.path if i in forward.line(top).inputs)
    them = "it" if len(names) == 1 else "them"
    return m.UNNAMED.format(unnamed=listed(names), them=them, first=names[0], local=local)


def _inputs(chain: Chain, link: Link) -> list[str]:
    """The inputs of its node that a local or total derivative is made from."""
    if link.what is What.LOCAL:
        return [link.node]
    inputs = chain.forward.line(link.of).inputs
    return [i for i in inputs if i == link.node or link.node in upstream(chain.forward, i)]


def say_rounded(given: Sequence[float], expected: Sequence[float], lines: Lines, it: str) -> str:
    """That wrong numbers are the right ones, rounded; "" if they are not."""
    spot = lines.rounds()
    if not rounding.is_rounded(given, expected, shown=spot is not None):
        return ""
    return _at(m.ROUNDED_LINE, spot, it=it) if spot else m.ROUNDED.format(it=it)


def say_misread(lines: Lines) -> str:
    """That a line means something else in Python; "" if none does."""
    power, floors = lines.power(), lines.floors()
    if power:
        return _at(m.CARET_LINE, power)
    if floors:
        return _at(m.FLOOR_LINE, floors)
    replaced = lines.argument_replaced()
    return _at(m.ARGUMENT_REPLACED, replaced[1], name=replaced[0]) if replaced else ""


def _at(template: str, spot: Spot, **words: str) -> str:
    return template.format(line=spot.line, own=m.OWN_LINE.format(source=spot.source), **words)


def picture(chain: Chain, title: str) -> Picture:
    """The graph with the student's numbers: right links green, the first wrong one red, the rest neutral."""
    first, slots = chain.traces[0], _slots(chain)
    words = {id(link): word for link, word in _words(chain)}
    values = {n: short(v) for n, v in first.reference.values.items()}
    adjoints = {n: short(v) for n, v in first.named.items()} | {n: short(k.given[0]) for n, k in slots.items()}
    marks = dict.fromkeys(first.named, Mark.NEUTRAL)
    marks |= {n: _MARKS.get(words[id(link)], Mark.NEUTRAL) for n, link in slots.items()}
    names = {n: link.name for n, link in slots.items()}
    into = {n for n, link in slots.items() if link.of == n}
    graph = svg(
        chain.forward, chain.wrt, values=values, adjoints=adjoints, marks=marks, names=names, into=into, title=title
    )
    return Picture(graph)


def _slots(chain: Chain) -> dict[str, Link]:
    """What stands below each node: its adjoint, else the one local derivative by it, else its own derivative."""
    named, broken = [link for link in chain.links if link.given], chain.broken
    places: dict[str, Link] = {}
    if broken:  # before all others
        up = broken.what is What.TOTAL or (broken.what is What.LOCAL and broken.node == chain.wrt)
        places[broken.of if up else broken.node] = broken
    for link in named:
        if link.what is What.ADJOINT:
            places.setdefault(link.node, link)
    by = Counter(link.node for link in named if link.what is What.LOCAL)
    for link in named:
        if link.what is What.LOCAL and by[link.node] == 1:
            places.setdefault(link.node, link)
    for link in named:
        if link.what is not What.ADJOINT and link.node == chain.wrt:
            places.setdefault(link.of, link)
    return {n: link for n, link in places.items() if n != chain.forward.output}


def table(chain: Chain) -> list[tuple[str, str, str]]:
    """A row a link, from the output down: its name, its number at the first point, and the key of its word."""
    return [(link.name, short(link.given[0]) if link.given else "", word) for link, word in _words(chain)]


def _words(chain: Chain) -> list[tuple[Link, str]]:
    broken = chain.broken
    return [(link, _word(chain, link, broken)) for link in chain.links]


def _word(chain: Chain, link: Link, broken: Link | None) -> str:
    if link is broken:
        return "wrong"
    if link.status is Status.UNNAMED:
        return "unnamed"
    if link.status is Status.WRONG:
        return "off"
    return "follows" if broken and chain.depends(link, broken) else "right"


def _numbers(chain: Chain, link: Link) -> str:
    given, expected = number_words(link.given[0], link.expected[0])
    above = chain.above(link)
    template = m.BROKEN_FROM if above else m.BROKEN_AT
    return template.format(given=given, expected=expected, above=listed(above))


def _slip_words(chain: Chain, link: Link, slip: Slip) -> str:
    forward, node = chain.forward, link.node
    it = (
        m.IT
        if slip.node == node or link.what is not What.ADJOINT
        else m.IT_UNNAMED.format(adjoint=forward.adjoint(slip.node))
    )
    kind, worded = slip.kind, None
    line = forward.line(slip.consumer) if slip.consumer else None
    consumers = forward.consumers(slip.node)
    if kind == "sign" and link.what is What.ADJOINT:
        if chain.bridged(node):
            kind, it = "sign somewhere", m.IT
        elif len(consumers) == 1:
            worded = rule(forward, consumers[0], slip.node)
    elif line:
        worded = rule(forward, line, slip.node) if slip.node in line.inputs else None
        if slip.consumer == forward.output and link.what is What.ADJOINT and f"{kind} at the output" in m.SLIP:
            kind += " at the output"  # where there is no adjoint above: that one is 1
        if link.what is not What.ADJOINT and f"{kind} of a {link.what.value}" in m.SLIP:
            kind += f" of a {link.what.value}"
    before = chain.called(slip.consumer) if line else ""
    if link.what is What.TOTAL:
        before = next((q.name for q in chain.own if (q.of, q.by) == (slip.node, node)), f"d{slip.node}d{node}")
    words = {
        "it": it,
        "adjoint": link.name,
        "rule": m.RULE.format(rule=worded) if worded else "",
        "also": m.RULE_TOO.format(rule=worded) if worded else "",
        "node": slip.node,
        "consumer": slip.consumer,
        "other": slip.other,
        "line": line.text if line else "",
        "upstream": before,
        "above": listed(chain.above(link)) or forward.output,
    }
    return m.SLIP[kind].format(**{**words, **slip.words})


def _look(chain: Chain, line: Line, node: str) -> str:
    worded = rule(chain.forward, line, node)
    return m.LOOK_LINE.format(line=line.text, rule=m.RULE_WHERE.format(rule=worded) if worded else "")


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
