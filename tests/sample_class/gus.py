# Gus crashes in every way at once: a typo that does not parse, recursion, an endless loop, an error, an exit. Q6 is right.
# %% q1
def grad_q1(a, b):
    z = 2 * (2 * a + 3 * b) + 3 * (5 * a * a + 3 * b ** 3)
    dzda = = 4 + 30 * a
    return z, dzda
# %% q2
def grad_q2(b, x, w):
    return grad_q2(b, x, w)
# %% q3
def grad_q3(b, x, w):
    while True:
        pass
# %% q4
def grad_q4(x):
    for _ in range(20000):
        print("where is my mistake?" * 5)
    raise ValueError(f"no idea at {x}")
# %% q5
def grad_q5(x):
    import sys
    sys.exit("enough")
# %% q6
def grad_q6(x, y, z):
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
