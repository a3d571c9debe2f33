"""A source is fed spoilt files for a while, whatever becomes of the process that reads them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NamedTuple

PATIENCE = 120.0
"""Seconds that a process may take longer than it was told to: it starts, and each file has its own limit."""

GOING = 5.0
"""Seconds that a worker may need to notice that nobody listens any more."""

SHORT = {"DIASCOPE_READER_SECONDS": "8", "DIASCOPE_READER_PROCESSES": "1"}


class Finding(NamedTuple):
    """A case that was not taken as it should be."""

    number: int
    path: str
    wrong: str


def findings(source: str, folder: Path, seconds: float, first: int = 0) -> tuple[list[Finding], int]:
    """What is found of a source in so many seconds from a case on, and how many cases there were."""
    found: list[Finding] = []
    end, number, rounds = monotonic() + seconds, first, 0
    while rounds == 0 or monotonic() < end:
        left = max(end - monotonic(), 0.1)
        lines, died = _run(source, folder / str(rounds), number, left)
        found += [Finding(line["number"], line["path"], line["wrong"]) for line in lines if "wrong" in line]
        rounds += 1
        if not lines:
            raise RuntimeError(f"no case of {source} was tried: {died}")
        number = lines[-1]["number"] + (died is not None)
        if died:
            found.append(Finding(lines[-1]["number"], lines[-1].get("path", ""), died))
    return found, number - first


def _run(source: str, folder: Path, first: int, seconds: float) -> tuple[list[dict[str, Any]], str | None]:
    words = [sys.executable, "-W", "ignore", "-m", "tests.fuzz.worker", source, str(folder)]
    words += ["--first", str(first), "--seconds", str(seconds)]
    died = None
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | SHORT)
    with process:
        try:
            out, errors = process.communicate(timeout=seconds + PATIENCE)
            if process.returncode:
                died = f"its process ended with {process.returncode}: {errors[-2000:]}"
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
            died = "it did not end"
    left = left_by(process.pid)
    if left and died is None:
        died = f"it left processes behind: {left}"
    return [json.loads(line) for line in out.splitlines() if line.startswith("{") and line.endswith("}")], died


def left_by(parent: int) -> list[int]:
    """The workers that are still there a while after the process that they read for has ended."""
    end = monotonic() + GOING
    while (left := _workers_of(parent)) and monotonic() < end:
        sleep(0.05)
    return left


def _workers_of(parent: int) -> list[int]:
    found = []
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            told = words.read_bytes().split(b"\0")
            if b"diascope.isolation.worker" in told and str(parent).encode() in told:
                found.append(int(words.parent.name))
    return found
