# Emil returns Q4 in the wrong order, differentiates Q6 with respect to x, changes the function of Q1, and covers one side of the relu in Q2.
# %% q1
def grad_q1(a, b):
    x = 2 * a + 3 * b
    y = 5 * a * a + 3 * b * b
    z = 2 * x + 3 * y
    dzda = 4 + 30 * a
    return z, dzda


# %% q2
def grad_q2(b, x, w):
    u = w * x
    v = u + b
    a = torch.relu(v)
    dadv = 1
    dadw = dadv * x
    return a, dadw


# %% q3
def grad_q3(b, x, w):
    u = w * x
    v = u + b
    a = sig(v)
    dadv = a - a**2
    dadw = dadv * x
    return a, dadw


# %% q4
def grad_q4(x):
    f = torch.exp(-(x * x + 2 * x + torch.sin(x)))
    dfdx = -f * (2 * x + 2 + torch.cos(x))
    return dfdx, f


# %% q5
def grad_q5(x):
    f = 6 * x + 7 * x**2 + 3 * x**3 + 8 * x**4 + 3
    dfdx = 6 + x * (14 + x * (9 + x * 32))
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
    dfdd = dfde / (d + 1)
    dfdc = dfdd * z
    dfda = dfdc / b
    dfdx = dfda * 2
    return f, dfdx
