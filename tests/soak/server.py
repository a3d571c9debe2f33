"""A server of several processes as a user starts it, and what all of them hold."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple


class Held(NamedTuple):
    """What a process holds."""

    files: int
    threads: int
    memory: int
    """Bytes, with those that it shares."""


@contextmanager
def serving(folders: list[Path], log: Path, settings: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """The URL, without a slash at its end, and the process that was started; none of it is left behind."""
    words = [sys.executable, "-m", "diascope", "serve", *map(str, folders), "--port", "0"]
    with (
        log.open("w") as told,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=told, text=True, env=os.environ | settings) as process,
    ):
        try:
            assert process.stdout
            yield process.stdout.readline().split()[-1].rstrip("/"), process.pid
            below = descendants(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        left = [pid for pid in below if Path("/proc", str(pid)).exists() and "diascope" in words_of(pid)]
        assert not left, f"processes are left behind: {[words_of(pid) for pid in left]}"


def descendants(process: int) -> list[int]:
    """The processes that it has begun, and theirs."""
    found = []
    for task in Path("/proc", str(process), "task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, task.read_text(encoding="ascii").split()):
                found += [child, *descendants(child)]
    return found


def words_of(process: int) -> str:
    """The command line, empty where the process is gone."""
    try:
        return Path("/proc", str(process), "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def held(process: int) -> dict[int, Held]:
    """What it and its descendants hold now."""
    return {pid: each for pid in (process, *descendants(process)) if (each := _held(pid))}


def _held(process: int) -> Held | None:
    proc = Path("/proc", str(process))
    try:
        status = (proc / "status").read_text(encoding="ascii", errors="replace")
        files = len(os.listdir(proc / "fd"))  # noqa: PTH208
    except OSError:
        return None
    fields = dict(re.findall(r"^(\w+):\s+(\d+)", status, re.MULTILINE))
    return Held(files, int(fields.get("Threads", 0)), int(fields.get("VmRSS", 0)) << 10)
