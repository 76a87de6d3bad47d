"""`make student-kit`: what a student needs at home, in one zip: released notebooks, the package, what to install."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from autograder.at_home import notebook as at_home
from tools.students_page import page

ROOT = Path(__file__).parent.parent
AT_HOME = ("torch", "numpy", "jupyterlab", "notebook", "ipykernel")
REQUIREMENTS = """\
# Python 3.11 or later is needed. torch is large: on Linux install the CPU build first, as pytorch.org says.
{lines}
"""


def pins() -> dict[str, str]:
    """The pinned version of each package in requirements.txt."""
    return dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE))


def assignments() -> list[str]:
    """The names of all released assignments."""
    return sorted({path.parent.name for path in (ROOT / "release").glob("*/*.ipynb")})


def pack(assignment: str, destination: Path) -> Path:
    """Writes the student kit of `assignment` into the folder `destination` and returns the zip's path."""
    folder = ROOT / "release" / assignment
    released = [p for p in sorted(folder.rglob("*")) if p.is_file() and not _hidden(p.relative_to(folder))]
    notebooks = [p for p in released if p.suffix == ".ipynb"]
    if not notebooks:
        sys.exit(f"release/{assignment} holds no notebooks. Run `make release` first.")
    graded = [p.name for p in notebooks if at_home.read(p).graded] or [notebooks[-1].name]
    first = next((p.name for p in notebooks if p.name not in graded), graded[0])
    readme = (ROOT / "tools" / "kit" / "README.txt").read_text()
    for key, value in {"assignment": assignment, "first": first, "graded": graded[0]}.items():
        readme = readme.replace(f"{{{key}}}", value)
    destination.mkdir(exist_ok=True)
    kit = destination / f"{assignment}-student-kit.zip"
    with tempfile.TemporaryDirectory() as scratch:
        wheel = _wheel(scratch)
        lines = [f"./{wheel.name}", *(f"{name}=={pins()[name]}" for name in AT_HOME)]
        with zipfile.ZipFile(kit, "w", zipfile.ZIP_DEFLATED) as archive:
            inside = f"{assignment}-student-kit"
            for file in released:
                archive.write(file, f"{inside}/{file.relative_to(folder).as_posix()}")
            for file in notebooks:
                archive.write(file, f"{inside}/original/{file.relative_to(folder).as_posix()}")
            archive.write(wheel, f"{inside}/{wheel.name}")
            archive.writestr(f"{inside}/install.py", installer(first, graded[0]))
            archive.writestr(f"{inside}/requirements.txt", REQUIREMENTS.format(lines="\n".join(lines)))
            # Notepad of older Windows versions needs CRLF.
            archive.writestr(f"{inside}/README.txt", readme.replace("\n", "\r\n"))
            archive.writestr(f"{inside}/students.html", page(ROOT / "docs" / "students.md"))
    return kit


def installer(first: str, graded: str) -> str:
    """The text of install.py, which finally names the notebooks of this kit in the order to open them."""
    order = tuple(dict.fromkeys((first, graded)))
    text = (ROOT / "tools" / "kit" / "install.py").read_text()
    return re.sub(r"^NOTEBOOKS = .*$", lambda _: f"NOTEBOOKS = {order!r}", text, flags=re.MULTILINE)


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "__")) for part in path.parts)


def _wheel(folder: str) -> Path:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode:
        sys.exit(f"The wheel could not be built:\n{built.stdout}{built.stderr}")
    (wheel,) = Path(folder).glob("*.whl")
    return wheel


def main(argv: Sequence[str] | None = None) -> None:
    """Packs the student kits of the assignments named in `argv`, or of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assignments", nargs="*", metavar="ASSIGNMENT", help="such as ps1 (default: all of release/)")
    named = parser.parse_args(argv).assignments or assignments()
    if not named:
        sys.exit("release/ holds no notebooks. Run `make release` first.")
    for assignment in named:
        print(f"Made {pack(assignment, ROOT / 'dist')}")


if __name__ == "__main__":
    main()
