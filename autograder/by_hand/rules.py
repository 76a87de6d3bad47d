"""By hand: what counts as a machine that differentiates, and what a student is told about it.

This module only holds the rules. `source` reads what an answer reaches, `watch` sees it run; both
name a rule of this table. What is on no list is allowed; a finding is plain data, so that it can cross between rooms.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

FINDINGS = "application/vnd.autograder.findings+json"
"""The kind of output that carries a verdict's findings to the instructor's list; taken out before anybody sees it."""


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


_OWN_CELL = "In a cell of your own you may use it to check yourself."
_WRITE = "write each link with the rules of differentiation."
_STAYS = "Your marks stay; your instructor will look at this line."
_FORBIDDEN = {
    "autograd": "{function} takes its derivative from torch.autograd{where}: " + _WRITE + " " + _OWN_CELL,
    "functional": "{function} lets torch.func or a similar function differentiate{where}: " + _WRITE + " " + _OWN_CELL,
    "forward-mode": "{function} uses torch's forward mode{where}: " + _WRITE + " " + _OWN_CELL,
    "hook": "{function} takes its derivative from a hook of torch.autograd{where}: " + _WRITE,
    "graph": "{function} reads the graph that torch.autograd keeps{where}: " + _WRITE,
    "grad": "{function} reads `.grad`, which torch.autograd fills{where}: compute the derivative from the arguments.",
    "differences": "{function} divides a difference of values by its step{where}. That is a finite difference, which "
    "is only close to the derivative: " + _WRITE,
    "complex-step": "{function} takes the derivative from an imaginary step{where}: " + _WRITE,
    "package": "{function} uses a package that differentiates{where}: " + _WRITE + " " + _OWN_CELL,
    "question": "{function} uses a question of the course{where}, which knows its own derivative: write the forward "
    "lines and the backward lines yourself.",
    "hidden": "{function} calls code that cannot be read{where}: call functions by their names.",
    "frames": "{function} looks into the interpreter (frames, tracing or the garbage collector){where}: compute the "
    "derivative from the arguments.",
}
_LISTED = {
    "unknown-package": "{function} uses a package that the grader does not know{where}. " + _STAYS,
    "outside": "{function} uses something outside the notebook{where}. " + _STAYS,
    "undefined": "{function} calls a name that no cell defines{where}. " + _STAYS,
    "custom-function": "{function} uses torch.autograd.Function{where}. " + _STAYS,
    "imaginary": "{function} reads an imaginary part{where}. " + _STAYS,
    "diff": "{function} takes differences of neighbours{where}. " + _STAYS,
    "difference-like": "{function} has a line that looks like a finite difference{where}. " + _STAYS,
    "inexact": "The derivative of {function} is right to some digits, not to all that float64 has{where}. Your marks "
    "stay; your instructor will see by how much.",
    "too-long": "{function} does more than the grader reads{where}. " + _STAYS,
    "unread": "The grader cannot read a cell that defines {function}{where}. Your marks stay; your instructor will "
    "look at it.",
}
RULES: dict[str, Rule] = {
    **{name: Rule(name, Outcome.FORBIDDEN, text) for name, text in _FORBIDDEN.items()},
    **{name: Rule(name, Outcome.LISTED, text) for name, text in _LISTED.items()},
}
WHERE = " (line {line})"
WHERE_CELL = " (line {line}: `{source}`)"


def found(rule: str, line: int | None = None, source: str = "", cell: int | None = None) -> Finding:
    return Finding(RULES[rule].outcome, rule, line, source[:200], cell)


def sentence(finding: Finding, function: str) -> str:
    """What the student is told; the line's own text is shown too, because it may stand in another cell."""
    where = WHERE_CELL if finding.source else WHERE
    words = where.format(line=finding.line, source=finding.source) if finding.line is not None else ""
    return RULES[finding.rule].text.format(function=function, where=words)


def words(text: str) -> list[str]:
    """A list of names, written as text."""
    return text.split()


