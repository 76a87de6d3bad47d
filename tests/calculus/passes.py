"""Forward passes that authors of other courses would ask for, each with what its author would write above it."""

from __future__ import annotations

PASSES = {
    "two-key attention": """
@question(wrt="q", at={"q": 0.5, "k": 0.75, "m": -0.5, "v": 2.0, "w": -1.5},
          domain={"q": (-2, 2), "k": (-2, 2), "m": (-2, 2), "v": (-3, 3), "w": (-3, 3)})
def p(q, k, m, v, w):
    s = q * k
    t = q * m
    a = torch.exp(s)
    b = torch.exp(t)
    c = a + b
    g = a / c
    h = b / c
    o = g * v + h * w
    return o
""",
    "layernorm of three scalars": """
@question(wrt="x", at={"x": 1.5, "y": -0.5, "z": 2.5}, domain={"x": (-3, 3), "y": (-3, 3), "z": (-3, 3)})
def p(x, y, z):
    m = (x + y + z) / 3
    a = x - m
    b = y - m
    c = z - m
    v = (a**2 + b**2 + c**2) / 3
    s = torch.sqrt(v + 0.00001)
    n = a / s
    return n
""",
    "softplus": """
@question(wrt="w", at={"w": 0.75, "x": 1.5, "b": -0.5}, domain={"w": (-2, 2), "x": (-2, 2), "b": (-2, 2)})
def p(w, x, b):
    v = w * x + b
    e = torch.exp(v)
    a = torch.log(1 + e)
    return a
""",
    "GELU by tanh": """
@question(wrt="x", at={"x": 0.75}, domain={"x": (-2, 2)})
def p(x):
    c = 0.044715 * x**3
    u = x + c
    v = math.sqrt(2 / math.pi) * u
    t = torch.tanh(v)
    a = 0.5 * x * (1 + t)
    return a
""",
    "leaky relu": """
@question(wrt="w", at={"w": 0.75, "x": 1.5, "b": -0.5}, domain={"w": (-2, 2), "x": (-2, 2), "b": (-2, 2)})
def p(w, x, b):
    v = w * x + b
    r = torch.relu(v)
    n = torch.relu(-v)
    a = r - 0.1 * n
    return a
""",
    "leaky relu as torch has it": """
@question(wrt="x", at={"x": 0.75, "w": -1.25}, domain={"x": (-2, 2), "w": (-2, 2)})
def p(x, w):
    v = w * x
    a = torch.nn.functional.leaky_relu(v, 0.1)
    f = a**2 + x
    return f
""",
    "huber loss": """
@question(wrt="w", at={"w": 0.75, "x": 1.5, "y": -0.5}, domain={"w": (-2, 2), "x": (-2, 2), "y": (-2, 2)})
def p(w, x, y):
    r = w * x - y
    a = torch.abs(r)
    c = torch.clamp(a, max=1.0)
    f = c * (a - 0.5 * c)
    return f
""",
    "cross-entropy of two logits": """
@question(wrt="a", at={"a": 0.75, "b": -0.5}, domain={"a": (-3, 3), "b": (-3, 3)})
def p(a, b):
    u = torch.exp(a)
    v = torch.exp(b)
    s = u + v
    l = torch.log(s)
    f = l - a
    return f
""",
    "BCE with logits": """
@question(wrt="z", at={"z": 0.75, "t": 0.25}, domain={"z": (-3, 3), "t": (0.05, 0.95)})
def p(z, t):
    s = torch.sigmoid(z)
    u = torch.log(s)
    v = torch.log(1 - s)
    f = -(t * u + (1 - t) * v)
    return f
""",
    "logistic regression loss": """
@question(wrt="w", at={"w": 0.75, "x": 1.5, "b": -0.5, "t": 0.25},
          domain={"w": (-2, 2), "x": (-2, 2), "b": (-2, 2), "t": (0.1, 0.9)})
def p(w, x, b, t):
    z = w * x + b
    s = torch.sigmoid(z)
    f = -t * torch.log(s) - (1 - t) * torch.log(1 - s)
    return f
""",
    "gaussian density": """
@question(wrt="s", at={"x": 1.5, "m": 0.5, "s": 0.75}, domain={"x": (-2, 2), "m": (-2, 2), "s": (0.5, 2)})
def p(x, m, s):
    d = x - m
    z = d / s
    e = torch.exp(-z**2 / 2)
    c = s * math.sqrt(2 * math.pi)
    f = e / c
    return f
""",
    "RBF kernel": """
@question(wrt="x", at={"x": 1.5, "y": 0.5, "g": 0.75}, domain={"x": (-2, 2), "y": (-2, 2), "g": (0.25, 1.5)})
def p(x, y, g):
    d = x - y
    s = d**2
    u = -g * s
    k = torch.exp(u)
    return k
""",
    "distance": """
@question(wrt="x", at={"x": 1.5, "y": -2.0}, domain={"x": (-3, 3), "y": (-3, 3)})
def p(x, y):
    a = x**2
    b = y**2
    s = a + b
    r = torch.sqrt(s)
    return r
""",
    "pendulum energy": """
@question(wrt="q", at={"q": 0.75, "w": 1.5, "l": 0.5}, domain={"q": (-1.5, 1.5), "w": (-2, 2), "l": (0.25, 2)})
def p(q, w, l):
    v = l * w
    k = v**2 / 2
    c = torch.cos(q)
    h = l * (1 - c)
    u = 9.81 * h
    e = k + u
    return e
""",
    "Michaelis-Menten": """
@question(wrt="k", at={"s": 1.5, "k": 0.75, "m": 2.0}, domain={"s": (0.25, 3), "k": (0.25, 3), "m": (0.25, 3)})
def p(s, k, m):
    n = m * s
    d = k + s
    v = n / d
    return v
""",
    "compound interest": """
@question(wrt="r", at={"k": 2.0, "r": 0.25, "t": 3.0}, domain={"k": (0.5, 3), "r": (0.05, 0.5), "t": (0.5, 5)})
def p(k, r, t):
    q = 1 + r
    g = q**t
    f = k * g
    return f
""",
    "cosine similarity": """
@question(wrt="a", at={"a": 1.5, "b": -0.5, "c": 0.75, "d": 2.0},
          domain={"a": (-2, 2), "b": (-2, 2), "c": (-2, 2), "d": (-2, 2)})
def p(a, b, c, d):
    u = a * c + b * d
    m = torch.sqrt(a**2 + b**2)
    n = torch.sqrt(c**2 + d**2)
    s = m * n
    f = u / s
    return f
""",
    "LSTM cell step": """
@question(wrt="w", at={"x": 1.5, "h": -0.5, "c": 0.75, "w": 0.5},
          domain={"x": (-2, 2), "h": (-1, 1), "c": (-2, 2), "w": (-2, 2)})
def p(x, h, c, w):
    z = w * x + h
    i = torch.sigmoid(z)
    f = torch.sigmoid(z + 1)
    g = torch.tanh(z)
    m = f * c + i * g
    t = torch.tanh(m)
    y = i * t
    return y
""",
    "GRU step": """
@question(wrt="h", at={"x": 1.5, "h": -0.5, "u": 0.75, "w": 0.5},
          domain={"x": (-2, 2), "h": (-1.5, 1.5), "u": (-2, 2), "w": (-2, 2)})
def p(x, h, u, w):
    a = w * x + u * h
    z = torch.sigmoid(a)
    n = torch.tanh(x + u * h)
    o = (1 - z) * n + z * h
    return o
""",
    "residual block": """
@question(wrt="x", at={"x": 0.75, "w": 1.5, "v": -0.5}, domain={"x": (-2, 2), "w": (-2, 2), "v": (-2, 2)})
def p(x, w, v):
    a = w * x
    b = torch.relu(a)
    c = v * b
    y = x + c
    return y
""",
    "batchnorm of two": """
@question(wrt="x", at={"x": 1.5, "y": -0.5, "g": 0.75}, domain={"x": (-2, 2), "y": (-2, 2), "g": (0.25, 2)})
def p(x, y, g):
    m = (x + y) / 2
    a = x - m
    b = y - m
    v = (a**2 + b**2) / 2
    s = torch.sqrt(v + 0.1)
    n = a / s
    o = g * n
    return o
""",
    "momentum step": """
@question(wrt="w", at={"w": 0.75, "v": 0.5, "r": 0.25}, domain={"w": (-2, 2), "v": (-2, 2), "r": (0.05, 0.5)})
def p(w, v, r):
    g = 2 * w * torch.exp(-w**2)
    u = 0.9 * v + g
    n = w - r * u
    l = n**2
    return l
""",
    "KL of gaussians in the ELBO": """
@question(wrt="s", at={"m": 0.75, "s": 0.5}, domain={"m": (-2, 2), "s": (0.25, 2.5)})
def p(m, s):
    v = s**2
    l = torch.log(v)
    a = m**2
    k = 0.5 * (a + v - l - 1)
    return k
""",
    "reparametrised sample": """
@question(wrt="l", at={"m": 0.75, "l": -0.5, "n": 1.5}, domain={"m": (-2, 2), "l": (-2, 2), "n": (-2, 2)})
def p(m, l, n):
    s = torch.exp(l / 2)
    z = m + s * n
    f = z**2
    return f
""",
    "Lennard-Jones": """
@question(wrt="r", at={"r": 1.25, "s": 0.75, "e": 2.0}, domain={"r": (0.75, 2.5), "s": (0.5, 1.5), "e": (0.25, 2)})
def p(r, s, e):
    q = s / r
    a = q**6
    b = a**2
    d = b - a
    v = 4 * e * d
    return v
""",
    "swish": """
@question(wrt="x", at={"x": 0.75, "b": 1.5}, domain={"x": (-3, 3), "b": (0.25, 2)})
def p(x, b):
    u = b * x
    s = torch.sigmoid(u)
    y = x * s
    return y
""",
    "mean squared error of two samples": """
@question(wrt="w", at={"w": 0.75, "x": 1.5, "y": -0.5, "s": 2.0, "t": 0.5},
          domain={"w": (-2, 2), "x": (-2, 2), "y": (-2, 2), "s": (-2, 2), "t": (-2, 2)})
def p(w, x, y, s, t):
    a = w * x - y
    b = w * s - t
    f = (a**2 + b**2) / 2
    return f
""",
    "L2 penalty": """
@question(wrt="w", at={"w": 0.75, "x": 1.5, "y": -0.5}, domain={"w": (-2, 2), "x": (-2, 2), "y": (-2, 2)})
def p(w, x, y):
    r = w * x - y
    d = r**2
    n = 0.1 * w**2
    f = d + n
    return f
""",
    "softmax of three by log-sum-exp": """
@question(wrt="a", at={"a": 0.75, "b": -0.5, "c": 1.5}, domain={"a": (-2, 2), "b": (-2, 2), "c": (-2, 2)})
def p(a, b, c):
    m = torch.maximum(a, b)
    n = torch.maximum(m, c)
    s = torch.exp(a - n) + torch.exp(b - n) + torch.exp(c - n)
    f = n + torch.log(s)
    return f
""",
    "hinge loss": """
@question(wrt="w", at={"w": 0.25, "x": 1.5, "b": -0.5}, domain={"w": (-2, 2), "x": (-2, 2), "b": (-1, 1)})
def p(w, x, b):
    s = w * x + b
    m = 1 - s
    f = torch.relu(m)
    return f
""",
    "two layers": """
@question(wrt="w", at={"w": 0.75, "x": 1.5, "v": -0.5, "t": 0.25},
          domain={"w": (-2, 2), "x": (-2, 2), "v": (-2, 2), "t": (-1, 1)})
def p(w, x, v, t):
    z = w * x
    h = torch.tanh(z)
    y = v * h
    e = y - t
    f = e**2
    return f
""",
    "projectile range": """
@question(wrt="q", at={"q": 0.5, "v": 1.5}, domain={"q": (0.1, 1.4), "v": (0.5, 3)})
def p(q, v):
    s = torch.sin(q)
    c = torch.cos(q)
    u = 2 * v**2
    f = u * s * c / 9.81
    return f
""",
    "lens equation": """
@question(wrt="g", at={"g": 3.0, "f": 1.25}, domain={"g": (2, 5), "f": (0.5, 1.75)})
def p(g, f):
    a = 1 / f
    b = 1 / g
    c = a - b
    y = 1 / c
    return y
""",
    "van der Waals pressure": """
@question(wrt="v", at={"v": 2.0, "t": 1.5, "a": 0.5, "b": 0.25},
          domain={"v": (1.5, 4), "t": (0.5, 3), "a": (0.25, 1), "b": (0.1, 0.75)})
def p(v, t, a, b):
    d = v - b
    q = t / d
    s = v**2
    r = a / s
    k = q - r
    return k
""",
    "logistic growth": """
@question(wrt="r", at={"r": 0.75, "t": 1.5, "k": 2.0}, domain={"r": (0.25, 2), "t": (0.25, 2), "k": (0.5, 3)})
def p(r, t, k):
    u = -r * t
    e = torch.exp(u)
    d = 1 + 3 * e
    y = k / d
    return y
""",
    "Cobb-Douglas": """
@question(wrt="k", at={"k": 1.5, "l": 2.0, "a": 0.25}, domain={"k": (0.25, 3), "l": (0.25, 3), "a": (0.1, 0.9)})
def p(k, l, a):
    u = k**a
    v = l**(1 - a)
    y = u * v
    return y
""",
    "Black-Scholes d1": """
@question(wrt="s", at={"x": 1.5, "s": 0.5, "t": 2.0}, domain={"x": (0.5, 3), "s": (0.25, 1), "t": (0.5, 3)})
def p(x, s, t):
    l = torch.log(x)
    v = s * torch.sqrt(t)
    d = l / v + v / 2
    n = 0.5 * (1 + torch.erf(d / math.sqrt(2)))
    return n
""",
    "damped oscillation": """
@question(wrt="t", at={"t": 0.75, "d": 0.5, "w": 2.0}, domain={"t": (0.1, 2), "d": (0.1, 1), "w": (0.5, 3)})
def p(t, d, w):
    e = torch.exp(-d * t)
    c = torch.cos(w * t)
    y = e * c
    return y
""",
    "a Newton step": """
@question(wrt="x", at={"x": 1.5, "a": 2.0}, domain={"x": (0.5, 3), "a": (0.5, 4)})
def p(x, a):
    q = a / x
    s = x + q
    y = s / 2
    return y
""",
    "focal loss": """
@question(wrt="z", at={"z": 0.75}, domain={"z": (-2.5, 2.5)})
def p(z):
    s = torch.sigmoid(z)
    l = torch.log(s)
    u = 1 - s
    m = u**2
    f = -m * l
    return f
""",
    "entropy of a coin": """
@question(wrt="z", at={"z": 0.75}, domain={"z": (-3, 3)})
def p(z):
    s = torch.sigmoid(z)
    t = 1 - s
    a = s * torch.log(s)
    b = t * torch.log(t)
    h = -(a + b)
    return h
""",
    "rotation": """
@question(wrt="q", at={"q": 0.75, "x": 1.5, "y": -0.5}, domain={"q": (-3, 3), "x": (-2, 2), "y": (-2, 2)})
def p(q, x, y):
    c = torch.cos(q)
    s = torch.sin(q)
    u = c * x
    v = s * y
    r = u - v
    return r
""",
    "layernorm's deviation from the mean": """
@question(wrt="x", at={"x": 1.5, "y": -0.5, "z": 2.5}, domain={"x": (-3, 3), "y": (-3, 3), "z": (-3, 3)})
def p(x, y, z):
    m = (x + y + z) / 3
    a = x - m
    return a
""",
}
"""By name: the source of the cell, in which `torch` and `math` are imported."""
