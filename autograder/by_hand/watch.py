"""Watching: what runs while `grad_qN` is called, seen through profile events.

What the watcher reports did happen; its silence proves nothing, because much of torch runs where no event is seen. It
says nothing of what torch does for ordinary operations, of imports, or of the grader's own frames.
"""

from __future__ import annotations

import importlib
import linecache
import os
import site
import sysconfig
from types import BuiltinFunctionType, CodeType, FrameType
from typing import Any

import numpy as np
import torch

from autograder.by_hand.rules import NAMES, Finding, found, rule_of, words
from autograder.by_hand.shifted import Shifted

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_FOLDERS = [_PACKAGE, os.path.dirname(torch.__file__), os.path.dirname(np.__file__), *site.getsitepackages()]
_FOLDERS += [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
_FOREIGN = tuple({os.path.join(path, "") for folder in _FOLDERS for path in (folder, os.path.realpath(folder))})
# Seen however deep: nothing ordinary gets there.
_ENGINE = {
    **dict.fromkeys(words("_grad_increment_nesting _jvp_increment_nesting"), "functional"),
    "run_backward": "autograd",
    "_make_dual": "forward-mode",
    "gradient": "differences",
}
# Seen where the student's own line calls it: the library has its own good reasons.
_CALLED = {
    getattr(importlib.import_module(path.partition(".")[0]), path.partition(".")[2]): rule_of(path)
    for path in words(
        "builtins.{exec,eval,compile,open} marshal.loads sys.{_getframe,setprofile,settrace,_current_frames} "
        "gc.{get_objects,get_referrers,get_referents}"
    )
}
_MODULES = {function.__self__ for function in _CALLED}
LOUD = frozenset((*_ENGINE, *(function.__name__ for function in _CALLED)))
"""The names of C functions whose calls may mean something."""
_TORCH = {
    "torch._tensor": {"backward": "autograd"},
    "torch.autograd": {"grad": "autograd", "backward": "autograd"},
    "torch.autograd.graph": {"_engine_run_backward": "autograd", "get_gradient_edge": "graph"},
    # Not unpack_dual: printing any tensor calls it.
    "torch.autograd.forward_ad": {"make_dual": "forward-mode", "enter_dual_level": "forward-mode"},
}
_HOOKS = words("register_{hook,post_accumulate_grad_hook,full_backward_hook,multi_grad_hook}")
_FUNCTIONAL = words("grad grad_and_value vjp jvp jacrev jacfwd hessian linearize grad_impl jacobian")
_NUMPY = {n.rpartition(".")[2]: r for n, r in NAMES.items() if n.startswith("numpy.")} | {"deriv": "package"}
_DIFFERENTIATES = words(
    "grad value_and_grad vjp jvp jacobian jacfwd jacrev hessian gradient gradients diff diffs derivative deriv "
    "lambdify elementwise_grad egrad backward approx_fprime check_grad taylor differentiate_finite std_dev"
)
_GRADER = ("autograder.questions", "autograder.calculus.", "autograder.verdict.judge")


class Watch:
    """Collects findings from profile events of calls that `root` makes; feed `event` from a sys.setprofile callback."""

    def __init__(self, root: CodeType) -> None:
        self._root = root
        self._findings: dict[Finding, None] = {}
        self._rules: dict[CodeType, tuple[str, bool]] = {}
        self._own: dict[str, bool] = {}
        self._calls = Shifted()
        self.shifted: Finding | None = None
        """The first line from which a function of the student was called a small step away from an earlier call."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(self._findings)

    def event(self, frame: FrameType, event: str, arg: Any, shifts: bool = True) -> None:
        """One profile event; cheap for the many that mean nothing, and never an exception of its own.

        Without `shifts` it is not looked whether calls are a small step apart: nobody's function is being called.
        """
        try:
            if event == "call":
                code = frame.f_code
                known = self._rules.get(code)
                if known is None:
                    known = self._rules[code] = self._rule_of(frame)
                if known[0]:
                    self._add(known[0], frame.f_back, known[1])
                elif shifts and self.shifted is None and self._is_own(code.co_filename):
                    self._look_at_arguments(frame)
            elif event == "c_call" and arg.__name__ in LOUD:
                if rule := _ENGINE.get(arg.__name__):
                    if _torch_owned(arg):
                        self._add(rule, frame, False)
                elif type(arg) is BuiltinFunctionType and arg.__self__ in _MODULES and arg in _CALLED:
                    self._add(_CALLED[arg], frame, True)
        except Exception:
            return

    def _rule_of(self, frame: FrameType) -> tuple[str, bool]:
        """The rule that a Python function falls under, and whether only a call from the student's line counts."""
        code, name = frame.f_code, frame.f_code.co_name
        if code.co_filename.startswith("<lambdifygenerated"):
            return "package", False
        if name.startswith("<") or self._is_own(code.co_filename):
            return "", False
        module = dict.get(frame.f_globals, "__name__", "")
        top = module.split(".")[0]
        if top == "torch":
            return _torch_rule(module, name), False
        if top == "autograder":
            return ("question" if module.startswith(_GRADER) else ""), False
        if top == "inspect":
            return ("frames" if rule_of(f"inspect.{name}") == "frames" else ""), True
        if top == "numpy":
            return _NUMPY.get(name, ""), True
        differentiates = NAMES.get(top) == "package" or top in ("mpmath", "scipy")
        return ("package" if differentiates and name in _DIFFERENTIATES else ""), False

    def _is_own(self, file: str) -> bool:
        own = self._own.get(file)
        if own is None:
            own = self._own[file] = not (file.startswith(("<frozen", "<__array_function__", *_FOREIGN)))
        return own

    def _look_at_arguments(self, frame: FrameType) -> None:
        if frame.f_back is not None and frame.f_back.f_code is self._root:
            self._calls.forget()
        if self._calls.call(frame):
            self.shifted = self._located("differences", frame.f_back)

    def _add(self, rule: str, frame: FrameType | None, direct: bool) -> None:
        if direct and (frame is None or frame.f_code is self._root or not self._is_own(frame.f_code.co_filename)):
            return
        finding = self._located(rule, frame)
        if finding is not None:
            self._findings[finding] = None

    def _located(self, rule: str, frame: FrameType | None) -> Finding | None:
        """The finding at the student's innermost line; none while something is imported."""
        while frame is not None and frame.f_code is not self._root and not self._is_own(frame.f_code.co_filename):
            if frame.f_code.co_filename.startswith("<frozen importlib"):
                return None
            frame = frame.f_back
        if frame is None or frame.f_code is self._root:  # the grader called the machine itself: grad_qN is one
            return found(rule)
        file, line = frame.f_code.co_filename, frame.f_lineno
        return found(rule, line, linecache.getline(file, line).strip())


def _torch_owned(function: Any) -> bool:
    owner = getattr(function, "__self__", None)
    return any(str(getattr(o, "__module__", "")).startswith("torch") for o in (function, owner, type(owner)))


def _torch_rule(module: str, name: str) -> str:
    if name in _HOOKS:
        return "hook"
    if module in ("torch.autograd.gradcheck", "torch.autograd.functional"):
        return rule_of(module)
    if module.startswith(("torch._functorch", "torch.func")) and name in _FUNCTIONAL:
        return "functional"
    return _TORCH.get(module, {}).get(name, "")
