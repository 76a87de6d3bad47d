"""Right derivations with every adjoint named, and what students write instead: one wrong rule each, with its kind."""

from __future__ import annotations

from autograder import Question
from tests.conftest import QUESTIONS, make_question

FURTHER = {
    "net": """
    @question(wrt="w", at={"w": 0.5, "b": 0.25, "u": 1.5, "x": 2.0}, domain=dict.fromkeys("wbux", (0.25, 1.75)))
    def net(w, b, u, x):
        h = w * x + b
        a = torch.tanh(h)
        o = u * a
        p = torch.sigmoid(o)
        f = (p - 0.5) ** 2
        return f
    """,
    "one_line_net": """
    @question(wrt="w", at={"w": 0.5, "b": 0.25, "x": 2.0}, domain=dict.fromkeys("wbx", (-1.75, 1.75)))
    def net(w, b, x):
        a = torch.tanh(w * x + b)
        p = 1 / (1 + torch.exp(-a))
        f = 3 * torch.log(p)
        return f
    """,
    "softplus": """
    @question(wrt="x", at={"x": 0.5, "k": 1.5}, domain={"x": (-2, 2), "k": (0.5, 2)})
    def net(x, k):
        a = k * x
        f = torch.log(1 + torch.exp(a))
        return f
    """,
    "quotient": """
    @question(wrt="x", at={"x": 0.5, "k": 1.5}, domain={"x": (0.25, 2), "k": (1.5, 2.5)})
    def net(x, k):
        c = x / (1 + x ** 2)
        r = 1 / (c + k)
        f = torch.sqrt(r)
        return f
    """,
    "product": """
    @question(wrt="x", at={"x": 0.5}, domain={"x": (-1.4, 1.4)})
    def net(x):
        p = x * torch.sin(x)
        q = torch.cos(p)
        t = torch.tan(q)
        f = t ** 3
        return f
    """,
    "norm": """
    @question(wrt="x", at={"x": 0.5, "y": 1.5}, domain={"x": (0.25, 2), "y": (0.5, 2)})
    def net(x, y):
        s = x ** 2 + y ** 2
        r = torch.sqrt(s)
        n = x / r
        f = torch.exp(-n * n) + torch.sin(2 * n)
        return f
    """,
    "growth": """
    @question(wrt="x", at={"x": 0.5}, domain={"x": (0.25, 1.75)})
    def net(x):
        a = (2 * x - 5) ** 3
        b = 1.5 ** x
        c = torch.log(x ** 2 + 0.5)
        f = a / 8 + b + c
        return f
    """,
}
GRAPHS: dict[str, Question] = {**QUESTIONS, **{name: make_question(source) for name, source in FURTHER.items()}}

