"""Makes what a worker has sent into outputs of a notebook; what is not exactly an output is left out."""

from __future__ import annotations

import re
from typing import Any

from nbformat import NotebookNode, from_dict

from autograder.workers import wire

TEST_FAILED = "This test did not pass. It runs where the answer runs, so nothing else is shown of it."
MOST_OUTPUTS = 500
MOST_LINES = 400
"""Of a traceback."""
_MOST_NAME = 200
_MOST_ERROR = 20_000
"""Characters of an error's text, and of each line of its traceback."""
_MOST_NOTES = 1000
"""Characters that the worker itself may add to what a cell prints: how much was cut off."""

_CREDIT = re.compile(r"\d{1,6}(?:\.\d{0,20})?")


def read_outputs(reply: dict[str, Any], count: int, printed: int) -> list[NotebookNode]:
    """The outputs of a cell with the execution count `count` that may print so many characters."""
    found = reply.get("outputs")
    outputs, left = [], printed + _MOST_NOTES
    for data in (found if type(found) is list else [])[:MOST_OUTPUTS]:
        output = _one(data, count, left) if type(data) is dict else None
        if output is not None:
            outputs.append(output)
            left -= len(output.get("text", ""))
    return outputs


def _new(kind: str, **values: Any) -> NotebookNode:
    """Not by nbformat's own function: that checks each output, and the whole notebook is checked when it is written."""
    return from_dict({"output_type": kind, **values})


def _one(data: dict[str, Any], count: int, left: int) -> NotebookNode | None:
    kind = data.get("output_type")
    if kind == "stream":
        name = "stderr" if data.get("name") == "stderr" else "stdout"
        return _new("stream", name=name, text=_text(data.get("text"), max(0, left)))
    if kind == "error":
        trace = data.get("traceback")
        lines = [_text(line, _MOST_ERROR) for line in (trace if type(trace) is list else [])[:MOST_LINES]]
        name, value = _text(data.get("ename"), _MOST_NAME), _text(data.get("evalue"), _MOST_ERROR)
        return _new("error", ename=name, evalue=value, traceback=lines)
    if kind in ("display_data", "execute_result"):
        bundle = data.get("data")
        texts = bundle if type(bundle) is dict else {}
        shown = {_text(k, _MOST_NAME): wire.clean(v) for k, v in texts.items() if type(v) is str}
        more = {"execution_count": count} if kind == "execute_result" else {}
        return _new(kind, data=shown, metadata=_sizes(data.get("metadata")), **more)
    return None


def _sizes(metadata: Any) -> dict[str, Any]:
    """Of an output's metadata, the sizes at which pictures are shown; the rest could reach a page."""
    kept: dict[str, Any] = {}
    for kind, values in metadata.items() if type(metadata) is dict else ():
        if type(kind) is str and kind.startswith("image/") and type(values) is dict:
            sizes = {n: values[n] for n in ("width", "height") if type(values.get(n)) is int and 0 < values[n] < 10_000}
            if sizes:
                kept[_text(kind, _MOST_NAME)] = sizes
    return kept


def _text(text: Any, most: int) -> str:
    return wire.clean(text[:most]) if type(text) is str else ""


def verdict_of(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Of a test that ran where the answer ran, whether it failed, or else the number that it gave as its credit."""
    if any(o.output_type == "error" or o.get("name") == "stderr" for o in outputs):
        return [error_output("TestFailed", TEST_FAILED)]
    texts = [str(o.data.get("text/plain", "")) for o in outputs if o.output_type == "execute_result"]
    credits = [f"{float(text):.4g}" for text in texts if _CREDIT.fullmatch(text)]
    return [
        _new("execute_result", data={"text/plain": credit}, metadata={}, execution_count=None) for credit in credits
    ]


def error_output(name: str, value: str) -> NotebookNode:
    """An error that the grader itself writes below a cell."""
    return _new("error", ename=name, evalue=value, traceback=[f"\x1b[0;31m{name}\x1b[0m: {value}"])
