"""Outputs as a room sent them, made into what a notebook may hold; whatever is not exactly that is left out."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode, from_dict

from autograder.workers import wire

MOST_OUTPUTS = 500
MOST_LINES = 400
_MOST_NAME = 200


def read_outputs(reply: dict[str, Any], count: int, most: int) -> list[NotebookNode]:
    """The outputs of a cell with the execution count `count`; at most `most` characters of text."""
    found = reply.get("outputs")
    outputs, left = [], most
    for data in (found if type(found) is list else [])[:MOST_OUTPUTS]:
        output = _one(data, count, left) if type(data) is dict else None
        if output is not None:
            outputs.append(output)
            left -= len(output.get("text", ""))
    return outputs


def _new(kind: str, **values: Any) -> NotebookNode:
    """Not nbformat's own, which checks each output against the schema; the notebook is checked once, when written."""
    return from_dict({"output_type": kind, **values})


def _one(data: dict[str, Any], count: int, left: int) -> NotebookNode | None:
    kind = data.get("output_type")
    if kind == "stream":
        name = "stderr" if data.get("name") == "stderr" else "stdout"
        return _new("stream", name=name, text=_text(data.get("text"), max(0, left)))
    if kind == "error":
        trace = data.get("traceback")
        lines = [_text(line, 20_000) for line in (trace if type(trace) is list else [])[:MOST_LINES]]
        name, value = _text(data.get("ename"), _MOST_NAME), _text(data.get("evalue"), 20_000)
        return _new("error", ename=name, evalue=value, traceback=lines)
    if kind in ("display_data", "execute_result"):
        bundle = data.get("data")
        texts = bundle if type(bundle) is dict else {}
        shown = {_text(k, _MOST_NAME): wire.clean(v) for k, v in texts.items() if type(v) is str}
        more = {"execution_count": count} if kind == "execute_result" else {}
        return _new(kind, data=shown, metadata=_sizes(data.get("metadata")), **more)
    return None


def _sizes(metadata: Any) -> dict[str, Any]:
    """Of the metadata of an output only how large a picture is to be shown."""
    kept: dict[str, Any] = {}
    for kind, values in metadata.items() if type(metadata) is dict else ():
        if type(kind) is str and kind.startswith("image/") and type(values) is dict:
            sizes = {n: values[n] for n in ("width", "height") if type(values.get(n)) is int and 0 < values[n] < 10_000}
            if sizes:
                kept[_text(kind, _MOST_NAME)] = sizes
    return kept


def _text(text: Any, most: int) -> str:
    return wire.clean(text[:most]) if type(text) is str else ""


def error_output(name: str, value: str) -> NotebookNode:
    """An error that the grader itself puts below a cell."""
    return _new("error", ename=name, evalue=value, traceback=[f"\x1b[0;31m{name}\x1b[0m: {value}"])
