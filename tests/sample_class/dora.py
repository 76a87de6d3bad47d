# Dora forgets the path through x in Q1 and does not lower a power in Q5; Q3 misses the inner derivative.
# %% q1
def grad_q1(a, b):
    x = 2 * a + 3 * b
    y = 5 * a * a + 3 * b * b * b
    z = 2 * x + 3 * y
    dzdy = 3
    dzda = dzdy * 10 * a
    return z, dzda


# %% q2
def grad_q2(b, x, w):
    u = w * x
    v = u + b
    a = torch.relu(v)
    if v > 0:
        dadw = x
    else:
        dadw = 0.0
    return a, dadw


# %% q3
def grad_q3(b, x, w):
    u = w * x
    v = u + b
    a = sig(v)
    dadv = a * (1 - a)
    dadu = dadv * 1
    dadw = dadu
    return a, dadw


# %% q4
def grad_q4(x):
    a = x * x
    b = 2 * x
    c = torch.sin(x)
    d = -(a + b + c)
    f = torch.exp(d)
    dfdd = f
    dfdx = -dfdd * (2 * x + 2 + torch.cos(x))
    return f, dfdx


# %% q5
def grad_q5(x):
    a = 6 * x
    b = 7 * x**2
    c = 3 * x**3
    d = 8 * x**4
    f = a + b + c + d + 3
    dfda = dfdb = dfdc = dfdd = 1
    dfdx = dfda * 6 + dfdb * 14 * x + dfdc * 9 * x**3 + dfdd * 32 * x**3
    return f, dfdx


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
