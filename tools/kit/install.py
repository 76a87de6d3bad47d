"""Makes the folder `venv` beside this file with everything that the course needs. Run it with: python install.py

Only the standard library is used, and no syntax that an old Python cannot read: an old Python is told so in a sentence.
"""

import argparse
import glob
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LOG = os.path.join(HERE, "install.log")
NEEDED = (3, 11)
GIGABYTES = 2
TOO_OLD = (
    "Python {needed} or later is needed; this is Python {found} ({path}).\n"
    "Nothing was installed. Get a newer one from python.org, then run this file with it, such as: python3.12 install.py"
)
NOT_64 = (
    "This Python ({path}) is a 32-bit one; torch needs 64 bits. Get such a one from python.org, then run this again."
)
INTEL_MAC = (
    "There is no torch for this Python ({path}): it is built for a Mac with an Intel processor. On a Mac with Apple\n"
    "silicon get a Python for that from python.org. On an older Mac ask your instructor for another way to work."
)
DISK = "Only {free:.1f} GB are free here, and {needed} GB are needed. Make space, then run this again."
TORCH_NOTE = """\
torch is large. The course needs no graphics card, but on Linux the usual torch brings several GB for one. To have the
small CPU build instead, press Ctrl-C, choose Linux, Pip and CPU on pytorch.org, and give this file the address that
stands there behind --index-url:
    {python} install.py --torch-index ADDRESS
"""
NO_VENV = (
    "Python's venv does not work here, so nothing was installed. On Debian or Ubuntu: sudo apt install python3-venv. "
    "Elsewhere install Python from python.org. Then run this again.\n{said}"
)
STOPPED = "\nStopped. Run the same command again: it goes on with what is there."
AGAIN = "Then run the same command again: it goes on with what is there. All that pip said is in install.log."
FAILED = "The packages could not be installed: {why} {again}"
REASONS = (
    (r"No space left on device|Errno 28|disk quota", "the disk is full. Make some space."),
    (
        r"NewConnectionError|Failed to establish|name resolution|nodename nor servname|getaddrinfo failed|timed out|"
        r"ProxyError|SSLError|CERTIFICATE_VERIFY_FAILED|Connection (?:broken|reset|refused|aborted)|IncompleteRead|"
        r"Network is unreachable|HTTPError|Max retries exceeded",
        "the package index cannot be reached. Check your network.",
    ),
    (
        r"No matching distribution found for (\S+)",
        "there is no {what} for this Python ({python}) on this machine. Use a 64-bit Python from 3.11 to 3.13.",
    ),
    (
        r"Long Path|WinError 206|filename or extension is too long",
        "a path is too long for Windows. Move this folder to a short path, such as C:\\ps1.",
    ),
    (
        r"Permission denied|Access is denied|Read-only file system",
        "a file may not be written. Use a folder of your own.",
    ),
)
BROKEN = "Everything was installed, but {what} cannot be loaded. Delete the folder venv and run this again.\n{said}"
NOTEBOOKS = ("examples.ipynb", "problems.ipynb")
DONE = """
Done. Next, in this folder ({here}):

    {start}                open JupyterLab: {order}
    {check}   see what your instructor will see

students.html says how it goes on. Your own copy of each notebook as it was handed out is in the folder original."""


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--torch-index", metavar="ADDRESS", help="where to get torch from, as pytorch.org shows it")
    asked = options.parse_args()
    refuse()
    if sys.platform.startswith("linux") and not asked.torch_index and not has_torch():
        print(TORCH_NOTE.format(python=os.path.basename(sys.executable)))
        if sys.stdin.isatty():
            input("Press Enter to go on with the usual torch. ")
    print("Installing into {}: some minutes, and about {} GB.".format(os.path.join(HERE, "venv"), GIGABYTES))
    make_venv()
    open(LOG, "w").close()
    if asked.torch_index:
        pip([torch_pin(), "--index-url", asked.torch_index], "Or look at the address behind --torch-index. ")
    pip(["-r", "requirements.txt"])
    try_out()
    quote = '"{}"' if " " in HERE else "{}"
    print(
        DONE.format(
            here=HERE,
            start=quote.format(os.path.join("venv", folder(), "jupyter")) + " lab",
            check=quote.format(os.path.join("venv", folder(), "autograder")) + " check " + NOTEBOOKS[-1],
            order="first {}, then {}".format(*NOTEBOOKS) if len(NOTEBOOKS) > 1 else NOTEBOOKS[0],
        )
    )


