"""Other machines than this one, made of this one: prefixes of a command that is then run there.

Each is what the kernel really does: no function is replaced, and nothing of the course knows that it is being tested.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

USER = 12345
"""An ordinary user that this machine has not got."""

_NO_SPACES = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
_NOTHING = """
import errno, os, sys
import pyseccomp as s
from autograder.rooms import _linux
rules = s.SyscallFilter(s.ALLOW)
rules.add_rule(s.ERRNO(errno.EPERM), "unshare")
rules.add_rule(s.ERRNO(errno.ENOSYS), 444)  # landlock_create_ruleset
_linux.no_new_privileges()
rules.load()
os.execvp(sys.argv[1], sys.argv[1:])
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
    closed = {top: [p for p in paths if top in p.parents] for top in filter(None, map(_closed, paths))}
    lines = ["set -e", "hold=$(mktemp -d)", "mount -t tmpfs none $hold"]
    for path in paths:
        lines += [f"mkdir -p $hold{shlex.quote(str(path))}", f"mount --bind {shlex.quote(str(path))} $hold{path}"]
    for top, inside in closed.items():
        lines.append(f"mount -t tmpfs -o mode=755 none {shlex.quote(str(top))}")
        for path in inside:
            quoted = shlex.quote(str(path))
            lines += [f"mkdir -p {quoted}", f"mount --bind $hold{quoted} {quoted}"]
    lines.append("umount -R $hold; rmdir $hold")
    return ["unshare", "--mount", "sh", "-c", "\n".join(lines) + '\nexec "$@"', "sh"]


def as_ordinary_user(*needed: Path) -> list[str]:
    """Not root, in no group, with no capability."""
    if os.getuid():
        return []
    drop = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
    return [*open_to_all(*needed), *drop]


def _closed(path: Path) -> Path | None:
    """The topmost folder above `path` that others cannot pass."""
    return next((top for top in reversed(path.parents) if not top.stat().st_mode & 0o001), None)


