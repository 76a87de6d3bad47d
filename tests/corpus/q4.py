"""Equal forms of Q4: df/dx = −f (2x + 2 + cos x)."""

import math

import numpy as np
import torch


def seed(x):
    a = x * x
    b = 2 * x
    c = torch.sin(x)
    d = -(a + b + c)
    f = torch.exp(d)
    dfdd = torch.exp(d)
    dfdb = dfdd * -1.0
    dfda = dfdd * -1.0
    dfdc = dfdd * -1.0
    dfdx = dfdb * 2.0 + dfda * 2 * x + dfdc * torch.cos(x)
    return f, dfdx


def factored(x):
    f = torch.exp(-(x * x) - 2 * x - torch.sin(x))
    return f, -f * (2 * (x + 1) + torch.cos(x))


def product_of_exponentials(x):
    p, q, r = torch.exp(-x * x), torch.exp(-2 * x), torch.exp(-torch.sin(x))
    return p * q * r, -2 * x * p * q * r - 2 * p * q * r - torch.cos(x) * p * q * r


def quotient_rule(x):
    g = torch.exp(x * x + 2 * x + torch.sin(x))
    dgdx = g * (2 * x + 2 + torch.cos(x))
    return 1 / g, -dgdx / g**2


def with_math(x):
    x = float(x)
    f = math.exp(-(x**2 + 2 * x + math.sin(x)))
    return f, -f * (2 * x + 2 + math.cos(x))


def with_numpy(x):
    x = np.asarray(x)
    f = np.exp(-(x**2 + 2 * x + np.sin(x)))
    return f, -(2 * x + 2 + np.cos(x)) * f


def cosine_as_shifted_sine(x):
    f = torch.exp(-((x + 1) ** 2 - 1 + torch.sin(x)))
    return f, -f * (2 * x + 2 + torch.sin(x + torch.pi / 2))
