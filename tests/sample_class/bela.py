# Bela is right everywhere, in forms nobody planned for: numpy, math, float32, helpers, a loop, one line.
# %% scratch
import math
from fractions import Fraction

import numpy as np


def times(*factors):
    product = 1
    for factor in factors:
        product = product * factor
    return product


# %% q1
def grad_q1(a, b):
    """The two paths, added up in exact fractions."""
    a, b = Fraction(a.item()), Fraction(b.item())
    through_x = Fraction(2) * 2
    through_y = Fraction(3) * 10 * a
    return 4 * a + 6 * b + 15 * a * a + 9 * b**3, through_x + through_y


# %% q2
def grad_q2(b, x, w):
    v = w * x + b
    on = v > 0
    return v.clamp(min=0), on * x


# %% q3
class Neuron:
    def __init__(self, v):
        self.e = math.exp(-v)

    def slope(self):
        return self.e / (1 + self.e) ** 2

    def value(self):
        return 1 / (1 + self.e)


def grad_q3(b, x, w):
    neuron = Neuron(float(w * x + b))
    return neuron.value(), times(neuron.slope(), float(x))


# %% q4
def grad_q4(x):
    x = np.float32(x)
    f = np.exp(-(x * x + 2 * x + np.sin(x)))
    return f, -f * (2 + 2 * x + np.cos(x))


# %% q5
def grad_q5(x):
    coefficients = [3, 6, 7, 3, 8]
    f, dfdx = 0, 0
    for k in reversed(coefficients):
        dfdx = dfdx * x + f
        f = f * x + k
    return [f, dfdx]


# %% q6
def grad_q6(x, y, z):
    x, y, z = x.float(), y.float(), z.float()
    p = 1 + 2 * x * z / torch.sin(y)
    f = (p * p - 1) / (p * p + 1)
    dfdy = -8 * x * z * p * torch.cos(y) / (torch.sin(y) ** 2 * (p * p + 1) ** 2)
    return f, dfdy
