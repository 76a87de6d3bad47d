# Hana's answers are right, her notebook is a mess: torch's settings changed, torch deleted, warnings, random seeds.
# %% scratch
import warnings

torch.set_default_dtype(torch.float16)
torch.set_grad_enabled(False)
torch.manual_seed(1)
warnings.simplefilter("error")


# %% q1
def grad_q1(a, b):
    print("a =", a)
    z = 2 * (2 * a + 3 * b) + 3 * (5 * a * a + 3 * b**3)
    dzda = torch.tensor(4.0) + torch.tensor(30.0) * a
    return z, dzda


# %% scratch
del torch


# %% q2
def grad_q2(b, x, w):
    import sys

    sys.stderr.write("is anybody reading this?\n")
    u = w * x
    v = u + b
    a = torch.relu(v)
    dadw = x * torch.heaviside(v, torch.zeros_like(v))
    return a, dadw


# %% q3
def grad_q3(b, x, w):
    a = sig(w * x + b)
    dadw = torch.tensor(a * (1 - a) * x)
    return a, dadw


# %% q4
def grad_q4(x):
    a = x * x
    b = 2 * x
    c = torch.sin(x)
    d = -(a + b + c)
    f = torch.exp(d)
    return f, -f * (2 * x + 2 + torch.cos(x))


# %% q5
def grad_q5(x):
    f = 6 * x + 7 * x**2 + 3 * x**3 + 8 * x**4 + 3
    return f, 6 + 14 * x + 9 * x**2 + 32 * x**3


# %% q6
def grad_q6(x, y, z):
    d = 2 * x / torch.sin(y) * z
    f = torch.tanh(torch.log(d + 1))
    dfdd = (1 - f * f) / (d + 1)
    dfdy = dfdd * -d / torch.tan(y)
    return f, dfdy
