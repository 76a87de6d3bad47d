"""Landlock: which files this process can open from now on, and everything that it starts.

See landlock(7). Rights are only ever taken away: what is not named as readable or writable cannot be opened.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Sequence

from autograder.sandbox import syscalls

TRUNCATE_SINCE, SIGNALS_SINCE = 3, 6
"""Versions of Landlock that first guard truncate(2), and signals and abstract sockets."""
_NETWORK_SINCE = 4

_EXECUTE, _WRITE, _READ, _LIST = 1, 2, 4, 8
_TRUNCATE, _DEVICE = 1 << 14, 1 << 15
_ON_A_FILE = _EXECUTE | _WRITE | _READ | _TRUNCATE | _DEVICE
_READ_ONLY = _EXECUTE | _READ | _LIST
_RIGHTS_OF_VERSION = {1: 13, 2: 14, 3: 15, 4: 15}
_RIGHTS = 16
"""How many rights on files a version of Landlock knows."""


def landlock(readable: Sequence[str], writable: Sequence[str]) -> None:
    """Leaves only these folders and files to open; OSError if the kernel has no Landlock.

    Where the kernel knows how, TCP goes too, and signals and abstract sockets to processes that are not below this one.
    """
    abi = syscalls.landlock_abi()
    if not abi:
        raise OSError(errno.ENOSYS, "Landlock")
    handled = (1 << _RIGHTS_OF_VERSION.get(abi, _RIGHTS)) - 1
    network, scope = (3 if abi >= _NETWORK_SINCE else 0), (3 if abi >= SIGNALS_SINCE else 0)
    known = 24 if abi >= SIGNALS_SINCE else 16 if abi >= _NETWORK_SINCE else 8
    ruleset = syscalls.landlock_ruleset(struct.pack("QQQ", handled, network, scope)[:known])
    for paths, rights in ((readable, _READ_ONLY), (writable, handled)):
        for path in paths:
            try:
                folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except OSError:
                continue  # what is not there needs no permission
            allowed = rights if os.path.isdir(path) else rights & _ON_A_FILE
            syscalls.landlock_allow(ruleset, allowed & handled, folder)
            os.close(folder)
    syscalls.landlock_enter(ruleset)
    os.close(ruleset)
