"""A server that knows synthetic images too, in a process of its own: ``python -m tests.synthetic_server FOLDER``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from diascope.commands.serve import run, settings_for
from diascope.registry import registry
from diascope.testing.synthetic_file import source

ADDRESS = re.compile(r"http://\S+[^/\s]")


class Process(NamedTuple):
    """The server: its address without a slash at the end, and its process."""

    url: str
    pid: int

    @property
    def peak(self) -> int:
        """The most memory that it has had so far, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024


@contextmanager
def started(folder: Path, **settings: int) -> Iterator[Process]:
    """The server of a folder, stopped with the block; its settings are those of ``DIASCOPE_…``."""
    given = {f"DIASCOPE_{name.upper()}": str(value) for name, value in settings.items()}
    command = [sys.executable, "-u", "-m", __spec__.name if __spec__ else __name__, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **given}) as process:
        try:
            assert process.stdout is not None
            found = ADDRESS.search(process.stdout.readline())
            assert found is not None, "the server did not start"
            yield Process(found[0], process.pid)
        finally:
            process.terminate()


if __name__ == "__main__":
    with registry("sources").including("synthetic", source):
        run(settings_for([Path(sys.argv[1])], None, 0, follow_links=False))
