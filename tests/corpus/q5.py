"""Equal forms of Q5: df/dx = 6 + 14x + 9x² + 32x³."""

import numpy as np
import torch


def seed(x):
    a = 6 * x
    b = 7 * x**2
    c = 3 * x**3
    d = 8 * x**4
    f = a + b + c + d + 3
    dfda = 1
    dfdb = 1
    dfdc = 1
    dfdd = 1
    dfdx = dfda * 6 + dfdb * 14 * x + dfdc * 9 * x**2 + dfdd * 32 * x**3
    return f, dfdx


def horner(x):
    return 3 + x * (6 + x * (7 + x * (3 + 8 * x))), 6 + x * (14 + x * (9 + 32 * x))


def with_polyval(x):
    return np.polyval([8, 3, 7, 6, 3], x.item()), np.polyval([32, 9, 14, 6], x.item())


def with_a_sum(x):
    coefficients = {1: 6, 2: 7, 3: 3, 4: 8}
    f = 3 + sum(k * x**n for n, k in coefficients.items())
    return f, sum(k * n * x ** (n - 1) for n, k in coefficients.items())


def with_a_dot_product(x):
    powers = torch.stack([x**n for n in range(5)])
    k = torch.tensor([3.0, 6.0, 7.0, 3.0, 8.0], dtype=x.dtype)
    n = torch.arange(5, dtype=x.dtype)
    return k @ powers, (k * n)[1:] @ powers[:-1]


def horner_for_both(x):
    f = dfdx = 0
    for k in (8, 3, 7, 6, 3):
        dfdx = dfdx * x + f
        f = f * x + k
    return f, dfdx


def grouped(x):
    return 3 + 6 * x + x**2 * (7 + 3 * x + 8 * x**2), 2 * x * (7 + 3 * x + 8 * x**2) + x**2 * (3 + 16 * x) + 6
