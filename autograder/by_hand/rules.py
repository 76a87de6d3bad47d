"""By hand: what counts as a machine that differentiates, and what a student is told about it.

This module only holds the rules: `interpreter` reads what an answer reaches, `watch` sees it run; both name a rule of
these tables. A finding is plain data, so that it can cross between rooms.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

FINDINGS = "application/vnd.autograder.findings+json"
"""The kind of output that carries a verdict's findings to the instructor's list; taken out before anybody sees it."""
MOST_FINDINGS, MOST_SOURCE = 20, 200
"""Findings that are taken of one reply or one test, and characters of the line that each quotes."""


class Outcome(StrEnum):
    FORBIDDEN = "forbidden"
    """Earns nothing for the question."""
    LISTED = "listed"
    """Keeps its marks; the instructor is shown the line."""


@dataclass(frozen=True)
class Finding:
    """One line that a guard points at. `cell` counts from 0, `line` within its cell from 1."""

    outcome: Outcome
    rule: str
    line: int | None = None
    source: str = ""
    cell: int | None = None


@dataclass(frozen=True)
class Rule:
    name: str
    outcome: Outcome
    text: str


_WRITE = "write each link with the rules of differentiation."
_CHECK = _WRITE + " In a cell of your own you may use it to check yourself."
_ARGUMENTS = "compute the derivative from the arguments."
_FORBIDDEN = {
    "autograd": "takes its derivative from torch.autograd{where}: " + _CHECK,
    "functional": "lets torch.func or a similar function differentiate{where}: " + _CHECK,
    "forward-mode": "uses torch's forward mode{where}: " + _CHECK,
    "hook": "takes its derivative from a hook of torch.autograd{where}: " + _WRITE,
    "graph": "reads the graph that torch.autograd keeps{where}: " + _WRITE,
    "grad": "reads `.grad`, which torch.autograd fills{where}: " + _ARGUMENTS,
    "differences": "divides a difference of values by its step{where}. That is a finite difference, which is only "
    "close to the derivative: " + _WRITE,
    "complex-step": "takes the derivative from an imaginary step{where}: " + _WRITE,
    "package": "uses a package that differentiates{where}: " + _CHECK,
    "question": "uses a question of the course{where}, which knows its own derivative: write the forward lines and the "
    "backward lines yourself.",
    "hidden": "calls code that cannot be read{where}: call functions by their names.",
    "frames": "looks into the interpreter (frames, tracing or the garbage collector){where}: " + _ARGUMENTS,
    "seen": "was seen to use a machine that differentiates while it ran{where}: " + _CHECK,
}
_LISTED = {
    "unknown-package": "uses a package that the grader does not know",
    "outside": "uses something outside the notebook",
    "undefined": "calls a name that no cell defines",
    "custom-function": "uses torch.autograd.Function",
    "imaginary": "uses complex numbers",
    "grad-compared": "compares with `.grad` or prints it, and torch.autograd fills that",
    "diff": "takes differences of neighbours",
    "equations": "solves equations, as a fit through values of a function does",
    "matrices": "computes with a matrix or a polynomial in place of the argument, whose powers hold its derivative",
    "fixed-points": "takes values of a function at fixed points, as an interpolation does",
    "difference-like": "has a line that looks like a finite difference",
    "too-long": "does more than the grader reads",
    "replaced": "may not be what the cells show, because a cell can change what answers",
    "watched": "was seen to use something that the grader does not know while it ran",
}
_STAYS = "Your marks stay; your instructor will"
_TEXTS = {
    **{name: "{function} " + text for name, text in _FORBIDDEN.items()},
    **{name: "{function} " + text + "{where}. " + _STAYS + " look at this line." for name, text in _LISTED.items()},
    "inexact": "The derivative of {function} is right to some digits, not to all that float64 has{where}. Your marks "
    "stay; your instructor will see by how much.",
    "unread": "The grader cannot read a cell that defines {function}{where}. " + _STAYS + " look at it.",
}
RULES = {n: Rule(n, Outcome.FORBIDDEN if n in _FORBIDDEN else Outcome.LISTED, text) for n, text in _TEXTS.items()}


def found(rule: str, line: int | None = None, source: str = "", cell: int | None = None) -> Finding:
    return Finding(RULES[rule].outcome, rule, line, source[:MOST_SOURCE], cell)


def sentence(finding: Finding, function: str) -> str:
    """What the student is told; the line's own text is shown too, because it may stand in another cell."""
    source = f": `{finding.source}`" if finding.source else ""
    where = "" if finding.line is None else f" (line {finding.line}{source})"
    return RULES[finding.rule].text.format(function=function, where=where)


def words(text: str) -> list[str]:
    """A list of names, written as text; `a.{b,c}` stands for `a.b a.c`."""
    parts = [word.rstrip("}").partition("{") for word in text.split()]
    return [before + name for before, _, names in parts for name in names.split(",")]


