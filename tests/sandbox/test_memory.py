"""What a forked child writes into, the kernel copies: so its memory must not lie in the gaps of what it shares."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tests.conftest import ROOT

COPIED = """
import ctypes, os, resource, sys
from autograder.sandbox import memory
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
places = [libc.malloc(700) for _ in range(20_000)]
for place in places[::2]: libc.free(place)
taken = memory.use_up_gaps() if sys.argv[1] == "used" else 0
def written():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(1000): ctypes.memset(libc.malloc(700), 1, 700)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
read, write = os.pipe()
if not os.fork():
    os.write(write, str(written()).encode())
    os._exit(0)
print(taken, int(os.read(read, 99)))
"""


def counted(how: str) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", COPIED, how], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    return int(done[0]), int(done[1])


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library is left alone")
def test_a_child_copies_few_pages_for_what_it_asks_for() -> None:
    """1,000 pieces of 700 bytes fill some 170 pages if they lie side by side; each second gap has a page of its own."""
    _, scattered = counted("left")
    taken, dense = counted("used")
    assert taken >= 10_000
    assert dense < 250 < scattered


def test_neither_what_was_in_memory_nor_what_comes_into_it_is_touched() -> None:
    """Of all sizes, between gaps of all sizes, and enough for large pages."""
    code = (
        "from autograder.sandbox import memory\n"
        "def filled(byte): return [bytearray(byte * size) for size in (*range(0, 200_000, 333), *[700] * 20_000)]\n"
        "kept = filled(b'a')\ngaps, kept = kept[::2], kept[1::2]\ndel gaps\nmemory.settle()\nlater = filled(b'b')\n"
        "memory.settle()\nprint({bytes({*one}) for one in kept} - {b'a'}, {bytes({*one}) for one in later} - {b'', b'b'})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set() set()\n"
