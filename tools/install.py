"""Installs the packages of requirements.txt into this environment and shows the progress.

The Makefile runs it with the environment's Python before anything is installed, so it uses the standard library only.
pip's output goes to install.log. If pip fails, one sentence says why and what to do.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
LOG = Path(sys.prefix) / "install.log"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--progress-bar", "off"]
BUILD = ["--quiet", "--no-deps", "--no-build-isolation", "-e", "."]
GIGABYTES = 2
GPU = (
    "With torch the usual index may bring several GB for graphics cards, which are not needed. If so, press Ctrl-C,\n"
    "look up the address of the CPU build on pytorch.org (behind --index-url): make TORCH_INDEX=ADDRESS env"
)
EVERY = 10.0  # seconds between two lines if the output is not a terminal
AGAIN = "Run the same command again: it goes on with what is there."
# Patterns of pip's output and what they mean; the first match is used.
REASONS = (
    (
        r"No space left on device|Errno 28|disk quota",
        "the disk is full. The environment needs 2 GB, and several GB more where torch comes with GPU support. "
        "Free some space.",
    ),
    (
        r"NewConnectionError|Failed to establish|name resolution|nodename nor servname|getaddrinfo failed|timed out|"
        r"ProxyError|SSLError|CERTIFICATE_VERIFY_FAILED|Connection (broken|reset|refused|aborted)|IncompleteRead|"
        r"Network is unreachable|HTTPError|Max retries exceeded",
        "the package index cannot be reached. Check the network, or a proxy or mirror that pip is set to use.",
    ),
    (
        r"No matching distribution found for (?P<what>\S+)",
        "the package index has no {what} for {python} on this machine. Try another Python between 3.11 and 3.13, such "
        "as: make PYTHON=python3.12 env.",
    ),
    (r"Permission denied|Read-only file system", "a file may not be written. Check who owns this folder."),
)


class Progress:
    """What pip has done so far, read from its output; shown on one line of a terminal, or as lines in a log."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self.megabytes = 0.0
        self.now = ""
        self.to_unpack = 0
        self.start = time.monotonic()
        self.expected = len(re.findall(r"^[\w.-]+==", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
        self.live = sys.stdout.isatty()
        self._width = 0

    def hear(self, line: str) -> None:
        """Reads one line of pip's output."""
        if found := re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)", line):
            self.found.add(found[1].lower())
            self.now = f"looking up {found[1]}"
        elif found := re.match(r"Processing \S*?/([\w.]+)-\d", line):  # from an index that is a folder
            self.found.add(found[1].lower())
        elif found := re.match(r"\s*Downloading (\S+?)-\d\S* \(([\d.]+) (kB|MB|GB|bytes)\)", line):
            name = found[1].rpartition("/")[2]
            if not line.rstrip().endswith("metadata") and ".metadata" not in line:
                self.megabytes += float(found[2]) * {"bytes": 1e-6, "kB": 1e-3, "MB": 1, "GB": 1e3}[found[3]]
                self.now = f"downloading {name} ({found[2]} {found[3]})"
        elif line.startswith("Installing collected packages:"):
            self.to_unpack = line.count(",") + 1

    def text(self) -> str:
        """The progress in words."""
        minutes, seconds = divmod(int(time.monotonic() - self.start), 60)
        clock = f"{minutes}:{seconds:02d}"
        if self.to_unpack:
            there = sum(1 for _ in Path(sysconfig.get_path("purelib")).glob("*.dist-info"))
            if there >= self.to_unpack:
                return f"  {clock}  all {self.to_unpack} packages are there; finishing"
            return f"  {clock}  unpacking, {there} of {self.to_unpack} packages"
        share = f"{len(self.found)} of about {max(self.expected, len(self.found))} packages"
        return f"  {clock}  {share}, {self.megabytes:.0f} MB; {self.now or 'asking the package index'}"

    def show(self) -> None:
        """Prints the progress; on a terminal, over the previous line."""
        text = self.text()
        if self.live:
            text = text[: shutil.get_terminal_size().columns - 1]
            print("\r" + text.ljust(self._width), end="", flush=True)
            self._width = len(text)
        else:
            print(text, flush=True)

    def end(self) -> None:
        """Clears the line on a terminal."""
        if self.live:
            print("\r" + " " * self._width + "\r", end="", flush=True)


def pip(arguments: list[str], progress: Progress) -> int:
    """Runs pip with its output going to the log and to `progress`; returns its exit status."""
    with LOG.open("a", encoding="utf-8") as log:
        running = subprocess.Popen(
            [*PIP, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )

        def listen() -> None:
            assert running.stdout
            for line in running.stdout:
                log.write(line)
                log.flush()
                progress.hear(line)

        ear = threading.Thread(target=listen, daemon=True)
        ear.start()
        said = 0.0
        try:
            while running.poll() is None:
                if progress.live or time.monotonic() - said >= EVERY:
                    progress.show()
                    said = time.monotonic()
                time.sleep(0.2)
        except BaseException:
            running.terminate()
            running.wait()
            raise
        ear.join(10)
        return running.returncode


def why(log: str) -> str:
    """A sentence on why pip failed, or its last lines."""
    for pattern, sentence in REASONS:
        if found := re.search(pattern, log):
            what = found.groupdict().get("what", "")
            reason = sentence.format(what=what, python=f"Python {sys.version_info[0]}.{sys.version_info[1]}")
            return f"The packages could not be installed: {reason} Then {AGAIN[0].lower()}{AGAIN[1:]}"
    last = "\n".join("  " + line for line in log.splitlines()[-8:])
    return f"The packages could not be installed. pip's last lines:\n{last}\n{AGAIN}"


def steps(torch_index: str) -> list[list[str]]:
    """The arguments for each call of pip; only torch comes from the index `torch_index`, if that is not empty."""
    (torch,) = re.findall(r"^torch==\S+", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    first = [["--no-deps", "--index-url", torch_index, torch]] if torch_index else []
    return [*first, ["-r", "requirements.txt"], BUILD]


def main() -> None:
    """Installs the pinned packages, then this project."""
    torch_index = "".join(sys.argv[1:])
    there = any(Path(sysconfig.get_path("purelib")).glob("torch-*.dist-info"))
    free = shutil.disk_usage(sys.prefix).free / 1e9
    if not there and free < GIGABYTES:
        sys.exit(f"{free:.1f} GB are free on this disk, and the packages need {GIGABYTES} GB. Free some space first.")
    print(f"Installing the packages into {Path(sys.prefix).name}, {GIGABYTES} GB: some minutes the first time.")
    if sys.platform == "linux" and not there and not torch_index:
        print(GPU)
    LOG.write_text("")
    progress = Progress()
    try:
        code = next((failed for step in steps(torch_index) if (failed := pip(step, progress))), 0)
    except KeyboardInterrupt:
        progress.end()
        sys.exit(f"\nStopped. {AGAIN}")
    except OSError as error:
        progress.end()
        sys.exit(why(str(error)))
    progress.end()
    if code:
        sys.exit(f"{why(LOG.read_text(errors='replace'))}\nAll that pip said: {LOG}")
    seconds = time.monotonic() - progress.start
    print(f"Installed in {seconds // 60:.0f}:{seconds % 60:02.0f} minutes.")


if __name__ == "__main__":
    main()
