"""All messages to students, as named templates; tests compare them word for word.

A message says what was seen, what was expected and what to do next. A message of a hidden test must not reveal a test
point, a reference number or the seed. Each message is one paragraph; `laid_out` wraps it for terminals.
"""

from __future__ import annotations

import os
import textwrap

WIDTH = 80
"""Characters in a line: `nbgrader validate` cuts longer ones than 87 (nbgrader/validator.py)."""


def wrapped(text: str) -> str:
    """The message in lines of at most WIDTH characters; indented lines quote the student's code and are not wrapped."""
    return "\n".join(
        line if line.startswith(" ") else textwrap.fill(line, WIDTH, break_long_words=False, break_on_hyphens=False)
        for line in text.split("\n")
    )


def laid_out(text: str) -> str:
    """The message, wrapped except while nbgrader grades: a feedback page wraps paragraphs itself."""
    return text if os.environ.get("NBGRADER_EXECUTION") == "autograde" else wrapped(text)


def joined(text: str, *sentences: str) -> str:
    """`text` followed by the sentences that are not empty; after a line of quoted code the next begins a new line."""
    for sentence in filter(None, sentences):
        after_code = text.rpartition("\n")[2].startswith(" ")
        text += "\n" + sentence.lstrip() if after_code else sentence
    return text


UNANSWERED = (
    "{function} is not answered yet: replace `raise NotImplementedError()` with the lines that compute {adjoint}."
)
RAISE_LEFT = "{function} stopped{line}: remove this line, because what you wrote around it is never returned.{own}"
BLANK = "{adjoint} has no value when {function} returns: write the lines that compute it above the return."
NOT_RUN = (
    "{function} stopped{line}: `{name}` has no value there, because {lines} not run. Give it a value in every "
    "case.{own}"
)
NOT_RUN_LINES = "line {lines}, which gives it one, was", "lines {lines}, which give it one, were"
PLACEHOLDER = "The {what} is still `...`: replace it with the lines that compute {name}."
MISSING = (
    "There is no function {function}: run the cell with the line `def {function}({arguments}):`. If you changed that "
    "line, write it again as it was."
)
MISSING_NEAR = "There is no function {function}, but there is {near}: rename it to {function} and run its cell again."
NOT_A_FUNCTION = (
    "{function} is not a function, it is of type {type}: write the line `def {function}({arguments}):` again as it "
    "was, run its cell, and use other names for your own variables."
)
CELL_FAULT = (
    "{function} is not defined, because its cell stopped{line} with {type}{text}. Correct that line and run the cell "
    "again.{own}"
)
CELL_FAULT_OLDER = (
    "{function} was not defined again, because its cell stopped{line} with {type}{text}. The older function does not "
    "count. Correct that line and run the cell again.{own}"
)
CELL_ENDED = (
    "{function} is not defined, because its cell was stopped{text}. Look for a loop that does not end, an exit, or "
    "something that needs too much memory."
)
CELL_MAGIC = (
    "{function} is not defined, although its cell ran: the first line `{magic}` hides errors or keeps the function to "
    "itself. Remove that line and run the cell again."
)
LATER_FAULT = (
    " After {function} was defined, its cell stopped{line} with {type}{text}. That costs no points: the "
    "function counts. Correct or remove that line.{own}"
)
ARITY = "{function} cannot be called with {count}: its first line must be `def {function}({arguments}):`."
RAISED = "{function} stopped{line} with {type}{text}.{own}"
UNKNOWN_NAME = (
    "{function} stopped{line}: `{name}` has no value there. Check how it is spelled, or compute it first.{own}"
)
OF_TORCH = "{function} stopped{line}: `{name}` is not known there. Write `torch.{name}`.{own}"
NOT_IMPORTED = "{function} stopped{line}: `{name}` is not known there. Write `{remedy}` in a cell above.{own}"
POWER = "{function} stopped{line}: in Python `^` is not a power. Write `**`, as in `x**2`.{own}"
NO_ROUNDING = "{function} stopped{line}: do not round. Use the number itself.{own}"
NO_SIGN = "write `{right}`, not `{wrong}`"
RECURSION = "{function} calls itself without end: compute {adjoint} without calling {function}."
RECURSION_ELSEWHERE = "{function} stopped{line}, because a function calls itself without end.{own}"
TOO_LONG = "{function} gave no answer within {seconds:g} seconds: look for a loop that does not end."
PROCESS_ENDED = "{function} was stopped{text}. Look for an exit, or for something that needs too much memory."
NO_ANSWER = "{function} gave no answer that can be read{text}. Return two numbers."
OWN_LINE = "\n    {source}"

