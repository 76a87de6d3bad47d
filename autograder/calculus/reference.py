"""The reference: values, local derivatives, adjoints and scales of a forward pass at one point, all by torch.autograd.

Nothing here is differentiated by hand. The reference derivative comes from autograd over the whole forward pass; the
adjoints in between from autograd's local derivatives, line by line, summed over the paths (the chain rule).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from autograder.calculus.graph import Forward

Point = Mapping[str, float]


@dataclass(frozen=True)
class Reference:
    """What is true at one point. Every number is a Python float computed in float64."""

    point: Point
    values: Mapping[str, float]
    """Of every leaf and node."""
    local: Mapping[tuple[str, str], float]
    """(node, input) -> d(node)/d(input), from that one line alone."""
    adjoints: Mapping[str, float]
    """Of every leaf and node: d(output)/d(it)."""
    scales: Mapping[str, float]
    """S of every leaf and node: the same backward pass with absolute local derivatives."""

    @property
    def finite(self) -> bool:
        return all(math.isfinite(v) for part in (self.values, self.adjoints, self.scales) for v in part.values())

    def value_scale(self, output: str) -> float:
        """The size that rounding errors in the value are measured by: sum of |node| times |its share of the output|."""
        return max(abs(self.values[output]), sum(abs(v) * self.scales[n] for n, v in self.values.items()))


@contextmanager
def clean_torch() -> Iterator[None]:
    """torch as it is after import, whatever a notebook has set; put back at the end."""
    dtype = torch.get_default_dtype()
    device = torch.get_default_device()
    try:
        torch.set_default_dtype(torch.float32)
        if device.type != "cpu":
            torch.set_default_device("cpu")
        with torch.inference_mode(False), torch.enable_grad(), torch.autograd.set_detect_anomaly(False):
            yield
    finally:
        torch.set_default_dtype(dtype)
        if device.type != "cpu":
            torch.set_default_device(device)


def run(forward: Forward, leaves: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The forward pass on 0-dimensional tensors: the value of every leaf and node."""
    names = dict(forward.given)
    values = dict(leaves)
    for line in forward.lines:
        values[line.name] = eval(line.code, names, values)  # the author's own line, compiled by `graph`
    return values


def tensors(point: Point, dtype: torch.dtype = torch.float64, grad: bool = False) -> dict[str, torch.Tensor]:
    """Fresh 0-dimensional leaves."""
    return {name: torch.scalar_tensor(value, dtype=dtype, requires_grad=grad) for name, value in point.items()}


def adjoints(forward: Forward, point: Point, dtype: torch.dtype = torch.float64) -> dict[str, float]:
    """d(output)/d(it) of every leaf and node, by torch.autograd over the whole forward pass in the given precision."""
    values = run(forward, tensors(point, dtype, grad=True))
    grads = torch.autograd.grad(values[forward.output], list(values.values()))
    return {name: g.item() for name, g in zip(values, grads, strict=True)}


def differentiate(forward: Forward, point: Point) -> Reference:
    """Everything that is true at `point`. Call it within `clean_torch`.

    The lines on detached inputs and the whole forward pass are disjoint graphs, so one backward call serves them all.
    """
    names = dict(forward.given)
    whole = run(forward, tensors(point, grad=True))
    edges: dict[tuple[str, str], torch.Tensor] = {}
    outputs = [whole[forward.output]]
    for line in forward.lines:
        inputs = {n: whole[n].detach().requires_grad_() for n in line.inputs}
        outputs.append(eval(line.code, names, inputs))
        edges.update(((line.name, n), leaf) for n, leaf in inputs.items())
    grads = [g.item() for g in torch.autograd.grad(outputs, [*edges.values(), *whole.values()])]
    local = dict(zip(edges, grads, strict=False))
    return Reference(
        dict(point),
        {n: v.item() for n, v in whole.items()},
        local,
        dict(zip(whole, grads[len(edges) :], strict=True)),
        backward(forward, {edge: abs(d) for edge, d in local.items()}),
    )


def backward(forward: Forward, local: Mapping[tuple[str, str], float]) -> dict[str, float]:
    """The chain rule: from d(output)/d(output) = 1, each adjoint is the sum over its consumers."""
    total = dict.fromkeys((*forward.leaves, *forward.nodes), 0.0)
    total[forward.output] = 1.0
    for line in reversed(forward.lines):
        for name in line.inputs:
            total[name] += total[line.name] * local[line.name, name]
    return total
