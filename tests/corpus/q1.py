"""Equal forms of Q1: dz/da = 4 + 30a, value 4a + 6b + 15a² + 9b³."""

from functools import reduce

import numpy as np
import torch


def seed(a, b):
    x = 2 * a + 3 * b
    y = 5 * a * a + 3 * b * b * b
    z = 2 * x + 3 * y
    dzdx = 2
    dzdy = 3
    dzda = dzdx * 2 + dzdy * 10 * a
    return z, dzda


def closed(a, b):
    return 4 * a + 6 * b + 15 * a**2 + 9 * b**3, 4 + 30 * a


def expanded_square(a, b):
    z = 15 * (a + 2 / 15) ** 2 - 4 / 15 + 6 * b + 9 * b**3
    return z, 30 * (a + 2 / 15)


def with_numpy(a, b):
    a, b = np.asarray(a), np.asarray(b)
    jacobian = np.array([[2.0, 10.0 * a]])
    z = 2 * (2 * a + 3 * b) + 3 * (5 * a**2 + 3 * b**3)
    return z, (jacobian @ np.array([2.0, 3.0]))[0]


def with_vectors(a, b):
    upstream = torch.tensor([2.0, 3.0], dtype=a.dtype)
    local = torch.stack([torch.full_like(a, 2.0), 10 * a])
    return 4 * a + 6 * b + 15 * a * a + 9 * b * b * b, torch.dot(upstream, local)


def with_a_loop(a, b):
    roads = [(2, 2), (3, 10 * a)]
    dzda = 0
    for dz, local in roads:
        dzda += dz * local
    return 2 * (2 * a + 3 * b) + 3 * (5 * a * a + 3 * b * b * b), dzda


def dual_numbers_by_hand(a, b):
    """The product rule carried along by hand, pair by pair."""

    def times(p, q):
        return p[0] * q[0], p[1] * q[0] + p[0] * q[1]

    a, b = (a, 1), (b, 0)
    aa, bbb = times(a, a), reduce(times, [b, b, b])
    x = 2 * a[0] + 3 * b[0], 2 * a[1] + 3 * b[1]
    y = 5 * aa[0] + 3 * bbb[0], 5 * aa[1] + 3 * bbb[1]
    return 2 * x[0] + 3 * y[0], 2 * x[1] + 3 * y[1]
