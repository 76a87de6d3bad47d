"""Other machines than this one, made of this one: prefixes of a command that is then run there.

Each is what the kernel really does: no function is replaced, and nothing of the course knows that it is being tested.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

USER = 12345
"""An ordinary user that this machine has not got."""

_NO_SPACES = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
_NOTHING = """
import errno, os, sys
import pyseccomp as s
from autograder.sandbox import syscalls
rules = s.SyscallFilter(s.ALLOW)
rules.add_rule(s.ERRNO(errno.EPERM), "unshare")
rules.add_rule(s.ERRNO(errno.ENOSYS), 444)  # landlock_create_ruleset
syscalls.no_new_privileges()
rules.load()
os.execvp(sys.argv[1], sys.argv[1:])
"""
LEFT = "LEFT RUNNING:"
_WATCH = f"""
import os, subprocess, sys, time
from autograder.sandbox import processes, syscalls
syscalls.adopt_orphans()
code = subprocess.call(sys.argv[1:])
end = time.monotonic() + 120
while left := processes.descendants(os.getpid()):
    try:
        while os.waitpid(-1, os.WNOHANG)[0]: pass
    except ChildProcessError: break
    if time.monotonic() > end:
        for process in left:
            print("{LEFT}", process, open(f"/proc/{{process}}/cmdline").read(), flush=True)
        processes.end_descendants()
        break
    time.sleep(0.05)
sys.exit(code % 256)
"""


def without_user_namespaces() -> list[str]:
    """The limit that administrators set where they do not want them; as inside most containers."""
    return ["unshare", "--user", "--map-root-user", "sh", "-c", _NO_SPACES, "sh"]


def without_isolation() -> list[str]:
    """An old kernel in a container: no namespaces, no Landlock."""
    return [sys.executable, "-c", _NOTHING]


def open_to_all(*needed: Path) -> list[str]:
    """Whoever can enter `needed` can also get there: closed folders above are laid over with open ones, here alone."""
    paths = [Path(p).resolve() for p in (sys.prefix, sys.base_prefix, Path(__file__).parent.parent.parent, *needed)]
    paths = [p for p in paths if not any(other in p.parents for other in paths)]
    tops = sorted({top for top in map(_closed, paths) if top})
    lines = ["set -e", "hold=$(mktemp -d)", "mount -t tmpfs none $hold"]
    for at, path in enumerate(paths):
        lines += [f"mkdir $hold/{at}", f"mount --bind {shlex.quote(str(path))} $hold/{at}"]
    lines += [f"mount -t tmpfs -o mode=755 none {shlex.quote(str(top))}" for top in tops]
    for at, path in enumerate(paths):
        if any(top in path.parents for top in tops):
            lines += [f"mkdir -p {shlex.quote(str(path))}", f"mount --bind $hold/{at} {shlex.quote(str(path))}"]
    lines.append("umount -l $hold; rmdir $hold")
    return ["unshare", "--mount", "sh", "-c", "\n".join(lines) + '\nexec "$@"', "sh"]


def as_ordinary_user(*needed: Path) -> list[str]:
    """Not root, in no group, with no capability."""
    if os.getuid():
        return []
    drop = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
    return [*open_to_all(*needed), *drop]


def watched() -> list[str]:
    """Says at the end which processes the command has left, and ends them; nothing that it starts can get away."""
    return [sys.executable, "-c", _WATCH]


def works(machine: list[str]) -> bool:
    """Whether this machine lets itself be made into that one."""
    return subprocess.run([*machine, "true"], capture_output=True, check=False).returncode == 0


def _closed(path: Path) -> Path | None:
    """The topmost folder above `path` that others cannot pass."""
    return next((top for top in reversed(path.parents) if not top.stat().st_mode & 0o001), None)
