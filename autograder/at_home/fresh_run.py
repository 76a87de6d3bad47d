"""Runs a whole notebook from top to bottom in a fresh Python, as it is graded, without changing the file.

The kernel is that of this environment, whatever the notebook names. It runs in the notebook's folder, so that the
notebook can import the files beside it.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograder.at_home.notebook import Cell, Notebook
from autograder.errors import AutograderError

SECONDS = 60
"""Time limit of one cell, the same as when it is graded."""
NOT_INSTALLED = "{package} is missing here. Use the environment of the student kit, or: pip install jupyterlab"
NO_KERNEL = "Python could not be started for the notebook ({why}). In the kit's environment: pip install ipykernel"
_FRAME_LINE = re.compile(r"^(?:---+> |-+>)\s*(\d+) (.*)$", re.MULTILINE)
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Outcome:
    """The result of one code cell.

    `error` is the type of the exception ("" if there was none), `text` its message, `line` the number of the line of
    the cell that raised it (from 1) and `source` that line. `credit` is the number that the cell's last line gave,
    which nbgrader takes for its points.
    """

    cell: Cell
    error: str = ""
    text: str = ""
    line: int | None = None
    source: str = ""
    credit: float | None = None
    too_long: bool = False
    died: bool = False


def run(notebook: Notebook, tell: Callable[[str], None]) -> list[Outcome]:
    """The outcome of each code cell in order; if Python itself ended, the last one has `died`. `tell` shows progress.

    AutograderError if a package is missing or Python cannot be started.
    """
    try:
        import nbformat
        from jupyter_client.kernelspec import KernelSpecManager
        from jupyter_client.manager import AsyncKernelManager
        from nbclient import NotebookClient
    except ImportError as error:
        raise AutograderError(NOT_INSTALLED.format(package=error.name)) from None
    document = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell.source) for cell in notebook.cells if cell.kind == "code"]
    )
    code = [cell for cell in notebook.cells if cell.kind == "code"]
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    client = NotebookClient(
        document,
        km=manager,
        timeout=SECONDS,
        startup_timeout=180,
        interrupt_on_timeout=True,
        allow_errors=True,
        resources={"metadata": {"path": str(notebook.path.parent.resolve())}},
    )
    environment = {**os.environ, "NBGRADER_EXECUTION": "validate", "PYTHONWARNINGS": "ignore"}
    outcomes: list[Outcome] = []
    tell("Starting a fresh Python. Loading torch takes some seconds.")

    async def every_cell() -> None:
        # Not nbclient's `async_setup_kernel`: after Ctrl-C its signal handler uses the kernel that it has shut down.
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        try:
            await client.async_start_new_kernel(env=environment, **quiet)
            await client.async_start_new_kernel_client()
            for at, (cell, made) in enumerate(zip(code, document.cells, strict=True)):
                tell(f"Running cell {at + 1} of {len(code)}")
                outcomes.append(await _run_cell(client, cell, made, at))
                if outcomes[-1].died:
                    break
        finally:
            if client.kc is not None:
                client.kc.stop_channels()
            if manager.has_kernel:
                await manager.shutdown_kernel(now=True)

    try:
        # Windows' default event loop (proactor) lacks `add_reader`, which zmq needs.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            runner.run(every_cell())
    except (RuntimeError, OSError) as error:
        if outcomes:
            raise
        raise AutograderError(NO_KERNEL.format(why=error)) from None
    return outcomes


async def _run_cell(client: Any, cell: Cell, made: Any, at: int) -> Outcome:
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    began = time.monotonic()
    try:
        await client.async_execute_cell(made, at)
    except DeadKernelError:
        if await client.km.is_alive():  # nbclient raises DeadKernelError for Ctrl-C too
            raise asyncio.CancelledError from None
        return Outcome(cell, error="DeadKernelError", died=True)
    except CellTimeoutError:
        return Outcome(cell, error="Timeout", too_long=True)
    errors = [output for output in made.outputs if output.output_type == "error"]
    if not errors:
        return Outcome(cell, credit=_credit(made.outputs))
    error = errors[-1]
    too_long = error.ename == "KeyboardInterrupt" and time.monotonic() - began >= SECONDS
    line, source = _line_in_cell(cell, [_ESCAPES.sub("", part) for part in error.traceback])
    text = _ESCAPES.sub("", str(error.evalue))
    return Outcome(cell, str(error.ename), text, line, source, too_long=too_long)


def _credit(outputs: list[Any]) -> float | None:
    results = [output.data.get("text/plain", "") for output in outputs if output.output_type == "execute_result"]
    try:
        return float(results[0]) if results else None
    except ValueError:
        return None


def _line_in_cell(cell: Cell, trace: list[str]) -> tuple[int | None, str]:
    """The number and text of the last line in the traceback that belongs to the cell; (None, "") if none does."""
    lines = cell.source.split("\n")
    found: tuple[int | None, str] = (None, "")
    for part in trace:
        for number, text in _FRAME_LINE.findall(part):
            at = int(number) - 1
            if 0 <= at < len(lines) and lines[at].strip() and lines[at].strip() == text.strip():
                found = int(number), lines[at].strip()
    if found[0] is None and (match := re.search(r"line (\d+)\b", "\n".join(trace))):  # a SyntaxError has no traceback
        at = int(match[1]) - 1
        if 0 <= at < len(lines) and lines[at].strip() in "\n".join(trace):
            found = at + 1, lines[at].strip()
    return found


def progress() -> Callable[[str], None]:
    """A function that shows the progress on standard error: on a terminal it rewrites one line, and "" clears it.

    Elsewhere only the first message is printed.
    """
    began, said = time.monotonic(), [0]

    def tell(text: str) -> None:
        if sys.stderr.isatty():
            line = f"{text} ({time.monotonic() - began:.0f} s)" if text else ""
            print("\r" + line.ljust(said[0]) + ("" if text else "\r"), end="", file=sys.stderr, flush=True)
            said[0] = len(line)
        elif text and not said[0]:
            print(text, file=sys.stderr, flush=True)
            said[0] = 1

    return tell