RIGHT = {
    "q1": """
    def grad_q1(a, b):
        x = 2 * a + 3 * b
        y = 5 * a * a + 3 * b * b * b
        z = 2 * x + 3 * y
        dzdx = 2
        dzdy = 3
        dzda = dzdx * 2 + dzdy * 10 * a
        return z, dzda
    """,
    "q2": """
    def grad_q2(b, x, w):
        u = w * x
        v = u + b
        a = torch.relu(v)
        dadv = 1 if v > 0 else 0
        dadu = dadv
        dadw = dadu * x
        return a, dadw
    """,
    "q3": """
    def grad_q3(b, x, w):
        u = w * x
        v = u + b
        a = torch.sigmoid(v)
        dadv = a * (1 - a)
        dadu = dadv
        dadw = dadu * x
        return a, dadw
    """,
    "q4": """
    def grad_q4(x):
        a = x * x
        b = 2 * x
        c = torch.sin(x)
        d = -(a + b + c)
        f = torch.exp(d)
        dfdd = f
        dfda = dfdb = dfdc = -dfdd
        dfdx = dfda * 2 * x + dfdb * 2 + dfdc * torch.cos(x)
        return f, dfdx
    """,
    "q5": """
    def grad_q5(x):
        a = 6 * x
        b = 7 * x ** 2
        c = 3 * x ** 3
        d = 8 * x ** 4
        f = a + b + c + d + 3
        dfda = dfdb = dfdc = dfdd = 1
        dfdx = dfda * 6 + dfdb * 14 * x + dfdc * 9 * x ** 2 + dfdd * 32 * x ** 3
        return f, dfdx
    """,
    "q6": """
    def grad_q6(x, y, z):
        a = 2 * x
        b = torch.sin(y)
        c = a / b
        d = c * z
        e = torch.log(d + 1)
        f = torch.tanh(e)
        dfde = 1 - f ** 2
        dfdd = dfde / (d + 1)
        dfdc = dfdd * z
        dfdb = dfdc * -a / b ** 2
        dfdy = dfdb * torch.cos(y)
        return f, dfdy
    """,
    "net": """
    def grad_net(w, b, u, x):
        h = w * x + b
        a = torch.tanh(h)
        o = u * a
        p = torch.sigmoid(o)
        f = (p - 0.5) ** 2
        dfdp = 2 * (p - 0.5)
        dfdo = dfdp * p * (1 - p)
        dfda = dfdo * u
        dfdh = dfda * (1 - a ** 2)
        dfdw = dfdh * x
        return f, dfdw
    """,
    "one_line_net": """
    def grad_net(w, b, x):
        a = torch.tanh(w * x + b)
        p = 1 / (1 + torch.exp(-a))
        f = 3 * torch.log(p)
        dfdp = 3 / p
        dfda = dfdp * p * (1 - p)
        dfdw = dfda * (1 - a ** 2) * x
        return f, dfdw
    """,
    "softplus": """
    def grad_net(x, k):
        a = k * x
        f = torch.log(1 + torch.exp(a))
        dfda = 1 / (1 + torch.exp(a)) * torch.exp(a)
        dfdx = dfda * k
        return f, dfdx
    """,
    "quotient": """
    def grad_net(x, k):
        c = x / (1 + x ** 2)
        r = 1 / (c + k)
        f = torch.sqrt(r)
        dfdr = 1 / (2 * f)
        dfdc = dfdr * -1 / (c + k) ** 2
        dfdx = dfdc * (1 * (1 + x ** 2) - x * 2 * x) / (1 + x ** 2) ** 2
        return f, dfdx
    """,
    "product": """
    def grad_net(x):
        p = x * torch.sin(x)
        q = torch.cos(p)
        t = torch.tan(q)
        f = t ** 3
        dfdt = 3 * t ** 2
        dfdq = dfdt * (1 + t ** 2)
        dfdp = dfdq * -torch.sin(p)
        dfdx = dfdp * (torch.sin(x) + x * torch.cos(x))
        return f, dfdx
    """,
    "norm": """
    def grad_net(x, y):
        s = x ** 2 + y ** 2
        r = torch.sqrt(s)
        n = x / r
        f = torch.exp(-n * n) + torch.sin(2 * n)
        dfdn = -2 * n * torch.exp(-n * n) + 2 * torch.cos(2 * n)
        dfdr = dfdn * -x / r ** 2
        dfds = dfdr * 1 / (2 * r)
        dfdx = dfds * 2 * x + dfdn * 1 / r
        return f, dfdx
    """,
    "growth": """
    def grad_net(x):
        a = (2 * x - 5) ** 3
        b = 1.5 ** x
        c = torch.log(x ** 2 + 0.5)
        f = a / 8 + b + c
        dfda = 1 / 8
        dfdb = dfdc = 1
        dfdx = dfda * 3 * (2 * x - 5) ** 2 * 2 + dfdb * b * torch.log(torch.tensor(1.5)) + dfdc * 2 * x / (x ** 2 + 0.5)
        return f, dfdx
    """,
}

Q5_SUM = "dfda * 6 + dfdb * 14 * x + dfdc * 9 * x ** 2 + dfdd * 32 * x ** 3"

