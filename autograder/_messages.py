"""Every sentence a student reads, as named templates; tests hold them word for word.

A message says what was seen, what was expected and what to do next. Those for hidden tests never hold a test point,
a reference number or the seed.
"""

from __future__ import annotations

import textwrap

WIDTH = 80
"""`nbgrader validate` cuts lines at 87 characters; ours end before."""


def wrapped(text: str) -> str:
    """The message in lines of at most WIDTH characters; lines of the student's own code stay as they are."""
    return "\n".join(
        line if line.startswith(" ") else textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False)
        for line in text.split("\n")
    )


UNANSWERED = "{function} is not answered yet: replace `raise NotImplementedError()` with the lines that give {adjoint}."
BLANK = "{adjoint} has no value when {function} returns: write the lines that give it above the return."
MISSING = "There is no function {function}: keep its line `def {function}({arguments}):` and run that cell."
MISSING_NEAR = "There is no function {function}, but there is {near}: it must be called {function}."
NOT_A_FUNCTION = "{function} is no function, its type is {type}: keep its line `def {function}({arguments}):`."
CELL_FAULT = "{function} is not defined, because its cell stopped{line} with {type}{text}.{own}"
ARITY = "{function} cannot be called with its {count}: its first line must be `def {function}({arguments}):`."
RAISED = "{function} stopped{line} with {type}{text}.{own}"
RECURSION = "{function} calls itself without end: compute {adjoint} without calling {function}."
TOO_LONG = "{function} gave no answer in {seconds:g} seconds: look for a loop that does not end."
OWN_LINE = "\n    {source}"

ONE_RESULT = "{function} returned one thing ({type}) where two are expected: `return {output}, {adjoint}`."
NOTHING = "{function} returned None: end it with `return {output}, {adjoint}`."
RESULT_COUNT = "{function} returned {count} results where two are expected: `return {output}, {adjoint}`."
NONE = "The {what} is None: give {name} a number."
TEXT = "The {what} is text, not a number: return the number itself."
SHAPE = "The {what} has the shape {shape} where one number is expected: return a single number."
COMPLEX = "The {what} is a complex number: only real numbers are expected."
OTHER = "The {what} is of type {type}: return a number or a tensor of one number."
NAN = "The {what} is nan (not a number) {where}: look for 0/0, or log or sqrt of a negative number."
INFINITE = "The {what} is infinite {where}: look for a division by 0 or an exp that is too large."
SWAPPED = "The two results are in the wrong order: `return {output}, {adjoint}`, the value first."

WRONG_VALUE = (
    "The value {output} is not right {where}{numbers}: the lines of the forward pass must stay as given, "
    "because a right derivative of another function earns nothing."
)
WRONG_DERIVATIVE = "{adjoint} is not right {where}{numbers}."
NUMBERS = " (yours {given}, expected {expected})"
WHERE_VISIBLE = "at {point}"
WHERE_HIDDEN = "at a hidden test point"
OFTEN = " It is right at {right} of the {count} hidden points: look for a case that your lines do not cover."

BROKEN = " The first link that broke is {adjoint}{numbers}."
BROKEN_FROM = " (yours {given}; from your {above} follows {expected})"
BROKEN_AT = " (yours {given}, expected {expected})"
IT = "It"
IT_UNNAMED = "{adjoint}, which your function does not name,"
SLIP = {
    "sign": " {it} has the right size and the wrong sign{rule}.",
    "sign somewhere": " {it} has the right size and the wrong sign: a minus is lost or added on the way from {above}.",
    "share's sign": " {it} has the wrong sign in the share that comes through {consumer}{rule}.",
    "path lost": " {it} lacks the path through {consumer}: {node} is used in `{line}` as well{rule}.",
    "power not lowered": " {it} does not lower the power in `{line}` by one{rule}.",
    "exponent not brought down": " {it} lacks the exponent {other} of `{line}` as a factor{rule}.",
    "local dropped": " {it} lacks the factor d{consumer}/d{node}{rule}.",
    "upstream dropped": " {it} is only the local derivative d{consumer}/d{node}: multiply it by {upstream}.",
    "value for derivative": " {it} uses {consumer} itself where the derivative of `{line}` belongs{rule}.",
    "input for derivative": " {it} uses {node} itself where d{consumer}/d{node} belongs{rule}.",
    "other input": " {it} differentiates `{line}` by {other} where it must be by {node}{rule}.",
    "turned over": " {it} has the factor d{consumer}/d{node} turned over{rule}.",
    "local repeated": " {it} has the factor d{consumer}/d{node} twice{rule}.",
    "wrong adjoint": " {it} starts from {other} where {upstream} belongs.",
    "other local": " {it} uses {other} where d{consumer}/d{node} belongs{rule}.",
    "other leaf": " {it} is the derivative by {other}; asked is the one by {node}.",
}
OR = " Or, with the same numbers: "
NO_SLIP = " No known slip explains it. Look at {lines}."
LOOK_LINE = "`{line}`{rule}"
UNNAMED = " On the way to it {unnamed} {are} not named: name them, and you are told which one broke."
REASSIGNED = " {adjoint} is assigned more than once; only its last value can be judged."
LINK = "{adjoint:<10} {number:>14}   {word}"
LINK_WORDS = {
    "right": "right",
    "wrong": "the first link that broke",
    "follows": "follows from the numbers above",
    "off": "does not follow from the numbers above",
    "unnamed": "not named",
}
SHARE = " Links that are right given the ones before them: {right} of {count}; together they earn {earned} of {points}."

AUTOGRAD = "AutoGrad:  {value}"
MANUAL = "Manual:    {value}"
RIGHT_VISIBLE = "{adjoint} is right at {point}."
RIGHT_HIDDEN = "{adjoint} is right at all {count} hidden test points."
EARNED = "{question}: {earned} of {points} points. {text}"
PRINTED = "Printed by {function}:\n{text}"

NOT_FINITE_HERE = (
    "{question} cannot be checked at {point}: its value or derivative is not finite there. Choose a point in {domain}."
)
KINK_HERE = "{question} has a kink at {point}, where it has no derivative. Choose another point."
UNKNOWN_ARGUMENT = "{question} has no argument {name}: use check(at={{{arguments}}})."
NOT_A_NUMBER = "{question}: `at` must give numbers, but {name} is {value!r}."
