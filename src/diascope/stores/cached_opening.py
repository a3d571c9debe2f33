"""Opening a file in haste: only where the kernel need not look for it (https://man7.org/linux/man-pages/man2/openat2.2.html).

All that its path is made of must be in the kernel's memory, and the file system must be one that tells which bytes are,
so none that would have to ask another machine or program. That is known of a folder once a file of it was opened at
leisure and asked.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys

from diascope import haste

OPENAT2 = 437
"""Its number, the same on every kind of processor."""
HERE = -100
"""The working directory, which no absolute path depends on."""
RESOLVE_CACHED = 0x20
ABSENT = (errno.ENOENT, errno.ENOTDIR)
MOST = 1 << 14
"""How many folders are known."""

_telling: set[str] = set()


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def _system_call() -> ctypes._NamedFuncPointer | None:
    if not sys.platform.startswith("linux"):
        return None
    return ctypes.CDLL(None, use_errno=True).syscall


_SYSTEM_CALL = _system_call()


def opened(path: str, flags: int) -> int:
    """The descriptor of a file; in haste only of one that is known."""
    if not haste.is_hasty():
        return _asked(path, os.open(path, flags))
    if _SYSTEM_CALL is None or path.rpartition("/")[0] not in _telling:
        raise haste.Wait
    how = _How(flags, 0, RESOLVE_CACHED)
    number: int = _SYSTEM_CALL(OPENAT2, HERE, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how))
    if number >= 0:
        return number
    if (reason := ctypes.get_errno()) in ABSENT:
        raise OSError(reason, os.strerror(reason), path)
    # It is not in memory, or this kernel or container does not know the call.
    raise haste.Wait


def _asked(path: str, number: int) -> int:
    """The same descriptor; that its file system tells what is in memory is known from now on of the file's folder."""
    folder = path.rpartition("/")[0]
    if folder not in _telling and _tells(number):
        if len(_telling) >= MOST:
            _telling.clear()
        _telling.add(folder)
    return number


def _tells(number: int) -> bool:
    if not hasattr(os, "RWF_NOWAIT"):
        return False
    try:
        os.preadv(number, [bytearray(1)], 0, os.RWF_NOWAIT)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True
