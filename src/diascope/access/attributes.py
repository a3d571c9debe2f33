"""What the kernel, and others that mount, want to know of a file besides its bytes."""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from typing import TypeAlias

EPOCH = 946_684_800  # 2000-01-01
YEARS = 2**57
"""How far from there times lie, in nanoseconds: four and a half."""

Attributes: TypeAlias = dict[str, int]


def file_attributes(path: str, etag: str | None, size: int) -> Attributes:
    """Of a file that everybody may read."""
    return _attributes(path, stat.S_IFREG | 0o444, size, etag)


def folder_attributes(path: str) -> Attributes:
    """Of a folder that everybody may list; how many folders are in it nobody has counted."""
    return _attributes(path, stat.S_IFDIR | 0o555)


def _attributes(path: str, mode: int, size: int = 0, etag: str | None = None) -> Attributes:
    time = nanoseconds(etag)
    return {
        "st_mode": mode,
        "st_ino": inode(path),
        "st_nlink": 1,
        "st_uid": os.getuid(),
        "st_gid": os.getgid(),
        "st_size": size,
        "st_blocks": -(-size // 512),
        "st_blksize": 1 << 20,
        "st_atime": time,
        "st_mtime": time,
        "st_ctime": time,
    }


def nanoseconds(etag: str | None) -> int:
    """A time that is none: it changes with the bytes, and is the same on every mount, for programs that compare."""
    since = int.from_bytes(sha256(etag.encode()).digest()[:8], "big") % YEARS if etag else 0
    return EPOCH * 10**9 + since


def moment(etag: str | None) -> int:
    """The same in seconds, for protocols that have no more."""
    return nanoseconds(etag) // 10**9


def inode(path: str) -> int:
    """The same for a path on every mount; two paths as good as never have the same."""
    return int.from_bytes(sha256(path.encode(errors="surrogateescape")).digest()[:8], "big") >> 1 or 1
