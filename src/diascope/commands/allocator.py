"""How the C library hands memory out (https://man7.org/linux/man-pages/man3/mallopt.3.html)."""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
MEBIBYTE = 1 << 20
MAPPED = 32 * MEBIBYTE
"""The largest threshold that glibc takes."""
KEPT = 256 * MEBIBYTE


def reuse_freed_memory() -> bool:
    """Whether glibc from now on keeps what is freed, up to so much, instead of giving it back after every request.

    Pixels and encoded chunks of some hundred kilobytes come and go all the time; memory that was given back has to be
    cleared by the kernel, page by page, before it is handed out again, which takes longer than to encode many a chunk.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        # Another C library, such as musl or that of Windows.
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, MAPPED) and mallopt(M_TRIM_THRESHOLD, KEPT))
