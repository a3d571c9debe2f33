"""What the system knows of this process."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from diascope.access.observability.samples import Samples

STATM = Path("/proc/self/statm")
HANDLES = Path("/proc/self/fd")


def process() -> Samples:
    """Its memory, threads and file handles, as far as this system tells them."""
    samples: Samples = {("diascope_threads", ""): threading.active_count()}
    try:
        resident = int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        samples["diascope_resident_bytes", ""] = resident
        samples["diascope_open_handles", ""] = len(os.listdir(HANDLES)) - 1  # noqa: PTH208
    except (OSError, ValueError):
        pass  # there is no such folder on other systems than Linux
    return samples
