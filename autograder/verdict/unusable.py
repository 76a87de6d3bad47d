"""What is no answer yet: no function, an exception, or results that are not two numbers.

Of a hidden test only Python's own words and the student's own lines are told: a student's text may spell out a point,
and so may the name of a NameError, the name of a class, a shape, or the text of a SyntaxError.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace

from autograder import messages as m
from autograder.by_hand.rules import words as names
from autograder.student.protocol import NO_PRODUCT_SIGN, ROUNDED_A_TENSOR, SECONDS, Answer, Fault, Missing, Number
from autograder.verdict.diagnosis import listed
from autograder.verdict.kinds import Kind, Verdict
from autograder.verdict.lines import Lines

_RAISE = re.compile(r"raise\s+NotImplementedError\b")
_FUNCTIONS = ("function", "builtin_function_or_method", "method", "numpy.ufunc")
STOPPED_FROM_OUTSIDE = ("TooLong", "ProcessEnded")
_OF_TORCH = frozenset(names("sin cos tan exp log sqrt sinh cosh tanh asin acos atan sigmoid relu abs tensor"))
_IMPORTS = {"math": "import math", "np": "import numpy as np", "numpy": "import numpy", "torch": "import torch"}
_PRODUCT = re.compile(r"(?<![\w.])(\d+\.?\d*)((?!e\d)[A-Za-z]\w*)")
_GRADERS_OWN = {"ProcessEnded": m.PROCESS_ENDED, "NoAnswer": m.NO_ANSWER}


class Unusable:
    """`words` are those of the question: function, arguments, output and adjoint."""

    def __init__(self, words: Mapping[str, str], hidden: bool) -> None:
        self._words, self._hidden = words, hidden

    def missing(self, missing: Missing, lines: Lines) -> Verdict:
        """There is no such function."""
        fault = missing.cell_fault
        if fault and fault.type in STOPPED_FROM_OUTSIDE:
            return self._say(Kind.MISSING, m.CELL_ENDED, text=_why(fault))
        if fault:
            template = m.CELL_FAULT_OLDER if missing.older else m.CELL_FAULT
            return self._say(Kind.MISSING, template, **self._fault_words(lines.placed(fault), of_cell=True))
        if missing.magic:
            return self._say(Kind.MISSING, m.CELL_MAGIC, magic=missing.magic)
        if missing.not_a_function:
            return self._say(Kind.MISSING, m.NOT_A_FUNCTION, type=missing.not_a_function)
        if missing.near:
            return self._say(Kind.MISSING, m.MISSING_NEAR, near=missing.near[0])
        return self._say(Kind.MISSING, m.MISSING)

    def answer(self, answer: Answer, where: str, lines: Lines) -> Verdict | None:
        """An exception, or anything but two finite numbers; None if there are two."""
        if answer.fault:
            return self._fault(self._nameable(lines.placed(answer.fault), lines), lines)
        if answer.single:
            (only,) = answer.results
            if only.kind == "none":
                return self._say(Kind.NOT_TWO, m.NOTHING)
            return self._say(Kind.NOT_TWO, m.ONE_RESULT, type="" if self._hidden else f" ({only.type})")
        if len(answer.results) != 2:
            if self._hidden:
                return self._say(Kind.NOT_TWO, m.NOT_TWO_RESULTS)
            return self._say(Kind.NOT_TWO, m.RESULT_COUNT, count=len(answer.results))
        names = (self._words["output"], self._words["adjoint"])
        for number, what, name in zip(answer.results, ("value", "derivative"), names, strict=True):
            template = _no_number(number)
            if self._hidden and template in (m.OTHER, m.SHAPE):
                template = m.NOT_ONE_NUMBER
            if template:
                words = {"what": what, "name": name, "type": number.type, "shape": number.shape}
                kind = Kind.UNANSWERED if template is m.PLACEHOLDER else Kind.NO_NUMBER
                return self._say(kind, template, where=where, **words)
        return None

    def too_long(self) -> Verdict:
        """No answer in time."""
        return self._say(Kind.RAISED, m.TOO_LONG, seconds=SECONDS)

    def later(self, fault: Fault, lines: Lines) -> str:
        """The remark on a cell that stopped after it had defined the function."""
        return m.LATER_FAULT.format(**self._words, **self._fault_words(lines.placed(fault), of_cell=True))

    def _nameable(self, fault: Fault, lines: Lines) -> Fault:
        """The fault, of a hidden test without a name that the student has not written."""
        written = lines.says(fault.name) or fault.name in re.findall(r"\w+", fault.source)
        return fault if written or not self._hidden else replace(fault, name="")

    def _fault(self, fault: Fault, lines: Lines) -> Verdict:
        own = fault.within in ("", self._words["function"])
        if fault.base == "NotImplementedError" and _RAISE.match(fault.source) and own:
            if lines.gives(self._words["adjoint"]):
                return self._say(Kind.RAISED, m.RAISE_LEFT, **self._fault_words(fault))
            return self._say(Kind.UNANSWERED, m.UNANSWERED)
        if fault.base in ("NotImplementedError", "TypeError", "RuntimeError"):
            spot = lines.power_in(fault)
            if spot:
                fault = replace(fault, line=spot.line, source=spot.source)
                return self._say(Kind.RAISED, m.POWER, **self._fault_words(fault))
        words = self._fault_words(fault)
        if fault.base == "TypeError" and fault.text in ROUNDED_A_TENSOR and fault.line:
            return self._say(Kind.RAISED, m.NO_ROUNDING, **words)
        not_run = lines.not_run(fault) if fault.name else []
        if not_run:
            numbers = listed([str(line) for line in not_run])
            given = m.NOT_RUN_LINES[len(not_run) > 1].format(lines=numbers)
            return self._say(Kind.RAISED, m.NOT_RUN, name=fault.name, lines=given, **words)
        # A local name that some line gives a value raises an UnboundLocalError.
        nowhere = fault.base == "NameError" and own and not lines.gives(self._words["adjoint"])
        if fault.name == self._words["adjoint"] and nowhere:
            return self._say(Kind.UNANSWERED, m.BLANK)
        if fault.name:
            template = m.NOT_IMPORTED if fault.name in _IMPORTS else m.UNKNOWN_NAME
            template = m.OF_TORCH if fault.name in _OF_TORCH else template
            return self._say(Kind.RAISED, template, name=fault.name, remedy=_IMPORTS.get(fault.name, ""), **words)
        if fault.base == "RecursionError":
            return self._say(Kind.RAISED, m.RECURSION if own else m.RECURSION_ELSEWHERE, **words)
        if fault.type == "TooLong":
            return self.too_long()
        if fault.type in _GRADERS_OWN and fault.line is None:  # a student's exception of that name has a line
            return self._say(Kind.RAISED, _GRADERS_OWN[fault.type], text=_why(fault))
        if fault.base == "TypeError" and not fault.called:
            count = self._words["arguments"].count(",") + 1
            return self._say(Kind.RAISED, m.ARITY, count="one argument" if count == 1 else f"{count} arguments")
        return self._say(Kind.RAISED, m.RAISED, **words)

    def _fault_words(self, fault: Fault, of_cell: bool = False) -> dict[str, str]:
        unread = of_cell and fault.base == "SyntaxError"  # the words are Python's, the line is the cell's
        text = "" if self._hidden and not unread else fault.text
        product = _PRODUCT.search(fault.source) if unread and text == NO_PRODUCT_SIGN else None
        if product:
            text = m.NO_SIGN.format(right=f"{product[1]}*{product[2]}", wrong=product[0])
        elsewhere = fault.within.isidentifier() and fault.within != self._words["function"]
        inside = f" (in `{fault.within}`)" if elsewhere else ""
        return {
            "line": f" in line {fault.line}{inside}" if fault.line else "",
            "type": fault.base if self._hidden else fault.type,
            "text": f": {text}" if text else "",
            "own": m.OWN_LINE.format(source=fault.source) if fault.source else "",
        }

    def _say(self, kind: Kind, template: str, **words: object) -> Verdict:
        return Verdict(kind, template.format(**self._words, **words))


def _why(fault: Fault) -> str:
    """What the grader itself says of it."""
    return f" ({fault.text})" if fault.text else ""


def _no_number(number: Number) -> str | None:
    """The template for what is wrong with one result, or None for a finite number."""
    if number.kind == "number":
        if math.isnan(number.value):
            return m.NAN
        return m.INFINITE if math.isinf(number.value) else None
    if number.kind == "other":
        return {"ellipsis": m.PLACEHOLDER, **dict.fromkeys(_FUNCTIONS, m.FUNCTION)}.get(number.type, m.OTHER)
    return {"none": m.NONE, "text": m.TEXT, "shape": m.SHAPE, "complex": m.COMPLEX}[number.kind]
