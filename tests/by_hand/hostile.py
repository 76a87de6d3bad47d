"""Programs on which a reader's time explodes: what the student writes decides neither how long nor how much is read."""

from __future__ import annotations

from tests.by_hand.cases import answer, cells

EIGHT = "[1, 2, 3, 4, 5, 6, 7, 8]"
NESTED = f"z = [a*b*c*d*e for a in {EIGHT} for b in {EIGHT} for c in {EIGHT} for d in {EIGHT} for e in {EIGHT}]"
GOOD = answer("return f(x), 6 + 14 * x")
HOSTILE: dict[str, list[str]] = {
    "nested comprehensions, twenty times": cells("\n".join([NESTED] * 20), GOOD),
    "nested comprehensions in the answer": cells(answer(f"{NESTED}\nreturn f(x), 1")),
    "nested loops in the answer": cells(
        answer(
            "".join("    " * n + f"for a{n} in range(99):\n" for n in range(9))
            + "    " * 9
            + "s = x * x\nreturn f(x), 1"
        )
    ),
    "a chain of calls that doubles": cells(
        "def f0(x): return x\n" + "\n".join(f"def f{i}(x): return f{i - 1}(x) + f{i - 1}(x)" for i in range(1, 30)),
        answer("return f(x), f29(x)"),
    ),
    "mutual recursion": cells(
        "def a(x): return b(x) + b(x + 1)\ndef b(x): return a(x) * a(x - 1)", answer("return a(x), b(x)")
    ),
    "recursion in both arms": cells(
        "def a(x, n):\n    if x > n:\n        return a(x, n + 1) + a(x + 1, n)\n    return a(x, n) - a(x, n - 1)",
        answer("return a(x, 0), 1"),
    ),
    "Ackermann": cells(
        "def A(m, n):\n    return n + 1 if m == 0 else A(m - 1, 1) if n == 0 else A(m - 1, A(m, n - 1))",
        answer("return x, A(4, 4)"),
    ),
    "Fibonacci": cells("def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)", answer("return x, fib(40)")),
    "choices that double": cells(
        answer(
            "\n".join(f"if x > {n}:\n    a{n} = {n}\nelse:\n    a{n} = -{n}" for n in range(200))
            + "\n"
            + "s = "
            + " + ".join(f"a{n}" for n in range(200))
            + "\nreturn f(x), s"
        )
    ),
    "functions chosen from functions": cells(
        answer(
            "g = f\n"
            + "\n".join(f"if x > {n}:\n    g = lambda t, g=g: g(t) + g(t + {n})" for n in range(30))
            + "\nreturn f(x), g(x)"
        )
    ),
    "branches in branches": cells(
        answer("".join("    " * n + f"if x > {n}:\n" for n in range(18)) + "    " * 18 + "y = 1\nreturn f(x), 1"),
    ),
    "a deep tower of classes": cells(
        "class C0:\n    def v(self): return 1\n"
        + "\n".join(
            f"class C{n}(C{n - 1}, C{max(n - 2, 0)}):\n    def v{n}(self): return super().v{n - 1}() + self.v()"
            for n in range(1, 200)
        ),
        answer("return f(x), C199().nothing"),
    ),
    "a power of powers": cells(answer("n = 9**9**9\nm = 2**100000000\nreturn f(x), n + m")),
    "a long shift": cells(answer("n = 1 << 10**12\nreturn f(x), n")),
    "numbers that square": cells(
        answer("n = 10\nfor k in range(9):\n    n = n * n\n" + "n = n * n\n" * 200 + "return f(x), n")
    ),
    "a long text": cells(answer("s = 'a' * 10**9\nt = '%1000000000d' % 1\nu = f'{x:>1000000000}'\nreturn f(x), 1")),
    "a text that doubles": cells(answer("s = 'ab'\n" + "s = s + s\n" * 300 + "return f(x), 1")),
    "a list that doubles": cells(answer("s = [x]\n" + "s = s + s\n" * 300 + "return f(x), 1")),
    "a list that extends itself": cells(answer("s = [x]\n" + "s.extend(s)\n" * 300 + "return f(x), s[0]")),
    "a list in a list in a list": cells(
        answer("s = [x]\n" + "s = [s, s, s, s]\n" * 300 + "t = np.array(s)\nreturn f(x), t.sum()")
    ),
    "a list that holds itself": cells(
        answer("s = [x]\ns.append(s)\nt = np.array(s)\nt = torch.tensor(s) * 2\nreturn f(x), sum(s)")
    ),
    "arrays of arrays": cells(
        answer("a = np.arange(10)\n" + "a = np.stack([a, a, a, a])\n" * 60 + "b = np.exp(a) * a\nreturn f(x), b.sum()")
    ),
    "a huge range": cells(answer("s = list(range(10**12))\nreturn f(x), sum(range(10**15)) + len(range(10**9))")),
    "a list extended by a huge range": cells(
        answer(
            "s = [x]\ns.extend(range(10**12))\ns[0:0] = range(10**12)\nt = set()\nt.update(range(10**12))\nreturn f(x), s[0]"
        )
    ),
    "a number looked for in a huge range": cells(
        answer("r = range(10**9)\nn = r.count(0.5)\nif 0.5 in r or f in r:\n    n = 1\nreturn f(x), n")
    ),
    "an entry of a huge range": cells(answer("return f(x), range(10**12)[x]")),
    "a decorator that decorates itself": cells(
        "def d(g):\n    return d(d(g))\n@d\ndef h(x): return x",
        "def e(g):\n    def inner(x): return e(inner)(e(g)(x))\n    return inner",
        "@e\n" + GOOD,
    ),
    "a generator without end": cells(
        "def g(x):\n    while True:\n        yield from g(x)\n        yield x", answer("return f(x), sum(g(x))")
    ),
    "a property that reads itself": cells(
        "class P:\n    @property\n    def v(self): return self.v + self.v", answer("return x, P().v")
    ),
    "an object that calls itself": cells(
        "class K:\n    def __call__(self, x): return self(x) + self(x)\n    def __getattr__(self, n): return getattr(self, n + n)\n"
        "    def __add__(self, o): return self + o + self",
        answer("k = K()\nreturn f(x), k(x) + k.a + (k + k)"),
    ),
    "an iterator of iterators": cells(
        "class I:\n    def __iter__(self): return I()",
        answer("for a in I():\n    for b in a:\n        x = x + 1\nreturn x, 1"),
    ),
    "a combinator": cells(
        answer(
            "Y = lambda g: (lambda t: g(lambda v: t(t)(v)))(lambda t: g(lambda v: t(t)(v)))\nreturn f(x), Y(lambda r: lambda n: r(n) + r(n))(x)"
        )
    ),
    "a cell of five thousand lines": cells("\n".join(f"a{n} = {n} * 2 + 1" for n in range(5000)), GOOD),
    "an answer of five thousand lines": cells(
        "def grad_q5(x):\n" + "\n".join(f"    a{n} = x * {n} + 1" for n in range(5000)) + "\n    return x, 1"
    ),
    "five hundred cells": cells(*(f"def h{n}(x):\n    return x * {n}\ny{n} = h{n}(2)" for n in range(500)), GOOD),
    "a large table": cells("T = [" + "1.5, " * 30_000 + "]", GOOD),
    "a table of sums": cells("T = {" + ", ".join(f"{n}: {n} + {n} * 2" for n in range(9000)) + "}", GOOD),
    "a deep sum": cells(answer("return f(x), " + " + ".join(["x"] * 3000))),
    "deep brackets": cells(answer("return " + "(" * 90 + "x" + ")" * 90 + ", " + "[" * 90 + "x" + "]" * 90)),
    "deep lambdas": cells(answer("g = " + "lambda: " * 90 + "x\nreturn f(x), g" + "()" * 90)),
    "deep subscripts": cells(answer("s = [x]\nreturn f(x), s" + "[0]" * 900)),
    "magics without end": cells("x?\n" * 5_000, GOOD),
    "commands without end": cells("a = !ls\n" * 2_000, GOOD),
    "a long command": cells("!" + "(" * 40_000, GOOD),
    "a magic of magics": cells("%%time\n" * 200 + "x = 1", "%time " * 500 + "x = 1", GOOD),
    "a magic over a large cell": cells("%%time\n" + "x = (1,\n" * 6_000, GOOD),
    "a long line of nothing": cells("x = 1" + " " * 400_000, GOOD),
    "many stars": cells("\n".join(["from torch import *"] * 2000), GOOD),
    "names that refer to names": cells(
        "a0 = 1e-6\n" + "\n".join(f"a{i} = a{i - 1} + a{i - 1}" for i in range(1, 400)),
        answer("return (x + a399 - x) / a399, 1"),
    ),
    "global names without end": cells(
        "\n".join(f"n{i} = {i}" for i in range(3000)),
        "\n".join(f"if n{i} > u:\n    v = {i}" for i in range(1000)),
        GOOD,
    ),
    "a class with a thousand methods": cells(
        "class M:\n"
        + "\n".join(f"    def m{i}(self): return self.m{(i * 7 + 1) % 1000}() + self.x" for i in range(1000)),
        answer("return f(x), M().m0()"),
    ),
    "map over map": cells(
        answer(
            "s = [x] * 9\n" + "s = list(map(lambda t: sum(map(lambda v: v * t, s)), s))\n" * 40 + "return f(x), s[0]"
        )
    ),
    "zip of itself": cells(answer("s = [x] * 60\n" + "s = list(zip(*[s] * 60))\n" * 20 + "return f(x), 1")),
    "keyword arguments that grow": cells(
        "def g(*a, **k):\n    return g(*a, *a, **k, **{'n%d' % len(k): a})", answer("return f(x), g(x)")
    ),
    "exceptions in exceptions": cells(
        answer(
            "\n".join(["try:\n    y = f(x)\nexcept ValueError:\n    y = x\nfinally:\n    z = y"] * 300)
            + "\nreturn y, z"
        )
    ),
    "a package's name that grows": cells(
        answer(
            "t = 'bbbbbbbbbb'\n" + "t = t + t\n" * 7 + "g = torch\n" + "g = getattr(g, t)\n" * 1200 + "return f(x), g"
        )
    ),
    "entries of a package that grow": cells(
        answer("t = 'b' * 250\ng = sys.modules\n" + "g = g[t].__dict__\n" * 900 + "return f(x), g")
    ),
    "towers that are compared": cells(
        answer("s, t = [x], [x]\n" + "s, t = [s] * 4, [t] * 4\n" * 60 + "n = [s].index(t)\nreturn f(x), n")
    ),
    "a tower that is a key": cells(
        answer("s, d = (1,), {}\n" + "s = (s, s, s, s)\n" * 60 + "d[s] = 1\ne = {s: 2}\nreturn f(x), d[s] + e[s]")
    ),
    "or in or in or": cells(
        "\n".join(
            ["def h0(t): return t", *(f"def h{n}(t): return " + " or ".join([f"h{n - 1}(t)"] * 9) for n in range(1, 7))]
        ),
        answer("a = x\n" + "".join("a = (" + " or ".join(["a"] * 9) + ")\n" for n in range(6)) + "return f(x), h6(a)"),
    ),
    "matching without end": cells(
        "def m(e):\n    match e:\n"
        + "\n".join(f"        case ({n}, u, v):\n            return m(u) + m(v)" for n in range(60))
        + "\n        case _:\n            return e",
        answer("return x, m(x)"),
    ),
}
STAR_FILES = {
    f"m{n}": f"from m{n + 1} import *\nfrom m{n - 1} import *\nv{n} = [k * k for k in range(999)]" for n in range(50)
}
