"""Pictures that a student's text refers to are shown, scaled down; nothing else gets into the text by that way."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image

from autograder.rooms.pictures import MOST, WIDEST, Pictures


def _image(form: str = "PNG", size: tuple[int, int] = (40, 30), **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(out, form, **options)  # type: ignore[arg-type]
    return out.getvalue()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _put(folder: Path, text: str, attached: object = None) -> tuple[str, list[tuple[str, bytes]]]:
    """The text, and the type and content of each picture in its attachments."""
    made, found = Pictures(str(folder)).put_in(text, attached or {})
    return made, [(kind, base64.b64decode(data)) for kinds in found.values() for kind, data in kinds.items()]


@pytest.mark.parametrize("name", ["scan.png", "scan(1).png", "my scan.png", "π.png", "a/b.png"])
def test_a_pasted_picture_is_shown_whatever_its_name(tmp_path: Path, name: str) -> None:
    data = _image()
    for written in {name.replace(" ", "%20"), quote(name)}:
        text, pictures = _put(tmp_path, f"see ![scan](attachment:{written}) here", {name: {"image/png": _base64(data)}})
        assert text == "see ![scan](attachment:picture-1) here"
        assert pictures == [("image/png", data)]


def test_a_file_that_was_handed_in_beside_the_notebook_is_shown(tmp_path: Path) -> None:
    data = _image("JPEG")
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "page 1.jpg").write_bytes(data)
    text, pictures = _put(tmp_path, '![a](scans/page%201.jpg) ![b](./scans/page%201.jpg "title")')
    assert text == '![a](attachment:picture-1) ![b](attachment:picture-2 "title")'
    assert pictures == [("image/jpeg", data)] * 2
    text, pictures = _put(tmp_path, '<img alt="a" src="scans/page%201.jpg">')
    assert text == f'<img alt="a" src="data:image/jpeg;base64,{_base64(data)}">'
    assert pictures == []


def test_a_picture_in_the_text_itself_is_taken_out_of_it(tmp_path: Path) -> None:
    data = _image()
    text, pictures = _put(tmp_path, f"![a](data:image/png;base64,{_base64(data)})")
    assert text == "![a](attachment:picture-1)"
    assert pictures == [("image/png", data)]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_photo_is_scaled_down_and_a_small_picture_stays_as_it_is(tmp_path: Path, form: str) -> None:
    (tmp_path / "photo").write_bytes(_image(form, (3000, 4000)))
    (tmp_path / "small").write_bytes(small := _image(form))
    text, [(kind, photo), (_, other)] = _put(tmp_path, "![](photo) ![](small)")
    with Image.open(io.BytesIO(photo)) as image:
        assert (kind, image.format, image.size) == ("image/jpeg", "JPEG", (WIDEST * 3 // 4, WIDEST))
    assert len(photo) < 2_000_000
    assert other == small
    assert text == "![](attachment:picture-1) ![](attachment:picture-2)"


def test_a_photo_is_turned_as_the_camera_says_and_tells_no_more_of_it(tmp_path: Path) -> None:
    about = Image.Exif()
    about[0x0112], about[0x010E] = 6, "where I live"  # orientation, description
    (tmp_path / "photo.jpg").write_bytes(_image("JPEG", (2000, 1000), exif=about))
    _, [(_, photo)] = _put(tmp_path, "![](photo.jpg)")
    with Image.open(io.BytesIO(photo)) as image:
        assert image.size == (WIDEST // 2, WIDEST)
    assert b"where I live" not in photo


@pytest.mark.parametrize(
    "target",
    ["../out.png", "/etc/passwd", "link.png", "in/out.png", "a.txt", "https://x.org/a.png", "b.png", "#a", "pipe"],
)
def test_nothing_but_a_picture_of_the_submission_gets_into_the_text(tmp_path: Path, target: str) -> None:
    folder = tmp_path / "ps1"
    folder.mkdir()
    (tmp_path / "out.png").write_bytes(_image())
    (folder / "link.png").symlink_to(tmp_path / "out.png")
    (folder / "in").symlink_to(tmp_path)
    (folder / "a.txt").write_text("secret")
    (folder / "b.png").write_bytes(_image()[:60])
    os.mkfifo(folder / "pipe")
    assert _put(folder, f"![a]({target})") == (f"![a]({target})", [])
    assert _put(folder, f'<img src="{target}">') == (f'<img src="{target}">', [])


def test_a_drawing_loses_its_scripts(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>x</script><rect width='5'/></svg>")
    _, [(kind, data)] = _put(tmp_path, "![](a.svg)")
    assert kind == "image/svg+xml"
    assert b"rect" in data
    assert b"script" not in data


def test_a_picture_that_claims_more_pixels_than_a_camera_has_is_not_decoded(tmp_path: Path) -> None:
    data = bytearray(_image())
    data[16:24] = (60_000).to_bytes(4, "big") * 2
    (tmp_path / "bomb.png").write_bytes(data)
    assert _put(tmp_path, "![](bomb.png)") == ("![](bomb.png)", [])


def test_a_notebook_shows_only_so_many_pictures(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(_image())
    texts = Pictures(str(tmp_path))
    shown = sum(len(texts.put_in("![](a.png)" * 10, {})[1]) for _ in range(MOST))
    assert shown == MOST