ONE_RESULT = "{function} returned one result{type}, but two are expected: `return {output}, {adjoint}`."
NOTHING = "{function} returned None: end it with `return {output}, {adjoint}`."
RESULT_COUNT = "{function} returned {count} results, but two are expected: `return {output}, {adjoint}`."
NOT_TWO_RESULTS = "{function} did not return two results: end it with `return {output}, {adjoint}`."
NONE = "The {what} is None: give {name} a number."
TEXT = "The {what} is text, not a number: return the number itself, without quotes or formatting."
SHAPE = "The {what} has the shape {shape}, but one number is expected: return a single number."
COMPLEX = "The {what} is a complex number, but a real number is expected."
FUNCTION = "The {what} is a function, not a number: call it, as in `torch.cos(x)`."
OTHER = "The {what} is of type {type}: return a number or a tensor of one number."
NOT_ONE_NUMBER = "The {what} is something that is not a number: return a number or a tensor of one number."
NAN = "The {what} is nan (not a number) {where}: look for 0/0, or log or sqrt of a negative number."
INFINITE = "The {what} is infinite {where}: look for a division by 0 or an exp that is too large."
SWAPPED = "The two results are in the wrong order: `return {output}, {adjoint}`, the value first."

WRONG_VALUE = "The value {output} is not right {where}{numbers}."
OWN_FORWARD = (
    " Your derivative is right for the lines that you wrote, but these are not the given ones: look at line {line}. "
    "{earns}{own}"
)
OWN_FORWARD_EARNS = "A derivative of your own lines earns {percent:g} % of the points."
OWN_FORWARD_NOTHING = "Where the value is wrong, the derivative earns nothing."
AS_GIVEN = (
    " Keep the given lines of the forward pass as they were: where the value is wrong, the derivative earns nothing."
)
GIVEN_AGAIN = (
    " Line {line} gives {output} another value: use another name there. Where the value is wrong, the derivative earns "
    "nothing.{own}"
)
ARGUMENT_REPLACED = " Line {line} gives the argument {name} another value: use another name there.{own}"
WRONG_DERIVATIVE = "{adjoint} is not right {where}{numbers}."
NUMBERS = " (yours {given}, expected {expected})"
WHERE_VISIBLE = "at {point}"
WHERE_HIDDEN = "at a hidden test point"
BY_SIGN = " It is right where {name} is {right} and wrong where {name} is {wrong}."
POSITIVE, NEGATIVE = "positive", "negative"
OFTEN = " It is right at {right} of the {count} hidden points: look for a case that your lines do not cover."
OFTEN_NOT_ZERO = (
    " Of the {count} hidden points where {name} is not 0, it is right at {right}: look for a case that your lines do "
    "not cover."
)

ROUNDED = " {it} is rounded: do not round, and do not format numbers as text. Use the number itself."
ROUNDED_LINE = " {it} is rounded, see line {line}. Use the number itself.{own}"
NEAR = " {it} comes close to the right number everywhere: do not round, and do not type in digits that were printed."
CONSTANT = " {it} is the same number at every point: compute it from {arguments}."
CARET_LINE = " In Python `^` is not a power: write `**` in line {line}.{own}"
FLOOR_LINE = " In Python `//` rounds down: write `/` in line {line}.{own}"

