"""nifti_tool as a judge: it prints header and voxels, and ends well on corrupt files: only what it prints counts."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

EVERYTHING = ("-1",) * 7


def missing() -> str | None:
    """What this machine lacks, with the command that mends it."""
    return None if shutil.which("nifti_tool") else "nifti_tool is not here: apt-get install nifti-bin"


def header(path: Path | str) -> dict[str, list[str]]:
    """The fields of the header, each with its values as they are printed."""
    lines = [line.split() for line in _said("-disp_hdr", path).splitlines()]
    # Name, place in the file, how many values, and the values.
    return {words[0]: words[3:] for words in lines if len(words) > 3 and words[1].isdigit() and words[2].isdigit()}


def voxels(path: Path | str) -> NDArray[Any]:
    """All values of the file, x fastest."""
    return np.array(_said("-quiet", "-disp_ci", *EVERYTHING, path).split(), dtype=float)


def time_series(path: Path | str, x: int, y: int, z: int) -> NDArray[Any]:
    """The values of one voxel at all times."""
    return np.array(_said("-quiet", "-disp_ts", x, y, z, path).split(), dtype=float)


def _said(*words: Any) -> str:
    """What it prints of a file, which is the last of the words."""
    command = ["nifti_tool", *map(str, words[:-1]), "-infiles", str(words[-1])]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60).stdout
