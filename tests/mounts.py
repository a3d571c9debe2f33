"""Mounts by ``diascope mount`` in a process of its own, which are gone after the test whatever happens."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import NamedTuple

import pytest

from diascope.access.mountpoint import DEVICE, library
from diascope.errors import Unavailable
from tests.judges.required import required

LONGEST = 200.0
"""Seconds after which a mount is killed: whoever waits for it then gets an error."""


class Mount(NamedTuple):
    """A mounted tree."""

    top: Path
    process: subprocess.Popen[str]
    log: Path
    """What it said on standard error."""
    address: str


def needed() -> None:
    """Go on where this machine can mount; skip where its kernel lets nobody, fail in CI where a package is missing."""
    if (denied := _denied()) is not None:
        pytest.skip(f"the kernel does not let us mount: {denied}")
    required(missing())


def missing() -> str | None:
    """What this machine lacks for mounting, with the command that mends it where there is one."""
    if (denied := _denied()) is not None:
        return f"the kernel does not let us mount: {denied}"
    try:
        library()
    except Unavailable as error:
        return str(error)
    return None


@cache
def _denied() -> str | None:
    """Why nothing can be mounted whatever is installed, None where it can be, or something is not installed."""
    try:
        os.close(os.open(DEVICE, os.O_RDWR))
        library()
    except OSError as error:
        return str(error)
    except Unavailable:
        return None
    with TemporaryDirectory(prefix="mount-") as folder, suppress(AssertionError):
        Path(folder, "images").mkdir()
        with mounted(Path(folder, "images"), Path(folder, "top")):
            return None
    return "a trial was refused, as in a container without --cap-add SYS_ADMIN"


@contextmanager
def mounted(
    address: str | Path,
    top: Path,
    options: tuple[str, ...] = (),
    *,
    longest: float = LONGEST,
    program: tuple[str, ...] = ("diascope", "mount"),
    **environment: str,
) -> Iterator[Mount]:
    """What lies at an address, mounted on a folder until the block ends."""
    command = [sys.executable, "-u", "-m", *program, *options, str(address), str(top)]
    log = top.with_name(f"{top.name}.log")
    with log.open("a") as said:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=said, text=True, env={**os.environ, **environment}
        )
    timer = Timer(longest, process.kill)
    timer.start()
    try:
        assert process.stdout
        assert "has mounted" in process.stdout.readline(), log.read_text()
        yield Mount(top, process, log, str(address))
    finally:
        timer.cancel()
        _ended(process, top)


def _ended(process: subprocess.Popen[str], top: Path) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(15)
    if process.stdout:
        process.stdout.close()
    tool = shutil.which("fusermount3") or "fusermount"
    subprocess.run([tool, "-uz", str(top)], check=False, capture_output=True, timeout=15)
