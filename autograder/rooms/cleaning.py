"""Cleans parts of a notebook, within what a page can show; runs in the process of `scribe`."""

from __future__ import annotations

from typing import Any

from autograder.rooms import pictures, sanitise

MOST_OUTPUTS = 500
"""Outputs of a notebook that are shown."""
MOST_SHOWN = 4_000_000
"""Characters of all outputs of a notebook, without pictures."""
MORE = "({number} outputs more are not shown on this page.)"
TOO_LONG = "(More output of this notebook is not shown on this page.)"


def clean(parts: list[dict[str, Any]], folder: str) -> list[dict[str, Any]]:
    """The parts made passive: `outputs` of a cell, or a `text` with its pictures, which may lie in `folder`.

    What is more than a page can show is left out, and said.
    """
    texts = pictures.Pictures(folder)
    left, number, shown = sanitise.MOST_OF_A_NOTEBOOK, 0, 0
    made: list[dict[str, Any]] = []
    for part in parts:
        if "text" in part:
            text, attachments = texts.put_in(part["text"], part["attachments"])
            left -= len(text)
            made.append({"text": sanitise.markdown(text, attachments) if left > 0 else sanitise.as_text(text, 1000)})
            continue
        outputs = []
        for at, output in enumerate(part["outputs"]):
            if number >= MOST_OUTPUTS:
                outputs.append(stream(MORE.format(number=len(part["outputs"]) - at)))
                break
            number += 1
            _clean(output)
            shown += _length(output)
            outputs.append(output if shown <= MOST_SHOWN else stream(TOO_LONG))
            if shown > MOST_SHOWN:
                break
        made.append({"outputs": outputs})
    return made


def _clean(output: dict[str, Any]) -> None:
    if "data" in output:
        output["data"] = sanitise.bundle(output["data"])
    if "text" in output:
        output["text"] = sanitise.plain("".join(output["text"]))
    if "traceback" in output:
        output["traceback"] = [sanitise.plain(line) for line in output["traceback"]]


def _length(output: dict[str, Any]) -> int:
    shown = [text for kind, text in output.get("data", {}).items() if kind not in sanitise.PICTURES]
    return sum(map(len, [*shown, output.get("text", ""), *output.get("traceback", ())]))


def stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text + "\n"}
