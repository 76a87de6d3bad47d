"""A function of torch's, numpy's or Python's that is another one now is seen, if it is used."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from autograder.student import originals


@pytest.mark.parametrize(
    ("owner", "name"),
    [(torch, "tan"), (math, "tan"), (np, "tan"), (torch.nn.functional, "relu"), (torch.Tensor, "cos")],
)
def test_another_function_in_its_place_is_told_where_it_is_used(
    owner: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert originals.replaced({name}) == ""
    monkeypatch.setattr(owner, name, torch.sin)
    assert originals.replaced({name, "exp"}) == name
    assert originals.replaced({"exp"}) == ""


def test_an_operator_of_a_tensor_is_always_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.Tensor, "__mul__", torch.Tensor.__add__)
    assert originals.replaced(()) == "__mul__"


def test_a_new_name_and_one_that_is_not_used_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.Tensor, "slope_of_mine", torch.sin, raising=False)
    monkeypatch.setattr(torch, "manual_seed", torch.seed)  # torch does so itself when torch._dynamo is imported
    assert originals.replaced({"slope_of_mine", "sin", "Linear", "nn"}) == ""
