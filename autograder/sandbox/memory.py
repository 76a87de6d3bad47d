"""A process's memory before it forks, in a state in which its children copy little of it.

Whatever a child writes into, a page of 4 KB, the kernel copies first: most of what a room costs the kernel.
"""

from __future__ import annotations

import ctypes

_LARGE_PAGE, _COLLAPSE = 1 << 21, 25
_LARGEST_GAP, _SMALLEST_GAP, _STEP = 1 << 16, 24, 16
"""Bytes. The C library has lists of gaps of each multiple of 16, and keeps 8 bytes beside each piece of memory."""

_libc = ctypes.CDLL(None)


class _Mallinfo(ctypes.Structure):
    """What the C library tells of its memory; of its numbers, see mallinfo(3), only the last is used."""

    _fields_ = [(f"number_{at}", ctypes.c_size_t) for at in range(9)] + [("keepcost", ctypes.c_size_t)]


def settle() -> None:
    """For a process that will fork again and again."""
    use_up_gaps()
    gather_pages()


def use_up_gaps() -> int:
    """Takes the free pieces between those in use from the C library, for good, and returns how many.

    They lie all over the memory, and each time that a child is given one, its page is copied. What a child asks for
    comes from the end of the memory then, one piece beside the other. A C library that is not GNU's is left alone.
    """
    if not hasattr(_libc, "mallinfo2"):
        return 0
    info, malloc, free, end = _libc.mallinfo2, _libc.malloc, _libc.free, _libc.sbrk
    info.restype = _Mallinfo
    malloc.restype = end.restype = ctypes.c_size_t
    malloc.argtypes, free.argtypes, end.argtypes = [ctypes.c_size_t], [ctypes.c_size_t], [ctypes.c_ssize_t]
    last = end(0) - info().keepcost
    taken, size = 0, _LARGEST_GAP
    while size >= _SMALLEST_GAP:
        while 0 < (place := malloc(size)) < last:
            taken += 1
        if place:
            free(place)
        size = max(_SMALLEST_GAP, size * 7 // 8) if size > 1024 else size - _STEP
    return taken


def gather_pages() -> None:
    """Puts this process's own memory into large pages: forking it then copies few entries of its page tables.

    Where the kernel has none to give, forks are slower, and nothing else is different.
    """
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        lines = [line.split() for line in maps]
    for place, rights, _, _, inode, *name in lines:
        if inode == "0" and rights == "rw-p" and name in ([], ["[heap]"]):
            start, end = (int(number, 16) for number in place.split("-"))
            start, end = -(-start // _LARGE_PAGE) * _LARGE_PAGE, end // _LARGE_PAGE * _LARGE_PAGE
            if start < end:
                _libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _COLLAPSE)
