"""libtiff's tiffcp as a judge: it copies the full resolution, decoding every tile."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def missing() -> str | None:
    """What this machine lacks, with the command that mends it."""
    return None if shutil.which("tiffcp") else "libtiff's tiffcp is not here: apt-get install libtiff-tools"


def copied(path: Path, out: Path) -> Path | str:
    """What tiffcp read of the full resolution, or what it said where it refused."""
    done = subprocess.run(["tiffcp", "-c", "none", str(path), str(out)], check=False, capture_output=True, text=True)
    return out if done.returncode == 0 else done.stderr
