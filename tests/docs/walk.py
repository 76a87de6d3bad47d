"""A page of docs/ as a reader meets it: its commands are typed as written, in order, into one shell in a scratch clone.

A page's commands stand in blocks that begin with ```sh. A test gives a `Step` for each, in the page's order, with what
must be seen afterwards; a command that has no step, or a step whose command the page no longer has, fails.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

PLACEHOLDERS = {"<this repository>": str(ROOT)}


@dataclass(frozen=True)
class Step:
    """One command of a page and what a reader sees of it.

    `says` are texts that its output holds, `status` its exit status; `before` is what the page asks a person to do in
    between, `then` looks at what the command has made. Both get the walk; `then` also the output.
    """

    command: str
    says: tuple[str, ...] = ()
    status: int = 0
    before: Callable[[Walk], object] | None = None
    then: Callable[[Walk, str], object] | None = None


def commands(page: str, *sections: str) -> list[str]:
    """The commands of `docs/<page>`, or of some of its sections, without the comments behind them."""
    text = (ROOT / page).read_text()
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    titled = dict(zip(["", *parts[1::2]], [parts[0], *parts[2::2]], strict=True))
    unknown = set(sections) - set(titled)
    assert not unknown, f"{page} has no section {', '.join(unknown)}; it has {', '.join(titled)}"
    found: list[str] = []
    for title in sections or titled:
        for block in re.findall(r"^```sh\n(.*?)^```$", titled[title], flags=re.MULTILINE | re.DOTALL):
            lines = block.replace("\\\n", " ").splitlines()
            found += [re.sub(r"\s+#\s.*$", "", line).strip() for line in lines]
    return [line for line in found if line and not line.startswith("#")]


class Walk:
    """One shell; what a command exports, activates or enters stays for the next one."""

    def __init__(
        self, shell: Sequence[str], folder: Path | None = None, environment: dict[str, str] | None = None
    ) -> None:
        self._shell = subprocess.Popen(
            shell,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            text=True,
            bufsize=1,
        )
        self.here = folder or Path("/")

    def __enter__(self) -> Walk:
        return self

    def __exit__(self, *_: object) -> None:
        self._shell.stdin.close()  # type: ignore[union-attr]
        self._shell.wait()
        self._shell.stdout.close()  # type: ignore[union-attr]

    def type(self, command: str) -> tuple[str, int]:
        """Output and exit status of one command."""
        for placeholder, meant in PLACEHOLDERS.items():
            command = command.replace(placeholder, meant)
        end = f"end-{uuid.uuid4().hex}"
        # On lines of its own, so that a comment behind the command ends with it.
        self._shell.stdin.write(f'{{ {command}\n}} </dev/null\necho {end} $? "$PWD"\n')  # type: ignore[union-attr]
        said: list[str] = []
        for line in self._shell.stdout:  # type: ignore[union-attr]
            before, found, after = line.partition(end)
            said.append(before)
            if found:
                status, _, here = after.strip().partition(" ")
                self.here = Path(here)
                return "".join(said), int(status)
        raise AssertionError(f"the shell ended in `{command}`:\n{''.join(said)}")

    def take(self, steps: Sequence[Step]) -> None:
        """Types the steps' commands in order, and holds each to what it must say and do."""
        for step in steps:
            if step.before:
                step.before(self)
            said, status = self.type(step.command)
            assert status == step.status, f"`{step.command}` ended with {status}, not {step.status}:\n{said}"
            assert "Traceback (most recent call last)" not in said, f"`{step.command}`:\n{said}"
            for text in step.says:
                assert text in said, f"`{step.command}` does not say {text!r}:\n{said}"
            if step.then:
                step.then(self, said)


def reader(folder: Path, **environment: str) -> Walk:
    """A shell of a reader's own in `folder`: a new home folder, and nothing of the environment that tests run in."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    keep = {k: v for k, v in os.environ.items() if k.startswith(("PIP_", "SSL_", "NODE_")) or k in ("LANG", "TMPDIR")}
    path = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if not _of_an_environment(p))
    return Walk(
        ["bash", "--norc", "--noprofile"],
        folder,
        {**keep, "PATH": path, "HOME": str(home), "USER": "ann", **environment},
    )


def _of_an_environment(folder: str) -> bool:
    """Whether a folder of PATH belongs to a virtual environment: a reader has not activated one yet."""
    return (Path(folder).parent / "pyvenv.cfg").exists()


def lend_environment(course: Path) -> None:
    """Saves the minutes of `make env`: the course uses these tests' environment, and make sees that it is ready."""
    (course / ".venv").symlink_to(Path(sys.prefix))
    for file in ("requirements.txt", "constraints.txt", "pyproject.toml"):
        os.utime(course / file, (0, 0))


def take_changes(course: Path, git: Sequence[str] = ()) -> None:
    """Commits to a clone what is changed here and not committed yet, so that a page can be walked before it is.

    `git` is the command that is in that clone, where that is not simply `git -C course`.
    """
    listed = ["git", "ls-files", "-z", "--modified", "--others", "--exclude-standard"]
    changed = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, changed.split("\0")):
        if (ROOT / name).is_file():
            (course / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, course / name)
    command = [*(git or ["git", "-C", str(course)]), "-c", "user.name=ann", "-c", "user.email=ann@example.org"]
    subprocess.run([*command, "add", "--all"], check=True)
    subprocess.run([*command, "commit", "-q", "--allow-empty", "-m", "What is not committed yet"], check=True)
