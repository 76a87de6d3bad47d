"""Equal forms of Q3: da/dw = σ(v)(1 − σ(v)) x."""

import math

import numpy as np
import torch


def sig(x):
    return torch.sigmoid(x)


def seed(b, x, w):
    u = w * x
    v = u + b
    a = sig(v)
    dadv = sig(v) * (1 - sig(v))
    dadu = dadv * 1
    dadw = dadu * x
    return a, dadw


def from_the_value(b, x, w):
    a = sig(w * x + b)
    return a, (a - a * a) * x


def with_exp(b, x, w):
    v = w * x + b
    e = torch.exp(-v)
    return 1 / (1 + e), x * e / (1 + e) ** 2


def mirrored(b, x, w):
    v = w * x + b
    return 1 - sig(-v), x * sig(v) * sig(-v)


def with_cosh(b, x, w):
    v = w * x + b
    return 0.5 + 0.5 * torch.tanh(v / 2), x / (4 * torch.cosh(v / 2) ** 2)


def with_math(b, x, w):
    v = w.item() * x.item() + b.item()
    a = 1 / (1 + math.exp(-v))
    return a, a * (1 - a) * x.item()


def with_numpy(b, x, w):
    b, x, w = np.asarray(b), np.asarray(x), np.asarray(w)
    e = np.exp(w * x + b)
    return e / (1 + e), x * e / np.square(1 + e)


def with_softplus(b, x, w):
    v = w * x + b
    log_a = -torch.nn.functional.softplus(-v)
    log_one_minus_a = -torch.nn.functional.softplus(v)
    return torch.exp(log_a), x * torch.exp(log_a + log_one_minus_a)