ALLOWED = ""
# The names that fall under each rule; the longest dotted prefix decides. Packages that only differentiate are forbidden
# as a whole, their plain arithmetic is not: a number is nobody's derivative.
_NAMES = {
    ALLOWED: "builtins torch numpy math functools itertools fractions decimal operator collections statistics "
    "typing typing_extensions dataclasses numbers abc enum copy random time datetime warnings string textwrap re "
    "pprint gc json contextlib types sys logging traceback __future__ matplotlib IPython scipy.special unittest bisect "
    "graphlib queue timeit platform calendar secrets hashlib uuid reprlib doctest "
    "heapq inspect.{signature,getdoc,isfunction,getsource} io.{BytesIO,StringIO} "
    "torch.func.{vmap,functional_call} torch.autograd.{no_grad,enable_grad,"
    "set_grad_enabled,inference_mode,grad_mode,Variable,set_detect_anomaly,detect_anomaly,profiler}",
    "package": "jax flax haiku optax autograd casadi theano pytensor aesara tensorflow numdifftools uncertainties "
    "algopy adolc pyadolc tangent chainer mxnet paddle tinygrad micrograd mindspore oneflow findiff derivative "
    "pynumdiff sage symengine giacpy functorch sympy autodiff dualnumbers pyautodiff numdual hyperjet numpy.polyder "
    "numpy.polynomial.{polynomial.polyder,chebyshev.chebder,legendre.legder,hermite.hermder,hermite_e.hermeder,"
    "laguerre.lagder} scipy.{misc.derivative,differentiate} scipy.optimize.{approx_fprime,check_grad,_numdiff} "
    "mpmath.{diff,diffs,taylor,mp.diff,diff_op}",
    "autograd": "torch.autograd torch.Tensor.backward",
    "functional": "torch.func torch._functorch torch.autograd.functional",
    "forward-mode": "torch.autograd.forward_ad",
    "custom-function": "torch.autograd.{Function,function}",
    "imaginary": "cmath torch.{complex,polar,view_as_complex,view_as_real,fft} "
    "numpy.{fft,csingle,cdouble,complex64,complex128} scipy.fft",
    "graph": "torch.autograd.graph",
    "hook": "torch.autograd.graph.{saved_tensors_hooks,register_multi_grad_hook}",
    "differences": "torch.gradient numpy.gradient",
    "equations": "torch.linalg.{solve,lstsq,inv,pinv,solve_ex,inv_ex,vander,solve_triangular,tensorsolve,tensorinv} "
    "torch.linalg.{lu_solve,ldl_solve} numpy.linalg.{solve,lstsq,inv,pinv,tensorsolve,tensorinv} numpy.vander "
    "torch.{inverse,pinverse,lstsq,vander,lu_solve,cholesky_solve,cholesky_inverse,triangular_solve}",
    "diff": "torch.diff numpy.{diff,ediff1d}",
    "matrices": "torch.{matrix_exp,matrix_power} torch.linalg.{matrix_exp,matrix_power} numpy.linalg.matrix_power "
    "numpy.{matrix,asmatrix,mat,bmat,polydiv,polymul}",
    "question": "autograder",
    "hidden": "base64 binascii codecs marshal pickle dill cloudpickle ctypes cffi runpy importlib code codeop torch._C "
    "builtins.{exec,eval,compile,__import__,getattr,__builtins__} types.{FunctionType,CodeType,LambdaType} "
    "sys.modules.{get,values,items,copy} IPython.shell.{run_cell,run_code,ex,ev,safe_execfile}",
    "frames": "sys.{_getframe,_current_frames,settrace,setprofile,monitoring} inspect.{currentframe,stack,trace,"
    "getframeinfo,getouterframes,getinnerframes,getclosurevars,getmembers} gc.{get_objects,"
    "get_referrers,get_referents}",
    "outside": "os subprocess socket urllib requests http httpx ftplib multiprocessing threading concurrent asyncio "
    "shutil builtins.{open,input} torch.load numpy.{load,loadtxt,genfromtxt,fromfile,memmap}",
    "unknown-package": "torch.{optim,compile,jit,ops,distributions} scipy mpmath inspect jax.numpy autograd.numpy "
    "tensorflow.math sympy.{Rational,Integer,Float,N,pi,E,sqrt,Matrix}",
}
# Attributes that are read on anything but an object of a class that the student wrote.
_ATTRIBUTES = {
    "autograd": "backward autograd",
    "grad": "grad _grad",
    "graph": "grad_fn next_functions _saved_self _saved_result variable_backward",
    "hook": "register_{hook,post_accumulate_grad_hook,full_backward_hook,backward_hook,full_backward_pre_hook,prehook}",
    "package": "deriv",
    "diff": "diff",
    "unknown-package": "derivative",
    "functional": "jacrev jacfwd vjp jvp",
    "frames": "f_locals f_back f_globals f_code gi_frame cr_frame tb_frame",
    "hidden": "__globals__ __closure__ __code__ __subclasses__ __builtins__ __getattribute__",
}
NAMES = {name: rule for rule, names in _NAMES.items() for name in words(names)}
ATTRIBUTES = {name: rule for rule, names in _ATTRIBUTES.items() for name in words(names)}


def rule_of(path: str) -> str:
    """The rule that a dotted name such as `torch.autograd.grad` falls under; "" if it is allowed."""
    parts = path.split(".")
    if parts[0] == "torch" and parts[-1].endswith("_backward"):  # torch.ops.aten.sigmoid_backward
        return "autograd"
    for length in range(len(parts), 0, -1):
        rule = NAMES.get(".".join(parts[:length]))
        if rule is not None:
            return rule
    return "unknown-package"