def refuse():
    """Exits before anything is installed if the installation would fail half-way."""
    if sys.version_info[:2] < NEEDED:
        found = "{}.{}".format(*sys.version_info[:2])
        sys.exit(TOO_OLD.format(needed="{}.{}".format(*NEEDED), found=found, path=sys.executable))
    if sys.maxsize < 2**32:
        sys.exit(NOT_64.format(path=sys.executable))
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        sys.exit(INTEL_MAC.format(path=sys.executable))
    free = shutil.disk_usage(HERE).free / 1e9
    if free < GIGABYTES and not os.path.exists(inside("python")):
        sys.exit(DISK.format(free=free, needed=GIGABYTES))


def folder():
    return "Scripts" if os.name == "nt" else "bin"


def inside(program):
    """The path of a program in the environment."""
    return os.path.join(HERE, "venv", folder(), program + (".exe" if os.name == "nt" else ""))


def has_torch():
    return bool(glob.glob(os.path.join(HERE, "venv", "lib", "python*", "site-packages", "torch")))


def make_venv():
    marker = os.path.join(HERE, "venv", "made-in.txt")
    if os.path.exists(marker):
        with open(marker, "rb") as file:
            here = file.read().decode("utf-8") == HERE
        if here and runs([inside("python"), "-m", "pip", "--version"])[0]:
            return
    shutil.rmtree(os.path.join(HERE, "venv"), ignore_errors=True)  # half made, or moved to another folder
    good, said = runs([sys.executable, "-m", "venv", os.path.join(HERE, "venv")])
    if not good:
        sys.exit(NO_VENV.format(said=said))
    with open(marker, "wb") as file:
        file.write(HERE.encode("utf-8"))


def runs(command):
    done = subprocess.run(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0, done.stdout.decode("utf-8", "replace")


def torch_pin():
    with open(os.path.join(HERE, "requirements.txt")) as file:
        return next(line.strip() for line in file if line.startswith("torch=="))


def pip(arguments, more=""):
    """Runs `pip install` and shows the progress on one line; exits with a sentence if pip fails."""
    command = [inside("python"), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    running = subprocess.Popen(
        command + ["--progress-bar", "off"] + arguments, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    lines = []

    def listen():
        with open(LOG, "ab") as log:
            for line in running.stdout:
                log.write(line)
                lines.append(line.decode("utf-8", "replace").rstrip())

    ear = threading.Thread(target=listen)
    ear.daemon = True
    ear.start()
    try:
        wait(running, lines)
    except KeyboardInterrupt:
        running.terminate()
        running.wait()
        sys.exit(STOPPED)
    ear.join(10)
    running.stdout.close()
    if running.returncode:
        sys.exit(FAILED.format(why=why("\n".join(lines)), again=more + AGAIN))


def wait(running, lines):
    began, told, width = time.time(), 0.0, 0
    live = sys.stdout.isatty()
    while running.poll() is None:
        text = "  {} s  {}".format(int(time.time() - began), doing(lines))[:100]
        if live:
            sys.stdout.write("\r" + text.ljust(width))
            width = len(text)
        elif time.time() - told > 15:
            print(text)
            told = time.time()
        sys.stdout.flush()
        time.sleep(0.3)
    if live:
        sys.stdout.write("\r" + " " * width + "\r")


def doing(lines):
    for line in reversed(lines[-200:]):
        size = re.match(r"\s*Downloading (?:\S*/)?([\w.]+)-\d\S* \(([^)]*)\)", line)
        if size and ".metadata" not in line:
            return "downloading {} ({})".format(size.group(1), size.group(2))
        if line.startswith("Installing collected packages"):
            return "unpacking {} packages".format(line.count(",") + 1)
        name = re.match(r"Collecting ([\w.-]+)", line)
        if name:
            return "looking up " + name.group(1)
    return "starting pip"


def why(said):
    for pattern, sentence in REASONS:
        found = re.search(pattern, said)
        if found:
            what = found.group(1) if found.groups() else ""
            return sentence.format(what=what, python="{}.{}".format(*sys.version_info[:2]))
    last = [line for line in said.split("\n") if line.strip()][-6:]
    return "pip's last lines are\n  " + "\n  ".join(last) + "\nAsk your instructor."


def try_out():
    for module in ("torch", "jupyterlab", "autograder"):
        good, said = runs([inside("python"), "-c", "import " + module])
        if not good:
            sys.exit(BROKEN.format(what=module, said=said))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(STOPPED)
