"""While the packages are installed it can be seen how far it is, and where it stops one sentence says what to do."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools import install

SAID = """\
Collecting torch==2.13.0 (from -r requirements.txt (line 6))
  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl.metadata (26 kB)
Requirement already satisfied: numpy==2.4.6 in ./x (from -r requirements.txt (line 7)) (2.4.6)
Processing /srv/index/lark-1.3.1-py3-none-any.whl (from rfc3987-syntax)
Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (189.5 MB)
"""


def test_the_packages_and_megabytes_are_counted_and_the_current_one_is_named() -> None:
    progress = install.Progress()
    assert "0 of about " in progress.text()
    for line in SAID.splitlines(keepends=True):
        progress.hear(line)
    assert re.fullmatch(r"  0:0\d  3 of about 1\d\d packages, 190 MB; downloading torch \(189.5 MB\)", progress.text())
    progress.hear("Installing collected packages: a, b, c\n")
    assert re.fullmatch(r"  0:0\d  all 3 packages are there; finishing", progress.text())
    progress.hear(f"Installing collected packages: {'a, ' * 9999}b\n")
    assert re.fullmatch(r"  0:0\d  unpacking, 1\d\d of 10000 packages", progress.text())


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        (
            "ERROR: Could not install packages: OSError: [Errno 28] No space left on device",
            "the disk is full.",
        ),
        (
            "NewConnectionError: Failed to establish a new connection: Temporary failure in name resolution\n"
            "ERROR: No matching distribution found for torch==2.13.0",
            "the package index cannot be reached.",
        ),
        (
            "ERROR: No matching distribution found for torch==2.13.0",
            rf"the package index has no torch==2.13.0 for Python 3.{sys.version_info[1]} on this machine.",
        ),
        ("PermissionError: [Errno 13] Permission denied: 'x'", "a file may not be written."),
    ],
)
def test_each_reason_to_stop_has_its_sentence_and_the_next_step(log: str, sentence: str) -> None:
    said = install.why(log)
    assert said.startswith(f"The packages could not be installed: {sentence}")
    assert said.endswith("Then run the same command again: it goes on with what is there.")


def test_another_reason_is_shown_in_pips_own_words() -> None:
    said = install.why("\n".join(f"line {n}" for n in range(20)))
    assert said.splitlines()[1:-1] == [f"  line {n}" for n in range(12, 20)]
    assert said.endswith("Run the same command again: it goes on with what is there.")


def test_torch_alone_comes_from_the_index_that_is_named() -> None:
    assert install.steps("") == [["-r", "requirements.txt"], install.BUILD]
    assert re.fullmatch(r"--no-deps --index-url https://x torch==2\S+", " ".join(install.steps("https://x")[0]))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What `make env` reads, and a Python whose pip does what pip.py says."""
    for name in ("Makefile", "requirements.txt", "constraints.txt", "pyproject.toml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "install.py").write_text((ROOT / "tools" / "install.py").read_text())
    fake = tmp_path / "python3"
    fake.write_text(
        "#!/bin/sh\n"
        'if [ "$2" = venv ]; then mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; exit; fi\n'
        f'[ "$1" = -c ] && exec {sys.executable} "$@"\n'
        f"exec {sys.executable} -c \"import sys; sys.path.insert(0, 'tools'); sys.prefix = '.venv'; import install;"
        " install.PIP = [sys.executable, 'pip.py']; install.main()\"\n"
    )
    fake.chmod(0o755)
    return tmp_path


def make(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "env", f"PYTHON={clone}/python3", *arguments], cwd=clone, capture_output=True, text=True, check=False
    )


def test_make_env_that_stops_half_way_says_why_and_goes_on_at_the_second_try(clone: Path) -> None:
    (clone / "pip.py").write_text("print('Collecting numpy'); print('[Errno 28] No space left on device'); exit(1)")
    first = make(clone)
    assert first.returncode
    assert "0 of about 1" in first.stdout
    assert "The packages could not be installed: the disk is full." in first.stderr
    assert not (clone / ".venv" / ".ready").exists()
    (clone / "pip.py").write_text("print('Installing collected packages: numpy')")
    second = make(clone)
    assert second.returncode == 0, second.stderr
    assert "Installed in 0:0" in second.stdout
    assert (clone / ".venv" / ".ready").exists()
    assert make(clone).stdout == "make: Nothing to be done for 'env'.\n"


def test_a_python_that_is_missing_or_too_old_is_said_before_anything_is_installed(clone: Path) -> None:
    missing = make(clone, "PYTHON=python3.99")
    assert "There is no python3.99 on this machine. Install Python 3.11 or later" in missing.stdout
    (clone / "python3").write_text('#!/bin/sh\n[ "$1" = -c ] && exit 1\necho Python 3.8.1\n')
    old = make(clone)
    assert "Python 3.11 or later is needed; this is Python 3.8.1." in old.stdout
    assert not (clone / ".venv").exists()
    assert missing.returncode
    assert old.returncode
