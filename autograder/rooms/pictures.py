"""Pictures that a student's text refers to are put into the text: scaled down, and of types that are checked.

They are attachments of the cell, data in the text itself, or files that were handed in beside the notebook. A photo is
turned as the camera says, and loses what else the camera has written into it.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import io
import os
import re
import stat
from typing import Any
from urllib.parse import unquote

from PIL import Image, ImageOps

from autograder.rooms import sanitise

MOST, WIDEST, SMALL = 30, 1600, 200_000
"""Pictures of a notebook; pixels of a side; bytes up to which a picture of a sensible size stays as it is."""
_LARGEST, _MOST_PIXELS = 40_000_000, 100_000_000
_FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
_REFERENCE = re.compile(
    r"""(!\[[^\]\n]{0,300}\]\(\s*)((?:[^()\s]|\([^()\s]{0,99}\))+)|(<img\b[^>]{0,500}?\bsrc\s*=\s*["'])([^"'>]+)""",
    re.IGNORECASE,
)
_DATA = re.compile(r"data:(image/[\w.+-]{1,20});base64,([A-Za-z0-9+/=\s]*)")
_ATTACHED = "attachment:"
_SVG = "image/svg+xml"


class Pictures:
    """The pictures of one notebook, whose files lie in `folder`."""

    def __init__(self, folder: str) -> None:
        self._folder, self._left = folder, MOST

    def put_in(self, text: str, attached: Any) -> tuple[str, dict[str, dict[str, str]]]:
        """The text, which names the pictures in its new attachments; a reference to anything else stays as it is."""
        found: dict[str, dict[str, str]] = {}

        def picture(reference: re.Match[str]) -> str:
            head, target = reference[1] or reference[3], reference[2] or reference[4]
            made = self._picture(target, attached if isinstance(attached, dict) else {})
            if made is None:
                return reference[0]
            name = f"picture-{len(found) + 1}"
            if reference[3]:  # an element of HTML knows no attachments
                kind, data = made
                return f"{head}data:{kind};base64,{data}"
            found[name] = {made[0]: made[1]}
            return f"{head}{_ATTACHED}{name}"

        return _REFERENCE.sub(picture, text), found

    def _picture(self, target: str, attached: dict[str, Any]) -> tuple[str, str] | None:
        """The type and the base64 text of a picture; None if there is none, or too many were there before."""
        if self._left <= 0:
            return None
        data = None
        if in_text := _DATA.fullmatch(target):
            data = _decoded(in_text[2])
        elif target.startswith(_ATTACHED):
            data = _attachment(target.removeprefix(_ATTACHED), attached)
        elif not re.match(r"[a-z][a-z0-9+.-]*:|/|#", target, re.IGNORECASE):
            data = self._file(unquote(target))
        made = _passive(data) if data else None
        self._left -= made is not None
        return made

    def _file(self, path: str) -> bytes | None:
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if not parts or ".." in parts or "\0" in path:
            return None
        try:
            handle = os.open(os.path.join(self._folder, *parts), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        with open(handle, "rb") as file:
            known = os.fstat(handle)
            within = os.path.realpath(f"/proc/self/fd/{handle}") if os.path.isdir("/proc/self/fd") else ""
            inside = not within or within.startswith(os.path.realpath(self._folder) + os.sep)
            regular = stat.S_ISREG(known.st_mode) and known.st_size <= _LARGEST
            return file.read() if inside and regular else None


def _attachment(name: str, attached: dict[str, Any]) -> bytes | None:
    for known in (name, unquote(name)):
        kinds = attached.get(known)
        for text in kinds.values() if isinstance(kinds, dict) else ():
            data = _decoded("".join(text) if isinstance(text, list) else text)
            if data:
                return data
    return None


def _decoded(text: Any) -> bytes | None:
    with contextlib.suppress(binascii.Error, ValueError, TypeError, AttributeError):
        return base64.b64decode("".join(text.split()), validate=True)
    return None


def _passive(data: bytes) -> tuple[str, str] | None:
    if data.lstrip()[:1] == b"<":
        with contextlib.suppress(ValueError):
            return _SVG, base64.b64encode(sanitise.svg(data.decode("utf-8", "replace")).encode()).decode()
        return None
    try:
        with Image.open(io.BytesIO(data), formats=list(_FORMATS)) as image:
            kind, size = _FORMATS[str(image.format)], image.size
            if size[0] * size[1] > _MOST_PIXELS:
                return None
            if len(data) <= SMALL and max(size) <= WIDEST:
                image.verify()
            else:
                kind, data = "image/jpeg", _smaller(image)
    except Exception:  # whatever the decoder makes of it
        return None
    return kind, base64.b64encode(data).decode()


def _smaller(image: Image.Image) -> bytes:
    image.draft("RGB", (WIDEST, WIDEST))  # a JPEG is then decoded at a fraction of its size
    turned = ImageOps.exif_transpose(image).convert("RGBA")
    turned.thumbnail((WIDEST, WIDEST))
    paper = Image.new("RGB", turned.size, "white")
    paper.paste(turned, mask=turned)
    out = io.BytesIO()
    paper.save(out, "JPEG", quality=80)
    return out.getvalue()
