# Ivo misreads what to return: a renamed function, a missing argument, None, text, NaN, a vector.
# %% q1
def grad_Q1(a, b):
    return 2 * (2 * a + 3 * b) + 3 * (5 * a * a + 3 * b**3), 4 + 30 * a


# %% q2
def grad_q2(b, x):
    return torch.relu(b), x


# %% q3
def grad_q3(b, x, w):
    a = sig(w * x + b)
    print(a, a * (1 - a) * x)


# %% q4
def grad_q4(x):
    f = torch.exp(-(x * x + 2 * x + torch.sin(x)))
    return f, "-f * (2x + 2 + cos x)"


# %% q5
def grad_q5(x):
    f = 6 * x + 7 * x**2 + 3 * x**3 + 8 * x**4 + 3
    return f, torch.log(-x * x)


# %% q6
def grad_q6(x, y, z):
    f = torch.tanh(torch.log(2 * x / torch.sin(y) * z + 1))
    return f, torch.stack([f, f, f])
