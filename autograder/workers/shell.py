"""An IPython shell without a kernel: runs cells and records the outputs that a kernel would have sent, as plain data.

At most so many characters a cell are kept and the rest are counted, because endless printing would fill the memory.
"""

from __future__ import annotations

import base64
import builtins
import contextlib
import getpass
import io
import os
import subprocess
import sys
import tempfile
from types import TracebackType
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from autograder.sandbox import syscalls
from autograder.sandbox.limits import Limits
from autograder.workers.plain_python import Transformer
from autograder.workers.tracebacks import Compiler

NO_INPUT = "input() was called, but nobody is there to answer while a notebook is graded."
CUT = "\n… and {lost} more characters\n"
_TO_SAY_WHAT_IS_LOST = 1 << 10
"""Characters for `CUT`, beyond those that a cell may print."""
ENCODING = "utf-8"
_RUN_CELL = InteractiveShell.run_cell
"""Looked up before any cell runs: if a cell replaces `run_cell`, the cells after it are run all the same."""


class Recorder:
    """The outputs of the cell that runs, in the order and form of a notebook."""

    def __init__(self) -> None:
        self.most = Limits.printed
        """Characters of streams that are kept."""
        self.begin()

    def begin(self) -> None:
        self.outputs: list[dict[str, Any]] = []
        self._shown: dict[str, dict[str, Any]] = {}
        self._left, self._lost = self.most, 0
        self._clear_next = False

    def stream(self, name: str, text: str) -> None:
        self._forget()
        kept = text[: max(0, self._left)]
        self._left -= len(kept)
        self._lost += len(text) - len(kept)
        if not kept:
            return
        if self.outputs and self.outputs[-1].get("name") == name:
            self.outputs[-1]["parts"].append(kept)
        else:
            self.outputs.append({"output_type": "stream", "name": name, "parts": [kept]})

    def add(self, output: dict[str, Any], shown_as: str = "") -> None:
        self._forget()
        self.outputs.append(output)
        if shown_as:
            self._shown[shown_as] = output

    def update(self, shown_as: str, data: dict[str, Any], metadata: dict[str, Any]) -> None:
        if shown_as in self._shown:
            self._shown[shown_as].update(data=data, metadata=metadata)

    def clear(self, wait: bool) -> None:
        self._clear_next = True
        if not wait:
            self._forget()

    def _forget(self) -> None:
        if self._clear_next:
            self._clear_next = False
            self.outputs.clear()

    def finish(self) -> list[dict[str, Any]]:
        """The outputs. A stream's pieces are joined here: a text that grows piece by piece takes quadratic time."""
        if self._lost:
            self._left = _TO_SAY_WHAT_IS_LOST
            lost, self._lost = self._lost, 0
            self.stream("stdout", CUT.format(lost=lost))
        return [{**o, "text": "".join(o["parts"])} if "parts" in o else o for o in self.outputs]


class _Stream(io.TextIOBase):
    encoding = ENCODING

    def __init__(self, name: str, number: int, recorder: Recorder) -> None:
        self.name, self._number, self._recorder = name, number, recorder

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._recorder.stream(self.name, text)
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._number


class _Hook(DisplayHook):  # type: ignore[misc]  # IPython ships no types that mypy sees
    def start_displayhook(self) -> None: ...

    def write_output_prompt(self) -> None: ...

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        data = {"data": _plain(format_dict), "metadata": md_dict or {}, "execution_count": self.prompt_count}
        self.shell.recorder.add({"output_type": "execute_result", **data})

    def finish_displayhook(self) -> None: ...


class _Publisher(DisplayPublisher):  # type: ignore[misc]
    def publish(self, data: Any, metadata: Any = None, *_: Any, **more: Any) -> None:
        shown_as = str((more.get("transient") or {}).get("display_id", ""))
        if more.get("update"):
            self.shell.recorder.update(shown_as, _plain(data), metadata or {})
            return
        self.shell.recorder.add(
            {"output_type": "display_data", "data": _plain(data), "metadata": metadata or {}}, shown_as
        )

    def clear_output(self, wait: bool = False) -> None:
        self.shell.recorder.clear(wait)


def _plain(data: dict[str, Any]) -> dict[str, str]:
    """The kinds of a display that are text, pictures in base64; a page can show no other."""
    texts = {k: base64.b64encode(v).decode() if isinstance(v, bytes) else v for k, v in data.items()}
    return {str(k): v for k, v in texts.items() if isinstance(v, str)}


