"""The real server on a folder, in a process of its own, and what it costs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

TICK = os.sysconf("SC_CLK_TCK")


class Server(NamedTuple):
    """A running one."""

    port: int
    pid: int

    def processor_seconds(self) -> float:
        """What it has used so far, on all processors."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def peak(self) -> int:
        """The most memory that it has had, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """``diascope serve`` on a free port, until the block ends."""
    command = [sys.executable, "-u", "-m", "diascope", "serve", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101
            found = re.search(r":(\d+)/", process.stdout.readline())
            if found is None:
                raise SystemExit("the server did not start")
            yield Server(int(found[1]), process.pid)
        finally:
            process.terminate()