BROKEN = " The first wrong link is {adjoint}{numbers}."
BROKEN_FROM = " (yours {given}; with your {above} it should be {expected})"
BROKEN_AT = " (yours {given}, expected {expected})"
IT = "It"
IT_UNNAMED = "{adjoint}, which your function does not name,"
SLIP = {
    "sign": " {it} has the right size but the wrong sign{rule}.",
    "sign somewhere": " {it} has the right size but the wrong sign: a minus is missing, or one too many, on the way "
    "from {above} to {adjoint}.",
    "share's sign": " {it} has the wrong sign in the part that comes through {consumer}{rule}.",
    "path lost": " {it} leaves out the path through {consumer}: {node} is used in `{line}`, too{also}.",
    "power not lowered": " {it} does not lower the power in `{line}` by one{rule}.",
    "exponent not brought down": " {it} lacks the factor {other}, the power of {node} in `{line}`{rule}.",
    "local dropped": " {it} lacks the factor d{consumer}/d{node}, the derivative of `{line}` with respect to {node}"
    "{rule}.",
    "local dropped at the output": " {it} is 1, but it must be the derivative of `{line}` with respect to {node}"
    "{rule}.",
    "local dropped of a local": " {it} is 1, but it must be the derivative of `{line}` with respect to {node}{rule}.",
    "upstream dropped": " {it} is only d{consumer}/d{node}, the derivative of `{line}`: multiply it by {upstream}.",
    "value for derivative": " {it} uses {consumer} itself instead of the derivative of `{line}` with respect to {node}"
    "{rule}.",
    "values for derivatives": " {it} uses {sites} themselves instead of their derivatives with respect to {node}.",
    "input for derivative": " {it} uses {node} itself instead of the derivative of `{line}` with respect to {node}"
    "{rule}.",
    "other input": " {it} uses the derivative of `{line}` with respect to {other} instead of {node}{rule}.",
    "turned over": " {it} divides by the derivative of `{line}` with respect to {node} instead of multiplying by it"
    "{rule}.",
    "turned over of a local": " {it} is 1 divided by the derivative of `{line}` with respect to {node}{rule}.",
    "local repeated of a local": " {it} is the square of the derivative of `{line}` with respect to {node}{rule}.",
    "path lost of a total": " {it} leaves out the part that comes through {node}: `{line}` uses it, too{also}.",
    "share's sign of a total": " {it} has the wrong sign in the part that comes through {node}{rule}.",
    "local repeated": " {it} has the derivative of `{line}` with respect to {node} as a factor twice{rule}.",
    "wrong adjoint": " {it} starts from {other} instead of {upstream}.",
    "wrong adjoint at the output": " {it} has {other} as a factor too many: `{line}` is the last line.",
    "other local": " {it} uses {other} instead of the derivative of `{line}` with respect to {node}{rule}.",
    "other leaf": " {it} is the derivative with respect to {other}, but the question asks for the one with respect to "
    "{node}.",
    # The wrong rules of functions.
    "quotient turned over": " {it} has the numerator of the quotient rule in the wrong order: it is `u'*v - u*v'`, "
    "with u = {above} and v = {below}.",
    "quotient added": " {it} adds the two parts of the quotient rule: the numerator is `u'*v - u*v'`, with u = {above} "
    "and v = {below}.",
    "derivatives divided": " {it} divides the derivatives of numerator and denominator: the derivative of {site} is "
    "`(u'*v - u*v')/v**2`, with u = {above} and v = {below}.",
    "derivatives multiplied": " {it} multiplies the derivatives of the factors: the derivative of {site} has a term "
    "for each factor{rule}.",
    "derivatives added": " {it} adds the derivatives of the factors: in the derivative of {site} each is multiplied by "
    "the other factors{rule}.",
    "term of the rule lost": " {it} takes {instead} in {site} for a constant, but it depends on {node}, too{rule}.",
    "denominator not squared": " {it} does not square {below}, the denominator of {site}{rule}.",
    "denominator squared": " {it} squares {below}, the denominator of {site}, which does not depend on {node}{rule}.",
    "denominator lost": " {it} lacks {below}, the denominator of {site}{rule}.",
    "numerator lost": " {it} lacks {above}, the numerator of {site}{rule}.",
    "output for input": " {it} takes the derivative of {function} at {value} instead of at {inner}, and so applies "
    "{function} twice{rule}.",
    "input for value": " {it} uses {instead}, but the derivative of {site} is made of its value: it is {right}.",
    "factor of the rule lost": " {it} lacks a factor in {instead}: the derivative of {site} is {right}.",
    "rule of tanh": " {it} uses {instead}, as for tanh: the derivative of {site} is {right}.",
    "rule of the sigmoid": " {it} uses {instead}, as for the sigmoid: the derivative of {site} is {right}.",
    "sign in the rule": " {it} has a wrong sign in {instead}: the derivative of {site} is {right}.",
    "not squared": " {it} lacks a square in {instead}: the derivative of {site} is {right}.",
    "gate left open": " {it} takes the derivative of {site} to be 1 everywhere, but it is 0 where {inner} < 0.",
    "gate turned over": " {it} takes the derivative of {site} to be 1 where {inner} < 0, but it is 0 there, and 1 "
    "where {inner} > 0.",
    "gate of another": " {it} looks whether {instead}, but the derivative of {site} is 1 where {inner} > 0, and 0 "
    "elsewhere.",
    "rule of a power": " {it} uses {instead}, the rule of a power, but {inner} is the exponent: the derivative of "
    "{site} is {right}.",
    "exponent as a factor": " {it} has the exponent as a factor in {instead}: the derivative of {site} is {right}.",
    "sine and cosine": " {it} uses {instead} as the derivative of {site}: that of sin is cos, and that of cos is -sin.",
    "wrong rule": " {it} uses {instead}, but the derivative of {site} is {right}.",
    "inner part lost": " {it} takes the derivative of {function} at {instead} instead of at {inner}{rule}.",
    "inner part and its derivative lost": " {it} takes the derivative of {function} at {instead} instead of at "
    "{inner}, and lacks the derivative of {inner} as a factor{rule}.",
    "inner derivative lost": " {it} lacks the derivative of {inner}, the inner part of {site}, as a factor{rule}.",
    "lowered exponent brought down": " {it} has the lowered power of {site} as a factor instead of {other}, the power "
    "itself{rule}.",
    "integrated": " {it} raises the power in {site} and divides by it, which is the integral{rule}.",
    "powers not lowered": " {it} does not lower the powers in {sites} by one: the derivative of `{node}**n` is "
    "`n*{node}**(n - 1)`.",
    "exponents not brought down": " {it} lacks the powers in {sites} as factors: the derivative of `{node}**n` is "
    "`n*{node}**(n - 1)`.",
    "powers themselves": " {it} uses {sites} themselves instead of their derivatives: that of `{node}**n` is "
    "`n*{node}**(n - 1)`.",
    "powers integrated": " {it} raises the powers in {sites} and divides by them, which is the integral: the "
    "derivative of `{node}**n` is `n*{node}**(n - 1)`.",
    "outer derivative lost": " {it} has only the derivative of {inner}: multiply it by that of {function} at {inner}"
    "{rule}.",
    "function itself": " {it} uses {site} itself instead of its derivative{rule}.",
    "argument itself": " {it} uses {inner} itself instead of the derivative of {site}{rule}.",
    "sign of the function": " {it} has the wrong sign in the derivative of {site}{rule}.",
}
MADE_OF = {
    "product's sign": " {it} has the right size but the wrong sign: a minus is missing, or one too many, where it is "
    "made of {above}.",
    "factor left out": " {it} lacks the factor {name}.",
    "factor twice": " {it} has {name} as a factor twice.",
    "factor divided by": " {it} divides by {name} instead of multiplying by it.",
    "part left out": " {it} leaves out the part that has {name} as a factor.",
    "part's sign": " {it} has the wrong sign in the part that has {name} as a factor.",
    "factor alone": " {it} is only {name}: the other factors are missing.",
    "factor too many": " {it} has {name} as a factor too many.",
}
NOT_MADE_OF = " {it} is not what the chain rule makes of {above}: multiply them along each path, and add up the paths."
OR = " Another mistake would give the same numbers: {it}"
NO_SLIP = " It fits none of the usual mistakes. Check {lines}."
LOOK_LINE = "`{line}`{rule}"
RULE = ": `{rule}`"
RULE_TOO = ", and `{rule}`"
RULE_WHERE = ", where `{rule}`"
UNNAMED = (
    " Your function does not name {unnamed}. Name {them}, as in `{first} = …`, or name the derivative of each line, as "
    "in `{local} = …`: then the check tells you which link is wrong."
)
LINK = "{adjoint}   {number}   {word}"
LINK_HEAD = ("derivative", "yours", "verdict")
LINK_WORDS = {
    "right": "right",
    "wrong": "the first wrong link",
    "follows": "follows from your numbers above",
    "off": "does not follow from your numbers above",
    "unnamed": "not named",
}
SHARE = (
    " Steps that your lines show and have right, each judged by your own numbers before it: {right} of {count}. They "
    "earn {earned} of {points} points."
)

AUTOGRAD = "AutoGrad:  {value}"
MANUAL = "Manual:    {value}"
SEE_ABOVE = "{question}: not right yet, see above."
NOT_CHECKED = "{question}: not checked, see above."
ONLY_AT_SEED = "Your answer is right at {seed}, but not everywhere. "
NOT_AT = "Your answer is right at {seed}, but not at {point}. "
ELSEWHERE = "At {seed} your answer is right. What follows is at {point}:"
RIGHT_VISIBLE = "{adjoint} is right at {point}."
RIGHT_HIDDEN = "{adjoint} is right at all {count} hidden test points."
EARNED = "{question}: {earned} of {points} points. {text}"
PRINTED = "Printed by {function}:\n{text}"

NOT_FINITE_HERE = (
    "{question} cannot be checked at {point}: its value or its derivative is not finite there. Choose a point with "
    "{domain}."
)
KINK_HERE = "{question} has a kink at {point}, where it has no derivative. Choose another point."
UNKNOWN_ARGUMENT = "{question} has no argument {name}: write check(at={{{arguments}}})."
NOT_NAMED = "{question}: `at` must name the arguments: write check(at={{{arguments}}})."
NOT_A_NUMBER = "{question}: `at` must give numbers, but {name} is {value!r}."