# (graph, what is replaced in its right derivation, by what, the kind of the mistake)
NAMED: list[tuple[str, str, str, str]] = [
    ("q1", "dzdy * 10 * a", "dzdy * 5 * a", "exponent not brought down"),
    ("q1", "dzdy * 10 * a", "dzdy * 10 * a ** 2", "power not lowered"),
    ("q1", "dzdy * 10 * a", "dzdy * 5 * a * a", "function itself"),
    ("q2", "1 if v > 0 else 0", "1", "gate left open"),
    ("q2", "1 if v > 0 else 0", "torch.ones_like(v)", "gate left open"),
    ("q2", "1 if v > 0 else 0", "1 if v < 0 else 0", "gate turned over"),
    ("q2", "1 if v > 0 else 0", "a", "value for derivative"),
    ("q2", "1 if v > 0 else 0", "torch.relu(v)", "value for derivative"),
    ("q2", "1 if v > 0 else 0", "v", "input for derivative"),
    ("q3", "a * (1 - a)", "torch.sigmoid(a) * (1 - torch.sigmoid(a))", "output for input"),
    ("q3", "a * (1 - a)", "v * (1 - v)", "input for value"),
    ("q3", "a * (1 - a)", "a", "value for derivative"),
    ("q3", "a * (1 - a)", "torch.sigmoid(v)", "value for derivative"),
    ("q3", "a * (1 - a)", "1 - a ** 2", "rule of tanh"),
    ("q3", "a * (1 - a)", "(1 - a)", "factor of the rule lost"),
    ("q3", "a * (1 - a)", "a * (1 + a)", "sign in the rule"),
    ("q3", "a * (1 - a)", "a - a * a * -1", "sign in the rule"),
    ("q3", "a * (1 - a)", "1 / (1 + torch.exp(-v)) ** 2", "wrong rule"),
    ("q3", "a * (1 - a)", "torch.exp(-v) / (1 + torch.exp(-v))", "factor of the rule lost"),
    ("q4", "dfdd = f", "dfdd = d * torch.exp(d - 1)", "rule of a power"),
    ("q4", "dfdd = f", "dfdd = d * f", "exponent as a factor"),
    ("q4", "dfdd = f", "dfdd = d * torch.exp(d)", "exponent as a factor"),
    ("q4", "dfdd = f", "dfdd = d", "input for derivative"),
    ("q4", "dfda * 2 * x", "dfda * x", "exponent not brought down"),
    ("q4", "dfda * 2 * x", "dfda * 2 * x ** 2", "power not lowered"),
    ("q4", "dfda * 2 * x", "dfda * x ** 2", "value for derivative"),
    ("q4", "torch.cos(x)", "torch.sin(x)", "value for derivative"),
    ("q4", "torch.cos(x)", "-torch.cos(x)", "share's sign"),
    ("q4", "torch.cos(x)", "-torch.sin(x)", "sine and cosine"),
    ("q5", "9 * x ** 2", "3 * x ** 2", "exponent not brought down"),
    ("q5", "9 * x ** 2", "9 * x ** 3", "power not lowered"),
    ("q5", "9 * x ** 2", "3 * x ** 3", "value for derivative"),
    ("q5", "32 * x ** 3", "8 * x ** 3", "exponent not brought down"),
    ("q5", "32 * x ** 3", "32 * x ** 4", "power not lowered"),
    ("q5", "32 * x ** 3", "8 * x ** 4", "value for derivative"),
    ("q5", "14 * x", "7 * x", "exponent not brought down"),
    ("q5", "14 * x", "14 * x ** 2", "power not lowered"),
    ("q5", "32 * x ** 3", "24 * x ** 3", "lowered exponent brought down"),
    ("q5", "9 * x ** 2", "3 * x ** 4 / 4", "integrated"),
    ("q5", Q5_SUM, "dfda * 6 + dfdb * 7 * x + dfdc * 3 * x ** 2 + dfdd * 8 * x ** 3", "exponents not brought down"),
    ("q5", Q5_SUM, "dfda * 6 + dfdb * 14 * x ** 2 + dfdc * 9 * x ** 3 + dfdd * 32 * x ** 4", "powers not lowered"),
    ("q5", Q5_SUM, "dfda * 6 + dfdb * 7 * x ** 2 + dfdc * 3 * x ** 3 + dfdd * 8 * x ** 4", "powers themselves"),
    ("q5", Q5_SUM, "6 + 7 * x ** 3 / 3 + 3 * x ** 4 / 4 + 8 * x ** 5 / 5", "powers integrated"),
    ("q6", "1 - f ** 2", "1 - e ** 2", "input for value"),
    ("q6", "1 - f ** 2", "1 - f", "not squared"),
    ("q6", "1 - f ** 2", "1 / torch.cosh(e)", "not squared"),
    ("q6", "1 - f ** 2", "f * (1 - f)", "rule of the sigmoid"),
    ("q6", "1 - f ** 2", "1 + f ** 2", "sign in the rule"),
    ("q6", "1 - f ** 2", "1 - torch.tanh(f) ** 2", "output for input"),
    ("q6", "1 - f ** 2", "f", "value for derivative"),
    ("q6", "dfde / (d + 1)", "dfde / d", "inner part lost"),
    ("q6", "dfde / (d + 1)", "dfde * e", "value for derivative"),
    ("q6", "dfde / (d + 1)", "dfde * (d + 1)", "argument itself"),
    ("q6", "dfde / (d + 1)", "dfde / e", "output for input"),
    ("q6", "dfdc * -a / b ** 2", "dfdc * a / b ** 2", "sign"),
    ("q6", "dfdc * -a / b ** 2", "dfdc * -a / b", "denominator not squared"),
    ("q6", "dfdc * -a / b ** 2", "dfdc * -1 / b ** 2", "numerator lost"),
    ("q6", "torch.cos(y)", "torch.sin(y)", "value for derivative"),
    ("q6", "torch.cos(y)", "-torch.cos(y)", "sign"),
    ("q6", "torch.cos(y)", "-torch.sin(y)", "sine and cosine"),
    ("net", "2 * (p - 0.5)", "p - 0.5", "exponent not brought down"),
    ("net", "2 * (p - 0.5)", "2 * p", "inner part lost"),
    ("net", "2 * (p - 0.5)", "2 * (p - 0.5) ** 2", "power not lowered"),
    ("net", "dfdp * p * (1 - p)", "dfdp * o * (1 - o)", "input for value"),
    ("net", "dfdp * p * (1 - p)", "dfdp * (1 - p ** 2)", "rule of tanh"),
    ("net", "dfdp * p * (1 - p)", "dfdp * torch.sigmoid(p) * (1 - torch.sigmoid(p))", "output for input"),
    ("net", "1 - a ** 2", "1 - h ** 2", "input for value"),
    ("net", "1 - a ** 2", "1 - a", "not squared"),
    ("net", "(1 - a ** 2)", "a * (1 - a)", "rule of the sigmoid"),
    ("one_line_net", "3 / p", "3 * p", "argument itself"),
    ("one_line_net", "3 / p", "3 * torch.log(p)", "value for derivative"),
    ("one_line_net", "dfdp * p * (1 - p)", "dfdp * a * (1 - a)", "input for value"),
    ("one_line_net", "dfdp * p * (1 - p)", "dfdp * -p ** 2", "inner derivative lost"),
    ("one_line_net", "dfda * (1 - a ** 2) * x", "dfda * (1 - a ** 2)", "inner derivative lost"),
    ("one_line_net", "dfda * (1 - a ** 2) * x", "dfda * (1 - a) * x", "not squared"),
    ("one_line_net", "dfda * (1 - a ** 2) * x", "dfda * (1 - (w * x + b) ** 2) * x", "input for value"),
    ("one_line_net", "dfda * (1 - a ** 2) * x", "dfda * (1 - torch.tanh(w * x) ** 2) * x", "inner part lost"),
    ("one_line_net", "dfda * (1 - a ** 2) * x", "dfda * x", "outer derivative lost"),
    ("softplus", " * torch.exp(a)\n", "\n", "inner derivative lost"),
    ("softplus", "1 / (1 + torch.exp(a)) * torch.exp(a)", "1", "inner part lost"),
    ("softplus", "* torch.exp(a)\n", "* a * torch.exp(a)\n", "exponent as a factor"),
    ("softplus", "* torch.exp(a)\n", "* a * torch.exp(a - 1)\n", "rule of a power"),
    ("softplus", "1 / (1 + torch.exp(a)) * torch.exp(a)", "1 / a", "inner part and its derivative lost"),
    ("softplus", "1 / (1 + torch.exp(a)) * torch.exp(a)", "torch.exp(a)", "outer derivative lost"),
    ("quotient", "1 / (2 * f)", "1 / f", "factor of the rule lost"),
    ("quotient", "1 / (2 * f)", "1 / (2 * r)", "wrong rule"),
    ("quotient", "1 / (2 * f)", "f / 2", "wrong rule"),
    ("quotient", "dfdr * -1 / (c + k) ** 2", "dfdr * -1 / (c + k)", "denominator not squared"),
    ("quotient", "dfdr * -1 / (c + k) ** 2", "dfdr * -1 / c ** 2", "inner part lost"),
    ("quotient", "dfdr * -1 / (c + k) ** 2", "dfdr / (c + k) ** 2", "sign"),
    ("quotient", "(1 * (1 + x ** 2) - x * 2 * x)", "(x * 2 * x - 1 * (1 + x ** 2))", "quotient turned over"),
    ("quotient", "(1 * (1 + x ** 2) - x * 2 * x)", "(1 * (1 + x ** 2) + x * 2 * x)", "quotient added"),
    ("quotient", "/ (1 + x ** 2) ** 2\n", "/ (1 + x ** 2)\n", "denominator not squared"),
    ("quotient", "(1 * (1 + x ** 2) - x * 2 * x) / (1 + x ** 2) ** 2", "1 / (1 + x ** 2)", "term of the rule lost"),
    ("quotient", "(1 * (1 + x ** 2) - x * 2 * x)", "(-x * 2 * x)", "term of the rule lost"),
    ("quotient", "(1 * (1 + x ** 2) - x * 2 * x) / (1 + x ** 2) ** 2", "1 / (2 * x)", "derivatives divided"),
    ("product", "3 * t ** 2", "3 * t ** 3", "power not lowered"),
    ("product", "3 * t ** 2", "t ** 2", "exponent not brought down"),
    ("product", "1 + t ** 2", "1 / torch.cos(q)", "not squared"),
    ("product", "1 + t ** 2", "1 - t ** 2", "sign in the rule"),
    ("product", "1 + t ** 2", "t ** 2", "wrong rule"),
    ("product", "-torch.sin(p)", "torch.sin(p)", "sign"),
    ("product", "-torch.sin(p)", "torch.cos(p)", "value for derivative"),
    ("product", "-torch.sin(p)", "-torch.cos(p)", "sine and cosine"),
    ("product", "torch.sin(x) + x * torch.cos(x)", "torch.sin(x)", "term of the rule lost"),
    ("product", "torch.sin(x) + x * torch.cos(x)", "x * torch.cos(x)", "term of the rule lost"),
    ("product", "torch.sin(x) + x * torch.cos(x)", "torch.cos(x)", "derivatives multiplied"),
    ("product", "torch.sin(x) + x * torch.cos(x)", "torch.sin(x) - x * torch.cos(x)", "sign of the function"),
    ("norm", "2 * torch.cos(2 * n)", "torch.cos(2 * n)", "inner derivative lost"),
    ("norm", "2 * torch.cos(2 * n)", "2 * torch.cos(n)", "inner part lost"),
    ("norm", "2 * torch.cos(2 * n)", "2 * torch.sin(2 * n)", "function itself"),
    ("norm", "-2 * n * torch.exp(-n * n)", "torch.exp(-n * n)", "inner derivative lost"),
    ("norm", "dfdn * -x / r ** 2", "dfdn * -x / r", "denominator not squared"),
    ("norm", "dfdr * 1 / (2 * r)", "dfdr * 1 / r", "factor of the rule lost"),
    ("norm", "dfdr * 1 / (2 * r)", "dfdr * 1 / (2 * s)", "wrong rule"),
    ("norm", "dfdn * 1 / r", "dfdn * 1 / r ** 2", "denominator squared"),
    ("norm", "dfds * 2 * x", "dfds * x ** 2", "function itself"),
    ("growth", "dfda = 1 / 8", "dfda = 1", "denominator lost"),
    ("growth", "3 * (2 * x - 5) ** 2 * 2", "3 * (2 * x - 5) ** 2", "inner derivative lost"),
    ("growth", "3 * (2 * x - 5) ** 2 * 2", "3 * (2 * x) ** 2 * 2", "inner part lost"),
    ("growth", "3 * (2 * x - 5) ** 2 * 2", "3 * x ** 2", "inner part and its derivative lost"),
    ("growth", "b * torch.log(torch.tensor(1.5))", "x * 1.5 ** (x - 1)", "rule of a power"),
    ("growth", "b * torch.log(torch.tensor(1.5))", "b", "value for derivative"),
    ("growth", "2 * x / (x ** 2 + 0.5)", "1 / (x ** 2 + 0.5)", "inner derivative lost"),
    ("growth", "2 * x / (x ** 2 + 0.5)", "1 / x", "inner part and its derivative lost"),
    ("growth", "2 * x / (x ** 2 + 0.5)", "2 * x / x ** 2", "inner part lost"),
    ("q2", "1 if v > 0 else 0", "1.0 * (x > 0)", "gate of another"),
    ("q2", "1 if v > 0 else 0", "1.0 * (w > 0)", "gate of another"),
    ("q3", "a * (1 - a)", "torch.sigmoid(v) * (1 - v)", "input for value"),
    ("q3", "a * (1 - a)", "1 - torch.tanh(v) ** 2", "rule of tanh"),
    ("q6", "1 - f ** 2", "torch.sigmoid(e) * (1 - torch.sigmoid(e))", "rule of the sigmoid"),
    ("q6", "1 - f ** 2", "(1 - f) ** 2", "wrong rule"),
    ("q6", "dfdc * -a / b ** 2", "dfdc * -a", "denominator lost"),
    ("q4", "dfdd = f", "dfdd = torch.exp(d - 1)", "rule of a power"),
    ("q5", "9 * x ** 2", "6 * x ** 2", "lowered exponent brought down"),
    (
        "q5",
        Q5_SUM,
        "dfda * 6 * x + dfdb * 7 * x ** 2 + dfdc * 3 * x ** 3 + dfdd * 8 * x ** 4",
        "values for derivatives",
    ),
    (
        "quotient",
        "(1 * (1 + x ** 2) - x * 2 * x) / (1 + x ** 2) ** 2",
        "(1 * (1 + x ** 2) - x * 2 * x)",
        "denominator lost",
    ),
    ("product", "torch.sin(x) + x * torch.cos(x)", "1 + torch.cos(x)", "derivatives added"),
]

