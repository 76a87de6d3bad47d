# Chen loses a minus sign in Q4 and Q6; the rest is right.
# %% q1
def grad_q1(a, b):
    x = 2 * a + 3 * b
    y = 5 * a * a + 3 * b * b * b
    z = 2 * x + 3 * y
    dzdx = 2
    dzdy = 3
    dzda = dzdx * 2 + dzdy * 10 * a
    return z, dzda


# %% q2
def grad_q2(b, x, w):
    u = w * x
    v = u + b
    a = torch.relu(v)
    dadv = (v > 0).double()
    dadu = dadv
    dadw = dadu * x
    return a, dadw


# %% q3
def grad_q3(b, x, w):
    u = w * x
    v = u + b
    a = sig(v)
    dadv = a * (1 - a)
    dadu = dadv
    dadw = dadu * x
    return a, dadw


# %% q4
def grad_q4(x):
    a = x * x
    b = 2 * x
    c = torch.sin(x)
    d = -(a + b + c)
    f = torch.exp(d)
    dfdd = f
    dfda = -dfdd
    dfdb = -dfdd
    dfdc = dfdd
    dfdx = dfda * 2 * x + dfdb * 2 + dfdc * torch.cos(x)
    return f, dfdx


# %% q5
def grad_q5(x):
    a = 6 * x
    b = 7 * x**2
    c = 3 * x**3
    d = 8 * x**4
    f = a + b + c + d + 3
    dfdx = 6 + 14 * x + 9 * x**2 + 32 * x**3
    return f, dfdx


# %% q6
def grad_q6(x, y, z):
    a = x * 2
    b = torch.sin(y)
    c = a / b
    d = c * z
    e = torch.log(d + 1)
    f = torch.tanh(e)
    dfde = 1 - f**2
    dfdd = dfde / (d + 1)
    dfdc = dfdd * z
    dfdb = dfdc * a / b**2
    dfdy = dfdb * torch.cos(y)
    return f, dfdy
