"""`make student-kit`: what a student needs at home, in one zip: released notebooks, the package, what to install."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
AT_HOME = ("torch", "numpy", "jupyterlab", "notebook", "ipykernel")
README = """\
{assignment}: how to work at home

1. Unpack this folder and open a terminal in it.
2. python -m venv venv, then activate it (venv/bin/activate; on Windows venv\\Scripts\\activate).
3. pip install -r requirements.txt
   torch is large. For the small CPU build install torch first, as pytorch.org says for your system.
4. jupyter lab, then open examples.ipynb and problems.ipynb.
5. Hand in problems.ipynb as your course tells you.
"""


def pins() -> dict[str, str]:
    """The course's own pins, by package."""
    return dict(re.findall(r"^([\w-]+)==(\S+)", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE))


def pack(assignment: str, destination: Path) -> Path:
    """Writes the zip into `destination` and returns its path."""
    released = sorted((ROOT / "release" / assignment).glob("*.ipynb"))
    if not released:
        sys.exit(f"release/{assignment} holds no notebooks. Run `make release` first.")
    destination.mkdir(exist_ok=True)
    kit = destination / f"{assignment}-student-kit.zip"
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", scratch, str(ROOT)]
        built = subprocess.run(command, capture_output=True, text=True, check=False)
        if built.returncode:
            sys.exit(f"The wheel could not be built:\n{built.stdout}{built.stderr}")
        (wheel,) = Path(scratch).glob("*.whl")
        requirements = [f"./{wheel.name}", *(f"{name}=={pins()[name]}" for name in AT_HOME)]
        with zipfile.ZipFile(kit, "w", zipfile.ZIP_DEFLATED) as archive:
            inside = f"{assignment}-student-kit"
            for file in [*released, wheel]:
                archive.write(file, f"{inside}/{file.name}")
            archive.writestr(f"{inside}/requirements.txt", "\n".join(requirements) + "\n")
            archive.writestr(f"{inside}/README.txt", README.format(assignment=assignment))
    return kit


if __name__ == "__main__":
    for assignment in sys.argv[1:]:
        print(f"Made {pack(assignment, ROOT / 'dist')}")