ALLOWED = ""
# The names that fall under each rule; the longest dotted prefix decides. Packages that only differentiate are forbidden
# as a whole, their plain arithmetic is not: a number is nobody's derivative.
_NAMES = {
    ALLOWED: "builtins torch numpy math cmath functools itertools fractions decimal operator collections "
    "statistics typing typing_extensions dataclasses numbers abc enum copy random time datetime warnings string "
    "textwrap re pprint gc json contextlib types sys logging traceback __future__ matplotlib IPython scipy.special "
    "unittest bisect heapq inspect.signature inspect.getdoc inspect.isfunction torch.func.vmap "
    "torch.func.functional_call torch.autograd.no_grad torch.autograd.enable_grad torch.autograd.set_grad_enabled "
    "torch.autograd.inference_mode torch.autograd.grad_mode torch.autograd.Variable "
    "torch.autograd.set_detect_anomaly torch.autograd.detect_anomaly torch.autograd.profiler",
    "package": "jax flax haiku optax autograd casadi theano pytensor aesara tensorflow numdifftools uncertainties "
    "algopy adolc pyadolc tangent chainer mxnet paddle tinygrad micrograd mindspore oneflow findiff derivative "
    "pynumdiff sage symengine giacpy functorch sympy autodiff dualnumbers pyautodiff numdual hyperjet "
    "uncertainties.umath numpy.polyder numpy.polynomial.polynomial.polyder numpy.polynomial.chebyshev.chebder "
    "numpy.polynomial.legendre.legder numpy.polynomial.hermite.hermder numpy.polynomial.hermite_e.hermeder "
    "numpy.polynomial.laguerre.lagder scipy.misc.derivative scipy.differentiate scipy.optimize.approx_fprime "
    "scipy.optimize.check_grad scipy.optimize._numdiff mpmath.diff mpmath.diffs mpmath.taylor mpmath.mp.diff "
    "mpmath.diff_op",
    "autograd": "torch.autograd torch.Tensor.backward",
    "functional": "torch.func torch._functorch torch.autograd.functional",
    "forward-mode": "torch.autograd.forward_ad",
    "custom-function": "torch.autograd.Function torch.autograd.function",
    "graph": "torch.autograd.graph",
    "hook": "torch.autograd.graph.saved_tensors_hooks torch.autograd.graph.register_multi_grad_hook",
    "differences": "torch.gradient numpy.gradient",
    "diff": "torch.diff numpy.diff numpy.ediff1d",
    "question": "autograder",
    "hidden": "base64 binascii codecs marshal pickle dill cloudpickle ctypes cffi runpy importlib code codeop "
    "torch._C builtins.exec builtins.eval builtins.compile builtins.__import__ builtins.getattr "
    "builtins.__builtins__ types.FunctionType types.CodeType types.LambdaType sys.modules.get sys.modules.values "
    "sys.modules.items sys.modules.copy IPython.shell.run_cell IPython.shell.run_code IPython.shell.ex "
    "IPython.shell.ev IPython.shell.safe_execfile",
    "frames": "sys._getframe sys._current_frames sys.settrace sys.setprofile sys.monitoring inspect.currentframe "
    "inspect.stack inspect.trace inspect.getframeinfo inspect.getouterframes inspect.getinnerframes "
    "inspect.getclosurevars inspect.getmembers gc.get_objects gc.get_referrers gc.get_referents",
    "outside": "os subprocess socket urllib requests http httpx ftplib multiprocessing threading concurrent "
    "asyncio shutil builtins.open builtins.input",
    "unknown-package": "torch.optim torch.compile torch.jit torch.ops scipy mpmath inspect sympy.Rational "
    "sympy.Integer sympy.Float sympy.N sympy.pi sympy.E sympy.sqrt sympy.Matrix jax.numpy autograd.numpy "
    "tensorflow.math",
}
# Attributes that are read on anything but an object of a class that the student wrote.
_ATTRIBUTES = {
    "autograd": "backward autograd",
    "grad": "grad _grad",
    "graph": "grad_fn next_functions _saved_self _saved_result variable_backward",
    "hook": "register_hook register_post_accumulate_grad_hook register_full_backward_hook register_backward_hook "
    "register_full_backward_pre_hook register_prehook",
    "package": "deriv",
    "diff": "diff",
    "unknown-package": "derivative",
    "functional": "jacrev jacfwd vjp jvp",
    "frames": "f_locals f_back f_globals f_code gi_frame cr_frame tb_frame",
    "hidden": "__globals__ __closure__ __code__ __subclasses__ __builtins__ __getattribute__",
}
NAMES = {name: rule for rule, names in _NAMES.items() for name in names.split()}
ATTRIBUTES = {name: rule for rule, names in _ATTRIBUTES.items() for name in names.split()}


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
