"""What the processes of readers may have."""

from __future__ import annotations

import os
from dataclasses import dataclass

from diascope.settings import MEBIBYTE, Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """How many there are, and what each may take; see the settings of the same names."""

    workers: int = os.cpu_count() or 2
    seconds: float = 30.0
    memory: int = 4096 * MEBIBYTE
    quarantine: float = 60.0
    waiting: int = 256
    """How many requests wait for a worker at the most."""
    datasets: int = 32
    """How many datasets each worker keeps open."""


def limits(settings: Settings) -> Limits:
    """Those that are set."""
    return Limits(
        workers=settings.reader_processes,
        seconds=settings.reader_seconds,
        memory=settings.reader_memory,
        quarantine=settings.quarantine_seconds,
    )