# Answers that name nothing: (graph, lines before, value, wrong derivative, the kind of its mistake).
_D = "D = 2 * x / torch.sin(y) * z; F = torch.tanh(torch.log(D + 1))"
_E = "E = torch.exp(-(x * x + 2 * x + torch.sin(x)))"
_G = "G = 3 + 6 * x + 7 * x ** 2 + 3 * x ** 3 + 8 * x ** 4"
_S = "S = torch.sigmoid; v = w * x + b"
_P = "Q = torch.cos(x * torch.sin(x)); P = torch.tan(Q)"
IN_ONE_LINE: list[tuple[str, str, str, str, str]] = [
    ("q2", "v = w * x + b", "torch.relu(v)", "x * torch.relu(v)", "value for derivative"),
    ("q2", "v = w * x + b", "torch.relu(v)", "x", "gate left open"),
    ("q2", "v = w * x + b", "torch.relu(v)", "x * (v < 0)", "gate turned over"),
    ("q2", "v = w * x + b", "torch.relu(v)", "x * v", "input for derivative"),
    ("q3", _S, "S(v)", "S(S(v)) * (1 - S(S(v))) * x", "output for input"),
    ("q3", _S, "S(v)", "v * (1 - v) * x", "input for value"),
    ("q3", _S, "S(v)", "(1 - S(v) ** 2) * x", "rule of tanh"),
    ("q3", _S, "S(v)", "S(v) * x", "value for derivative"),
    ("q4", _E, "E", "-(x + 2 + torch.cos(x)) * E", "exponent not brought down"),
    ("q4", _E, "E", "-(2 * x + 2 + torch.cos(x)) * E * torch.log(E)", "exponent as a factor"),
    ("q4", _E, "E", "-(2 * x + 2 + torch.cos(x)) * torch.log(E)", "input for derivative"),
    ("q4", _E, "E", "-(2 * x + 2 - torch.sin(x)) * E", "sine and cosine"),
    ("q5", _G, "G", "6 + 14 * x + 3 * x ** 2 + 32 * x ** 3", "exponent not brought down"),
    ("q5", _G, "G", "6 + 14 * x + 9 * x ** 3 + 32 * x ** 3", "power not lowered"),
    ("q5", _G, "G", "6 + 7 * x ** 2 + 9 * x ** 2 + 32 * x ** 3", "value for derivative"),
    ("q5", _G, "G", "6 + 7 * x + 3 * x ** 2 + 8 * x ** 3", "exponents not brought down"),
    ("q6", _D, "F", "(1 - F) / (D + 1) * -D / torch.tan(y)", "not squared"),
    ("q6", _D, "F", "1 / torch.cosh(torch.log(D + 1)) / (D + 1) * -D / torch.tan(y)", "not squared"),
    ("q6", _D, "F", "(1 - torch.log(D + 1) ** 2) / (D + 1) * -D / torch.tan(y)", "input for value"),
    ("q6", _D, "F", "(1 - F ** 2) / D * -D / torch.tan(y)", "inner part lost"),
    ("q6", _D, "F", "(1 - F ** 2) / (D + 1) * -D * torch.cos(y)", "denominator not squared"),
    ("q6", _D, "F", "(1 - F ** 2) * torch.log(D + 1) * -D / torch.tan(y)", "value for derivative"),
    ("softplus", "e = torch.exp(k * x)", "torch.log(1 + e)", "k / (1 + e)", "inner derivative lost"),
    ("softplus", "e = torch.exp(k * x)", "torch.log(1 + e)", "k * k * x * e / (1 + e)", "exponent as a factor"),
    (
        "product",
        _P,
        "P ** 3",
        "3 * P ** 2 * (1 + P ** 2) * -torch.sin(x * torch.sin(x)) * x * torch.cos(x)",
        "term of the rule lost",
    ),
]
