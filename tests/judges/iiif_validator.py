"""The official IIIF validator. It knows one picture: ten by ten squares of a hundred pixels, in colours of its own."""

from __future__ import annotations

import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

IDENTIFIER = "67352ccc-d1b0-11e1-89ae-279075081939"
TESTS = 33
"""How many there are of level 2."""
TESTS_2 = 30
"""Those of version 2.0."""
SUFFIXES = {"3.0": ".iiif", "2.0": ".iiif2"}


@dataclass(frozen=True)
class Verdict:
    """What the validator said."""

    tests: int
    failed: set[str]


def missing() -> str | None:
    """What this machine lacks, with the command that mends it."""
    try:
        with redirect_stdout(StringIO()):  # it counts its tests aloud
            __import__("iiif_validator.validator")
        __import__("magic")
    except ImportError as error:
        return f"the IIIF validator cannot run: {error}; pip install iiif-validator, apt-get install libmagic1"
    return None


def validated(url: str, prefix: str, version: str = "3.0") -> Verdict:
    """The verdict on all tests of level 2 of the service ``{url}/{prefix}/{identifier}``, in a version of the API."""
    program = Path(sys.executable).with_name("iiif-validate.py")
    where = ["-s", url.removeprefix("http://"), "-p", prefix, "-i", f"{IDENTIFIER}{SUFFIXES[version]}"]
    command = [sys.executable, str(program), *where, f"--version={version}", "--level=2"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    lines = [line.split() for line in done.stderr.splitlines() if line.startswith("[")]
    failed = {words[2] for words in lines if words[-1] == "FAIL"}
    assert done.returncode == len(failed), done.stdout + done.stderr
    return Verdict(len(lines), failed)


def squares() -> NDArray[np.uint8]:
    """The picture that it knows: y, x and colour."""
    with redirect_stdout(StringIO()):
        from iiif_validator.validator import ValidationInfo

    colours = np.array(ValidationInfo().colorInfo, np.uint8).transpose(1, 0, 2)
    return colours.repeat(100, axis=0).repeat(100, axis=1)
