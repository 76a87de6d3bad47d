"""Admission: what a forward pass must not do, and where its kinks are.

Every torch call of a line is seen, those inside an author's helpers too. What autograd cannot differentiate is refused
when the question is made, by name, with the line and the remedy: no student meets a question without a derivative.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from autograder.calculus import syntax
from autograder.calculus.graph import Forward, Line
from autograder.calculus.reference import Point, run, tensors
from autograder.errors import QuestionError

# What a kinked operation looks at: the kink is where this is zero.
_KINKS: dict[str, Callable[..., list[Any]]] = {
    "relu": lambda x, **_: [x],
    "leaky_relu": lambda x, *_, **__: [x],
    "abs": lambda x, **_: [x],
    "absolute": lambda x, **_: [x],
    "__abs__": lambda x, **_: [x],
    "maximum": lambda x, y, **_: [x - y],
    "minimum": lambda x, y, **_: [x - y],
    "max": lambda x, y, **_: [x - y],
    "min": lambda x, y, **_: [x - y],
    "relu6": lambda x, **_: [x, x - 6],
    "clamp": lambda x, min=None, max=None: [x - b for b in (min, max) if b is not None],
    "clip": lambda x, min=None, max=None: [x - b for b in (min, max) if b is not None],
    "clamp_min": lambda x, min: [x - min],
    "clamp_max": lambda x, max: [x - max],
}
_ON_KINK = 1e-9
_REFUSED_CALLS: dict[str, str] = {
    **dict.fromkeys(
        ["item", "__int__", "__index__", "tolist", "numpy", "detach", "detach_", "data"],
        "takes the value out of torch's graph; keep the tensor",
    ),
    **dict.fromkeys(
        ["__float__", "__array__"],
        "takes the value out of torch's graph, as the functions of math and numpy do; use torch's functions",
    ),
    **dict.fromkeys(["__matmul__", *syntax.ON_VECTORS], f"works on vectors, and {syntax.NO_VECTORS}"),
    **dict.fromkeys(
        [
            "__bool__",
            "__eq__",
            "__ne__",
            "__lt__",
            "__le__",
            "__gt__",
            "__ge__",
            "eq",
            "ne",
            "lt",
            "le",
            "gt",
            "ge",
            "where",
            "heaviside",
        ],
        "chooses between cases; write a kink with torch.relu, abs, torch.clamp or torch.maximum",
    ),
    **dict.fromkeys(
        [
            "floor",
            "ceil",
            "round",
            "trunc",
            "fix",
            "frac",
            "sign",
            "sgn",
            "fmod",
            "remainder",
            "floor_divide",
            "__floordiv__",
            "__mod__",
            "argmax",
        ],
        "has no useful derivative; leave it out",
    ),
    **dict.fromkeys(
        [
            "hardtanh",
            "hardswish",
            "hardsigmoid",
            "hardshrink",
            "softshrink",
            "threshold",
            "prelu",
            "rrelu",
            "elu",
            "selu",
            "celu",
        ],
        "has a kink that test points cannot avoid; write it with torch.relu, abs, torch.clamp or torch.maximum",
    ),
    **dict.fromkeys(
        ["rand", "randn", "rand_like", "randn_like", "bernoulli", "dropout", "normal", "multinomial"],
        "is random; a forward pass must give the same value each time",
    ),
    **dict.fromkeys(
        ["half", "bfloat16", "float", "complex", "__complex__", "cfloat", "cdouble"], "changes the precision; leave it"
    ),
    "backward": "differentiates; a forward pass only computes the value",
    "register_hook": "hides work from the graph; leave it out",
}


class _Probe(TorchFunctionMode):
    """Sees every torch call of a line, inside helpers too: collects kinks and refuses what cannot be differentiated."""

    def __init__(self) -> None:
        super().__init__()
        self.kinks: list[float] = []
        self.refused: tuple[str, str] | None = None
        self._inside = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "__get__":  # a property such as .data or .real: the descriptor knows its own name
            name = getattr(getattr(func, "__self__", None), "__name__", "")
        if not self._inside:
            why = _REFUSED_CALLS.get(name)
            if why is None and name.endswith("_") and not name.endswith("__"):
                why = "changes a tensor in place; use the operation without the underscore"
            if why and self.refused is None:
                self.refused = (name, why)
            if name in _KINKS:
                self._inside = True
                try:
                    gaps = _KINKS[name](*args, **{k: v for k, v in kwargs.items() if k in ("min", "max")})
                except TypeError:  # e.g. x.max() of one tensor: no kink between two arguments
                    gaps = []
                self.kinks += [float(torch.as_tensor(g).detach()) for g in gaps]
                self._inside = False
        return func(*args, **kwargs)


def kinks(forward: Forward, point: Point) -> list[float]:
    """How far each kinked operation (relu, abs, maximum …) is from its kink, signed, in the order of the lines."""
    probe = _Probe()
    with probe:
        run(forward, tensors(point))
    return probe.kinks


def kinked(forward: Forward, point: Point) -> list[Line]:
    """The line of each kink, in the order of `kinks`."""
    values, names = tensors(point), dict(forward.given)
    found: list[Line] = []
    for line in forward.lines:
        with _Probe() as probe:
            values[line.name] = eval(line.code, names, values)
        found += [line] * len(probe.kinks)
    return found


def refuse_kink(forward: Forward, point: Point) -> None:
    """Raises QuestionError for the first line that is on a kink at the visible point, where it has no derivative."""
    for line, gap in zip(kinked(forward, point), kinks(forward, point), strict=True):
        if abs(gap) < _ON_KINK:
            raise _cannot(forward, line, "is on a kink at `at`, where it has no derivative; choose another point")


def refuse_what_autograd_cannot(forward: Forward, point: Point) -> None:
    """Raises QuestionError for the first line that torch cannot differentiate as a real float64 scalar at `point`."""
    values = tensors(point)
    names = dict(forward.given)
    for line in forward.lines:
        inputs = {n: values[n].detach().requires_grad_() for n in line.inputs}
        raised = ""
        with _Probe() as probe:
            try:
                node = eval(line.code, names, inputs)
            except Exception as error:
                raised = _remedy(error)
        if probe.refused:
            raise _cannot(forward, line, f"`{probe.refused[0]}` {probe.refused[1]}")
        if raised:
            raise _cannot(forward, line, raised)
        _refuse_value(forward, line, node)
        grads = torch.autograd.grad(node, list(inputs.values()), allow_unused=True) if node.requires_grad else [None]
        for name, d in zip(line.inputs, grads, strict=False):
            if d is None:
                raise _cannot(forward, line, f"torch sees no dependence on `{name}`; take `{name}` out or use it")
        values[line.name] = node.detach()


def _remedy(error: Exception) -> str:
    wanted = re.match(r"(\w+)\(\): argument '\w+' \(position \d\) must be Tensor, not (?:int|float)", str(error))
    if wanted and wanted[1] in ("maximum", "minimum"):
        end = "min" if wanted[1] == "maximum" else "max"
        return f"`{wanted[1]}` compares two tensors; with a number write torch.clamp, as in `torch.clamp(x, {end}=0)`"
    if wanted and hasattr(math, wanted[1]):
        what = f"torch's `{wanted[1]}` takes tensors; of a number write `math.{wanted[1]}`"
        return what + ", and import math above the question"
    return f"raised {type(error).__name__}: {error}; correct the line"


def _refuse_value(forward: Forward, line: Line, node: object) -> None:
    if isinstance(node, torch.return_types.max | torch.return_types.min):
        raise _cannot(forward, line, "looks along a vector; write torch.maximum(a, b), or torch.clamp with a number")
    if not isinstance(node, torch.Tensor):
        raise _cannot(forward, line, f"gives a {type(node).__name__}, not a tensor; use torch operations")
    if node.dim() != 0:
        what = f"gives shape {tuple(node.shape)}; every node must be one number"
        raise _cannot(forward, line, f"{what}: pass each number as an argument of its own")
    if node.is_complex():
        raise _cannot(forward, line, "gives a complex number; only real numbers can be differentiated here")
    if node.dtype != torch.float64:
        raise _cannot(forward, line, f"turns float64 into {node.dtype}; leave the precision as it is")
    if not math.isfinite(node.item()):
        raise _cannot(forward, line, "is not finite at the visible point `at`; choose another point")


def _cannot(forward: Forward, line: Line, why: str) -> QuestionError:
    return QuestionError(f"{forward.name}, line {line.number}: `{line.text}`: {why}.")