class Shell(InteractiveShell):  # type: ignore[misc]
    """One namespace; what its cells output goes to the `recorder`."""

    displayhook_class = Type(_Hook)
    display_pub_class = Type(_Publisher)
    compiler_class = Type(Compiler)

    def __init__(self, **options: Any) -> None:
        self.recorder = Recorder()
        super().__init__(**options)
        self.input_transformer_manager = Transformer()

    def should_run_async(self, raw_cell: str, *, transformed_cell: str | None = None, **more: Any) -> bool:
        known = self.input_transformer_manager.awaits(transformed_cell) if self.autoawait else None
        if known is None or more.get("preprocessing_exc_tuple"):
            return bool(super().should_run_async(raw_cell, transformed_cell=transformed_cell, **more))
        return bool(known)

    def transform_ast(self, node: Any) -> Any:
        if self.ast_transformers:
            self.compile.forget()
        return super().transform_ast(node)

    def _get_exc_info(self, exc_tuple: Any = None) -> Any:
        kind, value, trace = super()._get_exc_info(exc_tuple)
        return kind, value, _without_ours(trace)

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        name = getattr(etype, "__name__", str(etype))
        self.recorder.add(
            {"output_type": "error", "ename": name, "evalue": _text_of(evalue), "traceback": [str(s) for s in stb]}
        )

    def _format_exception_for_storage(self, *_: Any, **__: Any) -> dict[str, Any]:
        """For the history, which is off: nothing, because a traceback takes longer than most cells."""
        return {}

    def system(self, cmd: str) -> None:
        """`!cmd`: on a terminal, as in a kernel, or through a pipe where no terminal can be opened."""
        try:
            terminal = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
        except OSError:
            cmd = self.var_expand(cmd, depth=1)
            done = subprocess.run(
                cmd, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
            )
            sys.stdout.write(done.stdout.decode(ENCODING, "replace"))
            self.user_ns["_exit_code"] = done.returncode
        else:
            os.close(terminal)
            self.system_piped(cmd)

    def enable_gui(self, gui: Any = None) -> None: ...

    def ask_exit(self) -> None:
        """`exit()` does nothing, because the rest of the notebook is still to be graded."""


def _without_ours(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the lines by which a test asks the student's room: they are this package's own."""
    while trace and _is_ours(trace):
        trace = trace.tb_next
    at = trace
    while at:
        while at.tb_next and _is_ours(at.tb_next):
            at.tb_next = at.tb_next.tb_next
        at = at.tb_next
    return trace


def _is_ours(trace: TracebackType) -> bool:
    return str(trace.tb_frame.f_globals.get("__name__", "")).startswith("autograder.lending")


def _text_of(value: Any) -> str:
    try:
        return str(value)
    except BaseException:  # a student's __str__ may do anything
        return ""


def make_shell() -> Shell:
    """The process's shell. History is off: it would start a thread, and only a single thread may fork."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.banner1 = ""
    streams = sys.stdout, sys.stderr
    shell: Shell = Shell.instance(config=config)
    sys.stdout, sys.stderr = streams
    shell.colors = "neutral"
    shell.db = {}  # %cd and %alias would write files into the grader's home
    return shell


def attach(shell: Shell, printed: int) -> None:
    """From now on all that Python prints in this process is recorded, so many characters a cell; `input` raises."""
    shell.recorder.most = printed
    sys.stdout, sys.stderr = _Stream("stdout", 1, shell.recorder), _Stream("stderr", 2, shell.recorder)
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr  # type: ignore[misc,assignment]

    def no_input(prompt: object = "") -> str:
        raise StdinNotImplementedError(NO_INPUT)

    builtins.input = no_input
    getpass.getpass = no_input  # type: ignore[assignment]


class DescriptorOutput:
    """What programs and C code write to the file descriptors 1 and 2: kept in memory, read after each cell.

    It must be made before the process is confined, because seccomp refuses memory files.
    """

    def __init__(self) -> None:
        for number in (1, 2):
            if hasattr(os, "memfd_create"):
                kept = os.memfd_create("printed")
                os.dup2(kept, number)
                os.close(kept)
            else:
                with tempfile.TemporaryFile() as file:
                    os.dup2(file.fileno(), number)

    def drain(self, recorder: Recorder) -> None:
        syscalls.flush_c_streams()
        for number, name in ((1, "stdout"), (2, "stderr")):
            with contextlib.suppress(OSError):
                size = os.fstat(number).st_size
                if size:
                    text = os.pread(number, min(size, 4 * recorder.most), 0).decode(ENCODING, "replace")
                    os.ftruncate(number, 0)
                    os.lseek(number, 0, os.SEEK_SET)
                    recorder.stream(name, text.replace("\r\n", "\n"))


def run_cell(shell: Shell, code: str, count: int, descriptors: DescriptorOutput | None = None) -> dict[str, Any]:
    """Runs a cell: its outputs, and as "ok" whether it ended without an error."""
    shell.recorder.begin()
    shell.execution_count = count
    error: BaseException | None
    try:
        result = _RUN_CELL(shell, code, store_history=True)
        error = result.error_before_exec or result.error_in_exec
    except BaseException as stopped:  # KeyboardInterrupt, or a hook of the student's
        error = stopped
        if not isinstance(stopped, SystemExit):
            shell._showtraceback(type(stopped), stopped, [f"{type(stopped).__name__}: {_text_of(stopped)}"])
    if descriptors:
        descriptors.drain(shell.recorder)
    if error and not any(o["output_type"] == "error" for o in shell.recorder.outputs):
        shell.recorder.add(
            {
                "output_type": "error",
                "ename": type(error).__name__,
                "evalue": _text_of(error),
                "traceback": ["An error occurred while showtraceback was disabled"],
            }
        )
    return {"outputs": shell.recorder.finish(), "ok": error is None}
