"""A source is fed spoilt files for a while, whatever becomes of the process that reads them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

PATIENCE = 60.0
"""Seconds that a process may take longer than it was told to: it starts, and each file has its own limit."""

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
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=seconds + PATIENCE, check=False, env=os.environ | SHORT
        )
        out = done.stdout
        if done.returncode:
            died = f"its process ended with {done.returncode}: {done.stderr[-2000:]}"
    except subprocess.TimeoutExpired as error:
        out = (error.stdout or b"").decode()
        died = "it did not end"
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")], died
