"""A forward pass that is no list of lines on real scalars is refused with the line and the remedy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from autograder import Question, QuestionError
from autograder.calculus.reference import clean_torch, differentiate
from tests.conftest import make_question, run_source

# The line that is refused stands in line 5, the first of the body, where no other number is named.
REFUSED = {
    "a name twice": ("a = x * x\na = a + 1\nreturn a", r"line 6: `a = a \+ 1`: `a` is assigned twice"),
    "an argument again": ("x = x * 2\nreturn x", r"line 5: `x = x \* 2`: `x` is assigned twice"),
    "if": (
        "if x > 0:\n    a = x\nreturn a",
        "line 5: `if x > 0:`: a forward pass has no `if`; write a kink with torch",
    ),
    "if at the end": ("a = x\nif x > 0:\n    return a", "line 6: `if x > 0:`: a forward pass has no `if`"),
    "match": ("match x:\n    case _:\n        a = x\nreturn a", "line 5: `match x:`: a forward pass has no `match`"),
    "a loop": (
        "for i in range(3):\n    a = x\nreturn a",
        r"line 5: `for i in range\(3\):`: a forward pass has no loops",
    ),
    "while": (
        "while x > 0:\n    a = x\nreturn a",
        "line 5: `while x > 0:`: a forward pass has no loops; give each step",
    ),
    "with": (
        "with torch.no_grad():\n    a = x\nreturn a",
        r"line 5: `with torch.no_grad\(\):`: a forward pass holds only",
    ),
    "a conditional": ("a = x if x > 0 else -x\nreturn a", "line 5: .*a forward pass has no `if`; write a kink with"),
    "a comparison": ("a = x * (x > 0)\nreturn a", "line 5: .*a comparison has no derivative; write a kink with torch"),
    "where": ("a = torch.where(x > 0, x, -x)\nreturn a", "line 5: .*a comparison has no derivative; write a kink with"),
    "max": ("a = max(x, x * x)\nreturn a", "line 5: .*use torch.maximum"),
    "sum of a list": ("a = sum([x, x])\nreturn a", r"line 5: `a = sum\(\[x, x\]\)`: write the sum with `\+`"),
    "sum of one": ("a = sum(x)\nreturn a", r"line 5: .*write the sum with `\+`"),
    "a comprehension": ("a = torch.exp(x for i in range(3))\nreturn a", "line 5: .*a forward pass has no loops"),
    "len": ("a = len(x) * x\nreturn a", "line 5: .*`len` does not compute with numbers; use torch operations"),
    "two targets": ("a = b = x * 2\nreturn a", "line 5: .*assign one plain name per line"),
    "unpacking": ("a, b = x, 2 * x\nreturn a", r"line 5: .*one plain name per line: `a = x`, then `b = 2 \* x`"),
    "augmented": ("a = x * 2\na += x\nreturn a", r"line 6: `a \+= x`: .* with a new name, as in `a2 = a \+ x`"),
    "annotated": ("a: float = x * 2\nreturn a", r"line 5: .*leave the annotation out: `a = x \* 2`"),
    "an element": ("a[0] = x * 2\nreturn a", r"line 5: `a\[0\] = x \* 2`: assign one plain name per line"),
    "a helper inside": ("def f(t):\n    return t\na = f(x)\nreturn a", r"line 5: `def f\(t\):`: define helpers above"),
    "a lambda": ("f = lambda t: t * 2\na = f(x)\nreturn a", "line 5: .*define helpers above the question with def"),
    "an import": ("import math\na = x * 2\nreturn a", "line 5: `import math`: import it in a cell above the question"),
    "print": ("a = x * 2\nprint(a)\nreturn a", r"line 6: `print\(a\)`: a forward pass holds only lines .* take it out"),
    "text": ("a = f'{x}'\nreturn a", "line 5: .*a forward pass computes numbers only; leave the text out"),
    "text as a factor": ("a = 'x' * x\nreturn a", "line 5: .*a forward pass computes numbers only; leave the text out"),
    "dots": ("a = ...\nreturn a", "line 5: `a = ...`: it is still `...`; write the expression"),
    "a docstring only": (
        '"""What it is."""',
        "line 5: .*it has no lines; write lines `name = expression`, then `return",
    ),
    "no return": ("a = x * 2", r"line 5: `a = x \* 2`: the last line must be `return name`; add it"),
    "two returns": ("a = x * 2\nreturn a\nreturn a", "line 6: `return a`: only the last line is a `return`"),
    "lines after it": ("a = x * 2\nreturn a\nb = a", "line 6: `return a`: only the last line is a `return`"),
    "an expression returned": ("a = x * 2\nreturn a + 1", "line 6: .*return the name of one node"),
    "two returned": ("a = x * 2\nreturn a, x", "line 6: .*return the name of one node"),
    "an argument returned": ("return x", "line 5: `return x`: return the name of one node"),
    "unused line": ("a = x * 2\nb = x + 1\nreturn b", r"line 5: `a = x \* 2`: the returned `b` does not depend on `a`"),
    "a function of math that torch has not": (
        "a = cbrt(x)\nreturn a",
        "line 5: .*math's takes numbers only; use",
    ),
    "a product without its sign": (
        "a = x(x + 1)\nreturn a",
        r"line 5: .*a number here, not a function; write `\*`",
    ),
    "a node that is called": ("abs = x * 2\na = abs(x)\nreturn a", "line 6: .*`abs` is a number here.*another name"),
    "a node called as its function": ("exp = exp(x)\nreturn exp", "line 5: .*`exp` is called.*; give the node another"),
    "a node called torch": ("torch = x * 2\na = torch * x\nreturn a", "line 5: .*`torch` is called as .*another name"),
    "unknown name": (
        "a = x * zeta\nreturn a",
        "line 5: .*`zeta` is neither an argument nor an earlier line; define it",
    ),
    "pi": ("a = x * pi\nreturn a", r"line 5: .*write `math\.pi`, and import math above"),
    "a module not imported": ("a = x * scipy.pi\nreturn a", "line 5: .*`scipy` is not known here; import it in a cell"),
    "not imported": ("a = exp(x)\nreturn a", r"line 5: .*`exp` is not known here; write `torch\.exp`"),
    "a root not imported": ("a = sqrt(2) * x\nreturn a", r"line 5: .*of a number, write `math\.sqrt`, and import math"),
    "a root by torch": (
        "a = torch.sqrt(2) * x\nreturn a",
        r"line 5: .*of a number write `math\.sqrt`, and import math",
    ),
    "a maximum with a number": ("a = torch.maximum(x, 0)\nreturn a", r"line 5: .*as in `torch\.clamp\(x, min=0\)`"),
    "torch.max": ("a = torch.max(x, 0)\nreturn a", r"line 5: .*write torch\.maximum\(a, b\), or torch\.clamp with a"),
    "misspelt": ("a = torch.Sinn(x)\nreturn a", r"line 5: .*torch has no `Sinn`; write `torch\.sin`"),
    "math": ("a = math.sin(x)\nreturn a", r"line 5: .*: `math\.sin` takes numbers, not tensors.* write `torch\.sin`"),
    "by its name": ("a = cosine(x)\nreturn a", "line 5: .*`cosine` takes numbers, not tensors.* use torch's functions"),
    "numpy": ("a = np.exp(2 * x)\nreturn a", r"line 5: .*`np\.exp` takes numbers, not tensors.* write `torch\.exp`"),
    "numpy's product": (
        "a = np.dot(x, x)\nreturn a",
        r"line 5: .*`np\.dot` takes numbers.* write the products and sums",
    ),
    "math in a helper": ("a = cube(x)\nreturn a", "line 5: .*as the functions of math and numpy do; use torch"),
    "a caret": ("a = x ^ 2\nreturn a", r"line 5: .*in Python `\^` is not a power; write `\*\*`"),
    "a matrix": ("a = W @ x\nreturn a", r"line 5: `a = W @ x`: `@` works on vectors.* as in `w \* x \+ v \* y`"),
    "a matrix by name": ("a = torch.matmul(x, x)\nreturn a", "line 5: .*`matmul` works on vectors, and nodes are"),
    "a matrix and a number": ("a = W * x\nreturn a", r"line 5: .*shape \(2, 2\); .*: pass each number as an argument"),
    "and": ("a = x and 2 * x\nreturn a", "line 5: .*has no `and` or `or`"),
    "a constant line": ("a = torch.tensor(2.0)\nb = a * x\nreturn b", "line 5: .*depends on no argument"),
    "half precision": ("a = x.half()\nb = a * 2\nreturn b", "line 5: .*changes the precision"),
    "single precision": ("a = x.float()\nb = a * 2\nreturn b", "line 5: .*changes the precision"),
    "a cast by name": ("a = x.to(torch.float16)\nreturn a", "line 5: .*turns float64 into torch.float16"),
    "complex": ("a = x * 1j\nreturn a", "line 5: .*gives a complex number; only real numbers can"),
    "item": ("a = x.item() * x\nreturn a", "line 5: .*`item` takes the value out of torch's graph"),
    "float()": ("a = float(x) * x\nreturn a", r"line 5: .*float\(\) takes it out of torch's graph"),
    "detach": ("a = x.detach() * x\nreturn a", "line 5: .*`detach` takes the value out"),
    "floor": ("a = torch.floor(x) * x\nreturn a", "line 5: .*has no useful derivative"),
    "floor division": ("a = x // 2 + x\nreturn a", "line 5: .*`//` has no useful derivative"),
    "random": ("a = torch.randn_like(x) * x\nreturn a", "line 5: .*is random"),
    "in place": ("a = x.mul_(2)\nreturn a", "line 5: .*changes a tensor in place"),
    "a vector": ("a = torch.stack((x, x))\nreturn a", "line 5: .*each its own line"),
    "a shape": ("a = x.expand(3)\nreturn a", r"line 5: .*gives shape \(3,\)"),
    "no dependence": ("a = torch.ones_like(x) + 0\nb = a * x\nreturn b", "line 5: .*torch sees no dependence on `x`"),
    "an unkept kink": ("a = torch.nn.functional.hardtanh(x)\nreturn a", "line 5: .*kink that test points cannot avoid"),
    "raises": ("a = torch.sin(x, 3, 4)\nreturn a", "line 5: .*raised TypeError"),
    "not finite": ("a = torch.log(x - 5)\nreturn a", "line 5: .*not finite at the visible point"),
    "a kink": ("a = torch.relu(x - 1.5)\nreturn a", "line 5: .*is on a kink at `at`, .*; choose another point"),
    "always 1": ("a = torch.softmax(x, 0)\nreturn a", "is 0 at every test point, so there is nothing to answer"),
    "a shared name": ("dfdx = x * 2\nf = dfdx + x\nreturn f", "`dfdx` would be the name of a node and of"),
}
GIVEN = {"math": math, "np": np, "cosine": math.cos, "W": torch.ones(2, 2)}


def asked(body: str) -> Question:
    """The question with this body, below two lines of `make_question` and two of its own."""
    given = run_source("def cube(t):\n    return math.pow(t, 3)\n", dict(GIVEN))
    lines = "\n".join("    " + line for line in body.split("\n"))
    return make_question(f"@question(wrt='x', at={{'x': 1.5}}, domain={{'x': (-2, 2)}})\ndef p(x):\n{lines}", **given)


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_with_the_line_and_the_remedy(what: str) -> None:
    body, expected = REFUSED[what]
    with pytest.raises(QuestionError, match=expected):
        asked(body)


ACCEPTED = {
    "a root of math": ("a = math.sqrt(2) * x\nreturn a", math.sqrt(2)),
    "a root of numpy": ("a = x * np.sqrt(2)\nreturn a", math.sqrt(2)),
    "pi": ("a = torch.sin(math.pi * x)\nreturn a", math.pi * math.cos(math.pi * 1.5)),
    "cosine of a number": ("a = cosine(2) * x\nreturn a", math.cos(2)),
    "pow": ("a = pow(x, 2)\nreturn a", 3.0),
    "abs": ("a = abs(x) + x\nreturn a", 2.0),
    "methods": ("a = x.sin()\nreturn a", math.cos(1.5)),
    "a docstring and a line": ('"""What it is."""\na = 2 * x\nreturn a', 2.0),
}


@pytest.mark.parametrize("what", ACCEPTED)
def test_what_torch_can_differentiate_is_accepted(what: str) -> None:
    body, slope = ACCEPTED[what]
    question = asked(body)
    with clean_torch():
        found = differentiate(question.forward, question.at).adjoints["x"]
    assert found == pytest.approx(slope, rel=1e-12, abs=1e-12)
