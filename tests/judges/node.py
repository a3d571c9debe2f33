"""Judges from npm, each behind a small program beside this file; installed by install.sh."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

from tests.judges.programs import Program

HERE = Path(__file__).parent
PACKAGES = HERE.parents[1] / ".judges"


def missing(package: str) -> str | None:
    """What this machine lacks for a package, with the command that mends it."""
    if shutil.which("node") is None:
        return f"{package} needs node: install Node.js 20 or later"
    if not (PACKAGES / "node_modules" / package).is_dir():
        return f"{package} is not here: make judges"
    return None


@cache
def program(name: str) -> Program:
    """A program beside this file, running."""
    return Program(["node", str(HERE / name), str(PACKAGES)])
