"""Equal forms of Q6: df/dy, with f = tanh(ln(1 + 2xz / sin y))."""

import math

import numpy as np
import torch


def seed(x, y, z):
    a = x * 2
    b = torch.sin(y)
    c = a / b
    d = c * z
    e = torch.log(d + 1)
    f = torch.tanh(e)
    dfde = 1 - f * f
    dfdd = dfde * (1 / (d + 1))
    dfdc = dfdd * z
    dfdb = dfdc * -a / b**2
    dfdy = dfdb * torch.cos(y)
    return f, dfdy


def through_cosh(x, y, z):
    b = torch.sin(y)
    d = 2 * x * z / b
    e = torch.log1p(d)
    dfde = torch.cosh(e) ** -2
    return torch.tanh(e), dfde / (1 + d) * -d / torch.tan(y)


def rational(x, y, z):
    p = 1 + 2 * x * z / torch.sin(y)
    dpdy = -2 * x * z * torch.cos(y) / torch.sin(y) ** 2
    return (p * p - 1) / (p * p + 1), 4 * p / (p * p + 1) ** 2 * dpdy


def cleared_of_fractions(x, y, z):
    s, k = torch.sin(y), 2 * x * z
    q = s + k
    f = (q**2 - s**2) / (q**2 + s**2)
    return f, -4 * k * s * q * torch.cos(y) / (q**2 + s**2) ** 2


def with_math(x, y, z):
    x, y, z = (float(t) for t in (x, y, z))
    d = 2 * x * z / math.sin(y)
    f = math.tanh(math.log(1 + d))
    return f, (1 - f) * (1 + f) / (1 + d) * (-d * math.cos(y) / math.sin(y))


def with_numpy(x, y, z):
    x, y, z = (np.asarray(t) for t in (x, y, z))
    csc = 1 / np.sin(y)
    d = 2 * x * z * csc
    f = np.tanh(np.log(d + 1))
    return f, (1 - f**2) / (d + 1) * 2 * x * z * (-csc / np.tan(y))


def by_exponentials(x, y, z):
    u = 2 * torch.log(1 + 2 * x * z / torch.sin(y))
    e = torch.exp(u)
    dfdu = 2 * e / (e + 1) ** 2
    dudy = 2 / (1 + 2 * x * z / torch.sin(y)) * (-2 * x * z * torch.cos(y) / torch.sin(y) ** 2)
    return (e - 1) / (e + 1), dfdu * dudy
