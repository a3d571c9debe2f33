"""Reading a virtual OME-TIFF through a mount from front to back, beside reading its source's pixels by tifffile.

The source is a pyramid of uncompressed tiles, in the page cache. Every round has a mount of its own, so that nothing is
kept of the one before; the median of the rounds counts. What the mount gives is compared too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import tifffile
from images import halved, texture, written

HERE = Path(__file__).parent
BLOCK = 1 << 20
ROUNDS = 5
BAR = 0.5
SERVED = "tiles.ome.tif/original/tiles.ome.tif"


def image(path: Path, side: int) -> None:
    """Three channels of 16 bits in uncompressed tiles of 512 pixels."""
    planes = [list(halved((texture(side, seed) * 4095).astype(np.uint16))) for seed in range(3)]
    levels = [np.stack(level) for level in zip(*planes, strict=True)]
    written(path, levels, {"tile": (512, 512), "photometric": "minisblack", "metadata": {"axes": "CYX"}})


@contextmanager
def mounted(folder: Path) -> Iterator[Path]:
    """``diascope mount`` of the folder, for as long as the block runs."""
    with TemporaryDirectory(prefix="mount-") as mountpoint:
        command = [sys.executable, "-u", "-m", "diascope", "mount", str(folder), mountpoint]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None  # noqa: S101
                if "has mounted" not in process.stdout.readline():
                    raise SystemExit("the folder could not be mounted")
                yield Path(mountpoint)
            finally:
                process.terminate()
                process.wait(30)


def through_mount(path: Path) -> tuple[float, int]:
    """Seconds for all bytes of a file, and how many there were."""
    descriptor = os.open(path, os.O_RDONLY)
    buffer, total, start = bytearray(BLOCK), 0, perf_counter()
    while read := os.readv(descriptor, [buffer]):
        total += read
    seconds = perf_counter() - start
    os.close(descriptor)
    return seconds, total


def directly(path: Path) -> tuple[float, int]:
    """Seconds for all pixels of a file by tifffile, and how many bytes they are."""
    start = perf_counter()
    pixels = tifffile.imread(path)
    return perf_counter() - start, pixels.nbytes


def checked(folder: Path, source: Path) -> None:
    """The mount gives the pixels of the source, which the page cache has from now on."""
    with mounted(folder) as top:
        np.testing.assert_array_equal(tifffile.imread(top / SERVED), tifffile.imread(source))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="a small image, to see that it runs")
    arguments.add_argument("--folder", type=Path, default=HERE / "data", help="where image and results are kept")
    chosen = arguments.parse_args()
    folder = chosen.folder / ("mount-quick" if chosen.quick else "mount")
    source = folder / "tiles.ome.tif"
    folder.mkdir(parents=True, exist_ok=True)
    if not source.exists():
        image(source, 1024 if chosen.quick else 8192)
    checked(folder, source)
    rounds = []
    for _ in range(1 if chosen.quick else ROUNDS):
        with mounted(folder) as top:
            rounds.append((through_mount(top / SERVED), directly(source)))
    found = [median(total / seconds for seconds, total in column) for column in zip(*rounds, strict=True)]
    result = {"mount": found[0], "tifffile": found[1], "ratio": found[0] / found[1]}
    (chosen.folder / "mount.json").write_text(json.dumps(result, indent=2) + "\n")
    print(f"through the mount  {found[0] / 1e6:8.0f} MB/s   ({rounds[0][0][1] / 1e6:.0f} MB, the pyramid included)")
    print(f"tifffile directly  {found[1] / 1e6:8.0f} MB/s   ({rounds[0][1][1] / 1e6:.0f} MB)")
    print(f"ratio              {result['ratio']:8.0%}        (the bar is {BAR:.0%})")


if __name__ == "__main__":
    main()
