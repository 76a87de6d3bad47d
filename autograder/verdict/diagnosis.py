"""Saying which link is wrong: the first wrong one from the output down, the slip it looks like, and nothing guessed."""

from __future__ import annotations

from collections.abc import Sequence

from autograder import messages as m
from autograder.calculus.graph import Line
from autograder.drawing.picture import Picture
from autograder.drawing.svg import Mark, svg
from autograder.verdict import rounding
from autograder.verdict.chain import Chain, Link, Status
from autograder.verdict.lines import Lines, Spot
from autograder.verdict.slips import Slip, recognise, told
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
    node, forward = link.node, chain.forward
    unnamed = [forward.adjoint(n) for n in chain.bridged(node)]
    text, it = "", forward.adjoint(node)
    if chain.above(node) or not unnamed:  # else there is only the result, and nothing further up to compare it with
        it = m.IT
        if node != chain.wrt:  # else the sentence before this one named it, with its numbers
            text = m.BROKEN.format(adjoint=forward.adjoint(node), numbers="" if hidden else _numbers(chain, node))
    given = [t.named[node] for t in chain.traces]
    expected = [t.expected[node] for t in chain.traces]
    scales = [t.scales[node] for t in chain.traces]
    found = recognise(chain, node) if len(chain.traces) >= rounding.FEWEST_POINTS else []
    slips = told(found, chain, node)
    if slips:
        sentences = list(dict.fromkeys(_slip_words(chain, node, slip) for slip in slips))[:2]
        text += sentences[0]
        if len(sentences) > 1:
            second = sentences[1].lstrip()
            text += m.OR.format(it=second[0].lower() + second[1:] if second.startswith(m.IT + " ") else second)
        return text
    rounded = say_rounded(given, expected, lines, it)
    if rounded:
        return text + rounded
    misread = say_misread(lines)
    if misread:
        return text + misread
    if rounding.is_constant(given, expected):
        return text + m.CONSTANT.format(it=it, arguments=listed(forward.leaves))
    if rounding.is_near(given, expected, scales):
        return text + m.NEAR.format(it=it)
    if unnamed:
        them = "it" if len(unnamed) == 1 else "them"
        return text + m.UNNAMED.format(unnamed=listed(unnamed), them=them, first=unnamed[0])
    consumers = [_look(chain, line, node) for line in forward.consumers(node)]
    return text + (m.NO_SLIP.format(lines=listed(consumers)) if consumers else "")


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
    first, keys = chain.traces[0], {row[0]: row[2] for row in table(chain)}
    marks = {n: _MARKS.get(keys.get(chain.forward.adjoint(n), ""), Mark.NEUTRAL) for n in first.named}
    values = {n: short(v) for n, v in first.reference.values.items()}
    adjoints = {n: short(v) for n, v in first.named.items()}
    return Picture(svg(chain.forward, chain.wrt, values=values, adjoints=adjoints, marks=marks, title=title))


def table(chain: Chain) -> list[tuple[str, str, str]]:
    """A row a link, from the output down: the adjoint, its number at the first point, and the key of its word."""
    broken = chain.broken
    below = chain.below(broken.node) if broken else set()
    first = chain.traces[0]
    rows = []
    for link in chain.links:
        number = short(first.named[link.node]) if link.node in first.named else ""
        rows.append((chain.forward.adjoint(link.node), number, _word(link, broken, below)))
    return rows


def _word(link: Link, broken: Link | None, below: set[str]) -> str:
    if link is broken:
        return "wrong"
    if link.status is Status.UNNAMED:
        return "unnamed"
    if link.status is Status.WRONG:
        return "off"
    return "follows" if link.node in below else "right"


def _numbers(chain: Chain, node: str) -> str:
    first = chain.traces[0]
    given, expected = number_words(first.named[node], first.expected[node])
    above = chain.above(node)
    template = m.BROKEN_FROM if above else m.BROKEN_AT
    return template.format(given=given, expected=expected, above=listed(above))


def _slip_words(chain: Chain, node: str, slip: Slip) -> str:
    forward = chain.forward
    it = m.IT if slip.node == node else m.IT_UNNAMED.format(adjoint=forward.adjoint(slip.node))
    kind, worded = slip.kind, None
    line = forward.line(slip.consumer) if slip.consumer else None
    consumers = forward.consumers(slip.node)
    if kind == "sign":
        if chain.bridged(node):
            kind, it = "sign somewhere", m.IT
        elif len(consumers) == 1:
            worded = rule(forward, consumers[0], slip.node)
    elif line:
        worded = rule(forward, line, slip.node)
        if slip.consumer == forward.output and f"{kind} at the output" in m.SLIP:
            kind += " at the output"  # where there is no adjoint above: that one is 1
    words = {
        "it": it,
        "adjoint": forward.adjoint(node),
        "rule": m.RULE.format(rule=worded) if worded else "",
        "also": m.RULE_TOO.format(rule=worded) if worded else "",
        "node": slip.node,
        "consumer": slip.consumer,
        "other": slip.other,
        "line": line.text if line else "",
        "upstream": forward.adjoint(slip.consumer) if line else "",
        "above": listed(chain.above(node)) or forward.output,
    }
    return m.SLIP[kind].format(**{**words, **slip.words})


def _look(chain: Chain, line: Line, node: str) -> str:
    worded = rule(chain.forward, line, node)
    return m.LOOK_LINE.format(line=line.text, rule=m.RULE_WHERE.format(rule=worded) if worded else "")


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
