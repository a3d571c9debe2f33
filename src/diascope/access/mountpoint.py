"""What mounting needs of this machine: libfuse, its device, and a folder that nothing is mounted on."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from ctypes.util import find_library
from pathlib import Path
from typing import Any

from diascope.errors import BadRequest, Unavailable

DEVICE = Path("/dev/fuse")
PATIENCE = 20
"""Seconds that unmounting may take."""


def library() -> Any:
    """The library mfusepy on this machine's libfuse; raises Unavailable with the command that mends it."""
    # FUSE 3 reads up to a mebibyte at once; mfusepy alone would take FUSE 2 where both are.
    if find_library("fuse3"):
        os.environ.setdefault("FUSE_LIBRARY_NAME", "fuse3")
    try:
        import mfusepy
    except ImportError as error:
        raise Unavailable("mounting needs mfusepy: pip install mfusepy") from error
    except (OSError, AttributeError) as error:
        raise Unavailable(f"mounting needs libfuse ({error}): apt-get install fuse3") from error
    if not DEVICE.exists():
        raise Unavailable(
            f"mounting needs {DEVICE}: modprobe fuse, or for a container --device {DEVICE} --cap-add SYS_ADMIN"
        )
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        raise Unavailable(f"this user may not use {DEVICE}: chmod a+rw {DEVICE}")
    if os.geteuid() and not _unmounter():
        raise Unavailable("mounting needs fusermount3: apt-get install fuse3")
    return mfusepy


def prepared(mountpoint: Path) -> Path:
    """The empty folder to mount on, made where it is missing, freed where a process died that had mounted on it.

    Raises BadRequest where it is no empty folder, or something is mounted on it.
    """
    if _is_stale(mountpoint):
        freed(mountpoint)
    if mountpoint.is_mount():
        raise BadRequest(f"something is mounted on {str(mountpoint)!r} already")
    mountpoint.mkdir(parents=True, exist_ok=True)
    if any(mountpoint.iterdir()):
        raise BadRequest(f"{str(mountpoint)!r} is not empty: mount on an empty folder")
    return mountpoint


def freed(mountpoint: Path) -> None:
    """Nothing is mounted on it any more; programs that still have files open there get errors."""
    commands = [[tool, "-uz"] for tool in (_unmounter(),) if tool] + [["umount", "-l"]]
    for command in commands:
        done = subprocess.run(  # noqa: S603
            [*command, "--", str(mountpoint)], check=False, capture_output=True, text=True, timeout=PATIENCE
        )
        if done.returncode == 0:
            return
    raise Unavailable(f"{str(mountpoint)!r} cannot be freed: {done.stderr.strip()}")


def _is_stale(mountpoint: Path) -> bool:
    """Whether the process that had mounted there is gone."""
    try:
        mountpoint.stat()
    except OSError as error:
        return error.errno in {errno.ENOTCONN, errno.ECONNABORTED}
    return False


def _unmounter() -> str | None:
    return shutil.which("fusermount3") or shutil.which("fusermount")
